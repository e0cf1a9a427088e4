"""The files of a scan, for people and for genome browsers, and the page with figures."""

from __future__ import annotations

import csv
import heapq
import re
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from mirpair import __version__
from mirpair.files import InputError, atomic
from mirpair.hairpins.candidates import STRANDS, GenomeHairpin, resolve_neighbours, shared_bases
from mirpair.pages.drawings import draw_hairpins
from mirpair.pages.page import embed_svg
from mirpair.pages.page import render as render_page
from mirpair.pages.style import BLUE, FULL_NUMBERS, in_style, to_svg
from mirpair.prediction.table import columns, to_line
from mirpair.prediction.tracks import (
    Location,
    bed_line,
    circle_line,
    fasta_entry,
    gff3_head,
    gff3_line,
    split_location,
)
from mirpair.scan.find import read_candidates
from mirpair.settings import SCAN_FILES

_SUFFIXES = [suffix for suffix in SCAN_FILES if suffix != ".html"]
# Name of the parameter, in the head of the GFF3, that says of which genome the hairpins are.
CHECKSUM = "names and bases of the genome"


def name_of(genome: str | Path) -> str:
    """Name of a genome: that of its file without the ending of its format."""
    return re.sub(r"(\.(fa|fasta|fna|fas))?(\.gz)?$", "", Path(genome).name) or "genome"


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
# A draft genome may have very many contigs; the page shows those with most calls.
_MOST = 200
_BINS = 50
_BEST = 10
# Columns of the TSV that a prediction does not have: after the id, and at the end.
_PLACE, _ANTISENSE = ("sequence", "start", "end", "strand"), "antisense"


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
    expected
        How many calls in a megabase are false, in words; empty if it is not known.
    """

    lengths: dict[str, int] = field(default_factory=dict)
    hairpins: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    scores: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(_BINS, dtype=np.int64))
    best: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)
    expected: str = ""


def write_files(
    journals: Sequence[str | Path],
    prefix: str | Path,
    comments: Sequence[str],
    *,
    nearest: bool,
) -> Summary:
    """Write the hairpins for people and for genome browsers, each file atomically.

    Parameters
    ----------
    journals
        Those of all pieces of `mirpair.scan.find.find`.
    prefix
        Start of the names of the files: ``.gff3`` (calls) and ``.all.gff3`` (all hairpins),
        ``.bed`` and ``.fa`` (calls), ``.tsv`` (all hairpins, with positions counted from 1). Of
        two calls that are antisense twins one is called, see `mark_antisense`.
    comments
        First lines of the GFF3 files: version and parameters. The TSV has none: programs that read
        tables would take them for rows, or cut names at a ``#`` if it begins a comment for them.
    nearest
        Whether the scores come with the nearest known hairpins.
    """
    summary = Summary()
    circles: dict[str, int] = {}
    for tile in read_candidates(journals):
        if tile.length:
            summary.lengths[tile.sequence] = tile.length
            if tile.circular:
                circles[tile.sequence] = tile.length
    head = gff3_head(comments, summary.lengths)
    best: list[tuple[float, int, Mapping[str, Any], str]] = []
    names = list(columns(nearest=nearest))
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
        table.write("\t".join([names[0], *_PLACE, *names[1:], _ANTISENSE]) + "\n")
        number = 0
        for sequence, hairpins in resolve_neighbours(read_candidates(journals)):
            circle = circles.get(sequence)
            rows = [_row(sequence, hairpin, names) for hairpin in hairpins]
            mark_antisense(hairpins, rows, circle)
            for hairpin, row in zip(hairpins, rows, strict=True):
                number += 1
                location = Location(sequence, hairpin.start, hairpin.end, hairpin.strand)
                table.write(_table_line(location, row, names))
                summary.hairpins[sequence] += 1
                if row["score"] is None:
                    continue
                every.write(gff3_line(location, row))
                summary.scores[min(int(row["score"] * _BINS), _BINS - 1)] += 1
                if not row["antisense"]:
                    heapq.heappush(best, (row["score"], -number, row, hairpin.bases))
                if len(best) > _BEST:
                    heapq.heappop(best)
                if row["call"] == 1:
                    summary.calls[sequence] += 1
                    calls.write(gff3_line(location, row))
                    bed.writelines(bed_line(part, row) for part in split_location(location, circle))
                    fasta.write(fasta_entry(row["id"], hairpin.bases))
    ranked = sorted(best, key=lambda it: (-it[0], -it[1]))
    summary.best = [(row, bases) for _, _, row, bases in ranked]
    return summary


def identifier(sequence: str, hairpin: GenomeHairpin) -> str:
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
    values = [row["id"], *place, *(cells[name] for name in names[1:]), row["antisense"]]
    return to_line(values) + "\n"


def mark_antisense(
    hairpins: Sequence[GenomeHairpin], rows: Sequence[dict[str, Any]], circle: int | None = None
) -> None:
    """Mark the antisense twins of calls: ``antisense`` is the call's id, and ``call`` becomes 0.

    Two calls on opposite strands that share at least half of the shorter one are twins. The one
    with the higher score is the call; of equal scores, the one with the lower energy, and then the
    one on the forward strand.

    Parameters
    ----------
    hairpins, rows
        All hairpins of a stretch, and their rows.
    circle
        Length of the sequence if it is circular, nt.
    """
    called = [pair for pair in zip(hairpins, rows, strict=True) if pair[1]["call"] == 1]
    called.sort(key=lambda it: (-it[1]["score"], it[1]["mfe"], it[0].strand, it[0].start))
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


def render(genome: str, summary: Summary, parameters: Mapping[str, Any]) -> str:
    """Write the page as HTML.

    `parameters` say how the genome was scanned, by name.
    """
    names = sorted(
        summary.lengths, key=lambda name: (-summary.calls[name], -summary.hairpins[name])
    )
    shown = set(names[:_MOST])
    rows = [("", _counts(name, summary)) for name in summary.lengths if name in shown]
    header = ["Sequence", "Length, nt", "Hairpins", "Called", "Called per Mb"]
    best = [{"name": row["id"], **_texts(row)} for row, _ in summary.best]
    figures = {"scores": draw_scores(summary)}
    if summary.best:
        figures["best"] = draw_hairpins(
            [(str(n), bases, row["structure"]) for n, (row, bases) in enumerate(summary.best, 1)]
        )
    pictures = {part: embed_svg(to_svg(it), f"scan-{part}") for part, it in figures.items()}
    return render_page(
        "scan",
        title=f"Hairpins of {genome}",
        version=__version__,
        total=sum(summary.lengths.values()),
        hairpins=sum(summary.hairpins.values()),
        calls=sum(summary.calls.values()),
        sequences=len(summary.lengths),
        left_out=len(summary.lengths) - len(rows),
        table={"header": header, "rows": rows},
        best=best,
        pictures=pictures,
        parameters=parameters,
        expected=summary.expected,
    )


def _counts(name: str, summary: Summary) -> Sequence[object]:
    length, calls = summary.lengths[name], summary.calls[name]
    density = 1e6 * calls / length
    cell = {"text": f"{density:.1f}", "order": density, "below": ""}
    return [name, length, summary.hairpins[name], calls, cell]


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    probability = row["probability"]
    near = ""
    if row.get("nearest"):
        name, others = row["nearest"].split(",")[0], row["other_known"].split(";")
        near = f"{name} ({row['status']}: identity {row['identity']:.2f}, "
        near += f"coverage {row['coverage']:.2f})"
        near += "".join(f"; also {other.split(',')[0]}" for other in others if other)
    return {
        "score": f"{row['score']:.6f}",
        "probability": "" if probability is None else f"{probability:.4f}",
        "mfe": f"{row['mfe']:.2f}",
        "nearest": near,
    }


@in_style
def draw_scores(summary: Summary) -> Figure:
    """Draw a histogram of the scores, on a logarithmic scale."""
    figure = Figure(figsize=(6.3, 2.6), layout="constrained")
    axis = figure.subplots()
    edges = np.linspace(0, 1, len(summary.scores) + 1)
    axis.bar(edges[:-1], summary.scores, np.diff(edges), align="edge", color=BLUE, lw=0)
    axis.set_yscale("symlog", linthresh=1)
    axis.yaxis.set_major_formatter(FULL_NUMBERS)
    axis.set(xlabel="Score of the network", ylabel="Hairpins", xlim=(0, 1))
    axis.set_ylim(bottom=0)
    return figure
