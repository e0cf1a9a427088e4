"""What the papers vary, as data: which networks there are and how they are trained.

No torch here, so that a config is checked and a plan is made in a moment. What a training takes
from here reaches it as a param of its rule, so an edit retrains what it concerns and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Split = Literal["cross-validation", "test", "across-datasets"]
MatrixKind = Literal["pair", "prob", "mixed"]


@dataclass(frozen=True, slots=True)
class Model:
    """A network that a run can name.

    Attributes
    ----------
    label
        Its name in tables and figures.
    architecture
        Which class of `mirpair.networks.do2018` it is.
    published
        Its name in the paper's Tables 2–4; empty if it has no row there.
    pairing
        Whether its input has channel 0, the pairing matrix.
    max_length
        The longest RNA that it takes; None is no limit.
    soft
        One-hot {soft, 1 − soft} in place of {0, 1} for the bases.
    dropout
        Probability, before the fully connected layers (of ``alexnet``: before the first two; of
        ``one-hot``: before the first).
    pooling
        How many of the variable-sized network's three pooling layers there are: 2 is without the
        max-pooling, 1 without the sum-pooling too; the downscaling to 4 × 4 always stays.
    order
        Of the fixed-sized network's layers: as in Figure 2B, or as in the code that the authors
        published (batch normalisation before ReLU and pooling, max-pooling at the end).
    """

    label: str
    architecture: Literal["variable", "fixed", "alexnet", "resnet", MatrixKind, "one-hot"]
    published: str = ""
    pairing: bool = True
    max_length: int | None = None
    soft: float = 0.0
    dropout: float = 0.0
    pooling: Literal[1, 2, 3] = 3
    order: Literal["figure-2", "published-code"] = "figure-2"

    @property
    def needs(self) -> Literal["sequence", "structure", "ensemble"]:
        """What its encoding is made of: the bases alone, the MFE structure, or all base pairs."""
        if self.architecture in ("pair", "prob", "mixed"):
            return "ensemble"
        return "structure" if self.pairing and self.architecture != "one-hot" else "sequence"


FIXED_SIDE = 400
FAMILY_SIDE = 200

# In the order of the paper's rows. "Without pairing matrix" is the variable-sized network with
# eight channels: the paper does not say which of the two it was, this is our choice.
MODELS = {
    "fixed": Model("Fixed-sized", "fixed", "Proposed fixed-sized", max_length=FIXED_SIDE),
    "variable": Model("Variable-sized", "variable", "Proposed variable-sized"),
    "without-pairing": Model(
        "Without pairing matrix", "variable", "Without pairing matrix", pairing=False
    ),
    "alexnet": Model("AlexNet-like", "alexnet", dropout=0.5),
    "resnet": Model("ResNet-like", "resnet"),
}

# Which family a pre-miRNA is of: the encodings of Tang & Sun 2019 with the networks that they gave
# to each, and the variable-sized network, which neither paper tried for that.
FAMILY_MODELS = {
    "pair": Model("Pair", "pair", max_length=FAMILY_SIDE, dropout=0.5),
    "prob": Model("Probability", "prob", max_length=FAMILY_SIDE, dropout=0.5),
    "mixed": Model("Mixed", "mixed", max_length=FAMILY_SIDE, dropout=0.5),
    "one-hot": Model("One-hot", "one-hot", max_length=FAMILY_SIDE, dropout=0.5),
    "variable": MODELS["variable"],
    "without-pairing": MODELS["without-pairing"],
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained on one kind of experiment.

    Attributes
    ----------
    epochs
        Passes over the training records; a run may say otherwise.
    batch_size
        Samples a step.
    learning_rate, weight_decay
        Of the optimiser; the decay is that of an L2 penalty.
    optimizer
        AdaGrad or Adam, with PyTorch's other defaults.
    loss
        What a step minimises. ``"sum"``: equation 2, the plain sum over the batch of weight ×
        −log ŷ. ``"mean"``: that sum divided by the sum of the weights. ``"mean-of-each"``: the
        sum over samples of the weighted mean of each alone, in which its weight cancels, as when
        samples are seen one by one and their gradients added up.
    positive_weight
        Weight of a positive where a negative has 1; None takes α and β of equation 2.
    frozen_norm
        Whether batch normalisation uses the running statistics of epoch 1 from epoch 2 on. Its
        weight and bias train on.
    precision
        Of all numbers in the network.
    """

    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 0.001
    weight_decay: float = 0.0
    optimizer: Literal["adagrad", "adam"] = "adagrad"
    loss: Literal["sum", "mean", "mean-of-each"] = "sum"
    positive_weight: float | None = None
    frozen_norm: bool = False
    precision: Literal["float32", "float64"] = "float32"


def _paper(model: Model, split: Split) -> tuple[Model, Recipe]:
    """Do et al. 2018, section 2.2 and Algorithms 1 and 2: the same everywhere."""
    return model, Recipe()


def _published_code(model: Model, split: Split) -> tuple[Model, Recipe]:
    """What the runs behind the published numbers did, by the code that its authors published.

    It differs from the paper in the order of the fixed-sized network's layers, the loss, the
    learning rate, the weight decay, the batch, the epochs and the batch normalisation.
    """
    if model.architecture == "fixed":
        return replace(model, order="published-code"), Recipe(
            epochs={"cross-validation": 10, "test": 40, "across-datasets": 80}[split],
            batch_size=64,
            learning_rate=0.01,
            weight_decay=1e-5 if split == "test" else 0.0,
            loss="mean",
            positive_weight=4.0,
            frozen_norm=True,
        )
    # Networks of variable size see one sample at a time.
    return model, Recipe(
        epochs={"cross-validation": 30, "test": 40, "across-datasets": 80}[split],
        batch_size=128,
        loss="mean-of-each",
        positive_weight=4.0,
    )


# Name to what it makes of a network for a kind of experiment: the network itself, which a recipe
# may lay out in another order, and how it is trained.
RECIPES: dict[str, Callable[[Model, Split], tuple[Model, Recipe]]] = {
    "paper": _paper,
    "published-code": _published_code,
}


def _tang_sun(model: Model) -> tuple[Model, Recipe]:
    """Tang & Sun 2019; of the variable-sized network, which is not theirs, in their manner."""
    batch_size = 32 if model.needs == "ensemble" else 64
    return model, Recipe(
        epochs=20, batch_size=batch_size, learning_rate=0.001, optimizer="adam", loss="mean"
    )


# As `RECIPES`, of networks that tell families apart.
FAMILY_RECIPES: dict[str, Callable[[Model], tuple[Model, Recipe]]] = {"tang-sun": _tang_sun}
