"""Measure everything in one run on one machine: ``python -m bench``, after `make bench` folded."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path

import pandas as pd

from bench import folding, genomes, growth, networks, page, use
from mirpair.contracts import read_records
from mirpair.files import write_tsv
from mirpair.rna.folding import unique

ROOT = Path(__file__).parent.parent
SETS = ROOT / "results" / "paper" / "datasets"
TABLES = ROOT / "docs" / "speed"
FOLDED = 10_000
SCANNED = 200_000


def main() -> None:
    """Measure, and write the tables and the page."""
    tensors = SETS / "human" / "tensors.npz"
    cores = os.cpu_count() or 1
    tables: dict[str, pd.DataFrame] = {}

    print("networks: takes minutes, mostly for the dense fixed-sized network", flush=True)
    measured = networks.measure(tensors, threads=[n for n in (1, 2) if n <= cores])
    rates = measured[measured["way"] == "sgemm"].set_index("threads")["forward"]
    floors = [
        (model, page.FLOOR, count, *[float("nan")] * 3, training, scoring, scoring)
        for model in measured["model"].unique()
        if model
        for count, rate in rates.items()
        for training, scoring in [networks.floor(tensors, rate, model)]
    ]
    floor = pd.DataFrame(floors, columns=measured.columns)
    tables["networks"] = pd.concat([measured, floor], ignore_index=True)

    print("growth with the number of sequences", flush=True)
    tables["number"] = growth.with_number(tensors)
    print("growth with their length", flush=True)
    tables["length"] = growth.with_length()

    print("folding", flush=True)
    records = [read_records(SETS / name / "records.tsv") for name in ("human", "cross-species")]
    sequences = unique(chain.from_iterable(table["sequence"] for table in records))[:FOLDED]
    tables["folding"] = folding.measure(sequences, processes=cores)

    print("predict and scan", flush=True)
    tables["predict"] = use.measure_predict(sequences, processes=cores)
    genomes.FOLDER.mkdir(parents=True, exist_ok=True)
    tables["scan"] = use.measure_scan(genomes.yeast(), bases=SCANNED, processes=cores)

    TABLES.mkdir(exist_ok=True)
    for name, table in tables.items():
        write_tsv(table, TABLES / f"{name}.tsv", float_format="%.5g")
    (TABLES / "machine.txt").write_text(page.machine() + "\n")
    print(page.write(TABLES, ROOT / "docs" / "speed.md"))


if __name__ == "__main__":
    main()
