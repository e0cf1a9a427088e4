"""Store the hairpins of miRBase, read other known hairpins, and find those that an RNA holds."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mirpair import files
from mirpair.contracts import ALPHABET
from mirpair.files import InputError, atomic, sha256
from mirpair.rna.sequences import Dropped, Problem, TooLong, read_records
from mirpair.rna.similarity import Alignment, Nearest, align, relative_score
from mirpair.settings import KNOWN_COVERAGE, MIRBASE, NEAR, NO_REFERENCE

LARGEST = 1_500_000
_HEADER = "# miRBase hairpins, xz-compressed TSV: names and sequence\n"
_XZ = b"\xfd7zXZ\x00"
NAME = "mirbase22.tsv.xz"
KNOWN, NOVEL = "known", "novel"
# Hairpins by each of two rankings whose scores are computed, and the best of them that are aligned.
_SCORED, _ALIGNED = 5, 3
# From this share of a known hairpin on, the rest of the RNA is searched for others.
_TAKEN = 0.5
# Lengths of a hairpin in a reference, nt: those of miRBase 22 are 39 to 2,354.
SHORTEST, LONGEST = 30, 5_000
# Codes of several bases (IUPAC), which known hairpins may have: one never counts as identical.
# miRBase 21 has a hairpin with 50 N.
_CODES = re.compile("[RYSWKMBDHV]")
# Share of codes other than N from which a sequence is not taken for an RNA.
_MOST_CODES = 0.2
# What separates names in the output: of hairpins with one sequence, and of several hairpins.
_SAME, _NEXT = ",", ";"


class NearestHairpin(NamedTuple):
    """The known hairpin that is nearest to an RNA."""

    # Several hairpins with the same sequence are separated by commas.
    names: str
    # See `mirpair.rna.similarity.Alignment`; 0 if no hairpin shares an 8-mer with the RNA.
    identity: float
    coverage: float
    # Names of other known hairpins, elsewhere in the RNA, in their order, separated by semicolons.
    others: str = ""

    @property
    def status(self) -> str:
        """`KNOWN` if identity and coverage are high enough, see `mirpair.settings`."""
        return KNOWN if is_known(self.identity, self.coverage) else NOVEL


def is_known(identity: float, coverage: float) -> bool:
    """Decide whether an alignment with a known hairpin makes an RNA a known one."""
    return identity >= NEAR and coverage >= KNOWN_COVERAGE


class _Hit(NamedTuple):
    """A known hairpin, by its index, and its alignment with an RNA."""

    hairpin: int
    place: Alignment

    @property
    def is_known(self) -> bool:
        return is_known(self.place.identity, self.place.coverage)

    @property
    def rank(self) -> tuple[bool, float, int, int]:
        """The highest is the nearest: known, similar in most of its bases, long, first."""
        similar = self.place.identity * self.place.coverage
        return self.is_known, similar, self.place.end - self.place.start, -self.hairpin


@dataclass(frozen=True, slots=True)
class KnownHairpins:
    """Known hairpins, each sequence once; see `load_known_hairpins`."""

    names: Sequence[str]
    sequences: Sequence[str]
    index: Nearest

    def nearest(self, sequences: Sequence[str]) -> list[NearestHairpin]:
        """Find the nearest known hairpin of each RNA over ACGU, and others elsewhere in it.

        Of ten hairpins that share many 8-mers with the RNA, those with the best local alignments
        are compared. The nearest one is known if one of them is; then, it has the largest product
        of identity and coverage. The parts of the RNA beside it are searched likewise.
        """
        return [self._describe(list(self._hits(sequence))) for sequence in sequences]

    def _describe(self, hits: Sequence[_Hit]) -> NearestHairpin:
        if not hits:
            return NearestHairpin("", 0.0, 0.0)
        best = max(hits, key=lambda hit: hit.rank)
        others = sorted(
            (hit for hit in hits if hit is not best and hit.is_known),
            key=lambda hit: hit.place.start,
        )
        return NearestHairpin(
            self.names[best.hairpin],
            best.place.identity,
            best.place.coverage,
            _NEXT.join(self.names[hit.hairpin] for hit in others),
        )

    def _hits(self, sequence: str, offset: int = 0, *, part: bool = False) -> Iterator[_Hit]:
        """Find the nearest hairpin, and if half of it is aligned, the nearest on its two sides.

        In such a part of an RNA, only hairpins count that are short enough to be known there.
        """
        best = max(self._candidates(sequence, part=part), key=lambda hit: hit.rank, default=None)
        if best is None:
            return
        start, end = best.place.start, best.place.end
        moved = best.place._replace(start=start + offset, end=end + offset)
        yield _Hit(best.hairpin, moved)
        if best.place.coverage >= _TAKEN:
            yield from self._hits(sequence[:start], offset, part=True)
            yield from self._hits(sequence[end:], offset + end, part=True)

    def _candidates(self, sequence: str, *, part: bool) -> Iterator[_Hit]:
        """Align the hairpins that may be the nearest."""
        chosen = self._shortlist(sequence, part=part)
        # Nothing is better than a hairpin with all its bases, and of those, the longest.
        if exact := [index for index in chosen if self.sequences[index] in sequence]:
            index = max(exact, key=lambda it: (len(self.sequences[it]), -it))
            start = sequence.index(self.sequences[index])
            yield _Hit(index, Alignment(start, start + len(self.sequences[index]), 1.0, 1.0))
            return
        scores = {index: relative_score(sequence, self.sequences[index]) for index in chosen}
        for index in sorted(chosen, key=lambda it: (-scores[it], it))[:_ALIGNED]:
            yield _Hit(index, align(sequence, self.sequences[index]))

    def _shortlist(self, sequence: str, *, part: bool) -> list[int]:
        """Choose hairpins by the number of shared 8-mers, and by their share of the hairpin's own.

        The number alone prefers long hairpins, the share alone short ones.
        """
        shared, _ = self.index.shared(sequence)
        if part:
            shared[KNOWN_COVERAGE * self.index.lengths > len(sequence)] = 0
        some = np.flatnonzero(shared)
        count = shared[some].astype(np.float64)
        share = count / self.index.words[some]
        chosen = [*some[_first(count, share)], *some[_first(share, count)]]
        return list(dict.fromkeys(map(int, chosen)))


def _first(key: npt.NDArray[np.float64], ties: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the indices of the `_SCORED` largest keys; equal ones by `ties`, then by index."""
    if len(key) > _SCORED:
        enough = np.flatnonzero(key >= np.partition(key, -_SCORED)[-_SCORED])
    else:
        enough = np.arange(len(key))
    order = np.lexsort((enough, -ties[enough], -key[enough]))
    return enough[order][:_SCORED]


