"""deepMiRGene, the paper's rival, is the network that its authors published.

tests/test_exactness.py compares its fast way with the definition.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from mirpair.files import InputError
from mirpair.networks import lstm_kernels
from mirpair.networks.build import build
from mirpair.networks.deepmirgene import DeepMiRGene, _kernels, symbols_of
from mirpair.recipes import MODELS, RECIPES
from mirpair.rna.encoding import encode

HAIRPIN = encode("GGACUCGAAAGAGUCC", "((.(((....))).))", -5.0)


def network() -> DeepMiRGene:
    made = build(MODELS["deepmirgene"], seed=1)
    assert isinstance(made, DeepMiRGene)
    return made.double().eval()


def test_a_position_is_one_of_sixteen_symbols() -> None:
    """Bases A, C, G, U times opens, closes, unpaired, in the loop of a hairpin."""
    states = "".join("().:"[code % 4] for code in symbols_of(HAIRPIN).codes)
    assert states == "((.(((::::))).))"
    assert "".join("ACGU"[code // 4] for code in symbols_of(HAIRPIN).codes) == "GGACUCGAAAGAGUCC"
    # Between two stems, and at the ends, is no hairpin's loop.
    branched = encode("GAGCAAAGCAGCAAAGCAC", "(.((...)).((...)).)", -5.0)
    states = "".join("().:"[code % 4] for code in symbols_of(branched).codes)
    assert states == "(.((:::)).((:::)).)"
    alone = encode("ACGU", "....", 0.0)
    assert symbols_of(alone).codes.tolist() == [2, 6, 10, 14]


def test_one_base_by_hand() -> None:
    """From an empty state, h = o · tanh(i · g), with Keras's hard sigmoid; the attention is 1."""
    given = network()
    with torch.no_grad():
        maps = given.dense_maps([encode("G", ".", 0.0)])
        h = np.eye(16)[2 * 4 + 2]
        for lstm in (given.first, given.second):
            z = np.einsum("d,gdw->gw", h, lstm.weight.numpy()) + lstm.bias.numpy()[:, 0]
            i, _, o = np.clip(0.2 * z[1:] + 0.5, 0, 1)
            h = o * np.tanh(i * np.tanh(z[0]))
    assert maps.shape == (1, 400, 10)
    np.testing.assert_allclose(maps[0, 399].numpy(), h, rtol=1e-12)
    assert not maps[0, :399].any(), "padded on the left"


def test_an_lstm_is_that_of_its_formulas() -> None:
    """Written out for one RNA: all gates, the state and the cell carried from base to base."""
    given = network()
    h = np.eye(16)[symbols_of(HAIRPIN).codes]
    with torch.no_grad():
        for lstm in (given.first, given.second):
            # So that some gates are 0 and some are 1.
            lstm.bias += torch.linspace(-4, 4, lstm.width)
            weight, recurrent, bias = (
                it.numpy() for it in (lstm.weight, lstm.recurrent, lstm.bias[:, 0])
            )
            state = cell = np.zeros(lstm.width)
            states = []
            for x in h:
                z = [x @ weight[g] + state @ recurrent[g] + bias[g] for g in range(4)]
                i, f, o = gates = [np.minimum(np.maximum(0.2 * it + 0.5, 0), 1) for it in z[1:]]
                cell = f * cell + i * np.tanh(z[0])
                state = o * np.tanh(cell)
                states.append(state)
            assert {0.0, 1.0} < set(np.concatenate(gates).tolist())
            h = np.array(states)
        weights = np.exp(h @ given.attention.weight.numpy()[0])
        expected = h * (weights / weights.sum())[:, None]
        for maps in (given.dense_maps([HAIRPIN]), given.fast_maps([HAIRPIN])):
            np.testing.assert_allclose(maps[0, -16:].numpy(), expected, rtol=1e-9)


def test_attention_is_shared_among_the_bases_of_an_rna() -> None:
    given = network()
    with torch.no_grad():
        given.attention.weight.zero_()
        maps = given.dense_maps([HAIRPIN])[0]
        given.attention.weight[:] = torch.tensor([[50.0, *[0.0] * 9]])
        focused = given.dense_maps([HAIRPIN])[0]
    states = maps * len(HAIRPIN.codes)
    first = int(states[-16:, 0].argmax())
    shares = focused[-16:, 1] / states[-16:, 1]
    assert float(shares.sum()) == pytest.approx(1)
    assert int(shares.argmax()) == first


def test_initial_weights_are_those_of_keras() -> None:
    given = build(MODELS["deepmirgene"], seed=2)
    assert isinstance(given, DeepMiRGene)
    for lstm in (given.first, given.second):
        assert lstm.bias[2].tolist() == [[1.0] * lstm.width], "of the forget gate"
        assert not lstm.bias[[0, 1, 3]].any()
        # Of all gates together: rows are orthonormal, and the limit is that of one matrix.
        together = torch.cat(list(lstm.recurrent.detach()), dim=1)
        torch.testing.assert_close(together @ together.T, torch.eye(lstm.width), atol=1e-5, rtol=0)
        inputs = lstm.weight.shape[1]
        highest = (6 / (inputs + 4 * lstm.width)) ** 0.5
        assert 0.97 * highest < float(lstm.weight.detach().abs().max()) <= highest
    limit = (6 / (4000 + 400)) ** 0.5
    largest = float(given.wide.weight.detach().abs().max())
    assert 0.99 * limit < largest <= limit
    assert not given.wide.bias.any()
    assert sum(p.numel() for p in given.parameters()) == 2960 + 1240 + 11 + 1_600_400 + 40_100 + 202


