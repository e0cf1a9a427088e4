"""Layers of a pairing matrix, computed without its repetition and without its empty part.

First, `convolve`: the first convolution of pairing matrices, computed without making them.

A pairing matrix is almost all repetition: channels 1–4 are the same in every column, channels 5–8
in every row, and channel 0 has at most one entry in a row. Write x_c(i) for the one-hot of base i
(0 outside the molecule), v(i) = 1 inside the molecule and 0 outside, P(i, j) for channel 0, s for
the stride and p for the padding. With weights W and bias β the convolution is exactly

    Y[o,a,b] = β[o] + Σ_w v(sb+w-p) R[o,a,w]     R[o,a,w] = Σ_{u,c} W[o,1+c,u,w] x_c(sa+u-p)
                    + Σ_u v(sa+u-p) C[o,b,u]     C[o,b,u] = Σ_{w,c} W[o,5+c,u,w] x_c(sb+w-p)
                    + Σ_{u,w} W[o,0,u,w] P(sa+u-p, sb+w-p)

The first sum depends on b only through its *cut*: the w that lie inside the molecule, which are all
of them except near its ends. So we make a table: a row for each a and each cut that occurs, with β
plus the sum of R over the cut, and a row for each b and each cut with the sum of C. The table is
one product of the one-hot windows with weights that were summed before. Each output is then the sum
of two rows of the table, for (a, cut of b) and (b, cut of a), and of the few weights of channel 0
that a base pair meets, times the energy. For a hairpin of 94 nt, the convolution's 24 million
multiplications become less than one million.

Then, for networks of fixed size: `normalised`, `reached` and `pooled_difference` compute layers of
a large, mostly empty image only in the corner that is not empty. A layer's maps have two parts.
`empty`, (C, S, S), are the maps of an image without a molecule, the same for all of a batch, and
the same everywhere except along the border. The *differences* of the maps of g molecules from it,
(g, C, s, s) with s ≤ S, are in the upper left corner; outside the corner, and in the zero padding
around the maps, they are 0. A convolution of a difference is the difference of the convolutions,
and reaches only some rows further.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.contracts import ALPHABET
from mirpair.rna.encoding import CHANNELS, Molecule

_BASES = len(ALPHABET)
# Number of footprints in the cache, and the greatest length (nt) of a molecule in it. Training
# needs the same molecules in every epoch; long ones would take much memory and save little time.
# The cache takes at most 0.9 GB, if all are that long; 0.3 GB at 94 nt.
REMEMBERED = 2**15
REMEMBERED_LENGTH = 200
_Cuts = tuple[tuple[int, int], ...]
_Indices = npt.NDArray[np.int32]


def convolve(
    conv: nn.Conv2d, molecules: Sequence[Molecule], sides: Sequence[int], *, soft: float = 0.0
) -> list[Tensor]:
    """Compute the upper left corner of ``conv(pairing matrix)`` of each molecule.

    Parameters
    ----------
    conv
        A square convolution with bias over the 9 channels of `mirpair.rna.encoding.dense`, or over
        the last 8 of them.
    molecules, sides
        Molecules, and the number of rows and columns to compute of each, in ascending order.
        Where no window reaches the molecule, the output is the bias.
    soft
        As `mirpair.rna.encoding.dense` takes it.

    Returns
    -------
    list of Tensor
        (g, channels, side, side) for each run of g molecules with the same side; channels are last
        in memory.
    """
    geometry = _Geometry(conv.kernel_size[0], conv.stride[0], int(conv.padding[0]))
    footprints = [
        _footprint(molecule, side, geometry)
        for molecule, side in zip(molecules, sides, strict=True)
    ]
    # Molecules whose ends cut the kernel in the same way are neighbours in the table.
    order = sorted(range(len(molecules)), key=lambda n: footprints[n].cuts)
    table = _table(conv, [footprints[n] for n in order], soft)
    y = _sum_rows(table, [footprint.bases for footprint in footprints], order)
    if conv.in_channels == CHANNELS:
        weights = conv.weight[:, 0].flatten(1).t().repeat(len(molecules), 1)
        energies = np.array([molecule.mfe for molecule in molecules])
        y += _sum_rows(weights, [x.pairs for x in footprints], range(len(molecules)), energies)
    runs = [(len(list(run)), side) for side, run in groupby(sides)]
    parts = torch.split(y, [count * side * side for count, side in runs])
    return [
        part.view(count, side, side, -1).permute(0, 3, 1, 2)
        for part, (count, side) in zip(parts, runs, strict=True)
    ]


class _Geometry(NamedTuple):
    kernel: int
    stride: int
    padding: int


class _Csr(NamedTuple):
    """A sparse matrix of ones: column indices row by row, and where each row begins."""

    indices: _Indices
    starts: _Indices


class _Sums(NamedTuple):
    """The outputs of one molecule as sums of rows of its part of a table.

    A sparse matrix S of ones (outputs × table rows), and its transpose: the outputs are S · table,
    the gradient of the table is Sᵀ · that of the outputs.
    """

    matrix: _Csr
    transpose: _Csr


class _Footprint(NamedTuple):
    """All that the convolution of a molecule needs besides the weights."""

    # (side, kernel · 4 + 1) one-hot of the bases in each window, and a 1 for the bias.
    windows: npt.NDArray[np.uint8]
    # The K different parts [from, to) of the kernel that lie inside the molecule.
    cuts: _Cuts
    # Outputs, (side, side), as sums of the table's rows, (side, 2, K).
    bases: _Sums
    # Outputs as sums of the weights of channel 0, (kernel, kernel).
    pairs: _Sums


def _footprint(molecule: Molecule, side: int, geometry: _Geometry) -> _Footprint:
    codes = np.asarray(molecule.codes, dtype=np.uint8).tobytes()
    partner = np.asarray(molecule.partner, dtype=np.int32).tobytes()
    find = _remembered_footprint if len(codes) <= REMEMBERED_LENGTH else _find_footprint
    return find(codes, partner, side, geometry)


def _find_footprint(codes: bytes, partner: bytes, side: int, geometry: _Geometry) -> _Footprint:
    kernel, stride, padding = geometry
    length = len(codes)
    tape = np.full(max(padding + length, stride * (side - 1) + kernel), _BASES, dtype=np.uint8)
    tape[padding : padding + length] = np.frombuffer(codes, dtype=np.uint8)
    window = np.arange(0, stride * side, stride)[:, None] + np.arange(kernel)
    one_hot = np.eye(_BASES + 1, _BASES, dtype=np.uint8)[tape[window]].reshape(side, -1)
    windows = np.concatenate([one_hot, np.ones((side, 1), dtype=np.uint8)], axis=1)

    partners = np.frombuffer(partner, dtype=np.int32)
    paired = np.flatnonzero(partners >= 0)
    i, j = paired + padding, partners[paired] + padding
    # At most ⌈kernel / stride⌉ windows cover a position; the first axis numbers them.
    back = np.arange(-(-kernel // stride))[:, None]
    a, b = i // stride - back, j // stride - back
    u, w = i - a * stride, j - b * stride
    rows = (u < kernel) & (a >= 0) & (a < side)
    columns = (w < kernel) & (b >= 0) & (b < side)
    met = rows[:, None] & columns[None]
    output = ((a * side)[:, None] + b[None])[met]
    weight = ((u * kernel)[:, None] + w[None])[met]
    pairs = _sums(output, weight, outputs=side * side, rows=kernel * kernel)
    find = _remembered_cuts if length <= REMEMBERED_LENGTH else _find_cuts
    return _Footprint(windows, *find(length, side, geometry), pairs)


def _find_cuts(length: int, side: int, geometry: _Geometry) -> tuple[_Cuts, _Sums]:
    """Compute the parts of a footprint that depend only on the length: `cuts` and `bases`."""
    first = np.arange(side) * geometry.stride - geometry.padding
    ends = np.clip(np.stack([-first, length - first], axis=1), 0, geometry.kernel)
    cuts, cut = np.unique(ends, axis=0, return_inverse=True)
    row = np.empty((side, side, 2), dtype=np.int64)
    start = np.arange(side) * 2 * len(cuts)
    cut = cut.ravel()  # NumPy 2.0.0 gives it a second dimension
    row[:, :, 0] = start[:, None] + cut[None, :]
    row[:, :, 1] = start[None, :] + len(cuts) + cut[:, None]
    output = np.arange(side * side).repeat(2)
    bases = _sums(output, row.ravel(), outputs=side * side, rows=side * 2 * len(cuts))
    return tuple((low, high) for low, high in cuts.tolist()), bases


_remembered_footprint = lru_cache(maxsize=REMEMBERED)(_find_footprint)
_remembered_cuts = lru_cache(maxsize=512)(_find_cuts)


def _sums(
    output: npt.NDArray[np.int64], row: npt.NDArray[np.int64], *, outputs: int, rows: int
) -> _Sums:
    """Build the sums from pairs of an output and a table row, and the number of both."""
    by_output, by_row = np.argsort(output, kind="stable"), np.argsort(row, kind="stable")
    return _Sums(
        _Csr(row[by_output].astype(np.int32), _starts(np.bincount(output, minlength=outputs))),
        _Csr(output[by_row].astype(np.int32), _starts(np.bincount(row, minlength=rows))),
    )


def _starts(sizes: Sequence[int] | npt.NDArray[np.int64]) -> _Indices:
    starts: _Indices = (np.cumsum(sizes) - np.asarray(sizes)).astype(np.int32)
    return starts


def _table(conv: nn.Conv2d, footprints: Sequence[_Footprint], soft: float) -> Tensor:
    """Compute the table, (Σ side · 2 · K, channels), of molecules that are ordered by cuts."""
    every = sorted({cut for footprint in footprints for cut in footprint.cuts})
    kernel = np.arange(conv.kernel_size[0])
    inside = torch.from_numpy(np.array([(low <= kernel) & (kernel < high) for low, high in every]))
    inside = inside.to(conv.weight)
    rows = _softened(conv.weight[:, -2 * _BASES : -_BASES], soft)
    columns = _softened(conv.weight[:, -_BASES:], soft)
    of_rows = torch.einsum("ocuw,kw->ucko", rows, inside).flatten(0, 1)
    of_columns = torch.einsum("ocuw,ku->wcko", columns, inside).flatten(0, 1)
    # Every output has exactly one row of the first kind, so the bias goes into these.
    assert conv.bias is not None
    bias = conv.bias.expand(1, len(every), -1)
    summed = torch.stack(
        [torch.cat([of_rows, bias]), torch.cat([of_columns, torch.zeros_like(bias)])], dim=1
    )
    windows = torch.from_numpy(np.concatenate([footprint.windows for footprint in footprints]))
    windows = windows.to(summed)
    parts = []
    start = 0
    for cuts, run in groupby(footprints, key=lambda footprint: footprint.cuts):
        stop = start + sum(len(footprint.windows) for footprint in run)
        chosen = torch.tensor([every.index(cut) for cut in cuts], device=summed.device)
        part = windows[start:stop] @ summed.index_select(2, chosen).flatten(1)
        parts.append(part.view(-1, conv.out_channels))
        start = stop
    return torch.cat(parts)


def _softened(weights: Tensor, soft: float) -> Tensor:
    """Convert weights for {soft, 1 − soft} into weights for {0, 1} with the same outputs."""
    if not soft:
        return weights
    # One of a base's four channels is 1 − soft, the others are soft.
    return (1 - 2 * soft) * weights + soft * weights.sum(1, keepdim=True)


def _sum_rows(
    table: Tensor,
    sums: Sequence[_Sums],
    order: Sequence[int],
    weights: npt.NDArray[np.float64] | None = None,
) -> Tensor:
    """Compute all outputs of all molecules, (outputs, channels).

    `table` has the molecules' parts in the given order; `weights` are a factor for each molecule's
    rows.
    """
    ordered = [sums[n] for n in order]
    first_row = np.empty(len(sums), dtype=np.int32)
    first_row[order] = _starts([len(x.transpose.starts) for x in ordered])
    matrix = _stacked([x.matrix for x in sums], first_row, weights, table)
    if not table.requires_grad:
        return _product(matrix, table)
    first_output = _starts([len(x.matrix.starts) for x in sums])[order]
    weights = None if weights is None else weights[order]
    transpose = _stacked([x.transpose for x in ordered], first_output, weights, table)
    outputs: Tensor = _SparseProduct.apply(table, matrix, transpose)  # type: ignore[no-untyped-call]
    return outputs


class _Matrix(NamedTuple):
    """A `_Csr` as tensors, with the values of its entries unless they are 1."""

    indices: Tensor
    starts: Tensor
    values: Tensor | None


def _stacked(
    blocks: list[_Csr], shifts: _Indices, values: npt.NDArray[np.float64] | None, like: Tensor
) -> _Matrix:
    """Stack matrices below each other, shift the columns of each and multiply by its value."""
    sizes = [len(block.indices) for block in blocks]
    indices = _shifted([block.indices for block in blocks], shifts)
    starts = _shifted([block.starts for block in blocks], _starts(sizes))
    return _Matrix(
        torch.from_numpy(indices).to(like.device),
        torch.from_numpy(starts).to(like.device),
        None if values is None else torch.from_numpy(np.repeat(values, sizes)).to(like),
    )


def _shifted(arrays: list[_Indices], shifts: _Indices) -> _Indices:
    shifted = np.empty(sum(map(len, arrays)), dtype=np.int32)
    start = 0
    for array, shift in zip(arrays, shifts.tolist(), strict=True):
        stop = start + len(array)
        np.add(array, shift, out=shifted[start:stop])
        start = stop
    return shifted


class _SparseProduct(torch.autograd.Function):
    """The product of a constant sparse matrix, whose transpose is known, and a table.

    PyTorch's own gradient would compute the transpose by sorting in every step.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, matrix: _Matrix, transpose: _Matrix) -> Tensor:
        ctx.transpose = transpose
        return _product(matrix, table)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _product(ctx.transpose, gradients[0].contiguous()), None, None


