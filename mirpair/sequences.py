"""FASTA in, normalised RNA records out."""

from __future__ import annotations

import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO, cast

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
class Dropped:
    """A record that was left out because of a character outside A, C, G, U."""

    record: Record
    position: int
    character: str

    def __str__(self) -> str:
        return (
            f"{self.record.file}: record {self.record.number} ({self.record.id!r}) has "
            f"{self.character!r} at position {self.position}; "
            f"only A, C, G and U (or T) are understood"
            + ("; is this a protein?" if self.character.upper() in _AMINO_ACIDS_ONLY else "")
        )


def normalise(sequence: str) -> str:
    """Upper case, with T written as U."""
    return sequence.upper().replace("T", "U")


@contextmanager
def _open_text(path: str | Path) -> Iterator[TextIO]:
    """Open a plain or gzip file (told by its first bytes, not by its name) or standard input."""
    if str(path) == STDIN:
        binary: IO[bytes] = sys.stdin.buffer
    else:
        try:
            binary = open(path, "rb")  # noqa: SIM115 - closed below, standard input is not
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        buffered = io.BufferedReader(cast(io.RawIOBase, binary))
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
    name = "standard input" if str(path) == STDIN else str(path)
    number = 0
    try:
        with _open_text(path) as handle:
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
                if not words:
                    raise InputError(f"{name}: record {number} has no id after its '>'")
                record = Record(words[0], normalise(raw), name, number)
                if not record.sequence:
                    raise InputError(f"{name}: record {number} ({record.id!r}) has no sequence")
                if outside := _OUTSIDE.search(record.sequence):
                    position = outside.start()
                    found = Dropped(record, position + 1, raw[position])
                    if dropped is None:
                        raise InputError(
                            f"{found}. Correct it, or leave such records out with "
                            "on_ambiguous: drop (config) or --on-ambiguous drop (command line)."
                        )
                    dropped.append(found)
                    continue
                yield record
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: not a readable FASTA file: it is not UTF-8 text after record {number}; "
            "if it is text, save it as UTF-8"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"{name}: not a readable FASTA file after record {number} ({error})"
        ) from error


def _chain(first: str, rest: TextIO) -> Iterator[str]:
    yield first
    yield from rest
