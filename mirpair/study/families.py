"""The config of a study of microRNA families."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mirpair.recipes import FAMILY_MODELS, FAMILY_RECIPES, Model, Recipe
from mirpair.study.base import (
    BaseSeed,
    BaseStudy,
    Name,
    Run,
    Section,
    SourceRef,
    SourceRefs,
    first_duplicate,
)

RECIPE = "tang-sun"


class Others(Section):
    """RNAs that are not pre-miRNAs, to test whether an RNA belongs to any trained family."""

    files: SourceRefs = Field(
        description="FASTA files; the first word of a header is the class of the RNA, as in nRC."
    )
    kinds: dict[str, str] = Field(
        {},
        description="Names of classes in tables and figures, such as `{CD-box: C/D-box snoRNA}`; "
        "by default `rest`.",
    )
    rest: str = Field(
        "other non-coding RNA", description="Name of all other classes in tables and figures."
    )
    without: list[str] = Field([], description="Classes to leave out; by default none.")


class Named(Section):
    """The families of miRBase, whose names people use."""

    hairpins: SourceRef = Field(
        description="Hairpins of miRBase, as FASTA or as a CSV table of the package smallrnaseq."
    )
    members: SourceRef = Field(
        description="Which hairpin belongs to which family: miRBase's miFam.dat, or an ontology "
        "(OBO), both of the same release as `hairpins`."
    )
    mature: SourceRef | None = Field(
        None,
        description="Mature microRNAs of MirGeneDB, which give the names of its families too; by "
        "default none.",
    )


class FamilySplit(Section):
    """Which families take part in an experiment, and how many records of each have which role."""

    split: Literal["random", "clusters"] = Field(
        description="How records are chosen: `random` one by one, `clusters` so that RNAs of a "
        "family that are similar, directly or through others, have the same role."
    )
    at_least: int = Field(
        2, ge=2, description="Minimum number of different RNAs of a family that takes part."
    )
    at_most: int | None = Field(
        None,
        ge=2,
        description="Maximum number of different RNAs of a family that takes part; by default no "
        "limit.",
    )
    families: int | None = Field(
        None, ge=2, description="Maximum number of families, the largest first; by default all."
    )
    identity: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Lowest sequence identity at which RNAs are similar (`split: clusters`).",
    )
    training: int = Field(ge=1, description="Number of training records per family.")
    training_at_least: int | None = Field(
        None,
        ge=1,
        description="Fewest training records of a family that has less than `training`, such as 1: "
        "at most half of its records evaluate or validate, the others train (of 3, 2 train). By "
        "default, such families do not take part.",
    )
    evaluation: int = Field(ge=1, description="Maximum number of evaluation records per family.")
    validation: int = Field(
        0,
        ge=0,
        description="Maximum number of validation records per family, which choose thresholds; "
        "they are taken from the records that neither train nor evaluate.",
    )
    outliers: int = Field(
        0,
        ge=0,
        description="Maximum number of validation RNAs, which choose thresholds, of each kind "
        "without a trained family (untrained families, each kind of `others`, "
        "shuffled hairpins); the same number evaluates.",
    )

    @model_validator(mode="after")
    def _is_possible(self) -> FamilySplit:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(
                f"`at_least` ({self.at_least}) is greater than `at_most` ({self.at_most})"
            )
        if self.training_at_least is not None and self.training_at_least > self.training:
            raise ValueError(
                f"`training_at_least` ({self.training_at_least}) is greater than `training` "
                f"({self.training})"
            )
        if self.outliers and not self.validation:
            raise ValueError("`outliers` also needs `validation`, which chooses the thresholds")
        return self


class FamilyRuns(Section):
    """Which networks are trained on which experiments of a study of families."""

    models: list[
        Literal[
            "pair",
            "prob",
            "mixed",
            "one-hot",
            "variable",
            "without-pairing",
            "stem",
            "joined",
        ]
    ] = Field(min_length=1, description="Networks to train, each with its encoding.")
    experiments: list[Name] | None = Field(
        None, min_length=1, description="Experiments to train on; by default all."
    )
    epochs: int | None = Field(
        None,
        ge=1,
        description="Number of passes over the training records; by default the recipe's, 20.",
    )
    seeds: list[BaseSeed] | None = Field(
        None, min_length=1, description="Base seeds; by default those of the study."
    )


class Infernal(Section):
    """The comparison with covariance models; it needs Infernal and MAFFT."""

    experiment: Name = Field(
        description="Experiment on whose training records the models are built, and on which speed "
        "is measured."
    )
    also: list[Name] = Field(
        [],
        description="Other experiments to compare on, without their speed; by default none.",
    )
    proposals: Literal["one-hot", "variable", "without-pairing"] | None = Field(
        None,
        description="Network that makes a shortlist of families for each RNA, with the nearest "
        "training records. Only models of families on the shortlist are compared with the RNA: a "
        "method of its own, which needs the package pyinfernal. `runs` must train the network on "
        "these experiments. By default there is no such method.",
    )
    queries: int = Field(
        200, ge=2, description="Number of evaluation records on which speed is measured."
    )
    families: list[Annotated[int, Field(ge=2)]] = Field(
        [], description="Numbers of families for which to measure how time grows; by default none."
    )
    mirgenedb: bool = Field(
        False,
        description="Whether to compare MirGeneDB's calibrated models too, which pip downloads "
        "with the Python package mirmachine (263 MB).",
    )


class Shipped(Section):
    """The training whose weights `mirpair annotate` uses."""

    experiment: Name = Field(description="Experiment that the network is trained on.")
    model: Literal["one-hot", "variable", "without-pairing"] = Field(
        description="Network to ship; matrix networks are too large."
    )
    score: Literal["softmax", "energy", "distance"] = Field(
        description="Score of the network that decides whether an RNA belongs to any trained "
        "family, where no covariance models decide."
    )


class FamilyStudy(BaseStudy):
    """A study of microRNA families."""

    task: Literal["families"] = Field(
        description="Task of the study: which family a pre-miRNA belongs to, if any."
    )
    families: str = Field(
        pattern=r"^[^{}]*\{family\}[^{}]*$",
        description="FASTA files of pre-miRNAs, one per family: names of the sources table, or "
        "paths, in which `{family}` stands for the family's name.",
    )
    named: Named | None = Field(
        None,
        description="Families of miRBase: those of `families` are merged into them and get their "
        "names; by default, families are called as their files are.",
    )
    max_length: int = Field(
        200,
        ge=1,
        le=200,
        description="Maximum length of an RNA, nt; matrix networks take at most 200.",
    )
    others: Others | None = Field(
        None, description="RNAs that are not pre-miRNAs; by default there are none."
    )
    experiments: dict[Name, FamilySplit] = Field(
        min_length=1, description="Which families and records train and evaluate, by name."
    )
    runs: list[FamilyRuns] = Field(min_length=1, description="What to train, as a list of entries.")
    infernal: Infernal | None = Field(
        None, description="Comparison with covariance models; by default there is none."
    )
    shipped: Shipped | None = Field(
        None, description="Training whose weights `mirpair annotate` uses; by default none."
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> FamilyStudy:
        for number, runs in enumerate(self.runs, 1):
            for name in runs.experiments or []:
                self.require_known(f"runs.{number}", "experiment", name, self.experiments)
        if twice := first_duplicate(self.plan()):
            raise ValueError(f"runs: {twice.model!r} on {twice.experiment!r} is listed twice")
        if self.infernal:
            self._infernal_is_possible(self.infernal)
        if self.shipped:
            self._shipped_is_possible(self.shipped)
        for name, split in self.experiments.items():
            if split.outliers and self.others is None:
                raise ValueError(f"experiments.{name}: outliers need the section `others`")
        return self

    def _infernal_is_possible(self, infernal: Infernal) -> None:
        compared = [infernal.experiment, *infernal.also]
        for number, name in enumerate(compared):
            where = "infernal.also" if number else "infernal.experiment"
            self.require_known(where, "experiment", name, self.experiments)
            if infernal.proposals and not any(
                (run.experiment, run.model) == (name, infernal.proposals) for run in self.plan()
            ):
                raise ValueError(
                    f"infernal.proposals: no training of {infernal.proposals!r} on {name!r} is "
                    "planned"
                )
        if len(set(compared)) < len(compared):
            raise ValueError("infernal: an experiment is listed twice")

    def _shipped_is_possible(self, shipped: Shipped) -> None:
        name, model = shipped.experiment, shipped.model
        if not any((run.experiment, run.model) == (name, model) for run in self.plan()):
            raise ValueError(f"shipped: no training of {model!r} on {name!r} is planned")
        if not self.experiments[name].outliers:
            raise ValueError(f"shipped: {name!r} needs `outliers`, which choose the threshold")
        proposals = self.infernal.proposals if self.infernal else None
        if proposals not in (None, model):
            raise ValueError(
                f"shipped.model: {model!r} would ship without covariance models, because "
                f"infernal.proposals is {proposals!r}: name the same network"
            )

    def source_refs(self) -> list[str]:
        """List the files that the config names one by one; those of families are a pattern."""
        named = list(self.named.model_dump(exclude_none=True).values()) if self.named else []
        return [*(self.others.files if self.others else []), *named]

    def plan(self) -> list[Run]:
        """List every training of the study, in the order of the config."""
        return [
            Run(name, model, RECIPE, seed, runs.epochs or recipe.epochs)
            for runs in self.runs
            for name in self.experiments
            if runs.experiments is None or name in runs.experiments
            for model in runs.models
            for _, recipe in [self.training(name, model, RECIPE)]
            for seed in runs.seeds or self.seeds
        ]

    def first_runs(self, experiment: str) -> list[Run]:
        """List the trainings on an experiment with the first seed."""
        return [
            run for run in self.plan() if (run.experiment, run.seed) == (experiment, self.seeds[0])
        ]

    def proposing(self, experiment: str) -> list[Run]:
        """List the trainings of the network that proposes families for covariance models."""
        model = self.infernal.proposals if self.infernal else None
        return [run for run in self.plan() if (run.experiment, run.model) == (experiment, model)]

    def shipped_run(self) -> Run | None:
        """Return the training whose weights are shipped; None if none is."""
        if self.shipped is None:
            return None
        runs = self.first_runs(self.shipped.experiment)
        return next(run for run in runs if run.model == self.shipped.model)

    def series(self) -> list[str]:
        """List the first experiments that differ only in the number of training records."""
        alike: dict[str, list[str]] = {}
        for name, split in self.experiments.items():
            same = split.model_dump_json(exclude={"training", "validation", "outliers"})
            alike.setdefault(same, []).append(name)
        for names in alike.values():
            if len({self.experiments[name].training for name in names}) == len(names) > 1:
                return names
        return []

    @staticmethod
    def training(experiment: str, model: str, recipe: str) -> tuple[Model, Recipe]:
        """Return what a run trains, and how."""
        return FAMILY_RECIPES[recipe](FAMILY_MODELS[model])


@dataclass(frozen=True)
class FamilyOutputs:
    """What the tables and figures of a study of families show.

    Attributes
    ----------
    series
        Experiments that differ only in the number of training records.
    compared, timed, with_mirgenedb
        Experiments that are compared with Infernal, and those of them whose speed is measured, and
        with MirGeneDB's models.
    shown, rejected
        Experiments that tables and figures show one by one, and those of them with RNAs to reject
        and with records that choose the threshold.
    tables, figures
        Names of the tables; name of each figure to its heading and its caption file.
    """

    series: list[str]
    compared: list[str]
    timed: list[str]
    with_mirgenedb: list[str]
    shown: list[str]
    rejected: list[str]
    tables: list[str]
    figures: dict[str, tuple[str, str]]


def family_outputs(study: FamilyStudy) -> FamilyOutputs:
    """Choose what the tables and figures of a study of families show."""
    series = study.series()
    timed = [study.infernal.experiment] if study.infernal else []
    compared = [*timed, *study.infernal.also] if study.infernal else []
    with_mirgenedb = timed if study.infernal and study.infernal.mirgenedb else []
    with_runs = {run.experiment for run in study.plan()}
    trained = [name for name in study.experiments if name in with_runs]
    shown = [name for name in trained if name not in series] or trained
    splits = study.experiments
    rejected = [name for name in shown if splits[name].outliers and splits[name].validation]
    tables = [
        "accuracy",
        *(["sizes"] if series else []),
        *(["rejection"] if rejected else []),
        *(["infernal", "differences"] if timed else []),
        *(["decisions"] if study.infernal and study.infernal.proposals else []),
        *(["growth"] if timed else []),
    ]
    figures = {
        "methods": ("Accuracy by encoding", "methods"),
        "bands": ("Accuracy by what trained alike", "bands"),
        **({"sizes": ("Accuracy by family size", "sizes")} if series else {}),
        "confusions": ("What is confused", "confusions"),
        **({"rejection": ("ROC of rejection", "roc")} if rejected else {}),
        **({"speed": ("Speed against Infernal", "speed")} if timed else {}),
        "histories": ("Training histories", "histories"),
    }
    return FamilyOutputs(series, compared, timed, with_mirgenedb, shown, rejected, tables, figures)
