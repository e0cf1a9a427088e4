"""Tables: published values as printed, ours beside them, what falls short labelled so."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

from mirpair.contracts import METRICS, read_published_counts, read_published_results
from mirpair.files import InputError
from mirpair.tables import (
    audit_table,
    counts_table,
    formatted,
    read_table,
    results_table,
    to_html,
    write,
)

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
    assert sizes == {2: 20, 3: 20, 4: 10}
    rows = dict(published_rows())
    # Spot checks against the paper, the misprinted 0954 of Table 3 among them.
    assert rows["table 3, deepMiRGene-rerun (test)"]["AUPR"] == 0.954
    assert rows["table 2, Proposed variable-sized (CV)"]["AUPR"] == 0.922
    assert rows["table 4, Without pairing matrix (test)"]["SE"] == 0.855
    assert math.isnan(rows["table 2, miRBoost (CV)"]["AUROC"])


def runs(**changes: object) -> pd.DataFrame:
    base = {"group": "cv", "model": "variable", "recipe": "paper", "seed": 0, "epochs": 40}
    base |= {"label": "Variable-sized", "published": "Proposed variable-sized", "usual": 40}
    rows = [
        {**base, "number": fold, **dict.fromkeys(METRICS, 0.1 * fold), **changes}
        for fold in (1, 2, 3)
    ]
    return pd.DataFrame(rows)


SHORTCUTS = pd.DataFrame(
    {
        "group": ["cv"] * 4,
        "feature": ["length", "length", "MFE/length", "MFE/length"],
        "AUROC": [0.4, 0.6, 0.9, 1.0],
        "AUPR": [0.1, 0.4, 0.8, 0.6],
    }
)


def test_a_row_over_folds_is_their_mean_with_seeds_averaged_first() -> None:
    # Two seeds in fold 3 only: it must not count twice.
    twice = pd.concat([runs(), runs(seed=1).query("number == 3").assign(SE=0.5)])
    table = results_table({"CV": "cv"}, twice, {"cv": 3}, SHORTCUTS)
    ours = table[table["source"] == "this run"].iloc[0]
    assert ours["SE"] == pytest.approx((0.1 + 0.2 + (0.3 + 0.5) / 2) / 3)
    assert ours["SP"] == pytest.approx(0.2)
    assert ours["method"] == "Variable-sized"
    assert ours["note"] == "recipe paper, 40 epochs, 3 folds, 2 seeds"


def test_a_row_without_all_folds_is_not_whole_whatever_its_epochs() -> None:
    table = results_table({"CV": "cv"}, runs().query("number < 3"), {"cv": 3}, SHORTCUTS)
    assert not table["whole"].iloc[0]
    assert table["note"].iloc[0] == "recipe paper, 40 epochs, only fold 1, 2 of 3"


def test_a_second_recipe_stands_below_the_same_published_row_under_its_own_name() -> None:
    published = pd.DataFrame(
        [
            {"method": name, "protocol": "CV", **dict.fromkeys(METRICS, 0.5)}
            for name in ("Proposed variable-sized", "Another")
        ]
    )
    own = runs(recipe="mine", label="Variable-sized, mine", published="")
    both = pd.concat([runs(), runs(recipe="published-code", epochs=30, usual=30), own])
    table = results_table({"CV": "cv"}, both, {"cv": 3}, SHORTCUTS, published)
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


def test_what_the_audit_found_is_counted_for_each_experiment() -> None:
    audit = pd.DataFrame(
        {
            "label": [1, 1, 0, 0],
            "contradictory": [0, 0, 1, 0],
            "in_training": [1, 0, 0, 0],
            "identity": [1.0, 0.8, 0.7999, math.nan],
            "hairpin": ["hsa-a", "hsa-b", "hsa-c", ""],
            "family": ["a", "a", "", ""],
            "relative": pd.array([1, 0, None, None], dtype="Int8"),
        }
    )
    found = audit_table({"cv1": audit, "cv2": audit.iloc[:1]})
    counts = {"evaluated": 4, "in training": 1, "near copies": 2, "contradictory": 1}
    counts |= {"known negatives": 1, "in a family": 2, "relative in training": 1}
    assert found.to_dict("records")[0] == {"experiment": "cv1", **counts}
    assert found.loc[1].tolist() == ["cv2", 1, 1, 1, 0, 0, 1, 1]


def test_single_features_stand_below_with_ranking_metrics_only() -> None:
    table = results_table({"CV": "cv"}, runs(), {"cv": 3}, SHORTCUTS)
    rows = table[table["source"] == "one feature"].set_index("method")
    assert rows.loc["Length alone", "AUROC"] == pytest.approx(0.5)
    assert rows.loc["|MFE| / length alone", "AUPR"] == pytest.approx(0.7)
    assert rows["SE"].isna().all()


def test_a_row_that_is_short_of_its_recipe_says_so() -> None:
    one = runs(epochs=2, model="fixed").query("number == 1")
    table = results_table({"CV": "cv"}, one, {"cv": 5}, SHORTCUTS)
    assert table["note"].iloc[0] == "recipe paper, only 2 of 40 epochs, only fold 1 of 5"
    assert not table["whole"].iloc[0]
    assert table["whole"].iloc[1:].all()


def test_ours_stands_below_the_published_row_that_it_reproduces() -> None:
    stated = read_published_results(PUBLISHED / "table2.tsv")
    both = pd.concat([runs(group="test", number=0), runs()])
    shortcuts = pd.concat([SHORTCUTS, SHORTCUTS.assign(group="test")])
    rows = {"CV": "cv", "test": "test"}
    table = results_table(rows, both, {"cv": 3, "test": 0}, shortcuts, stated)
    assert (table["source"] == "published").sum() == 20
    ours = table.index[table["source"] == "this run"]
    assert len(ours) == 2
    for place in ours:
        assert table.loc[place - 1, "source"] == "published"
        assert table.loc[place - 1, "method"] == table.loc[place, "method"]
        assert table.loc[place - 1, "protocol"] == table.loc[place, "protocol"]


def test_a_protocol_that_is_not_published_is_an_error() -> None:
    with pytest.raises(InputError, match=r"table4\.tsv: no row .* 'CV'; there are test"):
        read_published_results(PUBLISHED / "table4.tsv", ["test", "CV"])


def test_a_published_table_of_the_users_is_never_to_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").write_text("method\tprotocol\nA\tCV\n")
    with pytest.raises(InputError, match=r"mine\.tsv.*needs the columns.*correct it") as caught:
        read_published_results(tmp_path / "mine.tsv")
    assert "delete" not in str(caught.value)


def test_what_is_undefined_in_one_seed_is_undefined_in_the_mean() -> None:
    both = pd.concat([runs(), runs(seed=1).assign(PPV=math.nan)])
    ours = results_table({"CV": "cv"}, both, {"cv": 3}, SHORTCUTS).iloc[0]
    assert math.isnan(ours["PPV"])
    assert ours["SE"] == pytest.approx(0.2)


def test_more_epochs_than_the_recipe_are_no_shortcoming() -> None:
    table = results_table({"CV": "cv"}, runs(epochs=80), {"cv": 3}, SHORTCUTS)
    assert table["note"].iloc[0] == "recipe paper, 80 epochs instead of 40, 3 folds"
    assert table["whole"].iloc[0]


def test_a_table_comes_back_from_csv_as_it_was(tmp_path: Path) -> None:
    records = pd.DataFrame({"label": [1, 0], "sequence": ["AAAA", "AA"]})
    stated = read_published_counts(PUBLISHED / "table1.tsv")
    for table in (
        counts_table({"human": records}, stated),
        results_table({"CV": "cv"}, runs(), {"cv": 3}, SHORTCUTS),
    ):
        write(table, "title", tmp_path / "t.csv")
        again = read_table(tmp_path / "t.csv")
        assert formatted(again).equals(formatted(table))


def test_table_1_counts_the_sets_beside_the_paper() -> None:
    records = pd.DataFrame({"label": [1, 0, 0], "sequence": ["AAAA", "AA", "AAA"]})
    table = counts_table(
        {"human": records, "mine": records}, read_published_counts(PUBLISHED / "table1.tsv")
    )
    assert table["source"].tolist() == ["published", "this run", "this run"]
    assert table["positives"].tolist() == [863, 1, 1]
    assert table["negatives"].tolist() == [7422, 2, 2]
    assert table["mean length"].tolist()[1:] == [3.0, 3.0]


def test_all_four_formats_say_the_same(tmp_path: Path) -> None:
    table = results_table({"CV": "cv"}, runs(), {"cv": 3}, SHORTCUTS)
    texts = {}
    for kind in ("csv", "md", "html", "tex"):
        write(table, "A & B <i>", tmp_path / f"t.{kind}")
        texts[kind] = (tmp_path / f"t.{kind}").read_text(encoding="utf-8")
    again = pd.read_csv(tmp_path / "t.csv")
    assert again["SE"].iloc[0] == pytest.approx(0.2)
    assert list(again.columns) == [
        "method",
        "protocol",
        "source",
        *METRICS,
        "note",
        "model",
        "recipe",
        "reproduces",
        "whole",
    ]
    assert texts["md"].count("| 0.200 ") == len(METRICS)
    assert r"\|MFE\| / length alone (CV)" in texts["md"]
    assert texts["html"].count("<td>0.200</td>") == len(METRICS)
    assert texts["tex"].count("0.200") == len(METRICS)
    assert r"\toprule" in texts["tex"]
    assert r"\textbar{}MFE\textbar{} / length alone (CV)" in texts["tex"]
    assert r"\caption{A \& B" in texts["tex"]


def test_html_is_escaped_and_missing_values_are_dashes() -> None:
    table = results_table({"<script>": "cv"}, runs(), {"cv": 3}, SHORTCUTS)
    page = to_html(table, "<script>alert(1)</script>")
    assert page.count("<script>") == 1, "our own"
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert formatted(table)["SE"].tolist()[1:] == ["–", "–"]
