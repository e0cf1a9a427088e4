"""The table of predictions: its columns, and its lines in a TSV."""

from __future__ import annotations

import pandas as pd

_SCORED = {
    "id": "str",
    "length": "int64",
    "structure": "str",
    "mfe": "float64",
    "score": "float64",
    "probability": "float64",
    "call": "Int8",
    "reason": "str",
}
NEAREST = {"nearest": "str", "identity": "float64", "status": "str"}
_DIGITS = {"mfe": 2, "score": 4, "probability": 4, "identity": 4}


def columns(*, nearest: bool) -> dict[str, str]:
    """Name the columns with their pandas dtypes, those of the nearest hairpin if wanted."""
    return _SCORED | (NEAREST if nearest else {})


def header(*, nearest: bool) -> str:
    """Write the first line of the TSV."""
    return "\t".join(columns(nearest=nearest))


def to_lines(table: pd.DataFrame, *, score_digits: int = 4) -> list[str]:
    """Write the rows of a table as lines of a TSV, with as many digits as are certain."""
    known = _DIGITS | {"score": score_digits}
    texts = []
    for name in table.columns:
        digits = known.get(str(name))
        values = table[name].tolist()
        texts.append(
            ["" if pd.isna(value) else _quoted(str(value)) for value in values]
            if digits is None
            else ["" if pd.isna(value) else f"{value:.{digits}f}" for value in values]
        )
    return ["\t".join(row) for row in zip(*texts, strict=True)]


def _quoted(text: str) -> str:
    """Quote a text with a quotation mark: else readers of tables read on to the next mark."""
    return '"' + text.replace('"', '""') + '"' if '"' in text else text
