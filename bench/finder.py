"""Measure the networks that ship, and write docs/finder.md (`python -m bench.finder`).

It needs all results of config/finder.yaml, the weights that were made of them (`make weights`), and
docs/finder/peers.tsv and docs/finder/benchmark/, which have commands of their own. The tables and
figures of the page are in docs/finder/. Run it in the folder of the Snakefile.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import kingdoms, limits, lookalikes, shipped, strands
from bench.finder_results import RESULTS, ROOT, TABLES, evaluation, load, table_of, without_newer
from bench.measured import write_measured
from bench.templates import fill
from mirpair.contracts import (
    BASELINES,
    BOOSTING,
    BY_KIND,
    EVALUATE,
    SCANNED,
    SUPPORTED,
    TRAIN,
    VALIDATE,
    read_audit,
    read_curves,
    read_experiment,
    read_predictions,
    read_records,
    read_scored_records,
)
from mirpair.files import sha256, write_text
from mirpair.identification.experiments import read_family_names
from mirpair.identification.kind_figures import draw_kinds
from mirpair.identification.kinds import (
    AND_BOOSTING,
    CALLS,
    ENSEMBLE,
    PRECISION,
    RELIABILITY,
    choose,
    measure_kinds,
    methods_of,
)
from mirpair.pages.style import save
from mirpair.prediction.calibration import interval
from mirpair.prediction.weights import find_weights, load_networks, rounded
from mirpair.scan.calls import ENERGY_WEIGHT
from mirpair.settings import KINGDOMS, NEAR
from mirpair.study.plan import described_runs

PAGE = TABLES.with_suffix(".md")
# Tables and figures of the study that are copied; the figures are those of the first table.
COPIED = ("kinds", "plants", "networks", "cutting", "cutting-plants", "others")
CURVES = (PRECISION, CALLS, RELIABILITY)
# What the page counts together: its name, and the collections, by patterns.
GROUPS = {
    "animal pre-miRNAs of miRBase 22": ["animals"],
    "human X, away from known pre-miRNAs": ["human-x*"],
    "two copies of a repeat of human X": ["human-x-pairs"],
    "fly, upstream of genes": ["fly*"],
    "yeast": ["yeast*"],
    "*E. coli* and five other bacteria": [
        *("coli*", "aureus", "pylori", "cholerae", "indicus", "marinus")
    ],
    "*Plasmodium falciparum*, *P. knowlesi*": ["falciparum*", "knowlesi"],
    "*A. thaliana*, chromosome 1": ["arabidopsis*"],
    "coding sequences and transcripts": ["coding-*"],
    "other RNAs of Rfam": ["other-rnas"],
    "the paper's negatives, cleaned": ["human_neg", "whole_neg", "new_neg"],
}
# Of the shipped networks.
RECIPE = "finder"
# How RNAs are cut, in words; others as in a config.
CUTS = {"": "as published", "pre-mirna": "pre-miRNA proper", "window": "windows"}


def copy_tables(results: Path) -> None:
    """Copy the study's tables, and draw its figures."""
    for name in COPIED:
        for ending in ("csv", "md"):
            shutil.copy(results / "tables" / f"{name}.{ending}", TABLES)
    points = read_curves(results / "kinds" / f"{COPIED[0]}-curves.tsv")
    for curve in CURVES:
        save(draw_kinds(points, curve, ""), TABLES / f"{curve}.png")


def count_data(results: Path) -> pd.DataFrame:
    """Count the RNAs of each group, and list how they were cut."""
    animals = read_scored_records(results / "shipped" / "animals.tsv")
    rows = []
    remaining = animals
    # A collection is in the last group that has it.
    for name, patterns in reversed(GROUPS.items()):
        chosen = np.array(
            [any(fnmatch(it, one) for one in patterns) for it in remaining["collection"]],
            dtype=bool,
        )
        part, remaining = remaining[chosen], remaining[~chosen]
        cuts = [CUTS.get(it, it) for it in part["cut"].value_counts().index]
        rows.append({"RNAs": name, "number": len(part), "cut as": ", ".join(cuts)})
    if len(remaining):
        raise ValueError(f"no group has the collection {remaining['collection'].iloc[0]}")
    plants = read_scored_records(results / "shipped" / "plants.tsv")
    rows = [
        *reversed(rows),
        {"RNAs": "all", "number": len(animals), "cut as": "–"},
        {"RNAs": "plants", "number": len(plants), "cut as": "–"},
    ]
    return pd.DataFrame(rows)


