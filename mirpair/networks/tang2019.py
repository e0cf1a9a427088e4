"""The networks of Tang & Sun 2019: on matrices of base pairs, and on the one-hot sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.networks.base import Network, check_fit, initialise, max_pool
from mirpair.recipes import MatrixKind, Model
from mirpair.rna.encoding import Encoded, Ensemble, matrices, pair_values


class _ByteDropout(nn.Module):
    """Dropout with a random byte for each value; random floats would double the time of a step.

    The probability is exact to 1/256.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        dropped = round(256 * self.p)
        if not (self.training and dropped):
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device)
        draws = words.random_(-(2**63), None).view(torch.uint8)[: x.numel()].view(x.shape)
        return x * (draws >= dropped).to(x.dtype).mul_(256 / (256 - dropped))


def _glorot(network: nn.Module) -> None:
    """Initialise weights as Keras does: uniform after Glorot and Bengio 2010, biases zero.

    With the ranges of PyTorch's defaults, the one-hot network hardly learns 164 families in 20
    epochs.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)


class MatrixNetwork(Network):
    """The network of the encodings pair, prob and mixed, Tang & Sun 2019.

    Every 200 × 200 matrix is zero but for a few hundred base pairs near its upper left corner.
    """

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.drop = _ByteDropout(model.dropout)
        self.kind = cast(MatrixKind, model.architecture)
        self.conv1 = nn.Conv2d(self.channels, 32, 2)
        self.conv2 = nn.Conv2d(32, 64, 2)
        self.hidden = nn.Linear(49 * 49 * 64, 128)
        self.hidden2 = nn.Linear(128, 64)
        self.output = nn.Linear(64, self.columns)
        _glorot(self)

    @property
    def channels(self) -> int:
        return 2 if self.model.architecture == "mixed" else 1

    def image(self, molecule: Any) -> Tensor:
        """Make the (channels, 200, 200) matrices, on the network's device in its precision."""
        weight = self.output.weight
        dtype = np.float64 if weight.dtype == torch.float64 else np.float32
        dense = matrices(molecule, self.kind, size=self.longest, dtype=dtype)
        return torch.from_numpy(dense).to(weight.device)

    def features(self, molecules: Sequence[Encoded], *, dense: bool = False) -> Tensor:
        """Compute features, (N, 64); a molecule that does not fit is an `InputError`."""
        check_fit(molecules, self.longest, self.model.architecture)
        return super().features(molecules, dense=dense)

    def head(self, x: Tensor) -> Tensor:
        """Turn feature maps, (N, 49, 49, 64), into features, (N, 64)."""
        x = self.drop(F.relu(self.hidden(self.drop(x.flatten(1)))))
        features: Tensor = self.drop(F.relu(self.hidden2(x)))
        return features

    def dense_maps(self, molecules: Sequence[Ensemble]) -> Tensor:
        """Compute (N, 49, 49, 64) feature maps by the definition."""
        x = torch.stack([self.image(molecule) for molecule in molecules])
        x = max_pool(F.relu(self.conv1(x)))
        x = max_pool(F.relu(self.conv2(x)))
        return x.permute(0, 2, 3, 1)

    def fast_maps(self, molecules: Sequence[Ensemble]) -> Tensor:
        """Compute the same, (N, 49, 49, 64), only where there are base pairs.

        A cell of a pooled map sees 3 × 3 cells of the convolution's input. If these are as in an
        empty matrix, so is the cell: number 0 stands for all such cells.
        """
        weight = self.output.weight
        count, longest = len(molecules), max(len(molecule.codes) for molecule in molecules)
        side = min(longest + 2, self.longest)
        images = torch.zeros(count, side, side, self.channels, dtype=weight.dtype)
        for image, molecule in zip(images.numpy(), molecules, strict=True):
            image[molecule.i, molecule.j] = pair_values(molecule, self.kind).T
        images = images.to(weight.device)

        active = F.max_pool2d(images.amax(3), 3, stride=2).nonzero(as_tuple=True)
        seen = images.unfold(1, 3, 2).unfold(2, 3, 2)
        patches = torch.cat([images.new_zeros(1, self.channels, 3, 3), seen[active]])
        cells = _pooled_convolution(self.conv1, patches.permute(0, 2, 3, 1))
        number = _numbers(active, (count, 99, 99))

        active = F.max_pool2d((number > 0).to(weight.dtype), 3, stride=2).nonzero(as_tuple=True)
        seen = number.unfold(1, 3, 2).unfold(2, 3, 2)
        seen = torch.cat([seen.new_zeros(1, 3, 3), seen[active]])
        cells = _pooled_convolution(self.conv2, F.embedding(seen, cells))
        return F.embedding(_numbers(active, (count, 49, 49)), cells)


