"""Draw the page of a scan: calls per sequence, scores, and the best hairpins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mirpair import __version__
from mirpair.pages.drawings import draw_hairpins
from mirpair.pages.page import embed_svg
from mirpair.pages.page import render as render_page
from mirpair.pages.style import BLUE, FULL_NUMBERS, in_style, to_svg
from mirpair.scan.output import Summary

# A draft genome may have very many contigs; the page shows those with most calls.
_MOST = 200


def render(genome: str, summary: Summary, parameters: Mapping[str, Any]) -> str:
    """Write the page as HTML.

    Parameters
    ----------
    genome
        Name of the file.
    summary
        Result of `mirpair.scan.output.write_files`.
    parameters
        How the genome was scanned, by name.
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
        total=total,
        hairpins=sum(summary.hairpins.values()),
        calls=calls,
        sequences=len(summary.lengths),
        left_out=len(summary.lengths) - len(rows),
        table={"header": header, "rows": rows},
        best=best,
        pictures=pictures,
        parameters=parameters,
    )


def _row(name: str, length: int, hairpins: int, calls: int) -> Sequence[object]:
    per_megabase = {
        "text": f"{1e6 * calls / length:.1f}",
        "order": 1e6 * calls / length,
        "below": "",
    }
    return [name, length, hairpins, calls, per_megabase]


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    probability = row["probability"]
    texts = {
        "score": f"{row['score']:.6f}",
        "probability": "" if probability is None else f"{probability:.4f}",
        "mfe": f"{row['mfe']:.2f}",
        "nearest": "",
    }
    if row.get("nearest"):
        texts["nearest"] = f"{row['nearest'].split(',')[0]}, identity {row['identity']:.2f}"
    return texts


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
