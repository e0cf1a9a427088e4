"""deepMiRGene: a recurrent network with attention (Park, Min, Choi and Yoon 2017).

The rival that Do et al. 2018 reran. It reads an RNA base by base: each position has one of 16
symbols, its base and its state. Two LSTMs follow, the attention to each position, and three fully
connected layers. What the paper leaves open is as in the code that its authors published: the
defaults of Keras 2 in 2017, such as the hard sigmoid.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.contracts import ALPHABET
from mirpair.networks.base import Network, check_fit
from mirpair.networks.lstm import GATES, Lstm, glorot
from mirpair.recipes import Model
from mirpair.rna.encoding import Encoded, Molecule

# What a base is: paired with a later one, with an earlier one, unpaired, in the loop of a hairpin.
_OPENS, _CLOSES, _UNPAIRED, _LOOP = range(4)
STATES = 4
SYMBOLS = len(ALPHABET) * STATES
_FIRST, _SECOND, _WIDE, _HIDDEN = 20, 10, 400, 100

log = logging.getLogger(__name__)


class Symbols(NamedTuple):
    """A molecule as the network reads it.

    Attributes
    ----------
    codes
        (L,): `STATES` · base + state of each position.
    """

    codes: npt.NDArray[np.uint8]


def symbols_of(molecule: Molecule) -> Symbols:
    """Compute the symbol of each position of a molecule."""
    partner, places = molecule.partner, np.arange(len(molecule.partner))
    state = np.where(partner > places, _OPENS, np.where(partner >= 0, _CLOSES, _UNPAIRED))
    paired = np.flatnonzero(partner >= 0)
    for left, right in zip(paired[:-1].tolist(), paired[1:].tolist(), strict=True):
        if partner[left] == right:
            state[left + 1 : right] = _LOOP
    return Symbols((STATES * molecule.codes + state).astype(np.uint8))


class DeepMiRGene(Network):
    """The network; RNAs are padded on the left. Padding changes no state and no attention."""

    is_recurrent = True

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.first = Lstm(SYMBOLS, _FIRST, model.dropout)
        self.second = Lstm(_FIRST, _SECOND, model.dropout)
        self.attention = nn.Linear(_SECOND, 1)
        self.wide = nn.Linear(self.longest * _SECOND, _WIDE)
        self.hidden = nn.Linear(_WIDE, _HIDDEN)
        self.output = nn.Linear(_HIDDEN, self.columns)
        for layer in (self.attention, self.wide, self.hidden, self.output):
            glorot(layer.weight)
            nn.init.zeros_(layer.bias)

    @property
    def input_name(self) -> str:
        return "bases and their states"

    @property
    def channels(self) -> int:
        return SYMBOLS

    def prepare(self, molecules: Sequence[Encoded]) -> Sequence[Symbols]:
        """Read all molecules once, before many passes over them."""
        return [_prepared(cast(Molecule, molecule)) for molecule in molecules]

    def image(self, molecule: Molecule | Symbols) -> Tensor:
        """Make the dense input, (16, 400): one-hot symbols, padded on the left with zeros."""
        codes = torch.from_numpy(_prepared(molecule).codes.astype(np.int64))
        one_hot = F.one_hot(codes, SYMBOLS).T.to(self.output.weight)
        return F.pad(one_hot, (self.longest - len(codes), 0))

    def features(self, molecules: Sequence[Any], *, dense: bool = False) -> Tensor:
        """Compute features, (N, 100); a molecule that does not fit is an `InputError`."""
        read = [_prepared(molecule) for molecule in molecules]
        check_fit(cast(Any, read), self.longest, self.model.label)
        maps = self.dense_maps(read) if dense else self.fast_maps(read)
        # Both ways leave out what is padding in all RNAs, so that they draw the same dropout.
        return self.head(maps[:, -max(len(it.codes) for it in read) :])

    def head(self, x: Tensor) -> Tensor:
        """Turn the weighted states, (N, L, 10), into features, (N, 100).

        L is 400, or less if all RNAs are padded before the last L positions: states are 0 there.
        """
        x = x.flatten(1)
        weight = self.wide.weight[:, -x.shape[1] :]
        x = torch.sigmoid(F.linear(self.drop(x), weight, self.wide.bias))
        return torch.sigmoid(self.hidden(self.drop(x)))

    def dense_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the states of the second LSTM, each times its attention, (N, 400, 10)."""
        x = torch.stack([self.image(molecule) for molecule in molecules]).permute(2, 0, 1)
        is_there = x.sum(2, keepdim=True) > 0
        for lstm in (self.first, self.second):
            masks = lstm.masks(len(molecules))
            h = c = x.new_zeros(len(molecules), lstm.width)
            states = []
            for position, there in zip(x, is_there, strict=True):
                # Before the first base, the state stays 0.
                h, c = (it * there for it in lstm.step(position, h, c, masks))
                states.append(h)
            x = torch.stack(states)
        weights = torch.softmax(self.attention(x), dim=0) * is_there
        return (x * weights / weights.sum(0)).permute(1, 0, 2)

    def fast_maps(self, molecules: Sequence[Any]) -> Tensor:
        """Compute the same for the last positions, (N, longest RNA, 10), on the bases alone.

        On a CPU where Numba is installed; elsewhere, by the definition.
        """
        kernels = _kernels() if self.output.weight.device.type == "cpu" else None
        if kernels is None:
            return self.dense_maps(molecules)
        blocks = _in_blocks([_prepared(molecule).codes for molecule in molecules], kernels.LANES)
        at = tuple(torch.from_numpy(it) for it in (blocks.rows, blocks.lanes))
        one_hot = self.output.weight.new_zeros(int(blocks.starts[-1]), SYMBOLS, kernels.LANES)
        one_hot[at[0], torch.from_numpy(blocks.codes.astype(np.int64)), at[1]] = 1
        x = one_hot
        places = torch.from_numpy(blocks.places)
        for lstm in (self.first, self.second):
            masks = torch.cat(lstm.masks(len(molecules)), dim=2)
            of_lanes = masks.new_zeros(
                GATES, (len(blocks.starts) - 1) * kernels.LANES, masks.shape[2]
            )
            of_lanes[:, places] = masks
            of_lanes = (
                of_lanes.view(GATES, -1, kernels.LANES, masks.shape[2])
                .permute(1, 0, 3, 2)
                .contiguous()
            )
            weight = torch.cat([lstm.weight, lstm.recurrent], dim=1)
            x = kernels.lstm(x, weight, lstm.bias[:, 0], of_lanes, blocks.starts)
        x = x.transpose(1, 2)[at]
        rnas, steps = torch.from_numpy(blocks.rnas), torch.from_numpy(blocks.steps)
        scores = x.new_full((len(molecules), int(steps.max()) + 1), -torch.inf)
        scores = scores.index_put((rnas, steps), self.attention(x)[:, 0])
        weights = torch.softmax(scores, dim=1)[rnas, steps]
        maps = x.new_zeros(*scores.shape, _SECOND)
        return maps.index_put(
            (rnas, steps - torch.from_numpy(blocks.lengths)[rnas]), x * weights[:, None]
        )


