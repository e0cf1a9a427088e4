"""Tables and the figure of a study of arms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mirpair.arms.measure import ALL_ENDS, ENDS, WITHIN, ends_table, reliability
from mirpair.arms.records import PLACES
from mirpair.contracts import SUPPORTED, UNKNOWN
from mirpair.pages.printing import BASELINE, OURS, Printable, decimals, ranges
from mirpair.pages.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    SMALL,
    in_style,
    legend_below,
    title_panel,
)
from mirpair.rna.arms import NEAR

NETWORK = "mirpair"
TITLES = {
    "ends": "How near the ends of the arms are to miRBase's",
    "reliability": "Probabilities of arms, and the share that is right",
}
_COLOURS = (BLUE, ORANGE, GREY)
# The columns of a table that are text.
_TEXT = ("Kingdom", "Cut", "Trust", "Method", "End")


def study_tables(
    records: pd.DataFrame, found: pd.DataFrame, rules: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Measure the ends found by networks that did not train on their families, and by rules.

    Parameters
    ----------
    records, found, rules
        Records (`mirpair.arms.records.read_records`), and row by row the arms of the networks and
        of each rule: columns of `mirpair.networks.arms.Arms`.
    """
    methods = {NETWORK: found, **rules}
    kingdoms = [
        reliability(records[rows], found[rows], near=NEAR).assign(kingdom=kingdom)
        for kingdom in sorted(set(records["kingdom"]))
        for rows in [records["kingdom"] == kingdom]
    ]
    return {
        "ends": ends_table(records, methods),
        "reliability": pd.concat(kingdoms, ignore_index=True),
    }


def printable(name: str, table: pd.DataFrame) -> Printable:
    """Prepare a table for printing; `name` is a key of `TITLES`."""
    text, kinds, below, notes = (_ends if name == "ends" else _reliability)(table)
    numbers = [column for column in text.columns if column not in _TEXT]
    return Printable(TITLES[name], table, text, kinds, numbers, below, notes=notes)


def _ends(
    table: pd.DataFrame,
) -> tuple[pd.DataFrame, Sequence[str], pd.DataFrame, Sequence[str]]:
    text = pd.DataFrame(
        {
            "Kingdom": table["kingdom"],
            "Cut": table["cut"],
            "Trust": table["trust"].replace("", UNKNOWN),
            "Method": table["method"],
            "End": table["end"],
            "RNAs": [f"{it:,}" for it in table["records"]],
        }
    )
    below = pd.DataFrame(index=text.index)
    for distance in WITHIN:
        name = f"within {distance} nt" if distance else "exact"
        text[name] = decimals(table[f"within {distance}"])
        below[name] = ranges(table[f"low {distance}"], table[f"high {distance}"])
    kinds = [OURS if it == NETWORK else BASELINE for it in table["method"]]
    note = (
        "Share of ends that are at most so many nt from those of miRBase, in RNAs of families that "
        "did not train the network, and the 95 % interval of a bootstrap over families. Trust: "
        "whether MirGeneDB has an arm of the hairpin (supported), or of another one of its family "
        "(related), or of its species but not of its family (doubtful). testSet and validationSet "
        "are DeepMirCut's RNAs, with their genomic flanks."
    )
    return text, kinds, below, [note]


def _reliability(
    table: pd.DataFrame,
) -> tuple[pd.DataFrame, Sequence[str], pd.DataFrame, Sequence[str]]:
    text = pd.DataFrame(
        {
            "Kingdom": table["kingdom"],
            "From": decimals(table["from"], "{:.1f}"),
            "Arms": [f"{it:,}" for it in table["arms"]],
            "Probability": decimals(table["probability"]),
            "Right": decimals(table["right"]),
        }
    )
    note = f"An arm is right if both of its ends are at most {NEAR} nt from those of miRBase."
    return text, [OURS] * len(text), pd.DataFrame(), [note]


@in_style
def draw_ends(tables: dict[str, pd.DataFrame], cut: str) -> Figure:
    """Draw the share of right ends of supported hairpins of animals, and the reliability."""
    ends, reliable = tables["ends"], tables["reliability"]
    rows = ends[(ends["cut"] == cut) & ends["trust"].isin([SUPPORTED, "all"])]
    first = str(rows["kingdom"].iloc[0])
    trust = SUPPORTED if (rows["trust"] == SUPPORTED).any() else "all"
    rows = rows[(rows["kingdom"] == first) & (rows["trust"] == trust)]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    names = [ENDS[place] for place in PLACES] + [ALL_ENDS]
    methods = list(dict.fromkeys(rows["method"]))
    width = 0.8 / len(methods)
    for number, (method, colour) in enumerate(zip(methods, _COLOURS, strict=False)):
        own = rows[rows["method"] == method].set_index("end").loc[names]
        at = np.arange(len(names)) + (number - (len(methods) - 1) / 2) * width
        for distance, alpha in zip(reversed(WITHIN), (0.35, 0.65, 1.0), strict=True):
            label = method if not distance else None
            left.bar(at, own[f"within {distance}"], width, color=colour, alpha=alpha, label=label)
        between = own["within 2"] - own["low 2"], own["high 2"] - own["within 2"]
        left.errorbar(at, own["within 2"], between, fmt="none", ecolor=BLACK, elinewidth=0.8)
    left.set_xticks(range(len(names)), names)
    left.set_ylim(0, 1)
    left.set_ylabel("share of ends")
    title_panel(left, f"Exact, within 1 and within 2 nt ({first}, {trust}, cut: {cut})")
    for kingdom, colour in zip(sorted(set(reliable["kingdom"])), _COLOURS, strict=False):
        own = reliable[reliable["kingdom"] == kingdom]
        right.plot(own["probability"], own["right"], "o-", color=colour, label=kingdom, ms=4)
    right.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="dotted")
    right.set_xlabel("probability of an arm")
    right.set_ylabel(f"share with both ends within {NEAR} nt")
    right.legend(fontsize=SMALL)
    title_panel(right, "Are the probabilities right?")
    legend_below(figure, left, columns=len(methods))
    return figure
