"""A network that reads a hairpin as a duplex, from its open end to its loop.

The columns of `mirpair.rna.duplex` are its input: which bases face each other, and where the stem
ends. Three residual blocks of one-dimensional convolutions, with two poolings between them, see 36
columns at a time: the duplex of a microRNA and what is around it. Of a branched structure, they see
the main stem.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.networks.base import Network
from mirpair.recipes import Model
from mirpair.rna.duplex import GAP, PAIR, STATES, as_duplex
from mirpair.rna.encoding import Encoded, Molecule

# One-hot bases of either strand, one-hot state, and 1 in each column.
CHANNELS = 2 * GAP + STATES + 1
SCALARS = 6
_WIDTH, _HIDDEN, _BLOCKS = 64, 128, 3
_KERNEL, _FIRST_KERNEL = 3, 5
# Number of columns that become one: between two blocks, pairs of columns are pooled.
_POOLED = 2 ** (_BLOCKS - 1)
# Share of the RNAs that training may trim, and how much of the stem at most: columns, as a share of
# its pairs.
TRIMMED, OF_STEM = 0.3, 0.2
# Probability of dropout within the blocks.
_DROPPED = 0.1
# Number of different columns.
_SYMBOLS = (GAP + 1) * (GAP + 1) * STATES


class Columns(NamedTuple):
    """A molecule as this network reads it.

    Attributes
    ----------
    symbols
        (C,): each column as one number, of its two bases and its state.
    scalars
        See `scalars_of`; those of the complete molecule, also if training trims it.
    room
        Number of columns at the open end that training may cut off.
    """

    symbols: npt.NDArray[np.uint8]
    scalars: npt.NDArray[np.float32]
    room: int

    @property
    def codes(self) -> npt.NDArray[np.uint8]:
        """As a molecule has them: what is computed together is sorted by their number."""
        return self.symbols


def scalars_of(molecule: Molecule, pairs: int) -> npt.NDArray[np.float32]:
    """Compute six numbers about a molecule, whose main stem has so many `pairs`.

    They are the energy per base and per pair, the logarithm of the length, the share of paired
    bases, the GC content, and the number of pairs of the main stem; scaled, so that all are about 1
    in size.
    """
    length = len(molecule.codes)
    paired = int((molecule.partner >= 0).sum())
    scalars = (
        3 * molecule.mfe / length,
        molecule.mfe / max(1, paired // 2),
        np.log(length / 80),
        paired / length,
        np.isin(molecule.codes, (1, 2)).mean(),
        pairs / 20,
    )
    return np.array(scalars, dtype=np.float32)


def columns_of(molecule: Molecule) -> Columns:
    """Compute the network's input of a molecule."""
    duplex = as_duplex(molecule)
    is_pair = duplex.state == PAIR
    pairs = int(is_pair.sum())
    outside = int(is_pair.argmax()) if pairs else 0
    symbols = (duplex.five * (GAP + 1) + duplex.three) * STATES + duplex.state
    return Columns(
        symbols.astype(np.uint8),
        scalars_of(molecule, pairs),
        outside + int(OF_STEM * pairs),
    )


def _one_hot() -> Tensor:
    """(symbols + 1, CHANNELS): what each symbol stands for; the last one is no column, all 0."""
    five, three, state = np.unravel_index(np.arange(_SYMBOLS), (GAP + 1, GAP + 1, STATES))
    table = np.zeros((_SYMBOLS + 1, CHANNELS), dtype=np.float32)
    for start, values, size in ((0, five, GAP), (GAP, three, GAP), (2 * GAP, state, STATES)):
        known = np.flatnonzero(values < size)
        table[known, start + values[known]] = 1
    table[:-1, -1] = 1
    return torch.from_numpy(table)


