"""An LSTM as Keras 2 had it, with the dropout of Gal and Ghahramani (2016)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

# The gates of an LSTM, in the order of the rows of its weights: all but the first are sigmoid.
CANDIDATE, INPUT, FORGET, OUTPUT = range(4)
GATES = 4


class Lstm(nn.Module):
    """Weights of an LSTM, and its step by the definition.

    The four gates have their own masks of dropout, the same at each position of an RNA: one of
    the inputs, and one of the state before (Gal and Ghahramani 2016).
    """

    def __init__(self, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.width, self.dropout = width, dropout
        self.weight = nn.Parameter(torch.empty(GATES, inputs, width))
        self.recurrent = nn.Parameter(torch.empty(GATES, width, width))
        self.bias = nn.Parameter(torch.zeros(GATES, 1, width))
        # Keras draws the weights of all gates as one matrix.
        _set_gates(self.weight, glorot(torch.empty(inputs, GATES * width)))
        _set_gates(self.recurrent, nn.init.orthogonal_(torch.empty(width, GATES * width)))
        nn.init.ones_(self.bias[FORGET])

    def masks(self, count: int) -> tuple[Tensor, Tensor]:
        """Draw dropout masks for N RNAs, (4, N, inputs) and (4, N, width); all 1 if not training.

        What is not 0 is so large that the expected value is 1.
        """
        sizes = (self.weight.shape[1], self.width)
        if not self.training:
            of_inputs, of_states = (self.weight.new_ones(GATES, count, size) for size in sizes)
            return of_inputs, of_states
        kept = 1 - self.dropout
        of_inputs, of_states = (
            (torch.rand(GATES, count, size) < kept).to(self.weight) / kept for size in sizes
        )
        return of_inputs, of_states

    def step(
        self, x: Tensor, h: Tensor, c: Tensor, masks: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Compute the next state from a position's inputs, (N, inputs), and states, (N, width)."""
        of_inputs, of_states = masks
        z = (x * of_inputs) @ self.weight + (h * of_states) @ self.recurrent + self.bias
        gates = _hard_sigmoid(z)
        c = gates[FORGET] * c + gates[INPUT] * torch.tanh(z[CANDIDATE])
        return gates[OUTPUT] * torch.tanh(c), c


def glorot(weight: Tensor) -> Tensor:
    """Draw initial weights, (inputs, outputs) or (outputs, inputs), as Keras does by default."""
    limit = math.sqrt(6 / sum(weight.shape))
    return nn.init.uniform_(weight, -limit, limit)


def _set_gates(weights: nn.Parameter, drawn: Tensor) -> None:
    """Divide initial weights, (inputs, 4 · width), among the gates, (4, inputs, width)."""
    with torch.no_grad():
        weights.copy_(drawn.view(len(drawn), GATES, -1).transpose(0, 1))


def _hard_sigmoid(x: Tensor) -> Tensor:
    return (0.2 * x + 0.5).clamp(0, 1)
