"""The report is one page that needs nothing else, and shows what users gave as text."""

from __future__ import annotations

import base64
import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_metrics import some_scores

from mirpair.contracts import METRICS
from mirpair.figures import (
    draw_histories,
    draw_lengths,
    draw_predictions,
    draw_resources,
    draw_results,
    draw_watched,
    save,
)
from mirpair.metrics import final, history
from mirpair.report import Picture, Section, answer, compare, render
from mirpair.scores import Scores
from mirpair.tables import to_csv

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


def write_page(folder: Path) -> str:
    """The report of a study whose every name is hostile."""
    save(draw_results(results(), EVIL), folder / "table.svg")
    histories = {"variable": {"one": history(some_scores()), "two": history(some_scores())}}
    save(draw_histories(histories, EVIL), folder / "history-cv.svg")
    run = {"experiment": EVIL, "model": "variable", "recipe": "paper", "seed": 0, "epochs": 2}
    entry = {"run": run, "wall_time_s": 90.0, "device": "cpu", "threads": 1}
    return render(
        EVIL,
        "demo",
        [Section("table", EVIL, results(), folder / "table.svg")],
        [Picture(EVIL, EVIL, folder / "history-cv.svg")],
        [{**entry, "versions": {"mirpair": "0.1.0", "torch": "2"}}],
        [{"versions": {"mirpair": "0.1.0", "ViennaRNA": "2.7"}}],
        {"demo": 2, "other": 0},
        pd.DataFrame(
            {"experiment": [EVIL], "evaluated": [30], "in training": [4], "contradictory": [0]}
        ),
        {EVIL: (EVIL, "0" * 64)},
        EVIL,
    )


@pytest.fixture
def page(tmp_path: Path) -> str:
    return write_page(tmp_path)


def test_it_loads_nothing_from_elsewhere(page: str) -> None:
    outside = re.findall(r'(?:src|href)="(?!#)([^"]*)"', page)
    assert [link for link in outside if not link.startswith("data:")] == []
    assert "@import" not in page
    assert "default-src 'none'" in page, "and the browser is told so"
    assert page.count("<svg") == 2


def test_what_users_named_is_text_and_never_markup(page: str) -> None:
    scripts = re.findall(r"<script[^>]*>", page)
    assert len(scripts) == 1, "our own"
    assert page.count("&lt;script&gt;") >= 10


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
    assert re.search(r"<td>30</td>\s*<td>4</td>\s*<td>0</td>", page)


def test_it_opens_with_the_answer_and_says_how_to_cite(page: str) -> None:
    assert page.index("Did it reproduce?") < page.index("<table")
    assert "10.1101/414656" in page


def test_tables_can_be_downloaded_as_they_are(page: str) -> None:
    (uri,) = re.findall(
        r'download="table.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"', page
    )
    assert base64.b64decode(uri).decode() == to_csv(results())
    assert 'download="table.tex"' in page


def reproduced(*rows: tuple[str, str, float, float, bool]) -> list[Section]:
    """Published AUROC .98 and AUPR .92, and ours: method, protocol, AUROC, AUPR, whole."""
    lines: list[dict[str, object]] = []
    for method, protocol, auroc, aupr, whole in rows:
        line = {"method": method, "protocol": protocol, "F-score": 0.9, "note": "", "whole": True}
        lines.append({**line, "source": "published", "AUROC": 0.98, "AUPR": 0.92})
        ours = {"source": "this run", "AUROC": auroc, "AUPR": aupr, "whole": whole}
        lines.append({**line, **ours})
    return [Section("t", "Results", pd.DataFrame(lines))]


A, B = "Proposed variable-sized", "Without pairing matrix"


@pytest.mark.parametrize(
    ("rows", "headline"),
    [
        ([(A, "CV", 0.985, 0.901, True)], "Did it reproduce? Yes: 1 of 1 rows"),
        ([(A, "CV", 0.985, 0.899, True)], "Did it reproduce? No: 0 of 1 rows"),
        ([(A, "CV", 0.969, 0.92, True)], "Did it reproduce? No: 0 of 1 rows"),
        ([(A, "CV", 0.98, 0.92, True), (A, "test", 0.9, 0.92, True)], "In part: 1 of 2 rows"),
        (
            [*((A, str(n), 0.98, 0.92, True) for n in range(3)), (A, "x", 0.9, 0.9, True)],
            "Mostly: 3 of 4 rows",
        ),
        ([(A, "CV", 0.98, 0.92, False)], "Not answered yet: none of the 1 rows"),
        ([(A, "CV", 0.98, 0.92, True), (A, "test", 0.5, 0.5, False)], "Yes: 1 of 1 rows"),
    ],
)
def test_the_answer_counts_rows_trained_in_full_within_both_margins(
    rows: list[tuple[str, str, float, float, bool]], headline: str
) -> None:
    assert headline in answer(reproduced(*rows))[0]


