"""Find the mature arms of pre-miRNAs by trained networks, and write and read their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from mirpair import files
from mirpair.files import InputError
from mirpair.networks.arms import ArmsNetwork, read
from mirpair.networks.weights import LARGEST, read_tensors, write_tensors
from mirpair.rna.arms import BETWEEN, SHORTEST, Arms, most_likely
from mirpair.rna.encoding import Molecule

NAME, KIND = "arms.safetensors", "arms"
# An RNA that is shorter has no room for two arms, nt.
_SHORTEST = 2 * SHORTEST + BETWEEN


def find_arms(
    networks: Sequence[ArmsNetwork], molecules: Sequence[Molecule], *, batch: int = 256
) -> list[Arms | None]:
    """Find the likeliest arms of RNAs, by the mean of the networks' probabilities.

    Networks in double precision give the same digits whatever RNAs share a batch. An RNA of fewer
    than 39 nt has no arms.
    """
    arms: list[Arms | None] = [None] * len(molecules)
    fitting = [n for n, it in enumerate(molecules) if len(it.codes) >= _SHORTEST]
    with torch.inference_mode():
        for start in range(0, len(fitting), batch):
            part = fitting[start : start + batch]
            rnas = [read(molecules[number]) for number in part]
            mean = torch.stack([network(rnas).exp() for network in networks]).mean(0)
            logs = mean.clamp(min=torch.finfo(mean.dtype).tiny).log().numpy()
            for number, rna, of_rna in zip(part, rnas, logs, strict=True):
                arms[number] = most_likely(of_rna[:, : len(rna.opposite)])
    return arms


def write_networks(
    networks: Sequence[ArmsNetwork], path: str | Path, facts: Mapping[str, Any]
) -> None:
    """Write the weights of networks as one file, with facts about them, as JSON can hold these."""
    tensors = {
        f"{number}.{name}": tensor
        for number, network in enumerate(networks)
        for name, tensor in network.state_dict().items()
    }
    described = {**facts, "networks": len(networks)}
    write_tensors(path, KIND, described, tensors, largest=LARGEST)


def read_networks(path: str | Path, kingdom: str | None = None) -> list[ArmsNetwork]:
    """Read what `write_networks` wrote, in double precision.

    Parameters
    ----------
    kingdom
        Only the networks of a kingdom, which the fact ``kingdoms`` of the file says of each.

    Raises
    ------
    InputError
        If it is another file, or has no network of this kingdom.
    """
    kind, described, tensors = read_tensors(path)
    try:
        if kind != KIND:
            raise ValueError(f"it has weights of the kind {kind!r}")
        networks = []
        kingdoms = described["kingdoms"] if kingdom else []
        for number in range(int(described["networks"])):
            if kingdom and kingdoms[number] != kingdom:
                continue
            network, start = ArmsNetwork(), f"{number}."
            own = {it.removeprefix(start): t for it, t in tensors.items() if it.startswith(start)}
            network.load_state_dict(own)
            networks.append(network.double().eval())
        if not networks:
            raise ValueError(f"it has no network of {kingdom}")
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not weights that find arms ({error}); use a file made by a study of arms"
        ) from error
    return networks


def shipped() -> Path:
    """Return the path of the shipped weights; `InputError` if they are missing."""
    return files.shipped(NAME, "make it: make weights")
