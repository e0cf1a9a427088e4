"""The pairing matrix: examples by hand, and what must hold for every molecule."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import structures

from mirpair.files import InputError
from mirpair.rna.encoded_sets import Ensembles, Tensors, encode_set, export_dense
from mirpair.rna.encoding import (
    Ensemble,
    Molecule,
    decode,
    dense,
    encode,
    encode_ensemble,
    matrices,
    pairing_partners,
)


def test_the_example_of_the_papers_figure_1() -> None:
    """GCCCUUGGCA, (((...)))., −3.00: panels C to F written out by hand."""
    matrix = dense(encode("GCCCUUGGCA", "(((...))).", -3.0))
    assert matrix.shape == (10, 10, 9)
    pairing = np.zeros((10, 10))
    for i, j in ((0, 8), (1, 7), (2, 6)):
        pairing[i, j] = pairing[j, i] = -3.0
    np.testing.assert_array_equal(matrix[:, :, 0], pairing)
    a, c, g, u = [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]
    one_hot = np.array([g, c, c, c, u, u, g, g, c, a])
    for other in range(10):
        np.testing.assert_array_equal(matrix[:, other, 1:5], one_hot)
        np.testing.assert_array_equal(matrix[other, :, 5:9], one_hot)


def test_a_tiny_molecule_pixel_by_pixel() -> None:
    """A at 0 pairs with U at 1, −1.50: all four pixels."""
    matrix = dense(encode("AU", "()", -1.5), dtype=np.float64)
    assert matrix[0, 0].tolist() == [0.0, 1, 0, 0, 0, 1, 0, 0, 0]
    assert matrix[0, 1].tolist() == [-1.5, 1, 0, 0, 0, 0, 0, 0, 1]
    assert matrix[1, 0].tolist() == [-1.5, 0, 0, 0, 1, 1, 0, 0, 0]
    assert matrix[1, 1].tolist() == [0.0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_without_pairing_the_eight_sequence_channels_stay() -> None:
    molecule = encode("GCCCUUGGCA", "(((...))).", -3.0)
    np.testing.assert_array_equal(dense(molecule, pairing=False), dense(molecule)[:, :, 1:])


@given(structures())
def test_pairing_is_symmetric_and_gives_the_structure_back(dot_bracket: str) -> None:
    partner = pairing_partners(dot_bracket)
    paired = np.flatnonzero(partner >= 0)
    np.testing.assert_array_equal(partner[partner[paired]], paired)
    again = ["." if j < 0 else "(" if j > i else ")" for i, j in enumerate(partner)]
    assert "".join(again) == dot_bracket


@given(structures(), st.data())
def test_dense_has_one_base_a_pixel_and_the_energy_where_bases_pair(
    dot_bracket: str, data: st.DataObject
) -> None:
    length = len(dot_bracket)
    sequence = data.draw(st.text(alphabet="ACGU", min_size=length, max_size=length))
    matrix = dense(encode(sequence, dot_bracket, -7.25))
    assert (matrix[:, :, 1:5].sum(axis=2) == 1).all()
    np.testing.assert_array_equal(matrix[:, :, 1:5], matrix[:, :, 5:9].transpose(1, 0, 2))
    np.testing.assert_array_equal(matrix[:, :, 0], matrix[:, :, 0].T)
    assert (matrix[:, :, 0] != 0).sum() == length - dot_bracket.count(".")
    assert set(np.unique(matrix[:, :, 0])) <= {0.0, -7.25}


@pytest.mark.parametrize(
    ("sequence", "dot_bracket", "message"),
    [
        ("ACG", "(()", "'(' at position 1 is never closed"),
        ("ACG", "())", "')' at position 3 closes nothing"),
        ("ACG", "[.]", "'[' at position 1"),
        ("ACG", "....", "3 bases, its structure 4 symbols"),
        ("ACN", "...", "not an RNA sequence"),
        ("", "", "not an RNA sequence"),
    ],
)
def test_what_is_no_folded_rna_is_refused(sequence: str, dot_bracket: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        encode(sequence, dot_bracket, -1.0)
    assert message in str(caught.value)


def a_set() -> Tensors:
    molecules = [encode("GCCCUUGGCA", "(((...))).", -3.0), encode("AU", "..", 0.0)]
    return Tensors.build(["first", "second"], [1, 0], molecules)


def test_tensors_come_back_from_npz_as_they_were(tmp_path: Path) -> None:
    tensors = a_set()
    tensors.save(tmp_path / "tensors.npz")
    again = Tensors.load(tmp_path / "tensors.npz")
    assert again.ids.tolist() == ["first", "second"]
    assert again.labels.tolist() == [1, 0]
    assert again.lengths.tolist() == [10, 2]
    for before, after in zip(tensors, again, strict=True):
        np.testing.assert_array_equal(dense(before), dense(after))
    assert isinstance(again[0], Molecule)


def test_the_same_tensors_are_the_same_bytes(tmp_path: Path) -> None:
    a_set().save(tmp_path / "a.npz")
    a_set().save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_layout_of_the_npz_is_the_contract(tmp_path: Path) -> None:
    a_set().save(tmp_path / "tensors.npz")
    with np.load(tmp_path / "tensors.npz", allow_pickle=False) as arrays:
        assert arrays["offsets"].tolist() == [0, 10, 12]
        assert arrays["codes"].tolist() == [2, 1, 1, 1, 3, 3, 2, 2, 1, 0, 0, 3]
        assert arrays["partner"].tolist() == [8, 7, 6, -1, -1, -1, 2, 1, 0, -1, -1, -1]
        assert arrays["mfe"].tolist() == [-3.0, 0.0]


def test_a_damaged_or_pickled_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tensors.npz"
    a_set().save(path)
    intact = path.read_bytes()
    path.write_bytes(intact[: len(intact) // 2])
    with pytest.raises(InputError, match="delete it"):
        Tensors.load(path)
    objects = {name: np.array([None], dtype=object) for name in ("ids", "labels")}
    np.savez(path, **objects)
    with pytest.raises(InputError, match="delete it"):
        Tensors.load(path)


def test_subsets_and_ids(tmp_path: Path) -> None:
    tensors = a_set()
    part = tensors.subset(tensors.indices(["second"]))
    assert part.ids.tolist() == ["second"]
    np.testing.assert_array_equal(part[0].codes, tensors[1].codes)
    with pytest.raises(InputError, match="'third'"):
        tensors.indices(["third"])


def test_a_set_is_encoded_row_by_row_as_its_tables_say() -> None:
    records = pd.DataFrame({"id": ["x", "y"], "label": [1, 0], "sequence": ["GCCCUUGGCA", "AU"]})
    structures = pd.DataFrame(
        {"id": ["x", "y"], "structure": ["(((...))).", ".."], "mfe": [-3.37, 0.0]}
    )
    tensors = encode_set(records, structures)
    assert tensors.ids.tolist() == ["x", "y"]
    assert tensors.labels.tolist() == [1, 0]
    assert tensors.mfe.tolist() == [-3.37, 0.0]
    np.testing.assert_array_equal(
        dense(tensors[0]), dense(encode("GCCCUUGGCA", "(((...))).", -3.37))
    )
    with pytest.raises(InputError, match="same RNAs"):
        encode_set(records, structures.iloc[::-1])


def test_an_error_in_a_set_names_the_record() -> None:
    records = pd.DataFrame({"id": ["x"], "label": [1], "sequence": ["ACG"]})
    structures = pd.DataFrame({"id": ["x"], "structure": ["(("], "mfe": [0.0]})
    with pytest.raises(InputError, match="record 'x'"):
        encode_set(records, structures)


@given(structures(), st.data())
def test_decode_gives_back_what_was_encoded(dot_bracket: str, data: st.DataObject) -> None:
    length = len(dot_bracket)
    sequence = data.draw(st.text(alphabet="ACGU", min_size=length, max_size=length))
    assert decode(encode(sequence, dot_bracket, -1.0)) == (sequence, dot_bracket)


@pytest.mark.parametrize("size", [None, 400])
def test_dense_matrices_are_exported_one_molecule_at_a_time(
    tmp_path: Path, size: int | None
) -> None:
    def molecules() -> Iterator[Molecule]:
        for n in range(20):
            yield encode("A" * 300, "." * 300, -float(n))

    ids = [f"r{n}" for n in range(20)]
    tracemalloc.start()
    export_dense(tmp_path / "x.npz", ids, [300] * 20, molecules(), size=size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 400 * 400 * 9 * 4, "of 20 matrices no more than a few are in memory"
    with np.load(tmp_path / "x.npz", allow_pickle=False) as arrays:
        assert arrays["mfe"].tolist() == [-n for n in range(20)]
        last = arrays["matrix_0019"] if size is None else arrays["matrices"][-1]
        assert last.shape == (size or 300, size or 300, 9)


def test_an_export_that_fails_asks_for_no_molecule_and_leaves_nothing(tmp_path: Path) -> None:
    def molecules() -> Iterator[Molecule]:
        raise AssertionError("the lengths are known before")
        yield

    with pytest.raises(InputError, match=r"'b' has 9 nt.*9 or more"):
        export_dense(tmp_path / "x.npz", ["a", "b"], [5, 9], molecules(), size=8)
    one = [encode("ACGUA", ".....", 0.0)]
    with pytest.raises(ValueError, match="argument"):
        export_dense(tmp_path / "x.npz", ["a", "b"], [5, 5], one)
    assert list(tmp_path.iterdir()) == []


def an_ensemble() -> Ensemble:
    """GCAUGU: G0 pairs with C1 or U5 (also with U3), A2 with U3; not a real ensemble."""
    i, j = np.array([0, 0, 0, 2], dtype=np.int32), np.array([1, 3, 5, 3], dtype=np.int32)
    probability = np.array([0.25, 1e-4, 0.5, 0.81], dtype=np.float32)
    return encode_ensemble("GCAUGU", i, j, probability)


def test_the_matrix_encodings_by_hand() -> None:
    """Of AU UA GC CG GU UG, GC is number 3, GU number 5 and AU number 1."""
    pair, probability = np.zeros((8, 8)), np.zeros((8, 8))
    pair[0, 1], pair[0, 3], pair[0, 5], pair[2, 3] = 3 / 6, 5 / 6, 5 / 6, 1 / 6
    probability[0, 1], probability[0, 3] = 0.5, 0.01
    probability[0, 5], probability[2, 3] = 0.5**0.5, 0.9
    for kind, expected in (
        ("pair", [pair]),
        ("prob", [probability]),
        ("mixed", [pair, probability]),
    ):
        actual = matrices(an_ensemble(), kind, size=8, dtype=np.float64)  # type: ignore[arg-type]
        np.testing.assert_allclose(actual, expected, rtol=1e-6)
    assert matrices(an_ensemble(), "mixed", size=200).shape == (2, 200, 200)
    assert matrices(an_ensemble(), "mixed", size=200).dtype == np.float32


def test_each_ordered_pair_of_bases_has_its_own_value() -> None:
    values = {}
    for pair in ("AU", "UA", "GC", "CG", "GU", "UG"):
        codes = encode_ensemble(pair, *np.array([[0], [1]], np.int32), np.ones(1, np.float32))
        values[pair] = matrices(codes, "pair", size=2, dtype=np.float64)[0, 0, 1] * 6
    assert values == pytest.approx({"AU": 1, "UA": 2, "GC": 3, "CG": 4, "GU": 5, "UG": 6})


def test_a_matrix_too_small_for_its_rna_is_an_error_that_says_so() -> None:
    assert matrices(an_ensemble(), "pair", size=6).shape == (1, 6, 6)
    with pytest.raises(InputError, match="an RNA of 6 nt does not fit into 5 × 5"):
        matrices(an_ensemble(), "pair", size=5)


def test_ensembles_come_back_from_npz_as_they_were(tmp_path: Path) -> None:
    nothing = np.zeros(0, dtype=np.int32)
    unpaired = encode_ensemble("AAAA", nothing, nothing, np.zeros(0, dtype=np.float32))
    ensembles = Ensembles.build(["one", "none", "two"], [an_ensemble(), unpaired, an_ensemble()])
    ensembles.save(tmp_path / "ensembles.npz")
    again = Ensembles.load(tmp_path / "ensembles.npz")
    assert again.ids.tolist() == ["one", "none", "two"]
    assert again.lengths.tolist() == [6, 4, 6]
    part = again.subset(again.indices(["two", "none"]))
    assert part.ids.tolist() == ["two", "none"]
    for actual, expected in (
        *zip(again, (an_ensemble(), unpaired, an_ensemble()), strict=True),
        *zip(part, (an_ensemble(), unpaired), strict=True),
    ):
        for a, b in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
    with pytest.raises(InputError, match="'three'"):
        again.indices(["one", "three"])
    ensembles.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "ensembles.npz").read_bytes()
