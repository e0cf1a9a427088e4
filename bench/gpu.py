"""Compare a GPU with the CPU: ``python -m bench.gpu``; ``python -m bench.gpu cpu`` tries it out.

Of each network that finds pre-miRNAs, both devices compute the outputs and the gradients of one
step from the same weights and the demo's RNAs, and are timed. A checkpoint that the device writes
is read there again, and the resumed training is compared with the one that went on. The table is
Markdown; the exit status is 1 if a difference is too large. It takes less than four minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mirpair.files import InputError
from mirpair.networks.base import Network
from mirpair.networks.build import build
from mirpair.networks.checkpoints import Checkpoint
from mirpair.networks.inference import predict, scores_of
from mirpair.networks.loop import Passes, device_name, prepare_device, weighted_loss
from mirpair.recipes import MODELS, Model, Recipe
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import encode
from mirpair.rna.folding import fold
from mirpair.rna.sequences import read_fasta

DEMO = Path(__file__).parent.parent / "config" / "demo"
# The first network of each architecture is measured.
ARCHITECTURES = ("variable", "fixed", "stem")
TOLERANCE = 1e-3
# RNAs of each class, of the demo's: those of the timings; the first of them are compared.
TIMED, COMPARED = 256, 64
BATCHES = (64, 256)
# A timing repeats until it has taken so long.
SECONDS = 1.0


def models(architectures: Iterable[str] = ARCHITECTURES) -> list[Model]:
    """List the first network of each architecture."""
    return [
        next(model for model in MODELS.values() if model.architecture == name)
        for name in architectures
    ]


def _without_dropout(network: Network) -> Network:
    """Switch off dropout: another device draws other random numbers, so gradients would differ."""
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return network


def molecules(count: int = TIMED) -> Tensors:
    """Fold and encode the first `count` RNAs of each class of the demo."""
    ids, labels, encoded = [], [], []
    for label, name in enumerate(("negatives", "positives")):
        for record in list(read_fasta(DEMO / f"{name}.fa"))[:count]:
            ids.append(record.id)
            labels.append(label)
            encoded.append(encode(record.sequence, *fold(record.sequence)))
    return Tensors.build(ids, labels, encoded)


def measure(
    model: Model,
    tensors: Tensors,
    device: str,
    *,
    compared: int = COMPARED,
    batches: Sequence[int] = BATCHES,
    seconds: float = SECONDS,
) -> list[dict[str, Any]]:
    """Compare a device with the CPU, and time both.

    Parameters
    ----------
    compared
        Number of RNAs of each class whose outputs and gradients are compared.
    batches, seconds
        Numbers of RNAs in a batch, and the least time of a timing.

    Returns
    -------
    list of dict
        A row for each batch size: network; batch; the greatest differences of outputs (logits, and
        logits of a resumed training) and of gradients (as a share of the largest); and RNAs a
        second in training and in scoring, on either device.
    """
    chosen = np.concatenate([np.flatnonzero(tensors.labels == it)[:compared] for it in (0, 1)])
    some = tensors.subset(chosen)
    on_cpu, on_device = (build(model, seed=0).to(prepare_device(it)) for it in ("cpu", device))
    outputs = _difference(predict(on_cpu, some), predict(on_device, some))
    gradients = [_gradients(network, some) for network in (on_cpu, on_device)]
    largest = max(float(it.abs().max()) for it in gradients[0])
    facts = {
        "network": model.label,
        "outputs differ by": outputs,
        "gradients differ by": max(map(_difference, *gradients)) / largest,
        "resumed differs by": resumed(model, some, device),
    }
    rows = []
    for batch in batches:
        row = {**facts, "batch": batch}
        for name in dict.fromkeys(("cpu", device)):
            training, scoring = rates(model, tensors, name, batch=batch, seconds=seconds)
            row |= {f"training, {name}": training, f"scoring, {name}": scoring}
        rows.append(row)
    return rows


def _difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.detach().cpu().double() - other.detach().cpu().double()).abs().max())


def _gradients(network: Network, tensors: Tensors) -> list[torch.Tensor]:
    """Compute the gradients of one step on all RNAs, batch normalisation in training mode."""
    _without_dropout(network).train()
    # What is drawn on the CPU, such as where RNAs are trimmed, is the same for both devices.
    torch.manual_seed(0)
    labels = torch.from_numpy(tensors.labels.astype(np.int64)).to(network.output.weight.device)
    weighted_loss(network(list(tensors)), labels, None, "mean").backward()  # type: ignore[no-untyped-call]
    return [it.grad for it in network.parameters() if it.grad is not None]


def _passes(model: Model, tensors: Tensors, device: str, batch: int) -> Passes:
    network = build(model, seed=0).to(prepare_device(device))
    recipe = Recipe(batch_size=batch, loss="mean")
    return Passes(network, tensors, tensors.labels.astype(np.int64), None, recipe, seed=0)


def resumed(model: Model, tensors: Tensors, device: str) -> float:
    """Save a training after an epoch, then train on, with the training and with a resumed one.

    Returns
    -------
    float
        The greatest difference of a logit between the training that went on and the one that
        resumed from the checkpoint; infinite if the checkpoint is not read, or is another state.
    """
    batch = max(1, len(tensors) // 4)
    first = _passes(model, tensors, device, batch)
    first()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.safetensors"
        Checkpoint(path, {"network": model.label}).save(*first.state())
        saved = Checkpoint(path, {"network": model.label}).load()
    if saved is None:
        return float("inf")
    second = _passes(model, tensors, device, batch)
    second.restore(*saved)
    states = [it.state()[1] for it in (first, second)]
    if any(_difference(tensor, states[1][name]) for name, tensor in states[0].items()):
        return float("inf")
    logits = []
    for passes in (first, second):
        passes()
        logits.append(predict(passes.network, tensors))
    return _difference(*logits)


def rates(
    model: Model, tensors: Tensors, device: str, *, batch: int, seconds: float
) -> tuple[float, float]:
    """Measure RNAs a second in training and in scoring, after an epoch that is not timed."""
    passes = _passes(model, tensors, device, batch)

    def score() -> None:
        scores_of(predict(passes.network, tensors, batch_size=batch))

    measured = []
    for work in (passes, score):
        work()
        _wait(device)
        done, started = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - started) < seconds or not done:
            work()
            _wait(device)
            done += len(tensors)
        measured.append(done / elapsed)
    return measured[0], measured[1]


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Write the rows as a Markdown table."""

    def shown(value: Any) -> str:
        if not isinstance(value, float):
            return str(value)
        return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"

    text: str = pd.DataFrame(rows).map(shown).to_markdown(index=False, disable_numparse=True)
    return text


