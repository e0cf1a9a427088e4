"""Write predictions for genome browsers, as GFF3 and BED, and as FASTA."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

_LOCATION = re.compile(
    r"(?:.*::)?(?P<sequence>.+):(?P<start>[\d,]+)-(?P<end>[\d,]+)"
    r"(?:\((?P<strand>[+-])\)|:(?P<strand_after>[+-]))?"
)
# Sequence Ontology's names for a hairpin that is called a pre-miRNA, and for one that is not.
CALLED, NOT_CALLED = "pre_miRNA", "stem_loop"
# Characters that need no escape in the first column of a GFF3, and in the others.
_SAFE_NAME = ".:^*$@!+_?-|"
_SAFE = "".join(map(chr, range(32, 127))).translate(str.maketrans("", "", ";=&,%"))


class UniqueIds:
    """Make the IDs of a GFF3 unique: those that occur again end in ``_2``, ``_3``, …

    Examples
    --------
    >>> unique = UniqueIds()
    >>> [unique(name) for name in ("x", "x_2", "x", "x")]
    ['x', 'x_2', 'x_3', 'x_4']
    """

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        unique, times = name, self._times.get(name, 0)
        if times:
            while unique in self._times:
                times += 1
                unique = f"{name}_{times}"
            self._times[unique] = 1
        self._times[name] = max(times, 1)
        return unique


class Location(NamedTuple):
    """Positions of an RNA in a genome: from 0, half-open; ``"."`` is an unknown strand."""

    sequence: str
    start: int
    end: int
    strand: str


def location_of(name: str, length: int) -> Location | None:
    """Read the location of an RNA from its id.

    It is such as ``chr1:100-190(+)``, which ``bedtools getfasta -s`` writes, from 0 and half-open,
    or ``chr1:101-190``, which ``samtools faidx`` writes, from 1 and with both ends. The length of
    the RNA, nt, decides which of the two is meant. None if the id has no coordinates, or they do
    not fit the length.

    Examples
    --------
    >>> location_of("chr1:100-190(+)", 90)
    Location(sequence='chr1', start=100, end=190, strand='+')
    >>> location_of("chr1:101-190", 90)
    Location(sequence='chr1', start=100, end=190, strand='.')
    """
    match = _LOCATION.fullmatch(name)
    if not match:
        return None
    start, end = (int(match[key].replace(",", "")) for key in ("start", "end"))
    strand = match["strand"] or match["strand_after"] or "."
    if end - start == length:
        return Location(match["sequence"], start, end, strand)
    if end - start + 1 == length and start > 0:
        return Location(match["sequence"], start - 1, end, strand)
    return None


def gff3_head(comments: Iterable[str], lengths: Mapping[str, int] | None = None) -> str:
    """Write the first lines of a GFF3: version, comments, and sequences with their lengths (nt)."""
    # The name of a file may have a line end; a comment has none.
    shown = ("".join(it if it.isprintable() else "?" for it in comment) for comment in comments)
    lines = ["##gff-version 3", *(f"# {comment}" for comment in shown)]
    for name, length in (lengths or {}).items():
        lines.append(f"##sequence-region {_seqid(name)} 1 {length}")
    return "".join(f"{line}\n" for line in lines)


def _seqid(name: str) -> str:
    """Escape the name of a sequence for the first column of a GFF3."""
    return quote(name, safe=_SAFE_NAME).replace("~", "%7E")  # `quote` never escapes it


def circle_line(name: str, length: int) -> str:
    """Write the line of GFF3 that says that a sequence is circular; `length` is in nt.

    A feature over the origin of such a sequence ends beyond its length.
    """
    name = _seqid(name)
    attributes = f"ID={name};Is_circular=true"
    return "\t".join([name, "mirpair", "region", "1", str(length), *".+.", attributes]) + "\n"


def split_location(location: Location, circle: int | None) -> list[Location]:
    """Split a location at the origin, as BED has no positions beyond the end of a sequence.

    `circle` is the length of the sequence if it is circular, nt.
    """
    if circle is None or location.end <= circle:
        return [location]
    return [location._replace(end=circle), location._replace(start=0, end=location.end - circle)]


def gff3_line(location: Location, row: Mapping[Any, Any]) -> str:
    """Write a row of the table of `mirpair.prediction.predictor.predict` as a line of GFF3."""
    values = {
        "ID": row["id"],
        "probability": _number(row["probability"]),
        "mfe": f"{row['mfe']:.2f}",
        "structure": row["structure"],
        "nearest": row.get("nearest", ""),
        "identity": _number(row.get("identity")),
        "coverage": _number(row.get("coverage")),
        "status": row.get("status", ""),
        "other_known": row.get("other_known", ""),
        "antisense": row.get("antisense", ""),
    }
    attributes = ";".join(f"{k}={quote(v, safe=_SAFE)}" for k, v in values.items() if v)
    columns = (
        _seqid(location.sequence),
        "mirpair",
        CALLED if row["call"] == 1 else NOT_CALLED,
        str(location.start + 1),
        str(location.end),
        _number(row["score"], 6),
        location.strand,
        ".",
        attributes,
    )
    return "\t".join(columns) + "\n"


def bed_line(location: Location, row: Mapping[Any, Any]) -> str:
    """Write a row as a line of BED6; its score is 1,000 times that of the network."""
    score = round(1000 * float(row["score"]))
    columns = (location.sequence, location.start, location.end, row["id"], score, location.strand)
    return "\t".join(map(str, columns)) + "\n"


def fasta_entry(name: str, sequence: str) -> str:
    """Write an RNA as FASTA, on one line."""
    return f">{name}\n{sequence}\n"


def _number(value: Any, digits: int = 4) -> str:
    return "" if value is None or value != value else f"{value:.{digits}f}"
