"""Say for each base of a hairpin which base faces it in the duplex."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mirpair.rna.duplex import GAP, as_duplex
from mirpair.rna.encoding import Molecule


class Facing(NamedTuple):
    """What a duplex says about each of the L bases of an RNA.

    Attributes
    ----------
    opposite
        (L,) int64: index of the base in the same column, -1 if there is a gap.
    state
        (L,) int64: what its column is.
    is_five
        (L,) bool: whether it is on the 5′ strand.
    """

    opposite: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]
    is_five: npt.NDArray[np.bool_]


def facing(molecule: Molecule) -> Facing:
    """Say for each base of an RNA which base faces it in `as_duplex`, and where."""
    duplex, length = as_duplex(molecule), len(molecule.codes)
    five, three = np.flatnonzero(duplex.five != GAP), np.flatnonzero(duplex.three != GAP)
    middle = len(five)
    # The base of each column on either strand; the 3′ strand runs backwards.
    places = np.full((2, len(duplex.state)), -1)
    places[0, five] = np.arange(middle)
    places[1, three] = length - 1 - np.arange(len(three))
    opposite, state = np.full(length, -1), np.empty(length, dtype=np.int64)
    one, other = places[:, (places >= 0).all(axis=0)]
    opposite[one], opposite[other] = other, one
    for own, columns in zip(places, (five, three), strict=True):
        state[own[columns]] = duplex.state[columns]
    return Facing(opposite, state, np.arange(length) < middle)
