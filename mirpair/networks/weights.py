"""The file of a network's weights: safetensors that say which network they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from mirpair.networks import tensor_file
from mirpair.networks.base import Network
from mirpair.recipes import Model

_KIND = "model"


def save_weights(network: Network, path: str | Path) -> None:
    """Write a network's weights, model and classes, atomically and without pickle."""
    description = asdict(network.model)
    if network.classes:
        description["classes"] = network.classes
    tensor_file.write(path, _KIND, description, network.state_dict())


def read_weights(path: str | Path) -> tuple[Model, Sequence[str], dict[str, Tensor]]:
    """Read model, classes and weights; `mirpair.networks.build.load_weights` makes the network.

    Raises
    ------
    InputError
        If there is no such file.
    ValueError, TypeError
        If it is not a file of weights, or is damaged.
    """
    kind, description, state = tensor_file.read(path)
    if kind != _KIND:
        raise ValueError(f"it is of another kind: {kind}")
    classes = description.pop("classes", ())
    return Model(**description), classes, state
