"""Measure whether a scan finds each hairpin of a cluster as it finds it alone.

Made-up clusters have three hairpins of miRBase 22 each, chosen at random, with spacers of 0 to 50
random bases and 200 random bases on both sides. A hairpin alone has random bases in place of the
other two. `python -m bench.clusters [CLUSTERS]` takes two seconds for each cluster, on one core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from mirpair.hairpins.candidates import (
    GenomeHairpin,
    TileHairpins,
    choose_in,
    find_around,
    resolve,
)
from mirpair.hairpins.tiles import Tile
from mirpair.rna.known_hairpins import load_known_hairpins
from mirpair.settings import HairpinCriteria

MEMBERS, FLANK, LONGEST_SPACER = 3, 200, 50
# Both share this part of the longer, as in bench/genomes.py.
OVERLAP = 0.5
NEAR_ENDS = 10


class Cluster(NamedTuple):
    """Some hairpins side by side.

    Attributes
    ----------
    places
        Start and end of each hairpin, from 0 and half-open.
    bases
        All of them, with spacers and flanks.
    alone
        For each hairpin two sequences, in which random bases replace the other hairpins.
    """

    places: list[tuple[int, int]]
    bases: str
    alone: list[tuple[str, str]]


def make_clusters(count: int, *, seed: int = 0) -> Iterator[Cluster]:
    """Make clusters of hairpins that are no longer than a scan's default span."""
    rng = np.random.default_rng(seed)
    known = [it for it in load_known_hairpins().sequences if len(it) <= HairpinCriteria.span]

    def random(length: int) -> str:
        return "".join(rng.choice(list("ACGU"), length))

    for _ in range(count):
        members = [known[number] for number in rng.integers(len(known), size=MEMBERS)]
        spacers = [random(int(it)) for it in rng.integers(LONGEST_SPACER + 1, size=MEMBERS - 1)]
        parts = [random(FLANK), members[0]]
        for spacer, member in zip(spacers, members[1:], strict=True):
            parts += [spacer, member]
        parts.append(random(FLANK))
        hairpins = range(1, len(parts), 2)
        ends = np.cumsum([len(part) for part in parts]).tolist()
        alone = []
        for own in hairpins:
            one, other = (
                "".join(
                    random(len(part)) if number in hairpins and number != own else part
                    for number, part in enumerate(parts)
                )
                for _ in range(2)
            )
            alone.append((one, other))
        places = [(ends[number - 1], ends[number]) for number in hairpins]
        yield Cluster(places, "".join(parts), alone)


def found_in(tile: Tile, strand: str, criteria: HairpinCriteria) -> list[GenomeHairpin]:
    """Find the hairpins on one strand of a tile; of two that share bases the more stable one."""
    (found,) = find_around([tile], strand, criteria)
    return choose_in(tile, found)


def hairpins_of(bases: str, criteria: HairpinCriteria) -> list[GenomeHairpin]:
    """Find the hairpins of a scan on the forward strand."""
    tile = Tile("", 0, 0, len(bases), 0, bases, True)
    found = found_in(tile, "+", criteria)
    return [it for _, it in resolve([TileHairpins("", len(bases), True, found)])]


def row_of(place: tuple[int, int], hairpins: Sequence[GenomeHairpin]) -> tuple[int, int] | None:
    """Find the hairpin that shares most with a place, at least half of the longer of both."""
    start, end = place

    def share(it: GenomeHairpin) -> float:
        longer = max(it.end - it.start, end - start)
        return (min(it.end, end) - max(it.start, start)) / longer

    best = max(hairpins, key=share, default=None)
    return (best.start, best.end) if best and share(best) >= OVERLAP else None


def _is_near(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return all(abs(a - b) <= NEAR_ENDS for a, b in zip(one, other, strict=True))


def measure(count: int, criteria: HairpinCriteria) -> dict[str, int]:
    """Compare the rows of clusters, and those alone with other flanks, with those alone."""
    ways = ("", "other flanks: ")
    counts = [f"{way}{name}" for way in ways for name in ("row", "same ends", "near ends")]
    result = dict.fromkeys(["hairpins", "row alone", *counts], 0)
    for cluster in make_clusters(count):
        together = hairpins_of(cluster.bases, criteria)
        for place, alone in zip(cluster.places, cluster.alone, strict=True):
            result["hairpins"] += 1
            expected = row_of(place, hairpins_of(alone[0], criteria))
            if not expected:
                continue
            result["row alone"] += 1
            others = (together, hairpins_of(alone[1], criteria))
            for prefix, hairpins in zip(ways, others, strict=True):
                row = row_of(place, hairpins)
                if row:
                    result[f"{prefix}row"] += 1
                    result[f"{prefix}same ends"] += row == expected
                    result[f"{prefix}near ends"] += _is_near(row, expected)
    return result


def main() -> None:
    """Print a table for both ways of a scan."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rows = {
        name: measure(count, HairpinCriteria(exhaustive=exhaustive))
        for name, exhaustive in (("stems", False), ("--exhaustive", True))
    }
    print(pd.DataFrame(rows).T.to_string())


if __name__ == "__main__":
    main()