def test_the_answer_says_what_falls_short_how_far_off_and_whether_pairing_helps() -> None:
    rows = [
        (A, "CV", 0.97, 0.93, True),
        (B, "CV", 0.99, 0.94, True),
        (A, "test", 0.98, 0.95, True),
        (B, "test", 0.98, 0.92, False),
    ]
    text = " ".join(answer(reproduced(*rows))[1])
    assert "AUROC: 3 of 3 within 0.010; on average ours is 0.000 higher" in text
    assert "furthest off is Proposed variable-sized (test, results) with 0.950 here" in text
    assert "higher AUPR than without it in 1 of 2 comparisons" in text
    assert "1 of 4 rows had fewer epochs" in text


def test_without_published_values_the_answer_is_the_best_network_and_feature() -> None:
    table = results().query("source != 'published'").assign(method=["Variable-sized", "Length"])
    headline, sentences = answer([Section("t", "Mine", table)])
    assert headline == "Best network by AUPR: Variable-sized (CV), AUPR 0.750, AUROC 0.750."
    assert "Length, AUPR 0.200, AUROC 0.500" in sentences[0]


def test_differences_are_ours_less_the_published() -> None:
    (row,) = compare([Section("table", "Results", results())]).to_dict("records")
    assert row["AUROC difference"] == pytest.approx(0.75 - 0.985)
    assert row["AUPR published"] == 0.75


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


def test_figure_3_draws_validation_of_the_folds_and_training_of_the_last_panel() -> None:
    one, two = history(some_scores()), history(some_scores())
    two["train loss"] += 1
    figure = draw_watched({"cv1": one, "cv2": one}, {"test": two}, epochs=1)
    panels = {
        axis.get_title(loc="left"): axis for axis in figure.axes if axis.get_title(loc="left")
    }
    assert list(panels) == [
        "A  cv1, validation records",
        "B  cv2, validation records",
        "C  test, training records",
    ]
    for title, axis in panels.items():
        role, drawn = ("train", two) if "training" in title else ("evaluate", one)
        lines = {str(line.get_label()): list(line.get_ydata()) for line in axis.lines}
        for metric in METRICS:
            np.testing.assert_array_equal(lines[metric], drawn[f"{role} {metric}"])
        (marked,) = [line for line in axis.lines if str(line.get_label()).startswith("_")]
        assert list(marked.get_xdata()) == [1, 1]
    losses = [axis for axis in figure.axes if axis.get_ylabel() == "loss per record"]
    assert list(losses[-1].lines[0].get_ydata()) == list(two["train loss"])


def test_figure_4_counts_every_rna_and_marks_the_mean() -> None:
    figure = draw_lengths({"a": np.array([45, 100]), "b": np.array([143, 398, 100])})
    (axis,) = figure.axes
    assert "5 RNAs: shortest 45, mean 157, longest 398 nt" in axis.get_title(loc="left")
    heights = [patch.get_height() for patch in axis.patches if hasattr(patch, "get_height")]
    assert sum(heights) == 5, "all sets together"
    assert axis.get_yscale() == "log"
    (mean,) = axis.lines
    assert mean.get_xdata()[0] == pytest.approx(157.2)


def test_curves_and_histograms_are_those_of_the_predictions() -> None:
    predictions = pd.DataFrame(
        {"id": list("abcd"), "label": [1, 1, 0, 0], "score": [0.9, 0.4, 0.6, 0.1]}
    )
    figure = draw_predictions({"Network": {"one": predictions}}, "title")
    roc, curve, _, histogram = (axis for axis in figure.axes if axis.get_visible())
    x, y = roc.lines[0].get_data()
    assert list(zip(x, y, strict=True)) == [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]
    assert set(curve.lines[0].get_xdata()) == {0, 0.5, 1}
    assert histogram.get_title() == "Network"
    counted = {str(p.get_label()) for p in histogram.patches}
    assert {"others", "pre-miRNAs"} <= counted


def test_every_job_is_a_dot_in_the_row_of_its_rule() -> None:
    jobs = pd.DataFrame(
        {"rule": ["fold", "fold", "train"], "s": [1.0, 2.0, 90.0], "max_rss": [80, np.nan, 600]}
    )
    left, right = draw_resources(jobs).axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["fold (2)", "train (1)"]
    assert list(left.lines[0].get_xdata()) == [1, 2, 90]
    assert list(left.lines[0].get_ydata()) == [1, 1, 0]
    assert right.lines[0].get_xdata()[2] == 600


def test_what_was_only_watched_is_not_the_result() -> None:
    scores = some_scores()
    assert isinstance(scores, Scores)
    assert len(scores.evaluate_scores) >= 2
    earlier = dataclasses.replace(scores, epochs=np.array(1))
    np.testing.assert_array_equal(earlier.result, scores.evaluate_scores[0])
    assert final(earlier)["AUROC"][0] == history(scores)["evaluate AUROC"][0]