class _Block(nn.Module):
    """Two convolutions and a shortcut around them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(_WIDTH, _WIDTH, _KERNEL, padding=_KERNEL // 2, bias=False)
        self.norm1 = nn.BatchNorm1d(_WIDTH)
        self.conv2 = nn.Conv1d(_WIDTH, _WIDTH, _KERNEL, padding=_KERNEL // 2, bias=False)
        self.norm2 = nn.BatchNorm1d(_WIDTH)


class StemNetwork(Network):
    """The network on a duplex.

    Batch normalisation computes its mean and variance from the columns of all molecules of a batch.
    While training, some molecules lose a few columns at their open end, because users cut their
    RNAs anywhere. Evaluation trims nothing.
    """

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.conv = nn.Conv1d(
            CHANNELS, _WIDTH, _FIRST_KERNEL, padding=_FIRST_KERNEL // 2, bias=False
        )
        self.norm = nn.BatchNorm1d(_WIDTH)
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
        return f"duplex, and {SCALARS} numbers"

    def prepare(self, molecules: Sequence[Encoded]) -> Sequence[Columns]:
        """Compute the columns of all molecules once, before many passes over them."""
        return [self._columns(cast(Molecule, molecule)) for molecule in molecules]

    def image(self, molecule: Molecule | Columns) -> Tensor:
        """Make the (CHANNELS, C) input, on the network's device and in its precision."""
        columns = self._columns(molecule)
        symbols = torch.from_numpy(columns.symbols.astype(np.int64))
        return self._table()[symbols.to(self.output.weight.device)].T

    def features(self, molecules: Sequence[Any], *, dense: bool = False) -> Tensor:
        """Compute features, (N, 128), of molecules or of what `prepare` made of them."""
        columns = [self._columns(molecule) for molecule in molecules]
        if self.training:
            columns = self._trimmed(columns)
        maps = self.dense_maps(columns) if dense else self.fast_maps(columns)
        scalars = torch.from_numpy(np.stack([it.scalars for it in columns])).to(maps)
        return self.head(torch.cat([maps, scalars], dim=1))

    def head(self, x: Tensor) -> Tensor:
        """Turn maps and scalars, (N, 2 · 64 + 6), into features, (N, 128)."""
        return cast(Tensor, self.drop(F.relu(self.hidden(self.drop(x)))))

    def dense_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the maximum and the mean of 64 maps, (N, 2 · 64), by the definition."""
        maps = [self.image(molecule)[None] for molecule in molecules]
        maps = [F.relu(x) for x in self._normalised([self.conv(x) for x in maps], self.norm)]
        for number, block in enumerate(self._blocks()):
            if number:
                maps = [F.max_pool1d(x, 2, ceil_mode=True) for x in maps]
            inner = self._normalised([block.conv1(x) for x in maps], block.norm1)
            inner = [block.conv2(self.between(F.relu(x))) for x in inner]
            inner = self._normalised(inner, block.norm2)
            maps = [F.relu(x + y) for x, y in zip(maps, inner, strict=True)]
        return torch.cat([torch.cat([x.amax(2), x.mean(2)], dim=1) for x in maps])

    def _normalised(self, maps: Sequence[Tensor], norm: nn.BatchNorm1d) -> list[Tensor]:
        """Normalise (1, C, W) maps over all columns of all of them."""
        together: Tensor = norm(torch.cat(list(maps), dim=2))
        return list(
            together.split([x.shape[2] for x in maps], dim=2)  # type: ignore[no-untyped-call]
        )

    def fast_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the same on one tape, (T, channels), of all molecules one after the other.

        Each molecule has a multiple of four places, of which at least the last four are empty, so
        that neither convolutions nor poolings mix two molecules. Empty places are 0: they change no
        sum, and no maximum of values after ReLU.
        """
        symbols = [self._columns(molecule).symbols for molecule in molecules]
        lengths = np.array([len(it) for it in symbols])
        places = (-(-lengths // _POOLED) + 1) * _POOLED
        tape = np.full(places.sum(), _SYMBOLS, dtype=np.int64)
        starts = np.cumsum(places) - places
        at = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        tape[at] = np.concatenate(symbols)
        device = self.output.weight.device
        x = _convolved(self._table()[torch.from_numpy(tape).to(device)], self.conv)
        full = torch.from_numpy(at).to(device)
        x = _on_tape(F.relu(self.norm(x[full])), full, len(x))
        for number, block in enumerate(self._blocks()):
            if number:
                x = x.view(-1, 2, _WIDTH).amax(1)
                lengths, places, starts = -(-lengths // 2), places // 2, starts // 2
                within = np.cumsum(lengths) - lengths
                at = np.arange(lengths.sum()) + np.repeat(starts - within, lengths)
                full = torch.from_numpy(at).to(device)
            y = self.between(F.relu(block.norm1(_convolved(x, block.conv1)[full])))
            y = block.norm2(_convolved(_on_tape(y, full, len(x)), block.conv2)[full])
            x = _on_tape(F.relu(x[full] + y), full, len(x))
        sizes = torch.from_numpy(places).to(device)
        counts = torch.from_numpy(lengths).to(x)[:, None]
        highest = torch.segment_reduce(x, "max", lengths=sizes)
        return torch.cat([highest, torch.segment_reduce(x, "sum", lengths=sizes) / counts], dim=1)

    def _blocks(self) -> Sequence[_Block]:
        return cast(Sequence[_Block], self.blocks)

    def _table(self) -> Tensor:
        return cast(Tensor, self.one_hot).to(self.output.weight)

    @staticmethod
    def _columns(molecule: Molecule | Columns) -> Columns:
        return molecule if isinstance(molecule, Columns) else columns_of(molecule)

    @staticmethod
    def _trimmed(molecules: Sequence[Columns]) -> list[Columns]:
        """Cut columns off the open end of some molecules: a random number, within their room."""
        draws = torch.rand(len(molecules), 2).numpy()
        cuts = [
            int(share * (it.room + 1)) if drawn < TRIMMED else 0
            for it, (drawn, share) in zip(molecules, draws, strict=True)
        ]
        return [
            it._replace(symbols=it.symbols[cut:]) for it, cut in zip(molecules, cuts, strict=True)
        ]


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
