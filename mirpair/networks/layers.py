"""List the layers that an image passes in a network, by running it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from mirpair.networks.base import Network
from mirpair.networks.inference import scores_of
from mirpair.rna.encoding import Molecule


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a network."""

    # Such as "conv"; decides the colour.
    kind: str
    # Such as "conv 9→32, 11×11, stride 4, pad 10".
    words: str
    # Of its result for one molecule: height, width, channels; or columns, channels; or values.
    shape: tuple[int, ...]
    # Indices of the steps whose results it takes.
    sources: tuple[int, ...]


# Names of the arguments that PyTorch's functions accept by position.
_CONV = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_POOL = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")
_ARGUMENTS = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _CONV),
    **dict.fromkeys(("max_pool1d", "max_pool2d"), _POOL),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d"), (*_POOL[:4], _POOL[5])),
    **dict.fromkeys(("adaptive_avg_pool2d", "adaptive_max_pool2d"), ("input", "output_size")),
    "linear": ("input", "weight", "bias"),
    "group_norm": ("input", "groups"),
    "dropout": ("input", "p"),
    "dropout2d": ("input", "p"),
    "pad": ("input", "pad", "mode", "value"),
}
_NORMS = {"batch_norm": "BatchNorm", "layer_norm": "LayerNorm", "instance_norm": "InstanceNorm"}
# Functions that move or read numbers, and are no layers.
# fmt: off
_BOOKKEEPING = {
    "get", "set", "getitem", "setitem", "to", "type", "float", "double", "half", "cpu", "cuda",
    "numpy", "detach", "clone", "contiguous", "unsqueeze", "squeeze", "expand", "unbind",
    "split", "chunk", "dim", "size", "item", "permute", "transpose", "zeros_like", "empty_like",
    "copy", "requires_grad", "stack",
}
# fmt: on


def _times(value: Any, least: int = 2) -> str:
    """Write ``2`` and ``(2, 2)`` as ``2×2``."""
    if isinstance(value, str):
        return value
    values = tuple(value) if isinstance(value, Sequence) else (value,) * least
    return "×".join(str(v) for v in values)


def _in_words(name: str, given: dict[str, Any], before: Tensor, after: Tensor) -> tuple[str, str]:
    """Return kind and description of a step; the kind is empty if the step is not a layer."""

    def more(word: str, key: str, usual: Any) -> str:
        value = given.get(key)
        alike = isinstance(value, Sequence) and not isinstance(value, str) and len(set(value)) == 1
        value = value[0] if value is not None and alike else value
        return "" if value in (None, usual, []) else f", {word} {_times(value, 1)}"

    match name:
        case "conv1d" | "conv2d" | "conv3d":
            weight = given["weight"]
            channels = f"{before.shape[-weight.dim() + 1]}→{len(weight)}"
            return "conv", (
                f"conv {channels}, {'width ' * (weight.dim() == 3)}{_times(weight.shape[2:])}"
                + more("stride", "stride", 1)
                + more("pad", "padding", 0)
                + more("dilation", "dilation", 1)
                + more("groups", "groups", 1)
            )
        case "linear":
            out, into = given["weight"].shape
            return "dense", f"fully connected {into}→{out}"
        case "avg_pool2d" | "avg_pool1d" | "max_pool2d" | "max_pool1d":
            kernel = _times(given["kernel_size"], int(name[-2]))
            divisor = given.get("divisor_override")
            what = "max" if name[0] == "m" else "sum" if divisor == 1 else "average"
            stride = "" if _times(given.get("stride") or kernel) == kernel else "stride"
            return "pool", (
                f"{kernel} {what}-pool"
                + (more(stride, "stride", None) if stride else "")
                + more("pad", "padding", 0)
                + (f", divided by {divisor}" if divisor not in (None, 1) else "")
                + (", rounded up" if given.get("ceil_mode") else "")
            )
        case "adaptive_avg_pool2d" | "adaptive_max_pool2d":
            what = "max" if "max" in name else "average"
            return "pool", f"adaptive {what}-pool to {_times(given['output_size'])}"
        case "batch_norm" | "layer_norm" | "instance_norm":
            return "norm", _NORMS[name]
        case "group_norm":
            return "norm", f"GroupNorm, {given['groups']} groups"
        case "dropout" | "dropout2d":
            return "other", f"dropout {given.get('p', 0.5):g}"
        case "pad":
            sides = ("left", "right", "above", "below")
            pads = [f"{side} {n}" for side, n in zip(sides, given["pad"], strict=False) if n]
            mode = given.get("mode") or "constant"
            what = "zero" if mode == "constant" and not given.get("value") else mode
            return ("other", f"{what}-pad, {', '.join(pads)}") if pads else ("", "")
        case "flatten" | "reshape" | "view":
            if after.shape == before.shape:
                return "", ""
            return "other", "flatten" if after.dim() <= 2 else "reshape"
        case "relu":
            return "curve", "ReLU"
        case "amax" | "mean":
            return "pool", "maximum" if name == "amax" else "mean"
        case "add" | "mul" | "sub":
            return "other", {"add": "add", "mul": "multiply", "sub": "subtract"}[name]
        case "cat" | "concat":
            return "other", "concatenate"
        case _ if name in _BOOKKEEPING:
            return "", ""
        case _:
            return "curve" if after.shape == before.shape else "other", name.replace("_", " ")


