"""Anyone's RNAs: which are pre-miRNAs, how probable that is, and what they are near to."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair import files
from mirpair.files import InputError
from mirpair.prediction.calibration import Calibration, calibrate
from mirpair.recipes import Model
from mirpair.rna.encoding import encode
from mirpair.rna.folding import Structure, fold, for_each
from mirpair.rna.known_hairpins import KnownHairpins, NearestHairpin, load_known_hairpins
from mirpair.rna.sequences import Problem, Record, TooLong, normalise, problem_of

if TYPE_CHECKING:
    from mirpair.networks.base import Network

NAME = "pre-mirna.safetensors"
PRIOR = 0.1
# Shares of the hairpins of a genome without pre-miRNAs that a scan may call.
FALSE_POSITIVES = {"5%": 0.05, "1%": 0.01, "0.1%": 0.001}
# Without negatives among them, all short RNAs are pre-miRNAs to a network.
FEWEST = 30
_KIND = "predictor"
# RNAs that are folded and scored together: always the same ones, whatever the number of processes.
CHUNK = 64
SCORED = {
    "id": "str",
    "length": "int64",
    "structure": "str",
    "mfe": "float64",
    "score": "float64",
    "probability": "float64",
    "call": "Int8",
    "reason": "str",
}
NEAREST = {"nearest": "str", "identity": "float64", "status": "str"}


@dataclass(frozen=True, slots=True)
class Predictor:
    """What `predict` asks.

    Attributes
    ----------
    networks
        In double precision: what they say of an RNA does not depend, in any digit that is printed,
        on which RNAs are computed with it. Their mean is the score.
    calibration
        From a score to a probability; None of a training that was not calibrated.
    genome
        The same where the others are hairpins of a genome, see `mirpair.scan.hairpins`.
    cuts
        By the names of `FALSE_POSITIVES`: the score that such a share of the hairpins of a genome
        without pre-miRNAs reaches; none of a training that was not calibrated.
    shortest, longest
        Lengths that are told apart, nt; nothing is said of other RNAs.
    """

    networks: tuple[Network, ...]
    calibration: Calibration | None
    genome: Calibration | None
    cuts: Mapping[str, float]
    shortest: int
    longest: int

    def reason(self, sequence: str) -> str:
        """Why an RNA over ACGU cannot be scored; empty if it can."""
        if len(sequence) > self.longest:
            return f"too long: {len(sequence):,} > {self.longest:,}"
        if len(sequence) < self.shortest:
            return f"too short: {len(sequence):,} < {self.shortest:,}"
        return ""


def ship(
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
    path
        Of the safetensors file to write.
    weights
        Files of the trainings, which are of one kind of network.
    held
        Columns label and score: of held-out records, by as many networks of this kind.
    background
        The same of held-out pre-miRNAs as a scan would find them, and of a genome's hairpins; and
        column shipped: of these hairpins, by the networks that are shipped.
    records
        That trained, with their labels. Of an RNA nothing is said that is longer than all of them,
        or so short that less than `FEWEST` negatives are as short.

    Raises
    ------
    InputError
        If the networks are of different kinds or do not tell who is a pre-miRNA, or if the file
        would be larger than `mirpair.networks.tensor_file.LARGEST`; see also
        `mirpair.prediction.calibration.calibrate`.
    """
    from mirpair.networks import tensor_file as stored
    from mirpair.networks.build import load_weights

    networks = [load_weights(place) for place in weights]
    _check_networks(networks, weights)
    lengths = records["sequence"].str.len().to_numpy()
    # A pre-miRNA in which a scan finds nothing has no score to learn from.
    found = background.dropna(subset="score")
    described = {
        "model": asdict(networks[0].model),
        "members": len(networks),
        "calibration": asdict(calibrate(held["label"], held["score"])),
        "genome": asdict(calibrate(found["label"], found["score"])),
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
    stored.write(path, _KIND, described, tensors, largest=stored.LARGEST)


def _check_networks(networks: Sequence[Network], places: Sequence[str | Path]) -> None:
    for network, place in zip(networks, places, strict=True):
        if network.classes:
            raise InputError(
                f"{place}: this network tells families apart, it does not tell who is a pre-miRNA; "
                "name the weights of a training of such a study"
            )
        if network.model != networks[0].model:
            raise InputError(f"{place}: this network is of another kind than {places[0]}")


def shipped() -> Path:
    """The file that comes with the package; an `InputError` if there is none."""
    return files.shipped(NAME, "name a file with --weights, or make it: make weights")


def load(path: str | Path | None = None) -> Predictor:
    """Read what `ship` wrote, or the weights of one training, which have no calibration.

    Parameters
    ----------
    path
        Safetensors file; the one that comes with the package, if none is named.

    Raises
    ------
    InputError
        If it is something else (a pickle is never opened).
    """
    from mirpair.networks import tensor_file as stored
    from mirpair.networks.build import build, load_weights

    path = path or shipped()
    try:
        kind, described, tensors = stored.read(path)
        if kind != _KIND:
            network = load_weights(path)
            _check_networks([network], [path])
            limit = network.model.max_length
            return Predictor((network.double(),), None, None, {}, 1, limit or 400)
        model = Model(**described["model"])
        networks = []
        for number in range(described["members"]):
            network = build(model, seed=0)
            names = network.state_dict()
            network.load_state_dict({name: tensors[f"{number}.{name}"] for name in names})
            networks.append(network.double().eval())
        return Predictor(
            networks=tuple(networks),
            calibration=_calibration(described["calibration"]),
            genome=_calibration(described["genome"]),
            cuts={name: float(described["cuts"][name]) for name in FALSE_POSITIVES},
            shortest=int(described["shortest"]),
            longest=int(described["longest"]),
        )
    except InputError:
        raise
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not weights that tell who is a pre-miRNA ({error}); a training of the "
            "workflow writes some: results/<study>/runs/…/weights.safetensors"
        ) from error


