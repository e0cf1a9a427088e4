"""A study of which RNAs are pre-miRNAs: its tables, and all that its config says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Discriminator, Field, Tag, model_validator

from mirpair.recipes import MODELS, RECIPES, Model, Recipe, Split
from mirpair.study.base import BaseStudy, Name, Run, Section
from mirpair.study.sources import AnyCollection, Audit, Dataset, PseudoHairpinCollection
from mirpair.study.splits import (
    AcrossDatasets,
    AnySplit,
    Drawn,
    Experiment,
    FamilyKFold,
    Published,
    SpeciesHeldOut,
    TimeHeldOut,
    fold_count,
)
from mirpair.study.trainings import Figure3, ModelVariant, RecipeVariant, Runs, ShippedNetwork


class Results(Section):
    """A table of results, published and ours side by side."""

    title: str = Field(description="Its caption.")
    rows: dict[str, Name] = Field(
        min_length=1,
        description="Protocol (such as CV or test, as the published rows name it) to experiment.",
    )
    published: str | None = Field(
        None, description="TSV file with published rows: method, protocol and the seven metrics."
    )


class Counts(Section):
    """A table of the number of records in each set."""

    title: str = Field(description="Its caption.")
    sets: list[Name] = Field(min_length=1, description="Which sets.")
    published: str | None = Field(
        None, description="TSV file with published rows: dataset, positives, negatives."
    )


def _kind_of_table(table: Any) -> str:
    is_counts = "sets" in table if isinstance(table, Mapping) else isinstance(table, Counts)
    return "counts" if is_counts else "results"


Table = Annotated[
    Annotated[Results, Tag("results")] | Annotated[Counts, Tag("counts")],
    Discriminator(_kind_of_table),
]


# Tables that every study has, and their titles.
OWN_TABLES = {
    "cleaned": "All evaluation records, and cleaned ones",
    "epochs": "The last epoch, which is the result, and the best one by validation loss",
    "audit": "What the evaluation records are worth",
}


class Fold(NamedTuple):
    """One experiment as it is run: a fold of a cross-validation, or a split of its own.

    Attributes
    ----------
    group
        Its key in the config: ``human-cv``.
    number
        Which fold, from 1; 0 where there are none.
    """

    group: str
    number: int


class Study(BaseStudy):
    """A study of who is a pre-miRNA: everything that one config file says."""

    task: Literal["identification"] = Field(
        "identification", description="What is studied: whether an RNA is a pre-miRNA."
    )
    kept: str | None = Field(
        None,
        description="Folder with kept results: trainings found there are taken instead of made, "
        "and the target `keep` puts those there that are made.",
    )
    collections: dict[Name, Annotated[AnyCollection, Field(discriminator="source")]] = Field(
        {}, description="RNAs that are collected from databases and genomes."
    )
    datasets: dict[Name, Dataset] = Field(min_length=1, description="Sets of labelled RNAs.")
    experiments: dict[Name, Experiment] = Field(
        min_length=1, description="Who trains and who evaluates."
    )
    models: dict[Name, ModelVariant] = Field({}, description="Networks of the study's own.")
    recipes: dict[Name, RecipeVariant] = Field({}, description="Recipes of the study's own.")
    runs: list[Runs] = Field(min_length=1, description="What is trained.")
    tables: dict[Name, Table] = Field(description="What is printed.")
    figure3: Figure3 | None = Field(None, description="What is watched beyond the last epoch.")
    audit: Audit = Field(Audit(), description="What is known of hairpins, for the audit.")
    shipped: ShippedNetwork | None = Field(
        None, description="The network that `predict` and `scan` use."
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Study:
        self._collections_are_possible()
        if len(self.folds()) < sum(fold_count(e) or 1 for e in self.experiments.values()):
            raise ValueError("experiments: two of them give the same name to a fold")
        for name, experiment in self.experiments.items():
            for dataset in self._sets_of(experiment):
                self.require_known("experiments", name, "set", dataset, self.datasets)
        self._variants_are_possible()
        for index, runs in enumerate(self.runs):
            for name in runs.experiments or []:
                self.require_known("runs", str(index + 1), "experiment", name, self.experiments)
            for name in runs.models:
                self.require_known("runs", str(index + 1), "model", name, {**MODELS, **self.models})
            self.require_known(
                "runs", str(index + 1), "recipe", runs.recipe, {**RECIPES, **self.recipes}
            )
            numbers = {fold.number for fold in self.folds().values()}
            for number in runs.folds or []:
                if number < 1 or number not in numbers:
                    raise ValueError(f"runs.{index + 1}: no experiment has a fold {number}")
        for name, table in self.tables.items():
            if isinstance(table, Counts):
                for dataset in table.sets:
                    self.require_known("tables", name, "set", dataset, self.datasets)
            else:
                for group in table.rows.values():
                    self.require_known("tables", name, "experiment", group, self.experiments)
                    if not self.runs_on(group):
                        raise ValueError(f"tables.{name}: nothing is trained on {group!r}")
        if self.figure3 is not None:
            for key, kind, known in (
                ("model", "model", {**MODELS, **self.models}),
                ("recipe", "recipe", {**RECIPES, **self.recipes}),
                ("validation", "experiment", self.experiments),
                ("training", "experiment", self.experiments),
            ):
                if (name := getattr(self.figure3, key)) is not None:
                    self.require_known("figure3", key, kind, name, known)
            if self.figure3.training == self.figure3.validation:
                raise ValueError("figure3: validation and training are the same experiment")
            if usual := [run.epochs for run in self.watched() if run.epochs >= self.figure3.epochs]:
                raise ValueError(
                    f"figure3.epochs: is {self.figure3.epochs}, must go beyond the recipe's "
                    f"{max(usual)}"
                )
        self._shipped_is_possible()
        if not self.plan():
            raise ValueError("runs: no experiment has what they name, so nothing is trained")
        if taken := [name for name in self.tables if name in OWN_TABLES]:
            raise ValueError(f"tables.{taken[0]}: every study has a table of this name already")
        named: dict[str, tuple[str, str]] = {}
        for run in self.plan():
            label = self.label(run.model, run.recipe)
            other = named.setdefault(label, (run.model, run.recipe))
            if other != (run.model, run.recipe):
                raise ValueError(
                    f"runs: {' with '.join(other)} and {run.model} with {run.recipe} have the "
                    f"same label {label!r}; give each its own"
                )
        keys = [run[:4] for run in self.plan()]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise ValueError(
                f"runs: {twice[1]!r} with recipe {twice[2]!r} on {twice[0]!r} is asked for twice"
            )
        return self

    def _collections_are_possible(self) -> None:
        for name, of_both in self.datasets.items():
            if both := [place for place in of_both.positives if place in of_both.negatives]:
                raise ValueError(
                    f"datasets.{name}: {both[0]} is among the positives and the negatives"
                )
        for name, collection in self.collections.items():
            if not isinstance(collection, PseudoHairpinCollection):
                continue
            self.require_known(
                "collections", name, "collection", collection.lengths_of, self.collections
            )
            if isinstance(self.collections[collection.lengths_of], PseudoHairpinCollection):
                raise ValueError(
                    f"collections.{name}: lengths_of: {collection.lengths_of!r} is of "
                    "pseudo-hairpins too; name a collection of positives"
                )
        for name, experiment in self.experiments.items():
            if not isinstance(experiment, FamilyKFold | SpeciesHeldOut | TimeHeldOut):
                continue
            dataset = self.datasets.get(experiment.dataset)
            if dataset and not set(dataset.positives) & set(self.collections):
                raise ValueError(
                    f"experiments.{name}: where RNAs are from is known of collections alone, and "
                    f"the positives of the set {experiment.dataset!r} are "
                    f"{', '.join(dataset.positives)}; name one of `collections` among its "
                    f"positives (there are {', '.join(self.collections) or 'none'})"
                )

    def _shipped_is_possible(self) -> None:
        shipped = self.shipped
        if shipped is None:
            return
        self.require_known(
            "shipped", "validation", "experiment", shipped.validation, self.experiments
        )
        if not fold_count(self.experiments[shipped.validation]):
            raise ValueError(f"shipped.validation: {shipped.validation!r} has no folds")
        planned = {(run.experiment, *run[1:4]) for run in self.plan()}
        for name, fold in self.folds().items():
            for seed in self.seeds:
                run = (name, shipped.model, shipped.recipe, seed)
                if fold.group == shipped.validation and run not in planned:
                    raise ValueError(
                        f"shipped: no training of {shipped.model!r} with recipe "
                        f"{shipped.recipe!r} on {name!r} is planned; add it to `runs`"
                    )
        if shipped.members > len(self.seeds):
            raise ValueError(
                f"shipped.members: is {shipped.members}, but there are {len(self.seeds)} `seeds`"
            )

    def _variants_are_possible(self) -> None:
        for section, own, known in (
            ("models", self.models, MODELS),
            ("recipes", self.recipes, RECIPES),
        ):
            for name, variant in own.items():
                if name in known:
                    raise ValueError(f"{section}.{name}: this name is taken; choose another one")
                self.require_known(section, name, "base", variant.base, known)
        for name, model in self.models.items():
            base = MODELS[model.base]
            if model.pooling not in (None, 3) and base.architecture != "variable":
                raise ValueError(
                    f"models.{name}: pooling layers can be left out of variable-sized networks "
                    f"only, and {model.base!r} is none"
                )

    @staticmethod
    def _sets_of(experiment: AnySplit) -> list[str]:
        if isinstance(experiment, AcrossDatasets):
            return [experiment.train, experiment.evaluate]
        return [experiment.dataset]

    def folds(self) -> dict[str, Fold]:
        """Every experiment as it is run, by the name of its file: ``human-cv1``, ``new-test``."""
        named: dict[str, Fold] = {}
        for name, experiment in self.experiments.items():
            if count := fold_count(experiment):
                named |= {f"{name}{number}": Fold(name, number) for number in range(1, count + 1)}
            else:
                named[name] = Fold(name, 0)
        return named

    def drawn(self) -> list[str]:
        """The experiments whose folds are drawn."""
        return [name for name, it in self.experiments.items() if isinstance(it, Drawn)]

    def sets_of(self, fold_name: str) -> list[str]:
        """The sets that an experiment takes its records from."""
        return self._sets_of(self.experiments[self.folds()[fold_name].group])

    def validation_of(self, group: str) -> str | None:
        """The experiment with folds on the set that an experiment trains on; itself if it has."""
        if fold_count(self.experiments[group]):
            return group
        trains = self._sets_of(self.experiments[group])[0]
        for name, experiment in self.experiments.items():
            trained = fold_count(experiment) and self.runs_on(name)
            if trained and self._sets_of(experiment)[0] == trains:
                return name
        return None

    def split_files(self, fold_name: str, role: Literal["train", "evaluate"]) -> list[str]:
        """The FASTA files of a published split's role, `{fold}` filled in; none of other splits."""
        group, number = self.folds()[fold_name]
        experiment = self.experiments[group]
        if not isinstance(experiment, Published):
            return []
        places: list[str] = getattr(experiment, role)
        return [place.replace("{fold}", str(number)) for place in places]

    def places(self) -> list[str]:
        """Every file of sequences or families that the config names."""
        sets = [place for d in self.datasets.values() for place in (*d.positives, *d.negatives)]
        train = [place for name in self.folds() for place in self.split_files(name, "train")]
        evaluate = [place for name in self.folds() for place in self.split_files(name, "evaluate")]
        older = [e.older for e in self.experiments.values() if isinstance(e, TimeHeldOut)]
        collected = [place for it in self.collections.values() for place in it.places()]
        named = sets + train + evaluate + older + self.audit.places()
        return [place for place in named if place not in self.collections] + collected

    def collections_of(self, dataset: str) -> list[str]:
        """The collections that a set takes its records from."""
        files = (*self.datasets[dataset].positives, *self.datasets[dataset].negatives)
        return [place for place in files if place in self.collections]

    def older(self, fold_name: str) -> str | None:
        """The older release of a split in time; None of other splits."""
        experiment = self.experiments[self.folds()[fold_name].group]
        return experiment.older if isinstance(experiment, TimeHeldOut) else None

    def releases(self) -> dict[str, str]:
        """What collections say of the release of their files."""
        return {
            place: it.release
            for it in self.collections.values()
            for place in it.places()
            if it.release
        }

    def max_lengths(self, fold_name: str) -> dict[str, int | None]:
        """The networks that are planned on one experiment, and the longest RNA that each takes."""
        planned = [run for run in self.plan() if run.experiment == fold_name]
        return {
            run.model: self.training(fold_name, run.model, run.recipe)[0].max_length
            for run in planned
        }

    def result_tables(self) -> dict[str, Results]:
        """The tables of results, by name."""
        return {name: table for name, table in self.tables.items() if isinstance(table, Results)}

    def count_tables(self) -> dict[str, Counts]:
        """The tables of counts, by name."""
        return {name: table for name, table in self.tables.items() if isinstance(table, Counts)}

    def runs_on(self, *groups: str) -> list[Run]:
        """The trainings on some experiments of the config, all their folds."""
        folds = self.folds()
        return [run for run in self.plan() if folds[run.experiment].group in groups]

    def plan(self) -> list[Run]:
        """Every training of the study, in the order of the config."""
        plan = []
        for runs in self.runs:
            for name, (group, number) in self.folds().items():
                if runs.experiments is not None and group not in runs.experiments:
                    continue
                if runs.folds is not None and number and number not in runs.folds:
                    continue
                plan += [
                    Run(
                        name,
                        model,
                        runs.recipe,
                        seed,
                        runs.epochs or self.training(name, model, runs.recipe)[1].epochs,
                    )
                    for model in runs.models
                    for seed in self.seeds
                ]
        return plan

    def watched(self) -> list[Run]:
        """The trainings of Figure 3, the folds first; their epochs are those of the result."""
        if self.figure3 is None:
            return []
        model, recipe = self.figure3.model, self.figure3.recipe
        groups = (self.figure3.validation, self.figure3.training)
        return [
            Run(name, model, recipe, self.seeds[0], self.training(name, model, recipe)[1].epochs)
            for group in groups
            for name, fold in self.folds().items()
            if fold.group == group
        ]

    def whole(self) -> list[Run]:
        """The trainings on all records of a set, whose networks are shipped."""
        if self.shipped is None:
            return []
        shipped = self.shipped
        held = [
            run
            for run in self.runs_on(shipped.validation)
            if (run.model, run.recipe) == (shipped.model, shipped.recipe)
        ]
        (dataset,) = self.sets_of(held[0].experiment)
        return [
            Run(dataset, shipped.model, shipped.recipe, seed, held[0].epochs) for seed in self.seeds
        ]

    def training(self, fold_name: str, model: str, recipe: str) -> tuple[Model, Recipe]:
        """What a run trains and how, by the names that it has in the config."""
        network = MODELS[model] if model in MODELS else _varied_model(self.models[model])
        if recipe in RECIPES:
            return RECIPES[recipe](network, self._split_of(fold_name))
        variant = self.recipes[recipe]
        network, base = RECIPES[variant.base](network, self._split_of(fold_name))
        return network, replace(base, **variant.given())

    def _split_of(self, fold_name: str) -> Split:
        group, number = self.folds()[fold_name]
        if number:
            return "cross-validation"
        is_across = isinstance(self.experiments[group], AcrossDatasets)
        return "across-datasets" if is_across else "test"

    def label(self, model: str, recipe: str) -> str:
        """Name of a network in tables and figures; the recipe is told unless it is the paper's."""
        network = MODELS[model] if model in MODELS else self.models[model]
        if recipe == "paper":
            return network.label
        how = recipe if recipe in RECIPES else self.recipes[recipe].label
        return f"{network.label}, {how}"


def _varied_model(variant: ModelVariant) -> Model:
    # It is another network than the one that has a row in the paper.
    own = {"label": variant.label, "published": "", **variant.given()}
    return replace(MODELS[variant.base], **own)
