"""Parts of pages in Markdown."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd


def markdown(table: pd.DataFrame) -> str:
    """Write a table in Markdown, each cell as it is in the table."""
    text: str = table.to_markdown(index=False, disable_numparse=True)
    return text


def bullets(lines: Iterable[str]) -> str:
    """Write lines as a list."""
    return "\n".join(f"- {line}" for line in lines)
