"""Build the table of labelled records of a set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from mirpair.contracts import ORIGINS, RECORDS
from mirpair.files import InputError
from mirpair.rna.sequences import ODD_CHARACTER, Dropped, Record, kind_of, read_fasta

_LEFT_OUT = ["id", "file", "number", "reason"]


def build_records(
    positives: Iterable[str | Path],
    negatives: Iterable[str | Path],
    *,
    on_ambiguous: Literal["error", "drop"] = "error",
    longest: int | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the FASTA files of both classes into one table.

    Parameters
    ----------
    positives, negatives
        FASTA files, plain or gzip.
    on_ambiguous
        What to do with a record that has a character outside ACGU.
    longest
        Maximum length, nt; longer records are left out. None means no limit.

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
    files = _Files(positives, negatives, on_ambiguous, longest)
    rows: list[tuple[str, int, str, str, int]] = []
    first_of: dict[str, Record] = {}
    for label, record in files.records():
        other = first_of.setdefault(record.id, record)
        if other is not record:
            same = _same_id(record.id, record.number, record.file, other.number, other.file)
            raise InputError(f"{same}: ids must be unique in a set. {_remedy(record, other)}.")
        rows.append((record.id, label, record.sequence, record.file, record.number))
    return pd.DataFrame(rows, columns=list(RECORDS)).astype(RECORDS), files.left_out()


def _same_id(name: str, number: int, file: str, other_number: int, other_file: str) -> str:
    return (
        f"{file}: record {number} has the id {name!r}, but so has record {other_number} of "
        f"{other_file}"
    )


def _remedy(record: Record, other: Record) -> str:
    """Say what helps against two records with one id: `cleaned` only between two files."""
    if record.file == other.file:
        same = record.sequence == other.sequence
        return "Remove one of them, which is a copy" if same else "Rename one of them in the file"
    cleaned = "set `cleaned: true`, which allows files to share ids"
    if Path(record.file).stem == Path(other.file).stem:
        cleaned = f"give one of the files another name and {cleaned}"
    return f"Rename one of them, choose other files or collections, or {cleaned}"


def clean_records(
    positives: Iterable[str | Path],
    negatives: Iterable[str | Path],
    *,
    known: Collection[str] = (),
    on_ambiguous: Literal["error", "drop"] = "error",
    longest: int | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the FASTA files of both classes, and leave out copies and wrong labels.

    Files may share ids and sequences, as sets that build on one another do: an id becomes
    ``<name of the file>:<id>``, and only the first record of each sequence is used.

    Parameters
    ----------
    positives, negatives, on_ambiguous, longest
        As `build_records` takes them.
    known
        Sequences of known hairpins.

    Returns
    -------
    records
        As from `build_records`.
    left_out
        Columns id, file, number and reason: a sequence in both classes, a negative that is a known
        hairpin, a copy, a character outside ACGU, or its length.

    Raises
    ------
    InputError
        If `read_fasta` does, two different sequences have the same id, or a class has no records.
    """
    files = _Files(positives, negatives, on_ambiguous, longest)
    rows = [
        (id_in_file(it.id, it.file), label, it.sequence, it.file, it.number)
        for label, it in files.records()
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
    if second := records.loc[records["id"].duplicated()].to_dict("records"):
        raise InputError(_same_id_after_cleaning(records, second[0]))
    unread = files.left_out()
    unread["id"] = [id_in_file(*it) for it in zip(unread["id"], unread["file"], strict=True)]
    return records, pd.concat([unread, left_out[_LEFT_OUT]], ignore_index=True)


def _same_id_after_cleaning(records: pd.DataFrame, second: Mapping[Hashable, Any]) -> str:
    first = records[records["id"] == second["id"]].to_dict("records")[0]
    name = second["id"].partition(":")[2]
    where = _same_id(name, second["number"], second["file"], first["number"], first["file"])
    if second["file"] == first["file"]:
        return f"{where}: rename one of them in the file"
    return f"{where}: give one of the files another name; ids of a cleaned set begin with it"


def id_in_file(name: str, file: str) -> str:
    """Return the id of a record in a cleaned set, by its id in a file."""
    return f"{Path(file).stem}:{name}"


class _Files:
    """The files of both classes, and what is left out while they are read."""

    def __init__(
        self,
        positives: Iterable[str | Path],
        negatives: Iterable[str | Path],
        on_ambiguous: Literal["error", "drop"],
        longest: int | None,
    ) -> None:
        self.files = {1: [str(path) for path in positives], 0: [str(path) for path in negatives]}
        counts = Counter(self.files[1] + self.files[0])
        if twice := [path for path, count in counts.items() if count > 1]:
            raise InputError(f"{', '.join(twice)}: listed twice in the set; list each file once")
        self.dropped: list[Dropped] | None = [] if on_ambiguous == "drop" else None
        self.longest = longest
        self.too_long: list[Record] = []

    def records(self) -> Iterator[tuple[int, Record]]:
        """Read label and record, positives first."""
        for label, paths in self.files.items():
            count = 0
            for path in paths:
                for record in read_fasta(path, dropped=self.dropped):
                    if self.longest is not None and len(record.sequence) > self.longest:
                        self.too_long.append(record)
                        continue
                    count += 1
                    yield label, record
            if not count:
                kind = "positive" if label else "negative"
                raise InputError(
                    f"{', '.join(paths)}: no records are left for the {kind} class: each has a "
                    "character outside ACGU, or is longer than `longest`"
                )

    def left_out(self) -> pd.DataFrame:
        """List the records that were left out: characters outside ACGU first."""
        rows = [
            *((it.record, it.reason) for it in self.dropped or []),
            *((record, f"longer than {self.longest} nt") for record in self.too_long),
        ]
        table = [(record.id, record.file, record.number, reason) for record, reason in rows]
        return pd.DataFrame(table, columns=_LEFT_OUT)


def check_lengths(records: Mapping[str, pd.DataFrame], limits: Mapping[str, int | None]) -> None:
    """Raise an InputError if an RNA is too long for a planned network.

    Parameters
    ----------
    records
        Name of a set to its records, or to those of them that the networks get.
    limits
        Network to the length of the longest RNA that it takes, in nt; None means no limit.
    """
    for dataset, table in records.items():
        lengths = table["sequence"].str.len()
        for model, limit in limits.items():
            count = int((lengths > limit).sum()) if limit is not None else 0
            if not count:
                continue
            longest = int(lengths.to_numpy().argmax())
            raise InputError(
                f"{count:,} {'RNA is' if count == 1 else 'RNAs are'} longer than {limit} nt, the "
                f"most that the network {model!r} takes; the longest is "
                f"{table['id'].iloc[longest]!r} of the set {dataset!r} with "
                f"{lengths.iloc[longest]:,} nt. Leave them out (`longest: {limit}` in "
                f"`datasets.{dataset}`), or leave {model!r} out of `runs`."
            )


def count_reasons(left_out: pd.DataFrame) -> dict[str, int]:
    """Count the records that `clean_records` left out, by reason."""
    kinds = left_out["reason"].map(kind_of)
    reasons = left_out["reason"].where(kinds != ODD_CHARACTER, "with a letter outside ACGU")
    return {str(why): int(count) for why, count in reasons.value_counts().sort_index().items()}


def origins_of(records: pd.DataFrame, origins: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the origins of every record, in its row; empty text for what is unknown.

    Parameters
    ----------
    records
        A set (`mirpair.contracts.RECORDS`), or some of its rows.
    origins
        FASTA file to the origins of its RNAs (`mirpair.contracts.read_origins`).

    Returns
    -------
    DataFrame
        Columns `mirpair.contracts.ORIGINS` without the id; the index of `records`.
    """
    columns = [name for name in ORIGINS if name != "id"]
    known = [
        table.reindex(columns=columns).assign(file=file, number=range(1, len(table) + 1))
        for file, table in origins.items()
    ]
    if not known:
        return pd.DataFrame("", records.index, columns)
    places = pd.MultiIndex.from_frame(records[["file", "number"]])
    named = pd.concat(known).set_index(["file", "number"]).reindex(places)
    return named.set_axis(records.index).astype("object").fillna("").astype("str")


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
    origin = origins_of(records, origins)[column]
    if not (origin[records["label"] == 1] != "").any():
        raise InputError(
            f"no positive of the set has a known {column}: use a collection of hairpins "
            "(`collections` in the config) as its positives, instead of a FASTA file"
        )
    return origin
