"""Predict which RNAs are pre-miRNAs, how probable that is, and which known hairpin is nearest."""

from __future__ import annotations

import math
import multiprocessing
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.prediction.calibration import Calibration, Floats
from mirpair.prediction.table import columns
from mirpair.prediction.weights import (
    GenomeRate,
    PreMirnaNetworks,
    StemLimits,
    choose_rate,
    load_networks,
)
from mirpair.rna.encoding import Encoded, encode
from mirpair.rna.folding import Structure, fold, for_each, given_or_folded
from mirpair.rna.in_memory import records_of
from mirpair.rna.known_hairpins import KnownHairpins, NearestHairpin, load_reference
from mirpair.rna.sequences import Problem, Record, TooLong, too_long
from mirpair.rna.structures import GivenStructure, unbranched
from mirpair.settings import (
    NO_REFERENCE,
    FalsePositives,
    HairpinCriteria,
    Kingdom,
    PredictionSettings,
    ScanSettings,
)

if TYPE_CHECKING:
    from mirpair.networks.base import Network

# RNAs that are folded and scored together: always the same ones, whatever the number of processes.
CHUNK = 64
SEVERAL = "several hairpins: mirpair scan finds and scores each"
# So many unpaired bases outside the outermost base pairs are flanks; of miRBase's hairpins, 3 in
# 1,000 have them.
FLANKS = 30
# Score from which networks that are not calibrated call a hairpin of a genome.
_UNCALIBRATED = 0.5


@dataclass(frozen=True, slots=True)
class Predictor:
    """The weights and settings that decide the prediction for an RNA.

    Attributes
    ----------
    trained
        The mean of its networks is the score.
    settings
        The prior, and the known hairpins to compare with.
    calibration
        From a score to a probability; None if there is none. RNAs shorter than
        `trained.candidates_from` always have that of hairpins of a genome.
    called_by, cut
        An RNA is called a pre-miRNA from this score or probability.
    rates
        False calls per megabase of kinds of genome; empty if it is not known.
    rate
        The share of hairpins without a pre-miRNA that is called; None if it is not known.
    stems
        Which stems of a genome are folded.
    remarks
        Whether to remark that an RNA is more than a hairpin.
    """

    trained: PreMirnaNetworks
    settings: PredictionSettings | ScanSettings
    calibration: Calibration | None
    called_by: Literal["score", "probability"]
    cut: float
    rates: Sequence[GenomeRate]
    rate: FalsePositives | None
    stems: StemLimits
    remarks: bool

    @classmethod
    def for_candidates(cls, trained: PreMirnaNetworks, settings: PredictionSettings) -> Predictor:
        """Predict candidates: they are called by their probability, or else by their score."""
        settings.check()
        return cls(
            trained,
            settings,
            calibration=trained.candidates,
            called_by="probability" if trained.candidates else "score",
            cut=settings.threshold,
            rates=(),
            rate=None,
            stems=StemLimits(),
            remarks=True,
        )

    @classmethod
    def for_genome(cls, trained: PreMirnaNetworks, settings: ScanSettings) -> Predictor:
        """Predict hairpins of a genome: they are called by the rate of false positives.

        It is an `InputError` if the weights have thresholds, but none for this rate.
        """
        settings.check()
        rate = choose_rate(trained.cuts, settings.false_positives)
        return cls(
            trained,
            settings,
            calibration=trained.genome,
            called_by="score",
            cut=trained.cuts[rate] if rate else _UNCALIBRATED,
            rates=trained.rates.get(rate, ()) if rate else (),
            rate=rate,
            stems=trained.stems.get(rate, StemLimits()) if rate else StemLimits(),
            remarks=False,
        )

    @property
    def warning(self) -> str:
        """What a user must know of networks that are not calibrated; else empty."""
        if self.calibration:
            return ""
        kind = " for hairpins of a genome" if self.trained.candidates else ""
        return (
            f"these weights are not calibrated{kind}: there is no probability, and RNAs with a "
            f"score of at least {self.cut} are called"
        )

    @property
    def expected(self) -> str:
        """How many calls in a megabase of a genome are false, in words; empty if not known."""
        return ", ".join(map(str, self.rates))

    def false_calls(self, score: float) -> float:
        """Estimate the false calls in a megabase that reach a score; NaN if not known.

        Of the kinds of genome that were measured, it is the one with most.
        """
        return max((it.calls_from(score) for it in self.trained.curves), default=math.nan)

    def unfit(self, sequence: str) -> str:
        """Say why an RNA over ACGU cannot be scored; empty if it can."""
        if (length := len(sequence)) < self.trained.shortest:
            return f"too short: {length} < {self.trained.shortest}"
        return too_long(sequence, self.trained.longest)

    def probability(self, scores: Floats, lengths: npt.NDArray[np.int64]) -> Floats:
        """Probability of a pre-miRNA for each score, (N,), of an RNA of this length, (N,), nt.

        It is NaN if there is no calibration.
        """
        if self.calibration is None:
            return np.full(len(scores), np.nan)
        probability = self.calibration.probability(scores, self.settings.prior)
        is_short = lengths < self.trained.candidates_from
        if self.trained.genome and is_short.any():
            short = self.trained.genome.probability(scores[is_short], self.settings.prior)
            probability[is_short] = short
        return probability

    def remark(self, dot_bracket: str) -> str:
        """Say what a scan would leave out: other hairpins, or long flanks; empty if nothing."""
        if not self.remarks:
            return ""
        hairpins = sum(
            pairs >= HairpinCriteria.stem and loop <= HairpinCriteria.loop
            for _, _, pairs, loop in unbranched(dot_bracket)
        )
        if hairpins > 1:
            return SEVERAL
        flanks = len(dot_bracket) - len(dot_bracket.strip("."))
        if flanks >= FLANKS:
            return f"flanks: {flanks} unpaired bases; mirpair scan cuts them off"
        return ""


