"""Measure miRBase 22 with ten times as many negatives, from records to splits (`make scale`).

Times are from the workflow's benchmark files. These miss the external programs of the splits, so
for splits the operating system counts processor seconds, including four for Snakemake's start.
``python -m bench.scale part`` uses the hairpins of human and mouse only, a twelfth of all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from bench.genomes import FOLDER, chromosome
from mirpair.files import write_text, write_tsv
from mirpair.sources.collections import read_lengths

ROOT = Path(__file__).parent.parent
# Name of a run to its species.
WAYS = {"all": None, "part": ["hsa", "mmu"]}
PER_POSITIVE = 10
PIECES = 100
TABLES = ROOT / "docs" / "fresh"
FOLDS = 5
# Stage to its benchmark files.
STAGES = {
    "collect": "collect/hairpins.tsv",
    "records": "records/*.tsv",
    "fold": "fold/*/*.tsv",
    "structures": "structures/*.tsv",
    "encode": "encode/*.tsv",
}
# Stages measured by the operating system, and their targets, which also name the benchmark files.
SPLITS = {
    "folds at random": ["folds/at-random.tsv"],
    "roles at random": [f"experiments/at-random{fold}.tsv" for fold in range(1, FOLDS + 1)],
    "folds of clusters": ["folds/clusters.tsv"],
    "roles in clusters": [f"experiments/clusters{fold}.tsv" for fold in range(1, FOLDS + 1)],
}
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


def config(way: str) -> dict[str, object]:
    """Make the config of the study."""
    hairpins = {"source": "hairpins", "file": "mirbase-22/hairpins.csv", "species": WAYS[way]}
    negatives = str(FOLDER / f"windows-{way}.fa")
    return {
        "study": f"scale-{way}",
        "title": "miRBase 22 with ten times as many negatives",
        "collections": {"hairpins": hairpins},
        "datasets": {"all": {"positives": ["hairpins"], "negatives": [negatives]}},
        "experiments": {
            "at-random": {"split": "k-fold", "dataset": "all", "folds": FOLDS, "copies": "keep"},
            "clusters": {"split": "cluster-k-fold", "dataset": "all", "folds": FOLDS},
        },
        "runs": [{"models": ["variable"]}],
        "tables": {},
    }


def write_negatives(hairpins: Path, bases: str, destination: Path) -> None:
    """Write random windows of a chromosome without N, with the lengths of all hairpins."""
    rng = np.random.default_rng(0)
    lengths = rng.permutation(np.repeat(read_lengths(hairpins), PER_POSITIVE))
    lines = []
    for number, length in enumerate(lengths.tolist()):
        window = "N"
        while "N" in window:
            start = int(rng.integers(len(bases) - length))
            window = bases[start : start + length]
        strand = "+-"[rng.integers(2)]
        window = window.translate(_COMPLEMENT)[::-1] if strand == "-" else window
        lines.append(f">{number}:{start + 1}-{start + length}({strand})\n{window}\n")
    write_text(destination, "".join(lines))


def snakemake(results: Path, *arguments: str) -> float:
    """Run the workflow on the study; return its processor seconds, children included."""
    cores = str(os.cpu_count() or 1)
    command = [sys.executable, "-m", "snakemake", *arguments, "--cores", cores]
    options = ["--configfile", str(results / "config.yaml"), "--quiet", "rules"]
    run = subprocess.Popen([*command, *options], cwd=ROOT)
    _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, run.args)
    return used.ru_utime + used.ru_stime


def read_benchmarks(files: Iterable[Path]) -> dict[str, float]:
    """Read number of jobs, processor seconds and maximum memory (MB) from benchmark files."""
    table = pd.concat([pd.read_csv(path, sep="\t") for path in files])
    return {
        "jobs": len(table),
        "cpu_seconds": table["cpu_time"].sum(),
        "max_rss_mb": table["max_rss"].max(),
    }


def main(way: str) -> None:
    """Make the data, run the stages, and write their cost."""
    results = ROOT / "results" / f"scale-{way}"
    place = results.relative_to(ROOT)
    negatives = FOLDER / f"windows-{way}.fa"
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_text(results / "config.yaml", yaml.safe_dump(config(way), sort_keys=False))
    if not negatives.exists():
        negatives.touch()  # the check of the config needs the file before it can be made
        try:
            snakemake(results, str(place / "collections/hairpins.fa"))
            write_negatives(results / "collections/hairpins.fa", chromosome(FOLDER), negatives)
        except BaseException:
            negatives.unlink()
            raise
    pieces = ("--set-scatter", f"fold={PIECES}")
    snakemake(results, str(place / "datasets/all/tensors.npz"), *pieces)
    measured = results / "benchmarks"
    rows = [
        {"stage": stage} | read_benchmarks(sorted(measured.glob(files)))
        for stage, files in STAGES.items()
    ]
    for stage, targets in SPLITS.items():
        names = [str(place / target) for target in targets]
        seconds = snakemake(results, *names, *pieces, "--force")
        row = read_benchmarks(measured / target for target in targets)
        rows.append({"stage": stage} | row | {"cpu_seconds": seconds})
    table = pd.DataFrame(rows)
    write_tsv(table, TABLES / f"scale-{way}.tsv", float_format="%.0f")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main(*sys.argv[1:] or ["all"])
