"""Write the report of an identification study: one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mirpair.contracts import METRICS, RANKING
from mirpair.identification.comparison import ABOVE, BELOW, INSIDE, agreement
from mirpair.identification.kind_tables import best_of_kinds
from mirpair.identification.tables import is_of_kinds, marked, printable
from mirpair.pages.page import Picture, StudyInfo, render_study
from mirpair.pages.printing import (
    BASELINE,
    OURS,
    PUBLISHED,
    Printable,
    html_table,
    ranges,
    section_parts,
)

_MEANING = {
    PUBLISHED: "from the paper, or from where the note says",
    OURS: "trained by this software",
    BASELINE: "without a network",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report, with its figure if there is one.

    Attributes
    ----------
    name, title
        Name of its files, and its heading.
    table
        Result of `mirpair.identification.tables.make_table`.
    figure, text
        SVG file, and sentences above the table.
    """

    name: str
    title: str
    table: pd.DataFrame
    figure: Path | None = None
    text: str = ""


def _is_of_results(table: pd.DataFrame) -> bool:
    return "reproduces" in table


def compare(sections: Sequence[Section]) -> pd.DataFrame:
    """Compare each of our rows with the published row that it reproduces, if there is one.

    Returns
    -------
    DataFrame
        Columns table, method, protocol, note, model, recipe, whole (see
        `mirpair.identification.comparison.results_table`), and for AUROC and AUPR the published
        value, ours, low and high of its interval, whether they agree, and ours minus the published
        value.
    """
    copied = ("method", "protocol", "note", "model", "recipe", "whole")
    lines = []
    for section in sections:
        table = section.table
        if not _is_of_results(table):
            continue
        published_rows = {
            (row["method"], row["protocol"]): row
            for row in table[table["source"] == PUBLISHED].to_dict("records")
        }
        for ours in table[table["source"] == OURS].to_dict("records"):
            line = {key: ours[key] for key in copied}
            published = published_rows.get((ours["reproduces"], ours["protocol"]), {})
            for metric in RANKING:
                line[f"{metric} published"] = published.get(metric, float("nan"))
                line[f"{metric} here"] = ours[metric]
                line |= {f"{metric} {of}": ours[f"{metric} {of}"] for of in ("low", "high")}
                line[f"{metric} agrees"] = ours[f"{metric} agrees"]
                difference = ours[metric] - line[f"{metric} published"]
                line[f"{metric} difference"] = round(difference, 6)  # the decimals of tables
            lines.append({"table": section.title, **line})
    numbers = ("published", "here", "low", "high", "difference")
    types = {f"{m} {of}": float for m in RANKING for of in numbers}
    columns = ["table", *copied, *types, *(f"{m} agrees" for m in RANKING)]
    return pd.DataFrame(lines, columns=columns).astype({"whole": bool, **types})


def answer(sections: Sequence[Section]) -> tuple[str, list[str]]:
    """Say whether the study reproduced the paper: a headline, and sentences that support it.

    Each recipe has its own sentences; the headline is about the first. Only rows that were trained
    in full count.
    """
    rows = compare(sections)
    reproduced = rows.dropna(subset=[f"{metric} published" for metric in RANKING])
    if reproduced.empty:
        return _best(sections, rows)
    tables = pd.concat([section.table for section in sections if _is_of_results(section.table)])
    every_cell, ranking = agreement(tables), agreement(tables, RANKING)
    headlines: list[str] = []
    sentences: list[str] = []
    for recipe in reproduced["recipe"].drop_duplicates():
        every = reproduced[reproduced["recipe"] == recipe]
        counted = every[every["whole"]].dropna(subset=[f"{m} here" for m in RANKING])
        if counted.empty or not ranking.loc[recipe, "cells"]:
            headlines.append(
                f"not answered yet: of the {len(every)} rows that the paper also has, none is "
                f"trained in full (recipe {recipe})."
            )
            continue
        counts, ranked = every_cell.loc[recipe], ranking.loc[recipe]
        headlines.append(
            f"the published value is inside our 95 % interval in {ranked[INSIDE]} of "
            f"{ranked['cells']} cells of AUROC and AUPR, and in {counts[INSIDE]} of "
            f"{counts['cells']} of all seven metrics (recipe {recipe})."
        )
        by_metric = {metric: agreement(tables, [metric]).loc[recipe] for metric in METRICS}
        for side in (ABOVE, BELOW):
            by_name = [f"{m} {row[side]}" for m, row in by_metric.items() if row[side]]
            if by_name:
                sentences.append(
                    f"Our interval lies {side} the published value in {counts[side]} of "
                    f"{counts['cells']} cells (recipe {recipe}): {', '.join(by_name)}."
                )
        for metric in RANKING:
            difference = counted[f"{metric} difference"]
            far = counted.iloc[int(difference.abs().to_numpy().argmax())]
            mean = difference.mean()
            side = "higher" if mean >= 0 else "lower"
            sentences.append(
                f"{metric}, recipe {recipe}: on average ours is {abs(mean):.3f} {side}. The "
                f"largest difference is that of {far['method']} ({far['protocol']}, "
                f"{far['table'].lower()}): {far[f'{metric} here']:.3f} here and "
                f"{far[f'{metric} published']:.3f} published."
            )
    first, *others = [text[0].upper() + text[1:] for text in headlines]
    return f"Did it reproduce? {first}", [
        *others,
        *sentences,
        *_claim(rows),
        *_baselines(sections),
        *_doubts(sections),
        *_unfinished(reproduced),
    ]


