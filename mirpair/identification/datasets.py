"""Build the table of labelled records of a set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from mirpair.contracts import RECORDS
from mirpair.files import InputError
from mirpair.rna.sequences import ODD_CHARACTER, Dropped, Record, kind_of, read_fasta

_LEFT_OUT = ["id", "file", "number", "reason"]


def build_records(
    positives: Iterable[str | Path],
    negatives: Iterable[str | Path],
    *,
    on_ambiguous: Literal["error", "drop"] = "error",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the FASTA files of both classes into one table.

    Parameters
    ----------
    positives, negatives
        FASTA files, plain or gzip.
    on_ambiguous
        What to do with a record that has a character outside ACGU.

    Returns
    -------
    records
        Columns id, label (1: a pre-miRNA), sequence, file and number (in the file), positives
        first, in the order of the files.
    left_out
        Columns id, file, number and reason of the records that were dropped.

    Raises
    ------
    InputError
        If `read_fasta` does, an id occurs twice, or a class has no records.
    """
    dropped: list[Dropped] | None = [] if on_ambiguous == "drop" else None
    rows: list[tuple[str, int, str, str, int]] = []
    first_of: dict[str, Record] = {}
    for label, record in _read_classes(positives, negatives, dropped):
        other = first_of.setdefault(record.id, record)
        if other is not record:
            raise InputError(
                f"{record.file}: record {record.number} has the id {record.id!r}, but so "
                f"has record {other.number} of {other.file}: ids must be unique in a set. Rename "
                "one of them, choose collections that share no ids, or set `cleaned: true`, which "
                "allows files to share ids"
            )
        rows.append((record.id, label, record.sequence, record.file, record.number))
    return pd.DataFrame(rows, columns=list(RECORDS)).astype(RECORDS), _left_out(dropped)


def clean_records(
    positives: Iterable[str | Path],
    negatives: Iterable[str | Path],
    *,
    known: Collection[str] = (),
    on_ambiguous: Literal["error", "drop"] = "error",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the FASTA files of both classes, and leave out copies and wrong labels.

    Files may share ids and sequences, as sets that build on one another do: an id becomes
    ``<name of the file>:<id>``, and only the first record of each sequence is used.

    Parameters
    ----------
    positives, negatives, on_ambiguous
        As `build_records` takes them.
    known
        Sequences of known hairpins.

    Returns
    -------
    records
        As from `build_records`.
    left_out
        Columns id, file, number and reason: a sequence in both classes, a negative that is a known
        hairpin, a copy, or a character outside ACGU.

    Raises
    ------
    InputError
        If `read_fasta` does, two different sequences have the same id, or a class has no records.
    """
    dropped: list[Dropped] | None = [] if on_ambiguous == "drop" else None
    rows = [
        (f"{Path(it.file).stem}:{it.id}", label, it.sequence, it.file, it.number)
        for label, it in _read_classes(positives, negatives, dropped)
    ]
    table = pd.DataFrame(rows, columns=list(RECORDS)).astype(RECORDS)
    # Later reasons override earlier ones.
    reason = pd.Series("", index=table.index, dtype="str")
    reason[table.duplicated("sequence")] = "copy"
    reason[(table["label"] == 0) & table["sequence"].isin(set(known))] = "known hairpin"
    both = table.groupby("sequence")["label"].transform("nunique") > 1
    reason[both] = "in both classes"
    left_out = table.assign(reason=reason)[reason != ""]
    records = table[reason == ""].reset_index(drop=True)
    for label, kind in ((1, "positive"), (0, "negative")):
        if label not in set(records["label"]):
            raise InputError(f"no records are left for the {kind} class after cleaning")
    if twice := records.loc[records["id"].duplicated(), "id"].tolist():
        raise InputError(
            f"the id {twice[0]!r} occurs twice: make ids unique in each file, and give the files "
            "of a set different names"
        )
    return records, pd.concat([_left_out(dropped), left_out[_LEFT_OUT]], ignore_index=True)


def _read_classes(
    positives: Iterable[str | Path], negatives: Iterable[str | Path], dropped: list[Dropped] | None
) -> Iterator[tuple[int, Record]]:
    """Read label and record from the files of both classes, positives first."""
    files = {1: [str(path) for path in positives], 0: [str(path) for path in negatives]}
    if twice := [path for path, count in Counter(files[1] + files[0]).items() if count > 1]:
        raise InputError(f"{', '.join(twice)}: listed twice in the set; list each file once")
    for label, paths in files.items():
        count = 0
        for path in paths:
            for record in read_fasta(path, dropped=dropped):
                count += 1
                yield label, record
        if not count:
            raise InputError(
                f"{', '.join(paths)}: no records are left for the "
                f"{'positive' if label else 'negative'} class"
            )


def _left_out(dropped: list[Dropped] | None) -> pd.DataFrame:
    rows = [(d.record.id, d.record.file, d.record.number, d.reason) for d in dropped or []]
    return pd.DataFrame(rows, columns=_LEFT_OUT)


def count_reasons(left_out: pd.DataFrame) -> dict[str, int]:
    """Count the records that `clean_records` left out, by reason."""
    kinds = left_out["reason"].map(kind_of)
    reasons = left_out["reason"].where(kinds != ODD_CHARACTER, "with a letter outside ACGU")
    return {str(why): int(count) for why, count in reasons.value_counts().sort_index().items()}


def origin_of(records: pd.DataFrame, origins: Mapping[str, pd.DataFrame], column: str) -> pd.Series:
    """Return the species, family or accession of every record, empty if unknown.

    Parameters
    ----------
    records, column
        A set, and a column of the table of origins.
    origins
        FASTA file to the origins of its RNAs (`mirpair.contracts.read_origins`).

    Raises
    ------
    InputError
        If it is unknown for all positives.
    """
    known = {
        (file, number): value
        for file, table in origins.items()
        for number, value in enumerate(table[column], 1)
    }
    places = zip(records["file"], records["number"], strict=True)
    origin = pd.Series([known.get(place, "") for place in places], records.index, "str")
    if not (origin[records["label"] == 1] != "").any():
        raise InputError(
            f"no positive of the set has a known {column}: use a collection of hairpins "
            "(`collections` in the config) as its positives, instead of a FASTA file"
        )
    return origin
