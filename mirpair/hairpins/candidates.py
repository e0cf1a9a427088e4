"""Find hairpins, and choose among those that share bases.

`mirpair.hairpins.stems` finds single stems. An exhaustive search also takes the stems of locally
stable structures, which ViennaRNA's windowed folding finds (RNALfold; Hofacker, Priwitzer and
Stadler 2004, Bioinformatics 20:186). Unbranched stems that have enough pairs, a loop that is not
too large and a low enough energy are candidates, as pseudo-hairpins are usually chosen (Xue et al.
2005, BMC Bioinformatics 6:310). Of the candidates with the same loop the most stable one for its
length remains. Of those on a strand that share too many bases, the one with the lowest rank
remains: the most stable one for its length or, in a scan, the one with the highest score.
"""

from __future__ import annotations

import math
import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain
from typing import NamedTuple

import RNA
from Bio.Seq import reverse_complement_rna

from mirpair.hairpins.stems import PER_BASE, find_stems
from mirpair.hairpins.tiles import DOWNSTREAM, SURROUNDINGS, Tile
from mirpair.rna.structures import unbranched
from mirpair.settings import LONGEST_SPAN, HairpinCriteria

STRANDS = "+-"
_BASES = re.compile("[ACGU]+")
# The energy of a single stem is first estimated, mostly too high: by up to so much, kcal/mol.
_MARGIN = 4.0


class GenomeHairpin(NamedTuple):
    """A candidate: an unbranched stem that meets the criteria.

    Attributes
    ----------
    start, end
        Positions on the forward strand of the sequence, from 0 and half-open. In a circular
        sequence, a hairpin over the origin ends beyond the sequence's length.
    strand
        ``"+"`` or ``"-"``.
    energy
        Energy of its structure in the window, kcal/mol.
    bases, structure
        Its bases on its own strand, 5′ to 3′, and its structure in the window (dot-bracket).
    rank
        Of hairpins that share bases, that with the lowest rank is chosen.
    masked
        Number of its bases that are in lower case in the genome's file; 0 until it is scored.
    row
        Columns of its prediction, as a line of a TSV; empty until it is scored.
    """

    start: int
    end: int
    strand: str
    energy: float
    bases: str
    structure: str
    rank: int
    masked: int = 0
    row: str = ""


def find_around(
    tiles: Sequence[Tile], strand: str, criteria: HairpinCriteria, *, highest: float = math.inf
) -> list[list[GenomeHairpin]]:
    """Find all candidates on one strand of each tile and its surroundings, in ascending order.

    Of candidates with the same loop only the best one counts. The tiles are those that
    `mirpair.hairpins.tiles.join_short` joins; `highest` is that of `find_in_each`.
    """
    first = tiles[0]
    if len(tiles) > 1 and any(it.circular for it in tiles):
        raise ValueError("a tile of a circular sequence is searched alone")
    if first.circular and first.length and first.length < criteria.span:
        criteria = replace(criteria, span=first.length)
    # On the reverse strand, downstream is to the left.
    around = SURROUNDINGS * criteria.span
    texts, offsets = [], []
    for tile in tiles:
        low = max(0, tile.start - tile.offset - (DOWNSTREAM if strand == "-" else 0) - around)
        high = tile.end - tile.offset + (DOWNSTREAM if strand == "+" else 0) + around
        texts.append(tile.text[low:high])
        offsets.append(low + tile.offset)
    each = find_in_each(texts, strand, criteria, highest=highest)
    return [
        sorted(_shift(hairpin, offset) for hairpin in hairpins)
        for hairpins, offset in zip(each, offsets, strict=True)
    ]


def choose_in(tile: Tile, hairpins: Sequence[GenomeHairpin]) -> list[GenomeHairpin]:
    """Choose those of a strand whose lower coordinate is in the tile.

    Those that `resolve` can never choose are left out. The hairpins are those of the tile and its
    surroundings, in ascending order.
    """
    return [it for it in _without_beaten(hairpins) if tile.start <= it.start < tile.end]


