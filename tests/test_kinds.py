"""Results by kind of RNA: which records they are of, their metrics and intervals, their curves."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score
from test_report import results as some_results

from mirpair.contracts import (
    AT_CALLS,
    BY_KIND,
    CURVES,
    CUTS,
    CUTTING,
    FEATURES,
    KINDS,
    RECALLS,
    TRUSTS,
    read_curves,
    read_kinds,
)
from mirpair.files import InputError, write_tsv
from mirpair.identification.cutting import by_cut, cutting_features
from mirpair.identification.figures import draw
from mirpair.identification.kind_figures import draw_kinds
from mirpair.identification.kinds import (
    CALLS,
    PRECISION,
    RELIABILITY,
    Method,
    calls_per_megabase,
    choose,
    evaluation_records,
    measure_kinds,
    methods_of,
    recall_at_calls,
    recall_by_calls,
    reliability,
)
from mirpair.identification.metrics import recall_at
from mirpair.identification.ranking import Ranking, allowed, intervals
from mirpair.identification.report import Section, answer
from mirpair.identification.tables import make_table, printable, read_table
from mirpair.pages.printing import BASELINE, BEST_MARK, OURS, write
from mirpair.study.identification import Study
from mirpair.study.load import load_study
from mirpair.study.plan import curves_of_kinds, figures_of_report
from mirpair.study.tables import Kinds, RecordKind

# A record: score in eighths, so that there are ties, and how often a resample has it.
drawn = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), min_size=1, max_size=25)


def test_recall_is_that_above_the_score_which_a_share_of_the_negatives_reach() -> None:
    """Of 200 negatives 1 % are two: the second highest has .98, and three of four are above it."""
    negatives = np.r_[0.99, 0.98, np.linspace(0, 0.9, 198)]
    positives = [1.0, 0.985, 0.981, 0.98]
    labels = np.r_[np.ones(4), np.zeros(200)]
    scores = np.r_[positives, negatives]
    assert recall_at(labels, scores, 0.01) == 3 / 4, "one with that very score is not above it"
    assert recall_at(labels, scores, 0.005) == 1 / 4
    assert math.isnan(recall_at(labels, scores, 0.001)), "a fifth of a negative"
    assert math.isnan(recall_at(np.zeros(200), negatives, 0.01)), "no pre-miRNA"


def test_a_share_of_the_negatives_is_counted_without_errors_of_rounding() -> None:
    assert allowed(0.07, 100) == 7, "0.07 * 100 is 7.000000000000001"
    assert allowed(0.001, 1000) == 1
    assert allowed(0.001, 999) == 0
    assert allowed(0.01, 150) == 2


@given(drawn, drawn)
def test_metrics_of_a_resample_are_those_of_its_records(
    positives: list[tuple[int, int]], negatives: list[tuple[int, int]]
) -> None:
    """Against scikit-learn and `recall_at`, with records as often as the resample has them."""
    p, n = (np.array([score / 8 for score, _ in it]) for it in (positives, negatives))
    times_p, times_n = (np.array([count for _, count in it]) for it in (positives, negatives))
    if not times_p.sum() or not times_n.sum():
        return
    fast = Ranking(p, n).measure(times_p[:, None], times_n[:, None])[:, 0]
    scores = np.r_[np.repeat(p, times_p), np.repeat(n, times_n)]
    labels = np.r_[np.ones(times_p.sum()), np.zeros(times_n.sum())]
    slow = [roc_auc_score(labels, scores), average_precision_score(labels, scores)]
    slow += [recall_at(labels, scores, share) for share in RECALLS.values()]
    assert list(fast) == pytest.approx(slow, nan_ok=True)


def test_recall_of_a_resample_with_hardly_any_of_the_highest_negatives_is_right() -> None:
    """The fast path looks at the highest negatives only; here none of them is drawn."""
    rng = np.random.default_rng(0)
    p, n = rng.random(50), rng.random(2000)
    times = np.ones((2000, 1), np.int32)
    high = np.argsort(-n)[:1000]
    times[high] = 0
    times[np.argsort(-n)[1000:]] = 2
    fast = Ranking(p, n).measure(np.ones((50, 1), np.int32), times)[2, 0]
    rest = np.sort(n)[:1000]
    labels = np.r_[np.ones(50), np.zeros(2000)]
    assert fast == recall_at(labels, np.r_[p, rest, rest], 0.01)


def test_an_interval_contains_its_value_and_is_wider_with_fewer_families() -> None:
    rng = np.random.default_rng(1)
    p, n = rng.normal(1.5, 1, 400), rng.normal(0, 1, 3000)
    methods = [[Ranking(p, n)]]
    singles = intervals(methods, np.arange(400), 3000, resamples=300)[0]
    values = methods[0][0].values()
    for (low, high), value in zip(singles, values, strict=True):
        assert low < value < high
    # Forty families of ten RNAs with the same score know no more than forty RNAs.
    alike = [[Ranking(np.repeat(p[:40], 10), n)]]
    families = intervals(alike, np.repeat(np.arange(40), 10), 3000, resamples=300)[0]
    forgetful = intervals(alike, np.arange(400), 3000, resamples=300)[0]
    width = np.diff(families, axis=1) / np.diff(forgetful, axis=1)
    assert (width[[0, 2]] > 2).all(), "one over the square root of ten, nearly"


def test_the_interval_of_a_share_of_families_matches_the_binomial_distribution() -> None:
    """Half of 100 pre-miRNAs are above all negatives: .5 ± 1.96 standard errors."""
    p = np.r_[np.full(50, 2.0), np.full(50, -1.0)]
    limits = intervals([[Ranking(p, np.linspace(0, 1, 500))]], np.arange(100), 500)
    assert list(limits[0, 2]) == pytest.approx([0.402, 0.598], abs=0.015)


def test_all_methods_have_the_same_resamples_whatever_the_size_of_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(2)
    p, n = rng.random(30), rng.random(300)
    one = [Ranking(p, n)]
    both = intervals([one, one], np.arange(30), 300, resamples=70)
    assert (both[0] == both[1])[~np.isnan(both[0])].all()
    monkeypatch.setattr("mirpair.identification.ranking.BATCH", 7)
    again = intervals([one], np.arange(30), 300, resamples=70)
    np.testing.assert_array_equal(again[0], both[0])


def test_the_mean_over_seeds_is_measured_on_the_same_resamples() -> None:
    """One training finds what the other misses, so their mean recall is .5 on every resample."""
    n = np.linspace(0, 1, 200)
    first = Ranking(np.r_[np.full(20, 2.0), np.full(20, -1.0)], n)
    second = Ranking(np.r_[np.full(20, -1.0), np.full(20, 2.0)], n)
    limits = intervals([[first, second]], np.arange(40), 200, resamples=100)
    assert list(limits[0, 2]) == [0.5, 0.5]


def test_one_family_has_no_interval() -> None:
    ranking = Ranking(np.array([0.9, 0.8]), np.linspace(0, 1, 100))
    assert np.isnan(intervals([[ranking]], np.zeros(2), 100, resamples=5)).all()


def some_records() -> pd.DataFrame:
    """Two hairpins in three cuts, a related one, and negatives of two collections and a file."""
    rows = [
        ("hsa-mir-1/hairpin", 1, "animals", "MI1", "hsa", "mir-1", "hairpin", "supported"),
        ("hsa-mir-1/pre", 1, "animals", "MI1", "hsa", "mir-1", "pre-mirna", "supported"),
        ("dme-mir-2/hairpin", 1, "animals", "MI2", "dme", "mir-2", "hairpin", "doubtful"),
        ("dme-mir-3/hairpin", 1, "animals", "MI3", "dme", "mir-3", "hairpin", "unknown"),
        ("X:1-60(+)", 0, "genome", "", "hsa", "", "scanned", "unknown"),
        ("X:9-70(+)", 0, "genome", "", "hsa", "", "window", "unknown"),
        ("c:1-60(+)", 0, "coding", "", "", "", "scanned", "unknown"),
        ("rna", 0, "other.fa", "", "", "", "as-published", "unknown"),
    ]
    names = ["id", "label", "collection", "accession", "species", "family", "cut", "trust"]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.parametrize(
    ("label", "kind", "ids"),
    [
        (1, {}, [0, 1, 2, 3]),
        (1, {"cuts": ["hairpin"], "trust": ["supported", "unknown"]}, [0, 3]),
        (1, {"species": ["HSA"]}, [0, 1]),
        (1, {"newer_than": "older.fa"}, [2, 3]),
        (0, {"collections": ["genome", "other.fa"]}, [4, 5, 7]),
        (0, {"cuts": ["as-published"]}, [7]),
    ],
)
def test_a_kind_has_the_records_that_meet_all_its_conditions(
    label: int, kind: dict[str, Any], ids: list[int]
) -> None:
    chosen = choose(
        some_records(),
        label,
        RecordKind(**kind).model_dump(),
        {"older.fa": {"MI1"}},
        name="mine",
    )
    assert np.flatnonzero(chosen).tolist() == ids


def test_a_kind_without_records_says_which_condition_leaves_none() -> None:
    kind = RecordKind(collections=["animals"], cuts=["scanned"]).model_dump()
    with pytest.raises(InputError, match=r"the kind 'mine'.*cuts: \[scanned\].*hairpin, pre-mirna"):
        choose(some_records(), 1, kind, {}, name="mine")
    kind = RecordKind(newer_than="older.fa").model_dump()
    with pytest.raises(InputError, match=r"'mine': no pre-miRNA .* is newer than older\.fa"):
        choose(some_records(), 1, kind, {"older.fa": {"MI1", "MI2", "MI3"}}, name="mine")


def test_origins_are_those_of_the_place_in_the_file() -> None:
    """Ids of a cleaned set differ from those of its files, and records may be left out."""
    records = pd.DataFrame(
        {
            "id": ["a:x", "a:z", "b"],
            "label": [1, 1, 0],
            "sequence": "ACGU",
            "file": ["r/a.fa", "r/a.fa", "r/b.fa"],
            "number": [1, 3, 1],
        }
    )
    origins = pd.DataFrame(
        {
            "id": ["x", "y", "z"],
            "accession": ["1", "2", "3"],
            "species": "hsa",
            "family": ["f", "", "g"],
            "cut": ["hairpin", "hairpin", ""],
            "trust": ["", "", "related"],
        }
    )
    experiment = pd.DataFrame(
        {"id": ["a:z", "a:x", "b"], "set": "s", "role": ["evaluate", "train", "evaluate"]}
    )
    table = evaluation_records(experiment, records, {"r/a.fa": origins}, {"r/a.fa": "a"})
    assert table["id"].tolist() == ["a:z", "b"]
    assert table.iloc[0][["accession", "family", "cut", "trust"]].tolist() == [
        "3",
        "g",
        "as-published",
        "related",
    ]
    assert table["collection"].tolist() == ["a", "r/b.fa"]
    assert table.iloc[1][["family", "cut", "trust"]].tolist() == ["", "as-published", "unknown"]


def test_calls_a_megabase_scale_the_scanned_sample_to_all_hairpins_of_the_genome() -> None:
    """10 scanned records of 500 hairpins in 2 Mb: each called one is 25 calls a megabase."""
    records = pd.DataFrame(
        {
            "id": [str(it) for it in range(14)],
            "label": 0,
            "collection": ["g"] * 12 + ["other"] * 2,
            "cut": ["scanned"] * 10 + ["window"] * 2 + ["scanned"] * 2,
        }
    )
    every = np.ones(14, dtype=bool)
    summaries = {"g": {"hairpins": 500, "bases": 2_000_000}, "other": {"rnas": 2}}
    weights = calls_per_megabase(records, every, summaries)
    assert weights is not None
    assert weights[:10].tolist() == [25.0] * 10
    assert weights[10:].tolist() == [0.0] * 4, "cut otherwise, or of no genome"
    assert calls_per_megabase(records, every, {"other": {"rnas": 2}}) is None


def test_two_genomes_share_the_calls_by_their_bases() -> None:
    """One hairpin a genome: of both called, 30 + 70 hairpins in 4 Mb are 25 calls a megabase."""
    records = pd.DataFrame(
        {"id": ["a", "b"], "label": 0, "collection": ["g", "h"], "cut": "scanned"}
    )
    summaries = {
        "g": {"hairpins": 30, "bases": 1_000_000},
        "h": {"hairpins": 70, "bases": 3_000_000},
    }
    weights = calls_per_megabase(records, np.ones(2, dtype=bool), summaries)
    assert weights is not None
    assert weights.tolist() == [7.5, 17.5]


def test_recall_at_calls_a_megabase_is_right_by_hand() -> None:
    """Two of three positives are above every negative, the third has two above or at it."""
    positives, negatives = np.array([0.9, 0.8, 0.5]), np.array([0.7, 0.5, 0.1])
    calls, recall = recall_by_calls(positives, negatives, np.array([2.0, 3.0, 4.0]))
    assert calls.tolist() == [0, 0, 5]
    assert recall.tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    assert recall_at_calls(calls, recall, 1) == pytest.approx(2 / 3)
    assert recall_at_calls(calls, recall, 5) == 1
    only_bad = recall_by_calls(np.array([0.2]), negatives, np.array([2.0, 3.0, 4.0]))
    assert recall_at_calls(*only_bad, 1) == 0


def test_reliability_weighs_both_classes_alike() -> None:
    """At .95 are 40 of 40 positives and 100 of 1000 negatives: 1 against .1 of their classes."""
    score, share = reliability(np.full(40, 0.95), np.r_[np.full(100, 0.95), np.full(900, 0.05)])
    assert score.tolist() == pytest.approx([0.05, 0.95])
    assert share.tolist() == pytest.approx([0, 1 / 1.1])


def test_a_bin_with_few_records_is_not_shown() -> None:
    score, _ = reliability(np.full(40, 0.95), np.r_[np.full(100, 0.05), 0.5])
    assert score.tolist() == pytest.approx([0.05, 0.95])


def a_study(seed: int = 0) -> tuple[pd.DataFrame, list[Method], dict[str, Any]]:
    """Records of two kinds a class, a good network of two seeds, and a baseline by chance."""
    rng = np.random.default_rng(seed)
    count = {"positives": 120, "negatives": 800}
    label = np.repeat([1, 0], list(count.values()))
    total = len(label)
    records = pd.DataFrame(
        {
            "id": [f"r{it}" for it in range(total)],
            "label": label,
            "collection": np.where(label, "animals", rng.choice(["genome", "coding"], total)),
            "accession": "",
            "species": "hsa",
            "family": np.where(label, [f"mir-{it % 30}" for it in range(total)], ""),
            "cut": np.where(label, rng.choice(["hairpin", "pre-mirna"], total), "scanned"),
            "trust": "unknown",
        }
    )
    predictions = [
        pd.DataFrame(
            {"id": records["id"], "score": 1 / (1 + np.exp(-rng.normal(3 * label - 1.5, 1.5)))}
        )
        for _ in range(2)
    ]
    runs = [
        {"label": "Stem network", "model": "stem", "recipe": "r", "epochs": 3, "trainings": 1}
        for _ in range(2)
    ]
    baselines = pd.DataFrame({"id": records["id"], "mfe-per-length": rng.random(total)})
    table = Kinds(
        title="By kind",
        experiment="families",
        positives={
            "precursors": RecordKind(cuts=["pre-mirna"]),
            "hairpins": RecordKind(cuts=["hairpin"]),
        },
        negatives={
            "genome": RecordKind(collections=["genome"]),
            "coding": RecordKind(collections=["coding"]),
        },
        rows=[["precursors", "genome"], ["hairpins", "coding"]],
    ).model_dump()
    return records, methods_of(records, runs, predictions, baselines), table


SUMMARIES = {"genome": {"hairpins": 4000, "bases": 2_000_000}, "coding": {"rnas": 400}}


def test_a_table_has_a_line_for_each_row_and_method_and_the_ensemble_of_seeds() -> None:
    records, methods, table = a_study()
    results, _ = measure_kinds(table, records, methods, {}, SUMMARIES, resamples=50)
    assert (
        results["method"].tolist()
        == [
            "Stem network",
            "Stem network, ensemble",
            "|MFE| / length",
        ]
        * 2
    )
    assert results["seeds"].tolist() == [2, 2, 0] * 2
    assert results["averaged"].tolist() == [2, 1, 1] * 2
    first = results.iloc[:3].set_index("method")
    positive = ((records["label"] == 1) & (records["cut"] == "pre-mirna")).to_numpy()
    negative = (records["collection"] == "genome").to_numpy()
    used = positive | negative
    scores = methods[0].scores[:, used]
    labels = records.loc[used, "label"]
    assert first["positives"].iloc[0] == positive.sum()
    assert first["families"].iloc[0] == records.loc[positive, "family"].nunique()
    each = [roc_auc_score(labels, one) for one in scores]
    assert first.loc["Stem network", "AUROC"] == pytest.approx(np.mean(each))
    together = average_precision_score(labels, scores.mean(axis=0))
    assert first.loc["Stem network, ensemble", "AUPR"] == pytest.approx(together)
    recall = recall_at(labels, scores.mean(axis=0), 0.01)
    assert first.loc["Stem network, ensemble", "R@1%"] == pytest.approx(recall)
    assert (first["AUROC low"] < first["AUROC"]).all()
    assert (first["AUROC"] < first["AUROC high"]).all()
    assert results["R@1/Mb"].notna().tolist() == [True] * 3 + [False] * 3


def test_a_network_is_averaged_with_gradient_boosting_too() -> None:
    records, (_, ensemble, _), _ = a_study()
    boosting = pd.DataFrame({"id": records["id"], "gradient-boosting": np.linspace(0, 1, 920)})
    runs = [{"label": "net", "model": "m", "recipe": "r", "epochs": 1, "trainings": 1}] * 2
    scores = [pd.DataFrame({"id": records["id"], "score": ensemble.scores[0]})] * 2
    methods = methods_of(records, runs, scores, boosting)
    names = ["net", "net, ensemble", "Gradient boosting"]
    assert [it.name for it in methods] == [*names, "net, ensemble, averaged with gradient boosting"]
    expected = (ensemble.scores[0] + np.linspace(0, 1, 920)) / 2
    np.testing.assert_allclose(methods[-1].scores, [expected], rtol=1e-12)


def test_an_average_of_networks_is_one_method_that_counts_its_trainings() -> None:
    records, _, table = a_study()
    scores = pd.DataFrame({"id": records["id"], "score": np.linspace(0, 1, len(records))})
    run = {"label": "Both", "model": "both", "recipe": "r", "epochs": 0, "trainings": 4}
    methods = methods_of(records, [run], [scores], pd.DataFrame({"id": []}))
    results, _ = measure_kinds(table, records, methods, {}, SUMMARIES, resamples=5)
    assert results["method"].tolist() == ["Both", "Both"], "it is no ensemble of seeds"
    assert results["seeds"].tolist() == [4, 4]
    assert results["averaged"].tolist() == [1, 1]


def test_the_curves_end_where_the_records_end() -> None:
    records, methods, table = a_study()
    _, curves = measure_kinds(table, records, methods, {}, SUMMARIES, resamples=5)
    assert set(curves["method"]) == {"Stem network, ensemble", "|MFE| / length"}
    row = curves[(curves["kind of positives"] == "precursors") & (curves["recipe"] == "r")]
    precision = row[row["curve"] == PRECISION]
    assert precision["x"].is_monotonic_increasing
    assert precision["x"].iloc[-1] == 1
    calls = row[row["curve"] == CALLS]
    assert calls["x"].is_monotonic_increasing
    assert calls["y"].iloc[-1] == 1
    assert calls["x"].max() <= 2000, "4,000 hairpins in 2 Mb"
    of_coding = curves[curves["kind of negatives"] == "coding"]
    assert set(of_coding["curve"]) == {PRECISION, RELIABILITY}


def test_a_curve_without_points_has_a_figure_that_says_so(tmp_path: Path) -> None:
    records, methods, table = a_study()
    _, curves = measure_kinds(table, records, methods, {}, SUMMARIES, resamples=5)
    figure = draw_kinds(curves[curves["curve"] != CALLS], CALLS, "By kind")
    (axis,) = figure.axes
    assert [it.get_text() for it in axis.texts] == ["No row has enough records for this curve."]
    assert axis.texts[0].get_visible()


def test_a_missing_score_stops_and_names_the_record() -> None:
    records = some_records()
    run = {"label": "net", "model": "m", "recipe": "r", "epochs": 1, "trainings": 1}
    scores = pd.DataFrame({"id": records["id"].iloc[1:], "score": 0.5})
    with pytest.raises(InputError, match=r"net has no score .* 'hsa-mir-1/hairpin'"):
        methods_of(records, [run], [scores], pd.DataFrame({"id": []}))


def test_tables_and_figures_are_made_from_the_files_of_the_stage(tmp_path: Path) -> None:
    records, methods, table = a_study()
    results, curves = measure_kinds(table, records, methods, {}, SUMMARIES, resamples=20)
    write_tsv(results, tmp_path / "t.tsv", float_format="%.6f")
    write_tsv(curves, tmp_path / "c.tsv", float_format="%.6g")
    assert list(read_kinds(tmp_path / "t.tsv").columns) == list(KINDS)
    assert list(read_curves(tmp_path / "c.tsv").columns) == list(CURVES)
    made = make_table("kinds", {"measured": [str(tmp_path / "t.tsv")]}, {})
    shown = printable(made, "By kind")
    assert shown.text["Pre-miRNAs"].iloc[0].startswith("precursors (")
    assert "families" in shown.text["Pre-miRNAs"].iloc[0]
    assert shown.text["Method"].iloc[0] == "Stem network, mean of 2 seeds"
    assert shown.text["Method"].iloc[1] == "Stem network, ensemble"
    marked = shown.text["AUROC"].str.contains(BEST_MARK)
    assert marked.groupby(shown.text["Other RNAs"]).sum().ge(1).all()
    assert not marked[shown.text["Method"] == "|MFE| / length"].any()
    assert shown.text["R@0.1%"].eq("–").all(), "there are fewer than 1,000 negatives"
    assert list(shown.kinds) == [OURS, OURS, BASELINE] * 2
    for suffix in ("csv", "md", "tex", "html"):
        write(shown, tmp_path / f"by-kind.{suffix}")
    again = printable(read_table(tmp_path / "by-kind.csv"), "By kind")
    pd.testing.assert_frame_equal(again.text, shown.text)
    for curve, panels in ((PRECISION, 2), (CALLS, 1), (RELIABILITY, 2)):
        figure = draw("kinds", [str(tmp_path / "c.tsv")], {"curve": curve, "title": "t"})
        visible = [axis for axis in figure.axes if axis.get_visible()]
        assert len(visible) == panels
        assert all(axis.get_xscale() == ("log" if curve == CALLS else "linear") for axis in visible)
        assert all(len(axis.get_lines()) >= 2 for axis in visible)


def test_the_report_says_the_best_method_of_each_row() -> None:
    records, methods, table = a_study()
    results, _ = measure_kinds(table, records, methods, {}, SUMMARIES, resamples=5)
    headline, sentences = answer(
        [Section("by-kind", "By kind", results.assign(source=[OURS, OURS, BASELINE] * 2))]
    )
    assert headline.startswith("Best method by AUPR. precursors against genome: Stem network")
    assert "the best baseline, |MFE| / length" in headline
    assert len(sentences) == 1
    assert sentences[0].startswith("hairpins against coding: ")


def test_the_first_table_decides_which_sort_of_result_is_the_answer() -> None:
    records, methods, table = a_study()
    measured, _ = measure_kinds(table, records, methods, {}, SUMMARIES, resamples=5)
    kinds = Section("by-kind", "By kind", measured.assign(source=[OURS, OURS, BASELINE] * 2))
    frame = some_results().query("source == @OURS").assign(reproduces="")
    results = Section("results", "Results", frame)
    headline, _ = answer([kinds, results])
    assert headline.startswith("Best method by AUPR. precursors against genome: Stem network")
    headline, sentences = answer([results, kinds])
    assert (
        headline == "Best network by AUPR: Proposed variable-sized (CV), AUPR 0.750, AUROC 0.750."
    )
    assert any(it.startswith("precursors against genome") for it in sentences)


def cut_records() -> tuple[pd.DataFrame, pd.DataFrame, list[Method]]:
    """Pre-miRNAs of two cuts, negatives of one: length tells hairpins from negatives, no more.

    Pre-miRNAs proper have the lengths of the negatives; the network knows them all.
    """
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for role in ("train", "evaluate"):
        for label, cut, shortest in ((1, "hairpin", 90), (1, "scanned", 50), (0, "scanned", 50)):
            for number in range(60):
                length = int(rng.integers(shortest, shortest + 20))
                sequence = "".join(rng.choice(list("ACGU"), length))
                name = f"{role}-{label}-{cut}-{number}"
                rows.append({"id": name, "label": label, "sequence": sequence, "cut": cut})
                rows[-1] |= {"role": role, "set": "s"}
    table = pd.DataFrame(rows)
    inner = table["sequence"].str.len() - 10
    structures = pd.DataFrame(
        {"id": table["id"], "structure": ["(((" + "." * (it + 4) + ")))" for it in inner]}
    ).assign(mfe=-10.0)
    features = cutting_features(table, structures)
    joined = table[["id", "set", "role"]].merge(features, on="id")
    evaluated = table[table["role"] == "evaluate"].reset_index(drop=True)
    scores = evaluated["label"].to_numpy(dtype=float)[None]
    run = {"model": "stem", "recipe": "r", "epochs": 1}
    return joined, evaluated, [Method("Stem network", run, scores, 1)]


def test_what_cutting_tells_is_small_where_both_classes_are_cut_alike(tmp_path: Path) -> None:
    table = by_cut(*cut_records(), seed=0)
    lines = table.set_index(["cut of positives", "cut of negatives"])
    assert list(lines.index) == [
        ("all", "scanned"),
        ("hairpin", "scanned"),
        ("scanned", "scanned"),
    ]
    cutting = lines["AUROC of cutting alone"]
    assert cutting["hairpin", "scanned"] > 0.99
    assert 0.3 < cutting["scanned", "scanned"] < 0.7
    assert lines.loc[("hairpin", "scanned"), f"AUROC of {FEATURES['length']}"] == 1
    assert (lines["AUROC of the network"] == 1).all()
    share = lines["share of skill"]
    assert share["all", "scanned"] == pytest.approx(2 * (cutting["all", "scanned"] - 0.5))
    write_tsv(table, tmp_path / "t.tsv", float_format="%.6f")
    read = make_table("cutting", {"measured": [str(tmp_path / "t.tsv")]}, {})
    assert list(read.columns) == list(CUTTING)
    shown = printable(read, "Cutting")
    assert shown.text["Pre-miRNAs cut"].tolist()[1] == "hairpin (60)"
    assert shown.text["Share of skill"].iloc[1].endswith(" %")
    assert "Stem network" in shown.notes[0]


def test_unpaired_ends_are_those_outside_the_outermost_pairs() -> None:
    records = pd.DataFrame({"id": ["a", "b"], "label": 1, "sequence": ["GACGUAAC", "AAAA"]})
    structures = pd.DataFrame({"id": ["a", "b"], "structure": [".((..)).", "...."], "mfe": -1.0})
    table = cutting_features(records, structures)
    assert table["unpaired 5′"].tolist() == [1, 2]
    assert table["unpaired 3′"].tolist() == [1, 2]
    assert table["first base"].tolist() == [2, 0]
    assert table["last base"].tolist() == [1, 0]


def test_a_config_knows_all_cuts_and_trusts() -> None:
    RecordKind(cuts=[*CUTS, "as-published"], trust=[*TRUSTS, "unknown"])
    assert set(BY_KIND) < set(KINDS)
    assert set(AT_CALLS) < set(KINDS)


def a_config(**table: Any) -> dict[str, Any]:
    """A study of two collections with a split in time, and a table of kinds."""
    return {
        "study": "mine",
        "title": "Mine",
        "collections": {"animals": {"source": "hairpins", "file": "hairpin.fa"}},
        "datasets": {"mine": {"positives": ["animals"], "negatives": ["other.fa"]}},
        "experiments": {
            "new": {"split": "time", "dataset": "mine", "older": "older.fa"},
            "cv": {"split": "k-fold", "dataset": "mine", "folds": 3},
        },
        "runs": [{"models": ["variable"]}],
        "tables": {
            "by-kind": {
                "title": "By kind",
                "experiment": "new",
                "positives": {"all": {}, "newest": {"newer_than": "newer.fa"}},
                "negatives": {"other": {"collections": ["other.fa"]}},
                "rows": [["all", "other"]],
                **table,
            },
            "cutting": {"title": "Cutting", "experiment": "new"},
        },
    }


def test_a_study_knows_the_files_and_figures_of_its_tables_of_kinds() -> None:
    study = load_study(a_config())
    assert isinstance(study, Study)
    assert "newer.fa" in study.source_refs()
    assert list(curves_of_kinds(study)["by-kind"]) == [PRECISION, RELIABILITY]
    figures = figures_of_report(study, has_figure3=False)
    assert figures[f"kinds/by-kind/{PRECISION}"] == (
        "Precision and recall: By kind",
        "kinds-precision-recall",
    )
    for _, caption in figures.values():
        assert (ROOT / "rules" / "captions" / f"{caption}.rst").is_file()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"experiment": "cv"}, "tables.by-kind: 'cv' has folds; name an experiment without folds"),
        ({"experiment": "nowhere"}, "there is no experiment named 'nowhere'"),
        ({"rows": [["all", "others"]]}, "the kind 'others' of row 1 is not among `negatives`"),
        ({"rows": [["all", "other"]] * 2}, "tables.by-kind: rows: a row is listed twice"),
        (
            {"negatives": {"other": {"collections": ["animals"]}}},
            "negatives.other: 'animals' is not among the negatives of the set: other.fa",
        ),
        ({"positives": {"all": {"cuts": ["sliced"]}}}, "tables.by-kind.positives.all.cuts.1"),
    ],
)
def test_a_table_of_kinds_that_cannot_be_made_is_explained(
    table: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        load_study(a_config(**table))
