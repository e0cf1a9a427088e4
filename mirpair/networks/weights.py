"""Weights and other tensors in files: safetensors with a description and a checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mirpair.files import REMAKE, InputError, atomic, open_input
from mirpair.networks.base import Network
from mirpair.recipes import Model

# Greatest size of a file that comes with the package, in bytes.
LARGEST = 10_000_000
_KIND, _SHA256 = "model", "sha256"
# The kinds of files that come with the package: what such weights do, and which commands take them.
PREDICTOR, ANNOTATOR = "predictor", "annotator"
_USES = {
    PREDICTOR: "find pre-miRNAs: give them to mirpair predict or mirpair scan",
    ANNOTATOR: "name families: give them to mirpair annotate",
}


def write_tensors(
    path: str | Path,
    kind: str,
    description: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    *,
    largest: int | None = None,
) -> None:
    """Write tensors and their description, atomically and without pickle; reproducible bytes.

    Parameters
    ----------
    path
        Path of the safetensors file.
    kind
        Such as ``"model"`` for the weights of one training.
    description
        Facts about the tensors, as JSON can hold them.
    tensors
        They may be on any device, which is not recorded.
    largest
        Greatest size of the file, in bytes; an `InputError` if it would be larger.
    """
    # Contiguous: safetensors refuses views.
    content = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    sealed = {**description, _SHA256: _digest(kind, description, content)}
    with atomic(path) as temporary:
        # One entry: safetensors writes several in an order that changes from file to file. We write
        # the file ourselves, because safetensors reports a full disk less clearly.
        temporary.write_bytes(save(content, metadata={kind: json.dumps(sealed)}))
        if largest is not None and (size := temporary.stat().st_size) > largest:
            raise InputError(
                f"{path}: has {size / 1e6:.1f} MB; shipped weights may have at most "
                f"{largest / 1e6:.0f} MB: in the section `shipped`, choose a smaller network, "
                "fewer members or another score"
            )


def read_tensors(path: str | Path) -> tuple[str, dict[str, Any], dict[str, Tensor]]:
    """Read kind, description and tensors of a file that `write_tensors` wrote.

    It is an `InputError` if there is no such file, and a `ValueError` if it is something else (a
    pickle is never opened), or is damaged.
    """
    with open_input(path):
        pass
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (SafetensorError, RuntimeError, OverflowError, MemoryError) as error:
        raise ValueError(f"not a complete safetensors file: {error}") from error
    if len(metadata) != 1:
        raise ValueError("it has no description; a training writes a file with one")
    ((kind, text),) = metadata.items()
    try:
        description = json.loads(text)
    except RecursionError as error:
        raise ValueError("its description is nested too deep") from error
    if not isinstance(description, dict) or _SHA256 not in description:
        raise ValueError(
            "it has no checksum: it was written by an older mirpair, or by another program"
        )
    if description.pop(_SHA256) != _digest(kind, description, tensors):
        raise ValueError(f"it is damaged: its checksum has changed; {REMAKE}, or download it again")
    return kind, description, tensors


def refuse_kind(path: str | Path, kind: str) -> None:
    """Refuse shipped weights of a kind, and say which commands take them; accept others."""
    if use := _USES.get(kind):
        raise InputError(f"{path}: these weights {use}")


def _digest(kind: str, description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    # Of the description as JSON, in which tuples are lists, so that a read file has the same.
    types = [[name, str(t.dtype), list(t.shape)] for name, t in sorted(tensors.items())]
    digest = hashlib.sha256(json.dumps([kind, description, types], sort_keys=True).encode())
    for _, tensor in sorted(tensors.items()):
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def save_weights(network: Network, path: str | Path) -> None:
    """Write a network's weights, model and classes, atomically and without pickle."""
    description = asdict(network.model)
    if network.classes:
        description["classes"] = network.classes
    write_tensors(path, _KIND, description, network.state_dict())


def read_weights(path: str | Path) -> tuple[Model, Sequence[str], dict[str, Tensor]]:
    """Read model, classes and weights; `mirpair.networks.build.load_weights` makes the network.

    Errors are those of `read_tensors`, and a `TypeError` if the model is not one of ours.
    """
    kind, description, state = read_tensors(path)
    if kind != _KIND:
        raise ValueError(f"it is of another kind: {kind}")
    classes = description.pop("classes", ())
    return Model(**description), classes, state
