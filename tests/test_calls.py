"""Family calls: accuracy, thresholds and rejection, checked by hand computation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpair.families.family_calls import (
    accuracy,
    nearest_cosine,
    network_calls,
    rejection,
    threshold_at,
    youden,
)


def test_scores_of_a_network_match_their_definitions() -> None:
    logits = np.log(np.array([[1, 3], [6, 2], [5, 5]], dtype=np.float32))
    features = np.array([[1, 0], [3, 4], [0, 2]], dtype=np.float32)
    table = network_calls(
        ["a", "b", "c"], ["train", "validate", "evaluate"], logits, features, ["X", "Y"]
    )
    assert table["id"].tolist() == ["b", "c"]
    assert table["called"].tolist() == ["X", "X"]
    assert table["softmax"].tolist() == pytest.approx([0.75, 0.5])
    assert table["energy"].tolist() == pytest.approx(np.log([8, 10]).tolist())
    assert table["distance"].tolist() == pytest.approx([0.6, 0])


def test_nearest_cosine_is_of_the_nearest_and_the_same_in_blocks() -> None:
    rng = np.random.default_rng(0)
    some = rng.normal(size=(2500, 3)).astype(np.float32)
    known = rng.normal(size=(4, 3)).astype(np.float32)
    one_by_one = [
        max(float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for b in known.astype(float))
        for a in some.astype(float)
    ]
    assert nearest_cosine(some, known) == pytest.approx(one_by_one)


def queries() -> pd.DataFrame:
    rows = [
        ("a", "evaluate", "A", "", "A", 0.1),
        ("b", "evaluate", "A", "", "A", 0.95),
        ("c", "evaluate", "B", "", "A", 0.2),
        ("d", "evaluate", "B", "", "B", 1.0),
        ("e", "evaluate", "x", "untrained family", "A", 0.1),
        ("v", "validate", "A", "", "A", 0.1),
        ("w", "validate", "y", "untrained family", "A", 0.1),
    ]
    columns = ["id", "role", "family", "kind", "called", "containment"]
    return pd.DataFrame(rows, columns=columns).assign(nearest="t")


def test_accuracy_counts_evaluation_records_of_trained_families_by_band() -> None:
    calls = pd.DataFrame({"id": list("wvedcba"), "called": list("AAABAAA")})
    table = accuracy(queries(), calls).set_index("band")
    assert table.loc["all", ["records", "correct"]].tolist() == [4, 3]
    assert table.loc["below 0.3", ["records", "correct"]].tolist() == [2, 1]
    assert table.loc["0.9–1", ["records", "correct", "accuracy"]].tolist() == [2, 2, 1]
    assert table.loc["0.5–0.7", "records"] == 0
    assert np.isnan(table.loc["0.5–0.7", "accuracy"])


def test_the_interval_accounts_for_correlated_records_of_a_family() -> None:
    def interval(by_family: list[list[int]]) -> float:
        rows = [
            (f"{f}-{n}", "evaluate", str(f), "", 0.5, str(f) if right else "no")
            for f, rights in enumerate(by_family)
            for n, right in enumerate(rights)
        ]
        columns = ["id", "role", "family", "kind", "containment", "called"]
        frame = pd.DataFrame(rows, columns=columns)
        line = accuracy(frame.assign(called="", nearest=""), frame[["id", "called"]]).iloc[0]
        assert line["low"] < line["accuracy"] == 0.5 < line["high"]
        return float(line["high"] - line["low"])

    together = interval([[1] * 10, [0] * 10] * 10)
    apart = interval([[1, 0] * 5] * 19 + [[1] * 10, [0] * 10])
    assert together > 3 * apart


def test_the_gain_is_over_the_nearest_neighbour_on_the_same_records() -> None:
    # The nearest neighbour is wrong about c; this method is right there, but wrong about a and b.
    calls = pd.DataFrame({"id": list("abcdevw"), "called": list("BBBBAAA")})
    table = accuracy(queries(), calls).set_index("band")
    assert table.loc["all", "gain"] == 0.5 - 0.75
    assert table.loc["below 0.3", "gain"] == 0
    assert table.loc["0.9–1", "gain"] == -0.5
    # Family A loses both of its records, family B wins one of two.
    assert table.loc["all", "gain low"] == -1
    assert table.loc["all", "gain high"] == 0.5
    same = accuracy(queries(), queries())
    assert (same.loc[same["records"] > 0, "gain"] == 0).all()
    assert same["gain low"].isna().all()


def test_without_errors_the_interval_is_undefined() -> None:
    calls = queries()[["id"]].assign(called=queries()["family"])
    assert accuracy(queries(), calls).loc[0, ["low", "high"]].isna().all()


scores = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=40).map(np.array)


@given(st.lists(scores, min_size=1, max_size=4), st.sampled_from([0.05, 0.2, 0.5]))
def test_the_threshold_is_the_lowest_that_keeps_the_false_positive_rate(
    outside: list[np.ndarray], rate: float
) -> None:
    def passing(cut: float) -> float:
        return float(np.mean([(kind >= cut).mean() for kind in outside]))

    cut = threshold_at(outside, rate)
    assert passing(cut) <= rate + 1e-9
    below = [value for value in np.concatenate(outside) if value < cut]
    if below:
        assert passing(max(below)) > rate


@given(scores, st.lists(scores, min_size=1, max_size=3))
def test_youdens_threshold_maximises_youdens_index(
    inside: np.ndarray, outside: list[np.ndarray]
) -> None:
    def index(cut: float) -> float:
        wrong = float(np.mean([(kind >= cut).mean() for kind in outside]))
        return float((inside >= cut).mean()) - wrong

    best = max(index(cut) for cut in np.concatenate([inside, *outside]))
    assert index(youden(inside, outside)) == pytest.approx(max(best, index(min(inside))))


def rejected(scores: dict[str, float]) -> pd.DataFrame:
    rows = [("in", n) for n in range(4)] + [("tRNA", n) for n in range(4)]
    table = pd.DataFrame(rows, columns=["kind", "n"])
    table["id"] = table["kind"] + table["n"].astype(str)
    table["role"] = ["evaluate", "evaluate", "validate", "validate"] * 2
    table["family"] = table["called"] = "A"
    table["kind"] = table["kind"].replace("in", "")
    table["containment"] = 0.5
    calls = table[["id"]].assign(called=["A", "B", "A", "A"] * 2, s=table["id"].map(scores))
    return rejection(table, calls, "s").set_index("kind")


def test_thresholds_come_from_validation_and_rates_from_evaluation_records() -> None:
    table = rejected(
        {"in0": 5, "in1": 3, "in2": 9, "in3": 8, "tRNA0": 4, "tRNA1": 1, "tRNA2": 2, "tRNA3": 2.5}
    )
    line = table.loc["tRNA"]
    assert line["records"] == 2
    # Of four pairs of a hairpin and a tRNA only 3 against 4 is in the wrong order.
    assert line["AUROC"] == 0.75
    assert 2.5 < line["threshold"] <= 3
    assert line["accepted"] == 1
    assert line["sensitivity"] == 0.5, "one of the two is accepted under a wrong name"
    assert line["false positives"] == 0.5
    # The lowest accepted validation record is the point where both rates are ideal.
    assert line["youden threshold"] == 8
    assert line["youden accepted"] == 0


def test_records_without_a_score_are_rejected() -> None:
    nothing = float("nan")
    table = rejected(
        {"in0": 5, "in1": 3, "in2": 9, "in3": 8}
        | {"tRNA0": nothing, "tRNA1": nothing, "tRNA2": nothing, "tRNA3": 1}
    )
    assert table.loc["tRNA", "AUROC"] == 1
    assert table.loc["tRNA", "false positives"] == 0


def test_a_missing_score_is_lower_than_any_other() -> None:
    nothing = float("nan")
    table = rejected(
        {"in0": 1, "in1": 1, "in2": 9, "in3": 8}
        | dict.fromkeys(["tRNA0", "tRNA1"], nothing)
        | {"tRNA2": 0, "tRNA3": 0}
    )
    assert table.loc["tRNA", "AUROC"] == 1
    table = rejected(
        {"in0": 0, "in1": 0, "in2": 9, "in3": 8} | {f"tRNA{n}": nothing for n in range(4)}
    )
    assert table.loc["tRNA", "AUROC"] == 1


def test_each_kind_of_outlier_has_the_same_weight() -> None:
    many, few = np.arange(100.0), np.array([1000.0])
    # The only RNA of the second kind has half of the weight, so it must be rejected.
    assert threshold_at([many, few], 0.05) > 1000
    assert threshold_at([many, few], 0.55) == pytest.approx(90, abs=1)
