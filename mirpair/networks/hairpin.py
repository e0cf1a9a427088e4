"""What the networks share that read a hairpin from its open end to its loop.

Three residual blocks of convolutions, with two poolings between them; then the maximum and the mean
of all maps, with six numbers about the molecule, pass one hidden layer. `mirpair.networks.stem` has
one dimension, `mirpair.networks.band` two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.contracts import ALPHABET
from mirpair.networks.base import Network
from mirpair.recipes import Model
from mirpair.rna.encoding import Encoded, Molecule

SCALARS = 6
_HIDDEN, _BLOCKS, _KERNEL = 128, 3, 3
# Number of columns or rows that become one: between two blocks, pairs of them are pooled.
POOLED = 2 ** (_BLOCKS - 1)
# Share of the RNAs that training may trim, and how much of the stem at most, as a share of its
# pairs.
TRIMMED, OF_STEM = 0.3, 0.2
# Probability of dropout within the blocks.
_DROPPED = 0.1


class Hairpin(NamedTuple):
    """A molecule as such a network reads it.

    Attributes
    ----------
    symbols
        (C,) columns or (R, W) rows of cells, from the open end to the loop; each as one number.
    scalars
        See `scalars_of`; those of the complete molecule, also if training trims it.
    room
        Number of columns or rows at the open end that training may cut off.
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
    paired = int(np.count_nonzero(molecule.partner >= 0))
    c_or_g = (molecule.codes == ALPHABET.index("C")) | (molecule.codes == ALPHABET.index("G"))
    scalars = (
        3 * molecule.mfe / length,
        molecule.mfe / max(1, paired // 2),
        np.log(length / 80),
        paired / length,
        np.count_nonzero(c_or_g) / length,
        pairs / 20,
    )
    return np.array(scalars, dtype=np.float32)


def places_of(lengths: npt.NDArray[np.int64], room: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where the columns of all molecules are on a tape, one molecule after the other.

    Each has `room` places, of which its columns take the first ones.
    """
    before = np.cumsum(room) - room - (np.cumsum(lengths) - lengths)
    places: npt.NDArray[np.int64] = np.arange(lengths.sum()) + np.repeat(before, lengths)
    return places


class Block(nn.Module):
    """Two convolutions and a shortcut around them."""

    def __init__(self, dimensions: Literal[1, 2], width: int) -> None:
        super().__init__()
        conv, norm = _LAYERS[dimensions]
        padded: dict[str, Any] = {"padding": _KERNEL // 2, "bias": False}
        self.conv1 = conv(width, width, _KERNEL, **padded)
        self.norm1 = norm(width)
        self.conv2 = conv(width, width, _KERNEL, **padded)
        self.norm2 = norm(width)


class HairpinNetwork(Network):
    """Such a network, apart from its input and its fast way.

    Batch normalisation computes its mean and variance from the columns of all molecules of a batch.
    While training, some molecules lose a few columns at their open end, because users cut their
    RNAs anywhere. Evaluation trims nothing.

    Parameters
    ----------
    dimensions, width
        Of the maps: their dimensions and their number.
    kernel
        Size of the first convolution.
    one_hot
        (symbols + 1, channels): the input of each symbol; that of the last one is 0.
    """

    def __init__(
        self,
        model: Model,
        classes: Sequence[str],
        *,
        dimensions: Literal[1, 2],
        width: int,
        kernel: int,
        one_hot: npt.NDArray[np.float32],
    ) -> None:
        super().__init__(model, classes)
        conv, norm = _LAYERS[dimensions]
        self.dimensions = dimensions
        self.conv = conv(one_hot.shape[1], width, kernel, padding=kernel // 2, bias=False)
        self.norm = norm(width)
        self.blocks = nn.ModuleList(Block(dimensions, width) for _ in range(_BLOCKS))
        self.between = nn.Dropout(_DROPPED)
        self.hidden = nn.Linear(2 * width + SCALARS, _HIDDEN)
        self.output = nn.Linear(_HIDDEN, self.columns)
        self.register_buffer("one_hot", torch.from_numpy(one_hot), persistent=False)

    def read(self, molecule: Molecule) -> Hairpin:
        """Compute the input of a molecule."""
        raise NotImplementedError

    @property
    def channels(self) -> int:
        return cast(Tensor, self.one_hot).shape[1]

    def prepare(self, molecules: Sequence[Encoded]) -> Sequence[Hairpin]:
        """Read all molecules once, before many passes over them."""
        return [self.read(cast(Molecule, molecule)) for molecule in molecules]

    def image(self, molecule: Molecule | Hairpin) -> Tensor:
        """Make the dense input, channels first, on the network's device and in its precision."""
        x = self.looked_up(self.prepared(molecule).symbols)
        return x.permute(-1, *range(self.dimensions))

    def features(self, molecules: Sequence[Any], *, dense: bool = False) -> Tensor:
        """Compute features, (N, 128), of molecules or of what `prepare` made of them."""
        hairpins = [self.prepared(molecule) for molecule in molecules]
        if self.training:
            hairpins = trimmed(hairpins)
        maps = self.dense_maps(hairpins) if dense else self.fast_maps(hairpins)
        scalars = torch.from_numpy(np.stack([it.scalars for it in hairpins])).to(maps)
        return self.head(torch.cat([maps, scalars], dim=1))

    def head(self, x: Tensor) -> Tensor:
        """Turn maps and scalars, (N, 2 · width + 6), into features, (N, 128)."""
        return cast(Tensor, self.drop(F.relu(self.hidden(self.drop(x)))))

    def dense_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the maximum and the mean of all maps, (N, 2 · width), by the definition."""
        pool = F.max_pool1d if self.dimensions == 1 else F.max_pool2d
        maps = [self.image(molecule)[None] for molecule in molecules]
        maps = [F.relu(x) for x in _normalised([self.conv(x) for x in maps], self.norm)]
        for number, block in enumerate(self.each_block()):
            if number:
                maps = [pool(x, 2, ceil_mode=True) for x in maps]
            inner = _normalised([block.conv1(x) for x in maps], block.norm1)
            inner = [block.conv2(self.between(F.relu(x))) for x in inner]
            inner = _normalised(inner, block.norm2)
            maps = [F.relu(x + y) for x, y in zip(maps, inner, strict=True)]
        over = tuple(range(2, 2 + self.dimensions))
        return torch.cat([torch.cat([x.amax(over), x.mean(over)], dim=1) for x in maps])

    def prepared(self, molecule: Molecule | Hairpin) -> Hairpin:
        """Read a molecule, unless `prepare` did."""
        return molecule if isinstance(molecule, Hairpin) else self.read(molecule)

    def each_block(self) -> Sequence[Block]:
        """Return the blocks, with their type."""
        return cast(Sequence[Block], self.blocks)

    def looked_up(self, symbols: npt.NDArray[np.uint8]) -> Tensor:
        """Look up the channels of symbols, (…, channels)."""
        table = cast(Tensor, self.one_hot).to(self.hidden.weight)
        return table[torch.from_numpy(symbols.astype(np.int64)).to(table.device)]


_LAYERS: dict[int, tuple[Any, Any]] = {
    1: (nn.Conv1d, nn.BatchNorm1d),
    2: (nn.Conv2d, nn.BatchNorm2d),
}


def _normalised(maps: Sequence[Tensor], norm: nn.Module) -> list[Tensor]:
    """Normalise (1, C, …) maps over all columns or cells of all of them."""
    together: Tensor = norm(torch.cat(list(maps), dim=2))
    return list(
        together.split([x.shape[2] for x in maps], dim=2)  # type: ignore[no-untyped-call]
    )


def trimmed(hairpins: Sequence[Hairpin]) -> list[Hairpin]:
    """Cut columns off the open end of some hairpins: a random number, within their room."""
    draws = torch.rand(len(hairpins), 2).numpy()
    cuts = [
        int(share * (it.room + 1)) if drawn < TRIMMED else 0
        for it, (drawn, share) in zip(hairpins, draws, strict=True)
    ]
    return [it._replace(symbols=it.symbols[cut:]) for it, cut in zip(hairpins, cuts, strict=True)]
