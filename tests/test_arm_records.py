"""Hairpins with arms: where the arms are, which families are held out, and how ends are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mirpair.arms.collect import find_arms, read_records
from mirpair.arms.measure import ALL_ENDS, ends_table, reliability
from mirpair.arms.records import PLACES, fold_of, trains, weights_of
from mirpair.arms.rules import from_the_base, from_the_loop
from mirpair.files import InputError
from mirpair.rna.encoding import Molecule, encode

FIVE, THREE = "UGAGGUAGUAGGUUGUAUAGUU", "CUAUACAAUCUACUGUCUUUCC"
LET_7 = f"UGGGA{FIVE}UUAGGGUCACACCCACCACUGGGAGAUAA{THREE}UA"
TABLE = f"""\
accession,ID,status,precursor,mature1_acc,mature1,mature1_seq,mature2_acc,mature2,mature2_seq,species
MI0000060,hsa-let-7a-1,UNCHANGED,{LET_7},M1,hsa-let-7a-5p,{FIVE},M2,hsa-let-7a-3p,{THREE},hsa
MI0000061,hsa-mir-1,UNCHANGED,{LET_7[::-1]},M3,hsa-miR-1,{FIVE},,,,hsa
MI0000062,hsa-mir-2,UNCHANGED,A{LET_7},M1,hsa-miR-2-5p,{THREE},M2,hsa-miR-2-3p,{FIVE},hsa
"""
MEMBERS = "AC   MIPF0000002\nID   let-7\nMI   MI0000060  hsa-let-7a-1\n//\n"


def test_hairpins_with_both_arms_are_read_in_each_cut(tmp_path: Path) -> None:
    """One of three has both arms in their order; its flanked form has five bases more on a side."""
    paths = [tmp_path / name for name in ("hairpins.csv", "miFam.dat", "mature.fa", "testSet.txt")]
    cells = ["ex1", "hsa-let-7a-1", *["x"] * 9, f"CCCCC{LET_7}GGGGG", "x", "x"]
    texts = (TABLE, MEMBERS, f">Hsa-Let-7-P1_5p\n{FIVE}\n", "\t".join(cells) + "\n")
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    hairpins, members, mature, table = paths
    records = read_records(hairpins, members, mature, [table], folds=5)
    assert set(records["hairpin"]) == {"hsa-let-7a-1"}
    assert records["id"].is_unique
    assert records["cut"].tolist() == ["hairpin", "trimmed", "flanked", "testSet"]
    for row in records.to_dict("records"):
        rna = row["sequence"]
        assert rna[row["start_5p"] : row["end_5p"]] == FIVE
        assert rna[row["start_3p"] : row["end_3p"]] == THREE
    assert records["sequence"].tolist()[3] == f"CCCCC{LET_7}GGGGG"
    assert set(records["trust"]) == {"supported"}
    assert set(records["family"]) == {"let-7"}
    assert records["fold"].nunique() == 1
    hairpins.write_text(TABLE.replace(f"{FIVE},M2", "UUUUUUUUUUUUUUUUUUUUU,M2"))
    with pytest.raises(InputError, match="no hairpin has both arms"):
        read_records(hairpins, members, mature, folds=5)


@pytest.mark.parametrize(
    ("rna", "arms"),
    [
        (FIVE + "AA" + THREE, (FIVE, THREE)),
        (FIVE + "AAAA" + THREE, (FIVE[:17], THREE)),
        (FIVE + "AANA" + THREE, (FIVE, THREE)),
        (THREE + "AAAA" + FIVE, (FIVE, THREE)),
        (FIVE + "AAAA", (FIVE, THREE)),
    ],
)
def test_arms_that_are_impossible_are_not_found(rna: str, arms: tuple[str, str]) -> None:
    """A loop of 2 nt, an arm of 17, an unknown base, the wrong order, a missing arm."""
    assert find_arms(rna, arms) is None


def test_a_family_is_in_one_fold_and_folds_are_about_equal() -> None:
    folds = [fold_of(f"mir-{number}", 5) for number in range(1000)]
    assert folds == [fold_of(f"mir-{number}", 5) for number in range(1000)]
    assert folds != [fold_of(f"mir-{number}", 5, seed=1) for number in range(1000)]
    assert min(np.bincount(folds)) > 150


def test_a_family_of_four_hairpins_weighs_twice_as_much_as_one_alone() -> None:
    records = pd.DataFrame(
        {"hairpin": ["a", "b", "c", "d", "e", "e"], "family": [*"xxxx", "y", "y"]}
    )
    weights = weights_of(records)
    assert weights.mean() == pytest.approx(1)
    assert weights[:4].sum() == pytest.approx(2 * weights[4:].sum())


def test_held_out_families_and_unsure_hairpins_do_not_train() -> None:
    rows = [
        ("animals", 0, "supported", "hairpin"),
        ("animals", 1, "related", "flanked"),
        ("animals", 2, "doubtful", "hairpin"),
        ("animals", 2, "", "hairpin"),
        ("animals", 2, "supported", "testSet"),
        ("plants", 2, "", "hairpin"),
    ]
    records = pd.DataFrame(rows, columns=["kingdom", "fold", "trust", "cut"])
    assert trains(records, "animals", 1).tolist() == [True, *[False] * 5]
    assert trains(records, "animals", 3).tolist() == [True, True, *[False] * 4]
    assert trains(records, "plants", 0).tolist() == [*[False] * 5, True]


def hairpin() -> Molecule:
    """A stem of 40 pairs between flanks of 5 and 6 nt, and a loop of 8."""
    rna = "A" * 5 + "G" * 40 + "A" * 8 + "C" * 40 + "A" * 6
    made = encode(rna, "." * 5 + "(" * 40 + "." * 8 + ")" * 40 + "." * 6, -60.0)
    assert isinstance(made, Molecule)
    return made


def test_rules_cut_from_the_base_or_from_the_loop() -> None:
    """The stem is 5 to 45 and 53 to 93: 13 nt from 5 is 18, from 93, with an overhang, 82."""
    assert from_the_base(hairpin())[:4] == (18, 40, 60, 82)
    assert from_the_loop(hairpin())[:4] == (23, 45, 55, 77)
    alone = encode("ACGU" * 10, "." * 40, 0.0)
    assert isinstance(alone, Molecule)
    for rule in (from_the_base, from_the_loop):
        arms = rule(alone)
        assert arms.start_5p >= 0
        assert arms.end_3p <= 40


def test_ends_are_counted_by_their_distance() -> None:
    """Of eight ends, five are exact, one is one base away, one two, and one three."""
    records = pd.DataFrame(
        {
            "kingdom": "animals",
            "cut": "hairpin",
            "trust": ["supported", "related"],
            "family": ["x", "y"],
            **dict.fromkeys(PLACES, 10),
        }
    )
    arms = pd.DataFrame(dict(zip(PLACES, ([10, 11], [10, 8], [13, 10], [10, 10]), strict=True)))
    table = ends_table(records, {"network": arms})

    def of(trust: str, end: str) -> list[float]:
        row = table[(table["trust"] == trust) & (table["end"] == end)]
        assert len(row) == 1
        return row[["within 0", "within 1", "within 2"]].iloc[0].tolist()

    assert of("all", ALL_ENDS) == [5 / 8, 6 / 8, 7 / 8]
    assert of("supported", ALL_ENDS) == [3 / 4, 3 / 4, 3 / 4]
    assert of("related", "5p ends") == [0, 0, 1]
    assert table["records"].max() == 2
    every = table[(table["trust"] == "all") & (table["end"] == ALL_ENDS)].iloc[0]
    assert (every["low 0"], every["high 0"]) == (1 / 2, 3 / 4)


def test_probabilities_are_compared_with_the_share_of_arms_that_are_right() -> None:
    """An arm with one end three bases away is wrong."""
    records = pd.DataFrame({place: [10, 10] for place in PLACES})
    arms = pd.DataFrame(dict(zip(PLACES, ([10, 13], [12, 10], [10, 10], [10, 10]), strict=True)))
    arms["probability_5p"], arms["probability_3p"] = [0.95, 0.31], [0.97, 0.99]
    table = reliability(records, arms, near=2)
    assert table.to_dict("list") == {
        "from": [0.3, 0.9],
        "arms": [1, 3],
        "probability": [0.31, pytest.approx(0.97)],
        "right": [0.0, 1.0],
    }
