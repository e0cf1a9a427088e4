"""FASTA files as users have them, and what they are told when a file is not right."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mirpair.files import InputError
from mirpair.rna import sequences, text_files
from mirpair.rna.folding import fold
from mirpair.rna.formats import name_binary, name_text
from mirpair.rna.sequences import Dropped, kind_of, normalise, read_fasta, read_records
from mirpair.rna.structures import GivenStructure, fault_of, parse_line


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
    for protein in ("ACGELV", "MKTAYIAKQ", "MKVSWHDYV*"[:9] + "P", "mktayiak"):
        with pytest.raises(InputError, match="is this a protein"):
            list(read_fasta(fasta(tmp_path, f">p\n{protein}\n")))
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
        (
            "ACGU\n",
            "not a FASTA file: it begins with 'ACGU', so this is a sequence without a header",
        ),
        ("@r1\nACGU\n+\nIIII\n", "so this is FASTQ; convert it to FASTA, for example with: seqtk"),
        ("LOCUS       NC_1  1 bp\n", "so this is GenBank"),
        ("id,sequence\nACGU,1\n", "not a FASTA file: it begins with 'id,sequence'"),
        ("chr1\t100\t180\n", "so this is BED"),
        (b"PK\x03\x04\x14\x00", "not a FASTA file: this is a zip file"),
        (gzip.compress(b"BAM\x01\x00\x00", mtime=0), "this is BAM; convert it"),
        (">a\nACGU\n".encode("utf-16"), "this is UTF-16 text; save it as UTF-8"),
        ("# STOCKHOLM 1.0\na  AC\nb\n//\n", "not a readable Stockholm file"),
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


def test_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder; give a file in it, or several: .*/\*\.fa"):
        list(read_fasta(tmp_path))


# As RNAfold 2.7.0 -p writes it; the second record has no structure.
FOLDED = """\
>a some words
GGGGAAAACCCC
((((....)))) ( -5.40)
((((....)))) [ -5.60]
{{((,..,)))} { -5.40 d=1.13}
 frequency of mfe structure in ensemble 0.72; ensemble diversity 1.9
