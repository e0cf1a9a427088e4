"""The training loop that both tasks share: devices, seeds, epochs and checkpoints.

A training that was killed resumes from its checkpoint, the state on disk.
"""

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
# The indices of a batch's records, and the logits (n, number of classes) of its step.
Batch = tuple[npt.NDArray[np.int64], Tensor]


class Measurement(NamedTuple):
    """The record of an epoch: training loss, row of each array of the history, text for the log."""

    loss: float
    row: Mapping[str, Any]
    summary: str


def derive_seed(base: int, *names: str) -> int:
    """Derive the seed of one run from the study's base seed and the run's names."""
    text = "\0".join([str(base), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def weighted_loss(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor | None,
    reduction: str = "sum",
    of_records: Tensor | None = None,
) -> Tensor:
    """Compute equation 2: the sum over samples of weight × −log ŷ, not divided by anything.

    Parameters
    ----------
    logits, labels
        (N, number of classes), and (N,) int64: the class of each sample, 1 for a pre-miRNA.
    weights
        (number of classes,); None is 1 for all.
    reduction
        The recipe's `loss`: ``"mean"`` divides by the sum of the samples' weights,
        ``"mean-of-each"`` divides each sample's term by its own weight.
    of_records
        (N,): further weights, one for each sample, in every reduction; None is 1 for all.
    """
    if of_records is not None:
        of_classes = None if reduction == "mean-of-each" else weights
        terms = F.cross_entropy(logits, labels, weight=of_classes, reduction="none")
        loss = (terms * of_records).sum()
        if reduction != "mean":
            return loss
        return loss / (of_records if weights is None else of_records * weights[labels]).sum()
    if reduction == "mean-of-each":
        return F.cross_entropy(logits, labels, reduction="sum")
    return F.cross_entropy(logits, labels, weight=weights, reduction=reduction)


def check_lengths(model: Model, *sets: Tensors | Ensembles) -> None:
    """Refuse records that do not fit the network; the error names the longest."""
    for tensors in sets:
        longest = tensors.lengths.max(initial=0)
        if model.max_length is not None and longest > model.max_length:
            name = str(tensors.ids[tensors.lengths.argmax()])
            raise InputError(
                f"record {name!r} has {longest} nt, but the network {model.label!r} takes up to "
                f"{model.max_length}: leave it out or use the model 'variable'"
            )


def choose_device(name: str) -> torch.device:
    """Return the named torch device; an `InputError` if there is no such device."""
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(
            "this job was given a GPU, but PyTorch sees none: install a CUDA build of PyTorch, "
            "or run without the gpu profile to train on the CPU"
        )
    return torch.device(name)


def device_name(name: str) -> str:
    """Return the product name of a torch device; an `InputError` if there is no such device."""
    device = choose_device(name)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _optimizer(recipe: Recipe, network: Network) -> torch.optim.Optimizer:
    # One pass over the weights instead of five; PyTorch has it for AdaGrad on the CPU only.
    fused = network.output.weight.device.type == "cpu"
    kind = {"adagrad": torch.optim.Adagrad, "adam": torch.optim.Adam}[recipe.optimizer]
    rate, decay = recipe.learning_rate, recipe.weight_decay
    optimizer: torch.optim.Optimizer = kind(
        network.parameters(), lr=rate, weight_decay=decay, fused=fused
    )
    return optimizer


def prepare_device(name: str) -> torch.device:
    """Set up a torch device so that a training gives the same numbers every time."""
    device = choose_device(name)
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    # On newer GPUs PyTorch's convolutions would otherwise round their inputs to 10 bits (TF32).
    torch.backends.cudnn.allow_tf32 = False
    return device


class Passes:
    """Passes over the training records, one an epoch, whose state can be saved in between.

    A call trains for an epoch; `epoch` is the number of finished ones.

    Parameters
    ----------
    network
        It is changed in place; between epochs, it may be used for predictions.
    inputs, labels
        The training records, and the class of each, from 0.
    weights, recipe
        See `weighted_loss`; the recipe's number of epochs is ignored.
    seed
        Seed of the order of the records and of dropout.
    of_records
        (N,): weight of each record in the loss; None is 1 for all.
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
        of_records: npt.NDArray[np.float64] | None = None,
    ) -> None:
        self.network, self.inputs, self.labels, self.weights = network, inputs, labels, weights
        self.of_records = of_records
        self.recipe = recipe
        self.epoch = 0
        self.optimizer = _optimizer(recipe, network)
        self.shuffle = np.random.default_rng(seed)
        self.device = network.output.weight.device
        with torch.random.fork_rng():
            # Dropout must not reuse the random numbers of the initial weights.
            torch.manual_seed(derive_seed(seed, "dropout"))
            self._save_random_state()

    def __call__(self) -> list[Batch]:
        """Train for an epoch, and return its batches in their order."""
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
                torch.cuda.set_rng_state(self.random_on_gpu, self.device)
            for start in range(0, len(self.inputs), size):
                # The last batch of an epoch may be smaller: every record counts once an epoch.
                batch = order[start : start + size]
                logits = self.network([self.inputs[i] for i in batch])
                labels = torch.from_numpy(self.labels[batch]).to(self.device)
                of_records = None
                if self.of_records is not None:
                    of_records = torch.from_numpy(self.of_records[batch]).to(logits)
                loss = weighted_loss(logits, labels, self.weights, self.recipe.loss, of_records)
                self.optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                self.optimizer.step()
                batches.append((batch, logits.detach()))
            self._save_random_state()
        self.epoch += 1
        return batches

    def _save_random_state(self) -> None:
        on_gpu = self.device.type == "cuda"
        self.random = torch.get_rng_state()
        self.random_on_gpu = torch.cuda.get_rng_state(self.device) if on_gpu else None

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return facts and tensors from which `restore` continues, to the last bit."""
        tensors = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        for number, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": t for name, t in values.items()}
        tensors["random"] = self.random
        if self.random_on_gpu is not None:
            tensors["random_on_gpu"] = self.random_on_gpu
        return {"epoch": self.epoch, "shuffle": self.shuffle.bit_generator.state}, tensors

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Continue from a result of `state`."""
        self.network.load_state_dict(_with_prefix("network.", tensors))
        values: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _with_prefix("optimizer.", tensors).items():
            number, _, key = name.partition(".")
            values.setdefault(int(number), {})[key] = tensor
        # Fused optimisers assume that weights and values have the same memory layout and do not
        # check it. The file does not hold the layout.
        for index, parameter in enumerate(self.network.parameters()):
            for key, tensor in values[index].items():
                if tensor.shape == parameter.shape:
                    values[index][key] = torch.empty_like(parameter.detach()).copy_(tensor)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": values, "param_groups": groups})
        self.random, self.random_on_gpu = tensors["random"], tensors.get("random_on_gpu")
        self.shuffle.bit_generator.state = facts["shuffle"]
        self.epoch = int(facts["epoch"])


def _with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _resume(
    checkpoint: Checkpoint | None, passes: Passes, history: Mapping[str, npt.NDArray[Any]]
) -> dict[str, Tensor]:
    """Restore a training and its history; return the weights of the result if it has them."""
    if checkpoint is None or (saved := checkpoint.load()) is None:
        return {}
    facts, tensors = saved
    passes.restore(facts, tensors)
    for name, rows in _with_prefix("history.", tensors).items():
        history[name][: passes.epoch] = rows.numpy()
    return _with_prefix("result.", tensors)


def _save_checkpoint(
    checkpoint: Checkpoint | None,
    passes: Passes,
    history: Mapping[str, npt.NDArray[Any]],
    result: Mapping[str, Tensor],
) -> None:
    """Save a checkpoint if it is due."""
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
    """Train for a number of epochs; resume from the checkpoint if it has any.

    It is an `InputError` if the loss is not finite.

    Parameters
    ----------
    passes
        The training; at the end, its network has the weights of `result_epoch`.
    epochs
        Number of epochs in all.
    history
        Arrays to fill, a row an epoch.
    measure
        Called after each epoch with its batches.
    result_epoch
        The epoch, from 1, whose weights are the result; by default the last one.
    checkpoint
        File in which the training regularly saves its state. A training that resumes from it ends
        in the same bytes as one that was never stopped.
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
            result = {name: t.clone() for name, t in passes.network.state_dict().items()}
        _save_checkpoint(checkpoint, passes, history, result)
    if result:
        passes.network.load_state_dict(result)
