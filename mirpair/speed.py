"""How many RNAs a second methods name the family of, from their sequences on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import torch

from mirpair.contracts import SPEED
from mirpair.encoding import Encoded, encode, encode_ensemble
from mirpair.families import Nearest
from mirpair.folding import ensemble, fold, for_each
from mirpair.inference import predict
from mirpair.infernal import scan
from mirpair.models import Network

# Does the work on some cores and says how many seconds of it were folding.
Work = Callable[[int], float]


def network_work(network: Network, sequences: Sequence[str]) -> Work:
    """Fold, if the network's encoding needs it, encode and classify."""
    architecture = network.model.architecture

    def work(cores: int) -> float:
        started = time.perf_counter()
        molecules: list[Encoded]
        if architecture in ("pair", "prob", "mixed"):
            pairs = for_each(ensemble, sequences, processes=cores)
            molecules = [
                encode_ensemble(s, *found) for s, found in zip(sequences, pairs, strict=True)
            ]
        elif network.model.pairing and architecture != "one-hot":
            folded = for_each(fold, sequences, processes=cores)
            molecules = [encode(s, *found) for s, found in zip(sequences, folded, strict=True)]
        else:
            molecules = [encode(s, "." * len(s), 0.0) for s in sequences]
            started = time.perf_counter()
        folding = time.perf_counter() - started
        torch.set_num_threads(cores)
        predict(network, molecules)
        return folding

    return work


def infernal_work(models: Mapping[str, str], sequences: Sequence[str]) -> Work:
    """Search with covariance models."""

    def work(cores: int) -> float:
        scan(models, sequences, threads=cores)
        return 0.0

    return work


def nearest_work(known: Sequence[str], sequences: Sequence[str]) -> Work:
    """Look for the training RNA that shares most 8-mers; on one core whatever there are."""
    nearest = Nearest(known)

    def work(cores: int) -> float:
        nearest.find(sequences)
        return 0.0

    return work


def measure(
    works: Mapping[tuple[str, int], Work], *, sequences: int, cores: Sequence[int], rounds: int = 3
) -> pd.DataFrame:
    """Time all works in turns, so that what else the machine does meets each alike.

    Parameters
    ----------
    works
        Method and number of families to what it does.
    sequences
        How many RNAs each is given.
    cores
        On how many cores each is measured.
    rounds
        How many times; the fastest counts, which is the least disturbed.

    Returns
    -------
    DataFrame
        Columns of `SPEED`: seconds for all RNAs, and those of them that were folding.
    """
    found: dict[tuple[str, int, int], tuple[float, float]] = {}
    for _ in range(rounds):
        for (method, families), work in works.items():
            for number in cores:
                started = time.perf_counter()
                folding = work(number)
                taken = time.perf_counter() - started, folding
                key = (method, families, number)
                found[key] = min(found.get(key, taken), taken)
    rows = [(*key, sequences, *taken) for key, taken in found.items()]
    return pd.DataFrame(rows, columns=list(SPEED)).astype(SPEED)
