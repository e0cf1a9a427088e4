"""Annotate RNAs with their microRNA family, by shipped weights."""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import softmax

from mirpair import files
from mirpair.families.by_models import call_by_models
from mirpair.families.covariance import CovarianceModels, is_available
from mirpair.families.family_calls import network_score
from mirpair.families.model_files import split_models
from mirpair.files import InputError
from mirpair.networks.base import Network
from mirpair.networks.build import build
from mirpair.networks.inference import embed
from mirpair.networks.weights import ANNOTATOR, read_tensors, refuse_kind
from mirpair.recipes import Model
from mirpair.rna.encoding import Encoded, encode, encode_ensemble
from mirpair.rna.folding import Structure, ensemble, fold_all, for_each
from mirpair.rna.sequences import too_long
from mirpair.rna.similarity import COVERAGE, Nearest, align

# Name of a threshold to its column of `mirpair.families.family_calls.rejection`.
THRESHOLDS = {"5%": "threshold", "youden": "youden threshold"}
NAME = "families.safetensors"
# Tensors of the file: see `Annotator`, and known RNAs with their families, compressed.
DIRECTIONS, RECORDS = "known.directions", "known.records"
# Identity to a known RNA from which on an RNA is a near-copy of it, and of its family.
_COPY = 0.8
ANNOTATION = {
    "length": "int64",
    **dict.fromkeys(("family", "accessions"), "str"),
    **dict.fromkeys(("probability", "score"), "float64"),
    **dict.fromkeys(("distribution", "nearest", "nearest_family"), "str"),
    **dict.fromkeys(("identity", "coverage"), "float64"),
    "reason": "str",
}


@dataclass(frozen=True, slots=True)
class Annotator:
    """A network with its thresholds and known RNAs, as `annotate` needs them.

    Attributes
    ----------
    network
        In double precision, so that no printed digit depends on which RNAs share a batch.
    score
        One of `mirpair.families.family_calls.NETWORK_SCORES`, compared with the threshold.
    thresholds
        By the names of `THRESHOLDS`; an RNA with a lower score is of none of the network's
        families.
    max_length
        In nt; longer RNAs are not annotated, as none were trained or tested.
    directions
        (M, D) int8: features of the M training RNAs, scaled so that each RNA's largest is 127;
        (0, D) if the score does not use them.
    ids, families, sequences
        Of known RNAs: those that trained, and others, also of families that are too small to train.
    nearest
        Search for the most similar known RNA.
    accessions
        Family to its accessions in databases, separated by spaces.
    places
        Index of each of `sequences`.
    models, bits
        Covariance models, which decide among the families that the network and the nearest known
        RNAs propose, and the thresholds of their bits; None if the network decides alone.
    """

    network: Network
    score: str
    thresholds: Mapping[str, float]
    max_length: int
    directions: npt.NDArray[np.int8]
    ids: Sequence[str]
    families: Sequence[str]
    sequences: Sequence[str]
    nearest: Nearest
    accessions: Mapping[str, str]
    places: Mapping[str, int]
    models: CovarianceModels | None = None
    bits: Mapping[str, float] = field(default_factory=dict)

    @property
    def decides(self) -> tuple[str, Mapping[str, float]]:
        """The score that decides (`mirpair.families.family_calls.SCORES`), and its thresholds."""
        return (self.score, self.thresholds) if self.models is None else ("bits", self.bits)

    def unfit(self, sequence: str) -> str:
        """Say why the network cannot take an RNA over ACGU; empty if it can."""
        return too_long(sequence, self.max_length)


def models_beside(path: str | Path) -> Path:
    """Return the path of the covariance models of a file of weights."""
    return Path(path).with_suffix(".cm.xz")


def shipped() -> Path:
    """Return the path of the shipped weights; `InputError` if they are missing."""
    return files.shipped(NAME, "name a file with --weights, or make it: make weights")


def decided_by(path: str | Path) -> str:
    """Say what names families with these weights on this machine, without loading the models."""
    _, described, _ = read_tensors(path)
    if "models" not in described:
        return "the network"
    if is_available():
        return "covariance models"
    return "the network, as pyinfernal is not installed"


def load(path: str | Path) -> Annotator:
    """Read a file that `ship` wrote, and its models if pyinfernal is installed.

    Raises
    ------
    InputError
        If it is another file (pickles are never opened).
    """
    try:
        kind, described, tensors = read_tensors(path)
        if kind != ANNOTATOR:
            refuse_kind(path, kind)
            raise ValueError("it contains no annotator")
        lines = lzma.decompress(tensors.pop(RECORDS).numpy().tobytes()).decode().splitlines()
        ids, families, sequences = zip(*(line.split("\t") for line in lines), strict=True)
        directions = tensors.pop(DIRECTIONS).numpy()
        network = build(Model(**described["model"]), seed=0, classes=described["classes"])
        network.load_state_dict({name.removeprefix("network."): t for name, t in tensors.items()})
        return Annotator(
            directions=directions,
            network=network.double().eval(),
            score=described["score"],
            thresholds={name: float(described["thresholds"][name]) for name in THRESHOLDS},
            max_length=int(described["max_length"]),
            ids=ids,
            families=families,
            sequences=sequences,
            nearest=Nearest(sequences),
            places={it: number for number, it in enumerate(sequences)},
            # In files of earlier releases, families are called by their accessions.
            accessions=described.get("accessions") or {it: it for it in network.classes},
            models=_read_models(path, described["models"]) if "models" in described else None,
            bits=described.get("bits", {}),
        )
    except InputError:
        raise
    except (lzma.LZMAError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not weights for family annotation ({error}); use a file made by a study of "
            "families with a section `shipped`: results/<study>/shipped/families.safetensors"
        ) from error


