"""The networks and how they are trained, as data.

This module does not import torch, so that checking a config and planning stay fast. A training
gets its values from here as a param of its rule, so an edit retrains only the runs that it affects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Split = Literal["cross-validation", "test", "across-datasets"]
MatrixKind = Literal["pair", "prob", "mixed"]


@dataclass(frozen=True, slots=True)
class Model:
    """A network and its layout.

    Attributes
    ----------
    label
        Name in tables and figures.
    architecture
        The network in `mirpair.networks.do2018`, `mirpair.networks.tang2019`,
        `mirpair.networks.stem`, `mirpair.networks.band`, `mirpair.networks.deepmirgene` or
        `mirpair.networks.joined`.
    published
        Name in the paper's Tables 2–4; empty if it has no row there.
    pairing
        Whether the input has channel 0, the pairing matrix.
    max_length
        Length of the longest RNA that it accepts, in nt; None means no limit.
    soft
        Encode the bases as {soft, 1 − soft} instead of one-hot {0, 1}.
    dropout
        Probability, before the fully connected layers (``alexnet``: before the first two;
        ``one-hot``: before the first).
    pooling
        Number of the variable-sized network's pooling layers, of three: 2 drops the max-pooling, 1
        also the sum-pooling; the downscaling to 4 × 4 always remains.
    order
        Order of the fixed-sized network's layers: as in Figure 2B, or as in the authors' published
        code (batch normalisation before ReLU and pooling, max-pooling at the end).
    """

    label: str
    architecture: Literal[
        "variable",
        "fixed",
        "alexnet",
        "resnet",
        "stem",
        "band",
        "deepmirgene",
        MatrixKind,
        "one-hot",
        "joined",
    ]
    published: str = ""
    pairing: bool = True
    max_length: int | None = None
    soft: float = 0.0
    dropout: float = 0.0
    pooling: Literal[1, 2, 3] = 3
    order: Literal["figure-2", "published-code"] = "figure-2"

    @property
    def needs(self) -> Literal["sequence", "structure", "ensemble"]:
        """What to encode: the bases only, the MFE structure, or all base-pair probabilities."""
        if self.architecture in ("pair", "prob", "mixed"):
            return "ensemble"
        return "structure" if self.pairing and self.architecture != "one-hot" else "sequence"


# In the order of the paper's rows. "Without pairing matrix" is the variable-sized network with
# eight channels; the paper does not say which network it was, so this is our choice.
MODELS = {
    "fixed": Model("Fixed-sized", "fixed", "Proposed fixed-sized", max_length=400),
    "variable": Model("Variable-sized", "variable", "Proposed variable-sized"),
    "without-pairing": Model(
        "Without pairing matrix", "variable", "Without pairing matrix", pairing=False
    ),
    "alexnet": Model("AlexNet-like", "alexnet", dropout=0.5),
    "resnet": Model("ResNet-like", "resnet"),
    # Not of the paper: the duplex of each hairpin, for RNAs from anywhere.
    "stem": Model("Stem", "stem", dropout=0.3),
    # The same around the stem's line in the pairing matrix, to compare.
    "band": Model("Band", "band", dropout=0.3),
    # The rival that the paper reran; its row there has the numbers of its authors' own logs.
    "deepmirgene": Model(
        "deepMiRGene", "deepmirgene", "deepMiRGene, its own logs", max_length=400, dropout=0.1
    ),
}

# Networks that classify families: the encodings of Tang & Sun 2019, each with its own network; the
# variable-sized network, which neither paper tried for families; and the duplex, alone and with the
# sequence.
FAMILY_MODELS = {
    "pair": Model("Pair", "pair", max_length=200, dropout=0.5),
    "prob": Model("Probability", "prob", max_length=200, dropout=0.5),
    "mixed": Model("Mixed", "mixed", max_length=200, dropout=0.5),
    "one-hot": Model("One-hot", "one-hot", max_length=200, dropout=0.5),
    "variable": MODELS["variable"],
    "without-pairing": MODELS["without-pairing"],
    "stem": MODELS["stem"],
    "joined": Model("Sequence and stem", "joined", max_length=200, dropout=0.5),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained on one kind of experiment.

    Attributes
    ----------
    epochs
        Passes over the training records; a run may override it.
    batch_size
        Samples per step.
    learning_rate, weight_decay
        Of the optimiser; the weight decay is an L2 penalty.
    optimizer
        AdaGrad, Adam or AdamW (whose weight decay is no L2 penalty, but shrinks the weights), with
        PyTorch's other defaults.
    schedule
        ``"one-cycle"``: the learning rate rises to `learning_rate` in the first 15 % of all steps
        and falls to 0 in the others, both along a cosine.
    loss
        ``"sum"``: equation 2, the sum of weight × −log ŷ over the batch. ``"mean"``: that sum
        divided by the sum of the weights. ``"mean-of-each"``: the sum over samples of each one's
        weighted mean, in which its weight cancels, as when samples pass one by one and their
        gradients are added.
    positive_weight
        Weight of a positive; a negative has 1. None uses α and β of equation 2.
    frozen_norm
        Whether batch normalisation keeps using the running statistics of epoch 1 from epoch 2 on.
        Its weight and bias are still trained.
    precision
        Number format of all weights and activations.
    """

    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 0.001
    weight_decay: float = 0.0
    optimizer: Literal["adagrad", "adam", "adamw"] = "adagrad"
    schedule: Literal["constant", "one-cycle"] = "constant"
    loss: Literal["sum", "mean", "mean-of-each"] = "sum"
    positive_weight: float | None = None
    frozen_norm: bool = False
    precision: Literal["float32", "float64"] = "float32"


