"""The image that Snakemake would build of all environments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workflow.conftest import ROOT, Copy

# Snakemake asks conda for its version and the platform, and for nothing else here.
CONDA = """#!/bin/sh
case "$*" in
  --version) echo "conda 25.9.1" ;;
  "info --json") echo '{"conda_prefix": "/opt/conda", "platform": "linux-64"}' ;;
  "config --get channel_priority --json") echo '{"get": {"channel_priority": "strict"}}' ;;
  *) echo "not answered here: conda $*" >&2; exit 1 ;;
esac
"""


# Of other tasks alone.
FAMILIES = {"infernal.yaml", "ship.yaml", "speed.yaml"}
PREDICTION = {"predict.yaml"}
IDENTIFICATION = {"drawings.yaml"}


@pytest.mark.parametrize("kind", ["dockerfile", "apptainer"])
@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ("config", FAMILIES | PREDICTION),
        ("families", IDENTIFICATION | PREDICTION),
    ],
)
def test_every_environment_of_a_study_is_in_its_image(
    copy: Copy, tmp_path: Path, kind: str, config: str, missing: set[str]
) -> None:
    (tmp_path / "conda").write_text(CONDA)
    (tmp_path / "conda").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    study = ("--configfile", f"config/{config}.yaml")
    text = copy.snakemake("--containerize", kind, *study, PATH=path).stdout
    files = [file for file in sorted((ROOT / "envs").glob("*.yaml")) if file.name not in missing]
    assert text.count("conda env create --prefix") == len(files)
    for file in files:
        assert f"envs/{file.name} /conda-envs/" in text
        for line in file.read_text().splitlines():
            assert f"#   {line}\n" in text
