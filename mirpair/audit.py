"""How far the classes can be told apart without looking at what the networks should look at."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mirpair.contracts import EVALUATE, TRAIN
from mirpair.files import InputError
from mirpair.metrics import RANKING, rank

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
        Columns id, label, length (nt), GC (share of the bases), MFE/length (|kcal/mol| per nt).
    """
    if list(records["id"]) != list(structures["id"]):
        raise InputError("records and structures are not of the same RNAs")
    length = records["sequence"].str.len()
    return pd.DataFrame(
        {
            "id": records["id"],
            "label": records["label"],
            "length": length,
            "GC": records["sequence"].str.count("[GC]") / length,
            "MFE/length": structures["mfe"].abs() / length,
        }
    )


def shortcuts(experiment: pd.DataFrame, features_of: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """AUROC and AUPR that each feature alone reaches on an experiment's evaluation records.

    Whether more or less of a feature speaks for a pre-miRNA is learnt from the training records.

    Parameters
    ----------
    experiment
        Columns id, set, role.
    features_of
        Result of `features` by name of the set.

    Returns
    -------
    DataFrame
        Columns feature, direction (``higher`` or ``lower`` is positive), AUROC, AUPR.
    """
    both = pd.concat([frame.assign(set=name) for name, frame in features_of.items()])
    known = experiment.merge(both, on=["set", "id"], how="left", validate="one_to_one")
    train, evaluate = known[known["role"] == TRAIN], known[known["role"] == EVALUATE]
    rows = []
    for name in FEATURES:
        sign = 1 if rank(train["label"], train[name])["AUROC"] >= 0.5 else -1
        ranked = rank(evaluate["label"], sign * evaluate[name])
        rows.append((name, "higher" if sign > 0 else "lower", *(ranked[m] for m in RANKING)))
    return pd.DataFrame(rows, columns=["feature", "direction", *RANKING])
