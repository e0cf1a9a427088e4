"""The trainings and files of the networks that a study ships."""

from __future__ import annotations

from mirpair.settings import Kingdom
from mirpair.study.base import Run
from mirpair.study.identification import Study


def members(study: Study) -> dict[Kingdom, list[Run]]:
    """List the trainings of each kingdom whose networks are shipped, by experiment."""
    if study.shipped is None:
        return {}
    seeds, planned = study.seeds[: study.shipped.members], study.plan()
    runs = {(run.experiment, run.model, run.recipe, run.seed): run for run in planned}
    return {
        kingdom: [
            runs[name, model, recipe, seed]
            for name in names
            for model, recipe in study.shipped.methods(kingdom)
            for seed in seeds
        ]
        for kingdom, names in study.shipped.validation.items()
    }


def genomes_of(study: Study, kingdom: Kingdom) -> dict[str, list[str]]:
    """Map the kinds of genome that calibrate a kingdom to their collections in its set."""
    assert study.shipped is not None
    (dataset,) = study.sets_of(study.shipped.validation[kingdom][0])
    of_set = study.collections_of(dataset)
    named = {
        genome: [name for name in names if name in of_set]
        for genome, names in study.shipped.genomes.items()
    }
    return {genome: names for genome, names in named.items() if names}
