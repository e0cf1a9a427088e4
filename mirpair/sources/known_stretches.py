"""Find RNAs that share bases with known hairpins, and where known hairpins are in a genome.

Twenty consecutive bases are a number of 40 bits, so millions of RNAs are compared at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from Bio.Seq import reverse_complement_rna

from mirpair.contracts import ALPHABET
from mirpair.sources.collections import read_hairpins

# Consecutive bases that two RNAs must share.
LENGTH = 20
_OUTSIDE = re.compile(f"[^{ALPHABET}]")
_OTHER = len(ALPHABET)
_DIGITS = str.maketrans(ALPHABET, "0123")
_CODES = np.full(256, _OTHER, dtype=np.uint8)
_CODES[np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)] = np.arange(_OTHER)
# Characters that are compared at once: as many as fit in the cache.
_AT_ONCE = 200_000
# Spreads numbers over a table (Knuth's multiplicative hashing), whose size is a power of two.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_LARGEST_TABLE = 26
_Words = npt.NDArray[np.uint64]


def find_stretches(bases: str) -> tuple[_Words, npt.NDArray[np.intp]]:
    """Write all stretches of 20 bases over ACGU as numbers: those, and where each begins."""
    if len(bases) < LENGTH:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.intp)
    codes = _CODES[np.frombuffer(bases.encode("ascii", "replace"), dtype=np.uint8)]
    words = {1: (codes & 3).astype(np.uint64)}
    for size in (1, 2, 4, 8):
        one = words[size]
        words[2 * size] = (one[:-size] << np.uint64(2 * size)) | one[size:]
    whole = (words[16][: len(codes) - LENGTH + 1] << np.uint64(8)) | words[4][16:]
    others = np.concatenate([[0], np.cumsum(codes == _OTHER, dtype=np.int64)])
    starts = np.flatnonzero(others[LENGTH:] == others[:-LENGTH])
    return whole[starts], starts


class _WordSet:
    """A set of stretches. A table rules out most other stretches without a search."""

    def __init__(self, words: Iterable[_Words]) -> None:
        every = np.sort(np.concatenate([*words, np.zeros(0, dtype=np.uint64)]))
        # Four times as fast as np.unique.
        self.words = every[np.diff(every, prepend=~every[:1]) != 0]
        bits = min(_LARGEST_TABLE, max(8, int(16 * len(self.words)).bit_length()))
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, dtype=bool)
        self._table[self._cells(self.words)] = True

    def _cells(self, words: _Words) -> _Words:
        return (words * _SPREAD) >> self._shift

    def find(self, words: _Words) -> npt.NDArray[np.intp]:
        """Return the indices of the words that are in the set."""
        possible = np.flatnonzero(self._table[self._cells(words)])
        places = np.searchsorted(self.words, words[possible])
        places = np.minimum(places, len(self.words) - 1)
        return possible[self.words[places] == words[possible]] if len(possible) else possible


class KnownStretches:
    """Known hairpins, on both strands.

    Parameters
    ----------
    hairpins
        Over ACGU; stretches with other letters do not count.
    """

    def __init__(self, hairpins: Iterable[str]) -> None:
        forward = sorted(set(hairpins))
        both = [*forward, *(reverse_complement_rna(it) for it in forward)]
        self._all = _WordSet(find_stretches(text)[0] for text in _joined(both))
        self._starting: dict[int, list[str]] = {}
        for hairpin in both:
            if len(hairpin) >= LENGTH and not _OUTSIDE.search(hairpin):
                first = int(hairpin[:LENGTH].translate(_DIGITS), _OTHER)
                self._starting.setdefault(first, []).append(hairpin)
        self._first = _WordSet([np.array(list(self._starting), dtype=np.uint64)])

    @classmethod
    def read(cls, path: str | Path) -> KnownStretches:
        """Read known hairpins, see `mirpair.sources.collections.read_hairpins`."""
        return cls(entry.sequence for entry in read_hairpins(path))

    def shared_by(self, sequences: Sequence[str]) -> list[bool]:
        """Tell of each RNA whether it has 20 consecutive bases of a known hairpin."""
        starts = np.cumsum([0, *(len(it) + 1 for it in sequences)])
        shares = np.zeros(len(sequences), dtype=bool)
        offset = 0
        for text in _joined(sequences):
            words, places = find_stretches(text)
            found = places[self._all.find(words)] + offset
            shares[np.searchsorted(starts, found, side="right") - 1] = True
            offset += len(text) + 1
        return list(map(bool, shares))

    def places(self, bases: str) -> list[tuple[int, int]]:
        """Find exact known hairpins: start and end of each, from 0 and half-open."""
        found = []
        for offset in range(0, len(bases), _AT_ONCE):
            words, starts = find_stretches(bases[offset : offset + _AT_ONCE + LENGTH - 1])
            for index in self._first.find(words).tolist():
                start = offset + int(starts[index])
                for hairpin in self._starting[int(words[index])]:
                    if bases.startswith(hairpin, start):
                        found.append((start, start + len(hairpin)))
        return found


def most_places(sequences: Sequence[str], genome: Iterable[str]) -> list[int]:
    """Count the places in a genome of the most frequent 20 consecutive bases of each RNA.

    Places on one strand are counted, that with more of them: a perfect stem is on both strands of
    one place.

    Parameters
    ----------
    sequences
        Over ACGU; stretches with other letters do not count.
    genome
        Its sequences, or parts of them.

    Returns
    -------
    list of int
        For each RNA; 0 if it is shorter, or no stretch of it is in the genome.
    """
    reverse = [reverse_complement_rna(it) for it in sequences]
    every = _WordSet(find_stretches(text)[0] for text in _joined([*sequences, *reverse]))
    counts = np.zeros(len(every.words), dtype=np.int64)
    for bases in genome:
        for offset in range(0, len(bases), _AT_ONCE):
            words, _ = find_stretches(bases[offset : offset + _AT_ONCE + LENGTH - 1])
            places = np.searchsorted(every.words, words[every.find(words)])
            counts += np.bincount(places, minlength=len(counts))
    most = []
    for strands in zip(sequences, reverse, strict=True):
        # The last stretch of one strand is the first of the other.
        one, other = (counts[np.searchsorted(every.words, find_stretches(it)[0])] for it in strands)
        most.append(int(np.maximum(one, other[::-1]).max(initial=0)))
    return most


def _joined(sequences: Iterable[str]) -> Iterator[str]:
    """Join sequences by N, as many as are compared at once."""
    held: list[str] = []
    size = 0
    for sequence in sequences:
        held.append(sequence)
        size += len(sequence)
        if size >= _AT_ONCE:
            yield "N".join(held)
            held, size = [], 0
    if held:
        yield "N".join(held)
