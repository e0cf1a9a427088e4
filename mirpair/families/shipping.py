"""Write the weights that `mirpair annotate` uses, from a training of a study of families."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from mirpair import files
from mirpair.contracts import TRAIN
from mirpair.families.annotation import DIRECTIONS, RECORDS, THRESHOLDS, models_beside
from mirpair.families.covariance import SURE
from mirpair.families.family_calls import (
    NETWORK_SCORES,
    nearest_cosine,
    network_calls,
    outlier_kinds,
    rejection,
)
from mirpair.files import InputError
from mirpair.networks.build import load_weights
from mirpair.networks.weights import ANNOTATOR, LARGEST, write_tensors


def ship(
    path: str | Path,
    *,
    weights: str | Path,
    outputs: Mapping[str, npt.NDArray[Any]],
    experiment: pd.DataFrame,
    known: pd.DataFrame,
    queries: pd.DataFrame,
    score: str,
    max_length: int,
    families: pd.DataFrame,
    models: Mapping[str, str] | None = None,
    by_models: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Write the file of weights for `mirpair.families.annotation.load`, and models beside it.

    Parameters
    ----------
    weights, outputs
        Of the training: its file, and its arrays ids, classes, logits and features.
    experiment, known, queries
        Of the experiment: roles, RNAs to know (`mirpair.families.records.known_rnas`), and nearest
        training records.
    score
        One of `mirpair.families.family_calls.NETWORK_SCORES`.
    max_length
        Maximum length of the study's records, in nt.
    families
        Their accessions (`mirpair.contracts.FAMILIES`).
    models, by_models
        Covariance models of the families, and the calls by those of the training records that this
        network proposes
        (`mirpair.families.by_models.call_by_models`, with ids); or neither.

    Returns
    -------
    DataFrame
        The calls by which the shipped file decides, on whose scores its thresholds are chosen:
        `by_models`, or `mirpair.families.family_calls.network_calls` with the rounded features that
        are shipped.

    Raises
    ------
    InputError
        If the score does not exist, the experiment has no outliers, or the file would be larger
        than `mirpair.networks.weights.LARGEST` bytes.
    """
    if score not in NETWORK_SCORES:
        raise InputError(
            f"shipped.score: {score!r} is not a score of a network; choose one of "
            f"{', '.join(NETWORK_SCORES)}"
        )
    if not outlier_kinds(queries):
        raise InputError(
            "the shipped experiment has no records outside the trained families, but they choose "
            "the threshold: set its `outliers`, or ship another experiment"
        )
    network = load_weights(weights)
    ids = outputs["ids"].tolist()
    roles = experiment.set_index("id").loc[ids, "role"].to_numpy()
    trains = roles == TRAIN
    features = outputs["features"]
    directions = _rounded(features[trains])
    calls = network_calls(ids, roles, outputs["logits"], features, outputs["classes"].tolist())
    calls["distance"] = nearest_cosine(features[~trains], directions.astype(np.float32))
    overall = rejection(queries, calls, score).to_dict("records")[-1]  # row "all kinds"
    rows = known[["id", "family", "sequence"]]
    text = rows.to_csv(sep="\t", header=False, index=False, lineterminator="\n")
    packed = bytearray(lzma.compress(text.encode()))
    described = {
        "model": asdict(network.model),
        "classes": network.classes,
        "score": score,
        "thresholds": {name: float(overall[column]) for name, column in THRESHOLDS.items()},
        "max_length": max_length,
        "accessions": {
            name: text
            for name, text in zip(families["family"], families["accessions"], strict=True)
            if name in set(known["family"])
        },
    }
    packed_models = b""
    if models is not None and by_models is not None:
        by_bits = rejection(queries, by_models, "bits").to_dict("records")[-1]
        bits = {name: float(by_bits[column]) for name, column in THRESHOLDS.items()}
        if bits["5%"] > SURE:
            raise InputError(
                f"a threshold of {bits['5%']:.1f} bits is higher than the {SURE:.0f} from which on "
                "a profile HMM decides, so they cannot be compared: the outliers of this study are "
                "too similar to its families"
            )
        # Youden's point is the lowest score of a known RNA, and may be far above all outliers.
        bits["youden"] = min(bits["youden"], SURE)
        described["bits"] = bits
        packed_models = lzma.compress("".join(models.values()).encode("ascii"))
        if len(packed_models) > LARGEST:
            raise InputError(
                f"{models_beside(path)}: would have {len(packed_models) / 1e6:.1f} MB; files that "
                f"ship may have at most {LARGEST / 1e6:.0f}: train fewer families (`at_least`)"
            )
        described["models"] = hashlib.sha256(packed_models).hexdigest()
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    tensors[DIRECTIONS] = torch.from_numpy(directions if score == "distance" else directions[:0])
    tensors[RECORDS] = torch.frombuffer(packed, dtype=torch.uint8)
    write_tensors(path, ANNOTATOR, described, tensors, largest=LARGEST)
    if "models" in described:
        with files.atomic(models_beside(path)) as temporary:
            temporary.write_bytes(packed_models)
    return calls if by_models is None else by_models


def _rounded(features: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Round features to int8, rescaled, as `nearest_cosine` ignores their lengths."""
    largest = np.abs(features).max(axis=1, keepdims=True)
    return np.rint(127 * features / np.where(largest, largest, 1)).astype(np.int8)
