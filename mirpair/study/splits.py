"""The section `experiments` of a config: which records train, and which evaluate."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mirpair.study.base import FamilyFile, Name, Section, Seed, SourceRef, SourceRefs

Folds = Annotated[int, Field(ge=2, description="Number of folds.")]


class _Split(Section):
    identity: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Lowest sequence identity to a training record at which an evaluation record "
        "is left out (1: copies only); by default none is left out.",
    )
    copies: Literal["refuse", "keep"] = Field(
        "refuse",
        description="What to do with a sequence in both the training and the evaluation set: "
        "`refuse` stops, `keep` allows it, "
        "as in the splits that the paper published.",
    )


class Drawn(_Split):
    """A cross-validation whose folds are assigned at random."""

    dataset: Name = Field(description="Set to split.")
    folds: Folds = 5

    def drawing(self) -> dict[str, Any]:
        """Return the values that `mirpair.identification.folds.assign_folds` takes."""
        return self.model_dump(include={"split", "folds", "seed"})


class KFold(Drawn):
    """Stratified k-fold cross-validation of one set."""

    split: Literal["k-fold"] = Field(description="Kind of split.")
    seed: Seed = Field(0, description="Seed of the shuffle before the split.")


class ClusterKFold(Drawn):
    """K-fold cross-validation in which no evaluation record is similar to a training record."""

    split: Literal["cluster-k-fold"] = Field(description="Kind of split.")
    identity: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Lowest sequence identity at which RNAs belong to one cluster, and at which "
        "an evaluation record that is still similar to a training record is left out.",
    )
    seed: Seed = Field(0, description="Seed of the random choice of clusters.")

    def drawing(self) -> dict[str, Any]:
        """Return the same values, and the identity within a cluster."""
        return super().drawing() | {"identity": self.identity}


class FamilyKFold(Drawn):
    """K-fold cross-validation in which each family is in one fold."""

    split: Literal["family-k-fold"] = Field(description="Kind of split.")
    seed: Seed = Field(0, description="Seed of the random choice of families.")


class SpeciesHeldOut(_Split):
    """Train on some species, evaluate on others."""

    split: Literal["species"] = Field(description="Kind of split.")
    dataset: Name = Field(description="Set to split; its positives are collections.")
    evaluate: list[str] = Field(
        min_length=1,
        description="Species whose records evaluate, as names of hairpins begin (`hsa`); all "
        "others train.",
    )
    seed: Seed = Field(0, description="Seed of the random choice of records without a species.")


class TimeHeldOut(_Split):
    """Train on the hairpins of an older release, evaluate on those that are new since."""

    split: Literal["time"] = Field(description="Kind of split.")
    dataset: Name = Field(description="Set to split; its positives are collections.")
    older: SourceRef = Field(
        description="Hairpins of the older release; positives with their accessions train, new "
        "ones evaluate."
    )
    seed: Seed = Field(0, description="Seed of the random choice of records without an accession.")


class FamiliesHeldOut(_Split):
    """Train on some families, validate on others, evaluate on those of a list."""

    split: Literal["families"] = Field(description="Kind of split.")
    dataset: Name = Field(description="Set to split; its positives are collections.")
    families: FamilyFile = Field(
        description="Text file with one family per line, in any case; all RNAs of these families "
        "evaluate. Lines that begin with `#` are comments."
    )
    validation: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the other families whose RNAs validate: a training scores them after "
        "each epoch, and the evaluation records only at its end; 0 for none.",
    )
    train: list[SourceRef] = Field(
        [], description="Collections of the set whose RNAs only train; by default none."
    )
    validate_: list[SourceRef] = Field(
        [],
        alias="validate",
        description="Collections of the set whose RNAs only validate; by default none.",
    )
    evaluate: list[SourceRef] = Field(
        [], description="Collections of the set whose RNAs only evaluate; by default none."
    )
    seed: Seed = Field(
        0,
        description="Seed of the random choice of families, and of records without a family.",
    )

    def reserved(self) -> dict[str, list[str]]:
        """Map each role to the collections whose RNAs have only this role."""
        return {"train": self.train, "validate": self.validate_, "evaluate": self.evaluate}

    @model_validator(mode="after")
    def _one_role_each(self) -> FamiliesHeldOut:
        named = [ref for refs in self.reserved().values() for ref in refs]
        if twice := [ref for ref in named if named.count(ref) > 1]:
            raise ValueError(f"{twice[0]!r} is named twice in `train`, `validate` and `evaluate`")
        return self


class Published(_Split):
    """A split that others published, or your own, as files with the records of each side."""

    split: Literal["published"] = Field(description="Kind of split.")
    dataset: Name = Field(description="Set whose records the files list.")
    folds: Folds | None = Field(
        None,
        description="Number of folds; `{fold}` in a file name stands for 1, 2, …; by default there "
        "is one split without folds.",
    )
    train: SourceRefs | None = Field(
        None,
        description="Files of the training records: FASTA, or text with one id per line; by "
        "default all records train that do not evaluate.",
    )
    evaluate: SourceRefs = Field(
        description="Files of the evaluation records: FASTA, or text with one id per line."
    )

    @model_validator(mode="after")
    def _fold_in_names(self) -> Published:
        for ref in (*(self.train or []), *self.evaluate):
            if self.folds is not None and "{fold}" not in ref:
                raise ValueError(f"there are folds, so {ref!r} needs {{fold}} in its name")
        return self


class AcrossDatasets(_Split):
    """Train on all records of one set, evaluate on all records of another."""

    split: Literal["across-datasets"] = Field(description="Kind of split.")
    train: Name = Field(description="Set whose records train.")
    evaluate: Name = Field(description="Set whose records evaluate.")

    @model_validator(mode="after")
    def _two_sets(self) -> AcrossDatasets:
        if self.train == self.evaluate:
            raise ValueError(f"the set {self.train!r} cannot both train and evaluate")
        return self


AnySplit = (
    KFold
    | ClusterKFold
    | FamilyKFold
    | FamiliesHeldOut
    | SpeciesHeldOut
    | TimeHeldOut
    | Published
    | AcrossDatasets
)
Experiment = Annotated[AnySplit, Field(discriminator="split")]


def fold_count(experiment: AnySplit) -> int | None:
    """Return the number of folds of an experiment; None if it has none."""
    folds: int | None = getattr(experiment, "folds", None)
    return folds


def has_validation(experiment: AnySplit) -> bool:
    """Tell whether an experiment has validation records beside those that evaluate."""
    return isinstance(experiment, FamiliesHeldOut) and bool(
        experiment.validation or experiment.validate_
    )


def complete_sets(experiment: AnySplit) -> list[str]:
    """List the sets of an experiment all of whose records train or evaluate."""
    match experiment:
        case Drawn():
            return [experiment.dataset]
        case Published():
            return []
        case AcrossDatasets(identity=None):
            return [experiment.train, experiment.evaluate]
        case AcrossDatasets():
            return [experiment.train]
    # With `identity`, near-copies are left out.
    return [] if experiment.identity else datasets_of(experiment)


def datasets_of(experiment: AnySplit) -> list[str]:
    """List the sets that an experiment takes its records from."""
    if isinstance(experiment, AcrossDatasets):
        return [experiment.train, experiment.evaluate]
    return [experiment.dataset]
