"""The files of a scan, for people and for genome browsers."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from mirpair.files import InputError, atomic
from mirpair.hairpins.candidates import GenomeHairpin, resolve_neighbours
from mirpair.prediction.predictor import Predictor
from mirpair.prediction.table import columns, to_line
from mirpair.prediction.tracks import (
    COMPARED,
    Location,
    bed_line,
    circle_line,
    fasta_entry,
    gff3_head,
    gff3_line,
    split_location,
)
from mirpair.rna.known_hairpins import KNOWN
from mirpair.scan.calls import Call, compare, mark_antisense
from mirpair.scan.find import read_candidates
from mirpair.settings import SCAN_FILES

_SUFFIXES = [suffix for suffix in SCAN_FILES if suffix != ".html"]
# Name of the parameter, in the head of the GFF3, that says of which genome the hairpins are.
CHECKSUM = "names and bases of the genome"


def name_of(genome: str | Path) -> str:
    """Name of a genome: that of its file without the ending of its format."""
    return re.sub(r"(\.(fa|fasta|fna|fas))?(\.gz)?$", "", Path(genome).name) or "genome"


def journal_of(prefix: Path) -> Path:
    """Path of the journal of a scan, whose files begin with `prefix`."""
    return prefix.with_name(f".{prefix.name}.found")


def check_name(name: str) -> None:
    """Refuse a name of outputs that cannot be the name of a file, or is that of other outputs."""
    if name in ("", ".", "..") or "/" in name or not name.isprintable():
        raise InputError(f"--name: is {name!r}, must be the beginning of a file's name, not a path")
    if name.endswith(".all"):
        raise InputError(
            f"{name}.gff3 would be the file of all hairpins of {name.removesuffix('.all')!r}; "
            "give the results another name with --name"
        )


def check_free(prefix: Path, genome: str) -> bool:
    """Refuse to overwrite files that no scan wrote, or the results of another genome.

    `genome` is the checksum of the genome, see `mirpair.hairpins.tiles.check_genome`.

    Returns
    -------
    bool
        Whether there are results of the same genome, which the scan replaces.
    """
    paths = [prefix.with_name(prefix.name + suffix) for suffix in SCAN_FILES]
    existing = [path for path in paths if path.exists()]
    if not existing:
        return False
    head = _read_head(prefix.with_name(f"{prefix.name}.gff3"))
    if "mirpair" not in head:
        raise InputError(
            f"{existing[0]} exists, but no scan wrote it, so it is not overwritten; "
            f"name another folder, or give the results another name than {prefix.name!r} (--name)"
        )
    if head.get(CHECKSUM) != f"SHA-256 {genome}":
        first = f", whose first sequence is {head['first']!r}" if "first" in head else ""
        other = "another genome" if CHECKSUM in head else "a genome that it does not name"
        raise InputError(
            f"{prefix}.gff3 has the results of {other}{first}; they are not overwritten: "
            f"name another folder, or give the results another name than {prefix.name!r} (--name)"
        )
    return True


def _read_head(track: Path) -> dict[str, str]:
    """Read the parameters in the head of a scan's GFF3, its program and its first sequence."""
    head: dict[str, str] = {}
    if not track.is_file():
        return head
    with track.open(encoding="utf-8", errors="replace") as handle:
        while (line := handle.readline(_LONGEST_LINE)).startswith("#"):
            if line.startswith("##sequence-region "):
                head["first"] = unquote(line.split()[1])
                break
            name, _, value = line.strip("# \n").partition(": ")
            head |= {"mirpair": name} if name.startswith("mirpair ") else {name: value}
    return head


_LONGEST_LINE = 10_000
_BINS = 50
_BEST = 10
# Known hairpins below the threshold that are named.
_NAMED = 3
# Columns of the TSV that a prediction does not have: after the id, and at the end.
_PLACE = ("sequence", "start", "end", "strand")


