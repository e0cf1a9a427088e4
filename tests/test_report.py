"""The report is one page that needs nothing else, and shows what users gave as text."""

from __future__ import annotations

import base64
import dataclasses
import html
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_metrics import some_scores

from mirpair.contracts import METRICS, SET_FEATURES
from mirpair.files import write_tsv
from mirpair.identification.comparison import seeds_table
from mirpair.identification.figures import (
    draw,
    draw_cleaned,
    draw_histories,
    draw_lengths,
    draw_predictions,
    draw_resources,
    draw_results,
    draw_seeds,
    draw_watched,
)
from mirpair.identification.metrics import final, history
from mirpair.identification.report import Section, _glance, answer, compare, render
from mirpair.identification.tables import printable
from mirpair.networks.score_log import ScoreLog
from mirpair.pages.page import Picture, StudyInfo, inline_svg
from mirpair.pages.printing import html_table, to_text, write
from mirpair.pages.style import save, to_svg

EVIL = '<script>alert("x")</script>'


def results() -> pd.DataFrame:
    row = {"method": "Proposed variable-sized", "protocol": "CV", **dict.fromkeys(METRICS, 0.75)}
    baseline = {"method": "Random forest", "source": "baseline", "AUROC": 0.5, "AUPR": 0.2}
    table = pd.DataFrame(
        [
            {**row, "AUROC": 0.985, "source": "published", "note": ""},
            {**row, "source": "this run", "note": "recipe paper, 40 epochs"},
            {**baseline, "protocol": "CV", "note": "no network"},
        ]
    )
    names = {"model": "variable", "recipe": "paper", "reproduces": "Proposed variable-sized"}
    table = table.assign(**names, whole=True)
    for metric in METRICS:
        known = table[metric].notna()
        table[f"{metric} low"] = pd.Series(0.7, table.index).where(known)
        table[f"{metric} high"] = pd.Series(0.8, table.index).where(known)
        table[f"{metric} agrees"] = ["", "inside", ""]
    table["AUROC agrees"] = ["", "below", ""]
    return table