class _Observer(TorchFunctionMode):
    """Records what happens to tensors that are not the network's own."""

    def __init__(self, network: Network, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.steps = [Step("image", network.input_name, shape, ())]
        # The step that each tensor comes from; None for weights and what depends on them alone. We
        # keep the tensors, because Python may reuse the id of one that is gone.
        own = (*network.parameters(), *network.buffers())
        self.origin: dict[int, int | None] = dict.fromkeys(map(id, own))
        self.tensors: list[Any] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        tensors = [
            part
            for value in (*args, *kwargs.values())
            for part in (value if isinstance(value, (list, tuple)) else (value,))
            if isinstance(part, Tensor)
        ]
        name = func.__name__.strip("_")
        if name == "to":  # another tensor may name the precision
            tensors = tensors[:1]
        # A tensor that was not seen before is the image.
        data = [t for t in tensors if self.origin.get(id(t), 0) is not None]
        sources = tuple(dict.fromkeys(self.origin.get(id(t)) or 0 for t in data))
        origin = max(sources, default=None)
        name = {"iadd": "add", "radd": "add", "imul": "mul", "rmul": "mul"}.get(name, name)
        single = name in ("cat", "concat") and len(sources) < 2
        if data and isinstance(result, Tensor) and not single:
            given = dict(zip(_ARGUMENTS.get(name, ()), args, strict=False)) | kwargs
            kind, words = _in_words(name, given, data[0], result)
            if kind:
                origin = len(self.steps)
                self.steps.append(Step(kind, words, _shape(result), sources))
        changed = list(result) if isinstance(result, (list, tuple)) else [result]
        if name == "setitem" and data:  # an image that is copied into an empty one
            changed.append(args[0])
        for part in changed:
            if isinstance(part, Tensor):
                self.origin[id(part)] = origin
                self.tensors.append(part)
        return result


def _shape(tensor: Tensor) -> tuple[int, ...]:
    """Return height, width and channels of one image, or columns and channels, or values."""
    shape = tuple(tensor.shape)
    if len(shape) == 4 or (len(shape) in (2, 3) and shape[0] == 1):
        shape = shape[1:]
    return (*shape[1:], shape[0])


def observe(network: Network, molecule: Molecule) -> list[Step]:
    """List the steps of a network's definition, by running it on a molecule.

    Modules and functions are recorded alike, so a network needs no description of itself. The first
    step is the image, the last one the softmax that turns logits into a score. The molecule's
    length decides the shapes. The network runs in evaluation mode, and its mode is restored.
    """
    was_training = network.training
    network.eval()
    channels, *size = network.image(molecule).shape
    observer = _Observer(network, (*size, channels))
    try:
        with torch.no_grad(), observer:
            scores_of(network([molecule], dense=True))
    finally:
        network.train(was_training)
    return observer.steps
