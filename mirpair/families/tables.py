"""Build the tables of a families study: accuracy, rejection, speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mirpair.contracts import EVALUATE, VALIDATE, read_speed
from mirpair.families.family_calls import (
    ALL,
    ALL_KINDS,
    BY_MODELS,
    CONTAINMENT_BANDS,
    INFERNAL,
    MIRGENEDB,
    NEAREST,
    SCORES,
    Scored,
    accuracy,
    in_trained_family,
    outlier_kinds,
    rejection,
    sensitivity_difference,
)
from mirpair.families.methods import INPUTS, Called
from mirpair.families.model_files import BY_MODEL, BY_PROFILE

FAR = next(iter(CONTAINMENT_BANDS))
# Goals for a network: accuracy for RNAs far from all training records, share of the trained
# families that is accepted at 5 % false positives, and speed as a multiple of Infernal's.
FAR_ACCURACY, ACCEPTED, FASTER = 0.90, 0.95, 50
_RATES = ("accepted", "sensitivity", "false positives")


def _accuracy(called: Called, against: pd.DataFrame | None = None) -> pd.DataFrame:
    """Measure the mean accuracy over seeds, its interval, and its gain over another method.

    The bootstrap draws each family with the calls of all seeds.
    """
    seeds = range(len(called.calls))

    def of_seeds(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
        named = [it.assign(id=it["id"] + f" {n}") for n, it in enumerate(tables)]
        return pd.concat(named, ignore_index=True)

    table = accuracy(
        of_seeds([called.queries for _ in seeds]),
        of_seeds(called.calls),
        against=None if against is None else of_seeds([against for _ in seeds]),
    )
    return table.assign(records=table["records"] // len(seeds)).drop(columns="correct")


def accuracy_table(
    called: Sequence[Called], splits: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Measure how often each method names the right family, by experiment and band.

    Parameters
    ----------
    called
        Result of `mirpair.families.methods.gather_called`.
    splits
        Experiment to its section of the config (`mirpair.study.families.FamilySplit`), as a
        dictionary.

    Returns
    -------
    DataFrame
        A row for each method, experiment and band of containment (and all): experiment, split,
        training (records per family), families (their number), method, source, input, seeds,
        band, records, accuracy (mean over seeds), low and high (its 95 % interval, see
        `mirpair.families.family_calls.accuracy`), baseline (accuracy of the 8-mer nearest neighbour
        on the same records), gain with gain low and gain high (accuracy minus the baseline's, with
        the interval of the difference) and best (no other method with all families is better in
        this experiment and band).
    """
    parts = []
    for one in called:
        known = one.queries[in_trained_family(one.queries) & (one.queries["role"] == EVALUATE)]
        baseline = accuracy(one.queries, one.queries)["accuracy"]
        about = {
            "experiment": one.experiment,
            "split": splits[one.experiment]["split"],
            "training": splits[one.experiment]["training"],
            "families": known["family"].nunique(),
            "method": one.method,
            "source": one.source,
            "input": INPUTS[one.method],
            "seeds": len(one.calls),
        }
        parts.append(_accuracy(one).assign(baseline=baseline, **about)[[*about, *_OF_BAND]])
    table = pd.concat(parts, ignore_index=True)
    comparable = table["accuracy"].where(table["method"] != MIRGENEDB)
    top = comparable.groupby([table["experiment"], table["band"]], sort=False).transform("max")
    return table.assign(best=(comparable == top) & comparable.notna())


_OF_BAND = [
    *("band", "records", "accuracy", "low", "high", "baseline"),
    *("gain", "gain low", "gain high"),
]


def sizes_table(table: pd.DataFrame, series: Sequence[str]) -> pd.DataFrame:
    """Select accuracies of `accuracy_table` by number of training records, for all bands together.

    The experiments of a series differ in that number only, see
    `mirpair.study.families.FamilyStudy.series`.
    """
    rows = table[table["experiment"].isin(series) & (table["band"] == ALL)]
    return rows.sort_values("training", kind="stable", ignore_index=True)