@dataclass(slots=True)
class Summary:
    """Counts and the best hairpins of a scan.

    Attributes
    ----------
    lengths
        Length of each sequence, nt, in the order of the file.
    hairpins, calls
        Number of hairpins and of calls in each sequence; antisense twins are not calls.
    scores
        (50,): number of hairpins in each of 50 equal bins of the score, from 0 to 1.
    best
        The ten hairpins with the highest scores, without antisense twins: row of
        `mirpair.prediction.predictor.predict` and bases of each.
    importance
        Of each base of the best that are called, by id: see
        `mirpair.prediction.importance.Importance`.
    called
        The calls, in the order of the genome.
    known, known_names
        Number of hairpins that are like a known one, but are not called, without antisense twins;
        and the known hairpins of the first ones, with the scores.
    expected
        How many calls in a megabase are false, in words; empty if it is not known.
    """

    lengths: dict[str, int] = field(default_factory=dict)
    hairpins: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    scores: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(_BINS, dtype=np.int64))
    best: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)
    importance: dict[str, list[float]] = field(default_factory=dict)
    called: Sequence[Call] = ()
    known: int = 0
    known_names: list[str] = field(default_factory=list)
    expected: str = ""

    def name_known(self) -> str:
        """Name the first hairpins of `known`."""
        more = ["…"] if self.known > len(self.known_names) else []
        return ", ".join([*self.known_names, *more])


def write_files(
    journals: Sequence[str | Path],
    prefix: str | Path,
    comments: Sequence[str],
    predictor: Predictor,
    *,
    name_families: Callable[[Sequence[str]], Sequence[str]],
    top: int = 0,
) -> Summary:
    """Write the hairpins for people and for genome browsers, each file atomically.

    Parameters
    ----------
    journals
        Those of all pieces of `mirpair.scan.find.find`.
    prefix
        Start of the names of the files: ``.gff3`` (calls) and ``.all.gff3`` (all hairpins),
        ``.bed`` and ``.fa`` (calls), ``.tsv`` (all hairpins, with positions counted from 1). Of
        two calls that are antisense twins one is called, see `mirpair.scan.calls.mark_antisense`.
    comments
        First lines of the GFF3 files: version and parameters. The TSV has none: programs that read
        tables would take them for rows, or cut names at a ``#`` if it begins a comment for them.
    predictor
        What scored them.
    name_families
        See `mirpair.scan.calls.compare`.
    top
        If it is not 0, the TSV has only so many hairpins, those with the highest scores, the best
        first.
    """
    summary = Summary()
    circles: dict[str, int] = {}
    for tile in read_candidates(journals):
        if tile.length:
            summary.lengths[tile.sequence] = tile.length
            if tile.circular:
                circles[tile.sequence] = tile.length
    names = list(columns(nearest=predictor.settings.compares))
    # Ranks and clusters depend on all hairpins, which may not fit into memory: they are read twice.
    compared = compare(_each_hairpin(journals, names, circles), circles, name_families)
    summary.called = compared.calls
    head = gff3_head(comments, summary.lengths)
    best: dict[int, tuple[Mapping[str, Any], str]] = {}
    ranked: dict[int, str] = {}
    with ExitStack() as stack:
        # The last one gets its name first: by the head of the .gff3, the next scan recognises the
        # others if this one is killed before they have theirs.
        table, fasta, bed, every, calls = (
            stack.enter_context(
                stack.enter_context(atomic(f"{prefix}{suffix}")).open(
                    "w", encoding="utf-8", newline="\n"
                )
            )
            for suffix in reversed(_SUFFIXES)
        )
        for track in (calls, every):
            track.write(head)
            track.writelines(circle_line(*circle) for circle in circles.items())
        table.write("\t".join([names[0], *_PLACE, *names[1:], *COMPARED]) + "\n")
        each = _each_hairpin(journals, names, circles)
        for number, (sequence, hairpin, row) in enumerate(each):
            rank = int(compared.ranks[number])
            row |= {
                "rank": str(rank or ""),
                "false_calls_per_mb": _false_calls(row["score"], predictor),
                "cluster": compared.clusters.get(number, ""),
                "family": compared.families.get(number, ""),
                "masked": f"{hairpin.masked / len(hairpin.bases):.2f}",
            }
            location = Location(sequence, hairpin.start, hairpin.end, hairpin.strand)
            line = _table_line(location, row, names)
            if not top:
                table.write(line)
            elif 0 < rank <= top:
                ranked[rank] = line
            summary.hairpins[sequence] += 1
            if row["score"] is None:
                continue
            every.write(gff3_line(location, row))
            summary.scores[min(int(row["score"] * _BINS), _BINS - 1)] += 1
            if 0 < rank <= _BEST:
                best[rank] = (row, hairpin.bases)
            if row.get("status") == KNOWN and row["call"] == 0 and not row["antisense"]:
                summary.known += 1
                if len(summary.known_names) < _NAMED:
                    first = row["nearest"].split(",")[0]
                    summary.known_names.append(f"{first} (score {row['score']:.3f})")
            if row["call"] == 1:
                summary.calls[sequence] += 1
                calls.write(gff3_line(location, row))
                parts = split_location(location, circles.get(sequence))
                bed.writelines(bed_line(part, row) for part in parts)
                fasta.write(fasta_entry(row["id"], hairpin.bases))
        table.writelines(ranked[rank] for rank in sorted(ranked))
    summary.best = [best[rank] for rank in sorted(best)]
    return summary


