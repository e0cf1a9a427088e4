"""Tang & Sun's networks: their layers, and that the fast way through them is the definition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import random_rna
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from mirpair.files import InputError, sha256
from mirpair.networks.base import Network
from mirpair.networks.build import build, load_weights
from mirpair.networks.inference import embed, predict
from mirpair.networks.weights import save_weights
from mirpair.recipes import FAMILY_MODELS, FAMILY_RECIPES, MODELS, MatrixKind
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import Encoded, Ensemble, base_codes, decode, encode_ensemble, matrices
from mirpair.rna.folding import ensemble

MATRIX: list[MatrixKind] = ["pair", "prob", "mixed"]
FAMILIES = ("mir-1", "mir-2", "mir-3", "mir-4", "mir-5")


@pytest.fixture(scope="module")
def real_ensembles(real_molecules: Tensors) -> list[Ensemble]:
    """A dozen of the demo's RNAs."""
    sequences = [decode(real_molecules[i])[0] for i in range(0, 40, 3)]
    return [encode_ensemble(sequence, *ensemble(sequence)) for sequence in sequences]


def doubled(name: str, seed: int = 0) -> Network:
    """A network as training leaves it: its biases, which begin as zero, are not."""
    network = build(FAMILY_MODELS[name], seed=seed, classes=FAMILIES).double()
    random = torch.Generator().manual_seed(seed)
    for key, value in network.named_parameters():
        if key.endswith("bias"):
            nn.init.uniform_(value, -0.3, 0.3, generator=random)
    return network


def one_way(
    network: Network, molecules: Sequence[Encoded], *, dense: bool
) -> tuple[Tensor, list[Tensor]]:
    """Logits and the gradients of a loss, with the same dropout every time."""
    labels = torch.arange(len(molecules)) % len(FAMILIES)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        logits = network(molecules, dense=dense)
    loss = F.cross_entropy(logits, labels, reduction="sum")
    return logits, list(torch.autograd.grad(loss, list(network.parameters())))


def assert_same(network: Network, molecules: Sequence[Encoded]) -> None:
    """In float64: outputs and every gradient, to 1e-9 of the largest value of each."""
    outputs, gradients = one_way(network, molecules, dense=False)
    definition, expected = one_way(network, molecules, dense=True)
    for actual, wanted in zip((outputs, *gradients), (definition, *expected), strict=True):
        assert actual.shape == wanted.shape
        difference, largest = (float(x.detach().abs().max()) for x in (actual - wanted, wanted))
        assert difference <= 1e-9 * max(largest, 1e-3)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(5)
        assert (network(molecules) - definition).abs().max() <= 1e-9


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", [*MATRIX, "one-hot"])
def test_the_fast_way_is_the_definition_for_real_hairpins(
    name: str, training: bool, real_ensembles: list[Ensemble]
) -> None:
    assert_same(doubled(name).train(training), real_ensembles[:7])


@st.composite
def any_ensemble(draw: st.DrawFn) -> Ensemble:
    """Any base pairs in an RNA of any length: none, one, in the far corner, neighbours, many."""
    length = draw(st.integers(1, 200))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    count = draw(st.sampled_from([0, 1, 2, 30, 400]))
    cells = {(0, length - 1)} if draw(st.booleans()) else set()
    cells |= {tuple(sorted(pair)) for pair in random.integers(0, length, (count, 2)).tolist()}
    i, j = np.array(sorted(c for c in cells if c[0] < c[1]), dtype=np.int32).reshape(-1, 2).T
    probability = random.uniform(1e-5, 1, len(i)).astype(np.float32)
    return Ensemble(base_codes(random_rna(random, length)), i, j, probability)


@settings(max_examples=6)
@given(st.lists(any_ensemble(), min_size=1, max_size=3), st.sampled_from(MATRIX), st.booleans())
def test_any_base_pairs_in_the_matrix_network(
    molecules: list[Ensemble], name: str, training: bool
) -> None:
    assert_same(doubled(name).train(training), molecules)


@pytest.mark.parametrize(
    "lengths", [[1], [1, 2, 15, 16, 17], [150, 183, 20], [184], [185, 90], [199, 200]]
)
def test_the_one_hot_network_may_leave_out_what_is_behind_the_longest(lengths: list[int]) -> None:
    """It is 16 wide, so that from 184 nt on the 200 end before an empty window does."""
    random = np.random.default_rng(sum(lengths))
    nothing = np.zeros(0, dtype=np.int32)
    molecules = [
        Ensemble(base_codes(random_rna(random, length)), nothing, nothing, nothing.astype("f4"))
        for length in lengths
    ]
    assert_same(doubled("one-hot"), molecules)