def predict(
    sequences: str | Iterable[Any] | Mapping[str, Any],
    *,
    weights: str | Path | None = None,
    prior: float = PredictionSettings.prior,
    threshold: float = PredictionSettings.threshold,
    reference: str | Path | None = PredictionSettings.reference,
    kingdom: Kingdom = PredictionSettings.kingdom,
    nearest: bool | None = None,
    processes: int = 1,
) -> pd.DataFrame:
    """Predict which RNAs are pre-miRNAs.

    Parameters
    ----------
    sequences
        RNA or DNA, upper or lower case; white space and a ``*`` at the end are ignored, and gaps
        (``-`` and ``.``) are removed with a warning. A string is one RNA; several are a list or
        another iterable, a mapping of names to sequences, a pandas Series, or records of Biopython
        or of `mirpair.rna.sequences.read_fasta`. The keys of a mapping, the index of a Series
        (unless it is the default one) and the ids of records are the ids; those of others are their
        numbers, from 1.
    weights, prior, threshold, reference, kingdom
        See `mirpair.prediction.weights.load_networks` and `mirpair.settings.PredictionSettings`. A
        reference None is ``"none"``.
    nearest
        Old name of a reference ``"none"`` (False); it works for one more release.
    processes
        Number of processes that fold and score; the result is the same for any number.

    Returns
    -------
    DataFrame
        One row per RNA, in their order: id; length (nt); structure (dot-bracket) and mfe
        (kcal/mol); score (of the network, 0 to 1; it ranks RNAs and is no probability); probability
        (of a pre-miRNA, for the prior); call (1 for a pre-miRNA); reason (why there is no score, or
        beside a score a hint that the RNA has several hairpins, or flanks).
        With a reference: nearest (name of the nearest known hairpin); identity (matches divided by
        the columns of the best local alignment with it) and coverage (share of it that is aligned);
        status: ``"known"`` from an identity of 0.8 and a coverage of 0.6, else ``"novel"``; and
        other_known (known hairpins elsewhere in the RNA, separated by semicolons). RNAs that cannot
        be scored have only id, length and reason.

    Raises
    ------
    InputError
        If there are no weights or none for the kingdom, a setting is out of range, or the reference
        is not a FASTA file of known hairpins.
    TypeError
        If `sequences` is something else, such as None, bytes, a path or a DataFrame.
    """
    records = records_of(sequences)
    if nearest is not None:
        warnings.warn(
            f"nearest is now reference={NO_REFERENCE!r} or left out; the old name stops working in "
            "the next release",
            DeprecationWarning,
            stacklevel=2,
        )
        reference = reference if nearest else NO_REFERENCE
    reference = NO_REFERENCE if reference is None else reference
    settings = PredictionSettings(prior, threshold, str(reference), kingdom)
    settings.check()
    predictor = Predictor.for_candidates(load_networks(weights, kingdom), settings)
    parts = predict_records(records, predictor, processes=processes)
    kinds = columns(nearest=settings.compares)
    empty = pd.DataFrame({name: [] for name in kinds}).astype(kinds)
    return pd.concat([empty, *parts], ignore_index=True).astype(kinds)


