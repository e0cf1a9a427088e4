"""Train one network to classify RNAs into families (Tang & Sun 2019)."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from mirpair.files import InputError
from mirpair.networks.base import Network
from mirpair.networks.build import build
from mirpair.networks.checkpoints import Checkpoint
from mirpair.networks.inference import predict
from mirpair.networks.loop import (
    DTYPES,
    Batch,
    Measurement,
    Passes,
    check_lengths,
    prepare_device,
    train_epochs,
)
from mirpair.recipes import Model, Recipe
from mirpair.rna.encoded_sets import Ensembles, Tensors

_MEASURED = ("train loss", "train accuracy", "validate loss", "validate accuracy")
HISTORY = {"epoch": "int64", **dict.fromkeys(_MEASURED, "float64")}


def _reuse_memory() -> None:
    """Keep freed memory for the next step instead of returning it to the system.

    The kernel zeroes memory before it hands it out again. For the gradient of the matrix networks'
    first fully connected layer, 79 MB, that takes as long as the arithmetic. C libraries other
    than glibc do not have these settings; there, nothing changes.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(mmap_threshold, 2**30)


def train_families(
    model: Model,
    train_inputs: Tensors | Ensembles,
    train_labels: npt.NDArray[np.int64],
    validate_inputs: Tensors | Ensembles,
    validate_labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    recipe: Recipe,
    *,
    seed: int,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
) -> tuple[Network, pd.DataFrame]:
    """Train one network to classify RNAs into families.

    The loss is the plain cross-entropy, its mean over the batch.

    Parameters
    ----------
    model
        One of `mirpair.recipes.FAMILY_MODELS`.
    train_inputs, train_labels
        The training records, and for each the index of its family in `classes`.
    validate_inputs, validate_labels
        The validation records, likewise. They are only scored: no choice depends on them. There may
        be none.
    recipe
        The returned network is that of its last epoch.
    seed
        Of the initial weights, the order of the records and dropout; see
        `mirpair.networks.loop.derive_seed`.
    device
        ``"cpu"`` or ``"cuda"``.
    checkpoint
        See `mirpair.networks.loop.train_epochs`.

    Returns
    -------
    network, history
        The history has a row an epoch and the columns of `HISTORY`. Loss and accuracy of training
        are those of the training pass itself, with dropout. On a CPU, the same bytes for the same
        machine, versions and number of threads.

    Raises
    ------
    InputError
        If a record does not fit the network, the training records are all of one family or there
        is no such device.
    """
    check_lengths(model, train_inputs, validate_inputs)
    if len(np.unique(train_labels)) < 2:
        raise InputError("the training records are all of one family; at least two are needed")
    torch_device = prepare_device(device)
    _reuse_memory()
    network = build(model, seed=seed, classes=classes).to(torch_device, DTYPES[recipe.precision])
    labels = train_labels.astype(np.int64)
    validate_classes = torch.from_numpy(validate_labels.astype(np.int64)).to(torch_device)
    passes = Passes(network, train_inputs, labels, None, recipe, seed=seed)

    def measure(batches: list[Batch]) -> Measurement:
        indices = np.concatenate([batch for batch, _ in batches])
        logits = torch.cat([logits for _, logits in batches])
        trained = _loss_and_accuracy(logits, torch.from_numpy(labels[indices]).to(torch_device))
        logits = predict(network, validate_inputs, batch_size=recipe.batch_size)
        measured = [*trained, *_loss_and_accuracy(logits, validate_classes)]
        summary = (
            "loss {:.4f}, accuracy {:.4f} on the training, {:.4f}, {:.4f} on the validation records"
        )
        row = dict(zip(HISTORY, [passes.epoch, *measured], strict=True))
        return Measurement(measured[0], row, summary.format(*measured))

    history = {name: np.empty(recipe.epochs) for name in HISTORY}
    train_epochs(passes, recipe.epochs, history, measure, checkpoint=checkpoint)
    return network, pd.DataFrame(history).astype(HISTORY)


def _loss_and_accuracy(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Compute the mean cross-entropy and the accuracy; NaN without records."""
    correct = (logits.argmax(dim=1) == labels).double()
    return F.cross_entropy(logits, labels).item(), correct.mean().item()
