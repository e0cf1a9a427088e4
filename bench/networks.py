"""Measure milliseconds per sample of every way to run the networks, and their lower bound."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mirpair.identification.train import class_weights
from mirpair.networks.build import build
from mirpair.networks.exact import _footprint, _Geometry
from mirpair.networks.inference import predict
from mirpair.networks.loop import weighted_loss
from mirpair.recipes import MODELS, Recipe
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import Molecule

BATCH = Recipe().batch_size
SGEMM = 1024


@dataclass(frozen=True)
class Way:
    """A way to train and to score a network.

    Attributes
    ----------
    together
        Number of molecules per forward and backward pass; a step always uses `BATCH`.
    batches
        Number of batches per turn; if there are several, one more runs before them as warm-up.
    """

    model: str
    label: str
    dense: bool = True
    dtype: torch.dtype = torch.float32
    together: int = BATCH
    batches: int = 4


ONE_BY_ONE = "dense float32, one by one"
IN_BATCHES = "dense float32, batches of 64"
OURS = "exact and fast"
WAYS = [
    Way("variable", "dense float64, one by one (Algorithm 1)", dtype=torch.float64, together=1),
    Way("variable", ONE_BY_ONE, together=1),
    Way("variable", "dense float32, one backward pass for 64"),
    Way("variable", OURS, dense=False, batches=16),
    Way("without-pairing", ONE_BY_ONE, together=1),
    Way("without-pairing", OURS, dense=False, batches=16),
    Way("fixed", "dense float64, batches of 64 (Algorithm 2)", dtype=torch.float64, batches=1),
    Way("fixed", IN_BATCHES, batches=1),
    Way("fixed", OURS, dense=False, batches=16),
]


def measure(path: Path, *, threads: Sequence[int] = (1, 2), rounds: int = 4) -> pd.DataFrame:
    """Measure median milliseconds per sample of all ways in turns, each in its own process.

    Parameters
    ----------
    path
        ``tensors.npz`` of the set to train on.

    Returns
    -------
    DataFrame
        One row per way and number of threads: model, way, threads, forward (including assembly of
        the batch), backward, step, training (their sum), scoring (of molecules seen before), new
        (scoring of new molecules).
    """
    context = multiprocessing.get_context("spawn")
    workers: list[tuple[Way | None, Connection]] = []
    for way in [*WAYS, None]:
        connection, remote = context.Pipe()
        context.Process(target=_serve, args=(way, path, remote), daemon=True).start()
        workers.append((way, connection))
    turns = []
    for turn in range(rounds + 1):
        for count in threads:
            for way, worker in workers:
                worker.send(count)
                times = worker.recv()
                if turn:  # the first turn is a warm-up
                    name = (way.model, way.label) if way else ("", "sgemm")
                    turns.append((*name, count, *times))
    for _, worker in workers:
        worker.send(None)
    columns = ["model", "way", "threads", "forward", "backward", "step", "scoring", "new"]
    table = pd.DataFrame(turns, columns=columns)
    table.insert(6, "training", table[["forward", "backward", "step"]].sum(axis=1))
    return table.groupby(columns[:3], sort=False).median().reset_index()


def _serve(way: Way | None, path: Path, connection: Connection) -> None:
    turn = Training(way, Tensors.load(path)) if way else multiply
    while (threads := connection.recv()) is not None:
        torch.set_num_threads(threads)
        connection.send(turn())


def multiply() -> tuple[float, ...]:
    """Measure milliseconds for a million multiply-adds of a large matrix product."""
    a, b = torch.ones(SGEMM, SGEMM), torch.ones(SGEMM, SGEMM)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3 / (2 * SGEMM**3 / 1e6), 0.0, 0.0, 0.0, 0.0


class Training:
    """A network in training; each call measures the next batches."""

    def __init__(self, way: Way, tensors: Tensors) -> None:
        self.way = way
        self.tensors = tensors
        self.network = build(MODELS[way.model], seed=0).to(way.dtype)
        self.weights = torch.tensor(class_weights(tensors.labels), dtype=way.dtype)
        parameters = self.network.parameters()
        self.optimizer = torch.optim.Adagrad(parameters, lr=0.001, fused=True)
        self.random = np.random.default_rng(0)
        self.order = self.random.permutation(len(tensors))
        if not way.dense:
            predict(self.network, tensors)  # fill the cache, as the first epoch does

    def __call__(self) -> tuple[float, ...]:
        """Measure ms per sample: forward, backward, step, scoring again, scoring new molecules."""
        before = int(self.way.batches > 1)
        times = np.array([self.batch() for _ in range(before + self.way.batches)])
        forward, backward, step = times[before:].mean(axis=0) * 1e3 / BATCH
        molecules = [self.tensors[i] for i in self.order[: BATCH * self.way.batches]]
        new = [m._replace(codes=self.random.permutation(m.codes)) for m in molecules]
        return forward, backward, step, self.scoring(molecules), self.scoring(new)

    def batch(self) -> list[float]:
        """Measure seconds of forward, backward and step of the next batch."""
        chosen, self.order = self.order[:BATCH], np.roll(self.order, -BATCH)
        forward = backward = 0.0
        self.optimizer.zero_grad()
        for start in range(0, BATCH, self.way.together):
            part = chosen[start : start + self.way.together]
            begin = time.perf_counter()
            logits = self.network([self.tensors[i] for i in part], dense=self.way.dense)
            labels = torch.from_numpy(self.tensors.labels[part].astype(np.int64))
            loss = weighted_loss(logits, labels, self.weights)
            middle = time.perf_counter()
            loss.backward()  # type: ignore[no-untyped-call]
            forward += middle - begin
            backward += time.perf_counter() - middle
        begin = time.perf_counter()
        self.optimizer.step()
        step = time.perf_counter() - begin
        return [forward, backward, step]

    def scoring(self, molecules: list[Molecule]) -> float:
        """Measure milliseconds per sample of scoring."""
        begin = time.perf_counter()
        predict(self.network, molecules, dense=self.way.dense)
        return (time.perf_counter() - begin) * 1e3 / len(molecules)


def floor(path: Path, sgemm: float, model: str) -> tuple[float, float]:
    """Compute ms per sample of the necessary operations at the speed of a matrix product.

    Parameters
    ----------
    sgemm
        Milliseconds for a million multiply-adds, see `multiply`.

    Returns
    -------
    training, scoring
        A multiply-add counts as two. Products with zero padding, ReLU, pooling, sigmoid and the
        optimiser are not counted.
    """
    tensors = Tensors.load(path)
    forward, backward = np.mean([_operations(model, molecule) for molecule in tensors], axis=0)
    return (forward + backward) / 1e6 * sgemm, forward / 1e6 * sgemm


def _operations(model: str, molecule: Molecule) -> tuple[float, float]:
    network = MODELS[model]
    length = len(molecule.codes)
    if network.architecture == "variable":
        side = ((length + 9) // 4 + 1) // 2
        out2 = ((side + 3) // 2 + 1) // 2
        second = _met(side, 2 * out2, 5, 2, 4)
        third = _met(out2, out2, 3, 1, 1)
        head, empty = 1024, 0.0
    else:
        side = min(((length + 1) // 4 + 2) // 2, 49)
        reached = min((side + 3) // 2, 24)
        out2 = (reached + 1) // 2
        second = _met(side, reached, 5, 2, 2)
        third = _met(out2, min(out2 + 1, 12), 3, 1, 1)
        head, empty = 2304, 2 * 64 * 64 * _met(12, 12, 3, 1, 1) ** 2 / BATCH
    padding = 10 if network.architecture == "variable" else 2
    footprint = _footprint(molecule, 2 * side, _Geometry(11, 4, padding))
    rows, width = footprint.windows.shape
    table = 2 * rows * width * 2 * len(footprint.cuts) * 32
    pairs = len(footprint.pairs.matrix.indices) if network.pairing else 0
    outputs = (2 * side) ** 2 * 32 + 2 * pairs * 32
    others = 2 * 32 * 64 * second**2 + 2 * 64 * 64 * third**2 + 2 * (head + 2) * 256 + empty
    # The backward pass costs the same again for a layer's weights and again for its input, except
    # for the input of the first layer.
    return table + outputs + others, table + outputs + 2 * others


def _met(size: int, outputs: int, kernel: int, stride: int, padding: int) -> int:
    """Count input positions along one side that all windows together cover."""
    first = np.arange(outputs) * stride - padding
    return int((np.clip(first + kernel, 0, size) - np.clip(first, 0, size)).sum())