def predict_records(
    records: Iterable[tuple[Record, Problem | None]],
    predictor: Predictor,
    *,
    processes: int = 1,
    piece: int = 1,
    pieces: int = 1,
) -> Iterator[pd.DataFrame]:
    """Predict any number of RNAs as `predict` does, in the memory of a few chunks.

    Parameters
    ----------
    records
        With what is wrong with each, see `mirpair.rna.sequences.read_records`.
    processes
        See `predict`; the processes start at once.
    piece, pieces
        Only every `pieces`-th chunk is scored, beginning with number `piece` (from 1); see
        `mirpair.files.interleave`.

    Returns
    -------
    Iterator
        Of tables of `CHUNK` records, with the columns of `predict`.
    """
    pending: deque[list[tuple[Record, Problem | None]]] = deque()

    def chunks() -> Iterator[list[Foldable]]:
        remaining = iter(records)
        every = iter(lambda: list(islice(remaining, CHUNK)), [])
        for chunk in islice(every, piece - 1, None, pieces):
            pending.append(chunk)
            yield [
                (record.sequence, record.structure)
                for record, problem in chunk
                if not problem and not predictor.unfit(record.sequence)
            ]

    # The processes start here, before the caller has threads of its own.
    job, prepare = begin_job(predictor)
    results = for_each(
        partial(_predict_chunk, job=job),
        chunks(),
        processes=processes,
        at_once=1,
        prepare=prepare,
    )

    def tables() -> Iterator[pd.DataFrame]:
        try:
            for predicted in results:
                remaining = iter(predicted)
                rows: list[tuple[Record, Problem | None, _Predicted | None]] = []
                for record, problem in pending.popleft():
                    is_scored = not problem and not predictor.unfit(record.sequence)
                    rows.append((record, problem, next(remaining) if is_scored else None))
                yield _table(rows, predictor)
        finally:
            end_job(job)

    return tables()


# A sequence, and its structure if that is not to be predicted.
Foldable = tuple[str, GivenStructure | None]


class Scored(NamedTuple):
    """Structure and score of an RNA."""

    structure: Structure
    score: float


# What each process got once, before its first task, by the number of the job.
_PREPARED: dict[int, tuple[Predictor, KnownHairpins | None]] = {}
_jobs = count()


def begin_job(predictor: Predictor) -> tuple[int, Callable[[], None]]:
    """Return a number for tasks of several processes, and what each process calls first.

    With the number, a task has the predictor and its known hairpins, which are not sent again with
    each task. `end_job` forgets them in this process.
    """
    job, hairpins = next(_jobs), load_reference(predictor.settings.reference)
    return job, partial(_prepare, job, predictor, hairpins)


def end_job(job: int) -> None:
    """Forget what `begin_job` has prepared."""
    _PREPARED.pop(job, None)


def _prepare(job: int, predictor: Predictor, hairpins: KnownHairpins | None) -> None:
    if multiprocessing.parent_process() is not None:
        import torch

        # PyTorch's threads would compete with the other processes.
        torch.set_num_threads(1)
    _PREPARED[job] = (predictor, hairpins)


def predictor_of(job: int) -> Predictor:
    """Return the predictor of a job (`begin_job`)."""
    return _PREPARED[job][0]


