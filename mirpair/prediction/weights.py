"""Write and read files of weights that decide which RNAs are pre-miRNAs."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from mirpair import files
from mirpair.files import InputError
from mirpair.prediction.calibration import Calibration
from mirpair.recipes import Model
from mirpair.settings import (
    FALSE_POSITIVES,
    LONGEST_SPAN,
    SHORTEST,
    FalsePositives,
    Kingdom,
    Rate,
)

if TYPE_CHECKING:
    from torch import Tensor

    from mirpair.networks.base import Network

NAME = "pre-mirna.safetensors"
# Weights that come with the package, by the name that `--weights` takes in place of a path.
NAMED = {"benchmark": "benchmark.safetensors"}
# Architectures that are faster one RNA at a time in single precision than in batches in double
# precision, see `mirpair.prediction.predictor`.
SINGLE = frozenset({"stem"})
_WHERE = "a training of the workflow writes such a file: results/<study>/runs/…/weights.safetensors"


# Of a 95 % interval.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class GenomeRate:
    """False calls in one kind of genome, at one threshold.

    Attributes
    ----------
    genome
        The kind of genome: "the human chromosome X".
    hairpins
        Number of hairpins that a scan finds in a megabase of it, on both strands.
    scored
        Number of these hairpins that were scored.
    calls
        Number of hairpins in a megabase, on both strands, that reach the threshold.
    """

    genome: str
    hairpins: float
    scored: int
    calls: float

    def __str__(self) -> str:
        """Say how many calls to expect, with the 95 % interval of what was measured."""
        if not self.calls:
            # None of n was called: the 95 % limit is three of n.
            return f"fewer than {rounded(3 * self.hairpins / self.scored)} in {self.genome}"
        low, high = map(rounded, self.interval)
        return f"about {rounded(self.calls)} ({low} to {high}) in {self.genome}"

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the calls (Wilson 1927): few of the scored hairpins were called."""
        share = self.calls / self.hairpins
        middle = share + _Z**2 / (2 * self.scored)
        half = _Z * math.sqrt(share * (1 - share) / self.scored + (_Z / (2 * self.scored)) ** 2)
        scale = self.hairpins / (1 + _Z**2 / self.scored)
        return max(0.0, (middle - half) * scale), (middle + half) * scale


def rounded(calls: float) -> str:
    """Write a rate of calls with two digits and no exponent; none is measured more precisely."""
    return f"{float(f'{calls:.2g}'):,g}"


@dataclass(frozen=True, slots=True)
class GenomeCurve:
    """How many hairpins of one kind of genome, without known pre-miRNAs, reach a score.

    Attributes
    ----------
    genome
        As in `GenomeRate`.
    scores, calls
        (K,), ascending scores of hairpins, and how many hairpins in a megabase, on both strands,
        reach each.
    """

    genome: str
    scores: tuple[float, ...]
    calls: tuple[float, ...]

    def calls_from(self, score: float) -> float:
        """Estimate how many hairpins in a megabase reach a score.

        It is the number of those that reach the nearest measured score below. A score above all of
        them counts as the highest one, and one below all as the lowest one.
        """
        return self.calls[max(bisect_right(self.scores, score) - 1, 0)]


@dataclass(frozen=True, slots=True)
class StemLimits:
    """Which stems of a genome a scan folds; by default all.

    Attributes
    ----------
    energy
        Highest energy, kcal/mol, after `mirpair.hairpins.stems.PER_BASE` is added for each base.
    score
        Lowest score that the first network gives a stem in the structure in which it is found.
    """

    energy: float = math.inf
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class PreMirnaNetworks:
    """The networks of a file of weights for one kingdom, with all that calibrates their mean score.

    A `mirpair.prediction.predictor.Predictor` uses them with one of the calibrations.

    Attributes
    ----------
    networks
        The mean of their scores is the score. The score of an RNA does not depend, in any digit
        that is printed, on which RNAs are computed with it, see
        `mirpair.prediction.predictor.score_molecules`.
    candidates, genome
        Calibrations of the score, for candidates and for hairpins of a genome; None if it was not
        calibrated for them.
    cuts
        Of `mirpair.settings.FALSE_POSITIVES`, those that could be measured: the score that such a
        share of the hairpins of genomes without pre-miRNAs reaches. Empty if `genome` is None.
    rates
        For each of `cuts`, the calls to expect in kinds of genome; empty if it is not known.
    curves
        For kinds of genome, the false calls at each score; empty if it is not known.
    stems
        For each of `cuts`, the stems that a scan folds; empty if it folds all.
    shortest, longest
        Lengths from and up to which RNAs can be scored, nt.
    candidates_from
        Length from which `candidates` holds, nt; `genome` holds for shorter ones. Files of weights
        of the benchmark have too few short negatives; others calibrate all lengths alike.
    """

    networks: tuple[Network, ...]
    candidates: Calibration | None = None
    genome: Calibration | None = None
    cuts: Mapping[FalsePositives, float] = field(default_factory=dict)
    rates: Mapping[FalsePositives, Sequence[GenomeRate]] = field(default_factory=dict)
    curves: Sequence[GenomeCurve] = ()
    stems: Mapping[FalsePositives, StemLimits] = field(default_factory=dict)
    shortest: int = 1
    longest: int = LONGEST_SPAN
    candidates_from: int = 1

    @classmethod
    def uncalibrated(cls, networks: Iterable[Network], longest: int) -> PreMirnaNetworks:
        """Take the networks of trainings, without a calibration."""
        return cls(tuple(map(_ready, networks)), longest=longest)


