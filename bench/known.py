"""Measure which RNAs are recognised as known hairpins (`make known`).

All RNAs are made from the hairpins of miRBase 22 that come with mirpair: with random flanks, cut,
changed, as a scan cuts them out, or shuffled. Everything is drawn with one seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.templates import fill
from mirpair.files import write_text, write_tsv
from mirpair.hairpins.candidates import as_scanned
from mirpair.rna.known_hairpins import KNOWN, KnownHairpins, load_known_hairpins
from mirpair.rna.sequences import read_fasta
from mirpair.settings import KNOWN_COVERAGE, NEAR, HairpinCriteria

ROOT = Path(__file__).parent.parent
TABLES = ROOT / "docs" / "known"
SEED = 21
# Bases of random flank on either side: 0 to FLANK.
FLANK = 40
# Every n-th hairpin, where all would take too long.
SOME, FEW = 5, 20
CLASSES = {"up to 60 nt": (0, 60), "61–120 nt": (61, 120), "more than 120 nt": (121, 10**6)}
GRID = [(NEAR, cover) for cover in (0.5, 0.6, 0.7, 0.8, 0.9)]
GRID += [(share, KNOWN_COVERAGE) for share in (0.7, 0.75, 0.85, 0.9)]
SPACER, LONGEST_RECORD = 50, 398


class Case(NamedTuple):
    """A kind of RNAs: what they are, and how one is made of a hairpin."""

    name: str
    make: Callable[[str], str]
    every: int = 1


def shuffled(rna: str, rng: np.random.Generator) -> str:
    """Shuffle an RNA so that it has the same dinucleotides (Altschul and Erickson 1985).

    Its letters are the nodes of a graph and its dinucleotides the edges; a random walk along all
    edges, which begins and ends with the same letters, is such a shuffle.
    """
    edges: dict[str, list[str]] = {}
    for letter, following in pairwise(rna):
        edges.setdefault(letter, []).append(following)
    end = rna[-1]
    while True:
        # The last edge out of each letter; along them, all letters must lead to the end.
        last = {it: str(rng.choice(after)) for it, after in edges.items() if it != end}
        if all(_leads(letter, last, end) for letter in last):
            break
    order = {}
    for letter, after in edges.items():
        rest = list(after)
        if letter in last:
            rest.remove(last[letter])
        rest = [rest[index] for index in rng.permutation(len(rest))]
        order[letter] = iter([*rest, *([last[letter]] if letter in last else [])])
    walk = [rna[0]]
    while (following := next(order.get(walk[-1], iter(())), None)) is not None:
        walk.append(following)
    return "".join(walk)


def _leads(letter: str, last: dict[str, str], end: str) -> bool:
    for _ in range(len(last)):
        letter = last.get(letter, letter)
    return letter == end


def cases(rng: np.random.Generator) -> list[Case]:
    """List the kinds of RNAs that are made of hairpins."""

    def bases(count: int) -> str:
        return "".join(rng.choice(list("ACGU"), count))

    def flanked(rna: str) -> str:
        return bases(rng.integers(FLANK + 1)) + rna + bases(rng.integers(FLANK + 1))

    def changed(share: float) -> Callable[[str], str]:
        def change(rna: str) -> str:
            at = set(rng.choice(len(rna), round(share * len(rna)), replace=False).tolist())
            return "".join(
                "ACGU"["ACGU".index(it) - int(rng.integers(1, 4))] if n in at else it
                for n, it in enumerate(rna)
            )

        return change

    def scanned(rna: str) -> str:
        return as_scanned(bases(FLANK) + rna + bases(FLANK), HairpinCriteria())

    def antisense(rna: str) -> str:
        return rna.translate(str.maketrans("ACGU", "UGCA"))[::-1]

    return [
        Case(f"with 0–{FLANK} nt of random flank on either side", flanked),
        Case("5 nt cut off at either end", lambda rna: rna[5:-5], SOME),
        Case("10 nt cut off at either end", lambda rna: rna[10:-10], SOME),
        Case("5% of the bases changed, and flanks", lambda rna: flanked(changed(0.05)(rna)), SOME),
        Case("10% of the bases changed, and flanks", lambda rna: flanked(changed(0.1)(rna)), SOME),
        Case("15% of the bases changed, and flanks", lambda rna: flanked(changed(0.15)(rna)), SOME),
        Case("as a scan cuts it out of random bases", scanned, FEW),
        Case("shuffled, with its dinucleotides", lambda rna: shuffled(rna, rng), SOME),
        Case("shuffled, and flanks", lambda rna: flanked(shuffled(rna, rng))),
        Case("read on the other strand", antisense, SOME),
    ]


def measure(hairpins: KnownHairpins) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measure the rates of known RNAs: by length, by thresholds, and of records with several.

    Returns
    -------
    DataFrame, DataFrame, DataFrame
        Columns case, length (class of the hairpin), records, known and itself (the hairpin it was
        made of is the nearest, or another one with all its bases in the RNA); case, identity,
        coverage and known (a share); case, records and all (as many hairpins are named as it has).
    """
    rng = np.random.default_rng(SEED)
    rates, grid = [], []
    for case in cases(rng):
        made = [(index, case.make(hairpins.sequences[index])) for index in _every(hairpins, case)]
        made = [(index, rna) for index, rna in made if rna]
        hits = hairpins.nearest([rna for _, rna in made])
        known = np.array([hit.status == KNOWN for hit in hits])
        itself = np.array(
            [
                hit.names == hairpins.names[index] or hit.identity == hit.coverage == 1
                for (index, _), hit in zip(made, hits, strict=True)
            ]
        )
        lengths = np.array([len(hairpins.sequences[index]) for index, _ in made])
        for name, (low, high) in CLASSES.items():
            some = (lengths >= low) & (lengths <= high)
            counts = some.sum(), (known & some).sum(), (itself & some).sum()
            rates.append((case.name, name, *counts))
        for share, cover in GRID:
            above = [hit.identity >= share and hit.coverage >= cover for hit in hits]
            grid.append((case.name, share, cover, np.mean(above)))
        print(case.name, f"{known.mean():.5f}", flush=True)
    negatives = [it.sequence for it in read_fasta(ROOT / "config" / "demo" / "negatives.fa")]
    hits = hairpins.nearest(negatives)
    known_ones = sum(hit.status == KNOWN for hit in hits)
    rates.append(
        ("RNAs of Rfam that are no microRNAs (the demo's)", "all", len(hits), known_ones, 0)
    )
    return (
        pd.DataFrame(rates, columns=["case", "length", "records", "known", "itself"]),
        pd.DataFrame(grid, columns=["case", "identity", "coverage", "known"]),
        _several(hairpins, rng),
    )


