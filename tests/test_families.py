"""Records of a study of families: selection, roles, outliers and nearest training records."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mirpair.families.records import (
    SHUFFLED,
    UNTRAINED,
    Nearest,
    assign_families,
    gather_records,
    known_rnas,
    nearest_family,
    outliers,
    read_families,
    read_others,
    shuffle_dinucleotides,
    split_families,
    trained_families,
)
from mirpair.files import InputError

SPLIT = {
    "training_at_least": None,
    "split": "random",
    "at_least": 2,
    "at_most": None,
    "families": None,
    "identity": 0.8,
    "training": 4,
    "evaluation": 2,
    "validation": 1,
    "outliers": 0,
}


def random_rna(rng: np.random.Generator, length: int = 60) -> str:
    return "".join(rng.choice(list("ACGU"), length))


def mutated(sequence: str, rng: np.random.Generator, changes: int = 2) -> str:
    letters = list(sequence)
    for place in rng.choice(len(letters), changes, replace=False):
        letters[place] = str(rng.choice([base for base in "ACGU" if base != letters[place]]))
    return "".join(letters)


def table(sizes: dict[str, int], *, label: int = 1) -> pd.DataFrame:
    """Make families of random RNAs of these sizes."""
    rng = np.random.default_rng(label)
    rows = [
        (f"{family}:{n}", label, random_rna(rng), "file.fa", n, family)
        for family, size in sizes.items()
        for n in range(1, size + 1)
    ]
    columns = ["id", "label", "sequence", "file", "number", "family"]
    return pd.DataFrame(rows, columns=columns)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_copies_long_and_ambiguous_rnas_of_a_family_are_skipped(
    tmp_path: Path,
) -> None:
    one = write(tmp_path / "a.fa", ">x\nACGT\n>y\nacgu\n>z\nACGUACGUAC\n>n\nACGN\n")
    two = write(tmp_path / "b.fa", ">x\nGGGG\n")
    records = read_families({"A": one, "B": two}, max_length=8)
    assert records["id"].tolist() == ["A:x", "B:x"]
    assert records["sequence"].tolist() == ["ACGU", "GGGG"]
    assert records["family"].tolist() == ["A", "B"]
    assert set(records["label"]) == {1}


def test_small_families_take_part_if_asked_and_half_of_their_records_evaluate() -> None:
    """Four train and three evaluate of large families; small ones share what they have."""
    split = SPLIT | {"training_at_least": 1, "training": 4, "evaluation": 3, "validation": 2}
    hairpins = table({"A": 20, "B": 7, "C": 5, "D": 3, "E": 2, "F": 1})
    roles = split_families(hairpins, split, seed=0).merge(hairpins, on="id")
    counts = roles.groupby("family")["role"].value_counts().unstack(fill_value=0)
    assert counts["train"].to_dict() == {"A": 4, "B": 4, "C": 3, "D": 2, "E": 1}
    assert counts["evaluate"].to_dict() == {"A": 3, "B": 3, "C": 2, "D": 1, "E": 1}
    assert counts["validate"].to_dict() == {"A": 2, "B": 0, "C": 0, "D": 0, "E": 0}


def test_an_rna_of_two_families_is_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "a.fa", ">x\nACGU\n")
    two = write(tmp_path / "b.fa", ">q\nACGU\n")
    with pytest.raises(InputError, match=r"b\.fa: record 1 \('q'\).*family A"):
        read_families({"A": one, "B": two}, max_length=200)


def test_a_repeated_id_in_a_family_is_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "a.fa", ">x\nACGU\n>x\nGGGG\n")
    with pytest.raises(InputError, match="record 2 has the id 'x', but so has record 1"):
        read_families({"A": one}, max_length=200)


def test_other_rnas_get_the_configured_kind_of_their_class(tmp_path: Path) -> None:
    path = write(tmp_path / "o.fa", ">tRNA\nACGU\n>miRNA\nCCCC\n>IRES\nGGGG\n>tRNA\nACGU\n")
    others = read_others(
        [path], kinds={"tRNA": "tRNA"}, rest="rest", without=["miRNA"], max_length=9
    )
    assert others["family"].tolist() == ["tRNA", "rest"]
    assert others["id"].tolist() == ["tRNA:o-1", "IRES:o-3"]
    assert set(others["label"]) == {0}
    with pytest.raises(InputError, match=r"class 'trna'; choose from IRES, miRNA, tRNA"):
        read_others([path], kinds={"trna": "x"}, rest="r", without=[], max_length=9)


def test_every_family_has_the_configured_number_of_records_per_role() -> None:
    hairpins = table({"A": 7, "B": 9, "C": 5, "D": 4})
    roles = split_families(hairpins, SPLIT, seed=0).merge(hairpins, on="id")
    counts = roles.groupby(["family", "role"]).size().to_dict()
    # C has one record left to evaluate and none to validate; D would have none, so it is left out.
    assert counts == {
        **{(family, "train"): 4 for family in "ABC"},
        **{("A", "evaluate"): 2, ("B", "evaluate"): 2, ("C", "evaluate"): 1},
        **{(family, "validate"): 1 for family in "AB"},
    }
    assert roles["id"].is_unique


def test_a_familys_roles_depend_on_the_seed_but_not_on_other_families() -> None:
    hairpins = table({"A": 30, "B": 30, "C": 30})
    both = split_families(hairpins, SPLIT, seed=0)
    without = split_families(hairpins[hairpins["family"] != "B"], SPLIT, seed=0)
    shared = both[~both["id"].str.startswith("B:")]
    assert dict(shared.to_numpy()) == dict(without.to_numpy())
    other = split_families(hairpins, SPLIT, seed=1)
    assert dict(other.to_numpy()) != dict(both.to_numpy())


def test_evaluation_records_do_not_depend_on_the_number_of_training_records() -> None:
    hairpins = table({"A": 20, "B": 20})
    few, many = (split_families(hairpins, SPLIT | {"training": n}, seed=0) for n in (3, 10))
    evaluate = [set(x.loc[x["role"] == "evaluate", "id"]) for x in (few, many)]
    assert evaluate[0] == evaluate[1]
    train = [set(x.loc[x["role"] == "train", "id"]) for x in (few, many)]
    assert train[0] < train[1]


def test_limits_of_size_and_number_of_families_hold() -> None:
    hairpins = table({"A": 50, "B": 20, "C": 30, "D": 10})
    split = SPLIT | {"at_least": 15, "at_most": 40, "families": 1}
    with pytest.raises(InputError, match="1 of 4 families"):
        split_families(hairpins, split, seed=0)
    roles = split_families(hairpins, split | {"families": 2}, seed=0)
    assert {name[0] for name in roles["id"]} == {"B", "C"}


def test_evaluation_records_are_in_no_cluster_of_training_records() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for family in "AB":
        for group in range(6):
            ancestor = random_rna(rng, 80)
            for copy in range(4):
                name = f"{family}:{group}-{copy}"
                rows.append((name, 1, mutated(ancestor, rng), "f", 1, family))
    hairpins = pd.DataFrame(rows, columns=["id", "label", "sequence", "file", "number", "family"])
    split = SPLIT | {"split": "clusters", "training": 12, "evaluation": 5}
    roles = split_families(hairpins, split, seed=0)
    assert (roles["role"] == "evaluate").sum() == 10
    group = roles["id"].str.split("-").str[0]
    by_group = roles.groupby(group)["role"].agg(set)
    assert not [g for g, assigned in by_group.items() if len(assigned) > 1]
    # Drawn one by one, groups are split.
    single = split_families(hairpins, split | {"split": "random"}, seed=0)
    split_groups = single.groupby(single["id"].str.split("-").str[0])["role"].agg(set)
    assert [g for g, assigned in split_groups.items() if len(assigned) > 1]


def test_near_copies_that_clustering_misses_do_not_evaluate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For any clusters, no near-copy of a training record evaluates."""
    rng = np.random.default_rng(1)
    ancestors = [random_rna(rng, 80) for _ in range(4)]
    rows = [
        (f"{family}:{n}", 1, mutated(ancestors[2 * place + n % 2], rng), "f", 1, family)
        for place, family in enumerate("AB")
        for n in range(12)
    ]
    # One record per family is unlike all others.
    rows += [(f"{family}:far", 1, random_rna(rng, 80), "f", 1, family) for family in "AB"]
    hairpins = pd.DataFrame(rows, columns=["id", "label", "sequence", "file", "number", "family"])
    monkeypatch.setattr(
        "mirpair.families.records.clusters", lambda sequences, **_: np.arange(len(sequences))
    )
    split = SPLIT | {"split": "clusters", "training": 4, "evaluation": 9, "validation": 0}
    roles = split_families(hairpins, split, seed=3).set_index("id")["role"]
    evaluate = roles.index[roles == "evaluate"]
    assert set(evaluate) <= {"A:far", "B:far"}
    assert (roles == "train").sum() == 8


