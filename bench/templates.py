"""Fill the templates of the pages in docs/ that are made of measured tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2


def fill(name: str, filters: dict[str, Callable[..., Any]] | None = None, **facts: Any) -> str:
    """Fill the template of a page, ``bench/<name>.md.j2``.

    A name that is missing among the facts is an error. A line with nothing but a block leaves no
    empty line.
    """
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= filters or {}
    return templates.get_template(f"{name}.md.j2").render(facts)
