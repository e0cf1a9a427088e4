"""A two-dimensional network on a band of the pairing matrix, along the main stem.

The base pairs of a stem are a line in the matrix that runs from the corner to the diagonal. The
band is that line and the cells next to it, as a narrow image: a row for each base of the 5′ strand,
a column for each shift of the 3′ strand. A stem is a vertical line in it, a bulge shifts the line.
It is here to be compared with `mirpair.networks.stem`, see docs/finder.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from mirpair.contracts import ALPHABET
from mirpair.networks.base import Network
from mirpair.networks.hairpin import (
    OF_STEM,
    POOLED,
    SCALARS,
    Hairpin,
    HairpinNetwork,
    places_of,
    scalars_of,
)
from mirpair.recipes import Model
from mirpair.rna.duplex import main_stem
from mirpair.rna.encoding import Molecule

_BASES = len(ALPHABET)
# One-hot bases i and j, and 1 where they pair.
CHANNELS = 2 * _BASES + 1
# Shifts of the 3′ strand: from 8 bases towards the open end to 7 towards the loop.
SHIFTS = range(-8, 8)
_WIDTH, _FIRST_KERNEL = 32, 3
# Cells without two bases have the last symbol.
_SYMBOLS = 2 * _BASES * _BASES


def band_of(molecule: Molecule) -> Hairpin:
    """Compute the network's input of a molecule: a symbol for two bases and whether they pair.

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
    return Hairpin(
        np.where(inside, symbols, _SYMBOLS).astype(np.uint8),
        scalars_of(molecule, len(left)),
        min(max(0, room), len(i) - 1),
    )


def _one_hot() -> npt.NDArray[np.float32]:
    """(symbols + 1, CHANNELS): what each symbol stands for."""
    i, j, pairs = np.unravel_index(np.arange(_SYMBOLS), (_BASES, _BASES, 2))
    table = np.zeros((_SYMBOLS + 1, CHANNELS), dtype=np.float32)
    table[np.arange(_SYMBOLS), i] = 1
    table[np.arange(_SYMBOLS), _BASES + j] = 1
    table[:-1, -1] = pairs
    return table


class BandNetwork(HairpinNetwork):
    """The network on a band: 32 maps of its cells."""

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(
            model, classes, dimensions=2, width=_WIDTH, kernel=_FIRST_KERNEL, one_hot=_one_hot()
        )

    @property
    def input_name(self) -> str:
        return f"band, and {SCALARS} numbers"

    def read(self, molecule: Molecule) -> Hairpin:
        return band_of(molecule)

    def fast_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the same on one image of all molecules, one below the other.

        As in `mirpair.networks.stem`, each molecule has a multiple of four rows, of which at least
        the last four are empty and stay 0, so that no layer mixes two molecules.
        """
        symbols = [self.prepared(molecule).symbols for molecule in molecules]
        rows = np.array([len(it) for it in symbols])
        room = (-(-rows // POOLED) + 1) * POOLED
        tape = np.full((room.sum(), len(SHIFTS)), _SYMBOLS, dtype=np.uint8)
        at = places_of(rows, room)
        tape[at] = np.concatenate(symbols)
        x = self.looked_up(tape).permute(2, 0, 1)[None]
        full = torch.from_numpy(at).to(x.device)
        x = _on_tape(F.relu(self.norm(self.conv(x)[:, :, full])), full, x.shape[2])
        for number, block in enumerate(self.each_block()):
            if number:
                x = F.max_pool2d(x, 2)
                rows, room = -(-rows // 2), room // 2
                full = torch.from_numpy(places_of(rows, room)).to(x.device)
            y = self.between(F.relu(block.norm1(block.conv1(x)[:, :, full])))
            y = block.norm2(block.conv2(_on_tape(y, full, x.shape[2]))[:, :, full])
            x = _on_tape(F.relu(x[:, :, full] + y), full, x.shape[2])
        sizes = torch.from_numpy(room).to(x.device)
        cells = torch.from_numpy(rows).to(x)[:, None] * x.shape[3]
        highest = torch.segment_reduce(x.amax(3)[0].T.contiguous(), "max", lengths=sizes)
        total = torch.segment_reduce(x.sum(3)[0].T.contiguous(), "sum", lengths=sizes)
        return torch.cat([highest, total / cells], dim=1)


def _on_tape(x: Tensor, at: Tensor, length: int) -> Tensor:
    """Put rows, (1, C, rows, W), back on an empty tape, (1, C, length, W)."""
    empty = x.new_zeros(1, x.shape[1], length, x.shape[3])
    return empty.index_copy(2, at, x)


NETWORKS: dict[str, type[Network]] = {"band": BandNetwork}
