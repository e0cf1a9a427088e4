"""Family calls of all methods: their accuracy, and how well they reject outliers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import BASELINES, EVALUATE, TRAIN, VALIDATE

# Methods that are no network.
NEAREST, INFERNAL, MIRGENEDB = BASELINES["nearest-8-mer"], "Infernal", "MirGeneDB's models"
BY_MODELS = "Shortlist, then models"
# Scores of belonging to any trained family, higher is surer, and their names in tables.
SCORES = {
    "softmax": "maximum softmax",
    "energy": "energy",
    "distance": "distance in feature space",
    "containment": "shared 8-mers",
    "bits": "bit score",
}
# Scores that a network computes.
NETWORK_SCORES = ("softmax", "energy", "distance")
OUTLIER_FALSE_POSITIVES = 0.05
# Names of what is measured for all bands, and all kinds of outliers, together.
ALL, ALL_KINDS = "all", "all kinds"
# Ranges of containment: the share of 8-mers that the nearest training record has too.
CONTAINMENT_BANDS = {
    "below 0.3": (0.0, 0.3),
    "0.3–0.5": (0.3, 0.5),
    "0.5–0.7": (0.5, 0.7),
    "0.7–0.9": (0.7, 0.9),
    "0.9–1": (0.9, 1.01),
}
Floats = npt.NDArray[np.float64]


def in_trained_family(queries: pd.DataFrame) -> pd.Series:
    """Tell which records belong to a trained family; all others are outliers and have a kind."""
    return queries["kind"] == ""


def outlier_kinds(queries: pd.DataFrame) -> list[str]:
    """List the kinds of outliers among some records, sorted."""
    return sorted(set(queries.loc[~in_trained_family(queries), "kind"]))


def network_calls(
    ids: Sequence[str],
    roles: Sequence[str],
    logits: npt.NDArray[np.float32],
    features: npt.NDArray[np.float32],
    classes: Sequence[str],
) -> pd.DataFrame:
    """Call the family of validation and evaluation records, and compute a network's scores.

    Parameters
    ----------
    ids, roles, logits, features
        (N,), (N,), (N, C) and (N, D), with the training records; features are the inputs of the
        output layer.
    classes
        (C,) families.

    Returns
    -------
    DataFrame
        One row per record that does not train: id, called (family) and the scores softmax (the
        largest; Hendrycks and Gimpel 2017), energy (logarithm of the sum of the exponentials of the
        logits; Liu et al. 2020) and distance (cosine between its features and those of the nearest
        training record; after Sun et al. 2022).
    """
    trains = np.asarray(roles) == TRAIN
    values, queries, known = logits[~trains], features[~trains], features[trains]
    return pd.DataFrame(
        {
            "id": np.asarray(ids)[~trains],
            "called": np.asarray(classes)[values.argmax(axis=1)],
            **{score: network_score(score, values, queries, known) for score in NETWORK_SCORES},
        }
    )


def network_score(
    score: str,
    logits: npt.NDArray[np.floating],
    features: npt.NDArray[np.floating],
    known: npt.NDArray[np.floating],
) -> Floats:
    """Compute one of `NETWORK_SCORES`, see `network_calls`: (N,), higher is surer.

    Parameters
    ----------
    logits, features
        (N, C) and (N, D) of the records.
    known
        (M, D) features of the training records; only used by the distance.
    """
    from scipy.special import logsumexp

    if score == "distance":
        return nearest_cosine(features, known)
    values = logits.astype(np.float64)
    total: Floats = logsumexp(values, axis=1)
    return total if score == "energy" else np.exp(values.max(axis=1) - total)


def nearest_cosine(features: npt.NDArray[np.floating], known: npt.NDArray[np.floating]) -> Floats:
    """Compute the cosine between the features of records, (N, D), and the nearest known, (M, D).

    It is (N,), at most 1.
    """
    from sklearn.preprocessing import normalize

    directions = normalize(known.astype(np.float64))
    blocks = np.array_split(normalize(features.astype(np.float64)), len(features) // 1000 + 1)
    return np.concatenate([(block @ directions.T).max(axis=1) for block in blocks])


def accuracy(
    queries: pd.DataFrame,
    calls: pd.DataFrame,
    bands: Mapping[str, tuple[float, float]] = CONTAINMENT_BANDS,
    *,
    against: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compute a method's accuracy on the evaluation records of trained families.

    Parameters
    ----------
    queries
        Result of `mirpair.families.records.nearest_family`.
    calls
        Columns id and called.
    bands
        Name to the range of containment (lower end included, upper end excluded).
    against
        Calls of the method to compare with; by default the 8-mer nearest neighbour's.

    Returns
    -------
    DataFrame
        One row for all records and one per band: band, records, correct, accuracy, low and high
        (95 % interval of a bootstrap over families, because records of a family tend to be right or
        wrong together; NaN if all or none are right); gain, gain low and gain high: accuracy minus
        that of the method `against` on the same records, and the interval of the difference
        (with the same resampled families; NaN if both methods call all records alike).
    """
    other = queries if against is None else against
    table = queries.drop(columns="called").merge(calls[["id", "called"]], on="id")
    table = table.merge(other[["id", "called"]], on="id", suffixes=("", "_other"))
    table = table[(table["role"] == EVALUATE) & in_trained_family(table)]
    right = (table["called"] == table["family"]).astype(int)
    gain = right - (table["called_other"] == table["family"])
    counted = pd.DataFrame({"right": right, "gain": gain, "size": 1})
    lines = []
    for name, (low, high) in {ALL: (0.0, np.inf), **bands}.items():
        within = (table["containment"] >= low) & (table["containment"] < high)
        by_family = counted[within].groupby(table.loc[within, "family"]).sum()
        correct, records = int(by_family["right"].sum()), int(by_family["size"].sum())
        line: dict[str, Any] = {"band": name, "records": records, "correct": correct}
        for prefix, column, varies in (
            ("", "right", correct not in (0, records)),
            ("gain ", "gain", bool(gain[within].any())),
        ):
            total = float(by_family[column].sum())
            line["gain" if prefix else "accuracy"] = total / records if records else np.nan
            limits = over_families(by_family[[column, "size"]].to_numpy()) if varies else None
            line[f"{prefix}low"], line[f"{prefix}high"] = limits or (np.nan, np.nan)
        lines.append(line)
    return pd.DataFrame(lines)


