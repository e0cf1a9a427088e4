"""The sections of a config about trainings: networks, recipes, runs, Figure 3, weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple, Self, cast

from pydantic import Field, model_validator

from mirpair.contracts import BASELINES, USUAL_BASELINES
from mirpair.recipes import MODELS, RECIPES, Model, Recipe, Split
from mirpair.settings import Kingdom
from mirpair.study.base import BaseSeed, BaseStudy, ModelName, Name, RecipeName, Section

Baseline = Literal[
    "mfe-per-length",
    "nearest-8-mer",
    "logistic-regression",
    "random-forest",
    "gradient-boosting",
    "triplet-svm",
]
USUAL = cast(tuple[Baseline, ...], USUAL_BASELINES)
Baselines = Annotated[
    list[Baseline],
    Field(
        description="Methods without a network to compare with: "
        + ", ".join(f"`{name}`" for name in BASELINES)
        + "; gradient boosting also learns from features of the main stem."
    ),
]


class Method(NamedTuple):
    """What a network that is trained by a recipe is called.

    Attributes
    ----------
    label
        In tables and figures; the recipe is named unless it is the paper's.
    reproduces
        Name of the row of the paper's Tables 2–4 that it reproduces; empty if there is none.
    label_beside_published
        In a table that has the published rows too.
    """

    label: str
    reproduces: str
    label_beside_published: str


class _Variant(Section):
    label: str = Field(min_length=1, description="Unique name in tables and figures.")

    def _changes(self) -> dict[str, Any]:
        """Return the keys that the config gives, named as in `mirpair.recipes`."""
        return self.model_dump(exclude_unset=True, exclude_none=True, exclude={"base", "label"})


class ModelVariant(_Variant):
    """A network that differs from a known one in the keys given here; the others are the base's."""

    base: ModelName = Field(description="Known network: " + ", ".join(MODELS) + ".")
    soft: float | None = Field(
        None, ge=0, lt=0.5, description="Soft one-hot encoding {soft, 1 − soft} (known ones: 0)."
    )
    dropout: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Probability of dropout before the fully connected layers, of `alexnet` before "
        "the first two (known ones: 0; `alexnet` 0.5, `stem` and `band` 0.3).",
    )
    pooling: int | None = Field(
        None,
        ge=1,
        le=3,
        description="Number of pooling layers of `variable`: 2 omits the max-pooling, 1 the "
        "sum-pooling too (known ones: 3).",
    )

    def network(self) -> Model:
        """Return the network; it has no row in the paper."""
        return replace(MODELS[self.base], label=self.label, published="", **self._changes())


class RecipeVariant(_Variant):
    """A recipe that differs from a known one in the keys given here; the others are the base's."""

    base: RecipeName = Field(description="Known recipe: " + ", ".join(RECIPES) + ".")
    epochs: int | None = Field(
        None, ge=1, description="Number of passes over the training records (`paper`: 40)."
    )
    batch_size: int | None = Field(
        None, ge=1, description="Number of records per step (`paper`: 64)."
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="Learning rate of the optimiser (`paper`: 0.001).",
    )
    weight_decay: float | None = Field(
        None,
        ge=0,
        description="L2 penalty of the optimiser; `adamw` shrinks the weights instead (`paper`: "
        "0).",
    )
    optimizer: Literal["adagrad", "adam", "adamw"] | None = Field(
        None, description="Optimiser (`paper`: `adagrad`)."
    )
    schedule: Literal["constant", "one-cycle"] | None = Field(
        None,
        description="Learning rate in the course of a training: `constant`, or `one-cycle`, which "
        "rises to `learning_rate` in the first 15 % of all steps and then falls to 0 (`paper`: "
        "`constant`).",
    )
    loss: Literal["sum", "mean", "mean-of-each"] | None = Field(
        None,
        description="Loss of a batch: `sum` is the weighted sum of equation 2, `mean` the weighted "
        "mean, `mean-of-each` the unweighted sum (`paper`: `sum`).",
    )
    positive_weight: float | None = Field(
        None,
        gt=0,
        description="Weight of a positive relative to a negative (`paper`: equation 2's α and β).",
    )
    frozen_norm: bool | None = Field(
        None,
        description="Whether batch normalisation uses the running statistics of epoch 1 from epoch "
        "2 on (`paper`: false).",
    )
    precision: Literal["float32", "float64"] | None = Field(
        None, description="Type of all numbers in the network (`paper`: `float32`)."
    )

    def training(self, network: Model, split: Split) -> tuple[Model, Recipe]:
        """Return a network as this recipe lays it out, and how it is trained."""
        network, base = RECIPES[self.base](network, split)
        return network, replace(base, **self._changes())


