"""The table of predictions: its columns, and its lines in a TSV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

_SCORED = {
    "id": "str",
    "length": "int64",
    "structure": "str",
    **dict.fromkeys(("mfe", "score", "probability"), "float64"),
    "call": "Int8",
    "reason": "str",
}
NEAREST = {
    "nearest": "str",
    **dict.fromkeys(("identity", "coverage"), "float64"),
    **dict.fromkeys(("status", "other_known"), "str"),
}
_DIGITS = {"mfe": 2, **dict.fromkeys(("score", "probability", "identity", "coverage"), 4)}


def columns(*, nearest: bool) -> dict[str, str]:
    """Name the columns with their pandas dtypes, those of the nearest hairpin if wanted."""
    return _SCORED | (NEAREST if nearest else {})


def header(*, nearest: bool) -> str:
    """Write the first line of the TSV."""
    return "\t".join(columns(nearest=nearest))


def to_lines(table: pd.DataFrame, *, score_digits: int = 4) -> list[str]:
    """Write the rows of a table as lines of a TSV, with as many digits as are certain."""
    digits = _DIGITS | {"score": score_digits}
    columns = [[_text(it, digits.get(str(name))) for it in table[name].tolist()] for name in table]
    return [to_line(row) for row in zip(*columns, strict=True)]


def to_line(cells: Iterable[str]) -> str:
    """Write the cells of a row as a line of a TSV.

    A cell with a quotation mark is quoted as in a CSV, with the mark doubled. Otherwise readers of
    tables would read on from the mark to the next one.
    """
    return "\t".join('"' + it.replace('"', '""') + '"' if '"' in it else it for it in cells)


def _text(value: Any, digits: int | None) -> str:
    if pd.isna(value):
        return ""
    return str(value) if digits is None else f"{value:.{digits}f}"