def _unfinished(rows: pd.DataFrame) -> list[str]:
    short = int((~rows["whole"]).sum())
    sentence = (
        f"{short} of {len(rows)} rows had fewer epochs than their recipe, or fewer folds than "
        "their experiment. The tables mark them, and they do not count here."
    )
    return [sentence] if short else []


def _claim(rows: pd.DataFrame) -> list[str]:
    """Say whether the pairing matrix helps, which is the paper's main claim.

    Compares the same network with and without it, trained in full by the same recipe.
    """
    gains = []
    for _, group in rows[rows["whole"]].groupby(["table", "protocol", "recipe"], sort=False):
        by_model = group.drop_duplicates("model").set_index("model")["AUPR here"]
        if {"variable", "without-pairing"} <= set(by_model.dropna().index):
            gains.append(by_model["variable"] - by_model["without-pairing"])
    if not gains:
        return []
    return [
        "The variable-sized network has a higher AUPR with the pairing matrix than without it in "
        f"{sum(gain > 0 for gain in gains)} of {len(gains)} comparisons, on average by "
        f"{sum(gains) / len(gains):+.3f}."
    ]


def _best(sections: Sequence[Section], rows: pd.DataFrame) -> tuple[str, list[str]]:
    """Write the headline of a study without published values."""
    ranked = rows.dropna(subset=["AUPR here"])
    of_kinds = best_of_kinds({it.title: it.table for it in sections if is_of_kinds(it.table)})
    # The config's first table is what the study is about.
    first = next((it.table for it in sections if _has_methods(it.table)), None)
    if of_kinds and (ranked.empty or (first is not None and is_of_kinds(first))):
        headline, *others = of_kinds
        compared = [*others, *_baselines(sections), *_claim(rows), *_doubts(sections)]
        return f"Best method by AUPR. {headline}", [*compared, *_unfinished(rows)]
    if ranked.empty:
        return "There is no table of results in which AUPR is defined.", _unfinished(rows)
    full = ranked[ranked["whole"]]
    counted = ranked if full.empty else full
    # One for each split, because records of another split are easier or harder for all networks.
    best = counted.loc[counted.groupby(["table", "protocol"], sort=False)["AUPR here"].idxmax()]
    several = best["table"].nunique() > 1
    winners = "; ".join(
        f"{row['method']} ({row['protocol']}{', ' + row['table'] if several else ''}), "
        f"AUPR {row['AUPR here']:.3f}, AUROC {row['AUROC here']:.3f}"
        for row in best.to_dict("records")
    )
    headline = f"Best network by AUPR: {winners}."
    if full.empty:
        headline = f"Nothing is trained in full yet; best network by AUPR so far: {winners}."
    short = _unfinished(rows) if len(full) else []
    compared = [*of_kinds, *_baselines(sections), *_claim(rows)]
    return headline, [*compared, *_doubts(sections), *short]


