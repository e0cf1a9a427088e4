"""Tables: published values as printed, ours beside them, what falls short labelled so."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

from mirpair.contracts import (
    AUDIT,
    BASELINE_RUN,
    FEATURES,
    METRICS,
    SET_FEATURES,
    SUMMARY,
    is_baseline,
    read_published_counts,
    read_published_results,
)
from mirpair.files import InputError, write_tsv
from mirpair.identification.comparison import (
    agreement,
    cleaned_table,
    results_table,
    seeds_table,
)
from mirpair.identification.tables import (
    audit_table,
    counts_table,
    epochs_table,
    formatted,
    make_table,
    notes,
    printable,
    read_table,
)
from mirpair.pages.printing import to_text, write

PUBLISHED = ROOT / "config" / "published"


def published_rows() -> list[tuple[str, dict[str, float]]]:
    rows = []
    for number in (2, 3, 4):
        table = read_published_results(PUBLISHED / f"table{number}.tsv")
        for row in table.to_dict("records"):
            rows.append((f"table {number}, {row['method']} ({row['protocol']})", row))
    return rows


def agrees(printed: float, formula: object, *values: float) -> bool:
    """Whether rounded values can give the printed one: the formula at both ends of each."""
    ends = [
        formula(*(value + shift for value, shift in zip(values, shifts, strict=True)))  # type: ignore[operator]
        for shifts in product((-0.0005, 0.0005), repeat=len(values))
    ]
    return min(ends) - 0.0005 - 1e-9 <= printed <= max(ends) + 0.0005 + 1e-9


@pytest.mark.parametrize(("where", "row"), published_rows())
def test_published_rows_agree_with_their_own_formulas(where: str, row: dict[str, float]) -> None:
    """F-score from SE and PPV, g-mean from SE and SP; rows over folds are means, so not those."""
    if "(CV)" in where:
        return
    assert agrees(row["F-score"], lambda se, ppv: 2 * se * ppv / (se + ppv), row["SE"], row["PPV"])
    assert agrees(row["g-mean"], lambda se, sp: math.sqrt(se * sp), row["SE"], row["SP"])


def test_the_published_tables_are_whole() -> None:
    sizes = {n: len(read_published_results(PUBLISHED / f"table{n}.tsv")) for n in (2, 3, 4)}
    assert sizes == {2: 22, 3: 22, 4: 11}, "of the paper and deepMiRGene's own logs"
    rows = dict(published_rows())
    # Spot checks against the paper, the misprinted 0954 of Table 3 among them.
    assert rows["table 3, deepMiRGene-rerun (test)"]["AUPR"] == 0.954
    assert rows["table 2, Proposed variable-sized (CV)"]["AUPR"] == 0.922
    assert rows["table 4, Without pairing matrix (test)"]["SE"] == 0.855
    assert math.isnan(rows["table 2, miRBoost (CV)"]["AUROC"])


RUN = {"group": "cv", "model": "variable", "recipe": "paper", "epochs": 40}


def summary(**changes: object) -> pd.DataFrame:
    """A row of ours: all metrics .6, .5 to .7, by three folds."""
    numbers = dict.fromkeys(METRICS, 0.6)
    numbers |= {f"{name} low": 0.5 for name in METRICS} | {f"{name} high": 0.7 for name in METRICS}
    numbers |= {f"{name} sd": math.nan for name in METRICS}
    counts = {"subset": "all", "folds": "1 2 3", "seeds": 1, "positives": 9, "negatives": 90}
    return pd.DataFrame([{**RUN, **counts, **numbers, **changes}])


def runs(**changes: object) -> pd.DataFrame:
    names: dict[str, object] = {"label": "Variable-sized", "published": "Proposed variable-sized"}
    names |= {"usual": 40, "trainings": 1}
    return pd.DataFrame([{**RUN, **names, **changes}])


BASELINE = summary(model="random-forest", **BASELINE_RUN)


def stated(**changes: object) -> pd.DataFrame:
    row = {"method": "Proposed variable-sized", "protocol": "CV", "note": ""}
    return pd.DataFrame([{**row, **dict.fromkeys(METRICS, 0.6), **changes}])


def test_a_row_of_ours_has_its_values_its_interval_and_how_it_was_made() -> None:
    (row,) = results_table({"CV": "cv"}, summary(seeds=2), runs(), {"cv": 3}).to_dict("records")
    assert (row["method"], row["source"]) == ("Variable-sized", "this run")
    assert (row["SE"], row["SE low"], row["SE high"]) == (0.6, 0.5, 0.7)
    assert row["note"] == "recipe paper, 40 epochs, 3 folds, 2 seeds"
    assert row["SE agrees"] == "", "with nothing"


def of_seeds(**changes: object) -> pd.DataFrame:
    """A table with a published row, and ours of three seeds that reproduces it."""
    given: dict[str, object] = {f"{name} sd": 0.01 for name in METRICS} | {"seeds": 3}
    return results_table(
        {"CV": "cv"},
        summary(**{**given, **changes}),
        runs(),
        {"cv": 3},
        stated(SE=0.6605, SP=0.5395),
    )


def test_published_values_are_compared_with_the_variation_of_seeds() -> None:
    """Ours are .0605 below, of which .0005 is rounding: 6 SDs of .01.

    The limit of three seeds is 4.303 · √(4/3) = 4.97.
    """
    table = seeds_table({"human": of_seeds(), "new": of_seeds(**{"PPV sd": 0.0})})
    first, second = table.to_dict("records")
    assert (first["method"], first["protocol"]) == ("Variable-sized", "human, CV")
    assert (first["recipe"], first["seeds"]) == ("paper", 3)
    assert first["limit"] == pytest.approx(4.3027 * math.sqrt(4 / 3), abs=1e-3)
    assert first["SE deviation"] == pytest.approx(-6)
    assert first["SP deviation"] == pytest.approx(6)
    assert [first[f"{it} agrees"] for it in ("SE", "SP", "PPV")] == ["below", "above", "inside"]
    assert (first["SE published"], first["SE mean"], first["SE sd"]) == (0.6605, 0.6, 0.01)
    assert second["protocol"] == "new, CV"
    assert math.isnan(second["PPV deviation"]), "all seeds have the same"
    shown = printable(table, "Seeds")
    row = shown.text.iloc[0]
    assert row["Method"] == "Variable-sized (human, CV)"
    assert (row["SE"], row["SP"], row["PPV"]) == ("-6.0 ▼", "+6.0 ▲", "+0.0 ✓")
    assert shown.text.iloc[1]["PPV"] == "–"
    assert shown.below.iloc[0]["SE"] == "0.600 ± 0.010"
    assert "Recipe paper: inside in 9 of 13 cells." in shown.notes
    assert "of 3 seeds, up to 4.97 standard deviations" in shown.notes[0]


def test_rounding_to_three_decimals_is_no_difference() -> None:
    """Ours are .0004 below, 40 SDs of .00001; and .0007 above, of which .0002 is beyond it."""
    table = seeds_table({"human": of_seeds(**{"SE": 0.6601, "SP": 0.5402, "SE sd": 1e-5})})
    (row,) = table.to_dict("records")
    assert (row["SE deviation"], row["SE agrees"]) == (0, "inside")
    assert row["SP deviation"] == pytest.approx(0.02)


def test_a_row_of_one_seed_or_in_part_is_not_compared_with_the_variation() -> None:
    assert seeds_table({"human": of_seeds(seeds=1)}).empty
    assert seeds_table({"human": of_seeds(folds="1")}).empty
    more = seeds_table({"human": of_seeds(seeds=5)})
    assert more["limit"].tolist() == pytest.approx([2.7764 * math.sqrt(6 / 5)], abs=1e-3)


def test_limits_of_the_note_are_those_of_the_rows() -> None:
    table = seeds_table({"a": of_seeds(seeds=5), "b": of_seeds(seeds=2)})
    limits = "of 2 seeds, up to 15.56 standard deviations, of 5 seeds, up to 3.04 standard"
    assert limits in printable(table, "Seeds").notes[0]


def test_a_row_that_averages_trainings_says_of_how_many() -> None:
    described = runs(model="both", trainings=6, label="Both", published="")
    both = summary(model="both")
    (row,) = results_table({"CV": "cv"}, both, described, {"cv": 3}).to_dict("records")
    assert (row["method"], row["source"]) == ("Both", "this run")
    assert row["note"] == "recipe paper, mean score of 6 trainings, 40 epochs, 3 folds"
    assert row["whole"]
    described, both = described.assign(epochs=2), both.assign(epochs=2)
    (row,) = results_table({"CV": "cv"}, both, described, {"cv": 3}).to_dict("records")
    assert row["note"] == "recipe paper, mean score of 6 trainings, only 2 of 40 epochs, 3 folds"
    assert not row["whole"]


def test_a_row_without_all_folds_is_not_whole_whatever_its_epochs() -> None:
    table = results_table({"CV": "cv"}, summary(folds="1 2"), runs(), {"cv": 3}, stated())
    ours = table[table["source"] == "this run"].iloc[0]
    assert not ours["whole"]
    assert ours["note"] == "recipe paper, 40 epochs, only fold 1, 2 of 3"
    assert ours["SE agrees"] == "", "it is not compared"


def test_a_row_that_is_short_of_its_recipe_says_so() -> None:
    one = summary(epochs=2, folds="1")
    table = results_table({"CV": "cv"}, one, runs(epochs=2), {"cv": 5}, stated())
    ours = table[table["source"] == "this run"].iloc[0]
    assert ours["note"] == "recipe paper, only 2 of 40 epochs, only fold 1 of 5"
    assert not ours["whole"]
    assert agreement(table).loc["paper", "cells"] == 0
    assert notes(table) == []
    few = results_table({"CV": "cv"}, summary(epochs=2), runs(epochs=2), {"cv": 3}, stated())
    ours = few[few["source"] == "this run"].iloc[0]
    assert ours["note"] == "recipe paper, only 2 of 40 epochs, 3 folds"
    assert not ours["whole"]


def test_a_baseline_on_some_folds_is_not_whole() -> None:
    for folds, whole in (("1 2 3", True), ("1 2", False)):
        both = pd.concat([summary(), BASELINE.assign(folds=folds)])
        table = results_table({"CV": "cv"}, both, runs(), {"cv": 3})
        assert table["whole"].tolist() == [True, whole]


def test_a_second_recipe_stands_below_the_same_published_row_under_its_own_name() -> None:
    published = pd.concat([stated(), stated(method="Another")])
    changes: list[dict[str, object]] = [
        {},
        {"recipe": "published-code", "epochs": 30},
        {"recipe": "mine"},
    ]
    names: list[dict[str, object]] = [
        {"label": "Proposed variable-sized"},
        {"label": "Proposed variable-sized, published-code", "usual": 30},
        {"label": "Variable-sized, mine", "published": ""},
    ]
    both = pd.concat([summary(**change) for change in changes])
    of_runs = pd.concat([runs(**c, **n) for c, n in zip(changes, names, strict=True)])
    table = results_table({"CV": "cv"}, both, of_runs, {"cv": 3}, published)
    assert table["method"].tolist()[:5] == [
        "Proposed variable-sized",
        "Proposed variable-sized",
        "Proposed variable-sized, published-code",
        "Another",
        "Variable-sized, mine",
    ]
    reproduces = table["reproduces"].tolist()
    assert reproduces[1] == reproduces[2] == "Proposed variable-sized"
    assert reproduces[0] == reproduces[4] == ""
    assert table["recipe"].tolist()[1:3] == ["paper", "published-code"]


@pytest.mark.parametrize(
    ("value", "agrees"),
    [(0.5, "inside"), (0.7, "inside"), (0.499, "above"), (0.701, "below"), (math.nan, "")],
)
def test_the_published_value_is_inside_our_interval_or_ours_is_above_or_below(
    value: float, agrees: str
) -> None:
    table = results_table({"CV": "cv"}, summary(), runs(), {"cv": 3}, stated(PPV=value))
    ours = table[table["source"] == "this run"].iloc[0]
    assert ours["PPV agrees"] == agrees
    assert ours["SE agrees"] == "inside"
    assert (table.loc[table["source"] == "published", "PPV agrees"] == "").all()


def test_published_values_have_three_decimals_and_so_has_the_comparison() -> None:
    ours = summary(**{"PPV low": 0.8604, "PPV high": 0.9}, PPV=0.88)
    table = results_table({"CV": "cv"}, ours, runs(), {"cv": 3}, stated(PPV=0.86))
    assert table["PPV agrees"].tolist() == ["", "inside"]


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "docs" / "reproduction").glob("**/tables/*.md")),
    ids=lambda path: f"{path.parent.parent.name}-{path.stem}",
)
def test_a_saved_table_in_markdown_has_the_rows_of_its_csv_and_the_notes_of_today(
    path: Path,
) -> None:
    text = path.read_text(encoding="utf-8")
    title = text.split("**")[1]
    assert text.startswith(f"**{title}**\n\n| ")
    assert to_text(printable(read_table(path.with_suffix(".csv")), title), "md") == text


def test_cells_inside_are_counted_recipe_by_recipe_below_the_table() -> None:
    changes: list[dict[str, object]] = [{}, {"recipe": "published-code", "epochs": 30}]
    both = pd.concat([summary(**change) for change in changes])
    of_runs = pd.concat([runs(**changes[0]), runs(**changes[1], usual=30)])
    published = stated(SE=0.4, SP=0.9, PPV=math.nan)
    table = results_table({"CV": "cv"}, both, of_runs, {"cv": 3}, published)
    expected = {"inside": 4, "above": 1, "below": 1, "cells": 6}
    assert agreement(table).to_dict("index") == {"paper": expected, "published-code": expected}
    assert agreement(table, ["AUROC"]).loc["paper", "cells"] == 1
    sentence = "Recipe paper: inside in 4 of 6 cells, ours above in 1, below in 1."
    assert notes(table)[1] == sentence
    for kind in ("md", "html", "tex"):
        assert sentence in to_text(printable(table, "t"), kind)
    shown = formatted(table)
    assert shown.iloc[1][["SE", "SP", "PPV", "AUROC"]].tolist() == [
        "0.600 ▲",
        "0.600 ▼",
        "0.600",
        "0.600 ✓",
    ]


def test_baselines_stand_below_with_their_intervals_and_agree_with_nothing() -> None:
    both = pd.concat([summary(), BASELINE])
    table = results_table({"CV": "cv"}, both, runs(), {"cv": 3}, stated())
    row = table.iloc[-1]
    assert (row["method"], row["source"]) == ("Random forest", "baseline")
    assert (row["AUPR"], row["AUPR low"], row["AUPR agrees"]) == (0.6, 0.5, "")
    assert agreement(table)["cells"].sum() == 7


def test_a_published_row_keeps_its_note() -> None:
    published = stated(method="deepMiRGene, its own logs", note="not in the paper")
    table = results_table({"CV": "cv"}, summary(), runs(), {"cv": 3}, published)
    assert table.loc[table["source"] == "published", "note"].tolist() == ["not in the paper"]


def test_ours_stands_below_the_published_row_that_it_reproduces() -> None:
    published = read_published_results(PUBLISHED / "table2.tsv")
    both = pd.concat([summary(group="test", folds="0"), summary()])
    of_runs = pd.concat([runs(group="test"), runs()]).assign(label="Proposed variable-sized")
    rows = {"CV": "cv", "test": "test"}
    table = results_table(rows, both, of_runs, {"cv": 3, "test": 0}, published)
    assert (table["source"] == "published").sum() == 22
    ours = table.index[table["source"] == "this run"]
    assert len(ours) == 2
    for place in ours:
        assert table.loc[place - 1, "source"] == "published"
        assert table.loc[place - 1, "method"] == table.loc[place, "method"]
        assert table.loc[place - 1, "protocol"] == table.loc[place, "protocol"]


def test_a_protocol_that_is_not_published_is_an_error() -> None:
    with pytest.raises(InputError, match=r"table4\.tsv: no row .* 'CV'; choose one of test"):
        read_published_results(PUBLISHED / "table4.tsv", ["test", "CV"])


def test_a_published_table_of_the_users_is_never_to_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").write_text("method\tprotocol\nA\tCV\n")
    with pytest.raises(InputError, match=r"mine\.tsv.*needs the columns.*correct it") as caught:
        read_published_results(tmp_path / "mine.tsv")
    assert "delete" not in str(caught.value)


def test_more_epochs_than_the_recipe_are_no_shortcoming() -> None:
    table = results_table({"CV": "cv"}, summary(epochs=80), runs(epochs=80), {"cv": 3})
    assert table["note"].iloc[0] == "recipe paper, 80 epochs instead of 40, 3 folds"
    assert table["whole"].iloc[0]


def test_a_table_comes_back_from_csv_as_it_was(tmp_path: Path) -> None:
    features = pd.DataFrame({"label": [1, 0], "length": [4, 2], "hairpin": "", "contradictory": 0})
    published = read_published_counts(PUBLISHED / "table1.tsv")
    for table in (
        counts_table({"human": features}, published),
        results_table({"CV": "cv"}, summary(), runs(), {"cv": 3}, stated(SE=0.1)),
    ):
        write(printable(table, "title"), tmp_path / "t.csv")
        again = read_table(tmp_path / "t.csv")
        assert formatted(again).equals(formatted(table))
        assert notes(again) == notes(table)


def test_table_1_counts_the_sets_beside_the_paper() -> None:
    features = pd.DataFrame({"label": [1, 0, 0], "length": [4, 2, 3]})
    of_human = features.assign(contradictory=[1, 1, 0], hairpin=["hsa-a", "hsa-a", ""])
    mine = features.assign(contradictory=0, hairpin="")
    table = counts_table(
        {"human": of_human, "mine": mine}, read_published_counts(PUBLISHED / "table1.tsv")
    )
    assert table["positives that are negatives too"].tolist()[1:] == [1, 0]
    assert table["known negatives"].tolist()[1:] == [1, 0]
    without = counts_table({"mine": mine}, has_hairpins=False)
    assert pd.isna(without["known negatives"][0]), "there is no reference"
    assert table["source"].tolist() == ["published", "this run", "this run"]
    assert table["positives"].tolist() == [863, 1, 1]
    assert table["negatives"].tolist() == [7422, 2, 2]
    assert table["mean length"].tolist()[1:] == [3.0, 3.0]


def test_all_four_formats_say_the_same(tmp_path: Path) -> None:
    mfe = summary(model="mfe-per-length", **BASELINE_RUN)
    table = results_table({"CV": "cv"}, pd.concat([summary(), mfe]), runs(), {"cv": 3})
    texts = {}
    for kind in ("csv", "md", "html", "tex"):
        write(printable(table, "A & B <i>"), tmp_path / f"t.{kind}")
        texts[kind] = (tmp_path / f"t.{kind}").read_text(encoding="utf-8")
    again = pd.read_csv(tmp_path / "t.csv")
    assert again["SE"].tolist() == [0.6, 0.6]
    assert list(again.columns)[:14] == [
        "method",
        "protocol",
        "source",
        *METRICS,
        "note",
        "model",
        "recipe",
        "reproduces",
    ]
    assert {"whole", "AUPR low", "AUPR high", "AUPR agrees"} <= set(again.columns)
    for kind, dash in (("md", "–"), ("html", "–"), ("tex", "--")):
        assert texts[kind].count(f"0.500{dash}0.700") == 2 * len(METRICS)
    assert texts["md"].count("| 0.600 ") == 2 * len(METRICS)
    assert r"\|MFE\| / length (CV)" in texts["md"]
    assert texts["html"].count(">0.600<") == 2 * len(METRICS)
    assert texts["tex"].count("0.600") == 2 * len(METRICS)
    assert r"\toprule" in texts["tex"]
    assert r"\textbar{}MFE\textbar{} / length (CV)" in texts["tex"]
    assert r"\caption{A \& B" in texts["tex"]


def test_html_is_escaped_and_missing_values_are_dashes() -> None:
    missing = summary(AUPR=math.nan, **{"AUPR low": math.nan, "AUPR high": math.nan})
    table = results_table({"<script>": "cv"}, missing, runs(), {"cv": 3})
    page = to_text(printable(table, "<script>alert(1)</script>"), "html")
    assert page.count("<script>") == 1, "our own"
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert formatted(table)["AUPR"].tolist() == ["–"]
    assert page.count("–<") == 1, "without an interval"


def test_the_cleaned_table_has_the_subsets_side_by_side() -> None:
    both = pd.concat(
        [
            summary(),
            summary(subset="cleaned", AUPR=0.4),
            BASELINE,
            BASELINE.assign(subset="cleaned"),
        ]
    )
    table = cleaned_table(both, runs(), {"cv": 3})
    assert "note" not in table, "all are whole"
    assert list(formatted(cleaned_table(both.assign(folds="1"), runs(), {"cv": 3}))["Note"]) == [
        "recipe paper, 40 epochs, only fold 1 of 3",
        "",
    ]
    assert table["method"].tolist() == ["Variable-sized", "Random forest"]
    assert table["AUPR all"].tolist() == [0.6, 0.6]
    assert table["AUPR cleaned"].tolist() == [0.4, 0.6]
    assert table["AUPR cleaned low"].tolist() == [0.5, 0.5]
    assert table["AUPR cleaned high"].tolist() == [0.7, 0.7]
    assert table["AUROC cleaned"].tolist() == [0.6, 0.6]
    assert list(formatted(table).columns) == [
        "Method",
        "Source",
        *(f"{m} {s}" for m in ("F-score", "AUROC", "AUPR") for s in ("all", "cleaned")),
    ]


def test_what_the_audit_found_is_counted_for_each_experiment() -> None:
    records = pd.DataFrame(
        {
            "group": ["cv"] * 4 + ["test"],
            "label": [1, 1, 0, 0, 1],
            "contradictory": [0, 0, 1, 0, 0],
            "in_training": [1, 0, 0, 0, 0],
            "identity": [1.0, 0.8, 0.95, math.nan, 1.0],
            "hairpin": ["hsa-a", "hsa-b", "hsa-c", "", ""],
            "relative": pd.array([1, 0, 1, None, None], dtype="Int8"),
        }
    )
    alone = pd.DataFrame(
        [(g, f, 0.5) for g in ("cv", "test") for f in ("length", "GC", "MFE/length")],
        columns=["group", "feature", "AUROC"],
    )
    second_fold = pd.DataFrame([("cv", "length", 1.0)], columns=alone.columns)
    alone = pd.concat([alone, second_fold], ignore_index=True)
    left = pd.DataFrame({"cleaned": [False, True, False, True, True]})
    table = audit_table(records, left, alone).set_index("experiment")
    assert table.loc["cv"].to_dict() == {
        "source": "this run",
        "positives": 2,
        "negatives": 2,
        "in both classes": 1,
        "known negatives": 1,
        "in training": 1,
        "identity 0.95–1": 1,
        "identity 0.90–0.95": 0,
        "identity 0.80–0.90": 1,
        "family known": 2,
        "relative in training": 1,
        "positives left": 1,
        "negatives left": 1,
        "AUROC of Length": 0.75,
        "AUROC of GC content": 0.5,
        "AUROC of |MFE| / length": 0.5,
    }
    assert table.loc["test", ["identity 0.95–1", "in training"]].tolist() == [1, 0], "a part of one"
    without = audit_table(records, left, alone, has_hairpins=False, has_families=False)
    assert without[["known negatives", "family known"]].isna().all(axis=None), "not 0"


def history(*losses: float) -> pd.DataFrame:
    """A metric of .1, .2, … in epoch 1, 2, …"""
    epochs = range(1, len(losses) + 1)
    table = pd.DataFrame({"epoch": epochs, "evaluate loss": losses})
    for name in ("F-score", "AUROC", "AUPR"):
        table[f"evaluate {name}"] = [epoch / 10 for epoch in epochs]
    return table


def epochs_of(*runs_of: tuple[str, int, pd.DataFrame]) -> dict[str, dict[str, object]]:
    described = [
        {**RUN, "label": "V", "seed": 0, "epochs": 4, "group": group, "number": number}
        for group, number, _ in runs_of
    ]
    table = epochs_table([h for *_, h in runs_of], described, {"cv": "cv", "test": "cv"})
    return table.set_index("protocol").to_dict("index")  # type: ignore[return-value]


def test_the_best_epoch_of_a_fold_is_its_own_and_that_of_a_test_is_the_folds_median() -> None:
    # The test's own loss would choose epoch 1.
    rows = epochs_of(
        ("cv", 1, history(3, 1, 2, 3)),
        ("cv", 2, history(3, 2, 1, 3)),
        ("cv", 3, history(3, 2, 1, 3)),
        ("test", 0, history(1, 2, 3, 4)),
    )
    assert rows["cv"]["best epoch"] == "2, 3, 3"
    assert rows["cv"]["AUPR best"] == pytest.approx((0.2 + 0.3 + 0.3) / 3)
    assert rows["cv"]["AUPR last"] == pytest.approx(0.4)
    assert rows["cv"]["loss best"] == pytest.approx(1)
    assert rows["test"]["best epoch"] == "3"
    assert rows["test"]["AUPR best"] == pytest.approx(0.3)
    assert (rows["test"]["loss last"], rows["test"]["last epoch"]) == (4, 4)


def test_the_best_epoch_of_an_experiment_with_validation_records_is_its_own() -> None:
    """All its values are of these records, which its row says."""
    watched = [
        table.rename(columns=lambda name: name.replace("evaluate", "validate"))
        for table in (history(3, 1, 2, 3), history(3, 2, 1, 3))
    ]
    rows = epochs_of(*(("test", 0, table) for table in watched))
    row = rows["test, validation records"]
    assert row["best epoch"] == "2, 3"
    assert row["AUPR best"] == pytest.approx(0.25)
    assert row["loss last"] == 3


def test_without_folds_that_choose_there_is_no_best_epoch() -> None:
    row = epochs_of(("test", 0, history(1, 2, 3, 4)))["test"]
    assert row["best epoch"] == "–"
    assert math.isnan(row["AUPR best"])  # type: ignore[arg-type]
    assert row["AUPR last"] == pytest.approx(0.4)


def test_the_median_of_the_folds_is_no_mean() -> None:
    rows = epochs_of(
        ("cv", 1, history(1, 2, 3, 4)),
        ("cv", 2, history(1, 2, 3, 4)),
        ("cv", 3, history(4, 3, 2, 1)),
        ("test", 0, history(4, 3, 2, 1)),
    )
    assert rows["test"]["best epoch"] == "1", "the mean is 2"


def test_folds_that_were_trained_for_another_number_of_epochs_choose_nothing() -> None:
    described = [
        {**RUN, "label": "V", "seed": 0, "group": "cv", "number": 1, "epochs": 2},
        {**RUN, "label": "V", "seed": 0, "group": "test", "number": 0, "epochs": 4},
    ]
    histories = [history(2, 1), history(4, 3, 2, 1)]
    table = epochs_table(histories, described, {"cv": "cv", "test": "cv"})
    assert table["best epoch"].tolist() == ["2", "–"]


def test_what_is_undefined_in_a_fold_is_undefined_at_its_epoch_too() -> None:
    undefined = history(1, 2, 3, 4).assign(**{"evaluate F-score": math.nan})
    row = epochs_of(("cv", 1, undefined), ("cv", 2, history(1, 2, 3, 4)))["cv"]
    assert math.isnan(row["F-score best"])  # type: ignore[arg-type]
    nothing = history(1, 2, 3, 4).assign(**{"evaluate loss": math.nan})
    assert epochs_of(("cv", 1, nothing))["cv"]["best epoch"] == "4", "the last"


def test_folds_count_the_same_however_many_seeds_they_have() -> None:
    row = epochs_of(
        ("cv", 1, history(4, 3, 2, 1)),
        ("cv", 1, history(4, 3, 2, 1)),
        ("cv", 2, history(1, 2, 3, 4)),
    )["cv"]
    assert row["best epoch"] == "4, 4, 1"
    assert row["AUPR best"] == pytest.approx((0.4 + 0.1) / 2)


def test_a_row_is_of_a_baseline_if_nothing_was_trained_for_it() -> None:
    rows = pd.concat([summary(), BASELINE]).to_dict("records")
    assert [is_baseline(row) for row in rows] == [False, True]


def test_tables_are_made_from_the_files_of_the_stages_before(tmp_path: Path) -> None:
    both = pd.concat([summary(), summary(subset="cleaned"), BASELINE])
    write_tsv(both[list(SUMMARY)], tmp_path / "cv.tsv")
    options = {"groups": ["cv"], "rows": {"CV": "cv"}, "fold_counts": {"cv": 3}}
    options["runs"] = runs().to_dict("records")
    files = {"evaluations": [str(tmp_path / "cv.tsv")], "published": []}
    table = make_table("comparison", files, options)
    pd.testing.assert_frame_equal(
        table,
        results_table(
            {"CV": "cv"}, both[both["subset"] == "all"].assign(group="cv"), runs(), {"cv": 3}
        ),
    )
    stated_file = tmp_path / "published.tsv"
    stated().to_csv(stated_file, sep="\t", index=False)
    beside = make_table("comparison", files | {"published": [str(stated_file)]}, options)
    assert beside["source"].tolist() == ["published", "this run", "baseline"]
    cleaned = make_table("cleaned", files, options)
    assert cleaned["method"].tolist() == ["Variable-sized", "Random forest"]
    with pytest.raises(ValueError, match="no table of the kind 'other'"):
        make_table("other", files, options)


def test_counts_epochs_and_audit_are_made_from_files_too(tmp_path: Path) -> None:
    features = pd.DataFrame([("a", 1, 4, 0.5, 0.1, 0, "")], columns=list(SET_FEATURES))
    write_tsv(features, tmp_path / "features.tsv")
    counts = make_table(
        "counts",
        {"features": [str(tmp_path / "features.tsv")], "published": []},
        {"sets": ["mine"], "has_hairpins": False},
    )
    assert counts[["dataset", "positives"]].to_numpy().tolist() == [["mine", 1]]
    audit = [("a", "mine", 1, 0, 0, 0.5, 1, "", "", None)]
    write_tsv(pd.DataFrame(audit, columns=list(AUDIT)).astype(AUDIT), tmp_path / "records.tsv")
    shortcuts = [(name, "higher", 0.5, 0.5) for name in FEATURES]
    columns = ["feature", "direction", "AUROC", "AUPR"]
    write_tsv(pd.DataFrame(shortcuts, columns=columns), tmp_path / "shortcuts.tsv")
    write_tsv(history(2, 1, 3), tmp_path / "history.tsv")
    files = {
        name: [str(tmp_path / f"{file}.tsv")]
        for name, file in (
            ("audit", "records"),
            ("shortcuts", "shortcuts"),
            ("histories", "history"),
        )
    }
    folds = [{"group": "cv", "number": 1}]
    references = {"has_hairpins": True, "has_families": False}
    (row,) = make_table("audit", files, {"folds": folds, **references}).to_dict("records")
    assert (row["experiment"], row["positives"], row["positives left"]) == ("cv", 1, 1)
    assert (row["known negatives"], row["AUROC of Length"]) == (0, 0.5)
    assert pd.isna(row["family known"])
    trained = [{**RUN, "label": "V", "seed": 0, "number": 1, "epochs": 3}]
    options = {"folds": folds, "runs": trained, "validation": {"cv": "cv"}}
    (row,) = make_table("epochs", files, options).to_dict("records")
    assert (row["last epoch"], row["best epoch"], row["AUPR best"]) == (3, "2", 0.2)
