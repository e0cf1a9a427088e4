"""What a Python user may give to `mirpair.predict`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from Bio.Seq import MutableSeq, Seq
from Bio.SeqRecord import SeqRecord
from conftest import ROOT

import mirpair
from mirpair.rna.in_memory import records_of
from mirpair.rna.sequences import read_fasta

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
        (None, "None is no RNA; give one RNA as a string, or several: a list of strings"),
        (b"ACGU", "bytes"),
        (5, "5 (of type int) is no RNA"),
        (3.5, "float"),
        ([1], "item 1 is 1 (of type int)"),
        ([RNA, None], "item 2 is None"),
        ([b"ACGU"], "bytes"),
        ([[RNA]], "list"),
        ({"a": None}, "item 1 ('a') is None"),
        (pd.Series([RNA, np.nan], index=["a", "b"]), "item 2 ('b') is nan"),
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
    with pytest.raises(TypeError, match="item 2 is 7"):
        list(records_of(it for it in (RNA, 7)))


def test_one_string_is_one_row() -> None:
    table = mirpair.predict(f"{DNA}\n", reference="none")
    assert table["id"].tolist() == ["1"]
    assert table["call"].tolist() == [1]


def test_gaps_and_no_bases_have_a_reason() -> None:
    table = mirpair.predict({"gap": "AC-GU", "none": " \n"}, reference="none")
    assert table["reason"].tolist() == ["'-' at position 3", "no sequence"]
