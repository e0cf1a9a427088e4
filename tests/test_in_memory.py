"""What a Python user may give to `mirpair.predict`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from Bio import SeqIO
from Bio.Seq import MutableSeq, Seq
from Bio.SeqRecord import SeqRecord
from conftest import ROOT

import mirpair
from mirpair.rna.in_memory import records_of
from mirpair.rna.sequences import Record, read_fasta
from mirpair.rna.structures import GivenStructure

RNA = "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA"
DNA = RNA.replace("U", "T").lower()


def read(sequences: Any) -> list[tuple[str, str]]:
    records = list(records_of(sequences))
    assert [problem for _, problem in records] == [None] * len(records)
    return [(record.id, record.sequence) for record, _ in records]


def made() -> Iterator[str]:
    yield RNA
    yield DNA


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        (RNA, ["1"]),
        (f"\t{DNA[:40]}\r\n{DNA[40:]} \n", ["1"]),
        ([f"{RNA}*", f"{DNA}*\n"], ["1", "2"]),
        ([RNA, DNA], ["1", "2"]),
        ((RNA,), ["1"]),
        (made(), ["1", "2"]),
        ([f"{RNA}\n", f" {RNA}"], ["1", "2"]),
        ({"let-7": RNA, 7: DNA}, ["let-7", "7"]),
        (pd.Series([RNA, DNA]), ["1", "2"]),
        (pd.Series([RNA, DNA], index=["a", "b"]), ["a", "b"]),
        # Those that remain of a longer table can be found in it again.
        (pd.Series([RNA, DNA, RNA])[lambda s: s == RNA], ["0", "2"]),
        (pd.DataFrame({"id": ["a"], "rna": [RNA]}).set_index("id")["rna"], ["a"]),
        (np.array([RNA, DNA]), ["1", "2"]),
        (np.array([RNA, DNA], dtype=object), ["1", "2"]),
        (np.array(RNA), ["1"]),
        (np.str_(RNA), ["1"]),
        (pd.array([RNA], dtype="string"), ["1"]),
        (Seq(DNA), ["1"]),
        ([Seq(DNA), MutableSeq(RNA)], ["1", "2"]),
        (SeqRecord(Seq(DNA), id="let-7"), ["let-7"]),
        ([SeqRecord(Seq(DNA), id="a"), SeqRecord(Seq(RNA)), RNA], ["a", "2", "3"]),
        ({"key": SeqRecord(Seq(DNA), id="a")}, ["key"]),
        ([], []),
    ],
)
def test_each_kind_of_sequences_has_its_names(given: Any, ids: list[str]) -> None:
    assert read(given) == [(name, RNA) for name in ids]


def test_records_that_were_read_are_taken_as_they_are() -> None:
    path = ROOT / "config" / "demo" / "positives.fa"
    expected = [(it.id, it.sequence) for it in read_fasta(path)]
    assert read(read_fasta(path)) == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "None is not an RNA; give one RNA as a string, or several: a list of strings"),
        (b"ACGU", "bytes"),
        (5, "5 (of type int) is not an RNA"),
        (3.5, "float"),
        ([1], "item 1 is not an RNA: 1 (of type int)"),
        ([RNA, None], "item 2 is not an RNA: None; give one RNA as a string"),
        ([b"ACGU"], "bytes"),
        ([[RNA]], "list"),
        ({"a": None}, "item 1 ('a') is not an RNA: None"),
        (pd.Series([RNA, np.nan], index=["a", "b"]), "item 2 ('b') is not an RNA: nan (of type"),
        (pd.Series([RNA, np.nan]), "item 2 (1) is not an RNA: nan (of type float)"),
        (pd.Series([RNA, np.nan], index=[7, 9]), "item 2 (9) is not an RNA: nan"),
        (pd.DataFrame({"sequence": [RNA]}), "give one, such as table['sequence']"),
        ([("a", RNA)], "make a dict"),
        ({RNA, DNA}, "a set has no order; give a list"),
        (Path("x.fa"), "mirpair.rna.sequences.read_fasta"),
        ([Path("x.fa")], "mirpair.rna.sequences.read_fasta"),
        ("x.fa", "'x.fa' (of type str) looks like the name of a file: read a file with mirpair"),
        ("data/hairpins.FA", "looks like the name of a file"),
        (["hairpins.fasta.gz"], "looks like the name of a file"),
        (io.StringIO(f">a\n{RNA}\n"), "is a file: read a file with"),
        (f">a\n{RNA}\n", "the text of a FASTA file"),
        (np.array([[RNA]]), "ndarray"),
    ],
)
def test_anything_else_is_a_type_error_that_says_what_to_give(given: Any, said: str) -> None:
    with pytest.raises(TypeError) as caught:
        records_of(given)
    assert said in str(caught.value)


def test_an_item_of_a_generator_is_checked_when_it_comes() -> None:
    with pytest.raises(TypeError, match="item 2 is not an RNA: 7"):
        list(records_of(it for it in (RNA, 7)))


def test_one_string_is_one_row() -> None:
    table = mirpair.predict(f"{DNA}\n", reference="none")
    assert table["id"].tolist() == ["1"]
    assert table["call"].tolist() == [1]


def test_odd_characters_and_no_bases_have_a_reason() -> None:
    given = {"N": "ACNGU", "star": "AC*GU", "none": " \n", "end": "*"}
    table = mirpair.predict(given, reference=None)
    reasons = ["'N' at position 3", "'*' at position 3", "no sequence", "no sequence"]
    assert table["reason"].tolist() == reasons
    assert "nearest" not in table


def test_gaps_of_an_alignment_are_removed_with_one_warning() -> None:
    """Biopython reads aligned FASTA and Stockholm with their gaps; the commands remove them."""
    aligned = io.StringIO(f">a\n{RNA[:30]}--{RNA[30:]}\n>b\n..{RNA}*-\n>c\n--..\n")
    with pytest.warns(UserWarning, match=r"gaps \(- and \.\) are removed") as caught:
        table = mirpair.predict(list(SeqIO.parse(aligned, "fasta")), reference=None)
    assert [Path(it.filename).name for it in caught] == ["test_in_memory.py"]
    without = mirpair.predict({"a": RNA, "b": RNA, "c": ""}, reference="none")
    pd.testing.assert_frame_equal(table, without)
    with pytest.warns(UserWarning, match="gaps") as caught:
        records = list(records_of(it for it in (f"-{RNA}", f"{RNA}.")))
    assert [record.sequence for record, _ in records] == [RNA, RNA]
    assert len(caught) == 1


def test_an_invalid_structure_of_a_record_is_the_reason_of_its_row() -> None:
    rna = "GGGGAAAACCCC" + "A" * 28
    table = mirpair.predict(
        [
            Record(name, rna, "mine", 1, structure=GivenStructure(structure + "." * 28, None))
            for name, structure in (
                ("good", "((((....))))"),
                ("short", "(((....)))"),
                ("open", "(((((...))))"),
            )
        ],
        reference=None,
    )
    assert table["structure"].tolist() == ["((((....))))" + "." * 28, "", ""]
    assert table["score"].isna().tolist() == [False, True, True]
    assert table["reason"].tolist() == [
        "",
        "a structure of 38 characters for 40 nt",
        "a structure that pairs A with C at positions 5 and 9",
    ]


def test_the_names_of_the_package_are_those_that_it_offers() -> None:
    names = dir(mirpair)
    assert {"predict", "__version__"} <= set(names)
    assert not {"Any", "import_module"} & set(names)
