"""The two recipes, difference by difference, and the options of a config."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mirpair.identification.train import class_weights, train
from mirpair.networks import pre_mirna
from mirpair.networks.build import build
from mirpair.networks.inference import predict
from mirpair.networks.layers import observe
from mirpair.networks.loop import weighted_loss
from mirpair.recipes import MODELS, RECIPES, Model, Recipe, Split
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import dense, encode

SPLITS: tuple[Split, ...] = ("cross-validation", "test", "across-datasets")
FIXED, VARIABLE = MODELS["fixed"], MODELS["variable"]


def published(model: Model, split: Split = "test") -> tuple[Model, Recipe]:
    return RECIPES["published-code"](model, split)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("model", MODELS.values())
def test_the_papers_recipe_is_the_same_for_all_networks_and_splits(
    model: Model, split: Split
) -> None:
    network, recipe = RECIPES["paper"](model, split)
    assert network == model
    assert (recipe.optimizer, recipe.learning_rate, recipe.weight_decay) == ("adagrad", 0.001, 0)
    assert (recipe.batch_size, recipe.epochs) == (64, 40)
    assert (recipe.loss, recipe.positive_weight, recipe.frozen_norm) == ("sum", None, False)


def test_epochs_of_the_published_code_depend_on_network_and_experiment() -> None:
    epochs = {
        (model.label, split): published(model, split)[1].epochs
        for model in (FIXED, VARIABLE)
        for split in SPLITS
    }
    assert list(epochs.values()) == [10, 40, 80, 30, 40, 80]


def test_learning_rates_decay_and_batches_of_the_published_code() -> None:
    for split in SPLITS:
        fixed, variable = published(FIXED, split)[1], published(VARIABLE, split)[1]
        assert (fixed.learning_rate, variable.learning_rate) == (0.01, 0.001)
        assert (fixed.batch_size, variable.batch_size) == (64, 128)
        assert fixed.weight_decay == (1e-5 if split == "test" else 0)
        assert variable.weight_decay == 0
        assert {fixed.optimizer, variable.optimizer} == {"adagrad"}


def test_without_pairing_is_trained_as_the_variable_sized_network() -> None:
    for name in RECIPES:
        for split in SPLITS:
            blind = RECIPES[name](MODELS["without-pairing"], split)[1]
            assert blind == RECIPES[name](VARIABLE, split)[1]


def test_only_the_fixed_sized_network_has_another_order_of_layers() -> None:
    assert published(FIXED)[0] == replace(FIXED, order="published-code")
    assert published(VARIABLE)[0] == VARIABLE


@pytest.mark.parametrize("training", [True, False])
def test_the_layers_of_the_published_code(training: bool, real_molecules: Tensors) -> None:
    """Twice conv, BatchNorm, ReLU, pool; then conv, ReLU, max-pool: reimplemented here."""
    network = build(published(FIXED)[0], seed=1).double().train(training)
    by_hand = nn.Sequential(
        *(nn.Conv2d(9, 32, 11, 4, 2), nn.BatchNorm2d(32), nn.ReLU(), nn.LPPool2d(1, 2)),
        *(nn.Conv2d(32, 64, 5, 2, 2), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(2304, 256), nn.Sigmoid(), nn.Linear(256, 2)),
    ).double()
    names = ("conv1", "norm1", "conv2", "norm2", "conv3", "hidden", "output")
    layers = [layer for layer in by_hand if list(layer.parameters())]
    for layer, name in zip(layers, names, strict=True):
        layer.load_state_dict(getattr(network, name).state_dict())
    by_hand.train(training)
    molecules = [real_molecules[i] for i in (0, 13, 39)]
    batch = torch.zeros(3, 9, 400, 400, dtype=torch.float64)
    for image, molecule in zip(batch, molecules, strict=True):
        array = dense(molecule, dtype=np.float64).transpose(2, 0, 1).copy()
        image[:, : array.shape[1], : array.shape[2]] = torch.from_numpy(array)
    expected = by_hand(batch)
    for by_definition in (True, False):
        logits = network(molecules, dense=by_definition)
        torch.testing.assert_close(logits, expected, rtol=1e-9, atol=1e-9)


def test_the_weighted_mean_of_the_published_code() -> None:
    """Weights are 4 : 1, divided by their sum, so at batch size 1 they cancel."""
    logits, labels = torch.randn(5, 2, dtype=torch.float64), torch.tensor([1, 0, 0, 1, 0])
    weights = torch.tensor([1.0, 4.0], dtype=torch.float64)
    each = [-math.log(torch.softmax(z, 0)[y]) for z, y in zip(logits, labels, strict=True)]
    total = 4 * each[0] + each[1] + each[2] + 4 * each[3] + each[4]
    assert weighted_loss(logits, labels, weights, "mean").item() == pytest.approx(total / 11)
    singles = [
        weighted_loss(logits[i : i + 1], labels[i : i + 1], weights, "mean") for i in range(5)
    ]
    alone = weighted_loss(logits, labels, weights, "mean-of-each")
    assert sum(singles).item() == pytest.approx(alone.item())  # type: ignore[union-attr]
    assert alone.item() == pytest.approx(sum(each))
    fixed, variable = published(FIXED)[1], published(VARIABLE)[1]
    assert (fixed.loss, fixed.positive_weight) == ("mean", 4)
    assert (variable.loss, variable.positive_weight) == ("mean-of-each", 4)


@pytest.mark.parametrize("name", ["fixed", "variable"])
def test_two_epochs_of_the_published_code_by_hand(name: str, real_molecules: Tensors) -> None:
    """Loss, AdaGrad with decay, and batch normalisation frozen after the first epoch."""
    part = real_molecules.subset(np.array([0, 1, *range(20, 26)]))
    model, recipe = published(MODELS[name])
    recipe = replace(recipe, epochs=2, batch_size=5, weight_decay=0.1, precision="float64")
    trained, scores = train(model, part, part, recipe, seed=17)

    network = build(model, seed=17).double()
    optimizer = torch.optim.Adagrad(
        network.parameters(), lr=recipe.learning_rate, weight_decay=0.1, foreach=False
    )
    order = np.random.default_rng(17)
    weights = torch.tensor([1.0, 4.0], dtype=torch.float64)
    running = {}
    equation_2 = torch.tensor(class_weights(part.labels), dtype=torch.float64)
    for epoch in range(2):
        total = 0.0
        network.train(epoch == 0)
        permutation = order.permutation(8)
        for batch in (permutation[:5], permutation[5:]):
            optimizer.zero_grad()
            labels = torch.from_numpy(part.labels[batch].astype(np.int64))
            if name == "variable":
                total += weighted_loss(network([part[i] for i in batch]), labels, equation_2).item()
            if name == "fixed":
                logits = network([part[i] for i in batch])
                total += weighted_loss(logits, labels, equation_2).item()
                F.cross_entropy(logits, labels, weight=weights).backward()
            else:
                for i, label in zip(batch, labels, strict=True):
                    logits = network([part[i]])
                    F.cross_entropy(logits, label[None], weight=weights).backward()
            optimizer.step()
        assert scores.train_loss[epoch] == pytest.approx(total / 8, rel=1e-6)
        running[epoch] = {k: v.clone() for k, v in network.named_buffers()}
    for actual, expected in zip(trained.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-7)
    for key, value in trained.named_buffers():
        torch.testing.assert_close(value, running[0][key], msg="as after the first epoch")
    # The logged loss is equation 2 for all recipes, so that they can be compared.
    labels = torch.from_numpy(part.labels.astype(np.int64))
    logged = weighted_loss(predict(trained, part), labels, equation_2).item() / 8
    assert scores.evaluate_loss[-1] == pytest.approx(logged, rel=1e-6)


def test_batch_normalisation_keeps_learning_in_the_papers_recipe(real_molecules: Tensors) -> None:
    part = real_molecules.subset(np.array([0, 1, 20, 21]))
    one, two = (train(FIXED, part, part, Recipe(epochs=n), seed=0)[0] for n in (1, 2))
    changed = [not torch.equal(a, b) for a, b in zip(one.buffers(), two.buffers(), strict=True)]
    assert all(changed)


def test_float64_is_used_throughout_if_configured(real_molecules: Tensors) -> None:
    part = real_molecules.subset(np.array([0, 1, 20, 21]))
    network, _ = train(VARIABLE, part, part, Recipe(epochs=1, precision="float64"), seed=0)
    assert {p.dtype for p in network.parameters()} == {torch.float64}
    assert predict(network, part).dtype == torch.float64


def test_watching_more_epochs_does_not_change_the_result(real_molecules: Tensors) -> None:
    part, other = (real_molecules.subset(np.arange(start, 40, 2)) for start in (0, 1))
    usual, scores = train(VARIABLE, part, other, Recipe(epochs=2, batch_size=8), seed=3)
    watched, longer = train(VARIABLE, part, other, Recipe(epochs=2, batch_size=8), seed=3, watch=4)
    for a, b in zip(usual.parameters(), watched.parameters(), strict=True):
        assert torch.equal(a, b)
    assert longer.predictions().equals(scores.predictions())
    assert longer.evaluate_scores.shape == (4, 20)
    np.testing.assert_array_equal(longer.train_scores[:2], scores.train_scores)
    assert not np.array_equal(longer.evaluate_scores[3], longer.evaluate_scores[1])


def test_watching_fewer_epochs_than_the_result_has_no_effect(
    real_molecules: Tensors,
) -> None:
    part = real_molecules.subset(np.array([0, 1, 20, 21]))
    _, scores = train(VARIABLE, part, part, Recipe(epochs=3), seed=3, watch=2)
    assert scores.train_scores.shape == (3, 4)


def test_frozen_normalisation_keeps_dropout_active(real_molecules: Tensors) -> None:
    part = real_molecules.subset(np.array([0, 1, 20, 21]))
    model = replace(FIXED, dropout=0.5)
    recipe = Recipe(epochs=3, frozen_norm=True, learning_rate=1e-12)
    _, scores = train(model, part, part, recipe, seed=0)
    # The weights do not change, so epochs 2 and 3 differ only by dropout.
    assert not np.allclose(scores.train_scores[1], scores.train_scores[2], atol=1e-4)
    np.testing.assert_allclose(scores.evaluate_scores[1], scores.evaluate_scores[2], atol=1e-4)


def test_adam_and_weight_decay_match_pytorch(real_molecules: Tensors) -> None:
    part = real_molecules.subset(np.array([0, 1, 20, 21]))
    recipe = Recipe(epochs=1, optimizer="adam", weight_decay=0.05, precision="float64")
    trained, _ = train(VARIABLE, part, part, recipe, seed=0)
    network = build(VARIABLE, seed=0).double()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001, weight_decay=0.05)
    weights = torch.tensor(class_weights(part.labels), dtype=torch.float64)
    labels = torch.from_numpy(part.labels.astype(np.int64))
    weighted_loss(network(list(part)), labels, weights).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    for actual, expected in zip(trained.parameters(), network.parameters(), strict=True):
        # The first step is lr · sign(gradient); the sign of a rounding error is arbitrary.
        assert expected.grad is not None
        solid = (expected.grad + 0.05 * expected).abs() > 1e-6
        torch.testing.assert_close(actual[solid], expected[solid], rtol=1e-5, atol=1e-7)


def test_dropout_is_active_in_training_only_and_reproducible(real_molecules: Tensors) -> None:
    part = real_molecules.subset(np.array([0, 1, 20, 21]))
    dropping = replace(VARIABLE, dropout=0.5)
    network = build(dropping, seed=0)
    molecules = list(part)
    assert not torch.equal(network(molecules), network(molecules))
    network.eval()
    assert torch.equal(network(molecules), network(molecules))
    plain = build(VARIABLE, seed=0).eval()
    assert torch.equal(network(molecules), plain(molecules))
    state = torch.random.get_rng_state()
    ends = [train(dropping, part, part, Recipe(epochs=2), seed=seed)[1] for seed in (4, 4)]
    assert torch.equal(torch.random.get_rng_state(), state), (
        "the global random state must not change"
    )
    np.testing.assert_array_equal(ends[0].train_scores, ends[1].train_scores)


def test_dropout_depends_on_the_seed(
    real_molecules: Tensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = real_molecules.subset(np.array([0, 1, 20, 21]))
    dropping = replace(VARIABLE, dropout=0.5)
    # The same weights and one batch in any order, so that nothing else differs.
    original = pre_mirna.build
    monkeypatch.setattr(pre_mirna, "build", lambda model, seed: original(model, seed=0))
    ends = [train(dropping, part, part, Recipe(epochs=1), seed=seed)[1] for seed in (4, 5)]
    assert not np.allclose(ends[0].train_scores, ends[1].train_scores, atol=1e-3)


def test_dropout_comes_before_either_fully_connected_layer(real_molecules: Tensors) -> None:
    network = build(replace(VARIABLE, dropout=0.5), seed=0)
    seen: list[int] = []
    network.drop.register_forward_hook(lambda _, x, y: seen.append(x[0].shape[1]))
    network([real_molecules[0]])
    assert seen == [1024, 256]


def test_defaults_are_the_papers_and_single_precision() -> None:
    assert Recipe().precision == "float32"
    assert MODELS["alexnet"].dropout == 0.5
    assert {MODELS[name].dropout for name in ("fixed", "variable", "resnet")} == {0.0}


@pytest.mark.parametrize(
    ("pooling", "sides"), [(3, [26, 13, 9, 4, 4]), (2, [26, 13, 9, 9]), (1, [26, 15, 15])]
)
def test_fewer_pooling_layers_leave_larger_maps(
    pooling: int, sides: list[int], real_molecules: Tensors
) -> None:
    """For an RNA of 94 nt; the downscaling to 4 × 4 always remains."""
    molecule = next(m for m in real_molecules if 91 <= len(m.codes) <= 94)
    network = build(replace(VARIABLE, pooling=pooling), seed=0)  # type: ignore[arg-type]
    seen: list[int] = []
    for layer in (network.conv1, network.get_submodule("conv2"), network.get_submodule("conv3")):
        layer.register_forward_hook(lambda _, x, y: seen.extend([x[0].shape[-1], y.shape[-1]]))
    maps = network.dense_maps([molecule])
    assert maps.shape == (1, 64, 4, 4)
    assert list(dict.fromkeys(seen[1:])) == list(dict.fromkeys(sides))


@pytest.mark.parametrize("name", ["alexnet", "resnet"])
def test_the_larger_networks_process_each_molecule_at_its_own_size(
    name: str, real_molecules: Tensors
) -> None:
    network = build(MODELS[name], seed=0).eval()
    few = [real_molecules[i] for i in (0, 5, 39)]
    together = network(few)
    alone = torch.cat([network([molecule]) for molecule in few])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert together.shape == (3, 2)


def test_alexnet_layer_by_layer(real_molecules: Tensors) -> None:
    """For an RNA of 94 nt, as in the figure of docs/method.md."""
    molecule = encode("A" * 94, "." * 94, 0.0)
    steps = [step.words for step in observe(build(MODELS["alexnet"], seed=0), molecule)]
    pool = "3×3 max-pool, stride 2, pad 1"
    assert steps[1:] == [
        *("conv 9→32, 11×11, stride 4, pad 10", "ReLU", pool),
        *("conv 32→96, 5×5, pad 2", "ReLU", pool),
        *("conv 96→192, 3×3, pad 1", "ReLU", "conv 192→128, 3×3, pad 1", "ReLU"),
        *("conv 128→128, 3×3, pad 1", "ReLU", pool, "adaptive average-pool to 4×4", "flatten"),
        *("dropout 0.5", "fully connected 2048→1024", "ReLU"),
        *("dropout 0.5", "fully connected 1024→1024", "ReLU"),
        *("fully connected 1024→2", "softmax"),
    ]


def test_alexnet_has_five_convolutions_and_resnet_eight_residual_blocks() -> None:
    alexnet, resnet = (build(MODELS[name], seed=0) for name in ("alexnet", "resnet"))
    convolutions = [m for m in alexnet.modules() if isinstance(m, nn.Conv2d)]
    assert [m.kernel_size[0] for m in convolutions] == [11, 5, 3, 3, 3]
    blocks = list(resnet.get_submodule("blocks").children())
    assert len(blocks) == 8
    x = torch.randn(1, 16, 6, 6)
    for parameter in blocks[0].parameters():
        parameter.data.zero_()
    torch.testing.assert_close(blocks[0](x), F.relu(x), msg="the shortcut must be the identity")
