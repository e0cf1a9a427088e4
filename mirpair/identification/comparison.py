"""Compare our results with the published ones and with the baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from mirpair.contracts import BASELINES, METRICS, is_baseline
from mirpair.pages.printing import BASELINE, OURS, PUBLISHED

INSIDE, ABOVE, BELOW = "inside", "above", "below"
SHOWN = ("F-score", "AUROC", "AUPR")
_ROUNDING = 1e-9
# Published values have three decimals.
_HALF_A_UNIT = 0.0005
# Columns of a table of results for programs. Readers see them in method and note.
FOR_PROGRAMS = ("model", "recipe", "reproduces", "whole", "seeds")


def results_table(
    rows: Mapping[str, str],
    summary: pd.DataFrame,
    runs: pd.DataFrame,
    folds: Mapping[str, int],
    published: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Build a table of results: published rows, our rows below those they reproduce, baselines.

    Parameters
    ----------
    rows
        Protocol (CV, test) to experiment.
    summary
        Result of `mirpair.identification.metrics.summarise` for one subset of the records, with a
        column group (the experiment; its folds share a row).
    runs
        Descriptions of the trainings (`mirpair.study.plan.described_runs`): group, model, recipe,
        epochs, label, published (method of the published row that it reproduces, or empty),
        usual (epochs of its recipe), trainings (how many are averaged).
    folds
        Number of folds of each experiment; 0 if it has none.
    published
        Result of `mirpair.contracts.read_published_results`.

    Returns
    -------
    DataFrame
        Columns method, protocol, source, the seven metrics, note, and for programs: model, recipe,
        reproduces (method of the published row above it, or empty), whole (False if our row has
        fewer epochs than its recipe or fewer folds than its experiment), seeds (their number, 0 of
        a published row), for each metric ``<metric> low`` and ``<metric> high``, our 95 % interval,
        ``<metric> sd``, the standard deviation of single seeds, and ``<metric> agrees``: inside if
        the published value is in that interval, else above or below, for where our interval lies.
        It is empty if there is nothing to compare, or if the row is not whole.
    """
    lines: list[dict[Any, Any]] = []
    run_of = _by_method(runs)
    for protocol, group in rows.items():
        of_group = summary[summary["group"] == group].to_dict("records")
        ours = [
            _our_row(row, run_of[group, row["model"], row["recipe"], row["epochs"]], folds[group])
            for row in of_group
            if not is_baseline(row)
        ]
        if published is not None:
            of_protocol = published[published["protocol"] == protocol]
            for line in of_protocol.to_dict("records"):
                lines.append({**line, "source": PUBLISHED, "whole": True, "seeds": 0})
                same = [row for row in ours if row["reproduces"] == line["method"]]
                lines += [{**row, "protocol": protocol, **_agreement(row, line)} for row in same]
                ours = [row for row in ours if row["reproduces"] != line["method"]]
        lines += [{**row, "protocol": protocol} for row in ours]
        lines += [
            {
                **row,
                "method": BASELINES[row["model"]],
                "protocol": protocol,
                "source": BASELINE,
                "note": "no network" + (f", {folds[group]} folds" if folds[group] else ""),
                "whole": len(str(row["folds"]).split()) >= folds[group],
            }
            for row in of_group
            if is_baseline(row)
        ]
    limits = [f"{metric} {end}" for metric in METRICS for end in ("low", "high", "sd")]
    agrees = [f"{metric} agrees" for metric in METRICS]
    columns = ["method", "protocol", "source", *METRICS, "note", *FOR_PROGRAMS, *limits, *agrees]
    table = pd.DataFrame(lines, columns=columns)
    texts = ["model", "recipe", "reproduces", *agrees]
    table[texts] = table[texts].astype(object).fillna("")
    return table


def _by_method(runs: pd.DataFrame) -> dict[tuple[Any, ...], dict[Any, Any]]:
    keys = runs[["group", "model", "recipe", "epochs"]].itertuples(index=False, name=None)
    return dict(zip(keys, runs.to_dict("records"), strict=True))


def _our_row(row: Mapping[Any, Any], run: Mapping[Any, Any], folds: int) -> dict[Any, Any]:
    present = str(row["folds"]).split()
    parts = [f"recipe {row['recipe']}"]
    epochs, usual = row["epochs"], run["usual"]
    if run["trainings"] > 1:
        parts.append(f"mean score of {run['trainings']} trainings")
    if epochs < usual:
        parts.append(f"only {epochs} of {usual} epochs")
    else:
        parts.append(f"{epochs} epochs" + (f" instead of {usual}" if epochs > usual else ""))
    if len(present) < folds:
        parts.append(f"only fold {', '.join(present)} of {folds}")
    elif folds:
        parts.append(f"{folds} folds")
    if row["seeds"] > 1:
        parts.append(f"{row['seeds']} seeds")
    return {
        **row,
        "method": run["label"],
        "source": OURS,
        "note": ", ".join(parts),
        "reproduces": run["published"],
        "whole": epochs >= usual and len(present) >= folds,
    }


def _agreement(ours: Mapping[Any, Any], published: Mapping[Any, Any]) -> dict[str, str]:
    """Say where our interval lies, for each metric of a row that was trained in full."""
    sides = {}
    for metric in METRICS:
        low, high, value = ours[f"{metric} low"], ours[f"{metric} high"], published[metric]
        if not ours["whole"] or any(map(math.isnan, (low, high, value))):
            continue
        # Published values have three decimals, so 0.9854 agrees with an interval up to 0.985.
        low, high = round(low, 3), round(high, 3)
        inside = low <= value <= high
        sides[f"{metric} agrees"] = INSIDE if inside else ABOVE if low > value else BELOW
    return sides


