"""The published files themselves, where a mirror of them is at hand (MIRPAIR_MIRROR)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from mirpair.contracts import read_audit, read_experiment, read_features, read_records
from mirpair.files import sha256, write_tsv
from mirpair.identification.audit import (
    audit_records,
    describe,
    features,
    join_features,
    known_hairpins,
)
from mirpair.sources.download import mirror_path
from mirpair.sources.packages import is_package_url
from mirpair.sources.published import read_sources
from mirpair.study.load import load_study
from workflow.conftest import ROOT, Copy, copy_of_repository

pytestmark = pytest.mark.thorough
KEPT = ROOT / "docs" / "reproduction"


@pytest.fixture(scope="module")
def prepared(real_mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Copy, str]:
    """The study `paper` with one epoch, its sets and experiments made from the real files."""
    copy = copy_of_repository(tmp_path_factory.mktemp("real"))
    paper: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    paper["mirror"] = str(real_mirror)
    paper["runs"][0]["epochs"] = 1
    config = copy.write_config(paper)
    experiments = [f"results/paper/experiments/{name}.tsv" for name in load_study(paper).folds()]
    copy.snakemake(*experiments, "--configfile", config)
    return copy, config


def test_every_file_of_the_table_is_in_the_mirror_as_the_table_says(real_mirror: Path) -> None:
    sources = read_sources(ROOT / "config" / "sources.tsv").values()
    # Files of packages come from PyPI and Debian: tests/test_real_sources.py.
    for source in (it for it in sources if not is_package_url(it.url)):
        path = mirror_path(real_mirror, source.url)
        assert path.stat().st_size == source.bytes, source.name
        assert sha256(path) == source.sha256, source.name


def test_sets_have_the_published_sizes_and_lengths(prepared: tuple[Copy, str]) -> None:
    folder = prepared[0].folder / "results" / "paper" / "datasets"
    published = pd.read_csv(ROOT / "config/published/table1.tsv", sep="\t", index_col="dataset")
    lengths = []
    for name, row in published.iterrows():
        records = pd.read_csv(folder / str(name) / "records.tsv", sep="\t")
        assert (records["label"] == 1).sum() == row["positives"]
        assert (records["label"] == 0).sum() == row["negatives"]
        lengths.append(records["sequence"].str.len())
    together = pd.concat(lengths)
    assert (together.min(), round(together.mean()), together.max()) == (45, 96, 398)


def test_experiments_have_the_published_sizes(prepared: tuple[Copy, str]) -> None:
    folder = prepared[0].folder / "results" / "paper"
    labels = {
        name: pd.read_csv(folder / "datasets" / name / "records.tsv", sep="\t", dtype={"id": str})
        .set_index("id")["label"]
        .to_dict()
        for name in ("human", "cross-species", "new")
    }

    def sizes(experiment: str, role: str) -> tuple[int, int]:
        table = pd.read_csv(folder / "experiments" / f"{experiment}.tsv", sep="\t", dtype=str)
        part = table[table["role"] == role]
        positives = sum(labels[s][i] for s, i in zip(part["set"], part["id"], strict=True))
        return positives, len(part) - positives

    for name, nine_tenths, tested in (
        ("human", (777, 6680), (86, 742)),
        ("cross-species", (1510, 7440), (167, 826)),
    ):
        assert sizes(f"{name}-test", "train") == nine_tenths
        assert sizes(f"{name}-test", "evaluate") == tested
        folds = [sizes(f"{name}-cv{k}", "evaluate") for k in range(1, 6)]
        assert tuple(map(sum, zip(*folds, strict=True))) == nine_tenths
        for k, fold in enumerate(folds, 1):
            train = sizes(f"{name}-cv{k}", "train")
            assert tuple(a + b for a, b in zip(train, fold, strict=True)) == nine_tenths
    assert sizes("new-test", "train") == (1677, 8266)
    assert sizes("new-test", "evaluate") == (690, 8246)


def test_the_audit_that_is_kept_is_that_of_the_real_files(
    prepared: tuple[Copy, str], real_mirror: Path
) -> None:
    """And finds what is wrong with the benchmark."""
    results = prepared[0].folder / "results" / "paper"
    sources = read_sources(ROOT / "config" / "sources.tsv")
    places = (sources[f"mirbase21/{name}"].url for name in ("hairpin.fa.gz", "miFam.dat"))
    known = known_hairpins(*(mirror_path(real_mirror, place) for place in places))
    records = {
        name: read_records(results / "datasets" / name / "records.tsv")
        for name in ("human", "cross-species", "new")
    }
    # Folding takes minutes; whoever has no energy is described all the same.
    flat = {name: table[["id"]].assign(mfe=0.0) for name, table in records.items()}
    found = {}
    for name in ("human-test", "cross-species-test", "new-test"):
        experiment = read_experiment(results / "experiments" / f"{name}.tsv")
        sets = dict.fromkeys(experiment["set"])
        of_sets = {of: features(records[of], flat[of]) for of in sets}
        found[name] = audit_records(join_features(experiment, of_sets), known).reset_index(
            drop=True
        )
        kept = read_audit(KEPT / "audit" / name / "records.tsv.gz")
        pd.testing.assert_frame_equal(found[name].round({"identity": 4}), kept)
    human, cross, new = found.values()
    assert [audit["in_training"].sum() for audit in (human, cross, new)] == [3, 3, 44]
    known_negatives = [
        ((a["label"] == 0) & (a["hairpin"] != "")).sum() for a in (human, cross, new)
    ]
    assert known_negatives == [5, 3, 99]
    positives = cross[(cross["label"] == 1) & (cross["family"] != "")]
    assert (len(positives), positives["relative"].sum()) == (104, 73)
    for name, both, negatives in (("human", 33, 59), ("cross-species", 23, 58), ("new", 0, 99)):
        table = describe(records[name], flat[name], known)
        kept = read_features(KEPT / "datasets" / name / "features.tsv.gz")
        same = ["id", "label", "length", "contradictory", "hairpin"]
        pd.testing.assert_frame_equal(table[same], kept[same])
        negative = table["label"] == 0
        assert table.loc[~negative, "contradictory"].sum() == both
        assert (negative & (table["hairpin"] != "")).sum() == negatives
    positives_of_training = records["cross-species"].query("label == 1")["sequence"]
    assert records["new"].query("label == 0")["sequence"].isin(positives_of_training).sum() == 36


def test_kept_trainings_had_the_experiments_of_the_real_files(prepared: tuple[Copy, str]) -> None:
    """The column of weights, 1 for all records here, is newer than some of these trainings."""
    folder = prepared[0].folder
    known: dict[str, set[str]] = {}
    for path in (folder / "results" / "paper" / "experiments").glob("*.tsv"):
        experiment = read_experiment(path)
        assert (experiment["weight"] == 1).all()
        older = folder / "older" / path.name
        write_tsv(experiment.drop(columns="weight"), older)
        known[path.name] = {sha256(older), sha256(path)}
    for path in sorted(KEPT.glob("runs/*/*/*/*/provenance.json")):
        inputs = json.loads(path.read_text())["inputs_sha256"]
        (name,) = [name for name in inputs if "/experiments/" in name]
        assert inputs[name] in known[Path(name).name], path


def test_one_epoch_on_the_real_human_set_ranks_hairpins_well(prepared: tuple[Copy, str]) -> None:
    copy, config = prepared
    metrics = "results/paper/runs/human-test/variable/paper/seed0/metrics.tsv"
    copy.snakemake(metrics, "--configfile", config)
    measured = pd.read_csv(copy.folder / metrics, sep="\t").iloc[0]
    assert (measured["positives"], measured["negatives"]) == (86, 742)
    assert measured["AUROC"] > 0.95
