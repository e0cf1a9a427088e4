"""What measurements of config/finder.yaml share: the study, its tables, evaluation records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from mirpair.contracts import read_all_origins, read_records
from mirpair.identification.kinds import evaluation_records
from mirpair.study.identification import Study
from mirpair.study.load import load_study
from mirpair.study.tables import Kinds

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config" / "finder.yaml"
RESULTS, TABLES = ROOT / "results" / "finder", ROOT / "docs" / "finder"
_RAW = "results/raw/"


def load() -> Study:
    """Load the study."""
    study = load_study(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    assert isinstance(study, Study)
    return study


def table_of(study: Study, name: str) -> Kinds:
    """Return a table of kinds of the study."""
    table = study.tables[name]
    assert isinstance(table, Kinds)
    return table


def without_newer(table: Kinds) -> dict[str, Any]:
    """Return a table of kinds as a dictionary, without kinds that are new since a release."""
    kinds = table.model_dump()
    newer = {name for name, it in kinds["positives"].items() if it["newer_than"]}
    kinds["positives"] = {name: it for name, it in kinds["positives"].items() if name not in newer}
    kinds["rows"] = [row for row in kinds["rows"] if row[0] not in newer]
    return kinds


def evaluation(results: Path, study: Study, experiment: pd.DataFrame) -> pd.DataFrame:
    """Join the evaluation records of an experiment with their origins.

    Parameters
    ----------
    results
        Folder of the study's results; the paths in its tables are relative to the working folder.
    experiment
        As read by `mirpair.contracts.read_experiment`; all of its records are of one set.

    Returns
    -------
    DataFrame
        Result of `mirpair.identification.kinds.evaluation_records`.
    """
    (dataset,) = experiment["set"].unique()
    records = read_records(results / "datasets" / str(dataset) / "records.tsv")
    refs = {
        path: path.removeprefix(_RAW) if path.startswith(_RAW) else Path(path).stem
        for path in records["file"].unique()
    }
    collected = [path for path, ref in refs.items() if ref in study.collections]
    origins = read_all_origins(f"{path.removesuffix('.fa')}.tsv" for path in collected)
    return evaluation_records(experiment, records, origins, refs)
