"""The tables that pass between stages: their columns, and functions that read them.

Each `read_…` function reads the table described above it: see `mirpair.files.read_tsv` for errors;
those of published rows, which users write, see `mirpair.sheets.read_sheet`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirpair.files import InputError, read_tsv
from mirpair.sheets import read_sheet, read_typed

if TYPE_CHECKING:
    import pandas as pd

ALPHABET = "ACGU"
METRICS = ("SE", "SP", "PPV", "F-score", "g-mean", "AUROC", "AUPR")
RANKING = ("AUROC", "AUPR")
# Recall above the score that a share of the negatives reach, by its name in tables.
RECALLS = {"R@1%": 0.01, "R@0.1%": 0.001}
BY_KIND = (*RANKING, *RECALLS)
# Recall at a number of calls a megabase of genome, by its name in tables.
AT_CALLS = {f"R@{calls}/Mb": calls for calls in (1, 3, 10, 30)}

# records.tsv: id (unique), label (1: a pre-miRNA), sequence (ACGU), file and number (in the file).
RECORDS = {"id": "str", "label": "int8", "sequence": "str", "file": "str", "number": "int64"}
read_records = partial(read_tsv, columns=RECORDS)

# dropped.tsv: records of its files that a set leaves out, by id.
read_left_out = partial(read_tsv, columns={"id": "str"})

# records.tsv of a study of families. The family of an RNA that is not a pre-miRNA (label 0) is its
# kind, such as ``tRNA``.
FAMILY_RECORDS = {**RECORDS, "family": "str"}
read_family_records = partial(read_tsv, columns=FAMILY_RECORDS)

# families.tsv: families by name, their accessions in miRBase and Rfam and their names in MirGeneDB
# (both separated by spaces), and the number of their records.
FAMILIES = {**dict.fromkeys(("family", "accessions", "mirgenedb"), "str"), "records": "int64"}
read_named_families = partial(read_tsv, columns=FAMILIES)

# structures.tsv, row by row the records: dot-bracket and minimum free energy (kcal/mol).
STRUCTURES = {"id": "str", "structure": "str", "mfe": "float64"}
read_structures = partial(read_tsv, columns=STRUCTURES)

# A folded piece of a set; sequences are unique.
PIECE = {"sequence": "str", "structure": "str", "mfe": "float64"}
read_piece = partial(read_tsv, columns=PIECE)

# collections/<collection>.tsv: origin of each RNA, row by row its FASTA file; empty means unknown.
# `cut`: how the RNA was cut (`CUTS`), empty if as the database has it; `trust`: how sure it is that
# a pre-miRNA is one (`TRUSTS`), empty if unknown.
ORIGINS = dict.fromkeys(("id", "accession", "species", "family", "cut", "trust"), "str")
HAIRPIN, PRE_MIRNA, SCANNED, TRIMMED, FLANKED, WINDOW, JOINED = CUTS = (
    *("hairpin", "pre-mirna", "scanned", "trimmed", "flanked", "window", "joined"),
)
SUPPORTED, RELATED, DOUBTFUL, REPEAT = TRUSTS = ("supported", "related", "doubtful", "repeat")
# What the empty cut and the empty trust are called in a config and in tables.
AS_PUBLISHED, UNKNOWN = "as-published", "unknown"
read_origins = partial(read_tsv, columns=ORIGINS)


def read_all_origins(paths: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Read the origins of collections, each by the path of its FASTA file, which is beside them."""
    return {f"{path.removesuffix('.tsv')}.fa": read_origins(path) for path in paths}


# A piece of a collection that is cut in pieces: the number of the stretch of the genome (or of the
# hairpin) that each RNA was cut from, and the stem around which it was cut (empty: no stem).
CUT_RNAS = {"stretch": "int64", **ORIGINS, "sequence": "str", "stem": "str"}
read_cut_rnas = partial(read_tsv, columns=CUT_RNAS)

# folds/<group>.tsv: every record of a set, and the number, from 1, of the fold that it evaluates.
FOLDS = {"id": "str", "fold": "int64"}
read_folds = partial(read_tsv, columns=FOLDS)

# experiments/<experiment>.tsv; the role is one of the next line, the weight multiplies a record's
# term of the loss.
EXPERIMENT = {"id": "str", "set": "str", "role": "str", "weight": "float64"}
TRAIN, VALIDATE, EVALUATE = "train", "validate", "evaluate"
read_experiment = partial(read_tsv, columns=EXPERIMENT)

# shipped/<kingdom>.tsv: every record of a set, with the mean score of networks that trained on the
# training records only. `collection`: the name of its file, without endings; `cut` and `trust` as
# in ORIGINS. Training records, and those without a role, have no score.
SCORED_RECORDS = {
    "id": "str",
    "label": "int8",
    "role": "str",
    "length": "int64",
    **dict.fromkeys(("collection", "cut", "trust"), "str"),
    "score": "float64",
}
read_scored_records = partial(read_tsv, columns=SCORED_RECORDS)

# Methods without a network: column of baselines/<experiment>.tsv to name in tables and figures.
BOOSTING = "gradient-boosting"
BASELINES = {
    "mfe-per-length": "|MFE| / length",
    "nearest-8-mer": "8-mer nearest neighbour",
    "logistic-regression": "Logistic regression",
    "random-forest": "Random forest",
    BOOSTING: "Gradient boosting",
    "triplet-svm": "triplet-SVM",
}
# Those that a study has unless its config names others.
USUAL_BASELINES = ("mfe-per-length", "nearest-8-mer", "logistic-regression", "random-forest")
# The recipe, epochs and seed of a row of a baseline, which is not trained.
BASELINE_RUN = {"recipe": "", "epochs": 0, "seed": 0}

