"""Figures of a study, as matplotlib draws them: readable in print and by the colour-blind."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mirpair.contracts import METRICS
from mirpair.files import atomic
from mirpair.identification.tables import BASELINE, OURS, PUBLISHED, SHOWN

# Okabe and Ito's colours, told apart by all readers.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B6B6B"
YELLOW, SKY, BLACK = "#E69F00", "#56B4E9", "#000000"
_SHORT = "* this run had fewer epochs or folds than its recipe"
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


# Powers of ten would need the mathematical text that is switched off.
_IN_FULL = FuncFormatter(lambda value, _: f"{value:,g}")


def draw_histories(histories: Mapping[str, Mapping[str, pd.DataFrame]], title: str) -> Figure:
    """Loss and metrics of every epoch: a row for each model, a thin line for each fold or seed.

    Parameters
    ----------
    histories
        Label of the network to name of the run to its history (see
        `mirpair.identification.metrics.history`).
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
            left.set_title(f"{model} ({len(runs)} run{'s'[: len(runs) > 1]})")
            left.set_ylim(bottom=0)
            for name in SHOWN:
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


def draw_watched(
    validation: Mapping[str, pd.DataFrame], training: Mapping[str, pd.DataFrame], *, epochs: int
) -> Figure:
    """What happens after the last epoch (Do et al. 2018, Figure 3): all metrics and the loss.

    Parameters
    ----------
    validation
        Name of a fold to its history, whose metrics of the evaluation records are drawn.
    training
        Name of an experiment to its history, whose metrics of the training records are drawn.
    epochs
        The epoch that is the result, marked by a line.
    """
    panels = [(name, "evaluate", history) for name, history in validation.items()]
    panels += [(name, "train", history) for name, history in training.items()]
    colours = dict(zip(METRICS, (GREEN, SKY, YELLOW, PURPLE, GREY, BLUE, ORANGE), strict=True))
    with matplotlib.rc_context(STYLE):
        rows = -(-len(panels) // 2)
        figure = Figure(figsize=(8, 0.6 + 2.5 * rows), layout="constrained")
        axes = figure.subplots(rows, 2, squeeze=False).ravel()
        losses = []
        for place, (name, role, history) in enumerate(panels):
            axis, letter = axes[place], chr(ord("A") + place) if place < 26 else str(place + 1)
            for metric in METRICS:
                axis.plot(
                    history["epoch"],
                    history[f"{role} {metric}"],
                    color=colours[metric],
                    lw=1.1,
                    label=metric,
                )
            axis.axvline(epochs, color=BLACK, lw=0.8, ls=":")
            axis.set_ylim(0.5, 1.005)
            kind = "training records" if role == "train" else "validation records"
            axis.set_title(f"{letter}  {name}, {kind}", loc="left", fontsize=9)
            axis.set(xlabel="epoch", ylabel="metric")
            axis.xaxis.get_major_locator().set_params(integer=True)
            loss = axis.twinx()
            loss.plot(
                history["epoch"],
                history[f"{role} loss"],
                color=BLACK,
                lw=1.1,
                ls="--",
                label="loss",
            )
            loss.set_ylabel("loss per record")
            loss.grid(visible=False)
            loss.spines["right"].set_visible(True)
            losses.append(loss)
        # All losses on one scale, so that panels can be compared.
        top = max(history[f"{role} loss"].max() for _, role, history in panels)
        for loss in losses:
            loss.set_ylim(0, 1.05 * top)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        handles, names = axes[0].get_legend_handles_labels()
        more, loss_name = losses[0].get_legend_handles_labels()
        figure.legend(
            handles + more, names + loss_name, loc="outside lower center", ncols=8, fontsize=8
        )
        return figure


def draw_lengths(lengths: Mapping[str, npt.NDArray[np.int64]]) -> Figure:
    """Histogram of the RNAs' lengths with their mean (Do et al. 2018, Figure 4).

    Parameters
    ----------
    lengths
        Name of a set to the length of each of its records, in nt.
    """
    together = np.concatenate(list(lengths.values()))
    shortest, mean, longest = together.min(), together.mean(), together.max()
    bins = np.arange(shortest // 10 * 10, longest + 11, 10)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6, 3.6), layout="constrained")
        axis = figure.subplots()
        axis.hist(together, bins=list(bins), color="#C9CED4", label="all sets")
        for (name, values), colour in zip(
            lengths.items(), (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW) * 9, strict=False
        ):
            if len(lengths) > 1:
                axis.hist(
                    values, bins=list(bins), histtype="step", color=colour, lw=1.2, label=name
                )
        axis.axvline(mean, color=BLACK, lw=1.5, label=f"mean, {mean:.0f} nt")
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(_IN_FULL)
        axis.set_ylim(bottom=0.7)
        axis.set(xlabel="length (nt)", ylabel="number of RNAs (log scale)")
        axis.set_title(
            f"{len(together):,} RNAs: shortest {shortest}, mean {mean:.0f}, longest {longest} nt",
            loc="left",
            fontsize=9,
        )
        axis.legend()
        return figure


def draw_predictions(predictions: Mapping[str, Mapping[str, pd.DataFrame]], title: str) -> Figure:
    """ROC, precision-recall and calibration of every network, and its scores by class.

    Parameters
    ----------
    predictions
        Label of the network to name of the run to its predictions (id, label, score).
    title
        Of the figure.
    """
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import precision_recall_curve, roc_curve

    # More networks than colours are told apart by their lines.
    palette = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, GREY)
    looks = {
        name: {"color": palette[n % 7], "ls": ("-", "--", ":", "-.")[n // 7 % 4]}
        for n, name in enumerate(predictions)
    }
    columns = 3
    rows = 1 + -(-len(predictions) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 0.9 + 2.5 * rows), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        axes = figure.subplots(rows, columns, squeeze=False)
        roc, curve, calibration = axes[0]
        handles = []
        for name, runs in predictions.items():
            look = {**looks[name], "lw": 0.7, "alpha": 0.45}
            for run in runs.values():
                if run["label"].nunique() < 2:
                    continue
                negative, positive, _ = roc_curve(run["label"], run["score"])
                roc.plot(negative, positive, **look)
                precision, recall, _ = precision_recall_curve(run["label"], run["score"])
                curve.step(recall, precision, where="post", **look)
            together = pd.concat(runs.values())
            if together["label"].nunique() > 1:
                share, score = calibration_curve(together["label"], together["score"], n_bins=10)
                calibration.plot(score, share, marker="o", ms=3, lw=1, **looks[name])
            handles += roc.plot([], [], lw=1.5, label=name, **looks[name])
        calibration.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls="--")
        roc.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls="--")
        roc.set(title="ROC", xlabel="1 − SP", ylabel="SE")
        curve.set(title="Precision-recall", xlabel="SE (recall)", ylabel="PPV (precision)")
        calibration.set(title="Calibration", xlabel="mean score", ylabel="share of pre-miRNAs")
        for axis in axes[0]:
            axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        # About 110 letters of this size fit into a line of the legend.
        fitting = max(1, 110 // (max(map(len, predictions)) + 8))
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=min(len(handles), fitting),
            fontsize=8,
        )
        histograms = axes[1:].ravel()
        for axis, (name, runs) in zip(histograms, predictions.items(), strict=False):
            _draw_score_histogram(axis, pd.concat(runs.values()), name)
        histograms[0].legend(fontsize=7.5)
        for axis in histograms[len(predictions) :]:
            axis.set_visible(False)
        return figure


def _draw_score_histogram(axis: Axes, predictions: pd.DataFrame, name: str) -> None:
    bins = np.linspace(0, 1, 26)
    for label, colour, meaning, filled in (
        (0, GREY, "others", True),
        (1, ORANGE, "pre-miRNAs", False),
    ):
        axis.hist(
            predictions.loc[predictions["label"] == label, "score"],
            bins=list(bins),
            color=colour,
            histtype="stepfilled" if filled else "step",
            alpha=0.5 if filled else 1,
            lw=1.4,
            label=meaning,
        )
    axis.axvline(0.5, color=BLACK, lw=0.8, ls=":")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(_IN_FULL)
    axis.set_ylim(bottom=0.7)
    axis.set_title(textwrap.fill(name, 30), fontsize=9)
    axis.set(xlabel="score", ylabel="number of RNAs")


def draw_resources(jobs: pd.DataFrame) -> Figure:
    """Run time and peak memory of every job, a row for each rule.

    Parameters
    ----------
    jobs
        Columns rule, s (wall time, seconds) and max_rss (MB; NaN where a job was too short to be
        measured), as Snakemake's benchmark files have them.
    """
    rules = list(dict.fromkeys(jobs["rule"]))
    place = {rule: len(rules) - 1 - index for index, rule in enumerate(rules)}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 1 + 0.3 * len(rules)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for axis, column, name in (
            (left, "s", "wall time of a job (s)"),
            (right, "max_rss", "peak memory of a job (MB)"),
        ):
            rows = jobs["rule"].map(place)
            axis.plot(jobs[column], rows, "o", color=BLUE, ms=4, alpha=0.35, mew=0)
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.xaxis.set_major_formatter(_IN_FULL)
            axis.xaxis.set_minor_formatter(NullFormatter())
            axis.tick_params(axis="x", labelsize=7.5)
            axis.set(xlabel=name, ylim=(-0.7, len(rules) - 0.3))
        names = [f"{rule} ({(jobs['rule'] == rule).sum()})" for rule in rules]
        left.set_yticks(list(place.values()), names)
        return figure


_LOOKS: dict[str, dict[str, Any]] = {
    PUBLISHED: {"marker": "o", "mfc": "white", "mec": GREY, "ms": 6},
    OURS: {"marker": "o", "mfc": BLUE, "mec": BLUE, "ms": 5},
    BASELINE: {"marker": "D", "mfc": ORANGE, "mec": ORANGE, "ms": 4},
}


def _dots(
    axis: Axes, rows: pd.DataFrame, column: str, heights: Sequence[float], label: str, **look: Any
) -> None:
    """Values of a column, each with its interval where it has one."""
    low, high = rows[f"{column} low"], rows[f"{column} high"]
    axis.hlines(heights, low, high, color=look["mec"], lw=1.2, alpha=0.6)
    axis.plot(rows[column], heights, linestyle="none", label=label, **look)


def draw_cleaned(table: pd.DataFrame, subsets: Mapping[str, str]) -> Figure:
    """F-score, AUROC and AUPR on all evaluation records and on the cleaned ones.

    Parameters
    ----------
    table
        Result of `mirpair.identification.tables.cleaned_table`.
    subsets
        Name of a subset, as in the table's columns, to what it is called.
    """
    groups = list(dict.fromkeys(table["protocol"]))
    heights, ticks, start = [], [], 0.0
    for group in groups:
        size = int((table["protocol"] == group).sum())
        heights += [-(start + place) for place in range(size)]
        ticks.append(-(start - 0.9))
        start += size + 1.6
    colours = (GREY, SKY, BLUE)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.2 + 0.21 * start), layout="constrained")
        axes = figure.subplots(1, len(SHOWN), sharey=True)
        for axis, metric in zip(axes, SHOWN, strict=True):
            for (subset, name), colour, shift in zip(
                subsets.items(), colours, (0.22, 0, -0.22), strict=True
            ):
                places = [height + shift for height in heights]
                look = {"marker": "o", "mfc": colour, "mec": colour, "ms": 4}
                _dots(axis, table, f"{metric} {subset}", places, name, **look)
            axis.set_title(metric)
            stars = table["whole"].map({True: "", False: " *"})
            axis.set_yticks(heights, list(table["method"] + stars))
            for group, height in zip(groups, ticks, strict=True):
                axis.text(
                    0.0,
                    height,
                    group if axis is axes[0] else "",
                    fontweight="bold",
                    transform=axis.get_yaxis_transform(),
                    va="center",
                )
            axis.set_ylim(-start + 0.9, 1.6)
            axis.set_xlim(right=1.02)
        if not table["whole"].all():
            figure.text(0.01, 0.002, _SHORT)
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=3)
        return figure


