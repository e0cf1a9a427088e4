"""The arms of a pre-miRNA: what faces a base, which arms are likeliest, and how sure that is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import random_rna
from hypothesis import given
from hypothesis import strategies as st

from mirpair.arms.find import find_arms, read_networks, write_networks
from mirpair.arms.train import ArmsRecipe, train
from mirpair.files import InputError
from mirpair.networks.arms import ArmsNetwork, read
from mirpair.networks.weights import write_tensors
from mirpair.rna.arms import BETWEEN, LONGEST, SHORTEST, Arms, most_likely
from mirpair.rna.duplex import INSIDE, LOOP, OUTSIDE, PAIR
from mirpair.rna.encoding import Molecule, encode
from mirpair.rna.facing import facing
from mirpair.rna.folding import fold


def molecule(sequence: str, structure: str) -> Molecule:
    made = encode(sequence, structure, -1.0)
    assert isinstance(made, Molecule)
    return made


def folded(sequence: str) -> Molecule:
    return molecule(sequence, fold(sequence)[0])


def test_each_base_faces_the_one_in_its_column() -> None:
    """A bulged base faces a gap; the loop is folded in half, and the ends are aligned.

    A-GAC-A     0   1 2 3   4
    | |  |  )
    -ACUG-A     -   10 9  8  7 6 5
    """
    around = facing(molecule("AGACAAAGUCA", ".(((...)))."))
    assert around.opposite.tolist() == [10, 9, 8, 7, 6, -1, 4, 3, 2, 1, 0]
    pairs = [PAIR] * 3
    assert around.state.tolist() == [OUTSIDE, *pairs, *[LOOP] * 3, *pairs, OUTSIDE]
    assert around.is_five.tolist() == [True] * 6 + [False] * 5
    bulged = facing(molecule("GUACAAAGUC", "(.((...)))"))
    assert bulged.opposite.tolist() == [9, -1, 8, 7, 6, -1, 4, 3, 2, 0]
    assert bulged.state.tolist() == [PAIR, INSIDE, PAIR, PAIR, *[LOOP] * 3, PAIR, PAIR, PAIR]


@given(st.text("ACGU", min_size=1, max_size=70))
def test_facing_is_mutual_and_pairs_of_the_main_stem_face_each_other(sequence: str) -> None:
    made = folded(sequence)
    around = facing(made)
    faced = np.flatnonzero(around.opposite >= 0)
    assert (around.opposite[around.opposite[faced]] == faced).all()
    assert (around.is_five[faced] != around.is_five[around.opposite[faced]]).all()
    is_pair = np.flatnonzero(around.state == PAIR)
    assert (made.partner[is_pair] == around.opposite[is_pair]).all()


def distributions(length: int, *ends: int, sure: float = 0.9) -> np.ndarray:
    """Each end has this probability at a base, and the rest at all others alike."""
    chances = np.full((4, length), (1 - sure) / (length - 1))
    chances[range(4), ends] = sure
    return np.log(chances)


def test_the_likeliest_arms_have_the_likeliest_ends() -> None:
    arms = most_likely(distributions(80, 5, 26, 48, 68))
    assert arms[:4] == (5, 27, 48, 69)
    assert 0.8 < arms.probability_5p < 1
    surer = most_likely(distributions(80, 5, 26, 48, 68, sure=0.999))
    assert surer.probability_5p > arms.probability_5p


def test_arms_have_possible_lengths_and_do_not_overlap() -> None:
    """The likeliest ends would make an arm of 10 nt, and one that begins before the other ends."""
    arms = most_likely(distributions(80, 5, 14, 20, 68))
    assert SHORTEST <= arms.end_5p - arms.start_5p <= LONGEST
    assert SHORTEST <= arms.end_3p - arms.start_3p <= LONGEST
    assert arms.start_3p - arms.end_5p >= BETWEEN


@given(st.integers(2 * SHORTEST + BETWEEN, 100), st.integers(0, 999))
def test_no_other_possible_arms_are_likelier(length: int, seed: int) -> None:
    logs = np.log(np.random.default_rng(seed).dirichlet(np.ones(length), 4))
    arms = most_likely(logs)
    assert arms.start_3p - arms.end_5p >= BETWEEN
    found = sum(logs[row, place] for row, place in enumerate(bases(arms)))
    rng = np.random.default_rng(seed)
    for _ in range(200):
        one, other = rng.integers(SHORTEST, LONGEST + 1, 2)
        start = int(rng.integers(0, length))
        second = int(rng.integers(start + one + BETWEEN, start + one + BETWEEN + length))
        if second + other <= length:
            tried = (start, start + one - 1, second, second + other - 1)
            assert sum(logs[row, place] for row, place in enumerate(tried)) <= found + 1e-9


def bases(arms: Arms) -> tuple[int, int, int, int]:
    """First and last bases of both arms."""
    return arms.start_5p, arms.end_5p - 1, arms.start_3p, arms.end_3p - 1


def test_the_probability_is_that_both_ends_are_near() -> None:
    """Half of the weight of the first end is three bases away, so too far; other ends are sure."""
    chances = np.zeros((4, 60))
    chances[0, [5, 8]] = 0.6, 0.4
    chances[1, 26] = chances[2, 34] = chances[3, 55] = 1
    with np.errstate(divide="ignore"):
        arms = most_likely(np.maximum(np.log(chances), -1e8))
    assert arms[:4] == (5, 27, 34, 56)
    assert arms.probability_5p == pytest.approx(0.6)
    assert arms.probability_3p == pytest.approx(1.0)


def test_the_output_is_a_distribution_over_the_bases_of_each_rna_whatever_is_beside_it() -> None:
    rng = np.random.default_rng(0)
    rnas = [random_rna(rng, length) for length in (60, 95, 45)]
    inputs = [read(folded(rna)) for rna in rnas]
    torch.manual_seed(0)
    network = ArmsNetwork().double().eval()
    with torch.no_grad():
        together = network(inputs).exp()
        for row, one in enumerate(inputs):
            length = len(one.opposite)
            alone = network([one]).exp()[0]
            torch.testing.assert_close(together[row, :, :length], alone)
            torch.testing.assert_close(alone.sum(1), torch.ones(4).double())
            assert (together[row, :, length:] == 0).all()


def toy(number: int, rng: np.random.Generator) -> tuple[Molecule, tuple[int, int, int, int]]:
    """A stem of 30 pairs between flanks; the arms begin two pairs above its base."""
    stem, left = random_rna(rng, 30), int(rng.integers(3, 12))
    pairs = str.maketrans("ACGU", "UGCA")
    rna = random_rna(rng, left) + stem + "GAAA" + stem.translate(pairs)[::-1] + random_rna(rng, 6)
    structure = "." * left + "(" * 30 + "." * 4 + ")" * 30 + "." * 6
    end = left + 64
    return molecule(rna, structure), (left + 2, left + 24, end - 24, end - 2)


def test_training_finds_arms_by_their_place_in_the_stem_and_weights_are_read_as_written(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    molecules, places = zip(*(toy(number, rng) for number in range(160)), strict=True)
    inputs, known = [read(it) for it in molecules], np.array(places)
    recipe = ArmsRecipe(epochs=6, batch_size=16, dropout=0.0)
    network = train(inputs[:128], known[:128], np.ones(128), recipe, seed=0)
    again = train(inputs[:128], known[:128], np.ones(128), recipe, seed=0)
    path = tmp_path / "arms.safetensors"
    write_networks([network, again], path, {"seed": 0})
    one, other = read_networks(path)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), "the seed decides all"
    found = find_arms([one, other], molecules[128:], batch=7)
    assert found == find_arms([one], molecules[128:], batch=32)
    away = np.array([arms[:4] for arms in found if arms]) - known[128:]
    assert (abs(away) <= 1).mean() > 0.9
    assert find_arms([one], [folded("ACGU" * 9)]) == [None]


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    write_tensors(path, "model", {}, {"x": torch.zeros(1)})
    with pytest.raises(InputError, match=r"other.safetensors: not weights that find arms"):
        read_networks(path)


def test_a_base_far_away_on_the_strand_counts_if_it_is_opposite() -> None:
    """Its own strand is seen up to 20 bases away; the other end of the hairpin is 89 away."""
    rna = "G" * 40 + "A" * 10 + "C" * 40
    structure = "(" * 40 + "." * 10 + ")" * 40
    torch.manual_seed(0)
    network = ArmsNetwork().double().eval()
    with torch.no_grad():
        before = network.first, network([read(molecule(rna, structure))])
        changed = network([read(molecule(f"{rna[:-1]}U", structure))])
    assert not torch.equal(before[1][0, :, 0], changed[0, :, 0])
