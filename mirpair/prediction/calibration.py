"""Calibrate scores: from a network's score to the probability of a pre-miRNA.

A network that was trained with equal weights for both classes scores as if half of all RNAs were
pre-miRNAs. Scikit-learn's logistic regression learns the probability of each score on held-out
records: Platt's method (1999), with a few straight pieces in place of one line, because the highest
scores carry more information than the others. Bayes' rule adapts the result to another share of
pre-miRNAs than that of those records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.files import InputError

# Held-out scores are float32, which has no number between 1 - 6e-8 and 1.
_SMALLEST = 1e-7
# The pieces meet at these quantiles of the pre-miRNAs' scores; they end at the extreme scores.
_KNOTS = (0.05, 0.25, 0.5, 0.75, 0.95)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns scores into probabilities.

    Attributes
    ----------
    logits, odds
        (K,), ascending: logits of scores, and the log-odds of a pre-miRNA among the held-out
        records with that score; linear in between, constant beyond the ends, where no record was
        seen.
    prior
        Share of pre-miRNAs among the held-out records.
    """

    logits: tuple[float, ...]
    odds: tuple[float, ...]
    prior: float

    def probability(self, scores: npt.ArrayLike, prior: float) -> Floats:
        """Compute the probability of a pre-miRNA for each score, (N,).

        `prior` is the share of pre-miRNAs among the RNAs that are scored, above 0 and below 1.
        """
        odds = np.interp(_logit(_clipped(scores)), self.logits, self.odds)
        shifted = odds + _logit(prior) - _logit(self.prior)
        with np.errstate(over="ignore"):  # the smallest probabilities become 0
            probability: Floats = 1 / (1 + np.exp(-shifted))
        return probability


def _logit(share: npt.ArrayLike) -> Floats:
    """Compute the log-odds; to import SciPy's function takes longer than to score an RNA."""
    values: Floats = np.log(share) - np.log1p(-np.asarray(share))
    return values


def _clipped(scores: npt.ArrayLike) -> Floats:
    return np.clip(np.asarray(scores, dtype=np.float64), _SMALLEST, 1 - _SMALLEST)


def calibrate(labels: npt.ArrayLike, scores: npt.ArrayLike) -> Calibration:
    """Learn a calibration on held-out records.

    Parameters
    ----------
    labels
        (N,); 1 is a pre-miRNA.
    scores
        (N,), from 0 to 1, by networks that did not train on these records.

    Raises
    ------
    InputError
        If all records are of one class, or high scores do not go with more pre-miRNAs.
    """
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression

    labels = np.asarray(labels)
    if len(np.unique(labels)) < 2:
        raise InputError("the held-out records are all of one class; both are needed to calibrate")
    # SciPy's logit and `_logit` differ in the last bit, and SciPy's made the shipped weights.
    x = logit(_clipped(scores))
    inner = np.quantile(x[labels == 1], _KNOTS)
    knots = np.unique(np.concatenate([[x.min()], inner, [x.max()]]))
    # The weight of each knot at x: 1 at the knot, 0 at the others, linear in between.
    hats = np.stack([np.interp(x, knots, row) for row in np.eye(len(knots))], axis=1)
    model = LogisticRegression(C=100, fit_intercept=False, tol=1e-8, max_iter=10_000)
    model.fit(hats, labels)
    odds = np.maximum.accumulate(model.coef_[0])
    if model.coef_[0, -1] <= model.coef_[0, 0]:
        raise InputError(
            "the held-out scores are no higher for pre-miRNAs than for other RNAs: such a network "
            "cannot be calibrated"
        )
    prior = float((labels == 1).mean())
    return Calibration(tuple(knots.tolist()), tuple(odds.tolist()), prior)


def reliability(
    calibration: Calibration, labels: npt.ArrayLike, scores: npt.ArrayLike, edges: Sequence[float]
) -> pd.DataFrame:
    """Measure how often records of similar probability are pre-miRNAs.

    Parameters
    ----------
    calibration
        Learnt on other records.
    labels, scores
        (N,) each; the prior is the share of pre-miRNAs among them.
    edges
        Edges of the bins of probability, ascending from 0 to 1.

    Returns
    -------
    DataFrame
        One row per bin with records: from, to, records, predicted (mean probability),
        observed (share of pre-miRNAs) and its 95 % interval (Clopper and Pearson), low, high.
    """
    is_positive = np.asarray(labels) == 1
    probability = calibration.probability(scores, float(is_positive.mean()))
    bins = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, len(edges) - 2)
    rows = []
    for number in np.unique(bins):
        inside = bins == number
        positives, count = int(is_positive[inside].sum()), int(inside.sum())
        row = {"from": edges[number], "to": edges[number + 1], "records": count}
        row |= {"predicted": float(probability[inside].mean()), "observed": positives / count}
        low, high = interval(positives, count)
        rows.append(row | {"low": low, "high": high})
    return pd.DataFrame(rows)


def expected(
    calibration: Calibration, labels: npt.ArrayLike, scores: npt.ArrayLike, ratios: Sequence[int]
) -> pd.DataFrame:
    """Estimate the precision of calls for several ratios of other RNAs to pre-miRNAs.

    A record is called if its probability for that ratio is at least 0.5. The calibration is learnt
    on other records; the ratios are numbers of other RNAs per pre-miRNA.

    Returns
    -------
    DataFrame
        One row per ratio: others; SE (share of pre-miRNAs that are called) and FPR (share of the
        others that are called), each with its 95 % interval (Clopper and Pearson); PPV (share of
        calls that are right), computed from SE and FPR, with low and high from the worse and the
        better ends of both intervals.
    """
    rows = []
    is_positive = np.asarray(labels) == 1
    for others in ratios:
        called = calibration.probability(scores, 1 / (1 + others)) >= 0.5
        row: dict[str, float] = {"others": others}
        for name, chosen in (("SE", is_positive), ("FPR", ~is_positive)):
            count, total = int(called[chosen].sum()), int(chosen.sum())
            row[name] = count / total
            row[f"{name} low"], row[f"{name} high"] = interval(count, total)
        row["PPV"] = _precision(row["SE"], row["FPR"], others)
        row["PPV low"] = _precision(row["SE low"], row["FPR high"], others)
        row["PPV high"] = _precision(row["SE high"], row["FPR low"], others)
        rows.append(row)
    return pd.DataFrame(rows)


def interval(count: int, total: int) -> tuple[float, float]:
    """Compute the 95 % interval of a share (Clopper and Pearson)."""
    from scipy.stats import binomtest

    limits = binomtest(count, total).proportion_ci()
    return float(limits.low), float(limits.high)


def _precision(sensitivity: float, false_positives: float, others: float) -> float:
    called = sensitivity + others * false_positives
    return sensitivity / called if called else float("nan")
