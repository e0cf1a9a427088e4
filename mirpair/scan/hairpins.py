"""Find hairpins, and keep the most stable one of those that overlap.

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
from mirpair.settings import HairpinCriteria

STRANDS = "+-"
_COMPLEMENT = str.maketrans("ACGUacgu", "UGCAugca")
_BASES = re.compile("[ACGU]+")
_LOOP = re.compile(r"\(\.*\)")
# The energy of a single stem is first estimated, mostly too high: by up to so much, kcal/mol.
_MARGIN = 4.0


class GenomeHairpin(NamedTuple):
    """A candidate: an unbranched stem that meets the criteria.

    Attributes
    ----------
    start, end
        Positions on the forward strand of the sequence, from 0 and half-open.
    strand
        ``"+"`` or ``"-"``.
    energy
        Energy of its structure in the window, kcal/mol.
    bases
        Its bases on its own strand, 5′ to 3′.
    """

    start: int
    end: int
    strand: str
    energy: float
    bases: str


def find_hairpins(tile: Tile, strand: str, criteria: HairpinCriteria) -> list[GenomeHairpin]:
    """Find all candidates on one strand whose lower coordinate is in a tile.

    Of candidates with the same positions only the one of the lowest energy counts; others may
    overlap, see `resolve`.
    """
    text = tile.text if criteria.masked else tile.text.upper()
    if strand == "-":
        text = text.translate(_COMPLEMENT)[::-1]
    # On the reverse strand, downstream is to the left. Upstream, a hairpin's length is enough.
    low = max(0, tile.start - tile.offset - (DOWNSTREAM if strand == "-" else 0) - criteria.span)
    beyond = DOWNSTREAM if strand == "+" else criteria.span
    high = tile.end - tile.offset + criteria.span + beyond
    if strand == "-":
        low, high = max(0, len(text) - high), len(text) - low
    best: dict[tuple[int, int], GenomeHairpin] = {}
    for run in _BASES.finditer(text, low, high):
        for start, end, energy in _candidates(run.group(), criteria):
            bases = run.group()[start:end]
            first, stop = run.start() + start, run.start() + end
            if strand == "-":
                first, stop = len(text) - stop, len(text) - first
            first, stop = first + tile.offset, stop + tile.offset
            if not tile.start <= first < tile.end:
                continue
            other = best.get((first, stop))
            if other is None or energy < other.energy:
                best[first, stop] = GenomeHairpin(first, stop, strand, energy, bases)
    return [best[positions] for positions in sorted(best)]


def _candidates(bases: str, criteria: HairpinCriteria) -> Iterator[tuple[int, int, float]]:
    """Find the stems in a run of bases that meet the criteria: start, end and energy of each."""
    if len(bases) < 2 * criteria.stem + 3:
        return
    structures: Sequence[tuple[int, str]]
    if criteria.fast:
        most = criteria.mfe + _MARGIN
        structures = find_stems(bases, mfe=most, span=criteria.span, loop=criteria.loop)
    else:
        structures = _window_structures(bases, criteria.span)
    stems: set[tuple[int, str]] = set()
    for start, structure in structures:
        if structure.count("(") >= criteria.stem:
            for low, high, pairs, loop in unbranched(structure):
                is_short = loop <= criteria.loop and high - low <= criteria.span
                if pairs >= criteria.stem and is_short:
                    stems.add((start + low, structure[low:high]))
    for start, structure in sorted(stems):
        end = start + len(structure)
        energy = round(RNA.eval_structure_simple(bases[start:end], structure), 2)
        if energy <= criteria.mfe:
            yield start, end, energy


def _window_structures(bases: str, span: int) -> list[tuple[int, str]]:
    """Find all locally stable structures: start and dot-bracket of each."""
    structures: list[tuple[int, str]] = []
    model = RNA.md()
    model.window_size = model.max_bp_span = span

    def note(start: int, end: int, structure: str, energy: float, data: None) -> None:
        structures.append((start - 1, structure))

    RNA.fold_compound(bases, model, RNA.OPTION_WINDOW).mfe_window_cb(note, None)
    return structures


def unbranched(structure: str) -> Iterator[tuple[int, int, int, int]]:
    """Find the hairpins of a structure (dot-bracket), each from its loop out to a branch or an end.

    Yields
    ------
    (start, end, pairs, loop)
        Positions of each hairpin, half-open; number of its base pairs, and of the unpaired bases in
        its loop.

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
            if left < 0 or right == len(structure) or structure[left] + structure[right] != "()":
                break
            low, high = left, right
            pairs += 1
        yield low, high + 1, pairs, len(loop.group()) - 2


def as_scanned(bases: str, criteria: HairpinCriteria) -> str:
    """Cut an RNA to the most stable hairpin that a scan finds in it; empty if there is none."""
    tile = Tile("", 0, 0, len(bases), 0, bases, True)
    hairpins = _most_stable(find_hairpins(tile, "+", criteria))
    return hairpins[0].bases if hairpins else ""


class TileHairpins(NamedTuple):
    """The candidates of a tile, on both strands.

    Attributes
    ----------
    sequence, end, last
        See `mirpair.scan.tiles.Tile`.
    hairpins
        In any order.
    """

    sequence: str
    end: int
    last: bool
    hairpins: list[GenomeHairpin]


def resolve(tiles: Iterable[TileHairpins]) -> Iterator[tuple[str, GenomeHairpin]]:
    """Choose hairpins that do not overlap: the most stable first, on each strand.

    The tiles are all those of a genome, in their order.

    Yields
    ------
    sequence, hairpin
        In the order of the sequences, then by start, end and strand. Only a few tiles are in
        memory.
    """
    open_groups: dict[str, list[GenomeHairpin]] = {strand: [] for strand in STRANDS}
    waiting: list[GenomeHairpin] = []
    for tile in tiles:
        for strand in STRANDS:
            open_groups[strand] += [it for it in tile.hairpins if it.strand == strand]
            end = None if tile.last else tile.end
            closed, open_groups[strand] = _split(open_groups[strand], end)
            for group in closed:
                waiting += _most_stable(group)
        pending = [hairpin.start for group in open_groups.values() for hairpin in group]
        limit = min([tile.end, *pending])
        waiting.sort()
        ready = [hairpin for hairpin in waiting if tile.last or hairpin.start < limit]
        waiting = waiting[len(ready) :]
        for hairpin in ready:
            yield tile.sequence, hairpin


def _split(
    hairpins: list[GenomeHairpin], end: int | None
) -> tuple[list[list[GenomeHairpin]], list[GenomeHairpin]]:
    """Split hairpins of one strand into groups that overlap, and the rest, which may still grow.

    They begin before the end of the last tile; None is the end of the sequence.
    """
    groups: list[list[GenomeHairpin]] = []
    reach = -1
    for hairpin in sorted(hairpins):
        if hairpin.start >= reach:
            groups.append([])
        groups[-1].append(hairpin)
        reach = max(reach, hairpin.end)
    if end is not None and groups and reach > end:
        return groups[:-1], groups[-1]
    return groups, []


def _most_stable(group: list[GenomeHairpin]) -> list[GenomeHairpin]:
    """Choose hairpins that do not overlap, greedily by their energy."""
    chosen: list[GenomeHairpin] = []
    for hairpin in sorted(group, key=lambda h: (h.energy, h.start, h.end)):
        if all(hairpin.end <= other.start or hairpin.start >= other.end for other in chosen):
            chosen.append(hairpin)
    return chosen
