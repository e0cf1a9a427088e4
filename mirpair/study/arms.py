"""The config of a study of the mature arms of pre-miRNAs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mirpair.study.base import BaseStudy, Run, Section, SourceRef, SourceRefs


class ArmsTraining(Section):
    """How the networks are trained, see `mirpair.arms.train.ArmsRecipe`."""

    epochs: int = Field(8, ge=1, description="Number of passes over the training records.")
    batch_size: int = Field(64, ge=1, description="Number of records of a step.")
    learning_rate: float = Field(3e-3, gt=0, description="Highest learning rate of the cycle.")
    weight_decay: float = Field(1e-2, ge=0, description="Weight decay of AdamW.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Probability of dropout.")


class ArmsStudy(BaseStudy):
    """A study of where the mature microRNAs of a pre-miRNA are."""

    task: Literal["arms"] = Field(
        description="Task of the study: where the mature arms of a pre-miRNA begin and end."
    )
    hairpins: SourceRef = Field(
        description="Table of miRBase with the sequences of both arms, as in the package "
        "smallrnaseq."
    )
    members: SourceRef = Field(
        description="Which hairpin belongs to which family: miRBase's miFam.dat, or an ontology "
        "(OBO)."
    )
    mature: SourceRef = Field(
        description="Mature microRNAs of MirGeneDB, which say which hairpins of animals train."
    )
    flanked: SourceRefs = Field(
        [],
        description="Tables of DeepMirCut, of hairpins with their genomic flanks; by default none.",
    )
    kingdoms: list[Literal["animals", "plants"]] = Field(
        ["animals", "plants"], min_length=1, description="Kingdoms, each with networks of its own."
    )
    folds: int = Field(
        5, ge=2, description="Number of folds; each holds out other families and has a network."
    )
    training: ArmsTraining = Field(
        default_factory=ArmsTraining.model_construct, description="How the networks are trained."
    )

    def source_refs(self) -> list[str]:
        """List the files that the config names."""
        return [self.hairpins, self.members, self.mature, *self.flanked]

    def plan(self) -> list[Run]:
        """Return no run: the networks of arms are not among those of tables of experiments."""
        return []
