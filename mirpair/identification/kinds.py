"""Measure all methods on each kind of RNA against each other kind."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import (
    AS_PUBLISHED,
    AT_CALLS,
    BASELINE_RUN,
    BASELINES,
    BOOSTING,
    BY_KIND,
    CURVES,
    EVALUATE,
    KINDS,
    SCANNED,
    UNKNOWN,
)
from mirpair.files import InputError
from mirpair.identification.datasets import origins_of
from mirpair.identification.ranking import RESAMPLES, Ranking, intervals

# The curves of each row, and the number of points that a curve has at most.
PRECISION, CALLS, RELIABILITY = "precision-recall", "calls", "reliability"
POINTS = 300
# Bins of scores of the reliability diagram, and fewest records in a bin that is shown.
BINS, FEWEST = 10, 20
# Columns that name a row of a table of kinds.
KEYS = ("kind of positives", "kind of negatives")
# Ends the name of a method whose score is the mean of several trainings.
ENSEMBLE = ", ensemble"
# Ends the name of a method whose score is the mean of a network and of gradient boosting.
AND_BOOSTING = ", averaged with gradient boosting"
_MEGABASE = 1_000_000

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Method:
    """A method, with its scores of all evaluation records.

    Attributes
    ----------
    name
        Its name in tables.
    run
        Values of model, recipe and epochs; of a baseline those of `mirpair.contracts.BASELINE_RUN`.
    scores
        (S, N): of S trainings whose metrics are averaged.
    seeds
        Number of trainings that the scores come from; more than S if they are averaged.
    """

    name: str
    run: Mapping[str, Any]
    scores: Floats
    seeds: int


def evaluation_records(
    experiment: pd.DataFrame,
    records: pd.DataFrame,
    origins: Mapping[str, pd.DataFrame],
    refs: Mapping[str, str],
) -> pd.DataFrame:
    """Join the evaluation records of an experiment with their origins.

    Parameters
    ----------
    experiment, records
        As read by `mirpair.contracts.read_experiment`, and `read_records` of the set that
        evaluates.
    origins
        FASTA file of a collection to the origins of its RNAs (`mirpair.contracts.read_origins`).
    refs
        FASTA file to its name in the config.

    Returns
    -------
    DataFrame
        Columns id, label, collection (name in the config), accession, species, family, cut and
        trust, with the names of the config for what is empty (`AS_PUBLISHED`, `UNKNOWN`).
    """
    evaluated = experiment.loc[experiment["role"] == EVALUATE, ["id"]]
    table = evaluated.merge(records, on="id", how="inner", validate="one_to_one")
    origin = origins_of(table, origins)
    table = table.join(origin)
    table["collection"] = table["file"].map(refs).fillna(table["file"])
    table["cut"] = table["cut"].replace("", AS_PUBLISHED)
    table["trust"] = table["trust"].replace("", UNKNOWN)
    return table[["id", "label", "collection", *origin]].reset_index(drop=True)


def choose(
    records: pd.DataFrame,
    label: int,
    kind: Mapping[str, Any],
    older: Mapping[str, Collection[str]],
    *,
    name: str,
) -> Mask:
    """Choose the records of a kind.

    Parameters
    ----------
    records, label
        Result of `evaluation_records`; 1 for pre-miRNAs, 0 for other RNAs.
    kind
        `mirpair.study.tables.RecordKind` as a dictionary.
    older
        File of an older release to the accessions in it.
    name
        Of the kind, for messages.

    Returns
    -------
    ndarray
        (N,), whether each record is of the kind. If none is, that is an `InputError`, which says
        which condition leaves none.
    """
    chosen = np.array(records["label"] == label)
    conditions = {
        "collections": records["collection"],
        "cuts": records["cut"],
        "trust": records["trust"],
        "species": records["species"].str.lower(),
    }
    for key, values in conditions.items():
        if kind[key] is None:
            continue
        wanted = [it.lower() for it in kind[key]] if key == "species" else kind[key]
        there = sorted(values[chosen].unique())
        chosen &= values.isin(wanted).to_numpy()
        if not chosen.any():
            raise InputError(
                f"the kind {name!r}: no evaluation record has `{key}: [{', '.join(kind[key])}]`; "
                f"those that the other keys leave have {', '.join(there[:12]) or 'none'}. Correct "
                "the kind, or the experiment"
            )
    if kind["newer_than"] is not None:
        chosen &= ~records["accession"].isin(set(older[kind["newer_than"]])).to_numpy()
    if not chosen.any():
        which = "pre-miRNA" if label else "other RNA"
        newer = f" is newer than {kind['newer_than']}" if kind["newer_than"] else " there is"
        raise InputError(
            f"the kind {name!r}: no {which} of the evaluation records{newer}; correct the kind, or "
            "the experiment"
        )
    return chosen


def methods_of(
    records: pd.DataFrame,
    runs: Sequence[Mapping[str, Any]],
    predictions: Sequence[pd.DataFrame],
    baselines: pd.DataFrame,
) -> list[Method]:
    """Gather the scores of all methods: networks in their order, then baselines.

    A network with several seeds is two methods: each of its trainings, whose metrics are averaged,
    and the ensemble, whose score is their mean. If gradient boosting is among the baselines, the
    mean of its score and that of a network (the ensemble, if there is one) is a method too.

    Parameters
    ----------
    records
        Result of `evaluation_records`.
    runs, predictions
        Of each training, or average of several, as `mirpair.study.plan.described_runs` and
        `described_averages` describe them: label, model, recipe, epochs, trainings; and its scores
        (id, score).
    baselines
        Columns id, and a score for each of some of `mirpair.contracts.BASELINES`.

    Raises
    ------
    InputError
        If an evaluation record has no score.
    """
    scores: dict[tuple[Any, ...], list[Floats]] = {}
    for run, table in zip(runs, predictions, strict=True):
        key = tuple(run[name] for name in ("label", "model", "recipe", "epochs", "trainings"))
        scores.setdefault(key, []).append(_aligned(records, table, "score", str(run["label"])))
    found = []
    for (label, model, recipe, epochs, trainings), scored in scores.items():
        run = {"model": model, "recipe": recipe, "epochs": epochs}
        every = np.array(scored)
        found.append(Method(label, run, every, len(every) * trainings))
        if len(every) > 1:
            name = f"{label}{ENSEMBLE}"
            found.append(Method(name, run, every.mean(axis=0, keepdims=True), len(every)))
    for name, label in BASELINES.items():
        if name in baselines:
            of_one = _aligned(records, baselines, name, label)[None]
            run = {"model": name, "recipe": BASELINE_RUN["recipe"], "epochs": 0}
            found.append(Method(label, run, of_one, 0))
            if name == BOOSTING:
                found += [_mean(it, of_one) for it in shown_methods(found) if it.seeds]
    return found


def _mean(network: Method, boosting: Floats) -> Method:
    """Average the scores of a network and of gradient boosting."""
    name = f"{network.name}{AND_BOOSTING}"
    return replace(network, name=name, scores=(network.scores + boosting) / 2)


def _aligned(records: pd.DataFrame, table: pd.DataFrame, column: str, name: str) -> Floats:
    """Return scores in the order of the records."""
    scores = table.set_index("id")[column].reindex(records["id"]).to_numpy(dtype=np.float64)
    if np.isnan(scores).any():
        missing = records["id"].iloc[int(np.isnan(scores).argmax())]
        raise InputError(f"{name} has no score of the evaluation record {missing!r}")
    return scores


def shown_methods(methods: Sequence[Method]) -> list[Method]:
    """Choose the methods of figures: of a network with several seeds the ensemble alone."""
    return [it for it in methods if len(it.scores) == 1]


def families_of(records: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Number the families of records; one without a family is a family of its own."""
    alone = pd.Series("\t" + records["id"], records.index)
    named = records["family"].where(records["family"] != "", alone)
    numbers: npt.NDArray[np.int64] = pd.factorize(named)[0]
    return numbers


