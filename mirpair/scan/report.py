"""One page that says what was found in a genome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mirpair import __version__
from mirpair.files import write_text
from mirpair.pages.drawings import draw_hairpins
from mirpair.pages.page import embed_svg
from mirpair.pages.page import render as render_page
from mirpair.pages.style import BLUE, FULL_NUMBERS, in_style, to_svg
from mirpair.prediction.predictor import Settings
from mirpair.scan.hairpins import Criteria, Summary, parameters, write

# Of a draft genome of very many contigs, a page shows those with most calls.
_MOST = 200


def write_all(
    genome: str | Path,
    found: Sequence[str | Path],
    scored: Sequence[str | Path],
    prefix: str | Path,
    criteria: Criteria,
    settings: Settings,
    weights: str | Path | None,
) -> Summary:
    """Write the files of `mirpair.scan.hairpins.write`, and a page beside them.

    Parameters
    ----------
    genome
        Its file.
    found, scored, prefix
        See `mirpair.scan.hairpins.write`.
    criteria, settings, weights
        What was found by, and which weights; None for those that come with the package.
    """
    told = parameters(genome, criteria, settings, weights)
    comments = [f"mirpair {__version__} scan", *(f"{name}: {it}" for name, it in told.items())]
    summary = write(found, scored, prefix, comments, nearest=settings.nearest)
    write_text(f"{prefix}.html", render(Path(genome).name, summary, told))
    return summary


def render(genome: str, summary: Summary, told: Mapping[str, Any]) -> str:
    """The page as HTML.

    Parameters
    ----------
    genome
        Name of the file.
    summary
        Result of `mirpair.scan.hairpins.write`.
    told
        What it was found by.
    """
    names = sorted(
        summary.lengths, key=lambda name: (-summary.calls[name], -summary.hairpins[name])
    )
    shown = set(names[:_MOST])
    rows = [
        ("", _row(name, summary.lengths[name], summary.hairpins[name], summary.calls[name]))
        for name in summary.lengths
        if name in shown
    ]
    total = sum(summary.lengths.values())
    calls = sum(summary.calls.values())
    header = ["Sequence", "Length, nt", "Hairpins", "Called", "Called per Mb"]
    best = [
        {"place": number, "name": row["id"], **_told(row)}
        for number, (row, _) in enumerate(summary.best, 1)
    ]
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
        total=total,
        hairpins=sum(summary.hairpins.values()),
        calls=calls,
        sequences=len(summary.lengths),
        left_out=len(summary.lengths) - len(rows),
        table={"header": header, "rows": rows},
        best=best,
        pictures=pictures,
        parameters=told,
    )


def _row(name: str, length: int, hairpins: int, calls: int) -> Sequence[object]:
    per_megabase = {
        "text": f"{1e6 * calls / length:.1f}",
        "order": 1e6 * calls / length,
        "below": "",
    }
    return [name, length, hairpins, calls, per_megabase]


def _told(row: Mapping[str, Any]) -> dict[str, str]:
    probability = row["probability"]
    told = {
        "score": f"{row['score']:.6f}",
        "probability": "" if probability is None else f"{probability:.4f}",
        "mfe": f"{row['mfe']:.2f}",
        "nearest": "",
    }
    if row.get("nearest"):
        told["nearest"] = f"{row['nearest'].split(',')[0]}, identity {row['identity']:.2f}"
    return told


@in_style
def draw_scores(summary: Summary) -> Figure:
    """How many hairpins have which score, on a logarithmic scale."""
    figure = Figure(figsize=(6.3, 2.6), layout="constrained")
    axis = figure.subplots()
    edges = np.linspace(0, 1, len(summary.scores) + 1)
    axis.bar(edges[:-1], summary.scores, np.diff(edges), align="edge", color=BLUE, lw=0)
    axis.set_yscale("symlog", linthresh=1)
    axis.yaxis.set_major_formatter(FULL_NUMBERS)
    axis.set(xlabel="Score of the network", ylabel="Hairpins", xlim=(0, 1))
    axis.set_ylim(bottom=0)
    return figure
