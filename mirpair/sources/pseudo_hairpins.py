"""Cut pseudo-hairpins: parts of sequences without pre-miRNAs that fold like pre-miRNAs.

Xue et al. (2005, BMC Bioinformatics 6:310, Methods) cut segments from coding sequences, with the
lengths of pre-miRNAs, and selected those with a stem of at least 18 base pairs, an energy of at
most -15 kcal/mol and no multiple loops.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from Bio.Seq import reverse_complement_rna

from mirpair.contracts import WINDOW
from mirpair.files import InputError
from mirpair.rna.folding import fold, for_each
from mirpair.rna.sequences import normalise, read_parts
from mirpair.sources.collections import CutRna, Entry, read_named

_LOOP = re.compile(r"\(\.*\)")
_OUTSIDE = re.compile("[^ACGU]")
# Number of pseudo-hairpins to find in one stretch: enough for each to find a place, and few enough
# for many processes to have work.
BLOCK = 64
# Foldings to find one pseudo-hairpin. One in 200 RNAs of 55 nt from yeast meets the criteria.
_TRIES = 3000
# Above this length, fewer foldings, which take as long as 3,000 of 200 nt: long RNAs hardly ever
# fold into one hairpin.
_LONG = 200
# Places to draw, including those that are taken or have an N.
_DRAWS = 10 * _TRIES
# Greatest number of bases in a stretch, which is in memory at a time.
_LARGEST = 5_000_000
# Bases needed for each base of a pseudo-hairpin; with fewer, most places would overlap.
_ROOM = 4


@dataclass(frozen=True, slots=True)
class Criteria:
    """The criteria of a pseudo-hairpin (Xue et al. 2005)."""

    # Minimum number of base pairs, and maximum energy, kcal/mol.
    stem: int = 18
    mfe: float = -15.0

    def met(self, structure: str, mfe: float) -> bool:
        """Tell whether a structure is one unbranched hairpin with enough pairs and low energy.

        Examples
        --------
        >>> Criteria(stem=3, mfe=-1).met("((.((...))))", -2.0)
        True
        >>> Criteria(stem=3, mfe=-1).met("((...))((...))", -2.0)  # two hairpins
        False
        """
        return (
            structure.count("(") >= self.stem
            and mfe <= self.mfe
            and len(_LOOP.findall(structure)) == 1
        )


class Stretch(NamedTuple):
    """A part of the sequences, and the pseudo-hairpins to find in it."""

    # Number of the stretch, from 0, over all sequences.
    number: int
    # For each part of a sequence: the sequence's name, the part's start (from 0), its bases.
    parts: tuple[tuple[str, int, str], ...]
    # Lengths of the pseudo-hairpins to find, nt.
    lengths: tuple[int, ...]


def shuffled_lengths(lengths: Sequence[int], *, per_positive: int, seed: int) -> list[int]:
    """Repeat each length `per_positive` times and shuffle them, nt."""
    repeated = np.repeat(np.asarray(lengths, dtype=np.int64), per_positive)
    shuffled: list[int] = np.random.default_rng(seed).permutation(repeated).tolist()
    return shuffled


def stretches(
    path: str | Path, lengths: Sequence[int], *, strands: int = 2, piece: int = 1, pieces: int = 1
) -> Iterator[Stretch]:
    """Divide sequences into stretches of equal length, each with its share of pseudo-hairpins.

    Parameters
    ----------
    path
        FASTA file, plain or gzip; it is read twice, with one stretch in memory at a time.
    lengths
        Lengths of all pseudo-hairpins, nt; an `InputError` if there are too few bases for so many.
    strands
        Number of strands to search.
    piece, pieces
        Yield only every `pieces`-th stretch, starting with number `piece` (from 1).
    """
    total = _bases(path)
    count = _stretches(total, len(lengths))
    if total * strands < _ROOM * sum(lengths):
        fits = total * strands // (_ROOM * max(1, sum(lengths) // len(lengths)))
        raise InputError(
            f"{path}: has {total:,} bases on {strands} strand(s), and {len(lengths):,} "
            f"pseudo-hairpins are requested, which together have {sum(lengths):,}. They must not "
            f"overlap, and most places do not fold like one: {_ROOM} times as many bases are "
            f"needed. There is room for about {fits:,}: ask for fewer (`per_positive`), or use "
            "more sequences."
        )
    bounds = [total * number // count for number in range(count + 1)]
    held: list[tuple[str, int, list[str]]] = []
    number = position = 0
    for header, parts in read_parts(path):
        name, begin = (header.split() or [""])[0], 0
        for part in parts:
            while part:
                is_mine = number % pieces == piece - 1
                taken = part[: bounds[number + 1] - position]
                if is_mine and (begin == 0 or not held):
                    held.append((name, begin, []))
                if is_mine:
                    held[-1][2].append(taken)
                position, begin = position + len(taken), begin + len(taken)
                part = part[len(taken) :]
                if position == bounds[number + 1]:
                    if is_mine:
                        joined = tuple((it, at, normalise("".join(text))) for it, at, text in held)
                        yield Stretch(number, joined, tuple(lengths[number::count]))
                    held, number = [], number + 1


def _stretches(bases: int, lengths: int) -> int:
    """Compute the number of stretches; it must depend on nothing else."""
    return max(-(-lengths // BLOCK), -(-bases // _LARGEST))


def _bases(path: str | Path) -> int:
    """Count the bases; an `InputError` if two sequences share a name, or one has none."""
    return sum(len(part) for _, _, parts in read_named(path) for part in parts)


def cut(
    stretch: Stretch, *, criteria: Criteria, strands: int = 2, seed: int = 0, species: str = ""
) -> list[Entry]:
    """Cut the pseudo-hairpins of a stretch; no two overlap, not even on different strands.

    Places and strands are drawn at random until one meets the criteria. A length for which none of
    3,000 does (fewer above 200 nt) is left out. The draw depends on the seed and the number of the
    stretch.

    Returns
    -------
    list of Entry
        In the order of the lengths. An id is ``<sequence>:<start>-<end>(<strand>)``, counted from
        1, both ends included.
    """
    rng = np.random.default_rng([seed, stretch.number])
    sizes = np.array([len(bases) for _, _, bases in stretch.parts])
    taken = [np.zeros(size, dtype=bool) for size in sizes]
    entries = []
    for length in stretch.lengths:
        starts = np.maximum(sizes - length + 1, 0)
        if not starts.sum() or length < 2 * criteria.stem + 3:
            continue
        folded = 0
        for _ in range(_DRAWS):
            draw = int(rng.integers(starts.sum()))
            minus = bool(rng.integers(strands))
            part = int(np.searchsorted(np.cumsum(starts), draw, side="right"))
            start = draw - int(starts[:part].sum())
            name, offset, bases = stretch.parts[part]
            text = bases[start : start + length]
            if taken[part][start : start + length].any() or _OUTSIDE.search(text):
                continue
            folded += 1
            sequence = reverse_complement_rna(text) if minus else text
            if criteria.met(*fold(sequence)):
                taken[part][start : start + length] = True
                where = f"{name}:{offset + start + 1}-{offset + start + length}"
                entries.append(
                    Entry(f"{where}({'-' if minus else '+'})", where, species, "", sequence, WINDOW)
                )
                break
            if folded >= _TRIES * min(1, (_LONG / length) ** 3):
                break
    return entries


def cut_piece(
    path: str | Path,
    lengths: Sequence[int],
    piece: int,
    pieces: int,
    *,
    criteria: Criteria,
    strands: int = 2,
    seed: int = 0,
    species: str = "",
    processes: int = 1,
) -> list[CutRna]:
    """Cut the pseudo-hairpins of every `pieces`-th stretch.

    All pieces together are the same for any number of pieces.
    """
    cut_one = partial(cut, criteria=criteria, strands=strands, seed=seed, species=species)
    chosen = stretches(path, lengths, strands=strands, piece=piece, pieces=pieces)
    stretches_cut = for_each(partial(_numbered, cut_one), chosen, processes=processes, at_once=1)
    return [CutRna(number, entry) for number, entries in stretches_cut for entry in entries]


def _numbered(
    cut_one: Callable[[Stretch], list[Entry]], stretch: Stretch
) -> tuple[int, list[Entry]]:
    return stretch.number, cut_one(stretch)


def check_found(entries: list[Entry]) -> list[Entry]:
    """Return the pseudo-hairpins of all pieces; an `InputError` if there is none."""
    if not entries:
        raise InputError(
            "no pseudo-hairpin was found: choose a shorter `stem` or a higher `mfe`, or use "
            "other sequences"
        )
    return entries


def count_missing(lengths: Sequence[int], entries: Sequence[Entry]) -> Counter[int]:
    """Count the requested pseudo-hairpins that were not found, by length."""
    return Counter(lengths) - Counter(len(entry.sequence) for entry in entries)