def thresholds(results: Path) -> pd.DataFrame:
    """Count the hairpins and the pre-miRNAs that reach each threshold of a scan."""
    rows = []
    for kingdom in KINGDOMS:
        trained = load_networks(None, kingdom)
        scored = read_scored_records(results / "shipped" / f"{kingdom}.tsv")
        scanned = scored[scored["cut"] == SCANNED]
        others = scanned[(scanned["label"] == 0) & (scanned["role"] == VALIDATE)]
        found = scanned[(scanned["label"] == 1) & (scanned["role"] == EVALUATE)]
        supported = found[found["trust"] == SUPPORTED]
        for name, cut in trained.cuts.items():
            row: dict[str, Any] = {"kingdom": kingdom, "threshold": name, "score": cut}
            of_others = ", ".join(sorted(others["collection"].unique()))
            row |= {"hairpins": len(others), "hairpins of": of_others}
            row["reach it"] = int((others["score"] >= cut).sum())
            row["pre-miRNAs"] = float((found["score"] >= cut).mean())
            row["supported"] = float((supported["score"] >= cut).mean())
            row |= {it.genome: it.calls for it in trained.rates.get(name, ())}
            rows.append(row)
    return pd.DataFrame(rows)


def near_copies(results: Path) -> pd.DataFrame:
    """Measure the first table of kinds with and without near-copies of training records.

    The method is the mean score of the seeds of the stem network.
    """
    study = load()
    table = table_of(study, COPIED[0])
    experiment = read_experiment(results / "experiments" / f"{table.experiment}.tsv")
    evaluated = evaluation(results, study, experiment)
    runs = [run for run in study.runs_on(table.experiment) if run.model == "stem"]
    predictions = [
        read_predictions(results / "runs" / run.folder / "predictions.tsv") for run in runs
    ]
    methods = methods_of(evaluated, described_runs(study, runs), predictions, evaluated[["id"]])
    (method,) = (it for it in methods if it.name.endswith(ENSEMBLE))
    audit = read_audit(results / "audit" / table.experiment / "records.tsv").set_index("id")
    copies = {"evaluation records in the training set": int(audit["in_training"].sum())}
    is_near = audit["identity"].reindex(evaluated["id"]).to_numpy() >= NEAR
    kinds = without_newer(table)
    far = evaluated[~is_near].reset_index(drop=True)
    without = replace(method, scores=method.scores[:, ~is_near])
    measured = [
        measure_kinds(kinds, part, [of_part], {}, {}, resamples=2)[0]
        for part, of_part in ((evaluated, method), (far, without))
    ]
    rows = []
    for (_, every), (_, left) in zip(*(it.iterrows() for it in measured), strict=True):
        shares = {}
        for label, side in ((1, "positives"), (0, "negatives")):
            name = every[f"kind of {side}"]
            chosen = choose(evaluated, label, kinds[side][name], {}, name=name)
            shares[f"near-copies, {side}"] = float(is_near[chosen].mean())
        values = {
            f"{metric}{end}": it[metric]
            for metric in BY_KIND
            for end, it in (("", every), (" without", left))
        }
        names = {f"kind of {side}": every[f"kind of {side}"] for side in ("positives", "negatives")}
        rows.append(names | shares | copies | values)
    return pd.DataFrame(rows)


def trainings(results: Path) -> pd.DataFrame:
    """List the trainings of the study, with their training records and seconds."""

    def read_labels(dataset: str) -> pd.DataFrame:
        records = read_records(results / "datasets" / dataset / "records.tsv")
        return records[["id", "label"]].assign(set=dataset)

    rows = []
    counts: dict[str, tuple[int, int]] = {}
    for run in load().plan():
        facts = json.loads((results / "runs" / run.folder / "provenance.json").read_text())
        name = run.experiment
        if name not in counts:
            experiment = read_experiment(results / "experiments" / f"{name}.tsv")
            labels = experiment.merge(
                pd.concat(map(read_labels, experiment["set"].unique())), on=["id", "set"]
            )
            trains = labels.loc[labels["role"] == TRAIN, "label"]
            counts[name] = (len(trains), int((trains == 1).sum()))
        of_run = {"experiment": name, "model": run.model, "seed": run.seed}
        of_records = dict(zip(("training records", "pre-miRNAs"), counts[name], strict=True))
        rows.append({**of_run, **of_records, "seconds": facts["wall_time_s"]})
    return pd.DataFrame(rows)


