"""The report in a real browser: offline, without errors, readable on a phone, tables that sort."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from test_report import EVIL, write_page

from mirpair.identification.tables import printable
from mirpair.pages.printing import to_text
from mirpair.scan.calls import Call
from mirpair.scan.output import Summary
from mirpair.scan.page import render

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
WIDTHS = (400, 1600)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    path = folder / "report.html"
    path.write_text(write_page(folder), encoding="utf-8")
    return path


def opened(browser: Browser, path: Path, width: int) -> tuple[Page, list[str]]:
    """The page, and everything that it complained of or asked of the network."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            complaints.append(request.url)
            if not request.url.startswith(("file:", "data:"))
            else None
        ),
    )
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    return page, complaints


@pytest.mark.parametrize("width", WIDTHS)
def test_it_opens_without_errors_and_shows_its_figures(
    browser: Browser, report: Path, width: int
) -> None:
    page, complaints = opened(browser, report, width)
    assert complaints == []
    assert page.locator("h1").inner_text() == EVIL, "as text"
    assert "Did it reproduce?" in page.locator(".answer").inner_text()
    figures = page.locator("figure svg")
    assert figures.count() == 2
    for place in range(figures.count()):
        box = figures.nth(place).bounding_box()
        assert box is not None
        assert box["width"] >= 500, "drawn at a size at which its text can be read"
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_but_tables_and_figures_is_wider_than_the_screen(
    browser: Browser, report: Path, width: int
) -> None:
    page, _ = opened(browser, report, width)
    for details in page.locator("details").all():
        details.evaluate("element => { element.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert float(page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")) >= 15
    page.close()


def test_a_click_on_a_heading_sorts_the_table_and_a_third_one_restores_it(
    browser: Browser, report: Path
) -> None:
    page, complaints = opened(browser, report, 1600)
    table = page.locator("#table-table table")

    def column(number: int) -> list[str]:
        return table.locator(f"tbody tr td:nth-child({number})").all_inner_texts()

    names = table.locator("thead th").all_inner_texts()
    auroc = names.index("AUROC") + 1
    before = column(auroc)
    assert before == ["0.985\n0.700–0.800", "0.750 ▼\n0.700–0.800", "0.500\n0.700–0.800"]
    heading = table.get_by_role("button", name="AUROC")
    heading.click()
    assert column(auroc) == before
    assert table.locator("th").nth(auroc - 1).get_attribute("aria-sort") == "descending"
    heading.click()
    assert column(auroc) == before[::-1]
    assert column(1)[0].startswith("Random forest"), "whole rows move"
    heading.click()
    assert column(auroc) == before
    # What is missing stands last, whichever way.
    for _ in range(2):
        table.get_by_role("button", name="SE").click()
        assert column(names.index("SE") + 1)[-1] == "–"
    table.get_by_role("button", name="Method").click()
    assert column(1)[0].startswith("Random forest"), "from Z to A"
    assert complaints == []
    page.close()


def test_numbers_sort_as_numbers_signs_and_all(browser: Browser, tmp_path: Path) -> None:
    values = ["9", "-0.5", "10", "+2.5", "–", "1,234"]
    counts = pd.DataFrame({"dataset": values, "source": "this run"})
    path = tmp_path / "table.html"
    path.write_text(to_text(printable(counts, "t"), "html"), encoding="utf-8")
    page, _ = opened(browser, path, 1600)
    heading = page.get_by_role("button", name="Dataset")
    for wanted in (
        ["1,234", "10", "9", "+2.5", "-0.5", "–"],
        ["-0.5", "+2.5", "9", "10", "1,234", "–"],
        values,
    ):
        heading.click()
        assert page.locator("tbody tr td:first-child").all_inner_texts() == wanted
    page.close()


def test_on_a_phone_a_table_scrolls_to_its_last_column_and_keeps_its_first(
    browser: Browser, report: Path
) -> None:
    page, _ = opened(browser, report, 400)
    scroll = page.locator("#table-table .scroll").first
    scroll.evaluate("element => { element.scrollLeft = element.scrollWidth; }")
    row = page.locator("#table-table tbody tr").first
    last, first = row.locator("td").last.bounding_box(), row.locator("td").first.bounding_box()
    assert last is not None
    assert first is not None
    assert last["x"] + last["width"] <= 400, "reached"
    assert 0 <= first["x"] < 50, "still there"
    page.close()


def test_a_table_is_downloaded_as_csv(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report, 1600)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").first.click()
    assert download.value.suggested_filename == "table.csv"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("method,protocol,SE,SP,PPV")
    page.close()


def test_a_script_that_is_not_ours_would_not_run(
    browser: Browser, report: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "report.html"
    text = report.read_text(encoding="utf-8")
    broken.write_text(text.replace("</body>", "<script>document.title = 'x'</script></body>"))
    page, complaints = opened(browser, broken, 1600)
    assert page.title() == EVIL
    assert any("Content Security Policy" in complaint for complaint in complaints)
    page.close()


def test_a_hostile_name_on_the_page_of_a_scan_is_text_in_a_browser(
    browser: Browser, tmp_path: Path
) -> None:
    evil = "<img/src=x/onerror=alert(1)><script>document.title='owned'</script>"
    row = {"id": evil, "score": 0.9, "probability": None, "mfe": -20.0, "structure": "((...))"}
    near = {"nearest": evil, "identity": 0.9, "coverage": 1.0, "status": "known"}
    near["other_known"] = evil
    near |= {"false_calls_per_mb": "2", "cluster": evil, "family": evil, "call": 1}
    call = Call(0, evil, 5, 12, "+", "GGAAACC", 0.9)
    summary = Summary(lengths={evil: 100}, best=[(row | near, "GGAAACC")], called=[call])
    path = tmp_path / "scan.html"
    path.write_text(render(evil, summary, {evil: evil}), encoding="utf-8")
    page, complaints = opened(browser, path, 1000)
    assert complaints == []
    assert page.title() != "owned"
    assert page.locator("img").count() == 0
    assert evil in page.locator("body").inner_text()
    page.close()
