"""Calibration: what a score is believed, by hand where that is possible, and by Bayes' rule."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import beta

from mirpair.files import InputError
from mirpair.prediction.calibration import Calibration, calibrate, expected, reliability

shares = st.floats(0.02, 0.98)


def line(slope: float, intercept: float, prior: float, low: float, high: float) -> Calibration:
    """Platt's: one straight piece from a score to another one."""
    ends = logit([low, high])
    return Calibration(tuple(ends), tuple(slope * ends + intercept), prior)


PLAIN = line(1, 0, 0.5, 0.001, 0.999)


def two_scores(low: int = 10, high: int = 70, times: int = 2) -> pd.DataFrame:
    """Times a hundred records with score .2, `low` of them positive, and as many with .8."""
    labels = np.r_[np.ones(low), np.zeros(100 - low), np.ones(high), np.zeros(100 - high)]
    one = pd.DataFrame({"label": labels.astype(int), "score": np.repeat([0.2, 0.8], 100)})
    return pd.concat([one] * times, ignore_index=True)


# Learnt on other records of the same kind.
LEARNT = calibrate(*(two_scores()[name] for name in ("label", "score")))


def test_two_scores_get_the_shares_of_pre_mirnas_that_have_them() -> None:
    """A logistic curve goes through any two points: .1 at .2 and .7 at .8."""
    held = two_scores()
    found = calibrate(held["label"], held["score"])
    assert found.logits == pytest.approx(logit([0.2, 0.8]))
    assert found.odds == pytest.approx(logit([0.1, 0.7]), abs=0.01)
    assert found.prior == pytest.approx(0.4)
    assert found.probability([0.8, 0.2], 0.4) == pytest.approx([0.7, 0.1], abs=2e-3)


def test_a_logistic_curve_is_recovered_from_records_drawn_by_it() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.001, 0.999, 20_000)
    labels = rng.random(20_000) < expit(0.6 * logit(scores) - 1)
    found = calibrate(labels.astype(int), scores)
    grid = np.linspace(0.01, 0.99, 30)
    expected_there = expit(0.6 * logit(grid) - 1)
    assert found.probability(grid, found.prior) == pytest.approx(expected_there, abs=0.03)
    assert found.prior == labels.mean()


def test_what_no_single_line_fits_is_fitted_in_pieces() -> None:
    """Only the highest scores tell anything, as of a genome's hairpins."""
    rng = np.random.default_rng(1)
    logits = rng.uniform(0, 10, 40_000)
    true = -3 + np.maximum(0, logits - 7) * 1.5
    labels = rng.random(len(logits)) < expit(true)
    found = calibrate(labels.astype(int), expit(logits))
    for at, odds in ((2.0, -3.0), (6.0, -3.0), (9.5, 0.75)):
        assert logit(found.probability(expit(at), found.prior)) == pytest.approx(odds, abs=0.35)
    assert list(found.odds) == sorted(found.odds)


def test_another_share_of_pre_mirnas_is_brought_in_by_the_odds() -> None:
    """Score .9, odds 9 among equally many; nine times as many others make them 1."""
    assert PLAIN.probability(0.9, 0.5) == pytest.approx(0.9)
    assert PLAIN.probability(0.9, 0.1) == pytest.approx(0.5)
    assert PLAIN.probability(0.9, 0.9) == pytest.approx(81 / 82)
    fifth = line(2, math.log(3), 0.2, 0.001, 0.999)
    # Odds 3 × 2² among one in five; 12 × 4 among as many.
    assert fifth.probability(2 / 3, 0.2) == pytest.approx(12 / 13)
    assert fifth.probability(2 / 3, 0.5) == pytest.approx(48 / 49)


@pytest.mark.filterwarnings("error")
def test_the_smallest_share_and_no_score_are_no_warning() -> None:
    assert PLAIN.probability([0.5], 1e-300) == pytest.approx([1e-300], rel=1e-6, abs=0)
    assert np.isnan(PLAIN.probability([np.nan], 0.1)).all(), "no score, no probability"
    assert PLAIN.probability([0, 0.5, 1], 1 - 1e-16) == pytest.approx([1, 1, 1])


@given(shares, shares, shares)
def test_the_shift_is_bayes_rule(score: float, prior: float, other: float) -> None:
    """Each record of a class counts as often as its class is more frequent."""
    calibration = line(0.7, -0.4, prior, 0.01, 0.99)
    own = float(calibration.probability(score, prior))
    assert own == pytest.approx(expit(0.7 * logit(score) - 0.4))
    positive, negative = own * other / prior, (1 - own) * (1 - other) / (1 - prior)
    assert calibration.probability(score, other) == pytest.approx(positive / (positive + negative))