def _read_models(path: str | Path, checksum: str) -> CovarianceModels | None:
    """Read the covariance models of a file of weights; None if nothing could use them."""
    beside = models_beside(path)
    if not is_available():
        return None
    if not beside.is_file():
        raise InputError(f"{beside}: no such file; the weights {path} need it beside them")
    if files.sha256(beside) != checksum:
        raise InputError(f"{beside}: damaged, or not the models of {path}: copy both together")
    return CovarianceModels(split_models(beside, lzma.decompress(beside.read_bytes()).decode()))


def encode_for(
    network: Network,
    sequences: Sequence[str],
    *,
    processes: int = 1,
    folded: Mapping[str, Structure] | None = None,
) -> Iterator[Encoded]:
    """Encode RNAs for a network, and fold them first if its encoding needs it.

    Parameters
    ----------
    sequences
        Over ACGU.
    processes
        They start at once, see `mirpair.rna.folding.for_each`; the result is the same for any.
    folded
        Minimum-free-energy structures of all sequences, if already known.
    """
    if network.model.needs == "sequence":
        return (encode(sequence, "." * len(sequence), 0.0) for sequence in sequences)
    if network.model.needs == "ensemble":
        pairs = for_each(ensemble, sequences, processes=processes)
        return (encode_ensemble(s, *pair) for s, pair in zip(sequences, pairs, strict=True))
    structures: Iterable[Structure] = (
        fold_all(sequences, processes=processes)
        if folded is None
        else (folded[sequence] for sequence in sequences)
    )
    return (encode(s, *folding) for s, folding in zip(sequences, structures, strict=True))


def annotate(
    annotator: Annotator,
    sequences: Sequence[str],
    *,
    threshold: str = "5%",
    processes: int = 1,
) -> pd.DataFrame:
    """Name the family of each RNA, if it belongs to a known one.

    A near-copy of a known RNA is of its family, also if that was too small to train: at least 0.8
    of their alignment is identical, and it covers at least 0.8 of the known RNA. The family of
    another RNA is one of those that trained, if the score reaches the threshold.

    Parameters
    ----------
    sequences
        Over ACGU.
    threshold
        Name of one of the annotator's: ``"5%"`` false positives, or ``"youden"``.
    processes
        Number of processes that fold, if the network needs it, and of threads that align covariance
        models.

    Returns
    -------
    DataFrame
        One row per RNA: length (nt), family and its accessions, probability (the network's, of that
        family; NaN if it did not train), score (bits of the model, NaN without a hit, or the
        network's; of a near-copy it decides nothing), distribution (``"in"`` or ``"out"``), nearest
        (id of the known RNA that is the same, or shares most 8-mers), nearest_family, identity and
        coverage (of the best local alignment with that RNA, see
        `mirpair.rna.similarity.Alignment`) and reason (why there is no family). Out of
        distribution, family, accessions and probability are empty or NaN; without a shared 8-mer,
        nearest is; of a too long RNA only length and reason are filled.
    """
    parts = in_chunks(annotator, sequences, threshold=threshold, processes=processes)
    empty = _table(annotator, [], iter([]), threshold, [], 1)
    return pd.concat([empty, *parts], ignore_index=True)


def family_names(
    annotator: Annotator,
    sequences: Sequence[str],
    *,
    threshold: str = "5%",
    threads: int = 1,
    chunk: int = 1000,
) -> list[str]:
    """Name the family of each RNA over ACGU; empty if it is out of distribution or too long.

    Covariance models are aligned on so many threads; neither they nor `chunk` change the names.
    """
    different = list(dict.fromkeys(it for it in sequences if not annotator.unfit(it)))
    encoded = encode_for(annotator.network, different)
    names: dict[str, str] = {}
    for start in range(0, len(different), chunk):
        part = different[start : start + chunk]
        following = list(islice(encoded, len(part)))
        near = cache(partial(_nearest, annotator))
        called = _families(annotator, part, following, threshold, threads, near)
        names |= {sequence: call.family for sequence, call in zip(part, called, strict=True)}
    return [names.get(it, "") for it in sequences]


