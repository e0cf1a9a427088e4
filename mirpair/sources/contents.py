"""Recognise files of sequences, so that a web page is not taken for one."""

from __future__ import annotations

import gzip
import html
import re
import zlib
from pathlib import Path

# Bytes that decide what a file is.
_HEAD = 1 << 16


def not_sequences(path: str | Path) -> str | None:
    """Describe a file that does not hold sequences; None if it begins as sequences do.

    FASTA begins with ``>``, Stockholm with ``# STOCKHOLM``, miRBase's miFam.dat with an accession,
    a table (CSV, TSV) with a line of column names, one of them ``accession``. A gzip file is
    unpacked to its end, so a truncated one is noticed.
    """
    try:
        with open(path, "rb") as plain:
            if plain.read(2) == b"\x1f\x8b":
                head = b""
                with gzip.open(path) as packed:
                    while chunk := packed.read(1 << 20):
                        head = head or chunk[:_HEAD]
            else:
                plain.seek(0)
                head = plain.read(_HEAD)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"a gzip file that does not unpack ({error})"
    return not_sequences_text(head.decode("utf-8-sig", errors="replace"))


def not_sequences_text(text: str) -> str | None:
    """Describe a text that does not hold sequences; see `not_sequences`."""
    text = text.lstrip()
    first = text.partition("\n")[0].rstrip("\r")
    if not text:
        return "an empty file"
    if re.match(r"<(!doctype\s+html|html|head|body)\b", text, re.I) or (
        text.startswith("<") and re.search(r"<html\b", text, re.I)
    ):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.I | re.S)
        words = " ".join(html.unescape(title[1]).split()) if title else "none"
        return f"a web page (title {words[:80]!r})"
    # Some of miRBase's addresses send this.
    if text.startswith("<") and "&gt;" in text:
        return "sequences as a web page ('&gt;' for '>'); use the address of the plain file"
    if text[0] in "{[":
        return f"JSON ({first[:80]!r})"
    columns = {name.strip(' "').lower() for name in re.split("[,\t]", first)}
    # MIPF: an accession of a family in miRBase's miFam.dat.
    known = (">", "# STOCKHOLM", "AC   MIPF")
    if text.startswith(known) or "accession" in columns:
        return None
    return f"something that begins with {first[:40]!r}"
