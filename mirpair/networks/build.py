"""Make a network: with new weights, or with those of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mirpair.files import InputError
from mirpair.networks import joined, pre_mirna, tang2019
from mirpair.networks.base import Network
from mirpair.networks.weights import read_weights
from mirpair.recipes import Model


def build(model: Model, *, seed: int, classes: Sequence[str] = ()) -> Network:
    """Make a network with initial weights: PyTorch's defaults, for others' networks Keras's.

    An unknown architecture is an `InputError`.

    Parameters
    ----------
    model
        One of `mirpair.recipes.MODELS` or `mirpair.recipes.FAMILY_MODELS`, or a variant that a
        config or a recipe makes of it.
    seed
        Of the initial weights; the global random state is left as it was.
    classes
        Names of the classes in the order of the output's columns; empty for the two columns "not
        a pre-miRNA" and "pre-miRNA".
    """
    if model.architecture in tang2019.NETWORKS:
        return tang2019.build(model, seed=seed, classes=classes)
    if model.architecture in joined.NETWORKS:
        return joined.build(model, seed=seed, classes=classes)
    return pre_mirna.build(model, seed=seed, classes=classes)


def load_weights(path: str | Path) -> Network:
    """Load a network from a file that `mirpair.networks.weights.save_weights` wrote.

    It is in evaluation mode, in the precision of the file. It is an `InputError` if the file is not
    of this kind (a pickle is never opened), damaged, or does not fit its network.
    """
    try:
        model, classes, state = read_weights(path)
        network = build(model, seed=0, classes=classes).to(state["output.weight"].dtype)
        network.load_state_dict(state)
    except InputError:
        raise
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not weights of this project ({error})") from error
    return network.eval()
