"""Pseudo-hairpins: stretches of sequence without pre-miRNAs that fold as pre-miRNAs do.

Xue et al. (2005, BMC Bioinformatics 6:310, Methods) cut segments from coding sequences, their
lengths distributed as those of pre-miRNAs, and kept those with a stem of at least 18 base pairs, an
energy of at most -15 kcal/mol and no multiple loops.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mirpair.files import InputError
from mirpair.rna.folding import fold, for_each
from mirpair.rna.sequences import normalise, read_parts
from mirpair.sources.collections import Entry

_LOOP = re.compile(r"\(\.*\)")
_COMPLEMENT = str.maketrans("ACGU", "UGCA")
_OUTSIDE = re.compile("[^ACGU]")
# Pseudo-hairpins that are looked for together in one stretch, which is theirs alone: enough that
# each finds a place, few enough that many processes have work.
BLOCK = 64
# Of an RNA of 55 nt from yeast one in 200 meets the criteria.
_TRIES = 3000
# Longer RNAs take longer, and are hardly ever one hairpin: as much time as 3,000 of 200 nt.
_LONG = 200
# As many places are drawn, those that are taken or have an N among them.
_DRAWS = 10 * _TRIES
# Memory is that of a stretch.
_LARGEST = 5_000_000
# A stretch has at least so many bases for each that is asked for; else most of them would overlap.
_ROOM = 4


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is a pseudo-hairpin (Xue et al. 2005).

    Attributes
    ----------
    stem
        Least base pairs.
    mfe
        Highest energy, kcal/mol.
    """

    stem: int = 18
    mfe: float = -15.0

    def met(self, structure: str, mfe: float) -> bool:
        """Whether a structure is one unbranched hairpin with enough pairs and a low enough energy.

        Parameters
        ----------
        structure
            Dot-bracket of all of an RNA.
        mfe
            Its energy, kcal/mol.

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
    """A part of the sequences, and what is looked for in it.

    Attributes
    ----------
    number
        From 0, over all sequences.
    parts
        Name of a sequence, where in it the part begins (from 0), and its bases.
    lengths
        Of the pseudo-hairpins, nt.
    """

    number: int
    parts: tuple[tuple[str, int, str], ...]
    lengths: tuple[int, ...]


def drawn_lengths(lengths: Sequence[int], *, per_positive: int, seed: int) -> list[int]:
    """Each length `per_positive` times, in an order that `seed` draws, nt."""
    every = np.repeat(np.asarray(lengths, dtype=np.int64), per_positive)
    drawn: list[int] = np.random.default_rng(seed).permutation(every).tolist()
    return drawn


def stretches(
    path: str | Path, lengths: Sequence[int], *, strands: int = 2, piece: int = 1, pieces: int = 1
) -> Iterator[Stretch]:
    """Divide sequences into stretches of equal length, each with its share of what is looked for.

    Parameters
    ----------
    path
        FASTA file, plain or gzip; it is read twice, and memory is that of a stretch.
    lengths
        Of all pseudo-hairpins, nt.
    strands
        On how many they are looked for.
    piece, pieces
        Only every `pieces`-th stretch is given, beginning with number `piece` (from 1).

    Raises
    ------
    InputError
        If there are too few bases for so many.
    """
    total = _bases(path)
    count = _stretches(total, len(lengths))
    if total * strands < _ROOM * sum(lengths):
        fits = total * strands // (_ROOM * max(1, sum(lengths) // len(lengths)))
        raise InputError(
            f"{path}: has {total:,} bases on {strands} strand(s), and {len(lengths):,} "
            f"pseudo-hairpins are asked for, which together have {sum(lengths):,}. None may "
            f"overlap another, and most places do not fold so: {_ROOM} times as many bases are "
            f"needed. There is room for about {fits:,}: ask for fewer (`per_positive`), or name "
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
                position, begin, part = (
                    position + len(taken),
                    begin + len(taken),
                    part[len(taken) :],
                )
                if position == bounds[number + 1]:
                    if is_mine:
                        joined = tuple((it, at, normalise("".join(text))) for it, at, text in held)
                        yield Stretch(number, joined, tuple(lengths[number::count]))
                    held, number = [], number + 1


def _stretches(bases: int, lengths: int) -> int:
    """How many stretches there are; it depends on nothing else."""
    return max(-(-lengths // BLOCK), -(-bases // _LARGEST))


def _bases(path: str | Path) -> int:
    """Number of bases; an `InputError` if two sequences have one name, or one has none."""
    names: set[str] = set()
    total = 0
    for number, (header, parts) in enumerate(read_parts(path), 1):
        name = (header.split() or [""])[0]
        if not name or name in names:
            raise InputError(
                f"{path}: sequence {number} has "
                + (f"the name {name!r} of another one" if name else "no name")
                + "; pseudo-hairpins are named after it: rename it"
            )
        names.add(name)
        total += sum(map(len, parts))
    return total


def cut(
    stretch: Stretch, *, criteria: Criteria, strands: int = 2, seed: int = 0, species: str = ""
) -> list[Entry]:
    """Pseudo-hairpins of a stretch, no two of which overlap, be it on different strands.

    Places and strands are drawn until one meets the criteria; a length for which none of 3,000 does
    (fewer beyond 200 nt) is left out. The draw depends on the seed and the number of the stretch.

    Returns
    -------
    list of Entry
        In the order of the lengths. An id is ``<sequence>:<start>-<end>(<strand>)``, counted from
        1, both ends included.
    """
    rng = np.random.default_rng([seed, stretch.number])
    sizes = np.array([len(bases) for _, _, bases in stretch.parts])
    taken = [np.zeros(size, dtype=bool) for size in sizes]
    found = []
    for length in stretch.lengths:
        starts = np.maximum(sizes - length + 1, 0)
        if not starts.sum() or length < 2 * criteria.stem + 3:
            continue
        folded = 0
        for _ in range(_DRAWS):
            place = int(rng.integers(starts.sum()))
            minus = bool(rng.integers(strands))
            part = int(np.searchsorted(np.cumsum(starts), place, side="right"))
            start = place - int(starts[:part].sum())
            name, offset, bases = stretch.parts[part]
            text = bases[start : start + length]
            if taken[part][start : start + length].any() or _OUTSIDE.search(text):
                continue
            folded += 1
            sequence = text.translate(_COMPLEMENT)[::-1] if minus else text
            if criteria.met(*fold(sequence)):
                taken[part][start : start + length] = True
                where = f"{name}:{offset + start + 1}-{offset + start + length}"
                found.append(
                    Entry(f"{where}({'-' if minus else '+'})", where, species, "", sequence)
                )
                break
            if folded >= _TRIES * min(1, (_LONG / length) ** 3):
                break
    return found


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
) -> list[tuple[int, list[Entry]]]:
    """Number and pseudo-hairpins of every `pieces`-th stretch; all pieces together are the same
    for any number of them.
    """
    how = partial(cut, criteria=criteria, strands=strands, seed=seed, species=species)
    given = stretches(path, lengths, strands=strands, piece=piece, pieces=pieces)
    return list(for_each(partial(_numbered, how), given, processes=processes, at_once=1))


def _numbered(how: Callable[[Stretch], list[Entry]], stretch: Stretch) -> tuple[int, list[Entry]]:
    return stretch.number, how(stretch)


def gathered(pieces: Iterable[pd.DataFrame]) -> list[Entry]:
    """Pseudo-hairpins of all pieces (`mirpair.contracts.read_pseudo_hairpins`), by stretch."""
    table = pd.concat(list(pieces)).sort_values("stretch", kind="stable")
    if table.empty:
        raise InputError(
            "no pseudo-hairpin was found: ask for a shorter `stem` or a higher `mfe`, or name "
            "other sequences"
        )
    rows = table[list(Entry._fields)].itertuples(index=False, name=None)
    return [Entry(*row) for row in rows]


def missing(lengths: Sequence[int], found: Sequence[Entry]) -> Counter[int]:
    """How many pseudo-hairpins of which length were asked for and not found."""
    return Counter(lengths) - Counter(len(entry.sequence) for entry in found)
