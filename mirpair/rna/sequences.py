"""Read FASTA files as normalised RNA records."""

from __future__ import annotations

import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from mirpair.contracts import ALPHABET
from mirpair.files import InputError

_OUTSIDE = re.compile(f"[^{ALPHABET}]")
# Letters of amino acids that are no IUPAC codes of bases.
_AMINO_ACIDS_ONLY = frozenset("EFILPQ")
STDIN = "-"
# ViennaRNA counts in 16 bits: it returns longer RNAs unfolded.
LONGEST = 32_000
_LONGEST_ID = 1000
# Characters of a line that are read at once.
_LINE = 1 << 16
# Genomes compress 4- to 10-fold, or more if they are repetitive; a zip bomb 1,000-fold.
_RATIO, _FREE = 200, 100 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One RNA of a FASTA file.

    Its id is the first word of the header; the sequence is in upper case, with T written as U; the
    file is named as by the user, and the number in it counts from 1.
    """

    id: str
    sequence: str
    file: str
    number: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of a record, which is here as far as it could be read."""

    record: Record
    reason: str

    def __str__(self) -> str:
        named = f" ({self.record.id!r})" if self.record.id else ""
        return f"{self.record.file}: record {self.record.number}{named} has {self.reason}"


@dataclass(frozen=True, slots=True)
class Dropped(Problem):
    """A record with a character outside A, C, G, U."""

    position: int
    character: str

    def __str__(self) -> str:
        return f"{Problem.__str__(self)}; only A, C, G and U (or T) are understood" + (
            "; is this a protein?" if self.character.upper() in _AMINO_ACIDS_ONLY else ""
        )


@dataclass(frozen=True, slots=True)
class TooLong(Problem):
    """A record too long to fold; only its beginning was read."""

    length: int

    def __str__(self) -> str:
        return f"{Problem.__str__(self)}; leave it out of the file"


def normalise(sequence: str) -> str:
    """Convert to upper case, with T written as U."""
    return sequence.upper().replace("T", "U")


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


def _named(path: str | Path) -> str:
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
        try:
            binary = open(path, "rb")  # noqa: SIM115 - closed below, standard input is not
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        except ValueError as error:  # a NUL in the name
            raise InputError(f"{str(path)!r}: cannot be the name of a file") from error
    try:
        counted = _Counted(binary, position)
        buffered: io.BufferedReader = io.BufferedReader(counted, _LINE)
        try:
            is_gzip = buffered.peek(2)[:2] == b"\x1f\x8b"
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        unzipped = _Unzipped(buffered, counted, _named(path)) if is_gzip else None
        text = io.BufferedReader(unzipped, _LINE) if unzipped else buffered
        yield io.TextIOWrapper(text, encoding="utf-8-sig")
    finally:
        if str(path) != STDIN:
            binary.close()


def read_parts(
    path: str | Path, *, position: Callable[[int], None] | None = None
) -> Iterator[tuple[str, Iterator[str]]]:
    """Read every record of a FASTA file as its header and its letters, part by part.

    A line may have any length: a part, 64 kB, is in memory at a time.

    Parameters
    ----------
    path, position
        As `open_text` takes them; it is an `InputError` if the file cannot be read, is empty, not
        FASTA or a zip bomb.

    Yields
    ------
    header, parts
        The header without its ``>``, up to 64 kB; the parts without spaces and line ends. Parts
        that the caller does not read are skipped.
    """
    name = _named(path)
    number = 0

    def lines(handle: io.TextIOWrapper) -> Iterator[str]:
        """Yield lines, or parts of very long ones."""
        where = f"in record {number} or after it" if number else "at its beginning"
        try:
            while line := handle.readline(_LINE):
                yield line
                where = f"in record {number} or after it"
        except UnicodeDecodeError as error:
            raise InputError(
                f"{name}: not a readable FASTA file: it is not UTF-8 text, {where}; if it is text, "
                "save it as UTF-8"
            ) from error
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(
                f"{name}: not a readable FASTA file ({error}), {where}; download it again"
            ) from error

    with open_text(path, position=position) as handle:
        rest = lines(handle)
        header = next((line for line in rest if line.strip()), None)
        if header is None:
            raise InputError(f"{name}: the file is empty; a FASTA file was expected")
        if not header.startswith(">"):
            raise InputError(
                f"{name}: not a FASTA file: it begins with {header.strip()[:40]!r}, "
                "a FASTA record begins with '>' and its id"
            )
        while header:
            number += 1
            following: list[str] = []
            parts = _parts(header, rest, following)
            yield header[1:].strip(), parts
            for _ in parts:
                pass
            header = following[0] if following else None


def _parts(header: str, lines: Iterator[str], following: list[str]) -> Iterator[str]:
    """Yield the letters up to the next header, which is appended to `following`."""
    line = header
    while not line.endswith("\n") and (rest := next(lines, "")):
        line = rest
    begins = True
    for line in lines:
        if begins and line.startswith(">"):
            following.append(line)
            return
        begins = line.endswith("\n")
        if part := "".join(line.split()):
            yield part


def read_fasta(path: str | Path, *, dropped: list[Dropped] | None = None) -> Iterator[Record]:
    """Read and normalise the records of a FASTA file, plain or gzip, one after the other.

    If `dropped` is given, records with a character outside ACGU are appended to it. Any other
    problem (see `read_records`) is an `InputError`, which names file, record and position.
    """
    for record, problem in read_records(path):
        if problem is None:
            yield record
        elif not isinstance(problem, Dropped):
            raise InputError(str(problem))
        elif dropped is None:
            raise InputError(
                f"{problem}. Correct it, or leave such records out with "
                "on_ambiguous: drop (config) or --on-ambiguous drop (command line)."
            )
        else:
            dropped.append(problem)


def read_records(
    path: str | Path, *, position: Callable[[int], None] | None = None
) -> Iterator[tuple[Record, Problem | None]]:
    """Read every record of a FASTA file, plain or gzip, with its problem if it has one.

    Parameters and errors are those of `read_parts`. A problem is: no id, an id with a control
    character or more than 1,000 characters, no sequence, a sequence too long to fold (only its
    beginning is returned), or a character outside ACGU (`Dropped`).
    """
    name = _named(path)
    for number, (header, parts) in enumerate(read_parts(path, position=position), 1):
        raw, length = "", 0
        for part in parts:
            if length <= LONGEST:
                raw += part
            length += len(part)
        record = Record((header.split() or [""])[0], normalise(raw), name, number)
        problem = problem_of(record, raw, length)
        yield problem.record if problem else record, problem


def problem_of(record: Record, raw: str, length: int | None = None) -> Problem | None:
    """Find the problem of a record with a normalised sequence; None if it has none.

    `raw` is its sequence as in the file, or the beginning of one of this length.
    """
    length = len(raw) if length is None else length
    if not record.id:
        return Problem(record, "no id")
    if len(record.id) > _LONGEST_ID:
        short = Record(f"{record.id[:40]}…", record.sequence, record.file, record.number)
        return Problem(short, f"an id of more than {_LONGEST_ID:,} characters")
    if not record.id.isprintable():
        return Problem(record, "a control character in its id")
    if not record.sequence:
        return Problem(record, "no sequence")
    if length > LONGEST:
        return TooLong(record, f"{length:,} nt; up to {LONGEST:,} can be folded", length)
    if outside := _OUTSIDE.search(record.sequence):
        index = outside.start()
        return Dropped(record, f"{raw[index]!r} at position {index + 1}", index + 1, raw[index])
    return None
