"""How far the ends of arms are from miRBase's: by end, cut and trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mirpair.arms.records import PLACES
from mirpair.families.family_calls import over_families

# Distances, nt, that count: the same base, or so many away at most.
WITHIN = (0, 1, 2)
ALL_ENDS = "all ends"
ENDS = dict(zip(PLACES, ("5p begins", "5p ends", "3p begins", "3p ends"), strict=True))


def ends_table(records: pd.DataFrame, found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Measure the share of ends that are right, by method and group of records.

    Parameters
    ----------
    records
        Records as of `mirpair.arms.records.read_records`.
    found
        Method to its arms of these records, row by row: the columns of `PLACES`.

    Returns
    -------
    DataFrame
        A row for each method, kingdom, cut, trust (and all), and end (and all ends): method,
        kingdom, cut, trust, end, records, families; for each distance n of `WITHIN`, ``within n``
        (share of the ends at most n nt away), ``low n`` and ``high n`` (its 95 % interval of a
        bootstrap over families).
    """
    lines = []
    every = records.assign(trust="all")
    for (kingdom, cut, trust), group in pd.concat([records, every]).groupby(
        ["kingdom", "cut", "trust"], sort=True
    ):
        rows = group.index.to_numpy()
        family = records.loc[rows, "family"].to_numpy()
        for method, arms in found.items():
            away = (arms.loc[rows, list(PLACES)] - records.loc[rows, list(PLACES)]).abs()
            about = {"method": method, "kingdom": kingdom, "cut": cut, "trust": trust}
            about |= {"records": len(rows), "families": len(set(family))}
            for name, values in [(ALL_ENDS, away), *((ENDS[it], away[[it]]) for it in PLACES)]:
                lines.append(about | {"end": name} | _shares(values.to_numpy(), family))
    return pd.DataFrame(lines)


def _shares(away: np.ndarray, family: Sequence[str]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for distance in WITHIN:
        right = (away <= distance).mean(axis=1)
        counts = pd.Series(right).groupby(np.asarray(family)).agg(["sum", "size"]).to_numpy()
        low, high = over_families(counts)
        shares |= {
            f"within {distance}": float(right.mean()),
            f"low {distance}": low,
            f"high {distance}": high,
        }
    return shares


def reliability(
    records: pd.DataFrame, arms: pd.DataFrame, *, near: int, bins: int = 10
) -> pd.DataFrame:
    """Compare the probabilities of arms with the share that is right.

    Parameters
    ----------
    records, arms
        As for `ends_table`; the arms also have their probabilities.
    near
        An arm is right if both of its ends are at most so many nt away.

    Returns
    -------
    DataFrame
        A row for each tenth of the probability: from, arms (their number), probability (its mean)
        and right (share).
    """
    parts = []
    for arm in ("5p", "3p"):
        places = [f"start_{arm}", f"end_{arm}"]
        right = ((arms[places] - records[places]).abs() <= near).all(axis=1)
        parts.append(pd.DataFrame({"probability": arms[f"probability_{arm}"], "right": right}))
    both = pd.concat(parts, ignore_index=True)
    both["from"] = (both["probability"] * bins).astype(int).clip(upper=bins - 1) / bins
    grouped = both.groupby("from")
    means = grouped.mean()
    return means.assign(arms=grouped.size())[["arms", "probability", "right"]].reset_index()
