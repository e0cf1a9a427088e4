"""The seven metrics of Do et al. 2018, section 3.2.1, by scikit-learn, with 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import EVALUATE, METRICS, RANKING, TRAIN, VALIDATE
from mirpair.identification.intervals import bootstrap, over_folds
from mirpair.identification.ranking import allowed
from mirpair.networks.score_log import ScoreLog
from mirpair.settings import NEAR

THRESHOLD = 0.5
# Subsets of the evaluation records that every evaluation reports, and their names in tables.
SUBSETS = {
    "all": "all evaluation records",
    "labels cleaned": "without wrong labels",
    "cleaned": "… and without near-copies",
}


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


def recall_at(labels: npt.ArrayLike, scores: npt.ArrayLike, share: float) -> float:
    """Compute the share of pre-miRNAs above the score that a share of the negatives reach.

    With N negatives that is the score of the ⌈share · N⌉-th highest one, so fewer than that share
    of the negatives are above it. A pre-miRNA with that very score is not above it.

    Parameters
    ----------
    labels, scores
        (N,); label 1 is a pre-miRNA.
    share
        Of the negatives, above 0 and at most 1.

    Returns
    -------
    float
        NaN without pre-miRNAs, and if the share is less than one negative.
    """
    is_positive, scores = np.asarray(labels) == 1, np.asarray(scores, dtype=np.float64)
    negatives = np.sort(scores[~is_positive])[::-1]
    rank = allowed(share, len(negatives))
    if not rank or not is_positive.any():
        return math.nan
    return float((scores[is_positive] > negatives[rank - 1]).mean())


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
    """Compute loss and all metrics of the training and the held-out records for each epoch.

    The held-out records are the validation records if there are any, else the evaluation records.

    Returns
    -------
    DataFrame
        Columns epoch, ``train loss``, ``train SE``, …, and ``evaluate loss``, ``evaluate SE``, …,
        or ``validate loss``, ``validate SE``, …
    """
    held_out = VALIDATE if scores.is_validated else EVALUATE
    rows = []
    for epoch in range(len(scores.train_loss)):
        row: dict[str, float] = {"epoch": epoch + 1}
        for role, part in ((TRAIN, "train"), (held_out, "evaluate")):
            row[f"{role} loss"] = float(getattr(scores, f"{part}_loss")[epoch])
            epoch_scores = getattr(scores, f"{part}_scores")[epoch]
            measured = measure(getattr(scores, f"{part}_labels"), epoch_scores)
            row |= {f"{role} {name}": value for name, value in measured.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def held_out_role(history: pd.DataFrame) -> str:
    """Return the role of the held-out records of a history: ``validate`` or ``evaluate``."""
    return VALIDATE if f"{VALIDATE} loss" in history else EVALUATE


def final(scores: ScoreLog) -> pd.DataFrame:
    """Count the evaluation records and compute their metrics in the epoch that is reported."""
    labels, final_scores = scores.evaluate_labels, scores.result
    if scores.is_validated:
        labels, final_scores = scores.final_labels, scores.final_scores
    counts = {"positives": int((labels == 1).sum()), "negatives": int((labels != 1).sum())}
    return pd.DataFrame([{**counts, **measure(labels, final_scores)}])


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


def average(predictions: pd.DataFrame, models: Sequence[str], recipe: str) -> pd.DataFrame:
    """Average the scores of several networks, each over its seeds first.

    Parameters
    ----------
    predictions
        As `summarise` takes them.
    models, recipe
        Networks to average, and how they were trained.

    Returns
    -------
    DataFrame
        Columns number, id, label, score; only records that all of these networks scored.
    """
    chosen = predictions[predictions["model"].isin(models) & (predictions["recipe"] == recipe)]
    record = ["number", "id", "label"]
    by_model = chosen.groupby(["model", *record], sort=False)["score"].mean().reset_index()
    of_record = by_model.groupby(record, sort=False)["score"].agg(["mean", "size"]).reset_index()
    scored = of_record[of_record["size"] == len(models)]
    return scored.rename(columns={"mean": "score"})[[*record, "score"]]


def summarise(predictions: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """Compute every metric of every method on one experiment, with its 95 % interval.

    With folds: the mean over folds, after averaging seeds, with
    `mirpair.identification.intervals.over_folds`; each fold has its own trainings, so the interval
    has the variation of seeds too. Without: the mean over seeds, with
    `mirpair.identification.intervals.bootstrap`, over records and seeds. In a subset, negatives are
    weighted to keep the class ratio of all evaluation records of the fold, because PPV, F-score and
    AUPR depend on it.

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
        its value, ``<metric> low`` and ``<metric> high``, and ``<metric> sd``, the standard
        deviation of single seeds (missing for one seed). A metric that is undefined in one fold or
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
    for (number, seed), run in trained.groupby(["number", "seed"]):
        part = run[run[subset]]
        weight = _negative_weight(run["label"], part["label"])
        values = measure(part["label"], part["score"], negative_weight=weight)
        measured.append({"number": number, "seed": seed, **values})
    by_fold, by_seed = (
        pd.DataFrame(measured).groupby(of)[list(METRICS)].mean(skipna=False)
        for of in ("number", "seed")
    )
    deviations = by_seed.std(skipna=False)
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
        row[f"{name} sd"] = deviations[str(name)]
    return row


def _negative_weight(all_labels: pd.Series, part: pd.Series) -> float:
    """Compute the weight of a negative of a part that restores the class ratio of all labels."""
    ratios = [(labels == 0).sum() / max((labels == 1).sum(), 1) for labels in (all_labels, part)]
    return float(ratios[0] / ratios[1]) if all(ratios) else 1.0
