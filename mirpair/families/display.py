"""Prepare the tables of a families study for readers: cells, intervals, marks, notes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mirpair.families.family_calls import (
    ALL,
    ALL_KINDS,
    MIRGENEDB,
    NEAREST,
    OUTLIER_FALSE_POSITIVES,
)
from mirpair.families.tables import FAR, FAR_ACCURACY, is_far_right, reaches_baseline
from mirpair.pages.printing import BELOW_MARK, BEST_MARK, MISSING, Printable, decimals, ranges

TITLES = {
    "accuracy": "How often the family is right, by similarity to the training records",
    "sizes": "How often the family is right, by number of training records",
    "rejection": "Separating the trained families from all other RNAs",
    "infernal": "Comparison with Infernal",
    "differences": "How far each method is from Infernal",
    "decisions": "What decides about a shortlist",
    "growth": "How the time grows with the number of families",
}
# Cells, source of each row, smaller text below cells, notes.
_Shown = tuple[pd.DataFrame, Sequence[str], pd.DataFrame, Sequence[str]]


def _marked(rows: pd.DataFrame) -> list[str]:
    below = rows["accuracy"] < rows["baseline"]
    marks = np.where(rows["best"], f" {BEST_MARK}", np.where(below, f" {BELOW_MARK}", ""))
    return [f"{text}{mark}" for text, mark in zip(decimals(rows["accuracy"]), marks, strict=True)]


def _spread(table: pd.DataFrame, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Format accuracies and intervals, a row for each method and a column for each value."""
    cells = table.assign(text=_marked(table), below=ranges(table["low"], table["high"]))
    keys = ["experiment", "method"] if column == "band" else ["method"]
    order = cells[keys].drop_duplicates()
    # A method without a row for this value gets a dash.
    text, below = (
        cells.pivot(index=keys, columns=column, values=values).reindex(
            index=pd.MultiIndex.from_frame(order) if len(keys) > 1 else order["method"],
            columns=list(dict.fromkeys(cells[column])),
        )
        for values in ("text", "below")
    )
    return text.fillna(MISSING).reset_index(), below.fillna("").reset_index(drop=True)


_SEEDS = (
    "The 95 % interval is from a bootstrap over families, with all their records; there is none "
    "if all records are right or all are wrong. With several seeds, it is the interval of their "
    "mean."
)


def partial(table: pd.DataFrame) -> list[str]:
    """Say on which families MirGeneDB's models are evaluated, if they are."""
    rows = table[table["band"] == ALL] if "band" in table else table
    lines = []
    for _, group in rows.groupby("experiment", sort=False):
        theirs, others = (group[(group["method"] == MIRGENEDB) == is_in] for is_in in (True, False))
        if len(theirs) and len(others):
            few, every = (part[["families", "records"]].iloc[0] for part in (theirs, others))
            lines.append(
                f"{MIRGENEDB} are evaluated only on families with a counterpart in MirGeneDB "
                f"({few['families']} of {every['families']}, {few['records']:,} of "
                f"{every['records']:,} records), so that row cannot be compared with the others."
            )
    return lines


def _show_accuracy(table: pd.DataFrame) -> _Shown:
    text, below = _spread(table, "band")
    first = table.drop_duplicates(["experiment", "method"])
    groups = [group for _, group in table.groupby(["experiment", "method"], sort=False)]
    words = {True: "yes", False: "no", None: MISSING}
    text = text.rename(columns={"experiment": "Experiment", "method": "Method", ALL: "All"})
    text.insert(2, "Input", list(first["input"]))
    every = table[table["band"] == ALL]
    text["Gain"] = [
        MISSING if method == NEAREST else f"{gain:+.3f}"
        for method, gain in zip(every["method"], every["gain"], strict=True)
    ]
    below["Gain"] = ranges(every["gain low"], every["gain high"], "{:+.3f} to {:+.3f}")
    text["Baseline reached"] = [words[reaches_baseline(group)] for group in groups]
    text[f"Above {FAR_ACCURACY:.2f} {FAR}"] = [words[is_far_right(group)] for group in groups]
    sizes = [
        f"{name}: {families} families, "
        + ", ".join(f"{band} {n:,}" for band, n in zip(rows["band"], rows["records"], strict=True))
        for (name, families), rows in table[table["method"] == NEAREST].groupby(
            ["experiment", "families"], sort=False
        )
    ]
    return (
        text,
        list(first["source"]),
        below.rename(columns={ALL: "All"}),
        [
            f"{BEST_MARK} best of the column in its experiment, {BELOW_MARK} less than the 8-mer "
            "nearest neighbour on the same records. Bands are the share of an RNA's 8-mers that "
            "the nearest training record also has: below 0.3, hardly any training record is "
            "similar. Gain: accuracy of all minus that of the 8-mer nearest neighbour, with the "
            "interval of the difference on the same records. Baseline reached: in every band.",
            f"Evaluation records – {'; '.join(sizes)}.",
            _SEEDS,
            *partial(table),
        ],
    )


