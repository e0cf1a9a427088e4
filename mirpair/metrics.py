"""The seven metrics of Do et al. 2018, section 3.2.1, by scikit-learn, and how sure they are."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from mirpair.contracts import METRICS, RANKING
from mirpair.intervals import bootstrap, over_folds
from mirpair.scores import Scores

THRESHOLD = 0.5
# From this identity to a training record on, an evaluation record is a near-copy.
NEAR = 0.8
# Evaluation records that are told apart in every evaluation, and what they are called.
SUBSETS = {
    "published": "published split",
    "labels cleaned": "without wrong labels",
    "cleaned": "… and without near-copies",
}


def rank(labels: npt.ArrayLike, scores: npt.ArrayLike) -> dict[str, float]:
    """AUROC and AUPR (average precision), the metrics that need no threshold."""
    labels = np.asarray(labels)
    if len(np.unique(labels)) < 2:
        return dict.fromkeys(RANKING, math.nan)
    return {
        "AUROC": float(roc_auc_score(labels, scores)),
        "AUPR": float(average_precision_score(labels, scores)),
    }


def measure(
    labels: npt.ArrayLike, scores: npt.ArrayLike, *, threshold: float = THRESHOLD
) -> dict[str, float]:
    """All seven metrics of one set of scores.

    Parameters
    ----------
    labels
        (N,); 1 is a pre-miRNA.
    scores
        (N,); a score of at least `threshold` is called positive.

    Returns
    -------
    dict
        SE, SP, PPV, F-score, g-mean, AUROC and AUPR; one that is not defined (PPV where nothing
        is called positive, say) is NaN.
    """
    labels = np.asarray(labels)
    called = (np.asarray(scores) >= threshold).astype(labels.dtype)
    sensitivity = float(recall_score(labels, called, zero_division=np.nan))
    specificity = float(recall_score(labels, called, pos_label=0, zero_division=np.nan))
    return {
        "SE": sensitivity,
        "SP": specificity,
        "PPV": float(precision_score(labels, called, zero_division=np.nan)),
        "F-score": float(f1_score(labels, called, zero_division=np.nan)),
        "g-mean": math.sqrt(sensitivity * specificity),
        **rank(labels, scores),
    }


def history(scores: Scores) -> pd.DataFrame:
    """A row for each epoch: loss and all metrics of the training and the evaluation records.

    Returns
    -------
    DataFrame
        Columns epoch, ``train loss``, ``train SE``, …, ``evaluate loss``, ``evaluate SE``, …
    """
    rows = []
    for epoch in range(len(scores.train_loss)):
        row: dict[str, float] = {"epoch": epoch + 1}
        for role, labels, epochs, loss in (
            ("train", scores.train_labels, scores.train_scores, scores.train_loss),
            ("evaluate", scores.evaluate_labels, scores.evaluate_scores, scores.evaluate_loss),
        ):
            row[f"{role} loss"] = float(loss[epoch])
            measured = measure(labels, epochs[epoch])
            row |= {f"{role} {name}": value for name, value in measured.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def final(scores: Scores) -> pd.DataFrame:
    """One row: number of evaluation records, and their metrics in the epoch that is the result."""
    positives = int((scores.evaluate_labels == 1).sum())
    counts = {"positives": positives, "negatives": len(scores.evaluate_labels) - positives}
    measured = measure(scores.evaluate_labels, scores.result)
    return pd.DataFrame([{**counts, **measured}])


def subsets(records: pd.DataFrame) -> pd.DataFrame:
    """Which evaluation records are left after each step of cleaning.

    Nothing of a prediction is looked at, only what was known before any training.

    Parameters
    ----------
    records
        Result of `mirpair.audit.evaluated`, as `mirpair.contracts.read_audit` reads it.

    Returns
    -------
    DataFrame
        Columns id, and booleans: published (all of them); labels cleaned (without records whose
        sequence stands in both classes, and negatives that are known hairpins); cleaned (of those,
        without near-copies of training records of either class).
    """
    mislabelled = (records["label"] == 0) & (records["hairpin"] != "")
    labels = (records["contradictory"] == 0) & ~mislabelled
    near = (records["in_training"] == 1) | (records["identity"] >= NEAR)
    left = (pd.Series(True, index=records.index), labels, labels & ~near)
    return pd.DataFrame({"id": records["id"], **dict(zip(SUBSETS, left, strict=True))})


def summarise(predictions: pd.DataFrame, subsets: pd.DataFrame) -> pd.DataFrame:
    """Every metric of every method on one experiment, with its 95 % interval.

    With folds it is the mean over them, seeds averaged first, and `mirpair.intervals.over_folds`;
    without, the mean over the seeds and `mirpair.intervals.bootstrap`.

    Parameters
    ----------
    predictions
        A row for each training and evaluation record: model, recipe, epochs, seed, number (of the
        fold, 0 where there are none), id, label, score.
    subsets
        A row for each evaluation record: number, id, and a column of booleans for each subset of
        the records that is to be told.

    Returns
    -------
    DataFrame
        A row for each subset and method: subset, model, recipe, epochs, folds (numbers of those
        present, with blanks between), seeds, positives and negatives (of all folds), and for each
        metric its value, ``<metric> low`` and ``<metric> high``. What is undefined in one fold or
        seed is undefined in the mean.

    Raises
    ------
    ValueError
        If a prediction is of a record that `subsets` has not.
    """
    keys = ["number", "id"]
    told = predictions.merge(subsets, on=keys, how="left", validate="many_to_one", indicator=True)
    if (told["_merge"] != "both").any():
        raise ValueError("there are predictions of records that are not evaluated")
    rows = []
    for subset in (name for name in subsets.columns if name not in keys):
        part = told[told[subset].astype(bool)]
        for kind, trained in part.groupby(["model", "recipe", "epochs"], sort=False, dropna=False):
            model, recipe, epochs = cast(tuple[str, str, int], kind)
            row = {"subset": subset, "model": model, "recipe": recipe, "epochs": epochs}
            rows.append({**row, **_summary(trained)})
    return pd.DataFrame(rows)


def _summary(trained: pd.DataFrame) -> dict[str, object]:
    """A row of `summarise` but for what it is of."""
    measured = pd.DataFrame(
        [
            {"number": number, "seed": seed, **measure(run["label"], run["score"])}
            for (number, seed), run in trained.groupby(["number", "seed"])
        ]
    )
    by_fold = measured.groupby("number")[list(METRICS)].mean(skipna=False)
    records = trained.drop_duplicates(["number", "id"])
    if by_fold.index[0]:
        limits = over_folds(by_fold.to_numpy())
    else:
        scores = trained.pivot(index="seed", columns="id", values="score")[records["id"]]
        limits = bootstrap(records["label"], scores, threshold=THRESHOLD)
    row: dict[str, object] = {
        "folds": " ".join(str(number) for number in by_fold.index),
        "seeds": measured["seed"].nunique(),
        "positives": int((records["label"] == 1).sum()),
        "negatives": int((records["label"] == 0).sum()),
    }
    for (name, value), (low, high) in zip(by_fold.mean(skipna=False).items(), limits, strict=True):
        row |= {f"{name}": value, f"{name} low": low, f"{name} high": high}
    return row
