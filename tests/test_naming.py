"""Families have miRBase's names; those of Rfam are merged into the ones that they are."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import random_rna

from mirpair.contracts import FAMILY_RECORDS
from mirpair.families.naming import (
    merge_families,
    mirgenedb_names,
    name_families,
    read_named,
)
from mirpair.files import InputError

RNG = np.random.default_rng(0)
LET_7, MIR_1, MIR_2, NEW = (random_rna(RNG, 80) for _ in range(4))
ACCESSIONS = {"let-7": "MIPF1", "mir-1": "MIPF2", "mir-2": "MIPF3"}


def variants(sequence: str, number: int) -> list[str]:
    """Copies with another first base or two."""
    return [f"{'ACGU'[n % 4]}{'ACGU'[n // 4]}{sequence}" for n in range(number)]


def table(families: dict[str, list[str]]) -> pd.DataFrame:
    rows = [
        (f"{family}:{number}", 1, sequence, "file", number, family)
        for family, sequences in families.items()
        for number, sequence in enumerate(sequences, 1)
    ]
    return pd.DataFrame(rows, columns=list(FAMILY_RECORDS)).astype(FAMILY_RECORDS)


MIRBASE = table({"let-7": variants(LET_7, 3), "mir-1": [MIR_1], "mir-2": [MIR_2]})


def merged(rfam: dict[str, list[str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return merge_families(table(rfam), MIRBASE, ACCESSIONS)


def test_a_family_of_rfam_gets_the_name_of_the_hairpins_that_its_rnas_are_like() -> None:
    records, families = merged({"RF1": variants(LET_7, 6), "RF2": variants(MIR_1, 2)})
    assert families.to_dict("records") == [
        {"family": "let-7", "accessions": "MIPF1 RF1", "mirgenedb": "", "records": 6},
        {"family": "mir-1", "accessions": "MIPF2 RF2", "mirgenedb": "", "records": 3},
        {"family": "mir-2", "accessions": "MIPF3", "mirgenedb": "", "records": 1},
    ]
    assert records["sequence"].is_unique, "three of RF1 are in miRBase already"
    assert records["family"].value_counts().to_dict() == {"let-7": 6, "mir-1": 3, "mir-2": 1}


def test_a_family_that_is_not_in_the_list_has_no_accession() -> None:
    _, families = merge_families(table({"RF1": variants(MIR_2, 2)}), MIRBASE, {"let-7": "MIPF1"})
    assert families["accessions"].tolist() == ["MIPF1", "", "RF1"]


def test_a_family_that_mirbase_does_not_know_has_its_accession_as_name() -> None:
    _, families = merged({"RF9": variants(NEW, 15) + variants(LET_7, 4)[3:]})
    assert families["family"].tolist() == ["RF9", "let-7", "mir-1", "mir-2"]
    assert families["accessions"].tolist()[0] == "RF9"


def test_only_rnas_with_a_similar_hairpin_decide_which_family_it_is() -> None:
    """Of 15 RNAs, three are like let-7 and one like mir-2."""
    few = variants(NEW, 11) + variants(LET_7, 6)[3:] + variants(MIR_2, 1)
    _, families = merged({"RF9": few})
    assert families["accessions"].tolist() == ["MIPF1 RF9", "MIPF2", "MIPF3"]


def test_a_family_of_rfam_that_is_several_of_mirbase_is_left_out() -> None:
    both = variants(LET_7, 8)[4:] + variants(MIR_2, 8)[4:]
    records, families = merged({"RF5": both})
    assert families["family"].tolist() == ["let-7", "mir-1", "mir-2"]
    assert len(records) == len(MIRBASE)


def test_families_without_names_are_called_as_their_files() -> None:
    records, families = name_families(MIRBASE, [], max_length=200)
    assert records is MIRBASE
    assert families["family"].tolist() == families["accessions"].tolist()
    assert families["records"].tolist() == [3, 1, 1]


def test_families_have_the_names_of_mirgenedb_by_their_mature_micrornas(tmp_path: Path) -> None:
    """Both arms of let-7 are MIR-10's or LET-7's; one of 12 hairpins of mir-1 is another's."""
    path = tmp_path / "mature.fa"
    names = {"Hsa-Let-7-P1a_5p": LET_7[5:27], "Aae-Bantam_3p": MIR_2[50:72]}
    names |= {"Dre-Mir-1-P2-v1_3p*": MIR_1[40:61], "Hsa-Mir-99-as_5p": "G" * 22}
    path.write_text("".join(f">{name}\n{rna.replace('U', 'T')}\n" for name, rna in names.items()))
    mixed = [*variants(MIR_1, 12), "A" + "G" * 22]
    records = table({"let-7": variants(LET_7, 2), "mir-1": mixed, "mir-2": [MIR_2], "RF9": [NEW]})
    assert mirgenedb_names(records, path) == {"let-7": "LET-7", "mir-1": "MIR-1", "mir-2": "BANTAM"}
    of_few = table({"mir-1": mixed[3:]})
    assert mirgenedb_names(of_few, path) == {"mir-1": "MIR-1 MIR-99"}
    path.write_text(">hsa-let-7a-5p\nUGAGGUAGUAGGUUGUAUAGUU\n")
    with pytest.raises(InputError, match="no mature microRNA has a name such as"):
        mirgenedb_names(records, path)


