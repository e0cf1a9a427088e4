"""The networks are those of the paper's Figure 2, layer by layer."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import random_rna
from torch import Tensor, nn

from mirpair.files import InputError
from mirpair.networks.build import build, load_weights
from mirpair.networks.inference import predict, scores_of
from mirpair.networks.weights import save_weights
from mirpair.recipes import MODELS
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import Molecule, dense, encode


class SumPool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        top = x[..., 0 : x.shape[-2] // 2 * 2 : 2, :] + x[..., 1 : x.shape[-2] // 2 * 2 : 2, :]
        width = top.shape[-1] // 2 * 2
        return top[..., 0:width:2] + top[..., 1:width:2]


def figure_2(name: str) -> nn.Sequential:
    """The networks written out a second time, from the table in docs/method.md."""
    channels = 8 if name == "without-pairing" else 9
    if name == "fixed":
        return nn.Sequential(
            *(nn.Conv2d(9, 32, 11, 4, 2), nn.ReLU(), SumPool(), nn.BatchNorm2d(32)),
            *(nn.Conv2d(32, 64, 5, 2, 2), nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(64)),
            *(nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.AvgPool2d(2)),
            *(nn.Flatten(), nn.Linear(2304, 256), nn.Sigmoid(), nn.Linear(256, 2)),
        )
    return nn.Sequential(
        *(nn.Conv2d(channels, 32, 11, 4, 10), nn.ReLU(), SumPool()),
        *(nn.Conv2d(32, 64, 5, 2, 4), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(4)),
        *(nn.Flatten(), nn.Linear(1024, 256), nn.Sigmoid(), nn.Linear(256, 2)),
    )


LAYERS = ("conv1", "norm1", "conv2", "norm2", "conv3", "hidden", "output")


@pytest.mark.parametrize("name", ["fixed", "variable", "without-pairing"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("by_definition", [True, False])
def test_logits_and_gradients_are_those_of_figure_2(
    name: str, training: bool, by_definition: bool, real_molecules: Tensors
) -> None:
    network = build(MODELS[name], seed=1).double().train(training)
    reference = figure_2(name).double().train(training)
    with_weights = [layer for layer in reference if list(layer.parameters())]
    layers = [getattr(network, layer) for layer in LAYERS if hasattr(network, layer)]
    for twin, layer in zip(with_weights, layers, strict=True):
        twin.load_state_dict(layer.state_dict())
    molecules = [real_molecules[i] for i in (0, 13, 39)]
    images = []
    for molecule in molecules:
        image = torch.from_numpy(dense(molecule, dtype=np.float64).transpose(2, 0, 1).copy())
        images.append(image[1:] if name == "without-pairing" else image)
    if name == "fixed":
        batch = torch.zeros(3, 9, 400, 400, dtype=torch.float64)
        for padded, image in zip(batch, images, strict=True):
            padded[:, : image.shape[1], : image.shape[2]] = image
        expected = reference(batch)
    else:
        expected = torch.cat([reference(image[None]) for image in images])
    logits = network(molecules, dense=by_definition)
    torch.testing.assert_close(logits, expected, rtol=1e-9, atol=1e-9)
    for twin, layer in zip(with_weights, layers, strict=True):
        for a, b in zip(twin.buffers(), layer.buffers(), strict=True):
            torch.testing.assert_close(b, a, rtol=1e-9, atol=1e-9, msg="running statistics")
    logits.square().sum().backward()
    expected.square().sum().backward()
    for twin, layer in zip(with_weights, layers, strict=True):
        for a, b in zip(twin.parameters(), layer.parameters(), strict=True):
            torch.testing.assert_close(b.grad, a.grad, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_one_argument_selects_the_definition(
    name: str, real_molecules: Tensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither way may stand in for the other: the tests of exactness compare the two."""
    network, few = build(MODELS[name], seed=0), [real_molecules[0], real_molecules[1]]

    def never(_: object) -> Tensor:
        raise AssertionError("the other way")

    with monkeypatch.context() as patch:
        patch.setattr(network, "fast_maps", never)
        network(few, dense=True)
        predict(network, few, dense=True)
    monkeypatch.setattr(network, "dense_maps", never)
    network(few)
    predict(network, few)


