"""Read FASTA files, and files like them, as normalised RNA records."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple, cast

from mirpair.contracts import ALPHABET
from mirpair.files import InputError
from mirpair.rna import structures
from mirpair.rna.formats import name_binary, name_text
from mirpair.rna.structures import GivenStructure
from mirpair.rna.text_files import name_of_file, open_text, read_lines

_OUTSIDE = re.compile(f"[^{ALPHABET}]")
# Letters of amino acids that are no IUPAC codes of bases.
_AMINO_ACIDS_ONLY = frozenset("EFILPQefilpq")
GAPS = str.maketrans("", "", "-.")
# What happens to - and . in a sequence, see `read_parts`.
Gaps = Literal["keep", "remove", "refuse"]
# The kind of reason of all records with a character outside ACGU.
ODD_CHARACTER = "odd character"
# ViennaRNA counts in 16 bits: it returns longer RNAs unfolded.
LONGEST = 32_000
_LONGEST_ID = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """One RNA of a FASTA file.

    Its id is the first word of the header, the description is the rest; the sequence is in upper
    case, with T written as U; the file is named as by the user, and the number in it counts from 1.
    `structure` is the one below the sequence in the file, if `read_records` should read it.
    """

    id: str
    sequence: str
    file: str
    number: int
    description: str = ""
    structure: GivenStructure | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of a record, which is here as far as it could be read."""

    record: Record
    reason: str

    def __str__(self) -> str:
        return f"{place_of(self.record)} has {self.reason}"


@dataclass(frozen=True, slots=True)
class Dropped(Problem):
    """A record with a character outside A, C, G, U."""

    position: int
    character: str

    def __str__(self) -> str:
        letter = f"{self.character!r} at position {self.position}"
        hint = self.reason.removeprefix(letter)
        return f"{place_of(self.record)} has {letter}; only A, C, G and U (or T) are understood" + (
            hint
        )


@dataclass(frozen=True, slots=True)
class TooLong(Problem):
    """A record too long to fold; only its beginning was read."""

    length: int

    def __str__(self) -> str:
        return f"{Problem.__str__(self)}; leave it out of the file"


@dataclass(frozen=True, slots=True)
class Unfit(Problem):
    """A valid record that a network cannot take."""

    def __str__(self) -> str:
        return f"{place_of(self.record)} is {self.reason}"


def too_long(sequence: str, longest: int) -> str:
    """Say why a network cannot take an RNA that is longer than this, nt; empty if it is not."""
    length = len(sequence)
    return f"too long: {length:,} > {longest:,}" if length > longest else ""


def place_of(record: Record) -> str:
    """Name file, number and id of a record, for a message."""
    named = f" ({record.id!r})" if record.id else ""
    return f"{record.file}: record {record.number}{named}"


def kind_of(reason: str) -> str:
    """Name the kind of a reason why a record is left out, to count reasons of a kind together.

    Examples
    --------
    >>> kind_of("'N' at position 5"), kind_of("too long: 1,204 > 398"), kind_of("no id")
    ('odd character', 'too long', 'no id')
    """
    if reason.startswith(("'", '"')):
        return ODD_CHARACTER
    if re.match(r"[\d,]+ nt;", reason):
        return "too long to fold"
    if reason.startswith("a structure"):
        return "invalid structure"
    return reason.split(":")[0]


def protein_hint(letters: str) -> str:
    """Ask whether these letters are of a protein if one of them is of amino acids only."""
    return "" if _AMINO_ACIDS_ONLY.isdisjoint(letters) else "; is this a protein?"


def normalise(sequence: str) -> str:
    """Convert to upper case, with T written as U."""
    return sequence.upper().replace("T", "U")


