"""The loops of an LSTM over many RNAs, compiled by Numba.

A step of an LSTM is small, and depends on the step before. PyTorch, called for each step, spends
its time on the calls. Here, the RNAs lie side by side in the lanes of a block, so that a vector of
the processor holds the same value of neighbouring RNAs.

This module needs Numba: import it where it is used.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mirpair.networks.lstm import CANDIDATE, FORGET, GATES, INPUT, OUTPUT

Floats = npt.NDArray[Any]
Arrays = tuple[Floats, ...]
Integers = npt.NDArray[np.int64]

LANES = 64
# The order of a sum may change, so that vectors can add; a division by 0 is no error.
_compiled = numba.njit(fastmath=True, error_model="numpy", nogil=True)


class _Numbers(NamedTuple):
    """Constants in the precision of the arrays: others would turn all that they touch to float64.

    `p` and `q` are coefficients of the polynomials of `_tanh`.
    """

    zero: Any
    fifth: Any
    half: Any
    one: Any
    two: Any
    limit: Any
    sixteenth: Any
    p: tuple[Any, Any, Any]
    q: tuple[Any, Any, Any]


def _numbers(like: Floats) -> _Numbers:
    given = like.dtype.type
    return _Numbers(
        zero=given(0),
        fifth=given(0.2),
        half=given(0.5),
        one=given(1),
        two=given(2),
        limit=given(20),
        sixteenth=given(1 / 16),
        p=(given(17325 / 135135), given(378 / 135135), given(1 / 135135)),
        q=(given(62370 / 135135), given(3150 / 135135), given(28 / 135135)),
    )


@_compiled
def _tanh(x: Any, n: _Numbers) -> Any:
    """Compute the hyperbolic tangent, with an error below 1e-12: LLVM has none for vectors.

    Lambert's continued fraction of x / 16, truncated, is a quotient of polynomials. The argument is
    then doubled four times, tanh(2y) = 2 · tanh(y) / (1 + tanh²(y)).
    """
    y = -n.limit if x < -n.limit else x
    y = (n.limit if y > n.limit else y) * n.sixteenth
    square = y * y
    top = y * (n.one + square * (n.p[0] + square * (n.p[1] + square * n.p[2])))
    bottom = n.one + square * (n.q[0] + square * (n.q[1] + square * n.q[2]))
    for _ in range(4):
        top, bottom = n.two * top * bottom, top * top + bottom * bottom
    return top / bottom


@_compiled
def _forward(given: Arrays, starts: Integers, filled: Arrays, n: _Numbers) -> None:
    """Fill arrays, step after step.

    Parameters
    ----------
    given
        The arguments of `lstm`.
    filled
        What each step reads, with the state before, (R, inputs + width, 64); its gates, after their
        functions, (R, 4, width, 64); its cell, the hyperbolic tangent of that, and its state, each
        (R, width, 64).
    """
    x, weight, bias, masks = given
    read, gates, cells, tanhs, states = filled
    inputs, (size, width) = x.shape[1], weight.shape[1:]
    masked = np.empty((2, LANES), x.dtype)
    for block in range(len(starts) - 1):
        first = starts[block]
        for row in range(first, starts[block + 1]):
            read[row, :inputs] = x[row]
            read[row, inputs:] = n.zero
            if row > first:
                read[row, inputs:] = states[row - 1]
            for gate in range(GATES):
                z = gates[row, gate]
                for j in range(width):
                    for lane in range(LANES):
                        z[j, lane] = bias[gate, j]
                for k in range(0, size, 2):
                    for i in range(2):
                        for lane in range(LANES):
                            of_lane = masks[block, gate, k + i, lane]
                            masked[i, lane] = read[row, k + i, lane] * of_lane
                    for j in range(width):
                        w, w2 = weight[gate, k, j], weight[gate, k + 1, j]
                        for lane in range(LANES):
                            z[j, lane] += w * masked[0, lane] + w2 * masked[1, lane]
            for gate in range(1, GATES):
                for j in range(width):
                    for lane in range(LANES):
                        # LLVM makes vectors of conditional values, but not of min and max.
                        y = gates[row, gate, j, lane] * n.fifth + n.half
                        y = n.zero if y < n.zero else y
                        gates[row, gate, j, lane] = n.one if y > n.one else y
            for j in range(width):
                for lane in range(LANES):
                    gates[row, CANDIDATE, j, lane] = _tanh(gates[row, CANDIDATE, j, lane], n)
                for lane in range(LANES):
                    cells[row, j, lane] = (
                        gates[row, INPUT, j, lane] * gates[row, CANDIDATE, j, lane]
                    )
                if row > first:
                    for lane in range(LANES):
                        cells[row, j, lane] += gates[row, FORGET, j, lane] * cells[row - 1, j, lane]
                for lane in range(LANES):
                    tanhs[row, j, lane] = _tanh(cells[row, j, lane], n)
                for lane in range(LANES):
                    states[row, j, lane] = gates[row, OUTPUT, j, lane] * tanhs[row, j, lane]


@_compiled
def _backward(given: Arrays, starts: Integers, filled: Arrays, n: _Numbers) -> None:
    """Compute gradients, from the last step to the first.

    Parameters
    ----------
    given
        The gradient of the states, weight and masks of `lstm`, and all but the states that
        `_forward` filled.
    filled
        Gradients of x, of the weight and of the bias; the last two are 0 before.
    """
    of_states, weight, masks, read, gates, cells, tanhs = given
    of_x, of_weight, of_bias = filled
    inputs, (size, width) = of_x.shape[1], weight.shape[1:]
    masked, sums = np.empty((2, LANES), read.dtype), np.empty((2, LANES), read.dtype)
    of_read = np.empty((size, LANES), read.dtype)
    of_cell = np.empty((width, LANES), read.dtype)
    of_z = np.empty((GATES, width, LANES), read.dtype)
    nothing = np.zeros((width, LANES), read.dtype)
    for block in range(len(starts) - 1):
        first = starts[block]
        of_read[:] = n.zero
        of_cell[:] = n.zero
        for row in range(starts[block + 1] - 1, first - 1, -1):
            before = cells[row - 1] if row > first else nothing
            for j in range(width):
                for lane in range(LANES):
                    of_state = of_states[row, j, lane] + of_read[inputs + j, lane]
                    candidate = gates[row, CANDIDATE, j, lane]
                    enter = gates[row, INPUT, j, lane]
                    forget = gates[row, FORGET, j, lane]
                    output = gates[row, OUTPUT, j, lane]
                    tanh = tanhs[row, j, lane]
                    cell = of_cell[j, lane] + of_state * output * (n.one - tanh * tanh)
                    # The hard sigmoid is flat where it is 0 or 1.
                    slope = n.fifth if n.zero < enter < n.one else n.zero
                    of_z[INPUT, j, lane] = slope * cell * candidate
                    slope = n.fifth if n.zero < forget < n.one else n.zero
                    of_z[FORGET, j, lane] = slope * cell * before[j, lane]
                    slope = n.fifth if n.zero < output < n.one else n.zero
                    of_z[OUTPUT, j, lane] = slope * of_state * tanh
                    of_z[CANDIDATE, j, lane] = cell * enter * (n.one - candidate * candidate)
                    of_cell[j, lane] = cell * forget
            of_read[:] = n.zero
            for gate in range(GATES):
                for j in range(width):
                    total = n.zero
                    for lane in range(LANES):
                        total += of_z[gate, j, lane]
                    of_bias[gate, j] += total
                for k in range(0, size, 2):
                    for i in range(2):
                        for lane in range(LANES):
                            of_lane = masks[block, gate, k + i, lane]
                            masked[i, lane] = read[row, k + i, lane] * of_lane
                            sums[i, lane] = n.zero
                    for j in range(0, width, 2):
                        w00, w01 = weight[gate, k, j], weight[gate, k, j + 1]
                        w10, w11 = weight[gate, k + 1, j], weight[gate, k + 1, j + 1]
                        s00, s01, s10, s11 = n.zero, n.zero, n.zero, n.zero
                        for lane in range(LANES):
                            z0, z1 = of_z[gate, j, lane], of_z[gate, j + 1, lane]
                            sums[0, lane] += w00 * z0 + w01 * z1
                            sums[1, lane] += w10 * z0 + w11 * z1
                            s00 += masked[0, lane] * z0
                            s01 += masked[0, lane] * z1
                            s10 += masked[1, lane] * z0
                            s11 += masked[1, lane] * z1
                        of_weight[gate, k, j] += s00
                        of_weight[gate, k, j + 1] += s01
                        of_weight[gate, k + 1, j] += s10
                        of_weight[gate, k + 1, j + 1] += s11
                    for i in range(2):
                        for lane in range(LANES):
                            of_lane = masks[block, gate, k + i, lane]
                            of_read[k + i, lane] += sums[i, lane] * of_lane
            of_x[row] = of_read[:inputs]


def _arrays(*tensors: Tensor) -> Arrays:
    # Numba compiles anew for each combination of precisions, and of arrays that are not contiguous.
    return tuple(it.detach().contiguous().numpy() for it in tensors)


class _CompiledLstm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, masks: Tensor, starts: Integers
    ) -> Tensor:
        rows, inputs, _ = x.shape
        _, size, width = weight.shape
        read = x.new_empty(rows, size, LANES)
        gates = x.new_empty(rows, GATES, width, LANES)
        cells, tanhs, states = (x.new_empty(rows, width, LANES) for _ in range(3))
        given, filled = _arrays(x, weight, bias, masks), _arrays(read, gates, cells, tanhs, states)
        _forward(given, starts, filled, _numbers(filled[0]))
        ctx.save_for_backward(weight, masks, read, gates, cells, tanhs)
        ctx.starts, ctx.inputs = starts, inputs
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        weight, masks, *saved = ctx.saved_tensors
        of_x = given.new_empty(len(given), ctx.inputs, LANES)
        of_weight, of_bias = torch.zeros_like(weight), weight.new_zeros(GATES, weight.shape[2])
        taken, filled = _arrays(given, weight, masks, *saved), _arrays(of_x, of_weight, of_bias)
        _backward(taken, ctx.starts, filled, _numbers(filled[0]))
        return of_x, of_weight, of_bias, None, None


def lstm(x: Tensor, weight: Tensor, bias: Tensor, masks: Tensor, starts: Integers) -> Tensor:
    """Compute the states of an LSTM with hard sigmoids, (R, width, 64), on a CPU.

    RNAs that begin together are a block of 64 lanes, and each step of a block is a row. An RNA may
    end before the last row of its block: what follows it changes nothing before it.

    Parameters
    ----------
    x
        (R, inputs, 64): what each step reads.
    weight
        (4, inputs + width, width): of what is read and of the state before; an even number of
        both, and an even width.
    bias
        (4, width).
    masks
        (blocks, 4, inputs + width, 64): factors of what is read and of the state before.
    starts
        (blocks + 1,): first row of each block, and R.

    Raises
    ------
    ValueError
        If shapes or precisions do not fit each other: the compiled loops check no bounds.
    """
    _, size, width = weight.shape
    shapes = (
        (x.shape[1:], (size - width, LANES)),
        (weight.shape[0], GATES),
        (bias.shape, (GATES, width)),
        (masks.shape, (len(starts) - 1, GATES, size, LANES)),
        (int(starts[-1]), len(x)),
        ((size % 2, width % 2), (0, 0)),
        ({it.dtype for it in (x, weight, bias, masks)}, {x.dtype}),
    )
    for actual, expected in shapes:
        if actual != expected:
            raise ValueError(f"an LSTM got {actual} in place of {expected}")
    return cast(Tensor, _CompiledLstm.apply(x, weight, bias, masks, starts))  # type: ignore[no-untyped-call]
