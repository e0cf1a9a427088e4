"""95 % intervals of metrics: a bootstrap over records and seeds, Student's t over folds."""

from __future__ import annotations

import warnings

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
    """Compute the interval of every metric by a stratified bootstrap over records and seeds.

    Positives and negatives are resampled separately with replacement; the interval is from the
    2.5th to the 97.5th percentile (`scipy.stats.bootstrap`). Of several trainings, each resample
    draws as many with replacement, and averages their metrics. With few trainings, this shows less
    than all of their variation: of S, the share (S − 1) / S of its variance. With one, it shows
    how a metric varies with the choice of records alone.

    Parameters
    ----------
    labels
        (N,); 1: a pre-miRNA.
    scores
        (N,), or (S, N) of S trainings for the interval of the mean of their metrics.
    threshold
        A record with a score of at least this is called positive.
    negative_weight
        Weight of a negative, as in `mirpair.identification.metrics.measure`.
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
    rows = np.atleast_2d(np.asarray(scores, float))
    trainings = [_Ranked(row, threshold, negative_weight) for row in rows]
    # Apart from the records', so that these are the same for any number of trainings.
    rng = np.random.default_rng([seed, len(trainings)])

    def statistic(positives: Counts, negatives: Counts, axis: int = -1) -> Floats:
        drawn = np.atleast_2d(positives), np.atleast_2d(negatives)
        each = np.stack([one.measure(*drawn) for one in trainings])
        seeds = rng.integers(len(each), size=(len(each), 1, each.shape[2]))
        metrics: Floats = np.take_along_axis(each, seeds, axis=0).mean(axis=0)
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
