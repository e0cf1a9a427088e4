"""Annotation of RNAs with families by shipped weights."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT, random_rna
from safetensors.torch import save_file
from test_by_models import needs_library
from test_infernal import needs_infernal

from mirpair import files
from mirpair.contracts import EVALUATE, TRAIN, VALIDATE
from mirpair.families.annotation import (
    annotate,
    decided_by,
    family_names,
    in_chunks,
    load,
    shipped,
)
from mirpair.families.by_models import call_by_models
from mirpair.families.card import model_card
from mirpair.families.covariance import CovarianceModels
from mirpair.families.family_calls import NETWORK_SCORES, rejection
from mirpair.families.infernal import build_models
from mirpair.families.records import nearest_family, trained_families
from mirpair.families.shipping import ship
from mirpair.families.train import train_families
from mirpair.files import InputError, sha256
from mirpair.networks import weights
from mirpair.networks.inference import embed
from mirpair.networks.weights import save_weights
from mirpair.recipes import FAMILY_MODELS, FAMILY_RECIPES
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import encode
from mirpair.rna.folding import fold
from mirpair.rna.similarity import Nearest

ROLES = [TRAIN] * 8 + [VALIDATE] * 3 + [EVALUATE] * 3
COMPLEMENT = str.maketrans("ACGU", "UGCA")


class Study(NamedTuple):
    records: pd.DataFrame
    experiment: pd.DataFrame
    queries: pd.DataFrame


def mutated(sequence: str, rng: np.random.Generator) -> str:
    bases = list(sequence)
    for place in rng.choice(len(bases), 4, replace=False):
        bases[place] = str(rng.choice(list("ACGU")))
    return "".join(bases)


@pytest.fixture(scope="module")
def study() -> Study:
    """Make four families, each of mutants of a hairpin, and outliers, which do not train."""
    rng = np.random.default_rng(0)
    rows = []
    for family in ("RF1", "RF2", "RF3", "RF4"):
        arm = random_rna(rng, 30)
        hairpin = arm + random_rna(rng, 10) + arm[::-1].translate(COMPLEMENT)
        for number, role in enumerate(ROLES):
            rows.append((f"{family}:{number}", 1, mutated(hairpin, rng), family, role))
    # The second kind is similar to hairpins: a threshold chosen on the first kind accepts it.
    known = [row[2] for row in rows]
    for number in range(60):
        role = (VALIDATE, EVALUATE)[number % 2]
        rows.append((f"tRNA:{number}", 0, random_rna(rng, 70), "tRNA", role))
        worn = known[number % len(known)]
        for _ in range(8):
            worn = mutated(worn, rng)
        rows.append((f"worn:{number}", 0, worn, "worn hairpin", role))
    records = pd.DataFrame(rows, columns=["id", "label", "sequence", "family", "role"])
    experiment = records[["id", "role"]].assign(set="all")
    records = records.drop(columns="role")
    return Study(records, experiment, nearest_family(records, experiment))


def training(study: Study, name: str, folder: Path, *, epochs: int) -> dict[str, Any]:
    """Train a network, and return what the workflow stores of it."""
    records, experiment, queries = study
    classes, labels = trained_families(experiment, records)
    ids, sequences = records["id"].tolist(), records["sequence"].tolist()
    encoded = Tensors.build(ids, [1] * len(ids), [encode(s, *fold(s)) for s in sequences])
    trains = np.flatnonzero(experiment["role"] == TRAIN)
    model, recipe = FAMILY_RECIPES["tang-sun"](FAMILY_MODELS[name])
    network, _ = train_families(
        model,
        encoded.subset(trains),
        labels[trains],
        encoded.subset(trains[:0]),
        labels[:0],
        classes,
        replace(recipe, epochs=epochs, batch_size=8),
        seed=0,
    )
    save_weights(network, folder / "weights.safetensors")
    logits, features = embed(network, encoded)
    outputs = {
        "ids": encoded.ids,
        "classes": np.array(classes),
        "logits": logits.numpy(),
        "features": features.numpy(),
    }
    return {
        "weights": folder / "weights.safetensors",
        "outputs": outputs,
        "experiment": experiment,
        "known": records[(experiment["role"] == TRAIN).to_numpy()],
        "queries": queries,
        "max_length": 200,
        "families": pd.DataFrame(
            {"family": classes, "accessions": [f"MIPF{it} {it}" for it in classes]}
        ),
    }


@pytest.fixture(scope="module")
def trained(study: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return training(study, "one-hot", tmp_path_factory.mktemp("one-hot"), epochs=10)


@pytest.fixture(scope="module")
def one_hot(trained: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shipped") / "families.safetensors"
    ship(path, **trained, score="distance")
    return path


@pytest.fixture(scope="module", params=["one-hot", "variable"])
def any_network(
    request: pytest.FixtureRequest, study: Study, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Ship a network without structures, and one with."""
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / "families.safetensors"
    ship(path, **training(study, request.param, folder, epochs=1), score="energy")
    return path


