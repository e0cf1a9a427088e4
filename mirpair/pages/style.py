"""The style of all figures: readable in print and for colour-blind readers."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from mirpair.files import atomic

# Okabe and Ito's colours, which all readers can tell apart.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B6B6B"
YELLOW, SKY, BLACK = "#E69F00", "#56B4E9", "#000000"
# Sizes of text, in points.
LARGE, MEDIUM, SMALL, SMALLER, TINY = 10, 9, 8, 7.5, 7

STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": MEDIUM,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    # A title that a user wrote is text, even with dollar signs.
    "text.parse_math": False,
    # The same figure gives the same bytes, and its text stays text.
    "svg.hashsalt": "mirpair",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
# Decorates each function that draws a figure.
in_style = matplotlib.rc_context(STYLE)
# Powers of ten would need the mathematical text that is switched off.
FULL_NUMBERS = FuncFormatter(lambda value, _: f"{value:,g}")


def title_figure(figure: Figure, title: str) -> None:
    """Write the title of a figure at its left."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=LARGE)


def title_panel(axis: Axes, title: str) -> None:
    """Write the title of one panel at its left."""
    axis.set_title(title, loc="left", fontsize=MEDIUM)


def legend_below(figure: Figure, *axes: Axes, columns: int) -> None:
    """Put the legend of some panels below the figure."""
    entries = [axis.get_legend_handles_labels() for axis in axes]
    handles = [handle for of_axis, _ in entries for handle in of_axis]
    labels = [label for _, of_axis in entries for label in of_axis]
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=SMALL)


def hide(axes: Iterable[Axes]) -> None:
    """Hide panels that a grid has too many."""
    for axis in axes:
        axis.set_visible(False)


def epochs_along(axis: Axes) -> None:
    """Label the horizontal axis as epochs, which are integers."""
    axis.set_xlabel("epoch")
    axis.locator_params(axis="x", integer=True)


def wider_near_one(axis: Axes) -> None:
    """Make the horizontal axis, of values from 0 to 1, wider the nearer to 1.

    The scale is the logarithm of the distance to 1.03, so that 1 is on it.
    """
    functions = (lambda x: -np.log(1.03 - np.minimum(x, 1.02)), lambda y: 1.03 - np.exp(-y))
    axis.set_xscale("function", functions=functions)
    axis.xaxis.set_major_locator(FixedLocator([0, 0.5, 0.8, 0.9, 0.95, 1]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FULL_NUMBERS)
    axis.tick_params(axis="x", labelsize=TINY)
    axis.set_xlim(right=1.002)
    axis.set_xlabel("(wider near 1)")


def log_counts(axis: Axes) -> None:
    """Make the vertical axis a logarithmic scale of counts, on which 1 can be seen."""
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(FULL_NUMBERS)
    axis.set_ylim(bottom=0.7)


def save(figure: Figure, path: str | Path) -> None:
    """Write SVG, PDF or PNG by the file name, atomically, without a date in it."""
    with atomic(path) as temporary:
        _write(figure, temporary, Path(path).suffix.removeprefix("."))


def to_svg(figure: Figure) -> str:
    """Return a figure as the text of an SVG file."""
    buffer = io.BytesIO()
    _write(figure, buffer, "svg")
    return buffer.getvalue().decode()


@in_style
def _write(figure: Figure, target: Path | IO[bytes], kind: str) -> None:
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with warnings.catch_warnings():
        # A title in a script that the font does not have is legible in an SVG all the same.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(target, format=kind, dpi=150, metadata=undated)
