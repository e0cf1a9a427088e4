"""The config of a study that identifies pre-miRNAs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import Field, model_validator

from mirpair.recipes import MODELS, RECIPES, Model, Recipe, Split
from mirpair.study.base import BaseStudy, Name, Run, first_duplicate
from mirpair.study.checks import check_collections, check_seeds
from mirpair.study.sources import AnyCollection, Audit, Dataset
from mirpair.study.splits import (
    AcrossDatasets,
    Drawn,
    Experiment,
    FamiliesHeldOut,
    FamilyKFold,
    Published,
    SpeciesHeldOut,
    TimeHeldOut,
    complete_sets,
    datasets_of,
    fold_count,
    has_validation,
)
from mirpair.study.tables import OWN_TABLES, Counts, Kinds, Results, Seeds, Table, unknown_files
from mirpair.study.trainings import (
    USUAL,
    Average,
    Baselines,
    Figure3,
    Method,
    ModelVariant,
    RecipeVariant,
    Runs,
    ShippedNetworks,
    check_variants,
)

T = TypeVar("T")


class Fold(NamedTuple):
    """A unit that is trained on: a fold of a cross-validation, or a split without folds.

    Attributes
    ----------
    group
        Its key in the config: ``human-cv``.
    number
        Number of the fold, from 1; 0 where there are none.
    """

    group: str
    number: int


class Study(BaseStudy):
    """A study that identifies pre-miRNAs."""

    task: Literal["identification"] = Field(
        "identification", description="Task of the study: whether an RNA is a pre-miRNA."
    )
    reuse: str | None = Field(
        None,
        description="Folder with saved results, laid out as `results/<study>/`: a training saved "
        "there with the same network, recipe, seed and epochs is reused instead of run, and the "
        "target `save` saves those that were run; by default everything is run.",
    )
    collections: dict[Name, Annotated[AnyCollection, Field(discriminator="source")]] = Field(
        {},
        description="RNAs that are collected from databases or cut from genomes, by name; by "
        "default none.",
    )
    datasets: dict[Name, Dataset] = Field(
        min_length=1, description="Sets of labelled RNAs, by name."
    )
    experiments: dict[Name, Experiment] = Field(
        min_length=1, description="Which records train and which evaluate, by name."
    )
    models: dict[Name, ModelVariant] = Field(
        {}, description="Networks that differ from the known ones, by name; by default none."
    )
    recipes: dict[Name, RecipeVariant] = Field(
        {}, description="Recipes that differ from the known ones, by name; by default none."
    )
    baselines: Baselines = Field(list(USUAL))
    runs: list[Runs] = Field(min_length=1, description="What to train, as a list of entries.")
    averages: dict[Name, Average] = Field(
        {},
        description="Further methods, by name: the mean score of several networks; by default "
        "none.",
    )
    tables: dict[Name, Table] = Field(
        description="Tables to write beside those of every study, by name; `{}` for none."
    )
    figure3: Figure3 | None = Field(
        None,
        description="Trainings that continue beyond their last epoch; by default there is no "
        "such figure.",
    )
    audit: Audit = Field(
        Audit(hairpins=None, families=None),
        description="Known hairpins that the audit compares with; by default none.",
    )
    shipped: ShippedNetworks | None = Field(
        None,
        description="Networks of `mirpair predict` and `mirpair scan` to train; by default none.",
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Study:
        check_collections(self.collections, self.datasets, self.experiments)
        if len(self.folds()) < sum(fold_count(e) or 1 for e in self.experiments.values()):
            raise ValueError("experiments: two folds have the same name; rename an experiment")
        for name, experiment in self.experiments.items():
            for dataset in datasets_of(experiment):
                self.require_known(f"experiments.{name}", "set", dataset, self.datasets)
        check_variants(self.models, self.recipes)
        self._runs_are_possible()
        self._tables_are_possible()
        self._figure3_is_possible()
        self._shipped_is_possible()
        if not self.plan():
            raise ValueError(
                "runs: none of the experiments has the folds in `folds`, so nothing would be "
                "trained"
            )
        if twice_named := sorted({it for it in self.baselines if self.baselines.count(it) > 1}):
            raise ValueError(f"baselines: {twice_named[0]!r} is listed twice")
        if taken := [name for name in self.tables if name in OWN_TABLES]:
            raise ValueError(
                f"tables.{taken[0]}: every study has a table of this name already; "
                "choose another name"
            )
        self._averages_are_possible()
        self._labels_are_unique()
        if twice := first_duplicate(self.plan()):
            raise ValueError(
                f"runs: {twice.model!r} with recipe {twice.recipe!r} on {twice.experiment!r} is "
                "listed twice"
            )
        return self

    def _runs_are_possible(self) -> None:
        numbers = {fold.number for fold in self.folds().values()}
        for index, runs in enumerate(self.runs, 1):
            where = f"runs.{index}"
            for name in runs.experiments or []:
                self.require_known(where, "experiment", name, self.experiments)
            for name in runs.models:
                self.require_known(where, "model", name, {**MODELS, **self.models})
            self.require_known(where, "recipe", runs.recipe, {**RECIPES, **self.recipes})
            for number in runs.folds or []:
                if number < 1 or number not in numbers:
                    raise ValueError(f"{where}: no experiment has a fold {number}")

    def _tables_are_possible(self) -> None:
        for name, table in self.tables.items():
            where = f"tables.{name}"
            if isinstance(table, Counts):
                for dataset in table.sets:
                    self.require_known(where, "set", dataset, self.datasets)
                continue
            if isinstance(table, Seeds):
                for of in table.seeds_of:
                    check_seeds(where, of, self.tables_of(Results), self.runs_in_table)
                continue
            groups = table.rows.values() if isinstance(table, Results) else [table.experiment]
            for group in groups:
                self.require_known(where, "experiment", group, self.experiments)
                if not self.runs_on(group):
                    raise ValueError(f"{where}: nothing is trained on {group!r}")
            if not isinstance(table, Results) and fold_count(self.experiments[table.experiment]):
                raise ValueError(
                    f"{where}: {table.experiment!r} has folds; name an experiment without folds"
                )
            if isinstance(table, Kinds):
                labelled = self.datasets[datasets_of(self.experiments[table.experiment])[-1]]
                files = {"positives": labelled.positives, "negatives": labelled.negatives}
                if problem := unknown_files(table, files):
                    raise ValueError(f"{where}: {problem}")

    def _figure3_is_possible(self) -> None:
        if self.figure3 is None:
            return
        for key, kind, known in (
            ("model", "model", {**MODELS, **self.models}),
            ("recipe", "recipe", {**RECIPES, **self.recipes}),
            ("validation", "experiment", self.experiments),
            ("training", "experiment", self.experiments),
        ):
            if (name := getattr(self.figure3, key)) is not None:
                self.require_known(f"figure3.{key}", kind, name, known)
        if self.figure3.training == self.figure3.validation:
            raise ValueError("figure3: validation and training are the same experiment")
        if usual := [run.epochs for run in self.watched() if run.epochs >= self.figure3.epochs]:
            raise ValueError(
                f"figure3.epochs: is {self.figure3.epochs}, must be greater than the recipe's "
                f"{max(usual)}"
            )

    def _averages_are_possible(self) -> None:
        for name, average in self.averages.items():
            where = f"averages.{name}"
            if name in {**MODELS, **self.models}:
                raise ValueError(f"{where}: a network has this name; choose another one")
            if len(set(average.models)) < len(average.models):
                raise ValueError(f"{where}: a network is listed twice")
            if not any(name in self.averages_on(group) for group in self.experiments):
                raise ValueError(
                    f"{where}: there is no experiment on which {', '.join(average.models)} are all "
                    f"trained with recipe {average.recipe!r}; add them to `runs`"
                )

    def _labels_are_unique(self) -> None:
        methods: dict[str, tuple[str, str]] = {}
        for run in self.plan():
            label, method = self.method(run.model, run.recipe).label, (run.model, run.recipe)
            other = methods.setdefault(label, method)
            if other != method:
                raise ValueError(
                    f"runs: {' with '.join(other)} and {' with '.join(method)} have the "
                    f"same label {label!r}; give each its own"
                )

        for name, average in self.averages.items():
            if average.label in methods:
                raise ValueError(
                    f"averages.{name}: another method has the label {average.label!r}; give each "
                    "its own"
                )
            methods[average.label] = (name, average.recipe)

    def _shipped_is_possible(self) -> None:
        shipped = self.shipped
        if shipped is None:
            return
        if shipped.members > len(self.seeds):
            raise ValueError(
                f"shipped.members: is {shipped.members}, but there are {len(self.seeds)} `seeds`"
            )
        planned = {run.key for run in self.plan()}
        sets: list[str] = []
        for kingdom, names in shipped.validation.items():
            where = f"shipped.validation.{kingdom}"
            for name in names:
                self.require_known(where, "experiment", name, self.experiments)
                if not has_validation(self.experiments[name]):
                    raise ValueError(
                        f"{where}: {name!r} has no validation records, which calibrate the "
                        "networks; name an experiment with `split: families`"
                    )
                for (model, recipe), seed in product(
                    shipped.methods(kingdom), self.seeds[: shipped.members]
                ):
                    if (name, model, recipe, seed) not in planned:
                        raise ValueError(
                            f"shipped: no training of {model!r} with recipe {recipe!r} and seed "
                            f"{seed} on {name!r} is planned; add it to `runs`"
                        )
            if not shipped.methods(kingdom):
                raise ValueError(f"shipped.networks: none of them is for {kingdom}; add one")
            of_kingdom = {self.sets_of(name)[0] for name in names}
            if len(set(names)) < len(names) or len(of_kingdom) > 1:
                raise ValueError(f"{where}: name different experiments on one set")
            sets += of_kingdom
        if len(set(sets)) < len(sets):
            raise ValueError("shipped.validation: two kingdoms have one set; give each its own")
        used = [it for dataset in sets for it in self.collections_of(dataset)]
        for genome, names in shipped.genomes.items():
            for name in names:
                self.require_known(f"shipped.genomes.{genome}", "collection", name, used)

    def folds(self) -> dict[str, Fold]:
        """Map the name of each fold or split (``human-cv1``, ``new-test``) to its `Fold`."""
        return {
            f"{name}{number or ''}": Fold(name, number)
            for name, count in self.fold_counts().items()
            for number in (range(1, count + 1) if count else [0])
        }

    def folds_of(self, *groups: str) -> list[str]:
        """List the names of the folds of some experiments of the config."""
        return [name for name, fold in self.folds().items() if fold.group in groups]

    def fold_counts(self) -> dict[str, int]:
        """Map each experiment of the config to its number of folds; 0 if it has none."""
        return {name: fold_count(it) or 0 for name, it in self.experiments.items()}

    def drawn(self) -> list[str]:
        """List the experiments whose folds are assigned at random."""
        return [name for name, it in self.experiments.items() if isinstance(it, Drawn)]

    def trained(self) -> list[str]:
        """List the experiments that something is trained on."""
        return [name for name in self.experiments if self.runs_on(name)]

    def sets_of(self, fold_name: str) -> list[str]:
        """List the sets that an experiment takes its records from."""
        return datasets_of(self.experiments[self.folds()[fold_name].group])

    def validation_of(self, group: str) -> str | None:
        """Find the cross-validation of an experiment's training set; itself if it is one."""
        if fold_count(self.experiments[group]):
            return group
        dataset = datasets_of(self.experiments[group])[0]
        same = (
            name
            for name, experiment in self.experiments.items()
            if fold_count(experiment) and datasets_of(experiment)[0] == dataset
        )
        return next(filter(self.runs_on, same), None)

    def split_files(
        self, fold_name: str, role: Literal["train", "validate", "evaluate"]
    ) -> list[str]:
        """List the files that a split names for a role, `{fold}` filled in; else none."""
        group, number = self.folds()[fold_name]
        experiment = self.experiments[group]
        if isinstance(experiment, FamiliesHeldOut):
            return experiment.reserved()[role]
        if not isinstance(experiment, Published) or role == "validate":
            return []
        refs: list[str] = getattr(experiment, role) or []
        return [ref.replace("{fold}", str(number)) for ref in refs]

    def source_refs(self) -> list[str]:
        """List every file of sequences or families that the config names."""
        train = [ref for name in self.folds() for ref in self.split_files(name, "train")]
        evaluate = [ref for name in self.folds() for ref in self.split_files(name, "evaluate")]
        older = [e.older for e in self.experiments.values() if isinstance(e, TimeHeldOut)]
        older += [e.families for e in self.experiments.values() if isinstance(e, FamiliesHeldOut)]
        older += [ref for it in self.tables_of(Kinds).values() for ref in it.source_refs()]
        named = train + evaluate + older + self.audit.source_refs()
        return self.sequence_refs() + [ref for ref in named if ref not in self.collections]

    def sequence_refs(self) -> list[str]:
        """List the files of sequences that the sets and the collections are made from."""
        sets = [ref for d in self.datasets.values() for ref in (*d.positives, *d.negatives)]
        collected = [ref for it in self.collections.values() for ref in it.source_refs()]
        return [ref for ref in sets if ref not in self.collections] + collected

    def collections_of(self, dataset: str) -> list[str]:
        """List the collections that a set takes its records from."""
        files = (*self.datasets[dataset].positives, *self.datasets[dataset].negatives)
        return [ref for ref in files if ref in self.collections]

    def origins_of_folds(self, group: str) -> list[str]:
        """List the collections whose families decide the folds of an experiment; else none."""
        experiment = self.experiments[group]
        return (
            self.collections_of(experiment.dataset) if isinstance(experiment, FamilyKFold) else []
        )

    def origins_of_roles(self, fold_name: str) -> list[str]:
        """List the collections from which the roles or the weights of an experiment follow."""
        experiment = self.experiments[self.folds()[fold_name].group]
        if isinstance(experiment, FamiliesHeldOut | SpeciesHeldOut | TimeHeldOut):
            return self.collections_of(experiment.dataset)
        return self.weighted_collections(datasets_of(experiment))

    def weights_of(self, sets: Iterable[str]) -> dict[str, dict[str, float]]:
        """Map those sets that have weights to them, by trust."""
        weights = {it: self.datasets[it].weights for it in sets}
        return {it: {str(key): w for key, w in of.items()} for it, of in weights.items() if of}

    def weighted_collections(self, sets: Iterable[str]) -> list[str]:
        """List the collections of those sets that have weights."""
        names = [ref for it in self.weights_of(sets) for ref in self.collections_of(it)]
        return list(dict.fromkeys(names))

    def held_out_families(self, fold_name: str) -> str | None:
        """Return the file with the families of a split that hold out; None of other splits."""
        experiment = self.experiments[self.folds()[fold_name].group]
        return experiment.families if isinstance(experiment, FamiliesHeldOut) else None

    def older(self, fold_name: str) -> str | None:
        """Return the older release of a split in time; None of other splits."""
        experiment = self.experiments[self.folds()[fold_name].group]
        return experiment.older if isinstance(experiment, TimeHeldOut) else None

    def releases(self) -> dict[str, str]:
        """Map files to the releases that collections state for them."""
        return {
            ref: it.release
            for it in self.collections.values()
            for ref in it.source_refs()
            if it.release
        }

    def max_lengths(self, fold_name: str) -> dict[str, int | None]:
        """Map the networks that are trained on an experiment to the longest RNA that each takes."""
        return {
            run.model: self.training(fold_name, run.model, run.recipe)[0].max_length
            for run in self.plan()
            if run.experiment == fold_name
        }

    def limits_of(self, dataset: str) -> dict[str, int]:
        """Map networks to the longest RNA that each takes, if all records of a set are theirs."""
        return {
            model: limit
            for name, fold in self.folds().items()
            if dataset in complete_sets(self.experiments[fold.group])
            for model, limit in self.max_lengths(name).items()
            if limit is not None
        }

    def tables_of(self, kind: type[T]) -> dict[str, T]:
        """Return the tables of a kind (`mirpair.study.tables`), by name."""
        return {name: table for name, table in self.tables.items() if isinstance(table, kind)}

    def runs_on(self, *groups: str) -> list[Run]:
        """List the trainings on some experiments of the config, on all their folds."""
        folds = self.folds()
        return [run for run in self.plan() if folds[run.experiment].group in groups]

    def averages_on(self, group: str) -> dict[str, list[Run]]:
        """Map the averages that an experiment of the config has to the runs that are averaged.

        These are the runs on folds on which all networks of the average are trained.
        """
        averages: dict[str, list[Run]] = {}
        for name, of in self.averages.items():
            runs = [it for it in self.runs_on(group) if it.recipe == of.recipe]
            for fold in self.folds_of(group):
                members = [it for it in runs if it.experiment == fold and it.model in of.models]
                if {it.model for it in members} == set(of.models):
                    averages.setdefault(name, []).extend(members)
        return averages

    def runs_in_table(self, table: str) -> list[Run]:
        """List the trainings that a table of results shows."""
        return self.runs_on(*self.tables_of(Results)[table].rows.values())

    def plan(self) -> list[Run]:
        """List every training of the study, in the order of the config."""
        return [
            self._run(name, model, runs.recipe, seed, runs.epochs)
            for runs in self.runs
            for name, (group, number) in self.folds().items()
            if runs.experiments is None or group in runs.experiments
            if runs.folds is None or not number or number in runs.folds
            for model in runs.models
            for seed in runs.seeds or self.seeds
        ]

    def _run(
        self, fold_name: str, model: str, recipe: str, seed: int, epochs: int | None = None
    ) -> Run:
        epochs = epochs or self.training(fold_name, model, recipe)[1].epochs
        return Run(fold_name, model, recipe, seed, epochs)

    def watched(self) -> list[Run]:
        """List the trainings of Figure 3, the folds first; their epochs are those of the result."""
        if self.figure3 is None:
            return []
        return [
            self._run(name, self.figure3.model, self.figure3.recipe, self.seeds[0])
            for group in (self.figure3.validation, self.figure3.training)
            if group is not None
            for name in self.folds_of(group)
        ]

    def training(self, fold_name: str, model: str, recipe: str) -> tuple[Model, Recipe]:
        """Return what a run trains and how, by the names that it has in the config."""
        network, split = self._network(model), self._split_of(fold_name)
        if recipe in RECIPES:
            return RECIPES[recipe](network, split)
        return self.recipes[recipe].training(network, split)

    def method(self, model: str, recipe: str) -> Method:
        """Return what a network that is trained by a recipe is called."""
        network = self._network(model)
        label = recipe if recipe in RECIPES else self.recipes[recipe].label
        # A rival's recipe has its own name.
        suffix = "" if recipe in ("paper", model) else f", {label}"
        reproduces = network.published if recipe in ("paper", "published-code", model) else ""
        name = network.label if recipe == model or not reproduces else reproduces
        return Method(network.label + suffix, reproduces, name + suffix)

    def _network(self, model: str) -> Model:
        return MODELS[model] if model in MODELS else self.models[model].network()

    def _split_of(self, fold_name: str) -> Split:
        group, number = self.folds()[fold_name]
        if number:
            return "cross-validation"
        is_across = isinstance(self.experiments[group], AcrossDatasets)
        return "across-datasets" if is_across else "test"