def with_interval(row: Mapping[Any, Any]) -> str:
    """Format an accuracy (a row of `accuracy`) with its interval; a dash without records."""
    if not row["records"]:
        return "–"
    interval = "" if np.isnan(row["low"]) else f" ({row['low']:.3f}–{row['high']:.3f})"
    return f"{row['accuracy']:.3f}{interval}"


def over_families(counts: npt.NDArray[np.number]) -> tuple[float, float]:
    """Compute the 95 % interval of Σ value / Σ records over families sampled with replacement.

    `counts` is (families, 2): the sum of the values, and the number of records.
    """
    rng = np.random.default_rng(0)
    drawn = counts[rng.integers(len(counts), size=(2000, len(counts)))].sum(axis=1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return float(low), float(high)


def threshold_at(outside: Sequence[Floats], rate: float = OUTLIER_FALSE_POSITIVES) -> float:
    """Find the lowest threshold at which at most this share of outliers is accepted.

    A record is accepted if its score is at least the threshold. `outside` has the scores of each
    kind of outlier; every kind has the same weight.
    """
    scores = np.concatenate(outside)
    weights = np.concatenate([np.full(len(kind), 1 / len(kind)) for kind in outside]) / len(outside)
    values, index = np.unique(-scores, return_inverse=True)
    accepted = np.bincount(index, weights).cumsum()
    # The threshold is just above the first value at which too many are accepted.
    too_many = np.flatnonzero(accepted > rate + 1e-12)
    return float(np.nextafter(-values[too_many[0]], np.inf)) if len(too_many) else -np.inf


def youden(inside: Floats, outside: Sequence[Floats]) -> float:
    """Find the threshold with the largest true minus false positive rate (Youden 1950).

    `inside` has the scores of records of trained families, `outside` is as in `threshold_at`; the
    false positive rate is the mean over kinds.
    """
    candidates = np.unique(inside)
    accepted = 1 - np.searchsorted(np.sort(inside), candidates) / len(inside)
    wrong = np.mean(
        [1 - np.searchsorted(np.sort(kind), candidates) / len(kind) for kind in outside], axis=0
    )
    return float(candidates[np.argmax(accepted - wrong)])


def rejection(queries: pd.DataFrame, calls: pd.DataFrame, score: str) -> pd.DataFrame:
    """Evaluate how well a score separates trained families from outliers.

    Thresholds are chosen on validation records; all rates are of evaluation records.

    Parameters
    ----------
    queries
        Result of `mirpair.families.records.nearest_family`.
    calls
        Columns id, called and the score; a missing score counts as lower than any other.

    Returns
    -------
    DataFrame
        One row per kind of outlier, and ``"all kinds"``, in which every kind has the same weight:
        kind, records (evaluated outliers), AUROC; then threshold, accepted (share of the records of
        trained families), sensitivity (share accepted with the right family) and false positives,
        at the threshold of 5 % false positives of this kind, and, with the prefix youden, at
        Youden's point.
    """
    validate, evaluate = _scored(queries, calls, score)
    kinds = outlier_kinds(evaluate)
    known = evaluate[in_trained_family(evaluate)]
    right = (known["called"] == known["family"]).to_numpy()
    inside = known[score].to_numpy()
    lines = []
    for name, chosen in {**{kind: [kind] for kind in kinds}, ALL_KINDS: kinds}.items():
        held_out = [_of_kind(validate, kind, score) for kind in chosen]
        outside = [_of_kind(evaluate, kind, score) for kind in chosen]
        line: dict[str, Any] = {
            "kind": name,
            "records": sum(map(len, outside)),
            "AUROC": float(np.mean([_auroc(inside, kind) for kind in outside])),
        }
        cuts = {
            "": threshold_at(held_out),
            "youden ": youden(_of_kind(validate, "", score), held_out),
        }
        for prefix, cut in cuts.items():
            line |= {
                f"{prefix}threshold": cut,
                f"{prefix}accepted": float((inside >= cut).mean()),
                f"{prefix}sensitivity": float(((inside >= cut) & right).mean()),
                f"{prefix}false positives": float(np.mean([(k >= cut).mean() for k in outside])),
            }
        lines.append(line)
    return pd.DataFrame(lines)


class Scored(NamedTuple):
    """The calls of a method: id, called and the score that accepts, and the name of its column."""

    calls: pd.DataFrame
    score: str


def sensitivity_difference(
    queries: pd.DataFrame, ours: Sequence[Scored], theirs: Scored, kind: str, *, rounds: int = 500
) -> tuple[float, float, float]:
    """Compare the sensitivities of two methods, each at its own threshold.

    The sensitivity is the share of the evaluation records of trained families that are accepted and
    called rightly, at the threshold of 5 % false positives of validation outliers.

    Parameters
    ----------
    queries
        Result of `mirpair.families.records.nearest_family`.
    ours, theirs
        A method with each of its seeds, whose sensitivities are averaged, and another method.
    kind
        Of the outliers that choose the thresholds, or `ALL_KINDS`.

    Returns
    -------
    difference, low, high
        Ours minus theirs, and the 95 % interval of a bootstrap that draws families, and the
        outliers that choose the thresholds.
    """
    tables = [_scored(queries, *method) for method in (*ours, theirs)]
    names = outlier_kinds(tables[0][0]) if kind == ALL_KINDS else [kind]
    outside = [
        [_of_kind(validate, it, of.score) for it in names]
        for (validate, _), of in zip(tables, (*ours, theirs), strict=True)
    ]
    known = [evaluate[in_trained_family(evaluate)] for _, evaluate in tables]
    right = [(it["called"] == it["family"]).to_numpy() for it in known]
    scores = [it[of.score].to_numpy() for it, of in zip(known, (*ours, theirs), strict=True)]
    _, family = np.unique(known[0]["family"], return_inverse=True)

    def difference(
        weights: npt.NDArray[np.number], chosen: Sequence[npt.NDArray[np.int64]]
    ) -> float:
        found = []
        for of_kinds, score, is_right in zip(outside, scores, right, strict=True):
            cut = threshold_at([it[drawn] for it, drawn in zip(of_kinds, chosen, strict=True)])
            found.append((weights * (score >= cut) * is_right).sum() / weights.sum())
        return float(np.mean(found[:-1]) - found[-1])

    rng, families = np.random.default_rng(0), family.max() + 1
    sizes = [len(it) for it in outside[0]]
    every = difference(np.ones(len(family)), [np.arange(size) for size in sizes])
    drawn = [
        difference(
            np.bincount(rng.integers(families, size=families), minlength=families)[family],
            [rng.integers(size, size=size) for size in sizes],
        )
        for _ in range(rounds)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return every, float(low), float(high)


def _scored(
    queries: pd.DataFrame, calls: pd.DataFrame, score: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join validation and evaluation records with their calls; no score is the lowest one."""
    table = queries.merge(
        calls[["id", "called", score]], on="id", suffixes=("_nearest", ""), validate="one_to_one"
    )
    lowest = table[score].min()
    table[score] = table[score].fillna(lowest - 1 if pd.notna(lowest) else 0.0)
    return table[table["role"] == VALIDATE], table[table["role"] == EVALUATE]


def _of_kind(table: pd.DataFrame, kind: str, score: str) -> Floats:
    return table.loc[table["kind"] == kind, score].to_numpy(dtype=np.float64)


def _auroc(inside: Floats, outside: Floats) -> float:
    from sklearn.metrics import roc_auc_score

    labels = np.repeat([1, 0], [len(inside), len(outside)])
    return float(roc_auc_score(labels, np.concatenate([inside, outside])))