def test_predicting_nothing_and_what_does_not_fit(real_molecules: Tensors) -> None:
    network = build(MODELS["fixed"], seed=0)
    assert predict(network, []).shape == (0, 2)
    with pytest.raises(InputError, match="401 nt"):
        predict(network, [real_molecules[0], encode("A" * 401, "." * 401, 0.0)])
    assert network.training, "predicting leaves the network as it was"


@pytest.mark.parametrize("length", [1, 2, 44, 45, 96, 398, 401])
def test_the_variable_sized_network_takes_any_length(length: int) -> None:
    molecule = encode(random_rna(np.random.default_rng(length), length), "." * length, 0.0)
    assert build(MODELS["variable"], seed=0)([molecule]).shape == (1, 2)


def test_the_fixed_sized_network_takes_up_to_400_and_says_so() -> None:
    network = build(MODELS["fixed"], seed=0).eval()
    fits = encode("A" * 400, "." * 400, 0.0)
    assert network([fits]).shape == (1, 2)
    with pytest.raises(InputError, match="an RNA of 401 nt does not fit"):
        network([encode("A" * 401, "." * 401, 0.0)])


def test_without_pairing_the_structure_makes_no_difference() -> None:
    sequence = "GCCCUUGGCA"
    folded, unfolded = encode(sequence, "(((...))).", -3.0), encode(sequence, "." * 10, 0.0)
    blind, seeing = build(MODELS["without-pairing"], seed=0), build(MODELS["variable"], seed=0)
    torch.testing.assert_close(blind([folded]), blind([unfolded]))
    assert not torch.allclose(seeing([folded]), seeing([unfolded]))


def test_the_seed_makes_the_weights_and_nothing_else_is_touched() -> None:
    state = torch.random.get_rng_state()
    first, again, other = (build(MODELS["variable"], seed=seed) for seed in (5, 5, 6))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)


@pytest.mark.parametrize("name", MODELS)
def test_scores_do_not_depend_on_the_batch(name: str, real_molecules: Tensors) -> None:
    network = build(MODELS[name], seed=2).double()
    few: list[Molecule] = [real_molecules[i] for i in range(7)]
    one, all_at_once = predict(network, few, batch_size=1), predict(network, few, batch_size=7)
    torch.testing.assert_close(one, all_at_once, rtol=1e-9, atol=1e-9)
    assert network.training, "predicting leaves the network as it was"
    network.eval()
    alone = torch.cat([network([molecule]) for molecule in few])
    assert [len(molecule.codes) for molecule in few] != sorted(len(m.codes) for m in few)
    torch.testing.assert_close(one, alone, rtol=1e-9, atol=1e-9, msg="in the order of the call")
    network.train()
    scores = scores_of(one)
    assert ((scores > 0) & (scores < 1)).all()


def test_the_score_is_the_softmax_of_column_1() -> None:
    assert scores_of(torch.tensor([[0.0, 0.0], [1.0, 3.0]])).tolist() == pytest.approx(
        [0.5, np.exp(2) / (1 + np.exp(2))]
    )


@pytest.mark.parametrize("name", MODELS)
def test_weights_come_back_from_safetensors(
    name: str, tmp_path: Path, real_molecules: Tensors
) -> None:
    network = build(MODELS[name], seed=3)
    network([real_molecules[0], real_molecules[1]])  # moves BatchNorm's running statistics
    save_weights(network, tmp_path / "weights.safetensors")
    again = load_weights(tmp_path / "weights.safetensors")
    few = [real_molecules[i] for i in range(3)]
    assert torch.equal(predict(network, few), predict(again, few))


def test_a_pickle_is_never_opened_as_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pickle.dumps({"conv1.weight": [1.0]}))
    with pytest.raises(InputError, match="not weights of this project"):
        load_weights(path)
