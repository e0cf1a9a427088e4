"""Checks of sections of a config that must fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from mirpair.study.base import BaseStudy, Run
from mirpair.study.sources import AnyCollection, CutNegatives, Dataset
from mirpair.study.splits import (
    AnySplit,
    FamiliesHeldOut,
    FamilyKFold,
    SpeciesHeldOut,
    TimeHeldOut,
)
from mirpair.study.tables import Results


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


def check_seeds(
    where: str,
    name: str,
    results: Mapping[str, Results],
    runs_of: Callable[[str], Iterable[Run]],
) -> None:
    """Raise a ValueError if there is no table `name`, or one without published rows or seeds.

    `where` is the table that asks for it, `runs_of` lists the trainings of a table of results.
    """
    BaseStudy.require_known(where, "table", name, results)
    if not results[name].published:
        raise ValueError(f"{where}: the table {name!r} has no published rows")
    seeds: dict[tuple[str, str, str], set[int]] = {}
    for run in runs_of(name):
        seeds.setdefault((run.experiment, run.model, run.recipe), set()).add(run.seed)
    if max(map(len, seeds.values())) < 2:
        raise ValueError(
            f"{where}: the trainings of the table {name!r} have one seed; add others to `seeds`"
        )
