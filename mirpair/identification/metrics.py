"""The seven metrics of Do et al. 2018, section 3.2.1, by scikit-learn, with 95 % intervals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import METRICS, NEAR, RANKING
from mirpair.networks.score_log import ScoreLog

CONFIDENCE = 0.95
RESAMPLES = 2000
THRESHOLD = 0.5
# Subsets of the evaluation records that every evaluation reports, and their names in tables.
SUBSETS = {
    "all": "all evaluation records",
    "labels cleaned": "without wrong labels",
    "cleaned": "… and without near-copies",
}

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def rank(
    labels: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> dict[str, float]:
    """Compute AUROC and AUPR (average precision), the metrics without a threshold."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels = np.asarray(labels)
    if len(np.unique(labels)) < 2:
        return dict.fromkeys(RANKING, math.nan)
    return {
        "AUROC": float(roc_auc_score(labels, scores)),
        "AUPR": float(average_precision_score(labels, scores, sample_weight=weights)),
    }


def measure(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    threshold: float = THRESHOLD,
    negative_weight: float = 1.0,
) -> dict[str, float]:
    """Compute all seven metrics of one set of scores.

    Parameters
    ----------
    labels, scores
        (N,); label 1 is a pre-miRNA. A score of at least `threshold` calls a record positive.
    negative_weight
        Weight of a negative, to change the class ratio; it affects PPV, F-score and AUPR only.

    Returns
    -------
    dict
        SE, SP, PPV, F-score, g-mean, AUROC and AUPR; NaN where undefined (such as PPV if nothing
        is called positive).
    """
    from sklearn.metrics import f1_score, precision_score, recall_score

    labels = np.asarray(labels)
    if not len(labels):
        return dict.fromkeys(METRICS, math.nan)
    called = (np.asarray(scores) >= threshold).astype(labels.dtype)
    weights = np.where(labels == 1, 1.0, negative_weight)
    sensitivity = float(recall_score(labels, called, zero_division=np.nan))
    specificity = float(recall_score(labels, called, pos_label=0, zero_division=np.nan))
    weighted = {"sample_weight": weights, "zero_division": np.nan}
    return {
        "SE": sensitivity,
        "SP": specificity,
        "PPV": float(precision_score(labels, called, **weighted)),
        "F-score": float(f1_score(labels, called, **weighted)),
        "g-mean": math.sqrt(sensitivity * specificity),
        **rank(labels, scores, weights),
    }