def read_parts(
    path: str | Path,
    *,
    position: Callable[[int], None] | None = None,
    note: Callable[[str], None] | None = None,
    gaps: Gaps = "keep",
) -> Iterator[tuple[str, Iterator[str]]]:
    """Read every record of a FASTA file as its header and its letters, part by part.

    A line may have any length: a part, at most 72 kB, is in memory at a time. Of RNAfold's output,
    the structures are skipped. A Stockholm file is read too, with the memory that it needs.

    Parameters
    ----------
    path, position
        As `open_text` takes them; it is an `InputError` if the file cannot be read, is empty, not
        FASTA or a zip bomb.
    note
        Gets what a user should know of the file, such as that gaps are removed.
    gaps
        ``"keep"``: they are letters like others. ``"remove"``: with a note. ``"refuse"``, where
        positions count: a gap is an `InputError`, also a line of dots without an energy, which
        could be a structure, and so are bases below a structure.

    Yields
    ------
    header, parts
        The header without its ``>``, up to 64 kB; the parts without spaces, line ends and a ``*``
        at the end. Parts that the caller does not read are skipped.
    """
    about = "structures in the file are ignored"
    for entry in _read_entries(path, position, note, gaps, about):
        yield entry.header, entry.parts


class _Entry(NamedTuple):
    """A record while it is read: its first structure is there after the last of its parts."""

    header: str
    parts: Iterator[str]
    structures: list[GivenStructure]


class _Notes:
    """Passes each note on once."""

    def __init__(self, name: str, note: Callable[[str], None] | None) -> None:
        self._name, self._note, self._noted = name, note, set[str]()

    def __call__(self, text: str) -> None:
        if self._note and text and text not in self._noted:
            self._noted.add(text)
            self._note(f"{self._name}: {text}")


class _Letters:
    """Treats the gaps in the letters of one sequence, and counts the letters."""

    def __init__(self, name: str, header: str, gaps: Gaps, notes: _Notes) -> None:
        self._place = f"{name}: sequence {''.join(header.split(maxsplit=1)[:1])!r}"
        self.gaps, self._notes, self._count = gaps, notes, 0

    def __call__(self, part: str) -> str:
        if self.gaps != "keep" and ("-" in part or "." in part):
            if self.gaps == "refuse":
                index = min(part.find(it) for it in "-." if it in part)
                raise InputError(
                    f"{self._place} has a gap ({part[index]!r}) at position "
                    f"{self._count + index + 1}; positions count, so remove all gaps first"
                )
            self._notes("gaps (- and .) are removed from the sequences")
            part = part.translate(GAPS)
        self._count += len(part)
        return part

    def are_gaps(self, line: str) -> bool:
        """Whether a line is of gaps, rather than the structure of an RNA without pairs."""
        return self.gaps == "refuse" and not line.strip().strip(".")

    def check_below(self, part: str, found: list[GivenStructure]) -> None:
        """Refuse letters below a structure, if gaps are refused."""
        if self.gaps == "refuse" and part and found:
            raise InputError(
                f"{self._place} has letters below a structure ({found[0].dot_bracket[:20]!r}); "
                "positions count, so remove the structure first"
            )


def _read_entries(
    path: str | Path,
    position: Callable[[int], None] | None,
    note: Callable[[str], None] | None,
    gaps: Gaps,
    about_structures: str,
) -> Iterator[_Entry]:
    """Read every record; the note on structures is passed on if there are any."""
    name = name_of_file(path)
    number = 0
    notes = _Notes(name, note)

    def lines(handle: io.TextIOWrapper) -> Iterator[str]:
        """Yield lines, parts of very long ones, and many lines of letters at once."""
        where = f"in record {number} or after it" if number else "at its beginning"
        try:
            for part in read_lines(handle):
                yield part
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
        try:
            head = cast(io.BufferedReader, handle.buffer).peek(8)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            head = b""  # the lines report it
        if binary := name_binary(head):
            raise InputError(f"{name}: not a FASTA file: this is {binary}")
        rest = lines(handle)
        header = next((line for line in rest if line.strip()), None)
        if header is None:
            raise InputError(f"{name}: the file is empty; a FASTA file was expected")
        if header.startswith("# STOCKHOLM"):
            yield from _read_stockholm(header + "".join(rest), name, gaps, notes)
            return
        if not header.startswith(">"):
            text = name_text(header)
            raise InputError(
                f"{name}: not a FASTA file: it begins with {header.strip()[:40]!r}, "
                + (f"so this is {text}" if text else "a FASTA record begins with '>' and its id")
            )
        while header:
            number += 1
            following: list[str] = []
            found: list[GivenStructure] = []
            letters = _Letters(name, header[1:], gaps, notes)
            parts = _parts(header, rest, following, found, letters)
            yield _Entry(header[1:].strip(), parts, found)
            for _ in parts:
                pass
            if any("(" in structure.dot_bracket for structure in found):
                notes(about_structures)
            header = following[0] if following else None


