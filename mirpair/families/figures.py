"""Draw the figures of a families study."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from mirpair.contracts import EVALUATE
from mirpair.families.family_calls import (
    ALL,
    CONTAINMENT_BANDS,
    INFERNAL,
    NEAREST,
    OUTLIER_FALSE_POSITIVES,
    SCORES,
    in_trained_family,
    outlier_kinds,
)
from mirpair.families.methods import INPUTS, Called
from mirpair.families.tables import FAR, FAR_ACCURACY, FASTER
from mirpair.files import read_any_tsv
from mirpair.pages.printing import OURS
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
    TINY,
    YELLOW,
    epochs_along,
    hide,
    in_style,
    legend_below,
    title_panel,
)

_COLOURS = (BLACK, PURPLE, SKY, GREEN, YELLOW, BLUE, ORANGE, SKY, GREEN, BLACK, GREY, GREY)
_MARKERS = ("D", "o", "s", "^", "v", "P", "X", "<", ">", "h", "*", "d")
LOOKS: dict[Hashable, dict[str, Any]] = {
    method: {"color": colour, "marker": marker}
    for method, colour, marker in zip(INPUTS, _COLOURS, _MARKERS, strict=True)
}


def _interval(axis: Axes, rows: pd.DataFrame, places: Sequence[float]) -> None:
    """Draw the intervals of a method's accuracies at these places of the horizontal axis."""
    colour = LOOKS[rows["method"].iloc[0]]["color"]
    axis.vlines(places, rows["low"], rows["high"], color=colour, lw=1.2, alpha=0.5)


def best_network(table: pd.DataFrame, experiment: str) -> str:
    """Find the network with the highest accuracy on an experiment; the first of equal ones."""
    rows = table[(table["experiment"] == experiment) & (table["source"] == OURS)]
    rows = rows[rows["band"] == ALL]
    return str(rows["method"].iloc[int(rows["accuracy"].to_numpy().argmax())])


@in_style
def draw_methods(table: pd.DataFrame) -> Figure:
    """Draw the rows of `accuracy_table`: accuracy and interval by method and experiment."""
    rows = table[table["band"] == ALL]
    methods = [name for name in INPUTS if name in set(rows["method"])]
    experiments = list(dict.fromkeys(rows["experiment"]))
    height = 1.1 + (0.2 + 0.16 * len(experiments)) * len(methods)
    figure = Figure(figsize=(8, height), layout="constrained")
    axis = figure.subplots()
    looks = zip(experiments, (BLUE, ORANGE, GREEN, PURPLE) * 9, "osD^" * 9, strict=False)
    for number, (name, colour, marker) in enumerate(looks):
        of = rows[rows["experiment"] == name]
        shift = 0.22 * ((len(experiments) - 1) / 2 - number)
        heights = [len(methods) - 1 - methods.index(method) + shift for method in of["method"]]
        axis.hlines(heights, of["low"], of["high"], color=colour, lw=1.2, alpha=0.6)
        split = "by clusters" if of["split"].iloc[0] == "clusters" else "at random"
        label = f"{name}, split {split}"
        axis.plot(of["accuracy"], heights, marker, color=colour, ms=5, label=label)
    names = [f"{name}\n({INPUTS[name]})" for name in methods]
    axis.set_yticks(range(len(methods) - 1, -1, -1), names, fontsize=SMALL)
    axis.set(xlabel="accuracy of the evaluation records", ylim=(-0.6, len(methods) - 0.4))
    axis.set_xlim(right=1.005)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


@in_style
def draw_sizes(table: pd.DataFrame) -> Figure:
    """Draw the rows of `sizes_table`: accuracy by number of training records per family."""
    sizes = sorted(set(table["training"]))
    methods = [name for name in INPUTS if name in set(table["method"])]
    step = 0.02 * (sizes[-1] - sizes[0])
    figure = Figure(figsize=(6.5, 3.8), layout="constrained")
    axis = figure.subplots()
    for number, name in enumerate(methods):
        rows = table[table["method"] == name]
        places = rows["training"] + step * (number - (len(methods) - 1) / 2)
        _interval(axis, rows, places.tolist())
        dashes = "--" if name == NEAREST else "-"
        axis.plot(places, rows["accuracy"], ls=dashes, lw=1.2, ms=5, label=name, **LOOKS[name])
    axis.set_xticks(sizes)
    axis.set(xlabel="training records per family", ylabel="accuracy")
    axis.set_ylim(top=1.01)
    families = table["families"].max()
    title_panel(axis, f"{families} families, the same evaluation records")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside right center", fontsize=SMALL)
    return figure


