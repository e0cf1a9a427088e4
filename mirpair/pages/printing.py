"""The printer of all tables: CSV for programs; HTML, Markdown and LaTeX for readers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mirpair.files import InputError, write_text
from mirpair.pages.page import data_uri, inline_svg, render

# Where a row comes from. Pages colour rows by it (style.css).
PUBLISHED, OURS, BASELINE, OTHER_PROGRAM = "published", "this run", "baseline", "other program"
# Marks behind a value: the published value is in its interval; it is above, below; it is best.
INSIDE_MARK, ABOVE_MARK, BELOW_MARK, BEST_MARK = "✓", "▲", "▼", "★"
MISSING = "–"
_LATEX: dict[str, str | int | None] = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    MISSING: "--",
    INSIDE_MARK: r"$\in$",
    ABOVE_MARK: r"$\uparrow$",
    BELOW_MARK: r"$\downarrow$",
    BEST_MARK: r"$\star$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
# Formats that a page offers for download: label and MIME type.
_DOWNLOADS = {
    "csv": ("CSV", "text/csv"),
    "md": ("Markdown", "text/markdown"),
    "tex": ("LaTeX", "application/x-tex"),
}


@dataclass(frozen=True, slots=True)
class Printable:
    """A table as programs read it, and as readers see it."""

    title: str
    # What the CSV has, and what readers see in each cell.
    table: pd.DataFrame
    text: pd.DataFrame
    # Class of each row, by which pages colour it: one of PUBLISHED, … or empty.
    kinds: Sequence[str]
    # Columns of `text` that LaTeX aligns to the right.
    numbers: Collection[str] = ()
    # What a page shows smaller below a cell, for some of the columns of `text`.
    below: pd.DataFrame = field(default_factory=pd.DataFrame)
    # Heading of a second table that holds `below` in Markdown and LaTeX. Empty: there is no second
    # table, and `below` follows its cell in brackets.
    intervals: str = ""
    # Sentences below the table.
    notes: Sequence[str] = ()


class Cell(NamedTuple):
    """A cell of a page's table: its text, the smaller text below it, its key for sorting."""

    text: str
    below: str
    order: str


def decimals(values: pd.Series, form: str = "{:.3f}") -> list[str]:
    """Format numbers, by default with three decimals; a missing one is a dash."""
    return [form.format(value) if pd.notna(value) else MISSING for value in values]


def ranges(low: pd.Series, high: pd.Series, form: str = "{:.3f}–{:.3f}") -> list[str]:
    """Format intervals; a missing one is empty."""
    ends = zip(low, high, strict=True)
    return [form.format(*pair) if pd.notna(pair[0]) else "" for pair in ends]


def html_table(shown: Printable) -> dict[str, Sequence[object]]:
    """Return what the macro of the templates needs: header, class and cells of each row, notes."""
    rows: list[tuple[str, list[object]]] = []
    for place, (kind, texts) in enumerate(
        zip(shown.kinds, shown.text.itertuples(index=False, name=None), strict=True)
    ):
        cells = [
            Cell(text, shown.below[name].iloc[place], text.split()[0].replace(",", ""))
            if name in shown.below
            else text
            for name, text in zip(shown.text.columns, texts, strict=True)
        ]
        rows.append((kind.replace(" ", "-"), cells))
    return {"header": list(shown.text.columns), "rows": rows, "notes": shown.notes}


def section_parts(
    name: str, shown: Printable, text: str = "", figure: Path | None = None
) -> dict[str, Any]:
    """Return what the templates need for a table of a report.

    `name` is that of its files; `text` are sentences above it, `figure` an SVG file that shows the
    same rows.
    """
    downloads = [
        (f"{name}.{suffix}", label, data_uri(kind, to_text(shown, suffix)))
        for suffix, (label, kind) in _DOWNLOADS.items()
    ]
    return {
        "name": f"table-{name}",
        "title": shown.title,
        "table": html_table(shown),
        "downloads": downloads,
        "figure": inline_svg(figure) if figure else None,
        "text": text,
    }


def to_text(shown: Printable, kind: str) -> str:
    """Print a table as csv, md, html or tex; any other format is an `InputError`.

    The CSV has six decimals, and nothing where there is no value. The HTML is a page of its own.
    LaTeX needs the package booktabs.
    """
    match kind:
        case "csv":
            return shown.table.to_csv(index=False, lineterminator="\n", float_format="%.6f")
        case "md":
            tables = [markdown(text) for text, _ in _texts(shown)]
            parts = [f"**{shown.title}**", tables[0], *shown.notes, *tables[1:]]
            return "\n\n".join(parts) + "\n"
        case "tex":
            return "\n".join(_latex(*part, shown.numbers) for part in _texts(shown))
        case "html":
            return render("table", title=shown.title, table=html_table(shown)) + "\n"
    raise InputError(f"{shown.title}: unknown table format {kind!r}; known are csv, md, html, tex")


def write(shown: Printable, path: str | Path) -> None:
    """Write a table in the format of the file name: csv, md, html or tex."""
    write_text(path, to_text(shown, Path(path).suffix[1:]))


def _texts(shown: Printable) -> list[tuple[pd.DataFrame, str]]:
    """Return the tables that Markdown and LaTeX print, each with its caption in LaTeX."""
    text, below = shown.text, shown.below
    caption = " ".join([f"{shown.title.rstrip('.')}.", *shown.notes])
    if not shown.intervals:
        text = text.copy()
        for name in below:
            text[name] += [f" ({it})" if it else "" for it in below[name]]
        return [(text, caption)]
    present = (below != "").any(axis=1).to_numpy()
    if not present.any():
        return [(text, caption)]
    names = pd.DataFrame({shown.intervals: text.iloc[:, 0].to_numpy()})
    second = pd.concat([names, below.reset_index(drop=True).replace("", MISSING)], axis=1)
    return [(text, caption), (second[present], f"{shown.title}: {shown.intervals}s")]


def markdown(text: pd.DataFrame) -> str:
    """Print a table of texts in Markdown."""

    def escape(cell: str) -> str:
        return cell.replace("|", "\\|")

    escaped = text.map(escape).rename(columns=escape)
    table: str = escaped.to_markdown(index=False, disable_numparse=True)
    return table


def _latex(text: pd.DataFrame, caption: str, numbers: Collection[str]) -> str:
    align = "".join("r" if name in numbers else "l" for name in text.columns)
    escaped = text.map(_latex_text).rename(columns=_latex_text)
    table: str = escaped.style.hide(axis="index").to_latex(
        hrules=True, column_format=align, caption=_latex_text(caption), position_float="centering"
    )
    return table


def _latex_text(text: str) -> str:
    return text.translate(str.maketrans(_LATEX))


def read_table(path: str | Path) -> pd.DataFrame:
    """Read the CSV of a table, with the types that it had before it was written."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    texts = table.select_dtypes(exclude=["number", "bool"]).columns
    return table.assign(**{name: table[name].fillna("") for name in texts})
