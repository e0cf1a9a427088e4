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
# Lengths of an arm, and fewest bases between both arms, nt.
SHORTEST, LONGEST, BETWEEN = 18, 27, 3
# The probability of an arm is that both of its ends are so near, nt.
NEAR = 2
# More negative than any logarithm of a probability.
_NEVER = -1e9


class Arms(NamedTuple):
    """Both mature arms in an RNA: where they begin and end, as slices of its sequence.

    The probabilities are those that both ends of an arm are at most `NEAR` nt away.
    """

    start_5p: int
    end_5p: int
    start_3p: int
    end_3p: int
    probability_5p: float = 1.0
    probability_3p: float = 1.0


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


def most_likely(logs: npt.NDArray[np.floating]) -> Arms:
    """Choose the likeliest two arms of lengths that arms have, which do not overlap.

    Parameters
    ----------
    logs
        (4, L): logarithms of the probabilities, as of `ArmsNetwork`, of an RNA of L ≥ 39 nt.
    """
    length = logs.shape[1]
    # (lengths, first bases): how likely an arm is.
    of_5p, of_3p = (_pairs(logs[first], logs[first + 1]) for first in (0, 2))
    ends = np.arange(length)[None] + np.arange(SHORTEST, LONGEST + 1)[:, None]
    best_5p = np.full(length + 1, _NEVER)
    np.maximum.at(best_5p, np.minimum(ends, length), of_5p)
    # The best 5p arm that ends at this base or before it, for a 3p arm that begins after the loop.
    before = np.maximum.accumulate(best_5p)
    starts = np.arange(length)
    room = np.where(starts >= BETWEEN, before[np.maximum(starts - BETWEEN, 0)], _NEVER)
    total = of_3p + room[None]
    size, start_3p = np.unravel_index(int(total.argmax()), total.shape)
    allowed = np.where(ends <= start_3p - BETWEEN, of_5p, 2 * _NEVER)
    other, start_5p = np.unravel_index(int(allowed.argmax()), allowed.shape)
    end_5p, end_3p = start_5p + SHORTEST + other, start_3p + SHORTEST + size
    return Arms(
        int(start_5p),
        int(end_5p),
        int(start_3p),
        int(end_3p),
        _probability(of_5p, int(start_5p), int(end_5p)),
        _probability(of_3p, int(start_3p), int(end_3p)),
    )


def _pairs(
    first: npt.NDArray[np.floating], last: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Add the logarithms of each first and last base: (lengths, L), `_NEVER` beyond the end."""
    length = len(first)
    pairs = np.full((LONGEST - SHORTEST + 1, length), _NEVER)
    for row, size in enumerate(range(SHORTEST, LONGEST + 1)):
        pairs[row, : max(0, length - size + 1)] = first[: length - size + 1] + last[size - 1 :]
    return pairs


def _probability(pairs: npt.NDArray[np.float64], start: int, end: int) -> float:
    """Compute how likely both ends are at most `NEAR` nt away, among arms of possible lengths."""
    chances = np.exp(pairs - pairs.max())
    starts = np.arange(pairs.shape[1])[None]
    ends = starts + np.arange(SHORTEST, LONGEST + 1)[:, None]
    is_near = (abs(starts - start) <= NEAR) & (abs(ends - end) <= NEAR)
    return float(chances[is_near].sum() / chances.sum())
