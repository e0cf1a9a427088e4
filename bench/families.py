"""Write docs/families.md from the tables in docs/families (`python -m bench.families`).

`make families` and `python -m bench.annotated` make these tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from bench.genomes import ROOT
from bench.templates import fill
from mirpair.contracts import read_named_families
from mirpair.families.by_models import EACH
from mirpair.families.covariance import CLEAR, MOST_MODELS, SURE
from mirpair.families.family_calls import ALL, ALL_KINDS, BY_MODELS, INFERNAL, NEAREST
from mirpair.files import write_text
from mirpair.pages.printing import read_table

PAGE, FOLDER = ROOT / "docs" / "families.md", ROOT / "docs" / "families"
# Studies: the 164 families of the paper, and every family; with their folders below FOLDER.
STUDIES = {"paper": ".", "every": "every"}
ONE_HOT, STEM, JOINED = "One-hot", "Stem", "Sequence and stem"
WEIGHTS = ROOT / "weights"


class Study:
    """The tables of a study."""

    def __init__(self, folder: Path) -> None:
        self.tables = {path.stem: read_table(path) for path in folder.glob("*.csv")}

    def accuracy(self, experiment: str, method: str, band: str = ALL) -> dict[str, Any]:
        """Return the row of a method for an experiment and a band."""
        return _one(self.tables["accuracy"], experiment=experiment, method=method, band=band)

    def difference(self, experiment: str, method: str, of: str, measure: str) -> dict[str, Any]:
        """Return how far a method is from Infernal."""
        table = self.tables["differences"]
        return _one(table, experiment=experiment, method=method, of=of, measure=measure)

    def seconds(self, method: str, families: int, cores: int = 1) -> float:
        """Return the time of a method for one RNA, by the number of families."""
        row = _one(self.tables["growth"], method=method, families=families, cores=cores)
        return float(row["seconds each"])

    @property
    def sizes(self) -> list[int]:
        """List the numbers of families for which time was measured."""
        growth = self.tables["growth"]
        return sorted(int(it) for it in growth.loc[growth["method"] == BY_MODELS, "families"])


def _one(table: pd.DataFrame, **chosen: object) -> dict[str, Any]:
    for name, value in chosen.items():
        table = table[table[name] == value]
    if len(table) != 1:
        raise LookupError(f"{len(table)} rows for {chosen}")
    return {str(name): value for name, value in table.iloc[0].items()}


def with_limits(row: dict[str, Any], value: str = "accuracy", sign: str = "") -> str:
    """Format a value with its interval, if it has one."""
    text = f"{row[value]:{sign}.3f}"
    if pd.isna(row["low"]):
        return text
    between = " to " if sign else "–"
    return f"{text} ({row['low']:{sign}.3f}{between}{row['high']:{sign}.3f})"


def compared(studies: dict[str, Study], splits: Sequence[tuple[str, str, str]]) -> list[list[str]]:
    """Make a row for each experiment and band: name, records, ours, Infernal, the difference."""
    rows = []
    for study, experiment, name in splits:
        for band in (ALL, "below 0.3"):
            one = studies[study]
            ours = one.accuracy(experiment, BY_MODELS, band)
            rows.append(
                [
                    name if band == ALL else f"{name}, unlike all that trained",
                    f"{ours['records']:,}",
                    f"{ours['accuracy']:.3f}",
                    f"{one.accuracy(experiment, INFERNAL, band)['accuracy']:.3f}",
                    with_limits(
                        one.difference(experiment, BY_MODELS, band, "accuracy"), "difference", "+"
                    ),
                    f"{one.accuracy(experiment, ONE_HOT, band)['accuracy']:.3f}",
                    f"{one.accuracy(experiment, NEAREST, band)['accuracy']:.3f}",
                ]
            )
    return rows


def verdict(row: dict[str, Any]) -> str:
    """Say what a difference from Infernal means, by its interval."""
    if row["difference"] == 0 or row["low"] <= 0 <= row["high"]:
        return "As often right as Infernal"
    return "More often right than Infernal" if row["low"] > 0 else "Less often right than Infernal"


def facts() -> dict[str, Any]:
    """Compute all that the page says."""
    studies = {name: Study(FOLDER / folder) for name, folder in STUDIES.items()}
    families = read_named_families(FOLDER / "every" / "families.tsv")
    config = yaml.safe_load((ROOT / "config" / "every-family.yaml").read_text(encoding="utf-8"))
    # A family needs so many different RNAs for a model.
    at_least = config["experiments"]["every"]["at_least"]
    annotated = pd.read_csv(FOLDER / "annotated.tsv", sep="\t").set_index("kind")
    return {
        "studies": studies,
        "families": families,
        "with_models": int((families["records"] >= at_least).sum()),
        "single": int((families["records"] < at_least).sum()),
        "with_mirgenedb": int((families["mirgenedb"] != "").sum()),
        "annotated": annotated.to_dict("index"),
        "compared": lambda splits: compared(studies, splits),
        "with_limits": with_limits,
        "verdict": verdict(studies["every"].difference("every", BY_MODELS, ALL, "accuracy")),
        "ours": BY_MODELS,
        "infernal": INFERNAL,
        "nearest": NEAREST,
        "one_hot": ONE_HOT,
        "stem": STEM,
        "joined": JOINED,
        "all_kinds": ALL_KINDS,
        "each": EACH,
        "sure": SURE,
        "clear": CLEAR,
        "most_models": MOST_MODELS,
        "at_least": at_least,
        "structures": [ONE_HOT, STEM, JOINED, NEAREST, BY_MODELS, INFERNAL],
        "structure": structure(studies["paper"]),
        "rejected": [
            (kind, with_limits(row, "difference", "+"))
            for kind in rejected_kinds(studies["every"])
            for row in [studies["every"].difference("every", BY_MODELS, kind, "sensitivity")]
        ],
        "weights_mb": round(sum(it.stat().st_size for it in WEIGHTS.glob("families.*")) / 1e6),
        **by_size(studies["every"]),
    }


def structure(study: Study) -> str:
    """Say whether networks that see the duplex are more often right than the sequence alone."""
    one, both, stem = (study.accuracy("rfam-60-clusters", it) for it in (ONE_HOT, JOINED, STEM))
    helps = "It is not clear" if both["low"] <= one["high"] else "It helps"
    if both["high"] < one["low"]:
        helps = "It does harm"
    return (
        f"{helps}, if the network sees it beside the sequence: {with_limits(both)} of held-out "
        f"clusters with the duplex of the arms, {with_limits(one)} without, and "
        f"{with_limits(stem)} with the duplex alone."
    )


def rejected_kinds(study: Study) -> list[str]:
    """List the kinds of RNAs of no family, then all together."""
    table = study.tables["differences"]
    kinds = table.loc[table["measure"] == "sensitivity", "of"].unique().tolist()
    return [*(it for it in kinds if it != ALL_KINDS), ALL_KINDS]


def by_size(study: Study) -> dict[str, Any]:
    """Make a row for each method: its accuracy by the number of training records of a family."""
    table = study.tables["sizes"]
    sizes = sorted(table["training"].unique().tolist())
    rows = {
        str(method): [with_limits(_one(of, training=size)) for size in sizes]
        for method, of in table.groupby("method", sort=False)
    }
    return {"sizes_of": sizes, "by_size": rows}


def render() -> str:
    """Write the page as Markdown."""
    filters = {
        "limits": with_limits,
        "three": lambda value: f"{value:.3f}",
        "count": lambda value: f"{value:,}",
        "few": lambda value: f"{value:,.0f}" if value >= 20 else f"{value:.2g}",
        "percent": lambda value: f"{100 * value:.1f}",
    }
    return fill("families", filters, **facts())


def main() -> None:
    """Write the page."""
    write_text(PAGE, render())


if __name__ == "__main__":
    main()
