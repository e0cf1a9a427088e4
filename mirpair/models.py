"""The networks of Do et al. 2018, Figure 2, layer by layer.

Both are called with a list of molecules and return two logits for each; the softmax over them
gives the probability of column 0 (not a pre-miRNA) and column 1 (pre-miRNA: label 1).

Each is written twice. `dense_maps` is the definition, layer after layer on whole pairing matrices;
`fast_maps` is the same function of the same weights with the repetition left out, and what
everything uses. docs/exact-and-fast.md says how it works.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.corners import normalised, pooled_difference, reached
from mirpair.encoding import CHANNELS, Molecule, dense
from mirpair.factorised import convolve
from mirpair.files import InputError
from mirpair.recipes import FIXED_SIDE, MODELS


def _sum_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, kernel_size=2, divisor_override=1)


def _max_pool(x: Tensor) -> Tensor:
    return F.max_pool2d(x, kernel_size=2)


def _average_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, kernel_size=2)


def _channels_last(*layers: nn.Conv2d) -> None:
    """Keep the weights in the order in which the fast way's maps are: it saves copies."""
    for layer in layers:
        layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)


def _by_side(maps: Sequence[Tensor]) -> list[Tensor]:
    """Neighbours of the same size as one batch."""
    return [torch.cat(list(run)) for _, run in groupby(maps, key=lambda x: x.shape[-1])]


