"""Measure the networks that ship, by kind of RNA (`python -m bench.shipped`).

The table of kinds of config/finder.yaml measures trainings of one experiment. Here, each evaluation
record has the mean score of those shipped networks to which its family is new, as on the card. The
result is docs/finder/shipped.csv.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import yaml

from bench.kingdoms import CONFIG
from mirpair.contracts import (
    BASELINE_RUN,
    BY_KIND,
    EVALUATE,
    read_all_origins,
    read_records,
    read_scored_records,
)
from mirpair.files import write_text
from mirpair.identification.kinds import Method, evaluation_records, measure_kinds
from mirpair.settings import Kingdom
from mirpair.study.identification import Study
from mirpair.study.load import load_study
from mirpair.study.tables import Kinds

ROOT = Path(__file__).parent.parent
TABLES: dict[Kingdom, str] = {"animals": "kinds", "plants": "plants"}


def measure(results: Path, kingdom: Kingdom) -> pd.DataFrame:
    """Measure the shipped networks of a kingdom; columns `mirpair.contracts.KINDS`."""
    study = load_study(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    assert isinstance(study, Study)
    table = study.tables[TABLES[kingdom]]
    assert isinstance(table, Kinds)
    (dataset,) = study.sets_of(table.experiment)
    scored = read_scored_records(results / "shipped" / f"{kingdom}.tsv")
    experiment = scored[["id", "label", "role"]].assign(set=dataset, weight=1.0)
    experiment = experiment[experiment["role"] == EVALUATE]
    records = read_records(results / "datasets" / dataset / "records.tsv")
    refs = {
        path: path.removeprefix("results/raw/") if "/raw/" in path else Path(path).stem
        for path in records["file"].unique()
    }
    origins = read_all_origins(
        path.replace(".fa", ".tsv") for path, ref in refs.items() if ref in study.collections
    )
    evaluated = evaluation_records(experiment, records, origins, refs)
    scores = scored.set_index("id").loc[evaluated["id"], "score"].to_numpy()
    method = Method("networks that ship", {"model": "shipped", **BASELINE_RUN}, scores[None], 1)
    # Families that are new to a network need not be new since a release.
    kinds = table.model_dump()
    newer = {name for name, it in kinds["positives"].items() if it["newer_than"]}
    kinds["positives"] = {name: it for name, it in kinds["positives"].items() if name not in newer}
    kinds["rows"] = [row for row in kinds["rows"] if row[0] not in newer]
    return measure_kinds(kinds, evaluated, [method], {}, {})[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both kingdoms, and write and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.shipped", description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "finder")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "finder" / "shipped.csv")
    given = parser.parse_args(arguments)
    measured = pd.concat([measure(given.results, kingdom) for kingdom in TABLES])
    write_text(given.out, measured.to_csv(index=False, float_format="%.4f"))
    named = ["kind of positives", "positives", "kind of negatives", "negatives"]
    print(measured[[*named, *BY_KIND]].to_markdown(index=False, floatfmt=".3f"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