def test_an_rna_of_the_maximum_length_is_used(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fa", ">x\nACGUA\n>y\nACGUAC\n")
    assert read_families({"A": path}, max_length=5)["id"].tolist() == ["A:x"]


def test_outliers_need_validation_records() -> None:
    hairpins = table({"A": 6, "B": 6, "x": 3})
    with pytest.raises(InputError, match="no family has RNAs left for validation"):
        assign_families(hairpins, hairpins[:0], SPLIT | {"at_least": 5, "outliers": 5}, seed=0)


@given(st.text("ACGU", min_size=1, max_size=60), st.integers(0, 99))
def test_a_shuffled_rna_has_the_same_dinucleotides_and_ends(sequence: str, seed: int) -> None:
    mixed = shuffle_dinucleotides(sequence, np.random.default_rng(seed))
    pairs = [Counter(pairwise(s)) for s in (sequence, mixed)]
    assert pairs[0] == pairs[1]
    assert Counter(sequence) == Counter(mixed)
    assert (sequence[0], sequence[-1]) == (mixed[0], mixed[-1])


def test_shuffling_changes_an_rna() -> None:
    sequence = random_rna(np.random.default_rng(0), 90)
    mixed = {shuffle_dinucleotides(sequence, np.random.default_rng(n)) for n in range(20)}
    assert len(mixed) == 20
    assert sequence not in mixed


def test_outliers_are_of_untrained_families_and_no_family_has_two_roles() -> None:
    hairpins = table({"A": 20, "B": 20, "s": 3, "t": 8, "u": 3, "v": 2})
    others = table({"tRNA": 9}, label=0)
    roles = split_families(hairpins, SPLIT | {"at_least": 10}, seed=0)
    chosen = outliers(hairpins, others, roles, each=100, seed=0)
    untrained = chosen[chosen["label"] == 1]
    assert set(untrained["family"]) == {"s", "t", "u", "v"}
    assert (untrained.groupby("family")["role"].nunique() == 1).all()
    assert set(untrained["role"]) == {"validate", "evaluate"}
    assert (untrained["family"] == "t").sum() == 5, "of one family at most five"
    assert chosen.loc[chosen["family"] == "tRNA", "role"].value_counts().to_dict() == {
        "validate": 5,
        "evaluate": 4,
    }
    shuffled = chosen[chosen["family"] == SHUFFLED].set_index("id")["role"]
    expected = roles[roles["role"] != "train"].set_index("id")["role"]
    assert {name.removeprefix("shuffled:"): role for name, role in shuffled.items()} == dict(
        expected
    )
    few = outliers(hairpins, others, roles, each=2, seed=0)
    assert few.groupby([few["family"].replace(list("stuv"), "x"), "role"]).size().max() == 2


def test_a_copy_of_a_hairpin_is_not_an_outlier() -> None:
    hairpins = table({"A": 20, "B": 20})
    others = table({"tRNA": 4}, label=0)
    others.loc[2, "sequence"] = hairpins.loc[0, "sequence"]
    roles = split_families(hairpins, SPLIT, seed=0)
    chosen = outliers(hairpins, others, roles, each=100, seed=0)
    assert "tRNA:3" not in set(chosen["id"])
    assert {"tRNA:1", "tRNA:2", "tRNA:4"} <= set(chosen["id"])


def test_an_experiment_without_outliers_has_none() -> None:
    hairpins = table({"A": 20, "B": 20})
    records, roles = assign_families(hairpins, hairpins[:0], SPLIT, seed=0)
    assert set(records["label"]) == {1}
    assert records["id"].tolist() == roles["id"].tolist()
    assert set(roles["set"]) == {"all"}


def test_merged_records_occur_once_with_hairpins_first() -> None:
    first, second = table({"B": 3, "A": 3}), table({"A": 4})
    gathered = gather_records([table({"tRNA": 1}, label=0), first, second])
    assert gathered["id"].tolist() == [
        *("A:1", "A:2", "A:3", "A:4", "B:1", "B:2", "B:3"),
        "tRNA:1",
    ]


def test_the_nearest_training_rna_shares_most_words() -> None:
    nearest = Nearest(["AAAAAAAAAA", "ACGUACGUACGUCCC", "ACGUACGUACGU"])
    places, containment = nearest.find(["ACGUACGUACGU", "ACGUACGUAGGG", "ACG", "CCCCCCCCC"])
    # The first has four different words, all in the second RNA, which comes before the third.
    assert places[0] == 1
    assert containment[0] == 1
    # ACGUACGU CGUACGUA GUACGUAG UACGUAGG ACGUAGGG: two of five are known.
    assert containment[1] == pytest.approx(0.4)
    assert containment[2:].tolist() == [0, 0]


FEW_LETTERS = st.text("GU", max_size=24)


@given(st.lists(FEW_LETTERS, min_size=1, max_size=6), FEW_LETTERS)
@example(["G" * 8, "U" * 9], "U" * 10)  # the last of all 8-mers
@example(["", "G" * 7], "")
def test_the_nearest_rnas_match_the_definition(known: list[str], asked: str) -> None:
    def words(sequence: str) -> set[str]:
        return {sequence[start : start + 8] for start in range(len(sequence) - 7)}

    shared = [len(words(asked) & words(sequence)) for sequence in known]
    index = Nearest(known)
    counts, total = index.shared(asked)
    assert (counts.tolist(), total) == (shared, len(words(asked)))
    assert index.words.tolist() == [len(words(sequence)) for sequence in known]
    places, containment = index.find([asked])
    assert places[0] == shared.index(max(shared))
    assert containment[0] == max(shared) / max(total, 1)


def test_8_mers_with_another_letter_than_a_base_are_not_compared() -> None:
    index = Nearest(["ACGUACGUNACGUACGU", "NNNNNNNNNN"])
    assert index.words.tolist() == [1, 0]
    assert index.shared("ACGUACGUAACGUACGU")[0].tolist() == [1, 0]
    assert index.shared("AAAAAAAAAA")[0].tolist() == [0, 0]


def test_the_nearest_rna_does_not_depend_on_the_number_of_queries() -> None:
    rng = np.random.default_rng(0)
    known = [random_rna(rng) for _ in range(30)]
    asked = [mutated(str(rng.choice(known)), rng, 4) for _ in range(700)]
    places, containment = Nearest(known).find(asked)
    for n in (0, 499, 500, 699):
        place, share = Nearest(known).find([asked[n]])
        assert (place[0], share[0]) == (places[n], containment[n])


def test_every_record_gets_its_kind_and_nearest_training_record() -> None:
    records = table({"A": 3, "B": 2, "x": 1})
    strange = table({"tRNA": 1}, label=0)
    records = pd.concat([records, strange], ignore_index=True)
    roles = ["train", "train", "evaluate", "train", "validate", "evaluate", "validate"]
    experiment = pd.DataFrame({"id": records["id"], "set": "all", "role": roles})
    neighbours = nearest_family(records, experiment).set_index("id")
    assert neighbours.index.tolist() == ["A:3", "B:2", "x:1", "tRNA:1"]
    assert neighbours["kind"].tolist() == ["", "", UNTRAINED, "tRNA"]
    assert set(neighbours["nearest"]) <= {"A:1", "A:2", "B:1"}
    classes, labels = trained_families(experiment, records)
    assert classes == ["A", "B"]
    assert labels.tolist() == [0, 0, 0, 1, 1, -1, -1]


def test_known_rnas_are_those_that_train_and_a_few_of_each_family() -> None:
    """Of six RNAs of a, four train; b is too small to train; c has more than are taken."""
    families = ["a"] * 6 + ["b"] + ["c"] * 5
    hairpins = pd.DataFrame({"id": [f"{it}{n}" for n, it in enumerate(families)]})
    hairpins["family"] = families
    roles = pd.DataFrame(
        {"id": ["a1", "a2", "a3", "a4", "a5"], "role": ["train"] * 4 + ["evaluate"]}
    )
    known = known_rnas(hairpins, roles, most=3)
    assert known["id"].tolist() == ["a1", "a2", "a3", "a4", "b6", "c7", "c8", "c9"]
    known = known_rnas(hairpins, roles, most=5)
    assert known["id"].tolist()[:6] == ["a1", "a2", "a3", "a4", "a0", "b6"]
