"""Folding: ViennaRNA's structures, each unique sequence once, in order, however it is spread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import RNA
from conftest import ROOT, random_rna

from mirpair.files import InputError
from mirpair.rna import folding
from mirpair.rna.folding import (
    Structure,
    ensemble,
    fold,
    fold_all,
    fold_piece,
    for_each,
    gather_structures,
    unique,
)


@pytest.fixture(scope="module")
def sequences() -> list[str]:
    rng = np.random.default_rng(7)
    return [random_rna(rng, int(length)) for length in rng.integers(20, 90, 150)]


def test_the_example_of_the_paper() -> None:
    assert fold("GCCCUUGGCA") == Structure("(((...))).", -3.00)


def test_structures_are_those_of_viennarna_with_two_decimals(sequences: list[str]) -> None:
    for sequence in sequences[:20]:
        structure, energy = RNA.fold(sequence)
        assert fold(sequence).dot_bracket == structure
        assert fold(sequence).mfe == pytest.approx(energy, abs=0.0051)
        assert f"{fold(sequence).mfe:.2f}" == f"{energy + 0.0:.2f}"


def test_the_same_structures_in_the_same_order_whatever_the_processes(sequences: list[str]) -> None:
    assert list(fold_all(sequences, processes=3)) == [fold(sequence) for sequence in sequences]


def test_the_ensemble_has_the_probabilities_of_viennarnas_partition_function(
    sequences: list[str],
) -> None:
    for sequence in sequences[:20]:
        compound = RNA.fold_compound(sequence)
        compound.exp_params_rescale(compound.mfe()[1])
        compound.pf()
        matrix = np.array(compound.bpp())[1:, 1:]  # ViennaRNA counts from 1
        i, j, probability = ensemble(sequence)
        assert (i < j).all()
        places = list(zip(i.tolist(), j.tolist(), strict=True))
        assert places == [tuple(place) for place in np.argwhere(matrix >= 1e-5).tolist()]
        np.testing.assert_array_equal(probability, matrix[i, j].astype(np.float32))
        # Each base pairs with one other at most.
        for_base = np.bincount(i, probability, len(sequence)) + np.bincount(
            j, probability, len(sequence)
        )
        assert for_base.max() <= 1 + 1e-5


def test_a_stable_hairpin_is_nearly_all_of_its_ensemble() -> None:
    pairs = ensemble("GGGGGCGCAAAGCGCCCCC")
    assert fold("GGGGGCGCAAAGCGCCCCC").dot_bracket == "((((((((...))))))))"
    by_place = dict(zip(zip(pairs.i, pairs.j, strict=True), pairs.probability, strict=True))
    for i in range(1, 7):
        assert by_place[i, 18 - i] > 0.95
    assert (pairs.i.dtype, pairs.j.dtype, pairs.probability.dtype) == ("i4", "i4", "f4")


def test_what_cannot_pair_has_an_empty_ensemble() -> None:
    assert [len(values) for values in ensemble("AAAAAAAAAA")] == [0, 0, 0]


def test_the_same_ensembles_in_the_same_order_whatever_the_processes(sequences: list[str]) -> None:
    few = sequences[:70]
    for actual, expected in zip(
        for_each(ensemble, few, processes=3), for_each(ensemble, few), strict=True
    ):
        for a, b in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def die(sequence: str) -> Structure:
    os.kill(os.getpid(), signal.SIGKILL)
    return fold(sequence)


def test_a_killed_worker_is_an_error_that_says_so_and_not_a_hang(
    sequences: list[str],
) -> None:
    with pytest.raises(ChildProcessError, match="memory"):
        list(for_each(die, sequences, processes=2))


def records(sequences: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"r{i}" for i in range(len(sequences))], "sequence": sequences})


def test_each_unique_sequence_is_folded_once_and_every_record_gets_its_structure(
    sequences: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[str] = []

    def counting(sequences: list[str], *, processes: int) -> Iterator[Structure]:
        folded.extend(sequences)
        return fold_all(sequences, processes=processes)

    monkeypatch.setattr(folding, "fold_all", counting)
    repeated = sequences[:10] + sequences[3:8]
    pieces = [fold_piece(repeated, piece, 4) for piece in (1, 2, 3, 4)]
    assert sorted(folded) == sorted(sequences[:10])
    gathered = gather_structures(records(repeated), pieces)
    assert list(gathered["id"]) == [f"r{i}" for i in range(15)]
    assert [tuple(row) for row in gathered[["structure", "mfe"]].to_numpy()] == [
        tuple(fold(sequence)) for sequence in repeated
    ]


def test_the_gathered_table_does_not_depend_on_the_number_of_pieces(sequences: list[str]) -> None:
    few = sequences[:12]
    tables = [
        gather_structures(records(few), [fold_piece(few, k, n) for k in range(1, n + 1)])
        for n in (1, 5, 40)
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_a_lost_piece_is_noticed(sequences: list[str]) -> None:
    with pytest.raises(InputError, match="were not folded"):
        gather_structures(records(sequences[:8]), [fold_piece(sequences[:8], 1, 2)])


def test_unique_keeps_the_order_of_first_appearance() -> None:
    assert unique(["B", "A", "B", "C", "A"]) == ["B", "A", "C"]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a child of its parent's death")
def test_workers_do_not_outlive_a_parent_that_was_killed() -> None:
    """They would wait for work for ever, each with its memory."""
    code = (
        "import multiprocessing, time; from mirpair.rna.folding import fold_all\n"
        "results = fold_all(['GGGAAACCC'] * 3200, processes=2); next(results)\n"
        "print(*[c.pid for c in multiprocessing.active_children()], flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    workers = [Path("/proc") / pid for pid in parent.stdout.readline().split()]
    assert len(workers) == 2
    assert all(worker.exists() for worker in workers)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while any(alive(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
