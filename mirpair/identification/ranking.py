"""Metrics of a ranking, and their intervals by a bootstrap over families and records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mirpair.contracts import BY_KIND, RECALLS
from mirpair.identification.intervals import CONFIDENCE

RESAMPLES = 1000
# Number of resamples at a time; it limits memory and does not change the result.
BATCH = 100

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[Any]


def allowed(share: float, negatives: float) -> int:
    """Return the rank, from 1, of the negative whose score a share of the negatives reach.

    It is 0 if the share is less than one negative.
    """
    # 0.07 * 100 is slightly more than 7.
    exact = share * negatives
    return math.ceil(exact - 1e-9 * max(exact, 1)) if exact >= 1 - 1e-9 else 0


class Ranking:
    """Scores of both classes, sorted once to compute metrics of many resamples at a time.

    A resample changes only how often each record counts.

    Parameters
    ----------
    positives, negatives
        (P,) and (N,) scores; at least one of each.

    Attributes
    ----------
    at_least, above
        (P,): number of negatives with at least, and with more than, the score of each positive,
        from the highest.
    reached
        (P,): number of positives with at least that score.
    """

    def __init__(self, positives: npt.ArrayLike, negatives: npt.ArrayLike) -> None:
        p, n = (np.asarray(it, dtype=np.float64) for it in (positives, negatives))
        self._of_positives = np.argsort(-p, kind="stable")
        self._of_negatives = np.argsort(-n, kind="stable")
        self.scores = p[self._of_positives]
        ascending, negatives_up = self.scores[::-1], n[self._of_negatives][::-1]
        self.at_least = len(n) - np.searchsorted(negatives_up, self.scores, "left")
        self.above = len(n) - np.searchsorted(negatives_up, self.scores, "right")
        self.reached = len(p) - np.searchsorted(ascending, self.scores, "left")
        # Number of positives above each negative, from the highest.
        self._higher = len(p) - np.searchsorted(ascending, negatives_up[::-1], "right")
        # Negatives between two scores of positives need not be distinguished; the highest ones do,
        # because the recalls need their ranks.
        rank = allowed(max(RECALLS.values()), len(n))
        self._few = min(len(n), rank + int(10 * math.sqrt(rank)) + 50) if rank else 0
        ranks = np.append(np.arange(self._few + 1), len(n))
        self._ends = np.unique(np.concatenate((ranks, self.at_least, self.above)))

    def values(self) -> Floats:
        """Compute the metrics `BY_KIND` of the records as they are; see `measure`."""
        p, n = len(self._of_positives), len(self._of_negatives)
        return self.measure(np.ones((p, 1), np.int32), np.ones((n, 1), np.int32))[:, 0]

    def measure(self, positives: Counts, negatives: Counts) -> Floats:
        """Compute metrics of B resamples.

        Parameters
        ----------
        positives, negatives
            (P, B) and (N, B): how often each record counts. All resamples have as many negatives.

        Returns
        -------
        ndarray
            (4, B): each of `BY_KIND`. AUROC and AUPR are those of scikit-learn; recall is that of
            `mirpair.identification.metrics.recall_at`.
        """
        from scipy.sparse import csr_array

        counted = positives[self._of_positives]
        tp = _running(counted)
        # One pass over the negatives: a sum for each interval between two ends.
        starts = self._ends[:-1]
        between = csr_array(
            (np.ones(len(negatives), negatives.dtype), self._of_negatives, self._ends),
            shape=(len(starts), len(negatives)),
        )
        fp = _running(between @ negatives)
        p, n = tp[-1], fp[-1]
        not_below, higher = (
            fp[np.searchsorted(self._ends, it)] for it in (self.at_least, self.above)
        )
        # A negative with the score of a positive counts half.
        auroc = 1 - (counted * (not_below + higher)).sum(axis=0) / (2.0 * p * n)
        hits = tp[self.reached]
        # A positive that does not count may be the only one called: any divisor will do.
        precision = hits / np.maximum(hits + not_below, 1)
        aupr = (counted * precision).sum(axis=0) / p
        recalls = [
            self._recall(tp, fp, negatives, allowed(share, int(n[0]))) for share in RECALLS.values()
        ]
        return np.stack([auroc, aupr, *recalls])

    def _recall(self, tp: Counts, fp: Counts, negatives: Counts, rank: int) -> Floats:
        """Compute the share of positives above the negative of a rank, from 1; NaN if it is 0."""
        if not rank:
            return np.full(tp.shape[1], np.nan)
        columns = fp[: self._few + 1]
        if (columns[-1] < rank).any():
            # A resample with hardly any of the highest negatives.
            columns = _running(negatives[self._of_negatives])
        place = (columns < rank).sum(axis=0) - 1
        found: Floats = tp[self._higher[place], np.arange(tp.shape[1])] / tp[-1]
        return found


def _running(counts: Counts) -> Counts:
    """Sum down each column, beginning with 0: (N, B) to (N + 1, B)."""
    sums = np.zeros((len(counts) + 1, counts.shape[1]), dtype=np.int64)
    np.cumsum(counts, axis=0, out=sums[1:])
    return sums


def intervals(
    methods: Sequence[Sequence[Ranking]],
    families: npt.ArrayLike,
    negatives: int,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Floats:
    """Compute the 95 % interval of every metric of several methods, on the same resamples.

    Families of positives, which are no independent records, are resampled as a whole, and negatives
    one by one, both with replacement; the interval is from the 2.5th to the 97.5th percentile.

    Parameters
    ----------
    methods
        For each method the rankings of its trainings, whose metrics are averaged.
    families
        (P,): number of the family of each positive.
    negatives
        Number of negatives.
    resamples, seed
        Number of resamples, and their seed.

    Returns
    -------
    ndarray
        (M, 4, 2): low and high of each of `BY_KIND`; NaN with fewer than two families or two
        negatives, and where a metric is undefined.
    """
    family = np.unique(np.asarray(families), return_inverse=True)[1]
    count = int(family.max()) + 1
    if count < 2 or negatives < 2:
        return np.full((len(methods), len(BY_KIND), 2), np.nan)
    # Streams of their own, so that the size of a batch changes nothing.
    of_families, of_records = np.random.default_rng(seed).spawn(2)
    drawn = np.empty((len(methods), len(BY_KIND), resamples))
    for start in range(0, resamples, BATCH):
        size = min(BATCH, resamples - start)
        of_positives = _draw(of_families, size, count)[family]
        of_negatives = _draw(of_records, size, negatives)
        for place, rankings in enumerate(methods):
            measured = [it.measure(of_positives, of_negatives) for it in rankings]
            drawn[place, :, start : start + size] = np.mean(measured, axis=0)
    ends = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    limits: Floats = np.moveaxis(np.quantile(drawn, ends, axis=2), 0, -1)
    return limits


def _draw(rng: np.random.Generator, size: int, count: int) -> Counts:
    """Draw with replacement as many as there are, `size` times: how often each is, (N, B)."""
    places = rng.integers(count, size=(size, count), dtype=np.int64)
    places *= size
    places += np.arange(size)[:, None]
    drawn = np.bincount(places.ravel(), minlength=size * count).astype(np.int32)
    return drawn.reshape(count, size)
