"""Draw the curves of a table of results by kind of RNA: a panel for each row, a line a method."""

from __future__ import annotations

import textwrap
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from mirpair.contracts import BASELINE_RUN, BASELINES
from mirpair.identification.kinds import CALLS, KEYS, PRECISION, RELIABILITY
from mirpair.pages.style import (
    BLACK,
    BLUE,
    FULL_NUMBERS,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    SMALL,
    YELLOW,
    hide,
    in_style,
    title_figure,
)

COLUMNS = 3
# Networks are solid lines in these colours, baselines dashed ones; both in their order.
_NETWORKS = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, BLACK)
_BASELINES = (GREY, BLACK, SKY, YELLOW, PURPLE, GREEN)
_DASHES = ("--", ":", "-.", (0, (3, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (6, 2)))


def _looks(curves: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Choose colour and line of each method, alike in all panels and figures of a table."""
    looks: dict[str, dict[str, Any]] = {}
    without = curves["recipe"] == BASELINE_RUN["recipe"]
    networks = curves.loc[~without, "method"].unique()
    for name, colour in zip(networks, cycle(_NETWORKS), strict=False):
        looks[name] = {"color": colour, "ls": "-", "lw": 1.6}
    baselines = list(BASELINES.values())
    for name in curves.loc[without, "method"].unique():
        place = baselines.index(name) if name in baselines else len(looks)
        colour, dash = _BASELINES[place % len(_BASELINES)], _DASHES[place % len(_DASHES)]
        looks[name] = {"color": colour, "ls": dash, "lw": 1.2}
    return looks


@in_style
def draw_kinds(curves: pd.DataFrame, curve: str, title: str) -> Figure:
    """Draw a curve of every row of a table of kinds.

    Parameters
    ----------
    curves
        As read by `mirpair.contracts.read_curves`.
    curve
        `mirpair.identification.kinds.PRECISION`, `CALLS` or `RELIABILITY`. A row without it has no
        panel.
    """
    looks = _looks(curves)
    points = curves[curves["curve"] == curve]
    if points.empty:
        return _without_points(title)
    rows = points.groupby(list(KEYS), sort=False)
    columns = min(COLUMNS, len(rows))
    lines = -(-len(rows) // columns)
    figure = Figure(figsize=(8, 1.1 + 2.7 * lines), layout="constrained")
    title_figure(figure, title)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for axis, ((positives, negatives), panel) in zip(axes, rows, strict=False):
        for name, line in panel.groupby("method", sort=False):
            _draw_line(axis, curve, line, looks[str(name)], _leftmost(panel))
        head = f"{positives} ↔ {negatives}"
        axis.set_title(textwrap.fill(head, 100 // columns), loc="left", fontsize=SMALL)
        _DECORATE[curve](axis, panel)
    hide(axes[len(rows) :])
    # An empty line for each method, also for one that has no point in the first panel.
    handles = [axes[0].plot([], [], label=name, **look)[0] for name, look in looks.items()]
    fitting = max(1, 110 // (max(map(len, looks)) + 8))
    columns = min(len(handles), fitting)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=SMALL)
    return figure


def _without_points(title: str) -> Figure:
    """Draw the figure of a study that has too few records for a curve."""
    figure = Figure(figsize=(8, 2), layout="constrained")
    title_figure(figure, title)
    axis = figure.subplots()
    axis.set_axis_off()
    axis.text(0.5, 0.5, "No row has enough records for this curve.", ha="center", va="center")
    return figure


def _draw_line(
    axis: Axes, curve: str, line: pd.DataFrame, look: dict[str, Any], left: float
) -> None:
    if curve == CALLS:
        # Without any call there is no place on a logarithmic axis: such points are at its left.
        axis.step(np.maximum(line["x"], left), line["y"], where="post", **look)
    else:
        dots: dict[str, Any] = {"marker": "o", "ms": 2.5} if curve == RELIABILITY else {}
        axis.plot(line["x"], line["y"], **dots, **look)


def _leftmost(points: pd.DataFrame) -> float:
    """Return the smallest number of calls a megabase that is not zero; 1 if all are."""
    calls = points.loc[points["x"] > 0, "x"]
    return float(calls.min()) if len(calls) else 1.0


def _decorate_precision(axis: Axes, _: pd.DataFrame) -> None:
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="recall", ylabel="precision")


def _decorate_calls(axis: Axes, panel: pd.DataFrame) -> None:
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator())
    axis.xaxis.set_major_formatter(FULL_NUMBERS)
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlim(left=0.9 * _leftmost(panel))
    axis.set(ylim=(-0.02, 1.02), xlabel="calls a megabase", ylabel="recall")


def _decorate_reliability(axis: Axes, _: pd.DataFrame) -> None:
    axis.plot([0, 1], [0, 1], color=GREY, lw=0.8, alpha=0.6, zorder=0)
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axis.set(xlabel="mean score", ylabel="share of pre-miRNAs")


_DECORATE = {
    PRECISION: _decorate_precision,
    CALLS: _decorate_calls,
    RELIABILITY: _decorate_reliability,
}
