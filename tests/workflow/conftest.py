"""Run the workflow in a copy of the repository, which tests may edit."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mirpair.files import file_lock
from workflow.forked import run_snakemake

# Importing Snakemake takes longer than planning a small study, so each run forks a process that has
# imported it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["snakemake.cli"])
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

        `within` is a command that starts it, for example in a namespace. It and environment
        variables need a new interpreter; otherwise a fork is enough, and faster.
        """
        # Few pieces, because only some tests are about them. A run waits for this time at its end.
        usual = ("--set-scatter", "fold=1", "collect=2", "--max-jobs-per-timespan", "100/1s")
        command = [*usual, "--cores", "1", *arguments]
        if within or environment:
            done = subprocess.run(
                [*within, sys.executable, "-m", "snakemake", *command],
                cwd=self.folder,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                timeout=900,
                check=False,
            )
        else:
            done = self._forked(command)
        if check:
            assert done.returncode == 0, done.stdout[-6000:]
        return done

    def _forked(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as output:
            process = FORKS.Process(
                target=run_snakemake, args=(self.folder, arguments, output.name, dict(os.environ))
            )
            process.start()
            process.join(900)
            if process.exitcode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.join()
                raise subprocess.TimeoutExpired(arguments, 900, output.read())
            return subprocess.CompletedProcess(arguments, process.exitcode, output.read())

    def planned(self, *arguments: str) -> dict[str, int]:
        """Count the jobs of a dry run by rule."""
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


# Added to job.py: each job records its rule and its imports at its end.
NOTES_IMPORTS = """
import atexit
import json


def note_imports():
    rule = sys.modules["__main__"].snakemake.rule
    packages = [name for name in sys.modules if "." not in name]
    with open("imported.jsonl", "a") as handle:
        print(json.dumps([rule, packages]), file=handle)


atexit.register(note_imports)
"""


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Run the small study to its report once for all tests: copy it, do not change it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "finished-study"
    with file_lock(folder.with_suffix(".lock"), wait=True):
        if not folder.exists():
            made = copy_of_repository(tmp_path_factory.mktemp("unfinished"))
            job = made.folder / "scripts" / "job.py"
            before = job.read_text()
            job.write_text(before + NOTES_IMPORTS)
            made.snakemake("all", "--configfile", made.write_config(small_study(made.folder)))
            job.write_text(before)
            made.folder.rename(folder)
    return Copy(folder)


def bytes_of(copy: Copy, study: str = "mine") -> dict[str, bytes]:
    """Read all results that must be reproducible: every file of a study without times."""
    folder = copy.folder / "results" / study
    timed = ("benchmark.tsv", "provenance.json", "report.html", "resources.png", "resources.svg")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in timed
        and path.relative_to(folder).parts[0] not in ("benchmarks", "logs")
    }


def copy_of_study(finished: Copy, folder: Path) -> Copy:
    """Copy a repository with results that Snakemake accepts as its own."""
    shutil.copytree(finished.folder, folder, symlinks=True, dirs_exist_ok=True)
    return Copy(folder)


def small_fasta(folder: Path, name: str, source: str, count: int) -> str:
    """Write the first `count` records of a file of the demo as a user's own file."""
    lines = (ROOT / "config" / "demo" / f"{source}.fa").read_text().splitlines()
    (folder / name).write_text("\n".join(lines[: 2 * count]) + "\n")
    return name


def small_study(folder: Path) -> dict[str, Any]:
    """Make the config of a user's study: 8 hairpins, 16 others, two folds, one epoch."""
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