@pytest.mark.parametrize("name", MATRIX)
def test_the_matrix_network_layer_by_layer(
    name: MatrixKind, real_ensembles: list[Ensemble]
) -> None:
    """Written out a second time, from the paper, in evaluation mode."""
    network = doubled(name).eval()
    reference = nn.Sequential(
        *(nn.Conv2d(2 if name == "mixed" else 1, 32, 2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 2), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Flatten(),
        *(nn.Linear(153_664, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 5)),
    ).double()
    layers = [layer for layer in reference if list(layer.parameters())]
    for layer, own in zip(layers, ("conv1", "conv2", "hidden", "hidden2", "output"), strict=True):
        state = getattr(network, own).state_dict()
        if own == "hidden":  # the network's maps are flattened row by row, channels last
            weight = state["weight"].view(128, 49, 49, 64).permute(0, 3, 1, 2)
            state = {"weight": weight.flatten(1), "bias": state["bias"]}
        layer.load_state_dict(state)
    few = real_ensembles[:3]
    images = np.stack([matrices(molecule, name, size=200, dtype=np.float64) for molecule in few])
    expected = reference(torch.from_numpy(images))
    torch.testing.assert_close(network(few), expected, rtol=1e-9, atol=1e-12)


def test_the_one_hot_network_layer_by_layer() -> None:
    network = doubled("one-hot").eval()
    sequence = "GCCCUUGGCAAU"
    molecule = encode_ensemble(sequence, *ensemble(sequence))
    one_hot = torch.zeros(200, 4, dtype=torch.float64)
    for position, base in enumerate(sequence):
        one_hot[position, "ACGU".index(base)] = 1
    state = network.state_dict()
    greatest = []
    for number, width in enumerate((2, 4, 6, 8, 10, 12, 14, 16)):
        weight, bias = (state[f"convolutions.{number}.{part}"] for part in ("weight", "bias"))
        windows = [one_hot[p : p + width].T for p in range(200 - width + 1)]
        outputs = torch.stack([(weight * window).sum((1, 2)) + bias for window in windows])
        greatest.append(outputs.clamp(min=0).max(dim=0).values)
    x = state["hidden.weight"] @ torch.cat(greatest) + state["hidden.bias"]
    expected = state["output.weight"] @ x.clamp(min=0) + state["output.bias"]
    torch.testing.assert_close(network([molecule])[0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        # 2·2·1·32 + 32, 2·2·32·64 + 64, 153664·128 + 128, 128·64 + 64, 64·5 + 5
        ("pair", 160 + 8_256 + 19_669_120 + 8_256 + 325),
        ("prob", 160 + 8_256 + 19_669_120 + 8_256 + 325),
        ("mixed", 288 + 8_256 + 19_669_120 + 8_256 + 325),
        # 4·256·(2 + 4 + … + 16) + 8·256, 2048·512 + 512, 512·5 + 5
        ("one-hot", 73_728 + 2_048 + 1_049_088 + 2_565),
    ],
)
def test_parameters_counted_by_hand(name: str, count: int) -> None:
    network = build(FAMILY_MODELS[name], seed=0, classes=FAMILIES)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def inputs(name: str, molecules: Tensors, ensembles: list[Ensemble]) -> Sequence[Encoded]:
    if name in MATRIX or name == "one-hot":
        return ensembles[:5]
    return [molecules[i] for i in range(5)]


@pytest.mark.parametrize("name", FAMILY_MODELS)
def test_features_are_what_the_output_layer_sees(
    name: str, real_molecules: Tensors, real_ensembles: list[Ensemble]
) -> None:
    network = doubled(name).eval()
    few = inputs(name, real_molecules, real_ensembles)
    features, logits = network.features(few), network(few)
    assert features.shape == (5, network.output.in_features)
    assert logits.shape == (5, len(FAMILIES))
    torch.testing.assert_close(network.output(features), logits)
    torch.testing.assert_close(network.features(few, dense=True), features)


@pytest.mark.parametrize("name", MODELS)
def test_the_first_tasks_networks_have_features_too(name: str, real_molecules: Tensors) -> None:
    network, few = build(MODELS[name], seed=0).eval(), [real_molecules[0], real_molecules[1]]
    assert torch.equal(network.output(network.features(few)), network(few))
    assert network(few).shape == (2, 2)


@pytest.mark.parametrize("name", ["pair", "variable"])
def test_embedding_is_in_the_order_asked_for_and_agrees_with_predicting(
    name: str, real_molecules: Tensors, real_ensembles: list[Ensemble]
) -> None:
    network = doubled(name)
    few = inputs(name, real_molecules, real_ensembles)
    logits, features = embed(network, few, batch_size=2)
    assert network.training, "embedding leaves the network as it was"
    torch.testing.assert_close(logits, predict(network, few, batch_size=2), rtol=1e-9, atol=1e-12)
    network.eval()
    alone = torch.cat([network.features([molecule]) for molecule in few])
    torch.testing.assert_close(features, alone, rtol=1e-9, atol=1e-12)
    nothing = embed(network, [])
    assert [tuple(x.shape) for x in nothing] == [(0, 5), (0, features.shape[1])]


@pytest.mark.parametrize("name", FAMILY_MODELS)
def test_weights_carry_the_names_of_the_families(
    name: str, tmp_path: Path, real_molecules: Tensors, real_ensembles: list[Ensemble]
) -> None:
    network = build(FAMILY_MODELS[name], seed=3, classes=FAMILIES)
    save_weights(network, tmp_path / "weights.safetensors")
    again = load_weights(tmp_path / "weights.safetensors")
    assert again.classes == FAMILIES
    save_weights(again, tmp_path / "again.safetensors")
    assert sha256(tmp_path / "weights.safetensors") == sha256(tmp_path / "again.safetensors")
    few = inputs(name, real_molecules, real_ensembles)
    assert torch.equal(predict(network, few), predict(again, few))


@pytest.mark.parametrize("name", ["mixed", "one-hot"])
def test_what_is_longer_than_200_nt_is_refused(name: str) -> None:
    network = doubled(name)
    molecule = encode_ensemble("A" * 201, *ensemble("A" * 201))
    for dense in (True, False):
        with pytest.raises(InputError, match="an RNA of 201 nt does not fit"):
            network([molecule], dense=dense)
    assert network([encode_ensemble("A" * 200, *ensemble("A" * 200))]).shape == (1, 5)


def test_dropout_leaves_half_at_twice_the_value() -> None:
    network = build(FAMILY_MODELS["pair"], seed=0, classes=FAMILIES)
    x = torch.ones(100, 1001)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        one, other = network.drop(x), network.drop(x)
    assert set(one.unique().tolist()) == {0.0, 2.0}
    # Four standard deviations: of all 100,100 values, and of those in a row and in a column.
    assert abs(float(one.mean()) - 1) < 4 / 100_100**0.5
    assert (one.mean(1) - 1).abs().max() < 4 / 1001**0.5
    assert abs(float((one * other).mean()) - 1) < 4 * (3 / 100_100) ** 0.5
    assert torch.equal(network.eval().drop(x), x)


@pytest.mark.parametrize("name", ["pair", "one-hot"])
def test_tang_and_suns_networks_begin_with_glorots_weights(name: str) -> None:
    """Uniform between ±√(6 / (inputs + outputs)) of a layer, biases zero."""
    network = build(FAMILY_MODELS[name], seed=0, classes=FAMILIES)
    for key, value in network.named_parameters():
        if key.endswith("bias"):
            assert not value.any()
            continue
        window = value[0, 0].numel()
        limit = (6 / (window * (value.shape[0] + value.shape[1]))) ** 0.5
        assert 0.9 * limit < float(value.detach().abs().max()) <= limit * (1 + 1e-6)


@pytest.mark.parametrize("name", [*MATRIX, "one-hot"])
def test_there_is_dropout_in_training_and_none_in_evaluation(
    name: str, real_ensembles: list[Ensemble]
) -> None:
    network = doubled(name)
    with torch.no_grad():
        first, second = network.features(real_ensembles), network.features(real_ensembles)
        assert not torch.equal(first, second)
        network.eval()
        assert torch.equal(network.features(real_ensembles), network.features(real_ensembles))


def test_tang_and_suns_recipe_is_the_papers() -> None:
    for name, batch_size in {"pair": 32, "prob": 32, "mixed": 32, "one-hot": 64}.items():
        model, recipe = FAMILY_RECIPES["tang-sun"](FAMILY_MODELS[name])
        assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (20, batch_size, 0.001)
        assert (recipe.optimizer, recipe.loss, model.dropout) == ("adam", "mean", 0.5)
