"""Rebuild the FASTA files of the families' demo from a package that anyone can get.

    .venv/bin/python config/families-demo/build.py  # downloads the package

README.md beside it explains what it does and why. The same package gives the same bytes.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections import Counter
from pathlib import Path

from Bio import SeqIO

from mirpair.sources.download import download
from mirpair.sources.published import read_sources

HERE = Path(__file__).parent
LENGTHS = range(40, 201)
ACGU = re.compile("[ACGU]+")
# Words of Rfam's type of an RNA to the class in the header of others.fa.
CLASSES = {"tRNA": "tRNA", "CD-box": "CD-box", "HACA-box": "HACA-box", "": "other"}
EACH = 120
# tRNAs are one family of Rfam.
PER_FAMILY = {"tRNA": 60}


def alignments() -> str:
    """The seed alignments that ViennaRNA has for its tests."""
    source = read_sources(HERE.parent / "sources.tsv")["rfam/seeds.stk"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seeds.stk"
        download(source.url, path, checksum=source.sha256)
        return path.read_text(encoding="latin-1")


def members(stockholm: str) -> list[tuple[str, str, str, str]]:
    """Type, family, id and sequence of all seed members, each sequence once."""
    found = {}
    for block in stockholm.split("\n//"):
        accession = re.search(r"#=GF AC\s+(\S+)", block)
        kind = re.search(r"#=GF TP\s+(.+)", block)
        if accession is None or kind is None:
            continue
        for record in SeqIO.parse(io.StringIO(block.lstrip() + "\n//\n"), "stockholm"):
            sequence = re.sub(r"[-.]", "", str(record.seq)).upper().replace("T", "U")
            if len(sequence) in LENGTHS and ACGU.fullmatch(sequence):
                found.setdefault(sequence, (kind[1], accession[1], record.id, sequence))
    return sorted(found.values())


def write(name: str, records: list[tuple[str, str]]) -> None:
    """Write a FASTA file."""
    text = "".join(f">{header}\n{sequence}\n" for header, sequence in records)
    (HERE / name).parent.mkdir(exist_ok=True)
    (HERE / name).write_text(text, encoding="ascii", newline="\n")


def main() -> None:
    families: dict[str, list[tuple[str, str]]] = {}
    others: list[tuple[str, str]] = []
    used: Counter[str] = Counter()
    for kind, family, name, sequence in members(alignments()):
        if "miRNA" in kind:
            families.setdefault(family, []).append((name, sequence))
            continue
        label = next(label for word, label in CLASSES.items() if word in kind)
        if used[family] < PER_FAMILY.get(label, 6) and used[label] < EACH:
            used.update([family, label])
            others.append((f"{label} {family} {name}", sequence))
    for family, records in families.items():
        write(f"hairpins/{family}.fa", records)
    write("others.fa", sorted(others))


if __name__ == "__main__":
    main()
