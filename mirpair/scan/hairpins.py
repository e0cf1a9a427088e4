"""Hairpins of a genome: where they are, and which of those that overlap remain.

ViennaRNA's windowed folding (RNALfold; Hofacker, Priwitzer and Stadler 2004, Bioinformatics 20:186)
finds locally stable structures. Their unbranched stems that have enough pairs, a loop that is not
too large and a low enough energy are candidates, as pseudo-hairpins are usually chosen (Xue et al.
2005, BMC Bioinformatics 6:310).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import RNA

from mirpair.scan.stems import find_stems
from mirpair.scan.tiles import DOWNSTREAM, Tile
from mirpair.settings import Criteria

STRANDS = "+-"
_COMPLEMENT = str.maketrans("ACGUacgu", "UGCAugca")
_BASES = re.compile("[ACGU]+")


class GenomeHairpin(NamedTuple):
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


def find_hairpins(tile: Tile, strand: str, criteria: Criteria) -> list[GenomeHairpin]:
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
    found: dict[tuple[int, int], GenomeHairpin] = {}
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
                found[first, stop] = GenomeHairpin(first, stop, strand, energy, bases)
    return [found[place] for place in sorted(found)]


def _candidates(bases: str, criteria: Criteria) -> Iterator[tuple[int, int, float]]:
    """Start, end and energy of the stems of one run of bases that meet the criteria."""
    if len(bases) < 2 * criteria.stem + 3:
        return
    find = _stem_structures if criteria.fast else _window_structures
    stems: set[tuple[int, str]] = set()
    for start, structure in find(bases, criteria):
        if structure.count("(") >= criteria.stem:
            for low, high, pairs, loop in unbranched(structure):
                short = loop <= criteria.loop and high - low <= criteria.span
                if pairs >= criteria.stem and short:
                    stems.add((start + low, structure[low:high]))
    for start, structure in sorted(stems):
        end = start + len(structure)
        energy = round(RNA.eval_structure_simple(bases[start:end], structure), 2)
        if energy <= criteria.mfe:
            yield start, end, energy


def _window_structures(bases: str, criteria: Criteria) -> Sequence[tuple[int, str]]:
    """Start and dot-bracket of all locally stable structures."""
    found: list[tuple[int, str]] = []
    model = RNA.md()
    model.window_size = model.max_bp_span = criteria.span

    def note(start: int, end: int, structure: str, energy: float, data: None) -> None:
        found.append((start - 1, structure))

    RNA.fold_compound(bases, model, RNA.OPTION_WINDOW).mfe_window_cb(note, None)
    return found


def _stem_structures(bases: str, criteria: Criteria) -> Sequence[tuple[int, str]]:
    """Start and dot-bracket of single stems; their energy is an estimate, mostly above the true."""
    least = criteria.mfe + _MARGIN
    return find_stems(bases, mfe=least, span=criteria.span, loop=criteria.loop)


_MARGIN = 4.0


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


def as_scanned(bases: str, criteria: Criteria) -> str:
    """What `find_hairpins` and `resolve` leave of one RNA, read on its strand; empty for nothing.

    Of several, the most stable.
    """
    tile = Tile("", 0, 0, len(bases), 0, bases, True)
    found = _most_stable(find_hairpins(tile, "+", criteria))
    return found[0].bases if found else ""


class TileHairpins(NamedTuple):
    """What was found in a tile: its place, and the candidates on both strands."""

    sequence: str
    end: int
    last: bool
    hairpins: list[GenomeHairpin]


def resolve(tiles: Iterable[TileHairpins]) -> Iterator[tuple[str, GenomeHairpin]]:
    """Of candidates that overlap on one strand, the most stable; then of those left, and so on.

    Parameters
    ----------
    tiles
        All tiles of a genome in their order.

    Yields
    ------
    sequence, hairpin
        In the order of the sequences, then by start, end and strand. Memory is that of a few
        tiles.
    """
    opened: dict[str, list[GenomeHairpin]] = {strand: [] for strand in STRANDS}
    waiting: list[GenomeHairpin] = []
    for tile in tiles:
        for strand in STRANDS:
            opened[strand] += [it for it in tile.hairpins if it.strand == strand]
            closed, opened[strand] = _closed(opened[strand], None if tile.last else tile.end)
            for group in closed:
                waiting += _most_stable(group)
        pending = [hairpin.start for group in opened.values() for hairpin in group]
        limit = min([tile.end, *pending])
        waiting.sort()
        ready = [hairpin for hairpin in waiting if tile.last or hairpin.start < limit]
        waiting = waiting[len(ready) :]
        for hairpin in ready:
            yield tile.sequence, hairpin


def _closed(
    hairpins: list[GenomeHairpin], known: int | None
) -> tuple[list[list[GenomeHairpin]], list[GenomeHairpin]]:
    """Groups that are connected by overlap, and what may still become a part of a group.

    Parameters
    ----------
    hairpins
        Of one strand.
    known
        Up to where all of them are there; None if that is the end.
    """
    groups: list[list[GenomeHairpin]] = []
    reach = -1
    for hairpin in sorted(hairpins):
        if hairpin.start >= reach:
            groups.append([])
        groups[-1].append(hairpin)
        reach = max(reach, hairpin.end)
    if known is not None and groups and reach > known:
        return groups[:-1], groups[-1]
    return groups, []


def _most_stable(group: list[GenomeHairpin]) -> list[GenomeHairpin]:
    """Greedily, the one of the lowest energy that overlaps none chosen before."""
    chosen: list[GenomeHairpin] = []
    for hairpin in sorted(group, key=lambda h: (h.energy, h.start, h.end)):
        if all(hairpin.end <= other.start or hairpin.start >= other.end for other in chosen):
            chosen.append(hairpin)
    return chosen