def find_in_each(
    texts: Sequence[str], strand: str, criteria: HairpinCriteria, *, highest: float = math.inf
) -> list[list[GenomeHairpin]]:
    """Find all candidates on one strand of each of several sequences.

    They are searched together, which takes much less time than one by one if they are short. Of
    candidates with the same loop only the best one counts.

    Parameters
    ----------
    texts
        Over IUPAC's letters, T as U; none is circular. The memory grows with their length together.
    highest
        Highest energy, kcal/mol, after `PER_BASE` is added for each base.

    Returns
    -------
    list
        The candidates of each sequence, in any order; their positions are those in the sequence.
    """
    if not criteria.masked:
        texts = [text.upper() for text in texts]
    if strand == "-":
        texts = [reverse_complement_rna(text) for text in texts]
    runs = [
        (number, run.start(), run.group())
        for number, text in enumerate(texts)
        for run in _BASES.finditer(text)
        if run.end() - run.start() >= criteria.shortest
    ]
    hairpins: list[list[GenomeHairpin]] = [[] for _ in texts]
    for run, stem in _candidates([bases for _, _, bases in runs], criteria, highest):
        number, offset, bases = runs[run]
        first, stop = offset + stem.start, offset + stem.end
        if strand == "-":
            first, stop = len(texts[number]) - stop, len(texts[number]) - first
        hairpins[number].append(
            GenomeHairpin(
                first,
                stop,
                strand,
                stem.energy,
                bases[stem.start : stem.end],
                stem.structure,
                stem.rank,
            )
        )
    return hairpins


def _without_beaten(hairpins: Sequence[GenomeHairpin]) -> list[GenomeHairpin]:
    """Leave out hairpins that are in conflict with one that is better than all its neighbours.

    They are of one strand, in ascending order.
    """
    conflicts = []
    for number, one in enumerate(hairpins):
        for other in range(number + 1, len(hairpins)):
            if hairpins[other].start >= one.end:
                break
            if _conflict(one, hairpins[other]):
                is_better = _order(one) < _order(hairpins[other])
                conflicts.append((number, other) if is_better else (other, number))
    beaten = {worse for _, worse in conflicts}
    out = {worse for better, worse in conflicts if better not in beaten}
    return [hairpin for number, hairpin in enumerate(hairpins) if number not in out]


class _Candidate(NamedTuple):
    """A stem in a run of bases."""

    rank: int
    start: int
    end: int
    energy: float
    structure: str


def _candidates(
    runs: Sequence[str], criteria: HairpinCriteria, highest: float
) -> Iterator[tuple[int, _Candidate]]:
    """Find the best stem around each loop of runs of bases, with the number of its run."""
    if not runs:
        return
    bases = "N".join(runs)
    starts = list(accumulate((len(run) + 1 for run in runs), initial=0))
    stems: set[tuple[int, str]] = set(
        find_stems(
            bases,
            mfe=criteria.mfe + _MARGIN,
            span=criteria.span,
            loop=criteria.loop,
            stem=criteria.stem,
            # The estimate of a stem that is long for its energy is too high by more.
            highest=highest + 2 * _MARGIN,
        )
    )
    # Folding finds stems of any shape, but not one whose bases have better partners beside it.
    for offset, run in zip(starts, runs if criteria.exhaustive else [], strict=False):
        for start, structure in _window_structures(run, criteria.span):
            if structure.count("(") >= criteria.stem:
                for low, high, pairs, loop in unbranched(structure):
                    is_short = loop <= criteria.loop and high - low <= criteria.span
                    if pairs >= criteria.stem and is_short:
                        stems.add((offset + start + low, structure[low:high]))
    best: dict[tuple[int, int], _Candidate] = {}
    for start, structure in stems:
        end = start + len(structure)
        energy = round(RNA.eval_structure_simple(bases[start:end], structure), 2)
        if energy <= criteria.mfe and _rank(energy, len(structure)) <= 100 * highest:
            innermost = (start + structure.rindex("("), start + structure.index(")"))
            stem = _Candidate(_rank(energy, len(structure)), start, end, energy, structure)
            best[innermost] = min(stem, best.get(innermost, stem))
    for stem in best.values():
        number = bisect_right(starts, stem.start) - 1
        by = starts[number]
        yield number, stem._replace(start=stem.start - by, end=stem.end - by)


