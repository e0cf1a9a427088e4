"""Records of pre-miRNAs with both mature arms: which train, and how much they weigh."""

from __future__ import annotations

from functools import partial
from zlib import crc32

import numpy as np
import pandas as pd

from mirpair.contracts import FLANKED, HAIRPIN, RELATED, SUPPORTED, TRIMMED
from mirpair.contracts import RECORDS as RNAS
from mirpair.files import read_tsv

# Where the arms are, as slices of the sequence; the name of the hairpin, and what it is.
PLACES = ("start_5p", "end_5p", "start_3p", "end_3p")
RECORDS = {
    **RNAS,
    **dict.fromkeys(("hairpin", "cut"), "str"),
    **dict.fromkeys(PLACES, "int64"),
    **dict.fromkeys(("family", "trust", "kingdom"), "str"),
    "fold": "int64",
}
read_arm_records = partial(read_tsv, columns=RECORDS)
# What a network trains on; the RNAs of DeepMirCut's tables, whole, are for evaluation only.
TRAINED = (HAIRPIN, TRIMMED, FLANKED)


def fold_of(family: str, folds: int, seed: int = 0) -> int:
    """Return the fold in which a family is held out, from 0."""
    return crc32(f"{seed} {family}".encode()) % folds


def trains(records: pd.DataFrame, kingdom: str, fold: int) -> pd.Series:
    """Tell which records train the network of a kingdom that is to find the arms of a fold.

    Of animals, only hairpins that MirGeneDB supports, or others of their families.
    """
    is_sure = records["trust"].isin([SUPPORTED, RELATED]) | (kingdom != "animals")
    is_cut = records["cut"].isin(TRAINED)
    return (records["kingdom"] == kingdom) & (records["fold"] != fold) & is_sure & is_cut


def weights_of(records: pd.DataFrame) -> np.ndarray:
    """Weigh records so that a family counts as the square root of its number of hairpins.

    Large families would decide otherwise: a tenth of all hairpins is of ten families.
    """
    sizes = records.groupby("family")["hairpin"].transform("nunique").to_numpy()
    copies = records.groupby("hairpin")["hairpin"].transform("size").to_numpy()
    weights = 1 / np.sqrt(sizes) / copies
    return np.asarray(weights / weights.mean())