def _each_hairpin(
    journals: Sequence[str | Path], names: Sequence[str], circles: Mapping[str, int]
) -> Iterator[tuple[str, GenomeHairpin, dict[str, Any]]]:
    """Read all hairpins with their sequence and their row, antisense twins marked, in order."""
    for sequence, hairpins in resolve_neighbours(read_candidates(journals)):
        rows = [_row(sequence, hairpin, names) for hairpin in hairpins]
        mark_antisense(hairpins, rows, circles.get(sequence))
        for hairpin, row in zip(hairpins, rows, strict=True):
            yield sequence, hairpin, row


def _false_calls(score: float | None, predictor: Predictor) -> str:
    calls = math.nan if score is None else predictor.false_calls(score)
    # Two digits, never as 5.5e+02.
    return "" if math.isnan(calls) else f"{float(f'{calls:.2g}'):g}"


def identifier(sequence: str, hairpin: GenomeHairpin | Call) -> str:
    """Name a hairpin by its location, as ``bedtools getfasta -s`` names it."""
    return f"{sequence}:{hairpin.start}-{hairpin.end}({hairpin.strand})"


def _row(sequence: str, hairpin: GenomeHairpin, names: Sequence[str]) -> dict[str, Any]:
    """Read what is known of a hairpin: numbers as numbers, None if there is none.

    ``"cells"`` are the same as they were written.
    """
    cells = dict(zip(names, next(csv.reader([hairpin.row], delimiter="\t")), strict=True))
    cells["id"] = identifier(sequence, hairpin)
    row: dict[str, Any] = {**cells, "antisense": "", "cells": cells}
    for name in ("length", "call"):
        row[name] = int(cells[name]) if cells[name] else None
    for name in ("mfe", "score", "probability", "identity", "coverage"):
        if name in cells:
            row[name] = float(cells[name]) if cells[name] else None
    return row


def _table_line(location: Location, row: Mapping[str, Any], names: Sequence[str]) -> str:
    """Write a row of the TSV."""
    cells = row["cells"] | ({"call": "0"} if row["antisense"] else {})
    place = [location.sequence, str(location.start + 1), str(location.end), location.strand]
    compared = (row[name] for name in COMPARED)
    values = [row["id"], *place, *(cells[name] for name in names[1:]), *compared]
    return to_line(values) + "\n"
