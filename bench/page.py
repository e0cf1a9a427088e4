"""Write docs/speed.md and its figure from the tables of a run."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.networks import IN_BATCHES, ONE_BY_ONE, OURS
from bench.templates import fill
from bench.use import GOALS as USE_GOAL
from mirpair.files import write_text
from mirpair.networks.exact import REMEMBERED, REMEMBERED_LENGTH
from mirpair.pages.style import BLUE, GREEN, GREY, ORANGE, PURPLE, STYLE, TINY
from mirpair.recipes import MODELS

FLOOR = "floor"
DEFINITION = {"variable": ONE_BY_ONE, "without-pairing": ONE_BY_ONE, "fixed": IN_BATCHES}
GOAL = {"variable": 5, "without-pairing": 5, "fixed": 20}
ABOVE_FLOOR = 3
LONG = 256


def machine() -> str:
    """Describe the machine and the versions in one line."""
    name = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":")[1].strip() if lines else name
    packages = ", ".join(f"{p} {version(p)}" for p in ("torch", "ViennaRNA", "numpy"))
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"


def write(folder: Path, page: Path) -> str:
    """Write the page and the figure; return the page."""
    tables = {
        name: pd.read_csv(folder / f"{name}.tsv", sep="\t")
        for name in ("networks", "number", "length", "folding", "predict", "scan")
    }
    figure = draw(tables)
    figure.savefig(folder / "speed.png", dpi=150, metadata={"Software": None})
    figure.savefig(folder / "speed.svg", metadata={"Date": None})
    number, length = tables["number"], tables["length"]
    long = length[length["length"] >= LONG]
    ways = [name for name in length.columns[1:] if not name.startswith("fixed")]
    sgemm = tables["networks"].query("way == 'sgemm'")
    goals, missed = _goals(tables["networks"])
    text = fill(
        "speed",
        machine=(folder / "machine.txt").read_text().strip(),
        rates=" and ".join(
            f"{1 / row.forward:.0f} GFLOP/s on {row.threads} thread(s)"
            for row in sgemm.itertuples()
        ),
        networks=_markdown(_shown(tables["networks"])),
        goals=_markdown(goals),
        missed=missed,
        goal=GOAL,
        above=ABOVE_FLOOR,
        long=REMEMBERED_LENGTH,
        remembered=f"{REMEMBERED:,}",
        number=_markdown(
            number.assign(**{"ms a sample": number["next_epoch"] / number["n"] * 1e3})
        ),
        length=_markdown(length),
        slopes={
            "next_epoch": f"{_slope(number['n'], number['next_epoch']):.2f}",
            "prediction": f"{_slope(number['n'], number['prediction']):.2f}",
            "lengths": ", ".join(f"{way} {_slope(long['length'], long[way]):.2f}" for way in ways),
        },
        folding=_markdown(tables["folding"]),
        predict=_markdown(tables["predict"]),
        scan=_markdown(tables["scan"]),
        use_goal=USE_GOAL,
    )
    write_text(page, text)
    return text


def _markdown(table: pd.DataFrame) -> str:
    def shown(value: object) -> str:
        if not isinstance(value, float) or (value.is_integer() and value > 99):
            return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
        return "" if np.isnan(value) else f"{value:.0f}" if value >= 100 else f"{value:.2f}"

    named = table.rename(columns=lambda name: str(name).replace("_", " "))
    text: str = named.map(shown).to_markdown(index=False, disable_numparse=True)
    return text


def _groups(table: pd.DataFrame) -> list[tuple[str, int, pd.DataFrame]]:
    groups = table[table["way"] != "sgemm"].groupby(["model", "threads"], sort=False)
    return [(str(model), int(threads), group) for (model, threads), group in groups]


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    named = [group.assign(network=MODELS[model].label) for model, _, group in _groups(table)]
    columns = ["network", "threads", "way", "forward", "backward", "step", "training"]
    shown = pd.concat(named)[[*columns, "scoring", "new"]]
    return shown.rename(columns={"new": "scoring new ones"})


def _goals(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Compare the exact and fast way with the others; list missed goals."""
    rows, missed = [], []
    for model, threads, group in _groups(table):
        ways = group.set_index("way")
        dense, ours, floor = (ways.loc[way] for way in (DEFINITION[model], OURS, FLOOR))
        fastest = group[group["way"].str.startswith("dense")]["training"].min()
        row = {"network": MODELS[model].label, "threads": threads}
        for what in ("training", "scoring", "new"):
            name = "scoring new ones" if what == "new" else what
            row[f"{name}: faster than the definition"] = dense[what] / ours[what]
            row[f"{name}: slower than the floor"] = ours[what] / floor[what]
            where = f"{name} {MODELS[model].label.lower()} on {threads} thread(s)"
            if dense[what] / ours[what] < GOAL[model]:
                missed.append(f"{where}: {dense[what] / ours[what]:.1f} of {GOAL[model]} times")
            if ours[what] / floor[what] > ABOVE_FLOOR:
                missed.append(f"{where}: {ours[what] / floor[what]:.1f} times the floor")
        row["training: faster than the fastest dense way"] = fastest / ours["training"]
        rows.append(row)
    return pd.DataFrame(rows), "\n".join(f"- {one}" for one in missed) or "- none"


