"""Training one network, on one experiment (Do et al. 2018, section 2.2) or on families."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.files import InputError
from mirpair.networks.base import Network
from mirpair.networks.build import build
from mirpair.networks.checkpoints import Checkpoint
from mirpair.networks.inference import predict, scores_of
from mirpair.networks.score_log import ScoreLog
from mirpair.recipes import Model, Recipe
from mirpair.rna.encoding import Encoded, Ensembles, Tensors

log = logging.getLogger(__name__)

_DTYPES = {"float32": torch.float32, "float64": torch.float64}
FAMILY_HISTORY = {
    "epoch": "int64",
    "train loss": "float64",
    "train accuracy": "float64",
    "validate loss": "float64",
    "validate accuracy": "float64",
}


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
    logits: Tensor, labels: Tensor, weights: Tensor | None, reduction: str = "sum"
) -> Tensor:
    """Equation 2: the plain sum over samples of weight × −log ŷ (no mean, no normalisation).

    Parameters
    ----------
    logits
        (N, number of classes).
    labels
        (N,) int64: the class of each; of the first task, 1 is a pre-miRNA.
    weights
        (number of classes,): of class 0 and class 1, see `class_weights`; None is 1 for all.
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
    check_lengths(model, train, evaluate)
    if len(np.unique(train.labels)) < 2:
        raise InputError("the training records are all of one class; both are needed")


def check_lengths(model: Model, *sets: Tensors | Ensembles) -> None:
    """Refuse records that do not fit the network; the error names the longest."""
    limit = model.max_length
    for tensors in sets:
        if not len(tensors):
            continue
        longest = int(tensors.lengths.argmax())
        if limit is not None and tensors.lengths[longest] > limit:
            raise InputError(
                f"record {str(tensors.ids[longest])!r} has {tensors.lengths[longest]} nt, but the "
                f"network {model.label!r} takes up to {limit}: leave it out or use the model "
                "'variable'"
            )


def choose_device(name: str) -> torch.device:
    """The named torch device; an `InputError` if it is CUDA and there is none."""
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(
            "this job was given a GPU, but PyTorch sees none: install a CUDA build of PyTorch, "
            "or run without the gpu profile to train on the CPU"
        )
    return torch.device(name)


def device_name(name: str) -> str:
    """What the named torch device is called; an `InputError` if it is CUDA and there is none."""
    place = choose_device(name)
    return torch.cuda.get_device_name(place) if place.type == "cuda" else "cpu"


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


def _prepare(device: str) -> torch.device:
    """The device, set up so that a run gives the same numbers every time."""
    place = choose_device(device)
    torch.use_deterministic_algorithms(True, warn_only=place.type != "cpu")
    # On newer GPUs PyTorch's convolutions would otherwise round their inputs to 10 bits (TF32).
    torch.backends.cudnn.allow_tf32 = False
    return place


