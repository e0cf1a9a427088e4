"""Tables of labelled records: reading, cleaning, and reasons for leaving records out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mirpair.contracts import read_records
from mirpair.files import InputError, write_tsv
from mirpair.identification.datasets import (
    build_records,
    check_lengths,
    clean_records,
    count_reasons,
)


def fasta(path: Path, *records: tuple[str, str]) -> Path:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records))
    return path


def test_positives_have_label_1_and_every_record_names_its_file(tmp_path: Path) -> None:
    positives = fasta(tmp_path / "p.fa", ("a", "acgt"), ("b", "GG"))
    negatives = fasta(tmp_path / "n.fa", ("c", "CC"))
    records, dropped = build_records([positives], [negatives])
    assert records.to_dict("list") == {
        "id": ["a", "b", "c"],
        "label": [1, 1, 0],
        "sequence": ["ACGU", "GG", "CC"],
        "file": [str(positives)] * 2 + [str(negatives)],
        "number": [1, 2, 1],
    }
    assert dropped.empty


def test_records_are_unchanged_after_writing_and_reading(tmp_path: Path) -> None:
    positives = fasta(tmp_path / "p.fa", ("007", "ACGU"), ("NA", "GG"), ("1e5", "GG"))
    records, _ = build_records([positives], [fasta(tmp_path / "n.fa", ("null", "CC"))])
    write_tsv(records, tmp_path / "records.tsv")
    again = read_records(tmp_path / "records.tsv")
    assert again["id"].tolist() == ["007", "NA", "1e5", "null"]
    assert again.equals(records)


def test_a_repeated_id_is_refused_naming_both_records(tmp_path: Path) -> None:
    positives = fasta(tmp_path / "p.fa", ("a", "ACGU"))
    negatives = fasta(tmp_path / "n.fa", ("b", "CC"), ("a", "CC"))
    with pytest.raises(InputError) as caught:
        build_records([positives], [negatives])
    for part in ("n.fa: record 2", "'a'", "record 1 of", "p.fa"):
        assert part in str(caught.value)


def test_a_file_listed_twice_is_refused(tmp_path: Path) -> None:
    one = fasta(tmp_path / "p.fa", ("a", "ACGU"))
    for positives, negatives in (([one, one], [one]), ([one], [one])):
        with pytest.raises(InputError, match=r"p\.fa: listed twice"):
            build_records(positives, negatives)


def test_ambiguous_records_are_refused_or_dropped_and_listed(tmp_path: Path) -> None:
    positives = fasta(tmp_path / "p.fa", ("a", "ACNU"), ("b", "GG"))
    negatives = fasta(tmp_path / "n.fa", ("c", "CC"))
    with pytest.raises(InputError, match="'N' at position 3"):
        build_records([positives], [negatives])
    records, dropped = build_records([positives], [negatives], on_ambiguous="drop")
    assert records["id"].tolist() == ["b", "c"]
    assert dropped.to_dict("records") == [
        {"id": "a", "file": str(positives), "number": 1, "reason": "'N' at position 3"}
    ]


def test_a_class_without_records_after_dropping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no records are left for the positive class"):
        build_records(
            [fasta(tmp_path / "p.fa", ("a", "NNN"))],
            [fasta(tmp_path / "n.fa", ("c", "CC"))],
            on_ambiguous="drop",
        )


def test_a_missing_column_is_refused_naming_the_needed_columns(tmp_path: Path) -> None:
    (tmp_path / "records.tsv").write_text("id\tlabel\na\t1\n")
    with pytest.raises(InputError, match="needs the columns id, label, sequence"):
        read_records(tmp_path / "records.tsv")


def test_cleaning_leaves_out_copies_and_wrong_labels_with_their_reason(tmp_path: Path) -> None:
    """Copies, sequences of both classes and negative known hairpins go; positive ones stay."""
    one = fasta(tmp_path / "one.fa", ("a", "AAAA"), ("b", "CCCC"), ("c", "aaaa"), ("d", "GGGG"))
    two = fasta(tmp_path / "two.fa", ("a", "CCCC"), ("e", "UUUU"))
    no = fasta(tmp_path / "no.fa", ("f", "GGGG"), ("g", "ACAC"), ("h", "UGUG"), ("i", "UGTG"))
    records, left_out = clean_records([one, two], [no], known={"ACAC", "AAAA"})
    assert records.to_dict("list") == {
        "id": ["one:a", "one:b", "two:e", "no:h"],
        "label": [1, 1, 1, 0],
        "sequence": ["AAAA", "CCCC", "UUUU", "UGUG"],
        "file": [str(one), str(one), str(two), str(no)],
        "number": [1, 2, 2, 3],
    }
    assert left_out.to_dict("split", index=False)["data"] == [
        ["one:c", str(one), 3, "copy"],
        ["one:d", str(one), 4, "in both classes"],
        ["two:a", str(two), 1, "copy"],
        ["no:f", str(no), 1, "in both classes"],
        ["no:g", str(no), 2, "known hairpin"],
        ["no:i", str(no), 4, "copy"],
    ]
    assert list(left_out.columns) == ["id", "file", "number", "reason"]
    assert count_reasons(left_out) == {"copy": 3, "in both classes": 2, "known hairpin": 1}
    write_tsv(records, tmp_path / "records.tsv")
    assert read_records(tmp_path / "records.tsv").equals(records)


def test_copies_of_left_out_records_have_the_same_reason(tmp_path: Path) -> None:
    one = fasta(tmp_path / "one.fa", ("a", "AAAA"), ("b", "GGGG"), ("c", "GGGG"))
    no = fasta(tmp_path / "no.fa", *((name, rna) for name in "xy" for rna in ("CCCC", "GGGG")))
    no.write_text(no.read_text().replace(">y\nGGGG", ">z\nGGGG").replace(">x\nG", ">w\nG"))
    more = fasta(tmp_path / "more.fa", ("n", "UUUU"))
    records, left_out = clean_records([one], [no, more], known=["CCCC", "GGGG"])
    assert records["id"].tolist() == ["one:a", "more:n"]
    assert dict(zip(left_out["id"], left_out["reason"], strict=True)) == {
        **dict.fromkeys(["one:b", "one:c", "no:w", "no:z"], "in both classes"),
        **dict.fromkeys(["no:x", "no:y"], "known hairpin"),
    }


def test_a_cleaned_set_lists_ambiguous_records_too_if_they_are_dropped(tmp_path: Path) -> None:
    one = fasta(tmp_path / "one.fa", ("a", "AAAA"), ("b", "ANNA"), ("c", "AAAA"))
    no = fasta(tmp_path / "no.fa", ("d", "CCCC"))
    with pytest.raises(InputError, match="'N' at position 2"):
        clean_records([one], [no])
    records, left_out = clean_records([one], [no], on_ambiguous="drop")
    assert records["id"].tolist() == ["one:a", "no:d"]
    assert left_out["reason"].tolist() == ["'N' at position 2", "copy"]
    assert count_reasons(left_out) == {"with a letter outside ACGU": 1, "copy": 1}
    quoted = left_out.assign(reason=[f"{letter!r} at position 2" for letter in "N'"])
    assert count_reasons(quoted) == {"with a letter outside ACGU": 2}
    assert left_out.index.tolist() == [0, 1]


def test_a_class_without_records_after_cleaning_is_refused(tmp_path: Path) -> None:
    one, no = fasta(tmp_path / "one.fa", ("a", "AAAA")), fasta(tmp_path / "no.fa", ("b", "CCCC"))
    with pytest.raises(InputError, match="for the negative class after cleaning"):
        clean_records([one], [no], known=["CCCC"])
    more = fasta(tmp_path / "more.fa", ("c", "AAAA"), ("d", "GGGG"))
    with pytest.raises(InputError, match="for the positive class after cleaning"):
        clean_records([one], [more])


def test_cleaning_refuses_a_repeated_id_unless_it_is_a_copy(
    tmp_path: Path,
) -> None:
    no = fasta(tmp_path / "no.fa", ("b", "CCCC"))
    copy = fasta(tmp_path / "copy.fa", ("a", "AAAA"), ("a", "AAAA"))
    assert clean_records([copy], [no])[0]["id"].tolist() == ["copy:a", "no:b"]
    twice = fasta(tmp_path / "twice.fa", ("a", "AAAA"), ("a", "GGGG"))
    again = r"twice.fa: record 2 has the id 'a', but so has record 1 of .*: rename one of them in"
    with pytest.raises(InputError, match=again):
        clean_records([twice], [no])
    (tmp_path / "other").mkdir()
    other = fasta(tmp_path / "other" / "no.fa", ("b", "UUUU"))
    with pytest.raises(
        InputError, match=r"other/no.fa: record 1 .*give one of the files another n"
    ):
        clean_records([copy], [no, other])


@pytest.mark.parametrize("sequence", ["CC", "ACGU"])
def test_advice_for_a_repeated_id_helps_if_it_is_taken(tmp_path: Path, sequence: str) -> None:
    """`cleaned: true` is advised only between two files, and only there it helps."""
    positives = fasta(tmp_path / "p.fa", ("a", "ACGU"))
    one = fasta(tmp_path / "one.fa", ("b", "CC"), ("b", sequence))
    with pytest.raises(InputError) as caught:
        build_records([positives], [one])
    assert "cleaned" not in str(caught.value)
    advice = "Remove one of them, which is a copy." if sequence == "CC" else "Rename one of them in"
    assert advice in str(caught.value)
    two = fasta(tmp_path / "two.fa", ("a", "GG"))
    with pytest.raises(InputError, match="or set `cleaned: true`, which allows files to share"):
        build_records([positives], [two])
    assert clean_records([positives], [two])[0]["id"].tolist() == ["p:a", "two:a"]
    (tmp_path / "more").mkdir()
    alike = fasta(tmp_path / "more" / "p.fa", ("a", "GG"))
    with pytest.raises(InputError, match="give one of the files another name and set `cleaned"):
        build_records([positives], [alike])


def test_longer_rnas_than_longest_are_left_out_and_listed(tmp_path: Path) -> None:
    positives = fasta(tmp_path / "p.fa", ("a", "ACGU"), ("long", "ACGUA"))
    negatives = fasta(tmp_path / "n.fa", ("c", "CC"), ("longer", "C" * 9))
    for build, prefixes in ((build_records, ("", "")), (clean_records, ("p:", "n:"))):
        records, left_out = build([positives], [negatives], longest=4)
        assert records["id"].tolist() == [f"{prefixes[0]}a", f"{prefixes[1]}c"]
        assert left_out.to_dict("split", index=False)["data"] == [
            [f"{prefixes[0]}long", str(positives), 2, "longer than 4 nt"],
            [f"{prefixes[1]}longer", str(negatives), 2, "longer than 4 nt"],
        ]
        assert count_reasons(left_out) == {"longer than 4 nt": 2}
    with pytest.raises(InputError, match="no records are left for the negative class: each has a"):
        build_records([positives], [fasta(tmp_path / "m.fa", ("c", "CCCCC"))], longest=4)


def test_rnas_too_long_for_a_network_are_counted_and_the_longest_is_named() -> None:
    table = pd.DataFrame({"id": list("abc"), "sequence": ["A" * 400, "A" * 401, "A" * 1500]})
    check_lengths({"mine": table}, {"variable": None})
    check_lengths({"mine": table[:1]}, {"fixed": 400})
    with pytest.raises(InputError) as caught:
        check_lengths({"other": table[:1], "mine": table}, {"variable": None, "fixed": 400})
    assert str(caught.value) == (
        "2 RNAs are longer than 400 nt, the most that the network 'fixed' takes; the longest is "
        "'c' of the set 'mine' with 1,500 nt. Leave them out (`longest: 400` in `datasets.mine`), "
        "or leave 'fixed' out of `runs`."
    )
    with pytest.raises(InputError, match="1 RNA is longer than 400 nt"):
        check_lengths({"mine": table[:2]}, {"fixed": 400})
