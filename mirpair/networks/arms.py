"""A network that finds the mature microRNAs in a pre-miRNA: where both arms begin and end.

It reads the bases of an RNA, each with the base that faces it in the duplex. Each of its blocks
sees the neighbours of a base on its strand, and those of the base opposite, so that it can find an
end by the other end of the same cut: Drosha and Dicer leave 2 nt at the 3′ end of either strand.
Its output is a distribution over all bases for each of the four ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.contracts import ALPHABET
from mirpair.rna.duplex import STATES
from mirpair.rna.encoding import Molecule
from mirpair.rna.facing import facing

# The base, the base opposite, the state of the column; whether it is paired, and on which strand.
CHANNELS = 2 * len(ALPHABET) + STATES + 3
_WIDTH, _DILATIONS = 48, (1, 2, 4, 8, 1, 2)
_FIRST_KERNEL, _KERNEL = 5, 3
# More negative than any logarithm of a probability.
_NEVER = -1e9


class Read(NamedTuple):
    """An RNA as the network reads it: (L, `CHANNELS`) float32, and (L,) see `Facing.opposite`."""

    channels: npt.NDArray[np.float32]
    opposite: npt.NDArray[np.int64]


def read(molecule: Molecule) -> Read:
    """Compute the network's input of an RNA."""
    around, length = facing(molecule), len(molecule.codes)
    bases = len(ALPHABET)
    channels = np.zeros((length, CHANNELS), dtype=np.float32)
    every = np.arange(length)
    channels[every, molecule.codes] = 1
    faced = np.flatnonzero(around.opposite >= 0)
    channels[faced, bases + molecule.codes[around.opposite[faced]]] = 1
    channels[every, 2 * bases + around.state] = 1
    channels[:, -3] = molecule.partner >= 0
    channels[:, -2] = around.is_five
    channels[:, -1] = ~around.is_five
    return Read(channels, around.opposite)


class _Block(nn.Module):
    """Convolutions along the strand and along the one opposite, and a shortcut around them."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.own = nn.Conv1d(
            _WIDTH, _WIDTH, _KERNEL, padding=dilation, dilation=dilation, bias=False
        )
        self.opposite = nn.Conv1d(_WIDTH, _WIDTH, _KERNEL, padding=_KERNEL // 2, bias=False)
        self.norm = nn.BatchNorm1d(_WIDTH)
        self.mixed = nn.Conv1d(_WIDTH, _WIDTH, 1, bias=False)
        self.norm_mixed = nn.BatchNorm1d(_WIDTH)

    def forward(self, x: Tensor, opposite: Tensor, is_faced: Tensor, drop: nn.Module) -> Tensor:
        across = torch.gather(self.opposite(x), 2, opposite[:, None].expand_as(x))
        y = self.norm(self.own(x) + across * is_faced[:, None])
        return x + F.relu(self.norm_mixed(self.mixed(drop(F.relu(y)))))


class ArmsNetwork(nn.Module):
    """The network; 48 maps of the bases."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.first = nn.Conv1d(CHANNELS, _WIDTH, _FIRST_KERNEL, padding=_FIRST_KERNEL // 2)
        self.blocks = nn.ModuleList(_Block(dilation) for dilation in _DILATIONS)
        self.drop = nn.Dropout(dropout)
        self.output = nn.Conv1d(_WIDTH, 4, 1)

    def forward(self, rnas: Sequence[Read]) -> Tensor:
        """Compute the logarithms of the probabilities of a batch, (N, 4, longest RNA).

        In the order of `Arms`: of the first base of an arm, and of its last one. What is beyond the
        end of an RNA has the probability 0.
        """
        longest = max(len(it.opposite) for it in rnas)
        channels = np.zeros((len(rnas), longest, CHANNELS), dtype=np.float32)
        opposite = np.full((len(rnas), longest), -1)
        is_there = np.zeros((len(rnas), longest), dtype=np.bool_)
        for row, rna in enumerate(rnas):
            length = len(rna.opposite)
            channels[row, :length], opposite[row, :length] = rna.channels, rna.opposite
            is_there[row, :length] = True
        there = torch.from_numpy(is_there).to(self.output.weight)
        is_faced = torch.from_numpy(opposite >= 0).to(there)
        index = torch.from_numpy(np.maximum(opposite, 0)).to(there.device)
        x = F.relu(self.first(torch.from_numpy(channels).to(there).transpose(1, 2)))
        for block in self.blocks:
            # What is beyond an end must not reach its neighbours.
            x = block(x * there[:, None], index, is_faced, self.drop)
        logits = self.output(x).masked_fill(there[:, None] == 0, _NEVER)
        return F.log_softmax(logits, dim=2)
