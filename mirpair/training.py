"""Training one network on one experiment (Do et al. 2018, section 2.2)."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.encoding import Tensors
from mirpair.files import InputError
from mirpair.inference import predict, scores_of
from mirpair.models import Network, build
from mirpair.recipes import Model, Recipe
from mirpair.scores import Scores

log = logging.getLogger(__name__)


def derive_seed(base: int, *names: str) -> int:
    """Seed of one run from the study's base seed and the run's names, the same everywhere."""
    text = "\0".join([str(base), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def class_weights(labels: npt.NDArray[np.int8]) -> tuple[float, float]:
    """Weights (β, α) of the negative and the positive class, below equation 2 of Do et al. 2018.

    α = 2·Nn / (Np + Nn), β = 2·Np / (Np + Nn), counted in the training records.
    """
    positives = int((labels == 1).sum())
    negatives = len(labels) - positives
    return 2 * positives / len(labels), 2 * negatives / len(labels)


def weighted_loss(
    logits: Tensor, labels: Tensor, weights: Tensor, reduction: str = "sum"
) -> Tensor:
    """Equation 2: the plain sum over samples of weight × −log ŷ (no mean, no normalisation).

    Parameters
    ----------
    logits
        (N, 2).
    labels
        (N,) int64; 1 is a pre-miRNA.
    weights
        (2,): of class 0 and class 1, see `class_weights`.
    reduction
        The recipe's `loss`: ``"mean"`` divides by the sum of the samples' weights,
        ``"mean-of-each"`` does so for each sample alone and adds up.
    """
    if reduction == "mean-of-each":
        return F.cross_entropy(logits, labels, reduction="sum")
    return F.cross_entropy(logits, labels, weight=weights, reduction=reduction)


def select(experiment: pd.DataFrame, tensors: Mapping[str, Tensors], role: str) -> Tensors:
    """The molecules of an experiment that have a role, in the order of its table.

    Parameters
    ----------
    experiment
        Columns id, set, role.
    tensors
        By name of the set.
    role
        ``"train"`` or ``"evaluate"``.
    """
    chosen = experiment[experiment["role"] == role]
    parts = [
        tensors[str(name)].subset(tensors[str(name)].indices(ids.tolist()))
        for name, ids in chosen.groupby("set", sort=False)["id"]
    ]
    return Tensors.concatenate(parts)


def check_records(model: Model, train: Tensors, evaluate: Tensors) -> None:
    """Refuse, before the long work starts, records that the training could not digest."""
    limit = model.max_length
    for tensors in (train, evaluate):
        longest = int(tensors.lengths.argmax())
        if limit is not None and tensors.lengths[longest] > limit:
            raise InputError(
                f"record {str(tensors.ids[longest])!r} has {tensors.lengths[longest]} nt, but the "
                f"network {model.label!r} takes up to {limit}: leave it out or use the model "
                "'variable'"
            )
    if len(np.unique(train.labels)) < 2:
        raise InputError("the training records are all of one class; both are needed")


def choose_device(name: str) -> torch.device:
    """The named torch device; an `InputError` if it is CUDA and there is none."""
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(
            "this job was given a GPU, but PyTorch sees none: install a CUDA build of PyTorch, "
            "or run without the gpu profile to train on the CPU"
        )
    return torch.device(name)


def _optimizer(recipe: Recipe, network: Network) -> torch.optim.Optimizer:
    # One pass over the weights instead of five; PyTorch has it for AdaGrad on the CPU only.
    fused = network.output.weight.device.type == "cpu"
    rate, decay = recipe.learning_rate, recipe.weight_decay
    match recipe.optimizer:
        case "adagrad":
            return torch.optim.Adagrad(
                network.parameters(), lr=rate, weight_decay=decay, fused=fused
            )
        case "adam":
            return torch.optim.Adam(network.parameters(), lr=rate, weight_decay=decay, fused=fused)


def train(
    model: Model,
    train_set: Tensors,
    evaluate_set: Tensors,
    recipe: Recipe,
    *,
    seed: int,
    watch: int = 0,
    device: str = "cpu",
) -> tuple[Network, Scores]:
    """Train one network and score both sets in every epoch.

    Parameters
    ----------
    model
        What is trained.
    train_set, evaluate_set
        The records of either role. The second is only ever scored: it chooses nothing.
    recipe
        How it is trained; the network returned is that of the recipe's last epoch.
    seed
        Of the initial weights, of the order of the records and of dropout, see `derive_seed`.
    watch
        Train on to this epoch, to see what happens there; the result stays the same.
    device
        ``"cpu"`` or ``"cuda"``.

    Returns
    -------
    network, scores
        On a CPU the same bytes on the same machine with the same versions and number of threads.
        On a GPU nearly so: PyTorch has no deterministic form of adaptive pooling's gradient.

    Raises
    ------
    InputError
        If a record does not fit the network, the training records are all of one class or there
        is no such device.
    """
    check_records(model, train_set, evaluate_set)
    place = choose_device(device)
    torch.use_deterministic_algorithms(True, warn_only=place.type != "cpu")
    # On newer GPUs PyTorch's convolutions would otherwise round their inputs to 10 bits (TF32).
    torch.backends.cudnn.allow_tf32 = False
    dtype = {"float32": torch.float32, "float64": torch.float64}[recipe.precision]
    network = build(model, seed=seed).to(place, dtype)
    optimizer = _optimizer(recipe, network)
    equation_2 = torch.tensor(class_weights(train_set.labels), dtype=dtype, device=place)
    weights = equation_2
    if recipe.positive_weight is not None:
        weights = torch.tensor([1.0, recipe.positive_weight], dtype=dtype, device=place)
    shuffle = np.random.default_rng(seed)
    n, epochs = len(train_set), max(recipe.epochs, watch)

    train_scores = np.empty((epochs, n), dtype=np.float32)
    evaluate_scores = np.empty((epochs, len(evaluate_set)), dtype=np.float32)
    train_loss = np.empty(epochs)
    evaluate_loss = np.empty(epochs)
    result = network.state_dict()
    with torch.random.fork_rng():
        # Dropout's numbers are others than those of the initial weights.
        torch.manual_seed(derive_seed(seed, "dropout"))
        for epoch in range(epochs):
            started = time.perf_counter()
            order = shuffle.permutation(n)
            total = 0.0
            network.train()
            if recipe.frozen_norm and epoch:
                for layer in network.modules():
                    if isinstance(layer, nn.BatchNorm2d):
                        layer.eval()
            for start in range(0, n, recipe.batch_size):
                # The last step of an epoch takes what is left: every record counts once an epoch.
                batch = order[start : start + recipe.batch_size]
                logits = network([train_set[i] for i in batch])
                labels = _labels(train_set, place, batch)
                loss = weighted_loss(logits, labels, weights, recipe.loss)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                # What is noted is equation 2, whatever a recipe minimises, to compare them by.
                total += weighted_loss(logits.detach(), labels, equation_2).item()
                train_scores[epoch, batch] = scores_of(logits)
            train_loss[epoch] = total / n
            logits = predict(network, evaluate_set, batch_size=recipe.batch_size)
            noted = weighted_loss(logits, _labels(evaluate_set, place), equation_2)
            evaluate_loss[epoch] = noted.item() / len(evaluate_set)
            evaluate_scores[epoch] = scores_of(logits)
            log.info(
                "epoch %d of %d: loss %.4f on the training, %.4f on the evaluation records, %.1f s",
                epoch + 1,
                epochs,
                train_loss[epoch],
                evaluate_loss[epoch],
                time.perf_counter() - started,
            )
            if not np.isfinite(train_loss[epoch]):
                raise InputError(
                    f"the loss is {train_loss[epoch]} after epoch {epoch + 1}: the training "
                    "diverged"
                )
            if epoch + 1 == recipe.epochs:
                result = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(result)
    return network, Scores(
        epochs=np.array(recipe.epochs),
        train_ids=train_set.ids,
        train_labels=train_set.labels,
        train_scores=train_scores,
        train_loss=train_loss,
        evaluate_ids=evaluate_set.ids,
        evaluate_labels=evaluate_set.labels,
        evaluate_scores=evaluate_scores,
        evaluate_loss=evaluate_loss,
    )


def _labels(
    tensors: Tensors, place: torch.device, indices: npt.NDArray[np.int64] | slice = slice(None)
) -> Tensor:
    return torch.from_numpy(tensors.labels[indices].astype(np.int64)).to(place)
