"""What an experiment's records are worth, looked at before anything is trained on them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from mirpair.contracts import AUDIT, EVALUATE, FEATURES, RANKING, SET_FEATURES, TRAIN
from mirpair.files import InputError
from mirpair.identification.metrics import rank
from mirpair.rna.sequences import Dropped, read_fasta
from mirpair.rna.similarity import nearest
from mirpair.sources.collections import read_families


def features(records: pd.DataFrame, structures: pd.DataFrame) -> pd.DataFrame:
    """Features of every record that a network could lean on as a shortcut.

    Parameters
    ----------
    records, structures
        Tables of one set, row by row the same RNAs.

    Returns
    -------
    DataFrame
        Columns id, label, sequence, length (nt), GC (share of the bases), MFE/length
        (|kcal/mol| per nt).
    """
    if list(records["id"]) != list(structures["id"]):
        raise InputError("records and structures are not of the same RNAs")
    length = records["sequence"].str.len()
    return pd.DataFrame(
        {
            "id": records["id"],
            "label": records["label"],
            "sequence": records["sequence"],
            "length": length,
            "GC": records["sequence"].str.count("[GC]") / length,
            "MFE/length": structures["mfe"].abs() / length,
        }
    )


def describe(
    records: pd.DataFrame, structures: pd.DataFrame, known: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What tables and figures tell of a set, without its sequences.

    Parameters
    ----------
    records, structures
        Tables of one set, row by row the same RNAs.
    known
        Result of `known_hairpins`, if there is a reference.

    Returns
    -------
    DataFrame
        Columns id, label, length, GC, MFE/length (see `features`), contradictory (the sequence
        stands in the other class of the set too, 0/1), and hairpin (the first known one with
        exactly this sequence, or empty).
    """
    table = features(records, structures)
    classes = table.groupby("sequence")["label"].transform("nunique")
    names, _ = _names(known)
    table = table.assign(
        contradictory=classes > 1, hairpin=[names.get(it, "") for it in table["sequence"]]
    )
    return table[list(SET_FEATURES)].astype(SET_FEATURES)


def _names(known: pd.DataFrame | None) -> tuple[dict[str, str], dict[str, str]]:
    """Sequence to the first known hairpin that it is, and to the first family that it is of."""
    hairpin_of: dict[str, str] = {}
    family_of: dict[str, str] = {}
    if known is not None:
        columns = (known["hairpin"], known["sequence"], known["family"])
        for hairpin, sequence, family in zip(*columns, strict=True):
            hairpin_of.setdefault(sequence, hairpin)
            if family:
                family_of.setdefault(sequence, family)
    return hairpin_of, family_of


