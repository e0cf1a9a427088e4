"""Figures of a study, as matplotlib draws them: readable in print and by the colour-blind."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from mirpair.files import atomic
from mirpair.recipes import MODELS
from mirpair.tables import FEATURE, OURS, PUBLISHED

# Okabe and Ito's colours, told apart by all readers.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B6B6B"
_SHOWN = ("F-score", "AUROC", "AUPR")
_COLOUR = {"F-score": PURPLE, "AUROC": BLUE, "AUPR": ORANGE}

STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    # A title of the user's is text, dollars and all.
    "text.parse_math": False,
    # The same figure gives the same bytes, and its text stays text.
    "svg.hashsalt": "mirpair",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


def draw_histories(histories: Mapping[str, Mapping[str, pd.DataFrame]], title: str) -> Figure:
    """Loss and metrics of every epoch: a row for each model, a thin line for each fold or seed.

    Parameters
    ----------
    histories
        Model to name of the run to its history (see `mirpair.metrics.history`).
    title
        Of the figure.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 0.5 + 2.4 * len(histories)), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        axes = figure.subplots(len(histories), 2, squeeze=False)
        for (model, runs), (left, right) in zip(histories.items(), axes, strict=True):
            together = pd.concat(runs.values())
            mean = together.groupby("epoch").mean()
            marker = "o" if len(mean) < 4 else None
            for role, colour in (("train", GREY), ("evaluate", BLUE)):
                for history in runs.values():
                    left.plot(
                        history["epoch"], history[f"{role} loss"], color=colour, alpha=0.3, lw=0.7
                    )
                left.plot(
                    mean.index,
                    mean[f"{role} loss"],
                    color=colour,
                    lw=1.8,
                    label=role,
                    marker=marker,
                )
            left.set(ylabel="loss per record", xlabel="epoch")
            left.set_title(f"{MODELS[model].label} ({len(runs)} run{'s'[: len(runs) > 1]})")
            left.set_ylim(bottom=0)
            for name in _SHOWN:
                for history in runs.values():
                    right.plot(
                        history["epoch"],
                        history[f"evaluate {name}"],
                        color=_COLOUR[name],
                        alpha=0.3,
                        lw=0.7,
                    )
                right.plot(
                    mean.index,
                    mean[f"evaluate {name}"],
                    color=_COLOUR[name],
                    lw=1.8,
                    label=name,
                    marker=marker,
                )
            right.set(xlabel="epoch", title="evaluation records")
            right.set_ylim(top=1.02)
            for axis in (left, right):
                axis.legend(fontsize=8)
                axis.xaxis.get_major_locator().set_params(integer=True)
        return figure


def draw_results(table: pd.DataFrame, title: str) -> Figure:
    """A table of results as dots: what is published, what is ours, what one feature reaches."""
    looks = {
        PUBLISHED: {"marker": "o", "mfc": "white", "mec": GREY, "ms": 6},
        OURS: {"marker": "o", "mfc": BLUE, "mec": BLUE, "ms": 6},
        FEATURE: {"marker": "|", "mfc": ORANGE, "mec": ORANGE, "ms": 10, "mew": 2.5},
    }
    names = [f"{m} ({p})" for m, p in zip(table["method"], table["protocol"], strict=True)]
    short = {name for name, whole in zip(names, table["whole"], strict=True) if not whole}
    rows = list(dict.fromkeys(names))
    place = {name: len(rows) - 1 - index for index, name in enumerate(rows)}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.2 + 0.24 * len(rows)), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        axes = figure.subplots(1, len(_SHOWN), sharey=True)
        for axis, metric in zip(axes, _SHOWN, strict=True):
            for source, look in looks.items():
                chosen = (table["source"] == source).to_numpy()
                axis.plot(
                    table.loc[chosen, metric],
                    [place[name] for name, is_in in zip(names, chosen, strict=True) if is_in],
                    linestyle="none",
                    label=source,
                    **look,
                )
            axis.set_title(metric)
            starred = [f"{name} *" if name in short else name for name in rows]
            axis.set_yticks(list(place.values()), starred)
            axis.set_ylim(-0.7, len(rows) - 0.3)
            axis.set_xlim(right=1.02)
        if short:
            figure.text(0.01, 0.01, "* this run had fewer epochs or folds than its recipe")
        present = [source for source in looks if (table["source"] == source).any()]
        handles, labels = axes[0].get_legend_handles_labels()
        kept = [(h, text) for h, text in zip(handles, labels, strict=True) if text in present]
        figure.legend(*zip(*kept, strict=True), loc="outside lower right", ncols=3)
        return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write SVG, PDF or PNG by the file name, atomically, without a date in it."""
    dated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(Path(path).suffix)
    with (
        atomic(path) as temporary,
        matplotlib.rc_context(STYLE),
        warnings.catch_warnings(),
    ):
        # A title in a script that the font does not have is legible in an SVG all the same.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(temporary, dpi=150, metadata=dated)
