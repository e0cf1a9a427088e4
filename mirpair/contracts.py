"""The tables that flow between stages: their columns, and how to read them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mirpair.files import read_tsv

RECORDS = {"id": "str", "label": "int8", "sequence": "str", "file": "str", "number": "int64"}
STRUCTURES = {"id": "str", "structure": "str", "mfe": "float64"}
PIECE = {"sequence": "str", "structure": "str", "mfe": "float64"}
EXPERIMENT = {"id": "str", "set": "str", "role": "str"}
TRAIN, EVALUATE = "train", "evaluate"


def read_records(path: str | Path) -> pd.DataFrame:
    """`records.tsv`: id (unique), label (1 is a pre-miRNA), sequence (ACGU), file and number."""
    return read_tsv(path, RECORDS)


def read_structures(path: str | Path) -> pd.DataFrame:
    """`structures.tsv`: id, structure (dot-bracket), mfe (kcal/mol); row by row the records."""
    return read_tsv(path, STRUCTURES)


def read_piece(path: str | Path) -> pd.DataFrame:
    """A folded piece of a set: unique sequence, structure (dot-bracket), mfe (kcal/mol)."""
    return read_tsv(path, PIECE)


def read_experiment(path: str | Path) -> pd.DataFrame:
    """`experiments/<experiment>.tsv`: id, set, role (train or evaluate)."""
    return read_tsv(path, EXPERIMENT)