@in_style
def draw_bands(table: pd.DataFrame) -> Figure:
    """Draw the rows of `accuracy_table` by the share of 8-mers shared with a training record."""
    rows = table[table["band"] != ALL]
    experiments = list(dict.fromkeys(rows["experiment"]))
    methods = [name for name in INPUTS if name in set(rows["method"])]
    bands = list(CONTAINMENT_BANDS)
    figure = Figure(figsize=(8, 0.7 + 2.9 * len(experiments)), layout="constrained")
    axes = figure.subplots(len(experiments), 1, squeeze=False)[:, 0]
    for axis, experiment in zip(axes, experiments, strict=True):
        of = rows[rows["experiment"] == experiment]
        for number, name in enumerate(methods):
            own = of[of["method"] == name]
            if own.empty:
                continue
            shift = 0.08 * (number - (len(methods) - 1) / 2)
            places = [bands.index(band) + shift for band in own["band"]]
            _interval(axis, own, places)
            axis.plot(places, own["accuracy"], ls="none", ms=5, label=name, **LOOKS[name])
        counts = of[of["method"] == NEAREST].set_index("band")["records"]
        axis.set_xticks(range(len(bands)), [f"{band}\nn = {counts[band]:,}" for band in bands])
        axis.hlines(FAR_ACCURACY, -0.5, 0.5, color=GREY, lw=1, ls=":")
        axis.text(
            -0.48, FAR_ACCURACY, f"goal {FAR}: {FAR_ACCURACY:.2f}", fontsize=TINY, va="bottom"
        )
        axis.set(ylabel="accuracy", xlim=(-0.5, len(bands) - 0.5))
        axis.set_ylim(top=1.02)
        title_panel(axis, experiment)
        axis.grid(visible=False, axis="x")
    axes[-1].set_xlabel("shared 8-mers with the nearest training record")
    legend_below(figure, axes[0], columns=4)
    return figure


def confusions(called: Called, most: int = 20) -> pd.DataFrame:
    """Count what a method calls the families that it gets wrong most often.

    Returns
    -------
    DataFrame
        Numbers of evaluation records, for the first seed: a row for each family (at most `most`),
        the one with most errors first (with equal numbers by name), and a column for each of these
        families and for each other family that they are called. Without any error, the families
        with most records.
    """
    table = called.queries.merge(called.calls[0], on="id", suffixes=("_nearest", ""))
    records = table[(table["role"] == EVALUATE) & in_trained_family(table)]
    name = "called_nearest" if "called" not in records else "called"
    wrong = (records[name] != records["family"]).groupby(records["family"]).sum()
    ranked = wrong if wrong.any() else records["family"].value_counts().sort_index()
    order = ranked.sort_values(ascending=False, kind="stable")
    rows = list((order[order > 0] if wrong.any() else order).index[:most])
    of_rows = records[records["family"].isin(rows)]
    counts = pd.crosstab(of_rows["family"], of_rows[name].replace("", "none"))
    others = sorted(set(counts.columns) - set(rows))
    return counts.reindex(index=rows, columns=[*rows, *others], fill_value=0)


@in_style
def draw_confusions(called: Called) -> Figure:
    """Draw the `confusions` of a method on one experiment."""
    counts = confusions(called)
    size = len(counts)
    values = counts.iloc[:, :size].to_numpy()
    figure = Figure(figsize=(8, 1.4 + 0.22 * size), layout="constrained")
    axis = figure.subplots()
    top = max(1, values.max())
    axis.imshow(values, cmap="Blues", vmin=0, vmax=top, aspect="equal")
    for row, column in zip(*np.nonzero(values), strict=True):
        right = row == column
        colour = "white" if values[row, column] > 0.6 * top else BLACK if right else ORANGE
        weight = "normal" if right else "bold"
        look: dict[str, Any] = {"color": colour, "fontweight": weight, "fontsize": TINY}
        axis.text(column, row, str(values[row, column]), ha="center", va="center", **look)
    for row, others in enumerate(counts.iloc[:, size:].to_numpy()):
        names = [
            name if number == 1 else f"{number} × {name}"
            for name, number in zip(counts.columns[size:], others, strict=True)
            if number
        ]
        if names:
            # Families without a column of their own.
            text = f"also {', '.join(names)}"
            axis.text(size - 0.3, row, text, va="center", fontsize=TINY, color=ORANGE)
    axis.set_xticks(range(size), counts.index, rotation=90, fontsize=TINY)
    axis.set_yticks(range(size), counts.index, fontsize=TINY)
    axis.grid(visible=False)
    axis.set(xlabel="called", ylabel="family")
    title_panel(axis, f"{called.method}, {called.experiment}")
    return figure


