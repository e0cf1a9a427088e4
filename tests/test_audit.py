"""What length, GC and folding energy alone can do is measured without looking at the answers."""

from __future__ import annotations

import pandas as pd
import pytest

from mirpair.audit import check_lengths, features, overlap, shortcuts, take_part
from mirpair.files import InputError

RECORDS = pd.DataFrame(
    {
        "id": list("abcdefgh"),
        "label": [1, 1, 0, 0, 1, 1, 0, 0],
        "sequence": ["GC", "GCAA", "AUAU", "AUAUAU", "GGGG", "GGA", "AUAUGC", "AUA"],
    }
)
STRUCTURES = pd.DataFrame({"id": list("abcdefgh"), "mfe": [-2, -2, -1, 0, -8, -3, -3, 0]})
EXPERIMENT = pd.DataFrame(
    {"id": list("abcdefgh"), "set": "s", "role": ["train"] * 4 + ["evaluate"] * 4}
)


def test_features_by_hand() -> None:
    table = features(RECORDS, STRUCTURES)
    assert table["length"].tolist() == [2, 4, 4, 6, 4, 3, 6, 3]
    assert table["GC"].tolist() == pytest.approx([1, 0.5, 0, 0, 1, 2 / 3, 1 / 3, 0])
    assert table["MFE/length"].tolist() == pytest.approx([1, 0.5, 0.25, 0, 2, 1, 0.5, 0])


def test_auroc_of_each_feature_by_hand() -> None:
    found = shortcuts(take_part(EXPERIMENT, {"s": features(RECORDS, STRUCTURES)})).set_index(
        "feature"
    )
    # Training positives are shorter, so shorter is positive: 4 and 3 against 6 and 3.
    assert found.loc["length", "direction"] == "lower"
    assert found.loc["length", "AUROC"] == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    assert found.loc["GC", "AUROC"] == 1.0
    # Average precision of 1, 2/3 | 1/3, 0 is 1; of -4, -3 | -6, -3 the positives rank 3 and 1.5.
    assert found.loc["GC", "AUPR"] == 1.0
    assert found.loc["length", "AUPR"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found.loc["MFE/length", ["direction", "AUROC"]].tolist() == ["higher", 1.0]


def test_the_direction_is_learnt_from_training_records_only() -> None:
    flipped = EXPERIMENT.assign(role=["evaluate"] * 4 + ["train"] * 4)
    longer = RECORDS.assign(sequence=["GC", "GCAA", "AUAU", "AUAUAU", "G" * 9, "G" * 8, "A", "AA"])
    found = shortcuts(take_part(flipped, {"s": features(longer, STRUCTURES)})).set_index("feature")
    assert found.loc["length", "direction"] == "higher"
    assert found.loc["length", "AUROC"] < 0.5, "a wrong direction must be seen, not turned around"


def test_tables_of_different_rnas_are_refused() -> None:
    with pytest.raises(InputError, match="same RNAs"):
        features(RECORDS, STRUCTURES.iloc[::-1].reset_index(drop=True))


def test_shared_and_contradictory_sequences_are_counted() -> None:
    """Evaluation records e and f repeat training sequences; GC stands in both classes."""
    same = RECORDS.assign(sequence=["GC", "A", "AUAU", "C", "AUAU", "GC", "GC", "G"])
    found = overlap(take_part(EXPERIMENT, {"s": features(same, STRUCTURES)}))
    assert found.to_dict("records") == [{"evaluated": 4, "in training": 3, "contradictory": 2}]


def test_a_record_too_long_for_a_planned_network_is_found_before_training() -> None:
    long = RECORDS.assign(sequence=["GC"] * 7 + ["A" * 401])
    records = take_part(EXPERIMENT, {"s": features(long, STRUCTURES)})
    check_lengths(records, {"variable": None, "without-pairing": None})
    with pytest.raises(InputError, match=r"'h' of the set 's' has 401 nt.*'fixed' takes up to"):
        check_lengths(records, {"variable": None, "fixed": 400})
