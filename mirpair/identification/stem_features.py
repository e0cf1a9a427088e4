"""Features of an RNA's main stem, as biologists describe a pre-miRNA."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.rna.structures import unbranched

# Columns of a stem are counted from the terminal loop. A window has _WIDTH of them; together they
# cover the 22 nt of a mature arm and what is on both sides of it.
_WIDTH, _WINDOWS = 5, 8
_MISMATCHES = tuple(
    f"mismatches {1 + _WIDTH * window}–{_WIDTH * (window + 1)}" for window in range(_WINDOWS)
)
# A motif of the terminal loop to which Drosha's partner DGCR8 binds (Auyeung et al. 2013).
_MOTIF = ("UGU", "GUG")
STEM = (
    *("stem pairs", "stem columns", "longest helix", "stem share", "other pairs", "hairpins"),
    *("loop", "loop motif", "5' flank", "3' flank"),
    *("bulges", "largest bulge", "internal loops", "largest internal loop"),
    *("unpaired in stem", "asymmetry", "difference of arms"),
    *("GC pairs", "GU pairs", "GU or AU at the base", "MFE/pair"),
    *_MISMATCHES,
)
_NO_STEM = [0.0] * len(STEM)
_WOBBLE = ("GU", "UG")
_WEAK = (*_WOBBLE, "AU", "UA")


def stem_features(records: pd.DataFrame, structures: pd.DataFrame) -> pd.DataFrame:
    """Compute features of the main stem of every record.

    The main stem is the hairpin with the most base pairs, from its loop out to a branch or an end
    (`mirpair.rna.structures.unbranched`). Its *columns* are read from the loop: a base pair, or two
    unpaired bases opposite each other, or one without an opposite.

    Parameters
    ----------
    records, structures
        Tables of one set, row by row the same RNAs.

    Returns
    -------
    DataFrame
        Columns id and those of `STEM`, all 0 without a base pair:

        - base pairs and columns of the stem, base pairs of its longest run without a gap, share of
          the RNA from its first to its last base; base pairs outside it, hairpins of the structure
        - unpaired bases of its loop, whether UGU or GUG is in it (0/1); unpaired or branched bases
          on its 5' and 3' side
        - bulges (unpaired bases on one side) and internal loops (on both): number, and bases of the
          largest; unpaired bases in the stem, sum of the differences of both sides of all of them,
          and the difference of both arms in all
        - shares of GC and of GU pairs among its base pairs; whether its outermost pair is weak;
          MFE of the RNA per base pair of the stem (kcal/mol)
        - columns without a pair in each of eight windows of five columns from the loop
    """
    rows = [
        _of_one(*it)
        for it in zip(
            records["sequence"], structures["structure"], structures["mfe"], strict=True
        )
    ]
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(STEM))
    table = pd.DataFrame(values, columns=list(STEM), index=records.index)
    table.insert(0, "id", records["id"])
    return table


def _of_one(sequence: str, structure: str, mfe: float) -> list[float]:
    hairpins = list(unbranched(structure))
    if not hairpins:
        return _NO_STEM
    start, end, pairs, loop = max(hairpins, key=lambda hairpin: hairpin[2])
    opened = [place for place in range(start, end) if structure[place] == "("]
    closed = [place for place in range(end - 1, start, -1) if structure[place] == ")"]
    in_loop = sequence[opened[-1] + 1 : closed[-1]]
    # Unpaired bases between neighbouring pairs on either side, from the loop outwards.
    left = [b - a - 1 for a, b in pairwise(opened)][::-1]
    right = [a - b - 1 for a, b in pairwise(closed)][::-1]
    gaps = list(zip(left, right, strict=True))
    bulges = [one + other for one, other in gaps if (one == 0) != (other == 0)]
    internal = [one + other for one, other in gaps if one and other]
    kinds = [sequence[i] + sequence[j] for i, j in zip(opened, closed, strict=True)]
    wobbles = sum(kind in _WOBBLE for kind in kinds)
    strong = sum(kind in ("GC", "CG") for kind in kinds)
    unpaired = [max(gap) for gap in gaps]
    return [
        *(pairs, pairs + sum(unpaired), _longest_helix(unpaired), (end - start) / len(sequence)),
        *(structure.count("(") - pairs, len(hairpins)),
        *(loop, any(motif in in_loop for motif in _MOTIF), start, len(sequence) - end),
        *(len(bulges), max(bulges, default=0), len(internal), max(internal, default=0)),
        *(sum(left) + sum(right), sum(abs(one - other) for one, other in gaps)),
        abs(sum(left) - sum(right)),
        *(strong / pairs, wobbles / pairs, kinds[0] in _WEAK, mfe / pairs),
        *_by_window(unpaired),
    ]


def _longest_helix(unpaired: Sequence[int]) -> int:
    """Count the base pairs of the longest run of stacked pairs."""
    longest = run = 1
    for columns in unpaired:
        run = 1 if columns else run + 1
        longest = max(longest, run)
    return longest


def _by_window(unpaired: Sequence[int]) -> npt.NDArray[np.int64]:
    """Count the columns without a pair in windows of columns from the loop."""
    counts = np.zeros(_WINDOWS, dtype=np.int64)
    column = 1
    for columns in unpaired:
        for place in range(column, column + columns):
            if place < _WIDTH * _WINDOWS:
                counts[place // _WIDTH] += 1
        column += columns + 1
    return counts
