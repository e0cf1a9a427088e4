"""A two-dimensional network on a band of the pairing matrix, along the main stem.

The base pairs of a stem are a line in the matrix that runs from the corner to the diagonal. The
band is that line and the cells next to it, as a narrow image: a row for each base of the 5′ strand,
a column for each shift of the 3′ strand. A stem is a vertical line in it, a bulge shifts the line.
It is here to be compared with `mirpair.networks.stem`, see docs/finder.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.contracts import ALPHABET
from mirpair.networks.base import Network
from mirpair.networks.stem import OF_STEM, SCALARS, TRIMMED, scalars_of
from mirpair.recipes import Model
from mirpair.rna.duplex import main_stem
from mirpair.rna.encoding import Encoded, Molecule

_BASES = len(ALPHABET)
# One-hot bases i and j, and 1 where they pair.
CHANNELS = 2 * _BASES + 1
# Shifts of the 3′ strand: from 8 bases towards the open end to 7 towards the loop.
SHIFTS = range(-8, 8)
_WIDTH, _HIDDEN, _BLOCKS, _KERNEL = 32, 128, 3, 3
_POOLED = 2 ** (_BLOCKS - 1)
_DROPPED = 0.1
# Cells without two bases have the last symbol.
_SYMBOLS = 2 * _BASES * _BASES


class Band(NamedTuple):
    """A molecule as this network reads it.

    Attributes
    ----------
    symbols
        (R, 16): each cell as one number, of its two bases and whether they pair.
    scalars
        See `mirpair.networks.stem.scalars_of`.
    room
        Number of rows at the open end that training may cut off.
    """

    symbols: npt.NDArray[np.uint8]
    scalars: npt.NDArray[np.float32]
    room: int

    @property
    def codes(self) -> npt.NDArray[np.uint8]:
        """As a molecule has them: what is computed together is sorted by their number."""
        return self.symbols


def band_of(molecule: Molecule) -> Band:
    """Compute the network's input of a molecule.

    With i + j = c for the middle base pair of the main stem (without pairs: for the two ends), row
    i and shift d stand for the bases i and j = c - i + d. Rows go from the open end to the loop, as
    far as there are cells with i < j.
    """
    length = len(molecule.codes)
    left, right = main_stem(molecule.partner)
    sums = sorted(i + j for i, j in zip(left, right, strict=True)) or [length - 1]
    centre = sums[len(sums) // 2]
    first = max(0, centre + SHIFTS[0] - length + 1)
    end = min(length - 1, (centre + SHIFTS[-1] + 1) // 2)
    i = np.arange(first, max(first + 1, end))[:, None]
    j = centre - i + np.array(SHIFTS)
    inside = (i < j) & (j < length)
    j = np.where(inside, j, 0)
    pairs = molecule.partner[i] == j
    symbols = (molecule.codes[i].astype(int) * _BASES + molecule.codes[j]) * 2 + pairs
    room = (left[0] - first if left else 0) + int(OF_STEM * len(left))
    return Band(
        np.where(inside, symbols, _SYMBOLS).astype(np.uint8),
        scalars_of(molecule, len(left)),
        min(max(0, room), len(i) - 1),
    )


def _one_hot() -> Tensor:
    """(symbols + 1, CHANNELS): what each symbol stands for."""
    i, j, pairs = np.unravel_index(np.arange(_SYMBOLS), (_BASES, _BASES, 2))
    table = np.zeros((_SYMBOLS + 1, CHANNELS), dtype=np.float32)
    table[np.arange(_SYMBOLS), i] = 1
    table[np.arange(_SYMBOLS), _BASES + j] = 1
    table[:-1, -1] = pairs
    return torch.from_numpy(table)


class _Block(nn.Module):
    """Two convolutions and a shortcut around them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(_WIDTH, _WIDTH, _KERNEL, padding=_KERNEL // 2, bias=False)
        self.norm1 = nn.BatchNorm2d(_WIDTH)
        self.conv2 = nn.Conv2d(_WIDTH, _WIDTH, _KERNEL, padding=_KERNEL // 2, bias=False)
        self.norm2 = nn.BatchNorm2d(_WIDTH)


class BandNetwork(Network):
    """The network on a band: that of `mirpair.networks.stem` with one more dimension.

    Batch normalisation computes its mean and variance from the cells of all molecules of a batch.
    Training cuts rows off the open end of some molecules.
    """

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.conv = nn.Conv2d(CHANNELS, _WIDTH, _KERNEL, padding=_KERNEL // 2, bias=False)
        self.norm = nn.BatchNorm2d(_WIDTH)
        self.blocks = nn.ModuleList(_Block() for _ in range(_BLOCKS))
        self.between = nn.Dropout(_DROPPED)
        self.hidden = nn.Linear(2 * _WIDTH + SCALARS, _HIDDEN)
        self.output = nn.Linear(_HIDDEN, self.columns)
        self.register_buffer("one_hot", _one_hot(), persistent=False)

    @property
    def channels(self) -> int:
        return CHANNELS

    @property
    def input_name(self) -> str:
        return f"band, and {SCALARS} numbers"

    def prepare(self, molecules: Sequence[Encoded]) -> Sequence[Band]:
        """Compute the bands of all molecules once, before many passes over them."""
        return [self._band(cast(Molecule, molecule)) for molecule in molecules]

    def image(self, molecule: Molecule | Band) -> Tensor:
        """Make the (CHANNELS, R, 16) input, on the network's device and in its precision."""
        return self._cells(self._band(molecule).symbols).permute(2, 0, 1)

    def features(self, molecules: Sequence[Any], *, dense: bool = False) -> Tensor:
        """Compute features, (N, 128), of molecules or of what `prepare` made of them."""
        bands = [self._band(molecule) for molecule in molecules]
        if self.training:
            draws = torch.rand(len(bands), 2).numpy()
            cuts = np.where(draws[:, 0] < TRIMMED, draws[:, 1], 0)
            bands = [
                it._replace(symbols=it.symbols[int(cut * (it.room + 1)) :])
                for it, cut in zip(bands, cuts.tolist(), strict=True)
            ]
        maps = self.dense_maps(bands) if dense else self.fast_maps(bands)
        scalars = torch.from_numpy(np.stack([it.scalars for it in bands])).to(maps)
        return self.head(torch.cat([maps, scalars], dim=1))

    def head(self, x: Tensor) -> Tensor:
        """Turn maps and scalars, (N, 2 · 32 + 6), into features, (N, 128)."""
        return cast(Tensor, self.drop(F.relu(self.hidden(self.drop(x)))))

    def dense_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the maximum and the mean of 32 maps, (N, 2 · 32), by the definition."""
        maps = [self.conv(self.image(molecule)[None]) for molecule in molecules]
        maps = [F.relu(x) for x in self._normalised(maps, self.norm)]
        for number, block in enumerate(self._blocks()):
            if number:
                maps = [F.max_pool2d(x, 2, ceil_mode=True) for x in maps]
            inner = self._normalised([block.conv1(x) for x in maps], block.norm1)
            inner = [block.conv2(self.between(F.relu(x))) for x in inner]
            inner = self._normalised(inner, block.norm2)
            maps = [F.relu(x + y) for x, y in zip(maps, inner, strict=True)]
        return torch.cat([torch.cat([x.amax((2, 3)), x.mean((2, 3))], dim=1) for x in maps])

    def _normalised(self, maps: Sequence[Tensor], norm: nn.BatchNorm2d) -> list[Tensor]:
        """Normalise (1, C, R, W) maps over all cells of all of them."""
        together: Tensor = norm(torch.cat(list(maps), dim=2))
        return list(
            together.split([x.shape[2] for x in maps], dim=2)  # type: ignore[no-untyped-call]
        )

    def fast_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the same on one image of all molecules, one below the other.

        As in `mirpair.networks.stem`: each molecule has a multiple of four rows, of which at least
        the last four are empty and stay 0, so that no layer mixes two molecules.
        """
        symbols = [self._band(molecule).symbols for molecule in molecules]
        rows = np.array([len(it) for it in symbols])
        places = (-(-rows // _POOLED) + 1) * _POOLED
        tape = np.full((places.sum(), len(SHIFTS)), _SYMBOLS, dtype=np.uint8)
        at = _rows_at(rows, places)
        tape[at] = np.concatenate(symbols)
        x = self._cells(tape).permute(2, 0, 1)[None]
        full = torch.from_numpy(at).to(x.device)
        x = _on_tape(F.relu(self.norm(self.conv(x)[:, :, full])), full, x.shape[2])
        for number, block in enumerate(self._blocks()):
            if number:
                x = F.max_pool2d(x, 2)
                rows, places = -(-rows // 2), places // 2
                full = torch.from_numpy(_rows_at(rows, places)).to(x.device)
            y = self.between(F.relu(block.norm1(block.conv1(x)[:, :, full])))
            y = block.norm2(block.conv2(_on_tape(y, full, x.shape[2]))[:, :, full])
            x = _on_tape(F.relu(x[:, :, full] + y), full, x.shape[2])
        sizes = torch.from_numpy(places).to(x.device)
        cells = torch.from_numpy(rows).to(x)[:, None] * x.shape[3]
        highest = torch.segment_reduce(x.amax(3)[0].T.contiguous(), "max", lengths=sizes)
        total = torch.segment_reduce(x.sum(3)[0].T.contiguous(), "sum", lengths=sizes)
        return torch.cat([highest, total / cells], dim=1)

    def _blocks(self) -> Sequence[_Block]:
        return cast(Sequence[_Block], self.blocks)

    def _cells(self, symbols: npt.NDArray[np.uint8]) -> Tensor:
        """Look up the channels of cells, (…, CHANNELS)."""
        table = cast(Tensor, self.one_hot).to(self.output.weight)
        return table[torch.from_numpy(symbols.astype(np.int64)).to(table.device)]

    @staticmethod
    def _band(molecule: Molecule | Band) -> Band:
        return molecule if isinstance(molecule, Band) else band_of(molecule)


def _rows_at(rows: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the places on the tape of the rows of all molecules."""
    before = np.cumsum(places) - places - (np.cumsum(rows) - rows)
    at: npt.NDArray[np.int64] = np.arange(rows.sum()) + np.repeat(before, rows)
    return at


def _on_tape(x: Tensor, at: Tensor, length: int) -> Tensor:
    """Put rows, (1, C, rows, W), back on an empty tape, (1, C, length, W)."""
    empty = x.new_zeros(1, x.shape[1], length, x.shape[3])
    return empty.index_copy(2, at, x)


NETWORKS: dict[str, type[Network]] = {"band": BandNetwork}
