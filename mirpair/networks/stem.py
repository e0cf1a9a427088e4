"""A network that reads a hairpin as a duplex, from its open end to its loop.

The columns of `mirpair.rna.duplex` are its input: which bases face each other, and where the stem
ends. Its three blocks of one-dimensional convolutions see 36 columns at a time: the duplex of a
microRNA and what is around it. Of a branched structure, they see the main stem.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
from mirpair.rna.duplex import GAP, PAIR, STATES, as_duplex
from mirpair.rna.encoding import Molecule

# One-hot bases of either strand, one-hot state, and 1 in each column.
CHANNELS = 2 * GAP + STATES + 1
_WIDTH, _FIRST_KERNEL = 64, 5
# Number of different columns.
_SYMBOLS = (GAP + 1) * (GAP + 1) * STATES


def columns_of(molecule: Molecule) -> Hairpin:
    """Compute the network's input of a molecule: a symbol for two bases and the column's state."""
    duplex = as_duplex(molecule)
    is_pair = duplex.state == PAIR
    pairs = int(is_pair.sum())
    outside = int(is_pair.argmax()) if pairs else 0
    symbols = (duplex.five * (GAP + 1) + duplex.three) * STATES + duplex.state
    return Hairpin(
        symbols.astype(np.uint8),
        scalars_of(molecule, pairs),
        outside + int(OF_STEM * pairs),
    )


def _one_hot() -> npt.NDArray[np.float32]:
    """(symbols + 1, CHANNELS): what each symbol stands for; the last one is no column, all 0."""
    five, three, state = np.unravel_index(np.arange(_SYMBOLS), (GAP + 1, GAP + 1, STATES))
    table = np.zeros((_SYMBOLS + 1, CHANNELS), dtype=np.float32)
    for start, values, size in ((0, five, GAP), (GAP, three, GAP), (2 * GAP, state, STATES)):
        known = np.flatnonzero(values < size)
        table[known, start + values[known]] = 1
    table[:-1, -1] = 1
    return table


class StemNetwork(HairpinNetwork):
    """The network on a duplex: 64 maps of its columns."""

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(
            model, classes, dimensions=1, width=_WIDTH, kernel=_FIRST_KERNEL, one_hot=_one_hot()
        )

    @property
    def input_name(self) -> str:
        return f"duplex, and {SCALARS} numbers"

    def read(self, molecule: Molecule) -> Hairpin:
        return columns_of(molecule)

    def fast_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the same on one tape, (T, channels), of all molecules one after the other.

        Each molecule has a multiple of four places, of which at least the last four are empty, so
        that neither convolutions nor poolings mix two molecules. Empty places are 0: they change no
        sum, and no maximum of values after ReLU.
        """
        symbols = [self.prepared(molecule).symbols for molecule in molecules]
        lengths = np.array([len(it) for it in symbols])
        room = (-(-lengths // POOLED) + 1) * POOLED
        tape = np.full(room.sum(), _SYMBOLS, dtype=np.uint8)
        at = places_of(lengths, room)
        tape[at] = np.concatenate(symbols)
        x = _convolved(self.looked_up(tape), self.conv)
        full = torch.from_numpy(at).to(x.device)
        x = _on_tape(F.relu(self.norm(x[full])), full, len(x))
        for number, block in enumerate(self.each_block()):
            if number:
                x = x.view(-1, 2, _WIDTH).amax(1)
                lengths, room = -(-lengths // 2), room // 2
                full = torch.from_numpy(places_of(lengths, room)).to(x.device)
            y = self.between(F.relu(block.norm1(_convolved(x, block.conv1)[full])))
            y = block.norm2(_convolved(_on_tape(y, full, len(x)), block.conv2)[full])
            x = _on_tape(F.relu(x[full] + y), full, len(x))
        sizes = torch.from_numpy(room).to(x.device)
        counts = torch.from_numpy(lengths).to(x)[:, None]
        highest = torch.segment_reduce(x, "max", lengths=sizes)
        return torch.cat([highest, torch.segment_reduce(x, "sum", lengths=sizes) / counts], dim=1)


def _convolved(x: Tensor, conv: nn.Conv1d) -> Tensor:
    """Convolve a tape, (T, channels), by one product of matrices."""
    (size,) = conv.kernel_size
    padded = F.pad(x, (0, 0, size // 2, size // 2))
    windows = torch.cat([padded[n : n + len(x)] for n in range(size)], dim=1)
    return windows @ conv.weight.permute(2, 1, 0).reshape(-1, conv.out_channels)


def _on_tape(x: Tensor, at: Tensor, length: int) -> Tensor:
    """Put the columns of all molecules, (columns, channels), back on an empty tape."""
    return x.new_zeros(length, x.shape[1]).index_copy(0, at, x)


NETWORKS: dict[str, type[Network]] = {"stem": StemNetwork}
