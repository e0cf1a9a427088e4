"""Whether this installation gives the answers that it gave where it was made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mirpair import files
from mirpair.families import annotation
from mirpair.files import InputError, read_tsv, write_tsv
from mirpair.prediction import predictor as prediction

NAME = "golden.tsv"
# Of a score: sums of float64 in another order, by another processor or library, are far below it.
TOLERANCE = 1e-5
GOLDEN = {
    "id": "str",
    "sequence": "str",
    "structure": "str",
    "mfe": "float64",
    "score": "float64",
    "probability": "float64",
    "family": "str",
    "family_score": "float64",
}


def measure(ids: list[str], sequences: list[str]) -> pd.DataFrame:
    """What the shipped weights say of some RNAs: the columns of `GOLDEN`."""
    predicted = prediction.predict(sequences, nearest=False)
    annotator = annotation.load(annotation.shipped())
    named = annotation.annotate(annotator, sequences)
    table = pd.DataFrame(
        {
            "id": ids,
            "sequence": sequences,
            **{name: predicted[name] for name in ("structure", "mfe", "score", "probability")},
            "family": named["family"],
            "family_score": named["score"],
        }
    )
    return table.astype(GOLDEN)


def ship(ids: list[str], sequences: list[str], path: str | Path) -> None:
    """Write the answers of this machine, for `check` on any other."""
    write_tsv(measure(ids, sequences), path, float_format="%.9g")


def check(path: str | Path | None = None) -> tuple[int, float]:
    """Ask the shipped weights again what is in the file of golden answers.

    Parameters
    ----------
    path
        Of the file; the one that comes with the package, if none is named.

    Returns
    -------
    count, difference
        How many RNAs there are, and the greatest difference of any score.

    Raises
    ------
    InputError
        If a structure, an energy or a family is another one, or a score differs by more than
        `TOLERANCE`; the message names the RNA and what is different.
    """
    place = path or files.shipped(NAME, "make it: make weights")
    golden = read_tsv(place, GOLDEN, remedy="install mirpair again")
    found = measure(golden["id"].tolist(), golden["sequence"].tolist())
    if faults := list(_faults(golden, found)):
        raise InputError(
            f"{len(faults)} answers of {len(golden)} RNAs are not those of {place}:\n"
            + "\n".join(f"  - {fault}" for fault in faults[:10])
            + "\nOther structures or energies: another version of ViennaRNA (2.7 is right); "
            "other scores: other weights, or a fault of PyTorch on this machine."
        )
    scores = [name for name, kind in GOLDEN.items() if kind == "float64" and name != "mfe"]
    difference = golden[scores].to_numpy() - found[scores].to_numpy()
    return len(golden), float(np.abs(difference).max())


def _faults(golden: pd.DataFrame, found: pd.DataFrame) -> Iterator[str]:
    for wanted, given in zip(golden.to_dict("records"), found.to_dict("records"), strict=True):
        for name, kind in GOLDEN.items():
            same = (
                abs(wanted[name] - given[name]) <= TOLERANCE
                if kind == "float64"
                else wanted[name] == given[name]
            )
            if not same:
                yield f"{wanted['id']}: {name} is {given[name]}, should be {wanted[name]}"
