"""Draw the figures of an identification study."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from mirpair.contracts import METRICS, VALIDATE, read_curves, read_features
from mirpair.files import read_any_tsv
from mirpair.identification.comparison import SHOWN
from mirpair.identification.kind_figures import draw_kinds
from mirpair.identification.metrics import SUBSETS, held_out_role
from mirpair.identification.tables import read_table
from mirpair.pages.printing import BASELINE, OURS, PUBLISHED
from mirpair.pages.style import (
    BLACK,
    BLUE,
    FULL_NUMBERS,
    GREEN,
    GREY,
    MEDIUM,
    ORANGE,
    PURPLE,
    SKY,
    SMALL,
    SMALLER,
    YELLOW,
    epochs_along,
    hide,
    in_style,
    legend_below,
    log_counts,
    title_figure,
    title_panel,
    wider_near_one,
)

_SHORT = "* fewer epochs than the recipe, or fewer folds than the experiment"
_COLOUR = {"F-score": PURPLE, "AUROC": BLUE, "AUPR": ORANGE}


_OF_METRICS = dict(zip(METRICS, (GREEN, SKY, YELLOW, PURPLE, GREY, BLUE, ORANGE), strict=True))


@in_style
def draw_histories(histories: Mapping[str, Mapping[str, pd.DataFrame]], title: str) -> Figure:
    """Draw loss and metrics by epoch: a row for each network, a thin line for each fold or seed.

    Parameters
    ----------
    histories
        Label of the network to name of the run to its history (see
        `mirpair.identification.metrics.history`).
    """
    figure = Figure(figsize=(8, 0.5 + 2.4 * len(histories)), layout="constrained")
    title_figure(figure, title)
    axes = figure.subplots(len(histories), 2, squeeze=False)
    for (model, runs), (left, right) in zip(histories.items(), axes, strict=True):
        held_out = held_out_role(next(iter(runs.values())))
        for role, colour in (("train", GREY), (held_out, BLUE)):
            _thin_and_mean(left, runs, f"{role} loss", role, colour)
        left.set_ylabel("loss per record")
        left.set_title(f"{model} ({len(runs)} run{'s'[: len(runs) > 1]})")
        left.set_ylim(bottom=0)
        for name in SHOWN:
            _thin_and_mean(right, runs, f"{held_out} {name}", name, _COLOUR[name])
        right.set_title("validation records" if held_out == VALIDATE else "evaluation records")
        right.set_ylim(top=1.02)
        for axis in (left, right):
            axis.legend(fontsize=SMALL)
            epochs_along(axis)
    return figure


def _thin_and_mean(
    axis: Axes, runs: Mapping[str, pd.DataFrame], column: str, label: str, colour: str
) -> None:
    """Draw a column of each history as a thin line, and their mean as a thick line."""
    for history in runs.values():
        axis.plot(history["epoch"], history[column], color=colour, alpha=0.3, lw=0.7)
    mean = pd.concat(runs.values()).groupby("epoch")[column].mean()
    marker = "o" if len(mean) < 4 else None
    axis.plot(mean.index, mean, color=colour, lw=1.8, label=label, marker=marker)


@in_style
def draw_watched(
    validation: Mapping[str, pd.DataFrame], training: Mapping[str, pd.DataFrame], *, epochs: int
) -> Figure:
    """Draw metrics and loss beyond the last epoch (Do et al. 2018, Figure 3).

    Parameters
    ----------
    validation, training
        Name of a fold to its history, of which metrics of the evaluation records are drawn; name of
        an experiment to its history, of which those of the training records are drawn.
    epochs
        The epoch whose weights are the result; a line marks it.
    """
    panels = [(name, held_out_role(history), history) for name, history in validation.items()]
    panels += [(name, "train", history) for name, history in training.items()]
    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(8, 0.6 + 2.5 * rows), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    losses = []
    for place, (name, role, history) in enumerate(panels):
        axis, letter = axes[place], chr(ord("A") + place) if place < 26 else str(place + 1)
        for metric, colour in _OF_METRICS.items():
            values = history[f"{role} {metric}"]
            axis.plot(history["epoch"], values, color=colour, lw=1.1, label=metric)
        axis.axvline(epochs, color=BLACK, lw=0.8, ls=":")
        axis.set_ylim(0.5, 1.005)
        kind = "training records" if role == "train" else "validation records"
        title_panel(axis, f"{letter}  {name}, {kind}")
        axis.set_ylabel("metric")
        epochs_along(axis)
        loss = axis.twinx()
        values = history[f"{role} loss"]
        loss.plot(history["epoch"], values, color=BLACK, lw=1.1, ls="--", label="loss")
        loss.set_ylabel("loss per record")
        loss.grid(visible=False)
        loss.spines["right"].set_visible(True)
        losses.append(loss)
    # All losses share a scale, so that panels can be compared.
    top = max(history[f"{role} loss"].max() for _, role, history in panels)
    for loss in losses:
        loss.set_ylim(0, 1.05 * top)
    hide(axes[len(panels) :])
    legend_below(figure, axes[0], losses[0], columns=8)
    return figure


@in_style
def draw_lengths(lengths: Mapping[str, npt.NDArray[np.int64]]) -> Figure:
    """Draw a histogram of the RNAs' lengths with their mean (Do et al. 2018, Figure 4).

    Parameters
    ----------
    lengths
        Name of a set to the length of each of its records, in nt.
    """
    together = np.concatenate(list(lengths.values()))
    shortest, mean, longest = together.min(), together.mean(), together.max()
    bins = list(np.arange(shortest // 10 * 10, longest + 11, 10))
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axis = figure.subplots()
    axis.hist(together, bins, color="#C9CED4", label="all sets")
    colours = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW) * 9
    for (name, values), colour in zip(lengths.items(), colours, strict=False):
        if len(lengths) > 1:
            axis.hist(values, bins, histtype="step", color=colour, lw=1.2, label=name)
    axis.axvline(mean, color=BLACK, lw=1.5, label=f"mean, {mean:.0f} nt")
    log_counts(axis)
    axis.set(xlabel="length (nt)", ylabel="number of RNAs (log scale)")
    title_panel(
        axis, f"{len(together):,} RNAs: shortest {shortest}, mean {mean:.0f}, longest {longest} nt"
    )
    axis.legend()
    return figure


@in_style
def draw_predictions(predictions: Mapping[str, Mapping[str, pd.DataFrame]], title: str) -> Figure:
    """Draw ROC, precision-recall and calibration of each network, and its scores by class.

    Parameters
    ----------
    predictions
        Label of the network to name of the run to its predictions (id, label, score).
    """
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import precision_recall_curve, roc_curve

    # If there are more networks than colours, the style of the line differs.
    palette = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, GREY)
    styles = [{"color": colour, "ls": ls} for ls in ("-", "--", ":", "-.") for colour in palette]
    looks = dict(zip(predictions, cycle(styles), strict=False))
    columns = 3
    rows = 1 + -(-len(predictions) // columns)
    figure = Figure(figsize=(8, 0.9 + 2.5 * rows), layout="constrained")
    title_figure(figure, title)
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
    columns = min(len(handles), fitting)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=SMALL)
    histograms = axes[1:].ravel()
    for axis, (name, runs) in zip(histograms, predictions.items(), strict=False):
        _draw_score_histogram(axis, pd.concat(runs.values()), name)
    histograms[0].legend(fontsize=SMALLER)
    hide(histograms[len(predictions) :])
    return figure


def _draw_score_histogram(axis: Axes, predictions: pd.DataFrame, name: str) -> None:
    bins = list(np.linspace(0, 1, 26))
    # With several seeds, an RNA has several scores: together they count as one.
    times = predictions.groupby("id")["score"].transform("size")
    looks: list[tuple[int, str, dict[str, Any]]] = [
        (0, "others", {"color": GREY, "histtype": "stepfilled", "alpha": 0.5}),
        (1, "pre-miRNAs", {"color": ORANGE, "histtype": "step", "alpha": 1}),
    ]
    for label, name_of_label, look in looks:
        is_of_label = predictions["label"] == label
        scores, share = predictions.loc[is_of_label, "score"], 1 / times[is_of_label]
        axis.hist(scores, bins, weights=share, lw=1.4, label=name_of_label, **look)
    axis.axvline(0.5, color=BLACK, lw=0.8, ls=":")
    log_counts(axis)
    axis.set_title(textwrap.fill(name, 30), fontsize=MEDIUM)
    axis.set(xlabel="score", ylabel="number of RNAs")


@in_style
def draw_resources(jobs: pd.DataFrame) -> Figure:
    """Draw run time and peak memory of every job, a row for each rule.

    Parameters
    ----------
    jobs
        Columns rule, s (wall time, seconds) and max_rss (MB; NaN if a job was too short to be
        measured), from Snakemake's benchmark files.
    """
    rules = list(dict.fromkeys(jobs["rule"]))
    place = {rule: len(rules) - 1 - index for index, rule in enumerate(rules)}
    figure = Figure(figsize=(8, 1 + 0.3 * len(rules)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = {"s": "wall time of a job (s)", "max_rss": "peak memory of a job (MB)"}
    for axis, (column, name) in zip((left, right), names.items(), strict=True):
        axis.plot(jobs[column], jobs["rule"].map(place), "o", color=BLUE, ms=4, alpha=0.35, mew=0)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(FULL_NUMBERS)
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.tick_params(axis="x", labelsize=SMALLER)
        axis.set(xlabel=name, ylim=(-0.7, len(rules) - 0.3))
    counted = [f"{rule} ({(jobs['rule'] == rule).sum()})" for rule in rules]
    left.set_yticks(list(place.values()), counted)
    return figure


_LOOKS: dict[str, dict[str, Any]] = {
    PUBLISHED: {"marker": "o", "mfc": "white", "mec": GREY, "ms": 6},
    OURS: {"marker": "o", "mfc": BLUE, "mec": BLUE, "ms": 5},
    BASELINE: {"marker": "D", "mfc": ORANGE, "mec": ORANGE, "ms": 4},
}


def _dots(
    axis: Axes, rows: pd.DataFrame, column: str, heights: Sequence[float], label: str, **look: Any
) -> None:
    """Draw the values of a column as dots, each with its interval if there is one."""
    low, high = rows[f"{column} low"], rows[f"{column} high"]
    axis.hlines(heights, low, high, color=look["mec"], lw=1.2, alpha=0.6)
    axis.plot(rows[column], heights, linestyle="none", label=label, **look)


@in_style
def draw_cleaned(table: pd.DataFrame, subsets: Mapping[str, str]) -> Figure:
    """Draw F-score, AUROC and AUPR on all evaluation records and on the cleaned ones.

    Parameters
    ----------
    table
        Result of `mirpair.identification.comparison.cleaned_table`.
    subsets
        Name of a subset in the table's columns to its name in the legend.
    """
    sizes = table.groupby("protocol", sort=False).size().to_dict()
    heights, ticks, start = [], [], 0.0
    for size in sizes.values():
        heights += [-(start + place) for place in range(size)]
        ticks.append(-(start - 0.9))
        start += size + 1.6
    looks = ((GREY, 0.22), (SKY, 0), (BLUE, -0.22))
    figure = Figure(figsize=(8, 1.2 + 0.21 * start), layout="constrained")
    axes = figure.subplots(1, len(SHOWN), sharey=True)
    for axis, metric in zip(axes, SHOWN, strict=True):
        for (subset, name), (colour, shift) in zip(subsets.items(), looks, strict=True):
            places = [height + shift for height in heights]
            look = {"marker": "o", "mfc": colour, "mec": colour, "ms": 4}
            _dots(axis, table, f"{metric} {subset}", places, name, **look)
        axis.set_title(metric)
        stars = table["whole"].map({True: "", False: " *"})
        axis.set_yticks(heights, list(table["method"] + stars))
        across = {"transform": axis.get_yaxis_transform(), "va": "center", "fontweight": "bold"}
        for group, height in zip(sizes, ticks, strict=True):
            axis.text(0.0, height, group if axis is axes[0] else "", **across)
        axis.set_ylim(-start + 0.9, 1.6)
        wider_near_one(axis)
    if not table["whole"].all():
        figure.text(0.01, 0.002, _SHORT)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3)
    return figure


@in_style
def draw_results(table: pd.DataFrame, title: str) -> Figure:
    """Draw a table of results as dots: published, ours and baselines, with our 95 % intervals.

    A published value is drawn in its own row, and in each of our rows that reproduces it.
    """
    names = [f"{m} ({p})" for m, p in zip(table["method"], table["protocol"], strict=True)]
    short = {name for name, whole in zip(names, table["whole"], strict=True) if not whole}
    rows = list(dict.fromkeys(names))
    place = {name: len(rows) - 1 - index for index, name in enumerate(rows)}
    present = [source for source in _LOOKS if (table["source"] == source).any()]
    published = table[table["source"] == PUBLISHED]
    # Rows of ours that reproduce a published one have another name if the recipe is another one.
    ours = table.assign(beside=names)[lambda it: (it["source"] == OURS) & (it["reproduces"] != "")]
    ours = ours[ours["beside"] != ours["reproduces"] + " (" + ours["protocol"] + ")"]
    also = ours[["reproduces", "protocol", "beside"]].merge(
        published, left_on=["reproduces", "protocol"], right_on=["method", "protocol"]
    )
    figure = Figure(figsize=(8, 1.2 + 0.24 * len(rows)), layout="constrained")
    title_figure(figure, title)
    axes = figure.subplots(1, len(SHOWN), sharey=True)
    for axis, metric in zip(axes, SHOWN, strict=True):
        for source in present:
            chosen = (table["source"] == source).to_numpy()
            heights = [place[name] for name, is_in in zip(names, chosen, strict=True) if is_in]
            rows_of = table[chosen]
            if source == PUBLISHED:
                rows_of = pd.concat([rows_of, also])
                heights += [place[name] for name in also["beside"]]
            _dots(axis, rows_of, metric, heights, source, **_LOOKS[source])
        axis.set_title(metric)
        starred = [f"{name} *" if name in short else name for name in rows]
        axis.set_yticks(list(place.values()), starred)
        axis.set_ylim(-0.7, len(rows) - 0.3)
        wider_near_one(axis)
    if short:
        figure.text(0.01, 0.01, _SHORT)
    handles = [Line2D([], [], ls="none", label=name, **_LOOKS[name]) for name in present]
    figure.legend(handles=handles, loc="outside lower right", ncols=3)
    return figure


@in_style
def draw_seeds(table: pd.DataFrame, title: str) -> Figure:
    """Draw how far the mean of our seeds is from published values: a panel for each recipe.

    Parameters
    ----------
    table
        Result of `mirpair.identification.comparison.seeds_table`.
    """
    names = (table["method"] + " (" + table["protocol"] + ")").drop_duplicates().tolist()
    recipes = table["recipe"].drop_duplicates().tolist()
    figure = Figure(figsize=(8, 1.5 + 0.24 * len(names)), layout="constrained")
    title_figure(figure, title)
    if table.empty:
        figure.text(0.5, 0.4, "no row of several seeds reproduces a published one", ha="center")
        return figure
    axes = figure.subplots(1, len(recipes), sharey=True, squeeze=False)[0]
    for axis, recipe in zip(axes, recipes, strict=True):
        rows = table[table["recipe"] == recipe]
        labels = rows["method"] + " (" + rows["protocol"] + ")"
        places = [len(names) - 1 - names.index(name) for name in labels]
        limit = rows["limit"].max()
        axis.axvspan(-limit, limit, color=GREY, alpha=0.15, lw=0)
        axis.axvline(0, color=BLACK, lw=0.8)
        for number, (metric, colour) in enumerate(_OF_METRICS.items()):
            # One below the other, so that equal values stay visible.
            heights = [place + 0.3 - 0.1 * number for place in places]
            axis.plot(rows[f"{metric} deviation"], heights, "o", color=colour, ms=3.5, label=metric)
        axis.set_xscale("symlog", linthresh=5, linscale=2)
        axis.xaxis.set_major_formatter(FULL_NUMBERS)
        axis.set_yticks(range(len(names)), names[::-1])
        axis.set_ylim(-0.7, len(names) - 0.3)
        axis.set_xlabel("ours − published, in SDs of seeds")
        axis.set_title(f"recipe {recipe}")
    handles, labels_of = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels_of, loc="outside lower center", ncols=len(METRICS))
    return figure


def draw(kind: str, files: Sequence[str], options: Mapping[str, Any]) -> Figure:
    """Draw a figure of a study from the files of earlier stages.

    Parameters
    ----------
    kind, files
        Which function draws it: histories, watched, lengths, predictions, resources, cleaned,
        results, seeds or kinds; input files, in the order of ``sets`` or ``runs``.
    options
        Those that the kind needs of ``title``; ``runs`` (experiment, seed, group, label and epochs
        for each file); ``sets`` (their names); ``training`` (the experiment whose training records
        Figure 3 shows); ``curve`` of kinds; ``folder`` and ``benchmarks`` (rule to its benchmark
        files in the folder).

    Raises
    ------
    InputError
        If a file is malformed.
    """
    match kind:
        case "comparison":
            return draw_results(read_table(files[0]), options["title"])
        case "seeds":
            return draw_seeds(read_table(files[0]), options["title"])
        case "cleaned":
            return draw_cleaned(read_table(files[0]), SUBSETS)
        case "kinds":
            return draw_kinds(read_curves(files[0]), options["curve"], options["title"])
        case "lengths":
            lengths = [read_features(path)["length"].to_numpy() for path in files]
            return draw_lengths(dict(zip(options["sets"], lengths, strict=True)))
        case "resources":
            return draw_resources(_read_benchmarks(options["folder"], options["benchmarks"]))
    runs, tables = options["runs"], [read_any_tsv(path) for path in files]
    if kind == "watched":
        validation, training = (
            {
                run["experiment"]: table
                for run, table in zip(runs, tables, strict=True)
                if (run["group"] == options["training"]) == is_training
            }
            for is_training in (False, True)
        )
        return draw_watched(validation, training, epochs=runs[0]["epochs"])
    by_label: dict[str, dict[str, pd.DataFrame]] = {}
    for run, table in zip(runs, tables, strict=True):
        by_label.setdefault(run["label"], {})[f"{run['experiment']} seed {run['seed']}"] = table
    draw_runs = {"predictions": draw_predictions, "histories": draw_histories}[kind]
    return draw_runs(by_label, options["title"])


def _read_benchmarks(folder: str | Path, benchmarks: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Read those of Snakemake's benchmark files that exist, with the rule of each."""
    files = [(rule, Path(folder, name)) for rule, names in benchmarks.items() for name in names]
    files = [(rule, path) for rule, path in files if path.is_file()]
    return pd.concat([pd.read_csv(path, sep="\t").assign(rule=rule) for rule, path in files])