def rejection_table(called: Sequence[Called]) -> pd.DataFrame:
    """Measure how well each score of each method separates trained families from other RNAs.

    Experiments without outliers or without validation records are left out.

    Returns
    -------
    DataFrame
        A row for each experiment, method, score and kind of outlier: experiment, method, source,
        score, then the columns of `mirpair.families.family_calls.rejection` (means over seeds),
        validation AUROC, best (the method's best score by validation AUROC of all kinds, so that
        evaluation records choose nothing) and overall (the best of all methods).
    """
    parts = []
    for one in called:
        roles = one.queries.groupby(in_trained_family(one.queries))["role"].agg(set)
        if len(roles) < 2 or any({VALIDATE, EVALUATE} - of for of in roles):
            continue
        # The same rates on the validation records.
        other = {VALIDATE: EVALUATE, EVALUATE: VALIDATE}
        swapped = one.queries.assign(role=one.queries["role"].map(other))
        for score in one.scores:
            evaluated = [rejection(one.queries, calls, score) for calls in one.calls]
            validated = [rejection(swapped, calls, score)[["kind", "AUROC"]] for calls in one.calls]
            means = pd.concat(evaluated).groupby("kind", sort=False).mean().reset_index()
            auroc = pd.concat(validated).groupby("kind", sort=False)["AUROC"].mean()
            means["validation AUROC"] = means["kind"].map(auroc)
            about = {"experiment": one.experiment, "method": one.method, "source": one.source}
            about["score"] = SCORES[score]
            parts.append(means.assign(**about)[[*about, *means.columns]])
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    pooled = table["validation AUROC"].where(table["kind"] == ALL_KINDS)
    keys = [table["experiment"], table["method"], table["score"]]
    table["records"] = table["records"].astype(int)
    of_score = pooled.groupby(keys).transform("max")
    own = of_score.groupby(keys[:2]).transform("max")
    top = of_score.where(table["method"] != MIRGENEDB).groupby(keys[:1]).transform("max")
    return table.assign(best=of_score == own, overall=of_score == top)


def differences_table(called: Sequence[Called], rejections: pd.DataFrame) -> pd.DataFrame:
    """Compare each method with Infernal on the same records.

    `called` and `rejections` are the results of `mirpair.families.methods.gather_called` and of
    `rejection_table`, whose best score of each method is compared with Infernal's bits.

    Returns
    -------
    DataFrame
        A row for each experiment with Infernal, other method with all families, and measure:
        experiment, method, source, measure (accuracy, or sensitivity at 5 % false positives), of (a
        band of containment, or a kind of outliers), records, difference (the method's value minus
        Infernal's, mean over seeds), low and high (its 95 % interval of a bootstrap, see
        `mirpair.families.family_calls.accuracy` and `sensitivity_difference`; NaN if the accuracies
        do not differ).
    """
    infernal = {one.experiment: one for one in called if one.method == INFERNAL}
    lines: list[dict[str, Any]] = []
    for one in called:
        other = infernal.get(one.experiment)
        if other is None or one.method in (INFERNAL, MIRGENEDB):
            continue
        about = {"experiment": one.experiment, "method": one.method, "source": one.source}
        for row in _accuracy(one, other.calls[0]).to_dict("records"):
            values = {"difference": row["gain"], "low": row["gain low"], "high": row["gain high"]}
            of = {"measure": "accuracy", "of": row["band"], "records": row["records"]}
            lines.append(about | of | values)
        if rejections.empty or one.experiment not in set(rejections["experiment"]):
            continue
        chosen = rejections[rejections["best"] & (rejections["experiment"] == one.experiment)]
        name = chosen.loc[chosen["method"] == one.method, "score"].iloc[0]
        score = next(key for key, text in SCORES.items() if text == name)
        ours = [Scored(calls, score) for calls in one.calls]
        known = one.queries[in_trained_family(one.queries) & (one.queries["role"] == EVALUATE)]
        for kind in [*outlier_kinds(one.queries), ALL_KINDS]:
            theirs = Scored(other.calls[0], "bits")
            difference, low, high = sensitivity_difference(one.queries, ours, theirs, kind)
            of = {"measure": "sensitivity", "of": kind, "records": len(known)}
            lines.append(about | of | {"difference": difference, "low": low, "high": high})
    return pd.DataFrame(lines)


def decisions_table(called: Sequence[Called]) -> pd.DataFrame:
    """Count what decided the calls by models, of evaluation records, all seeds together.

    Returns
    -------
    DataFrame
        A row for each experiment and what decided (`mirpair.families.covariance.Decision`, empty
        without bits): experiment, decided, known (records of trained families), right (share of
        these), others (RNAs of no trained family).
    """
    lines = []
    for one in called:
        if one.method != BY_MODELS:
            continue
        queries = one.queries[one.queries["role"] == EVALUATE].drop(columns="called")
        every = pd.concat([queries.merge(calls, on="id") for calls in one.calls])
        is_known = in_trained_family(every)
        for decided in (BY_PROFILE, BY_MODEL, ""):
            rows = every["decided"] == decided
            known = every[rows & is_known]
            line = {"experiment": one.experiment, "decided": decided, "known": len(known)}
            line["right"] = (known["called"] == known["family"]).mean()
            lines.append(line | {"others": int((rows & ~is_known).sum())})
    return pd.DataFrame(lines)


