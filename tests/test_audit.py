"""Audit of records: copies, labels, known hairpins, and what simple features reach alone."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import random_rna

from mirpair.contracts import SET_FEATURES, read_audit
from mirpair.files import InputError, write_tsv
from mirpair.identification.audit import (
    audit_records,
    describe,
    features,
    join_features,
    known_hairpins,
    read_family_members,
    shortcuts,
)

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


def test_features_match_hand_computation() -> None:
    table = features(RECORDS, STRUCTURES)
    assert table["length"].tolist() == [2, 4, 4, 6, 4, 3, 6, 3]
    assert table["GC"].tolist() == pytest.approx([1, 0.5, 0, 0, 1, 2 / 3, 1 / 3, 0])
    assert table["MFE/length"].tolist() == pytest.approx([1, 0.5, 0.25, 0, 2, 1, 0.5, 0])


def test_auroc_and_aupr_of_each_feature_match_hand_computation() -> None:
    audit = shortcuts(join_features(EXPERIMENT, {"s": features(RECORDS, STRUCTURES)})).set_index(
        "feature"
    )
    # Training positives are shorter, so shorter counts as positive: 4 and 3 against 6 and 3.
    assert audit.loc["length", "direction"] == "lower"
    assert audit.loc["length", "AUROC"] == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    assert audit.loc["GC", "AUROC"] == 1.0
    # Average precision of 1, 2/3 | 1/3, 0 is 1; of -4, -3 | -6, -3 the positives rank 3 and 1.5.
    assert audit.loc["GC", "AUPR"] == 1.0
    assert audit.loc["length", "AUPR"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert audit.loc["MFE/length", ["direction", "AUROC"]].tolist() == ["higher", 1.0]


def test_the_direction_of_a_feature_comes_from_training_records_only() -> None:
    flipped = EXPERIMENT.assign(role=["evaluate"] * 4 + ["train"] * 4)
    longer = RECORDS.assign(sequence=["GC", "GCAA", "AUAU", "AUAUAU", "G" * 9, "G" * 8, "A", "AA"])
    audit = shortcuts(join_features(flipped, {"s": features(longer, STRUCTURES)})).set_index(
        "feature"
    )
    assert audit.loc["length", "direction"] == "higher"
    assert audit.loc["length", "AUROC"] < 0.5, "a wrong direction must show, not be corrected"


def test_tables_of_different_rnas_are_refused() -> None:
    with pytest.raises(InputError, match="same RNAs"):
        features(RECORDS, STRUCTURES.iloc[::-1].reset_index(drop=True))


RNG = np.random.default_rng(1)
# Long enough to have neighbours; none of them is near another.
ONE, TWO, THREE, FOUR, FIVE, SIX = (random_rna(RNG, 80) for _ in range(6))


def changed(sequence: str, *positions: int) -> str:
    """Replace the base at each of these positions."""
    return "".join(
        "ACGU"[("ACGU".index(base) + 1) % 4] if position in positions else base
        for position, base in enumerate(sequence)
    )


def audited(
    *rows: tuple[str, str, str, int, str], known: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Audit records given as set, id, role ("" is none), label and sequence."""
    table = pd.DataFrame(rows, columns=["set", "id", "role", "label", "sequence"])
    features_of = {}
    for name, records in table.groupby("set"):
        structures = pd.DataFrame({"id": records["id"], "mfe": -1.0})
        features_of[str(name)] = features(records, structures)
    experiment = table.loc[table["role"] != "", ["id", "set", "role"]].reset_index(drop=True)
    return audit_records(join_features(experiment, features_of), known)


def test_a_sequence_in_both_classes_is_marked_wherever_its_copy_is() -> None:
    """Copies: b's in training, c's in evaluation, d's without role, e's in another set."""
    audit = audited(
        *(("s", "a", "train", 0, ONE), ("s", "b", "evaluate", 1, ONE)),
        *(("s", "c", "evaluate", 1, TWO), ("s", "c0", "evaluate", 0, TWO)),
        *(("s", "d", "evaluate", 0, THREE), ("s", "d0", "", 1, THREE)),
        *(("s", "e", "evaluate", 1, FOUR), ("t", "e0", "train", 0, FOUR)),
        *(("s", "f", "evaluate", 1, FIVE), ("s", "f0", "train", 1, FIVE)),
        ("s", "g", "evaluate", 1, SIX),
    )
    assert dict(zip(audit["id"], audit["contradictory"], strict=True)) == {
        **dict.fromkeys(["b", "c", "c0", "d", "e"], 1),
        **dict.fromkeys(["f", "g"], 0),
    }