def test_families_are_named_from_all_files_of_a_study(tmp_path: Path) -> None:
    hairpins, members, mature = (tmp_path / it for it in ("hairpins.fa", "miFam.dat", "mature.fa"))
    hairpins.write_text(f">hsa-let-7a-1 MI0000060 x\n{LET_7}\n>hsa-mir-9 MI1 x\n{NEW}\n")
    members.write_text("AC   MIPF0000002\nID   let-7\nMI   MI0000060  hsa-let-7a-1\n//\n")
    mature.write_text(f">Hsa-Let-7-P1a_5p\n{LET_7[5:27]}\n")
    rfam = table({"RF1": variants(LET_7, 2)})
    records, families = name_families(rfam, [hairpins, members, mature], max_length=200)
    assert families.to_dict("list") == {
        "family": ["let-7", "mir-9"],
        "accessions": ["MIPF0000002 RF1", ""],
        "mirgenedb": ["LET-7", ""],
        "records": [3, 1],
    }
    _, families = name_families(rfam, [hairpins, members], max_length=200)
    assert families["mirgenedb"].tolist() == ["", ""]
    assert len(records) == 4


FASTA = """\
>hsa-let-7a-1 MI0000060 Homo sapiens let-7a-1 stem-loop
UGGGAUGAGGUAGUAGG
>hsa-mir-585 MI0003592 Homo sapiens miR-585 stem-loop
UGGGGUGUCUGUGCUAU
>hsa-let-7b MI0000063 Homo sapiens let-7b stem-loop
CGGGGUGAGGUAGUAGNUU
>hsa-let-7c MI0000064 Homo sapiens let-7c stem-loop
UGGGAUGAGGUAGUAGG
>hsa-let-7d MI0000065 Homo sapiens let-7d stem-loop
CCUAGGAAGAGGUAGUAGGUUGCAUAGUU
>sme-let-9a MI0005120 Schmidtea mediterranea let-9a stem-loop
UGGGAUGAGGUAGUAGAA
>osa-MIR168b MI0001116 Oryza sativa MIR168b stem-loop
GAGAGACCCUCUCUCU
>dme-bantam MI0000387 Drosophila melanogaster bantam stem-loop
AUUUGACUACGAAACC
>cli-mir-98 MI0031165 Columba livia mir-98 stem-loop
GGCCCGAUUUUACGCC
>hsa-mir-98 MI0000100 Homo sapiens mir-98 stem-loop
AGGAUUCUGCUCAUGC
"""
MEMBERS = """\
AC   MIPF0000002
ID   let-7
MI   MI0000060  hsa-let-7a-1
MI   MI0000063  hsa-let-7b
MI   MI0000064  hsa-let-7c
MI   MI0000065  hsa-let-7d
MI   MI0000100  hsa-mir-98
//
"""


def test_hairpins_of_mirbase_have_the_names_of_their_families(tmp_path: Path) -> None:
    """Ambiguous, a copy, and too long: three are left out."""
    hairpins, members = tmp_path / "hairpins.fa", tmp_path / "miFam.dat"
    hairpins.write_text(FASTA)
    members.write_text(MEMBERS)
    records, accessions = read_named(hairpins, members, max_length=20)
    assert records["id"].tolist() == [
        "let-7:hsa-let-7a-1",
        "mir-585:hsa-mir-585",
        "let-7:sme-let-9a",
        "MIR168:osa-MIR168b",
        "bantam:dme-bantam",
        "let-7:cli-mir-98",
        "let-7:hsa-mir-98",
    ], "the most similar hairpin says the family, or others with this number, or the name"
    assert records["family"].tolist() == [name.split(":")[0] for name in records["id"]]
    assert accessions == {"let-7": "MIPF0000002"}
    members.write_text(re.sub(r"MI00", "MI01", MEMBERS))
    with pytest.raises(InputError, match=r"none of the accessions in .*same release"):
        read_named(hairpins, members, max_length=20)