def test_rnas_of_trained_families_are_named_and_most_outliers_are_not(
    study: Study, one_hot: Path
) -> None:
    records = study.records[(study.experiment["role"] == EVALUATE).to_numpy()]
    table = annotate(load(one_hot), records["sequence"].tolist())
    assert table["length"].tolist() == records["sequence"].str.len().tolist()
    known = (records["label"] == 1).to_numpy()
    hairpins, outliers = table[known], table[~known]
    assert hairpins["family"].tolist() == records["family"][known].tolist()
    assert hairpins["nearest_family"].tolist() == records["family"][known].tolist()
    assert set(hairpins["distribution"]) == {"in"}
    assert hairpins["identity"].min() > 0.8
    assert hairpins["coverage"].between(0.5, 1).all()
    assert hairpins["probability"].min() > 0.5
    assert set(hairpins["reason"]) == {""}
    assert (outliers["distribution"] == "out").mean() > 0.8
    out = table[table["distribution"] == "out"]
    assert set(out["family"]) == {""}
    assert out["probability"].isna().all()
    assert set(out["reason"]) == {"out of distribution"}
    of_training = dict(zip(study.experiment["id"], study.experiment["role"], strict=True))
    assert {of_training[name] for name in hairpins["nearest"]} == {TRAIN}


def test_an_annotation_does_not_depend_on_the_other_rnas(study: Study, any_network: Path) -> None:
    annotator = load(any_network)
    sequences = [*study.records["sequence"], "GCGC", "ACGU" * 60, "A"]
    at_once = annotate(annotator, sequences)
    for chunk, processes in ((1, 1), (7, 2), (1000, 2)):
        parts = in_chunks(annotator, sequences, processes=processes, chunk=chunk)
        again = pd.concat(parts, ignore_index=True)
        assert again.to_csv(float_format="%.4f") == at_once.to_csv(float_format="%.4f")
    folded = {sequence: fold(sequence) for sequence in sequences}
    (known,) = in_chunks(annotator, sequences, folded=folded)
    pd.testing.assert_frame_equal(known, at_once)


def test_a_piece_of_a_trained_hairpin_is_identical_and_covers_its_share(any_network: Path) -> None:
    annotator = load(any_network)
    hairpin = annotator.sequences[0]
    (row,) = annotate(annotator, [hairpin[:-10]]).to_dict("records")
    assert row["nearest"] == annotator.ids[0]
    assert row["identity"] == 1
    assert row["coverage"] == pytest.approx(1 - 10 / len(hairpin))


