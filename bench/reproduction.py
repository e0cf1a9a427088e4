"""Write docs/reproduction/README.md from the results in its folder (`make reproduction`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from bench.compared import (
    ahead_of_baselines,
    ahead_of_rival,
    baselines,
    clusters,
    far_below,
    network_minus_forest,
    network_minus_rival,
    of_clusters,
    rivals,
)
from bench.hour import ONE, share_of_trainings
from bench.logs import highest_at_the_end, paired, read_logs
from bench.reproduced import (
    COUNTS,
    FOLDER,
    GROUPS,
    NETWORKS,
    RECIPES,
    RIVALS,
    cleaned,
    every_row,
    planned,
    results,
    rows_of,
    shown,
    signed,
    with_limits,
)
from bench.templates import fill
from bench.turns import histories, turns
from mirpair.contracts import METRICS, RANKING
from mirpair.files import write_text
from mirpair.identification.comparison import ABOVE, BELOW, SHOWN, agreement
from mirpair.identification.tables import MARKS
from mirpair.pages.printing import OURS

PAGE = FOLDER / "README.md"


def overview(table: pd.DataFrame) -> list[dict[str, str]]:
    """Show each row of the paper: published, and ours by both recipes."""
    rows = []
    for model, network in NETWORKS.items():
        for it in rows_of(table, model, "paper").to_dict("records"):
            row = {"name": f"{network}, {it['set']} {it['protocol']}"}
            for metric in SHOWN:
                values = []
                for recipe in reversed(RECIPES):
                    of = rows_of(table, model, recipe)
                    same = of[(of["set"] == it["set"]) & (of["protocol"] == it["protocol"])]
                    (ours,) = same.to_dict("records")
                    values.append(f"{ours[metric]:.3f} {MARKS[ours[f'{metric} agrees']]}")
                row[metric] = f"{it[f'{metric} stated']:.3f} → {', '.join(values)}"
            rows.append(row)
    return rows


def outside(table: pd.DataFrame, recipe: str) -> list[str]:
    """List the cells in which the published value is outside our interval, row by row."""
    lines = []
    for model, network in NETWORKS.items():
        for it in rows_of(table, model, recipe).to_dict("records"):
            cells = [
                f"{metric} {it[f'{metric} stated']:.3f} → {it[metric]:.3f} "
                f"{MARKS[it[f'{metric} agrees']]}"
                for metric in METRICS
                if it[f"{metric} agrees"] in ("above", "below")
            ]
            if cells:
                lines.append(f"{network}, {it['set']} {it['protocol']}: {', '.join(cells)}")
    return lines


def beyond_seeds(table: pd.DataFrame, recipe: str) -> list[str]:
    """List the published values that are farther from the mean of our seeds than another seed.

    `table` is a result of `mirpair.identification.comparison.seeds_table`; another seed would be
    outside its limit in 5 % of cases.
    """
    lines = []
    of = table[table["recipe"] == recipe]
    for model, network in NETWORKS.items():
        for it in of[of["model"] == model].to_dict("records"):
            cells = [
                f"{metric} {it[f'{metric} published']:.3f} → {it[f'{metric} mean']:.3f} "
                f"(± {it['limit'] * it[f'{metric} sd']:.3f}) {MARKS[it[f'{metric} agrees']]}"
                for metric in METRICS
                if it[f"{metric} agrees"] in (ABOVE, BELOW)
            ]
            if cells:
                lines.append(f"{network}, {it['protocol'].replace(',', '')}: {', '.join(cells)}")
    return lines


def beyond_limit(
    table: pd.DataFrame, recipe: str, metrics: Sequence[str] = METRICS
) -> tuple[int, int]:
    """Count the cells that `beyond_seeds` lists, and all cells with a limit."""
    of = table.loc[table["recipe"] == recipe, [f"{metric} agrees" for metric in metrics]]
    cells = of.to_numpy()
    return int(((cells == ABOVE) | (cells == BELOW)).sum()), int((cells != "").sum())


def largest_difference(table: pd.DataFrame, model: str, recipe: str, metric: str) -> float:
    """Find the largest difference from the published value in the rows of a network."""
    of = rows_of(table, model, recipe)
    return float((of[metric] - of[f"{metric} stated"]).abs().max())


def fold_by_fold(runs: Mapping[str, Sequence[Path]]) -> list[dict[str, str]]:
    """Compare cross-validations with the authors' logs in the same folds, by recipe and network."""
    logs, rows = read_logs(), []
    for recipe in reversed(RECIPES):
        table = paired(runs[recipe], logs)
        for model, group in product(("variable", "fixed"), ("human-cv", "cross-species-cv")):
            (it,) = table[(table["model"] == model) & (table["group"] == group)].to_dict("records")
            row = {"recipe": recipe, "name": f"{NETWORKS[model]}, {' '.join(GROUPS[group])}"}
            rows.append(row | {metric: with_limits(it, metric) for metric in SHOWN})
    return rows


