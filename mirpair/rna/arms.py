"""The mature arms of a pre-miRNA, and the likeliest ones by the probabilities of their ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Lengths of an arm, and fewest bases between both arms, nt.
SHORTEST, LONGEST, BETWEEN = 18, 27, 3
# The probability of an arm is that both of its ends are so near, nt.
NEAR = 2
# More negative than any logarithm of a probability.
_NEVER = -1e9


class Arms(NamedTuple):
    """Both mature arms in an RNA: where they begin and end, as slices of its sequence.

    The probabilities are those that both ends of an arm are at most `NEAR` nt away.
    """

    start_5p: int
    end_5p: int
    start_3p: int
    end_3p: int
    probability_5p: float = 1.0
    probability_3p: float = 1.0


def most_likely(logs: npt.NDArray[np.floating]) -> Arms:
    """Choose the likeliest two arms of lengths that arms have, which do not overlap.

    Parameters
    ----------
    logs
        (4, L): logarithms of the probabilities, as of `ArmsNetwork`, of an RNA of L ≥ 39 nt.
    """
    length = logs.shape[1]
    # (lengths, first bases): how likely an arm is.
    of_5p, of_3p = (_pairs(logs[first], logs[first + 1]) for first in (0, 2))
    ends = np.arange(length)[None] + np.arange(SHORTEST, LONGEST + 1)[:, None]
    best_5p = np.full(length + 1, _NEVER)
    np.maximum.at(best_5p, np.minimum(ends, length), of_5p)
    # The best 5p arm that ends at this base or before it, for a 3p arm that begins after the loop.
    before = np.maximum.accumulate(best_5p)
    starts = np.arange(length)
    room = np.where(starts >= BETWEEN, before[np.maximum(starts - BETWEEN, 0)], _NEVER)
    total = of_3p + room[None]
    size, start_3p = np.unravel_index(int(total.argmax()), total.shape)
    allowed = np.where(ends <= start_3p - BETWEEN, of_5p, 2 * _NEVER)
    other, start_5p = np.unravel_index(int(allowed.argmax()), allowed.shape)
    end_5p, end_3p = start_5p + SHORTEST + other, start_3p + SHORTEST + size
    return Arms(
        int(start_5p),
        int(end_5p),
        int(start_3p),
        int(end_3p),
        _probability(of_5p, int(start_5p), int(end_5p)),
        _probability(of_3p, int(start_3p), int(end_3p)),
    )


def _pairs(
    first: npt.NDArray[np.floating], last: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Add the logarithms of each first and last base: (lengths, L), `_NEVER` beyond the end."""
    length = len(first)
    pairs = np.full((LONGEST - SHORTEST + 1, length), _NEVER)
    for row, size in enumerate(range(SHORTEST, LONGEST + 1)):
        pairs[row, : max(0, length - size + 1)] = first[: length - size + 1] + last[size - 1 :]
    return pairs


def _probability(pairs: npt.NDArray[np.float64], start: int, end: int) -> float:
    """Compute how likely both ends are at most `NEAR` nt away, among arms of possible lengths."""
    chances = np.exp(pairs - pairs.max())
    starts = np.arange(pairs.shape[1])[None]
    ends = starts + np.arange(SHORTEST, LONGEST + 1)[:, None]
    is_near = (abs(starts - start) <= NEAR) & (abs(ends - end) <= NEAR)
    return float(chances[is_near].sum() / chances.sum())
