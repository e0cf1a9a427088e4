"""How many RNAs a second methods name the family of, from their sequences on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import torch

from mirpair.contracts import SPEED
from mirpair.families.annotation import encode_for
from mirpair.families.infernal import scan
from mirpair.networks.do2018 import Network
from mirpair.networks.inference import predict
from mirpair.rna.similarity import Nearest

# Does the work on some cores and says how many seconds of it were folding.
Work = Callable[[int], float]


def network_work(network: Network, sequences: Sequence[str]) -> Work:
    """Fold, if the network's encoding needs it, encode and classify."""

    def work(cores: int) -> float:
        started = time.perf_counter()
        molecules = list(encode_for(network, sequences, processes=cores))
        folding = time.perf_counter() - started if network.model.needs != "sequence" else 0.0
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
