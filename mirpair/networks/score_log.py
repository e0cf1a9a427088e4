"""The log of a training's scores, from which the evaluation computes metrics later."""

from __future__ import annotations

from dataclasses import dataclass, fields
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
        records; both with the class weights of the training records.
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

    @property
    def result(self) -> npt.NDArray[np.float32]:
        """Scores of the evaluation records in the epoch that is the result, (m,)."""
        scores: npt.NDArray[np.float32] = self.evaluate_scores[int(self.epochs) - 1]
        return scores

    def predictions(self) -> pd.DataFrame:
        """Make the table of evaluation records in the result's epoch: id, label, score."""
        return pd.DataFrame(
            {
                "id": self.evaluate_ids,
                "label": self.evaluate_labels,
                # Nine digits distinguish any two float32.
                "score": [f"{score:.9g}" for score in self.result],
            }
        )

    def save(self, path: str | Path) -> None:
        """Write NPZ, atomically and without pickled objects."""
        write_npz(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: str | Path) -> ScoreLog:
        """Read what `save` wrote; anything else is an `InputError`."""
        return cls(**read_npz(path, [field.name for field in fields(cls)]))
