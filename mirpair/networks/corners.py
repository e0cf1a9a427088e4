"""Layers of a large, mostly empty image, computed only in the corner that is not empty.

Of a layer's maps there are two parts. `empty` is what an image without a molecule gives, (C, S, S),
the same for a whole batch; it is the same everywhere but along the border. The *differences* from
it, (g, C, s, s) with s ≤ S, are how the maps of g molecules differ from it in their upper left
corner; beyond the corner, and in the zero padding around the maps, they are 0. A convolution of a
difference is the difference of the convolutions, and reaches only some rows further.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def normalised(
    norm: nn.BatchNorm2d, empty: Tensor, differences: Sequence[Tensor], *, positions: int
) -> tuple[Tensor, Tensor]:
    """Batch normalisation of maps that are `empty` but for the differences in their corners.

    Parameters
    ----------
    norm
        In training it takes, and notes, the batch's mean and variance.
    empty
        (C, S, S), or (C, 1, 1) if it is the same everywhere.
    differences
        (g, C, s, s), s ≤ S, of all maps of the batch.
    positions
        How many values a channel has in the batch.

    Returns
    -------
    scale, empty
        (C, 1, 1) factor of the differences, and the empty map, normalised.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    if norm.training:
        sums = [difference.sum(0) for difference in differences]
        mean = empty.mean((1, 2)) + torch.stack([s.sum((1, 2)) for s in sums]).sum(0) / positions
        centred = empty - mean[:, None, None]
        # Σ (c + d)² = Σ c² + Σ d² + 2 Σ c d, of which only the first has terms beyond the corners.
        more = [
            d.square().sum((0, 2, 3)) + 2 * (centred[:, : s.shape[1], : s.shape[1]] * s).sum((1, 2))
            for d, s in zip(differences, sums, strict=True)
        ]
        variance = centred.square().mean((1, 2)) + torch.stack(more).sum(0) / positions
        assert norm.num_batches_tracked is not None
        assert norm.momentum is not None
        with torch.no_grad():
            norm.num_batches_tracked.add_(1)
            norm.running_mean.lerp_(mean, norm.momentum)
            norm.running_var.lerp_(variance * (positions / (positions - 1)), norm.momentum)
    else:
        mean, variance = norm.running_mean, norm.running_var
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    shift = norm.bias - mean * scale
    return scale[:, None, None], empty * scale[:, None, None] + shift[:, None, None]


def reached(x: Tensor, conv: nn.Conv2d, scale: Tensor | None = None, *, limit: int) -> Tensor:
    """Convolution, without bias, of ``scale · x``: all rows that x reaches, made even, ≤ limit."""
    (stride, _), padding = conv.stride, int(conv.padding[0])
    weight = conv.weight if scale is None else conv.weight * scale
    # Padding by one stride more gives all of them behind, and before them one too many.
    y = F.conv2d(x, weight, stride=stride, padding=padding + stride)
    rows = y.shape[-1] - 1
    more = min(rows + rows % 2, limit) - rows
    return F.pad(y, (-1, more, -1, more))


def pooled_difference(pool: Callable[[Tensor], Tensor], x: Tensor, empty: Tensor) -> Tensor:
    """ReLU and pooling of ``x + empty``, less those of `empty`."""
    empty = empty[:, : x.shape[-1], : x.shape[-1]]
    return pool(F.relu(x + empty)) - pool(F.relu(empty))
