"""Who is in a set, and who trains and who evaluates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import random_rna

from mirpair.contracts import read_experiment, read_records
from mirpair.datasets import (
    assign_roles,
    build_records,
    clean_records,
    cluster_folds,
    dropped_table,
)
from mirpair.files import InputError, write_tsv
from mirpair.similarity import nearest


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


def test_a_cleaned_set_leaves_out_what_is_wrong_and_says_why(tmp_path: Path) -> None:
    """Twice in a class, in both, a known hairpin as a negative; a positive one is what it says."""
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
    write_tsv(records, tmp_path / "records.tsv")
    assert read_records(tmp_path / "records.tsv").equals(records)


def test_copies_of_what_is_left_out_are_left_out_for_the_same_reason(tmp_path: Path) -> None:
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
    assert left_out.index.tolist() == [0, 1]


def test_a_class_that_cleaning_leaves_nothing_of_is_an_error(tmp_path: Path) -> None:
    one, no = fasta(tmp_path / "one.fa", ("a", "AAAA")), fasta(tmp_path / "no.fa", ("b", "CCCC"))
    with pytest.raises(InputError, match="for the negative class after cleaning"):
        clean_records([one], [no], known=["CCCC"])
    more = fasta(tmp_path / "more.fa", ("c", "AAAA"), ("d", "GGGG"))
    with pytest.raises(InputError, match="for the positive class after cleaning"):
        clean_records([one], [more])


def test_an_id_twice_in_a_file_is_an_error_of_a_cleaned_set_unless_it_is_a_copy(
    tmp_path: Path,
) -> None:
    no = fasta(tmp_path / "no.fa", ("b", "CCCC"))
    copy = fasta(tmp_path / "copy.fa", ("a", "AAAA"), ("a", "AAAA"))
    assert clean_records([copy], [no])[0]["id"].tolist() == ["copy:a", "no:b"]
    twice = fasta(tmp_path / "twice.fa", ("a", "AAAA"), ("a", "GGGG"))
    with pytest.raises(InputError, match="'twice:a' stands twice"):
        clean_records([twice], [no])


def alike_records() -> pd.DataFrame:
    """Thirty groups of six, each of one RNA with a base in ten changed; a third are positives."""
    rng = np.random.default_rng(0)
    rows = []
    for group in range(30):
        rna = random_rna(rng, 90)
        for member in range(6):
            bases = list(rna)
            for place in rng.choice(90, 9, replace=False):
                bases[place] = rng.choice(list("ACGU"))
            rows.append((f"{group}-{member}", int(group % 3 == 0), "".join(bases)))
    table = pd.DataFrame(rows, columns=["id", "label", "sequence"])
    # Neither in the order of the groups nor in that of its index.
    return table.sample(frac=1, random_state=0)


def test_nothing_that_evaluates_a_fold_of_clusters_is_like_what_trains_it() -> None:
    records = alike_records()
    folds = cluster_folds(records, folds=5, identity=0.8, seed=0)
    assert len(folds) == 5
    evaluated: list[str] = []
    for roles in folds:
        assert roles.index.equals(records.index)
        assert set(roles.dropna()) == {"train", "evaluate"}
        trains, evaluates = (records[roles == role] for role in ("train", "evaluate"))
        near = nearest(evaluates["sequence"].tolist(), trains["sequence"].tolist())
        assert not (near >= 0.8).any()
        assert set(trains["label"]) == set(evaluates["label"]) == {0, 1}
        left = records[roles.isna()]["sequence"].tolist()
        assert (nearest(left, trains["sequence"].tolist()) >= 0.8).all()
        assert len(evaluates) > 25
        evaluated += evaluates["id"].tolist()
    assert len(evaluated) == len(set(evaluated)) > 150


def test_what_clusters_leave_near_the_training_records_has_no_role() -> None:
    """Three quarters of an RNA are no part of its cluster, but a near-copy of it all the same."""
    rng = np.random.default_rng(0)
    rnas = [random_rna(rng, 100) for _ in range(12)]
    rnas.append(rnas[0][10:85])
    records = pd.DataFrame({"label": [0, 1] * 6 + [0], "sequence": rnas})
    without = []
    for seed in range(3):
        for roles in cluster_folds(records, folds=2, identity=0.8, seed=seed):
            assert roles[1:11].notna().all()
            assert {roles[0], roles[12]} != {"train", "evaluate"}
            without += [place for place in (0, 12) if pd.isna(roles[place])]
    assert set(without) == {0, 12}, "one of the seeds draws them apart"


def test_folds_of_clusters_are_the_same_every_time_and_others_with_another_seed() -> None:
    records = {"s": alike_records().head(60)}
    split = {"split": "cluster-k-fold", "dataset": "s", "folds": 3, "identity": 0.8, "seed": 1}
    first = assign_roles(split, records, fold=2)
    assert first.equals(assign_roles(split, records, fold=2, threads=2))
    expected = cluster_folds(records["s"], folds=3, identity=0.8, seed=1)[1]
    assert first["role"].tolist() == expected.dropna().tolist()
    assert not first.equals(assign_roles(split, records, fold=1))
    assert not first.equals(assign_roles(split | {"seed": 2}, records, fold=2))


def test_in_a_whole_set_all_train() -> None:
    table = assign_roles({"split": "whole", "dataset": "s"}, {"s": some_records(2, 3)})
    assert table["role"].tolist() == ["train"] * 5
    with pytest.raises(InputError, match="train part has no positive records"):
        assign_roles({"split": "whole", "dataset": "s"}, {"s": some_records(0, 3)})
