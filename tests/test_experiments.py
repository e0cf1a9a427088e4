"""Division into training and evaluation sets that share no sequence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import random_rna

from mirpair.contracts import read_experiment, read_folds
from mirpair.files import InputError, write_tsv
from mirpair.identification.experiments import assign_roles, read_family_names
from mirpair.identification.folds import assign_folds, family_groups
from mirpair.rna.similarity import nearest


def fasta(path: Path, *records: tuple[str, str]) -> Path:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records))
    return path


def some_records(positives: int = 15, negatives: int = 60) -> pd.DataFrame:
    n = positives + negatives
    return pd.DataFrame(
        {
            "id": [str(i) for i in range(n)],
            "label": [1] * positives + [0] * negatives,
            "sequence": ["ACGU" * (1 + i) for i in range(n)],
        }
    )


def drawn(
    split: dict[str, object],
    records: pd.DataFrame,
    fold: int,
    *,
    origins: dict[str, pd.DataFrame] | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Draw one fold of a cross-validation, as the workflow does."""
    folds = assign_folds(split, records, origins=origins, threads=threads)
    return assign_roles(split, {"s": records}, fold=fold, folds=folds, threads=threads)


def test_k_folds_are_stratified_disjoint_and_reproducible() -> None:
    records = some_records()
    split = {"split": "k-fold", "dataset": "s", "folds": 5, "seed": 3}
    tables = [drawn(split, records, fold) for fold in range(1, 6)]
    label = dict(zip(records["id"], records["label"], strict=True))
    evaluated: list[str] = []
    for table in tables:
        assert sorted(table["id"]) == sorted(records["id"])
        ids = table.loc[table["role"] == "evaluate", "id"].tolist()
        assert sum(label[name] for name in ids) == 3
        assert len(ids) == 15
        evaluated += ids
    assert sorted(evaluated) == sorted(records["id"])
    assert tables[1].equals(drawn(split, records, 2))
    assert not tables[1].equals(drawn({**split, "seed": 4}, records, 2))


def test_more_folds_than_records_of_a_class_are_refused() -> None:
    split = {"split": "k-fold", "dataset": "s", "folds": 5, "seed": 0}
    with pytest.raises(InputError, match="smaller class has 4: use 4 folds or fewer, or add rec"):
        drawn(split, some_records(positives=4), 1)
    drawn(split | {"folds": 4}, some_records(positives=4), 1)
    with pytest.raises(InputError, match=r"the smaller class has 1: add records$"):
        drawn(split, some_records(positives=1), 1)


PUBLISHED = {"split": "published", "dataset": "s"}


def published(tmp_path: Path, train: list[str], evaluate: list[str], **other: str) -> pd.DataFrame:
    records = some_records(2, 3)
    sequences = dict(zip(records["id"], records["sequence"], strict=True)) | other
    files = {
        role: [fasta(tmp_path / f"{role}.fa", *((name, sequences[name]) for name in names))]
        for role, names in (("train", train), ("evaluate", evaluate))
    }
    return assign_roles(PUBLISHED, {"s": records}, **files)


def test_a_published_split_assigns_roles_by_id_and_leaves_out_others(tmp_path: Path) -> None:
    table = published(tmp_path, ["0", "2"], ["1", "4"])
    assert table.to_dict("list") == {
        "id": ["0", "1", "2", "4"],
        "set": ["s"] * 4,
        "role": ["train", "evaluate", "train", "evaluate"],
        "weight": [1.0] * 4,
    }