def test_too_long_rnas_are_not_annotated_and_a_neighbour_needs_a_shared_8_mer(
    one_hot: Path,
) -> None:
    table = annotate(load(one_hot), ["A" * 201, "ACGUACG", "A" * 200]).to_dict("records")
    assert table[0]["reason"] == "too long: 201 > 200"
    assert table[0]["length"] == 201
    for name in ("family", "distribution", "nearest", "nearest_family"):
        assert table[0][name] == ""
    assert np.isnan(
        [table[0][name] for name in ("probability", "score", "identity", "coverage")]
    ).all()
    assert table[1]["distribution"] in ("in", "out")
    assert (table[1]["nearest"], table[1]["nearest_family"]) == ("", "")
    assert np.isnan(table[1]["identity"])
    assert table[2]["distribution"] in ("in", "out")
    nothing = annotate(load(one_hot), [])
    assert len(nothing) == 0
    assert list(nothing) == list(table[0])


@pytest.mark.parametrize("score", NETWORK_SCORES)
def test_the_thresholds_have_their_false_positive_rates(
    trained: dict[str, Any], study: Study, score: str, tmp_path: Path
) -> None:
    calls = ship(tmp_path / "families.safetensors", **trained, score=score)
    annotator = load(tmp_path / "families.safetensors")
    table = calls.merge(trained["queries"], on="id")
    validate = table[table["role"] == VALIDATE]
    outliers = validate.loc[validate["kind"] != "", score]
    assert (outliers >= annotator.thresholds["5%"]).mean() <= 0.05
    inside = validate.loc[validate["kind"] == "", score]

    def gain(cut: float) -> float:
        return float((inside >= cut).mean() - (outliers >= cut).mean())

    assert gain(annotator.thresholds["youden"]) == max(gain(cut) for cut in inside)
    # Annotation gives the scores that the thresholds were chosen on.
    sequences = study.records.set_index("id").loc[calls["id"], "sequence"].tolist()
    scores = annotate(annotator, sequences)["score"]
    np.testing.assert_allclose(scores, calls[score], rtol=1e-4)
    lenient = min(annotator.thresholds, key=lambda name: annotator.thresholds[name])
    named = annotate(annotator, sequences, threshold=lenient)["distribution"] == "in"
    assert named.sum() == (scores >= annotator.thresholds[lenient]).sum()


def test_shipping_the_same_training_gives_the_same_bytes(
    trained: dict[str, Any], one_hot: Path, tmp_path: Path
) -> None:
    ship(tmp_path / "families.safetensors", **trained, score="distance")
    assert sha256(tmp_path / "families.safetensors") == sha256(one_hot)
    annotator = load(one_hot)
    train = trained["experiment"].loc[trained["experiment"]["role"] == TRAIN, "id"]
    assert list(annotator.ids) == train.tolist()
    records = trained["known"].set_index("id").loc[train]
    assert list(annotator.sequences) == records["sequence"].tolist()
    assert list(annotator.families) == records["family"].tolist()


