"""From molecules to scores, and networks to files and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from mirpair.files import InputError
from mirpair.networks import tensor_file as stored
from mirpair.networks.do2018 import Network, build
from mirpair.recipes import Model
from mirpair.rna.encoding import Encoded

_KIND = "model"


def scores_of(logits: Tensor) -> npt.NDArray[Any]:
    """Softmax probability of the positive class, (N,), in the precision of the logits."""
    scores: npt.NDArray[Any] = torch.softmax(logits.detach(), dim=1)[:, 1].cpu().numpy()
    return scores


def predict(
    network: Network, molecules: Sequence[Encoded], *, batch_size: int = 64, dense: bool = False
) -> Tensor:
    """Logits of all molecules in evaluation mode, (N, number of classes).

    Parameters
    ----------
    network
        It is left in the mode that it was in.
    molecules
        In any order; those of similar length are computed together, which is faster.
    batch_size
        How many at a time.
    dense
        See `mirpair.networks.do2018.Network.forward`.
    """
    return _in_batches(
        network, lambda batch: network(batch, dense=dense), molecules, batch_size, network.columns
    )


@torch.no_grad()
def embed(
    network: Network, molecules: Sequence[Encoded], *, batch_size: int = 64
) -> tuple[Tensor, Tensor]:
    """Logits of all molecules, and the features that they are made of, in evaluation mode.

    Parameters
    ----------
    network, molecules, batch_size
        See `predict`.

    Returns
    -------
    logits, features
        (N, number of classes) and (N, D), see `mirpair.networks.do2018.Network.features`.
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


def save_weights(network: Network, path: str | Path) -> None:
    """Write safetensors (no pickle) that say which network they belong to, atomically."""
    described = asdict(network.model)
    if network.classes:
        described["classes"] = network.classes
    stored.write(path, _KIND, described, network.state_dict())


def load_weights(path: str | Path) -> Network:
    """Network with the weights of a file that `save_weights` wrote, in evaluation mode.

    Its precision is that of the file.

    Raises
    ------
    InputError
        If the file is not of this kind (a pickle is never opened), damaged, or does not fit its
        network.
    """
    try:
        kind, described, state = stored.read(path)
        if kind != _KIND:
            raise ValueError(f"it is of another kind: {kind}")
        classes = described.pop("classes", ())
        model = Model(**described)
        network = build(model, seed=0, classes=classes).to(state["output.weight"].dtype)
        network.load_state_dict(state)
    except InputError:
        raise
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not weights of this project ({error})") from error
    return network.eval()
