"""The networks of Do et al. 2018, Figure 2, layer by layer.

Both are called with a list of molecules and return two logits for each; the softmax over them
gives the probability of column 0 (not a pre-miRNA) and column 1 (pre-miRNA: label 1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.encoding import CHANNELS, Molecule, dense
from mirpair.files import InputError
from mirpair.recipes import FIXED_SIDE, MODELS


def _sum_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, kernel_size=2, divisor_override=1)


class Network(nn.Module):
    """What both networks share: how a molecule becomes an image, and the fully connected head."""

    def __init__(self, pairing: bool, features: int) -> None:
        super().__init__()
        self.pairing = pairing
        self.hidden = nn.Linear(features, 256)
        self.output = nn.Linear(256, 2)

    def image(self, molecule: Molecule) -> Tensor:
        """(channels, L, L) pairing matrix on the network's device and in its precision."""
        weight = self.output.weight
        # Made in the network's precision: an energy rounded to float32 would stay rounded.
        dtype = np.float64 if weight.dtype == torch.float64 else np.float32
        array = dense(molecule, pairing=self.pairing, dtype=dtype).transpose(2, 0, 1)
        return torch.from_numpy(array).to(weight.device)

    def classify(self, x: Tensor) -> Tensor:
        """(N, 64, h, w) feature maps to (N, 2) logits."""
        logits: Tensor = self.output(torch.sigmoid(self.hidden(x.flatten(1))))
        return logits


class VariableNetwork(Network):
    """Variable-sized input, Figure 2A: each molecule at its own size.

    Kernel sizes, strides, paddings and widths are not in the paper; they are those of the code
    that its authors published.
    """

    def __init__(self, *, pairing: bool = True) -> None:
        super().__init__(pairing, features=64 * 4 * 4)
        self.conv1 = nn.Conv2d(CHANNELS if pairing else CHANNELS - 1, 32, 11, stride=4, padding=10)
        self.conv2 = nn.Conv2d(32, 64, 5, stride=2, padding=4)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)

    def features(self, x: Tensor) -> Tensor:
        """(1, channels, L, L) to (1, 64, 4, 4)."""
        x = _sum_pool(F.relu(self.conv1(x)))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.adaptive_avg_pool2d(F.relu(self.conv3(x)), 4)

    def forward(self, molecules: Sequence[Molecule]) -> Tensor:
        """Logits, (N, 2)."""
        maps = [self.features(self.image(molecule)[None]) for molecule in molecules]
        return self.classify(torch.cat(maps))


class FixedNetwork(Network):
    """Fixed-sized input, Figure 2B: every molecule zero-padded right and below to 400 × 400.

    Kernel sizes, strides, paddings and widths as in `VariableNetwork`.
    """

    def __init__(
        self,
        *,
        pairing: bool = True,
    ) -> None:
        super().__init__(pairing, features=64 * 6 * 6)
        self.side = FIXED_SIDE
        self.conv1 = nn.Conv2d(CHANNELS if pairing else CHANNELS - 1, 32, 11, stride=4, padding=2)
        self.norm1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 5, stride=2, padding=2)
        self.norm2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)

    def padded(self, molecule: Molecule) -> Tensor:
        """(channels, 400, 400); a longer molecule is an `InputError`."""
        margin = self.side - len(molecule.codes)
        if margin < 0:
            raise InputError(
                f"an RNA of {len(molecule.codes)} nt does not fit the fixed-sized network, which "
                f"takes up to {self.side}: leave it out or use the variable-sized network"
            )
        return F.pad(self.image(molecule), (0, margin, 0, margin))

    def forward(self, molecules: Sequence[Molecule]) -> Tensor:
        """Logits, (N, 2)."""
        x = torch.stack([self.padded(molecule) for molecule in molecules])
        x = self.norm1(_sum_pool(F.relu(self.conv1(x))))
        x = self.norm2(F.max_pool2d(F.relu(self.conv2(x)), 2))
        x = F.avg_pool2d(F.relu(self.conv3(x)), 2)
        return self.classify(x)


def build(name: str, *, seed: int) -> Network:
    """Make a network of `mirpair.recipes.MODELS` with PyTorch's default initial weights.

    Parameters
    ----------
    name
        Such as ``"variable"``.
    seed
        Of the initial weights; the global random state is left as it was.
    """
    model = MODELS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match model.architecture:
            case "variable":
                return VariableNetwork(pairing=model.pairing)
            case "fixed":
                return FixedNetwork(pairing=model.pairing)
