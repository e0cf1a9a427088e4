"""FASTA in, normalised RNA records out."""

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
# Letters of amino acids that stand for no set of bases.
_AMINO_ACIDS_ONLY = frozenset("EFILPQ")
STDIN = "-"
# ViennaRNA counts in 16 bits: a longer RNA comes back unfolded.
LONGEST = 32_000
_LONGEST_ID = 1000
# Of a line, what is read at once.
_LINE = 1 << 16
# Genomes are packed 4- to 10-fold, or more where they repeat themselves; a bomb 1,000-fold.
_RATIO, _FREE = 200, 100 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One RNA of a FASTA file.

    Attributes
    ----------
    id
        First word of the header.
    sequence
        Upper case, T written as U.
    file
        Where it came from, as the user named it.
    number
        Its place in that file, from 1.
    """

    id: str
    sequence: str
    file: str
    number: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a record.

    Attributes
    ----------
    record
        As far as it could be read.
    reason
        In a few words.
    """

    record: Record
    reason: str

    def __str__(self) -> str:
        named = f" ({self.record.id!r})" if self.record.id else ""
        return f"{self.record.file}: record {self.record.number}{named} has {self.reason}"


@dataclass(frozen=True, slots=True)
class Dropped(Problem):
    """A record that has a character outside A, C, G, U."""

    position: int
    character: str

    def __str__(self) -> str:
        return f"{Problem.__str__(self)}; only A, C, G and U (or T) are understood" + (
            "; is this a protein?" if self.character.upper() in _AMINO_ACIDS_ONLY else ""
        )


@dataclass(frozen=True, slots=True)
class TooLong(Problem):
    """A record that cannot be folded, of which only the beginning is kept."""

    length: int

    def __str__(self) -> str:
        return f"{Problem.__str__(self)}; leave it out of the file"


def normalise(sequence: str) -> str:
    """Upper case, with T written as U."""
    return sequence.upper().replace("T", "U")


class _Counted(io.RawIOBase):
    """Counts the bytes that were read, and tells it."""

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
    """Unpacks gzip; refuses to go on with what was packed to fill a memory or a disk."""

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
                f"{self.name}: unpacks to more than {_RATIO} times its size, as no real sequences "
                "do; if you trust it, unpack it yourself and give the plain file"
            )
        return count


def _named(path: str | Path) -> str:
    return "standard input" if str(path) == STDIN else str(path)


@contextmanager
def open_text(
    path: str | Path, *, position: Callable[[int], None] | None = None
) -> Iterator[io.TextIOWrapper]:
    """Open a plain or gzip file (told by its first bytes, not by its name) or standard input.

    `position` is called with how many bytes of a file have been read, as they are. An `InputError`
    if there is no such file, and in reading, if it unpacks to more than 200 times its size.
    """
    if str(path) == STDIN:
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
    """Every record of a FASTA file as its header and its letters, part by part.

    A line may be of any length: memory is that of a part, 64 kB, whatever the file.

    Parameters
    ----------
    path
        File to read, plain or gzip; ``"-"`` is standard input.
    position
        Called with how many bytes of the file have been read, now and then; not for standard input.

    Yields
    ------
    header, parts
        The header is without its ``>``, and what is beyond 64 kB of it is left out; the parts are
        without spaces and line ends. What is not asked for of them is passed over.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, no FASTA file or no honest gzip.
    """
    name = _named(path)
    number = 0

    def lines(handle: io.TextIOWrapper) -> Iterator[str]:
        """Lines, or parts of very long ones; they are read inside of a record too."""
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
                f"{name}: not a readable FASTA file ({error}), {where}; bring it anew"
            ) from error

    with open_text(path, position=position) as handle:
        left = lines(handle)
        header = next((line for line in left if line.strip()), None)
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
            parts = _parts(header, left, following)
            yield header[1:].strip(), parts
            for _ in parts:
                pass
            header = following[0] if following else None


def _parts(header: str, lines: Iterator[str], following: list[str]) -> Iterator[str]:
    """Letters up to the next header, which is noted in `following`."""
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

    Parameters
    ----------
    path
        File to read; ``"-"`` is standard input.
    dropped
        If given, records with a character outside ACGU are put here instead of being an error.

    Yields
    ------
    Record
        In the order of the file.

    Raises
    ------
    InputError
        If the file is empty or not a FASTA, or a record has no id, no sequence or (without
        `dropped`) a character outside ACGU; the message names file, record and position.
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
    """Every record of a FASTA file, plain or gzip, and what is wrong with it, if anything.

    Parameters
    ----------
    path
        File to read; ``"-"`` is standard input.
    position
        Called with how many bytes of the file have been read, now and then; not for standard input.

    Yields
    ------
    record, problem
        In the order of the file. The problem is that there is no id, a control character in it
        or more than 1,000 characters, no sequence, one too long to be folded (of which only the
        first part is kept), or a character outside ACGU (`Dropped`).

    Raises
    ------
    InputError
        If the file is empty or no FASTA file.
    """
    name = _named(path)
    for number, (header, parts) in enumerate(read_parts(path, position=position), 1):
        kept, length = [], 0
        for part in parts:
            if length <= LONGEST:
                kept.append(part)
            length += len(part)
        raw = "".join(kept)
        words = header.split(maxsplit=1)
        record = Record(words[0] if words else "", normalise(raw), name, number)
        problem = problem_of(record, raw, length)
        yield problem.record if problem else record, problem


def problem_of(record: Record, raw: str, length: int | None = None) -> Problem | None:
    """What is wrong with a record, if anything.

    Parameters
    ----------
    record
        As it was read.
    raw
        Its sequence as it was given.
    length
        Of all of the sequence, if that is only the beginning of it.
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
        place = outside.start()
        return Dropped(record, f"{raw[place]!r} at position {place + 1}", place + 1, raw[place])
    return None