def _show_sizes(table: pd.DataFrame) -> _Shown:
    text, below = _spread(table, "training")
    names = {size: f"{size} training records" for size in below.columns}
    first = table.drop_duplicates("method").set_index("method").loc[text["method"]]
    text = text.rename(columns={"method": "Method", **names})
    text.insert(1, "Input", list(first["input"]))
    families, records = first["families"].max(), first["records"].max()
    return (
        text,
        list(first["source"]),
        below.rename(columns=names),
        [
            f"{families} families, always with the same {records:,} evaluation records. "
            f"{BEST_MARK} best of the column, {BELOW_MARK} less than the 8-mer nearest neighbour.",
            _SEEDS,
        ],
    )


def _show_rejection(table: pd.DataFrame) -> _Shown:
    keys = ["experiment", "method", "score"]
    pooled = table[table["kind"] == ALL_KINDS].reset_index(drop=True)
    scores = pooled["score"].where(~pooled["best"], pooled["score"] + f" {BEST_MARK}")
    text = pd.DataFrame(
        {"Method": pooled["method"], "Score": scores, "AUROC": decimals(pooled["AUROC"])}
    )
    below = pd.DataFrame(index=text.index)
    for kind, rows in table.groupby("kind", sort=False):
        of_kind = rows.set_index(keys).reindex(pd.MultiIndex.from_frame(pooled[keys]))
        name = str(kind)
        text[name] = decimals(of_kind["accepted"])
        rates = zip(decimals(of_kind["AUROC"]), decimals(of_kind["false positives"]), strict=True)
        below[name] = [f"AUROC\u00a0{auroc}, FP\u00a0{wrong}" for auroc, wrong in rates]
    text["Sensitivity"] = decimals(pooled["sensitivity"])
    text["Youden"] = decimals(pooled["youden accepted"])
    below["Youden"] = [f"FP {wrong}" for wrong in decimals(pooled["youden false positives"])]
    if pooled["experiment"].nunique() > 1:
        text.insert(0, "Experiment", pooled["experiment"])
    top = pooled[pooled["overall"]].drop_duplicates("experiment")
    counts = ", ".join(
        f"{kind} {rows['records'].max():,}"
        for kind, rows in table[table["kind"] != ALL_KINDS].groupby("kind", sort=False)
    )
    return (
        text,
        list(pooled["source"]),
        below,
        [
            "By kind: share of the evaluation records of trained families that is accepted, at "
            f"the threshold that {OUTLIER_FALSE_POSITIVES:.0%} of such outliers reach among the "
            "validation records; below it AUROC and the share of the evaluation outliers that is "
            "accepted (FP). For all kinds, there is one threshold, and each kind counts the same; "
            "sensitivity is the share that is accepted and gets the right family at that "
            "threshold. Youden: the same for Youden's point of all kinds. Means over seeds. "
            f"Evaluation outliers: {counts}.",
            f"{BEST_MARK} the method's best score by AUROC of all kinds on the validation records, "
            "so that evaluation records choose nothing; the best of all methods: "
            + "; ".join(f"{row['method']}, {row['score']}" for row in top.to_dict("records"))
            + ".",
        ],
    )


def _few_digits(values: pd.Series) -> list[str]:
    return [
        MISSING if pd.isna(value) else f"{value:,.0f}" if value >= 20 else f"{value:.2g}"
        for value in values
    ]