def _rank(energy: float, length: int) -> int:
    """Rank a hairpin: its energy and `PER_BASE` for each of its bases, in 0.01 kcal/mol."""
    return round(100 * energy) + round(100 * PER_BASE) * length


def _window_structures(bases: str, span: int) -> list[tuple[int, str]]:
    """Find all locally stable structures: start and dot-bracket of each."""
    structures: list[tuple[int, str]] = []
    model = RNA.md()
    model.window_size = model.max_bp_span = span

    def note(start: int, end: int, structure: str, energy: float, data: None) -> None:
        structures.append((start - 1, structure))

    # An exception in the callback, as of Ctrl-C, is printed, and then hidden by a RuntimeError.
    raised: list[BaseException] = []
    hook, sys.excepthook = sys.excepthook, lambda kind, error, trace: raised.append(error)
    try:
        RNA.fold_compound(bases, model, RNA.OPTION_WINDOW).mfe_window_cb(note, None)
    except RuntimeError:
        if raised:
            raise raised[0] from None
        raise
    finally:
        sys.excepthook = hook
    return structures


def as_scanned(bases: str, criteria: HairpinCriteria) -> str:
    """Cut an RNA to the best hairpin that a scan finds in it; empty if there is none."""
    return each_as_scanned([bases], criteria)[0]


def each_as_scanned(rnas: Sequence[str], criteria: HairpinCriteria) -> list[str]:
    """Cut each RNA as `as_scanned` does, many at a time, which takes much less time."""
    return [hairpin.bases if hairpin else "" for hairpin in best_hairpins(rnas, criteria)]


def best_hairpins(rnas: Sequence[str], criteria: HairpinCriteria) -> list[GenomeHairpin | None]:
    """Find the best hairpin on the forward strand of each RNA; None if a scan finds none."""
    each = find_in_each(rnas, "+", criteria)
    return [min(hairpins, key=_order, default=None) for hairpins in each]


class TileHairpins(NamedTuple):
    """The candidates of a tile, on both strands.

    Attributes
    ----------
    sequence, end, last, circular, length
        See `mirpair.hairpins.tiles.Tile`.
    hairpins
        In any order.
    """

    sequence: str
    end: int
    last: bool
    hairpins: list[GenomeHairpin]
    circular: bool = False
    length: int | None = None


class Neighbours(NamedTuple):
    """Hairpins of a stretch of a sequence, on both strands; no other hairpin overlaps with them."""

    sequence: str
    hairpins: list[GenomeHairpin]


def shared_bases(one: GenomeHairpin, other: GenomeHairpin, circle: int | None = None) -> int:
    """Count the positions that two hairpins share; `circle` is the length of a circular sequence.

    The strands do not matter.
    """
    shifts = (0,) if circle is None else (-circle, 0, circle)
    return sum(
        max(0, min(one.end, other.end + it) - max(one.start, other.start + it)) for it in shifts
    )


def resolve(tiles: Iterable[TileHairpins]) -> Iterator[tuple[str, GenomeHairpin]]:
    """Choose hairpins that share no more than a quarter of the shorter one with a better one.

    The best ones are chosen first, on each strand. The tiles are all those of a genome, in their
    order.

    Yields
    ------
    sequence, hairpin
        In the order of the sequences, then by start, end and strand; those at the beginning of a
        circular sequence come last. Only a few tiles are in memory.
    """
    for neighbours in resolve_neighbours(tiles):
        for hairpin in neighbours.hairpins:
            yield neighbours.sequence, hairpin


