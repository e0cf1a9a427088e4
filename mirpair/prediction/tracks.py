"""Write predictions for genome browsers, as GFF3 and BED, and as FASTA."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

# Two positions, as they are written in an id.
_RANGE = r"(?P<start>\d[\d,]*)(?:-|\.\.)(?P<end>\d[\d,]*)"
_STRAND = r"(?:\((?P<sign>[+.-])\)|:(?P<after>[+.*-])|(?P<rc>/rc))?"
# Of which tools an id with coordinates is, and what it looks like.
_IDS = [
    re.compile(form)
    for form in (
        # samtools faidx, bedtools getfasta, twoBitToFa, NCBI (c for complement), browsers
        rf"(?P<sequence>.+?)(?:_sliding)?:(?P<rc_first>c)?{_RANGE}{_STRAND}",
        rf"(?P<sequence>.+):(?P<start>\d[\d,]*)-{_STRAND}",  # samtools faidx chr1:321-
        rf"(?P<sequence>.+)_{_RANGE}:(?P<after>[+.-])",  # seqkit subseq
        r"(?P<sequence>.+)_(?P<start>\d+)_(?P<end>\d+)_(?P<after>[+-])",
        rf"(?P<sequence>.+)(?P<ordered>/){_RANGE}",  # Rfam, esl-sfetch
    )
]
# In a header after the id, or as the id itself.
_HEADERS = [
    re.compile(form)
    for form in (
        # Ensembl: chromosome:GRCh38:1:101:180:-1
        r"(?:^|\s)[^\s:]+:[^\s:]*:(?P<sequence>[^\s:]+)"
        r":(?P<start>\d+):(?P<end>\d+):(?P<ordered>-?1)(?!\S)",
        # UCSC: range=chr1:101-180 5'pad=0 3'pad=0 strand=-
        rf"(?:^|\s)range=(?P<sequence>\S+):{_RANGE}\s.*?\bstrand=(?P<ordered>[+-])",
        # FlyBase: loc=2L:complement(101..180);
        rf"(?:^|\s)loc=(?P<sequence>[^\s:;]+):(?P<ordered>complement\()?{_RANGE}\)?;",
    )
]
# Sequence Ontology's names for a hairpin that is called a pre-miRNA, and for one that is not.
CALLED, NOT_CALLED = "pre_miRNA", "stem_loop"
# Columns of a scan that are attributes of its hairpins too.
COMPARED = ("antisense", "rank", "false_calls_per_mb", "cluster", "family", "masked")
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


def location_of(name: str, length: int, description: str = "") -> Location | None:
    """Read the location of an RNA from its id, or from the rest of its header.

    `docs/use.md` lists whose ids are understood. Some tools count from 0 and name the base after
    the last one, as ``chr1:100-190(+)`` of ``bedtools getfasta -s``; others count from 1 and name
    the last one, as ``chr1:101-190`` of ``samtools faidx``. The length of the RNA, nt, decides
    which of the two is meant. Positions in descending order are of the reverse strand. None if
    there are no coordinates, or they do not fit the length.

    Examples
    --------
    >>> location_of("chr1:100-190(+)", 90)
    Location(sequence='chr1', start=100, end=190, strand='+')
    >>> location_of("chr1:101-190", 90)
    Location(sequence='chr1', start=100, end=190, strand='.')
    >>> location_of("chr1:101-190/rc", 90)
    Location(sequence='chr1', start=100, end=190, strand='-')
    >>> location_of("NC_000021.9:c190-101", 90)
    Location(sequence='NC_000021.9', start=100, end=190, strand='-')
    >>> location_of("AC012345.1/190-101", 90)
    Location(sequence='AC012345.1', start=100, end=190, strand='-')
    >>> location_of("hg38_dna", 90, "range=chr1:101-190 5'pad=0 3'pad=0 strand=-")
    Location(sequence='chr1', start=100, end=190, strand='-')
    """
    for match, named in _matches(name, description):
        if location := _fit(match, named, length):
            return location
    return None


def has_coordinates(name: str, description: str = "") -> bool:
    """Tell whether a header has coordinates, whether or not they fit the length of the RNA."""
    return next(_matches(name, description), None) is not None


def _matches(name: str, description: str) -> Iterator[tuple[re.Match[str], str]]:
    """Find all readings of a header, each with the strand that is named before ``::``."""
    # bedtools getfasta -name: hit::chr1:100-190(+), or hit(+)::chr1:100-190
    before, _, place = name.rpartition("::")
    named = before[-2:-1] if before.endswith(("(+)", "(-)")) else ""
    for form in _IDS:
        if match := form.fullmatch(place):
            yield match, named
    for form in _HEADERS:
        for text in (name, description):
            if match := form.search(text):
                yield match, ""


def _fit(match: re.Match[str], named: str, length: int) -> Location | None:
    """Make the location if the positions fit the length, nt, and the strand."""
    parts = match.groupdict()
    start = int(parts["start"].replace(",", ""))
    end = int(parts["end"].replace(",", "")) if "end" in parts else start + length - 1
    strand = parts.get("sign") or parts.get("after") or named or "."
    # These tools always name the strand.
    if "ordered" in parts:
        strand = "-" if (parts["ordered"] or "+")[0] in "-c" else "+"
    from_0 = "ordered" not in parts
    if parts.get("rc") or parts.get("rc_first") or start > end:
        if strand == "+" and parts.get("ordered") != "/":
            return None
        start, end, strand, from_0 = min(start, end), max(start, end), "-", False
    strand = strand.replace("*", ".")
    if from_0 and end - start == length:
        return Location(parts["sequence"], start, end, strand)
    if end - start + 1 == length and start > 0:
        return Location(parts["sequence"], start - 1, end, strand)
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
        **{name: row.get(name, "") for name in COMPARED},
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
