"""Read a hairpin as a duplex: columns from its open end to its loop.

A duplex has two strands that face each other. Each column has a base of the 5′ strand and the base
opposite, on the 3′ strand, or a gap in place of one of them. It is the pairing matrix of Do et al.
2018, read along its anti-diagonal: a two-dimensional network has to find what is given here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mirpair.contracts import ALPHABET
from mirpair.rna.encoding import Molecule

GAP = len(ALPHABET)
# What a column is: outside the stem; a base pair; in a bulge, an interior loop or a branch; in the
# hairpin's loop.
OUTSIDE, PAIR, INSIDE, LOOP = range(4)
STATES = 4
# A column's parts as bytes, which are joined faster than arrays as short as these.
_GAP, _OUTSIDE, _PAIR, _INSIDE, _LOOP = (bytes([it]) for it in (GAP, OUTSIDE, PAIR, INSIDE, LOOP))


class Duplex(NamedTuple):
    """A hairpin in C columns, from its open end to its loop.

    Attributes
    ----------
    five, three
        (C,): codes of the bases of either strand, as in `Molecule`; `GAP` where there is none.
    state
        (C,): `OUTSIDE`, `PAIR`, `INSIDE` or `LOOP`. All three are read-only.
    """

    five: npt.NDArray[np.uint8]
    three: npt.NDArray[np.uint8]
    state: npt.NDArray[np.uint8]


def main_stem(partner: npt.NDArray[np.int32]) -> tuple[list[int], list[int]]:
    """Find the stem with most pairs: all pairs that enclose one loop, outermost first.

    A branched structure has several loops; of stems with equally many pairs, the leftmost is
    returned. Both lists are empty if nothing is paired.

    Parameters
    ----------
    partner
        (L,): see `mirpair.rna.encoding.Molecule`.

    Examples
    --------
    >>> main_stem(np.array([5, -1, -1, -1, -1, 0]))
    ([0], [5])
    """
    open_: list[int] = []
    longest: list[int] = []
    is_innermost = False
    for position, other in enumerate(partner.tolist()):
        if other > position:
            open_.append(position)
            is_innermost = True
        elif other >= 0:
            if is_innermost and len(open_) > len(longest):
                longest = open_.copy()
            is_innermost = False
            open_.pop()
    return longest, partner[longest].tolist()


def as_duplex(molecule: Molecule) -> Duplex:
    """Read an RNA as a duplex, around its main stem (`main_stem`).

    The ends outside the stem are aligned at the stem. Bases of an interior loop face each other
    from its outer end on, and gaps fill the shorter side. Bulges are interior loops with one side.
    Other stems of the structure are part of these loops, and their bases count as unpaired. The
    hairpin's loop is folded in half. An RNA without pairs is folded in the middle, and all of it is
    `OUTSIDE`.
    """
    codes = molecule.codes.tobytes()
    length = len(codes)
    left, right = main_stem(molecule.partner)
    middle = (left[-1] + right[-1]) // 2 + 1 if left else (length + 1) // 2
    # Both strands from the open end to the loop.
    forward, back = codes[:middle], codes[middle:][::-1]
    if not left:
        return _duplex(forward, back.ljust(middle, _GAP), _OUTSIDE * middle)
    # The places of the partners, counted from the 3′ end.
    inwards = [length - 1 - it for it in right]
    outside = max(left[0], inwards[0])
    five = [forward[: left[0]].rjust(outside, _GAP)]
    three = [back[: inwards[0]].rjust(outside, _GAP)]
    state = [_OUTSIDE * outside]
    # From each pair to the next one, or to the end of the loop.
    next_pairs = zip([*left[1:], middle], [*inwards[1:], length - middle], strict=True)
    for i, j, (next_i, next_j) in zip(left, inwards, next_pairs, strict=True):
        columns = max(next_i - i, next_j - j)
        five.append(forward[i:next_i].ljust(columns, _GAP))
        three.append(back[j:next_j].ljust(columns, _GAP))
        state.append(_PAIR + _INSIDE * (columns - 1))
    # What follows the last pair is the loop.
    state[-1] = _PAIR + _LOOP * (len(state[-1]) - 1)
    return _duplex(*(b"".join(it) for it in (five, three, state)))


def _duplex(*columns: bytes) -> Duplex:
    """Make a duplex of its three parts."""
    return Duplex(*(np.frombuffer(it, dtype=np.uint8) for it in columns))