def epochs_of_lowest_loss(epochs: pd.DataFrame, method: str) -> list[int]:
    """List the epochs with the lowest validation loss of all folds and seeds, sorted."""
    return sorted(
        int(epoch)
        for row in epochs[epochs["method"] == method].to_dict("records")
        if str(row["protocol"]).endswith("-cv")
        for epoch in str(row["best epoch"]).split(", ")
    )


def by_network(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Count the cells inside, and average our differences, for each recipe and network."""
    rows = []
    for recipe in reversed(RECIPES):
        for model, network in NETWORKS.items():
            of = rows_of(table, model, recipe)
            if of.empty:
                continue
            row = {"recipe": recipe, "network": network}
            row |= {"inside": int(agreement(of).loc[recipe, "inside"])}
            row |= {"ranking": int(agreement(of, RANKING).loc[recipe, "inside"])}
            means = {m: (of[m] - of[f"{m} stated"]).mean() for m in ("SE", "PPV", "AUPR")}
            rows.append(row | means)
    return rows


def farthest_inside(table: pd.DataFrame, recipe: str) -> str:
    """Name the F-score that differs most from the published one, and is inside its interval."""
    inside = table[(table["recipe"] == recipe) & (table["F-score agrees"] == "inside")]
    distance = (inside["F-score"] - inside["F-score stated"]).abs()
    it = inside.iloc[int(distance.to_numpy().argmax())]
    return (
        f"{NETWORKS[it['model']]}, {it['set']} {it['protocol']}, {it['F-score']:.3f} here and "
        f"{it['F-score stated']:.3f} published ({it['F-score low']:.3f}–{it['F-score high']:.3f})"
    )


def at_published_sensitivity(
    table: pd.DataFrame, model: str, runs: Sequence[Path]
) -> list[tuple[float, float]]:
    """Find threshold and PPV of recipe `paper` where SE is the published one: a pair a row.

    Both are means over folds and seeds.
    """
    found = []
    for it, group in zip(rows_of(table, model, "paper").to_dict("records"), GROUPS, strict=True):
        points = []
        folds = [it for it in runs if it.parts[-4].startswith(group) and it.parts[-3] == model]
        for run in folds:
            predictions = pd.read_csv(run / "predictions.tsv.gz", sep="\t")
            positive = predictions.loc[predictions["label"] == 1, "score"]
            highest = positive.sort_values(ascending=False)
            threshold = highest.iloc[round(it["SE stated"] * len(highest)) - 1]
            called = predictions[predictions["score"] >= threshold]
            points.append((threshold, called["label"].mean()))
        threshold, ppv = pd.DataFrame(points).mean()
        found.append((float(threshold), float(ppv)))
    return found


def facts() -> dict[str, Any]:
    """Compute all that the page says."""
    table, clean, runs = results(), shown("cleaned"), planned()
    return {
        "seeds": {recipe: len({path.name for path in paths}) for recipe, paths in runs.items()},
        "trainings": {
            "all": sum(map(len, runs.values())),
            **{recipe: len(paths) for recipe, paths in runs.items()},
        },
        **_of_rows(table),
        "far_below": far_below(runs, 0.2),
        **_of_what_remains(table, runs),
        **_of_methods(table, clean, runs),
        **_of_records(clean),
        **_of_epochs(),
        **_of_time(runs),
    }


def _of_rows(table: pd.DataFrame) -> dict[str, Any]:
    """Facts about the published rows, for the first sections."""

    def gains(recipe: str) -> tuple[str, str]:
        """Say what the pairing matrix adds to AUPR: on the two older sets, and on *new*."""
        one, other = (rows_of(table, it, recipe) for it in ("variable", "without-pairing"))
        added = pd.Series((one["AUPR"].to_numpy() - other["AUPR"].to_numpy()), one["set"])
        return _ends(added.drop("new").tolist(), 3, "+"), signed(added["new"])

    def cell(model: str, of: str, recipe: str) -> dict[str, Any]:
        of_test = rows_of(table, model, recipe).query("protocol == 'test'").set_index("set")
        found: dict[str, Any] = of_test.loc[of].to_dict()
        return found

    return {
        "ranking": RANKING,
        "single": len(METRICS) * len(GROUPS),
        "largest": lambda *of: f"{largest_difference(table, *of):.3f}",
        "count": lambda recipe, metrics=METRICS: agreement(table, metrics).loc[recipe],
        "overview": overview(table),
        "by_network": by_network(table),
        "farthest": farthest_inside(table, RECIPES[1]),
        "gains": gains,
        "cell": cell,
        "aupr": lambda model, of, recipe: f"{cell(model, of, recipe)['AUPR']:.3f}",
        "published_aupr": lambda model, of: f"{cell(model, of, 'paper')['AUPR stated']:.3f}",
        "stated_of": lambda model, metric: rows_of(table, model, "paper")[f"{metric} stated"],
    }


def _of_what_remains(table: pd.DataFrame, runs: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
    """Facts about differences that seeds and records do not explain."""
    of_seeds, logs = shown("seeds"), read_logs()
    by_fold = fold_by_fold(runs)
    points = {
        model: at_published_sensitivity(table, model, runs["paper"])
        for model in ("variable", "fixed")
    }
    without = agreement(rows_of(table, "without-pairing", RECIPES[1]))
    return {
        "by_fold": by_fold,
        "fold_of": lambda recipe, name, metric: next(
            it[metric] for it in by_fold if (it["recipe"], it["name"]) == (recipe, name)
        ),
        "beyond_seeds": lambda recipe: beyond_seeds(of_seeds, recipe),
        "beyond_limit": lambda recipe, metrics=METRICS: beyond_limit(of_seeds, recipe, metrics),
        "limit": of_seeds.groupby("recipe")["limit"].first(),
        "outside": lambda recipe: outside(table, recipe),
        "outside_without": int(without[["above", "below"]].sum(axis=None)),
        "highest_at_the_end": highest_at_the_end(logs),
        "logs": logs.set_index(["model", "experiment"]),
        "thresholds": [threshold for threshold, _ in points["variable"]],
        "at_published": lambda model: [ppv for _, ppv in points[model]],
    }


def _of_methods(
    table: pd.DataFrame, clean: pd.DataFrame, runs: Mapping[str, Sequence[Path]]
) -> dict[str, Any]:
    """Facts about rivals, baselines and held-out clusters."""
    every = every_row()
    of_baselines = baselines(table, clean)
    names = shown("table2").query("source == 'baseline'")["method"].unique()
    return {
        "rivals": rivals(every, clean),
        "published_of": RIVALS,
        "minus_rival": network_minus_rival(runs, "deepmirgene"),
        "rival_agrees": lambda recipe: agreement(every[every["source"] == OURS]).loc[recipe],
        "ahead_of_rival": lambda rival: ahead_of_rival(every, rival),
        "ahead_of_published": lambda rival: ahead_of_rival(every, rival, published=True),
        "baselines": of_baselines,
        "baseline_count": COUNTS[len(names)],
        "ahead": sum(row["gain"] > 0 for row in of_baselines),
        "ahead_cleaned": sum(row["gain cleaned"] > 0 for row in of_baselines),
        "ahead_by_code": ahead_of_baselines(rows_of(table, "variable", RECIPES[1])),
        "networks_compared": len(table),
        "networks_ahead": ahead_of_baselines(table),
        "clusters": clusters(),
        "of_clusters": lambda model: of_clusters(model, "published"),
        "ahead_of": lambda model: of_clusters(model, "ahead"),
        "forest": network_minus_forest(),
        "with_limits": with_limits,
    }


def _of_records(clean: pd.DataFrame) -> dict[str, Any]:
    """Facts about labels, copies and relatives."""
    counts, audit = shown("table1"), shown("audit").set_index("experiment")
    mine = counts[counts["source"] == OURS].set_index("dataset")
    variable, neighbour = (
        cleaned(clean, name) for name in ("Variable-sized", "8-mer nearest neighbour")
    )
    near = ["identity 0.95–1", "identity 0.90–0.95", "identity 0.80–0.90"]
    of_energy = audit["AUROC of |MFE| / length"]
    return {
        "weights": sorted((mine["negatives"] / mine["positives"]).loc[["human", "cross-species"]]),
        "both": mine["positives that are negatives too"],
        "known": mine["known negatives"],
        "clean": lambda method, group, column: f"{cleaned(clean, method)[column][group]:.3f}",
        "rise": (variable["AUPR labels cleaned"] - variable["AUPR all"]).tolist(),
        "change": (variable["AUPR cleaned"] - variable["AUPR labels cleaned"]).abs().max(),
        "fall": (neighbour["AUPR labels cleaned"] - neighbour["AUPR cleaned"]).tolist(),
        "evaluated": int(audit[["positives", "negatives"]].sum(axis=None)),
        "copies": int(audit["in training"].sum()),
        "near": int(audit[near].sum(axis=None)),
        "relatives": audit["relative in training"]["cross-species-test"],
        "families": audit["family known"]["cross-species-test"],
        "alone_of": lambda name: audit[f"AUROC of {name}"],
        "alone": [of_energy[group] for group in GROUPS if group.endswith("test")],
    }


def _of_epochs() -> dict[str, Any]:
    """Facts about the epoch of the lowest loss, and about Figure 3."""
    epochs, long = shown("epochs"), histories(FOLDER)
    turned = turns(long)
    of_variable = epochs[epochs["method"] == "Variable-sized"]
    return {
        "lowest": epochs_of_lowest_loss(epochs, "Variable-sized"),
        "best_fixed": epochs_of_lowest_loss(epochs, "Fixed-sized"),
        "of_epochs": {
            metric: (of_variable[f"{metric} best"] - of_variable[f"{metric} last"]).tolist()
            for metric in ("AUPR", "F-score")
        },
        "turns": turned,
        "turned": [epoch for row in turned for epoch in row["epochs"]],
        "beyond": {
            metric: [
                it.loc[80, f"evaluate {metric}"] - it.loc[40, f"evaluate {metric}"]
                for it in long["paper", 0]
            ]
            for metric in METRICS
        },
    }


def _of_time(runs: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
    """Facts about time and memory."""
    jobs = pd.concat(
        pd.read_csv(path / "benchmark.tsv", sep="\t").assign(recipe=recipe, seed=path.name)
        for recipe, paths in runs.items()
        for path in paths
    )
    cpu = jobs.groupby("recipe")["cpu_time"]
    hour = dict(pd.read_csv(FOLDER / "hour.tsv", sep="\t", dtype=str).itertuples(index=False))
    return {
        "hour": hour,
        "hour_share": round(100 * share_of_trainings(hour, jobs)),
        "hour_training": ONE,
        "sgemm": hour["sgemm on one thread before and after, GFLOP/s"].split(),
        "cpu_minutes": lambda recipe: cpu.mean()[recipe] / 60,
        "longest_minutes": cpu.max()["paper"] / 60,
        "gigabytes": jobs["max_rss"].max() / 1000,
    }


def _ends(values: Sequence[float], digits: int, sign: str = "") -> str:
    form = f"{{:{sign}.{digits}f}}"
    return f"{form.format(min(values))} to {form.format(max(values))}"


def _listed(values: Sequence[float], sign: str = "") -> str:
    """List numbers; whole ones without decimals."""
    texts = [str(it) if isinstance(it, int) else f"{it:{sign}.3f}" for it in values]
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def render() -> str:
    """Write the page as Markdown."""
    filters: dict[str, Callable[..., Any]] = {
        "round0": lambda value: f"{value:.0f}",
        "round1": lambda value: f"{value:.1f}",
        "round2": lambda value: f"{value:.2f}",
        "three": lambda value: f"{value:.3f}",
        "ends0": lambda values: f"{min(values)} to {max(values)}",
        "median": lambda values: f"{pd.Series(values).median():.0f}",
        "ends1": lambda values: _ends(values, 1),
        "ends2": lambda values: _ends(values, 2),
        "ends3": lambda values: _ends(values, 3),
        "signed": lambda values: _ends(values, 3, "+"),
        "listed": lambda values: _listed(list(values)),
        "listed_signed": lambda values: _listed(list(values), "+"),
        "signed1": signed,
    }
    return fill("reproduction", filters, **facts())


def main() -> None:
    """Write the page."""
    write_text(PAGE, render())


if __name__ == "__main__":
    main()
