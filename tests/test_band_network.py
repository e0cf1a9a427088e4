"""The network on a band of the pairing matrix: its input, and what is trimmed in training.

tests/test_exactness.py compares its two ways.
"""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from test_exactness import molecule

from mirpair.networks.band import CHANNELS, SHIFTS, BandNetwork, band_of
from mirpair.networks.build import build
from mirpair.recipes import MODELS
from mirpair.rna.duplex import main_stem
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import Molecule, encode

HAIRPIN = encode("AUGCAUAGCC", "..((...)).", -3.0)


def test_the_input_of_a_hairpin_by_hand() -> None:
    """Pairs 2-8 and 3-7, so shift 0 is i + j = 10, and shift -1, for the ends 0-9, is 9."""
    image = build(MODELS["band"], seed=0).image(HAIRPIN)
    assert image.shape == (CHANNELS, 9, 16)
    a, c, g, _ = np.eye(4, dtype=int).tolist()
    zero = SHIFTS.index(0)
    assert image[:, 2, zero].tolist() == [*g, *c, 1]
    assert image[:, 3, zero].tolist() == [*c, *g, 1]
    assert image[:, 4, zero].tolist() == [*a, *a, 0]
    assert image[:, 0, zero - 1].tolist() == [*a, *c, 0]
    assert image[:, 2, zero - 1].tolist() == [*g, *g, 0]
    assert image[8].sum() == 2
    assert image[:, 0, zero].tolist() == [0] * CHANNELS, "there is no base 10"
    assert image[:, 5, zero].tolist() == [0] * CHANNELS, "5 faces itself"


@given(molecule())
def test_a_band_has_each_two_bases_near_its_line_once(rna: Molecule) -> None:
    """Those with i < j, where i + j differs from that of the middle pair by -8 to 7."""
    length = len(rna.codes)
    left, right = main_stem(rna.partner)
    sums = sorted(i + j for i, j in zip(left, right, strict=True))
    centre = sums[len(sums) // 2] if sums else length - 1
    near = [
        (i, j) for i in range(length) for j in range(i + 1, length) if -8 <= i + j - centre <= 7
    ]
    expected = sorted(
        (int(rna.codes[i]) * 4 + int(rna.codes[j])) * 2 + int(rna.partner[i] == j) for i, j in near
    )
    found = band_of(rna).symbols
    assert sorted(found[found < 32].tolist()) == expected
    assert set(found.ravel().tolist()) <= set(range(33))


def test_trimming_follows_the_seed_and_evaluation_trims_nothing(real_molecules: Tensors) -> None:
    network = build(MODELS["band"], seed=0).train()
    assert isinstance(network, BandNetwork)
    network.between.p = 0
    network.drop = torch.nn.Identity()
    few = [real_molecules[n] for n in range(12)]

    def logits(seed: int) -> torch.Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return network(few).detach()

    assert torch.equal(logits(0), logits(0))
    assert not torch.allclose(logits(0), logits(1))
    network.eval()
    assert torch.equal(logits(0), logits(1))