class Network(nn.Module):
    """What both networks share: how a molecule becomes an image, and the fully connected head."""

    conv1: nn.Conv2d

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

    def forward(self, molecules: Sequence[Molecule], *, dense: bool = False) -> Tensor:
        """Logits, (N, 2).

        Parameters
        ----------
        molecules
            A batch.
        dense
            Whether to compute them by the definition, from the whole pairing matrices. The fast
            way is the same function: outputs and gradients differ by rounding alone.
        """
        return self.classify(self.dense_maps(molecules) if dense else self.fast_maps(molecules))

    def dense_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """(N, 64, h, w) feature maps: the definition."""
        raise NotImplementedError

    def fast_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """(N, 64, h, w), the same from what is not repetition; by default no other way."""
        return self.dense_maps(molecules)

    def first_layer(
        self, molecules: Sequence[Molecule], sides: Sequence[int]
    ) -> tuple[list[Tensor], Tensor]:
        """Outputs of the first convolution, and where each molecule is among them.

        Parameters
        ----------
        sides
            How many rows and columns of each molecule's output to compute.

        Returns
        -------
        maps, places
            (g, 32, side, side) for each different side in ascending order; (N,) such that
            ``torch.cat(...)[places]`` of what becomes of the maps is in the order of the molecules.
        """
        order = sorted(range(len(molecules)), key=sides.__getitem__)
        maps = convolve(self.conv1, [molecules[n] for n in order], [sides[n] for n in order])
        return maps, torch.tensor(order, device=maps[0].device).argsort()


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
        _channels_last(self.conv2, self.conv3)

    def dense_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """(N, 64, 4, 4) feature maps by the definition, one molecule after the other."""
        maps = []
        for molecule in molecules:
            x = _sum_pool(F.relu(self.conv1(self.image(molecule)[None])))
            x = _max_pool(F.relu(self.conv2(x)))
            maps.append(F.adaptive_avg_pool2d(F.relu(self.conv3(x)), 4))
        return torch.cat(maps)

    def fast_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """(N, 64, 4, 4), the same, molecules of the same size together."""
        # Of (L + 9) // 4 + 1 rows of the first convolution, an odd last one is never pooled.
        pooled = [((len(molecule.codes) + 9) // 4 + 1) // 2 for molecule in molecules]
        batches, places = self.first_layer(molecules, [2 * n for n in pooled])
        batches = [self.conv2(_sum_pool(F.relu(x))) for x in batches]
        # ReLU after pooling is the same as before, and a quarter of the work.
        batches = _by_side([F.relu(_max_pool(x)) for x in batches])
        batches = [F.relu(self.conv3(x)) for x in batches]
        # A map that is 4 × 4 already, as most hairpins' is, is what the pooling makes of it.
        pools = [x if x.shape[-1] == 4 else F.adaptive_avg_pool2d(x, 4) for x in batches]
        return torch.cat(pools)[places]


class FixedNetwork(Network):
    """Fixed-sized input, Figure 2B: every molecule zero-padded right and below to 400 × 400.

    Kernel sizes, strides, paddings and widths as in `VariableNetwork`.
    """

    def __init__(self, *, pairing: bool = True) -> None:
        super().__init__(pairing, features=64 * 6 * 6)
        self.side = FIXED_SIDE
        self.conv1 = nn.Conv2d(CHANNELS if pairing else CHANNELS - 1, 32, 11, stride=4, padding=2)
        self.norm1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 5, stride=2, padding=2)
        self.norm2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        _channels_last(self.conv2, self.conv3)

    def forward(self, molecules: Sequence[Molecule], *, dense: bool = False) -> Tensor:
        """Logits, (N, 2), see `Network.forward`; a molecule that does not fit: `InputError`."""
        longest = max(len(molecule.codes) for molecule in molecules)
        if longest > self.side:
            raise InputError(
                f"an RNA of {longest} nt does not fit the fixed-sized network, which takes up to "
                f"{self.side}: leave it out or use the variable-sized network"
            )
        return super().forward(molecules, dense=dense)

    def dense_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """(N, 64, 6, 6) feature maps by the definition."""
        images = [self.image(molecule) for molecule in molecules]
        margins = [self.side - image.shape[-1] for image in images]
        x = torch.stack([F.pad(x, (0, m, 0, m)) for x, m in zip(images, margins, strict=True)])
        x = self.norm1(_sum_pool(F.relu(self.conv1(x))))
        x = self.norm2(_max_pool(F.relu(self.conv2(x))))
        return _average_pool(F.relu(self.conv3(x)))

    def fast_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """(N, 64, 6, 6), the same, computed only where the molecules are.

        Of every layer there are two parts: `empty`, the maps of an image without a molecule, one
        for the whole batch; and `x`, how the maps of each molecule differ from them. That
        difference is 0 but in the corner that the molecule reaches, also in the zero padding, and
        a convolution of the difference is the difference of the convolutions.
        """
        # Of the first convolution's 99 rows, window (L + 1) // 4 is the last to meet the molecule;
        # 49 are left after pooling, which never sees an odd last row.
        pooled = [min(((len(molecule.codes) + 1) // 4 + 2) // 2, 49) for molecule in molecules]
        x, places = self.first_layer(molecules, [2 * n for n in pooled])
        bias = self.conv1.bias
        assert bias is not None
        empty = 4 * F.relu(bias)[:, None, None]
        x = [_sum_pool(F.relu(y)) - empty for y in x]
        scale, empty = normalised(self.norm1, empty, x, positions=len(molecules) * 49 * 49)

        # 25 rows, of which 24 are pooled: the first meets the border, the others are all alike.
        alike = F.conv2d(
            empty.expand(1, -1, 5, 5), self.conv2.weight, self.conv2.bias, stride=2, padding=2
        )
        rows = torch.arange(24, device=empty.device).clamp(max=1)
        empty = alike[0][:, rows[:, None], rows]
        x = [reached(y, self.conv2, scale, limit=24) for y in x]
        x = _by_side([pooled_difference(_max_pool, y, empty) for y in x])
        empty = _max_pool(F.relu(empty))
        scale, empty = normalised(self.norm2, empty, x, positions=len(molecules) * 12 * 12)

        x = [reached(y, self.conv3, scale, limit=12) for y in x]
        empty = self.conv3(empty)
        x = [pooled_difference(_average_pool, y, empty) for y in x]
        x = [F.pad(y, (0, 6 - y.shape[-1], 0, 6 - y.shape[-1])) for y in x]
        return torch.cat(x)[places] + _average_pool(F.relu(empty))


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
