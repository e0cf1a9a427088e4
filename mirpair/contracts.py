"""The tables that pass between stages: their columns, and functions that read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mirpair.files import InputError, read_tsv

if TYPE_CHECKING:
    import pandas as pd

ALPHABET = "ACGU"
METRICS = ("SE", "SP", "PPV", "F-score", "g-mean", "AUROC", "AUPR")
RANKING = ("AUROC", "AUPR")

RECORDS = {"id": "str", "label": "int8", "sequence": "str", "file": "str", "number": "int64"}
FAMILY_RECORDS = {**RECORDS, "family": "str"}
STRUCTURES = {"id": "str", "structure": "str", "mfe": "float64"}
PIECE = {"sequence": "str", "structure": "str", "mfe": "float64"}
# Origin of each RNA of a collection.
ORIGINS = dict.fromkeys(("id", "accession", "species", "family"), "str")
# Pseudo-hairpins cut from stretches of a genome, with the number of the stretch.
PSEUDO_HAIRPINS = {
    "stretch": "int64",
    **dict.fromkeys(("id", "accession", "species", "family", "sequence"), "str"),
}
FOLDS = {"id": "str", "fold": "int64"}
EXPERIMENT = {"id": "str", "set": "str", "role": "str"}
TRAIN, VALIDATE, EVALUATE = "train", "validate", "evaluate"
# Methods without a network: column of baselines/<experiment>.tsv to name in tables and figures.
BASELINES = {
    "mfe-per-length": "|MFE| / length",
    "nearest-8-mer": "8-mer nearest neighbour",
    "logistic-regression": "Logistic regression",
    "random-forest": "Random forest",
}
QUERIES = {
    **dict.fromkeys(("id", "role", "family", "kind", "nearest", "called"), "str"),
    "containment": "float64",
}
SPEED = {
    "method": "str",
    **dict.fromkeys(("families", "cores", "sequences"), "int64"),
    **dict.fromkeys(("seconds", "folding"), "float64"),
}
SUMMARY = {
    **dict.fromkeys(("subset", "model", "recipe"), "str"),
    "epochs": "int64",
    "folds": "str",
    **dict.fromkeys(("seeds", "positives", "negatives"), "int64"),
    **{f"{m}{end}": "float64" for m in METRICS for end in ("", " low", " high")},
}
# Simple features that a network could use as shortcuts: column to name in tables.
FEATURES = {"length": "Length", "GC": "GC content", "MFE/length": "|MFE| / length"}
SET_FEATURES = {
    "id": "str",
    "label": "int8",
    "length": "int64",
    **dict.fromkeys(("GC", "MFE/length"), "float64"),
    "contradictory": "int8",
    "hairpin": "str",
}
AUDIT = {
    "id": "str",
    "set": "str",
    "label": "int8",
    "contradictory": "int8",
    "in_training": "int8",
    "identity": "float64",
    "training_label": "Int8",
    "hairpin": "str",
    "family": "str",
    "relative": "Int8",
}
# Identity to a training record from which an evaluation record counts as a near-copy.
NEAR = 0.8
PUBLISHED_RESULTS = {"method": "str", "protocol": "str", **dict.fromkeys(METRICS, "float64")}
PUBLISHED_COUNTS = {"dataset": "str", "positives": "int64", "negatives": "int64"}


def read_records(path: str | Path) -> pd.DataFrame:
    """Read `records.tsv`: id (unique), label (1: a pre-miRNA), sequence (ACGU), file, number."""
    return read_tsv(path, RECORDS)


def read_family_records(path: str | Path) -> pd.DataFrame:
    """Read `records.tsv` of a study of families: columns of `read_records`, and family.

    The family of an RNA that is not a pre-miRNA (label 0) is its kind, such as ``tRNA``.
    """
    return read_tsv(path, FAMILY_RECORDS)


def read_origins(path: str | Path) -> pd.DataFrame:
    """Read `collections/<collection>.tsv`, row by row its FASTA file; empty means unknown."""
    return read_tsv(path, ORIGINS)


def read_pseudo_hairpins(path: str | Path) -> pd.DataFrame:
    """Read a piece of a collection of pseudo-hairpins, each with the number of its stretch."""
    return read_tsv(path, PSEUDO_HAIRPINS)


def read_structures(path: str | Path) -> pd.DataFrame:
    """Read `structures.tsv`, as the records: id, structure (dot-bracket), mfe (kcal/mol)."""
    return read_tsv(path, STRUCTURES)


def read_piece(path: str | Path) -> pd.DataFrame:
    """Read a folded piece of a set: unique sequence, structure (dot-bracket), mfe (kcal/mol)."""
    return read_tsv(path, PIECE)


def read_folds(path: str | Path) -> pd.DataFrame:
    """Read `folds/<group>.tsv`: id of every record of a set, and the fold it evaluates, from 1."""
    return read_tsv(path, FOLDS)


def read_experiment(path: str | Path) -> pd.DataFrame:
    """Read `experiments/<experiment>.tsv`: id, set, role (train, evaluate; families: validate)."""
    return read_tsv(path, EXPERIMENT)


def read_predictions(path: str | Path, scores: Iterable[str] = ("score",)) -> pd.DataFrame:
    """Read scores of evaluation records: id, label, and one column per method."""
    return read_tsv(path, {"id": "str", "label": "int8", **dict.fromkeys(scores, "float64")})


def read_summary(path: str | Path) -> pd.DataFrame:
    """Read `evaluations/<group>.tsv`, results of `mirpair.identification.metrics.summarise`."""
    return read_tsv(path, SUMMARY)


def read_queries(path: str | Path) -> pd.DataFrame:
    """Read `nearest/<experiment>.tsv`, a result of `mirpair.families.records.nearest_family`."""
    return read_tsv(path, QUERIES)


def read_calls(path: str | Path, scores: Iterable[str]) -> pd.DataFrame:
    """Read a method's calls of an experiment's records: id, called (a family), and scores."""
    return read_tsv(path, {"id": "str", "called": "str", **dict.fromkeys(scores, "float64")})


def read_speed(path: str | Path) -> pd.DataFrame:
    """Read `speed/<experiment>.tsv`, a result of `mirpair.families.speed.measure`."""
    return read_tsv(path, SPEED)


def read_features(path: str | Path) -> pd.DataFrame:
    """Read `features.tsv` of a set, a result of `mirpair.identification.audit.describe`."""
    return read_tsv(path, SET_FEATURES)


def read_audit(path: str | Path) -> pd.DataFrame:
    """Read `audit/<experiment>/records.tsv`: one row per evaluation record, in their order.

    A result of `mirpair.identification.audit.audit_records`. Ids are unique within a set only.
    """
    return read_tsv(path, AUDIT)


def read_published_results(path: str | Path, protocols: Iterable[str] = ()) -> pd.DataFrame:
    """Read a published table of results: method, protocol, the seven metrics and a note.

    The column note is optional; without it all notes are empty.

    Raises
    ------
    InputError
        If a column is missing, or one of `protocols` has no rows.
    """
    table = read_tsv(path, PUBLISHED_RESULTS, remedy="correct it")
    with open(path, encoding="utf-8") as handle:
        has_notes = "note" in handle.readline().rstrip("\n").split("\t")
    notes = read_tsv(path, {"note": "str"}, remedy="correct it")["note"] if has_notes else ""
    table = table.assign(note=notes)
    for protocol in protocols:
        if protocol not in set(table["protocol"]):
            raise InputError(
                f"{path}: no row has the protocol {protocol!r}; choose one of "
                f"{', '.join(sorted(set(table['protocol'])))}"
            )
    return table


def read_published_counts(path: str | Path) -> pd.DataFrame:
    """Read a published table of counts: dataset, positives, negatives."""
    return read_tsv(path, PUBLISHED_COUNTS, remedy="correct it")
