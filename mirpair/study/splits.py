"""The section `experiments` of a config: who trains and who evaluates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mirpair.study.base import Name, Section, SourceRef, SourceRefs


class _Split(Section):
    identity: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Evaluation records that are this identical to a training record, or more, are "
        "left out; 1 is copies only. None is left out, if it is not given.",
    )
    copies: Literal["refuse", "keep"] = Field(
        "refuse",
        description="Whether an evaluation record may have the very sequence of a training record.",
    )


class Drawn(_Split):
    """A cross-validation whose folds are drawn."""

    def drawing(self) -> dict[str, Any]:
        """What decides of the draw, as `mirpair.identification.folds.assign_folds` takes it."""
        return self.model_dump(include={"split", "folds", "seed"})


class KFold(Drawn):
    """Stratified k-fold cross-validation of one set."""

    split: Literal["k-fold"]
    dataset: Name = Field(description="The set that is split.")
    folds: int = Field(5, ge=2, description="Number of folds.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the shuffle before the split.")


class ClusterKFold(Drawn):
    """K-fold cross-validation in which nothing that evaluates is like something that trained."""

    split: Literal["cluster-k-fold"]
    dataset: Name = Field(description="The set that is split.")
    folds: int = Field(5, ge=2, description="Number of folds.")
    identity: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Identity from which on RNAs are of one cluster, and evaluation records that "
        "are this identical to a training record all the same are left out.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the draw of clusters.")

    def drawing(self) -> dict[str, Any]:
        """As that of others, and from which identity on RNAs are of one cluster."""
        return super().drawing() | {"identity": self.identity}


class FamilyKFold(Drawn):
    """K-fold cross-validation in which whole families are held out."""

    split: Literal["family-k-fold"]
    dataset: Name = Field(description="The set that is split; its positives are collections.")
    folds: int = Field(5, ge=2, description="Number of folds.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the draw of families.")


class SpeciesHeldOut(_Split):
    """Train on some species, evaluate on others."""

    split: Literal["species"]
    dataset: Name = Field(description="The set that is split; its positives are collections.")
    evaluate: list[str] = Field(
        min_length=1, description="Species that evaluate, as the names of hairpins begin."
    )
    seed: int = Field(
        0, ge=0, lt=2**32, description="Seed of the draw of records that are of no species."
    )


class TimeHeldOut(_Split):
    """Train on what an older release had, evaluate on what is new since."""

    split: Literal["time"]
    dataset: Name = Field(description="The set that is split; its positives are collections.")
    older: SourceRef = Field(description="Hairpins of the older release, with their accessions.")
    seed: int = Field(
        0, ge=0, lt=2**32, description="Seed of the draw of records that are of no release."
    )


class Published(_Split):
    """A split that others published as FASTA files."""

    split: Literal["published"]
    dataset: Name = Field(description="The set that the files are parts of.")
    folds: int | None = Field(
        None, ge=2, description="Number of folds; `{fold}` in a file name stands for 1, 2, …"
    )
    train: SourceRefs = Field(description="FASTA files of the training records.")
    evaluate: SourceRefs = Field(description="FASTA files of the evaluation records.")

    @model_validator(mode="after")
    def _fold_in_names(self) -> Published:
        for place in (*self.train, *self.evaluate):
            if self.folds is not None and "{fold}" not in place:
                raise ValueError(f"there are folds, so {place!r} needs {{fold}} in its name")
        return self


class AcrossDatasets(_Split):
    """Train on the whole of one set, evaluate on the whole of another."""

    split: Literal["across-datasets"]
    train: Name = Field(description="The set that trains.")
    evaluate: Name = Field(description="The set that evaluates.")

    @model_validator(mode="after")
    def _two_sets(self) -> AcrossDatasets:
        if self.train == self.evaluate:
            raise ValueError(f"the set {self.train!r} cannot both train and evaluate")
        return self


AnySplit = (
    KFold | ClusterKFold | FamilyKFold | SpeciesHeldOut | TimeHeldOut | Published | AcrossDatasets
)
Experiment = Annotated[AnySplit, Field(discriminator="split")]


def fold_count(experiment: AnySplit) -> int | None:
    folds: int | None = getattr(experiment, "folds", None)
    return folds
