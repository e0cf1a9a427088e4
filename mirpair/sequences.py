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
from typing import IO, Any, TextIO, cast

from Bio.SeqIO.FastaIO import SimpleFastaParser

from mirpair.contracts import ALPHABET
from mirpair.files import InputError

_OUTSIDE = re.compile(f"[^{ALPHABET}]")
# Letters of amino acids that stand for no set of bases.
_AMINO_ACIDS_ONLY = frozenset("EFILPQ")
STDIN = "-"


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


def normalise(sequence: str) -> str:
    """Upper case, with T written as U."""
    return sequence.upper().replace("T", "U")


class _Told(io.RawIOBase):
    """Tells how far it has been read."""

    def __init__(self, source: io.RawIOBase, position: Callable[[int], None]) -> None:
        self.source, self.position, self.count = source, position, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self.source.readinto(buffer)
        self.count += count or 0
        self.position(self.count)
        return count


@contextmanager
def open_text(
    path: str | Path, *, position: Callable[[int], None] | None = None
) -> Iterator[TextIO]:
    """Open a plain or gzip file (told by its first bytes, not by its name) or standard input.

    `position` is called with how many bytes of a file have been read, as they are.
    """
    if str(path) == STDIN:
        binary: IO[bytes] = sys.stdin.buffer
    else:
        try:
            binary = open(path, "rb")  # noqa: SIM115 - closed below, standard input is not
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        source = cast(io.RawIOBase, binary)
        if position and str(path) != STDIN:
            source = _Told(source, position)
        buffered = io.BufferedReader(source, 1 << 16)
        is_gzip = buffered.peek(2)[:2] == b"\x1f\x8b"
        unzipped = gzip.GzipFile(fileobj=buffered) if is_gzip else buffered
        yield io.TextIOWrapper(unzipped, encoding="utf-8-sig")
    finally:
        if str(path) != STDIN:
            binary.close()


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
        In the order of the file. The problem is that there is no id or no sequence, or a
        character outside ACGU (`Dropped`).

    Raises
    ------
    InputError
        If the file is empty or no FASTA file.
    """
    name = "standard input" if str(path) == STDIN else str(path)
    number = 0
    try:
        with open_text(path, position=position) as handle:
            first = next((line for line in handle if line.strip()), None)
            if first is None:
                raise InputError(f"{name}: the file is empty; a FASTA file was expected")
            if not first.startswith(">"):
                raise InputError(
                    f"{name}: not a FASTA file: it begins with {first.strip()[:40]!r}, "
                    "a FASTA record begins with '>' and its id"
                )
            parsed = SimpleFastaParser(_chain(first, handle))  # type: ignore[no-untyped-call]
            for number, (header, raw) in enumerate(parsed, 1):
                words = header.split()
                record = Record(words[0] if words else "", normalise(raw), name, number)
                yield record, problem_of(record, raw)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: not a readable FASTA file: it is not UTF-8 text after record {number}; "
            "if it is text, save it as UTF-8"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"{name}: not a readable FASTA file after record {number} ({error})"
        ) from error


def problem_of(record: Record, raw: str) -> Problem | None:
    """What is wrong with a record, if anything; `raw` is its sequence as it was given."""
    if not record.id:
        return Problem(record, "no id")
    if not record.sequence:
        return Problem(record, "no sequence")
    if outside := _OUTSIDE.search(record.sequence):
        place = outside.start()
        return Dropped(record, f"{raw[place]!r} at position {place + 1}", place + 1, raw[place])
    return None


def _chain(first: str, rest: TextIO) -> Iterator[str]:
    yield first
    yield from rest
