"""Measure which known hairpins a scan has candidates for (`python -m bench.candidates`).

A hairpin that has no candidate is lost before any network sees it. Each of the criteria is relaxed
alone, then all together, and candidates are counted in a tenth of a megabase of the same genome:
that is what the known hairpins that are gained would cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from bench.genomes import FOLDER, GENOMES, TABLES, Genome, fetch, occurrences, read_bases
from bench.measured import write_measured
from mirpair.hairpins.candidates import GenomeHairpin, find_in_each
from mirpair.prediction.predictor import score_molecules
from mirpair.prediction.weights import PreMirnaNetworks, load_networks
from mirpair.rna.encoding import encode
from mirpair.settings import FALSE_POSITIVES, FalsePositives, HairpinCriteria
from mirpair.sources.collections import Entry, read_hairpins
from mirpair.sources.pre_mirnas import PRE_MIRNA, SUPPORTED, cut, read_arms, read_mature, trusts

TABLE = TABLES / "candidates.tsv"
# Share of a known hairpin that its candidate covers, and how far the candidate's ends may be from
# those of the pre-miRNA, nt.
COVERED, APART = 0.8, 10
# Bases beside a known hairpin that are searched with it, and the part of the genome in which
# candidates are counted, in pieces.
BESIDE, COUNTED, PIECE = 1_000, 100_000, 50_000
LOOSE: FalsePositives = "1%"
# Each criterion, relaxed; the span is that of the genome and half as much again.
RELAXED = {"stem": 14, "loop": 40, "mfe": -10.0}


def criteria_of(genome: Genome) -> Iterator[tuple[str, HairpinCriteria]]:
    """Yield the criteria of a scan, relaxed one at a time, then together."""
    default = HairpinCriteria(span=genome.span)
    relaxed: dict[str, float] = {"span": genome.span * 3 // 2, **RELAXED}
    relaxed["span"] = min(400, int(relaxed["span"]))
    yield f"default, span {genome.span}", default
    for name, value in relaxed.items():
        yield f"{name} {value:g}", replace(default, **{name: value})
    yield "all of these", replace(default, **relaxed)


def within_limits(
    candidates: Sequence[GenomeHairpin], trained: PreMirnaNetworks, rate: FalsePositives
) -> list[GenomeHairpin]:
    """Choose the candidates that a scan folds."""
    limits = trained.stems[rate]
    stems = [encode(it.bases, it.structure, it.energy) for it in candidates]
    scores = score_molecules(trained.networks[:1], stems)
    return [
        it
        for it, score in zip(candidates, scores, strict=True)
        if it.rank <= 100 * limits.energy and score >= limits.score
    ]


def is_covered(start: int, end: int, candidates: Sequence[GenomeHairpin]) -> bool:
    """Check whether one of the candidates covers enough of a stretch."""
    shared = (min(it.end, end) - max(it.start, start) for it in candidates)
    return max(shared, default=0) >= COVERED * (end - start)


def is_near(start: int, end: int, candidates: Sequence[GenomeHairpin]) -> bool:
    """Check whether both ends of one of the candidates are near those of a stretch."""
    apart = (max(abs(it.start - start), abs(it.end - end)) for it in candidates)
    return min(apart, default=APART + 1) <= APART


def pre_mirna(entry: Entry, arms: tuple[str, str] | None) -> tuple[int, int] | None:
    """Find where the pre-miRNA is in a known hairpin; None if an arm is unknown."""
    bases = cut(entry, arms, "").get(PRE_MIRNA)
    if not bases:
        return None
    start = entry.sequence.index(bases)
    return start, start + len(bases)


def measure(
    genome: Genome,
    bases: dict[str, str],
    known: pd.DataFrame,
    inside: dict[str, tuple[int, int]],
) -> Iterator[dict[str, object]]:
    """Count the known hairpins with a candidate, by criteria: all, and those that are supported.

    Parameters
    ----------
    known
        See `bench.genomes.occurrences`, with the column ``trust``.
    inside
        Where the pre-miRNA is in a hairpin, by its name, if that is known.
    """
    trained = load_networks(kingdom=genome.kingdom)
    regions = [
        (bases[it.sequence][max(0, it.start - BESIDE) : it.end + BESIDE], it.strand)
        for it in known.itertuples()
    ]
    longest = max(bases.values(), key=len)
    middle = max(0, (len(longest) - COUNTED) // 2)
    part = longest[middle : middle + COUNTED]
    pieces = [part[at : at + PIECE] for at in range(0, len(part), PIECE)]
    for name, criteria in criteria_of(genome):
        print(f"{genome.title}: {name}", flush=True)
        found = [find_in_each([text], strand, criteria)[0] for text, strand in regions]
        counted = [
            it
            for strand in "+-"
            for piece in pieces
            for it in find_in_each([piece], strand, criteria)[0]
        ]
        choices = {name: (found, counted)}
        if name.startswith("default"):
            for rate in (LOOSE, min(trained.stems, key=lambda it: FALSE_POSITIVES[it])):
                choices[f"{name}; folded, {rate}"] = (
                    [within_limits(candidates, trained, rate) for candidates in found],
                    within_limits(counted, trained, rate),
                )
        for criterion, (candidates, all_there) in choices.items():
            covered, near, placed = [], [], []
            for it, own in zip(known.itertuples(), candidates, strict=True):
                start = min(it.start, BESIDE)
                length = it.end - it.start
                covered.append(is_covered(start, start + length, own))
                low, high = inside.get(it.name, (0, 0))
                if it.strand == "-":
                    low, high = length - high, length - low
                placed.append(it.name in inside)
                near.append(placed[-1] and is_near(start + low, start + high, own))
            table = known.assign(covered=covered, near=near, placed=placed)
            for trust, rows in (("all", table), (SUPPORTED, table[table["trust"] == SUPPORTED])):
                if len(rows):
                    yield {
                        "genome": genome.title,
                        "criteria": criterion,
                        "candidates per Mb": round(len(all_there) / len(part) * 1e6),
                        "known hairpins": trust,
                        "places": len(rows),
                        "covered": int(rows["covered"].sum()),
                        "both arms known": int(rows["placed"].sum()),
                        "ends near": int(rows["near"].sum()),
                    }


def main() -> None:
    """Measure, and write the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    table = fetch("mirbase-22/hairpins.csv")
    hairpins = list(read_hairpins(table))
    trust = trusts(hairpins, read_mature(fetch("mirgenedb/mature-2.1.fa")))
    arms = read_arms(table)
    rows = []
    for genome in GENOMES.values():
        if genome.species:
            bases = read_bases(fetch(genome.file))
            known = occurrences(genome, bases, hairpins)
            known["trust"] = known["name"].map(trust)
            own = {it.id: it for it in hairpins if it.species == genome.species}
            places = {name: pre_mirna(entry, arms.get(name)) for name, entry in own.items()}
            inside = {name: place for name, place in places.items() if place}
            rows += list(measure(genome, bases, known, inside))
    TABLES.mkdir(parents=True, exist_ok=True)
    write_measured(pd.DataFrame(rows), TABLE)
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
