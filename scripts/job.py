"""What every script imports first: the library beside the workflow, and a log that is complete."""

import logging
import sys
from pathlib import Path

# The library beside the scripts is the one whose code the rules track, so it is the one that
# runs, even where another version is installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirpair.files import InputError


def start(snakemake):
    """Log to the rule's log file; an error ends there too, one of the user's without traceback."""
    logging.basicConfig(
        filename=snakemake.log[0],
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        force=True,
    )
    logging.captureWarnings(True)

    def log_uncaught(kind, error, traceback):
        if issubclass(kind, InputError):
            logging.error("%s", error)
        else:
            logging.critical("%s", error, exc_info=(kind, error, traceback))

    sys.excepthook = log_uncaught


def piece(snakemake):
    """Which piece of how many a job of a scattered rule is: of ``2-of-4``, (2, 4)."""
    number, count = snakemake.wildcards.scatteritem.split("-of-")
    return int(number), int(count)
