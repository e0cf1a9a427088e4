"""The fast way through the networks is the definition, not an approximation of it.

The definition is `network(molecules, dense=True)`; tests/test_models.py compares that, too, with
networks written out from the paper's figure.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import random_rna
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mirpair.identification.train import class_weights
from mirpair.networks import exact
from mirpair.networks.base import Network
from mirpair.networks.build import build
from mirpair.networks.loop import weighted_loss
from mirpair.recipes import MODELS
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import Molecule, dense, encode
from mirpair.rna.folding import fold
from mirpair.rna.sequences import read_fasta

EVERY_LENGTH = range(45, 399)
# The paper's three, and all that a config or a recipe can make of the known networks.
PROPOSED = {name: MODELS[name] for name in ("fixed", "variable", "without-pairing")}
NETWORKS = {
    **MODELS,
    "fixed, published code": replace(MODELS["fixed"], order="published-code"),
    "fixed, soft": replace(MODELS["fixed"], soft=0.2),
    "variable, soft": replace(MODELS["variable"], soft=0.1),
    "without pairing, soft": replace(MODELS["without-pairing"], soft=0.2),
    "two pooling layers": replace(MODELS["variable"], pooling=2),
    "one pooling layer": replace(MODELS["variable"], pooling=1),
}
FIXED = [name for name, model in NETWORKS.items() if model.architecture == "fixed"]


def one_way(
    network: Network, molecules: Sequence[Molecule], *, dense: bool
) -> tuple[Tensor, Tensor, dict[str, Tensor], dict[str, Tensor]]:
    """Logits, loss, gradients and what the network holds afterwards, of a copy of it."""
    network = copy.deepcopy(network)
    labels = torch.arange(len(molecules)) % 2
    with torch.random.fork_rng():
        torch.manual_seed(0)  # both ways cut the same RNAs at the same columns
        logits = network(molecules, dense=dense)
    loss = weighted_loss(logits, labels, torch.tensor([0.2, 1.8], dtype=logits.dtype))
    loss.backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    assert len(gradients) == len(list(network.parameters()))
    return logits, loss, gradients, dict(network.state_dict())


def assert_same(network: Network, molecules: Sequence[Molecule]) -> None:
    """In float64: outputs, loss, every gradient and the running statistics to 1e-9."""
    fast = one_way(network, molecules, dense=False)
    slow = one_way(network, molecules, dense=True)

    # Equal to 1e-9 of the largest value of each tensor. Before batch normalisation a bias has the
    # gradient 0, of which both leave rounding: there it is of its layer's gradient.
    def floor(name: str) -> float:
        weight = slow[2].get(name.replace("bias", "weight"))
        return 1e-3 if weight is None else max(1e-3, float(weight.abs().max()))

    for actual, definition, least in (
        (fast[0], slow[0], 1e-3),
        (fast[1], slow[1], 1e-3),
        *((fast[2][name], slow[2][name], floor(name)) for name in slow[2]),
        *((fast[3][name], slow[3][name], 1e-3) for name in slow[3]),
    ):
        assert actual.shape == definition.shape
        assert actual.dtype == definition.dtype
        difference, largest = (x.detach().abs().max() for x in (actual - definition, definition))
        assert difference <= 1e-9 * max(float(largest), least)


def without_dropout(network: Network) -> Network:
    """The two ways would draw other numbers for it."""
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return network


def doubled(name: str, *, training: bool, seed: int = 0) -> Network:
    """A network in float64, with BatchNorm's parameters and statistics as after some training."""
    network = without_dropout(build(NETWORKS[name], seed=seed).double().train(training))
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        # Weights of float32 would make many sums exact, in whatever order.
        change = torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.data *= 1 + change / 100
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor in (layer.weight.data, layer.bias.data, layer.running_mean):
                assert tensor is not None
                tensor += torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype) / 3
            assert layer.running_var is not None
            layer.running_var *= 0.5 + torch.rand(tensor.shape, generator=generator).double()
    return network


def folded(sequence: str) -> Molecule:
    return encode(sequence, *fold(sequence))


