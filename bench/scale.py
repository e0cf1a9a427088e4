"""All of miRBase 22 with ten times as many negatives, from records to splits: ``make scale``.

What each stage takes is read from the benchmark files of the workflow itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from bench.genomes import FOLDER, chromosome
from mirpair.collecting import read_lengths
from mirpair.files import write_text, write_tsv

ROOT = Path(__file__).parent.parent
STUDY = "scale"
RESULTS = ROOT / "results" / STUDY
NEGATIVES = FOLDER / "windows.fa"
PER_POSITIVE = 10
PIECES = 100
TABLE = ROOT / "docs" / "fresh" / "scale.tsv"
# Of Snakemake's benchmark files, by stage.
STAGES = {
    "collect": "collect/hairpins.tsv",
    "records": "records/*.tsv",
    "fold": "fold/*/*.tsv",
    "structures": "structures/*.tsv",
    "encode": "encode/*.tsv",
    "split at random": "experiments/at-random*.tsv",
    "split in clusters": "experiments/clusters*.tsv",
}
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_HAIRPINS = {"source": "hairpins", "file": "mirbase-22/hairpins.csv"}


def config() -> dict[str, object]:
    """The study."""
    return {
        "study": STUDY,
        "title": "All of miRBase 22 with ten times as many negatives",
        "collections": {"hairpins": _HAIRPINS},
        "datasets": {"all": {"positives": ["hairpins"], "negatives": [str(NEGATIVES)]}},
        "experiments": {
            "at-random": {"split": "k-fold", "dataset": "all", "folds": 5, "copies": "keep"},
            "clusters": {"split": "cluster-k-fold", "dataset": "all", "folds": 5},
        },
        "runs": [{"models": ["variable"]}],
        "tables": {},
    }


def write_negatives(hairpins: Path, bases: str, destination: Path) -> None:
    """Windows of a chromosome at random, of the lengths of all hairpins, without an N."""
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


def snakemake(*arguments: str) -> None:
    """Run the workflow on the study."""
    cores = str(os.cpu_count() or 1)
    command = [sys.executable, "-m", "snakemake", *arguments, "--cores", cores]
    which = ["--configfile", str(RESULTS / "config.yaml"), "--quiet", "rules"]
    subprocess.run([*command, *which], cwd=ROOT, check=True)


def measured() -> pd.DataFrame:
    """Jobs, processor seconds and greatest memory (MB) of each stage."""
    rows = []
    for stage, pattern in STAGES.items():
        files = sorted((RESULTS / "benchmarks").glob(pattern))
        table = pd.concat([pd.read_csv(path, sep="\t") for path in files])
        rows.append((stage, len(files), table["cpu_time"].sum(), table["max_rss"].max()))
    return pd.DataFrame(rows, columns=["stage", "jobs", "cpu_seconds", "max_rss_mb"])


def main() -> None:
    """Make the data, run the stages, write what they took."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_text(RESULTS / "config.yaml", yaml.safe_dump(config(), sort_keys=False))
    hairpins = RESULTS / "collections" / "hairpins.fa"
    if not NEGATIVES.exists():
        NEGATIVES.touch()  # the config is checked before it can be made
        try:
            snakemake(str(hairpins.relative_to(ROOT)))
            write_negatives(hairpins, chromosome(FOLDER), NEGATIVES)
        except BaseException:
            NEGATIVES.unlink()
            raise
    place = RESULTS.relative_to(ROOT)
    splits = [f"{kind}{fold}" for kind in ("at-random", "clusters") for fold in range(1, 6)]
    snakemake(
        str(place / "datasets/all/tensors.npz"),
        *(str(place / f"experiments/{name}.tsv") for name in splits),
        *("--set-scatter", f"fold={PIECES}"),
    )
    write_tsv(measured(), TABLE, float_format="%.0f")
    print(pd.read_csv(TABLE, sep="\t").to_string(index=False))


if __name__ == "__main__":
    main()
