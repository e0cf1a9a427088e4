"""What the paper varies, as data: which networks there are and how they are trained.

No torch here, so that a config is checked and a plan is made in a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Model:
    """A network that a run can name.

    Attributes
    ----------
    label
        Its name in tables and figures.
    published
        Its name in the paper's Tables 2–4.
    architecture
        Class in `mirpair.models`: ``variable`` (Figure 2A) or ``fixed`` (Figure 2B).
    pairing
        Whether its input has channel 0, the pairing matrix.
    max_length
        The longest RNA that it takes; None is no limit.
    """

    label: str
    published: str
    architecture: Literal["variable", "fixed"]
    pairing: bool = True
    max_length: int | None = None


FIXED_SIDE = 400

# In the order of the paper's rows. "Without pairing matrix" is the variable-sized network with
# eight channels: the paper does not say which of the two it was, this is our choice.
MODELS = {
    "fixed": Model("Fixed-sized", "Proposed fixed-sized", "fixed", max_length=FIXED_SIDE),
    "variable": Model("Variable-sized", "Proposed variable-sized", "variable"),
    "without-pairing": Model(
        "Without pairing matrix", "Without pairing matrix", "variable", pairing=False
    ),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained.

    Attributes
    ----------
    learning_rate
        Of AdaGrad.
    batch_size
        Samples a step. The variable-sized network sees them one by one and adds up their
        gradients (Algorithm 1), the fixed-sized one sees them together (Algorithm 2).
    epochs
        Passes over the training records; a run may say otherwise.
    """

    learning_rate: float
    batch_size: int
    epochs: int


# Do et al. 2018, section 2.2 and Algorithms 1 and 2.
RECIPES = {"paper": Recipe(learning_rate=0.001, batch_size=64, epochs=40)}
