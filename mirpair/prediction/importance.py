"""Why an RNA is called a pre-miRNA: what its score loses if one base, or one pair, is another.

Each base is replaced by the three others, and each pair by its mirror image (G–C by C–G), which
leaves the structure as it is. Every changed RNA is folded again and scored by the same networks, so
the result is exact: no gradient, and no surrogate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import ALPHABET

# Scores nearer to 0 or 1 than this count as so near: networks reach 1 by rounding.
_NEAREST = 1e-6
BASES = {"position": "int64", "base": "str", "partner": "int64", "importance": "float64"}
BASES |= dict.fromkeys(("lowest", "highest"), "float64")
CHANGES = {"change": "str", **dict.fromkeys(("first", "second"), "int64"), "score": "float64"}
CHANGES |= {"importance": "float64"}


class Change(NamedTuple):
    """An RNA with another base, or with a pair turned around.

    Attributes
    ----------
    name
        Such as ``A12C``, or ``G5C+C70G``.
    first, second
        Positions, from 1; second is 0 for a base.
    """

    name: str
    first: int
    second: int
    sequence: str


class Importance(NamedTuple):
    """What each base and each pair of an RNA contributes to its score.

    Importance is the logarithm of the odds of the score, minus that of the changed RNA: above 0 if
    the change makes the score lower. Of a base, it is the mean over the three other bases.

    Attributes
    ----------
    score
        Of the RNA itself.
    bases
        A row for each base: position (from 1), base, partner (0 if it has none), importance, and
        the lowest and highest of its three changes.
    changes
        A row for each changed RNA: change, first, second (0 for a base), score, importance.
    """

    score: float
    bases: pd.DataFrame
    changes: pd.DataFrame

    @property
    def pairs(self) -> pd.DataFrame:
        """The changes that turn a pair around."""
        return self.changes[self.changes["second"] > 0].reset_index(drop=True)


def changes_of(sequence: str, dot_bracket: str) -> list[Change]:
    """List all RNAs with one other base, then all with one pair turned around.

    A pair of two equal bases does not exist, so each turned pair is another RNA.

    Examples
    --------
    >>> [it.name for it in changes_of("GC", "..")]
    ['G1A', 'G1C', 'G1U', 'C2A', 'C2G', 'C2U']
    >>> changes_of("GAAAC", "(...)")[-1]
    Change(name='G1C+C5G', first=1, second=5, sequence='CAAAG')
    """
    changes = [
        Change(f"{own}{at + 1}{base}", at + 1, 0, f"{sequence[:at]}{base}{sequence[at + 1 :]}")
        for at, own in enumerate(sequence)
        for base in ALPHABET
        if base != own
    ]
    for left, right in enumerate(partners(dot_bracket)):
        if right > left:
            bases = list(sequence)
            bases[left], bases[right] = sequence[right], sequence[left]
            one, other = f"{sequence[left]}{left + 1}", f"{sequence[right]}{right + 1}"
            name = f"{one}{bases[left]}+{other}{bases[right]}"
            changes.append(Change(name, left + 1, right + 1, "".join(bases)))
    return changes


def partners(dot_bracket: str) -> list[int]:
    """Return the partner of each base, from 0; -1 if it has none."""
    found, open_ = [-1] * len(dot_bracket), []
    for at, symbol in enumerate(dot_bracket):
        if symbol == "(":
            open_.append(at)
        elif symbol == ")":
            found[at] = open_.pop()
            found[found[at]] = at
    return found


def importance(
    sequence: str,
    dot_bracket: str,
    score: Callable[[Sequence[str]], npt.NDArray[np.float64]],
) -> Importance:
    """Score all changes of an RNA, and compare them with the RNA itself.

    Parameters
    ----------
    sequence, dot_bracket
        Over ACGU, and its structure.
    score
        Folds and scores RNAs: (N,), 0 to 1.
    """
    changes = changes_of(sequence, dot_bracket)
    scores = np.asarray(score([sequence, *(it.sequence for it in changes)]), dtype=np.float64)
    away = _log_odds(scores[0]) - _log_odds(scores[1:])
    table = pd.DataFrame(
        [(it.name, it.first, it.second) for it in changes], columns=list(CHANGES)[:3]
    )
    table = table.assign(score=scores[1:], importance=away).astype(CHANGES)
    of_bases = (
        table[table["second"] == 0].groupby("first")["importance"].agg(["mean", "min", "max"])
    )
    bases = pd.DataFrame(
        {
            "position": np.arange(1, len(sequence) + 1),
            "base": list(sequence),
            "partner": np.array(partners(dot_bracket)) + 1,
            "importance": of_bases["mean"].to_numpy(),
            "lowest": of_bases["min"].to_numpy(),
            "highest": of_bases["max"].to_numpy(),
        }
    ).astype(BASES)
    return Importance(float(scores[0]), bases, table)


def _log_odds(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    near = np.clip(scores, _NEAREST, 1 - _NEAREST)
    odds: npt.NDArray[np.float64] = np.log(near / (1 - near))
    return odds
