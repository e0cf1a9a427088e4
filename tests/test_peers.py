"""The comparison with peers, on a few hairpins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from Bio.Seq import reverse_complement_rna

from bench import peers
from mirpair.contracts import BY_KIND, EXPERIMENT, PIECE, RECORDS
from mirpair.files import write_tsv
from mirpair.identification.experiments import read_family_names
from mirpair.identification.metrics import rank, recall_at
from mirpair.networks.build import build
from mirpair.networks.weights import save_weights
from mirpair.prediction.predictor import predict
from mirpair.recipes import MODELS
from mirpair.rna.folding import fold
from mirpair.rna.sequences import read_fasta
from mirpair.settings import Kingdom

DEMO = peers.ROOT / "config" / "demo"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six human hairpins, one of them without its family, and eight other RNAs, in four kinds."""
    positives = list(read_fasta(DEMO / "positives.fa"))[:6]
    negatives = list(read_fasta(DEMO / "negatives.fa"))[:8]
    rng = np.random.default_rng(0)
    rows = [
        (it.id.split("|")[0], 1, "mirbase", it.id.split("|")[0][4:], it.sequence, rng.uniform())
        for it in positives[:5]
    ]
    rows.append(("locus", 1, "human-x-known", "", positives[5].sequence, rng.uniform()))
    for n, it in enumerate(negatives):
        kind = ["ecoli", "human-x", "human-x-near-known"][n % 3]
        rows.append((it.id, 0, kind, "", it.sequence, rng.uniform()))
    path = tmp_path / "hairpins.tsv"
    columns = [*peers.COLUMNS, "mirDNN"]
    pd.DataFrame(rows, columns=columns).to_csv(path, sep="\t", index=False)
    return path


def study(folder: Path, sequences: list[str], labels: list[int]) -> Path:
    """Write what a study has of a few records, all of which train."""
    ids = [f"r{number}" for number in range(len(sequences))]
    records = pd.DataFrame({"id": ids, "label": labels, "sequence": sequences, "file": "x.fa"})
    records["number"] = range(1, len(ids) + 1)
    structures = pd.DataFrame([fold(it) for it in sequences], columns=["structure", "mfe"])
    structures.insert(0, "id", ids)
    roles = pd.DataFrame({"id": ids, "set": "own", "role": "train", "weight": 1.0})
    write_tsv(records[list(RECORDS)], folder / "datasets" / "own" / "records.tsv")
    write_tsv(structures, folder / "datasets" / "own" / "structures.tsv")
    write_tsv(roles[list(EXPERIMENT)], folder / "experiments" / "families.tsv")
    return folder


def test_all_methods_score_the_same_hairpins(table: Path, tmp_path: Path) -> None:
    files = []
    for seed in (1, 2):
        files.append(tmp_path / f"{seed}.safetensors")
        save_weights(build(MODELS["variable"], seed=seed), files[-1])
    hairpins = peers.read_hairpins(table)
    more = [
        it
        for name in ("positives", "negatives")
        for it in list(read_fasta(DEMO / f"{name}.fa"))[20:26]
    ]
    # The first negative is the other strand of a training record, with other ends.
    first = reverse_complement_rna("AC" + hairpins["sequence"].iloc[6][3:40])
    trained = [first, *(it.sequence for it in more)]
    folder = study(tmp_path / "study", trained, [0, *[1] * 6, *[0] * 6])
    options = [
        "--study",
        folder,
        "--unlike",
        "--out",
        tmp_path / "out",
        "--cache",
        tmp_path / "folded.tsv",
        "--processes",
        "1",
    ]
    weights = [f"ours={file}" for file in files]
    arguments = [str(it) for it in (table, "--weights", *weights, *options, "--resamples", "20")]
    assert peers.main(arguments) == 0

    compared, facts = peers.read(tmp_path / "out")
    assert facts["alike"]["E. coli"] == [1, 3]
    assert facts["hairpins"] == 13
    assert facts["alike"]["human X"] == [0, 5]
    assert facts["methods"] == {"ours": 2}
    pairs = compared[["positives", "pre-miRNAs", "negatives", "others"]].drop_duplicates()
    hairpin, _, _, on_x = peers.POSITIVES
    assert pairs.to_numpy().tolist() == [
        [hairpin, 5, "E. coli", 2],
        [hairpin, 5, "human X", 5],
        [on_x, 1, "E. coli", 2],
        [on_x, 1, "human X", 5],
    ]
    human = compared[(compared["pre-miRNAs"] == 5) & (compared["negatives"] == "human X")]
    methods = [(row["method"], row["trainings"]) for _, row in human.iterrows()]
    own = [("ours", it) for it in ("1 of 2", "2 of 2", "mean of 2", "mean score of 2")]
    fitted = ["Random forest, 60,000 records", "Gradient boosting"]
    assert methods == [("mirDNN", ""), (peers.MFE, ""), *((it, "") for it in fitted), *own]
    chosen = hairpins[hairpins["kind"].isin(["mirbase", "human-x", "human-x-near-known"])]
    peer = human.iloc[0]
    assert peer["AUROC"] == pytest.approx(rank(chosen["label"], chosen["mirDNN"])["AUROC"])
    assert peer["AUROC low"] <= peer["AUROC"] <= peer["AUROC high"]
    mean = human[human["trainings"].isin(["1 of 2", "2 of 2"])]["AUPR"].mean()
    assert human.iloc[6]["AUPR"] == pytest.approx(mean)
    # Of five negatives, no share of 1 % can be called.
    assert np.isnan(recall_at(chosen["label"], chosen["mirDNN"], 0.01))
    assert human[["R@1%", "R@0.1%"]].isna().all(axis=None)

    page = (tmp_path / "out" / "peers.md").read_text(encoding="utf-8")
    assert page == peers.render(compared, facts)
    assert "**has seen these pre-miRNAs**" in page
    assert "**has not seen**" in page
    seen = peers.render(compared, facts | {"seen": ["ours"]})
    assert "**has not seen**" not in seen
    assert "**have seen these" in seen
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    # The escaped bars of |MFE| are no columns.
    columns = {line.replace(r"\|", "").count("|") for line in rows}
    assert columns == {len(BY_KIND) + 4}
    assert "1 of 2" not in page
    assert "mean score of 2" in page


