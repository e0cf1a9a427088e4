"""Weights of one's own to ship, for real: from FASTA files to what `mirpair predict` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mirpair.networks.score_log import ScoreLog
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
    # A copy, a sequence of both classes, a negative that is a known hairpin.
    folder = copy.folder
    (folder / "mine.fa").write_text(
        "".join(f">xyz-mir-{n} MI{n}\n{it}\n" for n, it in enumerate(positives[:40], 1))
    )
    (folder / "held-out.txt").write_text("".join(f"mir-{n}\n" for n in range(1, 11)))
    (folder / "others.txt").write_text("".join(f"mir-{n}\n" for n in range(11, 21)))
    config: dict[str, Any] = {
        "study": "own",
        "title": "Weights of one's own",
        "seeds": [0, 1],
        "collections": {"mine": {"source": "hairpins", "file": "mine.fa"}},
        "datasets": {
            "both": {
                "positives": ["mine"],
                "negatives": [
                    fasta(folder / "one_neg.fa", [*negatives[:60], positives[3]]),
                    fasta(folder / "two_neg.fa", [*negatives[55:80], positives[100]]),
                ],
                "cleaned": True,
            }
        },
        "audit": {"hairpins": fasta(folder / "known.fa", positives[90:110])},
        "experiments": {
            name: {
                "split": "families",
                "dataset": "both",
                "families": file,
                "validation": 0.4,
                "seed": seed,
            }
            for seed, (name, file) in enumerate(
                (("families", "held-out.txt"), ("other-families", "others.txt"))
            )
        },
        "runs": [{"models": ["variable", "without-pairing"], "epochs": 4, "seeds": [0]}],
        "shipped": {
            "validation": {"animals": ["families", "other-families"]},
            "networks": [{"model": "variable"}, {"model": "without-pairing"}],
            "members": 1,
        },
        "averages": {"both": {"label": "Both", "models": ["variable", "without-pairing"]}},
        "tables": {
            "kinds": {
                "title": "By kind",
                "experiment": "families",
                "positives": {"hairpins": {"collections": ["mine"]}},
                "negatives": {"others": {}},
                "rows": [["hairpins", "others"]],
            }
        },
    }
    copy.write_config(config)
    # In place of what pip would download.
    raw = folder / "results" / "raw" / "mirbase-22"
    raw.mkdir(parents=True)
    (raw / "hairpins.csv").write_text(
        "accession,ID,precursor\n"
        + "".join(f"MI{n},hsa-mir-{n},{s}\n" for n, s in enumerate(positives))
    )
    names = ("pre-mirna.safetensors", "pre-mirna.md", "mirbase22.tsv.xz")
    copy.snakemake(*(f"{RESULTS}/shipped/{name}" for name in names), "--configfile", "test.yaml")
    left = copy.planned("all", "--configfile", "test.yaml")
    assert not {"ship", "ship_hairpins", "ship_scores"} & set(left)
    return copy


def test_records_known_to_be_wrong_do_not_train_and_are_listed(made: Copy) -> None:
    folder = made.folder / RESULTS / "datasets" / "both"
    records = pd.read_csv(folder / "records.tsv", sep="\t")
    dropped = pd.read_csv(folder / "dropped.tsv", sep="\t")
    assert dropped["reason"].value_counts().to_dict() == {
        "copy": 5,
        "in both classes": 2,
        "known hairpin": 1,
    }
    assert records["sequence"].is_unique
    assert len(records) == 39 + 80
    assert records["id"].is_unique


def test_predict_uses_the_shipped_weights_and_their_card_describes_them(made: Copy) -> None:
    folder = made.folder / RESULTS / "shipped"
    trained = load_networks(folder / "pre-mirna.safetensors")
    assert [it.model.label for it in trained.networks] == [
        *["Variable-sized", "Without pairing matrix"] * 2
    ]
    assert trained.candidates is not None
    assert trained.genome is None, "no hairpins of a genome"
    provenance = json.loads(
        (made.folder / RESULTS / "runs/families/variable/paper/seed0/provenance.json").read_text()
    )
    assert provenance["run"]["epochs"] == 4
    assert len(load_known_hairpins(folder / "mirbase22.tsv.xz").sequences) == 150
    # What trained has no score, and all others that of the networks for which they have the role.
    scored = pd.read_csv(folder / "animals.tsv", sep="\t").set_index("id")
    assert set(scored["role"]) == {"train", "validate", "evaluate"}
    assert (scored["score"].notna() == (scored["role"] != "train")).all()
    expected: dict[str, dict[str, list[float]]] = {"validate": {}, "evaluate": {}}
    runs = sorted((made.folder / RESULTS / "runs").glob("*/*/*/*"))
    assert len(runs) == 4
    for run in runs:
        validated = ScoreLog.load(run / "scores.npz").validation()
        evaluated = pd.read_csv(run / "predictions.tsv", sep="\t")
        for role, table in (("validate", validated), ("evaluate", evaluated)):
            for name, score in zip(table["id"], table["score"], strict=True):
                expected[role].setdefault(name, []).append(float(score))
    for name in expected["evaluate"]:
        expected["validate"].pop(name, None)
    for role, of_role in expected.items():
        assert set(scored.index[scored["role"] == role]) == set(of_role)
        means = {name: np.mean(scores) for name, scores in of_role.items()}
        np.testing.assert_allclose(
            scored.loc[list(means), "score"], list(means.values()), rtol=1e-6
        )
    lengths = {len(it) for it in expected["evaluate"].values()}
    assert lengths == {2, 4}, "some are new to both networks of one experiment, some to all four"
    validation = scored[scored["role"] == "validate"]
    assert trained.candidates.prior == pytest.approx((validation["label"] == 1).mean())
    card = (folder / "pre-mirna.md").read_text()
    assert "5 (copy), 2 (in both classes), 1 (known hairpin)" in card
    labels = scored.loc[scored["role"] == "evaluate", "label"]
    for label, how in ((1, "by how they were cut"), (0, "by their collection")):
        assert f"\n{(labels == label).sum()} evaluation records, {how}" in card
    assert "not calibrated for hairpins of a genome" in card


def test_an_average_of_networks_is_a_method_in_a_table_of_kinds(made: Copy) -> None:
    table = f"{RESULTS}/tables/kinds.csv"
    made.snakemake(table, "--configfile", "test.yaml")
    rows = pd.read_csv(made.folder / table).set_index("method")
    scores = [
        pd.read_csv(
            made.folder / RESULTS / f"runs/families/{model}/paper/seed0/predictions.tsv", sep="\t"
        ).set_index("id")
        for model in ("variable", "without-pairing")
    ]
    labels = scores[0]["label"]
    mean = (scores[0]["score"] + scores[1]["score"].loc[labels.index]) / 2
    assert rows.loc["Both", "AUROC"] == pytest.approx(roc_auc_score(labels, mean), abs=1e-6)
    assert rows.loc["Both", "seeds"] == 2
    assert {"Variable-sized", "Without pairing matrix"} < set(rows.index)


def test_a_second_run_gives_the_same_bytes(made: Copy) -> None:
    folder = made.folder / RESULTS / "shipped"
    names = ("pre-mirna.safetensors", "pre-mirna.md", "animals.tsv", "mirbase22.tsv.xz")
    before = {name: (folder / name).read_bytes() for name in names[:3]}
    made.snakemake(
        *(f"{RESULTS}/shipped/{name}" for name in names[:2]),
        "--configfile", "test.yaml", "--forcerun", "ship",
    )  # fmt: skip
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_an_impossible_section_is_refused_before_anything_runs(made: Copy) -> None:
    for before, after, said in (
        ("members: 1", "members: 3", "shipped.members: is 3, but there are 2 `seeds`"),
        ("- families\n", "- another\n", "there is no experiment named 'another'"),
        ("animals:\n", "fungi:\n", "fungi"),
        ("validation: 0.4", "validation: 0.0", "'families' has no validation records"),
        ("- model: without-pairing", "- model: fixed", "no training of 'fixed'"),
    ):
        text = (made.folder / "test.yaml").read_text()
        assert before in text
        (made.folder / "wrong.yaml").write_text(text.replace(before, after))
        done = made.snakemake("-n", "all", "--configfile", "wrong.yaml", check=False)
        assert done.returncode != 0
        assert said in done.stdout
