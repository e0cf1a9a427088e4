"""Tensors in one file, with what they are: safetensors that know whether they are whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mirpair.files import InputError, atomic

# What is shipped with the package is at most as large, in bytes.
LARGEST = 10_000_000
_SHA256 = "sha256"


def write(
    path: str | Path,
    kind: str,
    described: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    *,
    largest: int | None = None,
) -> None:
    """Write tensors and what they are, atomically and without pickle; the same, the same bytes.

    Parameters
    ----------
    path
        Of the safetensors file to write.
    kind
        What it is: ``"model"``, for instance, for the weights of one training.
    described
        What there is to know of it, as JSON can hold it.
    tensors
        They may be on any device; in the file they are on none.
    largest
        In bytes.

    Raises
    ------
    InputError
        If the file would be larger.
    """
    # Contiguous: safetensors refuses views.
    content = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    sealed = {**described, _SHA256: _digest(kind, described, content)}
    with atomic(path) as temporary:
        # One entry: safetensors writes several in an order that changes from file to file. It would
        # also write the file, but says of a full disk less than the system does.
        temporary.write_bytes(save(content, metadata={kind: json.dumps(sealed)}))
        if largest is not None and (size := temporary.stat().st_size) > largest:
            raise InputError(
                f"{path}: {size / 1e6:.1f} MB, more than the {largest / 1e6:.0f} MB that are "
                "shipped: in the section `shipped`, choose a smaller network, less members or "
                "another score"
            )


def read(path: str | Path) -> tuple[str, dict[str, Any], dict[str, Tensor]]:
    """Kind, description and tensors of a file that `write` wrote.

    Raises
    ------
    InputError
        If there is no such file.
    ValueError
        If it is something else (a pickle is never opened), or a bit of it has changed.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except OSError as error:
        reason = error.strerror or "there is no such file"
        raise InputError(f"{path}: cannot be read ({reason})") from error
    except (SafetensorError, RuntimeError, OverflowError, MemoryError) as error:
        raise ValueError(f"no whole safetensors file: {error}") from error
    if len(metadata) != 1:
        raise ValueError("it does not say what it is; a training writes a file that does")
    ((kind, text),) = metadata.items()
    try:
        described = json.loads(text)
    except RecursionError as error:
        raise ValueError("its description is nested too deep") from error
    if not isinstance(described, dict) or _SHA256 not in described:
        raise ValueError(
            "it has no checksum: it was written by an older mirpair, or by another program"
        )
    if described.pop(_SHA256) != _digest(kind, described, tensors):
        raise ValueError(
            "it is damaged: its bytes are not those that were written; delete it to have it made "
            "again, or bring it anew"
        )
    return kind, described, tensors


def _digest(kind: str, described: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    # The description as it comes back from the file: tuples are lists there.
    told = [[name, str(t.dtype), list(t.shape)] for name, t in sorted(tensors.items())]
    digest = hashlib.sha256(json.dumps([kind, described, told], sort_keys=True).encode())
    for _, tensor in sorted(tensors.items()):
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
