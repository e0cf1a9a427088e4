"""Files in which a bit has changed, or that end too early, are never taken for intact."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT

from mirpair.contracts import RECORDS, read_records
from mirpair.families.annotation import load as load_annotator
from mirpair.families.annotation import shipped as shipped_annotator
from mirpair.files import InputError, Journal, read_any_tsv, read_blocks, write_tsv
from mirpair.networks.build import build, load_weights
from mirpair.networks.weights import read_tensors, save_weights, write_tensors
from mirpair.prediction.weights import find_weights, load_networks
from mirpair.recipes import MODELS
from mirpair.rna.encoded_sets import Ensembles, Tensors
from mirpair.rna.encoding import encode, encode_ensemble
from mirpair.rna.folding import ensemble, fold
from mirpair.rna.known_hairpins import load_known_hairpins, shipped_hairpins

SEQUENCES = ["GGGAAACCCAUGC", "GCGCAAAAGCGCUU", "ACGUACGUAAAA"]


def flips(content: bytes, most: int = 3000) -> Iterator[bytes]:
    """The content with one bit changed: in every byte, or in `most` of them."""
    rng = np.random.default_rng(0)
    places = range(len(content))
    if len(content) > most:
        # The beginning tells what it is: all of it, and the rest by chance.
        places = [*range(600), *rng.choice(len(content), most - 600, replace=False).tolist()]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.integers(8))
        yield bytes(changed)


def cuts(content: bytes) -> Iterator[bytes]:
    for tenth in range(10):
        yield content[: len(content) * tenth // 10]
    yield content[:-1]


def tensors() -> Tensors:
    return Tensors.build(["a", "b", "c"], [1, 0, 1], [encode(s, *fold(s)) for s in SEQUENCES])


def ensembles() -> Ensembles:
    return Ensembles.build(["a", "b", "c"], [encode_ensemble(s, *ensemble(s)) for s in SEQUENCES])


@pytest.mark.parametrize("make", [tensors, ensembles])
def test_an_npz_is_read_as_it_was_written_or_not_at_all(
    make: Callable[[], Tensors | Ensembles], tmp_path: Path
) -> None:
    """A bit of a zip that means nothing, of a date say, may change."""
    intact = make()
    path = tmp_path / "set.npz"
    intact.save(path)
    refused = 0
    content = path.read_bytes()
    for damaged in (*flips(content), *cuts(content)):
        path.write_bytes(damaged)
        try:
            read = type(intact).load(path)
        except InputError as error:
            refused += str(path) in str(error)
            continue
        for name in intact._names():
            np.testing.assert_array_equal(getattr(read, name), getattr(intact, name))
    assert refused > 0.6 * len(content)  # most of the rest is names, dates and sizes written twice


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.ones(2, np.int8)}, "labels, energies and ids differ"),
        ({"mfe": np.ones(4)}, "labels, energies and ids differ"),
        ({"offsets": np.array([0, 13, 27], np.int64)}, "offsets"),
        ({"offsets": np.array([1, 13, 27, 39], np.int64)}, "offsets"),
        ({"offsets": np.array([0, 13, 27, 38], np.int64)}, "offsets"),
        ({"offsets": np.array([0, 27, 13, 39], np.int64)}, "offsets"),
        ({"offsets": np.array([0, 0, 27, 39], np.int64)}, "offsets"),
        ({"offsets": np.array([0, 2**63 - 1, -5, 39], np.int64)}, "offsets"),
        ({"codes": np.full(39, 4, np.uint8)}, "codes"),
        ({"labels": np.array([1, 0, 2], np.int8)}, "labels other than"),
        ({"mfe": np.array([1, 2, np.nan])}, "energies"),
        ({"partner": np.full(38, -1, np.int32)}, "partners and bases differ"),
        ({"partner": np.full(39, -2, np.int32)}, "pairs outside its RNA"),
        ({"partner": np.full(39, 38, np.int32)}, "pairs outside its RNA"),
        ({"partner": np.zeros(39, np.int32)}, "another partner"),
        ({"mfe": np.ones((3, 1))}, "mfe is"),
        ({"codes": np.zeros(39, np.int64)}, "codes is"),
        ({"ids": np.arange(3)}, "ids is"),
    ],
)
def test_arrays_that_contradict_each_other_are_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """The contents of an intact archive, as a fault of another program would write it."""
    intact = tensors()
    arrays = {name: getattr(intact, name) for name in intact._names()}
    assert len(intact.codes) == 39
    np.savez(tmp_path / "set.npz", **arrays | change)
    with pytest.raises(InputError, match=rf"set\.npz: damaged.*{message}"):
        Tensors.load(tmp_path / "set.npz")
    np.savez(tmp_path / "set.npz", **arrays)
    assert len(Tensors.load(tmp_path / "set.npz")) == 3


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("i", 13, "pair is outside its RNA"),
        ("j", 99, "pair is outside its RNA"),
        ("i", -1, "pair is outside its RNA"),
        ("probability", 1.5, "outside 0 to 1"),
        ("probability", np.nan, "outside 0 to 1"),
        ("pair_offsets", 2**62, "pair_offsets"),
        ("offsets", 1, "offsets"),
        ("codes", 9, "codes"),
    ],
)
def test_ensembles_that_contradict_themselves_are_refused(
    name: str, value: float, message: str, tmp_path: Path
) -> None:
    intact = ensembles()
    arrays = {n: getattr(intact, n).copy() for n in intact._names()}
    arrays[name][0] = value
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(InputError, match=rf"set\.npz: damaged.*{message}"):
        Ensembles.load(tmp_path / "set.npz")


def seals(folder: Path) -> bool:
    (folder / "probe").touch()
    try:
        os.setxattr(folder / "probe", "user.probe", b"x")
    except (OSError, AttributeError):
        return False
    return True


def test_a_table_is_read_as_it_was_written_or_not_at_all(tmp_path: Path) -> None:
    if not seals(tmp_path):
        pytest.skip("this file system keeps no extended attributes")
    path = tmp_path / "records.tsv"
    rows = [(f"r{n}", n % 2, s, "in.fa", n) for n, s in enumerate(SEQUENCES)]
    write_tsv(pd.DataFrame(rows, columns=list(RECORDS)), path)
    content = path.read_bytes()
    for damaged in (*flips(content), *cuts(content)):
        path.write_bytes(damaged)  # the same file, so the same attribute
        with pytest.raises(InputError, match=r"records\.tsv: damaged, or edited by hand"):
            read_records(path)
    path.write_bytes(content)
    assert len(read_records(path)) == 3


def test_every_reader_of_tables_looks_at_the_checksum(tmp_path: Path) -> None:
    if not seals(tmp_path):
        pytest.skip("this file system keeps no extended attributes")
    write_tsv(pd.DataFrame({"score": [0.25]}), tmp_path / "t.tsv")
    assert read_any_tsv(tmp_path / "t.tsv")["score"].tolist() == [0.25]
    (tmp_path / "t.tsv").write_text("score\n0.75\n")
    with pytest.raises(InputError, match="damaged, or edited"):
        read_any_tsv(tmp_path / "t.tsv")
    for path in (ROOT / "scripts").glob("*.py"):
        assert "read_csv(" not in path.read_text("utf-8"), path


def test_a_table_that_someone_means_to_have_edited_is_read(tmp_path: Path) -> None:
    """By the command that the message has."""
    if not seals(tmp_path):
        pytest.skip("this file system keeps no extended attributes")
    path = tmp_path / "my records.tsv"
    write_tsv(pd.DataFrame([("r", 1, "ACGU", "in.fa", 1)], columns=list(RECORDS)), path)
    path.write_text(path.read_text().replace("ACGU", "GGGG"))
    with pytest.raises(InputError) as caught:
        read_records(path)
    command = str(caught.value).rpartition(": ")[2]
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert read_records(path)["sequence"].tolist() == ["GGGG"]


def test_weights_are_read_as_they_were_written_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(build(MODELS["variable"], seed=1), path)
    content = path.read_bytes()
    for damaged in (*flips(content, 1000), *cuts(content)):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"weights\.safetensors: "):
            load_weights(path)


def test_a_flipped_bit_of_a_small_file_is_seen_wherever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    write_tensors(path, "some", {"x": [1.5, "y"]}, {"a": torch.arange(4.0), "b": torch.ones(2, 2)})
    content = path.read_bytes()
    for damaged in (*flips(content), *cuts(content)):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"."):
            read_tensors(path)
    path.write_bytes(content)
    kind, described, _ = read_tensors(path)
    assert (kind, described) == ("some", {"x": [1.5, "y"]})


@pytest.mark.parametrize(
    ("load", "shipped"),
    [
        (load_networks, find_weights),
        (load_annotator, shipped_annotator),
        (load_known_hairpins, shipped_hairpins),
    ],
    ids=["predictor", "annotator", "hairpins"],
)
def test_what_is_shipped_is_read_as_it_was_written_or_not_at_all(
    load: Callable[[Path], Any], shipped: Callable[[], Path], tmp_path: Path
) -> None:
    content = shipped().read_bytes()
    path = tmp_path / shipped().name
    rng = np.random.default_rng(1)
    for place in (3, 200, *rng.integers(0, len(content), 20).tolist()):
        changed = bytearray(content)
        changed[place] ^= 16
        path.write_bytes(changed)
        with pytest.raises(InputError, match=path.name):
            load(path)
    for damaged in cuts(content):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=path.name):
            load(path)


def test_a_journal_goes_on_before_its_damage_and_is_never_read_with_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    blocks = [["a\t1", "b\t2"], [], ["c\t3"]]
    journal = Journal(path, "key")
    for block in blocks:
        journal.append(block)
    journal.close()
    assert list(read_blocks(path)) == blocks
    content = path.read_bytes()
    head = len(b"# key\n")
    for damaged in (*flips(content), *cuts(content)):
        if damaged[:head] != content[:head]:
            continue
        path.write_bytes(damaged)
        read: list[list[str]] = []
        with pytest.raises(InputError, match="damaged"):
            read.extend(read_blocks(path))
        assert read == blocks[: len(read)]
        again = Journal(path, "key")
        assert list(again) == blocks[: again.blocks]
