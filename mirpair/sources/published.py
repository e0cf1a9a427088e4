"""The table of published files: what a config can name, where each file is, and its checksum."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mirpair.files import InputError
from mirpair.sheets import read_sheet
from mirpair.sources.packages import URL_PATTERN
from mirpair.values import explain_value

Sha256 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$", description="64 digits 0-9 and a-f in lower case")
]


class Source(BaseModel):
    """One row of `config/sources.tsv`: a published file, the terms of its use, the work to cite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # In a config: the collection, then the path within it. Also its path below `results/raw/`.
    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$",
            description="a folder and a file, as in mirbase/hairpin.fa, of letters, digits, _, - "
            "and dots",
        ),
    ]
    url: Annotated[
        str,
        Field(
            pattern=rf"^(https?://[^\s]+|{URL_PATTERN})$",
            description="an address that begins with https://, or a file of a package: pypi:… or "
            "debian:…",
        ),
    ]
    sha256: Sha256
    bytes: Annotated[int, Field(gt=0)]
    licence: Annotated[str, Field(min_length=1)]
    citation: Annotated[str, Field(min_length=1)]


def family_files(
    template: str, names: Iterable[str], folders: Iterable[str | Path] = ("",)
) -> dict[str, str]:
    """Find the files that hold one family each: family, in alphabetical order, to name or path.

    The template is such as ``deepmir/clear_{family}.fa``: a name in the sources table, of which
    `names` are all, or else a path, below the first of the `folders` that has such files. It is an
    `InputError` if no file has such a name.
    """
    before, after = template.split("{family}")
    pattern = re.compile(re.escape(before) + "([A-Za-z0-9._-]+)" + re.escape(after))
    folders = list(folders)
    below = (
        glob.glob(f"{glob.escape(before)}*{glob.escape(after)}", root_dir=it) for it in folders
    )
    paths = next(filter(None, below), [])
    files = {m[1]: name for name in (*paths, *names) if (m := pattern.fullmatch(name))}
    if not files:
        raise InputError(
            f"families: no file is called {template}, neither in the sources table nor below "
            f"{' or '.join(str(Path(it).resolve()) for it in folders)}; {{family}} is replaced by "
            "each name of letters, digits, dots, - and _"
        )
    return dict(sorted(files.items()))


def read_sources(path: str | Path) -> dict[str, Source]:
    """Read the table of published files, by name; see `read_rows` for errors."""
    return read_rows(path, Source, "name", "table of sources")


Row = TypeVar("Row", bound=BaseModel)


def read_rows(path: str | Path, kind: type[Row], key: str, what: str) -> dict[str, Row]:
    """Read a TSV with a `kind` in each row, by the column `key`; errors call the table `what`.

    It is an `InputError`, which names the line, if it cannot be read, a column is missing or
    unknown, a value is not valid or a key occurs twice.
    """
    columns = list(kind.model_fields)
    sheet = read_sheet(path, columns)
    if unknown := [name for name in sheet.columns if name not in columns]:
        raise InputError(
            f"{path}: line 1: the columns must be {', '.join(columns)}, and not {unknown[0]!r}, in "
            f"a {what}"
        )
    rows: dict[str, Row] = {}
    for line, values in sheet.rows:
        where = f"{path}: line {line}"
        try:
            row = kind.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            column = str(first["loc"][0])
            explained = explain_value(dict(first), kind.model_fields[column].description or "")
            raise InputError(f"{where}: column {column!r}: {explained}") from error
        name = str(getattr(row, key))
        if name in rows:
            raise InputError(f"{where}: the {key} {name!r} occurs twice")
        rows[name] = row
    return rows
