"""The folds of a cross-validation: who evaluates which, of records, clusters or families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from mirpair.files import InputError
from mirpair.identification.datasets import from_where
from mirpair.rna.similarity import clusters


def assign_folds(
    split: Mapping[str, Any],
    records: pd.DataFrame,
    *,
    origins: Mapping[str, pd.DataFrame] | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Draw the folds of a cross-validation, all of them at once.

    Records are drawn alone (``k-fold``, by scikit-learn's StratifiedKFold), or as whole clusters of
    what is alike or whole families (StratifiedGroupKFold, which spreads the classes as evenly as
    the groups allow).

    Parameters
    ----------
    split
        A cross-validation of the config (`mirpair.study.splits.Experiment`) as a dictionary.
    records
        Of its set.
    origins
        Where RNAs are from (`mirpair.contracts.read_origins`), by the FASTA file that they are in.
    threads
        Of a search for what is alike; the result is the same for any.

    Returns
    -------
    DataFrame
        Column id, and fold: the number, from 1, of the fold that the record evaluates.

    Raises
    ------
    InputError
        If there are too few records or groups of a class; see also
        `mirpair.identification.datasets.from_where`.
    """
    match split["split"]:
        case "k-fold":
            groups, what, drawing = None, "records", StratifiedKFold
        case "cluster-k-fold":
            sequences = records["sequence"].tolist()
            groups = clusters(sequences, identity=split["identity"], threads=threads)
            what, drawing = "groups", StratifiedGroupKFold
        case "family-k-fold":
            groups = family_groups(records, from_where(records, origins or {}, "family"))
            what, drawing = "groups", StratifiedGroupKFold
        case other:
            raise InputError(f"the split {other!r} has no folds that are drawn")
    label, count = records["label"], split["folds"]
    units = label if groups is None else label.groupby(groups).max()
    smallest = int(units.value_counts().min())
    if smallest < count:
        raise InputError(
            f"{count} folds need at least {count} {what} of either class, the smaller has "
            f"{smallest}: use fewer folds or more records"
        )
    splitter = drawing(n_splits=count, shuffle=True, random_state=split["seed"])
    fold = np.zeros(len(records), dtype=np.int64)
    for number, (_, evaluates) in enumerate(splitter.split(records, label, groups), 1):
        fold[evaluates] = number
    return pd.DataFrame({"id": records["id"], "fold": fold})


def family_groups(records: pd.DataFrame, family: pd.Series) -> npt.NDArray[np.int64]:
    """Groups of records of one family; those of one sequence are together in any case.

    Parameters
    ----------
    records
        A set.
    family
        Of each record; one that has none (empty) is a group of its own.

    Returns
    -------
    ndarray
        (N,): number of the group.
    """
    sequence = pd.factorize(records["sequence"])[0]
    named = pd.factorize(family.where(family != "", records["id"] + "\t"))[0]
    # Sequences and families are the nodes of a graph, and each record is an edge.
    count = int(sequence.max()) + 1
    size = count + int(named.max()) + 1
    edges = coo_array((np.ones(len(records)), (sequence, named + count)), shape=(size, size))
    groups: npt.NDArray[np.int64] = connected_components(edges, directed=False)[1]
    return groups[sequence].astype(np.int64)