def take_part(experiment: pd.DataFrame, features_of: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The records of an experiment with their role, features and whether they contradict.

    Parameters
    ----------
    experiment
        Columns id, set, role.
    features_of
        Result of `features` by name of the set.

    Returns
    -------
    DataFrame
        The columns of both, and contradictory: whether the sequence stands in the other class
        too, be it in a record of the sets that has no role in the experiment.
    """
    both = pd.concat([frame.assign(set=name) for name, frame in features_of.items()])
    both["contradictory"] = both.groupby("sequence")["label"].transform("nunique") > 1
    return experiment.merge(both, on=["set", "id"], how="left", validate="one_to_one")


def check_lengths(records: pd.DataFrame, limits: Mapping[str, int | None]) -> None:
    """Refuse a record that is too long for a network that is planned, before any is trained.

    Parameters
    ----------
    records
        Result of `take_part`.
    limits
        Model to the longest RNA that it takes, in nt; None is no limit.

    Raises
    ------
    InputError
        Naming the record, its length, the network and the ways out.
    """
    longest = records.iloc[int(records["length"].to_numpy().argmax())]
    for name, limit in limits.items():
        if limit is not None and longest["length"] > limit:
            raise InputError(
                f"the record {longest['id']!r} of the set {longest['set']!r} has "
                f"{longest['length']} nt, but the model {name!r} takes up to {limit}: leave the "
                f"record out of the set, or the model out of `runs`"
            )


def evaluated(
    records: pd.DataFrame, known: pd.DataFrame | None = None, *, threads: int = 1
) -> pd.DataFrame:
    """What is known of each evaluation record, so that anyone may count, leave out or draw.

    Parameters
    ----------
    records
        Result of `take_part`.
    known
        Result of `known_hairpins`, if there is a reference.
    threads
        Of the search for near-copies; the result is the same for any.

    Returns
    -------
    DataFrame
        A row for each evaluation record, in the experiment's order, with

        - id, set, label; an id is unique within a set only
        - contradictory: its sequence stands in the other class too, anywhere in the sets (0/1)
        - in_training: a training record has its very sequence (0/1)
        - identity: to the nearest training record (`mirpair.rna.similarity.nearest`), 1 for a copy,
          missing where there is none
        - training_label: label of that record; of several that are as near, its own label, so
          that another one says that none of the nearest has it
        - hairpin: the first known one with exactly this sequence, or empty
        - family: that of the known hairpins with this sequence, the first that has one, or empty
        - relative: 1 if a training positive is a known hairpin of the same family, 0 if none
          is, missing where the family is
    """
    train, tested = (records[records["role"] == role] for role in (TRAIN, EVALUATE))
    queries, label = list(tested["sequence"]), tested["label"].to_numpy()
    positive, negative = (
        nearest(queries, list(train.loc[train["label"] == it, "sequence"]), threads=threads)
        for it in (1, 0)
    )
    own, other = np.where(label == 1, [positive, negative], [negative, positive])
    is_other = (other > own) | np.isnan(own)
    identity = np.fmax(own, other)
    nearest_label = pd.array(np.where(is_other, 1 - label, label), dtype="Int8")
    nearest_label[np.isnan(identity)] = pd.NA

    hairpin_of, family_of = _names(known)
    families = [family_of.get(sequence, "") for sequence in queries]
    relatives = {family_of.get(it) for it in train.loc[train["label"] == 1, "sequence"]}
    return pd.DataFrame(
        {
            "id": tested["id"],
            "set": tested["set"],
            "label": label,
            "contradictory": tested["contradictory"],
            "in_training": tested["sequence"].isin(set(train["sequence"])),
            "identity": identity,
            "training_label": nearest_label,
            "hairpin": [hairpin_of.get(sequence, "") for sequence in queries],
            "family": families,
            "relative": pd.array(
                [it in relatives if it else None for it in families], dtype="Int8"
            ),
        }
    ).astype(AUDIT)


def known_hairpins(hairpins: str | Path, families: str | Path | None = None) -> pd.DataFrame:
    """Read a reference of known hairpins, such as miRBase's hairpin.fa and miFam.dat.

    Parameters
    ----------
    hairpins
        FASTA file, plain or gzip; a header's words are name and accession. Records with a
        character outside ACGU are equal to none of ours, so they are left out.
    families
        Which family an accession belongs to. (Names change between releases.)

    Returns
    -------
    DataFrame
        Columns hairpin (name), sequence, family (empty where there is none), in the order of the
        file.

    Raises
    ------
    InputError
        If a file is not what it should be, naming file and line; if none of the hairpins has a
        family.
    """
    dropped: list[Dropped] = []
    read = list(read_fasta(hairpins, dropped=dropped))
    table = pd.DataFrame(
        {"hairpin": [record.id for record in read], "sequence": [r.sequence for r in read]},
        dtype="str",
    )
    if families is None:
        return table.assign(family="")
    accessions = _accessions(hairpins)
    family_of = read_families(families)
    table["family"] = [family_of.get(accessions[record.number - 1], "") for record in read]
    if not table["family"].any():
        raise InputError(
            f"{families}: has none of the accessions (second word of a header) of {hairpins}: "
            "are both files of one release?"
        )
    return table


def _accessions(hairpins: str | Path) -> list[str]:
    """Second word of every header, in the order of the file."""
    with open(hairpins, "rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
    with (gzip.open if is_gzip else open)(hairpins, "rt", encoding="utf-8-sig") as lines:
        headers = [line.split() for line in lines if line.startswith(">")]
    return [words[1] if len(words) > 1 else "" for words in headers]


def shortcuts(records: pd.DataFrame) -> pd.DataFrame:
    """AUROC and AUPR that each feature alone reaches on an experiment's evaluation records.

    Whether more or less of a feature speaks for a pre-miRNA is learnt from the training records.

    Parameters
    ----------
    records
        Result of `take_part`.

    Returns
    -------
    DataFrame
        Columns feature, direction (``higher`` or ``lower`` is positive), AUROC, AUPR.
    """
    train, evaluate = records[records["role"] == TRAIN], records[records["role"] == EVALUATE]
    rows = []
    for name in FEATURES:
        sign = 1 if rank(train["label"], train[name])["AUROC"] >= 0.5 else -1
        ranked = rank(evaluate["label"], sign * evaluate[name])
        rows.append((name, "higher" if sign > 0 else "lower", *(ranked[m] for m in RANKING)))
    return pd.DataFrame(rows, columns=["feature", "direction", *RANKING])