def _ready(network: Network) -> Network:
    """Put a network into the precision in which it scores."""
    is_single = network.model.architecture in SINGLE
    return (network.float() if is_single else network.double()).eval()


@dataclass(frozen=True, slots=True)
class KingdomWeights:
    """What `write_networks` writes for one kingdom.

    Attributes
    ----------
    weights
        Weights of the trainings whose mean is the score; they may be of different networks.
    candidates, genome, cuts, rates, curves, stems
        As in `PreMirnaNetworks`.
    """

    weights: Sequence[str | Path]
    candidates: Calibration
    genome: Calibration | None
    cuts: Mapping[FalsePositives, float]
    rates: Mapping[FalsePositives, Sequence[GenomeRate]]
    curves: Sequence[GenomeCurve]
    stems: Mapping[FalsePositives, StemLimits]


def write_networks(path: str | Path, kingdoms: Mapping[Kingdom, KingdomWeights]) -> None:
    """Write the networks of some trainings, and their calibrations, into one file.

    It is an `InputError` if a network classifies families or takes no RNAs of some of the lengths
    from `mirpair.settings.SHORTEST` to `LONGEST_SPAN`, or if the file would be larger than
    `mirpair.networks.weights.LARGEST`.
    """
    from mirpair.networks.build import load_weights
    from mirpair.networks.weights import LARGEST, PREDICTOR, write_tensors

    described: dict[str, Any] = {}
    tensors: dict[str, Tensor] = {}
    for kingdom, part in kingdoms.items():
        networks = [load_weights(file) for file in part.weights]
        for network, file in zip(networks, part.weights, strict=True):
            _check_network(network, file)
            if network.model.max_length is not None and network.model.max_length < LONGEST_SPAN:
                raise InputError(
                    f"{file}: this network takes RNAs of up to {network.model.max_length} nt, but "
                    f"shipped weights score RNAs of up to {LONGEST_SPAN} nt; choose another network"
                )
        described[kingdom] = {
            "models": [asdict(network.model) for network in networks],
            "candidates": asdict(part.candidates),
            "genome": part.genome and asdict(part.genome),
            "cuts": dict(part.cuts),
            "rates": {name: [asdict(it) for it in rates] for name, rates in part.rates.items()},
            "curves": [asdict(it) for it in part.curves],
            "stems": {name: asdict(it) for name, it in part.stems.items()},
        }
        tensors |= {
            f"{kingdom}.{number}.{name}": tensor
            for number, network in enumerate(networks)
            for name, tensor in network.state_dict().items()
        }
    description = {"shortest": SHORTEST, "longest": LONGEST_SPAN, "kingdoms": described}
    write_tensors(path, PREDICTOR, description, tensors, largest=LARGEST)


def _check_network(network: Network, path: str | Path) -> None:
    if network.classes:
        raise InputError(
            f"{path}: this network classifies families, it does not find pre-miRNAs; give weights "
            "from a study of the task `identification`"
        )


def find_weights(path: str | Path | None = None) -> Path:
    """Find a file of weights: a path, one of `NAMED`, or the default one (None).

    It is an `InputError` if a file that comes with the package is missing; a path is not checked.
    """
    if path is None:
        return files.shipped(NAME, "name a file with --weights, or make it: make weights")
    if (name := NAMED.get(str(path))) and not Path(path).exists():
        return files.shipped(name, "install mirpair again")
    return Path(path)


