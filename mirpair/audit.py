"""What an experiment's records are worth, looked at before anything is trained on them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mirpair.contracts import EVALUATE, RANKING, TRAIN
from mirpair.files import InputError
from mirpair.metrics import rank

FEATURES = {"length": "Length", "GC": "GC content", "MFE/length": "|MFE| / length"}


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


def take_part(experiment: pd.DataFrame, features_of: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The records of an experiment with their role and features.

    Parameters
    ----------
    experiment
        Columns id, set, role.
    features_of
        Result of `features` by name of the set.
    """
    both = pd.concat([frame.assign(set=name) for name, frame in features_of.items()])
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


def overlap(records: pd.DataFrame) -> pd.DataFrame:
    """How many evaluation records have a sequence that a training record has too.

    Parameters
    ----------
    records
        Result of `take_part`.

    Returns
    -------
    DataFrame
        One row: evaluated (records), in training (of those, with the same sequence there),
        contradictory (sequences of the whole experiment that stand in both classes).
    """
    train, evaluate = records[records["role"] == TRAIN], records[records["role"] == EVALUATE]
    classes = records.groupby("sequence")["label"].nunique()
    return pd.DataFrame(
        {
            "evaluated": [len(evaluate)],
            "in training": [int(evaluate["sequence"].isin(set(train["sequence"])).sum())],
            "contradictory": [int((classes > 1).sum())],
        }
    )


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