def write_page(folder: Path) -> str:
    """The report of a study whose every name is hostile."""
    save(draw_results(results(), EVIL), folder / "table.svg")
    histories = {"variable": {"one": history(some_scores()), "two": history(some_scores())}}
    save(draw_histories(histories, EVIL), folder / "history-cv.svg")
    run = {"experiment": EVIL, "model": "variable", "recipe": "paper", "seed": 0, "epochs": 2}
    collections = {
        "hairpins": {"rnas": 1917, "left_out": {EVIL: 36672}},
        "all": {"rnas": 5, "left_out": {}},
    }
    entry = {"run": run, "wall_time_s": 90.0, "device": "cpu", "threads": 1}
    versions = {"mirpair": "0.1.0", "torch": "2"}
    return render(
        StudyInfo(EVIL, "demo", [{**entry, "versions": versions}], {EVIL: (EVIL, "0" * 64)}, EVIL),
        [Section("table", EVIL, results(), folder / "table.svg", EVIL)],
        [Picture(EVIL, EVIL, folder / "history-cv.svg")],
        1,
        {
            "demo": {
                "versions": {"mirpair": "0.1.0", "ViennaRNA": "2.7"},
                "dropped": {"copy": 1500, EVIL: 2},
            },
            "single": {"versions": {}, "dropped": {"copy": 1}},
            "other": {"versions": {}, "dropped": {}, "collections": collections},
        },
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
    uses = re.findall(r'(?:href="#|url\(#)([^")]+)', page)
    assert len(re.findall(r"url\(#([^)]+)", page)) > 5, "clip paths"
    for used in uses:
        assert used in ids


def test_it_says_versions_dropped_records_and_how_long_it_took(page: str) -> None:
    assert "ViennaRNA 2.7" in page
    assert "1.5 minutes" in page
    assert "1 trainings (1 reused from saved results)" in page
    assert (
        "<strong>1,502</strong> records of the set <code>demo</code> were left out (1,500 copy"
        in page
    )
    assert "<strong>1</strong> record of the set <code>single</code> was left out (1 copy" in page
    assert re.search(r"hairpins</td>\s*<td[^>]*>1,917</td>\s*<td[^>]*>36,672", page)
    assert re.search(r"all</td>\s*<td[^>]*>5</td>\s*<td[^>]*>none", page)
    assert "<code>other</code>" not in page


def test_times_add_up() -> None:
    run = {"experiment": "cv", "model": "variable", "recipe": "paper", "seed": 0, "epochs": 2}
    entry = {"run": run, "wall_time_s": 90.0, "device": "cpu", "threads": 1}
    entry["versions"] = {"mirpair": "0.1.0"}
    study = StudyInfo("T", "demo", [entry, entry], {}, "")
    page = render(study, [Section("t", "T", results())], [], 0, {})
    assert "3.0 minutes of training in all" in page
    assert "reused from saved results" not in page


def test_a_title_with_markup_in_it_is_not_rewritten(tmp_path: Path) -> None:
    save(draw_results(results(), 'id="q" url(#x)'), tmp_path / "table.svg")
    assert 'id="q" url(#x)' in html.unescape(inline_svg(tmp_path / "table.svg"))


def test_it_opens_with_the_answer_and_says_how_to_cite(page: str) -> None:
    assert page.index("Did it reproduce?") < page.index("<table")
    assert "10.1101/414656" in page


def test_tables_can_be_downloaded_as_they_are(page: str) -> None:
    (uri,) = re.findall(
        r'download="table.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"', page
    )
    assert base64.b64decode(uri).decode() == to_text(printable(results(), EVIL), "csv")
    (uri,) = re.findall(r'download="table.md" href="data:[^,]*,([^"]+)"', page)
    assert base64.b64decode(uri).decode() == to_text(printable(results(), EVIL), "md")
    (uri,) = re.findall(r'download="table.tex" href="data:[^,]*,([^"]+)"', page)
    assert base64.b64decode(uri).decode() == to_text(printable(results(), EVIL), "tex")


def test_at_a_glance_has_signed_differences_intervals_and_short_rows_in_italics() -> None:
    section = reproduced((A, "CV", 0.97, 0.93, True), (A, "test", 0.985, 0.9, False))[0]
    glance = html_table(_glance(compare([section])))
    cells = {row[1]: (kind, row[2:]) for kind, row in glance["rows"]}  # type: ignore[misc,index]
    kind, (published, here, difference, *aupr) = cells[f"{A} (CV)"]
    assert (kind, published, difference) == ("", "0.980", "-0.010")
    assert here == ("0.970 ▼", "0.961–0.979", "0.970")
    assert aupr == ["0.920", ("0.930 ▲", "0.921–0.939", "0.930"), "+0.010"]
    kind, (_, here, *_) = cells[f"{A} (test)"]
    assert kind == "short"
    assert here.text == "0.985", "without a mark"


def test_every_link_within_the_page_leads_somewhere(page: str) -> None:
    targets = set(re.findall(r'<a href="#([^"]+)"', page))
    assert {"figures", "provenance", "cite", "table-table"} <= targets
    for target in targets:
        assert f'<section id="{target}">' in page


Row = tuple[str, str, float, float, bool]
A, B = "Proposed variable-sized", "Without pairing matrix"


def reproduced(*rows: Row, recipe: str = "paper") -> list[Section]:
    """Published AUROC .98 and AUPR .92, and ours: method, protocol, AUROC, AUPR, whole.

    Our intervals are .009 to either side.
    """
    lines: list[dict[str, object]] = []
    for method, protocol, auroc, aupr, whole in rows:
        line = {"method": method, "protocol": protocol, "F-score": 0.9, "note": "", "whole": True}
        line |= {f"{metric} agrees": "" for metric in METRICS}
        if recipe == "paper":
            lines.append({**line, "source": "published", "AUROC": 0.98, "AUPR": 0.92})
        model = "variable" if method == A else "without-pairing"
        names = {"model": model, "recipe": recipe, "reproduces": method}
        ours = {**line, "source": "this run", "AUROC": auroc, "AUPR": aupr, "whole": whole}
        for metric, stated in (("AUROC", 0.98), ("AUPR", 0.92)):
            value = float(ours[metric])  # type: ignore[arg-type]
            ours |= {f"{metric} low": value - 0.009, f"{metric} high": value + 0.009}
            if whole and value == value:
                agrees = "inside" if abs(value - stated) < 0.009 else "above"
                ours[f"{metric} agrees"] = "below" if value + 0.009 < stated else agrees
        ours["F-score agrees"] = "inside" if whole else ""
        lines.append({**names, **ours})
    return [Section("t", "Results", pd.DataFrame(lines))]


@pytest.mark.parametrize(
    ("rows", "cells"),
    [
        ([(A, "CV", 0.985, 0.925, True)], ("2 of 2", "3 of 3")),
        ([(A, "CV", 0.985, 0.9, True)], ("1 of 2", "2 of 3")),
        ([(A, "CV", 0.9, 0.9, True)], ("0 of 2", "1 of 3")),
        ([(A, "CV", 0.98, 0.92, True), (A, "test", 0.9, 0.92, True)], ("3 of 4", "5 of 6")),
        ([(A, "CV", 0.98, 0.92, True), (A, "test", 0.5, 0.5, False)], ("2 of 2", "3 of 3")),
    ],
)
def test_the_answer_counts_published_values_inside_the_intervals_of_full_trainings(
    rows: list[Row], cells: tuple[str, str]
) -> None:
    headline = answer(reproduced(*rows))[0]
    assert headline == (
        f"Did it reproduce? The published value is inside our 95 % interval in {cells[0]} cells of "
        f"AUROC and AUPR, and in {cells[1]} of all seven metrics (recipe paper)."
    )


def test_trainings_that_are_not_whole_answer_nothing() -> None:
    headline = answer(reproduced((A, "CV", 0.98, 0.92, False)))[0]
    assert headline.startswith("Did it reproduce? Not answered yet: of the 1 rows")


def test_the_answer_says_what_falls_short_and_how_far_off() -> None:
    rows = [(A, "CV", 0.97, 0.93, True), (A, "test", 0.98, 0.95, True), (B, "CV", 0.5, 0.5, False)]
    text = " ".join(answer(reproduced(*rows))[1])
    assert "AUROC, recipe paper: on average ours is 0.005 lower" in text
    assert "above the published value in 2 of 6 cells (recipe paper): AUPR 2." in text
    assert "below the published value in 1 of 6 cells (recipe paper): AUROC 1." in text
    assert (
        "largest difference is that of Proposed variable-sized (test, results): 0.950 here" in text
    )
    assert "1 of 3 rows had fewer epochs" in text


def test_recipes_are_never_mixed_in_an_answer() -> None:
    paper = reproduced((A, "CV", 0.98, 0.92, True))[0].table
    code = reproduced((A, "CV", 0.9, 0.8, True), recipe="published-code")[0].table
    headline, sentences = answer([Section("t", "Results", pd.concat([paper, code]))])
    assert "in 2 of 2 cells" in headline
    assert headline.endswith("(recipe paper).")
    assert "in 0 of 2 cells" in sentences[0]
    assert sentences[0].endswith("(recipe published-code).")


def test_whether_pairing_helps_is_told_of_the_same_network_trained_in_full() -> None:
    rows = [
        *((A, "one", 0.98, 0.93, True), (B, "one", 0.98, 0.90, True)),
        *((A, "two", 0.98, 0.93, True), (B, "two", 0.98, 0.91, True)),
        *((A, "three", 0.98, 0.90, True), (B, "three", 0.98, 0.91, True)),
        *((A, "four", 0.98, 0.1, True), (B, "four", 0.98, 0.9, False)),
    ]
    text = " ".join(answer(reproduced(*rows))[1])
    assert "than without it in 2 of 3 comparisons, on average by +0.013." in text
    other = reproduced((A, "one", 0.98, 0.93, True))[0].table
    blind = reproduced((B, "one", 0.98, 0.9, True), recipe="published-code")[0].table
    text = " ".join(answer([Section("t", "Results", pd.concat([other, blind]))])[1])
    assert "than without it" not in text, "not by the same recipe"


def test_without_published_values_the_answer_is_the_best_network_and_baseline() -> None:
    table = (
        results()
        .query("source != 'published'")
        .assign(method=["Variable-sized", "Random forest"], reproduces="")
    )
    headline, sentences = answer([Section("t", "Mine", table)])
    assert headline == "Best network by AUPR: Variable-sized (CV), AUPR 0.750, AUROC 0.750."
    assert sentences == [
        "1 of 1 rows of networks have a higher AUPR than the best baseline on the same records "
        "(Random forest 0.200)."
    ]
    short = table.assign(whole=[False, True])
    headline, _ = answer([Section("t", "Mine", short)])
    assert headline.startswith(
        "Nothing is trained in full yet; best network by AUPR so far: Variable-s"
    )
    worse = table.query("source == 'this run'").assign(method="Worse", AUPR=0.1)
    headline, sentences = answer([Section("t", "Mine", pd.concat([short, worse]))])
    assert headline.startswith("Best network by AUPR: Worse (CV), AUPR 0.100")
    assert "1 of 2 rows had fewer epochs" in sentences[-1]
    undefined = table.assign(AUPR=np.nan, AUROC=np.nan)
    headline, _ = answer([Section("t", "Mine", undefined)])
    assert headline == "There is no table of results in which AUPR is defined."


def test_the_best_network_is_told_of_each_split_apart() -> None:
    """An AUPR on other records says nothing of which network is better."""
    network = results().query("source == 'this run'").assign(reproduces="")
    rows = [
        network.assign(method=method, protocol=protocol, AUPR=aupr)
        for protocol, method, aupr in (("CV", "A", 0.6), ("CV", "B", 0.7), ("new", "A", 0.9))
    ]
    headline, _ = answer([Section("t", "Mine", pd.concat(rows))])
    assert "B (CV), AUPR 0.700" in headline
    assert "A (new), AUPR 0.900" in headline
    assert "A (CV)" not in headline
    headline, _ = answer([Section("t", "One", rows[0]), Section("u", "Two", rows[1])])
    assert "A (CV, One), AUPR 0.600" in headline
    assert "B (CV, Two), AUPR 0.700" in headline


def test_the_answer_warns_of_records_that_were_trained_on_or_stand_in_both_classes() -> None:
    audit = pd.DataFrame(
        {"positives": [10, 5], "negatives": [1000, 5], "in training": [3, 1], "in both classes": 2}
    )
    sections = [*reproduced((A, "CV", 0.98, 0.92, True)), Section("audit", "Doubts", audit)]
    text = " ".join(answer(sections)[1])
    assert "Of 1,020 evaluation records, 4 have the same sequence as a training record" in text
    assert "and 4 a sequence that also occurs in the other class: see “Doubts”" in text
    audit[["in training", "in both classes"]] = 0
    assert "evaluation records" not in " ".join(answer(sections)[1])


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
    assert labels == ["Proposed variable-sized (CV) *", "Random forest (CV)"]
    places = shared.get_yticks()
    assert places[0] > places[1], "the first row is on top"
    for axis, metric in zip(figure.axes, ("F-score", "AUROC", "AUPR"), strict=True):
        dots = {str(line.get_label()): line for line in axis.lines}
        for source, row in (("published", 0), ("this run", 1), ("baseline", 2)):
            (x,), (y,) = dots[source].get_data()
            assert x == pytest.approx(table.loc[row, metric], nan_ok=True)
            assert y == places[row // 2]


def test_the_figure_of_a_history_says_whose_metrics_it_shows() -> None:
    evaluated = history(some_scores())
    validated = evaluated.rename(columns=lambda name: name.replace("evaluate", "validate"))
    for table, role, shown in (
        (evaluated, "evaluate", "evaluation records"),
        (validated, "validate", "validation records"),
    ):
        left, right = draw_histories({"variable": {"one": table}}, "title").axes
        assert right.get_title() == shown
        assert {line.get_label() for line in left.lines} >= {"train", role}


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
        low, high = axis.get_ylim()
        assert low <= 0.5
        assert high > 1
    losses = [axis for axis in figure.axes if axis.get_ylabel() == "loss per record"]
    for axis in losses:
        assert axis.get_ylim()[0] == 0
        assert axis.get_ylim()[1] >= two["train loss"].max(), "nothing is out of the picture"
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


def test_an_rna_counts_once_in_a_histogram_however_many_seeds_scored_it() -> None:
    one = pd.DataFrame({"id": list("abc"), "label": [1, 0, 0], "score": [0.9, 0.1, 0.1]})
    seeds = {f"seed{n}": one.assign(score=one["score"] + 0.005 * n) for n in range(3)}
    figure = draw_predictions({"Network": seeds}, "title")
    histogram = next(it for it in figure.axes if it.get_title() == "Network")
    highest = {
        patch.get_label(): max(y for _, y in patch.get_xy())  # type: ignore[attr-defined]
        for patch in histogram.patches
    }
    assert highest["others"] == pytest.approx(2), "two RNAs, not six scores"
    assert highest["pre-miRNAs"] == pytest.approx(1)


def test_curves_calibration_and_histograms_are_those_of_the_predictions() -> None:
    predictions = pd.DataFrame(
        {"id": list("abcde"), "label": [1, 1, 0, 0, 0], "score": [0.95, 0.42, 0.61, 0.11, 0.13]}
    )
    other = predictions.assign(label=[0, 0, 1, 1, 1])
    figure = draw_predictions({"Network": {"one": predictions}, "Other": {"one": other}}, "title")
    roc, curve, calibration, histogram, second = (a for a in figure.axes if a.get_visible())
    points = roc.lines[0].get_xydata().tolist()
    assert points == [[0, 0], [0, 0.5], [1 / 3, 0.5], [1 / 3, 1], [1, 1]]
    # By falling threshold: .95, then .61, then .42.
    precision = dict(zip(*curve.lines[0].get_data()[::-1], strict=True))
    assert {1.0, 0.5, 2 / 3} <= {float(p) for p in precision}
    points = {(round(x, 2), round(y, 2)) for x, y in calibration.lines[0].get_xydata().tolist()}
    assert points == {(0.12, 0), (0.42, 1), (0.61, 0), (0.95, 1)}, "mean score, share"
    assert [axis.get_title() for axis in (histogram, second)] == ["Network", "Other"]
    for axis, total in ((histogram, {"others": 3, "pre-miRNAs": 2}), (second, None)):
        for patch in axis.patches:
            steps = patch.get_xy()  # type: ignore[attr-defined]
            heights = {float(y) for _, y in steps} - {0.0}
            assert heights <= {1.0, 2.0}
            name = str(patch.get_label())
            right = max(x for x, y in steps.tolist() if y > 0)
            if total is not None:
                assert (right > 0.9) == (name == "pre-miRNAs")
            else:
                assert (right > 0.9) == (name == "others")
    (legend,) = figure.legends
    drawn = {h.get_label(): h.get_color() for h in legend.legend_handles}  # type: ignore[union-attr]
    assert drawn["Network"] == roc.lines[0].get_color() != drawn["Other"]


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
    assert isinstance(scores, ScoreLog)
    assert len(scores.evaluate_scores) >= 2
    earlier = dataclasses.replace(scores, epochs=np.array(1))
    np.testing.assert_array_equal(earlier.result, scores.evaluate_scores[0])
    assert final(earlier)["AUROC"][0] == history(scores)["evaluate AUROC"][0]


def test_networks_trained_in_full_are_counted_above_the_best_baseline_of_their_records() -> None:
    def row(method: str, protocol: str, source: str, aupr: float, whole: bool = True) -> object:
        line = {"method": method, "protocol": protocol, "source": source, "AUPR": aupr}
        line |= {"whole": whole, "note": "", "model": method, "recipe": "paper", "reproduces": ""}
        numbers = {f"{m} {end}": np.nan for m in METRICS for end in ("low", "high")}
        return {**dict.fromkeys(METRICS, 0.5), **numbers, **line} | {
            f"{m} agrees": "" for m in METRICS
        }

    table = pd.DataFrame(
        [
            row("A", "CV", "this run", 0.8),
            row("B", "CV", "this run", 0.6),
            row("C", "CV", "this run", 0.9, whole=False),
            row("Forest", "CV", "baseline", 0.7),
            row("MFE", "CV", "baseline", 0.1),
            row("A", "test", "this run", 0.65),
            row("MFE", "test", "baseline", 0.3),
        ]
    )
    sentences = answer([Section("t", "Mine", table)])[1]
    assert sentences[0] == (
        "2 of 3 rows of networks have a higher AUPR than the best baseline on the same records "
        "(Forest 0.700, MFE 0.300)."
    )


def test_cleaned_records_are_drawn_with_their_own_values_side_by_side() -> None:
    subsets = {"all": "every", "labels cleaned": "some", "cleaned": "few"}
    table = pd.DataFrame(
        {"method": ["A", "B", "A"], "protocol": ["cv", "cv", "test"], "source": "this run"}
    ).assign(whole=[True, True, False])
    value = 0.1
    for metric in ("F-score", "AUROC", "AUPR"):
        for subset in subsets:
            table[f"{metric} {subset}"] = [value, value + 0.01, value + 0.02]
            table[f"{metric} {subset} low"] = table[f"{metric} {subset}"] - 0.005
            table[f"{metric} {subset} high"] = table[f"{metric} {subset}"] + 0.005
            value += 0.1
    figure = draw_cleaned(table, subsets)
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["A", "B", "A *"]
    for axis, metric in zip(figure.axes, ("F-score", "AUROC", "AUPR"), strict=True):
        heights = axis.get_yticks()
        dots = {str(line.get_label()): line.get_data() for line in axis.lines}
        bars = [collection.get_segments() for collection in axis.collections]
        for (subset, name), bar in zip(subsets.items(), bars, strict=True):
            values, places = dots[name]
            assert list(values) == pytest.approx(table[f"{metric} {subset}"].tolist())
            assert [segment[0][1] for segment in bar] == pytest.approx(list(places))
            assert [segment[1][0] - segment[0][0] for segment in bar] == pytest.approx([0.01] * 3)
            assert np.abs(np.array(places) - heights).max() < 0.5, "in the row of its method"
        every = [place for name in subsets.values() for place in dots[name][1]]
        assert len({round(float(place), 6) for place in every}) == 9, "none hides another"


def test_deviations_from_the_mean_of_seeds_are_drawn_for_each_recipe() -> None:
    table = pd.DataFrame(
        {
            "method": ["A", "B", "A"],
            "protocol": "human, CV",
            "recipe": ["paper", "paper", "other"],
            "limit": 4.97,
        }
    )
    for number, metric in enumerate(METRICS):
        table[f"{metric} deviation"] = [number - 3.0, 20.0, -2.0]
    figure = draw_seeds(table, "title")
    left, right = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["recipe paper", "recipe other"]
    labels = {
        tick: text.get_text() for tick, text in zip((0, 1), left.get_yticklabels(), strict=True)
    }
    assert labels == {0: "B (human, CV)", 1: "A (human, CV)"}
    dots = {str(line.get_label()): line.get_data() for line in left.lines}
    places = []
    for number, metric in enumerate(METRICS):
        values, heights = dots[metric]
        assert list(values) == [number - 3.0, 20.0]
        assert [round(float(it)) for it in heights] == [1, 0], "in the row of its method"
        places += [float(it) for it in heights]
    assert len(set(places)) == 14, "none hides another"
    low, high = left.patches[0].get_extents().transformed(left.transData.inverted()).intervalx
    assert (low, high) == pytest.approx((-4.97, 4.97))
    assert {str(line.get_label()): line.get_data()[0] for line in right.lines}["SE"] == [-2.0]


def test_a_figure_of_no_seeds_says_so() -> None:
    figure = draw_seeds(seeds_table({}), "title")
    assert not figure.axes
    assert any("no row of several seeds" in text.get_text() for text in figure.texts)


def test_intervals_of_a_table_of_results_are_drawn() -> None:
    figure = draw_results(results(), "title")
    for axis, metric in zip(figure.axes, ("F-score", "AUROC", "AUPR"), strict=True):
        drawn = [segment for bars in axis.collections for segment in bars.get_segments()]
        known = [[x for x, _ in segment] for segment in drawn if len(segment)]
        assert known == [[0.7, 0.8]] * int(results()[metric].notna().sum())


def test_the_scale_is_wider_near_one_and_has_all_values_on_it() -> None:
    figure = draw_results(results(), "title")
    axis = figure.axes[1]
    to_right = axis.transData.transform
    places = [to_right((value, 0))[0] for value in (0.85, 0.9, 0.95, 1.0)]
    steps = [right - left for left, right in itertools.pairwise(places)]
    assert 0 < steps[0] < steps[1] < steps[2]
    assert axis.get_window_extent().x1 >= places[-1], "1 is on it"
    assert axis.get_xlabel() == "(wider near 1)"


def test_a_published_value_is_drawn_in_each_row_that_reproduces_it() -> None:
    """In its own row, which has ours by the paper's recipe, and in that of another recipe."""
    metrics = dict.fromkeys(METRICS, 0.75)
    limits = {f"{metric} {it}": 0.7 for metric in METRICS for it in ("low", "high")}
    about = {"protocol": "CV", "whole": True, **limits}
    table = pd.DataFrame(
        [
            {"method": "A", "source": "published", "reproduces": "", **about, **metrics},
            {"method": "A", "source": "this run", "reproduces": "A", **about, **metrics},
            {"method": "A, other", "source": "this run", "reproduces": "A", **about, **metrics},
            {"method": "B", "source": "published", "reproduces": "", **about, **metrics},
        ]
    )
    axis = draw_results(table, "T").axes[0]
    names = dict(
        zip(axis.get_yticks(), [it.get_text() for it in axis.get_yticklabels()], strict=True)
    )
    (dots,) = [line for line in axis.lines if line.get_label() == "published"]
    assert sorted({names[it] for it in dots.get_ydata()}) == ["A (CV)", "A, other (CV)", "B (CV)"]


def test_figures_are_drawn_from_the_files_of_the_stages_before(tmp_path: Path) -> None:
    table = history(some_scores())
    files = []
    for name in ("a", "b"):
        write_tsv(table, tmp_path / f"{name}.tsv")
        files.append(str(tmp_path / f"{name}.tsv"))
    runs = [
        {"group": group, "experiment": experiment, "seed": 0, "label": "N", "epochs": 1}
        for group, experiment in (("cv", "cv1"), ("test", "test"))
    ]
    titles = {
        axis.get_title(loc="left")
        for axis in draw("watched", files, {"runs": runs, "training": "test"}).axes
    }
    assert {"A  cv1, validation records", "B  test, training records"} <= titles
    left, _ = draw("histories", files, {"runs": runs, "title": "T"}).axes
    assert left.get_title() == "N (2 runs)", "of one network together"
    benchmarks = {"fold": ["one.tsv", "lost.tsv"], "train": ["two.tsv"]}
    for name in ("one", "two"):
        (tmp_path / f"{name}.tsv").write_text("s\tmax_rss\n1.5\t80\n")
    left, _ = draw("resources", [], {"folder": str(tmp_path), "benchmarks": benchmarks}).axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["fold (1)", "train (1)"]
    write(printable(results(), "T"), tmp_path / "t.csv")
    drawn = draw("comparison", [str(tmp_path / "t.csv")], {"title": "T"})
    assert to_svg(drawn) == to_svg(draw_results(results(), "T"))
    features = [("a", 1, 50, 0.5, 0.1, 0, ""), ("b", 0, 70, 0.5, 0.1, 0, "")]
    write_tsv(pd.DataFrame(features, columns=list(SET_FEATURES)), tmp_path / "f.tsv")
    (axis,) = draw("lengths", [str(tmp_path / "f.tsv")], {"sets": ["mine"]}).axes
    assert "2 RNAs: shortest 50, mean 60, longest 70 nt" in axis.get_title(loc="left")
