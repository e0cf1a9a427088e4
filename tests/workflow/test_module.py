"""The workflow as a module of another one, by the example of docs/elsewhere.md."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from workflow.conftest import ROOT, Copy, copy_of_repository, small_study
from workflow.test_own_data import digests


def example() -> str:
    """The Snakefile of the documentation."""
    page = (ROOT / "docs" / "elsewhere.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```python\n(.*?)```", page, re.S)
    return str(text)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Another workflow's folder, which has this one in a folder of its own."""
    folder = tmp_path_factory.mktemp("another")
    (folder / "mirpair").mkdir()
    copy_of_repository(folder / "mirpair")
    (folder / "Snakefile").write_text(example())
    study = small_study(folder)
    (folder / "config.yaml").write_text(yaml.safe_dump({"mirpair": study}))
    # positives.fa is made by the other workflow.
    positives = folder / "positives.fa"
    (folder / "hairpins.fa.gz").write_bytes(gzip.compress(positives.read_bytes()))
    positives.unlink()
    return Copy(folder)


@pytest.fixture(scope="module")
def finished(other: Copy) -> Copy:
    other.snakemake()
    return other


def test_the_example_runs_and_its_own_rule_goes_on_from_ours(finished: Copy) -> None:
    missed = pd.read_csv(finished.folder / "missed.tsv", sep="\t", dtype={"id": str})
    run = finished.folder / "results/mine/runs/mine-cv1/variable/paper/seed0"
    predictions = pd.read_csv(run / "predictions.tsv", sep="\t", dtype={"id": str})
    expected = predictions[(predictions["label"] == 1) & (predictions["score"] < 0.5)]
    assert missed["id"].tolist() == expected["id"].tolist()
    assert (finished.folder / "results" / "mine" / "report.html").is_file()
    assert finished.planned() == {}


def test_the_results_are_the_same_bytes_as_without_another_workflow(
    finished: Copy, copy: Copy
) -> None:
    name = copy.write_config(small_study(copy.folder))
    copy.snakemake("all", "--configfile", name)
    alone = digests(copy.folder)
    assert len(alone) == 23
    assert digests(finished.folder) == alone


def paper(**changes: Any) -> dict[str, Any]:
    """The shipped config, but with the stand-in of the published files."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    return config | {"sources": "tests/data/sources.tsv", "mirror": "tests/data/mirror"} | changes


def write(folder: Path, text: str, **studies: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "Snakefile").write_text('configfile: "config.yaml"\n' + text)
    (folder / "config.yaml").write_text(yaml.safe_dump(studies))


MODULE = """
module {name}:
    snakefile: "../mirpair/Snakefile"
    config: config["{name}"]
    {more}
use rule * from {name} {exclude} as {name}_*
"""


def module(name: str, exclude: str = "", more: str = "") -> str:
    return MODULE.format(name=name, exclude=exclude, more=more)


def test_the_files_that_the_paper_needs_are_found_from_another_folder(other: Copy) -> None:
    folder = other.folder / "paper"
    write(folder, module("mirpair"), mirpair=paper())
    jobs = Copy(folder).planned("mirpair_regenerate-paper-tables")
    assert jobs["mirpair_train"] == 39
    assert jobs["mirpair_download"] == 56
    Copy(folder).snakemake("results/paper/tables/table1.csv")
    table = pd.read_csv(folder / "results" / "paper" / "tables" / "table1.csv")
    assert table["positives"].tolist() == [863, 12, 1677, 12, 690, 12]


TWO = 'rule both:\n    input: expand("{place}/tables/table2.csv", place=config["places"])\n'


def test_two_studies_share_the_downloads(other: Copy) -> None:
    folder = other.folder / "two"
    text = TWO + module("one") + module("two", exclude="exclude download")
    places = ["results/paper", "results/again"]
    write(folder, text, one=paper(), two=paper(study="again"), places=places)
    jobs = Copy(folder).planned()
    assert jobs["one_train"] == jobs["two_train"] == 18
    assert "two_download" not in jobs


@pytest.mark.parametrize(
    ("more", "places"),
    [
        ('prefix: "{name}"', ["one/results/paper", "two/results/paper"]),
        ('pathvars: results="{name}", raw="{name}/raw"', ["one", "two"]),
    ],
)
def test_one_study_twice_needs_places_of_its_own(other: Copy, more: str, places: list[str]) -> None:
    folder = other.folder / "twice"
    text = TWO + "".join(module(name, more=more.format(name=name)) for name in ("one", "two"))
    write(folder, text, one=paper(), two=paper(), places=places)
    jobs = Copy(folder).planned()
    assert jobs["one_train"] == jobs["two_train"] == 18
    assert jobs["one_download"] == jobs["two_download"] == 28
