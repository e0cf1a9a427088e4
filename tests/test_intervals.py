"""Intervals by bootstrap and over folds: correct by hand computation, and reproducible."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpair.contracts import METRICS
from mirpair.identification.intervals import _Ranked, bootstrap, over_folds
from mirpair.identification.metrics import measure, summarise

records = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=40)


def low_high(labels: object, scores: object, **more: int) -> dict[str, tuple[float, float]]:
    limits = bootstrap(labels, scores, threshold=0.5, **more)  # type: ignore[arg-type]
    return {name: (low, high) for name, (low, high) in zip(METRICS, limits, strict=True)}


@given(records, st.randoms(use_true_random=False))
def test_metrics_of_a_resample_match_those_of_its_records(
    pairs: list[tuple[bool, int]], random: object
) -> None:
    """Ties included: scores are eighths."""
    labels = np.array([int(label) for label, _ in pairs])
    scores = np.array([score / 8 for _, score in pairs])
    if len(set(labels)) < 2:
        return
    places = [np.flatnonzero(labels == label) for label in (1, 0)]
    drawn = [random.choices(list(part), k=len(part)) for part in places]  # type: ignore[attr-defined]
    for weight in (1, 3):
        fast = _Ranked(scores, 0.5, weight).measure(*(np.array([part]) for part in drawn))[:, 0]
        again = np.concatenate([drawn[0], *[drawn[1]] * weight])
        slow = measure(labels[again], scores[again])
        assert fast == pytest.approx(list(slow.values()), nan_ok=True)


def test_positives_and_negatives_are_resampled_separately() -> None:
    """With two positives of 100 records, joint resampling would often draw none."""
    labels = np.r_[np.ones(2), np.zeros(98)]
    scores = np.r_[0.9, 0.9, np.full(98, 0.1)]
    assert set(low_high(labels, scores).values()) == {(1.0, 1.0)}


def test_the_interval_of_a_share_matches_the_binomial_distribution() -> None:
    """SE .5 of 100 positives, SP .9 of 400 negatives: mean ± 1.96 standard errors, nearly."""
    labels = np.r_[np.ones(100), np.zeros(400)]
    scores = np.r_[np.full(50, 0.9), np.full(50, 0.1), np.full(40, 0.9), np.full(360, 0.1)]
    intervals = low_high(labels, scores)
    assert intervals["SE"] == pytest.approx((0.5 - 0.098, 0.5 + 0.098), abs=0.015)
    assert intervals["SP"] == pytest.approx((0.9 - 0.0294, 0.9 + 0.0294), abs=0.007)


def test_the_interval_contains_its_metric_and_shrinks_with_more_records() -> None:
    rng = np.random.default_rng(0)
    labels = np.r_[np.ones(40), np.zeros(200)].astype(int)
    scores = 1 / (1 + np.exp(-(rng.normal(0, 1, 240) + 2 * labels - 1)))
    few, measured = low_high(labels, scores), measure(labels, scores)
    many = low_high(np.tile(labels, 16), np.tile(scores, 16))
    for name in METRICS:
        assert few[name][0] < measured[name] < few[name][1], name
        ratio = (many[name][1] - many[name][0]) / (few[name][1] - few[name][0])
        assert ratio == pytest.approx(1 / 4, rel=0.2), name


def test_the_bootstrap_is_reproducible_and_depends_on_the_seed() -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 200), rng.random(200)
    first = low_high(labels, scores, resamples=50)
    assert first == low_high(labels, scores, resamples=50)
    assert first != low_high(labels, scores, resamples=50, seed=1)


def test_an_undefined_metric_has_no_interval() -> None:
    assert np.isnan(bootstrap([0, 0], [0.1, 0.2], threshold=0.5)).all()
    assert np.isnan(bootstrap([1, 0, 0], [0.9, 0.1, 0.2], threshold=0.5)).all()
    nothing_called = low_high([1, 1, 0, 0], [0.1, 0.2, 0.2, 0.3])
    assert math.isnan(nothing_called["PPV"][0])
    assert nothing_called["SE"] == (0.0, 0.0)


def test_the_interval_over_folds_matches_hand_computation() -> None:
    """.1, .2, .3: mean .2, standard error .1/√3, t of two degrees of freedom 4.3027."""
    half = 4.3027 * 0.1 / math.sqrt(3)
    assert over_folds([0.4, 0.5, 0.6]) == pytest.approx([0.5 - half, 0.5 + half], abs=1e-4)
    assert over_folds([[0.4, 0.7], [0.5, 0.7], [0.6, 0.7]])[1] == pytest.approx([0.7, 0.7])
    assert over_folds([0.1, 0.9])[0] == 0, "a share is never below 0"
    assert np.isnan(over_folds([0.5])).all(), "one fold has no interval"


def predictions(number: int, scores: list[float], seed: int = 0) -> pd.DataFrame:
    row = {"model": "variable", "recipe": "paper", "epochs": 40, "seed": seed, "number": number}
    labels = [1, 1, 0, 0]
    return pd.DataFrame({"id": list("abcd"), "label": labels, "score": scores, **row})


def all_records(*numbers: int) -> pd.DataFrame:
    return pd.DataFrame([{"number": n, "id": i, "all": True} for n in numbers for i in "abcd"])


def test_seeds_are_averaged_before_folds() -> None:
    # SE .5 in fold 1; 1 and 0 by two seeds of fold 2, which must not count twice; 1 in fold 3.
    table = pd.concat(
        [
            predictions(1, [0.9, 0.1, 0.1, 0.2]),
            predictions(2, [0.9, 0.9, 0.1, 0.2]),
            predictions(2, [0.1, 0.1, 0.1, 0.2], seed=1),
            predictions(3, [0.9, 0.9, 0.1, 0.2]),
        ]
    )
    (row,) = summarise(table, all_records(1, 2, 3)).to_dict("records")
    assert row["SE"] == pytest.approx((0.5 + 0.5 + 1) / 3)
    low, high = over_folds([0.5, 0.5, 1])
    assert (row["SE low"], row["SE high"]) == pytest.approx((low, high))
    assert (row["folds"], row["seeds"]) == ("1 2 3", 2)
    assert (row["positives"], row["negatives"]) == (6, 6)
    assert math.isnan(row["PPV"]), "nothing is called positive in one seed"


def test_without_folds_seeds_are_averaged_with_the_bootstrap_interval() -> None:
    one, two = [0.9, 0.1, 0.1, 0.2], [0.9, 0.9, 0.1, 0.6]
    table = pd.concat([predictions(0, one), predictions(0, two, seed=1)])
    (row,) = summarise(table, all_records(0)).to_dict("records")
    assert row["SE"] == pytest.approx(0.75)
    expected = dict(zip(METRICS, bootstrap([1, 1, 0, 0], [one, two], threshold=0.5), strict=True))
    for name, (low, high) in expected.items():
        assert (row[f"{name} low"], row[f"{name} high"]) == pytest.approx((low, high), nan_ok=True)


def test_a_subset_restricts_values_and_intervals() -> None:
    membership = all_records(0).assign(some=[True, True, False, True])
    table = summarise(predictions(0, [0.9, 0.9, 0.6, 0.2]), membership).set_index("subset")
    assert table["SP"].to_dict() == {"all": 0.5, "some": 1.0}
    assert table["negatives"].to_dict() == {"all": 2, "some": 1}
    assert table["SP low"]["all"] == 0.0


def test_a_prediction_of_another_record_is_refused() -> None:
    with pytest.raises(ValueError, match="not evaluation records"):
        summarise(predictions(0, [0.1] * 4), all_records(0).head(3))


def test_the_bootstrap_keeps_labels_with_their_records_in_any_order() -> None:
    rng = np.random.default_rng(0)
    labels = np.tile([1, 1, 0, 0, 0], 12)
    scores = np.round(np.clip(rng.normal(0.4 + 0.2 * labels, 0.2), 0, 1), 2)
    ids = rng.permutation([f"r{number:02}" for number in range(60)])
    row = {"model": "variable", "recipe": "paper", "epochs": 40, "seed": 0, "number": 0}
    table = pd.DataFrame({"id": ids, "label": labels, "score": scores, **row})
    membership = table[["number", "id"]].assign(all=True)
    (summary,) = summarise(table, membership).to_dict("records")
    expected = dict(zip(METRICS, bootstrap(labels, scores, threshold=0.5), strict=True))
    for name, limits in expected.items():
        # Records are resampled in another order, so the limits are only similar.
        assert (summary[f"{name} low"], summary[f"{name} high"]) == pytest.approx(limits, abs=0.03)


def test_a_subset_is_evaluated_at_the_class_ratio_of_all_records() -> None:
    """Without this, PPV would fall when half of the positives are left out."""
    scores = [0.9, 0.9, 0.9, 0.9, 0.6, 0.1, 0.1, 0.1]
    row = {"model": "variable", "recipe": "paper", "epochs": 40, "seed": 0, "number": 0}
    ids = list("abcdefgh")
    table = pd.DataFrame({"id": ids, "label": [1] * 4 + [0] * 4, "score": scores, **row})
    half = pd.DataFrame({"id": ids, "number": 0, "half": [True, True, False, False] + [True] * 4})
    (summary,) = summarise(table, half).to_dict("records")
    all_metrics = measure(table["label"], table["score"])
    for metric in METRICS:
        assert summary[metric] == pytest.approx(all_metrics[metric]), metric
    assert summary["PPV low"] <= summary["PPV"] <= summary["PPV high"]


def test_a_fold_without_records_makes_the_mean_undefined() -> None:
    table = pd.concat([predictions(number, [0.9, 0.1, 0.1, 0.2]) for number in (1, 2)])
    membership = all_records(1, 2).assign(some=[True] * 4 + [False] * 4)
    rows = summarise(table, membership).set_index("subset")
    assert rows["folds"].tolist() == ["1 2", "1 2"]
    assert math.isnan(rows["SE"]["some"])
    assert rows["positives"].tolist() == [4, 2]


def test_a_subset_without_records_has_an_undefined_row() -> None:
    membership = all_records(0).assign(none=False)
    rows = summarise(predictions(0, [0.9, 0.9, 0.6, 0.2]), membership).set_index("subset")
    assert rows.loc["none", list(METRICS)].isna().all()
    assert rows.loc["none", "positives"] == 0


def test_the_interval_of_several_trainings_has_their_variation_too() -> None:
    """Two trainings with an SE of 0 and of 1, on any records: 0, 1/2 or 1, a quarter each end."""
    labels = np.r_[np.ones(50), np.zeros(50)]
    nothing, every = np.full(100, 0.1), np.r_[np.full(50, 0.9), np.full(50, 0.1)]
    intervals = low_high(labels, [nothing, every])
    assert intervals["SE"] == (0, 1)
    assert intervals["SP"] == (1, 1), "both are the same there"
    # Of the same training three times, it is that of one.
    rng = np.random.default_rng(0)
    scores = np.clip(rng.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
    three, one = low_high(labels, [scores] * 3), low_high(labels, scores)
    for name, limits in one.items():
        assert three[name] == pytest.approx(limits), name


def test_the_variation_of_seeds_adds_to_that_of_records() -> None:
    """SE of .4, .5 and .6 on 1,000 records: between the variance of seeds alone, and of both."""
    labels = np.r_[np.ones(1000), np.zeros(10)]
    each = [np.r_[np.full(n, 0.9), np.full(1010 - n, 0.1)] for n in (400, 500, 600)]
    low, high = low_high(labels, each)["SE"]
    of_seeds = np.var([0.4, 0.5, 0.6]) / 3
    assert np.sqrt(of_seeds) * 0.95 < (high - low) / 3.92 < np.sqrt(of_seeds + 0.25 / 1000) * 1.05