>b
GGGG
AAAACCCC
>c
GGGGAAAACCCC
.(((....))).
"""


def test_a_file_with_structures_is_read_with_or_without_them(tmp_path: Path) -> None:
    path = fasta(tmp_path, FOLDED)
    notes: list[str] = []
    read = list(read_records(path, note=notes.append))
    assert [(it.id, it.sequence, it.structure) for it, _ in read] == [
        (name, "GGGGAAAACCCC", None) for name in "abc"
    ]
    assert [problem for _, problem in read] == [None] * 3
    assert notes == [f"{path}: structures in the file are not used, RNAs are folded anew"]
    notes.clear()
    read = list(read_records(path, note=notes.append, keep_structures=True))
    assert [it.structure for it, _ in read] == [
        GivenStructure("((((....))))", -5.4),
        None,
        GivenStructure(".(((....))).", None),
    ]
    assert [problem and problem.reason for _, problem in read] == [
        None,
        "no structure to keep",
        None,
    ]
    assert notes == []


@given(
    st.text(alphabet="ACGU", min_size=1, max_size=60),
    st.one_of(st.none(), st.floats(-99, 0).map(lambda energy: round(energy, 2))),
    st.sampled_from([" ({:6.2f})", " ({:.2f})", "\t{:.2f}", " {:.2f}"]),
)
def test_any_structure_comes_back_from_a_line(rna: str, energy: float | None, form: str) -> None:
    structure = fold(rna).dot_bracket
    line = structure + (form.format(energy) if energy is not None else "") + "\n"
    assert parse_line(line) == GivenStructure(structure, energy)
    assert fault_of(structure, rna) == ""


@pytest.mark.parametrize(
    ("structure", "fault"),
    [
        ("((((....)))", "a structure of 11 characters for 12 nt"),
        ("((((.....)))", "a structure with '(' at position 1, which is never closed"),
        ("(((.....))))", "a structure with ')' at position 12, which closes nothing"),
        ("[[[[....]]]]", "a structure with '[' at position 1; only . ( and ) are understood"),
        ("(..(....)..)", ""),
        ("((.).......)", "a structure that pairs G with G at positions 2 and 4"),
        ("(((......)))", ""),
        ("...(....)...", ""),
        ("......(.)...", "a structure that pairs A with C at positions 7 and 9"),
    ],
)
def test_a_structure_that_cannot_be_is_said(structure: str, fault: str) -> None:
    assert fault_of(structure, "GGGGAAAACCCC") == fault
    assert fault_of("(..)", "GAAC") == (
        "a structure with a loop of fewer than 3 bases at positions 1 and 4"
    )


def test_lines_of_sequences_are_no_structures() -> None:
    for line in ("ACGU", "..ACGU..", "--ACGU", "", "\n", ">x"):
        assert parse_line(line) is None, line


def test_alignments_are_read_without_their_gaps_and_it_is_said_once(tmp_path: Path) -> None:
    aligned = fasta(tmp_path, ">a\n..AC--GU\n....\n>b\nA-C\nGU--\n")
    stockholm = fasta(
        tmp_path,
        "# STOCKHOLM 1.0\n#=GF ID x\n\na/4-1  AC--GU..\nb  ACGU----\n#=GS b DE more words\n"
        "#=GC SS_cons  ((..))..\n//\n",
        "in.sto",
    )
    for path, names in ((aligned, ["a", "b"]), (stockholm, ["a/4-1", "b"])):
        notes: list[str] = []
        read = [record for record, _ in read_records(path, note=notes.append, gaps="remove")]
        assert [(it.id, it.sequence) for it in read] == [(name, "ACGU") for name in names]
        assert notes == [f"{path}: gaps (- and .) are removed from the sequences"]
    assert read[1].description == "more words"
    # Unless that is asked for, they are letters like others, also where notes are wanted.
    (_, problem), _ = read_records(fasta(tmp_path, ">a\nAC-GU\n....\n>b\nGU\n"), note=notes.append)
    assert problem is not None
    assert problem.reason == "'-' at position 3"


def test_what_does_not_matter_in_a_file_does_not_matter(tmp_path: Path) -> None:
    """Line ends of Windows, a byte-order mark, blank lines, lower case, a final asterisk."""
    text = b"\xef\xbb\xbf\r\n>a one\ttwo\r\n\r\nac gu\r\n\r\nACGT*\r\n\r\n>b\r\nACGU\r\n*\r\n"
    read = [record for record, _ in read_records(fasta(tmp_path, text))]
    assert [(it.id, it.description, it.sequence) for it in read] == [
        ("a", "one\ttwo", "ACGUACGU"),
        ("b", "", "ACGU"),
    ]


LINES = st.lists(
    st.text(alphabet="ACGUNacgt", max_size=30)
    | st.sampled_from(["AC GU", "ACGU*", "", "ACGU\r", "AC-GU"])
)


@given(
    records=st.lists(st.tuples(st.text(alphabet="abc 1(.", max_size=30), LINES), min_size=1),
    ending=st.sampled_from(["", "\n"]),
    size=st.integers(1, 100),
    longest=st.integers(1, 100),
)
@example(records=[("aaaaa", ["C", "C"])], ending="\n", size=5, longest=5)
def test_records_do_not_depend_on_how_much_is_read_at_once(
    records: list[tuple[str, list[str]]], ending: str, size: int, longest: int
) -> None:
    text = "\n".join("\n".join([f">{header}", *lines]) for header, lines in records) + ending
    expected = []
    for header, lines in records:
        letters = "".join("".join(lines).split())
        expected.append((header.strip(), letters[: len(letters) - letters.endswith("*")]))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "_AT_ONCE", size)
        patch.setattr(text_files, "_LONGEST_PART", longest)
        path = fasta(Path(folder), text)
        read = [(header, "".join(parts)) for header, parts in sequences.read_parts(path)]
    if all(len(f">{header}") < longest for header, _ in records):
        assert read == expected
    else:  # long headers are cut
        assert [bases for _, bases in read] == [bases for _, bases in expected]


def test_a_damaged_file_says_which_record_to_look_at(tmp_path: Path) -> None:
    records = [f">r{number}\n{'ACGU' * 20}\n".encode() for number in range(1, 1001)]
    path = fasta(tmp_path, b"".join([*records[:900], b">\xff\n", *records[900:]]))
    with pytest.raises(InputError, match=r"not UTF-8 text, in record \d+ or after it") as error:
        list(read_records(path))
    (number,) = re.findall(r"record (\d+)", str(error.value))
    assert 780 < int(number) <= 900


def test_an_asterisk_within_a_sequence_is_an_odd_character(tmp_path: Path) -> None:
    ((_, problem),) = read_records(fasta(tmp_path, ">a\nAC*\nGU\n"))
    assert problem is not None
    assert problem.reason == "'*' at position 3"


def test_formats_are_named_by_their_beginnings() -> None:
    assert name_text("@HD\tVN:1.6").startswith("SAM")
    assert name_text("@HWI:1:2").startswith("FASTQ")
    assert name_text("ID   X56734; SV 1; linear").startswith("EMBL")
    assert name_text("<!DOCTYPE html>").startswith("a web page")
    assert name_text("some words") == name_text("no fasta") == ""
    assert name_binary(b"\x43\x27\x41\x1a\x00").startswith("2bit")
    assert name_binary(b">a\nACGU") == name_binary(b"") == ""


def test_reasons_of_a_kind_are_counted_together() -> None:
    reasons = ["'N' at position 5", '"\'" at position 2', "too long: 1,204 > 398", "no id"]
    assert [kind_of(it) for it in reasons] == [
        "odd character",
        "odd character",
        "too long",
        "no id",
    ]
    assert kind_of("40,001 nt; up to 32,000 can be folded") == "too long to fold"
    assert kind_of(fault_of("(", "ACGU")) == kind_of(fault_of("))))", "ACGU"))


@given(st.text(alphabet="ACGUTacgut", min_size=1, max_size=200))
def test_normalising_is_idempotent_and_keeps_the_length(sequence: str) -> None:
    once = normalise(sequence)
    assert normalise(once) == once
    assert len(once) == len(sequence)
    assert set(once) <= set("ACGU")
