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


class Duplex(NamedTuple):
    """A hairpin in C columns, from its open end to its loop.

    Attributes
    ----------
    five, three
        (C,): codes of the bases of either strand, as in `Molecule`; `GAP` where there is none.
    state
        (C,): `OUTSIDE`, `PAIR`, `INSIDE` or `LOOP`.
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
    length = len(molecule.codes)
    left, right = main_stem(molecule.partner)
    # Positions of bases; `length` is that of a gap.
    five: list[int] = []
    three: list[int] = []
    state: list[int] = []

    def add(ones: range, others: range, kind: int, *, at_end: bool = False) -> None:
        """Add columns with bases of both strands, which are aligned at the outer or inner end."""
        gaps = [[length] * max(0, len(b) - len(a)) for a, b in ((ones, others), (others, ones))]
        five.extend([*gaps[0], *ones] if at_end else [*ones, *gaps[0]])
        three.extend([*gaps[1], *others] if at_end else [*others, *gaps[1]])
        state.extend([kind] * max(len(ones), len(others)))

    if not left:
        half = (length + 1) // 2
        add(range(half), range(length - 1, half - 1, -1), OUTSIDE)
    else:
        add(range(left[0]), range(length - 1, right[0], -1), OUTSIDE, at_end=True)
        for number, (i, j) in enumerate(zip(left, right, strict=True)):
            if number:
                add(range(left[number - 1] + 1, i), range(right[number - 1] - 1, j, -1), INSIDE)
            five.append(i)
            three.append(j)
            state.append(PAIR)
        start, end = left[-1] + 1, right[-1]
        middle = start + (end - start + 1) // 2
        add(range(start, middle), range(end - 1, middle - 1, -1), LOOP)
    codes = np.append(molecule.codes, np.uint8(GAP))
    return Duplex(codes[five], codes[three], np.array(state, dtype=np.uint8))