def write_known_hairpins(hairpins: Iterable[tuple[str, str]], path: str | Path) -> int:
    """Write names and sequences for `load_known_hairpins`; return the number of sequences.

    It is an `InputError` if the file would be larger than `LARGEST` bytes.
    """
    names = _by_sequence(hairpins)
    # Hairpins of one family in many species are neighbours: that compresses best.
    order = sorted(names, key=lambda s: (names[s][0].partition("-")[2], names[s][0], s))
    text = _HEADER + "".join(f"{_SAME.join(names[s])}\t{s}\n" for s in order)
    packed = lzma.compress(text.encode("ascii"), preset=9 | lzma.PRESET_EXTREME)
    if len(packed) > LARGEST:
        raise InputError(
            f"{path}: has {len(packed) / 1e6:.2f} MB; shipped hairpins may have at most "
            f"{LARGEST / 1e6:.1f} MB"
        )
    with atomic(path) as temporary:
        temporary.write_bytes(packed)
    return len(order)


def _by_sequence(hairpins: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Collect the names of each sequence, in the order of the hairpins."""
    names: dict[str, dict[str, None]] = {}
    for name, sequence in hairpins:
        names.setdefault(sequence, {})[name] = None
    return {sequence: list(named) for sequence, named in names.items()}


def shipped_hairpins() -> Path:
    """Return the path of the file in the package; an `InputError` if it is missing."""
    return files.shipped(
        NAME, f"leave known hairpins out with --reference {NO_REFERENCE}, or make it: make weights"
    )


def reference_path(reference: str | Path) -> Path | None:
    """Return the file of a reference (see `mirpair.settings.Reference`); None if there is none.

    It is an `InputError` if it is not a file.
    """
    if str(reference) == NO_REFERENCE:
        return None
    path = shipped_hairpins() if str(reference) == MIRBASE else Path(reference)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give one FASTA file")
    if path.exists() and not path.is_file():
        raise InputError(
            f"{path} is not a regular file (known hairpins are read twice); give a FASTA file"
        )
    if not path.exists():
        raise InputError(
            f"{path}: there is no such file of known hairpins; give a FASTA file, {MIRBASE} or "
            f"{NO_REFERENCE}"
        )
    return path


def describe_reference(reference: str | Path) -> str:
    """Describe a reference for people: name and checksum of its file, whatever its folder."""
    path = reference_path(reference)
    return f"{path.name}, SHA-256 {sha256(path)}" if path else NO_REFERENCE


def load_reference(reference: str | Path) -> KnownHairpins | None:
    """Load the known hairpins of a reference; None if there is none.

    Raises
    ------
    InputError
        If the file cannot be read, is not FASTA, or has a record that is no known hairpin.
    """
    path = reference_path(reference)
    if path is None:
        return None
    with path.open("rb") as handle:
        packed = handle.read(len(_XZ)) == _XZ
    if packed:
        return load_known_hairpins(path)
    names = _by_sequence(_read_hairpins(path))
    return KnownHairpins(
        [_SAME.join(it) for it in names.values()], list(names), Nearest(list(names))
    )


def _read_hairpins(path: Path) -> Iterator[tuple[str, str]]:
    """Read the names and sequences of a FASTA file, plain or gzip, and check them."""
    for record, problem in read_records(path):
        where = f"{record.file}: record {record.number} ({record.id!r})"
        sequence, length = record.sequence, len(record.sequence)
        if isinstance(problem, TooLong):
            length = problem.length
        elif isinstance(problem, Dropped):
            codes = _CODES.findall(sequence)
            if other := re.search(f"[^{ALPHABET}N]", _CODES.sub("N", sequence)):
                raise InputError(
                    f"{where} has {other.group()!r} at position {other.start() + 1}; known "
                    "hairpins are RNA or DNA. Is this an alignment, or a protein?"
                )
            if len(codes) > _MOST_CODES * length:
                raise InputError(
                    f"{where} has {len(codes)} letters other than A, C, G, T, U, N in {length}; "
                    "known hairpins are RNA or DNA. Is this a protein?"
                )
            problem = None
        if length < SHORTEST and length:
            raise InputError(
                f"{where} is too short for a hairpin: {length} < {SHORTEST} nt. Give precursors, "
                "not mature microRNAs."
            )
        if length > LONGEST:
            raise InputError(
                f"{where} is too long for a hairpin: {length:,} > {LONGEST:,} nt. Give precursors, "
                "not a genome."
            )
        if isinstance(problem, Problem):
            raise InputError(f"{problem}; correct it, or leave the record out of the file")
        if separator := re.search(f"[{_SAME}{_NEXT}]", record.id):
            raise InputError(
                f"{where} has {separator.group()!r} in its id, which separates names in the "
                "output; write another character, such as _"
            )
        yield record.id, sequence


def load_known_hairpins(path: str | Path | None = None) -> KnownHairpins:
    """Read what `write_known_hairpins` wrote, by default the file in the package.

    It is an `InputError` if it is something else.
    """
    path = path or shipped_hairpins()
    try:
        text = lzma.decompress(Path(path).read_bytes()).decode("ascii")
        if not text.startswith(_HEADER):
            raise ValueError("its first line is not the expected one")
        rows = [line.split("\t") for line in text[len(_HEADER) :].splitlines()]
        if not rows:
            raise ValueError("it has no hairpins")
        names, sequences = [name for name, _ in rows], [sequence for _, sequence in rows]
    except (lzma.LZMAError, ValueError) as error:
        raise InputError(f"{path}: not a file of known hairpins ({error})") from error
    return KnownHairpins(names, sequences, Nearest(sequences))
