"""The training loop that both tasks share: devices, seeds, epochs and checkpoints."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.files import InputError
from mirpair.networks.base import Network
from mirpair.networks.checkpoints import Checkpoint
from mirpair.recipes import Model, Recipe
from mirpair.rna.encoded_sets import Ensembles, Tensors
from mirpair.rna.encoding import Encoded

log = logging.getLogger(__name__)

DTYPES = {"float32": torch.float32, "float64": torch.float64}
# The indices of a batch's records, and the logits (n, number of classes) that its step used.
Batch = tuple[npt.NDArray[np.int64], Tensor]


class Measurement(NamedTuple):
    """What is recorded of an epoch.

    Attributes
    ----------
    loss
        Of the training records; a training whose loss is not finite stops.
    row
        The epoch's row of each array of the history.
    summary
        For the log.
    """

    loss: float
    row: Mapping[str, Any]
    summary: str


def derive_seed(base: int, *names: str) -> int:
    """Derive the seed of one run from the study's base seed and the run's names."""
    text = "\0".join([str(base), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


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


def prepare_device(device: str) -> torch.device:
    """The device, set up so that a run gives the same numbers every time."""
    place = choose_device(device)
    torch.use_deterministic_algorithms(True, warn_only=place.type != "cpu")
    # On newer GPUs PyTorch's convolutions would otherwise round their inputs to 10 bits (TF32).
    torch.backends.cudnn.allow_tf32 = False
    return place


class Passes:
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

    def __call__(self) -> list[Batch]:
        """Train for an epoch.

        Returns
        -------
        list of Batch
            The batches in their order.
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


def _resume(
    checkpoint: Checkpoint | None, passes: Passes, history: Mapping[str, npt.NDArray[Any]]
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


def _save_checkpoint(
    checkpoint: Checkpoint | None,
    passes: Passes,
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


def train_epochs(
    passes: Passes,
    epochs: int,
    history: Mapping[str, npt.NDArray[Any]],
    measure: Callable[[list[Batch]], Measurement],
    *,
    result_epoch: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> None:
    """Train for some epochs, from the checkpoint on if it has any.

    Parameters
    ----------
    passes
        The training; its network ends with the weights of `result_epoch`.
    epochs
        How many there are in all.
    history
        Filled: a row an epoch in each array.
    measure
        Called after each epoch with its batches.
    result_epoch
        The epoch, from 1, whose weights are the result; by default the last one.
    checkpoint
        Where the training saves its progress now and then. A training that resumes from it ends in
        the same bytes as one that was never stopped.

    Raises
    ------
    InputError
        If the loss is not finite.
    """
    result = _resume(checkpoint, passes, history)
    while passes.epoch < epochs:
        started = time.perf_counter()
        batches = passes()
        loss, row, summary = measure(batches)
        for name, value in row.items():
            history[name][passes.epoch - 1] = value
        seconds = time.perf_counter() - started
        log.info("epoch %d of %d: %s, %.1f s", passes.epoch, epochs, summary, seconds)
        if not np.isfinite(loss):
            raise InputError(
                f"the loss is {loss} after epoch {passes.epoch}: the training diverged"
            )
        if passes.epoch == result_epoch:
            weights = passes.network.state_dict()
            result = {name: value.clone() for name, value in weights.items()}
        _save_checkpoint(checkpoint, passes, history, result)
    if result:
        passes.network.load_state_dict(result)
