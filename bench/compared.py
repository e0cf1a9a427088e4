"""Compare the networks with rivals, baselines and held-out clusters, for docs/reproduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from bench.reproduced import (
    BEFORE,
    FOLDER,
    GROUPS,
    NETWORKS,
    OF_CLUSTERS,
    RECIPES,
    RIVALS,
    SETS,
    every_row,
    rows_of,
    shown,
)
from mirpair.identification.metrics import measure
from mirpair.identification.tables import read_table
from mirpair.pages.printing import BASELINE, PUBLISHED

# The row of our tables that is compared with rivals.
BY_CODE = "Proposed variable-sized, published-code"


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


def network_minus_forest() -> dict[str, dict[str, Any]]:
    """Subtract the random forest's AUPR from the network's, fold by fold of held-out clusters.

    By set, as `_over_folds` returns it.
    """
    found = {}
    for of in BEFORE:
        gains = []
        for fold in range(1, 6):
            name = f"{of}-clusters{fold}"
            run = FOLDER / "clusters" / "runs" / name / "variable" / "paper" / "seed0"
            scores = pd.read_csv(FOLDER / "clusters" / "baselines" / f"{name}.tsv.gz", sep="\t")
            forest = measure(scores["label"], scores["random-forest"])["AUPR"]
            gains.append(_last(run, "AUPR") - forest)
        found[of] = _over_folds(gains)
    return found


def network_minus_rival(runs: Mapping[str, Sequence[Path]], rival: str) -> dict[str, Any]:
    """Subtract a rival network's AUPR from the variable-sized one's, fold by fold.

    By group of a cross-validation, as `_over_folds` returns it; the mean of all seeds of a fold, by
    `published-code` and by the recipe of the rival's name.
    """
    values: dict[tuple[str, str], list[float]] = {}
    for recipe, model in ((RECIPES[1], "variable"), (rival, rival)):
        for run in runs.get(recipe, []):
            experiment, of, *_ = run.parts[-4:]
            if of == model:
                values.setdefault((experiment, model), []).append(_last(run, "AUPR"))
    found = {}
    for group in (it for it in GROUPS if it.endswith("cv")):
        folds = [f"{group}{fold}" for fold in range(1, 6)]
        means = {key: sum(it) / len(it) for key, it in values.items()}
        if all((fold, rival) in means for fold in folds):
            found[group] = _over_folds(
                [means[fold, "variable"] - means[fold, rival] for fold in folds]
            )
    return found


def _last(run: Path, metric: str) -> float:
    """Read a metric of the evaluation records after the last epoch."""
    return float(pd.read_csv(run / "history.tsv", sep="\t")[f"evaluate {metric}"].iloc[-1])


def _over_folds(gains: Sequence[float]) -> dict[str, float]:
    """Return the mean of differences, low and high: the 95 % interval by Student's t."""
    values = pd.Series(gains)
    half = stats.t.ppf(0.975, len(values) - 1) * values.std() / len(values) ** 0.5
    mean = float(values.mean())
    return {"AUPR": mean, "AUPR low": mean - half, "AUPR high": mean + half}


def far_below(runs: Mapping[str, Sequence[Path]], by: float) -> list[str]:
    """Name trainings whose last F-score is so far below the median of the others of their row.

    Those of a row have the same network, recipe and kind of experiment: folds and seeds.
    """
    rows = []
    for recipe, folders in runs.items():
        for folder in folders:
            experiment, model, _, seed = folder.parts[-4:]
            group = experiment.rstrip("0123456789")
            fold = experiment.removeprefix(group)
            rows.append((model, recipe, group, fold, seed, _last(folder, "F-score")))
    table = pd.DataFrame(rows, columns=["model", "recipe", "group", "fold", "seed", "F-score"])
    median = table.groupby(["model", "recipe", "group"])["F-score"].transform("median")
    return [
        f"{NETWORKS.get(row['model'], row['model'])}, `{row['recipe']}`, "
        f"{' '.join(GROUPS[row['group']])}"
        f"{', fold ' * bool(row['fold'])}{row['fold']}, seed {row['seed'].removeprefix('seed')} "
        f"({row['F-score']:.2f})"
        for row in table[median - table["F-score"] > by].to_dict("records")
    ]


def rivals(every: pd.DataFrame, clean: pd.DataFrame) -> list[dict[str, str]]:
    """Compare AUPR of the variable-sized network and of rivals, row by row.

    In brackets: on cleaned records. Published values of the rivals stand beside theirs.
    """
    rows = []
    methods = {"Variable-sized, published-code": BY_CODE}
    methods |= {"Variable-sized": "Proposed variable-sized"}
    methods |= {it: it for it in RIVALS}
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
            row[f"{method} published"] = ", ".join(f"{stated[it]:.3f}" for it in names) or "–"
        rows.append(row)
    return rows


def ahead_of_rival(every: pd.DataFrame, rival: str, *, published: bool = False) -> int:
    """Count the rows in which the variable-sized network has a higher AUPR than a rival here.

    If `published`, than a published value of the rival.
    """
    ours = every[every["source"] != PUBLISHED].set_index(["set", "protocol", "method"])["AUPR"]
    theirs = every[(every["source"] == PUBLISHED) == published]
    of_rival = theirs.set_index(["set", "protocol", "method"])["AUPR"]
    return sum(
        ours[of, protocol, BY_CODE] > of_rival[of, protocol, rival]
        for of, protocol in GROUPS.values()
    )


def baselines(table: pd.DataFrame, clean: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare the best baseline with the variable-sized network on each set of records."""
    rows = []
    every = every_row()
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
