"""Hairpins of a genome: where they are, which of those that overlap stay, what is written of them.

ViennaRNA's windowed folding (RNALfold; Hofacker, Priwitzer and Stadler 2004, Bioinformatics 20:186)
finds locally stable structures. Their unbranched stems that have enough pairs, a loop that is not
too large and a low enough energy are candidates, as pseudo-hairpins are usually chosen (Xue et al.
2005, BMC Bioinformatics 6:310).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import RNA

from mirpair.files import InputError
from mirpair.sequences import open_text

# A tile is folded with this much of its neighbours: what is downstream decides which of several
# structures of like energy is reported, rarely over more than some hundred bases.
DOWNSTREAM = 1000
TILE = 50_000
SPAN = 120
STRANDS = "+-"
_COMPLEMENT = str.maketrans("ACGUacgu", "UGCAugca")
_BASES = re.compile("[ACGU]+")
_LETTERS = re.compile("[^A-Za-z]")
_LINE = 1 << 16


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is a hairpin.

    Attributes
    ----------
    span
        Longest, nt; the window of the folding.
    stem
        Least base pairs.
    loop
        Most unpaired bases in the loop at its end.
    mfe
        Highest energy, kcal/mol.
    masked
        Whether lower-case bases (soft-masked repeats) are passed over, as N is.
    """

    span: int = SPAN
    stem: int = 18
    loop: int = 25
    mfe: float = -15.0
    masked: bool = False


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


class Hairpin(NamedTuple):
    """A candidate.

    Attributes
    ----------
    start, end
        In the sequence, on its forward strand, from 0 and half-open.
    strand
        ``"+"`` or ``"-"``.
    energy
        Of its structure in the window, kcal/mol.
    bases
        As they are read on its strand, 5′ to 3′.
    """

    start: int
    end: int
    strand: str
    energy: float
    bases: str


def read_tiles(path: str, *, tile: int = TILE, span: int = SPAN) -> Iterator[Tile]:
    """Read a genome in tiles, one after the other: memory is that of a tile.

    Parameters
    ----------
    path
        FASTA file, plain or gzip; ``"-"`` is standard input.
    tile
        What is a tile's own, nt.
    span
        See `Criteria`.

    Raises
    ------
    InputError
        If it is no FASTA file, a sequence has no name or that of another one, is empty, or has a
        character that is no letter.
    """
    margin = DOWNSTREAM + 2 * span
    number = 0
    for name, parts in _read_parts(path):
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


def _read_parts(path: str) -> Iterator[tuple[str, Iterator[str]]]:
    """Name and bases, part by part, of every sequence; a line may be of any length."""
    where = "standard input" if path == "-" else path
    seen: set[str] = set()
    with open_text(path) as handle:
        lines = iter(lambda: handle.readline(_LINE), "")
        header = next((line for line in lines if line.strip()), None)
        if header is None:
            raise InputError(f"{where}: the file is empty; a FASTA file was expected")
        while header is not None:
            if not header.startswith(">"):
                raise InputError(
                    f"{where}: not a FASTA file: it begins with {header.strip()[:40]!r}, "
                    "a FASTA record begins with '>' and its name"
                )
            words = header[1:].split()
            while not header.endswith("\n") and (rest := next(lines, "")):
                header = rest
            if not words:
                raise InputError(f"{where}: sequence {len(seen) + 1} has no name after its '>'")
            name = words[0]
            if name in seen:
                raise InputError(
                    f"{where}: two sequences have the name {name!r}: rename one of them"
                )
            seen.add(name)
            following: list[str] = []

            def parts(name: str = name, following: list[str] = following) -> Iterator[str]:
                begins = True
                length = 0
                for line in lines:
                    if begins and line.startswith(">"):
                        following.append(line)
                        break
                    begins = line.endswith("\n")
                    part = line.strip()
                    if odd := _LETTERS.search(part):
                        raise InputError(
                            f"{where}: sequence {name!r} has {odd.group()!r} at position "
                            f"{length + odd.start() + 1}; only letters are understood"
                        )
                    length += len(part)
                    if part:
                        yield part.replace("T", "U").replace("t", "u")
                if not length:
                    raise InputError(f"{where}: sequence {name!r} is empty")

            yield name, parts()
            header = following[0] if following else None


def find_hairpins(tile: Tile, strand: str, criteria: Criteria) -> list[Hairpin]:
    """All candidates on one strand that begin (by their lower coordinate) in a tile.

    Those of the same place are one, that of the lowest energy; others may overlap, see `resolve`.
    """
    text = tile.text if criteria.masked else tile.text.upper()
    if strand == "-":
        text = text.translate(_COMPLEMENT)[::-1]
    # Downstream is on the other side there; upstream only what a hairpin can reach is needed.
    low = max(0, tile.start - tile.offset - (DOWNSTREAM if strand == "-" else 0) - criteria.span)
    beyond = DOWNSTREAM if strand == "+" else criteria.span
    high = tile.end - tile.offset + criteria.span + beyond
    if strand == "-":
        low, high = max(0, len(text) - high), len(text) - low
    found: dict[tuple[int, int], Hairpin] = {}
    for run in _BASES.finditer(text, low, high):
        for start, end, energy in _candidates(run.group(), criteria):
            bases = run.group()[start:end]
            first, stop = run.start() + start, run.start() + end
            if strand == "-":
                first, stop = len(text) - stop, len(text) - first
            first, stop = first + tile.offset, stop + tile.offset
            if not tile.start <= first < tile.end:
                continue
            other = found.get((first, stop))
            if other is None or energy < other.energy:
                found[first, stop] = Hairpin(first, stop, strand, energy, bases)
    return [found[place] for place in sorted(found)]


