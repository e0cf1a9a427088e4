"""Measure how many RNAs per second each method classifies, starting from sequences."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import torch

from mirpair.contracts import SPEED
from mirpair.families.annotation import encode_for
from mirpair.families.by_models import call_by_models
from mirpair.families.covariance import CovarianceModels
from mirpair.families.infernal import scan
from mirpair.networks.base import Network
from mirpair.networks.inference import predict
from mirpair.rna.similarity import Nearest

# Does the work on a number of cores and returns the seconds spent on folding.
Work = Callable[[int], float]


def network_work(network: Network, sequences: Sequence[str]) -> Work:
    """Make the work of a network: fold if its encoding needs it, encode and classify."""

    def work(cores: int) -> float:
        started = time.perf_counter()
        molecules = list(encode_for(network, sequences, processes=cores))
        folding = time.perf_counter() - started if network.model.needs != "sequence" else 0.0
        torch.set_num_threads(cores)
        predict(network, molecules)
        return folding

    return work


def infernal_work(models: Mapping[str, str], sequences: Sequence[str]) -> Work:
    """Make the work of Infernal: search with covariance models."""

    def work(cores: int) -> float:
        scan(models, sequences, threads=cores)
        return 0.0

    return work


def models_work(
    network: Network,
    models: Mapping[str, str],
    known: Sequence[str],
    families: Sequence[str],
    sequences: Sequence[str],
) -> Work:
    """Make the work of a network that proposes families, and of their models.

    It knows the families that have a model, no others; `known` are RNAs of `families`. The work
    reads the models that it needs, as Infernal's programs do.
    """
    of_models = [
        (rna, family) for rna, family in zip(known, families, strict=True) if family in models
    ]
    owners = [family for _, family in of_models]
    nearest = Nearest([rna for rna, _ in of_models])
    columns = [network.classes.index(family) for family in models]

    def work(cores: int) -> float:
        torch.set_num_threads(cores)
        logits = predict(network, list(encode_for(network, sequences))).numpy()[:, columns]
        call_by_models(
            CovarianceModels(models),
            sequences,
            logits,
            list(models),
            nearest,
            owners,
            threads=cores,
        )
        return 0.0

    return work


def nearest_work(known: Sequence[str], sequences: Sequence[str]) -> Work:
    """Make the work of the 8-mer nearest neighbour, which uses one core only."""
    nearest = Nearest(known)

    def work(cores: int) -> float:
        nearest.find(sequences)
        return 0.0

    return work


def measure(
    works: Mapping[tuple[str, int], Work], *, sequences: int, cores: Sequence[int], rounds: int = 3
) -> pd.DataFrame:
    """Time all works in turns, so that other load on the machine affects all alike.

    Parameters
    ----------
    works
        Method and number of families to its work.
    sequences
        Number of RNAs that each work processes.
    cores
        Numbers of cores to measure.
    rounds
        Number of repetitions; the fastest, least disturbed one counts.

    Returns
    -------
    DataFrame
        Columns of `SPEED`: seconds for all RNAs, and the seconds of folding among them.
    """
    fastest: dict[tuple[str, int, int], tuple[float, float]] = {}
    for _ in range(rounds):
        for (method, families), work in works.items():
            for number in cores:
                started = time.perf_counter()
                folding = work(number)
                taken = time.perf_counter() - started, folding
                key = (method, families, number)
                fastest[key] = min(fastest.get(key, taken), taken)
    rows = [(*key, sequences, *taken) for key, taken in fastest.items()]
    return pd.DataFrame(rows, columns=list(SPEED)).astype(SPEED)