def _show_infernal(table: pd.DataFrame) -> _Shown:
    text = table[["method", "input"]].rename(columns=str.title)
    text["Accuracy"] = decimals(table["accuracy"])
    notes = [
        f"Experiment {table['experiment'].iloc[0]}. RNAs per second from the sequence on, "
        f"including folding; × is the multiple of Infernal's rate on as many cores. {_SEEDS}"
    ]
    if "score" in table:
        text["Score"] = table["score"].fillna(MISSING)
        text["Sensitivity"] = decimals(table["sensitivity"])
        text["False positives"] = decimals(table["false positives"])
        notes.append(
            "Sensitivity and false positives at the threshold with "
            f"{OUTLIER_FALSE_POSITIVES:.0%} false positives of all kinds on the validation records."
        )
    text["Folding"] = decimals(table["folding"], "{:.0%}")
    for cores in [str(name).split()[1] for name in table.columns if name.startswith("rate ")]:
        on = f"on {cores} core{'s' if cores != '1' else ''}"
        text[f"RNAs/s {on}"] = _few_digits(table[f"rate {cores}"])
        text[f"× Infernal {on}"] = _few_digits(table[f"ratio {cores}"])
    below = pd.DataFrame({"Accuracy": ranges(table["low"], table["high"])})
    return text, list(table["source"]), below, [*notes, *partial(table)]


def _show_differences(table: pd.DataFrame) -> _Shown:
    """Show a row for each method and experiment, a column for each band and kind of outliers."""
    keys = ["experiment", "method"]
    rows = table[[*keys, "source"]].drop_duplicates(keys).reset_index(drop=True)
    text = rows[keys].rename(columns=str.title)
    below = pd.DataFrame(index=text.index)
    for (_, of), part in table.groupby(["measure", "of"], sort=False):
        name = "All" if of == ALL else str(of)
        cells = part.set_index(keys).reindex(pd.MultiIndex.from_frame(rows[keys]))
        marks = np.where(cells["high"] < 0, f" {BELOW_MARK}", "")
        shown = decimals(cells["difference"], "{:+.3f}")
        text[name] = [f"{value}{mark}" for value, mark in zip(shown, marks, strict=True)]
        below[name] = ranges(cells["low"], cells["high"], "{:+.3f} to {:+.3f}")
    note = (
        "The method's value minus Infernal's on the same records, mean over seeds, and the 95 % "
        "interval of a bootstrap over families. First the accuracy, of all records and by the "
        "share of 8-mers that the nearest training record also has; then the sensitivity (share "
        "that is accepted and called rightly) at the threshold of each method's best score with "
        f"{OUTLIER_FALSE_POSITIVES:.0%} false positives of each kind; there, the bootstrap draws "
        f"the RNAs that choose the thresholds too. {BELOW_MARK} the whole interval is below 0."
    )
    return text, list(rows["source"]), below, [note]


def _show_decisions(table: pd.DataFrame) -> _Shown:
    text = pd.DataFrame(
        {
            "Experiment": table["experiment"],
            "Decided by": table["decided"].replace("", "nothing: no covariance model has a hit"),
            "Known family": [f"{it:,}" for it in table["known"]],
            "Of these right": decimals(table["right"]),
            "No known family": [f"{it:,}" for it in table["others"]],
        }
    )
    note = (
        "Evaluation records of all seeds together. Without a hit of a covariance model, the family "
        "of the best profile HMM is called, but never accepted."
    )
    return text, [""] * len(text), pd.DataFrame(), [note]


def _show_growth(table: pd.DataFrame) -> _Shown:
    text = table[["method", "families", "cores", "sequences"]].astype(str)
    text.columns = ["Method", "Families", "Cores", "RNAs"]
    text["Seconds per RNA"] = decimals(table["seconds each"], "{:.2g}")
    return text, [""] * len(text), pd.DataFrame(), ["From the sequence on, including folding."]


_SHOWN = {
    "accuracy": _show_accuracy,
    "sizes": _show_sizes,
    "rejection": _show_rejection,
    "infernal": _show_infernal,
    "differences": _show_differences,
    "decisions": _show_decisions,
    "growth": _show_growth,
}
_TEXT_COLUMNS = ("Experiment", "Method", "Input", "Score", "Decided by")


def printable(name: str, table: pd.DataFrame) -> Printable:
    """Prepare a table for printing; `name` is a key of `TITLES`."""
    text, kinds, below, notes = _SHOWN[name](table)
    numbers = [column for column in text.columns if column not in _TEXT_COLUMNS]
    return Printable(TITLES[name], table, text, kinds, numbers, below, notes=notes)