def _candidates(bases: str, criteria: Criteria) -> Iterator[tuple[int, int, float]]:
    """Start, end and energy of the stems of one run of bases that meet the criteria."""
    if len(bases) < 2 * criteria.stem + 3:
        return
    model = RNA.md()
    model.window_size = model.max_bp_span = criteria.span
    stems: set[tuple[int, str]] = set()

    def note(start: int, end: int, structure: str, energy: float, data: None) -> None:
        if structure.count("(") >= criteria.stem:
            for low, high, pairs, loop in unbranched(structure):
                if pairs >= criteria.stem and loop <= criteria.loop:
                    stems.add((start - 1 + low, structure[low:high]))

    compound = RNA.fold_compound(bases, model, RNA.OPTION_WINDOW)
    compound.mfe_window_cb(note, None)
    for start, structure in sorted(stems):
        end = start + len(structure)
        energy = round(RNA.eval_structure_simple(bases[start:end], structure), 2)
        if energy <= criteria.mfe:
            yield start, end, energy


def unbranched(structure: str) -> Iterator[tuple[int, int, int, int]]:
    """The hairpins of a structure, each from its loop out to where a branch or an end is.

    Parameters
    ----------
    structure
        Dot-bracket.

    Yields
    ------
    (start, end, pairs, loop)
        Of each, half-open; number of its base pairs, and of the unpaired bases in its loop.

    Examples
    --------
    >>> list(unbranched("((.((...))..((....))))"))
    [(3, 10, 2, 3), (12, 20, 2, 4)]
    """
    for loop in _LOOP.finditer(structure):
        low, high = loop.start(), loop.end() - 1
        pairs = 1
        while True:
            left, right = low - 1, high + 1
            while left >= 0 and structure[left] == ".":
                left -= 1
            while right < len(structure) and structure[right] == ".":
                right += 1
            if left < 0 or right == len(structure):
                break
            if structure[left] != "(" or structure[right] != ")":
                break
            low, high = left, right
            pairs += 1
        yield low, high + 1, pairs, len(loop.group()) - 2


_LOOP = re.compile(r"\(\.*\)")


def resolve(tiles: Iterable[tuple[Tile, list[Hairpin]]]) -> Iterator[tuple[str, Hairpin]]:
    """Of candidates that overlap on one strand, the most stable; then of those left, and so on.

    Parameters
    ----------
    tiles
        All tiles of a genome in their order, each with the candidates of both strands.

    Yields
    ------
    sequence, hairpin
        In the order of the sequences, then by start, end and strand. Memory is that of a few
        tiles.
    """
    opened: dict[str, list[Hairpin]] = {strand: [] for strand in STRANDS}
    waiting: list[Hairpin] = []
    for tile, hairpins in tiles:
        for strand in STRANDS:
            opened[strand] += [hairpin for hairpin in hairpins if hairpin.strand == strand]
            known = None if tile.last else tile.end
            closed, opened[strand] = _closed(opened[strand], known)
            for group in closed:
                waiting += _most_stable(group)
        pending = [hairpin.start for group in opened.values() for hairpin in group]
        limit = min([tile.end, *pending])
        waiting.sort()
        ready = [h for h in waiting if tile.last or h.start < limit]
        waiting = waiting[len(ready) :]
        for hairpin in ready:
            yield tile.sequence, hairpin


def _closed(
    hairpins: list[Hairpin], known: int | None
) -> tuple[list[list[Hairpin]], list[Hairpin]]:
    """Groups that are connected by overlap, and what may still become a part of a group.

    Parameters
    ----------
    hairpins
        Of one strand.
    known
        Up to where all of them are there; None if that is the end.
    """
    groups: list[list[Hairpin]] = []
    reach = -1
    for hairpin in sorted(hairpins):
        if hairpin.start >= reach:
            groups.append([])
        groups[-1].append(hairpin)
        reach = max(reach, hairpin.end)
    if known is not None and groups and reach > known:
        return groups[:-1], groups[-1]
    return groups, []


def _most_stable(group: list[Hairpin]) -> list[Hairpin]:
    """Greedily, the one of the lowest energy that overlaps none chosen before."""
    chosen: list[Hairpin] = []
    for hairpin in sorted(group, key=lambda h: (h.energy, h.start, h.end)):
        if all(hairpin.end <= other.start or hairpin.start >= other.end for other in chosen):
            chosen.append(hairpin)
    return chosen