def _slope(x: pd.Series[float], y: pd.Series[float]) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """Draw three panels: ways to run the networks, growth with number, growth with length."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 8), layout="constrained")
        above, below = figure.subfigures(2, 1, height_ratios=[1.3, 1])
        left, right = below.subplots(1, 2)
        _draw_ways(above.subplots(), tables["networks"])
        _draw_number(left, tables["number"])
        _draw_length(right, tables["length"])
    return figure


def _draw_ways(axes: Axes, table: pd.DataFrame) -> None:
    labels = []
    y = 0.0
    ticks = []
    for model in reversed(MODELS):
        group = table[table["model"] == model]
        for way in reversed(list(dict.fromkeys(group["way"]))):
            colour = {OURS: BLUE, FLOOR: GREEN}.get(way, GREY)
            for row in group[group["way"] == way].sort_values("threads").itertuples():
                height = y + 0.2 - 0.4 * (row.threads - 1)
                axes.barh(
                    height, row.training, 0.36, color=colour, alpha=1 if row.threads == 1 else 0.5
                )
                axes.annotate(
                    f" {row.training:.3g}", (row.training, height), va="center", fontsize=TINY
                )
            labels.append(f"{MODELS[model].label}: {way}")
            ticks.append(y)
            y += 1
        y += 0.5
    axes.set(xscale="log", xlabel="ms a training sample; full colour one thread, pale two")
    axes.set_yticks(ticks, labels)
    axes.grid(axis="y", visible=False)
    axes.set_title("One training sample", loc="left")


def _draw_number(axes: Axes, table: pd.DataFrame) -> None:
    axes.plot(table["n"], table["next_epoch"], "o-", color=BLUE, label="an epoch of training")
    axes.plot(table["n"], table["prediction"], "s-", color=ORANGE, label="scoring all")
    last = table.iloc[-1]
    linear = table["n"] * last["next_epoch"] / last["n"]
    axes.plot(table["n"], linear, ":", color=GREY, label="linear")
    axes.set(xscale="log", yscale="log", xlabel="sequences", ylabel="seconds")
    axes.set_title("Growth with the number of sequences", loc="left")
    axes.legend()


def _draw_length(axes: Axes, table: pd.DataFrame) -> None:
    ways = {"folding": (PURPLE, "D"), "variable, dense": (GREY, "s"), "variable, ours": (BLUE, "o")}
    for name, (colour, marker) in ways.items():
        axes.plot(table["length"], table[name], marker=marker, color=colour, label=name)
    last = table.iloc[-1]
    quadratic = (table["length"] / last["length"]) ** 2 * last["variable, ours"]
    axes.plot(table["length"], quadratic, ":", color=GREY, label="quadratic")
    axes.set(xscale="log", yscale="log", xlabel="nt", ylabel="ms a sample")
    ticks = [50, 100, 200, 500, 1000]
    axes.set_xticks(ticks, map(str, ticks))
    axes.minorticks_off()
    axes.set_title("Growth with the length", loc="left")
    axes.legend()