def _paper(model: Model, split: Split) -> tuple[Model, Recipe]:
    """Return the settings of Do et al. 2018, section 2.2 and Algorithms 1 and 2."""
    return model, Recipe()


def _published_code(model: Model, split: Split) -> tuple[Model, Recipe]:
    """Return the settings behind the published numbers, from the authors' published code and logs.

    They differ from the paper in the order of the fixed-sized network's layers, the loss, the
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
    # In that code, networks of variable size process one sample at a time.
    return model, Recipe(
        epochs={"cross-validation": 30, "test": 40, "across-datasets": 80}[split],
        batch_size=128,
        loss="mean-of-each",
        positive_weight=4.0,
    )


def _finder(model: Model, split: Split) -> tuple[Model, Recipe]:
    """Return our settings for many and various RNAs, see docs/finder.md."""
    return model, Recipe(
        epochs=3,
        batch_size=256,
        learning_rate=0.003,
        weight_decay=0.02,
        optimizer="adamw",
        schedule="one-cycle",
        loss="mean",
        # A negative counts as much as a positive: the highest-scoring ones decide about a scan.
        positive_weight=1.0,
    )


def _deepmirgene(model: Model, split: Split) -> tuple[Model, Recipe]:
    """Return the settings of deepMiRGene's published code (Park et al. 2017).

    It asks for weights of the classes, but its Keras ignores them (docs/method.md).
    """
    return model, Recipe(
        epochs={"cross-validation": 300, "test": 300, "across-datasets": 100}[split],
        batch_size=256,
        optimizer="adam",
        loss="mean",
        positive_weight=1.0,
    )


# Name to a function of a network and a kind of experiment. It returns the network, whose layers a
# recipe may reorder, and how to train it.
RECIPES: dict[str, Callable[[Model, Split], tuple[Model, Recipe]]] = {
    "paper": _paper,
    "published-code": _published_code,
    "finder": _finder,
    "deepmirgene": _deepmirgene,
}


def _tang_sun(model: Model) -> tuple[Model, Recipe]:
    """Return the settings of Tang & Sun 2019, which the variable-sized network gets too."""
    batch_size = 32 if model.needs == "ensemble" else 64
    return model, Recipe(
        epochs=20, batch_size=batch_size, learning_rate=0.001, optimizer="adam", loss="mean"
    )


# As `RECIPES`, for networks that classify families.
FAMILY_RECIPES: dict[str, Callable[[Model], tuple[Model, Recipe]]] = {"tang-sun": _tang_sun}
