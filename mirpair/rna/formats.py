"""Name the format of a file that should be FASTA and is not, and say what to do with it."""

from __future__ import annotations

import re

# First bytes of files that are not text.
_BINARY = (
    (b"PK\x03\x04", "a zip file; unpack it first, or pack it with gzip"),
    (b"BZh", "packed by bzip2; unpack it first, or pack it with gzip"),
    (b"\xfd7zXZ\x00", "packed by xz; unpack it first, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd; unpack it first, or pack it with gzip"),
    (b"BAM\x01", "BAM; convert it to FASTA, for example with: samtools fasta"),
    (b"CRAM", "CRAM; convert it to FASTA, for example with: samtools fasta"),
    (b"\x1a\x41\x27\x43", "2bit; convert it to FASTA, for example with: twoBitToFa"),
    (b"\x43\x27\x41\x1a", "2bit; convert it to FASTA, for example with: twoBitToFa"),
    (b"%PDF", "PDF; save the sequences as FASTA, in plain text"),
    (b"{\\rtf", "a document of a word processor; save it as plain text"),
    (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
)
# What the first line of other text begins with, in the order in which it is tried.
_TEXT = (
    (r"@(HD|SQ|RG|PG|CO)\t", "SAM; convert it to FASTA, for example with: samtools fasta"),
    (r"@", "FASTQ; convert it to FASTA, for example with: seqtk seq -A"),
    (r"LOCUS ", "GenBank; convert it to FASTA, for example with: seqret, or download it as FASTA"),
    (r"ID   ", "EMBL; convert it to FASTA, for example with: seqret, or download it as FASTA"),
    (r"CLUSTAL|MUSCLE", "a Clustal alignment; convert it to FASTA, for example with: seqret"),
    (r"##gff-version", "GFF; give the sequences, for example from: bedtools getfasta -s"),
    (r"##fileformat=VCF", "VCF; give the sequences as FASTA"),
    (r"(?i)\s*<(!doctype|html)", "a web page; perhaps a download failed"),
    (r"(?i)\S+\t\d+\t\d+(\t|$)", "BED; give the sequences, for example from: bedtools getfasta -s"),
    (r"[^\t]*\t|[^,]*,[^,]*(,|$)", "a table; write its names and sequences as FASTA"),
    (r"(?i)[ACGTUN]+\s*$", "a sequence without a header; put a line such as >name before it"),
)


def name_binary(head: bytes) -> str:
    """Name the format of a file that is not text by its first bytes; empty if they are unknown.

    Examples
    --------
    >>> name_binary(b"BAM\\x01...")
    'BAM; convert it to FASTA, for example with: samtools fasta'
    """
    return next((name for magic, name in _BINARY if head.startswith(magic)), "")


def name_text(line: str) -> str:
    """Name the format of a text file by its first line; empty if it is unknown.

    Examples
    --------
    >>> name_text("@read1 length=22")
    'FASTQ; convert it to FASTA, for example with: seqtk seq -A'
    """
    return next((name for form, name in _TEXT if re.match(form, line)), "")
