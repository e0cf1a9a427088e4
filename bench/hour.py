"""Measure the reproduction of the paper in one go, from no results to the report.

``python -m bench.hour`` runs the study `paper` on all cores: download, folding, 39 trainings,
tables, figures and report. Beside the wall time stand the speed of one core, by products of
matrices, and the time of one training, so that the time on another machine can be estimated.
Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch

from bench.genomes import ROOT
from bench.networks import multiply
from mirpair.files import write_tsv

RESULTS = ROOT / "results" / "paper"
TABLE = ROOT / "docs" / "reproduction" / "hour.tsv"
# The training that others are compared with.
ONE = "human-cv1/variable/paper"


def sgemm() -> float:
    """Measure products of matrices in single precision on one thread, GFLOP a second."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    milliseconds = multiply()[0]
    torch.set_num_threads(threads)
    return 1 / milliseconds


def trainings(folder: Path) -> pd.DataFrame:
    """Read the seconds of all trainings in a folder of results, by their names."""
    paths = sorted(folder.glob("runs/*/*/*/*/benchmark.tsv"))
    names = ["/".join(path.parts[-5:-1]) for path in paths]
    tables = [pd.read_csv(path, sep="\t").iloc[0] for path in paths]
    seconds = [(float(it["s"]), float(it["cpu_time"])) for it in tables]
    return pd.DataFrame(seconds, index=names, columns=["wall", "cpu"])


def share_of_trainings(hour: Mapping[str, str], jobs: pd.DataFrame) -> float:
    """Compute how much of all cores' time the trainings took."""
    of_run = jobs[(jobs["recipe"] == "paper") & (jobs["seed"] == f"seed{hour['seed']}")]
    minutes = float(hour["minutes from no results to the report"]) * int(hour["cores"])
    return float(of_run["s"].sum()) / 60 / minutes


def options(cores: int, seed: int, save: Path | None) -> list[str]:
    """List the arguments for Snakemake: what it makes comes first, before lists of values."""
    targets = ["all", "save"] if save else ["all"]
    config = [f"seeds=[{seed}]", *([f"reuse={save}"] if save else [])]
    return [*targets, "--cores", str(cores), "--config", *config, "--quiet", "rules"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.hour", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="seed of the trainings")
    parser.add_argument("--save", type=Path, help="folder in which the trainings are saved too")
    given = parser.parse_args(arguments)
    for folder in (RESULTS, RESULTS.parent / "raw"):
        if folder.exists():
            parser.error(f"{folder} exists: move it, so that all is made anew")
    if given.save and any(given.save.glob(f"runs/*/*/paper/seed{given.seed}")):
        parser.error(f"{given.save} has trainings of this seed, which would be reused")
    cores = len(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "snakemake", *options(cores, given.seed, given.save)]
    rates = [sgemm()]
    begun = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True)
    seconds = time.perf_counter() - begun
    rates.append(sgemm())
    runs = trainings(RESULTS)
    one = runs.loc[f"{ONE}/seed{given.seed}"]
    rows = {
        "cores": cores,
        "seed": given.seed,
        "minutes from no results to the report": f"{seconds / 60:.1f}",
        "trainings": len(runs),
        "their CPU minutes": f"{runs['cpu'].sum() / 60:.1f}",
        "longest training, minutes": f"{runs['wall'].max() / 60:.1f}",
        f"training of {ONE}, minutes": f"{one['wall'] / 60:.2f}",
        "all of it, as a multiple of this training": f"{seconds / one['wall']:.1f}",
        "sgemm on one thread before and after, GFLOP/s": " ".join(f"{it:.0f}" for it in rates),
    }
    table = pd.DataFrame({"what": list(rows), "value": list(map(str, rows.values()))})
    write_tsv(table, TABLE)
    print(table.to_string(index=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
