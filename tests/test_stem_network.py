"""The network on a duplex: its input, what is trimmed in training, what normalises it.

tests/test_exactness.py compares its two ways.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mirpair.networks import hairpin
from mirpair.networks.build import build
from mirpair.networks.hairpin import Hairpin
from mirpair.networks.inference import predict, scores_of
from mirpair.networks.stem import CHANNELS, StemNetwork, columns_of
from mirpair.recipes import MODELS
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import Molecule, encode

HAIRPIN = encode("AUGCAUAGCC", "..((...)).", -3.0)


def a_network(*, dropout: float = 0.0) -> StemNetwork:
    """A network in float64, in training mode, with one probability for all dropouts."""
    network = build(MODELS["stem"], seed=0).double().train()
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = dropout
    assert isinstance(network, StemNetwork)
    return network


def test_the_input_of_a_hairpin_by_hand() -> None:
    """5′ bases, 3′ bases, what a column is, and 1; ``AUGCAU  ||oo -CCGA-``."""
    a, c, g, u, gap = *np.eye(4, dtype=int).tolist(), [0] * 4
    outside, pair, _, loop = np.eye(4, dtype=int).tolist()
    columns = [
        [*a, *gap, *outside, 1],
        [*u, *c, *outside, 1],
        [*g, *c, *pair, 1],
        [*c, *g, *pair, 1],
        [*a, *a, *loop, 1],
        [*u, *gap, *loop, 1],
    ]
    image = a_network().image(HAIRPIN)
    assert image.shape == (CHANNELS, 6)
    assert image.T.tolist() == columns


def test_the_scalars_of_a_hairpin_by_hand() -> None:
    """10 nt, 2 pairs, 5 of G and C, -3 kcal/mol."""
    expected = [3 * -3 / 10, -3 / 2, np.log(10 / 80), 4 / 10, 5 / 10, 2 / 20]
    assert columns_of(HAIRPIN).scalars.tolist() == pytest.approx(expected)
    unpaired = columns_of(encode("ACGUA", ".....", 0.0))
    assert unpaired.scalars.tolist() == pytest.approx([0, 0, np.log(5 / 80), 0, 2 / 5, 0])


def test_the_open_end_and_a_fifth_of_the_pairs_may_be_cut_off() -> None:
    assert columns_of(HAIRPIN).room == 2
    long = encode("A" * 30, "..." + "(" * 10 + "...." + ")" * 10 + "...", -1.0)
    assert columns_of(long).room == 3 + 2
    assert columns_of(encode("ACGUA", ".....", 0.0)).room == 0


def test_some_molecules_lose_columns_at_their_open_end_and_never_more_than_may_be(
    real_molecules: Tensors,
) -> None:
    network = a_network()
    columns = network.prepare([real_molecules[n] for n in range(40)]) * 50
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trimmed = hairpin.trimmed(columns)
    cuts = np.array(
        [len(a.symbols) - len(b.symbols) for a, b in zip(columns, trimmed, strict=True)]
    )
    rooms = np.array([it.room for it in columns])
    assert ((cuts >= 0) & (cuts <= rooms)).all()
    assert (cuts == rooms).any()
    for before, after, cut in zip(columns, trimmed, cuts, strict=True):
        np.testing.assert_array_equal(after.symbols, before.symbols[cut:])
        np.testing.assert_array_equal(after.scalars, before.scalars)
    # Of 30 %, every cut from 0 to the room is equally likely.
    assert (cuts > 0).mean() == pytest.approx((0.3 * rooms / (rooms + 1)).mean(), abs=0.03)
    assert cuts.mean() == pytest.approx((0.3 * rooms / 2).mean(), rel=0.15)


@pytest.mark.parametrize("by_definition", [True, False])
def test_evaluation_trims_nothing(by_definition: bool, real_molecules: Tensors) -> None:
    network, few = a_network(), [real_molecules[n] for n in range(12)]

    def logits(seed: int) -> torch.Tensor:
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(seed)
            return network(few, dense=by_definition)

    assert not torch.equal(logits(0), logits(1))
    network.eval()
    assert torch.equal(logits(0), logits(1))


@pytest.mark.parametrize("by_definition", [True, False])
def test_statistics_are_those_of_all_columns_and_no_others(
    by_definition: bool, real_molecules: Tensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hairpin, "TRIMMED", 0.0)
    network = a_network()
    few: list[Molecule] = [real_molecules[n] for n in (0, 13, 39)]
    # Lengths of any remainder by four, the size of what is pooled.
    assert {len(columns_of(it).symbols) % 4 for it in few} != {0}
    network(few, dense=by_definition)
    with torch.no_grad():
        maps = torch.cat([network.conv(network.image(it)[None]) for it in few], dim=2)[0]
    assert network.norm.running_mean is not None
    assert network.norm.running_var is not None
    torch.testing.assert_close(network.norm.running_mean, 0.1 * maps.mean(1))
    torch.testing.assert_close(network.norm.running_var, 0.9 + 0.1 * maps.var(1))


def test_what_is_prepared_is_as_good_as_the_molecules(real_molecules: Tensors) -> None:
    network = a_network().eval()
    few = [real_molecules[n] for n in range(7)]
    prepared = network.prepare(few)
    assert all(isinstance(it, Hairpin) for it in prepared)
    for by_definition in (True, False):
        assert torch.equal(
            network(prepared, dense=by_definition), network(few, dense=by_definition)
        )


def written_out(network: StemNetwork, molecule: Molecule) -> torch.Tensor:
    """Evaluate one molecule, layer by layer, from the network's weights alone."""
    weights = network.state_dict()

    def conv(x: torch.Tensor, name: str) -> torch.Tensor:
        weight = weights[f"{name}.weight"]
        return F.conv1d(x, weight, padding=weight.shape[2] // 2)

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        mean, var, weight, bias = (
            weights[f"{name}.{part}"][:, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    x = F.relu(norm(conv(network.image(molecule)[None], "conv"), "norm"))
    for block in range(3):
        if block:
            odd = x.shape[2] % 2
            x = F.pad(x, (0, odd)).view(*x.shape[:2], -1, 2).amax(3)
        y = F.relu(norm(conv(x, f"blocks.{block}.conv1"), f"blocks.{block}.norm1"))
        x = F.relu(x + norm(conv(y, f"blocks.{block}.conv2"), f"blocks.{block}.norm2"))
    scalars = torch.from_numpy(columns_of(molecule).scalars).double()
    features = torch.cat([x.amax(2)[0], x.mean(2)[0], scalars])
    hidden = F.relu(features @ weights["hidden.weight"].T + weights["hidden.bias"])
    return hidden @ weights["output.weight"].T + weights["output.bias"]


@pytest.mark.parametrize("by_definition", [True, False])
def test_logits_are_those_of_the_network_written_out_a_second_time(
    by_definition: bool, real_molecules: Tensors
) -> None:
    network = a_network()
    few: Sequence[Molecule] = [*(real_molecules[n] for n in range(0, 40, 5)), HAIRPIN]
    network(few)  # moves the running statistics
    network.eval()
    expected = torch.stack([written_out(network, it) for it in few])
    actual = network(few, dense=by_definition).detach()
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


def test_dropout_and_trimming_follow_the_seed(real_molecules: Tensors) -> None:
    network, few = a_network(dropout=0.5), [real_molecules[n] for n in range(4)]
    states = []
    for seed in (3, 3, 4):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            states.append(network(few).detach())
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_scores_in_float32_depend_on_the_batch_by_rounding_alone(real_molecules: Tensors) -> None:
    network = build(MODELS["stem"], seed=1)
    few = [real_molecules[n] for n in range(40)]
    network(few)
    alone, together = (scores_of(predict(network, few, batch_size=n)) for n in (1, 40))
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-6)


def test_a_change_of_the_weights_or_the_input_is_noticed() -> None:
    """Logits of the initial weights of seed 0; another network has other numbers."""
    network = a_network().eval()
    let7 = encode(
        "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA",
        "(((((.(((((((((((((((((((((.....(((...((((....)))).)))))))))))))))))))))))))))))",
        -34.2,
    )
    assert sum(p.numel() for p in network.parameters()) == 96_322
    torch.testing.assert_close(
        network([let7, HAIRPIN]).detach(),
        torch.tensor(
            [[0.014291303, -0.016954813], [0.066774693, -0.038148650]], dtype=torch.float64
        ),
        rtol=1e-6,
        atol=1e-6,
    )
