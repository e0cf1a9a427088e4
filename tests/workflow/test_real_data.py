"""The published files themselves, where a mirror of them is at hand (MIRPAIR_MIRROR)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from mirpair.config import load_study
from mirpair.contracts import read_audit
from mirpair.files import sha256
from mirpair.sources import mirror_path, read_sources
from workflow.conftest import ROOT, Copy, copy_of_repository


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
    for source in read_sources(ROOT / "config" / "sources.tsv").values():
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


def test_the_audit_finds_what_is_wrong_with_the_benchmark(prepared: tuple[Copy, str]) -> None:
    copy, config = prepared
    names = ("human-test", "cross-species-test", "new-test")
    files = [f"results/paper/audit/{name}/records.tsv" for name in names]
    copy.snakemake(*files, "--configfile", config)
    human, cross, new = (read_audit(copy.folder / file) for file in files)
    assert [len(audit) for audit in (human, cross, new)] == [828, 993, 8936]
    assert [audit["in_training"].sum() for audit in (human, cross, new)] == [3, 3, 44]
    assert [audit["contradictory"].sum() for audit in (human, cross, new)] == [7, 3, 36]
    known = [((a["label"] == 0) & (a["hairpin"] != "")).sum() for a in (human, cross, new)]
    assert known == [5, 3, 99]
    assert [(audit["identity"] >= 0.8).sum() for audit in (human, cross, new)] == [30, 65, 205]
    positives = cross[(cross["label"] == 1) & (cross["family"] != "")]
    assert (len(positives), positives["relative"].sum()) == (104, 73)
    for file, reached in zip(files, (0.959, 0.920, 0.901), strict=True):
        path = (copy.folder / file).with_name("shortcuts.tsv")
        alone = pd.read_csv(path, sep="\t", index_col="feature")
        assert round(alone.loc["MFE/length", "AUROC"], 3) == reached

    def sequences(name: str, label: int) -> set[str]:
        path = copy.folder / "results" / "paper" / "datasets" / name / "records.tsv"
        table = pd.read_csv(path, sep="\t")
        return set(table.loc[table["label"] == label, "sequence"])

    assert len(sequences("human", 1) & sequences("human", 0)) == 33
    assert len(sequences("cross-species", 1) & sequences("cross-species", 0)) == 23
    assert len(sequences("cross-species", 1) & sequences("new", 0)) == 36


def test_one_epoch_on_the_real_human_set_ranks_hairpins_well(prepared: tuple[Copy, str]) -> None:
    copy, config = prepared
    metrics = "results/paper/runs/human-test/variable/paper/seed0/metrics.tsv"
    copy.snakemake(metrics, "--configfile", config)
    measured = pd.read_csv(copy.folder / metrics, sep="\t").iloc[0]
    assert (measured["positives"], measured["negatives"]) == (86, 742)
    assert measured["AUROC"] > 0.95
