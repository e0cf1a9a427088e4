"""How sure a metric is: a bootstrap over records, Student's t over folds."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mirpair.contracts import METRICS

CONFIDENCE = 0.95
RESAMPLES = 2000

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def bootstrap(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    threshold: float,
    negative_weight: float = 1.0,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Floats:
    """Interval of every metric on one set of records, by a stratified bootstrap.

    Positives and negatives are drawn apart, with replacement, as many as there are; the interval
    is from the 2.5th to the 97.5th percentile (`scipy.stats.bootstrap`). It tells how the metric
    would vary with other records of the same kind; how it varies with the seed of the training it
    cannot tell.

    Parameters
    ----------
    labels
        (N,); 1 is a pre-miRNA.
    scores
        (N,), or (S, N) of S trainings: then it is the interval of their mean, from the same
        resamples for each.
    threshold
        A score of at least this is called positive.
    negative_weight
        How often a negative counts, as in `mirpair.identification.metrics.measure`.
    resamples, seed
        How many resamples there are, and what makes them the same every time.

    Returns
    -------
    ndarray
        (7, 2): low and high of each of `METRICS`; NaN where a resample has no value (nothing is
        called positive in it, say) or a class has less than two records.
    """
    means = _means(scores, threshold, negative_weight)
    return _resampled(labels, means, resamples=resamples, seed=seed)


def difference(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    others: npt.ArrayLike,
    *,
    threshold: float,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Floats:
    """Interval of every metric of some trainings less that of others, on the same resamples.

    Parameters
    ----------
    labels, threshold, resamples, seed
        See `bootstrap`.
    scores, others
        As the scores of `bootstrap`.

    Returns
    -------
    ndarray
        (7, 2), see `bootstrap`.
    """
    ours, theirs = _means(scores, threshold, 1.0), _means(others, threshold, 1.0)
    return _resampled(
        labels,
        lambda *drawn: ours(*drawn) - theirs(*drawn),
        resamples=resamples,
        seed=seed,
    )


def _means(
    scores: npt.ArrayLike, threshold: float, negative_weight: float
) -> Callable[[Counts, Counts], Floats]:
    """Of positives and negatives of resamples, all metrics' means over the trainings."""
    trainings = [
        _Ranked(row, threshold, negative_weight)
        for row in np.atleast_2d(np.asarray(scores, np.float64))
    ]

    def means(positives: Counts, negatives: Counts) -> Floats:
        every = [training.measure(positives, negatives) for training in trainings]
        values: Floats = np.mean(every, axis=0)
        return values

    return means


def _resampled(
    labels: npt.ArrayLike,
    values: Callable[[Counts, Counts], Floats],
    *,
    resamples: int,
    seed: int,
) -> Floats:
    from scipy import stats

    labels = np.asarray(labels)
    places = [np.flatnonzero(labels == label) for label in (1, 0)]
    if min(map(len, places)) < 2:
        return np.full((len(METRICS), 2), np.nan)

    def statistic(positives: Counts, negatives: Counts, axis: int = -1) -> Floats:
        found = values(np.atleast_2d(positives), np.atleast_2d(negatives))
        return found if positives.ndim > 1 else found[:, 0]

    with warnings.catch_warnings():
        # What has no value in a resample has no interval, which is said by NaN.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            places,
            statistic,
            n_resamples=resamples,
            batch=100,
            vectorized=True,
            paired=False,
            confidence_level=CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    return np.stack(found.confidence_interval, axis=1)


class _Ranked:
    """One training's scores, made ready for metrics of many resamples at once.

    A resample only changes how often a record counts, so records are sorted by score once, and a
    resample is the number of its positives and negatives at each score.
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
        """(7, B): all metrics of B resamples, given as places of records, (B, P) and (B, N)."""
        p, n = positives.shape[1], negatives.shape[1]
        hits, alarms = self._histogram(positives), self._histogram(negatives)
        tp, fp = hits.cumsum(axis=1), alarms.cumsum(axis=1)
        # A negative is below all positives with a higher score, and half of those with its own.
        auroc = (alarms * (tp - hits / 2)).sum(axis=1) / (p * n)
        # Where nothing is called there are no hits either, so the divisor does not matter.
        called = tp + self.weight * fp
        aupr = (hits * tp / np.where(called > 0, called, 1)).sum(axis=1) / p
        found = tp[:, self.called - 1] if self.called else np.zeros(len(tp))
        wrong = fp[:, self.called - 1] if self.called else np.zeros(len(fp))
        se, sp = found / p, 1 - wrong / n
        wrong = self.weight * wrong
        with np.errstate(invalid="ignore"):
            ppv = found / (found + wrong)
        f_score = 2 * found / (p + found + wrong)
        return np.stack([se, sp, ppv, f_score, np.sqrt(se * sp), auroc, aupr])


def over_folds(values: npt.ArrayLike) -> Floats:
    """Interval of the mean over folds: Student's t with one degree of freedom less than folds.

    The folds share most of their training records, so it is somewhat too narrow (no estimate of
    the variance of cross-validation is without bias; Bengio and Grandvalet 2004, Journal of
    Machine Learning Research 5:1089).

    Parameters
    ----------
    values
        (K,) or (K, M): a metric in each of K folds, seeds averaged before.

    Returns
    -------
    ndarray
        (2,) or (M, 2): low and high, within 0 and 1; NaN if there are less than two folds.
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