def in_chunks(
    annotator: Annotator,
    sequences: Sequence[str],
    *,
    threshold: str = "5%",
    processes: int = 1,
    folded: Mapping[str, Structure] | None = None,
    reasons: Sequence[str] = (),
    chunk: int = 1000,
) -> Iterator[pd.DataFrame]:
    """Run `annotate` in chunks, so that memory does not grow with the number of RNAs.

    Parameters
    ----------
    folded
        As in `encode_for`.
    reasons
        For each RNA, why it is not annotated, or empty; it may be of other letters than ACGU then.
    chunk
        RNAs at a time, which does not change the rows.
    """
    unfit = [
        reason or annotator.unfit(sequence)
        for sequence, reason in zip_longest(sequences, reasons, fillvalue="")
    ]
    fitting = [sequence for sequence, reason in zip(sequences, unfit, strict=True) if not reason]
    # Outside the generator, so that folding processes start before the caller has threads.
    encoded = encode_for(annotator.network, fitting, processes=processes, folded=folded)
    parts = (slice(start, start + chunk) for start in range(0, len(sequences), chunk))
    return (
        _table(annotator, sequences[part], encoded, threshold, unfit[part], processes)
        for part in parts
    )


def _table(
    annotator: Annotator,
    sequences: Sequence[str],
    encoded: Iterator[Encoded],
    threshold: str,
    unfit: Sequence[str],
    threads: int,
) -> pd.DataFrame:
    """Make the rows of some RNAs; those without a reason in `unfit` come next in `encoded`."""
    fitting = [sequence for sequence, reason in zip(sequences, unfit, strict=True) if not reason]
    next_encoded = list(islice(encoded, len(fitting)))
    annotated = iter(_rows(annotator, fitting, next_encoded, threshold, threads) if fitting else [])
    rows = [
        {"length": len(sequence), "reason": reason} if reason else next(annotated)
        for sequence, reason in zip(sequences, unfit, strict=True)
    ]
    empty = {name: "" if kind == "str" else np.nan for name, kind in ANNOTATION.items()}
    table = pd.DataFrame([empty | row for row in rows], columns=list(ANNOTATION))
    return table.astype(ANNOTATION)


def _rows(
    annotator: Annotator,
    sequences: Sequence[str],
    encoded: Sequence[Encoded],
    threshold: str,
    threads: int,
) -> Iterator[dict[str, Any]]:
    near = cache(partial(_nearest, annotator))
    called = _families(annotator, sequences, encoded, threshold, threads, near)
    for sequence, call in zip(sequences, called, strict=True):
        row: dict[str, Any] = {"length": len(sequence), "score": call.score}
        if call.family:
            row |= {
                "family": call.family,
                "accessions": annotator.accessions.get(call.family, ""),
                "probability": call.probability,
                "distribution": "in",
            }
        else:
            row |= {"distribution": "out", "reason": "out of distribution"}
        neighbour = near(sequence)
        yield row | (neighbour._asdict() if neighbour else {})


class _Neighbour(NamedTuple):
    """The known RNA that shares most 8-mers with an RNA: columns of `ANNOTATION`."""

    nearest: str
    nearest_family: str
    identity: float
    coverage: float


_Near = Callable[[str], _Neighbour | None]


def _nearest(annotator: Annotator, sequence: str) -> _Neighbour | None:
    """Find the known RNA that is the same, or else the one that shares most 8-mers."""
    index = annotator.places.get(sequence)
    if index is None:
        (found,), (containment,) = annotator.nearest.find([sequence])
        if not containment:
            return None
        index = int(found)
    alignment = align(sequence, annotator.sequences[index])
    return _Neighbour(
        annotator.ids[index], annotator.families[index], alignment.identity, alignment.coverage
    )


def _family_of_copy(neighbour: _Neighbour | None) -> str:
    """Return the family of a known RNA if an RNA is a near-copy of it; else nothing."""
    is_copy = neighbour and neighbour.identity >= _COPY and neighbour.coverage >= COVERAGE
    return neighbour.nearest_family if neighbour and is_copy else ""


class _Call(NamedTuple):
    """The family of an RNA, empty if it has none; its score, and the network's probability."""

    family: str
    score: float
    probability: float


def _families(
    annotator: Annotator,
    sequences: Sequence[str],
    encoded: Sequence[Encoded],
    threshold: str,
    threads: int,
    near: _Near,
) -> list[_Call]:
    """Call the family of each RNA, by covariance models if there are any."""
    logits, features = (tensor.numpy() for tensor in embed(annotator.network, encoded))
    probabilities, classes = softmax(logits, axis=1), annotator.network.classes
    if annotator.models is None:
        known = annotator.directions.astype(np.float32)
        scores = network_score(annotator.score, logits, features, known)
        families = [classes[it] for it in probabilities.argmax(axis=1)]
    else:
        table = call_by_models(
            annotator.models,
            sequences,
            logits,
            classes,
            annotator.nearest,
            annotator.families,
            threads=threads,
        )
        families, scores = table["called"].tolist(), table["bits"].to_numpy()
    least = annotator.decides[1][threshold]
    place = {family: number for number, family in enumerate(classes)}
    calls = []
    of_copies = [_family_of_copy(near(sequence)) for sequence in sequences]
    for row, copied, called, score in zip(probabilities, of_copies, families, scores, strict=True):
        family = copied or (called if score >= least else "")
        probability = row[place[family]] if family in place else np.nan
        calls.append(_Call(family, score, probability))
    return calls
