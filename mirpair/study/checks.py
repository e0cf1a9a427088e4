"""Checks of a study's collections, and of the sets and the experiments that use them."""

from __future__ import annotations

from collections.abc import Mapping

from mirpair.study.base import BaseStudy
from mirpair.study.sources import AnyCollection, CutNegatives, Dataset
from mirpair.study.splits import (
    AnySplit,
    FamiliesHeldOut,
    FamilyKFold,
    SpeciesHeldOut,
    TimeHeldOut,
)


def check_collections(
    collections: Mapping[str, AnyCollection],
    datasets: Mapping[str, Dataset],
    experiments: Mapping[str, AnySplit],
) -> None:
    """Raise a ValueError, which names the key, if sections of a config do not fit together."""
    for name, labelled in datasets.items():
        if both := [ref for ref in labelled.positives if ref in labelled.negatives]:
            raise ValueError(f"datasets.{name}: {both[0]} is among the positives and the negatives")
        if labelled.weights and not set(labelled.positives) & set(collections):
            raise ValueError(
                f"datasets.{name}.weights: these need collections, which record the trust in an "
                "RNA; name one of `collections` among the positives"
            )
    for name, collection in collections.items():
        other = getattr(collection, "lengths_of", None)
        if other is None:
            continue
        BaseStudy.require_known(f"collections.{name}", "collection", other, collections)
        if isinstance(collections[other], CutNegatives):
            raise ValueError(
                f"collections.{name}: lengths_of: {other!r} is of sequences without pre-miRNAs "
                "too; name a collection of positives"
            )
    for name, experiment in experiments.items():
        if isinstance(experiment, FamilyKFold | FamiliesHeldOut | SpeciesHeldOut | TimeHeldOut):
            dataset = datasets.get(experiment.dataset)
            if dataset:
                _check_positives(name, experiment.dataset, dataset, collections)
            if dataset and isinstance(experiment, FamiliesHeldOut):
                _check_reserved(name, experiment, dataset)


def _check_positives(
    name: str, dataset: str, labelled: Dataset, collections: Mapping[str, AnyCollection]
) -> None:
    if not set(labelled.positives) & set(collections):
        raise ValueError(
            f"experiments.{name}: this split needs collections, which record where RNAs come from, "
            f"but the positives of the set {dataset!r} are {', '.join(labelled.positives)}; name "
            f"one of `collections` among its positives (there are "
            f"{', '.join(collections) or 'none'})"
        )


def _check_reserved(name: str, experiment: FamiliesHeldOut, labelled: Dataset) -> None:
    files = [*labelled.positives, *labelled.negatives]
    for role, refs in experiment.reserved().items():
        for ref in refs:
            BaseStudy.require_known(
                f"experiments.{name}.{role}", f"file of {experiment.dataset!r}", ref, files
            )
