"""Write docs/reproduction/README.md from the results in its folder (`make reproduction`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml
from snakemake.utils import update_config

from bench.hour import ONE, share_of_trainings
from bench.turns import histories, turns
from mirpair.contracts import METRICS, RANKING, read_audit
from mirpair.files import write_text
from mirpair.identification.comparison import SHOWN, agreement
from mirpair.identification.tables import MARKS, read_table
from mirpair.pages.printing import BASELINE, OURS, PUBLISHED
from mirpair.study.load import load_study

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "reproduction"
PAGE = FOLDER / "README.md"
CONFIGS = ("config.yaml", "reproduction.yaml")
RECIPES = ("paper", "published-code")
# Networks and sets of the paper, as the page calls them.
NETWORKS = {
    "variable": "variable-sized",
    "fixed": "fixed-sized",
    "without-pairing": "without pairing matrix",
}
# Rivals that were trained here: method in our tables to the published rows beside it.
RIVALS = {
    "deepMiRGene": ("deepMiRGene, its own logs", "deepMiRGene-rerun"),
    "triplet-SVM": ("triplet-SVM",),
}
SETS = {"table2": "human", "table3": "cross-species", "table4": "new"}
# Experiments in the order of the paper, and the rows of Tables 2–4 that they are.
COUNTS = {4: "four", 5: "five"}
GROUPS = {
    "human-cv": ("human", "CV"),
    "human-test": ("human", "test"),
    "cross-species-cv": ("cross-species", "CV"),
    "cross-species-test": ("cross-species", "test"),
    "new-test": ("new", "test"),
}
# Methods of the study `clusters` that are shown, and the rows of the published split.
OF_CLUSTERS = {
    "variable": "variable-sized",
    "without-pairing": "without pairing matrix",
    "nearest-8-mer": "8-mer nearest neighbour",
    "random-forest": "random forest",
}
BEFORE = {"human": ("table2", "CV"), "cross-species": ("table3", "CV"), "new": ("table4", "test")}


def planned(names: Sequence[str] = CONFIGS, folder: str = "") -> dict[str, list[Path]]:
    """List the folders of the trainings that the tables show, by recipe; there may be more."""
    config: dict[str, Any] = {}
    for name in names:
        update_config(config, yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8")))
    runs: dict[str, list[Path]] = {}
    for run in load_study(config).plan():
        runs.setdefault(run.recipe, []).append(FOLDER / folder / "runs" / run.folder)
    return runs


def shown(name: str) -> pd.DataFrame:
    """Read a table of this folder."""
    return read_table(FOLDER / "tables" / f"{name}.csv")


def every_row() -> pd.DataFrame:
    """Read Tables 2–4, with a column set."""
    return pd.concat([shown(name).assign(set=of) for name, of in SETS.items()])


def results() -> pd.DataFrame:
    """Read our rows of the paper's networks, with the published value of each metric beside it."""
    tables = every_row()
    published = tables[tables["source"] == PUBLISHED]
    ours = tables[tables["source"] == OURS]
    keys = ["set", "protocol"]
    joined = ours.merge(
        published[[*keys, "method", *METRICS]],
        left_on=[*keys, "reproduces"],
        right_on=[*keys, "method"],
        suffixes=("", " stated"),
        validate="many_to_one",
    )
    return joined[joined["model"].isin(NETWORKS)]


def rows_of(table: pd.DataFrame, model: str, recipe: str) -> pd.DataFrame:
    """Choose the rows of a network and a recipe, in the order of the paper."""
    return table[(table["model"] == model) & (table["recipe"] == recipe)]


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
                f"{metric} {it[f'{metric} published']:.3f}, mean {it[f'{metric} mean']:.3f}, "
                f"{it[f'{metric} deviation']:+.1f} SD"
                for metric in METRICS
                if abs(it[f"{metric} deviation"]) > it["limit"]
            ]
            if cells:
                lines.append(f"{network}, {it['protocol']}: {'; '.join(cells)}")
    return lines


def beyond_limit(table: pd.DataFrame, recipe: str) -> int:
    """Count the cells that `beyond_seeds` lists."""
    of = table[table["recipe"] == recipe]
    deviations = of[[f"{metric} deviation" for metric in METRICS]].abs()
    return int(deviations.gt(of["limit"], axis=0).sum(axis=None))


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