def _calibration(described: Mapping[str, Any]) -> Calibration:
    logits, odds = (tuple(map(float, described[name])) for name in ("logits", "odds"))
    if len(logits) != len(odds) or list(logits) != sorted(logits):
        raise ValueError("its calibration is none")
    return Calibration(logits, odds, float(described["prior"]))


class Settings(NamedTuple):
    """How `predict_records` answers.

    Attributes
    ----------
    prior
        Share of pre-miRNAs that is expected among the RNAs, above 0 and below 1.
    threshold
        From which probability on an RNA is called a pre-miRNA.
    nearest
        Whether to look for the nearest known hairpin.
    least
        From which score on it is called, in place of the probability.
    """

    prior: float = PRIOR
    threshold: float = 0.5
    nearest: bool = True
    least: float | None = None


def predict(
    sequences: Iterable[str] | Mapping[str, str],
    *,
    weights: str | Path | None = None,
    prior: float = PRIOR,
    threshold: float = 0.5,
    nearest: bool = True,
    processes: int = 1,
) -> pd.DataFrame:
    """Which RNAs are pre-miRNAs.

    Parameters
    ----------
    sequences
        RNA or DNA in any case; a mapping has names, otherwise an RNA's id is its place, from 1.
    weights
        See `load`.
    prior, threshold, nearest
        See `Settings`.
    processes
        That fold and score; the result is the same for any.

    Returns
    -------
    DataFrame
        A row for each RNA, in their order: id; length (nt); structure (dot-bracket) and mfe
        (kcal/mol); score (of the network, 0 to 1, for equal shares of both classes); probability
        (of a pre-miRNA, for the prior); call (1 for a pre-miRNA); reason (why there is no score).
        With `nearest`: name of the nearest hairpin of miRBase 22, identity to it (matches by the
        columns of the alignment from end to end), and status: ``"known"`` from 0.8 on, else
        ``"novel"``. What cannot be scored has only id, length and reason.

    Raises
    ------
    InputError
        If there are no weights, or a setting is out of range.
    """
    named = sequences.items() if isinstance(sequences, Mapping) else enumerate(sequences, 1)
    records = (
        (record, problem_of(record, raw))
        for number, (name, raw) in enumerate(named, 1)
        for record in [Record(str(name), normalise(raw), "sequences", number)]
    )
    settings = Settings(prior, threshold, nearest)
    parts = predict_records(records, load(weights), settings, processes=processes)
    columns = SCORED | (NEAREST if nearest else {})
    empty = pd.DataFrame({name: [] for name in columns}).astype(columns)
    return pd.concat([empty, *parts], ignore_index=True).astype(columns)


def predict_records(
    records: Iterable[tuple[Record, Problem | None]],
    predictor: Predictor,
    settings: Settings,
    *,
    processes: int = 1,
    piece: int = 1,
    pieces: int = 1,
) -> Iterator[pd.DataFrame]:
    """`predict` for any number of records, in the memory of a few chunks.

    Parameters
    ----------
    records
        With what is wrong with each, see `mirpair.rna.sequences.read_records`.
    predictor, settings, processes
        See `load` and `predict`.
    piece, pieces
        Of the chunks only every `pieces`-th is scored, beginning with number `piece` (from 1); see
        `mirpair.files.interleave`.

    Returns
    -------
    Iterator
        Of tables of `CHUNK` records, with the columns of `predict`.
    """
    check_settings(settings)
    hairpins = load_known_hairpins() if settings.nearest else None
    pending: deque[list[tuple[Record, Problem | None]]] = deque()

    def chunks() -> Iterator[list[str]]:
        left = iter(records)
        every = iter(lambda: list(islice(left, CHUNK)), [])
        for chunk in islice(every, piece - 1, None, pieces):
            pending.append(chunk)
            yield [
                record.sequence
                for record, problem in chunk
                if not problem and not predictor.reason(record.sequence)
            ]

    # The processes start here, before the caller has threads of its own.
    work = next(_works)
    results = for_each(
        partial(_score_chunk, work=work),
        chunks(),
        processes=processes,
        at_once=1,
        prepare=partial(_prepare, work, predictor, hairpins),
    )

    def tables() -> Iterator[pd.DataFrame]:
        try:
            for scored in results:
                yield _table(pending.popleft(), scored, predictor, settings)
        finally:
            _PREPARED.pop(work, None)

    return tables()


