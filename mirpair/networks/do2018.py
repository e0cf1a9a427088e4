"""The networks of Do et al. 2018, Figure 2, layer by layer, and the paper's alternatives."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.networks.base import Network, check_fit, max_pool
from mirpair.networks.exact import convolve, normalised, pooled_difference, reached
from mirpair.recipes import Model
from mirpair.rna.encoding import CHANNELS, Encoded, Molecule, dense


def _sum_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, kernel_size=2, divisor_override=1)


def _average_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, kernel_size=2)


def _channels_last(*layers: nn.Conv2d) -> None:
    """Store weights with channels last, as `fast_maps` has its maps: that saves copies."""
    for layer in layers:
        layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)


def _by_side(maps: Sequence[Tensor]) -> list[Tensor]:
    """Join neighbours of the same size into batches."""
    return [torch.cat(list(run)) for _, run in groupby(maps, key=lambda x: x.shape[-1])]


def _in_full(corners: Sequence[Tensor], places: Tensor) -> Tensor:
    """Pad corners of 6 × 6 maps with zeros, in the order of the molecules."""
    padded = [F.pad(y, (0, 6 - y.shape[-1], 0, 6 - y.shape[-1])) for y in corners]
    return torch.cat(padded)[places]


class PairingNetwork(Network):
    """A network on the pairing matrix, by default with one fully connected layer of sigmoids."""

    conv1: nn.Conv2d

    @property
    def channels(self) -> int:
        return CHANNELS if self.model.pairing else CHANNELS - 1

    def image(self, molecule: Molecule) -> Tensor:
        """Make the (channels, L, L) pairing matrix, on the network's device in its precision."""
        weight = self.output.weight
        # Made in the network's precision: an energy rounded to float32 would stay rounded.
        dtype = np.float64 if weight.dtype == torch.float64 else np.float32
        array = dense(molecule, pairing=self.model.pairing, soft=self.model.soft, dtype=dtype)
        return torch.from_numpy(array.transpose(2, 0, 1)).to(weight.device)

    def head(self, x: Tensor) -> Tensor:
        """Turn feature maps, (N, C, h, w), into features, (N, D)."""
        x = torch.sigmoid(self.hidden(self.drop(x.flatten(1))))
        features: Tensor = self.drop(x)
        return features

    def first_layer(
        self, molecules: Sequence[Molecule], sides: Sequence[int]
    ) -> tuple[list[Tensor], Tensor]:
        """Compute the first convolution, and the position of each molecule in its output.

        Of each output, `sides` rows and columns are computed. The maps are (g, C, side, side) for
        each different side in ascending order; the positions are (N,) indices: once the maps are
        processed, ``torch.cat(...)[places]`` is in the order of the molecules.
        """
        order = sorted(range(len(molecules)), key=sides.__getitem__)
        ordered, ascending = [molecules[n] for n in order], [sides[n] for n in order]
        maps = convolve(self.conv1, ordered, ascending, soft=self.model.soft)
        return maps, torch.tensor(order, device=maps[0].device).argsort()


