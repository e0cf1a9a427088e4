"""`make tables`: whoever has the repository and no data sees the reproduction, as it is told."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from mirpair.contracts import METRICS
from mirpair.tables import read_table
from workflow.conftest import ROOT, Copy, copy_of_repository

KEPT = ROOT / "docs" / "reproduction"
TABLES = ("table2", "table3", "table4")
NEVER = {"download", "records", "fold", "encode", "experiments", "audit", "baselines", "train"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Tables, figures and report as `make tables` makes them, in a copy without any data."""
    copy = copy_of_repository(tmp_path_factory.mktemp("reproduction"))
    shutil.copytree(KEPT, copy.folder / "docs" / "reproduction")
    arguments = ("all", "--config", "kept=docs/reproduction")
    assert not set(copy.planned(*arguments)) & NEVER
    copy.snakemake(*arguments)
    return copy


def test_the_tables_that_are_shown_are_those_of_the_kept_trainings(made: Copy) -> None:
    tables = made.folder / "results" / "paper" / "tables"
    names = sorted(path.name for path in tables.glob("*.csv")) + sorted(
        path.name for path in tables.glob("*.md")
    )
    assert len(names) == 14
    for name in names:
        assert (tables / name).read_bytes() == (KEPT / "tables" / name).read_bytes(), name


def test_every_row_of_the_paper_is_there_and_trained_in_full(made: Copy) -> None:
    counts = {"table2": 6, "table3": 6, "table4": 3}
    for name, count in counts.items():
        table = read_table(made.folder / "results" / "paper" / "tables" / f"{name}.csv")
        ours = table[(table["source"] == "this run") & (table["recipe"] == "paper")]
        assert len(ours) == count
        assert ours["whole"].all()
        assert (ours[[f"{m} agrees" for m in METRICS]] != "").all(axis=None)


def test_the_report_opens_with_the_answer_and_has_every_figure(made: Copy) -> None:
    page = (made.folder / "results" / "paper" / "report.html").read_text()
    assert "Did it reproduce? The published value lies in our 95 % interval in" in page
    for heading in ("Figure 1", "Figure 2", "Figure 3", "Figure 4", "Run time and memory"):
        assert heading in page


def told() -> str:
    return " ".join((KEPT / "README.md").read_text(encoding="utf-8").split())


def shown(name: str) -> pd.DataFrame:
    return read_table(KEPT / "tables" / f"{name}.csv")


def results() -> pd.DataFrame:
    return pd.concat([shown(name).assign(table=name) for name in TABLES], ignore_index=True)
