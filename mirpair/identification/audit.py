"""Examine the records of an experiment before training: copies, labels, simple features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mirpair.contracts import AUDIT, EVALUATE, FEATURES, RANKING, SET_FEATURES, TRAIN
from mirpair.files import InputError
from mirpair.identification.metrics import rank
from mirpair.rna.sequences import Dropped, read_fasta, read_parts
from mirpair.rna.similarity import nearest
from mirpair.sources.collections import read_family_members


def features(records: pd.DataFrame, structures: pd.DataFrame) -> pd.DataFrame:
    """Compute simple features of every record that a network could use as shortcuts.

    Parameters
    ----------
    records, structures
        Tables of one set, row by row the same RNAs.

    Returns
    -------
    DataFrame
        Columns id, label, sequence, length (nt), GC (share of the bases), MFE/length
        (|kcal/mol| per nt).

    Raises
    ------
    InputError
        If the tables are of different RNAs.
    """
    if list(records["id"]) != list(structures["id"]):
        raise InputError("records and structures are not of the same RNAs: fold the records again")
    length = records["sequence"].str.len()
    return records[["id", "label", "sequence"]].assign(
        length=length,
        GC=records["sequence"].str.count("[GC]") / length,
        **{"MFE/length": structures["mfe"].abs() / length},
    )


def describe(
    records: pd.DataFrame, structures: pd.DataFrame, known: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Describe a set for tables and figures, without its sequences.

    Parameters
    ----------
    records, structures
        As `features` takes them.
    known
        Result of `known_hairpins`, if there is a reference.

    Returns
    -------
    DataFrame
        Columns id, label, length, GC, MFE/length (see `features`), contradictory (whether the
        sequence is in both classes of the set, 0/1), and hairpin (the first known hairpin with
        this sequence, or empty).
    """
    table = features(records, structures)
    classes = table.groupby("sequence")["label"].transform("nunique")
    hairpin_of, _ = _known_by_sequence(known)
    table = table.assign(
        contradictory=classes > 1, hairpin=[hairpin_of.get(rna, "") for rna in table["sequence"]]
    )
    return table[list(SET_FEATURES)].astype(SET_FEATURES)


def _known_by_sequence(known: pd.DataFrame | None) -> tuple[dict[Any, str], dict[Any, str]]:
    """Map sequences to the first known hairpin, and to the first known family."""
    if known is None:
        return {}, {}
    hairpins = known.drop_duplicates("sequence").set_index("sequence")["hairpin"]
    in_family = known[known["family"] != ""].drop_duplicates("sequence")
    return hairpins.to_dict(), in_family.set_index("sequence")["family"].to_dict()


def join_features(
    experiment: pd.DataFrame, features_of: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Join the roles of an experiment with the features of its records.

    Parameters
    ----------
    experiment
        Columns id, set, role.
    features_of
        Name of each set to the result of `features`.

    Returns
    -------
    DataFrame
        The columns of both, and contradictory: whether the sequence is in both classes of the sets,
        counting records without a role in the experiment too.
    """
    both = pd.concat([frame.assign(set=name) for name, frame in features_of.items()])
    both["contradictory"] = both.groupby("sequence")["label"].transform("nunique") > 1
    return experiment.merge(both, on=["set", "id"], how="left", validate="one_to_one")


def audit_records(
    records: pd.DataFrame, known: pd.DataFrame | None = None, *, threads: int = 1
) -> pd.DataFrame:
    """Compare each evaluation record with the training records and known hairpins.

    Parameters
    ----------
    records, known
        Results of `join_features` and, if there is a reference, of `known_hairpins`.
    threads
        For the search for near-copies; they do not change the result.

    Returns
    -------
    DataFrame
        One row per evaluation record, in the experiment's order:

        - id, set, label; ids are unique within a set only
        - contradictory: whether its sequence is in both classes, anywhere in the sets (0/1)
        - in_training: whether a training record has the same sequence (0/1)
        - identity: to the nearest training record (`mirpair.rna.similarity.nearest`), 1 for a copy,
          missing if there is none
        - training_label: label of that record. If records of both classes are equally near, it is
          the record's own label, so a different label means that no nearest record shares it.
        - hairpin: the first known hairpin with exactly this sequence, or empty
        - family: the first known family of a hairpin with this sequence, or empty
        - relative: 1 if a training positive is a known hairpin of the same family, else 0; missing
          without a family
    """
    train, tested = (records[records["role"] == role] for role in (TRAIN, EVALUATE))
    queries, label = list(tested["sequence"]), tested["label"].to_numpy()
    positive, negative = (
        nearest(queries, list(train.loc[train["label"] == one, "sequence"]), threads=threads)
        for one in (1, 0)
    )
    own, other = np.where(label == 1, [positive, negative], [negative, positive])
    is_other = (other > own) | np.isnan(own)
    identity = np.fmax(own, other)
    nearest_label = pd.array(np.where(is_other, 1 - label, label), dtype="Int8")
    nearest_label[np.isnan(identity)] = pd.NA

    hairpin_of, family_of = _known_by_sequence(known)
    families = [family_of.get(sequence, "") for sequence in queries]
    relatives = {family_of.get(rna) for rna in train.loc[train["label"] == 1, "sequence"]}
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
                [family in relatives if family else None for family in families], dtype="Int8"
            ),
        }
    ).astype(AUDIT)


def known_hairpins(hairpins: str | Path, families: str | Path | None = None) -> pd.DataFrame:
    """Read a reference of known hairpins, such as miRBase's hairpin.fa and miFam.dat.

    Parameters
    ----------
    hairpins
        FASTA file, plain or gzip; a header has name and accession. Records with a character outside
        ACGU equal none of a set's records, so they are skipped.
    families
        File with the family of each accession (names change between releases).

    Returns
    -------
    DataFrame
        Columns hairpin (name), sequence, family (empty if there is none), in the order of the file.

    Raises
    ------
    InputError
        If a file has another format (names file and line), or no hairpin has a family.
    """
    dropped: list[Dropped] = []
    read = list(read_fasta(hairpins, dropped=dropped))
    table = pd.DataFrame(
        {"hairpin": [record.id for record in read], "sequence": [r.sequence for r in read]},
        dtype="str",
    )
    if families is None:
        return table.assign(family="")
    accessions = [[*header.split(), "", ""][1] for header, _ in read_parts(hairpins)]
    family_of = read_family_members(families)
    of_each = [family_of.get(accessions[record.number - 1]) for record in read]
    table["family"] = [family.name if family else "" for family in of_each]
    if not table["family"].any():
        raise InputError(
            f"{families}: has none of the accessions in {hairpins} (second word of each header): "
            "use both files of the same release"
        )
    return table


def shortcuts(records: pd.DataFrame) -> pd.DataFrame:
    """Compute AUROC and AUPR of each single feature on the evaluation records.

    The training records decide whether a higher or a lower value counts as positive.

    Parameters
    ----------
    records
        Result of `join_features`.

    Returns
    -------
    DataFrame
        Columns feature, direction (``higher`` or ``lower`` counts as positive), AUROC, AUPR.
    """
    train, evaluate = (records[records["role"] == role] for role in (TRAIN, EVALUATE))
    rows = []
    for name in FEATURES:
        sign = 1 if rank(train["label"], train[name])["AUROC"] >= 0.5 else -1
        ranked = rank(evaluate["label"], sign * evaluate[name])
        rows.append((name, "higher" if sign > 0 else "lower", *(ranked[m] for m in RANKING)))
    return pd.DataFrame(rows, columns=["feature", "direction", *RANKING])
