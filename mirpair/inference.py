"""From molecules to scores, and networks to files and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mirpair.encoding import Molecule
from mirpair.files import InputError, atomic
from mirpair.models import Network, build
from mirpair.recipes import Model


def scores_of(logits: Tensor) -> npt.NDArray[np.float32]:
    """Softmax probability of the positive class, (N,)."""
    scores: npt.NDArray[np.float32] = torch.softmax(logits.detach(), dim=1)[:, 1].cpu().numpy()
    return scores


@torch.no_grad()
def predict(
    network: Network, molecules: Sequence[Molecule], *, batch_size: int = 64, dense: bool = False
) -> Tensor:
    """Logits of all molecules in evaluation mode, (N, 2).

    Parameters
    ----------
    network
        It is left in the mode that it was in.
    molecules
        In any order; those of similar length are computed together, which is faster.
    batch_size
        How many at a time.
    dense
        See `mirpair.models.Network.forward`.
    """
    if not molecules:
        return network.output.weight.new_empty((0, 2))
    was_training = network.training
    network.eval()
    order = sorted(range(len(molecules)), key=lambda n: len(molecules[n].codes))
    try:
        logits = [
            network([molecules[n] for n in order[start : start + batch_size]], dense=dense)
            for start in range(0, len(order), batch_size)
        ]
    finally:
        network.train(was_training)
    return torch.cat(logits)[torch.tensor(order).argsort()]


def save_weights(network: Network, path: str | Path) -> None:
    """Write safetensors (no pickle) that say which network they belong to, atomically."""
    # Contiguous and on the CPU: safetensors refuses views, and a GPU's weights load anywhere.
    state = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    with atomic(path) as temporary:
        save_file(state, temporary, metadata={"model": json.dumps(asdict(network.model))})


def load_weights(path: str | Path) -> Network:
    """Network with the weights of a file that `save_weights` wrote, in evaluation mode.

    Its precision is that of the file.

    Raises
    ------
    InputError
        If the file is not of this kind (a pickle is never opened) or does not fit its network.
    """
    try:
        with safe_open(path, framework="pt") as weights:
            model = Model(**json.loads((weights.metadata() or {}).get("model", "null")))
            state = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118
        network = build(model, seed=0).to(state["output.weight"].dtype)
        network.load_state_dict(state)
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not weights of this project ({error})") from error
    return network.eval()
