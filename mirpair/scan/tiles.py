"""Stretches of a genome: a file of any size is read and folded in the memory of a few tiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mirpair.files import InputError
from mirpair.rna.sequences import STDIN, read_parts
from mirpair.settings import Criteria

# A tile is folded with this much of its neighbours: the bases downstream decide which of several
# structures of similar energy is reported, rarely over more than some hundred bases.
DOWNSTREAM = 1000
TILE = 50_000
# IUPAC's letters of bases, and X for masked ones.
_LETTERS = re.compile("[^ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx]")


class Tile(NamedTuple):
    """A stretch of a genome, with as much of its neighbours as its folding needs.

    Attributes
    ----------
    sequence
        Name of the sequence that it is a part of.
    number
        Of the tile, from 0, over the whole file.
    start, end
        Of what is its own, from 0 and half-open.
    offset
        Where `text` begins in the sequence.
    text
        Bases, T as U, in the case that they have in the file.
    last
        Whether the sequence ends with it.
    """

    sequence: str
    number: int
    start: int
    end: int
    offset: int
    text: str
    last: bool


def read_tiles(
    path: str,
    *,
    tile: int = TILE,
    span: int = Criteria.span,
    position: Callable[[int], None] | None = None,
) -> Iterator[Tile]:
    """Read a genome in tiles, one after the other: memory is that of a tile.

    Parameters
    ----------
    path
        FASTA file, plain or gzip; ``"-"`` is standard input.
    tile
        What is a tile's own, nt.
    span
        See `mirpair.settings.Criteria`.
    position
        See `mirpair.rna.sequences.open_text`.

    Raises
    ------
    InputError
        If it is no FASTA file, a sequence has no name or that of another one, is empty, or has a
        character that is no letter.
    """
    margin = DOWNSTREAM + 2 * span
    number = 0
    for name, parts in _read_named(path, position):
        held, offset, start = "", 0, 0
        ended = False
        while not ended:
            # As long as there is more, a tile has all of its neighbour that it needs.
            while len(held) + offset <= start + tile + margin:
                part = next(parts, None)
                if part is None:
                    ended = True
                    break
                held += part
            total = offset + len(held)
            while (start + tile + margin < total) or (ended and start < total):
                end = min(start + tile, total)
                last = ended and end == total
                text = held[max(0, start - margin) - offset : end + margin - offset]
                yield Tile(name, number, start, end, max(0, start - margin), text, last)
                number += 1
                start = end
                held = held[max(0, start - margin) - offset :]
                offset = max(0, start - margin)


def _read_named(
    path: str, position: Callable[[int], None] | None
) -> Iterator[tuple[str, Iterator[str]]]:
    """Name and bases, part by part, of every sequence."""
    where = "standard input" if path == STDIN else path
    seen: set[str] = set()
    for header, parts in read_parts(path, position=position):
        words = header.split(maxsplit=1)
        if not words:
            raise InputError(f"{where}: sequence {len(seen) + 1} has no name after its '>'")
        name = words[0]
        if name in seen:
            raise InputError(f"{where}: two sequences have the name {name!r}: rename one of them")
        if not name.isprintable():
            raise InputError(f"{where}: the name {name!r} has a control character: rename it")
        seen.add(name)
        yield name, _bases(name, parts, where)


def _bases(name: str, parts: Iterator[str], where: str) -> Iterator[str]:
    length = 0
    for part in parts:
        if odd := _LETTERS.search(part):
            raise InputError(
                f"{where}: sequence {name!r} has {odd.group()!r} at position "
                f"{length + odd.start() + 1}; only IUPAC's letters of bases are understood"
                + ("; is this a protein?" if odd.group() in "EFILPQefilpq" else "")
            )
        length += len(part)
        yield part.replace("T", "U").replace("t", "u")
    if not length:
        raise InputError(f"{where}: sequence {name!r} is empty")


def check_genome(path: str) -> None:
    """Read a genome once, before hours of work on it; see `read_tiles` for what is refused."""
    for _, parts in _read_named(path, None):
        for _ in parts:
            pass
