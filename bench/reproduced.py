"""The results in docs/reproduction, as the page about them reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from snakemake.utils import update_config

from mirpair.contracts import METRICS
from mirpair.identification.tables import read_table
from mirpair.pages.printing import OURS, PUBLISHED
from mirpair.study.load import load_study

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "reproduction"
CONFIGS = ("config.yaml", "reproduction.yaml")
RECIPES = ("paper", "published-code")
# Networks and sets of the paper, as the page calls them.
NETWORKS = {
    "variable": "variable-sized",
    "fixed": "fixed-sized",
    "without-pairing": "without pairing matrix",
}
# Rivals: method in our tables to the published rows that are shown beside it.
RIVALS = {
    "deepMiRGene": ("deepMiRGene, its own logs", "deepMiRGene-rerun"),
    "triplet-SVM": ("triplet-SVM",),
}
SETS = {"table2": "human", "table3": "cross-species", "table4": "new"}
COUNTS = {4: "four", 5: "five"}
# Experiments in the order of the paper, and the rows of Tables 2–4 that they are.
GROUPS = {
    "human-cv": ("human", "CV"),
    "human-test": ("human", "test"),
    "cross-species-cv": ("cross-species", "CV"),
    "cross-species-test": ("cross-species", "test"),
    "new-test": ("new", "test"),
}
# Methods of the study `clusters` that are shown, and the rows of the published split.
OF_CLUSTERS = {
    "variable": "variable-sized",
    "without-pairing": "without pairing matrix",
    "nearest-8-mer": "8-mer nearest neighbour",
    "random-forest": "random forest",
}
BEFORE = {"human": ("table2", "CV"), "cross-species": ("table3", "CV"), "new": ("table4", "test")}


def planned(names: Sequence[str] = CONFIGS, folder: str = "") -> dict[str, list[Path]]:
    """List the folders of the trainings that the tables show, by recipe; there may be more."""
    config: dict[str, Any] = {}
    for name in names:
        update_config(config, yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8")))
    runs: dict[str, list[Path]] = {}
    for run in load_study(config).plan():
        runs.setdefault(run.recipe, []).append(FOLDER / folder / "runs" / run.folder)
    return runs


def shown(name: str) -> pd.DataFrame:
    """Read a table of this folder."""
    return read_table(FOLDER / "tables" / f"{name}.csv")


def every_row() -> pd.DataFrame:
    """Read Tables 2–4, with a column set."""
    return pd.concat([shown(name).assign(set=of) for name, of in SETS.items()])


def results() -> pd.DataFrame:
    """Read our rows of the paper's networks, with the published value of each metric beside it."""
    tables = every_row()
    published = tables[tables["source"] == PUBLISHED]
    ours = tables[tables["source"] == OURS]
    keys = ["set", "protocol"]
    joined = ours.merge(
        published[[*keys, "method", *METRICS]],
        left_on=[*keys, "reproduces"],
        right_on=[*keys, "method"],
        suffixes=("", " stated"),
        validate="many_to_one",
    )
    return joined[joined["model"].isin(NETWORKS)]


def rows_of(table: pd.DataFrame, model: str, recipe: str) -> pd.DataFrame:
    """Choose the rows of a network and a recipe, in the order of the paper."""
    return table[(table["model"] == model) & (table["recipe"] == recipe)]


def cleaned(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Choose the rows of a method in the table of cleaned records, in the order of the paper."""
    return table[table["method"] == method].set_index("protocol").loc[list(GROUPS)]


def with_limits(row: Mapping[str, Any], metric: str) -> str:
    """Format a difference with its interval."""
    value, low, high = (signed(row[f"{metric}{it}"]) for it in ("", " low", " high"))
    return f"{value} ({low} to {high})"


def signed(value: float, digits: int = 3) -> str:
    """Format a difference with its sign; what rounds to 0 has none."""
    text = f"{value:+.{digits}f}"
    return text if float(text) else text[1:]
