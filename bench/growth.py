"""Measure how the cost grows with the number of sequences and with their length."""

from __future__ import annotations

import logging
import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mirpair.identification.train import train
from mirpair.networks.build import build
from mirpair.networks.inference import predict
from mirpair.recipes import MODELS, Recipe
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import Molecule, encode
from mirpair.rna.folding import fold

NUMBERS = (1_000, 3_000, 10_000, 30_000, 100_000)
LENGTHS = (45, 64, 91, 128, 181, 256, 362, 512, 724, 1_000)


def with_number(path: Path, numbers: Sequence[int] = NUMBERS) -> pd.DataFrame:
    """Train two epochs and predict once for each number of sequences, on one thread.

    Parameters
    ----------
    path
        ``tensors.npz``. If it has too few molecules, they are repeated with random bases.

    Returns
    -------
    DataFrame
        Columns n, first_epoch and next_epoch (seconds), prediction (seconds), memory (MB at most).
    """
    context = multiprocessing.get_context("spawn")
    rows = []
    for n in numbers:
        with context.Pool(1) as pool:
            rows.append((n, *pool.apply(_train, (path, n))))
    return pd.DataFrame(rows, columns=["n", "first_epoch", "next_epoch", "prediction", "memory"])


def _train(path: Path, n: int) -> tuple[float, float, float, float]:
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    source = Tensors.load(path)
    chosen = random.permutation(len(source))
    molecules = []
    for number in range(n):
        molecule = source[chosen[number % len(source)]]
        if number >= len(source):
            bases = random.integers(0, 4, len(molecule.codes), dtype=np.uint8)
            molecule = molecule._replace(codes=bases)
        molecules.append(molecule)
    labels = [number % 2 for number in range(n)]
    tensors = Tensors.build([str(number) for number in range(n)], labels, molecules)
    seconds: list[float] = []
    log = logging.getLogger("mirpair.networks.loop")
    log.setLevel(logging.INFO)
    log.addHandler(_Seconds(seconds))
    few = tensors.subset(np.arange(64))
    network, _ = train(MODELS["variable"], tensors, few, Recipe(epochs=2), seed=0)
    start = time.perf_counter()
    predict(network, tensors)
    prediction = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return seconds[0], seconds[1], prediction, memory


class _Seconds(logging.Handler):
    """Collect the seconds that training logs for each epoch."""

    def __init__(self, seconds: list[float]) -> None:
        super().__init__()
        self.seconds = seconds

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.args, tuple)
        self.seconds.append(float(str(record.args[-1])))


def with_length(lengths: Sequence[int] = LENGTHS, *, rounds: int = 5) -> pd.DataFrame:
    """Measure folding and training of random RNAs of each length, 16 per batch, on one thread.

    Returns
    -------
    DataFrame
        Columns length, folding and, for each network and way, median milliseconds per sample
        (forward and backward). The fixed-sized network accepts up to 400 nt.
    """
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    rows = []
    for length in lengths:
        sequences = ["".join(random.choice(list("ACGU"), length)) for _ in range(16)]
        start = time.perf_counter()
        molecules = [encode(sequence, *fold(sequence)) for sequence in sequences]
        row = {"length": length, "folding": (time.perf_counter() - start) * 1e3 / 16}
        ways: dict[str, Callable[[], float]] = {}
        for model in ("variable", "fixed"):
            if length > (MODELS[model].max_length or length):
                continue
            ways[f"{model}, dense"] = _Pass(model, molecules, dense=True)
            ways[f"{model}, ours"] = _Pass(model, molecules, dense=False)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds + 1):
            for name, way in ways.items():
                times[name].append(way())
        rows.append(row | {name: float(np.median(taken[1:])) for name, taken in times.items()})
    return pd.DataFrame(rows)


class _Pass:
    """A forward and a backward pass; a call returns milliseconds per sample."""

    def __init__(self, model: str, molecules: list[Molecule], *, dense: bool) -> None:
        self.network = build(MODELS[model], seed=0)
        self.molecules = molecules
        self.dense = dense

    def __call__(self) -> float:
        start = time.perf_counter()
        self.network(self.molecules, dense=self.dense).sum().backward()
        return (time.perf_counter() - start) * 1e3 / len(self.molecules)