@in_style
def draw_rejection(called: Sequence[Called]) -> Figure:
    """Draw the ROC of separating trained families from each kind of outlier.

    Of the methods on one experiment, every score of the first seed is drawn.
    """
    from sklearn.metrics import roc_curve

    first = called[0].queries
    evaluated = first[first["role"] == EVALUATE]
    kinds = outlier_kinds(evaluated)
    dashes = dict(zip(SCORES, ("-", "--", ":", "-", "-"), strict=True))
    columns = min(3, len(kinds))
    rows = -(-len(kinds) // columns)
    figure = Figure(figsize=(8.4, 0.9 + 2.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    lowest = 1.0
    for axis, kind in zip(axes, kinds, strict=False):
        for one in called:
            table = one.queries[["id", "role", "kind"]].merge(one.calls[0], on="id")
            of_kind = in_trained_family(table) | (table["kind"] == kind)
            table = table[(table["role"] == EVALUATE) & of_kind]
            for score in one.scores:
                values = table[score].fillna(table[score].min() - 1)
                wrong, right, _ = roc_curve(in_trained_family(table), values)
                lowest = min(lowest, right[wrong <= OUTLIER_FALSE_POSITIVES].max())
                look = {"ls": dashes[score], "color": LOOKS[one.method]["color"]}
                label = f"{one.method}, {SCORES[score]}"
                axis.step(wrong, right, where="post", lw=1.3, label=label, **look)
        axis.axvline(OUTLIER_FALSE_POSITIVES, color=GREY, lw=0.8, ls=":")
        axis.set_xscale("symlog", linthresh=0.01, linscale=0.5)
        axis.set_xticks([0, 0.01, 0.05, 0.2, 1], ["0", "0.01", "0.05", "0.2", "1"])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlim(0, 1)
        axis.tick_params(labelbottom=True)
        count = (evaluated["kind"] == kind).sum()
        title_panel(axis, f"{kind} (n = {count:,})")
    hide(axes[len(kinds) :])
    # The part cut off below has fewer false positives than anyone would ask for.
    axes[0].set_ylim(max(0, np.floor(10 * lowest) / 10 - 0.2), 1.01)
    for axis in axes[max(0, len(kinds) - columns) : len(kinds)]:
        axis.set_xlabel("outliers that are accepted")
    figure.supylabel("trained families that are accepted", fontsize=MEDIUM)
    legend_below(figure, axes[0], columns=2)
    return figure


@in_style
def draw_speed(table: pd.DataFrame, growth: pd.DataFrame) -> Figure:
    """Draw the RNAs per second of each method, and the time per RNA by number of families.

    They are in the results of `infernal_table` and `growth_table`.
    """
    cores = [str(name).split()[1] for name in table.columns if name.startswith("rate ")]
    rows = table.dropna(subset=[f"rate {cores[0]}"]).iloc[::-1]
    heights = np.arange(len(rows))
    figure = Figure(figsize=(8.4, 1.6 + 0.3 * max(6, len(rows))), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for number, (name, colour) in enumerate(zip(cores, (BLUE, ORANGE) * 9, strict=False)):
        places = heights + 0.28 * ((len(cores) - 1) / 2 - number)
        label = f"{name} core{'s' if name != '1' else ''}"
        left.plot(rows[f"rate {name}"], places, "o", color=colour, ms=5, label=label)
        for rate in FASTER * rows.loc[rows["method"] == INFERNAL, f"rate {name}"]:
            left.axvline(rate, color=colour, lw=1, ls=":", label=f"{FASTER} × Infernal")
    left.set_xscale("log")
    left.set_yticks(heights, list(rows["method"]))
    left.set(xlabel="RNAs per second (log scale), including folding", ylim=(-0.6, len(rows) - 0.4))
    alone = growth[growth["cores"] == growth["cores"].min()]
    for method, of in alone.groupby("method", sort=False):
        right.plot(of["families"], of["seconds each"], lw=1.2, ms=5, **LOOKS[method])
    right.set_yscale("log")
    right.set(xlabel="number of families", ylabel="seconds per RNA, one core (log scale)")
    right.set_xlim(left=0)
    for axis in (left.xaxis, right.yaxis):
        axis.set_major_locator(LogLocator())
        axis.set_major_formatter(FULL_NUMBERS)
        axis.set_minor_formatter(NullFormatter())
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower left", ncols=4, fontsize=SMALL
    )
    shown = [name for name in LOOKS if name in set(growth["method"])]
    handles = [Line2D([], [], lw=1.2, ms=5, label=name, **LOOKS[name]) for name in shown]
    right.legend(handles=handles, fontsize=TINY)
    return figure


@in_style
def draw_histories(histories: Mapping[str, Mapping[str, Sequence[pd.DataFrame]]]) -> Figure:
    """Draw loss and accuracy by epoch: a row for each experiment, a colour for each network.

    `histories` maps experiment to label of the network to the history of each seed (columns epoch,
    and loss and accuracy of the training and validation records).
    """
    figure = Figure(figsize=(8, 0.8 + 2.4 * len(histories)), layout="constrained")
    axes = figure.subplots(len(histories), 2, squeeze=False)
    names = dict.fromkeys(name for networks in histories.values() for name in networks)
    for (experiment, networks), (left, right) in zip(histories.items(), axes, strict=True):
        for name, seeds in networks.items():
            look = {"color": LOOKS[name]["color"], "lw": 1.1}
            for history, (role, dashes) in product(seeds, (("train", ":"), ("validate", "-"))):
                epochs = history["epoch"]
                left.plot(epochs, history[f"{role} loss"], ls=dashes, **look)
                right.plot(epochs, history[f"{role} accuracy"], ls=dashes, **look)
        left.set_ylabel("loss per record")
        left.set_ylim(bottom=0)
        right.set(ylabel="accuracy", ylim=(0, 1.02))
        title_panel(left, experiment)
        for axis in (left, right):
            epochs_along(axis)
    lines = [Line2D([], [], lw=1.4, color=LOOKS[name]["color"], label=name) for name in names]
    lines += [
        Line2D([], [], lw=1.1, color=GREY, ls=dashes, label=f"{role} records")
        for role, dashes in (("training", ":"), ("validation", "-"))
    ]
    figure.legend(handles=lines, loc="outside lower center", ncols=4, fontsize=SMALL)
    return figure


def study_figures(
    called: Sequence[Called],
    tables: Mapping[str, pd.DataFrame],
    histories: Sequence[str],
    runs: Sequence[Mapping[str, Any]],
    first: str,
) -> dict[str, Figure]:
    """Draw all figures of a study, by name.

    Parameters
    ----------
    called, tables
        Results of `mirpair.families.methods.read_called` and
        `mirpair.families.tables.study_tables`; all tables but accuracy may be missing.
    histories, runs
        ``history.tsv`` of each training, and its experiment and label.
    first
        Experiment whose best network is shown in detail.
    """
    by_label: dict[str, dict[str, list[pd.DataFrame]]] = {}
    for run, path in zip(runs, histories, strict=True):
        of_experiment = by_label.setdefault(run["experiment"], {})
        of_experiment.setdefault(run["label"], []).append(read_any_tsv(path))
    of_first = {one.method: one for one in called if one.experiment == first}
    network = best_network(tables["accuracy"], first)
    figures = {
        "methods": draw_methods(tables["accuracy"]),
        "bands": draw_bands(tables["accuracy"]),
        "confusions": draw_confusions(of_first[network]),
        "histories": draw_histories(by_label),
    }
    if "sizes" in tables:
        figures["sizes"] = draw_sizes(tables["sizes"])
    if "rejection" in tables:
        names = [name for name in (NEAREST, network, INFERNAL) if name in of_first]
        figures["rejection"] = draw_rejection([of_first[name] for name in names])
    if "growth" in tables:
        figures["speed"] = draw_speed(tables["infernal"], tables["growth"])
    return figures
