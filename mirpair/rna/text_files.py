"""Open text files, plain or gzip, and read their lines, many at once."""

from __future__ import annotations

import gzip
import io
import string
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from mirpair.files import InputError, open_input

STDIN = "-"
_BUFFER = 1 << 16
# Characters that are read at once; after an error in them, none of them is known.
_AT_ONCE = 1 << 13
# Characters of a line from which on it is read in parts; a structure must be in one.
_LONGEST_PART = 1 << 16
_LETTERS = string.ascii_letters.encode() + b"\n"
# Genomes compress 4- to 10-fold, or more if they are repetitive; a zip bomb 1,000-fold.
_RATIO, _FREE = 200, 100 << 20


class _Counted(io.RawIOBase):
    """Counts the bytes that were read, and reports the count."""

    def __init__(self, source: IO[bytes], position: Callable[[int], None] | None) -> None:
        self.source, self.position, self.count = cast(io.RawIOBase, source), position, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self.source.readinto(buffer)
        self.count += count or 0
        if self.position:
            self.position(self.count)
        return count


class _Unzipped(io.RawIOBase):
    """Unpacks gzip; stops at a zip bomb, which would fill the memory or the disk."""

    def __init__(self, packed: IO[bytes], file: _Counted, name: str) -> None:
        self.unzipped, self.file, self.name = gzip.GzipFile(fileobj=packed), file, name
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self.unzipped.readinto(buffer)
        self.count += count
        if self.count > max(_FREE, _RATIO * self.file.count):
            raise InputError(
                f"{self.name}: unpacks to more than {_RATIO} times its size, unlike any real "
                "sequences; if you trust it, unpack it yourself and use the plain file"
            )
        return count


def name_of_file(path: str | Path) -> str:
    """Name a file for a message."""
    return "standard input" if str(path) == STDIN else str(path)


@contextmanager
def open_text(
    path: str | Path, *, position: Callable[[int], None] | None = None
) -> Iterator[io.TextIOWrapper]:
    """Open a plain or gzip file (recognised by its first bytes, not its name) or standard input.

    A path ``"-"`` is standard input. `position` is called now and then with the number of bytes of
    the file that have been read, before unpacking; not for standard input. It is an `InputError` if
    there is no such file, and while reading, if it unpacks to more than 200 times its size.
    """
    if str(path) == STDIN:
        if sys.stdin is None:
            raise InputError("standard input is closed; name a file")
        binary: IO[bytes] = sys.stdin.buffer
        position = None
    else:
        binary = open_input(path)
    try:
        counted = _Counted(binary, position)
        buffered: io.BufferedReader = io.BufferedReader(counted, _BUFFER)
        try:
            is_gzip = buffered.peek(2)[:2] == b"\x1f\x8b"
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        unzipped = _Unzipped(buffered, counted, name_of_file(path)) if is_gzip else None
        text = io.BufferedReader(unzipped, _BUFFER) if unzipped else buffered
        yield io.TextIOWrapper(text, encoding="utf-8-sig")
    finally:
        if str(path) != STDIN:
            binary.close()


def read_lines(handle: IO[str]) -> Iterator[str]:
    """Yield each line of a text, but many lines of letters at once, and very long ones in parts.

    A genome has tens of millions of lines; to treat each of them takes most of the time of reading.
    """
    rest = ""
    is_within = False  # a line of which a part was yielded
    while block := handle.read(_AT_ONCE):
        lines, newline, rest = (rest + block).rpartition("\n")
        if not newline:
            if len(rest) >= _LONGEST_PART:
                yield rest
                rest, is_within = "", True
            continue
        lines += newline
        if is_within:
            line, newline, lines = lines.partition("\n")
            yield line + newline
            is_within = False
        if lines.encode().translate(None, _LETTERS):
            yield from io.StringIO(lines)
        elif lines:
            yield lines
    if rest:
        yield rest
