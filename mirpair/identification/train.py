"""Train one network to distinguish pre-miRNAs from other RNAs (Do et al. 2018, section 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from mirpair.contracts import TRAIN
from mirpair.files import InputError
from mirpair.networks import pre_mirna
from mirpair.networks.base import Network
from mirpair.networks.checkpoints import Checkpoint
from mirpair.networks.inference import predict, scores_of
from mirpair.networks.loop import (
    DTYPES,
    Batch,
    Measurement,
    Passes,
    check_lengths,
    prepare_device,
    train_epochs,
    weighted_loss,
)
from mirpair.networks.score_log import ScoreLog
from mirpair.recipes import Model, Recipe
from mirpair.rna.encoded_sets import Tensors


def class_weights(labels: npt.NDArray[np.int8]) -> tuple[float, float]:
    """Compute the weights (β, α) of negatives and positives, below equation 2 of Do et al. 2018.

    α = 2·Nn / (Np + Nn), β = 2·Np / (Np + Nn), with the numbers of training records.
    """
    positives = int((labels == 1).sum())
    negatives = len(labels) - positives
    return 2 * positives / len(labels), 2 * negatives / len(labels)


def select(experiment: pd.DataFrame, tensors: Mapping[str, Tensors], role: str) -> Tensors:
    """Select the molecules with a role in an experiment, in the order of its table.

    The encoded molecules are by the name of their set; the role is ``"train"``, ``"validate"`` or
    ``"evaluate"``.
    """
    chosen = experiment[experiment["role"] == role]
    parts = [
        tensors[str(name)].subset(tensors[str(name)].indices(ids.tolist()))
        for name, ids in chosen.groupby("set", sort=False)["id"]
    ]
    return Tensors.concatenate(parts)


def record_weights(experiment: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """Return the weights of the training records as `select` orders them; None if all are 1."""
    chosen = experiment[experiment["role"] == TRAIN]
    if (chosen["weight"] == 1).all():
        return None
    return np.concatenate([it.to_numpy() for _, it in chosen.groupby("set", sort=False)["weight"]])


def train(
    model: Model,
    train_set: Tensors,
    evaluate_set: Tensors,
    recipe: Recipe,
    *,
    seed: int,
    validate_set: Tensors | None = None,
    weights: npt.NDArray[np.float64] | None = None,
    watch: int = 0,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
) -> tuple[Network, ScoreLog]:
    """Train one network, and score the training and the held-out records in every epoch.

    If there are validation records, these are the held-out records of every epoch, and the
    evaluation records are scored once, by the returned network.

    Parameters
    ----------
    model
        The network to train.
    train_set, evaluate_set
        The records of either role. The evaluation set is only scored: no choice depends on it. It
        may be empty, if there are no validation records.
    recipe
        How to train; the returned network is that of the recipe's last epoch.
    seed
        Seed of the initial weights, the order of the records and dropout; see
        `mirpair.networks.loop.derive_seed`.
    validate_set
        Validation records; None or an empty set if there are none. No choice depends on them.
    weights
        (number of training records,): the weight of each in the loss; None is 1 for all.
    watch
        Continue the training up to this epoch to watch it; the result stays the same.
    device
        ``"cpu"`` or ``"cuda"``.
    checkpoint
        As `mirpair.networks.loop.train_epochs` takes it.

    Returns
    -------
    network, scores
        On a CPU, the same bytes for the same machine, versions and number of threads. On a GPU,
        nearly the same: PyTorch has no deterministic gradient of adaptive pooling.

    Raises
    ------
    InputError
        If a record does not fit the network, the training records are all of one class or there
        is no such device.
    """
    is_validated = validate_set is not None and len(validate_set) > 0
    watched = validate_set if validate_set is not None and is_validated else evaluate_set
    check_lengths(model, train_set, watched, evaluate_set)
    if len(np.unique(train_set.labels)) < 2:
        raise InputError("the training records are all of one class; both are needed")
    torch_device = prepare_device(device)
    dtype = DTYPES[recipe.precision]
    network = pre_mirna.build(model, seed=seed).to(torch_device, dtype)
    equation_2 = torch.tensor(class_weights(train_set.labels), dtype=dtype, device=torch_device)
    of_classes = equation_2
    if recipe.positive_weight is not None:
        of_classes = equation_2.new_tensor([1.0, recipe.positive_weight])
    labels, watched_labels = (part.labels.astype(np.int64) for part in (train_set, watched))

    def sum_of_losses(logits: Tensor, classes: npt.NDArray[np.int64]) -> float:
        # Equation 2 even if the recipe minimises another loss, so that losses can be compared.
        return weighted_loss(logits, torch.from_numpy(classes).to(torch_device), equation_2).item()

    def measure(batches: list[Batch]) -> Measurement:
        total = 0.0
        train_scores = np.empty(len(train_set), dtype=np.float32)
        for batch, logits in batches:
            total += sum_of_losses(logits, labels[batch])
            train_scores[batch] = scores_of(logits)
        loss = total / len(train_set)
        logits = predict(network, watched, batch_size=recipe.batch_size)
        evaluate_loss = np.nan
        if len(watched):
            evaluate_loss = sum_of_losses(logits, watched_labels) / len(watched)
        row = {
            "train_loss": loss,
            "train_scores": train_scores,
            "evaluate_loss": evaluate_loss,
            "evaluate_scores": scores_of(logits),
        }
        kind = "validation" if is_validated else "evaluation"
        summary = f"loss {loss:.4f} on the training, {evaluate_loss:.4f} on the {kind} records"
        return Measurement(loss, row, summary)

    epochs = max(recipe.epochs, watch)
    history: dict[str, npt.NDArray[Any]] = {
        "train_scores": np.empty((epochs, len(train_set)), dtype=np.float32),
        "train_loss": np.empty(epochs),
        "evaluate_scores": np.empty((epochs, len(watched)), dtype=np.float32),
        "evaluate_loss": np.empty(epochs),
    }
    passes = Passes(network, train_set, labels, of_classes, recipe, seed=seed, of_records=weights)
    train_epochs(
        passes, epochs, history, measure, result_epoch=recipe.epochs, checkpoint=checkpoint
    )
    final = evaluate_set if is_validated else evaluate_set.subset(np.arange(0))
    final_scores = scores_of(predict(network, final, batch_size=recipe.batch_size))
    return network, ScoreLog(
        epochs=np.array(recipe.epochs),
        train_ids=train_set.ids,
        train_labels=train_set.labels,
        evaluate_ids=watched.ids,
        evaluate_labels=watched.labels,
        final_ids=final.ids,
        final_labels=final.labels,
        final_scores=final_scores.astype(np.float32),
        **history,
    )
