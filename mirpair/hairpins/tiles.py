"""Cut a genome into tiles, so that a genome of any size needs the memory of a few tiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import NamedTuple

from mirpair.files import InputError
from mirpair.rna.sequences import protein_hint, read_parts
from mirpair.rna.text_files import STDIN
from mirpair.settings import HairpinCriteria

ALL = "all"
# Bases downstream of a tile that are folded with it: they decide which of several structures of
# similar energy is reported, rarely over more than some hundred bases.
DOWNSTREAM = 1000
# Lengths of the longest hairpin that are folded on both sides of a tile: the hairpins of a tile
# depend on their neighbours, on the neighbours of these, and on other stems with the same loops.
SURROUNDINGS = 6
TILE = 50_000
# IUPAC's letters of bases, and X for masked ones.
_KNOWN = "ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx"
_UNKNOWN = re.compile(f"[^{_KNOWN}]")
_KNOWN_BYTES = _KNOWN.encode()


class Tile(NamedTuple):
    """A part of a sequence, with as much of its surroundings as its folding needs.

    Attributes
    ----------
    number
        Number of the tile in the file, from 0.
    start, end
        Positions of the tile without its surroundings, from 0 and half-open.
    offset
        Position of the first base of `text`. The tiles of a circular sequence begin some bases
        after its origin and go on as far beyond it, so positions may exceed its length.
    text
        Bases of the tile and its surroundings, T as U, upper or lower case as in the file.
    last
        Whether it is the last tile of the sequence.
    circular, length
        Whether the sequence is circular; its length, nt, in the last tile, and in each tile of a
        circular sequence whose text reaches the origin again; else None.
    """

    sequence: str
    number: int
    start: int
    end: int
    offset: int
    text: str
    last: bool
    circular: bool = False
    length: int | None = None


def read_tiles(
    path: str,
    *,
    tile: int = TILE,
    span: int = HairpinCriteria.span,
    circular: Sequence[str] = (),
    position: Callable[[int], None] | None = None,
) -> Iterator[Tile]:
    """Read a genome in tiles, one after the other, in the memory of a tile.

    Parameters
    ----------
    path
        FASTA file, plain or gzip; ``"-"`` is standard input.
    tile
        Length of a tile without its surroundings, nt.
    span, circular
        See `mirpair.settings.HairpinCriteria`.
    position
        See `mirpair.rna.text_files.open_text`.

    Raises
    ------
    InputError
        If it is not a FASTA file, has no bases, or a sequence has bases and no name, has the name
        of another one, or has a gap, letters below a structure, or another character that is not a
        letter of IUPAC's.
    """
    margin = DOWNSTREAM + SURROUNDINGS * span
    number = 0
    for name, parts in _read_named(path, position, note=lambda _: None, empty=[]):
        around = None
        if is_circular(name, circular):
            head, parts = _read_head(parts, margin)
            if len(head) <= margin:
                for it in _tiles_of_short_circle(name, head, number, tile, margin):
                    yield it
                    number += 1
                continue
            around = _Around(parts, 2 * margin)
        buffer, offset, start = "", 0, margin if around else 0
        bases = around or parts
        ended = False
        while not ended:
            # Read on until all that the tile needs downstream is in the buffer.
            while len(buffer) + offset <= start + tile + margin:
                part = next(bases, None)
                if part is None:
                    ended = True
                    break
                buffer += part
            total = offset + len(buffer)
            until = total - margin if around else total
            while (start + tile + margin < total) or (ended and start < until):
                end = min(start + tile, until)
                last = ended and end == until
                text = buffer[max(0, start - margin) - offset : end + margin - offset]
                length = total if last else None
                if around:
                    length = around.length if around.length < end + margin else None
                yield Tile(
                    *(name, number, start, end, max(0, start - margin), text, last),
                    circular=around is not None,
                    length=length,
                )
                number += 1
                start = end
                buffer = buffer[max(0, start - margin) - offset :]
                offset = max(0, start - margin)


def join_short(tiles: Iterable[Tile], tile: int = TILE) -> Iterator[list[Tile]]:
    """Join tiles of short sequences, which are searched together in much less time.

    Parameters
    ----------
    tiles
        Any number of them; they are read as needed.
    tile
        Greatest length of the texts that are joined, nt. A longer one, and that of a circular
        sequence, is alone.
    """
    together: list[Tile] = []
    length = 0
    for one in tiles:
        length += len(one.text)
        if together and (length > tile or one.circular or together[0].circular):
            yield together
            together, length = [], len(one.text)
        together.append(one)
    if together:
        yield together


def is_circular(name: str, circular: Sequence[str]) -> bool:
    """Whether a sequence is circular: if it, or `ALL`, is among the names."""
    return name in circular or ALL in circular


def _read_head(parts: Iterator[str], length: int) -> tuple[str, Iterator[str]]:
    """Read a sequence until it is longer than this, nt; return what was read, and all parts."""
    head = ""
    for part in parts:
        head += part
        if len(head) > length:
            break
    return head, chain([head], parts)


def _tiles_of_short_circle(
    name: str, bases: str, number: int, tile: int, margin: int
) -> Iterator[Tile]:
    """Cut a circle that is shorter than the surroundings of a tile.

    Its surroundings are copies of itself, so what is found could depend on where they begin. They
    begin with the first of all its rotations in alphabetical order, wherever the file cuts it.
    """
    length = len(bases)
    begin = min(range(length), key=lambda it: bases[it:] + bases[:it])
    begin += length * -(-margin // length)
    around = bases * (-(-(begin + length + margin) // length))
    for start in range(begin, begin + length, tile):
        end = min(start + tile, begin + length)
        yield Tile(
            *(name, number, start, end, start - margin, around[start - margin : end + margin]),
            last=end == begin + length,
            circular=True,
            length=length,
        )
        number += 1


class _Around:
    """The parts of a circular sequence, and then its first bases again.

    Attributes
    ----------
    length
        Length of the sequence, nt, once it has been read; before, the length that was read.
    """

    def __init__(self, parts: Iterator[str], again: int) -> None:
        self.length = 0
        self._parts = self._read(parts, again)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._parts)

    def _read(self, parts: Iterator[str], again: int) -> Iterator[str]:
        head = ""
        for part in parts:
            head += part[: again - len(head)]
            self.length += len(part)
            yield part
        if head:
            repeats = -(-again // len(head))
            yield (head * repeats)[:again]


def _read_named(
    path: str,
    position: Callable[[int], None] | None,
    note: Callable[[str], None],
    empty: list[str],
) -> Iterator[tuple[str, Iterator[str]]]:
    """Read the name and, part by part, the bases of every sequence.

    The names of sequences without bases are appended to `empty`.
    """
    where = "standard input" if path == STDIN else path
    names: set[str] = set()
    read = read_parts(path, position=position, note=note, gaps="refuse")
    for number, (header, parts) in enumerate(read, 1):
        words = header.split(maxsplit=1)
        first = next(parts, "")
        if not first:
            empty.append(words[0] if words else "")
            continue
        if not words:
            raise InputError(f"{where}: sequence {number} has no name after its '>'")
        name = words[0]
        if name in names:
            raise InputError(f"{where}: two sequences have the name {name!r}: rename one of them")
        if not name.isprintable():
            raise InputError(f"{where}: the name {name!r} has a control character: rename it")
        names.add(name)
        yield name, _bases(name, chain([first], parts), where)
    if not names:
        raise InputError(f"{where}: none of its sequences has a base")


def _bases(name: str, parts: Iterator[str], where: str) -> Iterator[str]:
    length = 0
    for part in parts:
        # To delete all known letters takes a seventh of the time of a search for another one.
        if part.encode().translate(None, _KNOWN_BYTES) and (match := _UNKNOWN.search(part)):
            raise InputError(
                f"{where}: sequence {name!r} has {match.group()!r} at position "
                f"{length + match.start() + 1}; only IUPAC's letters of bases are understood"
                + protein_hint(part)
            )
        length += len(part)
        yield part.replace("T", "U").replace("t", "u")


def check_genome(
    path: str,
    circular: Sequence[str] = (),
    *,
    others: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> str:
    """Read a genome once, before hours of work.

    Parameters
    ----------
    circular
        See `mirpair.settings.HairpinCriteria`.
    others
        Whether the names are of other genomes too; then one that is missing here is only noted.
    note
        Gets what a user should know of it: that sequences have no bases, or that the file has
        structures, which are ignored.

    Returns
    -------
    str
        SHA-256 of the names and bases, in hexadecimal. It does not depend on the file's name, the
        length of its lines, its compression or T for U, but on upper and lower case.

    Raises
    ------
    InputError
        As `read_tiles` does, and if one of the circular sequences is missing, without `others`.
    """
    digest = sha256()
    missing = [name for name in circular if name != ALL]
    empty: list[str] = []
    for name, parts in _read_named(path, None, note, empty):
        digest.update(f">{name}\n".encode())
        for part in parts:
            digest.update(part.encode())
        missing = [it for it in missing if it != name]
    for name in missing:
        text = f"{path}: no sequence is named {name!r}, so it cannot be circular"
        if not others:
            raise InputError(
                f"{text}; give the first word of a header, or {ALL!r} if all sequences are circular"
            )
        note(text)
    if empty:
        named = ", ".join(repr(name) if name else "one without a name" for name in empty[:3])
        note(
            f"{path}: {len(empty):,} sequence{'s' * (len(empty) > 1)} without bases, skipped: "
            f"{named}{', …' * (len(empty) > 3)}"
        )
    return digest.hexdigest()