@pytest.mark.parametrize(
    ("train", "evaluate", "other", "message"),
    [
        (["0", "2"], ["1", "9"], {"9": "ACGU"}, "'9'.*not in the set"),
        (["0", "2"], ["1", "4"], {"4": "ACGU"}, "'4'.*another sequence"),
        (["0", "2"], ["0", "4"], {}, "'0'.*training and the evaluation"),
        (["0", "2"], ["4"], {}, "evaluate set has no positive records"),
        (["0", "1"], ["4", "1"], {}, "'1'"),
        (["2", "3"], ["0", "4"], {}, "train set has no positive records"),
        (["0", "1"], ["0", "4"], {}, "'0'"),
    ],
)
def test_a_published_split_that_does_not_match_its_set_is_refused(
    tmp_path: Path, train: list[str], evaluate: list[str], other: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        published(tmp_path, train, evaluate, **other)


def test_a_published_split_may_have_records_that_the_set_dropped(tmp_path: Path) -> None:
    files = {
        "train": [fasta(tmp_path / "t.fa", ("0", "ACGU"), ("2", "ACGU" * 3), ("odd", "ACNU"))],
        "evaluate": [fasta(tmp_path / "e.fa", ("1", "ACGU" * 2), ("4", "ACGU" * 5))],
    }
    records = {"s": some_records(2, 3)}
    with pytest.raises(InputError, match="'N' at position 3"):
        assign_roles(PUBLISHED, records, **files)
    assert len(assign_roles(PUBLISHED, records, **files, on_ambiguous="drop")) == 4


def listed(path: Path, text: str) -> list[str | Path]:
    path.write_text(text)
    return [path]


@pytest.mark.parametrize(
    ("train", "evaluate"),
    [
        ("0\n2\n", "1\n4\n"),
        # With a header, empty lines, spaces, other words, Windows line ends, an id twice.
        ("id\n0\n\n2\n", "ID\r\n 1 miRNA\r\n4\t5\r\n1\r\n"),
        # The headers of a FASTA file alone, and a FASTA file beside a list.
        (">0 human\n>2\n", "1\n4"),
        (f">0\nACGT\n>2\n{'ACGU' * 3}\n", "4\n1\n"),
    ],
)
def test_a_split_may_list_ids_alone(tmp_path: Path, train: str, evaluate: str) -> None:
    files = {
        "train": listed(tmp_path / "train.txt", train),
        "evaluate": listed(tmp_path / "evaluate.txt", evaluate),
    }
    table = assign_roles(PUBLISHED, {"s": some_records(2, 3)}, **files)
    assert table.to_dict("list") == {
        "id": ["0", "1", "2", "4"],
        "set": ["s"] * 4,
        "role": ["train", "evaluate", "train", "evaluate"],
        "weight": [1.0] * 4,
    }


def test_without_training_files_all_others_train(tmp_path: Path) -> None:
    evaluate = listed(tmp_path / "held-out.txt", "1\n4\n")
    table = assign_roles(PUBLISHED, {"s": some_records(2, 3)}, evaluate=evaluate)
    assert table["role"].tolist() == ["train", "evaluate", "train", "train", "evaluate"]


def test_a_record_may_be_called_id(tmp_path: Path) -> None:
    records = some_records(2, 3).assign(id=["id", "b", "c", "d", "e"])
    evaluate = listed(tmp_path / "e.txt", "id\nc\n")
    table = assign_roles(PUBLISHED, {"s": records}, evaluate=evaluate)
    assert table["role"].tolist() == ["evaluate", "train", "evaluate", "train", "train"]


def test_what_a_set_left_out_is_left_out_of_a_split_too(tmp_path: Path) -> None:
    evaluate = listed(tmp_path / "e.txt", "1\n4\ngone\n")
    records = {"s": some_records(2, 3)}
    table = assign_roles(PUBLISHED, records, evaluate=evaluate, left_out={"gone"})
    assert (table["role"] == "evaluate").sum() == 2
    with pytest.raises(InputError, match=r"e\.txt: line 3 \('gone'\) is not in the set; correct"):
        assign_roles(PUBLISHED, records, evaluate=evaluate)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty; list ids in it, one per line"),
        (b"\n \n", "the file is empty"),
        (b"1,4\n", r"line 1 \('1,4'\) is not in the set"),
        (b"p\n", r"line 1 \('p'\) is not in .*ids of a cleaned set begin with .*, as in 'f:p'"),
        (b"1\n0\n", r"line 2 \('0'\) is in the training and the evaluation files; remove one"),
        (b"1\n\xff\n", "neither FASTA nor a list of ids"),
        (b"\x1f\x8b\x08", "neither FASTA nor a list of ids"),
    ],
)
def test_a_list_of_ids_that_is_wrong_is_explained(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "e.txt").write_bytes(content)
    records = some_records(3, 3).assign(id=["0", "1", "f:p", "2", "3", "4"])
    files = {"train": listed(tmp_path / "t.txt", "0\n2\n"), "evaluate": [tmp_path / "e.txt"]}
    with pytest.raises(InputError, match=message):
        assign_roles(PUBLISHED, {"s": records}, **files)


