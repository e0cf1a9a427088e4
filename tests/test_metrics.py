"""The seven metrics: by hand, by formula, and where they are undefined."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpair.contracts import METRICS
from mirpair.identification.metrics import (
    average,
    choosers,
    final,
    held_out_role,
    history,
    measure,
    subsets,
)
from mirpair.networks.score_log import ScoreLog


def test_metrics_match_hand_computation() -> None:
    """Three positives (two found), five negatives (one false alarm)."""
    labels = [1, 1, 1, 0, 0, 0, 0, 0]
    scores = [0.9, 0.8, 0.3, 0.6, 0.2, 0.1, 0.1, 0.0]
    measured = measure(labels, scores)
    assert list(measured) == list(METRICS)
    assert measured["SE"] == pytest.approx(2 / 3)
    assert measured["SP"] == pytest.approx(4 / 5)
    assert measured["PPV"] == pytest.approx(2 / 3)
    assert measured["F-score"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert measured["g-mean"] == pytest.approx(math.sqrt(2 / 3 * 4 / 5))
    # 14 of the 15 pairs of a positive and a negative are in the right order.
    assert measured["AUROC"] == pytest.approx(14 / 15)
    # Average precision: positives at ranks 1, 2 and 4.
    assert measured["AUPR"] == pytest.approx((1 / 1 + 2 / 2 + 3 / 4) / 3)


def test_a_score_of_exactly_one_half_is_called_positive() -> None:
    assert measure([1, 0], [0.5, 0.4999])["SE"] == 1.0


def test_undefined_metrics_are_nan() -> None:
    nothing_called = measure([1, 0, 0], [0.1, 0.2, 0.3])
    assert math.isnan(nothing_called["PPV"])
    assert nothing_called["SE"] == 0.0
    assert nothing_called["F-score"] == 0.0
    one_class = measure([0, 0], [0.1, 0.9])
    assert math.isnan(one_class["SE"])
    assert math.isnan(one_class["AUROC"])
    assert one_class["SP"] == 0.5


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=60))
def test_metrics_match_the_formulas_of_section_3_2_1(pairs: list[tuple[bool, float]]) -> None:
    labels = np.array([int(label) for label, _ in pairs])
    scores = np.array([score for _, score in pairs])
    called = scores >= 0.5
    tp, fp = int((called & (labels == 1)).sum()), int((called & (labels == 0)).sum())
    fn, tn = int((~called & (labels == 1)).sum()), int((~called & (labels == 0)).sum())
    measured = measure(labels, scores)

    def ratio(a: int, b: int) -> float:
        return a / b if b else math.nan

    for name, expected in {
        "SE": ratio(tp, tp + fn),
        "SP": ratio(tn, tn + fp),
        "PPV": ratio(tp, tp + fp),
        "F-score": ratio(2 * tp, 2 * tp + fp + fn),
    }.items():
        assert measured[name] == pytest.approx(expected, nan_ok=True), name
    assert measured["g-mean"] == pytest.approx(
        math.sqrt(measured["SE"] * measured["SP"]), nan_ok=True
    )


def some_scores() -> ScoreLog:
    return ScoreLog(
        epochs=np.array(2),
        train_ids=np.array(["a", "b", "c", "d"]),
        train_labels=np.array([1, 0, 1, 0], dtype=np.int8),
        train_scores=np.array([[0.2, 0.6, 0.9, 0.1], [0.9, 0.1, 0.9, 0.1]], dtype=np.float32),
        train_loss=np.array([1.5, 0.5]),
        evaluate_ids=np.array(["e", "f", "g"]),
        evaluate_labels=np.array([1, 0, 0], dtype=np.int8),
        evaluate_scores=np.array([[0.4, 0.3, 0.2], [0.6, 0.7, 0.2]], dtype=np.float32),
        evaluate_loss=np.array([1.25, 1.0]),
    )


def validated_scores() -> ScoreLog:
    """The same, but e, f and g are validation records, and h and i evaluate."""
    return replace(
        some_scores(),
        final_ids=np.array(["h", "i"]),
        final_labels=np.array([1, 0], dtype=np.int8),
        final_scores=np.array([0.75, 0.25], dtype=np.float32),
    )


def test_with_validation_records_the_history_is_theirs_and_the_result_is_not() -> None:
    scores = validated_scores()
    table = history(scores)
    assert not [name for name in table if str(name).startswith("evaluate")]
    assert table["validate SE"].tolist() == [0.0, 1.0]
    assert table["validate loss"].tolist() == [1.25, 1.0]
    assert (held_out_role(table), held_out_role(history(some_scores()))) == (
        "validate",
        "evaluate",
    )
    row = final(scores).iloc[0]
    assert (row["positives"], row["negatives"], row["AUROC"]) == (1, 1, 1.0)
    assert scores.predictions()["id"].tolist() == ["h", "i"]
    assert scores.predictions()["score"].tolist() == ["0.75", "0.25"]
    assert scores.validation()["id"].tolist() == ["e", "f", "g"]
    assert scores.validation()["score"].tolist() == some_scores().predictions()["score"].tolist()
    assert some_scores().validation().empty


def test_the_history_has_loss_and_metrics_of_both_roles_in_every_epoch() -> None:
    table = history(some_scores())
    assert list(table.columns) == [
        "epoch",
        *(f"{role} {name}" for role in ("train", "evaluate") for name in ("loss", *METRICS)),
    ]
    assert table["epoch"].tolist() == [1, 2]
    assert table["train loss"].tolist() == [1.5, 0.5]
    assert table["train SE"].tolist() == [0.5, 1.0]
    assert table["evaluate SE"].tolist() == [0.0, 1.0]
    assert table["evaluate SP"].tolist() == [1.0, 0.5]


def test_the_result_is_of_the_last_epoch_not_the_best() -> None:
    row = final(some_scores()).iloc[0]
    assert (row["positives"], row["negatives"]) == (1, 2)
    assert row["AUROC"] == 0.5  # the first epoch had 1.0
    assert some_scores().predictions()["score"].tolist() == [
        "0.600000024",
        "0.699999988",
        "0.200000003",
    ]


def test_each_step_of_cleaning_leaves_the_right_records() -> None:
    records = pd.DataFrame(
        [
            # id, label, contradictory, in_training, identity, hairpin
            ("plain", 1, 0, 0, math.nan, ""),
            ("known positive", 1, 0, 0, 0.7999, "hsa-a"),
            ("known negative", 0, 0, 0, math.nan, "hsa-b"),
            ("positive in both", 1, 1, 0, math.nan, "hsa-c"),
            ("negative in both", 0, 1, 0, math.nan, ""),
            ("copy", 0, 0, 1, 1.0, ""),
            ("near", 1, 0, 0, 0.8, ""),
            ("known negative, near", 0, 0, 0, 0.9, "hsa-d"),
        ],
        columns=["id", "label", "contradictory", "in_training", "identity", "hairpin"],
    )
    remaining = subsets(records)
    assert remaining["id"].tolist() == records["id"].tolist()
    assert remaining["all"].all()
    assert records.loc[remaining["labels cleaned"], "id"].tolist() == [
        "plain",
        "known positive",
        "copy",
        "near",
    ]
    assert records.loc[remaining["cleaned"], "id"].tolist() == ["plain", "known positive"]


def test_a_weight_of_negatives_equals_repeating_them() -> None:
    labels, scores = np.array([1, 1, 0, 0, 0]), np.array([0.9, 0.4, 0.6, 0.4, 0.1])
    many = np.r_[0, 1, np.repeat([2, 3, 4], 5)]
    weighted, written_out = (
        measure(labels, scores, negative_weight=5),
        measure(labels[many], scores[many]),
    )
    assert weighted == pytest.approx(written_out)
    assert weighted["PPV"] < measure(labels, scores)["PPV"]


def test_an_experiment_with_shared_evaluation_records_does_not_choose_the_epoch() -> None:
    rows = [("cv", "s", "a"), ("cv", "s", "b"), ("test", "s", "c"), ("other", "s", "b")]
    rows += [("far", "t", "b")]
    evaluated = pd.DataFrame(rows, columns=["group", "set", "id"])
    validation = {"cv": "cv", "test": "cv", "other": "cv", "far": "cv", "none": None}
    assert choosers(validation, evaluated) == {"cv": "cv", "test": "cv", "far": "cv"}


def test_an_average_counts_each_network_once_whatever_its_seeds() -> None:
    rows = [
        ("stem", "few", 0, "a", 0.2),
        ("stem", "few", 1, "a", 0.4),
        ("variable", "few", 0, "a", 0.9),
        ("variable", "paper", 0, "a", 0.0),
        ("fixed", "few", 0, "a", 0.0),
        ("stem", "few", 0, "b", 0.5),
    ]
    table = pd.DataFrame(rows, columns=["model", "recipe", "seed", "id", "score"])
    averaged = average(table.assign(number=2, label=1), ["stem", "variable"], "few")
    # (0.3 + 0.9) / 2; only one of the two networks scored b.
    assert averaged.to_dict("records") == [
        {"number": 2, "id": "a", "label": 1, "score": pytest.approx(0.6)}
    ]
