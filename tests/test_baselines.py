"""Baselines: correct features, and scores that do not depend on evaluation labels."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, random_rna
from scipy.special import expit
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

from mirpair.contracts import BASELINES, USUAL_BASELINES
from mirpair.files import InputError
from mirpair.identification.audit import features
from mirpair.identification.baselines import (
    CLASSIC,
    SVM_COSTS,
    SVM_FOLDS,
    SVM_GAMMAS,
    TRIPLETS,
    classic_features,
    likeness,
    nearest_neighbour,
    predict,
)
from mirpair.identification.metrics import measure
from mirpair.identification.stem_features import STEM, stem_features
from mirpair.rna.folding import fold
from mirpair.rna.sequences import read_fasta

ORIGIN = "AUGCAUGGCC"
HAIRPIN = ("GACGAAAGUC", "((((..))))", -2.5)


def tables(rnas: list[tuple[str, str, float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make records and structures of RNAs given as sequence, dot-bracket, energy."""
    sequences, structures, energies = zip(*rnas, strict=True)
    ids = [f"r{number}" for number in range(len(rnas))]
    records = pd.DataFrame({"id": ids, "label": 1, "sequence": sequences})
    return records, pd.DataFrame({"id": ids, "structure": structures, "mfe": energies})


def demo(each: int) -> pd.DataFrame:
    """Fold the first records of both classes of the demo, in the format of `predict`."""
    labels, sequences = [], []
    for label, name in ((1, "positives"), (0, "negatives")):
        records = list(read_fasta(ROOT / "config" / "demo" / f"{name}.fa"))[:each]
        labels += [label] * each
        sequences += [record.sequence for record in records]
    table, structures = tables([(sequence, *fold(sequence)) for sequence in sequences])
    classic, of_stem = classic_features(table, structures), stem_features(table, structures)
    return table.assign(label=labels).merge(classic, on="id").merge(of_stem, on="id")


@pytest.fixture(scope="module")
def halves() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and evaluation records: every other one of 60 hairpins and 60 other RNAs."""
    records = demo(60)
    return records.iloc[::2], records.iloc[1::2]


@pytest.fixture(scope="module")
def scored(halves: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    return predict(*halves, seed=0)


def test_triplets_of_a_short_hairpin_match_hand_computation() -> None:
    """Every base but the first and last counts, with its own and its neighbours' states."""
    hairpin = ("GGGGAAACCCC", "((((...))))", -5.0)
    shares = classic_features(*tables([hairpin])).loc[0, list(TRIPLETS)]
    by_hand = {"G(((": 2, "G((.": 1, "A(..": 1, "A...": 1, "A..(": 1, "C.((": 1, "C(((": 2}
    assert shares[shares > 0].to_dict() == {name: n / 9 for name, n in by_hand.items()}


def test_there_are_32_triplets_and_37_features_in_a_fixed_order() -> None:
    assert len(set(TRIPLETS)) == 32
    table = classic_features(*tables([HAIRPIN]))
    assert table.columns.tolist() == ["id", *CLASSIC]
    assert len(CLASSIC) == 37


def test_other_features_match_hand_computation() -> None:
    table = classic_features(*tables([HAIRPIN, ("AACA", "....", 0.0)]))
    assert table["length"].tolist() == [10, 4]
    assert table["GC"].tolist() == [0.5, 0.25]
    assert table["MFE"].tolist() == [-2.5, 0]
    assert table["MFE/length"].tolist() == [0.25, 0]
    assert table["paired"].tolist() == [0.8, 0]


