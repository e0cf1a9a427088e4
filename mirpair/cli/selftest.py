"""Check that this installation gives the expected results: `selftest`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mirpair import files
from mirpair.cli.terminal import messages, say
from mirpair.files import InputError, read_tsv, write_tsv
from mirpair.settings import NO_REFERENCE

if TYPE_CHECKING:
    import pandas as pd

NAME = "golden.tsv"
# For scores: sums of float64 in another order, by another processor or library, differ far less.
TOLERANCE = 1e-5
GOLDEN = {
    **dict.fromkeys(("id", "sequence", "structure"), "str"),
    **dict.fromkeys(("mfe", "score", "probability"), "float64"),
    "family": "str",
    "family_score": "float64",
}


def selftest() -> None:
    """Check that this installation gives the expected results.

    Some RNAs are folded, and scored by the weights that come with mirpair. Structures, energies and
    families must be the same as expected; scores may differ by at most 0.00001.
    """
    from mirpair.provenance import versions

    with messages():
        used = versions("torch", "ViennaRNA", "numpy", "safetensors")
        say(", ".join(f"{name} {value}" for name, value in used.items()))
        count, difference = check()
        typer.echo(
            f"{count} RNAs: structures, energies and families are as expected, "
            f"scores differ by at most {difference:.1e} (allowed: {TOLERANCE:.0e})"
        )


def measure(ids: list[str], sequences: list[str]) -> pd.DataFrame:
    """Score RNAs with the weights that come with mirpair: the columns of `GOLDEN`."""
    from mirpair.families import annotation
    from mirpair.prediction.predictor import predict

    predicted = predict(sequences, reference=NO_REFERENCE)
    annotated = annotation.annotate(annotation.load(annotation.shipped()), sequences)
    table = predicted.assign(
        id=ids, sequence=sequences, family=annotated["family"], family_score=annotated["score"]
    )
    return table[list(GOLDEN)].astype(GOLDEN)


def write(ids: list[str], sequences: list[str], path: str | Path) -> None:
    """Write the results of this machine, for `check` on any other."""
    write_tsv(measure(ids, sequences), path, float_format="%.9g")


def check(path: str | Path | None = None) -> tuple[int, float]:
    """Compare the results of this installation with the expected ones.

    These are in the file that comes with the package, if `path` is None.

    Returns
    -------
    count, difference
        Number of RNAs, and the greatest difference of any score.

    Raises
    ------
    InputError
        If a structure, an energy or a family differs, or a score differs by more than `TOLERANCE`;
        the message names the RNA and the difference.
    """
    path = path or files.shipped(NAME, "make it: make weights")
    expected = read_tsv(path, GOLDEN, remedy="install mirpair again")
    measured = measure(expected["id"].tolist(), expected["sequence"].tolist())
    if faults := list(_faults(expected, measured)):
        raise InputError(
            f"{len(faults)} of {expected.size} results differ from those in {path}:\n"
            + "\n".join(f"  - {fault}" for fault in faults[:10])
            + "\nIf structures or energies differ, check the version of ViennaRNA (2.7 is "
            "expected). If only scores differ, the weights are others, or PyTorch computes "
            "wrongly on this machine."
        )
    scores = [name for name, kind in GOLDEN.items() if kind == "float64" and name != "mfe"]
    difference = (expected[scores] - measured[scores]).abs().to_numpy().max()
    return len(expected), float(difference)


def _faults(expected: pd.DataFrame, measured: pd.DataFrame) -> Iterator[str]:
    rows = zip(expected.to_dict("records"), measured.to_dict("records"), strict=True)
    for wanted, given in rows:
        for name, kind in GOLDEN.items():
            same = (
                abs(wanted[name] - given[name]) <= TOLERANCE
                if kind == "float64"
                else wanted[name] == given[name]
            )
            if not same:
                yield f"{wanted['id']}: {name} is {given[name]}, should be {wanted[name]}"
