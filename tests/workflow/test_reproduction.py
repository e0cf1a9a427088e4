"""`make tables`: whoever has the repository and no data sees the reproduction, as it is told."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from bench import reproduction
from mirpair.contracts import METRICS
from mirpair.identification.comparison import agreement
from mirpair.identification.tables import read_table
from workflow.conftest import ROOT, Copy, copy_of_repository

KEPT = ROOT / "docs" / "reproduction"
NEVER = {"download", "records", "fold", "encode", "folds", "experiments", "audit", "train"}
NEVER |= {"baselines"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Tables, figures and report as `make tables` makes them, in a copy without any data."""
    copy = copy_of_repository(tmp_path_factory.mktemp("reproduction"))
    shutil.copytree(KEPT, copy.folder / "docs" / "reproduction")
    configs = ("--configfile", "config/config.yaml", "config/reproduction.yaml")
    arguments = ("all", *configs, "--config", "reuse=docs/reproduction")
    assert not set(copy.planned(*arguments)) & NEVER
    copy.snakemake(*arguments)
    return copy


@pytest.mark.thorough
def test_the_tables_that_are_shown_are_those_of_the_kept_trainings(made: Copy) -> None:
    tables = made.folder / "results" / "paper" / "tables"
    names = sorted(path.name for path in tables.glob("*.csv")) + sorted(
        path.name for path in tables.glob("*.md")
    )
    assert len(names) == 14
    for name in names:
        assert (tables / name).read_bytes() == (KEPT / "tables" / name).read_bytes(), name


@pytest.mark.thorough
def test_every_row_of_the_paper_is_there_and_trained_in_full(made: Copy) -> None:
    counts = {"table2": 6, "table3": 6, "table4": 3}
    for (name, count), recipe in product(counts.items(), reproduction.RECIPES):
        table = read_table(made.folder / "results" / "paper" / "tables" / f"{name}.csv")
        ours = table[(table["source"] == "this run") & (table["recipe"] == recipe)]
        assert len(ours) == count
        assert ours["whole"].all()
        assert (ours[[f"{m} agrees" for m in METRICS]] != "").all(axis=None)


@pytest.mark.thorough
def test_the_report_opens_with_the_answer_and_has_every_figure(made: Copy) -> None:
    page = (made.folder / "results" / "paper" / "report.html").read_text()
    assert "78 trainings (78 reused from saved results)" in page
    assert "Did it reproduce? The published value is inside our 95 % interval in" in page
    for heading in ("Figure 1", "Figure 2", "Figure 3", "Figure 4", "Run time and memory"):
        assert heading in page


def test_the_page_is_what_its_tables_say() -> None:
    assert reproduction.render() == reproduction.PAGE.read_text(encoding="utf-8")


def table_of(recipe: str, **changes: object) -> pd.DataFrame:
    """A row of ours beside the published one: all inside, except for `changes`."""
    row: dict[str, object] = {"model": "variable", "recipe": recipe, "set": "human"}
    row |= {"protocol": "CV"}
    for metric in METRICS:
        row |= {metric: 0.5, f"{metric} stated": 0.6, f"{metric} agrees": "inside"}
        row |= {f"{metric} low": 0.4, f"{metric} high": 0.7}
    return pd.DataFrame([{**row, "source": "this run", **changes}])


def test_what_is_outside_is_listed_row_by_row() -> None:
    below = {"SE": 0.25, "SE agrees": "below", "AUPR agrees": "above"}
    table = pd.concat([table_of("paper", **below), table_of("paper", set="new")])
    lines = reproduction.outside(table, "paper")
    assert lines == ["variable-sized, human CV: SE 0.600 → 0.250 ▼, AUPR 0.600 → 0.500 ▲"]


def test_cells_and_differences_are_those_of_a_network_and_a_recipe() -> None:
    """Two rows: SE inside in one; ours are .1 below on average."""
    second = table_of("paper", **{"SE": 0.7, "SE stated": 0.8, "SE agrees": "below", "set": "new"})
    other = table_of("published-code", SE=0.9, model="fixed")
    rows = reproduction.by_network(pd.concat([table_of("paper"), second, other]))
    by_name = {(row["recipe"], row["network"]): row for row in rows}
    assert set(by_name) == {("paper", "variable-sized"), ("published-code", "fixed-sized")}
    row = by_name["paper", "variable-sized"]
    assert (row["inside"], row["ranking"]) == (13, 4)
    assert row["SE"] == pytest.approx(-0.1)
    assert by_name["published-code", "fixed-sized"]["SE"] == pytest.approx(0.3)


