"""The other task, for real: from FASTA files of families to the report."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from test_by_models import needs_library
from test_infernal import needs_infernal

from mirpair.families.annotation import annotate, load
from workflow.conftest import ROOT, Copy, bytes_of, copy_of_repository

CONFIG = ("--configfile", "config/families-demo.yaml")
RESULTS = "results/families-demo"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The demo's study with fewer epochs, made whole."""
    copy = copy_of_repository(tmp_path_factory.mktemp("families"))
    config = yaml.safe_load((ROOT / "config" / "families-demo.yaml").read_text())
    config["runs"] = [
        {"models": ["one-hot"], "epochs": 12},
        {"models": ["variable", "prob"], "experiments": ["random"], "epochs": 1},
    ]
    (copy.folder / "config" / "families-demo.yaml").write_text(yaml.safe_dump(config))
    copy.snakemake("families-report", "all", *CONFIG)
    return copy


def read(copy: Copy, name: str) -> pd.DataFrame:
    return pd.read_csv(copy.folder / RESULTS / name, sep="\t", keep_default_na=False)


def test_the_report_is_made_and_nothing_is_left_to_do(made: Copy) -> None:
    page = (made.folder / RESULTS / "report.html").read_text()
    assert "One-hot" in page
    assert "8-mer nearest neighbour" in page
    assert made.planned("families-report", *CONFIG) == {}
    assert made.planned("all", *CONFIG) == {}


def test_no_rna_has_two_roles_and_no_role_shares_a_sequence(made: Copy) -> None:
    records = read(made, "datasets/all/records.tsv").set_index("id")["sequence"]
    for name in ("random", "clusters"):
        experiment = read(made, f"experiments/{name}.tsv")
        assert experiment["id"].is_unique
        assert records[experiment["id"]].is_unique


def test_one_hot_learns_families_of_real_rnas(made: Copy) -> None:
    queries = read(made, "nearest/random.tsv")
    calls = read(made, "runs/random/one-hot/tang-sun/seed0/calls.tsv")
    roles = read(made, "experiments/random.tsv").set_index("id")["role"]
    assert set(calls["id"]) == set(roles[roles != "train"].index), "all that does not train"
    table = queries[["id", "role", "family", "kind"]].merge(calls, on="id", validate="one_to_one")
    asked = table[(table["role"] == "evaluate") & (table["kind"] == "")]
    assert len(asked) == 75
    assert (asked["called"] == asked["family"]).mean() > 0.8
    kinds = set(table.loc[table["role"] == "evaluate", "kind"])
    assert kinds == {
        "",
        "C/D-box snoRNA",
        "other non-coding RNA",
        "shuffled hairpin",
        "tRNA",
        "untrained family",
    }


@pytest.mark.thorough
def test_other_cores_and_pieces_give_the_same_bytes(made: Copy, tmp_path: Path) -> None:
    other = copy_of_repository(tmp_path / "other")
    shutil.copy(made.folder / "config/families-demo.yaml", other.folder / "config")
    targets = [f"{RESULTS}/datasets/all/{name}.npz" for name in ("tensors", "ensembles")]
    targets += [f"{RESULTS}/nearest/{name}.tsv" for name in ("random", "clusters")]
    targets += [f"{RESULTS}/runs/random/one-hot/tang-sun/seed0/calls.tsv"]
    other.snakemake(*targets, *CONFIG, "--cores", "2", "--set-scatter", "fold=3")
    theirs, ours = (bytes_of(copy, "families-demo") for copy in (other, made))
    assert set(targets) <= {f"{RESULTS}/{name}" for name in theirs}
    assert {name for name, text in theirs.items() if ours[name] != text} == set()


def test_a_target_of_the_other_task_says_which_config_has_it(made: Copy) -> None:
    said = made.snakemake("-n", "regenerate-paper-tables", *CONFIG, check=False)
    assert said.returncode != 0
    assert "--configfile config/config.yaml" in said.stdout
    said = made.snakemake("-n", "families-report", check=False)
    assert said.returncode != 0
    assert "--configfile config/families.yaml" in said.stdout


def test_a_pattern_that_no_file_has_stops_before_anything_runs(made: Copy) -> None:
    config = yaml.safe_load((made.folder / "config/families-demo.yaml").read_text())
    config["families"] = "config/families-demo/hairpin/{family}.fa"
    said = made.snakemake("-n", "all", "--configfile", made.write_config(config), check=False)
    assert said.returncode != 0
    assert "no file is called config/families-demo/hairpin/{family}.fa" in said.stdout


def test_snakemakes_own_report_has_the_captions_of_families(made: Copy) -> None:
    made.snakemake("all", *CONFIG, "--report", "report-of-snakemake.html")
    text = " ".join((made.folder / "report-of-snakemake.html").read_text().split())
    for name in ("accuracy", "rejection", "methods", "bands", "confusions", "roc", "histories"):
        caption = (ROOT / "rules" / "captions" / f"families-{name}.rst").read_text()
        assert " ".join(caption.split())[:40] in text, name


@pytest.mark.thorough
@needs_infernal
@needs_library
def test_models_of_proposed_families_are_compared_and_shipped(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """As often right as Infernal, which tries all families; the shipped models answer alike."""
    copy = copy_of_repository(tmp_path_factory.mktemp("aligned"))
    config = yaml.safe_load((ROOT / "config" / "families-demo.yaml").read_text())
    config["runs"] = [{"models": ["one-hot"], "epochs": 12}]
    config["infernal"] = {"experiment": "random", "also": ["clusters"], "queries": 10}
    config["infernal"] |= {"proposals": "one-hot", "families": [3]}
    (copy.folder / "config" / "families-demo.yaml").write_text(yaml.safe_dump(config))
    copy.snakemake("all", *CONFIG)
    table = pd.read_csv(copy.folder / RESULTS / "tables" / "accuracy.csv")
    accuracy = table[table["band"] == "all"].set_index(["experiment", "method"])["accuracy"]
    for name in ("random", "clusters"):
        assert accuracy[name, "Shortlist, then models"] >= accuracy[name, "Infernal"] - 0.02
    speed = pd.read_csv(copy.folder / RESULTS / "tables" / "growth.csv")
    assert {"Shortlist, then models", "Infernal", "One-hot"} <= set(speed["method"])
    growth = speed[speed["method"] == "Shortlist, then models"]
    assert set(growth["families"]) == {3, growth["families"].max()}
    # The shipped models are of all known RNAs: these are among them.
    known, roles = read(copy, "datasets/all/known.tsv"), read(copy, "experiments/random.tsv")
    held_out = known[known["id"].isin(roles.loc[roles["role"] == "evaluate", "id"])]
    assert len(held_out) > 10
    shipped = load(copy.folder / RESULTS / "shipped" / "families.safetensors")
    table = annotate(shipped, held_out["sequence"].tolist())
    assert np.mean(table["family"].to_numpy() == held_out["family"].to_numpy()) >= 0.95
    assert (table["identity"] == 1).all()
    card = (copy.folder / RESULTS / "shipped" / "families.md").read_text()
    assert "bit score" in card
