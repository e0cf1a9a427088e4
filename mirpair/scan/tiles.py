"""Cut a genome into tiles, so that a genome of any size needs the memory of a few tiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple

from mirpair.files import InputError
from mirpair.rna.sequences import STDIN, read_parts
from mirpair.settings import HairpinCriteria

# Bases downstream of a tile that are folded with it: they decide which of several structures of
# similar energy is reported, rarely over more than some hundred bases.
DOWNSTREAM = 1000
TILE = 50_000
# IUPAC's letters of bases, and X for masked ones.
_UNKNOWN = re.compile("[^ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx]")


class Tile(NamedTuple):
    """A part of a sequence, with as much of its surroundings as its folding needs.

    Attributes
    ----------
    number
        Number of the tile in the file, from 0.
    start, end
        Positions of the tile without its surroundings, from 0 and half-open.
    offset
        Position of the first base of `text`.
    text
        Bases of the tile and its surroundings, T as U, upper or lower case as in the file.
    last
        Whether it is the last tile of the sequence.
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
    span: int = HairpinCriteria.span,
    position: Callable[[int], None] | None = None,
) -> Iterator[Tile]:
    """Read a genome in tiles, one after the other, in the memory of a tile.

    Parameters
    ----------
    path
        FASTA file, plain or gzip; ``"-"`` is standard input.
    tile
        Length of a tile without its surroundings, nt.
    span
        See `mirpair.settings.HairpinCriteria`.
    position
        See `mirpair.rna.sequences.open_text`.

    Raises
    ------
    InputError
        If it is not a FASTA file, or a sequence is empty, has no name, has the name of another one,
        or has a character that is not a letter of IUPAC's.
    """
    margin = DOWNSTREAM + 2 * span
    number = 0
    for name, parts in _read_named(path, position):
        buffer, offset, start = "", 0, 0
        ended = False
        while not ended:
            # Read on until all that the tile needs downstream is in the buffer.
            while len(buffer) + offset <= start + tile + margin:
                part = next(parts, None)
                if part is None:
                    ended = True
                    break
                buffer += part
            total = offset + len(buffer)
            while (start + tile + margin < total) or (ended and start < total):
                end = min(start + tile, total)
                last = ended and end == total
                text = buffer[max(0, start - margin) - offset : end + margin - offset]
                yield Tile(name, number, start, end, max(0, start - margin), text, last)
                number += 1
                start = end
                buffer = buffer[max(0, start - margin) - offset :]
                offset = max(0, start - margin)


def _read_named(
    path: str, position: Callable[[int], None] | None
) -> Iterator[tuple[str, Iterator[str]]]:
    """Read the name and, part by part, the bases of every sequence."""
    where = "standard input" if path == STDIN else path
    names: set[str] = set()
    for header, parts in read_parts(path, position=position):
        words = header.split(maxsplit=1)
        if not words:
            raise InputError(f"{where}: sequence {len(names) + 1} has no name after its '>'")
        name = words[0]
        if name in names:
            raise InputError(f"{where}: two sequences have the name {name!r}: rename one of them")
        if not name.isprintable():
            raise InputError(f"{where}: the name {name!r} has a control character: rename it")
        names.add(name)
        yield name, _bases(name, parts, where)


def _bases(name: str, parts: Iterator[str], where: str) -> Iterator[str]:
    length = 0
    for part in parts:
        if match := _UNKNOWN.search(part):
            raise InputError(
                f"{where}: sequence {name!r} has {match.group()!r} at position "
                f"{length + match.start() + 1}; only IUPAC's letters of bases are understood"
                + ("; is this a protein?" if match.group() in "EFILPQefilpq" else "")
            )
        length += len(part)
        yield part.replace("T", "U").replace("t", "u")
    if not length:
        raise InputError(f"{where}: sequence {name!r} is empty")


def check_genome(path: str) -> str:
    """Read a genome once, before hours of work; raise what `read_tiles` raises.

    Returns
    -------
    str
        SHA-256 of the names and bases, in hexadecimal. It does not depend on the file's name, the
        length of its lines, its compression or T for U, but on upper and lower case.
    """
    digest = sha256()
    for name, parts in _read_named(path, None):
        digest.update(f">{name}\n".encode())
        for part in parts:
            digest.update(part.encode())
    return digest.hexdigest()