def infernal_table(
    accuracies: pd.DataFrame, rejections: pd.DataFrame, speed: pd.DataFrame, experiment: str
) -> pd.DataFrame:
    """Compare all methods with Infernal on one experiment: accuracy, rejection, speed.

    The covariance models are built from the training records of that experiment.

    Returns
    -------
    DataFrame
        A row for each method: experiment, method, source, input, families, records, accuracy, low,
        high; for its best score, at 5 % false positives of all kinds: score, accepted,
        sensitivity, false positives; folding (share of the time on one core); and for each number
        n of cores ``rate n`` (RNAs per second) and ``ratio n`` (to Infernal's).
    """
    rows = accuracies[(accuracies["experiment"] == experiment) & (accuracies["band"] == ALL)]
    columns = ["experiment", "method", "source", "input", "families", "records"]
    table = rows[[*columns, "accuracy", "low", "high"]].reset_index(drop=True)
    if len(rejections):
        chosen = rejections[rejections["best"] & (rejections["kind"] == ALL_KINDS)]
        chosen = chosen[chosen["experiment"] == experiment]
        rates = chosen.drop_duplicates("method")[["method", "score", *_RATES]]
        table = table.merge(rates, on="method", how="left")
    most = speed[speed["families"] == speed["families"].max()].assign(
        rate=lambda t: t["sequences"] / t["seconds"], share=lambda t: t["folding"] / t["seconds"]
    )
    one = most[most["cores"] == most["cores"].min()].set_index("method")
    table["folding"] = table["method"].map(one["share"])
    for cores, rows in most.groupby("cores"):
        by_method = rows.set_index("method")["rate"]
        table[f"rate {cores}"] = table["method"].map(by_method)
        table[f"ratio {cores}"] = table[f"rate {cores}"] / by_method.get(INFERNAL, np.nan)
    return table


def growth_table(speed: pd.DataFrame) -> pd.DataFrame:
    """Compute the seconds per RNA: columns method, families, cores, sequences, seconds each."""
    table = speed.assign(each=speed["seconds"] / speed["sequences"])
    table = table.rename(columns={"each": "seconds each"}).drop(columns=["seconds", "folding"])
    order = {name: place for place, name in enumerate(INPUTS)}
    return table.sort_values(
        ["method", "cores", "families"],
        key=lambda of: of.map(order) if of.name == "method" else of,
        kind="stable",
        ignore_index=True,
    )


def study_tables(
    called: Sequence[Called],
    splits: Mapping[str, Mapping[str, Any]],
    *,
    shown: Sequence[str],
    series: Sequence[str] = (),
    speed: Sequence[str] = (),
) -> dict[str, pd.DataFrame]:
    """Build all tables of a study, by name.

    `called` and `splits` are as in `accuracy_table`, `series` as in `sizes_table`; `shown` are the
    experiments in the table of accuracies, and `speed` is ``speed/<experiment>.tsv`` of the
    experiment with Infernal, or nothing.
    """
    accuracies = accuracy_table(called, splits)
    tables = {
        "accuracy": accuracies[accuracies["experiment"].isin(shown)],
        "sizes": sizes_table(accuracies, series),
        "rejection": rejection_table(called),
    }
    if any(one.method == BY_MODELS for one in called):
        tables["decisions"] = decisions_table(called)
    for path in speed:
        measured = read_speed(path)
        experiment = Path(path).stem
        tables["infernal"] = infernal_table(accuracies, tables["rejection"], measured, experiment)
        tables["differences"] = differences_table(called, tables["rejection"])
        tables["growth"] = growth_table(measured)
    return tables


def reaches_baseline(rows: pd.DataFrame) -> bool | None:
    """Tell whether a method reaches the baseline in all bands; None for the baseline itself.

    The rows are those of `accuracy_table` for one method and experiment.
    """
    if (rows["method"] == NEAREST).all():
        return None
    bands = rows[(rows["band"] != ALL) & (rows["records"] > 0)]
    return bool((bands["accuracy"] >= bands["baseline"]).all())


def is_far_right(rows: pd.DataFrame) -> bool | None:
    """Tell whether a method is above 0.90 far from all training records; None without such records.

    The rows are as in `reaches_baseline`.
    """
    far = rows[(rows["band"] == FAR) & (rows["records"] > 0)]
    return None if far.empty else bool((far["accuracy"] > FAR_ACCURACY).all())