def resolve_neighbours(tiles: Iterable[TileHairpins]) -> Iterator[Neighbours]:
    """Choose hairpins as `resolve` does; all that overlap come together."""
    pending: list[GenomeHairpin] = []
    first: list[GenomeHairpin] = []
    for tile in tiles:
        groups, pending = _split([*pending, *tile.hairpins], None if tile.last else tile.end)
        circle = tile.length if tile.circular else None
        if tile.last and circle:
            again = [_shift(it, circle) for it in first]
            groups = _split_circle([*chain.from_iterable(groups), *again], circle)
            first = []
        # Hairpins at the end of a circular sequence may overlap with these.
        while tile.circular and not tile.last and groups:
            if first and groups[0][0].start >= first[0].start + LONGEST_SPAN:
                break
            first += groups.pop(0)
        for group in groups:
            chosen = _choose(group, circle)
            if circle:
                chosen = [_shift(it, -(it.start // circle) * circle) for it in chosen]
            yield Neighbours(tile.sequence, chosen)


def _shift(hairpin: GenomeHairpin, by: int) -> GenomeHairpin:
    return hairpin._replace(start=hairpin.start + by, end=hairpin.end + by)


def _reach(group: Sequence[GenomeHairpin]) -> int:
    return max(hairpin.end for hairpin in group)


def _split(
    hairpins: list[GenomeHairpin], end: int | None
) -> tuple[list[list[GenomeHairpin]], list[GenomeHairpin]]:
    """Split hairpins into groups that overlap, and the rest, which may still grow.

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


def _split_circle(hairpins: list[GenomeHairpin], circle: int) -> list[list[GenomeHairpin]]:
    """Split hairpins in ascending order, no further apart than a circle, into groups."""
    reach = max((it.end for it in hairpins), default=0) - circle
    for number, hairpin in enumerate(hairpins):
        if hairpin.start >= reach:
            # Here is a gap.
            again = [_shift(it, circle) for it in hairpins[:number]]
            return _split([*hairpins[number:], *again], None)[0]
        reach = max(reach, hairpin.end)
    return [hairpins] if hairpins else []


def _order(hairpin: GenomeHairpin) -> tuple[int, int, int]:
    return hairpin.rank, hairpin.start, hairpin.end


def _choose(group: list[GenomeHairpin], circle: int | None) -> list[GenomeHairpin]:
    """Choose hairpins on each strand, the best first, in ascending order."""
    chosen: list[GenomeHairpin] = []
    if circle and _reach(group) - min(group).start > circle:
        # The group has no first hairpin: it goes all around.
        for hairpin in sorted(group, key=lambda it: (it.rank, it.bases, it.start)):
            others = [it for it in chosen if it.strand == hairpin.strand]
            if not any(_conflict(hairpin, other, circle) for other in others):
                chosen.append(hairpin)
        return sorted(chosen)
    for strand in STRANDS:
        # In ascending order of the starts, and of the ends too, as none is inside another one.
        placed: list[GenomeHairpin] = []
        for hairpin in sorted((it for it in group if it.strand == strand), key=_order):
            index = bisect_left(placed, hairpin.end, key=lambda it: it.start)
            before = index - 1
            while before >= 0 and placed[before].end > hairpin.start:
                if _conflict(hairpin, placed[before]):
                    break
                before -= 1
            else:
                placed.insert(bisect_left(placed, hairpin), hairpin)
        chosen += placed
    return sorted(chosen)


def _conflict(one: GenomeHairpin, other: GenomeHairpin, circle: int | None = None) -> bool:
    """Whether two hairpins share more than a quarter of the shorter one."""
    shorter = min(one.end - one.start, other.end - other.start)
    return 4 * shared_bases(one, other, circle) > shorter