def _every(hairpins: KnownHairpins, case: Case) -> range:
    return range(0, len(hairpins.sequences), case.every)


def _several(hairpins: KnownHairpins, rng: np.random.Generator) -> pd.DataFrame:
    """Measure records with two or three hairpins, which a random spacer separates."""
    rows = []
    for count in (2, 3):
        every = rng.permutation(len(hairpins.sequences))[: 1000 * count]
        groups, complete = every.reshape(-1, count).tolist(), []
        for group in groups:
            parts = [hairpins.sequences[index] for index in group]
            spacers = ["".join(rng.choice(list("ACGU"), rng.integers(SPACER + 1))) for _ in parts]
            rna = "".join(spacer + part for spacer, part in zip(spacers, parts, strict=True))
            if len(rna) > LONGEST_RECORD:
                continue
            (hit,) = hairpins.nearest([rna])
            # A member of the same family may be named: one of which a base more is in the record.
            named = [hit.names, *filter(None, hit.others.split(";"))]
            complete.append(hit.status == KNOWN and len(named) >= count)
        rows.append((f"{count} hairpins", len(complete), sum(complete)))
    return pd.DataFrame(rows, columns=["case", "records", "all"])


def render(rates: pd.DataFrame, grid: pd.DataFrame, several: pd.DataFrame) -> str:
    """Write the page about the three tables of `measure`."""
    names = list(dict.fromkeys(rates["case"]))
    by_case = rates.groupby("case", sort=False)[["records", "known", "itself"]].sum()
    flanked, _, ten, *_, fifteen, scanned, shuffles, more_shuffles, _, _ = names
    rows = []
    for name, group in rates.groupby("case", sort=False):
        cells = group.set_index("length").reindex(list(CLASSES))
        rows.append(
            {
                "case": name,
                "cells": [_percent(*pair) for pair in cells[["known", "records"]].to_numpy()],
                "all": _percent(*by_case.loc[name, ["known", "records"]]),
                "records": f"{by_case.loc[name, 'records']:,.0f}",
            }
        )
    shown = grid.pivot_table(index=["identity", "coverage"], columns="case", values="known")
    choices = [
        {
            "identity": identity,
            "coverage": coverage,
            "cells": [
                _percent(row[it], 1) for it in (flanked, ten, fifteen, scanned, more_shuffles)
            ],
        }
        for (identity, coverage), row in shown.iterrows()
    ]
    false = by_case.loc[[shuffles, more_shuffles]].sum()
    return fill(
        "known",
        classes=list(CLASSES),
        rates=rows,
        grid=choices,
        several=several.to_dict("records"),
        identity=NEAR,
        coverage=KNOWN_COVERAGE,
        total=f"{by_case.loc[flanked, 'records']:,.0f}",
        itself=by_case.loc[flanked, "itself"] == by_case.loc[flanked, "records"],
        unrelated=f"{false['known']:,.0f}",
        shuffled=f"{false['records']:,.0f}",
        missed=_percent(
            *(
                by_case.loc[fifteen, "records"] - by_case.loc[fifteen, "known"],
                by_case.loc[fifteen, "records"],
            )
        ),
    )


def _percent(count: float, total: float) -> str:
    """Write a share with as many digits as tell a small one from none, and a large one from all."""
    if np.isnan(count):
        return "–"
    share = 100 * count / total
    return (
        f"{share:.0f}%" if share in (0, 100) else f"{share:.3f}%" if share < 1 else f"{share:.1f}%"
    )


def write(tables: Sequence[pd.DataFrame], folder: Path = TABLES) -> None:
    """Write the tables into a folder, and the page beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in zip(("rates", "grid", "several"), tables, strict=True):
        write_tsv(table, folder / f"{name}.tsv", float_format="%.6g")
    write_text(folder.with_suffix(".md"), render(*read(folder)))


def read(folder: Path) -> list[pd.DataFrame]:
    """Read the tables of `measure`."""
    names = ("rates", "grid", "several")
    return [pd.read_csv(folder / f"{name}.tsv", sep="\t") for name in names]


if __name__ == "__main__":
    write(measure(load_known_hairpins()))
