"""Do plants need networks of their own? (`python -m bench.kingdoms`)

The stem networks that trained on the first experiment of each kingdom in config/finder.yaml score
the evaluation records of the plants' one, and are measured as its table of kinds measures them. The
networks of animals trained on negatives of the same genomes, but on no plant's pre-miRNA. The
result is docs/finder/kingdoms.csv.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bench.finder_results import RESULTS, TABLES, evaluation, load, table_of
from bench.measured import write_measured
from bench.peers import score
from mirpair.contracts import (
    BASELINE_RUN,
    BY_KIND,
    read_experiment,
    read_records,
    read_structures,
)
from mirpair.identification.kinds import Method, measure_kinds

TABLE = "plants"
# The only network that trained on plants too.
MODEL = "stem"


def compare(results: Path) -> pd.DataFrame:
    """Measure the networks of both kingdoms on the plants' evaluation records.

    Returns
    -------
    DataFrame
        Columns `mirpair.contracts.KINDS`, a line for each row of the table and each kingdom: the
        mean score of the trainings of all seeds.
    """
    study = load()
    assert study.shipped is not None
    table = table_of(study, TABLE)
    files = {
        kingdom: [
            results / "runs" / run.folder / "weights.safetensors"
            for run in study.runs_on(experiments[0])
            if run.model == MODEL
        ]
        for kingdom, experiments in study.shipped.validation.items()
    }
    (dataset,) = study.sets_of(table.experiment)
    experiment = read_experiment(results / "experiments" / f"{table.experiment}.tsv")
    evaluated = evaluation(results, study, experiment)
    folder = results / "datasets" / dataset
    structures = read_structures(folder / "structures.tsv")
    records = read_records(folder / "records.tsv")[["id", "sequence"]]
    folded = records.merge(structures, on="id", validate="one_to_one")
    folded = folded.set_index("id").loc[evaluated["id"]]
    methods = [
        Method(
            f"networks of {kingdom}",
            {"model": kingdom, **BASELINE_RUN},
            np.mean([score(path, folded) for path in paths], axis=0)[None],
            len(paths),
        )
        for kingdom, paths in files.items()
    ]
    return measure_kinds(table.model_dump(), evaluated, methods, {}, {})[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the kingdoms, and write and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.kingdoms", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=TABLES / "kingdoms.csv")
    given = parser.parse_args(arguments)
    measured = compare(given.results)
    named = ["kind of positives", "positives", "kind of negatives", "negatives", "method"]
    shown = measured[[*named, *BY_KIND]]
    write_measured(shown, given.out, "%.4f")
    print(shown.to_markdown(index=False, floatfmt=".3f"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