def test_a_score_beyond_the_held_out_ones_is_believed_no_more_than_the_last_of_them() -> None:
    held = two_scores()
    found = calibrate(held["label"], held["score"])
    low, high = found.probability([0.2, 0.8], 0.3)
    assert (found.probability([0, 0.1, 0.19], 0.3) == low).all()
    assert (found.probability([0.81, 0.9, 1], 0.3) == high).all()
    assert low < found.probability(0.5, 0.3) < high


def test_scores_of_0_and_1_are_no_certainty() -> None:
    """As float32 a score may be one of them; some of each are of the other class."""
    scores = np.repeat(np.array([0, 0.5, 1], dtype=np.float32), 10)
    labels = np.r_[np.zeros(9), 1, np.zeros(5), np.ones(5), np.ones(9), 0]
    found = calibrate(labels, scores)
    assert np.isfinite(found.logits).all()
    probability = found.probability(scores, 0.5)
    assert np.isfinite(probability).all()
    assert probability[[0, 10, 20]] == pytest.approx([0.1, 0.5, 0.9], abs=5e-3)


def test_records_of_one_class_cannot_calibrate() -> None:
    for label in (0, 1):
        with pytest.raises(InputError, match="all of one class"):
            calibrate([label] * 3, [0.1, 0.5, 0.9])


def test_a_network_that_scores_the_wrong_way_round_cannot_be_calibrated() -> None:
    held = two_scores()
    with pytest.raises(InputError, match="no higher for pre-miRNAs"):
        calibrate(held["label"], 1 - held["score"])


def clopper_pearson(count: int, total: int) -> list[float]:
    return [
        float(beta.ppf(0.025, count, total - count + 1)) if count else 0.0,
        float(beta.ppf(0.975, count + 1, total - count)) if count < total else 1.0,
    ]


def test_reliability_by_hand() -> None:
    """Probabilities .1 and .7, in bins of their own; a bin without records has no row."""
    held = two_scores()
    table = reliability(LEARNT, held["label"], held["score"], [0, 0.05, 0.5, 1])
    assert table[["from", "to", "records"]].to_numpy().tolist() == [[0.05, 0.5, 200], [0.5, 1, 200]]
    assert table["predicted"].tolist() == pytest.approx([0.1, 0.7], abs=2e-3)
    assert table["observed"].tolist() == [0.1, 0.7]
    limits = table[["low", "high"]].to_numpy()
    assert limits[0] == pytest.approx(clopper_pearson(20, 200))
    assert limits[1] == pytest.approx(clopper_pearson(140, 200))


def test_every_record_is_in_one_bin_however_sure_its_probability_is() -> None:
    rng = np.random.default_rng(0)
    labels = np.tile([1, 0], 200)
    scores = np.clip(expit(rng.normal(24 * labels - 12, 12)), 0, 1)
    learnt = calibrate(labels, scores)
    table = reliability(learnt, labels, scores, [0, 0.5, 1])
    assert table["records"].sum() == 400
    assert table["from"].tolist() == [0, 0.5]
    (whole,) = reliability(learnt, labels, scores, [0, 1]).to_dict("records")
    assert (whole["records"], whole["observed"]) == (400, 0.5)


def test_what_calls_are_worth_by_hand() -> None:
    """With score .8 the odds are 7/3 among two to three, and so 7/2 among one to one.

    One to two: 7/4, called too; one to four: 7/8, not called. Of 160 pre-miRNAs 140 have this
    score, and 60 of 240 others.
    """
    held = two_scores()
    table = expected(LEARNT, held["label"], held["score"], [1, 2, 4]).set_index("others")
    assert table["SE"].tolist() == [0.875, 0.875, 0]
    assert table["FPR"].tolist() == [0.25, 0.25, 0]
    assert table["PPV"].tolist()[:2] == pytest.approx([0.875 / 1.125, 0.875 / 1.375])
    assert math.isnan(table["PPV"][4]), "nothing is called"
    sensitivity, false = clopper_pearson(140, 160), clopper_pearson(60, 240)
    row = table.loc[2]
    assert [row["SE low"], row["SE high"]] == pytest.approx(sensitivity)
    assert [row["FPR low"], row["FPR high"]] == pytest.approx(false)
    assert row["PPV low"] == pytest.approx(sensitivity[0] / (sensitivity[0] + 2 * false[1]))
    assert row["PPV high"] == pytest.approx(sensitivity[1] / (sensitivity[1] + 2 * false[0]))
    assert table.loc[4, "SE high"] == pytest.approx(clopper_pearson(0, 160)[1])
