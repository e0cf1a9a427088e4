"""Find single hairpins without folding the whole genome.

Folding in a window takes long: about 155 µs per base with a window of 120 nt. Most of the time goes
into branched structures and their combinations, but a scan uses only single hairpins. A much
smaller recursion, over one stem with short interior loops, estimates their energy well: stacks as
in ViennaRNA, loops by their size. Each step is done for all positions of a genome at once, which
takes a small part of the time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import RNA

from mirpair.contracts import ALPHABET

_PAIRS = ("CG", "GC", "GU", "UG", "AU", "UA")
_NONE = len(_PAIRS)
_LEAST_LOOP = 3
# Of hairpins that share bases, the best one has the lowest energy after this is added for each of
# its bases, kcal/mol. About so much per base has the fold of a random RNA. Without it, chance pairs
# with whatever is beside a hairpin would decide where the hairpin ends.
PER_BASE = 0.3
# All energies are in tenths of kcal/mol. This one stands for what is impossible.
_NEVER = 10_000
# Hairpin loops by their size from 3, and what each further base adds.
_HAIRPIN, _LONGER = (54, 48, 49, 46, 50, 51, 52), 1
# Bulges and interior loops, by the unpaired bases of both arms together, and by their difference.
_BULGE = {1: 18, 2: 28, 3: 32, 4: 36}
_INTERIOR = {2: 9, 3: 16, 4: 9, 5: 18, 6: 16}
_ASYMMETRY, _WEAK_END = 6, 5
_LARGEST = 6
Energies = npt.NDArray[np.int16]
_Indices = npt.NDArray[np.integer[Any]]


class Stem(NamedTuple):
    """A single hairpin: its start, from 0, and its structure (dot-bracket)."""

    start: int
    structure: str


def find_stems(
    bases: str, *, mfe: float, span: int, loop: int, stem: int, highest: float = math.inf
) -> list[Stem]:
    """Find the best stem around every loop, of about this energy or less.

    No stem has a character other than A, C, G and U, so RNAs that are joined by one, such as N,
    have the stems that each has alone. The limits are those of
    `mirpair.settings.HairpinCriteria`; the energy, kcal/mol, is an estimate. Of the stems that
    start with the same base, only the one with the lowest energy is used. Of those with the same
    innermost pair, the best one is returned, see `PER_BASE`. Stems whose energy, with `PER_BASE`
    for each base, is above `highest`, kcal/mol, are left out. The stems are in ascending order.
    """
    stems = _Stems(*_all_layers(bases, span, loop))
    best = np.full(len(bases), _NEVER, dtype=np.int16)
    distance = np.zeros(len(bases), dtype=np.int32)
    for number, energies in enumerate(stems.energies):
        better = energies < best
        np.copyto(best, energies, where=better)
        np.copyto(distance, number, where=better)
    lengths = distance + _LEAST_LOOP + 2
    is_stable = (best <= 10 * mfe) & (best + round(10 * PER_BASE) * lengths <= 10 * highest)
    starts = np.flatnonzero(is_stable & (lengths >= 2 * stem + _LEAST_LOOP))
    pairs, loops = stems.innermost(starts, distance[starts])
    starts, loops = starts[pairs >= stem], loops[pairs >= stem]
    ranks = best[starts] + round(10 * PER_BASE) * lengths[starts]
    # The best of each loop; of equally good ones the leftmost.
    order = np.lexsort((starts, ranks))
    _, firsts = np.unique(loops[order], return_index=True)
    chosen = np.sort(starts[order[firsts]])
    structures = stems.structures(chosen, distance[chosen])
    return [Stem(*it) for it in zip(chosen.tolist(), structures, strict=True)]


class _Layer(NamedTuple):
    """All pairs (i, i + d) of one distance d: the index of the layer plus `_LEAST_LOOP` + 1.

    Attributes
    ----------
    energies
        Energy of the best stem that the pair closes.
    ended
        The same, with the penalty if the pair is not a GC pair.
    kind
        Index of the pair in `_PAIRS`, or `_NONE`.
    """

    energies: Energies
    ended: Energies
    kind: npt.NDArray[np.uint8]


def _recursion(bases: str, span: int, loop: int) -> Iterator[_Layer]:
    codes = _CODES[np.frombuffer(bases.encode("ascii"), dtype=np.uint8)]
    stack = _stacks().ravel()
    inner: deque[_Layer] = deque(maxlen=_LARGEST + 2)
    rows = codes * np.uint8(len(ALPHABET) + 1)
    # Other characters up to each position; between those of a stem there is none.
    others = np.cumsum(codes == len(ALPHABET), dtype=np.int32)
    for distance in range(_LEAST_LOOP + 1, min(span, len(codes))):
        size = len(codes) - distance
        kind = _KINDS[rows[:size] + codes[distance:]]
        if others[-1]:
            np.putmask(kind, others[:size] != others[distance:], _NONE)
        weak = _WEAK[kind]
        energies = np.full(size, _closing(distance - 1, loop), dtype=np.int16)
        for one, other, cost in _LOOPS:
            if one + other + 2 <= len(inner):
                ended = inner[-(one + other + 2)].ended
                np.minimum(energies, ended[one + 1 : one + 1 + size] + cost, out=energies)
        energies += weak
        if len(inner) >= 2:
            below = inner[-2]
            stacked = stack[kind * np.uint8(_NONE + 1) + below.kind[1 : size + 1]]
            np.minimum(energies, below.energies[1 : size + 1] + stacked, out=energies)
        energies[kind == _NONE] = _NEVER
        layer = _Layer(energies, energies + weak, kind)
        inner.append(layer)
        yield layer


def _closing(size: int, most: int) -> int:
    """Energy of a hairpin loop."""
    if size > most:
        return _NEVER
    index = size - _LEAST_LOOP
    last = len(_HAIRPIN) - 1
    return _HAIRPIN[min(index, last)] + _LONGER * max(0, index - last)


class _Stems(NamedTuple):
    """The best stems of all pairs; undoes the steps of the recursion, for many pairs at once.

    A pair is given by its start and the number of its layer.

    Attributes
    ----------
    energies, kinds
        (layers, L): see `_Layer`; each row is a layer, with impossible pairs at its end.
    """

    energies: Energies
    kinds: npt.NDArray[np.uint8]

    def innermost(self, starts: _Indices, numbers: _Indices) -> tuple[_Indices, _Indices]:
        """Count the base pairs of stems, and find a number for the innermost one of each."""
        starts, numbers = starts.copy(), numbers.copy()
        pairs = np.ones(len(starts), dtype=np.int64)
        for active, _, _ in self._inward(starts, numbers):
            pairs[active] += 1
        return pairs, numbers.astype(np.int64) * self.energies.shape[1] + starts

    def structures(self, starts: _Indices, numbers: _Indices) -> list[str]:
        """Write the structures of stems."""
        starts, numbers = starts.copy(), numbers.copy()
        left: list[list[str]] = [[] for _ in starts]
        right: list[list[str]] = [[] for _ in starts]
        for step in self._inward(starts, numbers):
            for index, opened, closed in zip(*(it.tolist() for it in step), strict=True):
                left[index].append("(" + "." * opened)
                right[index].append("." * closed + ")")
        loops = ["(" + "." * (number + _LEAST_LOOP) + ")" for number in numbers.tolist()]
        return [
            "".join([*opened, middle, *reversed(closed)])
            for opened, middle, closed in zip(left, loops, right, strict=True)
        ]

    def _inward(
        self, starts: _Indices, numbers: _Indices
    ) -> Iterator[tuple[_Indices, _Indices, _Indices]]:
        """Move pairs to the next inner pair, in place, until each is the innermost of its stem.

        Yields
        ------
        active, one, other
            Indices of the pairs that have moved; unpaired bases passed by each, on both sides.
        """
        active: _Indices = np.arange(len(starts))
        while len(active):
            is_inner, one, other = self._inner(starts[active], numbers[active])
            active = active[is_inner]
            starts[active] += one + 1
            numbers[active] -= one + other + 2
            yield active, one, other

    def _inner(
        self, starts: _Indices, numbers: _Indices
    ) -> tuple[npt.NDArray[np.bool_], _Indices, _Indices]:
        """Find the next inner pair of each pair.

        Returns
        -------
        is_inner, one, other
            Whether there is one, else the pair closes the loop; of those with one, the unpaired
            bases on both sides.
        """
        energies, kinds = self
        energy, kind = energies[numbers, starts], kinds[numbers, starts]
        below = (np.maximum(numbers - 2, 0), starts + 1)
        stacked = energies[below] + _stacks()[kind, kinds[below]]
        is_inner = (numbers >= 2) & (stacked == energy)
        one = np.zeros(len(starts), dtype=np.int64)
        other = one.copy()
        remaining = np.flatnonzero(~is_inner)
        ends = energy - _WEAK[kind]
        for before, behind, cost in _LOOPS:
            layer = numbers[remaining] - (before + behind + 2)
            at = np.minimum(starts[remaining] + before + 1, energies.shape[1] - 1)
            within = (np.maximum(layer, 0), at)
            ended = energies[within] + _WEAK[kinds[within]]
            is_this = (layer >= 0) & (ended + cost == ends[remaining])
            one[remaining[is_this]], other[remaining[is_this]] = before, behind
            is_inner[remaining[is_this]] = True
            remaining = remaining[~is_this]
        return is_inner, one[is_inner], other[is_inner]


def _all_layers(
    bases: str, span: int, loop: int
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """Compute the energies and the kinds of all layers, see `_Stems`."""
    shape = (max(0, min(span, len(bases)) - _LEAST_LOOP - 1), len(bases))
    energies = np.full(shape, _NEVER, dtype=np.int16)
    kinds = np.full(shape, _NONE, dtype=np.uint8)
    for number, layer in enumerate(_recursion(bases, span, loop)):
        energies[number, : len(layer.energies)] = layer.energies
        kinds[number, : len(layer.kind)] = layer.kind
    return energies, kinds


def _loops() -> list[tuple[int, int, np.int16]]:
    """List all loops that a stem may have: unpaired bases on both sides, and energy."""
    loops = []
    for one, other in product(range(_LARGEST + 1), repeat=2):
        total, difference = one + other, abs(one - other)
        if total and (one == 0 or other == 0) and total in _BULGE:
            loops.append((one, other, np.int16(_BULGE[total])))
        elif one and other and total in _INTERIOR and difference <= 2:
            loops.append((one, other, np.int16(_INTERIOR[total] + _ASYMMETRY * difference)))
    return loops


@cache
def _stacks() -> Energies:
    """(7, 7): energies of a pair stacked on the next inner pair, as ViennaRNA evaluates them."""
    table = np.full((_NONE + 1, _NONE + 1), _NEVER, dtype=np.int16)
    model = RNA.md()
    model.dangles = 0
    for (m, outer), (n, within) in product(enumerate(_PAIRS), repeat=2):
        inside = f"{within[0]}GAAAAC{within[1]}"
        outside = f"{outer[0]}{inside}{outer[1]}"
        energies = [
            RNA.fold_compound(bases, model).eval_structure(structure)
            for bases, structure in ((outside, "(((....)))"), (inside, "((....))"))
        ]
        # Both have the penalty of their own outer pair, if it is not a GC pair.
        ends = [_WEAK_END / 10 * (pair not in ("CG", "GC")) for pair in (outer, within)]
        table[m, n] = round(10 * (energies[0] - energies[1] - ends[0] + ends[1]))
    return table


_LOOPS = _loops()
_WEAK = np.array([0, 0, *[_WEAK_END] * 4, 0], dtype=np.int16)
_CODES = np.full(256, len(ALPHABET), dtype=np.uint8)
_CODES[np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)] = np.arange(len(ALPHABET))
_KINDS = np.full((len(ALPHABET) + 1) ** 2, _NONE, dtype=np.uint8)
for _number, _pair in enumerate(_PAIRS):
    _KINDS[ALPHABET.index(_pair[0]) * (len(ALPHABET) + 1) + ALPHABET.index(_pair[1])] = _number
