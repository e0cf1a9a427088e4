"""Measure predictions of RNAs with flanks, or with two hairpins (`python -m bench.flanks`).

Hairpins of animals that MirGeneDB supports get random bases on both sides. They are predicted, and
those with the longest flanks are scanned. A remark about several hairpins is counted for hairpins
alone, and for pairs of them with random bases between. All settings are the defaults.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from numpy.random import default_rng

from bench.finder_results import TABLES
from bench.genomes import FOLDER, fetch
from bench.lookalikes import random_bases
from bench.measured import write_measured
from mirpair import predict
from mirpair.prediction.predictor import SEVERAL
from mirpair.settings import NO_REFERENCE, FalsePositives
from mirpair.sources.collections import read_hairpins
from mirpair.sources.pre_mirnas import SUPPORTED, read_mature, trusts

NUMBER, FLANKS = 100, (0, 50, 100)
RATES: tuple[FalsePositives, ...] = ("0.01%", "1%")
# RNAs of which the remarks are counted, and the bases between two of a pair.
ALONE, PAIRS, BETWEEN = 2000, 300, 20


def scanned(rnas: Sequence[str], rate: FalsePositives) -> int:
    """Count the RNAs in which a scan calls a hairpin on the forward strand."""
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder, "rnas.fa")
        records = (f">{number}\n{rna}\n" for number, rna in enumerate(rnas))
        fasta.write_text("".join(records), encoding="utf-8")
        options = ["--false-positives", rate, "--reference", NO_REFERENCE, "-o", f"{folder}/scan"]
        command = [sys.executable, "-m", "mirpair.cli.app", "scan", str(fasta), *options]
        subprocess.run(command, check=True)
        table = pd.read_csv(Path(folder, "scan", "rnas.tsv"), sep="\t")
    called = table[(table["call"] == 1) & (table["strand"] == "+")]
    return int(called["sequence"].nunique())


def main() -> None:
    """Measure, and write the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    hairpins = list(read_hairpins(fetch("mirbase-22/hairpins.csv")))
    trust = trusts(hairpins, read_mature(fetch("mirgenedb/mature-2.1.fa")))
    supported = [it.sequence for it in hairpins if trust[it.id] == SUPPORTED]
    rng = default_rng(5)

    def draw(number: int) -> list[str]:
        return [supported[n] for n in rng.choice(len(supported), number, replace=False)]

    chosen = draw(NUMBER)
    rows = []
    for flank in FLANKS:
        rnas = [random_bases(rng, flank) + it + random_bases(rng, flank) for it in chosen]
        called = predict(rnas, reference=None)["call"].sum()
        rows.append((f"called, flanks of {flank} nt", NUMBER, int(called)))
    rows += [(f"called by a scan, {rate}", NUMBER, scanned(rnas, rate)) for rate in RATES]
    pairs = [
        one + random_bases(rng, BETWEEN) + other
        for one, other in zip(draw(PAIRS), draw(PAIRS), strict=True)
    ]
    for what, both in (("hairpins", draw(ALONE)), ("pairs of hairpins", pairs)):
        remarks = predict(both, reference=None)["reason"]
        rows.append((f"several, {what}", len(both), int((remarks == SEVERAL).sum())))
    table = pd.DataFrame(rows, columns=["what", "RNAs", "number"])
    write_measured(table, TABLES / "flanks.tsv")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