@pytest.fixture(scope="module")
def of_every_length(real_mirror: Path) -> list[Molecule]:
    """A real RNA of each length from 45 to 398 nt, or where there is none, a longer one cut."""
    sequences: dict[int, str] = {}
    for path in sorted(real_mirror.glob("raw.githubusercontent.com/peace195/**/dataset/**/*.fa")):
        for record in read_fasta(path):
            sequences.setdefault(len(record.sequence), record.sequence)
    assert len(sequences) > 150
    molecules = []
    for length in EVERY_LENGTH:
        longer = min(size for size in sequences if size >= length)
        molecules.append(folded(sequences[longer][:length]))
    return molecules


# Only fixed-sized networks are others in evaluation.
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "training"),
    [
        *((name, True) for name in [*PROPOSED, "fixed, published code"]),
        *((n, False) for n in FIXED),
    ],
)
def test_real_molecules_of_every_length_in_ragged_batches(
    name: str, training: bool, of_every_length: list[Molecule]
) -> None:
    network = doubled(name, training=training)
    shuffled = np.random.default_rng(0).permutation(len(of_every_length))
    # The dense fixed-sized network needs 17 MB a molecule and layer: every fifth length there,
    # another fifth in evaluation than in training.
    chosen = shuffled[training::5] if name in FIXED else shuffled
    for start in range(0, len(chosen), 24):
        assert_same(network, [of_every_length[i] for i in chosen[start : start + 24]])


@pytest.mark.parametrize("name", NETWORKS)
def test_real_hairpins_in_one_batch(name: str, real_molecules: Tensors) -> None:
    assert_same(doubled(name, training=True), [real_molecules[i] for i in range(0, 40, 3)])


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("name", "lengths"),
    [
        ("variable", range(1, 100)),
        ("without-pairing", range(1, 100)),
        ("variable", [400, 401, 405, 512, 613]),
        # The first and the last sizes of its corner, where the far border is near or reached.
        ("fixed", [1, 2, 3, 6, 7, 10, 11, 14, 15, 22, 23, 46, 47]),
        ("two pooling layers", range(1, 60)),
        ("one pooling layer", range(1, 60)),
        ("alexnet", range(1, 60)),
        ("resnet", range(1, 60)),
        ("fixed, published code", [1, 2, 3, 6, 7, 10, 11, 14, 15, 22, 23, 46, 47]),
        ("fixed, published code", [334, 366, 367, 382, 383, 386, 387, 390, 391, 394, 395, 400]),
        # One column and more of each; the last batch has one molecule.
        ("stem", range(1, 100)),
        ("stem", [400, 401, 405, 512, 613]),
        # Short beside long: RNAs begin at different steps, and end together.
        ("deepmirgene", [*range(1, 20), 45, 398, 399, 400]),
        # One row and more.
        ("band", [*range(1, 30), 62, 63, 64, 65, 400]),
        ("fixed", [334, 351, 366, 367, 382, 383, 389, 390, 391, 394, 395, 398, 399, 400]),
    ],
)
def test_lengths_around_the_borders_of_the_formulas(
    name: str, lengths: Sequence[int], training: bool
) -> None:
    random = np.random.default_rng(len(lengths))
    molecules = [folded(random_rna(random, length)) for length in lengths]
    for start in range(0, len(molecules), 14):
        assert_same(doubled(name, training=training), molecules[start : start + 14])


@st.composite
def molecule(draw: st.DrawFn, longest: int = 70) -> Molecule:
    """Any RNA with any nested structure: no pair, one pair, pairs of neighbours, all paired."""
    symbols = draw(st.lists(st.sampled_from("(.)"), min_size=1, max_size=longest))
    opened: list[int] = []
    for position, symbol in enumerate(symbols):
        if symbol == "(":
            opened.append(position)
        elif symbol == ")":
            if opened:
                opened.pop()
            else:
                symbols[position] = "."
    for position in opened:
        symbols[position] = "."
    bases = draw(st.lists(st.sampled_from("ACGU"), min_size=len(symbols), max_size=len(symbols)))
    energy = draw(st.floats(-200, 0, allow_nan=False))
    return encode("".join(bases), "".join(symbols), energy)