def ahead_of_baselines(table: pd.DataFrame) -> int:
    """Count our rows with a higher AUPR than the best baseline on the same records."""
    ahead = 0
    for name, of in SETS.items():
        without = shown(name).query("source == 'baseline'").groupby("protocol")["AUPR"].max()
        ours = table[table["set"] == of]
        ahead += int((ours["AUPR"] > ours["protocol"].map(without)).sum())
    return ahead


def of_clusters(model: str, what: str) -> list[float]:
    """Compare AUPR with held-out clusters, for each set.

    ``published``: that of a method minus its own with the published split; ``ahead``: that of the
    variable-sized network minus that of the method.
    """
    differences = []
    for name, (table, protocol) in BEFORE.items():
        after = read_table(FOLDER / "clusters" / "tables" / f"{name}.csv").set_index("model")[
            "AUPR"
        ]
        if what == "ahead":
            differences.append(float(after["variable"] - after[model]))
        else:
            before = shown(table).query("source != 'published' and recipe != 'published-code'")
            before = before[before["protocol"] == protocol].set_index("model")["AUPR"]
            differences.append(float(after[model] - before[model]))
    return differences


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


def rivals(every: pd.DataFrame, clean: pd.DataFrame) -> list[dict[str, str]]:
    """Compare AUPR of the variable-sized network and of rivals, all trained here, row by row.

    In brackets: on cleaned records. Published values of the rivals stand beside theirs.
    """
    rows = []
    methods = {"Variable-sized, published-code": "Proposed variable-sized, published-code"}
    methods |= {"Variable-sized": "Proposed variable-sized"} | {it: it for it in RIVALS}
    for group, (of, protocol) in GROUPS.items():
        same = every[(every["set"] == of) & (every["protocol"] == protocol)]
        ours = same[same["source"] != PUBLISHED].set_index("method")["AUPR"]
        stated = same[same["source"] == PUBLISHED].set_index("method")["AUPR"]
        left = clean[clean["protocol"] == group].set_index("method")["AUPR cleaned"]
        row = {"name": f"{of} {protocol}"}
        for method, in_table in methods.items():
            row[method] = f"{ours[in_table]:.3f} ({left[method]:.3f})"
        for method in RIVALS:
            names = [it for it in RIVALS[method] if it in stated]
            row[f"{method} published"] = ", ".join(f"{stated[it]:.3f}" for it in names)
        rows.append(row)
    return rows


def ahead_of_rival(every: pd.DataFrame, rival: str) -> int:
    """Count the rows in which the variable-sized network has a higher AUPR than a rival here."""
    ours = every[every["source"] != PUBLISHED].set_index(["set", "protocol", "method"])["AUPR"]
    return sum(
        ours[of, protocol, "Proposed variable-sized, published-code"] > ours[of, protocol, rival]
        for of, protocol in GROUPS.values()
    )