# nearest/<experiment>.tsv: result of `mirpair.families.records.nearest_family`.
QUERIES = {
    **dict.fromkeys(("id", "role", "family", "kind", "nearest", "called"), "str"),
    "containment": "float64",
}
read_queries = partial(read_tsv, columns=QUERIES)

# speed/<experiment>.tsv: result of `mirpair.families.speed.measure`.
SPEED = {
    "method": "str",
    **dict.fromkeys(("families", "cores", "sequences"), "int64"),
    **dict.fromkeys(("seconds", "folding"), "float64"),
}
read_speed = partial(read_tsv, columns=SPEED)

# evaluations/<group>.tsv: result of `mirpair.identification.metrics.summarise`.
SUMMARY = {
    **dict.fromkeys(("subset", "model", "recipe"), "str"),
    "epochs": "int64",
    "folds": "str",
    **dict.fromkeys(("seeds", "positives", "negatives"), "int64"),
    **{f"{m}{end}": "float64" for m in METRICS for end in ("", " low", " high", " sd")},
}
read_summary = partial(read_tsv, columns=SUMMARY)

# kinds/<table>.tsv: result of `mirpair.identification.kinds.measure_kinds`. `seeds`: trainings that
# the scores come from; `averaged`: trainings whose metrics are averaged, 1 for an ensemble.
KINDS = {
    "kind of positives": "str",
    "positives": "int64",
    "families": "int64",
    "kind of negatives": "str",
    "negatives": "int64",
    **dict.fromkeys(("method", "model", "recipe"), "str"),
    **dict.fromkeys(("epochs", "seeds", "averaged"), "int64"),
    **{f"{m}{end}": "float64" for m in BY_KIND for end in ("", " low", " high")},
    **dict.fromkeys(AT_CALLS, "float64"),
}
read_kinds = partial(read_tsv, columns=KINDS)

# kinds/<table>-curves.tsv: points of the curves of `mirpair.identification.kinds.measure_kinds`.
CURVES = {
    **dict.fromkeys(("curve", "kind of positives", "kind of negatives", "method", "recipe"), "str"),
    **dict.fromkeys(("x", "y"), "float64"),
}
read_curves = partial(read_tsv, columns=CURVES)

# Simple features that a network could use as shortcuts: column to name in tables.
FEATURES = {"length": "Length", "GC": "GC content", "MFE/length": "|MFE| / length"}
# kinds/<table>.tsv of a table of cutting: result of `mirpair.identification.cutting.by_cut`.
CUTTING = {
    "cut of positives": "str",
    "positives": "int64",
    "cut of negatives": "str",
    "negatives": "int64",
    **{f"AUROC of {name}": "float64" for name in FEATURES.values()},
    **dict.fromkeys(("AUROC of cutting alone", "AUROC of the network"), "float64"),
    "share of skill": "float64",
    "network": "str",
}
read_cutting = partial(read_tsv, columns=CUTTING)

# features.tsv of a set: result of `mirpair.identification.audit.describe`.
SET_FEATURES = {
    "id": "str",
    "label": "int8",
    "length": "int64",
    **dict.fromkeys(("GC", "MFE/length"), "float64"),
    "contradictory": "int8",
    "hairpin": "str",
}
read_features = partial(read_tsv, columns=SET_FEATURES)

# audit/<experiment>/records.tsv: result of `mirpair.identification.audit.audit_records`. Ids are
# unique within a set only.
AUDIT = {
    "id": "str",
    "set": "str",
    **dict.fromkeys(("label", "contradictory", "in_training"), "int8"),
    "identity": "float64",
    "training_label": "Int8",
    "hairpin": "str",
    "family": "str",
    "relative": "Int8",
}
read_audit = partial(read_tsv, columns=AUDIT)

# Published rows of a table of counts, and of a table of results.
PUBLISHED_COUNTS = {"dataset": "str", "positives": "int64", "negatives": "int64"}
read_published_counts = partial(read_typed, columns=PUBLISHED_COUNTS)
PUBLISHED_RESULTS = {"method": "str", "protocol": "str", **dict.fromkeys(METRICS, "float64")}


def is_baseline(row: Mapping[Any, Any]) -> bool:
    """Tell whether a row of predictions or results belongs to a baseline."""
    return bool(row["recipe"] == BASELINE_RUN["recipe"])


def read_predictions(path: str | Path, scores: Iterable[str] = ("score",)) -> pd.DataFrame:
    """Read scores of evaluation records: id, label, and one column per method."""
    return read_tsv(path, {"id": "str", "label": "int8", **dict.fromkeys(scores, "float64")})


def read_calls(path: str | Path, scores: Iterable[str]) -> pd.DataFrame:
    """Read a method's calls of an experiment's records: id, called (a family), and scores."""
    return read_tsv(path, {"id": "str", "called": "str", **dict.fromkeys(scores, "float64")})


def read_published_results(path: str | Path, protocols: Iterable[str] = ()) -> pd.DataFrame:
    """Read a published table of results: method, protocol, the seven metrics and a note.

    The column note is optional; without it all notes are empty. It is an `InputError` if another
    column is missing, or one of `protocols` has no rows.
    """
    table = read_typed(path, PUBLISHED_RESULTS)
    rows = read_sheet(path, list(PUBLISHED_RESULTS)).rows
    table = table.assign(note=[row.get("note", "") for _, row in rows])
    known = sorted(set(table["protocol"]))
    for protocol in protocols:
        if protocol not in known:
            raise InputError(
                f"{path}: no row has the protocol {protocol!r}; choose one of {', '.join(known)}"
            )
    return table
