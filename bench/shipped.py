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

from bench.finder_results import RESULTS, TABLES, evaluation, load, table_of, without_newer
from bench.measured import write_measured
from mirpair.contracts import BASELINE_RUN, BY_KIND, EVALUATE, read_scored_records
from mirpair.identification.kinds import Method, measure_kinds
from mirpair.settings import Kingdom

OF_KINGDOM: dict[Kingdom, str] = {"animals": "kinds", "plants": "plants"}


def measure(results: Path, kingdom: Kingdom) -> pd.DataFrame:
    """Measure the shipped networks of a kingdom; columns `mirpair.contracts.KINDS`."""
    study = load()
    table = table_of(study, OF_KINGDOM[kingdom])
    (dataset,) = study.sets_of(table.experiment)
    scored = read_scored_records(results / "shipped" / f"{kingdom}.tsv")
    experiment = scored[["id", "label", "role"]].assign(set=dataset, weight=1.0)
    evaluated = evaluation(results, study, experiment[experiment["role"] == EVALUATE])
    scores = scored.set_index("id").loc[evaluated["id"], "score"].to_numpy()
    method = Method("networks that ship", {"model": "shipped", **BASELINE_RUN}, scores[None], 1)
    # Families that are new to a network need not be new since a release.
    return measure_kinds(without_newer(table), evaluated, [method], {}, {})[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both kingdoms, and write and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.shipped", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=TABLES / "shipped.csv")
    given = parser.parse_args(arguments)
    measured = pd.concat([measure(given.results, it).assign(kingdom=it) for it in OF_KINGDOM])
    write_measured(measured, given.out, "%.4f")
    named = ["kingdom", "kind of positives", "positives", "kind of negatives", "negatives"]
    print(measured[[*named, *BY_KIND]].to_markdown(index=False, floatfmt=".3f"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