def calls_per_megabase(
    records: pd.DataFrame, negatives: Mask, summaries: Mapping[str, Mapping[str, Any]]
) -> Floats | None:
    """Compute how many calls a megabase of genome each record counts for, if it is called.

    A collection of hairpins of a genome knows how many hairpins it found in how many bases (one
    strand counted once). Its evaluation records that are cut as a scan cuts them are a sample of
    these hairpins. With several collections the bases are those of all together.

    Parameters
    ----------
    records, negatives
        Result of `evaluation_records`, and which of them are the negatives.
    summaries
        Name of a collection to its summary; only those with ``hairpins`` and ``bases`` count.

    Returns
    -------
    ndarray
        (N,), 0 for records that do not count; None if there are no such negatives.
    """
    weights = np.zeros(len(records))
    bases = 0
    scanned = negatives & (records["cut"] == SCANNED).to_numpy()
    for name, summary in summaries.items():
        of_one = scanned & (records["collection"] == name).to_numpy()
        if of_one.any() and {"hairpins", "bases"} <= set(summary):
            weights[of_one] = summary["hairpins"] / of_one.sum()
            bases += summary["bases"]
    return weights * _MEGABASE / bases if bases else None


def recall_by_calls(positives: Floats, negatives: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Compute recall and calls a megabase at the score of each positive, from the highest.

    Parameters
    ----------
    positives, negatives, weights
        Scores of both, and calls a megabase that each negative counts for.

    Returns
    -------
    calls, recall
        (P,) each. What has at least the score of a positive is called.
    """
    order = np.argsort(-negatives, kind="stable")
    running = np.concatenate([[0.0], np.cumsum(weights[order])])
    thresholds = np.sort(positives)[::-1]
    calls = running[np.searchsorted(-negatives[order], -thresholds, "right")]
    reached = np.searchsorted(-thresholds, -thresholds, "right")
    return calls, reached / len(positives)


def recall_at_calls(calls: Floats, recall: Floats, at: float) -> float:
    """Return the highest recall with at most some calls a megabase; 0 if every recall has more."""
    return float(recall[calls <= at].max(initial=0.0))


def reliability(positives: Floats, negatives: Floats) -> tuple[Floats, Floats]:
    """Compute the share of pre-miRNAs among records with similar scores, both classes alike.

    Each class weighs the same in all, so that the share does not depend on how many records of each
    kind there are.

    Returns
    -------
    score, share
        (B,): mean score and share of pre-miRNAs, both weighted, of each of ten bins of the same
        width that has at least `FEWEST` records.
    """
    scores = np.concatenate([positives, negatives])
    is_positive = np.arange(len(scores)) < len(positives)
    weights = np.where(is_positive, 1 / len(positives), 1 / len(negatives))
    places = np.clip((scores * BINS).astype(int), 0, BINS - 1)
    count, total, share, mean = (
        np.bincount(places, it, BINS)
        for it in (np.ones(len(scores)), weights, weights * is_positive, weights * scores)
    )
    shown = count >= FEWEST
    return mean[shown] / total[shown], share[shown] / total[shown]


def measure_kinds(
    table: Mapping[str, Any],
    records: pd.DataFrame,
    methods: Sequence[Method],
    older: Mapping[str, Collection[str]],
    summaries: Mapping[str, Mapping[str, Any]],
    *,
    resamples: int = RESAMPLES,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure every method on every row of a table of kinds.

    Parameters
    ----------
    table
        `mirpair.study.tables.Kinds` as a dictionary.
    records, methods
        Results of `evaluation_records` and `methods_of`.
    older, summaries
        As `choose` and `calls_per_megabase` take them.
    resamples
        Of `mirpair.identification.ranking.intervals`.

    Returns
    -------
    results
        Columns `mirpair.contracts.KINDS`: a line for each row and method, with the number of
        records of both kinds and of families of the positives; metrics, averaged over trainings,
        with 95 % intervals; and recall at some calls a megabase (missing if these are not known).
    curves
        Columns `mirpair.contracts.CURVES`: points of the curves of the methods that figures show.
    """
    kinds = {
        (label, name): choose(records, int(label == "positives"), kind, older, name=name)
        for label in ("positives", "negatives")
        for name, kind in table[label].items()
        if any(name == row[label == "negatives"] for row in table["rows"])
    }
    lines, curves = [], []
    for names in table["rows"]:
        positive, negative = kinds["positives", names[0]], kinds["negatives", names[1]]
        families = families_of(records[positive])
        rankings = [
            [Ranking(one[positive], one[negative]) for one in method.scores] for method in methods
        ]
        limits = intervals(rankings, families, int(negative.sum()), resamples=resamples)
        density = calls_per_megabase(records, negative, summaries)
        shared = {
            **dict(zip(KEYS, names, strict=True)),
            "positives": int(positive.sum()),
            "families": int(families.max()) + 1,
            "negatives": int(negative.sum()),
        }
        for method, ranked, ends in zip(methods, rankings, limits, strict=True):
            line = {**shared, "method": method.name, **method.run}
            line |= {"seeds": method.seeds, "averaged": len(method.scores)}
            values = np.mean([it.values() for it in ranked], axis=0)
            for metric, value, (low, high) in zip(BY_KIND, values, ends, strict=True):
                line |= {metric: value, f"{metric} low": low, f"{metric} high": high}
            line |= _at_calls(method, positive, density)
            lines.append(line)
        for method in shown_methods(methods):
            points = _curves(method.scores[0], positive, negative, density)
            curves += [
                pd.DataFrame({"x": x, "y": y}).assign(
                    curve=curve,
                    method=method.name,
                    recipe=method.run["recipe"],
                    **dict(zip(KEYS, names, strict=True)),
                )
                for curve, (x, y) in points.items()
            ]
    return pd.DataFrame(lines)[list(KINDS)], pd.concat(curves)[list(CURVES)]


def _at_calls(method: Method, positive: Mask, density: Floats | None) -> dict[str, float]:
    if density is None:
        return dict.fromkeys(AT_CALLS, math.nan)
    counted = density > 0
    curves = [
        recall_by_calls(one[positive], one[counted], density[counted]) for one in method.scores
    ]
    return {
        name: float(np.mean([recall_at_calls(*curve, at) for curve in curves]))
        for name, at in AT_CALLS.items()
    }


def _curves(
    scores: Floats, positive: Mask, negative: Mask, density: Floats | None
) -> dict[str, tuple[Floats, Floats]]:
    """Compute x and y of each curve of a method in one row."""
    ranking = Ranking(scores[positive], scores[negative])
    recall = ranking.reached / positive.sum()
    precision = ranking.reached / (ranking.reached + ranking.at_least)
    curves = {PRECISION: _thin(recall, precision)}
    if density is not None:
        counted = density > 0
        points = recall_by_calls(scores[positive], scores[counted], density[counted])
        curves[CALLS] = _thin(*points)
    return {**curves, RELIABILITY: reliability(scores[positive], scores[negative])}


def _thin(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Choose at most `POINTS` points, evenly, the first and the last among them."""
    places = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).round().astype(int))
    return x[places], y[places]
