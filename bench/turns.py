"""When the validation loss is lowest, in trainings that continue to epoch 80 (Figure 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd


def histories(folder: Path) -> dict[tuple[str, int], list[pd.DataFrame]]:
    """Read the trainings of 80 epochs that a folder has, fold by fold, for each recipe and seed."""
    found: dict[tuple[str, int], list[pd.DataFrame]] = {}
    for path in sorted(folder.glob("watched/human-cv*/variable/*/seed*/history.tsv")):
        recipe, seed = path.parts[-3], int(path.parts[-2].removeprefix("seed"))
        history = pd.read_csv(path, sep="\t").set_index("epoch")
        found.setdefault((recipe, seed), []).append(history)
    return found


def turns(long: Mapping[tuple[str, int], Sequence[pd.DataFrame]]) -> list[dict[str, Any]]:
    """Find the epoch of the lowest validation loss, and how much higher it is after epoch 40."""
    return [
        {
            "recipe": recipe,
            "seed": seed,
            "epochs": [int(it["evaluate loss"].idxmin()) for it in folds],
            "ratios": [it.loc[40, "evaluate loss"] / it["evaluate loss"].min() for it in folds],
        }
        for (recipe, seed), folds in long.items()
    ]
