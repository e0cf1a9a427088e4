"""The report is one page that needs nothing else, and shows what users gave as text."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from test_metrics import some_scores

from mirpair.contracts import METRICS
from mirpair.figures import draw_histories, draw_results, save
from mirpair.metrics import history
from mirpair.report import Section, findings, render

EVIL = '<script>alert("x")</script>'


def results() -> pd.DataFrame:
    row = {"method": "Proposed variable-sized", "protocol": "CV", **dict.fromkeys(METRICS, 0.75)}
    feature = {"method": "Length alone", "source": "one feature", "AUROC": 0.5, "AUPR": 0.2}
    table = pd.DataFrame(
        [
            {**row, "AUROC": 0.985, "source": "published", "note": ""},
            {**row, "source": "this run", "note": "recipe paper, 40 epochs"},
            {**feature, "protocol": "CV", "note": "no network"},
        ]
    )
    return table.assign(whole=True)


@pytest.fixture
def page(tmp_path: Path) -> str:
    save(draw_results(results(), EVIL), tmp_path / "table.svg")
    histories = {"variable": {"one": history(some_scores()), "two": history(some_scores())}}
    save(draw_histories(histories, EVIL), tmp_path / "history-cv.svg")
    run = {"experiment": EVIL, "model": "variable", "recipe": "paper", "seed": 0, "epochs": 2}
    entry = {"run": run, "wall_time_s": 90.0, "device": "cpu", "threads": 1}
    return render(
        EVIL,
        "demo",
        [Section("table", EVIL, results(), tmp_path / "table.svg")],
        {"cv": tmp_path / "history-cv.svg"},
        [{**entry, "versions": {"mirpair": "0.1.0", "torch": "2"}}],
        [{"versions": {"mirpair": "0.1.0", "ViennaRNA": "2.7"}}],
        {"demo": 2, "other": 0},
        pd.DataFrame(
            {"experiment": [EVIL], "evaluated": [30], "in training": [4], "contradictory": [0]}
        ),
    )


def test_it_loads_nothing_from_elsewhere(page: str) -> None:
    outside = re.findall(r'(?:src|href)="(?!#)([^"]*)"', page)
    assert [link for link in outside if not link.startswith("data:")] == []
    assert "@import" not in page
    assert page.count("<svg") == 2


def test_what_users_named_is_text_and_never_markup(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_ids_in_the_figures_are_unique(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for used in re.findall(r'(?:href="#|url\(#)([^")]+)', page):
        assert used in ids


def test_it_says_versions_dropped_records_and_how_long_it_took(page: str) -> None:
    assert "ViennaRNA 2.7" in page
    assert "1.5 minutes" in page
    assert "<strong>2</strong> records" in page
    assert "<code>other</code>" not in page


def test_it_warns_of_evaluation_records_that_were_trained_on(page: str) -> None:
    assert "Look at the numbers below" in page
    assert "<td>30</td><td>4</td><td>0</td>" in page


def test_findings_put_ours_beside_the_published_and_the_features() -> None:
    first, second = findings(results())
    assert "AUROC 0.750" in first
    assert "published 0.985" in first
    assert "Length alone 0.500" in second


def test_figures_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg", "a.png", "b.png"):
        save(draw_results(results(), "title"), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_every_dot_stands_at_its_value_in_the_row_of_its_method() -> None:
    table = results()
    table.loc[1, "whole"] = False
    figure = draw_results(table, "title")
    shared = figure.axes[0]
    labels = [tick.get_text() for tick in shared.get_yticklabels()]
    assert labels == ["Proposed variable-sized (CV) *", "Length alone (CV)"]
    places = shared.get_yticks()
    assert places[0] > places[1], "the first row is on top"
    for axis, metric in zip(figure.axes, ("F-score", "AUROC", "AUPR"), strict=True):
        dots = {str(line.get_label()): line for line in axis.lines}
        for source, row in (("published", 0), ("this run", 1), ("one feature", 2)):
            (x,), (y,) = dots[source].get_data()
            assert x == pytest.approx(table.loc[row, metric], nan_ok=True)
            assert y == places[row // 2]


def test_thick_lines_of_a_history_are_the_mean_of_its_runs() -> None:
    one, two = history(some_scores()), history(some_scores())
    two["train loss"] += 1
    two["evaluate loss"] += 3
    two["evaluate AUROC"] -= 0.5
    left, right = draw_histories({"variable": {"one": one, "two": two}}, "title").axes
    thick = {str(line.get_label()): list(line.get_ydata()) for line in (*left.lines, *right.lines)}
    assert thick["train"] == (one["train loss"] + 0.5).tolist()
    assert thick["evaluate"] == (one["evaluate loss"] + 1.5).tolist()
    assert thick["AUROC"] == (one["evaluate AUROC"] - 0.25).tolist()