def test_across_datasets_trains_on_one_and_evaluates_on_the_other(tmp_path: Path) -> None:
    split = {"split": "across-datasets", "train": "s", "evaluate": "t", "copies": "keep"}
    table = assign_roles(split, {"s": some_records(2, 3), "t": some_records(1, 1)})
    assert table.groupby(["set", "role"]).size().to_dict() == {
        ("s", "train"): 5,
        ("t", "evaluate"): 2,
    }
    write_tsv(table, tmp_path / "e.tsv")
    assert read_experiment(tmp_path / "e.tsv").equals(table)


def alike_records() -> pd.DataFrame:
    """Make 30 groups of six, each of one RNA with 10 % of bases changed; a third are positives."""
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
    # Shuffle, so that rows are sorted neither by group nor by index.
    return table.sample(frac=1, random_state=0)


def apart(records: pd.DataFrame, table: pd.DataFrame) -> float:
    """Return the identity of the nearest pair of a training and an evaluation record."""
    sequence = records.set_index("id")["sequence"]
    trains, evaluates = (
        sequence[table.loc[table["role"] == role, "id"]].tolist() for role in ("train", "evaluate")
    )
    return float(np.nanmax([0.0, *nearest(evaluates, trains)]))


CLUSTERS = {"split": "cluster-k-fold", "dataset": "s", "folds": 5, "identity": 0.8, "seed": 0}


def test_folds_of_clusters_evaluate_no_near_copies_of_training_records() -> None:
    records = alike_records()
    evaluated: list[str] = []
    for fold in range(1, 6):
        table = drawn(CLUSTERS, records, fold)
        assert apart(records, table) < 0.8
        trains, evaluates = (table[table["role"] == role]["id"] for role in ("train", "evaluate"))
        label = records.set_index("id")["label"]
        assert set(label[trains]) == set(label[evaluates]) == {0, 1}
        without = records[~records["id"].isin(table["id"])]["sequence"].tolist()
        trained = records[records["id"].isin(trains)]["sequence"].tolist()
        assert (nearest(without, trained) >= 0.8).all(), "only near-copies are left out"
        assert len(evaluates) > 25
        evaluated += evaluates.tolist()
    assert len(evaluated) == len(set(evaluated)) > 150


def test_near_copies_that_clustering_misses_get_no_role() -> None:
    """Three quarters of an RNA are outside its cluster, but still a near-copy of it."""
    rng = np.random.default_rng(0)
    rnas = [random_rna(rng, 100) for _ in range(12)]
    rnas.append(rnas[0][10:85])
    names = [str(place) for place in range(13)]
    records = pd.DataFrame({"id": names, "label": [0, 1] * 6 + [0], "sequence": rnas})
    without = []
    for seed in range(3):
        for fold in (1, 2):
            split = CLUSTERS | {"folds": 2, "seed": seed}
            role = drawn(split, records, fold).set_index("id")["role"]
            assert set(names[1:12]) <= set(role.index)
            assert {role.get("0"), role.get("12")} != {"train", "evaluate"}
            without += [name for name in ("0", "12") if name not in role.index]
    assert set(without) == {"0", "12"}, "one of the seeds draws them apart"


def test_folds_of_clusters_are_reproducible_and_depend_on_the_seed() -> None:
    records = alike_records().head(60)
    split = CLUSTERS | {"folds": 3, "seed": 1}
    first = drawn(split, records, 2)
    assert first.equals(drawn(split, records, 2, threads=2))
    assert not first.equals(drawn(split, records, 1))
    assert not first.equals(drawn(split | {"seed": 2}, records, 2))


def test_rnas_below_the_identity_may_be_in_different_folds() -> None:
    rng = np.random.default_rng(0)
    rnas = [random_rna(rng, 100) for _ in range(30)]
    near = [f"{rna[:45]}{random_rna(rng, 10)}{rna[55:]}" for rna in rnas]
    labels = [0, 1] * 15
    names = [str(place) for place in range(60)]
    records = pd.DataFrame({"id": names, "label": labels * 2, "sequence": rnas + near})
    for identity, apart in ((0.8, False), (0.98, True)):
        fold = assign_folds(CLUSTERS | {"identity": identity}, records)["fold"].to_numpy()
        assert bool((fold[:30] != fold[30:]).any()) == apart


