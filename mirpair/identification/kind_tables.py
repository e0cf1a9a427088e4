"""Prepare the tables of results by kind of RNA, and by how RNAs are cut, for readers."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mirpair.contracts import AT_CALLS, BY_KIND
from mirpair.identification.kinds import KEYS
from mirpair.identification.ranking import RESAMPLES
from mirpair.pages.printing import BEST_MARK, OURS, Printable, decimals, ranges

NOTES_OF_KINDS = (
    "R@1%: share of pre-miRNAs above the score that 1 % of the negatives reach. With each value "
    f"its 95 % interval, from {RESAMPLES:,} resamples of complete families of pre-miRNAs and of "
    "single negatives. A dash means that the share is less than one negative.",
)
NOTE_OF_SEEDS = (
    "A row of several seeds is the mean of the metrics of their trainings; the ensemble is one "
    "method, whose score is the mean of theirs."
)
NOTE_OF_CALLS = (
    "R@1/Mb: share of pre-miRNAs called at one call a megabase of the negatives' genome. The "
    "sample is the evaluation hairpins that are cut as a scan cuts them."
)
NOTE_OF_CUTTING = (
    "Cutting alone: gradient boosting on length, GC content, unpaired bases at both ends and the "
    "outermost bases, fitted on the training records. Share of skill: its AUROC above ½, divided "
    "by that of the network ({network}). Lines with fewer than ten records of a class are left out."
)


def printable_kinds(table: pd.DataFrame, title: str) -> Printable:
    """Prepare a table of kinds (`mirpair.contracts.KINDS`, and source); marks the best of each row.

    Recalls at calls a megabase are shown if one is known.
    """
    at_calls = [name for name in AT_CALLS if table[name].notna().any()]
    text = pd.DataFrame(
        {
            "Pre-miRNAs": [
                f"{name} ({count:,} in {families:,} families)"
                for name, count, families in zip(
                    table[KEYS[0]], table["positives"], table["families"], strict=True
                )
            ],
            "Other RNAs": [
                f"{name} ({count:,})"
                for name, count in zip(table[KEYS[1]], table["negatives"], strict=True)
            ],
            "Method": [
                f"{name}, mean of {count} seeds" if count > 1 else name
                for name, count in zip(table["method"], table["averaged"], strict=True)
            ],
        },
        index=table.index,
    )
    for metric in (*BY_KIND, *at_calls):
        best = table.groupby(list(KEYS), sort=False)[metric].transform("max")
        marks = [f" {BEST_MARK}" if is_best else "" for is_best in table[metric] == best]
        text[metric] = [a + b for a, b in zip(decimals(table[metric]), marks, strict=True)]
    below = {m: ranges(table[f"{m} low"], table[f"{m} high"]) for m in BY_KIND}
    notes = [*NOTES_OF_KINDS, f"{BEST_MARK} the highest of its row."]
    notes += [NOTE_OF_SEEDS] if (table["seeds"] > 1).any() else []
    notes += [NOTE_OF_CALLS] if at_calls else []
    return Printable(
        title,
        table,
        text.astype(object),
        kinds=list(table["source"]),
        numbers=(*BY_KIND, *at_calls),
        below=pd.DataFrame(below),
        notes=notes,
    )


def printable_cutting(table: pd.DataFrame, title: str) -> Printable:
    """Prepare a table of how RNAs are cut (`mirpair.contracts.CUTTING`)."""
    text = pd.DataFrame(index=table.index)
    for shown, name, count in (
        ("Pre-miRNAs cut", "cut of positives", "positives"),
        ("Other RNAs cut", "cut of negatives", "negatives"),
    ):
        pairs = zip(table[name], table[count], strict=True)
        text[shown] = [f"{cut} ({number:,})" for cut, number in pairs]
    numbers = [name for name in map(str, table) if name.startswith("AUROC")]
    for name in numbers:
        text[name] = decimals(table[name])
    text["Share of skill"] = decimals(100 * table["share of skill"], "{:.0f} %")
    network = ", ".join(table["network"].unique())
    return Printable(
        title,
        table,
        text.astype(object),
        kinds=[""] * len(table),
        numbers=(*numbers, "Share of skill"),
        notes=[NOTE_OF_CUTTING.format(network=network)],
    )


def best_of_kinds(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Write a sentence for each row of the tables of kinds, by title: its best method by AUPR."""
    sentences = []
    for title, table in tables.items():
        for (positives, negatives), rows in table.groupby(list(KEYS), sort=False):
            best = rows.iloc[int(rows["AUPR"].to_numpy().argmax())]
            others = rows[(rows["source"] == OURS) != (best["source"] == OURS)]
            values = f"AUPR {best['AUPR']:.3f}, AUROC {best['AUROC']:.3f}"
            sentence = f"{positives} against {negatives}: {best['method']}, {values}"
            if len(others):
                other = others.iloc[int(others["AUPR"].to_numpy().argmax())]
                which = "baseline" if best["source"] == OURS else "network"
                sentence += f"; the best {which}, {other['method']}, {other['AUPR']:.3f}"
            sentences.append(f"{sentence} ({title}).")
    return sentences
