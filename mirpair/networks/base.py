"""What all networks share: they take a list of molecules and return logits.

The softmax over the logits gives the probability of column 0 (not a pre-miRNA) and column 1
(pre-miRNA: label 1) or, from a network that classifies families, the probability of each family.

Each network is written twice. `dense_maps` is the definition: layer after layer on whole matrices.
`fast_maps` is the same function of the same weights without the repeated work, and is used
everywhere. docs/exact-and-fast.md explains how it works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.files import InputError
from mirpair.recipes import Model
from mirpair.rna.encoding import Encoded


class Network(nn.Module):
    """A network's input, its feature maps, and the fully connected layers behind them.

    Its file of weights holds `model`, its description, and `classes`, the names of its output's
    columns; empty for pre-miRNAs and others.
    """

    # Whether it has a step for each base: then its layers are too many to draw.
    is_recurrent = False
    hidden: nn.Linear
    output: nn.Linear
    drop: nn.Module

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__()
        self.model = model
        self.classes = tuple(classes)
        self.drop = nn.Dropout(model.dropout) if model.dropout else nn.Identity()

    @property
    def columns(self) -> int:
        """Number of columns of the output."""
        return max(2, len(self.classes))

    @property
    def longest(self) -> int:
        """Length of the longest RNA that fits, nt, and side of the padded input."""
        if self.model.max_length is None:
            raise ValueError(f"{self.model.label}: a network of fixed size needs `max_length`")
        return self.model.max_length

    @property
    def channels(self) -> int:
        """Number of channels of the input."""
        raise NotImplementedError

    @property
    def input_name(self) -> str:
        """What a drawing of the network calls the input."""
        return "pairing matrix" if self.model.pairing else "sequence"

    def prepare(self, molecules: Sequence[Encoded]) -> Sequence[Any]:
        """Compute once what every pass over the molecules needs; by default nothing.

        All other methods of the network accept the result in place of the molecules.
        """
        return molecules

    def image(self, molecule: Any) -> Tensor:
        """Make the dense input, on the network's device and in its precision."""
        raise NotImplementedError

    def dense_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute feature maps, (N, …), by the definition."""
        raise NotImplementedError

    def fast_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the same without the repeated work; by default by the definition."""
        return self.dense_maps(molecules)

    def head(self, x: Tensor) -> Tensor:
        """Turn feature maps, (N, …), into features, (N, D)."""
        raise NotImplementedError

    def features(self, molecules: Sequence[Encoded], *, dense: bool = False) -> Tensor:
        """Compute the input of the output layer, (N, D); parameters as in `forward`."""
        return self.head(self.dense_maps(molecules) if dense else self.fast_maps(molecules))

    def forward(self, molecules: Sequence[Encoded], *, dense: bool = False) -> Tensor:
        """Compute logits of a batch, (N, number of classes).

        With `dense`, by the definition, from the whole matrices. The fast way is the same function:
        outputs and gradients differ by rounding alone.
        """
        logits: Tensor = self.output(self.features(molecules, dense=dense))
        return logits


def initialise(
    networks: Mapping[str, type[Network]], model: Model, seed: int, classes: Sequence[str]
) -> Network:
    """Make the network of a model's architecture; the global random state is left as it was.

    It is an `InputError` if `networks` has no such architecture.
    """
    if model.architecture not in networks:
        raise InputError(f"no network is called {model.architecture!r}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return networks[model.architecture](model, classes)


def check_fit(molecules: Sequence[Encoded], limit: int, name: str) -> None:
    """Refuse molecules that do not fit a network of fixed size with an `InputError`."""
    longest = max(len(molecule.codes) for molecule in molecules)
    if longest > limit:
        raise InputError(
            f"an RNA of {longest} nt does not fit the {name} network, which takes up to "
            f"{limit}: leave it out or use the variable-sized network"
        )


def max_pool(x: Tensor) -> Tensor:
    """Pool 2 × 2 cells by their maximum."""
    return F.max_pool2d(x, kernel_size=2)
