"""The page of a scan, with figures: where the calls are, and how many may be false."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mirpair import __version__
from mirpair.pages.drawings import draw_hairpins
from mirpair.pages.page import embed_svg
from mirpair.pages.page import render as render_page
from mirpair.pages.style import BLUE, FULL_NUMBERS, GREY, ORANGE, SMALL, TINY, in_style, to_svg
from mirpair.prediction.weights import GenomeCurve
from mirpair.scan.output import Summary, identifier

# A draft genome may have very many contigs; the page shows those with most calls.
_MOST = 100
# Sequences that the overview shows.
_DRAWN = 40
# Places along the longest sequence.
_PIXELS = 1000
# Letters of a sequence's name beside it.
_NAME = 24
# Numbers of calls that are compared with the false calls to expect.
_LEVELS = (10, 30, 100, 300, 1000, 3000, 10_000)


def render(
    genome: str,
    summary: Summary,
    parameters: Mapping[str, Any],
    curves: Sequence[GenomeCurve] = (),
) -> str:
    """Write the page as HTML.

    `parameters` say how the genome was scanned, by name; `curves` how many false calls to
    expect (`mirpair.prediction.weights.PreMirnaNetworks`).
    """
    names = sorted(
        summary.lengths, key=lambda name: (-summary.calls[name], -summary.hairpins[name])
    )
    rows = [("", _counts(name, summary)) for name in names[:_MOST]]
    drawn = _drawn(summary)
    header = ["Sequence", "Length, nt", "Hairpins", "Called", "Called per Mb"]
    best = [{"name": row["id"], **_texts(row)} for row, _ in summary.best]
    figures = {"overview": draw_overview(summary), "scores": draw_scores(summary)}
    if summary.best:
        numbers = _numbers(summary)
        figures["best"] = draw_hairpins(
            [(numbers[row["id"]], bases, row["structure"]) for row, bases in summary.best],
            {numbers[name]: values for name, values in summary.importance.items()},
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
        explained=len(summary.importance),
        false_calls=_false_calls(summary, curves),
        not_drawn=len(summary.lengths) - len(drawn),
        calls_not_drawn=sum(summary.calls[name] for name in summary.lengths if name not in drawn),
        pictures=pictures,
        parameters=parameters,
        expected=summary.expected,
        known=summary.known,
        known_names=summary.name_known(),
    )


def _false_calls(summary: Summary, curves: Sequence[GenomeCurve]) -> dict[str, Any] | None:
    """Make the table of the best calls beside those expected in a genome without pre-miRNAs.

    None if there are no calls, or it is not known.
    """
    scores = sorted((call.score for call in summary.called), reverse=True)
    if not scores or not curves:
        return None
    megabases = sum(summary.lengths.values()) / 1e6
    counts = [it for it in _LEVELS if it < len(scores)] + [len(scores)]
    header = ["Best calls", "Score from", *(f"Expected in {curve.genome}" for curve in curves)]
    rows = []
    for count in counts:
        expected = [megabases * curve.calls_from(scores[count - 1]) for curve in curves]
        name = f"the {count:,} best" if count < len(scores) else f"all {count:,}"
        cells = [
            {"text": f"{it:,.2g}" if it < 10 else f"{it:,.0f}", "order": it, "below": ""}
            for it in expected
        ]
        rows.append(("", [name, f"{scores[count - 1]:.6f}", *cells]))
    return {"header": header, "rows": rows}


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
    false_calls, cluster, family = (row[it] for it in ("false_calls_per_mb", "cluster", "family"))
    return {
        "called": "called" if row["call"] == 1 else "not called",
        "score": f"{row['score']:.6f}",
        "false_calls": false_calls,
        "cluster": cluster,
        "family": family,
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


@in_style
def draw_overview(summary: Summary) -> Figure:
    """Draw sequences to scale, with calls of the forward strand above, others below.

    The ten best calls are numbered.
    """
    lengths = summary.lengths
    shown = _drawn(summary)
    rows = {name: row for row, name in enumerate(it for it in lengths if it in shown)}
    figure = Figure(figsize=(6.3, 0.7 + 0.3 * len(rows)), layout="constrained")
    axis = figure.subplots()
    unit, scale = _unit(max(lengths.values()))
    for name, row in rows.items():
        axis.plot([0, lengths[name] / scale], [row, row], color=GREY, lw=1, solid_capstyle="butt")
    # A genome may have very many calls: each place is drawn once.
    pixel = max(lengths.values()) / _PIXELS
    for strand, side in (("+", -1), ("-", 1)):
        places = {
            (round(it.start / pixel) * pixel / scale, rows[it.sequence])
            for it in summary.called
            if it.strand == strand and it.sequence in rows
        }
        at, middle = np.array(sorted(places), dtype=np.float64).reshape(-1, 2).T
        axis.vlines(at, middle, middle + 0.32 * side, color=BLUE, lw=0.8)
    for (name, strand), labels in _labels(summary, near=0.02 * max(lengths.values())).items():
        for position, text in labels if name in rows else ():
            above, vertical = (-0.33, "bottom") if strand == "+" else (0.33, "top")
            place = (position / scale, rows[name] + above)
            axis.text(*place, text, size=TINY, color=ORANGE, ha="center", va=vertical)
    axis.set_yticks(list(rows.values()), [_shortened(name) for name in rows], fontsize=SMALL)
    axis.set(xlabel=f"Position, {unit}", xlim=(0, None), ylim=(len(rows) - 0.2, -0.8))
    axis.grid(visible=False)
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    return figure


def _numbers(summary: Summary) -> dict[str, str]:
    """Number the best hairpins, by their ids."""
    return {row["id"]: str(number) for number, (row, _) in enumerate(summary.best, 1)}


def _drawn(summary: Summary) -> set[str]:
    """Choose the sequences of the overview: those with calls first, and then the longest ones."""
    order = sorted(
        summary.lengths, key=lambda name: (not summary.calls[name], -summary.lengths[name])
    )
    return set(order[:_DRAWN])


def _labels(summary: Summary, near: float) -> dict[tuple[str, str], list[tuple[float, str]]]:
    """Place the numbers of the best calls on each strand; those `near` each other, nt, together."""
    numbers = _numbers(summary)
    labels: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for call in summary.called:
        if number := numbers.get(identifier(call.sequence, call)):
            of_strand = labels.setdefault((call.sequence, call.strand), [])
            if of_strand and abs(call.start - of_strand[-1][0]) < near:
                position, before = of_strand.pop()
                of_strand.append((position, f"{before}, {number}"))
            else:
                of_strand.append((call.start, number))
    return labels


def _unit(length: int) -> tuple[str, float]:
    """Choose the unit of positions in sequences of this length, nt."""
    return next(
        ((unit, size) for unit, size in (("Mb", 1e6), ("kb", 1e3)) if length >= 5 * size), ("nt", 1)
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
