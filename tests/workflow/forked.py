"""Snakemake in a forked process. This module imports little, because each fork imports it."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def run_snakemake(
    folder: Path, arguments: list[str], output: str, environment: dict[str, str]
) -> None:
    """Run Snakemake in a folder with its output in a file, and exit with its status."""
    from snakemake.cli import main

    os.setsid()  # so that it can be killed with all its jobs
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    handle = os.open(output, os.O_WRONLY | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    # As with `python -m snakemake`: import the library of the folder.
    sys.path.insert(0, str(folder))
    main(arguments)