def test_a_hairpin_is_folded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "folded.tsv"
    first = peers.structures_of(["GGGAAAACCC", "GGAAAACC"], cache, processes=1)
    assert list(first) == list(PIECE)
    monkeypatch.setattr(peers, "fold_all", lambda new, processes: map(fold, new))
    folded: list[str] = []
    monkeypatch.setattr(peers, "unique", lambda new: folded.extend(new) or list(new))
    again = peers.structures_of(["GGAAAACC", "GCAAAAGC", "GGAAAACC"], cache, processes=1)
    assert folded == ["GCAAAAGC"]
    assert again["sequence"].tolist() == ["GGAAAACC", "GCAAAAGC", "GGAAAACC"]
    assert again["structure"].iloc[0] == first["structure"].iloc[1]


def test_a_pre_mirna_without_a_family_has_that_of_the_nearest_hairpin(table: Path) -> None:
    hairpins = peers.read_hairpins(table)
    families = peers.families_of(hairpins)
    names = [it.id.split("|")[0] for it in list(read_fasta(DEMO / "positives.fa"))[:6]]
    assert families[:6] == [peers.family_of(name) for name in names]
    assert families[6:] == [""] * 8


def test_families_that_are_held_out_are_read_without_comments() -> None:
    families = set(read_family_names(peers.HELD_OUT))
    assert {"let-7", "mir-98", "mir-223"} <= families
    assert not any(it.startswith("#") or it != it.strip() for it in families)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="family"), "no column 'family'"),
        (lambda t: t.drop(columns="mirDNN"), "scores of a peer"),
        (lambda t: t.assign(kind="mouse"), "the kind 'mouse'"),
    ],
)
def test_another_table_is_refused(
    table: Path, change: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = change(pd.read_csv(table, sep="\t"))  # type: ignore[operator]
    changed.to_csv(table, sep="\t", index=False)
    assert peers.main([str(table), "--weights", "ours=none.safetensors"]) == 1
    assert said in capsys.readouterr().err


def test_the_page_of_peers_is_what_its_table_says() -> None:
    folder = peers.ROOT / "docs" / "finder"
    if not (folder / "peers.tsv").exists():
        pytest.skip("python -m bench.peers has not written the page yet")
    written = (folder / "peers.md").read_text(encoding="utf-8")
    assert peers.render(*peers.read(folder)) == written


def test_the_networks_of_a_kingdom_score_rnas_as_predict_does() -> None:
    rnas = [it.sequence for it in list(read_fasta(DEMO / "positives.fa"))[:70]]
    folded = pd.DataFrame([(it, *fold(it)) for it in rnas], columns=list(PIECE))
    kingdoms: tuple[Kingdom, ...] = ("animals", "plants")
    of_kingdom = {it: peers.score(None, folded, it).tolist() for it in kingdoms}
    for kingdom, scores in of_kingdom.items():
        table = predict(rnas, kingdom=kingdom, reference="none")
        assert scores == table["score"].tolist()
    assert of_kingdom["animals"] != of_kingdom["plants"]