def seeds_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare the mean of our seeds with published values, in standard deviations of the seeds.

    A published value is of one training. If it were another seed of ours, the mean of S seeds would
    be more than t · √(1 + 1/S) standard deviations away in 5 % of cases; t is the 97.5th percentile
    of Student's t with S − 1 degrees of freedom. Published values have three decimals, so half a
    unit of the last one is no difference.

    Parameters
    ----------
    tables
        Name of an experiment, or of another set of rows, to a result of `results_table`.

    Returns
    -------
    DataFrame
        A row for each of our rows with several seeds that reproduces a published one: method,
        protocol (with the name of its table), source, model, recipe, seeds, limit, and for each
        metric ``<metric> published``, ``<metric> mean``, ``<metric> sd``, ``<metric> deviation``
        (mean minus published, divided by sd; missing where the sd is missing or 0) and ``<metric>
        agrees`` (inside the limit, or ours is above or below; empty without a deviation).
    """
    from scipy import stats

    lines = []
    for name, table in tables.items():
        published = {
            (row["method"], row["protocol"]): row
            for row in table[table["source"] == PUBLISHED].to_dict("records")
        }
        ours = table[(table["source"] == OURS) & table["whole"] & (table["seeds"] > 1)]
        for row in ours.to_dict("records"):
            if (other := published.get((row["reproduces"], row["protocol"]))) is None:
                continue
            seeds = int(row["seeds"])
            line = {it: row[it] for it in ("method", "source", "model", "recipe")}
            line |= {"protocol": f"{name}, {row['protocol']}", "seeds": seeds}
            spread = math.sqrt(1 + 1 / seeds)
            line["limit"] = float(stats.t.ppf(0.975, seeds - 1)) * spread
            for metric in METRICS:
                line[f"{metric} published"], line[f"{metric} mean"] = other[metric], row[metric]
                # Equal values may differ by rounding.
                sd = row[f"{metric} sd"]
                sd = sd if sd > _ROUNDING else math.nan
                away = row[metric] - other[metric]
                away = math.copysign(max(0.0, abs(away) - _HALF_A_UNIT), away) / sd
                side = ABOVE if away > 0 else BELOW
                agrees = INSIDE if abs(away) <= line["limit"] else side
                line[f"{metric} sd"], line[f"{metric} deviation"] = sd, away
                line[f"{metric} agrees"] = "" if math.isnan(away) else agrees
            lines.append(line)
    parts = ("published", "mean", "sd", "deviation", "agrees")
    of_metric = [f"{metric} {it}" for metric in METRICS for it in parts]
    columns = ["method", "protocol", "source", "model", "recipe", "seeds", "limit", *of_metric]
    return pd.DataFrame(lines, columns=columns)


def agreement(table: pd.DataFrame, metrics: Sequence[str] = METRICS) -> pd.DataFrame:
    """Count, for each recipe, in how many cells the published value is in our interval.

    Parameters
    ----------
    table, metrics
        Result of `results_table`, or several concatenated; the metrics to count.

    Returns
    -------
    DataFrame
        A row for each recipe, in their order: inside, above, below (ours lies), cells.
    """
    ours = table[table["source"] == OURS]
    marks = ours.melt("recipe", [f"{metric} agrees" for metric in metrics], value_name="agrees")
    recipes, kinds = ours["recipe"].drop_duplicates(), [INSIDE, ABOVE, BELOW]
    counts = pd.crosstab(marks["recipe"], marks["agrees"]).reindex(recipes, columns=kinds)
    counts = counts.fillna(0).astype(int)
    return counts.assign(cells=counts.sum(axis=1))


def cleaned_table(
    summary: pd.DataFrame, runs: pd.DataFrame, folds: Mapping[str, int]
) -> pd.DataFrame:
    """Build the table of the same predictions on all evaluation records and on cleaned ones.

    Parameters
    ----------
    summary, runs, folds
        As `results_table` takes them, but the summary with all subsets.

    Returns
    -------
    DataFrame
        A row for each method and experiment: method, protocol (the experiment), source, for
        F-score, AUROC and AUPR a column for each subset, with low and high of its interval, note
        (only if some row is not whole) and whole.
    """
    run_of = _by_method(runs)
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in summary.to_dict("records"):
        key = (row["group"], row["model"], row["recipe"], row["epochs"])
        if key not in lines:
            line = {"method": BASELINES.get(row["model"]), "source": BASELINE, "whole": True}
            if not is_baseline(row):
                line = _our_row(row, run_of[key], folds[row["group"]])
            of_line = ("method", "source", "note", "whole")
            lines[key] = {**{name: line.get(name, "") for name in of_line}, "protocol": key[0]}
        for metric in SHOWN:
            lines[key][f"{metric} {row['subset']}"] = row[metric]
            for end in ("low", "high"):
                lines[key][f"{metric} {row['subset']} {end}"] = row[f"{metric} {end}"]
    columns = [f"{m} {s}" for m in SHOWN for s in dict.fromkeys(summary["subset"])]
    ends = [f"{name} {end}" for name in columns for end in ("low", "high")]
    table = pd.DataFrame(list(lines.values()))
    note = [] if table["whole"].all() else ["note"]
    return table[["method", "protocol", "source", *columns, *note, *ends, "whole"]]
