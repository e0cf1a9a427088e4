"""The tables that flow between stages: their columns, and how to read them."""

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
# Where the RNAs of a collection are from.
ORIGINS = dict.fromkeys(("id", "accession", "species", "family"), "str")
# What was cut of stretches, by their number.
PSEUDO_HAIRPINS = {
    "stretch": "int64",
    **dict.fromkeys(("id", "accession", "species", "family", "sequence"), "str"),
}
FOLDS = {"id": "str", "fold": "int64"}
EXPERIMENT = {"id": "str", "set": "str", "role": "str"}
TRAIN, VALIDATE, EVALUATE = "train", "validate", "evaluate"
# Methods without a network: columns of baselines/<experiment>.tsv, and what they are called.
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
# Features of a record that a network could lean on, as tables name them.
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
# From this identity to a training record on, an evaluation record is a near-copy.
NEAR = 0.8
PUBLISHED_RESULTS = {"method": "str", "protocol": "str", **dict.fromkeys(METRICS, "float64")}
PUBLISHED_COUNTS = {"dataset": "str", "positives": "int64", "negatives": "int64"}


def read_records(path: str | Path) -> pd.DataFrame:
    """`records.tsv`: id (unique), label (1 is a pre-miRNA), sequence (ACGU), file and number."""
    return read_tsv(path, RECORDS)


def read_family_records(path: str | Path) -> pd.DataFrame:
    """`records.tsv` of a study of families: as `read_records`, and family.

    The family of an RNA that is no pre-miRNA (label 0) is the kind of RNA.
    """
    return read_tsv(path, FAMILY_RECORDS)


def read_origins(path: str | Path) -> pd.DataFrame:
    """`collections/<collection>.tsv`: row by row the FASTA file beside it; empty is not known."""
    return read_tsv(path, ORIGINS)


def read_pseudo_hairpins(path: str | Path) -> pd.DataFrame:
    """A piece of a collection of pseudo-hairpins, with the number of the stretch of each."""
    return read_tsv(path, PSEUDO_HAIRPINS)


def read_structures(path: str | Path) -> pd.DataFrame:
    """`structures.tsv`: id, structure (dot-bracket), mfe (kcal/mol); row by row the records."""
    return read_tsv(path, STRUCTURES)


def read_piece(path: str | Path) -> pd.DataFrame:
    """A folded piece of a set: unique sequence, structure (dot-bracket), mfe (kcal/mol)."""
    return read_tsv(path, PIECE)


def read_folds(path: str | Path) -> pd.DataFrame:
    """`folds/<group>.tsv`: id of every record of a set, and the fold that it evaluates, from 1."""
    return read_tsv(path, FOLDS)


def read_experiment(path: str | Path) -> pd.DataFrame:
    """`experiments/<experiment>.tsv`: id, set, role (train, evaluate; validate in families)."""
    return read_tsv(path, EXPERIMENT)


def read_predictions(path: str | Path, scores: Iterable[str] = ("score",)) -> pd.DataFrame:
    """Evaluation records with their scores: id, label, and a column for each method's score."""
    return read_tsv(path, {"id": "str", "label": "int8", **dict.fromkeys(scores, "float64")})


def read_summary(path: str | Path) -> pd.DataFrame:
    """`evaluations/<group>.tsv`: a row a method, see `mirpair.identification.metrics.summarise`."""
    return read_tsv(path, SUMMARY)


def read_queries(path: str | Path) -> pd.DataFrame:
    """`nearest/<experiment>.tsv`: result of `mirpair.families.records.nearest_family`."""
    return read_tsv(path, QUERIES)


def read_calls(path: str | Path, scores: Iterable[str]) -> pd.DataFrame:
    """What a method calls the records of an experiment: id, called (a family), and its scores."""
    return read_tsv(path, {"id": "str", "called": "str", **dict.fromkeys(scores, "float64")})


def read_speed(path: str | Path) -> pd.DataFrame:
    """`speed/<experiment>.tsv`: result of `mirpair.families.speed.measure`."""
    return read_tsv(path, SPEED)


def read_features(path: str | Path) -> pd.DataFrame:
    """`features.tsv` of a set: result of `mirpair.identification.audit.describe`."""
    return read_tsv(path, SET_FEATURES)


def read_audit(path: str | Path) -> pd.DataFrame:
    """`audit/<experiment>/records.tsv`: a row for each evaluation record, in their order.

    The columns are those of `mirpair.identification.audit.evaluated`. An id is unique within a set
    only.
    """
    return read_tsv(path, AUDIT)


def read_published_results(path: str | Path, protocols: Iterable[str] = ()) -> pd.DataFrame:
    """Published rows of a table of results: method, protocol, the seven metrics and a note.

    The column note may be missing; then all notes are empty.

    Raises
    ------
    InputError
        If a column is missing, or one of `protocols` has no row.
    """
    table = read_tsv(path, PUBLISHED_RESULTS, remedy="correct it")
    with open(path, encoding="utf-8") as handle:
        has_notes = "note" in handle.readline().rstrip("\n").split("\t")
    notes = read_tsv(path, {"note": "str"}, remedy="correct it")["note"] if has_notes else ""
    table = table.assign(note=notes)
    for protocol in protocols:
        if protocol not in set(table["protocol"]):
            raise InputError(
                f"{path}: no row has the protocol {protocol!r}; there are "
                f"{', '.join(sorted(set(table['protocol'])))}"
            )
    return table


def read_published_counts(path: str | Path) -> pd.DataFrame:
    """Published rows of a table of counts: dataset, positives, negatives."""
    return read_tsv(path, PUBLISHED_COUNTS, remedy="correct it")