class _Rows:
    """A table whose rows are found by what they are about."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def __iter__(self) -> Iterator[pd.Series[Any]]:
        return (row for _, row in self.table.iterrows())

    def __call__(self, **wanted: Any) -> pd.Series[Any]:
        """Return the only row with these values; underscores stand for blanks in names."""
        rows = list(self.where(**wanted))
        if len(rows) != 1:
            raise ValueError(f"{len(rows)} rows have {wanted}")
        return rows[0]

    def where(self, **wanted: Any) -> _Rows:
        """Return all rows with these values."""
        table = self.table
        for name, value in wanted.items():
            table = table[table[name.replace("_", " ")] == value]
        return _Rows(table)

    def first(self, **wanted: Any) -> pd.Series[Any]:
        """Return the first row with these values."""
        return next(iter(self.where(**wanted)))

    def mean(self, column: str) -> float:
        """Return the mean of a column."""
        return float(self.table[column].mean())

    def ends(self, column: str) -> tuple[float, float]:
        """Return the lowest and the highest value of a column."""
        return float(self.table[column].min()), float(self.table[column].max())


def behind(peers: pd.DataFrame, ours: str, theirs: str) -> tuple[int, list[str]]:
    """Count the cells of a peer's table, and name those in which it is ahead."""
    cells, ahead = 0, []
    for (positives, negatives), part in peers.groupby(["positives", "negatives"], sort=False):
        is_ours = (part["method"] == ours) & part["trainings"].str.startswith("mean score")
        for metric in BY_KIND:
            values = [
                float(part.loc[it, metric].iloc[0]) for it in (is_ours, part["method"] == theirs)
            ]
            cells += 1
            if values[0] < values[1]:
                ahead.append(f"{metric} of {positives} against {negatives}")
    return cells, ahead


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def _with_interval(row: Mapping[str, Any], metric: str) -> str:
    return f"{row[metric]:.2f} ({row[f'{metric} low']:.2f}–{row[f'{metric} high']:.2f})"


def render(folder: Path = TABLES) -> str:
    """Write the page from the tables of a folder."""
    tables = {
        path.stem.replace("-", "_"): _Rows(
            pd.read_csv(path, sep=sep, keep_default_na=False, na_values=[""])
        )
        for ending, sep in (("csv", ","), ("tsv", "\t"))
        for path in sorted(folder.glob(f"*.{ending}"))
    }
    peers = tables["peers"].table.fillna({"trainings": ""})
    study = load()
    return fill(
        "finder",
        {"percent": _percent, "share": _share, "rounded": rounded},
        **tables | {"peers": _Rows(peers)},
        behind=behind(peers, "stem", "mirDNN"),
        with_interval=_with_interval,
        held_out={
            name: len(set(read_family_names(ROOT / "config" / "finder" / f"held-out-{name}.txt")))
            for name in ("families", "plant-families")
        },
        names={
            **{model: study.method(model, RECIPE).label for model in ("stem", "variable", "band")},
            **{name: average.label for name, average in study.averages.items()},
        },
        ensemble=ENSEMBLE,
        by_energy=strands.column(ENERGY_WEIGHT),
        by_score=strands.column(0),
        interval=interval,
        boosting=BASELINES[BOOSTING],
        and_boosting=AND_BOOSTING,
        facts=json.loads((folder / "peers.json").read_text(encoding="utf-8")),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the tables, the figures and the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.finder", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--only-page", action="store_true", help="write the page alone")
    given = parser.parse_args(arguments)
    if not given.only_page:
        made = given.results / "shipped" / find_weights().name
        if sha256(made) != sha256(find_weights()):
            parser.error(f"{find_weights()} was not made of {given.results}: run make weights")
        copy_tables(given.results)
        for name, measure in {
            "data": count_data,
            "thresholds": thresholds,
            "near-copies": near_copies,
            "trainings": trainings,
        }.items():
            write_measured(measure(given.results), TABLES / f"{name}.tsv", float_format="%.6g")
        for module in (shipped, kingdoms):
            module.main(["--results", str(given.results)])
        for each in (limits, strands, lookalikes):
            each.main()
    write_text(PAGE, render())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
