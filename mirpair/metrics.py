"""The seven metrics of Do et al. 2018, section 3.2.1, by scikit-learn."""

from __future__ import annotations

import math

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

from mirpair.contracts import RANKING
from mirpair.scores import Scores

THRESHOLD = 0.5


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