def draw_results(table: pd.DataFrame, title: str) -> Figure:
    """A table of results as dots: published, ours and baselines, with our 95 % intervals."""
    names = [f"{m} ({p})" for m, p in zip(table["method"], table["protocol"], strict=True)]
    short = {name for name, whole in zip(names, table["whole"], strict=True) if not whole}
    rows = list(dict.fromkeys(names))
    place = {name: len(rows) - 1 - index for index, name in enumerate(rows)}
    present = [source for source in _LOOKS if (table["source"] == source).any()]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.2 + 0.24 * len(rows)), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        axes = figure.subplots(1, len(SHOWN), sharey=True)
        for axis, metric in zip(axes, SHOWN, strict=True):
            for source in present:
                chosen = (table["source"] == source).to_numpy()
                heights = [place[name] for name, is_in in zip(names, chosen, strict=True) if is_in]
                _dots(axis, table[chosen], metric, heights, source, **_LOOKS[source])
            axis.set_title(metric)
            starred = [f"{name} *" if name in short else name for name in rows]
            axis.set_yticks(list(place.values()), starred)
            axis.set_ylim(-0.7, len(rows) - 0.3)
            axis.set_xlim(right=1.02)
        if short:
            figure.text(0.01, 0.01, _SHORT)
        handles = [Line2D([], [], ls="none", label=name, **_LOOKS[name]) for name in present]
        figure.legend(handles=handles, loc="outside lower right", ncols=3)
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
