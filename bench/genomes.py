"""What a scan finds in real genomes: `make genomes`.

The genome of yeast, which has no microRNAs, so that every call in it is false; and of the human
chromosome X all that is near the hairpins of miRBase 22 that occur in it exactly, and three million
bases in one piece.
"""

from __future__ import annotations

import csv
import gzip
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from Bio.SeqIO.FastaIO import SimpleFastaParser

from mirpair.files import InputError, atomic, write_text
from mirpair.sources import fetch_member

YEAST = (
    "barrnap==0.0.5 --hash=sha256:acac783c1f93e8e9585017be9e128f7f95d8ae77a9ed3b3656fa53d5043e0e21",
    "barrnap/examples/fungus.fna",
)
MIRBASE = (
    "smallrnaseq==0.6.0 "
    "--hash=sha256:8b4bf8d497a75696413810d1adc67ecf01e7842676d5fdb215a23ba232756b4f",
    "smallrnaseq/data/miRBase_all.csv",
)
# Debian's package with the first 70 Mb of the human chromosome X, hg19.
SMALT = "smalt-examples"
CHROMOSOME = "usr/share/doc/smalt/test/data/hs37chrXtrunc.fa.gz"
AROUND = 50_000
PIECE = (47_000_000, 50_000_000)
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


class Known(NamedTuple):
    """A hairpin of miRBase in the chromosome: from 0, half-open, on its forward strand."""

    start: int
    end: int
    strand: str
    name: str


def prepare(folder: Path) -> None:
    """Bring the genomes into a folder, unless they are there: three FASTA files and a table."""
    if not (folder / "yeast.fa").is_file():
        fetch_member(*YEAST, folder / "yeast.fa")
    if not (folder / "known.tsv").is_file():
        fetch_member(*MIRBASE, folder / "mirbase.csv")
        if not (folder / "chrX.fa.gz").is_file():
            _fetch_chromosome(folder / "chrX.fa.gz")
        bases = _chromosome(folder / "chrX.fa.gz")
        known = _occurrences(bases, folder / "mirbase.csv")
        _write_fasta(folder / "chrX-near.fa", bases, _windows(known, len(bases)))
        _write_fasta(folder / "chrX-piece.fa", bases, [PIECE])
        lines = ["start\tend\tstrand\tname", *("\t".join(map(str, it)) for it in known)]
        write_text(folder / "known.tsv", "\n".join(lines) + "\n")


def _fetch_chromosome(destination: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="mirpair-") as name:
        try:
            subprocess.run(
                ["apt-get", "download", SMALT], cwd=name, check=True, capture_output=True
            )
            (package,) = Path(name).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", str(package), "all"], cwd=name, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise InputError(
                f"{destination}: Debian's package {SMALT}, which has it, could not be downloaded "
                f"({error}); put the file {CHROMOSOME} of it there"
            ) from error
        with atomic(destination) as temporary:
            shutil.copyfile(Path(name) / "all" / CHROMOSOME, temporary)


def _chromosome(path: Path) -> str:
    with gzip.open(path, "rt") as handle:
        ((_, bases),) = SimpleFastaParser(handle)
    return str(bases).upper()


def _occurrences(bases: str, table: Path) -> list[Known]:
    """Human hairpins of miRBase that occur exactly, each place once for every name and strand."""
    found = []
    with table.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            if row["species"] != "hsa":
                continue
            forward = row["precursor"].replace("U", "T")
            for strand, wanted in (("+", forward), ("-", forward.translate(_COMPLEMENT)[::-1])):
                start = bases.find(wanted)
                while start >= 0:
                    found.append(Known(start, start + len(wanted), strand, row["ID"]))
                    start = bases.find(wanted, start + 1)
    return sorted(found)


def _windows(known: Sequence[Known], length: int) -> list[tuple[int, int]]:
    """The surroundings of all hairpins, those that overlap as one."""
    windows: list[tuple[int, int]] = []
    for it in known:
        start, end = max(0, it.start - AROUND), min(length, it.end + AROUND)
        if windows and start <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(end, windows[-1][1]))
        else:
            windows.append((start, end))
    return windows


def _write_fasta(path: Path, bases: str, windows: Sequence[tuple[int, int]]) -> None:
    write_text(
        path, "".join(f">chrX:{start}-{end}\n{bases[start:end]}\n" for start, end in windows)
    )