def cleaned(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Choose the rows of a method in the table of cleaned records, in the order of the paper."""
    return table[table["method"] == method].set_index("protocol").loc[list(GROUPS)]


def baselines(table: pd.DataFrame, clean: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare the best baseline with the variable-sized network on each set of records."""
    rows = []
    every = pd.concat([shown(name).assign(set=of) for name, of in SETS.items()])
    of_network = rows_of(table, "variable", "paper").to_dict("records")
    for it, group in zip(of_network, GROUPS, strict=True):
        same = every[(every["set"] == it["set"]) & (every["protocol"] == it["protocol"])]
        best = same[same["source"] == BASELINE].sort_values("AUPR").iloc[-1]
        of_group = clean[clean["protocol"] == group]
        left = of_group[of_group["source"] == BASELINE].sort_values("AUPR cleaned").iloc[-1]
        network = of_group[of_group["method"] == "Variable-sized"].iloc[0]
        values = (best["AUPR"], it["AUPR"], left["AUPR cleaned"], network["AUPR cleaned"])
        one, ours, other, ours_cleaned = (f"{value:.3f}" for value in values)
        rows.append(
            {
                "name": f"{it['set']} {it['protocol']}",
                "best": f"{one} ({best['method'].lower()})",
                "network": ours,
                "best_cleaned": f"{other} ({left['method'].lower()})",
                "network_cleaned": ours_cleaned,
                "gain": values[1] - values[0],
                "gain cleaned": values[3] - values[2],
            }
        )
    return rows


def clusters() -> list[list[str]]:
    """Compare the published split with held-out clusters: a row for each set and method."""
    rows = []
    for name, (table, protocol) in BEFORE.items():
        before = shown(table).query("source != 'published' and recipe != 'published-code'")
        before = before[before["protocol"] == protocol]
        after = read_table(FOLDER / "clusters" / "tables" / f"{name}.csv")
        for model, method in OF_CLUSTERS.items():
            cells = [name, method]
            for metric in ("AUROC", "AUPR", "F-score"):
                (was,) = before.loc[before["model"] == model, metric]
                (now,) = after[after["model"] == model].to_dict("records")
                low, high = now[f"{metric} low"], now[f"{metric} high"]
                cells.append(f"{was:.3f} → {now[metric]:.3f} ({low:.3f}–{high:.3f})")
            rows.append(cells)
    return rows


def facts() -> dict[str, Any]:
    """Compute all that the page says."""
    table, clean, audit, epochs = results(), shown("cleaned"), shown("audit"), shown("epochs")
    counts = shown("table1")
    mine = counts[counts["source"] == OURS].set_index("dataset")
    variable, neighbour = (
        cleaned(clean, name) for name in ("Variable-sized", "8-mer nearest neighbour")
    )
    near = ["identity 0.95–1", "identity 0.90–0.95", "identity 0.80–0.90"]
    of_new = read_audit(FOLDER / "audit" / "new-test" / "records.tsv.gz")
    negatives = of_new[of_new["label"] == 0]
    runs = planned()
    seeds = {recipe: len({path.name for path in paths}) for recipe, paths in runs.items()}
    of_seeds, every = shown("seeds"), every_row()
    is_ours = every["source"] != PUBLISHED
    jobs = pd.concat(
        pd.read_csv(path / "benchmark.tsv", sep="\t").assign(recipe=recipe, seed=path.name)
        for recipe, paths in runs.items()
        for path in paths
    )
    long = histories(FOLDER)
    watched, turned = long["paper", 0], turns(long)
    hour = dict(pd.read_csv(FOLDER / "hour.tsv", sep="\t", dtype=str).itertuples(index=False))
    best_fixed = [
        int(epoch)
        for row in epochs[epochs["method"] == "Fixed-sized"].to_dict("records")
        if str(row["protocol"]).endswith("-cv")
        for epoch in str(row["best epoch"]).split(", ")
    ]
    of_variable = epochs[epochs["method"] == "Variable-sized"]
    points = {
        model: at_published_sensitivity(table, model, runs["paper"])
        for model in ("variable", "fixed")
    }
    compared = baselines(table, clean)

    def cell(model: str, of: str, recipe: str) -> dict[str, Any]:
        of_test = rows_of(table, model, recipe).query("protocol == 'test'").set_index("set")
        found: dict[str, Any] = of_test.loc[of].to_dict()
        return found

    def gains(recipe: str) -> str:
        one, other = (rows_of(table, it, recipe)["AUPR"] for it in ("variable", "without-pairing"))
        return _ends((one.to_numpy() - other.to_numpy())[:4].tolist(), 3)

    return {
        "ranking": RANKING,
        "trainings": sum(map(len, runs.values())),
        "seeds": seeds,
        "beyond_seeds": lambda recipe: beyond_seeds(of_seeds, recipe),
        "cells_of_seeds": lambda recipe: len(METRICS) * int((of_seeds["recipe"] == recipe).sum()),
        "cells_beyond_seeds": lambda recipe: beyond_limit(of_seeds, recipe),
        "limit": of_seeds.groupby("recipe")["limit"].first(),
        "rivals": rivals(every, clean) if set(RIVALS) <= set(every["method"][is_ours]) else [],
        "count": lambda recipe, metrics=METRICS: agreement(table, metrics).loc[recipe],
        "weights": sorted((mine["negatives"] / mine["positives"]).loc[["human", "cross-species"]]),
        "overview": overview(table),
        "outside": lambda recipe: outside(table, recipe),
        "farthest": farthest_inside(table, RECIPES[1]),
        "outside_without": int(
            agreement(rows_of(table, "without-pairing", RECIPES[1]))[["above", "below"]].sum(
                axis=None
            )
        ),
        "by_network": by_network(table),
        "networks_compared": len(table),
        "networks_ahead": ahead_of_baselines(table),
        "of_clusters": lambda model: of_clusters(model, "published"),
        "ahead_of": lambda model: of_clusters(model, "ahead"),
        "aupr": lambda model, of, recipe: f"{cell(model, of, recipe)['AUPR']:.3f}",
        "published_aupr": lambda model, of: f"{cell(model, of, 'paper')['AUPR stated']:.3f}",
        "stated_of": lambda model, metric: rows_of(table, model, "paper")[f"{metric} stated"],
        "known_new": int((negatives["hairpin"] != "").sum()),
        "clean": lambda method, group, column: f"{cleaned(clean, method)[column][group]:.3f}",
        "gains": gains,
        "thresholds": [threshold for threshold, _ in points["variable"]],
        "at_published": lambda model: [ppv for _, ppv in points[model]],
        "baselines": compared,
        "ahead_of_rival": lambda rival: ahead_of_rival(every, rival),
        "ahead_by_code": ahead_of_baselines(rows_of(table, "variable", RECIPES[1])),
        "baseline_count": COUNTS[
            len(shown("table2").query("source == 'baseline'")["method"].unique())
        ],
        "ahead": sum(row["gain"] > 0 for row in compared),
        "ahead_cleaned": sum(row["gain cleaned"] > 0 for row in compared),
        "alone": [
            audit.set_index("experiment")["AUROC of |MFE| / length"][group]
            for group in GROUPS
            if group.endswith("test")
        ],
        "both": mine["positives that are negatives too"],
        "known": mine["known negatives"],
        "rise": (variable["AUPR labels cleaned"] - variable["AUPR all"]).tolist(),
        "change": (variable["AUPR cleaned"] - variable["AUPR labels cleaned"]).abs().max(),
        "fall": (neighbour["AUPR labels cleaned"] - neighbour["AUPR cleaned"]).tolist(),
        "evaluated": int(audit[["positives", "negatives"]].sum(axis=None)),
        "copies": int(audit["in training"].sum()),
        "near": int(audit[near].sum(axis=None)),
        "relatives": audit.set_index("experiment")["relative in training"]["cross-species-test"],
        "families": audit.set_index("experiment")["family known"]["cross-species-test"],
        "clusters": clusters(),
        "of_epochs": {
            metric: (of_variable[f"{metric} best"] - of_variable[f"{metric} last"]).tolist()
            for metric in ("AUPR", "F-score")
        },
        "best_fixed": sorted(best_fixed),
        "turns": turned,
        "turned": [epoch for row in turned for epoch in row["epochs"]],
        "beyond": {
            metric: [
                it.loc[80, f"evaluate {metric}"] - it.loc[40, f"evaluate {metric}"]
                for it in watched
            ]
            for metric in METRICS
        },
        "hour": hour,
        "hour_share": round(100 * share_of_trainings(hour, jobs)),
        "hour_training": ONE,
        "sgemm": hour["sgemm on one thread before and after, GFLOP/s"].split(),
        "cpu_minutes": lambda recipe: jobs.groupby("recipe")["cpu_time"].mean()[recipe] / 60,
        "longest_minutes": jobs.groupby("recipe")["cpu_time"].max()["paper"] / 60,
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
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "round1": lambda value: f"{value:.1f}",
        "round2": lambda value: f"{value:.2f}",
        "three": lambda value: f"{value:.3f}",
        "ends0": lambda values: f"{min(values)} to {max(values)}",
        "ends1": lambda values: _ends(values, 1),
        "ends2": lambda values: _ends(values, 2),
        "ends3": lambda values: _ends(values, 3),
        "signed": lambda values: _ends(values, 3, "+"),
        "listed": lambda values: _listed(list(values)),
        "listed_signed": lambda values: _listed(list(values), "+"),
        "signed1": lambda value: f"{value:+.3f}",
    }
    template = (Path(__file__).parent / "reproduction.md.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(facts()) + "\n"


def main() -> None:
    """Write the page."""
    write_text(PAGE, render())


if __name__ == "__main__":
    main()
