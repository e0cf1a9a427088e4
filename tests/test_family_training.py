"""Training on families: the loop of the first task, and the same bytes every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import random_rna
from torch.nn import functional as F

from mirpair.families.train import train_families
from mirpair.files import InputError, sha256, write_tsv
from mirpair.networks.base import Network
from mirpair.networks.build import build
from mirpair.networks.inference import predict
from mirpair.networks.loop import derive_seed
from mirpair.networks.weights import save_weights
from mirpair.recipes import FAMILY_MODELS, FAMILY_RECIPES
from mirpair.rna.encoded_sets import Ensembles, Tensors
from mirpair.rna.encoding import encode, encode_ensemble
from mirpair.rna.folding import ensemble, fold

FAMILIES = ("mir-1", "mir-2", "mir-3")


@pytest.fixture(scope="module")
def sequences() -> list[str]:
    """Three families of random hairpins, six members each, that differ in two places."""
    rng = np.random.default_rng(2)
    opposite = str.maketrans("ACGU", "UGCA")
    members = []
    for _ in FAMILIES:
        arm = random_rna(rng, 24)
        founder = arm + "GAAAUA" + arm.translate(opposite)[::-1]
        for _ in range(6):
            bases = list(founder)
            for place in rng.integers(0, len(bases), 2):
                bases[place] = str(rng.choice(list("ACGU")))
            members.append("".join(bases))
    return members


@pytest.fixture(scope="module")
def ensembles(sequences: list[str]) -> Ensembles:
    return Ensembles.build(
        [f"rna-{n}" for n in range(18)], [encode_ensemble(s, *ensemble(s)) for s in sequences]
    )


@pytest.fixture(scope="module")
def tensors(sequences: list[str]) -> Tensors:
    ids = [f"rna-{n}" for n in range(18)]
    return Tensors.build(ids, [1] * 18, [encode(s, *fold(s)) for s in sequences])


LABELS = np.repeat([0, 1, 2], 6)
HELD_OUT = np.array([5, 11, 17])
KEPT = np.setdiff1d(np.arange(18), HELD_OUT)


def run(
    name: str, inputs: Ensembles | Tensors, *, epochs: int, seed: int = 0
) -> tuple[Network, pd.DataFrame]:
    model, recipe = FAMILY_RECIPES["tang-sun"](FAMILY_MODELS[name])
    return train_families(
        model,
        inputs.subset(KEPT),
        LABELS[KEPT],
        inputs.subset(HELD_OUT),
        LABELS[HELD_OUT],
        FAMILIES,
        replace(recipe, epochs=epochs, batch_size=5),
        seed=seed,
    )


@pytest.mark.parametrize("name", ["mixed", "one-hot", "variable"])
def test_the_same_seed_gives_the_same_bytes(
    name: str, ensembles: Ensembles, tensors: Tensors, tmp_path: Path
) -> None:
    digests = []
    for number, seed in enumerate((4, 4, 5)):
        inputs = tensors if name == "variable" else ensembles
        network, history = run(name, inputs, epochs=2, seed=seed)
        save_weights(network, tmp_path / f"{number}.safetensors")
        write_tsv(history, tmp_path / f"{number}.tsv")
        digests.append([sha256(tmp_path / f"{number}.{kind}") for kind in ("safetensors", "tsv")])
    assert digests[0] == digests[1]
    assert digests[0][0] != digests[2][0]
    assert digests[0][1] != digests[2][1]


def test_it_learns_families_from_their_sequences(ensembles: Ensembles) -> None:
    network, history = run("one-hot", ensembles, epochs=12)
    assert network.classes == FAMILIES
    assert list(history) == [
        "epoch",
        "train loss",
        "train accuracy",
        "validate loss",
        "validate accuracy",
    ]
    assert history["epoch"].tolist() == list(range(1, 13))
    assert history["validate accuracy"].iloc[-1] == 1.0
    assert history["train loss"].iloc[-1] < 0.3 * history["train loss"].iloc[0]


def test_the_last_row_of_the_history_is_of_the_network_returned(ensembles: Ensembles) -> None:
    network, history = run("pair", ensembles, epochs=1)
    logits = predict(network, ensembles.subset(HELD_OUT), batch_size=5)
    families = torch.tensor([0, 1, 2])
    expected = -torch.log_softmax(logits, dim=1)[torch.arange(3), families].mean()
    assert history["validate loss"].iloc[-1] == pytest.approx(float(expected), rel=1e-6)
    accuracy = (logits.argmax(dim=1) == families).double().mean()
    assert history["validate accuracy"].iloc[-1] == pytest.approx(float(accuracy))


def test_the_steps_are_adam_on_the_mean_cross_entropy(ensembles: Ensembles) -> None:
    """Three batches of five, dropout included, written out a second time."""
    trained, history = run("one-hot", ensembles, epochs=1, seed=7)
    network = build(FAMILY_MODELS["one-hot"], seed=7, classes=FAMILIES)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(7, "dropout"))
        for batch in np.random.default_rng(7).permutation(15).reshape(3, 5):
            chosen = KEPT[batch]
            logits = network([ensembles[int(n)] for n in chosen])
            loss = F.cross_entropy(logits, torch.from_numpy(LABELS[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert history["train loss"].iloc[0] == pytest.approx(np.mean(losses), rel=1e-5)
    for actual, expected in zip(trained.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


def test_validation_records_choose_nothing(ensembles: Ensembles) -> None:
    model, recipe = FAMILY_RECIPES["tang-sun"](FAMILY_MODELS["one-hot"])
    recipe = replace(recipe, epochs=3, batch_size=5)
    networks = []
    for validation in (HELD_OUT, HELD_OUT[:1], HELD_OUT[:0]):
        networks.append(
            train_families(
                model,
                ensembles.subset(KEPT),
                LABELS[KEPT],
                ensembles.subset(validation),
                1 - LABELS[validation] % 2,
                FAMILIES,
                recipe,
                seed=0,
            )[0]
        )
    for other in networks[1:]:
        for a, b in zip(networks[0].parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b)


def test_records_that_cannot_be_learnt_from_are_refused_before_the_work(
    ensembles: Ensembles,
) -> None:
    model, recipe = FAMILY_RECIPES["tang-sun"](FAMILY_MODELS["pair"])
    few = ensembles.subset(np.arange(3))
    with pytest.raises(InputError, match="all of one family"):
        train_families(model, few, LABELS[:3], few, LABELS[:3], FAMILIES, recipe, seed=0)
    sequence = "A" * 201
    long = Ensembles.build(["too-long"], [encode_ensemble(sequence, *ensemble(sequence))])
    with pytest.raises(InputError, match=r"'too-long' has 201 nt.*takes up to 200"):
        train_families(
            model, few, np.array([0, 1, 2]), long, np.array([0]), FAMILIES, recipe, seed=0
        )
