"""Write and read files of weights that decide which RNAs are pre-miRNAs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mirpair import files
from mirpair.files import InputError
from mirpair.prediction.calibration import Calibration, calibrate
from mirpair.recipes import Model
from mirpair.settings import FALSE_POSITIVES, FalsePositives

if TYPE_CHECKING:
    from mirpair.networks.base import Network

NAME = "pre-mirna.safetensors"
# A network that saw too few short negatives takes every short RNA for a pre-miRNA.
FEWEST = 30


@dataclass(frozen=True, slots=True)
class PreMirnaNetworks:
    """The networks of a file of weights, with all that calibrates their mean score.

    A `mirpair.prediction.predictor.Predictor` uses them with one of the calibrations.

    Attributes
    ----------
    networks
        In double precision: their scores of an RNA do not depend, in any digit that is printed, on
        which RNAs are computed with it.
    candidates, genome
        Calibrations of the score, for candidates like the benchmark's and for hairpins of a genome;
        None for a training that was not calibrated.
    cuts
        For each of `mirpair.settings.FALSE_POSITIVES`, the score that such a share of the hairpins
        of a genome without pre-miRNAs reaches; empty for a training that was not calibrated.
    shortest
        Length from which `candidates` holds, nt: of shorter ones, too few negatives calibrated it.
    longest
        Length up to which RNAs can be scored, nt.
    """

    networks: tuple[Network, ...]
    candidates: Calibration | None
    genome: Calibration | None
    cuts: Mapping[FalsePositives, float]
    shortest: int
    longest: int

    @classmethod
    def uncalibrated(cls, networks: Iterable[Network], longest: int) -> PreMirnaNetworks:
        """Take the networks of trainings, in double precision, without a calibration."""
        doubled = tuple(network.double() for network in networks)
        return cls(doubled, None, None, {}, shortest=1, longest=longest)


def write_networks(
    path: str | Path,
    weights: Sequence[str | Path],
    *,
    held: pd.DataFrame,
    background: pd.DataFrame,
    records: pd.DataFrame,
) -> None:
    """Write the networks of some trainings, and their calibration, into one file.

    Parameters
    ----------
    weights
        Weights of the trainings, all of one kind of network.
    held
        Columns label and score: held-out records, scored by as many networks of this kind.
    background
        Columns label and score: held-out pre-miRNAs as a scan would find them, and hairpins of a
        genome; and column shipped: scores of these hairpins by the networks that are shipped.
    records
        Training set, with labels. RNAs that are longer than all of them are not scored; those that
        are so short that fewer than `FEWEST` negatives are as short are not calibrated by `held`.

    Raises
    ------
    InputError
        If the networks are of different kinds or classify families, if the file would be larger
        than `mirpair.networks.weights.LARGEST`, or if `calibrate` does.
    """
    from mirpair.networks.build import load_weights
    from mirpair.networks.weights import LARGEST, PREDICTOR, write_tensors

    networks = [load_weights(file) for file in weights]
    _check_networks(networks, weights)
    lengths = records["sequence"].str.len().to_numpy()
    # A pre-miRNA in which a scan finds no hairpin has no score to learn from.
    scanned = background.dropna(subset="score")
    described = {
        "model": asdict(networks[0].model),
        "members": len(networks),
        "calibration": asdict(calibrate(held["label"], held["score"])),
        "genome": asdict(calibrate(scanned["label"], scanned["score"])),
        "cuts": {
            name: float(np.quantile(background["shipped"].dropna(), 1 - share))
            for name, share in FALSE_POSITIVES.items()
        },
        "shortest": int(np.sort(lengths[records["label"] == 0])[:FEWEST][-1]),
        "longest": int(lengths.max()),
    }
    tensors = {
        f"{number}.{name}": tensor
        for number, network in enumerate(networks)
        for name, tensor in network.state_dict().items()
    }
    write_tensors(path, PREDICTOR, described, tensors, largest=LARGEST)


def _check_networks(networks: Sequence[Network], paths: Sequence[str | Path]) -> None:
    for network, path in zip(networks, paths, strict=True):
        if network.classes:
            raise InputError(
                f"{path}: this network classifies families, it does not find pre-miRNAs; give "
                "weights from a study of the task `identification`"
            )
        if network.model != networks[0].model:
            raise InputError(f"{path}: this network is of another kind than {paths[0]}")


def shipped_weights() -> Path:
    """Find the file that comes with the package; raise an `InputError` if it is missing."""
    return files.shipped(NAME, "name a file with --weights, or make it: make weights")


def load_networks(path: str | Path | None = None) -> PreMirnaNetworks:
    """Read a file of `write_networks`, or the weights of one training, which are not calibrated.

    None is the file that comes with the package.

    Raises
    ------
    InputError
        If it is something else (a pickle is never opened).
    """
    from mirpair.networks.build import build, load_weights
    from mirpair.networks.weights import PREDICTOR, read_tensors, refuse_kind

    path = path or shipped_weights()
    try:
        kind, described, tensors = read_tensors(path)
        if kind != PREDICTOR:
            refuse_kind(path, kind)
            network = load_weights(path)
            _check_networks([network], [path])
            # 400 nt for a network that was trained without a limit.
            longest = network.model.max_length or 400
            return PreMirnaNetworks.uncalibrated([network], longest)
        model = Model(**described["model"])
        networks = []
        for number in range(described["members"]):
            network = build(model, seed=0)
            names = network.state_dict()
            network.load_state_dict({name: tensors[f"{number}.{name}"] for name in names})
            networks.append(network.double().eval())
        return PreMirnaNetworks(
            networks=tuple(networks),
            candidates=_calibration(described["calibration"]),
            genome=_calibration(described["genome"]),
            cuts={name: float(described["cuts"][name]) for name in FALSE_POSITIVES},
            shortest=int(described["shortest"]),
            longest=int(described["longest"]),
        )
    except InputError:
        raise
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not weights that find pre-miRNAs ({error}); a training of the workflow "
            "writes such a file: results/<study>/runs/…/weights.safetensors"
        ) from error


def _calibration(described: Mapping[str, Any]) -> Calibration:
    logits, odds = (tuple(map(float, described[name])) for name in ("logits", "odds"))
    if len(logits) != len(odds) or list(logits) != sorted(logits):
        raise ValueError("its calibration is not valid")
    return Calibration(logits, odds, float(described["prior"]))