def _numbers(active: tuple[Tensor, ...], shape: tuple[int, ...]) -> Tensor:
    """Number the active cells of an array 1, 2, … in their order; the others are 0."""
    numbers = torch.zeros(shape, dtype=torch.int32, device=active[0].device)
    numbers[active] = torch.arange(1, len(active[0]) + 1, dtype=torch.int32, device=numbers.device)
    return numbers


def _pooled_convolution(conv: nn.Conv2d, patches: Tensor) -> Tensor:
    """Turn (M, 3, 3, C) into (M, C'): 2 × 2 convolution, ReLU, maximum of the four outputs."""
    assert conv.bias is not None
    corners = [patches[:, i : i + 2, j : j + 2].flatten(1) for i in (0, 1) for j in (0, 1)]
    outputs = torch.cat(corners) @ conv.weight.permute(2, 3, 1, 0).flatten(0, 2)
    # Bias and ReLU commute with the maximum, which leaves a quarter of the values.
    return F.relu(outputs.view(4, -1, conv.out_channels).amax(0) + conv.bias)


class OneHotNetwork(Network):
    """The network of the one-hot encoding, Tang & Sun 2019: only the sequence, 200 × 4."""

    WIDTHS = range(2, 17, 2)

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.convolutions = nn.ModuleList(nn.Conv1d(4, 256, width) for width in self.WIDTHS)
        self.hidden = nn.Linear(256 * len(self.WIDTHS), 512)
        self.output = nn.Linear(512, self.columns)
        _glorot(self)

    @property
    def channels(self) -> int:
        return 4

    def image(self, molecule: Any) -> Tensor:
        """Make the (4, 200) one-hot sequence, on the network's device in its precision."""
        return self._one_hot([molecule], self.longest)[0].T

    def _one_hot(self, molecules: Sequence[Encoded], size: int) -> Tensor:
        """Make one-hot sequences, (N, size, 4), zero after the end of each."""
        images = np.zeros((len(molecules), size, 4), dtype=np.float32)
        for image, molecule in zip(images, molecules, strict=True):
            image[np.arange(len(molecule.codes)), molecule.codes] = 1
        weight = self.hidden.weight
        return torch.from_numpy(images).to(weight.device, weight.dtype)

    def features(self, molecules: Sequence[Encoded], *, dense: bool = False) -> Tensor:
        """Compute features, (N, 512); a molecule that does not fit is an `InputError`."""
        check_fit(molecules, self.longest, "one-hot")
        return super().features(molecules, dense=dense)

    def head(self, x: Tensor) -> Tensor:
        """Turn feature maps, (N, 2048), into features, (N, 512)."""
        return F.relu(self.hidden(self.drop(x)))

    def dense_maps(self, molecules: Sequence[Encoded]) -> Tensor:
        """Compute the greatest outputs, (N, 2048), by the definition."""
        x = torch.stack([self.image(molecule) for molecule in molecules])
        return torch.cat([F.relu(conv(x)).amax(2) for conv in self.convolutions], dim=1)

    def fast_maps(self, molecules: Sequence[Encoded]) -> Tensor:
        """Compute the same, (N, 2048); only the windows with the maximum get a gradient.

        The input ends one window behind the longest molecule. All later windows are empty; a
        molecule with empty windows among the 200 keeps at least one, so the maximum stays.
        """
        longest = max(len(molecule.codes) for molecule in molecules)
        x = self._one_hot(molecules, min(longest + max(self.WIDTHS), self.longest))
        rows = torch.arange(len(x), device=x.device)[:, None]
        greatest = []
        for conv in cast(Sequence[nn.Conv1d], self.convolutions):
            assert conv.bias is not None
            windows = x.unfold(1, conv.kernel_size[0], 1).transpose(2, 3).flatten(2)
            weight = conv.weight.transpose(1, 2).flatten(1)
            if torch.is_grad_enabled():
                with torch.no_grad():
                    best = (windows @ weight.T).max(dim=1).indices
                outputs = (windows[rows, best] * weight).sum(2)
            else:  # finding the positions takes as long as all the rest
                outputs = (windows @ weight.T).amax(dim=1)
            greatest.append(F.relu(outputs + conv.bias))
        return torch.cat(greatest, dim=1)


NETWORKS: dict[str, type[Network]] = {
    **dict.fromkeys(("pair", "prob", "mixed"), MatrixNetwork),
    "one-hot": OneHotNetwork,
}


def build(model: Model, *, seed: int, classes: Sequence[str] = ()) -> Network:
    """Make a network of Tang & Sun; parameters as in `mirpair.networks.build.build`."""
    return initialise(NETWORKS, model, seed, classes)
