"""Who is in a set, and who trains and who evaluates."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mirpair.contracts import read_experiment, read_records
from mirpair.datasets import (
    assign_roles,
    build_records,
    dropped_table,
)
from mirpair.files import InputError, write_tsv


def fasta(path: Path, *records: tuple[str, str]) -> Path:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records))
    return path


def test_positives_have_label_1_and_every_record_knows_its_file(tmp_path: Path) -> None:
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
    assert dropped == []


def test_records_come_back_from_tsv_as_they_were(tmp_path: Path) -> None:
    positives = fasta(tmp_path / "p.fa", ("007", "ACGU"), ("NA", "GG"), ("1e5", "GG"))
    records, _ = build_records([positives], [fasta(tmp_path / "n.fa", ("null", "CC"))])
    write_tsv(records, tmp_path / "records.tsv")
    again = read_records(tmp_path / "records.tsv")
    assert again["id"].tolist() == ["007", "NA", "1e5", "null"]
    assert again.equals(records)


def test_an_id_that_stands_twice_is_an_error_that_names_both_places(tmp_path: Path) -> None:
    positives = fasta(tmp_path / "p.fa", ("a", "ACGU"))
    negatives = fasta(tmp_path / "n.fa", ("b", "CC"), ("a", "CC"))
    with pytest.raises(InputError) as caught:
        build_records([positives], [negatives])
    for part in ("n.fa: record 2", "'a'", "record 1 of", "p.fa"):
        assert part in str(caught.value)


def test_a_file_that_stands_twice_is_said_as_such(tmp_path: Path) -> None:
    one = fasta(tmp_path / "p.fa", ("a", "ACGU"))
    for positives, negatives in (([one, one], [one]), ([one], [one])):
        with pytest.raises(InputError, match=r"p\.fa: this file stands twice"):
            build_records(positives, negatives)


def test_ambiguous_records_are_an_error_or_dropped_and_listed(tmp_path: Path) -> None:
    positives = fasta(tmp_path / "p.fa", ("a", "ACNU"), ("b", "GG"))
    negatives = fasta(tmp_path / "n.fa", ("c", "CC"))
    with pytest.raises(InputError, match="'N' at position 3"):
        build_records([positives], [negatives])
    records, dropped = build_records([positives], [negatives], on_ambiguous="drop")
    assert records["id"].tolist() == ["b", "c"]
    assert dropped_table(dropped).to_dict("records") == [
        {"id": "a", "file": str(positives), "number": 1, "reason": "'N' at position 3"}
    ]


def test_a_class_that_is_empty_after_dropping_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no records are left for the positive class"):
        build_records(
            [fasta(tmp_path / "p.fa", ("a", "NNN"))],
            [fasta(tmp_path / "n.fa", ("c", "CC"))],
            on_ambiguous="drop",
        )


def some_records(positives: int = 15, negatives: int = 60) -> pd.DataFrame:
    n = positives + negatives
    return pd.DataFrame(
        {
            "id": [str(i) for i in range(n)],
            "label": [1] * positives + [0] * negatives,
            "sequence": ["ACGU" * (1 + i) for i in range(n)],
        }
    )


def test_k_folds_are_stratified_disjoint_and_the_same_for_the_same_seed() -> None:
    records = some_records()
    split = {"split": "k-fold", "dataset": "s", "folds": 5, "seed": 3}
    tables = [assign_roles(split, {"s": records}, fold=fold) for fold in range(1, 6)]
    label = dict(zip(records["id"], records["label"], strict=True))
    evaluated: list[str] = []
    for table in tables:
        assert sorted(table["id"]) == sorted(records["id"])
        ids = table.loc[table["role"] == "evaluate", "id"].tolist()
        assert sum(label[name] for name in ids) == 3
        assert len(ids) == 15
        evaluated += ids
    assert sorted(evaluated) == sorted(records["id"])
    assert tables[1].equals(assign_roles(split, {"s": records}, fold=2))
    assert not tables[1].equals(assign_roles({**split, "seed": 4}, {"s": records}, fold=2))


def test_more_folds_than_records_of_a_class_is_an_error() -> None:
    split = {"split": "k-fold", "dataset": "s", "folds": 5, "seed": 0}
    with pytest.raises(InputError, match="the smaller has 4"):
        assign_roles(split, {"s": some_records(positives=4)}, fold=1)


PUBLISHED = {"split": "published", "dataset": "s"}


def published(tmp_path: Path, train: list[str], evaluate: list[str], **other: str) -> pd.DataFrame:
    records = some_records(2, 3)
    sequences = dict(zip(records["id"], records["sequence"], strict=True)) | other
    files = {
        role: [fasta(tmp_path / f"{role}.fa", *((name, sequences[name]) for name in names))]
        for role, names in (("train", train), ("evaluate", evaluate))
    }
    return assign_roles(PUBLISHED, {"s": records}, **files)


def test_a_published_split_is_taken_by_id_and_others_have_no_part(tmp_path: Path) -> None:
    table = published(tmp_path, ["0", "2"], ["1", "4"])
    assert table.to_dict("list") == {
        "id": ["0", "1", "2", "4"],
        "set": ["s"] * 4,
        "role": ["train", "evaluate", "train", "evaluate"],
    }


@pytest.mark.parametrize(
    ("train", "evaluate", "other", "message"),
    [
        (["0", "2"], ["1", "9"], {"9": "ACGU"}, "'9'.*not in the set"),
        (["0", "2"], ["1", "4"], {"4": "ACGU"}, "'4'.*another sequence"),
        (["0", "2"], ["0", "4"], {}, "'0'.*training and the evaluation"),
        (["0", "2"], ["4"], {}, "evaluate part has no positive records"),
        (["0", "1"], ["4", "1"], {}, "'1'"),
        (["2", "3"], ["0", "4"], {}, "train part has no positive records"),
        (["0", "1"], ["0", "4"], {}, "'0'"),
    ],
)
def test_a_published_split_that_does_not_fit_its_set_is_refused(
    tmp_path: Path, train: list[str], evaluate: list[str], other: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        published(tmp_path, train, evaluate, **other)


def test_a_record_that_the_set_dropped_may_stand_in_a_published_split(tmp_path: Path) -> None:
    files = {
        "train": [fasta(tmp_path / "t.fa", ("0", "ACGU"), ("2", "ACGU" * 3), ("odd", "ACNU"))],
        "evaluate": [fasta(tmp_path / "e.fa", ("1", "ACGU" * 2), ("4", "ACGU" * 5))],
    }
    records = {"s": some_records(2, 3)}
    with pytest.raises(InputError, match="'N' at position 3"):
        assign_roles(PUBLISHED, records, **files)
    assert len(assign_roles(PUBLISHED, records, **files, on_ambiguous="drop")) == 4


def test_across_datasets_trains_on_one_and_evaluates_on_the_other(tmp_path: Path) -> None:
    split = {"split": "across-datasets", "train": "s", "evaluate": "t"}
    table = assign_roles(split, {"s": some_records(2, 3), "t": some_records(1, 1)})
    assert table.groupby(["set", "role"]).size().to_dict() == {
        ("s", "train"): 5,
        ("t", "evaluate"): 2,
    }
    write_tsv(table, tmp_path / "e.tsv")
    assert read_experiment(tmp_path / "e.tsv").equals(table)


def test_a_table_with_a_missing_column_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "records.tsv").write_text("id\tlabel\na\t1\n")
    with pytest.raises(InputError, match="needs the columns id, label, sequence"):
        read_records(tmp_path / "records.tsv")
