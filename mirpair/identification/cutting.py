"""Measure how well the cutting of RNAs alone separates the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import ALPHABET, CUTTING, EVALUATE, FEATURES, TRAIN, VALIDATE, is_baseline
from mirpair.identification.audit import features
from mirpair.identification.kinds import Method, shown_methods
from mirpair.identification.metrics import rank

# What shows how an RNA was cut: its size, composition, unpaired bases at the ends, outermost bases.
OF_CUTTING = ("length", "GC", "unpaired 5′", "unpaired 3′", "first base", "last base")
CUTTING_ONLY, NETWORK = "AUROC of cutting alone", "AUROC of the network"
SHARE = "share of skill"
ALL = "all"
# Fewest records of either class in a line.
FEWEST = 10


def cutting_features(records: pd.DataFrame, structures: pd.DataFrame) -> pd.DataFrame:
    """Compute the features of records that show how they were cut.

    Parameters
    ----------
    records, structures
        As `mirpair.identification.audit.features` takes them, with its error.

    Returns
    -------
    DataFrame
        Columns id, label; length (nt), GC, MFE/length (see there); unpaired 5′ and unpaired 3′
        (bases outside the outermost pairs; half the length each without a pair); first base and
        last base (their place in `mirpair.contracts.ALPHABET`).
    """
    table = features(records, structures)
    ends = [_unpaired(it) for it in structures["structure"]]
    table["unpaired 5′"], table["unpaired 3′"] = np.array(ends, dtype=float).reshape(-1, 2).T
    for name, place in (("first base", 0), ("last base", -1)):
        table[name] = records["sequence"].str[place].map(ALPHABET.index).to_numpy()
    return table


def _unpaired(structure: str) -> tuple[float, float]:
    five, three = (
        len(structure) - len(it) for it in (structure.lstrip("."), structure.rstrip("."))
    )
    return (five, three) if five < len(structure) else (len(structure) / 2, len(structure) / 2)


def scores_of_cutting(
    train: pd.DataFrame,
    evaluate: pd.DataFrame,
    *,
    seed: int,
    validate: pd.DataFrame | None = None,
) -> npt.NDArray[np.float64]:
    """Score records by gradient boosting on `OF_CUTTING` alone, fitted on the training records.

    Parameters
    ----------
    train, evaluate, validate
        Results of `cutting_features`, see `mirpair.identification.baselines.boosting_scores`, with
        its error.
    seed
        Of the boosting.

    Returns
    -------
    ndarray
        (len(evaluate),), probability of a pre-miRNA.
    """
    from mirpair.identification.baselines import boosting_scores

    bases = [name for name in OF_CUTTING if name.endswith(" base")]
    return boosting_scores(
        train, evaluate, OF_CUTTING, seed=seed, validate=validate, categorical=bases
    )


def by_cut(
    joined: pd.DataFrame,
    records: pd.DataFrame,
    methods: Sequence[Method],
    *,
    seed: int,
) -> pd.DataFrame:
    """Measure single features, and boosting on how RNAs are cut, by the cut of both classes.

    Parameters
    ----------
    joined
        Result of `mirpair.identification.audit.join_features`, with the `cutting_features` of the
        experiment's sets.
    records, methods
        Results of `mirpair.identification.kinds.evaluation_records` and `methods_of`; the first
        network is the one that is compared.
    seed
        Of the boosting.

    Returns
    -------
    DataFrame
        Columns `mirpair.contracts.CUTTING`: a line for all records, for each cut of the pre-miRNAs
        against all others, for all pre-miRNAs against each cut of the others, and for each cut that
        both have. The share of skill is (a − ½) / (b − ½), with the AUROC a of cutting alone and b
        of the network. Higher or lower values of a single feature count as positive, as the
        training records decide. Lines with fewer than ten records of either class are left out.
    """
    train, validate, evaluate = (
        joined[joined["role"] == role] for role in (TRAIN, VALIDATE, EVALUATE)
    )
    table = records[["id", "label", "cut"]].merge(
        evaluate.drop(columns="label"), on="id", how="left", validate="one_to_one"
    )
    signs = {
        name: 1 if rank(train["label"], train[name])["AUROC"] >= 0.5 else -1 for name in FEATURES
    }
    first = next(it for it in methods if not is_baseline(it.run))
    # Of several seeds the ensemble.
    network = next(it for it in shown_methods(methods) if it.run == first.run)
    table["cutting"] = scores_of_cutting(train, table, seed=seed, validate=validate)
    table["network"] = network.scores[0]
    lines = []
    for positives, negatives in _pairs(table):
        of_line = table[
            (table["label"] == 1) & table["cut"].isin(positives)
            | (table["label"] == 0) & table["cut"].isin(negatives)
        ]
        labels = of_line["label"]
        if min((labels == 1).sum(), (labels == 0).sum()) < FEWEST:
            continue
        auroc = {
            f"AUROC of {shown}": rank(labels, signs[name] * of_line[name])["AUROC"]
            for name, shown in FEATURES.items()
        }
        auroc[CUTTING_ONLY] = rank(labels, of_line["cutting"])["AUROC"]
        auroc[NETWORK] = rank(labels, of_line["network"])["AUROC"]
        skill = auroc[NETWORK] - 0.5
        lines.append(
            {
                "cut of positives": positives[0] if len(positives) == 1 else ALL,
                "positives": int((labels == 1).sum()),
                "cut of negatives": negatives[0] if len(negatives) == 1 else ALL,
                "negatives": int((labels == 0).sum()),
                **auroc,
                SHARE: (auroc[CUTTING_ONLY] - 0.5) / skill if skill > 0 else np.nan,
                "network": network.name,
            }
        )
    return pd.DataFrame(lines, columns=list(CUTTING))


def _pairs(table: pd.DataFrame) -> list[tuple[list[Any], list[Any]]]:
    """List the cuts of pre-miRNAs and of others in each line; all of a class come first."""
    positives, negatives = (
        sorted(table.loc[table["label"] == label, "cut"].unique()) for label in (1, 0)
    )
    pairs = [(positives, negatives)]
    pairs += [([cut], negatives) for cut in positives if len(positives) > 1]
    pairs += [(positives, [cut]) for cut in negatives if len(negatives) > 1]
    pairs += [([cut], [cut]) for cut in positives if cut in negatives]
    unique = {(tuple(p), tuple(n)): (p, n) for p, n in pairs}
    return list(unique.values())
