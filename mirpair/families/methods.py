"""The methods of a study of families, and what each of them calls the records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mirpair.contracts import BASELINES, read_calls, read_queries
from mirpair.families.family_calls import NETWORK_SCORES, SCORES
from mirpair.pages.printing import BASELINE, OTHER_PROGRAM, OURS
from mirpair.recipes import FAMILY_MODELS

NEAREST, INFERNAL, MIRGENEDB = BASELINES["nearest-8-mer"], "Infernal", "MirGeneDB's models"
_INPUTS = {
    "pair": "pairs of the ensemble",
    "prob": "pair probabilities",
    "mixed": "pairs and their probabilities",
    "one-hot": "sequence",
    "variable": "sequence and MFE structure",
    "without-pairing": "sequence",
}
INPUTS = {
    NEAREST: "8-mers of the sequence",
    **{FAMILY_MODELS[name].label: text for name, text in _INPUTS.items()},
    INFERNAL: "alignment and consensus structure",
    MIRGENEDB: "alignment and consensus structure",
}
# Where a method comes from; all others are networks trained here.
_SOURCES = {NEAREST: BASELINE, INFERNAL: OTHER_PROGRAM, MIRGENEDB: OTHER_PROGRAM}
WITH_STRUCTURE = tuple(FAMILY_MODELS[name].label for name in ("pair", "prob", "mixed", "variable"))


@dataclass(frozen=True, slots=True)
class Called:
    """What a method calls the records of an experiment.

    Attributes
    ----------
    experiment, method
        Names.
    queries
        The records that count for it, as `mirpair.families.records.nearest_family` has them.
    calls
        Columns id, called and the method's scores; a table for each seed.
    """

    experiment: str
    method: str
    queries: pd.DataFrame
    calls: Sequence[pd.DataFrame]

    @property
    def source(self) -> str:
        """Whether it is a baseline, a network of ours, or another program."""
        return _SOURCES.get(self.method, OURS)

    @property
    def scores(self) -> list[str]:
        """Names of its scores among `mirpair.families.family_calls.SCORES`."""
        return [name for name in SCORES if name in self.calls[0]]


def gather_called(
    queries: Mapping[str, pd.DataFrame],
    networks: Sequence[tuple[str, str, pd.DataFrame]],
    infernal: Mapping[str, pd.DataFrame] | None = None,
    mirgenedb: Mapping[str, tuple[pd.DataFrame, Mapping[str, str]]] | None = None,
) -> list[Called]:
    """What all methods call, by experiment: the baseline, networks, other programs.

    Parameters
    ----------
    queries
        Experiment to the result of `mirpair.families.records.nearest_family`.
    networks
        Experiment, label and calls of each training; those that have the first two in common are
        seeds of the same.
    infernal
        Experiment to calls (id, called, bits).
    mirgenedb
        Experiment to calls by the names of MirGeneDB, and our families to those names, as
        `mirpair.families.infernal.counterparts` has them.
    """
    found = []
    for name, asked in queries.items():
        # The queries have the family of the nearest record as called.
        found.append(Called(name, NEAREST, asked, [asked[["id", "called", "containment"]]]))
        labels = dict.fromkeys(label for of, label, _ in networks if of == name)
        for label in labels:
            seeds = [calls for of, own, calls in networks if (of, own) == (name, label)]
            found.append(Called(name, label, asked, seeds))
        if infernal and name in infernal:
            found.append(Called(name, INFERNAL, asked, [infernal[name]]))
        if mirgenedb and name in mirgenedb:
            found.append(_of_mirgenedb(name, asked, *mirgenedb[name]))
    return found


def read_called(
    nearest: Sequence[str],
    calls: Sequence[str],
    runs: Sequence[Mapping[str, Any]],
    infernal: Sequence[str] = (),
    mirgenedb: Sequence[str] = (),
) -> list[Called]:
    """What `gather_called` makes of the files of a study.

    Parameters
    ----------
    nearest
        ``nearest/<experiment>.tsv``.
    calls, runs
        ``calls.tsv`` of each training, and its experiment and label.
    infernal, mirgenedb
        ``infernal/<experiment>.tsv``; ``infernal/<experiment>-mirgenedb.tsv`` and ``.json``, or
        nothing.

    Raises
    ------
    InputError
        If a table is not as it should be.
    """
    found = {}
    if mirgenedb:
        table, names = mirgenedb
        other_of = json.loads(Path(names).read_text("utf-8"))
        found[Path(table).stem.removesuffix("-mirgenedb")] = read_calls(table, ["bits"]), other_of
    return gather_called(
        {Path(path).stem: read_queries(path) for path in nearest},
        [
            (run["experiment"], run["label"], read_calls(path, NETWORK_SCORES))
            for run, path in zip(runs, calls, strict=True)
        ],
        {Path(path).stem: read_calls(path, ["bits"]) for path in infernal},
        found,
    )


def _of_mirgenedb(
    name: str, queries: pd.DataFrame, calls: pd.DataFrame, other_of: Mapping[str, str]
) -> Called:
    """By our names, of the families alone that have a counterpart there."""
    covered = queries[(queries["kind"] != "") | queries["family"].isin(other_of)]
    table = covered[["id", "family"]].merge(calls, on="id", validate="one_to_one")
    own = table["family"].map(other_of) == table["called"]
    # A family that has no counterpart among ours is not one of the trained ones.
    table["bits"] = table["bits"].where(table["called"].isin(set(other_of.values())))
    table["called"] = table["family"].where(own, "")
    return Called(name, MIRGENEDB, covered, [table[["id", "called", "bits"]]])