def history(scores: ScoreLog) -> pd.DataFrame:
    """Compute loss and all metrics of the training and evaluation records for each epoch.

    Returns
    -------
    DataFrame
        Columns epoch, ``train loss``, ``train SE``, …, ``evaluate loss``, ``evaluate SE``, …
    """
    rows = []
    for epoch in range(len(scores.train_loss)):
        row: dict[str, float] = {"epoch": epoch + 1}
        for role in ("train", "evaluate"):
            row[f"{role} loss"] = float(getattr(scores, f"{role}_loss")[epoch])
            epoch_scores = getattr(scores, f"{role}_scores")[epoch]
            measured = measure(getattr(scores, f"{role}_labels"), epoch_scores)
            row |= {f"{role} {name}": value for name, value in measured.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def final(scores: ScoreLog) -> pd.DataFrame:
    """Count the evaluation records and compute their metrics in the epoch that is reported."""
    labels = scores.evaluate_labels
    counts = {"positives": int((labels == 1).sum()), "negatives": int((labels != 1).sum())}
    return pd.DataFrame([{**counts, **measure(labels, scores.result)}])


def subsets(records: pd.DataFrame) -> pd.DataFrame:
    """Mark the evaluation records that remain after each step of cleaning.

    The steps use only facts from before training, and no predictions.

    Parameters
    ----------
    records
        Result of `mirpair.identification.audit.audit_records`, as read by
        `mirpair.contracts.read_audit`.

    Returns
    -------
    DataFrame
        Columns id, and booleans: all; labels cleaned (without sequences in both classes, and
        without negatives that are known hairpins); cleaned (also without near-copies of training
        records).
    """
    mislabelled = (records["label"] == 0) & (records["hairpin"] != "")
    cleaned = (records["contradictory"] == 0) & ~mislabelled
    near = (records["in_training"] == 1) | (records["identity"] >= NEAR)
    remaining = (pd.Series(True, index=records.index), cleaned, cleaned & ~near)
    return pd.DataFrame({"id": records["id"], **dict(zip(SUBSETS, remaining, strict=True))})


def choosers(validation: Mapping[str, str | None], evaluated: pd.DataFrame) -> dict[str, str]:
    """Find the experiment that may choose the epoch of another.

    It must share no evaluation record with it, unless both are the same cross-validation.

    Parameters
    ----------
    validation
        Experiment to the cross-validation on its training set; itself if it has folds.
    evaluated
        Columns group, set, id: the evaluation records of every experiment.

    Returns
    -------
    dict
        Experiment to the one that may choose its epoch; others are left out.
    """
    records = {
        str(group): set(zip(rows["set"], rows["id"], strict=True))
        for group, rows in evaluated.groupby("group")
    }
    return {
        group: chooser
        for group, chooser in validation.items()
        if chooser and (chooser == group or not records[group] & records[chooser])
    }


def bootstrap(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    minus: npt.ArrayLike | None = None,
    threshold: float,
    negative_weight: float = 1.0,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Floats:
    """Compute the interval of every metric by a stratified bootstrap over records.

    Positives and negatives are resampled separately with replacement; the interval is from the
    2.5th to the 97.5th percentile (`scipy.stats.bootstrap`). It shows how a metric varies with the
    choice of records, not with the seed of the training.

    Parameters
    ----------
    labels, threshold, negative_weight
        As `measure` takes them.
    scores
        (N,), or (S, N) of S trainings for the interval of their mean, on the same resamples.
    minus
        Other scores, likewise, for the interval of the difference of every metric: that of
        `scores` minus that of these, on the same resamples.
    resamples, seed
        Number of resamples, and their seed.

    Returns
    -------
    ndarray
        (7, 2): low and high of each of `METRICS`; NaN if a metric is undefined in a resample (such
        as PPV if nothing is called positive) or a class has fewer than two records.
    """
    from scipy import stats

    labels = np.asarray(labels)
    indices = [np.flatnonzero(labels == label) for label in (1, 0)]
    if min(map(len, indices)) < 2:
        return np.full((len(METRICS), 2), np.nan)
    compared = [
        [_Ranked(row, threshold, negative_weight) for row in np.atleast_2d(np.asarray(it, float))]
        for it in (scores, minus)
        if it is not None
    ]

    def statistic(positives: Counts, negatives: Counts, axis: int = -1) -> Floats:
        drawn = np.atleast_2d(positives), np.atleast_2d(negatives)
        mean, *others = (np.mean([one.measure(*drawn) for one in it], axis=0) for it in compared)
        metrics: Floats = mean - others[0] if others else mean
        return metrics if positives.ndim > 1 else metrics[:, 0]

    with warnings.catch_warnings():
        # A metric that is undefined in a resample gets NaN, which is documented.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            indices,
            statistic,
            n_resamples=resamples,
            batch=100,
            vectorized=True,
            paired=False,
            confidence_level=CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    return np.stack(result.confidence_interval, axis=1)


class _Ranked:
    """Scores of one training, sorted once to compute metrics of many resamples at a time.

    A resample only changes how often a record counts, so it is represented by its numbers of
    positives and negatives at each score.
    """

    def __init__(self, scores: Floats, threshold: float, weight: float = 1.0) -> None:
        self.weight = weight
        falling, self.rank = np.unique(-scores, return_inverse=True)
        self.size = len(falling)
        self.called = int((falling <= -threshold).sum())

    def _histogram(self, drawn: Counts) -> Counts:
        rows = np.arange(len(drawn))[:, None] * self.size
        counts = np.bincount((rows + self.rank[drawn]).ravel(), minlength=len(drawn) * self.size)
        return counts.reshape(len(drawn), self.size)

    def measure(self, positives: Counts, negatives: Counts) -> Floats:
        """Compute (7, B) metrics of B resamples, given as indices of records, (B, P) and (B, N)."""
        p, n = positives.shape[1], negatives.shape[1]
        hits, alarms = self._histogram(positives), self._histogram(negatives)
        tp, fp = hits.cumsum(axis=1), alarms.cumsum(axis=1)
        # A negative ranks below all positives with a higher score and half of those with its own.
        auroc = (alarms * (tp - hits / 2)).sum(axis=1) / (p * n)
        # If nothing is called there are no hits, so the divisor does not matter.
        called = tp + self.weight * fp
        aupr = (hits * tp / np.where(called > 0, called, 1)).sum(axis=1) / p
        right = tp[:, self.called - 1] if self.called else np.zeros(len(tp))
        wrong = fp[:, self.called - 1] if self.called else np.zeros(len(fp))
        se, sp = right / p, 1 - wrong / n
        wrong = self.weight * wrong
        with np.errstate(invalid="ignore"):
            ppv = right / (right + wrong)
        f_score = 2 * right / (p + right + wrong)
        return np.stack([se, sp, ppv, f_score, np.sqrt(se * sp), auroc, aupr])


def over_folds(values: npt.ArrayLike) -> Floats:
    """Compute the interval of the mean over K folds by Student's t with K − 1 degrees of freedom.

    It is somewhat too narrow, because folds share most of their training records (no estimator of
    the variance of cross-validation is unbiased; Bengio and Grandvalet 2004, Journal of Machine
    Learning Research 5:1089).

    Parameters
    ----------
    values
        (K,) or (K, M): M metrics in each of K folds, averaged over seeds.

    Returns
    -------
    ndarray
        (2,) or (M, 2): low and high, clipped to 0 and 1; NaN with fewer than two folds.
    """
    from scipy import stats

    values = np.asarray(values, dtype=np.float64)
    folds = len(values)
    if folds < 2:
        return np.full((*values.shape[1:], 2), np.nan)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, folds - 1) * stats.sem(values)
    mean = values.mean(axis=0)
    limits: Floats = np.clip(np.stack([mean - half, mean + half], axis=-1), 0, 1)
    return limits


def summarise(predictions: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """Compute every metric of every method on one experiment, with its 95 % interval.

    With folds: the mean over folds, after averaging seeds, with
    `over_folds`. Without: the mean over seeds, with
    `bootstrap`. In a subset, negatives are weighted to keep the
    class ratio of all evaluation records of the fold, because PPV, F-score and AUPR depend on it.

    Parameters
    ----------
    predictions
        One row per training and evaluation record: model, recipe, epochs, seed, number (of the
        fold, 0 without folds), id, label, score.
    membership
        One row per evaluation record: number, id, and one boolean column per subset (`subsets`).

    Returns
    -------
    DataFrame
        One row per subset and method: subset, model, recipe, epochs, folds (their numbers,
        separated by blanks), seeds, positives and negatives (of all folds), and for each metric
        its value, ``<metric> low`` and ``<metric> high``. A metric that is undefined in one fold or
        seed is undefined in the mean.

    Raises
    ------
    ValueError
        If a predicted record is not in `membership`.
    """
    keys = ["number", "id"]
    table = predictions.merge(membership, "left", keys, validate="many_to_one", indicator=True)
    if (table["_merge"] != "both").any():
        raise ValueError("some predicted records are not evaluation records")
    names = [name for name in membership.columns if name not in keys]
    table[names] = table[names].astype(bool)
    method = ["model", "recipe", "epochs"]
    rows = [
        {"subset": subset, **dict(zip(method, cast(Any, kind), strict=True)), **summary}
        for subset in names
        for kind, trained in table.groupby(method, sort=False, dropna=False)
        for summary in [_summary(trained, subset)]
    ]
    return pd.DataFrame(rows)


def _summary(trained: pd.DataFrame, subset: str) -> dict[str, object]:
    """Compute the counts, metrics and intervals of one row of `summarise`."""
    measured = []
    for (number, _), run in trained.groupby(["number", "seed"]):
        part = run[run[subset]]
        weight = _negative_weight(run["label"], part["label"])
        values = measure(part["label"], part["score"], negative_weight=weight)
        measured.append({"number": number, **values})
    by_fold = pd.DataFrame(measured).groupby("number")[list(METRICS)].mean(skipna=False)
    all_records = trained.drop_duplicates(["number", "id"])
    records = all_records[all_records[subset]]
    if by_fold.index[0]:
        limits = over_folds(by_fold.to_numpy())
    else:
        scores = trained.pivot(index="seed", columns="id", values="score")[records["id"]]
        weight = _negative_weight(all_records["label"], records["label"])
        limits = bootstrap(records["label"], scores, threshold=THRESHOLD, negative_weight=weight)
    row: dict[str, object] = {
        "folds": " ".join(str(number) for number in by_fold.index),
        "seeds": trained["seed"].nunique(),
        "positives": int((records["label"] == 1).sum()),
        "negatives": int((records["label"] == 0).sum()),
    }
    for (name, value), (low, high) in zip(by_fold.mean(skipna=False).items(), limits, strict=True):
        row |= {f"{name}": value, f"{name} low": low, f"{name} high": high}
    return row


def _negative_weight(all_labels: pd.Series, part: pd.Series) -> float:
    """Compute the weight of a negative of a part that restores the class ratio of all labels."""
    ratios = [(labels == 0).sum() / max((labels == 1).sum(), 1) for labels in (all_labels, part)]
    return float(ratios[0] / ratios[1]) if all(ratios) else 1.0
