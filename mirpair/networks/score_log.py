"""The log of a training's scores, from which the evaluation computes metrics later."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.files import read_npz, write_npz


@dataclass(frozen=True, slots=True)
class ScoreLog:
    """The score of every record in every epoch, and the loss, of one training.

    It holds no metrics on purpose: training does not depend on them, so a change in
    `mirpair.identification.metrics` makes new tables without retraining.

    Attributes
    ----------
    epochs
        () int64: the epoch, counted from 1, whose scores are the result; later ones were only
        watched.
    train_ids, evaluate_ids
        (n,) and (m,) text.
    train_labels, evaluate_labels
        (n,) and (m,) int8; 1 is a pre-miRNA.
    train_scores
        (all epochs, n) float32: softmax of the positive class in the training pass itself, each
        by the weights before its step.
    evaluate_scores
        (all epochs, m) float32: the same in evaluation mode at the end of each epoch.
    train_loss, evaluate_loss
        (all epochs,) float64: equation 2 of Do et al. 2018 over the set, divided by its number of
        records; both with the class weights of the training records, and without the weights of
        single records.
    final_ids, final_labels, final_scores
        (k,) each. If the experiment has validation records, ``evaluate_…`` are those, and these are
        the evaluation records, scored once by the network that is the result. Otherwise k is 0.
    """

    epochs: npt.NDArray[np.int64]
    train_ids: npt.NDArray[np.str_]
    train_labels: npt.NDArray[np.int8]
    train_scores: npt.NDArray[np.float32]
    train_loss: npt.NDArray[np.float64]
    evaluate_ids: npt.NDArray[np.str_]
    evaluate_labels: npt.NDArray[np.int8]
    evaluate_scores: npt.NDArray[np.float32]
    evaluate_loss: npt.NDArray[np.float64]
    final_ids: npt.NDArray[np.str_] = field(default_factory=lambda: np.empty(0, np.str_))
    final_labels: npt.NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    final_scores: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    @property
    def is_validated(self) -> bool:
        """Whether validation records were scored after each epoch."""
        return len(self.final_ids) > 0

    @property
    def result(self) -> npt.NDArray[np.float32]:
        """Scores of `evaluate_ids` in the epoch that is the result, (m,)."""
        scores: npt.NDArray[np.float32] = self.evaluate_scores[int(self.epochs) - 1]
        return scores

    def predictions(self) -> pd.DataFrame:
        """Make the table of evaluation records, never validation ones: id, label, score."""
        if self.is_validated:
            return _predictions(self.final_ids, self.final_labels, self.final_scores)
        return _predictions(self.evaluate_ids, self.evaluate_labels, self.result)

    def validation(self) -> pd.DataFrame:
        """Make the same table of the validation records; it is empty if there are none."""
        count = len(self.evaluate_ids) if self.is_validated else 0
        return _predictions(
            self.evaluate_ids[:count], self.evaluate_labels[:count], self.result[:count]
        )

    def save(self, path: str | Path) -> None:
        """Write NPZ, atomically and without pickled objects."""
        write_npz(path, **{it.name: getattr(self, it.name) for it in fields(self)})

    @classmethod
    def load(cls, path: str | Path) -> ScoreLog:
        """Read what `save` wrote; anything else is an `InputError`."""
        return cls(**read_npz(path, [it.name for it in fields(cls)]))


def _predictions(
    ids: npt.NDArray[np.str_], labels: npt.NDArray[np.int8], scores: npt.NDArray[np.float32]
) -> pd.DataFrame:
    # Nine digits distinguish any two float32.
    texts = [f"{score:.9g}" for score in scores]
    return pd.DataFrame({"id": ids, "label": labels, "score": texts})
