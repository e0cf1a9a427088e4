"""Read the tables that users write, and say in which line and column they are wrong."""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mirpair.files import InputError

if TYPE_CHECKING:
    import pandas as pd

# First bytes of files that are no text, or text of another encoding.
_SIGNATURES = {
    b"PK\x03\x04": "is an Excel or another zip file",
    b"\xd0\xcf\x11\xe0": "is an Excel file",
    b"\x1f\x8b": "is packed by gzip",
    b"\xff\xfe": "cannot be read: it is UTF-16 text",
    b"\xfe\xff": "cannot be read: it is UTF-16 text",
}
_SEPARATORS = {",": "commas", ";": "semicolons", "|": "bars", " ": "spaces"}
_SAVE = "save it as text separated by tabs, in UTF-8 (a TSV file)"


class Sheet(NamedTuple):
    """A table: the names of its columns; number of its line and value by column of each row."""

    columns: Sequence[str]
    rows: Sequence[tuple[int, Mapping[str, str]]]


def read_sheet(path: str | Path, columns: Sequence[str]) -> Sheet:
    """Read a table that is separated by tabs, as a spreadsheet or an editor saves it.

    It may begin with a byte order mark and have any line ends. White space around a value, empty
    lines and empty columns at the end are ignored.

    Parameters
    ----------
    columns
        Columns that it must have; it may have others.

    Raises
    ------
    InputError
        If the file cannot be read, is no such table, lacks a column or has one twice, or a row has
        another number of fields than the first line.
    """
    needs = f"It needs the columns {', '.join(columns)}; correct it."
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    for signature, what in _SIGNATURES.items():
        if content.startswith(signature):
            raise InputError(f"{path}: {what}; {_SAVE}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeError as error:
        raise InputError(f"{path}: cannot be read: it is not UTF-8 text; {_SAVE}") from error
    lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in lines:
            values = [cell.strip() for cell in cells]
            if any(values):
                rows.append((lines.line_num, values))
    except csv.Error as error:
        raise InputError(f"{path}: line {lines.line_num}: is not text; {_SAVE}") from error
    if not rows:
        raise InputError(f"{path}: the file is empty. {needs}")
    (first, header), *rest = rows
    while not header[-1]:
        header.pop()
    where = f"{path}: line {first}"
    if problem := _problem_of_header(header, columns):
        raise InputError(f"{where}: {problem}. {needs}")
    return Sheet(header, [(line, _by_column(path, line, it, header)) for line, it in rest])


def _problem_of_header(header: Sequence[str], columns: Sequence[str]) -> str:
    missing = [name for name in columns if name not in header]
    if missing and len(header) == 1:
        counts = {name: header[0].count(sign) for sign, name in _SEPARATORS.items()}
        name = max(counts, key=lambda it: counts[it])
        if counts[name]:
            return f"has no tab, but {name}; the columns of a table are separated by tabs: {_SAVE}"
    if missing:
        name = missing[0]
        alike = {it.casefold().lstrip("#"): it for it in header}
        close = difflib.get_close_matches(name.casefold(), alike, n=1)
        hint = f" (is it {alike[close[0]]!r}?)" if close else ""
        return f"there is no column {name!r}{hint}"
    twice = [name for name in header if name in columns and header.count(name) > 1]
    return f"the column {twice[0]!r} is there twice" if twice else ""


def _by_column(
    path: str | Path, line: int, values: list[str], header: Sequence[str]
) -> Mapping[str, str]:
    while len(values) > len(header) and not values[-1]:
        values.pop()
    if open_quote := next((it for it in values if "\n" in it or "\r" in it), None):
        raise InputError(
            f"{path}: before line {line + 1}: a value has several lines ({open_quote[:20]!r}…); is "
            "a quotation mark not closed?"
        )
    if len(values) != len(header):
        count = f"{len(values)} field{'s' * (len(values) > 1)}"
        raise InputError(
            f"{path}: line {line}: has {count}, but the first line has {len(header)} columns; is a "
            "tab missing or too many?"
        )
    return dict(zip(header, values, strict=True))


def read_typed(path: str | Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """Read a table of texts and numbers; an empty number is missing, if it is no whole number.

    Parameters
    ----------
    columns
        Column name to ``"str"``, ``"int64"`` or ``"float64"``. All are required; others are not
        read. A wrong value is an `InputError`; for others see `read_sheet`.
    """
    import pandas as pd

    rows = [
        {name: _number(path, line, name, row[name], kind) for name, kind in columns.items()}
        for line, row in read_sheet(path, list(columns)).rows
    ]
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def _number(path: str | Path, line: int, column: str, text: str, kind: str) -> str | float:
    if kind == "str":
        return text
    if kind == "float64" and not text:
        return math.nan
    try:
        number = int(text) if kind == "int64" else float(text)
        if math.isfinite(number):
            return number
    except (ValueError, OverflowError):
        pass
    wanted = "a whole number" if kind == "int64" else "a number"
    hint = ", with a point in place of the comma" if "," in text else ""
    raise InputError(f"{path}: line {line}: column {column!r}: is {text!r}, must be {wanted}{hint}")
