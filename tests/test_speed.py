"""Timing of methods: in turns, the fastest round counts, folding is reported separately."""

from __future__ import annotations

import time

import numpy as np
import pytest
from conftest import random_rna

from mirpair.families.speed import SPEED, measure, nearest_work, network_work
from mirpair.networks.build import build
from mirpair.recipes import FAMILY_MODELS

RNAS = [random_rna(np.random.default_rng(n), 60) for n in range(8)]


def test_methods_take_turns_and_the_fastest_round_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, int]] = []
    slow = iter([6.0, 8.0, 1.0, 7.0])
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)

    def first(cores: int) -> float:
        nonlocal now
        calls.append(("first", cores))
        now += next(slow)
        return 0.5

    def second(cores: int) -> float:
        calls.append(("second", cores))
        return 0.0

    table = measure({("a", 9): first, ("b", 3): second}, sequences=7, cores=[1, 2], rounds=2)
    assert calls == [("first", 1), ("first", 2), ("second", 1), ("second", 2)] * 2
    assert list(table.columns) == list(SPEED)
    assert table["method"].tolist() == ["a", "a", "b", "b"]
    assert table["families"].tolist() == [9, 9, 3, 3]
    assert table["cores"].tolist() == [1, 2, 1, 2]
    assert set(table["sequences"]) == {7}
    assert table["seconds"].tolist() == [1, 7, 0, 0]
    assert table["folding"].tolist() == [0.5, 0.5, 0, 0]


@pytest.mark.parametrize("name", FAMILY_MODELS)
def test_folding_time_is_counted_if_the_encoding_needs_it(name: str) -> None:
    network = build(FAMILY_MODELS[name], seed=0, classes=("a", "b", "c"))
    folding = network_work(network.eval(), RNAS)(1)
    assert (folding > 0) is (name not in ("one-hot", "without-pairing"))


def test_the_nearest_neighbour_has_no_folding_time() -> None:
    assert nearest_work(RNAS, RNAS)(2) == 0
