"""A network of families that reads both the sequence and the duplex of a hairpin.

It has the one-hot network of Tang and Sun and the stem network side by side, and one output layer
behind the features of both. They are trained together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from mirpair.networks.base import Network, initialise
from mirpair.networks.hairpin import Hairpin
from mirpair.networks.stem import StemNetwork
from mirpair.networks.tang2019 import OneHotNetwork
from mirpair.recipes import Model
from mirpair.rna.encoding import Encoded, Molecule


class Both(NamedTuple):
    """A molecule as both networks read it."""

    molecule: Molecule
    hairpin: Hairpin

    @property
    def codes(self) -> Any:
        """Return its bases, as of `Molecule`."""
        return self.molecule.codes


class JoinedNetwork(Network):
    """The network on sequence and duplex: 512 and 128 features."""

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.sequence, self.stem = OneHotNetwork(model), StemNetwork(model)
        for part in self.parts():
            # Only the output of both together is used.
            part.output = cast(nn.Linear, nn.Identity())
        width = self.sequence.hidden.out_features + self.stem.hidden.out_features
        self.output = nn.Linear(width, self.columns)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def parts(self) -> tuple[Network, Network]:
        """Return the two networks."""
        return self.sequence, self.stem

    @property
    def channels(self) -> int:
        return self.sequence.channels + self.stem.channels

    @property
    def input_name(self) -> str:
        return f"sequence; {self.stem.input_name}"

    def prepare(self, molecules: Sequence[Encoded]) -> Sequence[Both]:
        """Read all molecules once, before many passes over them."""
        return [self._both(molecule) for molecule in molecules]

    def _both(self, molecule: Any) -> Both:
        if isinstance(molecule, Both):
            return molecule
        return Both(cast(Molecule, molecule), self.stem.read(cast(Molecule, molecule)))

    def features(self, molecules: Sequence[Any], *, dense: bool = False) -> Tensor:
        """Compute features, (N, 640); a molecule longer than the limit is an `InputError`."""
        both = [self._both(molecule) for molecule in molecules]
        of_sequence = self.sequence.features([it.molecule for it in both], dense=dense)
        of_stem = self.stem.features([it.hairpin for it in both], dense=dense)
        return torch.cat([of_sequence, of_stem], dim=1)


NETWORKS: dict[str, type[Network]] = {"joined": JoinedNetwork}


def build(model: Model, *, seed: int, classes: Sequence[str] = ()) -> Network:
    """Make the network; parameters as in `mirpair.networks.build.build`."""
    return initialise(NETWORKS, model, seed, classes)