def test_in_training_means_the_same_sequence_in_a_training_record() -> None:
    audit = audited(
        *(("s", "a", "train", 1, ONE), ("s", "b", "train", 0, TWO)),
        *(("s", "c", "evaluate", 1, ONE), ("s", "d", "evaluate", 1, TWO)),
        *(("s", "e", "evaluate", 0, ONE[:-1]), ("s", "f", "evaluate", 0, THREE)),
        ("s", "g", "", 0, THREE),
    )
    assert audit["in_training"].tolist() == [1, 1, 0, 0]
    assert audit["identity"].tolist()[:3] == [1, 1, 1], (
        "a part of the sequence is as near, but not the same"
    )
    assert audit["training_label"].tolist()[:3] == [1, 0, 1]
    assert np.isnan(audit["identity"].iloc[3])
    assert audit["training_label"].isna().tolist() == [False, False, False, True]


def test_the_training_label_is_of_the_nearest_record_and_its_own_in_a_tie() -> None:
    audit = audited(
        *(("s", "p", "train", 1, changed(ONE, 20)), ("s", "n", "train", 0, changed(ONE, 20, 50))),
        *(
            ("s", "near-p", "evaluate", 0, ONE),
            ("s", "near-n", "evaluate", 1, changed(ONE, 20, 50)),
        ),
        *(("s", "q", "train", 1, TWO), ("s", "m", "train", 0, TWO)),
        *(("s", "both0", "evaluate", 0, changed(TWO, 40)), ("s", "both1", "evaluate", 1, TWO)),
    )
    assert audit["identity"].tolist() == pytest.approx([79 / 80, 1, 79 / 80, 1])
    assert audit["training_label"].tolist() == [1, 0, 0, 1]


def test_rows_keep_the_experiments_order_and_ids_of_two_sets_do_not_mix(tmp_path: Path) -> None:
    audit = audited(
        *(("t", "1", "evaluate", 0, ONE), ("s", "1", "train", 1, ONE)),
        *(("t", "2", "evaluate", 1, TWO), ("s", "2", "evaluate", 1, THREE)),
        ("s", "3", "train", 0, changed(THREE, 40)),
    )
    write_tsv(audit, tmp_path / "records.tsv", float_format="%.4f")
    read = read_audit(tmp_path / "records.tsv")
    assert read[["set", "id"]].to_numpy().tolist() == [["t", "1"], ["t", "2"], ["s", "2"]]
    assert read["contradictory"].tolist() == [1, 0, 0]
    assert read["identity"].fillna(-1).tolist() == [1, -1, 0.9875]
    assert read["training_label"].fillna(-1).tolist() == [1, -1, 0]
    assert read["relative"].isna().all()
    assert (read[["hairpin", "family"]] == "").all(axis=None)


FASTA = f""">hsa-a MI01 Homo sapiens
{ONE.lower().replace("u", "t")}
>ptr-a MI02 Pan troglodytes
{ONE}
>hsa-b MI03 Homo sapiens
{TWO[:40]}
{TWO[40:]}
>hsa-n MI04 Homo sapiens
ACGN
>hsa-c MI05 Homo sapiens
{THREE}
>hsa-d MI06 Homo sapiens
{FOUR}
"""
FAMILIES = """AC   MIPF01
ID   mir-a
MI   MI02  ptr-a-of-before
MI   MI03  hsa-b
//
AC   MIPF02
ID   mir-c
MI   MI05  hsa-c
//
"""


def reference(folder: Path, zipped: bool = False) -> tuple[Path, Path]:
    fasta, families = folder / "hairpin.fa.gz", folder / "miFam.dat"
    fasta.write_bytes(gzip.compress(FASTA.encode()) if zipped else FASTA.encode())
    families.write_text(FAMILIES)
    return fasta, families


@pytest.mark.parametrize("zipped", [False, True])
def test_known_hairpins_get_their_family_by_accession(tmp_path: Path, zipped: bool) -> None:
    table = known_hairpins(*reference(tmp_path, zipped))
    assert table["hairpin"].tolist() == ["hsa-a", "ptr-a", "hsa-b", "hsa-c", "hsa-d"]
    assert table["sequence"].tolist() == [ONE, ONE, TWO, THREE, FOUR]
    assert table["family"].tolist() == ["", "mir-a", "mir-a", "mir-c", ""]
    without_families = known_hairpins(reference(tmp_path, zipped)[0])
    assert without_families["family"].tolist() == [""] * 5