def test_dropout_has_its_own_masks_for_each_rna_and_gate() -> None:
    given = network().train()
    torch.manual_seed(0)
    of_inputs, of_states = given.first.masks(500)
    for mask, size in ((of_inputs, 16), (of_states, 20)):
        assert mask.shape == (4, 500, size)
        assert sorted(mask.unique().tolist()) == pytest.approx([0, 1 / 0.9])
        assert float((mask == 0).double().mean()) == pytest.approx(0.1, abs=0.01)
        assert not torch.equal(mask[0], mask[1])
    given.eval()
    assert all((mask == 1).all() for mask in given.first.masks(3))


def test_its_recipe_is_that_of_its_authors() -> None:
    for split, epochs in (("cross-validation", 300), ("test", 300), ("across-datasets", 100)):
        _, recipe = RECIPES["deepmirgene"](MODELS["deepmirgene"], split)
        assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (epochs, 256, 0.001)
        assert (recipe.optimizer, recipe.positive_weight) == ("adam", 1.0)


def test_a_long_rna_is_refused() -> None:
    with pytest.raises(InputError, match=r"401 nt does not fit the deepMiRGene network.*up to 400"):
        network()([encode("A" * 401, "." * 401, 0.0)])


def test_more_rnas_than_a_block_has_lanes() -> None:
    """The 65th RNA, the shortest, is alone in its block; no RNA depends on those beside it."""
    random = np.random.default_rng(0)
    sizes = random.permutation(np.arange(20, 85))
    molecules = [encode("".join(random.choice(list("ACGU"), n)), "." * n, 0.0) for n in sizes]
    given = network()
    with torch.no_grad():
        together, alone = given(molecules), torch.cat([given([it]) for it in molecules])
        torch.testing.assert_close(together, given(molecules, dense=True))
    torch.testing.assert_close(together, alone)
    assert float(alone.std(dim=0).min()) > 1e-5, "they differ"


def test_gradients_of_several_blocks_with_gates_at_their_limits() -> None:
    """As in a training: 130 RNAs are three blocks, and their order is not that of their lengths."""
    random = np.random.default_rng(1)
    molecules = [
        encode("".join(random.choice(list("ACGU"), n)), "." * n, 0.0)
        for n in random.integers(20, 90, 130)
    ]
    gradients = []
    for dense in (False, True):
        given = network().train()
        for lstm in (given.first, given.second):
            lstm.bias.data += torch.linspace(-4, 4, lstm.width)
            lstm.recurrent.data *= 3
        torch.manual_seed(3)
        logits = given(molecules, dense=dense)
        (logits * torch.linspace(-1, 1, 260).view(130, 2)).sum().backward()
        gradients.append({name: it.grad for name, it in given.named_parameters()})
    for name, definition in gradients[1].items():
        assert definition is not None
        scale = float(definition.abs().max())
        if name == "attention.bias":
            # A softmax does not depend on what is added to all.
            scale = 1.0
        assert scale > 1e-9
        torch.testing.assert_close(gradients[0][name], definition, rtol=0, atol=1e-10 * scale)


@pytest.mark.parametrize(
    "change",
    [
        lambda x, w, b, m, starts: (x, w[:, :-1], b, m[:, :, :-1], starts),
        lambda x, w, b, m, starts: (x.float(), w, b, m, starts),
        lambda x, w, b, m, starts: (x, w, b, m, starts[:-1]),
        lambda x, w, b, m, starts: (x[:-1], w, b, m, starts),
    ],
    ids=["odd", "precision", "blocks", "rows"],
)
def test_the_compiled_loops_refuse_arrays_that_do_not_fit(
    change: Callable[..., tuple[Any, ...]],
) -> None:
    given = (
        torch.zeros(5, 4, lstm_kernels.LANES).double(),
        torch.zeros(4, 6, 2).double(),
        torch.zeros(4, 2).double(),
        torch.ones(2, 4, 6, lstm_kernels.LANES).double(),
        np.array([0, 3, 5]),
    )
    assert lstm_kernels.lstm(*given).shape == (5, 2, lstm_kernels.LANES)
    with pytest.raises(ValueError, match="in place of"):
        lstm_kernels.lstm(*change(*given))


def test_without_numba_it_runs_by_its_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    given = network().train()

    def computed() -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(0)
        with torch.no_grad():
            return given.fast_maps([HAIRPIN]), given([HAIRPIN])

    fast, logits = computed()
    assert fast.shape == (1, 16, 10), "compiled: what is padded is left out"
    _kernels.cache_clear()
    monkeypatch.setitem(sys.modules, "numba", None)
    try:
        slow, same = computed()
    finally:
        _kernels.cache_clear()
    assert slow.shape == (1, 400, 10)
    torch.testing.assert_close(fast, slow[:, -16:])
    torch.testing.assert_close(logits, same)