def faults(rows: Sequence[dict[str, Any]], tolerance: float = TOLERANCE) -> list[str]:
    """List the networks whose differences exceed the tolerance, or are not numbers."""
    found = [
        f"{row['network']}: {name} {value:.2g}, more than {tolerance:g}"
        for row in rows
        for name, value in row.items()
        if "differ" in name and not value <= tolerance
    ]
    return list(dict.fromkeys(found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare all networks; return 1 if one is different on the device, or there is no device."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("device", nargs="?", default="cuda", help="a PyTorch device (cuda)")
    parser.add_argument("--out", type=Path, help="file to write the table to, too")
    parser.add_argument("--rnas", type=int, default=TIMED, help=f"RNAs of each class ({TIMED})")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help=f"least time of a timing ({SECONDS})"
    )
    given = parser.parse_args(arguments)
    try:
        name = device_name(given.device)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    started = time.perf_counter()
    tensors = molecules(given.rnas)
    rows = []
    with redirect_stdout(sys.stderr):
        for model in models():
            rows += measure(model, tensors, given.device, seconds=given.seconds)
            print(f"{model.label}: {time.perf_counter() - started:.0f} s", flush=True)
    wrong = faults(rows)
    text = "\n".join(
        [
            f"{name}, PyTorch {torch.__version__}, {torch.get_num_threads()} CPU threads; "
            f"{len(tensors)} RNAs; rates are RNAs a second.",
            "",
            table(rows),
            "",
            *(wrong or [f"No difference exceeds {TOLERANCE:g}."]),
        ]
    )
    print(text)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
