"""Compare trainings with those behind the published numbers, fold by fold.

config/published/logs.tsv has the last epoch of each of the authors' own logs
(github.com/peace195/miRNA-identification-conv2D, results/**/*.rst, commit 9d95416), and of the
tests the lowest and highest values of the last twenty epochs. Folds and records are the same as
here, so differences within a fold are much smaller than those between folds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from mirpair.contracts import METRICS

LOGS = Path(__file__).parent.parent / "config" / "published" / "logs.tsv"


def read_logs() -> pd.DataFrame:
    """Read the authors' values: experiment, model, epochs, the metrics, and ranges of tests."""
    return pd.read_csv(LOGS, sep="\t")


def last_epochs(runs: Sequence[Path]) -> pd.DataFrame:
    """Read the last epoch of trainings: experiment, model, and each metric, mean over seeds."""
    rows = []
    for run in runs:
        history = pd.read_csv(run / "history.tsv", sep="\t")
        last = history.iloc[-1]
        row: dict[str, Any] = {"experiment": run.parts[-4], "model": run.parts[-3]}
        rows.append(row | {metric: last[f"evaluate {metric}"] for metric in METRICS})
    return pd.DataFrame(rows).groupby(["experiment", "model"], as_index=False).mean()


def paired(runs: Sequence[Path], logs: pd.DataFrame) -> pd.DataFrame:
    """Subtract the authors' values from ours, in the same folds.

    Returns
    -------
    DataFrame
        A row for each network and group of folds (or test): model, group, folds, and for each
        metric its mean difference, ``<metric> low`` and ``<metric> high`` (95 % interval by
        Student's t over the folds; NaN of a test).
    """
    both = last_epochs(runs).merge(logs, on=["experiment", "model"], suffixes=("", " theirs"))
    both["group"] = both["experiment"].str.rstrip("0123456789")
    lines = []
    for (model, group), rows in both.groupby(["model", "group"], sort=False):
        line: dict[str, Any] = {"model": model, "group": group, "folds": len(rows)}
        for metric in METRICS:
            away = rows[metric] - rows[f"{metric} theirs"]
            half = math.nan
            if len(rows) > 1:
                half = stats.t.ppf(0.975, len(rows) - 1) * away.std() / math.sqrt(len(rows))
            line |= {
                metric: away.mean(),
                f"{metric} low": away.mean() - half,
                f"{metric} high": away.mean() + half,
            }
        lines.append(line)
    return pd.DataFrame(lines)


def highest_at_the_end(logs: pd.DataFrame) -> list[str]:
    """List the tests whose published F-score is the highest of the last twenty epochs."""
    tests = logs[logs["F-score highest"].notna()]
    return [
        f"{row['model']} {row['experiment']}"
        for row in tests.to_dict("records")
        if row["F-score"] == row["F-score highest"]
    ]