def _prepared(molecule: Molecule | Symbols) -> Symbols:
    return molecule if isinstance(molecule, Symbols) else symbols_of(molecule)


@functools.cache
def _kernels() -> Any:
    """Return the module `mirpair.networks.lstm_kernels`, or None if Numba cannot be imported."""
    try:
        import numba  # noqa: F401
    except ImportError:
        log.info("Numba is not installed: deepMiRGene takes longer (mirpair[deepmirgene])")
        return None
    from mirpair.networks import lstm_kernels

    return lstm_kernels


class _Blocks(NamedTuple):
    """Where the positions of several RNAs lie in blocks, for `mirpair.networks.lstm_kernels.lstm`.

    Attributes
    ----------
    lengths, places
        (N,): length of each RNA, and its lane among those of all blocks, the longest RNAs first.
    starts
        (blocks + 1,): first row of each block, and the number of rows.
    codes, rnas, steps, rows, lanes
        (T,) each: symbol of each position, its RNA, its step, its row and its lane.
    """

    lengths: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.uint8]
    rnas: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    lanes: npt.NDArray[np.int64]


def _in_blocks(codes: Sequence[npt.NDArray[np.uint8]], lanes: int) -> _Blocks:
    lengths = np.array([len(it) for it in codes])
    places = np.empty_like(lengths)
    places[np.argsort(-lengths, kind="stable")] = np.arange(len(codes))
    starts = np.concatenate([[0], np.cumsum(-np.sort(-lengths)[::lanes])])
    rnas = np.repeat(np.arange(len(codes)), lengths)
    steps = np.arange(len(rnas)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    block, lane = np.divmod(places[rnas], lanes)
    return _Blocks(
        lengths, places, starts, np.concatenate(codes), rnas, steps, starts[block] + steps, lane
    )


NETWORKS: dict[str, type[Network]] = {"deepmirgene": DeepMiRGene}
