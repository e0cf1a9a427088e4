"""deepMiRGene: a recurrent network with attention (Park, Min, Choi and Yoon 2017).

The rival that Do et al. 2018 reran. It reads an RNA base by base: each position has one of 16
symbols, its base and its state. Two LSTMs follow, the attention to each position, and three fully
connected layers. What the paper leaves open is as in the code that its authors published: the
defaults of Keras 2 in 2017, such as the hard sigmoid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.contracts import ALPHABET
from mirpair.networks.base import Network, check_fit
from mirpair.recipes import Model
from mirpair.rna.encoding import Encoded, Molecule

# What a base is: paired with a later one, with an earlier one, unpaired, in the loop of a hairpin.
_OPENS, _CLOSES, _UNPAIRED, _LOOP = range(4)
STATES = 4
SYMBOLS = len(ALPHABET) * STATES
_FIRST, _SECOND, _WIDE, _HIDDEN = 20, 10, 400, 100
# The gates of an LSTM, in the order of the rows of its weights: all but the first are sigmoid.
_CANDIDATE, _INPUT, _FORGET, _OUTPUT = range(4)
_GATES = 4


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


class _Lstm(nn.Module):
    """Weights of an LSTM, and its step by the definition.

    The four gates have their own masks of dropout, the same at each position of an RNA: one of
    the inputs, and one of the state before (Gal and Ghahramani 2016).
    """

    def __init__(self, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.width, self.dropout = width, dropout
        self.weight = nn.Parameter(torch.empty(_GATES, inputs, width))
        self.recurrent = nn.Parameter(torch.empty(_GATES, width, width))
        self.bias = nn.Parameter(torch.zeros(_GATES, 1, width))
        # Keras draws the weights of all gates as one matrix.
        _set_gates(self.weight, _glorot(torch.empty(inputs, _GATES * width)))
        _set_gates(self.recurrent, nn.init.orthogonal_(torch.empty(width, _GATES * width)))
        nn.init.ones_(self.bias[_FORGET])

    def masks(self, count: int) -> tuple[Tensor, Tensor]:
        """Draw the masks of so many RNAs, (4, N, inputs) and (4, N, width); all 1 if not training.

        They have zeros, and such values that the mean is 1.
        """
        kept = 1 - self.dropout if self.training else 1.0
        sizes = (self.weight.shape[1], self.width)
        of_inputs, of_states = (
            (torch.rand(_GATES, count, size) < kept).to(self.weight) / kept for size in sizes
        )
        return of_inputs, of_states

    def step(
        self, x: Tensor, h: Tensor, c: Tensor, masks: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Compute the next state from a position's inputs, (N, inputs), and states, (N, width)."""
        of_inputs, of_states = masks
        z = (x * of_inputs) @ self.weight + (h * of_states) @ self.recurrent + self.bias
        gates = _hard_sigmoid(z)
        c = gates[_FORGET] * c + gates[_INPUT] * torch.tanh(z[_CANDIDATE])
        return gates[_OUTPUT] * torch.tanh(c), c


def _glorot(weight: Tensor) -> Tensor:
    """Draw initial weights, (inputs, outputs) or (outputs, inputs), as Keras does by default."""
    limit = math.sqrt(6 / sum(weight.shape))
    return nn.init.uniform_(weight, -limit, limit)


def _set_gates(weights: nn.Parameter, drawn: Tensor) -> None:
    """Divide initial weights, (inputs, 4 · width), among the gates, (4, inputs, width)."""
    with torch.no_grad():
        weights.copy_(drawn.view(len(drawn), _GATES, -1).transpose(0, 1))


def _hard_sigmoid(x: Tensor) -> Tensor:
    return (0.2 * x + 0.5).clamp(0, 1)