def score_molecules(networks: Sequence[Network], molecules: Sequence[Encoded]) -> Floats:
    """Compute the mean of the networks' scores of each molecule, (N,).

    In double precision, rounding differs between batches by far less than the digits that are
    printed. In single precision it does not: small products of matrices are computed by other
    kernels, which add in another order, and so are those of several threads. Thus batches are
    filled up, and computed on one thread; then a score depends on nothing else in its batch.
    """
    import torch

    from mirpair.networks.inference import predict, scores_of

    if not molecules:
        return np.zeros(0)
    threads = torch.get_num_threads()
    filled = [*molecules, *[molecules[0]] * (-len(molecules) % CHUNK)]
    # Networks of the same architecture read a molecule alike.
    inputs: dict[str, Sequence[Any]] = {}
    scores = []
    for network in networks:
        is_single = network.output.weight.dtype == torch.float32
        if is_single:
            torch.set_num_threads(1)
        architecture = network.model.architecture
        if architecture not in inputs:
            inputs[architecture] = network.prepare(filled if is_single else molecules)
        try:
            logits = predict(network, inputs[architecture], batch_size=CHUNK)
        finally:
            torch.set_num_threads(threads)
        scores.append(scores_of(logits[: len(molecules)].double()))
    mean: Floats = np.mean(scores, axis=0)
    return mean


def score_sequences(predictor: Predictor, sequences: Sequence[str]) -> Floats:
    """Fold and score RNAs over ACGU in this process: (N,)."""
    molecules = [encode(sequence, *fold(sequence)) for sequence in sequences]
    return score_molecules(predictor.trained.networks, molecules)


def fold_and_score(rnas: Sequence[Foldable], job: int) -> list[Scored]:
    """Fold and score RNAs with the networks of a job (`begin_job`)."""
    different = list(dict.fromkeys(rnas))
    structures = [given_or_folded(*rna) for rna in different]
    molecules = [encode(s, *it) for (s, _), it in zip(different, structures, strict=True)]
    scores = score_molecules(predictor_of(job).trained.networks, molecules).tolist()
    scored = dict(zip(different, map(Scored, structures, scores), strict=True))
    return [scored[rna] for rna in rnas]


def _compare(sequences: Sequence[str], job: int) -> list[NearestHairpin | None]:
    """Find the nearest known hairpin of each RNA; None if the job compares with none."""
    hairpins = _PREPARED[job][1]
    if hairpins is None:
        return [None] * len(sequences)
    different = list(dict.fromkeys(sequences))
    nearest = dict(zip(different, hairpins.nearest(different), strict=True))
    return [nearest[it] for it in sequences]


_Predicted = tuple[Scored, NearestHairpin | None]


def _predict_chunk(rnas: list[Foldable], job: int) -> list[_Predicted]:
    nearest = _compare([sequence for sequence, _ in rnas], job)
    return list(zip(fold_and_score(rnas, job), nearest, strict=True))


def tabulate(records: Sequence[Record], scored: Sequence[Scored], job: int) -> pd.DataFrame:
    """Make the table of RNAs that a job has scored, see `predict`."""
    nearest = _compare([record.sequence for record in records], job)
    rows = zip(records, scored, nearest, strict=True)
    return _table([(record, None, (of, near)) for record, of, near in rows], predictor_of(job))


def _table(
    predicted: Iterable[tuple[Record, Problem | None, _Predicted | None]], predictor: Predictor
) -> pd.DataFrame:
    """Make the table of records, each with what is wrong with it, or with its prediction."""
    kinds = columns(nearest=predictor.settings.compares)
    blank: dict[str, Any] = {name: "" for name, kind in kinds.items() if kind == "str"}
    rows = []
    for record, problem, prediction in predicted:
        reason = problem.reason if problem else predictor.unfit(record.sequence)
        length = problem.length if isinstance(problem, TooLong) else len(record.sequence)
        row = blank | {"id": record.id, "length": length, "reason": reason}
        if prediction:
            (structure, score), nearest = prediction
            row |= {"structure": structure.dot_bracket, "mfe": structure.mfe}
            if "(" in structure.dot_bracket:
                row["score"] = score
                row["reason"] = predictor.remark(structure.dot_bracket)
            else:
                row["reason"] = "no hairpin"
            if nearest:
                row |= {
                    "nearest": nearest.names,
                    "identity": nearest.identity,
                    "coverage": nearest.coverage,
                    "status": nearest.status,
                    "other_known": nearest.others,
                }
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(kinds))
    scores = table["score"].to_numpy(dtype=np.float64)
    table["probability"] = predictor.probability(scores, table["length"].to_numpy())
    decisive = table[predictor.called_by].to_numpy(dtype=np.float64)
    calls = pd.Series(decisive >= predictor.cut).astype("Int8")
    table["call"] = calls.where(~np.isnan(scores))
    return table.astype(kinds)
