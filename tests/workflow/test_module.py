"""The workflow as a module of another one, by the example of docs/elsewhere.md."""

from __future__ import annotations

import copy as copy_module
import gzip
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from workflow.conftest import ROOT, Copy, bytes_of, copy_of_repository, small_study


def examples() -> tuple[str, str]:
    """The Snakefiles of the documentation: with one study, and with two."""
    page = (ROOT / "docs" / "elsewhere.md").read_text(encoding="utf-8")
    one, two = re.findall(r"```python\n(.*?)```", page, re.S)
    return one, two


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Another workflow's folder, which has this one in a folder of its own."""
    folder = tmp_path_factory.mktemp("mein Ördner – 'x' 文")
    (folder / "mirpair").mkdir()
    copy_of_repository(folder / "mirpair")
    (folder / "Snakefile").write_text(examples()[0])
    study = small_study(folder)
    (folder / "config.yaml").write_text(yaml.safe_dump({"mirpair": study}))
    # positives.fa is made by the other workflow.
    positives = folder / "positives.fa"
    (folder / "hairpins.fa.gz").write_bytes(gzip.compress(positives.read_bytes()))
    positives.unlink()
    return Copy(folder)


@pytest.fixture(scope="module")
def alone() -> tuple[str, ...]:
    """A command that starts others without any network; empty where no namespace may be made."""
    command = ("unshare", "--map-root-user", "--net")
    refused = subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    return () if refused else command


