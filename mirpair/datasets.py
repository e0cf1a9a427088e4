"""Who is in a set, and who trains and who evaluates in an experiment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from mirpair.contracts import EVALUATE, EXPERIMENT, RECORDS, TRAIN
from mirpair.files import InputError
from mirpair.sequences import Dropped, Record, read_fasta


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
    files = {1: [str(path) for path in positives], 0: [str(path) for path in negatives]}
    if twice := [path for path, count in Counter(files[1] + files[0]).items() if count > 1]:
        raise InputError(f"{', '.join(twice)}: this file stands twice among the files of the set")
    for label, paths in files.items():
        before = len(rows)
        for path in paths:
            for record in read_fasta(path, dropped=dropped):
                if other := first_seen.get(record.id):
                    raise InputError(
                        f"{record.file}: record {record.number} has the id {record.id!r}, but so "
                        f"has record {other.number} of {other.file}: ids must be unique in a set, "
                        "rename one of them"
                    )
                first_seen[record.id] = record
                rows.append((record.id, label, record.sequence, record.file, record.number))
        if len(rows) == before:
            raise InputError(
                f"{', '.join(paths)}: no records are left for the "
                f"{'positive' if label else 'negative'} class"
            )
    return pd.DataFrame(rows, columns=list(RECORDS)).astype(RECORDS), dropped or []


def dropped_table(dropped: Sequence[Dropped]) -> pd.DataFrame:
    """What `build_records` left out: id, file, number of the record, position, character."""
    return pd.DataFrame(
        [(d.record.id, d.record.file, d.record.number, d.position, d.character) for d in dropped],
        columns=["id", "file", "number", "position", "character"],
    )


def stratified_folds(records: pd.DataFrame, *, folds: int, seed: int) -> list[pd.Series]:
    """Role of every record in each fold: stratified k-fold by scikit-learn, shuffled by `seed`.

    Returns
    -------
    list of Series
        For each fold, ``"train"`` or ``"evaluate"`` for each row of `records`.
    """
    smallest = int(records["label"].value_counts().min())
    if smallest < folds:
        raise InputError(
            f"{folds} folds need at least {folds} records of either class, the smaller has "
            f"{smallest}: use fewer folds or more records"
        )
    splitter = StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    roles = []
    for _, chosen in splitter.split(records["sequence"], records["label"]):
        role = pd.Series(TRAIN, index=records.index)
        role.iloc[chosen] = EVALUATE
        roles.append(role)
    return roles


def published_roles(
    records: pd.DataFrame,
    *,
    train: Sequence[str | Path],
    evaluate: Sequence[str | Path],
    on_ambiguous: Literal["error", "drop"] = "error",
) -> pd.Series:
    """Role of the records that published FASTA files list; others get no role (missing).

    Records that the set dropped for an ambiguous character are dropped here too.

    Raises
    ------
    InputError
        If a file has an id that the set has not, or with another sequence, or an id stands in
        both roles.
    """
    sequences = dict(zip(records["id"], records["sequence"], strict=True))
    roles: dict[str, str] = {}
    for role, paths in ((TRAIN, train), (EVALUATE, evaluate)):
        for path in paths:
            for record in read_fasta(path, dropped=[] if on_ambiguous == "drop" else None):
                where = f"{record.file}: record {record.number} ({record.id!r})"
                if record.id not in sequences:
                    raise InputError(f"{where} is not in the set that it should be a part of")
                if sequences[record.id] != record.sequence:
                    raise InputError(f"{where} has another sequence than in its set")
                if roles.setdefault(record.id, role) != role:
                    raise InputError(f"{where} stands in the training and the evaluation files")
    return records["id"].map(roles)


def assign_roles(
    split: Mapping[str, Any],
    records: Mapping[str, pd.DataFrame],
    *,
    fold: int = 0,
    train: Sequence[str | Path] = (),
    evaluate: Sequence[str | Path] = (),
    on_ambiguous: Literal["error", "drop"] = "error",
) -> pd.DataFrame:
    """The table of one experiment: id, set and role of every record that takes part.

    Parameters
    ----------
    split
        An experiment of the config (`mirpair.config.Experiment`) as a dictionary.
    records
        Records by name of their set.
    fold
        Which fold, from 1, if the split has folds.
    train, evaluate
        FASTA files of a published split.
    on_ambiguous
        What the set does with a record that has a character outside ACGU.

    Raises
    ------
    InputError
        If a role lacks records of either class; see also `stratified_folds`, `published_roles`.
    """
    parts: list[tuple[str, pd.Series | str]]
    match split:
        case {"split": "k-fold", "dataset": name, "folds": folds, "seed": seed}:
            parts = [(name, stratified_folds(records[name], folds=folds, seed=seed)[fold - 1])]
        case {"split": "published", "dataset": name}:
            roles = published_roles(
                records[name], train=train, evaluate=evaluate, on_ambiguous=on_ambiguous
            )
            parts = [(name, roles)]
        case {"split": "across-datasets", "train": trains, "evaluate": evaluates}:
            parts = [(trains, TRAIN), (evaluates, EVALUATE)]
        case _:
            raise InputError(f"no such split: {dict(split)}")
    table = pd.concat(
        [
            records[name][["id", "label"]].assign(set=name, role=role).dropna(subset="role")
            for name, role in parts
        ],
        ignore_index=True,
    )
    for role in (TRAIN, EVALUATE):
        present = set(table.loc[table["role"] == role, "label"])
        for label, kind in ((1, "positive"), (0, "negative")):
            if label not in present:
                raise InputError(f"the {role} part has no {kind} records; both are needed")
    return table[list(EXPERIMENT)]


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