def test_known_hairpins_and_relatives_are_marked(tmp_path: Path) -> None:
    """Record b has the relative a in training; c has only a negative, which is no relative."""
    audit = audited(
        *(("s", "a", "train", 1, ONE), ("s", "c0", "train", 0, THREE)),
        *(("s", "a2", "evaluate", 0, ONE), ("s", "b", "evaluate", 1, TWO)),
        *(("s", "c", "evaluate", 1, THREE), ("s", "d", "evaluate", 1, FOUR)),
        *(("s", "e", "evaluate", 1, FIVE), ("s", "part", "evaluate", 1, ONE[:-1])),
        known=known_hairpins(*reference(tmp_path)),
    )
    assert audit["hairpin"].tolist() == ["hsa-a", "hsa-b", "hsa-c", "hsa-d", "", ""]
    assert audit["family"].tolist() == ["mir-a", "mir-a", "mir-c", "", "", ""]
    assert audit["relative"].fillna(-1).tolist() == [1, 1, 0, -1, -1, -1]


def test_without_a_reference_no_record_is_a_known_hairpin() -> None:
    audit = audited(("s", "a", "train", 1, ONE), ("s", "b", "evaluate", 1, ONE))
    assert audit[["hairpin", "family"]].to_numpy().tolist() == [["", ""]]
    assert audit["relative"].isna().all()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("ID   mir-c", "ID mir c", r"miFam.dat: line 7 is 'ID mir c'"),
        ("ID   mir-c\n", "", r"miFam.dat: line 7 is 'MI   MI05  hsa-c'"),
        ("hsa-c\n", "hsa-c\nMI   MI03  hsa-b\n", r"line 9: MI03 is in the family 'mir-c', and in"),
        (FAMILIES, ">hsa-a\nACGU\n", "line 1 is '>hsa-a'"),
    ],
)
def test_a_wrong_file_of_families_is_refused_with_its_line(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    path = tmp_path / "miFam.dat"
    path.write_text(FAMILIES.replace(before, after))
    with pytest.raises(InputError, match=message):
        read_family_members(path)


OBO = """\
format-version: 1.4
ontology: mirbase.family

[Typedef]
id: RO:0002351
name: has member

[Term]
id: mirbase.family:MIPF0000001
name: mir-17
relationship: RO:0002351 mirbase:MI0000071 ! has member hsa-mir-17

[Term]
id: mirbase.family:MIPF0000001
name: mir-17
relationship: RO:0002351 mirbase:MI0000072 ! has member hsa-mir-18a
"""


def test_families_of_mirbase_are_read_from_an_ontology_too(tmp_path: Path) -> None:
    path = tmp_path / "families.obo"
    path.write_text(OBO)
    family = ("MIPF0000001", "mir-17")
    assert read_family_members(path) == {"MI0000071": family, "MI0000072": family}
    path.write_text(OBO.replace("name: mir-17\n", "", 1))
    with pytest.raises(InputError, match=r"line 10: MI0000071 is a member, but of no family"):
        read_family_members(path)
    path.write_text(OBO.replace("MI0000072", "MI0000071").replace("mir-17", "mir-1", 1))
    with pytest.raises(
        InputError, match=r"line 16: MI0000071 is in the family 'mir-17', and in 'mir-1'"
    ):
        read_family_members(path)


def test_unreadable_files_of_families_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"miFam\.dat: cannot be read"):
        read_family_members(tmp_path / "miFam.dat")
    (tmp_path / "miFam.dat").write_bytes(b"ID   \xff\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read_family_members(tmp_path / "miFam.dat")


def test_families_of_another_release_are_refused(tmp_path: Path) -> None:
    fasta, families = reference(tmp_path)
    families.write_text(FAMILIES.replace("MI0", "MI9"))
    with pytest.raises(InputError, match=r"miFam\.dat: has none of the accessions"):
        known_hairpins(fasta, families)


def test_a_set_is_described_without_its_sequences(tmp_path: Path) -> None:
    """`ONE` is in both classes, `TWO` twice in one; `ONE`, `TWO` and `THREE` are known."""
    sequences = [ONE, TWO, TWO, ONE, THREE, FIVE]
    records = pd.DataFrame(
        {"id": list("abcdef"), "label": [1, 1, 1, 0, 0, 0], "sequence": sequences}
    )
    structures = pd.DataFrame({"id": list("abcdef"), "mfe": -8.0})
    audit = describe(records, structures, known_hairpins(*reference(tmp_path)))
    assert audit.columns.tolist() == list(SET_FEATURES)
    assert audit["contradictory"].tolist() == [1, 0, 0, 1, 0, 0]
    assert audit["hairpin"].tolist() == ["hsa-a", "hsa-b", "hsa-b", "hsa-a", "hsa-c", ""]
    assert audit["length"].tolist() == [80] * 6
    assert audit["MFE/length"].tolist() == pytest.approx([0.1] * 6)
    assert (describe(records, structures)["hairpin"] == "").all()
