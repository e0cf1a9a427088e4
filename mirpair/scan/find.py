"""Find and score the hairpins of a genome, tile by tile, in a journal that resumes.

Nearly all stems of a genome are no pre-miRNA, and folding one takes twenty times as long as scoring
it. So a network scores each stem first with the structure in which it was found. Only hairpins
that may still be called are folded and scored by all networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from mirpair.files import Journal, interleave
from mirpair.hairpins.candidates import (
    STRANDS,
    GenomeHairpin,
    TileHairpins,
    choose_in,
    find_around,
)
from mirpair.hairpins.tiles import TILE, Tile, join_short, read_tiles
from mirpair.prediction import predictor as prediction
from mirpair.prediction.predictor import Predictor
from mirpair.prediction.table import to_lines
from mirpair.prediction.weights import StemLimits
from mirpair.rna.encoding import encode
from mirpair.rna.folding import for_each
from mirpair.rna.sequences import Record
from mirpair.settings import HairpinCriteria

# Digits of the score in the journal: scores near the threshold differ from the fifth digit on.
_DIGITS = 6


def find(
    genome: str,
    journal: Journal,
    criteria: HairpinCriteria,
    predictor: Predictor,
    *,
    processes: int = 1,
    tile: int = TILE,
    piece: int = 1,
    pieces: int = 1,
    position: Callable[[int], None] | None = None,
) -> Iterator[int]:
    """Find and score the hairpins of a genome, resuming after the blocks of the journal.

    Parameters
    ----------
    journal
        For all of `mirpair.scan.resume.scan_key` and this piece; it gets a block for each tile.
    predictor
        See `mirpair.prediction.predictor.Predictor.for_genome`.
    processes, tile
        Number of processes, and length of a tile, nt; the result is the same for any. The processes
        start at once. Short sequences are searched together, up to this length.
    piece, pieces
        Only every `pieces`-th tile, beginning with number `piece` (from 1).
    position
        See `mirpair.hairpins.tiles.read_tiles`.

    Returns
    -------
    Iterator
        Of the number of bases of every tile, as it is done; it must be consumed.
    """
    tiles = read_tiles(
        genome, tile=tile, span=criteria.span, circular=criteria.circular, position=position
    )
    remaining = islice(tiles, piece - 1 + journal.blocks * pieces, None, pieces)
    blocks = find_blocks(remaining, criteria, predictor, processes=processes, tile=tile)

    def sizes() -> Iterator[int]:
        for size, block in blocks:
            journal.append(block)
            yield size
        journal.close()

    return sizes()


def find_blocks(
    tiles: Iterable[Tile],
    criteria: HairpinCriteria,
    predictor: Predictor,
    *,
    processes: int,
    tile: int = TILE,
) -> Iterator[tuple[int, list[str]]]:
    """Find and score the hairpins of tiles: number of bases and block of the journal of each."""
    tasks = ((batch, strand) for batch in join_short(tiles, tile) for strand in STRANDS)
    job, prepare = prediction.begin_job(predictor)
    work = partial(_find_on_strand, criteria=criteria, job=job)
    results = for_each(work, tasks, processes=processes, at_once=1, prepare=prepare)

    def blocks() -> Iterator[tuple[int, list[str]]]:
        try:
            for forward, reverse in zip(results, results, strict=True):
                for one, other in zip(forward, reverse, strict=True):
                    yield one.size, [one.head, *one.lines, *other.lines]
        finally:
            prediction.end_job(job)

    return blocks()


class _Found(NamedTuple):
    """The hairpins on one strand of a tile, as lines of the journal."""

    head: str
    # Number of the tile's bases.
    size: int
    lines: list[str]


def _find_on_strand(
    task: tuple[list[Tile], str], criteria: HairpinCriteria, job: int
) -> list[_Found]:
    """Find and score the hairpins on a strand of each of several tiles."""
    tiles, strand = task
    predictor = prediction.predictor_of(job)
    limits = StemLimits() if criteria.exhaustive else predictor.stems
    candidates = [
        [it for it in hairpins if not predictor.unfit(it.bases)]
        for hairpins in find_around(tiles, strand, criteria, highest=limits.energy)
    ]
    if limits.score:
        candidates = _to_fold(candidates, predictor)
    chosen = _fold_and_choose(candidates, tiles, job)
    return [
        _Found(_head(tile), tile.end - tile.start, list(map(_to_line, hairpins)))
        for tile, hairpins in zip(tiles, chosen, strict=True)
    ]


def _head(tile: Tile) -> str:
    state = (tile.sequence, tile.end, int(tile.last), int(tile.circular), tile.length or "")
    return "\t".join(map(str, state))


def _to_fold(
    candidates: Sequence[Sequence[GenomeHairpin]], predictor: Predictor
) -> list[list[GenomeHairpin]]:
    """Choose the hairpins that a network scores high enough in the structure of their stem."""
    stems = [encode(it.bases, it.structure, it.energy) for it in chain.from_iterable(candidates)]
    scores = iter(prediction.score_molecules(predictor.trained.networks[:1], stems))
    lowest = predictor.stems.score
    return [[it for it in hairpins if next(scores) >= lowest] for hairpins in candidates]


def _fold_and_choose(
    candidates: Sequence[Sequence[GenomeHairpin]], tiles: Sequence[Tile], job: int
) -> list[list[GenomeHairpin]]:
    """Fold and score hairpins, and choose those of each tile, the highest scores first."""
    rnas = [(it.bases, None) for it in chain.from_iterable(candidates)]
    folded = iter(prediction.fold_and_score(rnas, job))
    chosen: list[list[GenomeHairpin]] = []
    scored = []
    for tile, hairpins in zip(tiles, candidates, strict=True):
        of_hairpin = {}
        for hairpin in hairpins:
            it = next(folded)
            is_paired = "(" in it.structure.dot_bracket
            rank = -round(10**_DIGITS * it.score) if is_paired else 1
            of_hairpin[hairpin._replace(rank=rank)] = it
        chosen.append(choose_in(tile, sorted(of_hairpin)))
        scored += [of_hairpin[hairpin] for hairpin in chosen[-1]]
    records = [
        Record("", hairpin.bases, "", number)
        for hairpins in chosen
        for number, hairpin in enumerate(hairpins, 1)
    ]
    rows = iter(to_lines(prediction.tabulate(records, scored, job), score_digits=_DIGITS))
    return [
        [it._replace(masked=_masked(it, tile), row=next(rows)) for it in hairpins]
        for tile, hairpins in zip(tiles, chosen, strict=True)
    ]


def _masked(hairpin: GenomeHairpin, tile: Tile) -> int:
    """Count the bases of a hairpin that are in lower case."""
    return sum(map(str.islower, tile.text[hairpin.start - tile.offset : hairpin.end - tile.offset]))


def _to_line(hairpin: GenomeHairpin) -> str:
    place = (hairpin.start, hairpin.end, hairpin.strand)
    fields = (*place, hairpin.energy, hairpin.rank, hairpin.masked)
    # The row has tabs, so it is last.
    return "\t".join(map(str, (*fields, hairpin.structure, hairpin.bases, hairpin.row)))


def read_candidates(journals: Sequence[str | Path]) -> Iterator[TileHairpins]:
    """Read the journals of `find`, of all pieces, in the order of the tiles."""
    return map(parse_block, interleave(journals))


def parse_block(lines: Sequence[str]) -> TileHairpins:
    """Read a block of the journal of `find`."""
    sequence, end, last, circular, length = lines[0].split("\t")
    hairpins = []
    for line in lines[1:]:
        low, high, strand, energy, rank, masked, structure, bases, row = line.split(
            "\t", maxsplit=8
        )
        place, numbers = (int(low), int(high), strand), (int(rank), int(masked))
        hairpins.append(GenomeHairpin(*place, float(energy), bases, structure, *numbers, row))
    return TileHairpins(
        *(sequence, int(end), last == "1", hairpins),
        circular=circular == "1",
        length=int(length) if length else None,
    )
