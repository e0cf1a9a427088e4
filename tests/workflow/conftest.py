"""Real runs of the workflow in a copy of the repository, so that tests may edit it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
PARTS = (
    "Snakefile",
    "rules",
    "scripts",
    "mirpair",
    "config",
    "envs",
    "profiles",
    "weights",
    "tests/data",
)


@dataclass(frozen=True)
class Copy:
    """A copy of the repository that a test works in."""

    folder: Path

    def snakemake(
        self,
        *arguments: str,
        check: bool = True,
        within: tuple[str, ...] = (),
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake with one core; the output holds stdout and stderr together.

        `within` is a command that starts it, in a namespace say.
        """
        done = subprocess.run(
            [*within, sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            timeout=900,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout[-6000:]
        return done

    def planned(self, *arguments: str) -> dict[str, int]:
        """Jobs that a dry run would run, by rule."""
        text = self.snakemake("-n", *arguments).stdout
        if "Nothing to be done" in text:
            return {}
        lines = text.split("Job stats:")[1].split("total")[0].splitlines()[3:]
        return {name: int(count) for name, count in (line.split() for line in lines if line)}

    def write_config(self, config: dict[str, Any], name: str = "test.yaml") -> str:
        (self.folder / name).write_text(yaml.safe_dump(config, sort_keys=False))
        return name

    def edit(self, file: str, before: str, after: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert before in text, f"{file} has changed: adapt this test"
        path.write_text(text.replace(before, after, 1))


def copy_of_repository(folder: Path) -> Copy:
    for part in PARTS:
        source, destination = ROOT / part, folder / part
        destination.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, destination, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, destination)
    return Copy(folder)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return copy_of_repository(tmp_path_factory.mktemp("repository"))


def small_fasta(folder: Path, name: str, source: str, count: int) -> str:
    """The first `count` records of one of the demo's files, as a user's own file."""
    lines = (ROOT / "config" / "demo" / f"{source}.fa").read_text().splitlines()
    (folder / name).write_text("\n".join(lines[: 2 * count]) + "\n")
    return name


def small_study(folder: Path) -> dict[str, Any]:
    """A study of a user's own: 8 hairpins, 16 others, two folds, one epoch."""
    return {
        "study": "mine",
        "title": "My own sequences",
        "datasets": {
            "mine": {
                "positives": [small_fasta(folder, "positives.fa", "positives", 8)],
                "negatives": [small_fasta(folder, "negatives.fa", "negatives", 16)],
            }
        },
        "experiments": {"mine-cv": {"split": "k-fold", "dataset": "mine", "folds": 2}},
        "runs": [{"models": ["variable"], "epochs": 1}],
        "tables": {"mine": {"title": "My own table", "rows": {"CV": "mine-cv"}}},
    }
