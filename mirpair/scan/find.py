"""Find the hairpins of a genome, tile by tile, in a journal that an interrupted run resumes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from mirpair.files import Journal, interleave
from mirpair.hairpins.candidates import STRANDS, GenomeHairpin, TileHairpins, find_hairpins
from mirpair.hairpins.tiles import TILE, Tile, read_tiles
from mirpair.rna.folding import for_each
from mirpair.settings import HairpinCriteria


def find(
    genome: str,
    journal: Journal,
    criteria: HairpinCriteria,
    *,
    processes: int = 1,
    tile: int = TILE,
    piece: int = 1,
    pieces: int = 1,
    position: Callable[[int], None] | None = None,
) -> Iterator[int]:
    """Find the candidates of a genome, tile by tile, resuming after the blocks of the journal.

    Parameters
    ----------
    journal
        For this genome, these criteria and this piece; it gets a block for each tile.
    processes, tile
        Number of processes, and length of a tile, nt; the result is the same for any. The processes
        start at once.
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
    blocks = find_blocks(remaining, criteria, processes=processes)

    def sizes() -> Iterator[int]:
        for size, block in blocks:
            journal.append(block)
            yield size
        journal.close()

    return sizes()


def find_blocks(
    tiles: Iterable[Tile], criteria: HairpinCriteria, *, processes: int
) -> Iterator[tuple[int, list[str]]]:
    """Find the candidates of tiles: number of bases and block of the journal of each."""
    tasks = ((tile, strand) for tile in tiles for strand in STRANDS)
    work = partial(_find_on_strand, criteria=criteria)
    results = for_each(work, tasks, processes=processes, at_once=1)
    return (
        (size, [head, *forward, *reverse])
        for (head, size, forward), (_, _, reverse) in zip(results, results, strict=True)
    )


def _find_on_strand(
    task: tuple[Tile, str], criteria: HairpinCriteria
) -> tuple[str, int, list[str]]:
    tile, strand = task
    state = (tile.sequence, tile.end, int(tile.last), int(tile.circular), tile.length or "")
    head = "\t".join(map(str, state))
    lines = ["\t".join(map(str, hairpin)) for hairpin in find_hairpins(tile, strand, criteria)]
    return head, tile.end - tile.start, lines


def read_candidates(journals: Sequence[str | Path]) -> Iterator[TileHairpins]:
    """Read the journals of `find`, of all pieces, in the order of the tiles."""
    return map(parse_block, interleave(journals))


def parse_block(lines: Sequence[str]) -> TileHairpins:
    """Read a block of the journal of `find`."""
    sequence, end, last, circular, length = lines[0].split("\t")
    hairpins = []
    for line in lines[1:]:
        low, high, strand, energy, bases = line.split("\t")
        hairpins.append(GenomeHairpin(int(low), int(high), strand, float(energy), bases))
    return TileHairpins(
        *(sequence, int(end), last == "1", hairpins),
        circular=circular == "1",
        length=int(length) if length else None,
    )