class DeepMiRGene(Network):
    """The network; RNAs are padded on the left, and what is padded is left out."""

    def __init__(self, model: Model, classes: Sequence[str] = ()) -> None:
        super().__init__(model, classes)
        self.first = _Lstm(SYMBOLS, _FIRST, model.dropout)
        self.second = _Lstm(_FIRST, _SECOND, model.dropout)
        self.attention = nn.Linear(_SECOND, 1)
        self.wide = nn.Linear(self.longest * _SECOND, _WIDE)
        self.hidden = nn.Linear(_WIDE, _HIDDEN)
        self.output = nn.Linear(_HIDDEN, self.columns)
        for layer in (self.attention, self.wide, self.hidden, self.output):
            _glorot(layer.weight)
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
        return super().features(cast(Any, read), dense=dense)

    def head(self, x: Tensor) -> Tensor:
        """Turn the weighted states, (N, L, 10), into features, (N, 100).

        L is 400, or less if all RNAs are padded before the last L positions: there, states are 0.
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
        """Compute the same for the last positions, (N, longest RNA, 10), on the bases alone."""
        tape = _on_tape([_prepared(molecule).codes for molecule in molecules])
        order = torch.from_numpy(tape.order)
        rnas = torch.from_numpy(tape.rnas)
        codes = torch.from_numpy(tape.codes.astype(np.int64))
        x = F.one_hot(codes, SYMBOLS).to(self.output.weight)
        for lstm in (self.first, self.second):
            of_inputs, of_states = (it[:, order] for it in lstm.masks(len(molecules)))
            inputs = torch.baddbmm(lstm.bias, x * of_inputs[:, rnas], lstm.weight)
            x = _states(inputs, lstm.recurrent, of_states, tape)
        steps = torch.from_numpy(tape.steps)
        scores = x.new_full((len(molecules), len(tape.counts)), -torch.inf)
        scores = scores.index_put((rnas, steps), self.attention(x)[:, 0])
        weights = torch.softmax(scores, dim=1)[rnas, steps]
        maps = x.new_zeros(len(molecules), len(tape.counts), _SECOND)
        return maps.index_put((order[rnas], steps), x * weights[:, None])


def _prepared(molecule: Molecule | Symbols) -> Symbols:
    return molecule if isinstance(molecule, Symbols) else symbols_of(molecule)


class _Tape(NamedTuple):
    """The positions of several RNAs that end together, step after step, the longest RNAs first.

    Attributes
    ----------
    order
        (N,): index of each RNA, the longest first.
    counts
        For each step, how many RNAs have begun: the first ones of `order`.
    codes, rnas, steps
        (T,) each: symbol of each position, its RNA (a place in `order`) and its step.
    before
        (T,): where the position before it is on the tape; T at the beginning of an RNA.
    """

    order: npt.NDArray[np.int64]
    counts: Sequence[int]
    codes: npt.NDArray[np.uint8]
    rnas: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]


def _on_tape(rnas: Sequence[npt.NDArray[np.uint8]]) -> _Tape:
    lengths = np.array([len(it) for it in rnas])
    order = np.argsort(-lengths, kind="stable")
    last = lengths.max()
    # Rows are steps, columns are RNAs.
    is_there = np.arange(last)[:, None] >= last - lengths[order]
    codes = np.zeros(is_there.shape, dtype=np.uint8)
    codes.T[is_there.T] = np.concatenate([rnas[n] for n in order])
    number = np.full((last + 1, len(rnas)), is_there.sum())
    number[1:][is_there] = np.arange(is_there.sum())
    steps, columns = np.nonzero(is_there)
    counts = is_there.sum(1).tolist()
    return _Tape(order, counts, codes[is_there], columns, steps, number[:-1][is_there])


def _states(inputs: Tensor, recurrent: Tensor, masks: Tensor, tape: _Tape) -> Tensor:
    """Compute the states of an LSTM, (T, width), from the inputs of its gates, (4, T, width)."""
    arguments = inputs, recurrent, masks, tape
    return cast(Tensor, _Recurrence.apply(*arguments))  # type: ignore[no-untyped-call]


class _Recurrence(torch.autograd.Function):
    """`_states`, and its gradients.

    PyTorch's LSTM has no dropout of the state before, and its loop in Python would keep a graph of
    each step. Here, a step computes what depends on the step before it, and all else is computed
    for all steps at once.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, recurrent: Tensor, masks: Tensor, tape: _Tape) -> Tensor:
        # All but the candidate are clamp(0.2 · z + 0.5, 0, 1); here, z is scaled before the loop.
        gates, scaled = inputs.clone(), recurrent.clone()
        gates[_INPUT:].mul_(0.2).add_(0.5)
        scaled[_INPUT:].mul_(0.2)
        width = gates.shape[2]
        # An empty last row is what is before the first position of an RNA.
        h, c, tanh = (gates.new_zeros(gates.shape[1] + 1, width) for _ in range(3))
        states, cells = (gates.new_zeros(masks.shape[1], width) for _ in range(2))
        count = 0
        for own, row, of_cell, of_tanh in zip(
            gates.split_with_sizes(tape.counts, dim=1),
            *(it[:-1].split_with_sizes(tape.counts) for it in (h, c, tanh)),
            strict=True,
        ):
            if len(row) != count:
                count = len(row)
                state, cell, mask = states[:count], cells[:count], masks[:, :count]
            own.baddbmm_(state * mask, scaled)
            candidate, enter, forget, output = own.unbind()
            candidate.tanh_()
            own[_INPUT:].clamp_(0, 1)
            cell.mul_(forget).addcmul_(enter, candidate)
            of_cell.copy_(cell)
            torch.tanh(cell, out=of_tanh)
            torch.mul(output, of_tanh, out=row)
            state.copy_(row)
        ctx.save_for_backward(gates, h, c, tanh, recurrent, masks)
        ctx.tape = tape
        return h[:-1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        gates, h, c, tanh, recurrent, masks = ctx.saved_tensors
        tape = ctx.tape
        before = torch.from_numpy(tape.before)
        tanh = tanh[:-1]
        # How each gate's input changes the cell or, in the last row, the state.
        slope = 0.2 * ((gates > 0) & (gates < 1)).to(gates)
        slope[_CANDIDATE] = gates[_INPUT] * (1 - gates[_CANDIDATE] ** 2)
        slope[_INPUT] *= gates[_CANDIDATE]
        slope[_FORGET] *= c[before]
        slope[_OUTPUT] *= tanh
        of_cell = gates[_OUTPUT] * (1 - tanh**2)
        inputs = torch.empty_like(gates)
        dh, dc = (gates.new_zeros(masks.shape[1], gates.shape[2]) for _ in range(2))
        back = recurrent.transpose(1, 2)
        count = 0
        for own, slopes, cell_slope, forget, given in zip(
            *(
                reversed(it.split_with_sizes(tape.counts, dim=-2))
                for it in (inputs, slope, of_cell, gates[_FORGET], gradient)
            ),
            strict=True,
        ):
            if len(given) != count:
                count = len(given)
                state, cell, mask = dh[:count], dc[:count], masks[:, :count]
            state += given
            cell.addcmul_(state, cell_slope)
            torch.mul(slopes[:_OUTPUT], cell, out=own[:_OUTPUT])
            torch.mul(slopes[_OUTPUT], state, out=own[_OUTPUT])
            cell *= forget
            torch.sum(torch.bmm(own, back).mul_(mask), dim=0, out=state)
        states = h[before] * masks[:, torch.from_numpy(tape.rnas)]
        return inputs, states.transpose(1, 2) @ inputs, None, None


NETWORKS: dict[str, type[Network]] = {"deepmirgene": DeepMiRGene}