def _reuse_memory() -> None:
    """Keep freed memory for the next step; that of large tensors is else given back each time.

    The kernel zeroes what it hands out anew. For the gradient of the matrix networks' first fully
    connected layer, 79 MB, that takes as long as the arithmetic. Other C libraries than glibc have
    no such settings, and nothing changes.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(mmap_threshold, 2**30)


class _Passes:
    """Passes over the training records, each an epoch; in between it can be noted where it stands.

    Parameters
    ----------
    network
        It is changed in place, and between epochs may be used for predictions.
    inputs, labels
        The training records and the class, from 0, of each.
    weights
        Of the classes in the loss, see `weighted_loss`.
    recipe
        Its epochs are not looked at.
    seed
        Of the order of the records and of dropout.

    Attributes
    ----------
    epoch
        How many are done.
    """

    def __init__(
        self,
        network: Network,
        inputs: Sequence[Encoded],
        labels: npt.NDArray[np.int64],
        weights: Tensor | None,
        recipe: Recipe,
        *,
        seed: int,
    ) -> None:
        self.network, self.inputs, self.labels, self.weights = network, inputs, labels, weights
        self.recipe = recipe
        self.epoch = 0
        self.optimizer = _optimizer(recipe, network)
        self.shuffle = np.random.default_rng(seed)
        self.place = network.output.weight.device
        with torch.random.fork_rng():
            # Dropout's numbers are others than those of the initial weights.
            torch.manual_seed(derive_seed(seed, "dropout"))
            self._note_random()

    def __call__(self) -> list[tuple[npt.NDArray[np.int64], Tensor]]:
        """Train for an epoch.

        Returns
        -------
        list of (indices, logits)
            Its batches in their order: which records, and the logits (n, number of classes) from
            which the step was made.
        """
        order = self.shuffle.permutation(len(self.inputs))
        self.network.train()
        if self.recipe.frozen_norm and self.epoch:
            for layer in self.network.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()
        batches = []
        size = self.recipe.batch_size
        with torch.random.fork_rng():
            torch.set_rng_state(self.random)
            if self.random_on_gpu is not None:
                torch.cuda.set_rng_state(self.random_on_gpu, self.place)
            for start in range(0, len(self.inputs), size):
                # The last step of an epoch takes what is left: every record counts once an epoch.
                batch = order[start : start + size]
                logits = self.network([self.inputs[i] for i in batch])
                wanted = torch.from_numpy(self.labels[batch]).to(self.place)
                loss = weighted_loss(logits, wanted, self.weights, self.recipe.loss)
                self.optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                self.optimizer.step()
                batches.append((batch, logits.detach()))
            self._note_random()
        self.epoch += 1
        return batches

    def _note_random(self) -> None:
        on_gpu = self.place.type == "cuda"
        self.random = torch.get_rng_state()
        self.random_on_gpu = torch.cuda.get_rng_state(self.place) if on_gpu else None

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Facts and tensors from which `restore` goes on, to the last bit."""
        tensors = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        for number, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": t for name, t in values.items()}
        tensors["random"] = self.random
        if self.random_on_gpu is not None:
            tensors["random_on_gpu"] = self.random_on_gpu
        return {"epoch": self.epoch, "shuffle": self.shuffle.bit_generator.state}, tensors

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `state` told."""
        self.network.load_state_dict(_below("network.", tensors))
        values: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _below("optimizer.", tensors).items():
            place, _, what = name.partition(".")
            values.setdefault(int(place), {})[what] = tensor
        # In memory as the weights are, which the file does not tell: fused optimisers take both
        # for laid out alike, and say nothing if they are not.
        for number, parameter in enumerate(self.network.parameters()):
            for what, tensor in values[number].items():
                if tensor.shape == parameter.shape:
                    values[number][what] = torch.empty_like(parameter.detach()).copy_(tensor)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": values, "param_groups": groups})
        self.random, self.random_on_gpu = tensors["random"], tensors.get("random_on_gpu")
        self.shuffle.bit_generator.state = facts["shuffle"]
        self.epoch = int(facts["epoch"])


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _go_on(
    checkpoint: Checkpoint | None, passes: _Passes, history: Mapping[str, npt.NDArray[Any]]
) -> dict[str, Tensor]:
    """Set up a training where its checkpoint left it; returns the result's weights, if it has any.

    The history, a row an epoch in each array, is filled up to there.
    """
    if checkpoint is None or (stood := checkpoint.load()) is None:
        return {}
    facts, tensors = stood
    passes.restore(facts, tensors)
    for name, rows in _below("history.", tensors).items():
        history[name][: passes.epoch] = rows.numpy()
    return _below("result.", tensors)


def _note(
    checkpoint: Checkpoint | None,
    passes: _Passes,
    history: Mapping[str, npt.NDArray[Any]],
    result: Mapping[str, Tensor],
) -> None:
    """Write a checkpoint, if it is time for one."""
    if checkpoint is None or not checkpoint.due(passes.epoch):
        return
    facts, tensors = passes.state()
    tensors |= {f"result.{name}": tensor for name, tensor in result.items()}
    for name, rows in history.items():
        tensors[f"history.{name}"] = torch.from_numpy(rows[: passes.epoch])
    checkpoint.save(facts, tensors)


def _check_loss(loss: float, epoch: int) -> None:
    if not np.isfinite(loss):
        raise InputError(f"the loss is {loss} after epoch {epoch}: the training diverged")


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
        What is trained.
    train_set, evaluate_set
        The records of either role. The second is only ever scored: it chooses nothing, and may be
        empty.
    recipe
        How it is trained; the network returned is that of the recipe's last epoch.
    seed
        Of the initial weights, of the order of the records and of dropout, see `derive_seed`.
    watch
        Train on to this epoch, to see what happens there; the result stays the same.
    device
        ``"cpu"`` or ``"cuda"``.
    checkpoint
        Where it is noted, now and then, how far the training is, and from where it goes on: to the
        same bytes as if nothing had happened.

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
    place = _prepare(device)
    dtype = _DTYPES[recipe.precision]
    network = build(model, seed=seed).to(place, dtype)
    equation_2 = torch.tensor(class_weights(train_set.labels), dtype=dtype, device=place)
    weights = equation_2
    if recipe.positive_weight is not None:
        weights = torch.tensor([1.0, recipe.positive_weight], dtype=dtype, device=place)
    labels, evaluate_labels = (part.labels.astype(np.int64) for part in (train_set, evaluate_set))
    n, epochs = len(train_set), max(recipe.epochs, watch)

    history: dict[str, npt.NDArray[Any]] = {
        "train_scores": np.empty((epochs, n), dtype=np.float32),
        "train_loss": np.empty(epochs),
        "evaluate_scores": np.empty((epochs, len(evaluate_set)), dtype=np.float32),
        "evaluate_loss": np.empty(epochs),
    }
    passes = _Passes(network, train_set, labels, weights, recipe, seed=seed)
    result = _go_on(checkpoint, passes, history)
    while passes.epoch < epochs:
        started = time.perf_counter()
        epoch, batches = passes.epoch, passes()
        total = 0.0
        for batch, logits in batches:
            # What is noted is equation 2, whatever a recipe minimises, to compare them by.
            noted = weighted_loss(logits, torch.from_numpy(labels[batch]).to(place), equation_2)
            total += noted.item()
            history["train_scores"][epoch, batch] = scores_of(logits)
        loss = total / n
        logits = predict(network, evaluate_set, batch_size=recipe.batch_size)
        noted = weighted_loss(logits, torch.from_numpy(evaluate_labels).to(place), equation_2)
        evaluate_loss = noted.item() / len(evaluate_set) if len(evaluate_set) else np.nan
        history["train_loss"][epoch], history["evaluate_loss"][epoch] = loss, evaluate_loss
        history["evaluate_scores"][epoch] = scores_of(logits)
        log.info(
            "epoch %d of %d: loss %.4f on the training, %.4f on the evaluation records, %.1f s",
            epoch + 1,
            epochs,
            loss,
            evaluate_loss,
            time.perf_counter() - started,
        )
        _check_loss(loss, epoch + 1)
        if passes.epoch == recipe.epochs:
            result = {name: value.clone() for name, value in network.state_dict().items()}
        _note(checkpoint, passes, history, result)
    network.load_state_dict(result)
    return network, ScoreLog(
        epochs=np.array(recipe.epochs),
        train_ids=train_set.ids,
        train_labels=train_set.labels,
        evaluate_ids=evaluate_set.ids,
        evaluate_labels=evaluate_set.labels,
        **history,
    )


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
    """Train one network to tell families apart.

    The loss is the plain cross-entropy, its mean over the batch.

    Parameters
    ----------
    model
        What is trained, one of `mirpair.recipes.FAMILY_MODELS`.
    train_inputs, train_labels
        The records and, for each, the index of its family in `classes`.
    validate_inputs, validate_labels
        Likewise; they are only ever scored and choose nothing. There may be none.
    classes
        Names of the families.
    recipe
        How it is trained; the network returned is that of the last epoch.
    seed
        Of the initial weights, of the order of the records and of dropout, see `derive_seed`.
    device
        ``"cpu"`` or ``"cuda"``.
    checkpoint
        See `train`.

    Returns
    -------
    network, history
        The history has a row an epoch and the columns epoch, train loss, train accuracy, validate
        loss and validate accuracy; those of training are of the outputs from which the steps were
        made, dropout included. On a CPU the same bytes on the same machine with the same versions
        and number of threads.

    Raises
    ------
    InputError
        If a record does not fit the network, the training records are all of one family or there
        is no such device.
    """
    check_lengths(model, train_inputs, validate_inputs)
    if len(np.unique(train_labels)) < 2:
        raise InputError("the training records are all of one family; at least two are needed")
    place = _prepare(device)
    _reuse_memory()
    network = build(model, seed=seed, classes=classes).to(place, _DTYPES[recipe.precision])
    validate_wanted = torch.from_numpy(validate_labels.astype(np.int64)).to(place)
    labels = train_labels.astype(np.int64)
    history = {name: np.empty(recipe.epochs) for name in FAMILY_HISTORY}
    passes = _Passes(network, train_inputs, labels, None, recipe, seed=seed)
    _go_on(checkpoint, passes, history)
    while passes.epoch < recipe.epochs:
        started = time.perf_counter()
        batches = passes()
        wanted = torch.from_numpy(np.concatenate([labels[batch] for batch, _ in batches]))
        train_loss, train_accuracy = _agreement(
            torch.cat([logits for _, logits in batches]), wanted.to(place)
        )
        logits = predict(network, validate_inputs, batch_size=recipe.batch_size)
        row = (
            *(passes.epoch, train_loss, train_accuracy),
            *_agreement(logits, validate_wanted),
        )
        for name, value in zip(history, row, strict=True):
            history[name][passes.epoch - 1] = value
        log.info(
            "epoch %d of %d: loss %.4f, accuracy %.4f on the training, %.4f, %.4f on the "
            "validation records, %.1f s",
            passes.epoch,
            recipe.epochs,
            *row[1:],
            time.perf_counter() - started,
        )
        _check_loss(train_loss, passes.epoch)
        _note(checkpoint, passes, history, {})
    return network, pd.DataFrame(history).astype(FAMILY_HISTORY)


def _agreement(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean cross-entropy, and how often the greatest logit is the label's; NaN of nothing."""
    right = (logits.argmax(dim=1) == labels).double()
    return F.cross_entropy(logits, labels).item(), right.mean().item()
