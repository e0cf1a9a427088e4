"""Compare the hairpins of a scan with each other: antisense twins, ranks, clusters, families."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mirpair.hairpins.candidates import STRANDS, GenomeHairpin, shared_bases
from mirpair.rna.known_hairpins import KNOWN

# Calls on one strand with at most so many bases between them are a cluster, as in miRBase.
CLUSTER = 10_000
# Weight of the folding energy, kcal/mol, when a scan chooses between strands.
ENERGY_WEIGHT = 0.15
# Scores have six digits.
_SMALLEST = 1e-6


class Call(NamedTuple):
    """A hairpin that is called a pre-miRNA.

    Attributes
    ----------
    number
        Of the hairpin, in the order of the genome.
    sequence, start, end, strand, bases
        As in `mirpair.hairpins.candidates.GenomeHairpin`.
    score
        Of the networks.
    """

    number: int
    sequence: str
    start: int
    end: int
    strand: str
    bases: str
    score: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What all hairpins of a genome together say about each one.

    Attributes
    ----------
    ranks
        (N,): 1 for the highest score; 0 for hairpins without a score and for antisense twins.
    calls
        In the order of the genome.
    clusters, families
        Number of a hairpin to its cluster, and to its microRNA family; only of calls that have one.
    """

    ranks: npt.NDArray[np.int64]
    calls: Sequence[Call]
    clusters: Mapping[int, str]
    families: Mapping[int, str]


def compare(
    hairpins: Iterable[tuple[str, GenomeHairpin, Mapping[str, Any]]],
    circles: Mapping[str, int],
    name_families: Callable[[Sequence[str]], Sequence[str]],
) -> Comparison:
    """Compare the hairpins of a genome.

    Parameters
    ----------
    hairpins
        Each with its sequence and its row, in their order.
    circles
        Length of each circular sequence, nt.
    name_families
        Names the family of each RNA, or returns an empty text.
    """
    scores = array("d")
    calls = []
    for number, (sequence, hairpin, row) in enumerate(hairpins):
        is_ranked = row["score"] is not None and not row["antisense"]
        scores.append(row["score"] if is_ranked else -1)
        if row["call"] == 1:
            place = (hairpin.start, hairpin.end, hairpin.strand, hairpin.bases)
            calls.append(Call(number, sequence, *place, row["score"]))
    named = name_families([call.bases for call in calls])
    families = {call.number: family for call, family in zip(calls, named, strict=True) if family}
    return Comparison(ranks_of(np.array(scores)), calls, clusters_of(calls, circles), families)


def ranks_of(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Rank scores: 1 for the highest one, of equal ones for the first; 0 for negative ones.

    Examples
    --------
    >>> ranks_of(np.array([0.5, -1, 0.9, 0.5]))
    array([2, 0, 1, 3])
    """
    ranks = np.zeros(len(scores), dtype=np.int64)
    order = np.argsort(-scores, kind="stable")
    ranks[order] = np.arange(1, len(scores) + 1)
    ranks[scores < 0] = 0
    return ranks


def clusters_of(calls: Sequence[Call], circles: Mapping[str, int]) -> dict[int, str]:
    """Name the clusters of calls: number of a call to its cluster, if it has neighbours.

    Neighbours are on one strand, with at most `CLUSTER` bases between them, also over the origin of
    a circular sequence (`circles`: length of each, nt). Clusters are numbered by their first call,
    in the order of the genome.
    """
    strands: dict[tuple[str, str], list[Call]] = {}
    for call in calls:
        strands.setdefault((call.sequence, call.strand), []).append(call)
    clusters = [
        group
        for (sequence, _), of_strand in strands.items()
        for group in _groups(of_strand, circles.get(sequence))
        if len(group) > 1
    ]
    clusters.sort(key=lambda group: min(call.number for call in group))
    return {
        call.number: f"cluster-{number}"
        for number, group in enumerate(clusters, 1)
        for call in group
    }


def _groups(calls: Sequence[Call], circle: int | None) -> list[list[Call]]:
    """Split the calls of a strand into groups of neighbours."""
    groups: list[list[Call]] = []
    reach = 0
    # Those at the beginning of a circular sequence come last.
    for call in sorted(calls, key=lambda it: it.start):
        if not groups or call.start - reach > CLUSTER:
            groups.append([])
        groups[-1].append(call)
        reach = max(reach, call.end)
    if circle and len(groups) > 1 and groups[0][0].start + circle - reach <= CLUSTER:
        groups[0] = groups.pop() + groups[0]
    return groups


def preference(score: float, mfe: float, *, weight: float = ENERGY_WEIGHT) -> float:
    """Say how likely a hairpin is on the right strand, in comparison with its antisense twin.

    The two strands often score alike. G–U pairs of one are no pairs on the other, so the hairpin of
    the right strand mostly has the lower energy, and more pairs (`python -m bench.strands`,
    docs/finder.md).
    """
    share = min(max(score, _SMALLEST), 1 - _SMALLEST)
    return math.log(share / (1 - share)) - weight * mfe


def _call_order(pair: tuple[GenomeHairpin, Mapping[str, Any]]) -> tuple[bool, float, str, int]:
    """Sort calls: first those that are more likely on the right strand than their twins."""
    hairpin, row = pair
    is_known = row.get("status") == KNOWN
    return not is_known, -preference(row["score"], row["mfe"]), hairpin.strand, hairpin.start


def mark_antisense(
    hairpins: Sequence[GenomeHairpin], rows: Sequence[dict[str, Any]], circle: int | None = None
) -> None:
    """Mark the antisense twins of calls: ``antisense`` is the call's id, and ``call`` becomes 0.

    Two calls on opposite strands that share at least half of the shorter one are twins. If the
    status of one alone is ``known``, it is the call. Else the call is the one with the higher
    `preference`; of equal ones, the one on the forward strand.

    Parameters
    ----------
    hairpins, rows
        All hairpins of a stretch, and their rows.
    circle
        Length of the sequence if it is circular, nt.
    """
    called = [pair for pair in zip(hairpins, rows, strict=True) if pair[1]["call"] == 1]
    called.sort(key=_call_order)
    longest = max((it.end - it.start for it, _ in called), default=0)
    shifts = (0,) if circle is None else (-circle, 0, circle)
    # Of each strand: start and index in `called` of those that are no twins, by start.
    accepted: dict[str, list[tuple[int, int]]] = {strand: [] for strand in STRANDS}
    for index, (hairpin, row) in enumerate(called):
        opposite = accepted["-" if hairpin.strand == "+" else "+"]
        # Only these can overlap with it: a group may have thousands of calls.
        near: set[int] = set()
        for by in shifts:
            low = bisect_left(opposite, (hairpin.start + by - longest, 0))
            high = bisect_left(opposite, (hairpin.end + by, 0))
            near.update(number for _, number in opposite[low:high])
        for number in sorted(near):
            other, its_row = called[number]
            shorter = min(hairpin.end - hairpin.start, other.end - other.start)
            if 2 * shared_bases(hairpin, other, circle) >= shorter:
                row["call"], row["antisense"] = 0, its_row["id"]
                break
        else:
            insort(accepted[hairpin.strand], (hairpin.start, index))