def _parts(
    header: str,
    lines: Iterator[str],
    following: list[str],
    found: list[GivenStructure],
    letters: _Letters,
) -> Iterator[str]:
    """Yield the letters up to the next header, which is appended to `following`.

    Structures are appended to `found`.
    """
    line = header
    while not line.endswith("\n") and (rest := next(lines, "")):
        line = rest
    begins = True
    star = ""
    for line in lines:
        if begins:
            if line.startswith(">"):
                following.append(line)
                return
            given = structures.parse_line(line) if line[0] in structures.CHARACTERS else None
            if given and not letters.are_gaps(line):
                if "(" in given.dot_bracket or not found:
                    found.append(given)
                continue
            if line.startswith(" frequency of mfe structure"):  # RNAfold -p
                continue
        begins = line.endswith("\n")
        part = letters("".join(line.split()))
        letters.check_below(part, found)
        part = star + part
        # Some programs end a sequence with an asterisk.
        star = "*" if part.endswith("*") else ""
        if part := part.removesuffix("*"):
            yield part


def _read_stockholm(text: str, name: str, gaps: Gaps, notes: _Notes) -> Iterator[_Entry]:
    from Bio import AlignIO

    try:
        alignments = AlignIO.parse(io.StringIO(text), "stockholm")
        for alignment in alignments:
            for row in alignment:
                header = row.id if row.description == row.id else f"{row.id} {row.description}"
                letters = _Letters(name, header, gaps, notes)
                # Not here, where an error of it would be one of the format.
                yield _Entry(header, map(letters, [str(row.seq)]), [])
    except ValueError as error:
        raise InputError(f"{name}: not a readable Stockholm file ({error})") from error


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
                "on_ambiguous: drop in the config."
            )
        else:
            dropped.append(problem)


def read_records(
    path: str | Path,
    *,
    position: Callable[[int], None] | None = None,
    note: Callable[[str], None] | None = None,
    gaps: Gaps = "keep",
    keep_structures: bool = False,
) -> Iterator[tuple[Record, Problem | None]]:
    """Read every record of a FASTA file, plain or gzip, with its problem if it has one.

    Parameters and errors are those of `read_parts`. With `keep_structures`, a record gets the
    structure that the file has for it; a missing or invalid one is a problem too. A problem is: no
    id, an id with a control character or more than 1,000 characters, no sequence, a sequence too
    long to fold (only its beginning is returned), or a character outside ACGU (`Dropped`).
    """
    name = name_of_file(path)
    about = "" if keep_structures else "structures in the file are not used, RNAs are folded anew"
    for number, entry in enumerate(_read_entries(path, position, note, gaps, about), 1):
        raw, length = "", 0
        for part in entry.parts:
            if length <= LONGEST:
                raw += part
            length += len(part)
        identifier, description = [*entry.header.split(maxsplit=1), "", ""][:2]
        record = Record(identifier, normalise(raw), name, number, description)
        problem = problem_of(record, raw, length)
        if keep_structures and problem is None:
            record, problem = _with_structure(record, entry.structures)
        yield problem.record if problem else record, problem


def _with_structure(record: Record, found: list[GivenStructure]) -> tuple[Record, Problem | None]:
    """Add the first structure of a file to a record, if it is valid."""
    if not found:
        return record, Problem(record, "no structure to keep")
    if fault := structures.fault_of(found[0].dot_bracket, record.sequence):
        return record, Problem(record, fault)
    return replace(record, structure=found[0]), None


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
        reason = f"{raw[index]!r} at position {index + 1}{protein_hint(raw)}"
        return Dropped(record, reason, index + 1, raw[index])
    return None
