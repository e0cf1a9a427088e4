"""Compute logits, features and scores of molecules in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from mirpair.networks.base import Network
from mirpair.rna.encoding import Encoded


def scores_of(logits: Tensor) -> npt.NDArray[Any]:
    """Compute the softmax probability of the positive class, (N,), in the logits' precision."""
    scores: npt.NDArray[Any] = torch.softmax(logits.detach(), dim=1)[:, 1].cpu().numpy()
    return scores


def predict(
    network: Network, molecules: Sequence[Encoded], *, batch_size: int = 64, dense: bool = False
) -> Tensor:
    """Compute the logits of all molecules in evaluation mode, (N, number of classes).

    The network's mode is restored at the end. Molecules of similar length are computed together,
    `batch_size` at a time, which is faster; with `dense`, see
    `mirpair.networks.base.Network.forward`.
    """
    return _in_batches(
        network, lambda batch: network(batch, dense=dense), molecules, batch_size, network.columns
    )


@torch.no_grad()
def embed(
    network: Network, molecules: Sequence[Encoded], *, batch_size: int = 64
) -> tuple[Tensor, Tensor]:
    """Compute logits, (N, number of classes), and features, (N, D), as `predict` computes logits.

    Features are those of `mirpair.networks.base.Network.features`.
    """
    width = network.output.in_features
    features = _in_batches(network, network.features, molecules, batch_size, width)
    return network.output(features), features


@torch.no_grad()
def _in_batches(
    network: Network,
    function: Callable[[Sequence[Encoded]], Tensor],
    molecules: Sequence[Encoded],
    batch_size: int,
    width: int,
) -> Tensor:
    if not molecules:
        return network.output.weight.new_empty((0, width))
    was_training = network.training
    network.eval()
    order = sorted(range(len(molecules)), key=lambda n: len(molecules[n].codes))
    try:
        results = [
            function([molecules[n] for n in order[start : start + batch_size]])
            for start in range(0, len(order), batch_size)
        ]
    finally:
        network.train(was_training)
    return torch.cat(results)[torch.tensor(order).argsort()]