def load_networks(path: str | Path | None = None, kingdom: Kingdom = "animals") -> PreMirnaNetworks:
    """Read a file of `write_networks`, or the weights of one training, which are not calibrated.

    Parameters
    ----------
    path
        See `find_weights`.
    kingdom
        Whose networks to read. A file that names no kingdoms is read if it is the default one.

    Raises
    ------
    InputError
        If it is something else (a pickle is never opened), or has no networks for the kingdom.
    """
    from mirpair.networks.build import load_weights
    from mirpair.networks.weights import PREDICTOR, read_tensors, refuse_kind

    path = find_weights(path)
    try:
        kind, described, tensors = read_tensors(path)
        if kind != PREDICTOR or "kingdoms" not in described:
            _refuse_kingdom(path, kingdom)
        if kind != PREDICTOR:
            refuse_kind(path, kind)
            network = load_weights(path)
            _check_network(network, path)
            return PreMirnaNetworks.uncalibrated(
                [network], network.model.max_length or LONGEST_SPAN
            )
        if "kingdoms" not in described:
            return _read_benchmark(described, tensors)
        part = _part_of(described, kingdom, path)
        cuts = {name: float(cut) for name, cut in part["cuts"].items()}
        return PreMirnaNetworks(
            networks=_networks(part["models"], f"{kingdom}.", tensors),
            candidates=_calibration(part["candidates"]),
            genome=_calibration(part["genome"]) if part["genome"] else None,
            cuts=cuts,
            rates={name: [GenomeRate(**it) for it in part["rates"].get(name, [])] for name in cuts},
            # Older files have neither.
            curves=[_curve(it) for it in part.get("curves", [])],
            stems={name: StemLimits(**it) for name, it in part.get("stems", {}).items()},
            shortest=int(described["shortest"]),
            longest=int(described["longest"]),
        )
    except InputError:
        raise
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not weights that find pre-miRNAs ({error}); {_WHERE}") from error


def check_choice(path: str | Path, kingdom: Kingdom, rate: Rate | None = None) -> None:
    """Raise an `InputError` if a file has no networks for a kingdom, or no threshold for a rate.

    Only its description is read, without PyTorch. Other faults are left to `load_networks`.
    """
    try:
        with safe_open(path, framework="numpy") as opened:
            (text,) = (opened.metadata() or {}).values()
        described = json.loads(text)
    except (OSError, SafetensorError, TypeError, ValueError):
        return
    if "kingdoms" not in described:
        _refuse_kingdom(Path(path), kingdom)
        return
    part = _part_of(described, kingdom, path)
    if rate is not None:
        choose_rate(part.get("cuts", {}), rate)


def choose_rate(cuts: Collection[FalsePositives], wanted: Rate) -> FalsePositives | None:
    """Return the false-positive rate of a scan, of those that have a threshold.

    None if there are none, as of weights that are not calibrated; an `InputError` if there are
    others only.
    """
    if not cuts:
        return None
    if wanted == "lowest":
        return min(cuts, key=lambda it: FALSE_POSITIVES[it])
    if wanted not in cuts:
        raise InputError(
            f"false_positives: these weights have no threshold for {wanted}, because too few "
            f"hairpins calibrated them; choose one of {', '.join(cuts)}"
        )
    return wanted


def _part_of(described: Mapping[str, Any], kingdom: Kingdom, path: str | Path) -> Any:
    if kingdom not in described["kingdoms"]:
        raise InputError(
            f"{path}: it has no networks for {kingdom}, only for "
            f"{', '.join(described['kingdoms'])}; choose with --kingdom, or give other weights"
        )
    return described["kingdoms"][kingdom]


def _refuse_kingdom(path: Path, kingdom: Kingdom) -> None:
    if kingdom != "animals":
        raise InputError(
            f"{path}: these weights do not say for which kingdoms they are, so they cannot be "
            f"chosen for {kingdom}; leave out --kingdom, or give other weights"
        )


def _read_benchmark(
    described: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> PreMirnaNetworks:
    """Read a file of the first format: networks of one kind, calibrated in two parts by length."""
    return PreMirnaNetworks(
        networks=_networks([described["model"]] * described["members"], "", tensors),
        candidates=_calibration(described["calibration"]),
        genome=_calibration(described["genome"]),
        cuts={name: float(cut) for name, cut in described["cuts"].items()},
        candidates_from=int(described["shortest"]),
        longest=int(described["longest"]),
    )


def _networks(
    models: Iterable[Mapping[str, Any]], prefix: str, tensors: Mapping[str, Tensor]
) -> tuple[Network, ...]:
    from mirpair.networks.build import build

    networks = []
    for number, model in enumerate(models):
        network = build(Model(**model), seed=0)
        names = network.state_dict()
        network.load_state_dict({name: tensors[f"{prefix}{number}.{name}"] for name in names})
        networks.append(_ready(network))
    if not networks:
        raise ValueError("it has no networks")
    return tuple(networks)


def _curve(described: Mapping[str, Any]) -> GenomeCurve:
    scores, calls = (tuple(map(float, described[name])) for name in ("scores", "calls"))
    if not scores or len(scores) != len(calls) or list(scores) != sorted(scores):
        raise ValueError("its curve of calls is not valid")
    return GenomeCurve(str(described["genome"]), scores, calls)


def _calibration(described: Mapping[str, Any]) -> Calibration:
    logits, odds = (tuple(map(float, described[name])) for name in ("logits", "odds"))
    if len(logits) != len(odds) or list(logits) != sorted(logits):
        raise ValueError("its calibration is not valid")
    return Calibration(logits, odds, float(described["prior"]))
