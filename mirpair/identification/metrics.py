"""The seven metrics of Do et al. 2018, section 3.2.1, by scikit-learn, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import METRICS, NEAR, RANKING
from mirpair.identification.intervals import bootstrap, over_folds
from mirpair.networks.score_log import Scores

THRESHOLD = 0.5
# Evaluation records that are told apart in every evaluation, and what they are called.
SUBSETS = {
    "all": "all evaluation records",
    "labels cleaned": "without wrong labels",
    "cleaned": "… and without near-copies",
}


def rank(
    labels: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> dict[str, float]:
    """AUROC and AUPR (average precision), the metrics that need no threshold."""
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
    """All seven metrics of one set of scores.

    Parameters
    ----------
    labels
        (N,); 1 is a pre-miRNA.
    scores
        (N,); a score of at least `threshold` is called positive.
    negative_weight
        How often a negative counts, for another ratio of the classes than that of the records:
        PPV, F-score and AUPR depend on it, the others do not.

    Returns
    -------
    dict
        SE, SP, PPV, F-score, g-mean, AUROC and AUPR; one that is not defined (PPV where nothing
        is called positive, say) is NaN.
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
        Result of `mirpair.identification.audit.evaluated`, as `mirpair.contracts.read_audit` reads
        it.

    Returns
    -------
    DataFrame
        Columns id, and booleans: all; labels cleaned (without records whose sequence stands in
        both classes, and negatives that are known hairpins); cleaned (of those, without
        near-copies of training records of either class).
    """
    mislabelled = (records["label"] == 0) & (records["hairpin"] != "")
    labels = (records["contradictory"] == 0) & ~mislabelled
    near = (records["in_training"] == 1) | (records["identity"] >= NEAR)
    left = (pd.Series(True, index=records.index), labels, labels & ~near)
    return pd.DataFrame({"id": records["id"], **dict(zip(SUBSETS, left, strict=True))})


def choosers(validation: Mapping[str, str | None], evaluated: pd.DataFrame) -> dict[str, str]:
    """Which experiment may choose the epoch of another: none that looks at its evaluation records.

    Parameters
    ----------
    validation
        Experiment to the experiment with folds on its training set; itself if it has folds.
    evaluated
        Columns group, set, id: the evaluation records of every experiment.
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


def summarise(predictions: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """Every metric of every method on one experiment, with its 95 % interval.

    With folds it is the mean over them, seeds averaged first, and
    `mirpair.identification.intervals.over_folds`; without, the mean over the seeds and
    `mirpair.identification.intervals.bootstrap`. In a subset the negatives are weighed so that the
    classes have the ratio that they have in all evaluation records of the fold: otherwise PPV,
    F-score and AUPR would change by the ratio alone.

    Parameters
    ----------
    predictions
        A row for each training and evaluation record: model, recipe, epochs, seed, number (of the
        fold, 0 where there are none), id, label, score.
    membership
        A row for each evaluation record: number, id, and a column of booleans for each subset of
        the records that is to be told (`subsets`).

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
        If a prediction is of a record that `membership` has not.
    """
    keys = ["number", "id"]
    told = predictions.merge(
        membership, on=keys, how="left", validate="many_to_one", indicator=True
    )
    if (told["_merge"] != "both").any():
        raise ValueError("there are predictions of records that are not evaluated")
    names = [name for name in membership.columns if name not in keys]
    told[names] = told[names].astype(bool)
    rows = []
    for subset in names:
        methods = told.groupby(["model", "recipe", "epochs"], sort=False, dropna=False)
        for kind, trained in methods:
            model, recipe, epochs = cast(tuple[str, str, int], kind)
            row = {"subset": subset, "model": model, "recipe": recipe, "epochs": epochs}
            rows.append({**row, **_summary(trained, subset)})
    return pd.DataFrame(rows)


def _summary(trained: pd.DataFrame, subset: str) -> dict[str, object]:
    """A row of `summarise` but for what it is of."""
    measured = []
    for (number, seed), run in trained.groupby(["number", "seed"]):
        left = run[run[subset]]
        weight = _negative_weight(run["label"], left["label"])
        values = measure(left["label"], left["score"], negative_weight=weight)
        measured.append({"number": number, "seed": seed, **values})
    by_fold = pd.DataFrame(measured).groupby("number")[list(METRICS)].mean(skipna=False)
    everyone = trained.drop_duplicates(["number", "id"])
    records = everyone[everyone[subset]]
    if by_fold.index[0]:
        limits = over_folds(by_fold.to_numpy())
    else:
        scores = trained.pivot(index="seed", columns="id", values="score")[records["id"]]
        weight = _negative_weight(everyone["label"], records["label"])
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


def _negative_weight(everyone: pd.Series, left: pd.Series) -> float:
    """How often a negative of those left counts, for the class ratio of everyone."""
    ratios = [(labels == 0).sum() / max((labels == 1).sum(), 1) for labels in (everyone, left)]
    return float(ratios[0] / ratios[1]) if all(ratios) else 1.0