@settings(max_examples=60)
@given(st.lists(molecule(), min_size=1, max_size=5), st.booleans(), st.integers(0, 9))
def test_any_structures_in_the_variable_sized_network(
    molecules: list[Molecule], pairing: bool, seed: int
) -> None:
    name = "variable" if pairing else "without-pairing"
    assert_same(doubled(name, training=True, seed=seed), molecules)


@pytest.mark.parametrize("name", ["stem", "band"])
@settings(max_examples=40)
@given(st.lists(molecule(), min_size=1, max_size=5), st.booleans(), st.integers(0, 9))
def test_any_structures_in_the_networks_on_a_stem(
    name: str, molecules: list[Molecule], training: bool, seed: int
) -> None:
    # Batch normalisation needs two columns, also after both poolings.
    longer = encode("GCCCUUGGCA", "(((...))).", -3.0)
    assert_same(doubled(name, training=training, seed=seed), [*molecules, longer])


@settings(max_examples=20)
@given(st.lists(molecule(), min_size=1, max_size=5), st.booleans(), st.integers(0, 9))
def test_any_structures_in_the_recurrent_network(
    molecules: list[Molecule], training: bool, seed: int
) -> None:
    assert_same(doubled("deepmirgene", training=training, seed=seed), molecules)


@settings(max_examples=16)
@given(
    st.lists(molecule(), min_size=1, max_size=3),
    st.sampled_from(FIXED),
    st.booleans(),
    st.integers(0, 9),
)
def test_any_structures_in_the_fixed_sized_network(
    molecules: list[Molecule], name: str, training: bool, seed: int
) -> None:
    assert_same(doubled(name, training=training, seed=seed), molecules)


@st.composite
def convolution(draw: st.DrawFn) -> nn.Conv2d:
    kernel = draw(st.integers(1, 12))
    with torch.random.fork_rng():
        torch.manual_seed(draw(st.integers(0, 9)))
        return nn.Conv2d(
            draw(st.sampled_from([8, 9])),
            draw(st.integers(1, 4)),
            kernel,
            stride=draw(st.integers(1, 5)),
            padding=draw(st.integers(0, kernel + 3)),
        ).double()


