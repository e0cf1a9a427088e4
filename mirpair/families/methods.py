"""The methods of a families study, and the family that each of them calls for each record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mirpair.contracts import read_calls, read_queries
from mirpair.families.family_calls import (
    BY_MODELS,
    INFERNAL,
    MIRGENEDB,
    NEAREST,
    NETWORK_SCORES,
    SCORES,
    in_trained_family,
)
from mirpair.files import read_tsv
from mirpair.pages.printing import BASELINE, OTHER_PROGRAM, OURS
from mirpair.recipes import FAMILY_MODELS

_INPUTS = {
    "pair": "pairs of the ensemble",
    "prob": "pair probabilities",
    "mixed": "pairs and their probabilities",
    "one-hot": "sequence",
    "variable": "sequence and MFE structure",
    "without-pairing": "sequence",
    "stem": "duplex of the MFE structure",
    "joined": "sequence and duplex",
}
INPUTS = {
    NEAREST: "8-mers of the sequence",
    **{FAMILY_MODELS[name].label: text for name, text in _INPUTS.items()},
    BY_MODELS: "sequence, alignment and consensus structure",
    INFERNAL: "alignment and consensus structure",
    MIRGENEDB: "alignment and consensus structure",
}
# by_models.tsv: the family that models call, its bits, and what decided.
MODEL_CALLS = {"id": "str", "called": "str", "bits": "float64", "decided": "str"}
# Where a method comes from; all others are networks trained here.
_SOURCES = {NEAREST: BASELINE, INFERNAL: OTHER_PROGRAM, MIRGENEDB: OTHER_PROGRAM}
_WITH_STRUCTURE = ("pair", "prob", "mixed", "variable", "stem", "joined")
WITH_STRUCTURE = tuple(FAMILY_MODELS[name].label for name in _WITH_STRUCTURE)


@dataclass(frozen=True, slots=True)
class Called:
    """The calls of a method for the records of an experiment.

    Attributes
    ----------
    queries
        Records that count for it, see `mirpair.families.records.nearest_family`.
    calls
        A table for each seed: id, called and the scores of the method.
    """

    experiment: str
    method: str
    queries: pd.DataFrame
    calls: Sequence[pd.DataFrame]

    @property
    def source(self) -> str:
        """Return whether a method is a baseline, a network of ours or another program."""
        return _SOURCES.get(self.method, OURS)

    @property
    def scores(self) -> list[str]:
        """List its scores among `mirpair.families.family_calls.SCORES`."""
        return [name for name in SCORES if name in self.calls[0]]


def gather_called(
    queries: Mapping[str, pd.DataFrame],
    networks: Sequence[tuple[str, str, pd.DataFrame]],
    infernal: Mapping[str, pd.DataFrame] | None = None,
    mirgenedb: Mapping[str, tuple[pd.DataFrame, Mapping[str, str]]] | None = None,
    *,
    by_models: Sequence[tuple[str, pd.DataFrame]] = (),
) -> list[Called]:
    """Gather the calls of all methods by experiment: the baseline, networks, other programs.

    Parameters
    ----------
    queries
        Experiment to the result of `mirpair.families.records.nearest_family`.
    networks
        Experiment, label and calls of each training; trainings with the same experiment and label
        differ in their seeds.
    infernal
        Experiment to calls (id, called, bits).
    mirgenedb
        Experiment to calls with MirGeneDB's names, and our families to those names (see
        `mirpair.families.infernal.counterparts`).
    by_models
        Experiment and calls (`MODEL_CALLS`) of each training that makes shortlists, see
        `mirpair.families.by_models`.
    """
    called = []
    for name, records in queries.items():
        # The column called of the queries is the family of the nearest training record.
        of_method = {NEAREST: [records[["id", "called", "containment"]]]}
        for experiment, label, calls in networks:
            if experiment == name:
                of_method.setdefault(label, []).append(calls)
        for experiment, calls in by_models:
            if experiment == name:
                of_method.setdefault(BY_MODELS, []).append(calls)
        if infernal and name in infernal:
            of_method[INFERNAL] = [infernal[name]]
        called += [Called(name, method, records, calls) for method, calls in of_method.items()]
        if mirgenedb and name in mirgenedb:
            called.append(_of_mirgenedb(name, records, *mirgenedb[name]))
    return called


def read_called(
    nearest: Sequence[str],
    calls: Sequence[str],
    runs: Sequence[Mapping[str, Any]],
    infernal: Sequence[str] = (),
    mirgenedb: Sequence[str] = (),
    *,
    by_models: Sequence[str] = (),
    proposing: Sequence[str] = (),
) -> list[Called]:
    """Read the calls of all methods from the files of a study, see `gather_called`.

    Parameters
    ----------
    nearest
        ``nearest/<experiment>.tsv``.
    calls, runs
        ``calls.tsv`` of each training, and its experiment and label.
    infernal, mirgenedb
        ``infernal/<experiment>.tsv``; ``infernal/<experiment>-mirgenedb.tsv`` and ``.json``, or
        nothing.
    by_models, proposing
        ``by_models.tsv`` of trainings, and the experiment of each.
    """
    of_mirgenedb = {}
    if mirgenedb:
        table, names = mirgenedb
        experiment = Path(table).stem.removesuffix("-mirgenedb")
        counterparts = json.loads(Path(names).read_text("utf-8"))
        of_mirgenedb[experiment] = read_calls(table, ["bits"]), counterparts
    return gather_called(
        {Path(path).stem: read_queries(path) for path in nearest},
        [
            (run["experiment"], run["label"], read_calls(path, NETWORK_SCORES))
            for run, path in zip(runs, calls, strict=True)
        ],
        {Path(path).stem: read_calls(path, ["bits"]) for path in infernal},
        of_mirgenedb,
        by_models=[
            (experiment, read_tsv(path, MODEL_CALLS))
            for experiment, path in zip(proposing, by_models, strict=True)
        ],
    )


def _of_mirgenedb(
    name: str, queries: pd.DataFrame, calls: pd.DataFrame, counterparts: Mapping[str, str]
) -> Called:
    """Translate calls to our names, for those of our families that MirGeneDB also has."""
    covered = queries[~in_trained_family(queries) | queries["family"].isin(counterparts)]
    table = covered[["id", "family"]].merge(calls, on="id", validate="one_to_one")
    is_right = table["family"].map(counterparts) == table["called"]
    # A family without a counterpart among ours is not a trained family.
    table["bits"] = table["bits"].where(table["called"].isin(set(counterparts.values())))
    table["called"] = table["family"].where(is_right, "")
    return Called(name, MIRGENEDB, covered, [table[["id", "called", "bits"]]])