def test_a_group_of_both_classes_counts_as_positive() -> None:
    records = pd.DataFrame({"id": list("abcdef"), "label": [1, 1, 0, 0, 0, 0]})
    records["sequence"] = ["AC", "GU", "AC", "CC", "GG", "UU"]
    records["file"], records["number"] = "p.fa", range(1, 7)
    origins = {"p.fa": pd.DataFrame({"family": ["one", "two", "", "", "", ""]})}
    split = {"split": "family-k-fold", "folds": 2, "seed": 0}
    fold = assign_folds(split, records, origins=origins)["fold"]
    assert set(fold) == {1, 2}
    assert fold[0] == fold[2] != fold[1]


def test_only_splits_with_folds_draw_them_and_they_require_them() -> None:
    records = some_records()
    with pytest.raises(InputError, match="the split 'time' has no folds"):
        assign_folds({"split": "time", "dataset": "s", "seed": 0}, records)
    split = {"split": "k-fold", "dataset": "s", "folds": 5, "seed": 3}
    with pytest.raises(InputError, match="the split needs folds: assign them"):
        assign_roles(split, {"s": records}, fold=1)


def test_folds_are_unchanged_after_writing_and_reading(tmp_path: Path) -> None:
    folds = assign_folds({"split": "k-fold", "folds": 5, "seed": 3}, some_records())
    write_tsv(folds, tmp_path / "folds.tsv")
    assert read_folds(tmp_path / "folds.tsv").equals(folds)


def test_folds_of_other_records_are_refused() -> None:
    records = some_records()
    split = {"split": "k-fold", "dataset": "s", "folds": 5, "seed": 3}
    folds = assign_folds(split, records)
    for other in (folds.tail(-1), folds[::-1], folds.iloc[[1, 0, *range(2, len(folds))]]):
        with pytest.raises(InputError, match="the folds do not match the records"):
            assign_roles(split, {"s": records}, fold=1, folds=other)


# Splits by species, release or family.

SPECIES = ("hsa", "mmu", "dre")


