"""What all reports share: one printer of tables, one frame of pages, one style of figures."""

from __future__ import annotations

import base64
import math
import re
from pathlib import Path

import matplotlib
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mirpair.files import InputError
from mirpair.pages.page import StudyInfo, embed_svg, render, render_study
from mirpair.pages.printing import (
    Printable,
    decimals,
    html_table,
    ranges,
    section_parts,
    to_text,
    write,
)
from mirpair.pages.style import STYLE, in_style, legend_below, save, to_svg


def printable(intervals: str = "") -> Printable:
    """Two rows: one with an interval, one without."""
    table = pd.DataFrame({"method": ["a|b", "c_d"], "value": [0.5, math.nan]})
    text = pd.DataFrame({"Method": table["method"], "Value": ["1,500.0 ▲", "–"]})
    below = pd.DataFrame({"Value": ["0.4–0.6", ""]})
    kinds = ["this run", "baseline"]
    return Printable("A title", table, text, kinds, ["Value"], below, intervals, ["A note."])


def test_what_stands_below_a_cell_is_in_brackets_or_in_a_second_table() -> None:
    in_brackets = to_text(printable(), "md")
    assert "1,500.0 ▲ (0.4–0.6)" in in_brackets
    assert in_brackets.count("| Method") == 1
    apart = to_text(printable("95 % interval"), "md")
    assert "(0.4–0.6)" not in apart
    second = apart[apart.index("| 95 % interval") :]
    assert "0.4–0.6" in second
    assert "c_d" not in second, "a row without any interval is left out"
    assert apart.index("A note.") < apart.index("| 95 % interval")
    latex = to_text(printable("95 % interval"), "tex")
    assert latex.count(r"\begin{table}") == 2
    assert r"\caption{A title: 95 \% intervals}" in latex


def test_without_any_interval_there_is_no_second_table() -> None:
    shown = printable("95 % interval")
    shown.below["Value"] = ""
    assert "95 % interval" not in to_text(shown, "md")
    assert to_text(shown, "tex").count(r"\begin{table}") == 1


def test_each_format_escapes_what_would_end_a_cell() -> None:
    assert r"a\|b" in to_text(printable(), "md")
    latex = to_text(printable(), "tex")
    assert r"a\textbar{}b" in latex
    assert r"c\_d" in latex
    assert r"$\uparrow$" in latex
    assert r"\begin{tabular}{lr}" in latex, "numbers are aligned to the right"


def test_csv_has_what_programs_read_and_nothing_else() -> None:
    assert to_text(printable(), "csv") == "method,value\na|b,0.500000\nc_d,\n"


def test_a_cell_of_a_page_is_sorted_by_its_number_without_mark_and_commas() -> None:
    parts = html_table(printable())
    (first, second) = parts["rows"]
    assert first == ("this-run", ["a|b", ("1,500.0 ▲", "0.4–0.6", "1500.0")])  # type: ignore[comparison-overlap]
    assert second[1][1].below == ""  # type: ignore[index]


def test_every_file_of_a_table_ends_with_a_line_end_and_an_unknown_format_is_refused(
    tmp_path: Path,
) -> None:
    for suffix in ("csv", "md", "tex", "html"):
        write(printable(), tmp_path / f"t.{suffix}")
        text = (tmp_path / f"t.{suffix}").read_text("utf-8")
        assert text.endswith("\n"), suffix
        assert not text.endswith("\n\n"), suffix
    with pytest.raises(InputError, match="unknown table format 'xlsx'; known are csv, md"):
        write(printable(), tmp_path / "t.xlsx")


def test_downloads_hold_the_files_themselves() -> None:
    parts = section_parts("t", printable(), "text")
    assert (parts["name"], parts["text"], parts["figure"]) == ("table-t", "text", None)
    assert [(file, label) for file, label, _ in parts["downloads"]] == [
        ("t.csv", "CSV"),
        ("t.md", "Markdown"),
        ("t.tex", "LaTeX"),
    ]
    for file, _, uri in parts["downloads"]:
        content = base64.b64decode(uri.split(",")[1]).decode()
        assert content == to_text(printable(), file.split(".")[1])


def test_missing_numbers_are_dashes_and_missing_intervals_are_empty() -> None:
    values = pd.Series([0.12345, math.nan])
    assert decimals(values) == ["0.123", "–"]
    assert decimals(values, "{:.0%}") == ["12%", "–"]
    assert ranges(values, values + 1) == ["0.123–1.123", ""]
    assert ranges(values, values, "{:+.1f} to {:+.1f}") == ["+0.1 to +0.1", ""]


def figure() -> Figure:
    drawn = Figure()
    drawn.subplots().plot([0, 1], label="$a$ <b>")
    return drawn


def test_figures_are_drawn_in_the_style_and_leave_the_settings_as_they_were() -> None:
    before = matplotlib.rcParams["font.size"]
    seen = in_style(lambda: matplotlib.rcParams["font.size"])()
    assert seen == STYLE["font.size"] != before
    assert matplotlib.rcParams["font.size"] == before


def test_a_saved_figure_and_its_text_are_the_same_without_a_date(tmp_path: Path) -> None:
    save(figure(), tmp_path / "a.svg")
    text = to_svg(figure())
    assert (tmp_path / "a.svg").read_text("utf-8") == text
    assert "dc:date" not in text


def test_a_legend_below_names_the_lines_of_all_panels() -> None:
    drawn = Figure()
    left, right = drawn.subplots(1, 2)
    left.plot([0, 1], label="one")
    right.plot([0, 1], label="two")
    legend_below(drawn, left, right, columns=2)
    (legend,) = drawn.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]


def test_ids_of_an_embedded_figure_carry_its_name() -> None:
    svg = '<?xml version="1.0"?><svg id="x"><use href="#x"/><g clip-path="url(#x)"/>id="x"</svg>'
    assert embed_svg(svg, "a/b") == (
        '<svg id="a-b-x"><use href="#a-b-x"/><g clip-path="url(#a-b-x)"/>id="x"</svg>'
    ), "the text between tags stays"


def test_a_page_allows_its_own_script_and_escapes_its_parts() -> None:
    page = render("table", title="<b>", table=html_table(printable()))
    assert "<b>" not in page
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", page)


def test_the_report_of_a_study_lists_runs_versions_files_and_config() -> None:
    run = {"experiment": "cv1", "model": "m", "recipe": "r", "seed": 3, "epochs": 7}
    entry = {"run": run, "wall_time_s": 60.4, "device": "cpu", "threads": 2}
    versions = [{"mirpair": "1", "torch": "2"}, {"mirpair": "1", "torch": "3"}]
    study = StudyInfo(
        "Title",
        "name",
        [{**entry, "versions": them} for them in versions],
        {"a.fa": ("https://example.org/a.fa", "f00")},
        "study: name",
    )
    page = render_study(
        "report",
        study,
        ("Headline", ["Sentence"]),
        sections=[section_parts("t", printable())],
        pictures=[],
        meaning={"this run": "ours"},
        key_at="table-t",
        glance=None,
        dropped={},
    )
    assert "torch 2 and 3" in page
    assert "mirpair 1," in page
    assert "cv1/m/r/seed3" in page
    assert ">60<" in page
    assert "2.0 minutes" in page
    assert page.count("this run: ours") == 1
    for part in ("Headline", "Sentence", "https://example.org/a.fa", "f00", "study: name"):
        assert part in page