@pytest.fixture(scope="module")
def finished(other: Copy, alone: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """… with its results, which were made on a machine that is another one in every way.

    No home and no network, another locale, time zone and hash seed, other cores and pieces.
    Snakemake wants to keep copies of sources: XDG_CACHE_HOME says where, if not at home.
    """
    environment = {
        "HOME": "/proc/nowhere",
        "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
        "PYTHONHASHSEED": "77",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
    }
    other.snakemake("--cores", "2", "--set-scatter", "fold=7", within=alone, **environment)
    return other


def test_the_example_runs_and_its_own_rule_goes_on_from_ours(finished: Copy) -> None:
    missed = pd.read_csv(finished.folder / "missed.tsv", sep="\t", dtype={"id": str})
    run = finished.folder / "results/mine/runs/mine-cv1/variable/paper/seed0"
    predictions = pd.read_csv(run / "predictions.tsv", sep="\t", dtype={"id": str})
    expected = predictions[(predictions["label"] == 1) & (predictions["score"] < 0.5)]
    assert missed["id"].tolist() == expected["id"].tolist()
    assert (finished.folder / "results" / "mine" / "report.html").is_file()
    assert finished.planned("--set-scatter", "fold=7") == {}


def test_another_workflow_on_another_machine_gives_the_same_bytes(
    finished: Copy, finished_study: Copy
) -> None:
    ours = bytes_of(finished_study)
    assert len(ours) > 50
    assert bytes_of(finished) == ours


def test_nothing_but_downloads_needs_a_network(finished: Copy, alone: tuple[str, ...]) -> None:
    if not alone:
        pytest.skip("needs the right to make a namespace (unshare)")
    assert finished.planned("--set-scatter", "fold=7") == {}, "all of it was made without"


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


def test_a_users_own_file_is_not_in_the_folder_of_the_prefix(other: Copy) -> None:
    folder = other.folder / "prefixed"
    folder.mkdir()
    text = 'rule both:\n    input: "one/results/mine/tables/mine.csv"\n'
    own = small_study(folder)
    write(folder, text + module("one", more='prefix: "one"'), one=own)
    assert Copy(folder).planned()["one_train"] == 2


TWO = 'rule both:\n    input: expand("{place}/tables/table2.csv", place=config["places"])\n'


@pytest.mark.parametrize(
    "text",
    [
        examples()[1].replace("mirpair/", "../mirpair/"),
        # As this page said before.
        'configfile: "config.yaml"\n' + module("one") + module("two", exclude="exclude download"),
    ],
    ids=["ruleorder", "exclude"],
)
def test_two_studies_share_the_downloads(other: Copy, text: str) -> None:
    folder = other.folder / "two"
    write(folder, "", one=paper(), two=paper(study="again"))
    (folder / "Snakefile").write_text(text)
    tables = [f"results/{study}/tables/table2.csv" for study in ("paper", "again")]
    jobs = Copy(folder).planned(*tables)
    assert jobs["one_train"] == jobs["two_train"] == 18
    assert "two_download" not in jobs


def with_live_source(study: dict[str, Any], name: str) -> dict[str, Any]:
    """A study with a collection of its own from a live source, which no set uses."""
    few = {"source": "hairpins", "file": f"https://live.example/{name}.fa"}
    return study | {"collections": {"few": few}, "mirror": f"mirror of {study['study']}"}


@pytest.mark.parametrize("same", [False, True], ids=["different sources", "the same source"])
def test_each_of_two_studies_locks_and_reports_its_own_live_sources(
    finished_study: Copy, tmp_path: Path, same: bool
) -> None:
    """The second one has all results but the report, so that few jobs run."""
    for name in ("results", ".snakemake"):
        shutil.copytree(finished_study.folder / name, tmp_path / name)
    (tmp_path / "mirpair").symlink_to(finished_study.folder)
    (tmp_path / "Snakefile").write_text(examples()[1])
    mine = small_study(tmp_path)
    sources = {"yours": "a" if same else "b", "mine": "a"}
    for study, name in sources.items():
        file = tmp_path / f"mirror of {study}" / "live.example" / f"{name}.fa"
        file.parent.mkdir(parents=True)
        file.write_text(f">hsa-mir-{name} MI0000001 Homo sapiens\n{'ACGUU' * 14}\n")
    configs = {
        "one": with_live_source(mine | {"study": "yours"}, sources["yours"]),
        "two": with_live_source(mine, sources["mine"]),
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(configs))
    copy = Copy(tmp_path)
    made = [f"results/{study}/collections/few.fa" for study in sources]
    run = ("--workflow-profile", "mirpair/profiles/default", *made, "results/mine/report.html")
    # First the downloads: no set is made of them, so the report does not wait for them.
    done = copy.snakemake(*run[:-1])
    assert done.stdout.count("Downloading") == (1 if same else 2)
    copy.snakemake(*run)
    assert "train" not in copy.planned(*run)
    checksums = {}
    for study, name in sources.items():
        lock = pd.read_csv(tmp_path / "config" / f"{study}.lock.tsv", sep="\t", dtype=str)
        assert lock["place"].tolist() == [f"https://live.example/{name}.fa"]
        checksums[study] = lock.loc[0, "sha256"]
    assert (checksums["mine"] == checksums["yours"]) == same
    report = (tmp_path / "results" / "mine" / "report.html").read_text()
    assert set(re.findall(r"https://live\.example/\w\.fa", report)) == {"https://live.example/a.fa"}
    assert checksums["mine"] in report
    assert (checksums["yours"] in report) == same
    # Neither another lock file nor another mirror or release repeats a download.
    changed = copy_module.deepcopy(configs)
    changed["two"] |= {"lock": "other.lock.tsv", "mirror": "mirror of yours"}
    changed["one"]["collections"]["few"]["release"] = "22"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(changed))
    assert copy.planned("--workflow-profile", "mirpair/profiles/default", *made) == {}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(configs))
    # The file is not the one of the lock file: as after someone else's refresh.
    (raw,) = (tmp_path / "results" / "raw" / "url").glob("*_a.fa")
    raw.write_text(raw.read_text() + ">x\nACGU\n")
    refused = copy.snakemake(*run, check=False)
    assert refused.returncode
    assert f"{raw.name} differs from the file of https://live.example/a.fa" in refused.stdout


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
