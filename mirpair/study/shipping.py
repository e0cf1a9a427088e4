"""The trainings and files of the networks that a study ships."""

from __future__ import annotations

from dataclasses import replace

from mirpair.settings import Kingdom
from mirpair.study.base import Run
from mirpair.study.identification import Study


def held_out_runs(study: Study) -> dict[Kingdom, list[Run]]:
    """List the trainings of each kingdom that calibrate and measure the shipped networks."""
    if study.shipped is None:
        return {}
    seeds, planned = study.seeds[: study.shipped.members], study.plan()
    runs = {(run.experiment, run.model, run.recipe, run.seed): run for run in planned}
    return {
        kingdom: [
            runs[name, model, recipe, seed]
            for model, recipe in study.shipped.methods()
            for seed in seeds
        ]
        for kingdom, name in study.shipped.validation.items()
    }


def on_all(study: Study, run: Run) -> Run:
    """Return the training that equals another one, but on all records of its set.

    In place of an experiment's name it has that of the set.
    """
    return replace(run, experiment=study.sets_of(run.experiment)[0])


def runs_on_all(study: Study) -> list[tuple[Run, Run]]:
    """List the trainings whose networks are shipped, each with the held-out one that it equals."""
    return [(on_all(study, run), run) for runs in held_out_runs(study).values() for run in runs]


def genomes_of(study: Study, kingdom: Kingdom) -> dict[str, list[str]]:
    """Map the kinds of genome that calibrate a kingdom to their collections in its set."""
    assert study.shipped is not None
    (dataset,) = study.sets_of(study.shipped.validation[kingdom])
    of_set = study.collections_of(dataset)
    named = {
        genome: [name for name in names if name in of_set]
        for genome, names in study.shipped.genomes.items()
    }
    return {genome: names for genome, names in named.items() if names}
