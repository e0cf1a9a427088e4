"""Calibrate the networks that are shipped with the validation records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mirpair.contracts import EVALUATE, SCANNED, SCORED_RECORDS, TRAIN, VALIDATE
from mirpair.files import InputError
from mirpair.hairpins.candidates import best_hairpins
from mirpair.identification.datasets import origins_of
from mirpair.prediction.calibration import Floats, calibrate
from mirpair.prediction.predictor import score_molecules
from mirpair.prediction.weights import (
    GenomeCurve,
    GenomeRate,
    KingdomWeights,
    StemLimits,
    load_networks,
)
from mirpair.rna.encoding import encode
from mirpair.settings import FALSE_POSITIVES, LONGEST_SPAN, FalsePositives, HairpinCriteria

if TYPE_CHECKING:
    from mirpair.networks.base import Network

# Fewest hairpins of genomes that must reach a threshold: a single one may be an unknown pre-miRNA.
REACHING = 2
# Fewest hairpins of genomes that calibrate: enough to measure the highest rate of false positives.
FEWEST = round(REACHING / max(FALSE_POSITIVES.values()))
# Points of a curve of calls, at most.
POINTS = 64
# The limits are chosen on RNAs without flanks. In a genome, a stem may pair beyond its ends by
# chance. Therefore the highest energy is so much higher, kcal/mol, and the lowest score is so small
# a part of the chosen one (`python -m bench.limits`, docs/use.md).
FLANKS_ENERGY, FLANKS_SCORE = 2.0, 0.5
# Share of the pre-miRNAs that a scan calls which it may lose because it does not fold all stems.
LOSS = 0.01


def score_records(
    records: pd.DataFrame,
    origins: Mapping[str, pd.DataFrame],
    trainings: Sequence[tuple[pd.DataFrame, pd.DataFrame]],
) -> pd.DataFrame:
    """Make the table of all records of a set (`mirpair.contracts.SCORED_RECORDS`).

    Networks may have trained on different records of the set, such as different families. A record
    evaluates if it does so for any of them, otherwise it validates if it does so for any, otherwise
    it trains. Its score is the mean of those networks for which it has this role, so no network
    scores what it trained on.

    Parameters
    ----------
    records
        The set (`mirpair.contracts.RECORDS`).
    origins
        FASTA file to the origins of its RNAs (`mirpair.contracts.ORIGINS`).
    trainings
        Of each network: the roles of the records (`mirpair.contracts.EXPERIMENT`), and its scores
        of the validation and of the evaluation records, with the columns id and score.

    Raises
    ------
    InputError
        If no records validate or none evaluate, or a network did not score all of them.
    """
    roles: dict[str, str] = {}
    for role in (TRAIN, VALIDATE, EVALUATE):
        named = [set(roles_of.loc[roles_of["role"] == role, "id"]) for roles_of, _ in trainings]
        roles |= dict.fromkeys(set().union(*named), role)
    scores = []
    for role in (VALIDATE, EVALUATE):
        if role not in roles.values():
            raise InputError(
                f"no record of the experiments has the role {role!r}: shipped weights need records "
                "that calibrate them, and others that measure how good they are"
            )
        for roles_of, scored in trainings:
            wanted = roles_of.loc[roles_of["role"] == role, "id"]
            of_role = scored[scored["id"].isin(wanted)]
            if len(of_role) < len(wanted):
                raise InputError(
                    "a network that ships did not score all records that it did not train on: "
                    "train it anew"
                )
            scores.append(of_role[of_role["id"].map(roles) == role])
    by_id = pd.concat(scores).groupby("id")["score"]
    table = (
        records[["id", "label"]]
        .assign(
            role=records["id"].map(roles).fillna(""),
            length=records["sequence"].str.len(),
            collection=records["file"].map(lambda path: Path(path).name.split(".")[0]),
            score=records["id"].map(by_id.mean()),
        )
        .join(origins_of(records, origins)[["cut", "trust"]])
    )
    return table[list(SCORED_RECORDS)].astype(SCORED_RECORDS)


def calibrate_kingdom(
    scored: pd.DataFrame,
    weights: Sequence[str | Path],
    genomes: Mapping[str, Mapping[str, Mapping[str, Any]]],
    scanned: tuple[Sequence[float], Sequence[str]] = ((), ()),
) -> KingdomWeights:
    """Calibrate the networks of a kingdom by the validation records.

    All of them calibrate probabilities of candidates. Those that are cut as a scan does calibrate
    probabilities of hairpins of a genome and choose the thresholds of a scan. Without at least
    `FEWEST` negatives of this kind, the networks are not calibrated for a scan. A threshold needs
    so many of them that `REACHING` of them reach it.

    Parameters
    ----------
    scored
        Result of `score_records`.
    weights
        Weights of the trainings that are shipped.
    genomes
        Kind of genome to collection to the collection's summary, with ``bases`` (searched) and
        ``hairpins`` (found there, on both strands). The evaluation records of these collections
        that are cut as a scan does show how many hairpins of such a genome are called; if there are
        none, the validation records do.
    scanned
        Result of `scanned_pre_mirnas` for the experiment of the first network, which chooses the
        stems that a scan folds; if it is empty, a scan folds all.

    Raises
    ------
    InputError
        If `mirpair.prediction.calibration.calibrate` raises one, or a collection of `genomes` has
        no such records or no number of hairpins.
    """
    validation = scored[scored["role"] == VALIDATE]
    candidates = calibrate(validation["label"], validation["score"])
    of_scan = validation[validation["cut"] == SCANNED]
    others = of_scan.loc[of_scan["label"] == 0, "score"]
    if len(others) < FEWEST or len(others) == len(of_scan):
        return KingdomWeights(weights, candidates, None, {}, {}, [], {})
    cuts = {
        name: float(others.quantile(1 - share))
        for name, share in FALSE_POSITIVES.items()
        if round(share * len(others)) >= REACHING
    }
    negatives = scored[(scored["label"] == 0) & (scored["cut"] == SCANNED)]
    found = {genome: _hairpins(parts, negatives) for genome, parts in genomes.items()}
    rates = {
        name: [_rate(genome, hairpins, cut) for genome, hairpins in found.items()]
        for name, cut in cuts.items()
    }
    curves = [_curve(genome, hairpins) for genome, hairpins in found.items()]
    genome = calibrate(of_scan["label"], of_scan["score"])
    stems: Mapping[FalsePositives, StemLimits] = {}
    if scanned[0]:
        stems = stems_to_fold(cuts, *scanned, load_networks(weights[0]).networks[0])
    return KingdomWeights(weights, candidates, genome, cuts, rates, curves, stems)


def scanned_pre_mirnas(
    scored: pd.DataFrame, records: pd.DataFrame, experiment: pd.DataFrame
) -> tuple[list[float], list[str]]:
    """List the scores and the bases of pre-miRNAs that are cut as a scan does.

    They are those of `scored` (see `score_records`) that validate in an experiment.
    """
    validates = experiment.loc[experiment["role"] == VALIDATE, "id"]
    is_chosen = (scored["cut"] == SCANNED) & (scored["label"] == 1) & scored["id"].isin(validates)
    chosen = scored[is_chosen & scored["score"].notna()]
    bases = records.set_index("id")["sequence"]
    return chosen["score"].tolist(), bases.loc[chosen["id"]].tolist()


def stems_to_fold(
    called_from: Mapping[FalsePositives, float],
    scores: Sequence[float],
    rnas: Sequence[str],
    network: Network,
) -> dict[FalsePositives, StemLimits]:
    """Choose which stems a scan folds, from those of pre-miRNAs.

    Parameters
    ----------
    called_from
        The thresholds of a scan, see `calibrate_kingdom`, the lowest first.
    scores, rnas
        (N,): pre-miRNAs as a scan cuts them, and their scores.
    network
        The first of those that are shipped, which scores each as a scan finds it, not folded. It
        did not train on them.

    Returns
    -------
    dict
        For each threshold the limits by which `LOSS` of the pre-miRNAs that are called with it
        would be lost (half by the energy, and of the others half by the score), widened by
        `FLANKS_ENERGY` and `FLANKS_SCORE`. With fewer than 1 / `LOSS` such pre-miRNAs, the limits
        of the threshold below; without one, nothing.
    """
    hairpins = best_hairpins(rnas, HairpinCriteria(span=LONGEST_SPAN))
    stems = [(hairpin, score) for hairpin, score in zip(hairpins, scores, strict=True) if hairpin]
    encoded = [encode(it.bases, it.structure, it.energy) for it, _ in stems]
    of_stems = score_molecules([network], encoded)
    ranks = np.array([it.rank for it, _ in stems]) / 100
    folded = np.array([score for _, score in stems])
    chosen: dict[FalsePositives, StemLimits] = {}
    limits: StemLimits | None = None
    for name, cut in called_from.items():
        called = folded >= cut
        if called.sum() >= 1 / LOSS:
            energy = float(np.quantile(ranks[called], 1 - LOSS / 2))
            score = float(np.quantile(of_stems[called & (ranks <= energy)], LOSS / 2))
            limits = StemLimits(energy + FLANKS_ENERGY, score * FLANKS_SCORE)
        if limits:
            chosen[name] = limits
    return chosen


class _Hairpins(NamedTuple):
    """Hairpins of a kind of genome, which are a sample of those that a scan finds there.

    Attributes
    ----------
    scores, calls
        (N,) each: scores, and how many hairpins in a megabase each counts for.
    """

    scores: Floats
    calls: Floats


def _hairpins(parts: Mapping[str, Mapping[str, Any]], negatives: pd.DataFrame) -> _Hairpins:
    bases, scores, calls = 0.0, [], []
    for collection, summary in parts.items():
        if not summary.get("bases"):
            raise InputError(
                f"shipped.genomes: {collection!r} does not say in how many bases its hairpins were "
                "found; name collections with `source: genome-hairpins`"
            )
        of_collection = negatives[negatives["collection"] == collection]
        by_role = of_collection.groupby("role")["score"]
        role = EVALUATE if EVALUATE in by_role.groups else VALIDATE
        if role not in by_role.groups:
            raise InputError(
                f"shipped.genomes: no hairpin of {collection!r} that is cut as a scan does "
                "evaluates or validates"
            )
        scores.append(by_role.get_group(role).to_numpy(dtype=np.float64))
        bases += summary["bases"]
        calls.append(np.full(len(scores[-1]), summary["hairpins"] / len(scores[-1])))
    return _Hairpins(np.concatenate(scores), 1e6 * np.concatenate(calls) / bases)


def _rate(genome: str, hairpins: _Hairpins, cut: float) -> GenomeRate:
    called = float(hairpins.calls[hairpins.scores >= cut].sum())
    return GenomeRate(genome, float(hairpins.calls.sum()), len(hairpins.scores), called)


def _curve(genome: str, hairpins: _Hairpins) -> GenomeCurve:
    """Choose points of the curve: each of the highest scores, fewer and fewer of the lower ones."""
    order = np.argsort(-hairpins.scores, kind="stable")
    ranks = np.unique(np.geomspace(1, len(order), POINTS).astype(np.int64))[::-1] - 1
    scores, calls = hairpins.scores[order], np.cumsum(hairpins.calls[order])
    # Equal scores are reached by all of them.
    reached = np.searchsorted(-scores, -scores[ranks], side="right") - 1
    return GenomeCurve(genome, tuple(scores[ranks].tolist()), tuple(calls[reached].tolist()))