def check_variants(
    models: Mapping[str, ModelVariant], recipes: Mapping[str, RecipeVariant]
) -> None:
    """Raise a ValueError, which names the key, if a variant has a taken name or no known base."""
    for section, own, known in (("models", models, MODELS), ("recipes", recipes, RECIPES)):
        for name, variant in own.items():
            if name in known:
                raise ValueError(f"{section}.{name}: this name is taken; choose another one")
            BaseStudy.require_known(f"{section}.{name}", "base", variant.base, known)
    for name, model in models.items():
        base = MODELS[model.base]
        if model.pooling not in (None, 3) and base.architecture != "variable":
            raise ValueError(
                f"models.{name}: pooling layers can be left out of variable-sized networks "
                f"only, and {model.base!r} is not one"
            )


class Runs(Section):
    """Which networks are trained on which experiments, and how."""

    models: list[ModelName] = Field(
        min_length=1,
        description="Networks to train: " + ", ".join(MODELS) + ", or those of `models`.",
    )
    recipe: RecipeName = Field(
        "paper",
        description="How to train them: "
        + ", ".join(f"`{name}`" for name in RECIPES)
        + ", or one of "
        "`recipes`.",
    )
    experiments: list[Name] | None = Field(
        None, min_length=1, description="Experiments to train on; by default all."
    )
    folds: list[int] | None = Field(
        None,
        min_length=1,
        description="Folds of a cross-validation to train on, counted from 1; by default all.",
    )
    seeds: list[BaseSeed] | None = Field(
        None, min_length=1, description="Base seeds; by default those of the study."
    )
    epochs: int | None = Field(
        None,
        ge=1,
        description="Number of passes over the training records; by default the recipe's.",
    )

    @model_validator(mode="after")
    def _rivals_have_their_recipe(self) -> Self:
        own = next((name for name in self.models if name in RECIPES), None)
        if own and "recipe" not in self.model_fields_set:
            raise ValueError(
                f"recipe: {own} has a recipe of its own, and the default is another one; add "
                f"`recipe: {own}`"
            )
        return self


class Average(Section):
    """Several networks whose mean score is a method of its own, in tables of results and kinds."""

    label: str = Field(min_length=1, description="Unique name in tables and figures.")
    models: list[ModelName] = Field(
        min_length=2,
        description="Networks that are averaged, each over its seeds first. The method is in the "
        "tables of experiments on which all of them are trained, with their common folds.",
    )
    recipe: RecipeName = Field("paper", description="How they are trained.")


class Figure3(Section):
    """Trainings that continue beyond their last epoch (the paper's Figure 3)."""

    model: ModelName = Field("variable", description="Network to train.")
    recipe: RecipeName = Field("paper", description="How to train it.")
    epochs: int = Field(80, ge=1, description="Last epoch of the histories.")
    validation: Name = Field(
        description="Cross-validation whose validation metrics are plotted, one panel per fold."
    )
    training: Name | None = Field(
        None,
        description="Experiment whose training metrics are the last panel; by default there is no "
        "such panel.",
    )
    in_report: bool = Field(
        False, description="Whether the report has the figure, so that `all` runs its trainings."
    )


class ShippedNetwork(Section):
    """A kind of network among those that are shipped."""

    model: ModelName = Field(
        "variable", description="Network to train; `runs` must train it on `validation` too."
    )
    recipe: RecipeName = Field("paper", description="How to train it.")
    kingdoms: list[Kingdom] | None = Field(
        None, min_length=1, description="Kingdoms that it is shipped for; by default all."
    )


class ShippedNetworks(Section):
    """The networks of `mirpair predict` and `mirpair scan`."""

    validation: dict[Kingdom, Annotated[list[Name], Field(min_length=1)]] = Field(
        min_length=1,
        description="Experiments for each kingdom (`animals`, `plants`), such as `{animals: "
        "[families]}`, whose training records train the networks, whose validation records "
        "calibrate them, and whose evaluation records measure them. Of several experiments on one "
        "set, each trains networks; an RNA is scored by those for which it validates or evaluates.",
    )
    networks: list[ShippedNetwork] = Field(
        [ShippedNetwork(model="variable", recipe="paper", kingdoms=None)],
        min_length=1,
        description="Networks to ship, each with its recipe; the score is the mean of all.",
    )
    members: int = Field(
        1,
        ge=1,
        description="Number of trainings of each network on each experiment, with the first of "
        "the study's `seeds`.",
    )
    genomes: dict[str, list[Name]] = Field(
        {},
        description="Kinds of genome, as a scan names them, such as `{yeast: [yeast]}`, and the "
        "collections with `source: genome-hairpins` that show how many hairpins a megabase are "
        "called there; by default none.",
    )

    def methods(self, kingdom: Kingdom) -> list[tuple[str, str]]:
        """List model and recipe of each network of a kingdom."""
        return [
            (network.model, network.recipe)
            for network in self.networks
            if network.kingdoms is None or kingdom in network.kingdoms
        ]
