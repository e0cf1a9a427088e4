"""The sections of a config about what is trained: networks, recipes, runs, Figure 3, weights."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from mirpair.recipes import MODELS, RECIPES
from mirpair.study.base import ModelName, Name, RecipeName, Section


class _Variant(Section):
    label: str = Field(min_length=1, description="Its name in tables and figures.")

    def given(self) -> dict[str, Any]:
        """What it says, by the names of `mirpair.recipes`; the rest is the base's."""
        said = self.model_dump(exclude_unset=True, exclude={"base", "label"})
        return {key: value for key, value in said.items() if value is not None}


class ModelVariant(_Variant):
    """A network that differs from a known one in what is given here."""

    base: ModelName = Field(description="The known network: " + ", ".join(MODELS) + ".")
    soft: float | None = Field(
        None, ge=0, lt=0.5, description="One-hot {soft, 1 - soft} in place of {0, 1}."
    )
    dropout: float | None = Field(
        None, ge=0, lt=1, description="Probability of dropout before the fully connected layers."
    )
    pooling: Literal[1, 2, 3] | None = Field(
        None,
        description="How many of the variable-sized network's pooling layers there are: 2 is "
        "without the max-pooling, 1 without the sum-pooling too.",
    )


class RecipeVariant(_Variant):
    """A recipe that differs from a known one in what is given here."""

    base: RecipeName = Field(description="The known recipe: " + ", ".join(RECIPES) + ".")
    epochs: int | None = Field(None, ge=1, description="Passes over the training records.")
    batch_size: int | None = Field(None, ge=1, description="Samples a step.")
    learning_rate: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Of the optimiser."
    )
    weight_decay: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="L2 penalty, of the optimiser."
    )
    optimizer: Literal["adagrad", "adam"] | None = Field(None, description="Which optimiser.")
    loss: Literal["sum", "mean", "mean-of-each"] | None = Field(
        None, description="Weighted sum over a batch, weighted mean, or each sample's own mean."
    )
    positive_weight: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Weight of a positive where a negative has 1.",
    )
    frozen_norm: bool | None = Field(
        None, description="Whether batch normalisation keeps epoch 1's running statistics."
    )
    precision: Literal["float32", "float64"] | None = Field(
        None, description="Of all numbers in the network."
    )


class ShippedNetwork(Section):
    """The network that `mirpair predict` and `mirpair scan` are given."""

    validation: Name = Field(
        description="The cross-validation whose held-out scores calibrate; the network itself is "
        "trained on all records of its set."
    )
    model: ModelName = Field("variable", description="Which network.")
    recipe: RecipeName = Field("paper", description="How it is trained.")
    members: int = Field(
        1, ge=1, description="Of how many seeds, the first of `seeds`, it is the ensemble."
    )


class Figure3(Section):
    """What happens after the last epoch, the paper's Figure 3: trainings that are watched on."""

    model: ModelName = Field("variable", description="Which network.")
    recipe: RecipeName = Field("paper", description="How it is trained.")
    epochs: int = Field(80, ge=1, description="Up to which epoch the histories go.")
    validation: Name = Field(
        description="The cross-validation whose validation metrics are drawn, a panel a fold."
    )
    training: Name | None = Field(
        None, description="The experiment whose training metrics are the last panel."
    )
    in_report: bool = Field(
        False, description="Whether the report has it, so that `all` trains for it."
    )


class Runs(Section):
    """Which networks are trained on which experiments, and how."""

    models: list[ModelName] = Field(
        min_length=1, description="Networks: " + ", ".join(MODELS) + ", or those of `models`."
    )
    recipe: RecipeName = Field(
        "paper", description="How they are trained: paper, published-code, or one of `recipes`."
    )
    experiments: list[Name] | None = Field(
        None, min_length=1, description="On which experiments; all, if it is left out."
    )
    folds: list[int] | None = Field(
        None, min_length=1, description="Which folds of a cross-validation; all, if it is left out."
    )
    epochs: int | None = Field(
        None, ge=1, description="Passes over the training records; the recipe's, if left out."
    )