def _product(matrix: _Matrix, table: Tensor) -> Tensor:
    # Four times as fast as PyTorch's product of a CSR tensor.
    indices, starts, values = matrix
    return F.embedding_bag(indices, table, starts, mode="sum", per_sample_weights=values)


def normalised(
    norm: nn.BatchNorm2d, empty: Tensor, differences: Sequence[Tensor], *, positions: int
) -> tuple[Tensor, Tensor]:
    """Normalise maps that are `empty` except for the differences in their corners.

    Parameters
    ----------
    norm
        In training, the batch's mean and variance are used, and update the running ones.
    empty
        (C, S, S), or (C, 1, 1) if it is the same everywhere.
    differences
        (g, C, s, s), s ≤ S, for all maps of the batch.
    positions
        Number of values that a channel has in the batch.

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
        # Σ (c + d)² = Σ c² + Σ d² + 2 Σ c d; only the first has terms outside the corners.
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
    """Convolve ``scale · x`` without bias: all rows that x reaches, made even, up to `limit`."""
    (stride, _), padding = conv.stride, int(conv.padding[0])
    weight = conv.weight if scale is None else conv.weight * scale
    # One more stride of padding gives all rows behind, and one row too many in front.
    y = F.conv2d(x, weight, stride=stride, padding=padding + stride)
    rows = y.shape[-1] - 1
    more = min(rows + rows % 2, limit) - rows
    return F.pad(y, (-1, more, -1, more))


def pooled_difference(pool: Callable[[Tensor], Tensor], x: Tensor, empty: Tensor) -> Tensor:
    """Apply ReLU and pooling to ``x + empty``, and subtract those of `empty`."""
    empty = empty[:, : x.shape[-1], : x.shape[-1]]
    return pool(F.relu(x + empty)) - pool(F.relu(empty))