_DIGITS = {"mfe": 2, "score": 4, "probability": 4, "identity": 4}


def to_lines(table: pd.DataFrame, *, digits_of_scores: int = 4) -> list[str]:
    """A table of `predict` as lines of a TSV without its header: as many digits as are sure."""
    known = _DIGITS | {"score": digits_of_scores}
    columns = []
    for name in table.columns:
        digits = known.get(str(name))
        values = table[name].tolist()
        columns.append(
            ["" if pd.isna(value) else _quoted(str(value)) for value in values]
            if digits is None
            else ["" if pd.isna(value) else f"{value:.{digits}f}" for value in values]
        )
    return ["\t".join(row) for row in zip(*columns, strict=True)]


def _quoted(text: str) -> str:
    """An id with a quotation mark as readers of tables want it: else they read on to the next."""
    return '"' + text.replace('"', '""') + '"' if '"' in text else text


def header(*, nearest: bool) -> str:
    """The first line of a TSV of `predict`."""
    return "\t".join(SCORED | (NEAREST if nearest else {}))


def check_settings(settings: Settings) -> None:
    """Refuse, before the long work, what is out of range."""
    for name, value in (("prior", settings.prior), ("threshold", settings.threshold)):
        if not 0 < value < 1:
            raise InputError(f"{name}: is {value}, must be above 0 and below 1")


class _Scored(NamedTuple):
    structure: Structure
    score: float
    nearest: NearestHairpin | None


# Of a process: what it was given before the first chunk, not with every one; by whose work it is.
_PREPARED: dict[int, tuple[Predictor, KnownHairpins | None]] = {}
_works = count()


def _prepare(work: int, predictor: Predictor, hairpins: KnownHairpins | None) -> None:
    if multiprocessing.parent_process() is not None:
        import torch

        # Threads of PyTorch's would compete with the other processes.
        torch.set_num_threads(1)
    _PREPARED[work] = (predictor, hairpins)


def ensemble_scores(
    networks: Sequence[Network], sequences: Sequence[str], structures: Sequence[Structure]
) -> npt.NDArray[np.float64]:
    """Mean of what several networks say of each RNA, (N,)."""
    from mirpair.networks.inference import predict, scores_of

    molecules = [encode(s, *found) for s, found in zip(sequences, structures, strict=True)]
    scores = [scores_of(predict(network, molecules)) for network in networks]
    mean: npt.NDArray[np.float64] = np.mean(scores, axis=0)
    return mean


def _score_chunk(sequences: list[str], work: int) -> list[_Scored]:
    predictor, hairpins = _PREPARED[work]
    different = list(dict.fromkeys(sequences))
    structures = [fold(sequence) for sequence in different]
    scores = ensemble_scores(predictor.networks, different, structures)
    near = hairpins.nearest(different) if hairpins else [None] * len(different)
    found = {
        sequence: _Scored(*rest)
        for sequence, *rest in zip(different, structures, scores.tolist(), near, strict=True)
    }
    return [found[sequence] for sequence in sequences]


def _table(
    chunk: list[tuple[Record, Problem | None]],
    scored: list[_Scored],
    predictor: Predictor,
    settings: Settings,
) -> pd.DataFrame:
    columns = SCORED | (NEAREST if settings.nearest else {})
    blank: dict[str, Any] = {name: "" for name, kind in columns.items() if kind == "str"}
    left = iter(scored)
    rows = []
    for record, problem in chunk:
        reason = problem.reason if problem else predictor.reason(record.sequence)
        length = problem.length if isinstance(problem, TooLong) else len(record.sequence)
        row = blank | {"id": record.id, "length": length, "reason": reason}
        if not reason:
            structure, score, near = next(left)
            row |= {"structure": structure.dot_bracket, "mfe": structure.mfe}
            if "(" in structure.dot_bracket:
                row["score"] = score
            else:
                row["reason"] = "no hairpin"
            if near:
                row |= dict(zip(NEAREST, (*near, near.status), strict=True))
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(columns))
    told = table["score"].to_numpy(dtype=np.float64)
    calibration = predictor.calibration
    table["probability"] = calibration.probability(told, settings.prior) if calibration else np.nan
    least = settings.threshold if settings.least is None else settings.least
    by_score = settings.least is not None or not calibration
    chosen = told if by_score else table["probability"].to_numpy(dtype=np.float64)
    table["call"] = pd.Series(chosen >= least).astype("Int8").where(~np.isnan(told))
    return table.astype(columns)
