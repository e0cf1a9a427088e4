"""Who is in a set of RNAs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import RECORDS, TRAIN
from mirpair.files import InputError
from mirpair.rna.sequences import Dropped, Record, read_fasta


def build_records(
    positives: Iterable[str | Path],
    negatives: Iterable[str | Path],
    *,
    on_ambiguous: Literal["error", "drop"] = "error",
) -> tuple[pd.DataFrame, list[Dropped]]:
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
        Columns id, label (1 is a pre-miRNA), sequence, file and number (where it came from),
        positives first, in the order of the files.
    dropped
        What was left out.

    Raises
    ------
    InputError
        As `read_fasta` does, and if an id stands twice or a class has no records.
    """
    dropped: list[Dropped] | None = [] if on_ambiguous == "drop" else None
    rows: list[tuple[str, int, str, str, int]] = []
    first_seen: dict[str, Record] = {}
    for label, record in _read_classes(positives, negatives, dropped):
        if other := first_seen.get(record.id):
            raise InputError(
                f"{record.file}: record {record.number} has the id {record.id!r}, but so "
                f"has record {other.number} of {other.file}: ids must be unique in a set, "
                "rename one of them, choose collections that have none in common, or say `cleaned: "
                "true`, by which files may share ids"
            )
        first_seen[record.id] = record
        rows.append((record.id, label, record.sequence, record.file, record.number))
    return pd.DataFrame(rows, columns=list(RECORDS)).astype(RECORDS), dropped or []


def clean_records(
    positives: Iterable[str | Path],
    negatives: Iterable[str | Path],
    *,
    known: Collection[str] = (),
    on_ambiguous: Literal["error", "drop"] = "error",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the FASTA files of both classes, and leave out what is known to be wrong.

    Files may share ids and sequences, as sets that were made from one another do: an id is
    ``<name of the file>:<id>``, and of each sequence the first record is taken.

    Parameters
    ----------
    positives, negatives, on_ambiguous
        See `build_records`.
    known
        Sequences of known hairpins.

    Returns
    -------
    records, left_out
        As `build_records`; and id, file, number and reason of each record that was left out: a
        sequence of both classes, a negative that is a known hairpin, a copy, or a character
        outside ACGU.

    Raises
    ------
    InputError
        As `build_records` does.
    """
    dropped: list[Dropped] | None = [] if on_ambiguous == "drop" else None
    rows = [
        (f"{Path(it.file).stem}:{it.id}", label, it.sequence, it.file, it.number)
        for label, it in _read_classes(positives, negatives, dropped)
    ]
    table = pd.DataFrame(rows, columns=list(RECORDS)).astype(RECORDS)
    # The last that is true is what is told.
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
            f"the id {twice[0]!r} stands twice: ids must be unique in a file, and files of a set "
            "must have different names"
        )
    told = pd.concat([dropped_table(dropped or []), left_out[["id", "file", "number", "reason"]]])
    return records, told.reset_index(drop=True)


def _read_classes(
    positives: Iterable[str | Path],
    negatives: Iterable[str | Path],
    dropped: list[Dropped] | None,
) -> Iterator[tuple[int, Record]]:
    """Label and record of everything in the files of both classes, positives first."""
    files = {1: [str(path) for path in positives], 0: [str(path) for path in negatives]}
    if twice := [path for path, count in Counter(files[1] + files[0]).items() if count > 1]:
        raise InputError(f"{', '.join(twice)}: this file stands twice among the files of the set")
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


def dropped_table(dropped: Sequence[Dropped]) -> pd.DataFrame:
    """What `build_records` left out: id, file, number of the record, reason."""
    return pd.DataFrame(
        [(d.record.id, d.record.file, d.record.number, d.reason) for d in dropped],
        columns=["id", "file", "number", "reason"],
    )


def why_dropped(dropped: pd.DataFrame) -> dict[str, int]:
    """How many records were left out for each reason, of a table that `clean_records` makes."""
    letter = r"^.* at position \d+$"  # an apostrophe stands between other quotation marks
    told = dropped["reason"].str.replace(letter, "with a letter outside ACGU", regex=True)
    return {str(why): int(count) for why, count in told.value_counts().sort_index().items()}


def from_where(
    records: pd.DataFrame, origins: Mapping[str, pd.DataFrame], column: str
) -> pd.Series:
    """The species, family or accession of every record, empty where it is not known.

    Parameters
    ----------
    records
        A set.
    origins
        Where RNAs are from (`mirpair.contracts.read_origins`), by the FASTA file that they are in.
    column
        Of the table of origins.

    Raises
    ------
    InputError
        If it is known of no positive.
    """
    parts = [
        pd.DataFrame({"file": file, "number": range(1, len(table) + 1), "it": table[column]})
        for file, table in origins.items()
    ]
    empty = pd.DataFrame({"file": [""], "number": [0], "it": [""]})
    known = pd.concat([empty, *parts])
    merged = records[["file", "number"]].merge(known, how="left", on=["file", "number"])
    found = merged["it"].fillna("").set_axis(records.index)
    if not (found[records["label"] == 1] != "").any():
        raise InputError(
            f"of no positive of the set the {column} is known: name a collection of hairpins "
            "(`collections` in the config) among its positives, in place of a FASTA file"
        )
    return found


def trained_families(
    experiment: pd.DataFrame, records: pd.DataFrame
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The families that an experiment trains, and which of them each of its records is of.

    Parameters
    ----------
    experiment
        Columns id and role.
    records
        Table of records with their families.

    Returns
    -------
    classes, labels
        Families by name; (N,) place of each record's family among them, -1 if it is of none.
    """
    family_of = dict(zip(records["id"], records["family"], strict=True))
    family = experiment["id"].map(family_of)
    classes = sorted(set(family[experiment["role"] == TRAIN]))
    place = {name: number for number, name in enumerate(classes)}
    return classes, family.map(place).fillna(-1).to_numpy(dtype=np.int64)
