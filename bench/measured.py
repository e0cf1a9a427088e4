"""Write tables that were measured with the shipped weights, and note which weights these were."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mirpair.files import sha256, write_text, write_tsv
from mirpair.prediction.weights import find_weights

# In the folder of the tables: name of a table, and the SHA-256 of the weights.
NOTES = "weights.tsv"


def write_measured(
    table: pd.DataFrame,
    path: Path,
    float_format: str | None = None,
    *,
    weights: Path | None = None,
) -> None:
    """Write a table as TSV, or as CSV by its name, and note the weights beside it.

    By default, the weights are those of `mirpair predict`.
    A test fails if the weights that ship are other ones: then the table must be measured again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        write_text(path, table.to_csv(index=False, float_format=float_format))
    else:
        write_tsv(table, path, float_format=float_format)
    notes = path.parent / NOTES
    made_of = {}
    if notes.is_file():
        made_of = pd.read_csv(notes, sep="\t").set_index("table")["weights"].to_dict()
    made_of[path.name] = sha256(weights or find_weights())
    write_tsv(pd.DataFrame(sorted(made_of.items()), columns=["table", "weights"]), notes)
