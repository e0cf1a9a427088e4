"""FASTA files as users have them, and what they are told when a file is not right."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpair.files import InputError
from mirpair.rna.folding import fold
from mirpair.rna.sequences import Dropped, normalise, read_fasta, read_records


def fasta(tmp_path: Path, text: str | bytes, name: str = "in.fa") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_case_and_thymine_are_normalised_and_the_origin_is_kept(tmp_path: Path) -> None:
    path = fasta(tmp_path, ">one some words\nacgT\nUu\n>two\nGGG\n")
    first, second = read_fasta(path)
    assert (first.id, first.sequence, first.number) == ("one", "ACGUUU", 1)
    assert (second.id, second.sequence, second.number) == ("two", "GGG", 2)
    assert first.file == str(path)


def test_gzip_is_told_by_its_bytes_and_windows_files_are_read(tmp_path: Path) -> None:
    plain = ">a\r\nACGU\r\nACGU\r\n"
    path = fasta(tmp_path, gzip.compress(plain.encode()), "no-suffix")
    assert [record.sequence for record in read_fasta(path)] == ["ACGUACGU"]
    with_mark = fasta(tmp_path, b"\xef\xbb\xbf>a\nACGU\n")
    assert [record.id for record in read_fasta(with_mark)] == ["a"]


def test_a_character_outside_acgu_names_file_record_and_position(tmp_path: Path) -> None:
    path = fasta(tmp_path, ">fine\nACGU\n>bad one\nACGU\nACnU\n")
    with pytest.raises(InputError) as caught:
        list(read_fasta(path))
    message = str(caught.value)
    assert str(path) in message
    assert "record 2 ('bad')" in message
    assert "'n' at position 7" in message


def test_the_longest_rna_that_can_be_folded_is_32000_nt(tmp_path: Path) -> None:
    """ViennaRNA counts in 16 bits, and returns longer ones unfolded."""
    path = fasta(tmp_path, f">a\n{'A' * 32_000}\n>b\n{'AC' * 16_000}G\n>c\nACGU\n")
    (_, no), (_, problem), (last, _) = read_records(path)
    assert no is None
    assert problem is not None
    assert str(problem).endswith(
        "record 2 ('b') has 32,001 nt; up to 32,000 can be folded; leave it out of the file"
    )
    assert last.id == "c"
    with pytest.raises(InputError, match="32,001 nt; up to 32,000"):
        fold("AC" * 16_000 + "G")


def test_a_protein_file_is_suspected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is this a protein"):
        list(read_fasta(fasta(tmp_path, ">p\nACGELV\n")))
    with pytest.raises(InputError) as caught:
        list(read_fasta(fasta(tmp_path, ">p\nACGN\n")))
    assert "is this a protein" not in str(caught.value)


def test_dropped_records_are_listed_and_the_others_stay(tmp_path: Path) -> None:
    dropped: list[Dropped] = []
    path = fasta(tmp_path, ">a\nAC-U\n>b\nACGU\n>c\nNNN\n")
    assert [record.id for record in read_fasta(path, dropped=dropped)] == ["b"]
    assert [(d.record.id, d.position, d.character) for d in dropped] == [
        ("a", 3, "-"),
        ("c", 1, "N"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("ACGU\n", "not a FASTA file: it begins with 'ACGU'"),
        ("<html><title>404</title>", "not a FASTA file"),
        (">a\n>b\nACGU\n", "record 1 ('a') has no sequence"),
        (">\nACGU\n", "record 1 has no id"),
        (">a\nAC\x00GU\n", "position 3"),
        (b">a\nAC\xff\xfeGU\n", "not a readable FASTA file"),
        (gzip.compress(b">a\nACGU\n" * 999, mtime=0)[:40], "not a readable FASTA file"),
    ],
)
def test_what_is_not_a_fasta_file_is_said(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        list(read_fasta(fasta(tmp_path, content)))
    assert message in str(caught.value)
    assert "in.fa" in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.fa: cannot be read"):
        list(read_fasta(tmp_path / "nowhere.fa"))


@given(st.text(alphabet="ACGUTacgut", min_size=1, max_size=200))
def test_normalising_is_idempotent_and_keeps_the_length(sequence: str) -> None:
    once = normalise(sequence)
    assert normalise(once) == once
    assert len(once) == len(sequence)
    assert set(once) <= set("ACGU")