def test_features_equal_those_of_the_audit(
    halves: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    records, _ = halves
    structures = pd.DataFrame([fold(sequence) for sequence in records["sequence"]])
    structures.columns = ["structure", "mfe"]
    audited = features(records.reset_index(drop=True), structures.assign(id=records["id"].tolist()))
    for name in ("length", "GC", "MFE/length"):
        assert records[name].tolist() == audited[name].tolist()


def test_an_rna_below_3_nt_has_no_triplets() -> None:
    table = classic_features(*tables([("AC", "..", 0.0)]))
    assert table.loc[0, list(TRIPLETS)].tolist() == [0] * 32


def test_features_of_records_and_structures_of_different_rnas_are_refused() -> None:
    records, structures = tables([HAIRPIN, ("AACA", "....", 0.0)])
    with pytest.raises(InputError, match="same RNAs"):
        classic_features(records, structures.iloc[::-1].reset_index(drop=True))


def test_likeness_matches_hand_computation() -> None:
    """ORIGIN has three 8-mers; without its first base two remain, both shared."""
    assert likeness([ORIGIN], [ORIGIN[1:]]) == pytest.approx([2 / np.sqrt(3 * 2)])
    assert likeness([ORIGIN], ["C" * 9, ORIGIN[1:], ORIGIN]) == pytest.approx([1])
    assert likeness([ORIGIN], ["C" * 9]).tolist() == [0]


def test_a_repeated_8_mer_counts_once() -> None:
    assert likeness(["A" * 30 + "C"], ["A" * 8]) == pytest.approx([1 / np.sqrt(2)])


def test_8_mers_that_no_training_record_has_lower_the_likeness() -> None:
    assert likeness([ORIGIN + "GGAACC"], [ORIGIN]) == pytest.approx([3 / np.sqrt(9 * 3)])


def of_classes(positives: list[str], negatives: list[str]) -> pd.DataFrame:
    labels = [1] * len(positives) + [0] * len(negatives)
    return pd.DataFrame({"label": labels, "sequence": positives + negatives})


def test_the_nearest_neighbour_score_matches_hand_computation() -> None:
    train = of_classes([ORIGIN], [ORIGIN[1:], "C" * 9])
    similarity = 2 / np.sqrt(3 * 2)
    assert nearest_neighbour(train, [ORIGIN, ORIGIN[1:], "C" * 20]) == pytest.approx(
        [(1 + 1 - similarity) / 2, (1 + similarity - 1) / 2, 0]
    )


@pytest.mark.parametrize(
    "sequence",
    [ORIGIN, "G" * 20, "ACG"],
    ids=["equally similar", "nothing shared", "too short for an 8-mer"],
)
def test_a_tie_of_both_classes_is_called_negative(sequence: str) -> None:
    score = nearest_neighbour(of_classes([ORIGIN], ["C" * 9, ORIGIN]), [sequence])
    assert measure([0], score)["SP"] == 1
    assert score == pytest.approx([0.5], abs=1e-8)
    assert float(f"{score[0]:.9g}") < 0.5, "in the file too"


def test_rounding_does_not_break_a_tie() -> None:
    """Sharing 1 of 1 or 3 of 9 8-mers gives the cosine 1/√n, but not always when computed."""
    for length in range(20, 60):
        sequence = random_rna(np.random.default_rng(length), length)
        nine = sequence[:10] + ("A" if sequence[10] != "A" else "C") + "CAGUC"
        one = sequence[:8]
        assert likeness([sequence], [nine]) == pytest.approx(likeness([sequence], [one]))
        for train in (of_classes([one], [nine]), of_classes([nine], [one])):
            assert nearest_neighbour(train, [sequence]) < 0.5


def test_the_size_of_blocks_does_not_change_scores(
    halves: tuple[pd.DataFrame, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, evaluate = halves
    sequences = evaluate["sequence"].tolist()
    at_once = nearest_neighbour(train, sequences)
    for block in (1, 7, len(sequences)):
        monkeypatch.setattr("mirpair.identification.baselines.BLOCK", block)
        assert nearest_neighbour(train, sequences).tolist() == at_once.tolist()


def test_every_method_ranks_hairpins_above_other_rnas(scored: pd.DataFrame) -> None:
    for name in ("mfe-per-length", "logistic-regression", "random-forest"):
        assert measure(scored["label"], scored[name])["AUROC"] > 0.85, name


def test_every_evaluation_record_gets_a_score_of_every_method(
    halves: tuple[pd.DataFrame, pd.DataFrame], scored: pd.DataFrame
) -> None:
    assert scored.columns.tolist() == ["id", "label", *USUAL_BASELINES]
    assert scored["id"].tolist() == halves[1]["id"].tolist()
    assert scored["label"].tolist() == halves[1]["label"].tolist()
    values = scored[list(USUAL_BASELINES)].to_numpy()
    assert ((values >= 0) & (values <= 1)).all()


def test_scores_do_not_depend_on_the_number_of_threads(
    halves: tuple[pd.DataFrame, pd.DataFrame], scored: pd.DataFrame
) -> None:
    pd.testing.assert_frame_equal(predict(*halves, seed=0, threads=3), scored, check_exact=True)


def test_the_seed_changes_the_random_forest_only(
    halves: tuple[pd.DataFrame, pd.DataFrame], scored: pd.DataFrame
) -> None:
    other = predict(*halves, seed=1)
    assert other["random-forest"].tolist() != scored["random-forest"].tolist()
    same = scored.columns.drop("random-forest")
    pd.testing.assert_frame_equal(other[same], scored[same], check_exact=True)


def test_a_score_is_independent_of_evaluation_labels_and_other_evaluation_records(
    halves: tuple[pd.DataFrame, pd.DataFrame], scored: pd.DataFrame
) -> None:
    train, evaluate = halves
    few = evaluate.iloc[[50, 3, 11]].assign(label=[1, 1, 1])
    few_scored = predict(train, few, seed=0)
    assert few_scored["id"].tolist() == few["id"].tolist()
    expected = scored.set_index("id").loc[few_scored["id"], list(USUAL_BASELINES)]
    np.testing.assert_allclose(few_scored[list(USUAL_BASELINES)], expected, rtol=1e-12)


def test_classes_have_the_same_weight_for_any_number_of_records(
    halves: tuple[pd.DataFrame, pd.DataFrame], scored: pd.DataFrame
) -> None:
    """With every negative three times, a class-weighted fit stays the same on average."""
    train, evaluate = halves
    more = pd.concat([train, *[train[train["label"] == 0]] * 2])
    more_scored = predict(more, evaluate, seed=0)
    for name in ("mfe-per-length", "logistic-regression"):
        assert abs((more_scored[name] - scored[name]).mean()) < 0.01, name


def test_training_records_of_one_class_are_refused(
    halves: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    train, evaluate = halves
    with pytest.raises(InputError, match="all of one class"):
        predict(train[train["label"] == 1], evaluate, seed=0)


def test_the_random_forest_has_the_documented_settings(
    halves: tuple[pd.DataFrame, pd.DataFrame], scored: pd.DataFrame
) -> None:
    """It has 500 trees, balanced classes, the study's seed, and otherwise defaults."""
    train, evaluate = halves
    skewed = pd.concat([train, *[train[train["label"] == 0]] * 2])
    for records, scores in ((train, scored), (skewed, predict(skewed, evaluate, seed=0))):
        forest = RandomForestClassifier(500, class_weight="balanced", random_state=0)
        forest.fit(records[list(CLASSIC)].to_numpy(), records["label"].to_numpy())
        expected = forest.predict_proba(evaluate[list(CLASSIC)].to_numpy())[:, 1]
        assert scores["random-forest"].tolist() == pytest.approx(expected)


def test_gradient_boosting_learns_and_threads_do_not_change_it(
    halves: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    about = {"seed": 0, "methods": ["gradient-boosting"]}
    scores = predict(*halves, **about)  # type: ignore[arg-type]
    assert scores.columns.tolist() == ["id", "label", "gradient-boosting"]
    assert measure(scores["label"], scores["gradient-boosting"])["AUROC"] > 0.85
    again = predict(*halves, threads=2, **about)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(again, scores, check_exact=True)


def test_validation_records_decide_how_many_rounds_boosting_has(
    halves: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    """If they get worse with every round, there are few, and scores are nearer to one another."""
    train, evaluate = halves
    about: dict[str, Any] = {"seed": 0, "methods": ["gradient-boosting"]}
    spread = [
        predict(train, evaluate, validate=validate, **about)["gradient-boosting"].std()
        for validate in (evaluate, evaluate.assign(label=1 - evaluate["label"]))
    ]
    assert spread[1] < 0.8 * spread[0]


def test_triplet_svm_is_a_support_vector_machine_on_scaled_triplets(
    halves: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    """The grid's C and gamma with the highest accuracy; 0.5 is the border; only triplets count."""
    train, evaluate = halves
    about: dict[str, Any] = {"seed": 0, "methods": ["triplet-svm"]}
    scores = predict(train, evaluate, **about)["triplet-svm"]
    assert measure(evaluate["label"], scores)["AUROC"] > 0.85
    values, labels = train[list(TRIPLETS)].to_numpy(), train["label"].to_numpy()
    folds = StratifiedKFold(SVM_FOLDS, shuffle=True, random_state=0)
    grid = list(product(SVM_COSTS, SVM_GAMMAS))
    machines = [make_pipeline(MinMaxScaler(), SVC(C=cost, gamma=gamma)) for cost, gamma in grid]
    right = [cross_val_score(it, values, labels, cv=folds).mean() for it in machines]
    assert min(right) < max(right) - 0.05, "the choice matters"
    best = machines[right.index(max(right))].fit(values, labels)
    others = evaluate[list(TRIPLETS)].to_numpy()
    np.testing.assert_allclose(scores, expit(best.decision_function(others)))
    assert ((scores >= 0.5) == (best.predict(others) == 1)).all()
    changed = evaluate.assign(length=1, GC=0.0, MFE=0.0, label=0)
    pd.testing.assert_series_equal(predict(train, changed, **about)["triplet-svm"], scores)


@pytest.mark.parametrize("method", sorted(set(BASELINES) - {"nearest-8-mer"}))
def test_a_record_counts_by_its_weight(
    method: str, halves: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    train, evaluate = halves
    plain = predict(train, evaluate, seed=0, methods=[method])
    equal = predict(train.assign(weight=1.0), evaluate, seed=0, methods=[method])
    pd.testing.assert_frame_equal(equal, plain, check_exact=True)
    # Ten negatives with a wrong label do less harm the less they count.
    wrong = train.index.isin(train.index[train["label"] == 0][:10])
    mislabelled = train.assign(label=np.where(wrong, 1, train["label"]))
    harm = []
    for weight in (1.0, 0.01):
        weighted = mislabelled.assign(weight=np.where(wrong, weight, 1.0))
        scores = predict(weighted, evaluate, seed=0, methods=[method])[method]
        harm.append(scores - predict(train[~wrong], evaluate, seed=0, methods=[method])[method])
    assert harm[1].abs().mean() < harm[0].abs().mean()


def of_stem(sequence: str, structure: str, mfe: float = -6.0) -> dict[str, float]:
    table = stem_features(*tables([(sequence, structure, mfe)]))
    assert table.columns.tolist() == ["id", *STEM]
    return table[list(STEM)].iloc[0].to_dict()  # type: ignore[return-value]


def test_the_features_of_a_stem_by_hand() -> None:
    # From outside: two pairs, a bulge of 1, two pairs, an internal loop of 1 and 3, three pairs.
    structure = "..((.((.(((....)))...))))."
    sequence = "AAGGAGGAGGCUUGUGCCAAACCCUA"
    found = of_stem(sequence, structure)
    assert (found["stem pairs"], found["other pairs"], found["hairpins"]) == (7, 0, 1)
    assert (found["loop"], found["loop motif"]) == (4, 1), "UUGU"
    assert (found["5' flank"], found["3' flank"]) == (2, 1)
    assert (found["bulges"], found["largest bulge"]) == (1, 1)
    assert (found["internal loops"], found["largest internal loop"]) == (1, 4)
    assert (found["unpaired in stem"], found["asymmetry"]) == (5, 3)
    assert found["difference of arms"] == 1
    assert found["stem columns"] == 7 + 3 + 1
    assert found["longest helix"] == 3
    assert found["stem share"] == pytest.approx(23 / 26)
    assert found["MFE/pair"] == pytest.approx(-6 / 7)
    # From the loop: three pairs, three columns of the internal loop, two pairs, the bulge, two.
    assert (found["mismatches 1–5"], found["mismatches 6–10"]) == (2, 2)
    assert found["mismatches 11–15"] == 0


def test_the_main_stem_is_the_hairpin_with_most_pairs() -> None:
    found = of_stem("GGAGGGAAAACCCAGAAAACACC", "((.(((....))).(....).))", -5)
    assert (found["stem pairs"], found["other pairs"], found["hairpins"]) == (3, 3, 2)
    assert (found["5' flank"], found["3' flank"]) == (3, 10)
    assert found["GC pairs"] == 1
    assert found["GU or AU at the base"] == 0


def test_without_a_base_pair_all_features_of_the_stem_are_0() -> None:
    assert set(of_stem("ACGU", "....", 0.0).values()) == {0.0}


def test_gu_pairs_and_the_motif_of_the_loop_are_found() -> None:
    found = of_stem("GGGAUGUACCU", "(((.....)))")
    assert found["loop motif"] == 1
    assert found["GU pairs"] == pytest.approx(1 / 3)
    assert found["GU or AU at the base"] == 1