def test_the_overview_has_both_recipes_of_a_row() -> None:
    code = table_of("published-code", **{"AUPR": 0.75, "AUPR agrees": "above"})
    (row,) = reproduction.overview(pd.concat([table_of("paper"), code]))
    assert row["name"] == "variable-sized, human CV"
    assert row["AUPR"] == "0.600 → 0.750 ▲, 0.500 ✓"


def test_the_farthest_inside_an_interval_is_named() -> None:
    far = table_of("paper", **{"F-score": 0.41, "set": "new"})
    outside = table_of("paper", **{"F-score": 0.1, "F-score agrees": "below"})
    table = pd.concat([table_of("paper"), far, outside])
    said = reproduction.farthest_inside(table, "paper")
    assert said == "variable-sized, new CV, 0.410 here and 0.600 published (0.400–0.700)"


def test_at_the_published_sensitivity_so_many_positives_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four positives, a published SE of .75 calls three: the threshold is the third score."""
    monkeypatch.setattr(reproduction, "FOLDER", tmp_path)
    monkeypatch.setattr(reproduction, "GROUPS", ("human-test",))
    run = tmp_path / "runs" / "human-test" / "variable" / "paper" / "seed0"
    run.mkdir(parents=True)
    scores = {"label": [1, 1, 1, 1, 0, 0], "score": [0.9, 0.8, 0.7, 0.2, 0.75, 0.1]}
    pd.DataFrame(scores).to_csv(run / "predictions.tsv.gz", sep="\t", index=False)
    table = table_of("paper", **{"SE stated": 0.75})
    assert reproduction.at_published_sensitivity(table, "variable") == [(0.7, 0.75)]


def test_the_first_page_has_the_numbers_of_the_tables() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    text, table = " ".join(page.split()), reproduction.results()
    for recipe, words in (("published-code", "in our 95 % interval in "), ("paper", "it is ")):
        every, ranking = (
            agreement(table, metrics).loc[recipe] for metrics in (METRICS, ["AUROC", "AUPR"])
        )
        counts = f"{ranking['inside']} of {ranking['cells']} cells of AUROC and AUPR, and in "
        both = f"{ranking['inside']} and {every['inside']}"
        counts += f"{every['inside']} of {every['cells']} cells of all seven metrics"
        assert words + (counts if recipe == "published-code" else both) in text
    of_tests = reproduction.rows_of(table, "variable", "paper").query("protocol == 'test'")
    code = reproduction.rows_of(table, "variable", "published-code").query("protocol == 'test'")
    groups = [group for group in reproduction.GROUPS if group.endswith("test")]
    clean = reproduction.cleaned(reproduction.shown("cleaned"), "Variable-sized").loc[groups]
    best = []
    for name in reproduction.SETS:
        of_test = reproduction.shown(name).query("source == 'baseline' and protocol == 'test'")
        best.append(of_test.sort_values("AUPR").iloc[-1])
    for title, auroc, aupr in (
        ("variable-sized: published", of_tests["AUROC stated"], of_tests["AUPR stated"]),
        ("variable-sized: here, `published-code`", code["AUROC"], code["AUPR"]),
        ("variable-sized: here, `paper`", of_tests["AUROC"], of_tests["AUPR"]),
        ("… on cleaned records", clean["AUROC cleaned"], clean["AUPR cleaned"]),
        (
            "best of four baselines by AUPR, no network",
            [row["AUROC"] for row in best],
            [row["AUPR"] for row in best],
        ),
    ):
        cells = [f"{one:.3f} / {two:.3f}" for one, two in zip(auroc, aupr, strict=True)]
        assert f"| {title} | {' | '.join(cells)} |" in page


def test_the_tables_of_held_out_clusters_are_those_of_the_kept_trainings(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    copy = copy_of_repository(tmp_path_factory.mktemp("clusters"))
    shutil.copytree(KEPT / "clusters", copy.folder / "docs" / "reproduction" / "clusters")
    arguments = (
        "--configfile",
        "config/clusters.yaml",
        "--config",
        "reuse=docs/reproduction/clusters",
    )
    tables = [f"results/clusters/tables/{name}.csv" for name in reproduction.BEFORE]
    assert not set(copy.planned(*tables, *arguments)) & NEVER
    copy.snakemake(*tables, *arguments)
    for name in [Path(name).with_suffix(kind) for name in tables for kind in (".csv", ".md")]:
        saved = KEPT / "clusters" / "tables" / name.name
        assert (copy.folder / name).read_bytes() == saved.read_bytes(), name
