"""Weights of one's own to ship, for real: from FASTA files to what `mirpair predict` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mirpair.prediction.weights import load_networks
from mirpair.rna.known_hairpins import load_known_hairpins
from mirpair.rna.sequences import read_fasta
from workflow.conftest import ROOT, Copy, copy_of_repository

RESULTS = "results/own"
DEMO = ROOT / "config" / "demo"


def fasta(path: Path, sequences: list[str]) -> str:
    path.write_text("".join(f">{n}\n{s}\n" for n, s in enumerate(sequences, 1)))
    return path.name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = copy_of_repository(tmp_path_factory.mktemp("ship"))
    positives, negatives = (
        [record.sequence for record in read_fasta(DEMO / f"{name}.fa")]
        for name in ("positives", "negatives")
    )
    # Two sets that overlap: copies, a sequence of both classes, a negative that is a known hairpin.
    folder = copy.folder
    config: dict[str, Any] = {
        "study": "own",
        "title": "Weights of one's own",
        "seeds": [0, 1],
        "datasets": {
            "both": {
                "positives": [
                    fasta(folder / "one_pos.fa", positives[:30]),
                    fasta(folder / "two_pos.fa", positives[25:40]),
                ],
                "negatives": [
                    fasta(folder / "one_neg.fa", [*negatives[:60], positives[3]]),
                    fasta(folder / "two_neg.fa", [*negatives[55:80], positives[100]]),
                ],
                "cleaned": True,
            }
        },
        "audit": {"hairpins": fasta(folder / "known.fa", positives[90:110])},
        "experiments": {"cv": {"split": "cluster-k-fold", "dataset": "both", "folds": 2}},
        "runs": [{"models": ["variable"], "epochs": 4}],
        "shipped": {"validation": "cv", "members": 2},
        "tables": {"cv": {"title": "Held out", "rows": {"CV": "cv"}}},
    }
    copy.write_config(config)
    # In place of what pip would download.
    raw = folder / "results" / "raw"
    for name in ("ecoli", "mirbase-22"):
        (raw / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    bases = "".join("".join(rng.choice(list("ACGT"), 200)) + s for s in negatives[100:130])
    (raw / "ecoli" / "bacteria.fna").write_text(f">g\n{bases}\n")
    (raw / "mirbase-22" / "hairpins.csv").write_text(
        "accession,ID,precursor\n"
        + "".join(f"MI{n},hsa-mir-{n},{s}\n" for n, s in enumerate(positives))
    )
    names = ("pre-mirna.safetensors", "pre-mirna.md", "mirbase22.tsv.xz")
    copy.snakemake(*(f"{RESULTS}/shipped/{name}" for name in names), "--configfile", "test.yaml")
    left = copy.planned("all", "--configfile", "test.yaml")
    assert not {"ship", "ship_hairpins", "ship_background", "train_on_all"} & set(left)
    return copy


def test_records_known_to_be_wrong_do_not_train_and_are_listed(made: Copy) -> None:
    folder = made.folder / RESULTS / "datasets" / "both"
    records = pd.read_csv(folder / "records.tsv", sep="\t")
    dropped = pd.read_csv(folder / "dropped.tsv", sep="\t")
    assert dropped["reason"].value_counts().to_dict() == {
        "copy": 10,
        "in both classes": 2,
        "known hairpin": 1,
    }
    assert records["sequence"].is_unique
    assert len(records) == 39 + 80
    assert records["id"].is_unique
    assert records["id"].iloc[0] == "one_pos:1"
    experiment = pd.read_csv(made.folder / RESULTS / "train_on_all" / "both.tsv", sep="\t")
    assert experiment["id"].tolist() == records["id"].tolist()
    assert set(experiment["role"]) == {"train"}


def test_predict_uses_the_shipped_weights_and_their_card_describes_them(made: Copy) -> None:
    folder = made.folder / RESULTS / "shipped"
    trained = load_networks(folder / "pre-mirna.safetensors")
    assert len(trained.networks) == 2
    assert trained.candidates is not None
    provenance = json.loads(
        (
            made.folder / RESULTS / "train_on_all/both/variable/paper/seed0/provenance.json"
        ).read_text()
    )
    assert provenance["run"]["epochs"] == 4
    card = (folder / "pre-mirna.md").read_text()
    assert "39 pre-miRNAs and 80 other RNAs" in card
    assert "10 (copy), 2 (in both classes), 1 (known hairpin)" in card
    assert "2 (shipped)" in card
    held = pd.concat(
        pd.read_csv(path, sep="\t")
        for path in (made.folder / RESULTS / "runs").glob("cv*/*/*/*/predictions.tsv")
    )
    assert f"{len(held) // 2} records" in card
    assert len(load_known_hairpins(folder / "mirbase22.tsv.xz").sequences) == 150
    background = pd.read_csv(folder / "background.tsv", sep="\t")
    assert set(background["fold"]) == {1, 2}
    assert background.loc[background["label"] == 0, "score"].notna().all()
    # Every pre-miRNA that evaluates is asked once.
    assert (background["label"] == 1).sum() == (held["label"] == 1).sum() // 2


def test_a_second_run_gives_the_same_bytes(made: Copy) -> None:
    folder = made.folder / RESULTS / "shipped"
    names = ("pre-mirna.safetensors", "pre-mirna.md", "background.tsv", "mirbase22.tsv.xz")
    before = {name: (folder / name).read_bytes() for name in names[:3]}
    made.snakemake(
        *(f"{RESULTS}/shipped/{name}" for name in names[:2]),
        "--configfile", "test.yaml", "--forcerun", "ship",
    )  # fmt: skip
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_an_impossible_section_is_refused_before_anything_runs(made: Copy) -> None:
    for before, after, said in (
        ("members: 2", "members: 3", "shipped.members: is 3, but there are 2 `seeds`"),
        ("validation: cv", "validation: other", "there is no experiment named 'other'"),
        ("model: variable", "model: fixed", "no training of 'fixed'"),
    ):
        text = (made.folder / "test.yaml").read_text()
        text = text.replace("  members: 2\n", "  members: 2\n  model: variable\n")
        assert before in text
        (made.folder / "wrong.yaml").write_text(text.replace(before, after))
        done = made.snakemake("-n", "all", "--configfile", "wrong.yaml", check=False)
        assert done.returncode != 0
        assert said in done.stdout
