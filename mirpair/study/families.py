"""A study of microRNA families: all that its config says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mirpair.recipes import FAMILY_MODELS, FAMILY_RECIPES, Model, Recipe
from mirpair.study.base import BaseStudy, Name, Run, Section, SourceRefs


class Others(Section):
    """RNAs that are no pre-miRNAs, for telling whether an RNA is of any trained family."""

    files: SourceRefs = Field(description="FASTA files whose headers name the class of RNA.")
    kinds: dict[str, str] = Field(
        {}, description="Class in a header to the kind of RNA that it is told as."
    )
    rest: str = Field("other non-coding RNA", description="Kind of all other classes.")
    without: list[str] = Field([], description="Classes that are left out.")


class FamilySplit(Section):
    """Which families an experiment is about, and how many records of each have which role."""

    split: Literal["random", "clusters"] = Field(
        description="Whether records are drawn one by one, or in clusters of RNAs that are alike."
    )
    at_least: int = Field(2, ge=2, description="Families with at least so many different RNAs.")
    at_most: int | None = Field(None, ge=2, description="Families with at most so many.")
    families: int | None = Field(
        None, ge=2, description="At most so many families, the largest; all, if it is left out."
    )
    identity: float = Field(
        0.8, gt=0, le=1, description="Identity from which on RNAs are of one cluster."
    )
    training: int = Field(ge=1, description="Training records of each family.")
    evaluation: int = Field(ge=1, description="At most so many evaluation records of each family.")
    validation: int = Field(
        0, ge=0, description="At most so many records of each family that choose thresholds."
    )
    outliers: int = Field(
        0,
        ge=0,
        description="At most so many RNAs of each kind that are of no trained family, to choose "
        "thresholds, and as many to evaluate.",
    )

    @model_validator(mode="after")
    def _is_possible(self) -> FamilySplit:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(
                f"no family has {self.at_least} RNAs or more but at most {self.at_most}"
            )
        if self.outliers and not self.validation:
            raise ValueError("outliers need `validation` too: it chooses the thresholds")
        return self


class Infernal(Section):
    """What is compared with covariance models."""

    experiment: Name = Field(description="Whose training records the models are built from.")
    queries: int = Field(
        200, ge=2, description="How many evaluation records the speed is measured on."
    )
    families: list[Annotated[int, Field(ge=2)]] = Field(
        [], description="Numbers of families that show how the time grows with them."
    )
    mirgenedb: bool = Field(
        False,
        description="Whether to compare with the calibrated models of MirGeneDB too, which the "
        "Python package mirmachine (263 MB) carries.",
    )


class Shipped(Section):
    """The training whose weights `mirpair annotate` is given."""

    experiment: Name = Field(description="On which experiment it was trained.")
    model: Literal["one-hot", "variable", "without-pairing"] = Field(
        description="Which network; those of matrices are too large."
    )
    score: Literal["softmax", "energy", "distance"] = Field(
        description="How it tells what is of no trained family."
    )


class FamilyRuns(Section):
    """Which networks are trained on which experiments of a study of families."""

    models: list[Literal["pair", "prob", "mixed", "one-hot", "variable", "without-pairing"]] = (
        Field(min_length=1, description="Networks, each with its encoding.")
    )
    experiments: list[Name] | None = Field(
        None, min_length=1, description="On which experiments; all, if it is left out."
    )
    epochs: int | None = Field(
        None, ge=1, description="Passes over the training records; the recipe's, if left out."
    )


class FamilyStudy(BaseStudy):
    """A study of microRNA families: everything that one config file says."""

    task: Literal["families"] = Field(
        description="What is studied: which family an RNA is of, and whether it is of any."
    )
    families: str = Field(
        pattern=r"^[^{}]*\{family\}[^{}]*$",
        description="FASTA files of pre-miRNAs, one a family, `{family}` standing for its name: "
        "names of the sources table, or paths.",
    )
    max_length: int = Field(200, ge=1, le=200, description="Longer RNAs are left out, nt.")
    others: Others | None = Field(None, description="RNAs that are no pre-miRNAs.")
    experiments: dict[Name, FamilySplit] = Field(
        min_length=1, description="Who trains and who evaluates."
    )
    runs: list[FamilyRuns] = Field(min_length=1, description="What is trained.")
    infernal: Infernal | None = Field(None, description="The comparison with Infernal.")
    shipped: Shipped | None = Field(None, description="The network that `annotate` uses.")

    @model_validator(mode="after")
    def _names_are_known(self) -> FamilyStudy:
        for number, runs in enumerate(self.runs, 1):
            for name in runs.experiments or []:
                self.require_known("runs", str(number), "experiment", name, self.experiments)
        keys = [run[:4] for run in self.plan()]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise ValueError(f"runs: {twice[1]!r} on {twice[0]!r} is asked for twice")
        if self.infernal:
            where = ("infernal", "experiment", "experiment")
            self.require_known(*where, self.infernal.experiment, self.experiments)
        if self.shipped and not any(
            run[:2] == (self.shipped.experiment, self.shipped.model) for run in self.plan()
        ):
            raise ValueError(
                f"shipped: no training of {self.shipped.model!r} on {self.shipped.experiment!r} "
                "is planned"
            )
        if self.shipped and not self.experiments[self.shipped.experiment].outliers:
            raise ValueError(
                f"shipped: {self.shipped.experiment!r} needs `outliers`, by which the threshold "
                "is chosen"
            )
        for name, split in self.experiments.items():
            if split.outliers and self.others is None:
                raise ValueError(f"experiments.{name}: outliers need the section `others`")
        return self

    def places(self) -> list[str]:
        """Every file that the config names one by one; those of the families are a pattern."""
        return self.others.files if self.others else []

    def plan(self) -> list[Run]:
        """Every training of the study, in the order of the config."""
        return [
            Run(
                name,
                model,
                "tang-sun",
                seed,
                runs.epochs or self.training(name, model, "tang-sun")[1].epochs,
            )
            for runs in self.runs
            for name in self.experiments
            if runs.experiments is None or name in runs.experiments
            for model in runs.models
            for seed in self.seeds
        ]

    def series(self) -> list[str]:
        """The first experiments that differ in nothing but how many records of a family train."""
        alike: dict[tuple[Any, ...], list[str]] = {}
        for name, split in self.experiments.items():
            same = split.model_dump(exclude={"training", "validation", "outliers"})
            alike.setdefault(tuple(same.values()), []).append(name)
        for names in alike.values():
            if len({self.experiments[name].training for name in names}) == len(names) > 1:
                return names
        return []

    @staticmethod
    def training(experiment: str, model: str, recipe: str) -> tuple[Model, Recipe]:
        """What a run trains and how."""
        return FAMILY_RECIPES[recipe](FAMILY_MODELS[model])
