"""Train one network to distinguish pre-miRNAs from other RNAs (Do et al. 2018, section 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from mirpair.files import InputError
from mirpair.networks.base import Network
from mirpair.networks.checkpoints import Checkpoint
from mirpair.networks.do2018 import build
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

    The encoded molecules are by the name of their set; the role is ``"train"`` or ``"evaluate"``.
    """
    chosen = experiment[experiment["role"] == role]
    parts = [
        tensors[str(name)].subset(tensors[str(name)].indices(ids.tolist()))
        for name, ids in chosen.groupby("set", sort=False)["id"]
    ]
    return Tensors.concatenate(parts)


def train(
    model: Model,
    train_set: Tensors,
    evaluate_set: Tensors,
    recipe: Recipe,
    *,
    seed: int,
    watch: int = 0,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
) -> tuple[Network, ScoreLog]:
    """Train one network and score both sets in every epoch.

    Parameters
    ----------
    model
        The network to train.
    train_set, evaluate_set
        The records of either role. The evaluation set is only scored: no choice depends on it. It
        may be empty.
    recipe
        How to train; the returned network is that of the recipe's last epoch.
    seed
        Seed of the initial weights, the order of the records and dropout; see
        `mirpair.networks.loop.derive_seed`.
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
    check_lengths(model, train_set, evaluate_set)
    if len(np.unique(train_set.labels)) < 2:
        raise InputError("the training records are all of one class; both are needed")
    torch_device = prepare_device(device)
    dtype = DTYPES[recipe.precision]
    network = build(model, seed=seed).to(torch_device, dtype)
    equation_2 = torch.tensor(class_weights(train_set.labels), dtype=dtype, device=torch_device)
    weights = equation_2
    if recipe.positive_weight is not None:
        weights = equation_2.new_tensor([1.0, recipe.positive_weight])
    labels, evaluate_labels = (part.labels.astype(np.int64) for part in (train_set, evaluate_set))

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
        logits = predict(network, evaluate_set, batch_size=recipe.batch_size)
        evaluate_loss = np.nan
        if len(evaluate_set):
            evaluate_loss = sum_of_losses(logits, evaluate_labels) / len(evaluate_set)
        row = {
            "train_loss": loss,
            "train_scores": train_scores,
            "evaluate_loss": evaluate_loss,
            "evaluate_scores": scores_of(logits),
        }
        summary = f"loss {loss:.4f} on the training, {evaluate_loss:.4f} on the evaluation records"
        return Measurement(loss, row, summary)

    epochs = max(recipe.epochs, watch)
    history: dict[str, npt.NDArray[Any]] = {
        "train_scores": np.empty((epochs, len(train_set)), dtype=np.float32),
        "train_loss": np.empty(epochs),
        "evaluate_scores": np.empty((epochs, len(evaluate_set)), dtype=np.float32),
        "evaluate_loss": np.empty(epochs),
    }
    passes = Passes(network, train_set, labels, weights, recipe, seed=seed)
    train_epochs(
        passes, epochs, history, measure, result_epoch=recipe.epochs, checkpoint=checkpoint
    )
    return network, ScoreLog(
        epochs=np.array(recipe.epochs),
        train_ids=train_set.ids,
        train_labels=train_set.labels,
        evaluate_ids=evaluate_set.ids,
        evaluate_labels=evaluate_set.labels,
        **history,
    )
