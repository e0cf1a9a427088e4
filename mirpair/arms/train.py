"""Train a network that finds the arms of pre-miRNAs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mirpair.networks.arms import ArmsNetwork, Read

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ArmsRecipe:
    """How it is trained: AdamW with one cycle of the learning rate."""

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.2


def train(
    rnas: Sequence[Read],
    places: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    recipe: ArmsRecipe,
    *,
    seed: int,
) -> ArmsNetwork:
    """Train a network; the same bytes for the same machine, versions and number of threads.

    The loss is the cross-entropy of the four ends, summed, each record with its weight.

    Parameters
    ----------
    rnas
        As of `mirpair.networks.arms.read`.
    places
        (N, 4): where the arms begin and end, see `mirpair.arms.records.PLACES`.
    weights
        (N,), see `mirpair.arms.records.weights_of`.
    seed
        Of the initial weights, the order of the records, and dropout.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ArmsNetwork(recipe.dropout)
        order = np.random.default_rng(seed)
        steps = recipe.epochs * -(-len(rnas) // recipe.batch_size)
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, recipe.learning_rate, total_steps=steps
        )
        # A base is an end if it is the first or the last one of an arm.
        bases = torch.from_numpy(places - np.array([0, 1, 0, 1]))
        of_records = torch.from_numpy(weights).float()
        for epoch in range(recipe.epochs):
            losses = []
            for batch in np.array_split(order.permutation(len(rnas)), steps // recipe.epochs):
                logs = network([rnas[index] for index in batch])
                loss = _loss(logs, bases[batch], of_records[batch])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
            log.info("epoch %d of %d: loss %.3f", epoch + 1, recipe.epochs, np.mean(losses))
    return network.eval()


def _loss(logs: Tensor, bases: Tensor, weights: Tensor) -> Tensor:
    of_ends = -torch.gather(logs, 2, bases[:, :, None])[:, :, 0].sum(1)
    return (of_ends * weights).sum() / weights.sum()