def collected(families: int = 12) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Make positives of families in three species, near-copies of each other, and negatives."""
    rng = np.random.default_rng(3)
    positives = []
    for family in range(families):
        rna = random_rna(rng, 80)
        for species in SPECIES:
            bases = list(rna)
            for place in rng.choice(80, 6, replace=False):
                bases[place] = rng.choice(list("ACGU"))
            name = f"{species}-mir-{family}"
            positives.append(
                (name, f"MI{len(positives)}", species, f"mir-{family}", "".join(bases))
            )
    negatives = [(f"x:{n}", f"x:{n}", "", "", random_rna(rng, 80)) for n in range(120)]
    columns = ["id", "accession", "species", "family", "sequence"]
    origins = {"p.fa": pd.DataFrame(positives, columns=columns)}
    origins["n.fa"] = pd.DataFrame(negatives, columns=columns)
    records = pd.concat(
        [
            table[["id", "sequence"]].assign(
                label=label, file=file, number=range(1, len(table) + 1)
            )
            for label, (file, table) in zip((1, 0), origins.items(), strict=True)
        ],
        ignore_index=True,
    )
    return records, origins


def roles_of(split: dict[str, object], **about: object) -> pd.Series:
    records, origins = collected()
    table = assign_roles(split, {"s": records}, origins=origins, **about)  # type: ignore[arg-type]
    return table.set_index("id")["role"]


def test_a_family_is_never_on_both_sides_and_evaluates_once() -> None:
    evaluated: list[str] = []
    for fold in (1, 2, 3):
        records, origins = collected()
        split = {"split": "family-k-fold", "dataset": "s", "folds": 3, "seed": 0}
        role = drawn(split, records, fold, origins=origins).set_index("id")["role"]
        family = role[role.index.str.contains("mir")].groupby(lambda name: name.split("-")[2])
        assert (family.nunique() == 1).all()
        evaluated += role[role == "evaluate"].index.tolist()
    assert sorted(evaluated) == sorted(collected()[0]["id"])


def test_records_with_the_same_sequence_share_a_group_across_families() -> None:
    records = pd.DataFrame({"id": list("abcde"), "sequence": ["A", "A", "C", "G", "U"]})
    family = pd.Series(["x", "y", "y", "", ""])
    groups = family_groups(records, family)
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups)) == 3


def test_a_held_out_species_does_not_train_and_negatives_are_divided() -> None:
    split = {"split": "species", "dataset": "s", "evaluate": ["HSA"], "seed": 0}
    role = roles_of(split)
    for name, assigned in role.items():
        if "mir" in str(name):
            assert assigned == ("evaluate" if str(name).startswith("hsa") else "train")
    negatives = role[~role.index.str.contains("mir")]
    assert len(negatives) == 120
    assert (negatives == "evaluate").sum() == 40, "a third, as of the positives"
    assert not negatives.equals(roles_of(split | {"seed": 1})[negatives.index])


def test_identity_leaves_near_copies_out_of_the_evaluation() -> None:
    split = {"split": "species", "dataset": "s", "evaluate": ["hsa"], "seed": 0}
    records, origins = collected()
    table = assign_roles(split, {"s": records}, origins=origins)
    assert apart(records, table) >= 0.8, "the species are alike"
    with pytest.raises(InputError, match="evaluate set has no positive records"):
        assign_roles(split | {"identity": 0.8}, {"s": records}, origins=origins)


def test_new_hairpins_evaluate_and_older_ones_train() -> None:
    split = {"split": "time", "dataset": "s", "seed": 0}
    older = [f"MI{n}" for n in range(36) if n % 4]
    role = roles_of(split, older=older)
    accession = collected()[1]["p.fa"].set_index("id")["accession"]
    for name, assigned in accession.items():
        assert role[name] == ("train" if assigned in older else "evaluate")
    negatives = role[~role.index.str.contains("mir")]
    assert (negatives == "evaluate").sum() == 30, "a quarter, as of the positives"


def test_an_older_release_with_all_hairpins_is_refused() -> None:
    with pytest.raises(InputError, match="no positive is new"):
        roles_of({"split": "time", "dataset": "s", "seed": 0}, older=[f"MI{n}" for n in range(36)])


def test_an_unknown_species_is_refused_naming_the_common_ones() -> None:
    split = {"split": "species", "dataset": "s", "evaluate": ["xla"], "seed": 0}
    with pytest.raises(InputError, match=r"of the species xla; the most common species are \w+"):
        roles_of(split)


def test_a_species_split_without_training_records_is_refused() -> None:
    split = {"split": "species", "dataset": "s", "evaluate": list(SPECIES), "seed": 0}
    with pytest.raises(InputError, match="none is left to train on: hold out fewer species"):
        roles_of(split)


def test_positives_from_a_plain_file_have_no_family() -> None:
    records, _ = collected()
    split = {"split": "family-k-fold", "dataset": "s", "folds": 3, "seed": 0}
    with pytest.raises(
        InputError, match="no positive of the set has a known family: use a collection"
    ):
        assign_folds(split, records)


def test_negatives_of_a_held_out_species_evaluate() -> None:
    records, origins = collected()
    named = ["hsa"] * 20 + ["sce"] * 100
    origins["n.fa"] = origins["n.fa"].assign(species=named)
    split = {"split": "species", "dataset": "s", "evaluate": ["hsa"], "seed": 0}
    role = assign_roles(split, {"s": records}, origins=origins).set_index("id")["role"]
    assert role[[f"x:{n}" for n in range(20)]].eq("evaluate").all()
    assert role[[f"x:{n}" for n in range(20, 120)]].eq("train").all()


def test_species_match_without_regard_to_case() -> None:
    records, origins = collected()
    origins["p.fa"]["species"] = origins["p.fa"]["species"].str.capitalize()
    split = {"split": "species", "dataset": "s", "evaluate": ["hsa"], "seed": 0}
    assert "evaluate" in set(assign_roles(split, {"s": records}, origins=origins)["role"])


@pytest.mark.parametrize("species", ["sce", "hsa"])
def test_negatives_that_are_all_on_one_side_are_divided(species: str) -> None:
    records, origins = collected()
    origins["n.fa"]["species"] = species
    split = {"split": "species", "dataset": "s", "evaluate": ["hsa"], "seed": 0}
    role = assign_roles(split, {"s": records}, origins=origins).set_index("id")["role"]
    assert (role[role.index.str.startswith("x:")] == "evaluate").sum() == 40


def test_a_species_of_negatives_only_cannot_evaluate() -> None:
    records, origins = collected()
    origins["n.fa"]["species"] = ["sce"] * 60 + ["spo"] * 60
    split = {"split": "species", "dataset": "s", "evaluate": ["sce"], "seed": 0}
    with pytest.raises(InputError, match="no positive of the set is of the species sce"):
        assign_roles(split, {"s": records}, origins=origins)


def test_left_out_near_copies_do_not_count_in_the_share_of_negatives() -> None:
    records, origins = collected()
    rng = np.random.default_rng(1)
    # Of twelve human positives, six are near-copies of other species, six are not.
    for place in range(0, 18, 3):
        records.loc[place, "sequence"] = random_rna(rng, 80)
    split = {"split": "species", "dataset": "s", "evaluate": ["hsa"], "seed": 0, "identity": 0.8}
    role = assign_roles(split, {"s": records}, origins=origins).set_index("id")["role"]
    positives = role[role.index.str.contains("mir")]
    assert (positives == "evaluate").sum() == 6
    assert (positives == "train").sum() == 24
    negatives = role[role.index.str.startswith("x:")]
    assert (negatives == "evaluate").sum() == 24, "a fifth, as of the positives that are left"


def test_large_clusters_of_negatives_evaluate_with_some_seeds() -> None:
    records, origins = collected()
    alike = alike_records()["sequence"].tolist()
    records.loc[records["label"] == 0, "sequence"] = alike[:120]
    seen = set()
    for seed in range(6):
        split = {"split": "species", "dataset": "s", "evaluate": ["hsa"], "seed": seed}
        table = assign_roles(split, {"s": records}, origins=origins)
        negatives = table[table["id"].str.startswith("x:")]
        evaluates = negatives[negatives["role"] == "evaluate"]
        assert 36 <= len(evaluates) <= 44
        assert apart(records[records["label"] == 0], negatives) < 0.8, "no cluster is split"
        seen |= set(evaluates["id"])
    assert len(seen) > 90


def test_a_record_at_exactly_the_identity_is_left_out() -> None:
    rna = random_rna(np.random.default_rng(0), 100)
    other = rna[:50] + ("A" if rna[50] != "A" else "C") + rna[51:]
    sequences = [rna, other, "ACGGU" * 9, "GGAUC" * 9]
    records = pd.DataFrame({"id": list("abcd"), "label": [1, 1, 0, 0], "sequence": sequences})
    sets = {"s": records.iloc[[0, 2]], "t": records.iloc[[1, 3]]}
    split = {"split": "across-datasets", "train": "s", "evaluate": "t"}
    exact = float(nearest([other], [rna])[0])
    with pytest.raises(InputError, match="no positive"):
        assign_roles(split | {"identity": exact}, sets)
    assert len(assign_roles(split | {"identity": exact + 1e-6}, sets)) == 4


# No sequence is on both sides.


@pytest.mark.parametrize(
    "split",
    [
        {"split": "k-fold", "dataset": "s", "folds": 2, "seed": 0},
        {"split": "published", "dataset": "s"},
        {"split": "across-datasets", "train": "s", "evaluate": "t"},
        {"split": "species", "dataset": "s", "evaluate": ["hsa"], "seed": 0},
        {"split": "time", "dataset": "s", "seed": 0},
    ],
    ids=lambda split: split["split"],
)
def test_a_sequence_on_both_sides_is_refused_unless_copies_are_kept(
    split: dict[str, object], tmp_path: Path
) -> None:
    records, origins = collected()
    # The first positive of every species is the same RNA, as many orthologs are.
    records.loc[[0, 1, 2, 3], "sequence"] = records["sequence"][0]
    sets = {"s": records, "t": records.assign(id="t" + records["id"])}
    files = {
        role: [fasta(tmp_path / f"{role}.fa", *zip(part["id"], part["sequence"], strict=True))]
        for role, part in (("train", records[::2]), ("evaluate", records[1::2]))
    }
    folds = assign_folds(split, records) if split["split"] == "k-fold" else None
    about = {
        "origins": origins,
        "folds": folds,
        "older": [f"MI{n}" for n in range(2, 30)],
        "fold": 1,
        **files,
    }
    with pytest.raises(InputError, match=r"same sequence as a training record.*copies: keep") as it:
        assign_roles(split, sets, **about)  # type: ignore[arg-type]
    # Cleaning helps within one set whose ids are in no file; clusters replace folds only.
    assert ("cleaned: true" in str(it.value)) == (split["split"] in ("k-fold", "species", "time"))
    assert ("cluster-k-fold" in str(it.value)) == (split["split"] == "k-fold")
    if "cleaned: true" in str(it.value):
        cleaned = records.drop_duplicates("sequence").reset_index(drop=True)
        folds = assign_folds(split, cleaned) if split["split"] == "k-fold" else None
        assign_roles(split, {"s": cleaned}, **about | {"folds": folds})  # type: ignore[arg-type]
    if "cluster-k-fold" in str(it.value):
        clusters = split | {"split": "cluster-k-fold", "identity": 0.8}
        folds = assign_folds(clusters, records)
        assign_roles(clusters, sets, **about | {"folds": folds})  # type: ignore[arg-type]
    with_copies = assign_roles(split | {"copies": "keep"}, sets, **about)  # type: ignore[arg-type]
    if split["split"] != "across-datasets":
        left = assign_roles(split | {"identity": 1}, sets, **about)  # type: ignore[arg-type]
        assert 0 < len(with_copies) - len(left) <= 3
        sequence = records.set_index("id")["sequence"]
        trains, evaluates = (
            set(sequence[left.loc[left["role"] == role, "id"]]) for role in ("train", "evaluate")
        )
        assert not trains & evaluates


# Families that are held out by name.


FAMILIES = {"split": "families", "dataset": "s", "validation": 0.25, "seed": 0}


def held_out(held: tuple[str, ...] = ("mir-1", "MIR-7"), **changes: object) -> pd.DataFrame:
    """Divide 12 families of 3 RNAs, and 120 negatives, 30 of them in Rfam families of 3."""
    records, origins = collected()
    origins["n.fa"]["family"] = [f"RF{n // 3}" if n < 30 else "" for n in range(120)]
    table = assign_roles(FAMILIES | changes, {"s": records}, families=held, origins=origins)
    family = pd.concat(list(origins.values())).set_index("id")["family"]
    return table.assign(family=table["id"].map(family))


def test_listed_families_evaluate_and_a_share_of_the_others_validates() -> None:
    table = held_out()
    assert len(table) == 156, "every record has a role"
    positives = table[table["family"].str.startswith("mir")]
    roles = positives.groupby("family")["role"].unique()
    assert (roles.str.len() == 1).all(), "a family is never on two sides"
    role = roles.str[0]
    assert role[role == "evaluate"].index.tolist() == ["mir-1", "mir-7"]
    assert 0 < (role == "validate").sum() < 8
    of_rfam = table[table["family"].str.startswith("RF")].groupby("family")["role"].nunique()
    assert (of_rfam == 1).all()


def test_negatives_without_a_family_have_the_shares_of_the_positives() -> None:
    table = held_out()
    positive = table[table["family"].str.startswith("mir")]["role"].value_counts(normalize=True)
    others = table[table["family"] == ""]["role"].value_counts()
    for role in ("evaluate", "validate"):
        assert others[role] == pytest.approx(90 * positive[role], abs=1)


def test_a_family_validates_whatever_the_other_families_are() -> None:
    one = held_out(("mir-1",))
    two = held_out(("mir-1", "mir-2", "mir-3"))
    left = ~two["family"].isin(["mir-1", "mir-2", "mir-3"]) & two["family"].str.startswith("mir")
    assert one["role"][left].equals(two["role"][left])
    other = held_out(("mir-1",), seed=1)
    assert not one["role"][left].equals(other["role"][left])


def test_a_file_may_have_only_one_role() -> None:
    records, origins = collected()
    own = [f"x:{n}" for n in range(40)]
    records.loc[records["id"].isin(own), "file"] = "own.fa"
    for role in ("train", "validate", "evaluate"):
        about: dict[str, Any] = {role: ["own.fa"], "families": ["mir-1"], "origins": origins}
        table = assign_roles(FAMILIES, {"s": records}, **about)
        assert set(table["role"][table["id"].isin(own)]) == {role}
        assert set(table["role"][~table["id"].isin(own) & table["id"].str.startswith("x")]) == {
            "train",
            "validate",
            "evaluate",
        }


def test_without_a_validation_share_nothing_validates() -> None:
    table = held_out(validation=0.0)
    assert set(table["role"]) == {"train", "evaluate"}


def test_families_none_of_which_a_collection_has_are_refused() -> None:
    with pytest.raises(
        InputError, match="is of the family mir-98, mir-99: correct the list of families"
    ):
        held_out(("mir-98", "mir-99"))
    # The set may be of some species only.
    pd.testing.assert_frame_equal(held_out(("mir-1", "mir-99")), held_out(("mir-1",)))


def test_identity_leaves_near_copies_out_of_validation_and_evaluation() -> None:
    records, origins = collected()
    # The first RNA of a held-out family is a near-copy of one that trains.
    family = origins["p.fa"]["family"]
    table = assign_roles(FAMILIES, {"s": records}, origins=origins, families=["mir-1", "mir-7"])
    role = table.set_index("id")["role"]
    trains = records["id"][(records["label"] == 1) & records["id"].map(role).eq("train")].index[0]
    held = family.index[family == "mir-1"][0]
    rna = records.loc[trains, "sequence"]
    records.loc[held, "sequence"] = rna[:40] + ("A" if rna[40] != "A" else "C") + rna[41:]
    table = assign_roles(
        FAMILIES | {"identity": 0.8}, {"s": records}, origins=origins, families=["mir-1", "mir-7"]
    )
    assert records.loc[held, "id"] not in set(table["id"])
    assert apart(records, table) < 0.8


def test_a_sequence_with_two_roles_is_refused_also_if_it_validates() -> None:
    records, origins = collected()
    kept: dict[str, Any] = {"origins": origins, "families": ["mir-1", "mir-7"]}
    table = assign_roles(FAMILIES, {"s": records}, **kept)
    place = {role: table.index[table["role"] == role][0] for role in set(table["role"])}
    for one, other in (("validate", "train"), ("validate", "evaluate"), ("evaluate", "train")):
        copied = records.copy()
        copied.loc[place[one], "sequence"] = records.loc[place[other], "sequence"]
        kind = {"validate": "validation", "evaluate": "evaluation"}[one]
        with pytest.raises(InputError, match=f"1 {kind} record has the same sequence as an? "):
            assign_roles(FAMILIES, {"s": copied}, **kept)
        table = assign_roles(FAMILIES | {"identity": 1}, {"s": copied}, **kept)
        assert copied.loc[place[one], "id"] not in set(table["id"])


def test_a_list_of_families_has_one_a_line_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "families.txt"
    path.write_text("# of chromosome 21\nlet-7\n\n mir-99  # three species\n")
    assert read_family_names(path) == ["let-7", "mir-99"]
    path.write_text("# none\n")
    with pytest.raises(InputError, match=r"families\.txt: lists no family; write one per line"):
        read_family_names(path)
    with pytest.raises(InputError, match="cannot be read as a list of families"):
        read_family_names(tmp_path / "missing.txt")


def test_a_record_has_the_weight_of_its_trust() -> None:
    records, origins = collected()
    origins["p.fa"]["trust"] = ["doubtful", "supported", ""] * 12
    origins["n.fa"]["trust"] = ""
    about: dict[str, Any] = {"origins": origins, "weights": {"s": {"doubtful": 0.3}}}
    table = assign_roles(FAMILIES, {"s": records}, families=["mir-1", "mir-7"], **about)
    weight = table.set_index("id")["weight"]
    assert weight[records["id"][:36]].tolist() == [0.3, 1.0, 1.0] * 12
    assert (weight[records["id"][36:]] == 1).all()
    about["weights"] = {}
    table = assign_roles(FAMILIES, {"s": records}, families=["mir-1", "mir-7"], **about)
    assert (table["weight"] == 1).all()


def test_records_of_weight_0_evaluate_but_neither_train_nor_validate() -> None:
    records, origins = collected()
    origins["p.fa"]["trust"] = ["repeat", "", ""] * 12
    origins["n.fa"]["trust"] = ""
    about: dict[str, Any] = {"origins": origins, "families": ["mir-1", "mir-7"]}
    every = assign_roles(FAMILIES, {"s": records}, **about)
    table = assign_roles(FAMILIES, {"s": records}, weights={"s": {"repeat": 0}}, **about)
    repeats = set(records["id"][:36:3])
    left_out = set(every["id"]) - set(table["id"])
    assert left_out == set(every["id"][every["role"] != "evaluate"]) & repeats != set()