def _has_methods(table: pd.DataFrame) -> bool:
    return is_of_kinds(table) or _is_of_results(table)


def _baselines(sections: Sequence[Section]) -> list[str]:
    """Compare networks with the best baseline on the same records."""
    above, best = [], []
    for table in (it.table for it in sections if _is_of_results(it.table)):
        for _, rows in table.dropna(subset=["AUPR"]).groupby("protocol", sort=False):
            without = rows[rows["source"] == BASELINE]
            networks = rows[(rows["source"] == OURS) & rows["whole"]]
            if len(without) and len(networks):
                best.append(without.iloc[int(without["AUPR"].to_numpy().argmax())])
                above += (networks["AUPR"] > best[-1]["AUPR"]).tolist()
    if not best:
        return []
    baselines = ", ".join(f"{row['method']} {row['AUPR']:.3f}" for row in best)
    return [
        f"{sum(above)} of {len(above)} rows of networks have a higher AUPR than the best baseline "
        f"on the same records ({baselines})."
    ]


def _doubts(sections: Sequence[Section]) -> list[str]:
    """Warn of evaluation records that a network may know from training, or cannot learn."""
    for section in sections:
        if "in training" not in section.table:
            continue
        count = section.table.sum(numeric_only=True)
        same, both = int(count["in training"]), int(count["in both classes"])
        total = int(count["positives"] + count["negatives"])
        if same or both:
            return [
                f"Of {total:,} evaluation records, {same} have the same sequence as a training "
                f"record, and {both} a sequence that also occurs in the other class: see "
                f"“{section.title}” before you trust a number."
            ]
    return []


def _glance(rows: pd.DataFrame) -> Printable:
    """Show our rows beside the published values that they reproduce."""
    shown = pd.DataFrame({"Table": rows["table"], "Method": rows["method"]}).astype(object)
    shown["Method"] += " (" + rows["protocol"] + ")"
    for metric in RANKING:
        shown[f"{metric} published"] = rows[f"{metric} published"].map("{:.3f}".format)
        shown[f"{metric} here"] = marked(rows, f"{metric} here", f"{metric} agrees")
        shown[f"{metric} difference"] = rows[f"{metric} difference"].map("{:+.3f}".format)
    below = {f"{m} here": ranges(rows[f"{m} low"], rows[f"{m} high"]) for m in RANKING}
    kinds = ["" if whole else "short" for whole in rows["whole"]]
    return Printable("At a glance", rows, shown, kinds, below=pd.DataFrame(below))


def render(
    study: StudyInfo,
    sections: Sequence[Section],
    pictures: Sequence[Picture],
    taken: int,
    sets: Mapping[str, Mapping[str, Any]],
) -> str:
    """Write the page as HTML.

    Parameters
    ----------
    study, sections, pictures
        The study; its tables and figures in their order.
    taken
        Number of trainings that are saved results from elsewhere.
    sets
        Contents of each set's summary.json: versions that folded it, and how many of its records
        were left out, by reason; the same for the collections that it consists of.
    """
    results = {it.name: it.table for it in sections if _is_of_results(it.table)}
    present = {source for table in results.values() for source in table["source"]}
    collections = {
        name: counts for it in sets.values() for name, counts in it.get("collections", {}).items()
    }
    compared = compare(sections).dropna(subset=["AUROC published"])
    return render_study(
        "report",
        study,
        answer(sections),
        versioned=list(sets.values()),
        glance=None if compared.empty else html_table(_glance(compared)),
        sections=[
            section_parts(it.name, printable(it.table, it.title), it.text, it.figure)
            for it in sections
        ],
        pictures=pictures,
        taken=taken,
        dropped={
            name: (sum(it["dropped"].values()), _reasons(it["dropped"]))
            for name, it in sets.items()
            if it["dropped"]
        },
        collections=[
            (name, f"{counts['rnas']:,}", _reasons(counts["left_out"]) or "none")
            for name, counts in collections.items()
        ],
        key_at=f"table-{next(iter(results), '')}",
        meaning={name: text for name, text in _MEANING.items() if name in present},
    )


def _reasons(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{count:,} {why}" for why, count in counts.items())