@settings(max_examples=150)
@given(
    convolution(),
    st.lists(st.tuples(molecule(longest=40), st.integers(1, 20)), min_size=1, max_size=4),
    st.sampled_from([0.0, 0.1, 0.2]),
)
def test_the_factorised_layer_is_the_convolution_whatever_its_shape(
    conv: nn.Conv2d, cases: list[tuple[Molecule, int]], soft: float
) -> None:
    """Also beyond the last window of the convolution, as far as one asks for."""
    cases.sort(key=lambda pair: pair[1])
    maps = exact.convolve(conv, [m for m, _ in cases], [side for _, side in cases], soft=soft)
    images = [image for run in maps for image in run]
    assert [image.shape[-1] for image in images] == [side for _, side in cases]
    for (one, side), image in zip(cases, images, strict=True):
        array = dense(one, pairing=conv.in_channels == 9, soft=soft, dtype=np.float64)
        array = array.transpose(2, 0, 1)
        far = side * conv.stride[0] + conv.kernel_size[0]
        canvas = torch.zeros(
            1, conv.in_channels, len(one.codes) + far, len(one.codes) + far
        ).double()
        canvas[0, :, : len(one.codes), : len(one.codes)] = torch.from_numpy(array.copy())
        definition = conv(canvas)[0, :, :side, :side]
        torch.testing.assert_close(image, definition, rtol=1e-9, atol=1e-9)
        weighting = torch.arange(definition.numel()).view_as(definition).double().cos()
        for by in (definition * weighting, definition):  # the latter's gradient is one number
            mine = image * weighting if by is not definition else image
            gradients = torch.autograd.grad(mine.sum(), list(conv.parameters()), retain_graph=True)
            expected = torch.autograd.grad(by.sum(), list(conv.parameters()), retain_graph=True)
            torch.testing.assert_close(gradients, expected, rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("name", [*PROPOSED, "variable, soft", "stem", "band", "deepmirgene"])
def test_steps_of_training_lead_to_the_same_network(name: str, real_molecules: Tensors) -> None:
    """Three steps of AdaGrad, then evaluation: what is learnt and noted is the same."""
    batches = [[real_molecules[i] for i in range(start, 40, 7)] for start in range(3)]
    labels = [torch.tensor([int(i < 20) for i in range(start, 40, 7)]) for start in range(3)]
    weights = torch.tensor(class_weights(real_molecules.labels), dtype=torch.float64)
    ends = []
    for by_definition in (True, False):
        network = doubled(name, training=True)
        optimizer = torch.optim.Adagrad(network.parameters(), lr=0.001)
        for seed, (batch, classes) in enumerate(zip(batches, labels, strict=True)):
            optimizer.zero_grad()
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                logits = network(batch, dense=by_definition)
            weighted_loss(logits, classes, weights).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        ends.append((network.eval()(batches[0], dense=by_definition), network.state_dict()))
    (slow, definition), (fast, actual) = ends
    torch.testing.assert_close(fast, slow, rtol=1e-6, atol=1e-7)
    for key, value in definition.items():
        # AdaGrad divides by the size of the gradients: it enlarges the rounding of tiny ones.
        torch.testing.assert_close(actual[key], value, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [*PROPOSED, "fixed, published code", "stem", "deepmirgene"])
def test_in_float32_they_differ_by_rounding_alone(name: str, real_molecules: Tensors) -> None:
    molecules = [real_molecules[i] for i in range(0, 40, 3)]
    network = without_dropout(build(NETWORKS[name], seed=0))
    fast = one_way(network, molecules, dense=False)
    slow = one_way(network, molecules, dense=True)
    assert fast[0].dtype == torch.float32
    torch.testing.assert_close(fast[0], slow[0], rtol=1e-4, atol=1e-6)
    for parameter, gradient in slow[2].items():
        if (name, parameter) in (
            ("fixed, published code", "conv1.bias"),
            ("fixed, published code", "conv2.bias"),
            ("deepmirgene", "attention.bias"),
        ):
            continue  # 0 before batch normalisation or a softmax, so nothing but rounding
        difference = torch.linalg.vector_norm(fast[2][parameter] - gradient)
        assert difference <= 1e-3 * torch.linalg.vector_norm(gradient), parameter


def test_a_molecule_counts_by_what_it_is_not_by_what_was_asked_before() -> None:
    """Footprints are remembered: neither an equal sequence nor an equal structure is enough."""
    network = doubled("variable", training=False)
    hairpin = encode("GCCCUUGGCA", "(((...))).", -3.0)
    likes = [
        encode("GCCCUUGGCA", "((.....)).", -3.0),
        encode("GCCCAUGGCA", "(((...))).", -3.0),
        encode("GCCCUUGGCA", "(((...))).", -2.0),
        encode("GCCCUUGGC", "(((...)))", -3.0),
    ]
    first = network([hairpin])
    for like in likes:
        assert not torch.allclose(network([like]), first)
        assert_same(network, [hairpin, like])
    assert torch.equal(network([hairpin]), first)


def test_other_types_of_integers_are_the_same_molecule() -> None:
    network = doubled("variable", training=False)
    hairpin = encode("GCCCUUGGCA", "(((...))).", -3.0)
    wide = hairpin._replace(
        codes=hairpin.codes.astype(np.int64), partner=hairpin.partner.astype(np.int64)
    )
    strided = hairpin._replace(partner=np.repeat(hairpin.partner, 2)[::2])
    assert torch.equal(network([wide]), network([hairpin]))
    assert torch.equal(network([strided]), network([hairpin]))


def test_long_molecules_are_not_remembered() -> None:
    """A scan of long RNAs must not fill the memory with what it will never ask for again."""
    caches = exact._remembered_footprint, exact._remembered_cuts
    before = [cache.cache_info().currsize for cache in caches]
    build(MODELS["variable"], seed=0)([encode("ACGU" * 101, "." * 404, 0.0)])
    assert [cache.cache_info().currsize for cache in caches] == before
    for cache in caches:
        assert cache.cache_info().maxsize is not None
