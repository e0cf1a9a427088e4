"""Write the report of a families study: one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mirpair.families.display import printable
from mirpair.families.family_calls import (
    ALL,
    ALL_KINDS,
    INFERNAL,
    MIRGENEDB,
    NEAREST,
    OUTLIER_FALSE_POSITIVES,
    with_interval,
)
from mirpair.families.methods import WITH_STRUCTURE
from mirpair.families.tables import (
    ACCEPTED,
    FAR,
    FAR_ACCURACY,
    FASTER,
    is_far_right,
    reaches_baseline,
)
from mirpair.pages.page import Picture, StudyInfo, render_study
from mirpair.pages.printing import BASELINE, OTHER_PROGRAM, OURS, section_parts
from mirpair.recipes import FAMILY_MODELS

_MEANING = {
    OURS: "a network trained by this software",
    BASELINE: "without a network: the family of the training record that shares most 8-mers",
    OTHER_PROGRAM: "covariance models, run here",
}


class Goal(NamedTuple):
    """A goal for networks: whether one reaches it (None: not measured), and the numbers."""

    goal: str
    reached: bool | None
    result: str


def _top(rows: pd.DataFrame, column: str) -> dict[str, Any]:
    """Find the row with the highest value; the first of equal ones."""
    best = rows.iloc[int(np.nanargmax(rows[column].to_numpy()))]
    return {str(name): value for name, value in best.items()}


def goals(tables: Mapping[str, pd.DataFrame]) -> list[Goal]:
    """Check whether a network reaches the goals, on the first experiment with networks.

    Of the tables of `mirpair.families.tables.study_tables`, all but accuracy may be missing.
    """
    table = tables["accuracy"]
    first = table.loc[table["source"] == OURS, "experiment"].iloc[0]
    table = table[table["experiment"] == first]
    ours = table[table["source"] == OURS]
    by_method = {str(name): rows for name, rows in ours.groupby("method", sort=False)}
    checked = [_goal_of_bands(by_method), _goal_of_far(by_method, table)]
    rejections = tables.get("rejection")
    if rejections is not None and (rejections["source"] == OURS).any():
        checked.append(_goal_of_kinds(rejections))
    if "infernal" in tables:
        checked.append(_goal_of_speed(tables["infernal"]))
    return checked


def _goal_of_bands(by_method: Mapping[str, pd.DataFrame]) -> Goal:
    goal = f"At least as accurate as the {NEAREST} in every band of shared 8-mers"
    reached = [name for name, rows in by_method.items() if reaches_baseline(rows)]
    if reached:
        return Goal(goal, True, f"{', '.join(reached)}.")
    missed = {
        name: rows[(rows["band"] != ALL) & (rows["accuracy"] < rows["baseline"])]
        for name, rows in by_method.items()
    }
    nearest = min(missed, key=lambda name: len(missed[name]))
    bands = ", ".join(
        f"{row['band']}: {row['accuracy']:.3f} against {row['baseline']:.3f}"
        for row in missed[nearest].to_dict("records")
    )
    return Goal(goal, False, f"No network; the closest is {nearest}, which misses {bands}.")


def _goal_of_far(by_method: Mapping[str, pd.DataFrame], table: pd.DataFrame) -> Goal:
    goal = f"Accuracy above {FAR_ACCURACY:.2f} where the share of shared 8-mers is {FAR}"
    far = table[(table["band"] == FAR) & (table["records"] > 0)]
    if far.empty:
        return Goal(goal, None, "No evaluation record is so far from all training records.")
    best = _top(far[far["source"] == OURS], "accuracy")
    result = (
        f"{best['method']} {with_interval(best)} of {best['records']:,} records; {NEAREST} "
        f"{best['baseline']:.3f}"
    )
    for row in far[far["method"] == INFERNAL].to_dict("records"):
        result += f", {INFERNAL} {row['accuracy']:.3f}"
    return Goal(goal, any(is_far_right(rows) for rows in by_method.values()), f"{result}.")


def _goal_of_kinds(table: pd.DataFrame) -> Goal:
    goal = (
        f"At least {ACCEPTED:.2f} of the trained families accepted at "
        f"{OUTLIER_FALSE_POSITIVES:.0%} false positives, for each kind of outlier"
    )
    trained = table.loc[table["source"] == OURS, "experiment"].iloc[0]
    first = table[table["experiment"] == trained]
    of_kind = first[first["best"] & (first["kind"] != ALL_KINDS)]
    ours = of_kind[of_kind["source"] == OURS]
    best = _top(ours.loc[ours.groupby("method", sort=False)["accepted"].idxmin()], "accepted")
    result = (
        f"{best['method']}, {best['score']}: at least {best['accepted']:.3f} (lowest for "
        f"{best['kind']}, with {best['false positives']:.3f} false positives)"
    )
    for name in (NEAREST, INFERNAL):
        rows = of_kind[of_kind["method"] == name]
        if len(rows):
            result += f"; {name}: at least {rows['accepted'].min():.3f}"
    return Goal(goal, bool(best["accepted"] >= ACCEPTED), f"{result}.")


def _goal_of_speed(table: pd.DataFrame) -> Goal:
    quality = "sensitivity" if "sensitivity" in table else "accuracy"
    goal = f"At least {FASTER} times as fast as {INFERNAL} at no lower {quality}"
    ratios = [name for name in map(str, table.columns) if name.startswith("ratio ")]
    theirs = table[table["method"] == INFERNAL]
    rows = table[table["source"] == OURS].dropna(subset=ratios)
    if theirs.empty or rows.empty:
        return Goal(goal, None, "No network was timed with it.")
    needed, slowest = theirs[quality].iloc[0], rows[ratios].min(axis=1)
    result = "; ".join(
        f"{name} {value:.3f}, {ratio:,.0f} times"
        for name, value, ratio in zip(rows["method"], rows[quality], slowest, strict=True)
    )
    is_reached = bool(((slowest >= FASTER) & (rows[quality] >= needed)).any())
    return Goal(goal, is_reached, f"{INFERNAL} {quality} {needed:.3f}; {result}.")


def answer(tables: Mapping[str, pd.DataFrame]) -> tuple[str, list[str]]:
    """Write a headline, and sentences on encodings, scores and speed that support it.

    `tables` are as in `goals`.
    """
    table = tables["accuracy"]
    headlines, sentences = [], []
    for name, of in table[table["band"] == ALL].groupby("experiment", sort=False):
        networks = of[of["source"] == OURS]
        if networks.empty:
            continue
        best = _top(networks, "accuracy")
        side = "above" if best["accuracy"] > best["baseline"] else "not above"
        headlines.append(
            f"{best['method']} ({best['input']}) is the best network on {name}: its accuracy is "
            f"{with_interval(best)} on {best['records']:,} evaluation records of "
            f"{best['families']} families, {side} the {NEAREST} with {best['baseline']:.3f}."
        )
        sentences += _structure(str(name), table[table["experiment"] == name])
    if not headlines:
        headlines.append("No network is trained on an experiment with all families.")
    return headlines[0], [
        *headlines[1:],
        *sentences,
        *_sizes(tables.get("sizes")),
        *_scores(tables.get("rejection")),
        *_infernal(tables.get("infernal")),
    ]


def _structure(experiment: str, table: pd.DataFrame) -> list[str]:
    """Say whether structure helps: the same network with and without it, and the best of each."""
    rows = table[table["source"] == OURS].set_index(["method", "band"])["accuracy"]
    methods = list(dict.fromkeys(rows.index.get_level_values(0)))
    sentences = []
    same = [FAMILY_MODELS[name].label for name in ("variable", "without-pairing")]
    if set(same) <= set(methods):
        gains = [(band, rows[same[0], band] - rows[same[1], band]) for band in (ALL, FAR)]
        parts = [f"{gain:+.3f} ({band})" for band, gain in gains if not np.isnan(gain)]
        verb = "helps" if gains[0][1] > 0 else "does not help"
        sentences.append(
            f"The pairing matrix {verb} the variable-sized network on {experiment}: accuracy "
            f"{', '.join(parts)} over the same network without it."
        )
    groups = [[name for name in methods if (name in WITH_STRUCTURE) == has] for has in (1, 0)]
    if all(groups):
        best = [max(names, key=lambda name: rows[name, ALL]) for names in groups]
        more = "more" if rows[best[0], ALL] > rows[best[1], ALL] else "not more"
        sentences.append(
            f"The best network with structure as input ({best[0]}, {rows[best[0], ALL]:.3f}) is "
            f"{more} accurate on {experiment} than the best with the sequence only ({best[1]}, "
            f"{rows[best[1], ALL]:.3f})."
        )
    return sentences


def _sizes(table: pd.DataFrame | None) -> list[str]:
    if table is None or table[table["source"] == OURS].empty:
        return []
    parts = []
    for training, rows in table.groupby("training"):
        networks = rows[rows["source"] == OURS]
        if len(networks):
            best = _top(networks, "accuracy")
            parts.append(
                f"{best['accuracy']:.3f} with {training} training records ({best['method']}; "
                f"{NEAREST} {best['baseline']:.3f})"
            )
    return [f"For small families, the accuracy of the best network is {', '.join(parts)}."]


def _scores(table: pd.DataFrame | None) -> list[str]:
    if table is None or table.empty:
        return []
    pooled = table[table["kind"] == ALL_KINDS]
    sentences = []
    for name, rows in pooled.groupby("experiment", sort=False):
        networks = rows[rows["source"] == OURS]
        if networks.empty:
            continue
        best = _top(networks, "validation AUROC")
        same = networks[networks["method"] == best["method"]].to_dict("records")
        scores = ", ".join(f"{row['score']} {row['AUROC']:.3f}" for row in same)
        compared = rows[~rows["method"].isin([*networks["method"], MIRGENEDB])].to_dict("records")
        others = "; ".join(f"{row['method']} {row['AUROC']:.3f}" for row in compared)
        sentences.append(
            f"The network score that best separates trained families from other RNAs on {name} is "
            f"{best['score']} of {best['method']}, chosen on the validation records (AUROC on the "
            f"evaluation records, all kinds: {scores}; for comparison {others})."
        )
    return sentences


def _infernal(table: pd.DataFrame | None) -> list[str]:
    if table is None or INFERNAL not in set(table["method"]):
        return []
    networks = table[table["source"] == OURS]
    if networks.empty:
        return []
    theirs = table[table["method"] == INFERNAL].iloc[0]
    best = _top(networks, "accuracy")
    quality = "more" if best["accuracy"] > theirs["accuracy"] else "not more"
    speed = " and ".join(
        f"{ratio:,.0f} times as fast on {name.split()[1]} core{'s' if name != 'ratio 1' else ''}"
        for name, ratio in best.items()
        if name.startswith("ratio ") and not np.isnan(ratio)
    )
    return [
        f"{best['method']} is {quality} accurate than {INFERNAL} with models of the same "
        f"training records ({best['accuracy']:.3f} against {theirs['accuracy']:.3f})"
        + (f", and {speed}, including folding." if speed else ".")
    ]


def render(
    study: StudyInfo,
    tables: Mapping[str, pd.DataFrame],
    pictures: Sequence[Picture],
    texts: Mapping[str, str],
) -> str:
    """Write the page as HTML.

    Parameters
    ----------
    tables, pictures
        Results of `mirpair.families.tables.study_tables`, and figures, in the order of the page.
    texts
        Name of a table to the sentences above it.
    """
    words = {True: "reached", False: "missed", None: "not measured"}
    rows = [("", [goal, words[reached], result]) for goal, reached, result in goals(tables)]
    present = set(tables["accuracy"]["source"])
    return render_study(
        "families",
        study,
        answer(tables),
        goals={"header": ["Goal", "Reached", "Result"], "rows": rows},
        sections=[
            section_parts(name, printable(name, table), texts.get(name, ""))
            for name, table in tables.items()
        ],
        pictures=pictures,
        meaning={source: text for source, text in _MEANING.items() if source in present},
    )
