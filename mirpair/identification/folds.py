"""Assign the folds of a cross-validation by record, cluster or family."""

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
from mirpair.identification.datasets import origin_of
from mirpair.rna.similarity import clusters


def assign_folds(
    split: Mapping[str, Any],
    records: pd.DataFrame,
    *,
    origins: Mapping[str, pd.DataFrame] | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Draw all folds of a cross-validation.

    Records are drawn one by one (``k-fold``, by scikit-learn's StratifiedKFold), or as complete
    clusters of similar RNAs or complete families (StratifiedGroupKFold, which spreads the classes
    as evenly as the groups allow).

    Parameters
    ----------
    split
        A cross-validation of the config (`mirpair.study.splits.Experiment`) as a dictionary.
    records
        All records of the set.
    origins
        FASTA file to the origins of its RNAs (`mirpair.contracts.read_origins`).
    threads
        For the clustering; they do not change the result.

    Returns
    -------
    DataFrame
        Columns id and fold: the number, from 1, of the fold that the record evaluates.

    Raises
    ------
    InputError
        If a class has fewer records or groups than folds; see also
        `mirpair.identification.datasets.origin_of`.
    """
    match split["split"]:
        case "k-fold":
            groups, unit, splitter = None, "records", StratifiedKFold
        case "cluster-k-fold":
            sequences = records["sequence"].tolist()
            groups = clusters(sequences, identity=split["identity"], threads=threads)
            unit, splitter = "groups", StratifiedGroupKFold
        case "family-k-fold":
            groups = family_groups(records, origin_of(records, origins or {}, "family"))
            unit, splitter = "groups", StratifiedGroupKFold
        case other:
            raise InputError(f"the split {other!r} has no folds")
    label, count = records["label"], split["folds"]
    units = label if groups is None else label.groupby(groups).max()
    smallest = int(units.value_counts().min())
    if smallest < count:
        fewer = f"use {smallest} folds or fewer, or " if smallest > 1 else ""
        raise InputError(
            f"{count} folds need at least {count} {unit} of each class, but the smaller class has "
            f"{smallest}: {fewer}add records"
        )
    drawn = splitter(n_splits=count, shuffle=True, random_state=split["seed"])
    fold = np.zeros(len(records), dtype=np.int64)
    for number, (_, evaluates) in enumerate(drawn.split(records, label, groups), 1):
        fold[evaluates] = number
    return pd.DataFrame({"id": records["id"], "fold": fold})


def family_groups(records: pd.DataFrame, family: pd.Series) -> npt.NDArray[np.int64]:
    """Group records by family; records with the same sequence always share a group.

    Parameters
    ----------
    records
        A set.
    family
        Family of each record; without one (empty) it is a group of its own.

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