class _Unpadded(PairingNetwork):
    """A network that sees each molecule at its own size."""

    def maps(self, x: Tensor) -> Tensor:
        """Turn outputs of the first convolution, (g, C, side, side), into (g, C', h, w) maps."""
        raise NotImplementedError

    def dense_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """Compute (N, C', h, w) feature maps by the definition, molecule by molecule."""
        return torch.cat([self.maps(self.conv1(self.image(m)[None])) for m in molecules])

    def fast_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """Compute the same, (N, C', h, w), with molecules of the same size together."""
        conv = self.conv1
        margin = 2 * int(conv.padding[0]) - conv.kernel_size[0]
        sides = [(len(m.codes) + margin) // conv.stride[0] + 1 for m in molecules]
        batches, places = self.first_layer(molecules, sides)
        return torch.cat([self.maps(x) for x in batches])[places]


class VariableNetwork(_Unpadded):
    """The network for input of variable size, Figure 2A: each molecule at its own size.

    The paper does not give kernel sizes, strides, paddings and widths; they are those of the code
    that its authors published.
    """

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.hidden = nn.Linear(64 * 4 * 4, 256)
        self.output = nn.Linear(256, self.columns)
        self.conv1 = nn.Conv2d(self.channels, 32, 11, stride=4, padding=10)
        self.conv2 = nn.Conv2d(32, 64, 5, stride=2, padding=4)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        _channels_last(self.conv2, self.conv3)

    def maps(self, x: Tensor) -> Tensor:
        """Turn outputs of the first convolution, (g, 32, side, side), into (g, 64, 4, 4) maps."""
        x = F.relu(x)
        x = F.relu(self.conv2(_sum_pool(x) if self.model.pooling >= 2 else x))
        x = F.relu(self.conv3(max_pool(x) if self.model.pooling >= 3 else x))
        return F.adaptive_avg_pool2d(x, 4)

    def fast_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """Compute the same, (N, 64, 4, 4), with molecules of the same size together."""
        if self.model.pooling < 3:
            return super().fast_maps(molecules)
        # The first convolution has (L + 9) // 4 + 1 rows; an odd last one is never pooled.
        pooled = [((len(molecule.codes) + 9) // 4 + 1) // 2 for molecule in molecules]
        batches, places = self.first_layer(molecules, [2 * n for n in pooled])
        batches = [self.conv2(_sum_pool(F.relu(x))) for x in batches]
        # ReLU after pooling is the same as before, and a quarter of the work.
        batches = _by_side([F.relu(max_pool(x)) for x in batches])
        batches = [F.relu(self.conv3(x)) for x in batches]
        # Pooling to 4 × 4 does not change a map that is 4 × 4 already, as most hairpins' are.
        pools = [x if x.shape[-1] == 4 else F.adaptive_avg_pool2d(x, 4) for x in batches]
        return torch.cat(pools)[places]


class FixedNetwork(PairingNetwork):
    """The network for input of fixed size, Figure 2B: zero-padded right and below to 400 × 400.

    Kernel sizes, strides, paddings and widths as in `VariableNetwork`.
    """

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.hidden = nn.Linear(64 * 6 * 6, 256)
        self.output = nn.Linear(256, self.columns)
        self.side = self.longest
        self.conv1 = nn.Conv2d(self.channels, 32, 11, stride=4, padding=2)
        self.norm1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 5, stride=2, padding=2)
        self.norm2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        _channels_last(self.conv2, self.conv3)

    def features(self, molecules: Sequence[Encoded], *, dense: bool = False) -> Tensor:
        """Compute features, (N, 256); a molecule that does not fit is an `InputError`."""
        check_fit(molecules, self.side, "fixed-sized")
        return super().features(molecules, dense=dense)

    def padded(self, molecules: Sequence[Molecule]) -> Tensor:
        """Make the (N, channels, 400, 400) input."""
        images = [self.image(molecule) for molecule in molecules]
        margins = [self.side - image.shape[-1] for image in images]
        return torch.stack([F.pad(x, (0, m, 0, m)) for x, m in zip(images, margins, strict=True)])

    def dense_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """Compute (N, 64, 6, 6) feature maps by the definition."""
        x = self.norm1(_sum_pool(F.relu(self.conv1(self.padded(molecules)))))
        x = self.norm2(max_pool(F.relu(self.conv2(x))))
        return _average_pool(F.relu(self.conv3(x)))

    def fast_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """Compute the same, (N, 64, 6, 6), only where the molecules are.

        Each layer has two parts: `empty`, the maps of an image without a molecule, computed once
        for the batch; and `x`, the difference of each molecule's maps from them. The difference is
        0 outside the corner that the molecule reaches, and in the zero padding. A convolution of
        the difference is the difference of the convolutions.
        """
        # Window (L + 1) // 4 of the first convolution's 99 rows is the last to meet the molecule;
        # pooling leaves 49 and never sees the odd last row.
        pooled = [min(((len(molecule.codes) + 1) // 4 + 2) // 2, 49) for molecule in molecules]
        x, places = self.first_layer(molecules, [2 * n for n in pooled])
        bias = self.conv1.bias
        assert bias is not None
        empty = 4 * F.relu(bias)[:, None, None]
        x = [_sum_pool(F.relu(y)) - empty for y in x]
        scale, empty = normalised(self.norm1, empty, x, positions=len(molecules) * 49 * 49)

        # 24 of the 25 rows are pooled: the first meets the border, the others are all alike.
        alike = self.conv2(empty.expand(1, -1, 5, 5))[0]
        rows = torch.arange(24, device=empty.device).clamp(max=1)
        empty = alike[:, rows[:, None], rows]
        x = [reached(y, self.conv2, scale, limit=24) for y in x]
        x = _by_side([pooled_difference(max_pool, y, empty) for y in x])
        empty = max_pool(F.relu(empty))
        scale, empty = normalised(self.norm2, empty, x, positions=len(molecules) * 12 * 12)

        x = [reached(y, self.conv3, scale, limit=12) for y in x]
        empty = self.conv3(empty)
        x = [pooled_difference(_average_pool, y, empty) for y in x]
        return _in_full(x, places) + _average_pool(F.relu(empty))


class PublishedFixedNetwork(FixedNetwork):
    """The fixed-sized network of the code that the authors published.

    Unlike in Figure 2B, batch normalisation comes before ReLU and pooling, and the last pooling
    takes the maximum.
    """

    def dense_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """Compute (N, 64, 6, 6) feature maps by the definition."""
        x = _sum_pool(F.relu(self.norm1(self.conv1(self.padded(molecules)))))
        x = max_pool(F.relu(self.norm2(self.conv2(x))))
        return max_pool(F.relu(self.conv3(x)))

    def fast_maps(self, molecules: Sequence[Molecule]) -> Tensor:
        """Compute the same, (N, 64, 6, 6), only where the molecules are.

        As in `FixedNetwork.fast_maps`; batch normalisation counts a last row that is not pooled.
        """
        # The last of the 99 rows is alone in the 50th pair.
        reached_rows = [(len(molecule.codes) + 1) // 4 + 1 for molecule in molecules]
        x, places = self.first_layer(molecules, [min(n + n % 2, 99) for n in reached_rows])
        assert self.conv1.bias is not None
        empty = self.conv1.bias[:, None, None]
        x = [y - empty for y in x]
        scale, empty = normalised(self.norm1, empty, x, positions=len(molecules) * 99 * 99)
        everywhere = empty.expand(-1, 99, 99)
        x = _by_side([pooled_difference(_sum_pool, y * scale, everywhere) for y in x])
        empty = 4 * F.relu(empty)

        # 25 rows: the first and the last meet the border, the others are all alike.
        alike = self.conv2(empty.expand(1, -1, 5, 5))[0]
        rows = torch.tensor([0, *[1] * 23, 2], device=empty.device)
        empty = alike[:, rows[:, None], rows]
        x = [reached(y, self.conv2, limit=25) for y in x]
        scale, empty = normalised(self.norm2, empty, x, positions=len(molecules) * 25 * 25)
        x = _by_side([pooled_difference(max_pool, y * scale, empty) for y in x])
        empty = max_pool(F.relu(empty))

        x = [reached(y, self.conv3, limit=12) for y in x]
        empty = self.conv3(empty)
        x = [pooled_difference(max_pool, y, empty) for y in x]
        return _in_full(x, places) + max_pool(F.relu(empty))


def _overlapping_max_pool(x: Tensor) -> Tensor:
    return F.max_pool2d(x, kernel_size=3, stride=2, padding=1)


class AlexNetLike(_Unpadded):
    """AlexNet's layers at half its width, on each molecule at its own size.

    The paper does not describe its alternative. This one has five convolutions with AlexNet's
    kernels, three overlapping max-poolings, the downscaling to 4 × 4 instead of a fixed size, and
    three fully connected layers with ReLU and dropout (a quarter of the width, as the maps are
    small).
    """

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.hidden = nn.Linear(128 * 4 * 4, 1024)
        self.hidden2 = nn.Linear(1024, 1024)
        self.output = nn.Linear(1024, self.columns)
        self.conv1 = nn.Conv2d(self.channels, 32, 11, stride=4, padding=10)
        self.conv2 = nn.Conv2d(32, 96, 5, padding=2)
        self.conv3 = nn.Conv2d(96, 192, 3, padding=1)
        self.conv4 = nn.Conv2d(192, 128, 3, padding=1)
        self.conv5 = nn.Conv2d(128, 128, 3, padding=1)

    def maps(self, x: Tensor) -> Tensor:
        """Turn outputs of the first convolution, (g, 32, side, side), into (g, 128, 4, 4) maps."""
        x = _overlapping_max_pool(F.relu(x))
        x = _overlapping_max_pool(F.relu(self.conv2(x)))
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        x = _overlapping_max_pool(F.relu(self.conv5(x)))
        return F.adaptive_avg_pool2d(x, 4)

    def head(self, x: Tensor) -> Tensor:
        """Turn feature maps, (N, 128, 4, 4), into features, (N, 1024)."""
        x = F.relu(self.hidden(self.drop(x.flatten(1))))
        return F.relu(self.hidden2(self.drop(x)))


class _Residual(nn.Module):
    """Two 3×3 convolutions and a shortcut around them."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        stride = 1 if before == after else 2
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1)
        self.norm1 = nn.GroupNorm(after // 8, after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.norm2 = nn.GroupNorm(after // 8, after)
        self.around = nn.Identity() if before == after else nn.Conv2d(before, after, 1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + self.around(x))


class ResNetLike(_Unpadded):
    """ResNet-18's layers at a quarter of its width, on each molecule at its own size.

    The paper does not describe its alternative. This one has group normalisation (8 channels a
    group) instead of batch normalisation, because samples of different sizes come one by one.
    """

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.output = nn.Linear(128, self.columns)
        self.conv1 = nn.Conv2d(self.channels, 16, 7, stride=2, padding=3)
        self.norm1 = nn.GroupNorm(2, 16)
        steps = [(16, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
        self.blocks = nn.Sequential(*(_Residual(before, after) for before, after in steps))

    def maps(self, x: Tensor) -> Tensor:
        """Turn outputs of the first convolution, (g, 16, side, side), into (g, 128, 1, 1) maps."""
        x = self.blocks(_overlapping_max_pool(F.relu(self.norm1(x))))
        return F.adaptive_avg_pool2d(x, 1)

    def head(self, x: Tensor) -> Tensor:
        """Turn feature maps, (N, 128, 1, 1), into features, (N, 128)."""
        features: Tensor = self.drop(x.flatten(1))
        return features


def networks(model: Model) -> dict[str, type[Network]]:
    """Map the architectures of Do et al. to their networks, in the model's order of layers."""
    return {
        "variable": VariableNetwork,
        "fixed": FixedNetwork if model.order == "figure-2" else PublishedFixedNetwork,
        "alexnet": AlexNetLike,
        "resnet": ResNetLike,
    }
