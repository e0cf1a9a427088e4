"""Score hairpins of a genome, and pre-miRNAs as a scan would find them, to calibrate a scan."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mirpair.contracts import EVALUATE
from mirpair.hairpins.candidates import as_scanned, resolve
from mirpair.hairpins.tiles import Tile, read_tiles
from mirpair.prediction.predictor import Predictor, predict_records
from mirpair.prediction.weights import PreMirnaNetworks
from mirpair.rna.sequences import Record
from mirpair.scan.find import find_blocks, parse_block
from mirpair.settings import NO_REFERENCE, HairpinCriteria, ScanSettings


def genome_hairpins(
    genome: str, criteria: HairpinCriteria, *, bases: int, processes: int = 1
) -> list[str]:
    """Find the hairpins in the first bases of a genome, each read on its strand."""

    def tiles() -> Iterator[Tile]:
        done = 0
        for tile in read_tiles(genome, span=criteria.span):
            yield tile
            done += tile.end - tile.start
            if done >= bases:
                return

    blocks = find_blocks(tiles(), criteria, processes=processes)
    candidates = (parse_block(block) for _, block in blocks)
    return [hairpin.bases for _, hairpin in resolve(candidates)]


def background(
    records: pd.DataFrame,
    experiment: pd.DataFrame,
    hairpins: Sequence[str],
    weights: Sequence[str | Path],
    criteria: HairpinCriteria,
    *,
    processes: int = 1,
) -> pd.DataFrame:
    """Score what a scan would find, by the networks of one fold.

    Parameters
    ----------
    records, experiment
        Of the fold: the pre-miRNAs of its evaluation set are scored as a scan would find them.
    hairpins
        From a genome without pre-miRNAs; the fold did not train on them.
    weights
        Files of the fold's networks.
    processes
        The result is the same for any number.

    Returns
    -------
    DataFrame
        Columns label, and score: NaN for a pre-miRNA in which no hairpin meets the criteria.
    """
    evaluate = experiment.loc[experiment["role"] == EVALUATE, "id"]
    chosen = records[(records["label"] == 1) & records["id"].isin(evaluate)]
    positives = [as_scanned(bases, criteria) for bases in chosen["sequence"]]
    sequences = [*positives, *hairpins]
    scored = iter(scores([bases for bases in sequences if bases], weights, processes=processes))
    return pd.DataFrame(
        {
            "label": [1] * len(positives) + [0] * len(hairpins),
            "score": [next(scored) if bases else np.nan for bases in sequences],
        }
    )


def scores(
    sequences: Sequence[str], weights: Sequence[str | Path], *, processes: int = 1
) -> list[float]:
    """Score each RNA, of any length, by the mean of the networks of some trainings."""
    from mirpair.networks.build import load_weights

    networks = map(load_weights, weights)
    trained = PreMirnaNetworks.uncalibrated(networks, sys.maxsize)
    predictor = Predictor.for_genome(trained, ScanSettings(reference=NO_REFERENCE))
    records = (
        (Record(str(number), bases, "", number), None) for number, bases in enumerate(sequences, 1)
    )
    tables = predict_records(records, predictor, processes=processes)
    return [score for table in tables for score in table["score"].tolist()]