def test_shipping_a_wrong_training_is_refused_and_leaves_no_file(
    trained: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "families.safetensors"
    with pytest.raises(InputError, match="choose one of softmax, energy, distance"):
        ship(path, **trained, score="bits")
    known = trained["queries"][trained["queries"]["kind"] == ""]
    with pytest.raises(InputError, match="outliers"):
        ship(path, **{**trained, "queries": known}, score="energy")
    monkeypatch.setattr("mirpair.families.shipping.LARGEST", 1000)
    with pytest.raises(InputError, match="choose a smaller network"):
        ship(path, **trained, score="energy")
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused_and_pickles_never_opened(
    trained: dict[str, Any], one_hot: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.safetensors"
    canary = tmp_path / "opened"
    bad.write_bytes(pickle.dumps(_Canary(str(canary))))
    with pytest.raises(InputError, match=r"bad\.safetensors: not weights for family annotation"):
        load(bad)
    assert not canary.exists()
    torch.save({"output.weight": torch.zeros(2)}, bad)
    with pytest.raises(InputError, match="not weights for family annotation"):
        load(bad)
    with pytest.raises(InputError, match="it contains no annotator"):
        load(trained["weights"])
    save_file({"x": torch.zeros(1)}, bad, metadata={"annotator": json.dumps({"score": "energy"})})
    with pytest.raises(InputError, match="not weights for family annotation"):
        load(bad)
    bad.write_bytes(one_hot.read_bytes()[:-1])
    with pytest.raises(InputError, match="not weights for family annotation"):
        load(bad)


class _Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (self.path, "w")


def test_shipped_weights_are_found_in_a_checkout_and_once_installed(
    one_hot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [tmp_path / "installed" / "families.safetensors", tmp_path / "families.safetensors"]
    monkeypatch.setattr(files, "SHIPPED", [place.parent for place in places])
    with pytest.raises(InputError, match="name a file with --weights"):
        shipped()
    shutil.copyfile(one_hot, places[1])
    assert shipped() == places[1]


def test_the_card_has_the_checksum_and_accuracy_of_its_weights(
    trained: dict[str, Any], one_hot: Path, tmp_path: Path
) -> None:
    calls = ship(tmp_path / "families.safetensors", **trained, score="distance")
    provenance = {
        "run": {"experiment": "mine", "recipe": "tang-sun", "epochs": 10, "seed": 0},
        "recipe": {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 8},
    }
    annotator = load(one_hot)
    card = model_card(
        one_hot,
        annotator,
        queries=trained["queries"],
        calls=calls,
        provenance=provenance,
        sources=["Somebody 2020; licence: CC0"],
    )
    assert sha256(one_hot) in card
    assert "- Somebody 2020; licence: CC0" in card
    assert "The file knows 32 hairpins" in card
    table = calls.merge(trained["queries"], on="id", suffixes=("", "_nearest"))
    known = table[(table["role"] == EVALUATE) & (table["kind"] == "")]
    right = (known["called"] == known["family"]).mean()
    assert f"| all             | 12         | {right:.3f}" in card
    outliers = table.loc[(table["role"] == EVALUATE) & (table["kind"] == "tRNA"), "distance"]
    rates = [(outliers >= cut).mean() for cut in annotator.thresholds.values()]
    (line,) = [line for line in card.splitlines() if line.startswith("| tRNA")]
    assert [cell.strip() for cell in line.split("|")[4:6]] == [f"{rate:.3f}" for rate in rates]


def test_shipped_weights_are_small_and_match_their_card() -> None:
    path = ROOT / "weights" / "families.safetensors"
    if not path.exists():
        pytest.skip("weights/families.safetensors is not made yet (make weights)")
    assert path.stat().st_size <= weights.LARGEST
    assert sha256(path) in path.with_suffix(".md").read_text(encoding="utf-8")
    annotator = load(path)
    table = annotate(annotator, annotator.sequences[::500])
    assert table["nearest"].tolist() == list(annotator.ids[::500])
    assert (table[["identity", "coverage"]] == 1).all(axis=None)


def with_models(
    trained: dict[str, Any], study: Study, path: Path
) -> tuple[Path, pd.DataFrame, pd.DataFrame]:
    """Ship a network with covariance models of its families; return the calls by these too."""
    train = study.records[study.experiment["role"] == TRAIN]
    texts = build_models(train.groupby("family")["sequence"].apply(list).to_dict())
    outputs, queries = trained["outputs"], study.queries
    sequences = study.records.set_index("id").loc[queries["id"], "sequence"].tolist()
    place = {name: number for number, name in enumerate(outputs["ids"].tolist())}
    aligned = call_by_models(
        CovarianceModels(texts),
        sequences,
        outputs["logits"][[place[it] for it in queries["id"]]],
        outputs["classes"].tolist(),
        Nearest(train["sequence"].tolist()),
        train["family"].tolist(),
    )
    calls = queries[["id"]].assign(called=aligned["called"], bits=aligned["bits"])
    ship(path, **trained, score="softmax", models=texts, by_models=calls)
    return path, queries, calls


def test_rnas_like_a_known_one_of_a_family_that_did_not_train_are_of_that_family(
    trained: dict[str, Any], tmp_path: Path
) -> None:
    """Three of 50 bases differ; with 14, or with 30 bases of the known RNA, they are not alike."""
    path = tmp_path / "families.safetensors"
    rna = "GGCUAACGUACGGAUCCAUUGACCAGUUCAGGAUACCAGUAAGCUCAUUG"
    alone = pd.DataFrame(
        [{"id": "mir-9:hsa-mir-9", "family": "mir-9", "sequence": rna, "label": 1}]
    )
    known = pd.concat([trained["known"], alone], ignore_index=True)
    named = pd.concat(
        [trained["families"], pd.DataFrame([{"family": "mir-9", "accessions": "RF9"}])]
    )
    ship(path, **{**trained, "known": known, "families": named}, score="distance")
    annotator = load(path)
    assert "mir-9" not in annotator.network.classes

    def changed(*places: int) -> str:
        return "".join(
            base.translate(COMPLEMENT) if it in places else base for it, base in enumerate(rna)
        )

    like, unlike = changed(12, 25, 37), changed(*range(9, 50, 3))
    queries = [rna, like, unlike, rna[:30]]
    table = annotate(annotator, queries)
    assert table["nearest_family"].tolist() == ["mir-9"] * 4
    assert table["family"].tolist() == ["mir-9", "mir-9", "", ""]
    assert table["accessions"].tolist() == ["RF9", "RF9", "", ""]
    assert table["distribution"].tolist() == ["in", "in", "out", "out"]
    assert table["probability"].isna().all()
    assert family_names(annotator, queries) == table["family"].tolist()


@needs_infernal
@needs_library
def test_covariance_models_decide_if_they_are_shipped(
    trained: dict[str, Any], study: Study, tmp_path: Path
) -> None:
    path, queries, calls = with_models(trained, study, tmp_path / "families.safetensors")
    annotator = load(path)
    sequences = study.records.set_index("id").loc[queries["id"], "sequence"].tolist()
    table = annotate(annotator, sequences, processes=2)
    least = rejection(queries, calls, "bits").to_dict("records")[-1]["threshold"]
    accepted = (calls["bits"] >= least).to_numpy()
    assert 0 < accepted.sum() < len(accepted)
    assert table["family"].tolist() == calls["called"].where(accepted, "").tolist()
    np.testing.assert_allclose(table["score"], calls["bits"])
    named = table[accepted]
    assert named["accessions"].tolist() == [f"MIPF{it} {it}" for it in named["family"]]
    assert annotate(annotator, sequences[:5])["score"].tolist() == table["score"][:5].tolist()
    assert family_names(annotator, sequences, threads=2, chunk=7) == table["family"].tolist()


@needs_infernal
@needs_library
def test_models_of_other_weights_are_refused_and_without_the_library_the_network_decides(
    trained: dict[str, Any], study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _, _ = with_models(trained, study, tmp_path / "families.safetensors")
    beside = path.with_suffix(".cm.xz")
    packed = beside.read_bytes()
    beside.write_bytes(packed + b"x")
    with pytest.raises(InputError, match=r"families\.cm\.xz: damaged, or not the models of"):
        load(path)
    beside.unlink()
    with pytest.raises(InputError, match=r"families\.cm\.xz: no such file; the weights"):
        load(path)
    assert decided_by(path) == "covariance models"
    monkeypatch.setattr("mirpair.families.annotation.is_available", lambda: False)
    alone = load(path)
    assert alone.models is None
    assert decided_by(path) == "the network, as pyinfernal is not installed"
    assert alone.bits, "so that one can say what is missing"
    assert annotate(alone, [study.records["sequence"][0]])["score"].between(0, 1).all()


def test_families_of_earlier_weights_are_called_by_their_accession() -> None:
    let_7 = "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA"
    (row,) = annotate(load(shipped()), [let_7]).to_dict("records")
    assert (row["family"], row["accessions"]) == ("RF00027", "RF00027")
