"""Compare a scan with covariance models of microRNA families on the same sequences.

``python -m bench.covariance`` searches parts of genomes with the models of MirMachine (Umu et al.
2023, Cell Genomics 3:100348; families of MirGeneDB) by Infernal's `cmsearch`, as MirMachine does,
and with `mirpair scan`. The models are those of the families that MirGeneDB expects in the species.
They were built from families that are in these genomes: they know what they search for, and
nothing else. Networks of ours have seen most of these families too.
"""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from Bio import Phylo

from bench.genomes import (
    FOLDER,
    GENOMES,
    RATE,
    TABLES,
    best_calls,
    fetch,
    hits,
    occurrences,
    read_bases,
)
from bench.measured import write_measured
from mirpair.settings import NO_REFERENCE
from mirpair.sources.collections import read_hairpins
from mirpair.sources.packages import download_wheel
from mirpair.sources.pre_mirnas import read_mature, trusts

WHEEL = (
    "mirmachine==0.3.0.5 "
    "--hash=sha256:52c348320a0bfd51b06548a7334dbf8a0737723eed213572b021b417cbc81988"
)
# MirMachine's own limit, and the lengths below which it drops a hit.
INCLUSION, SHORTEST = 0.2, 50
# Calls a megabase at which a scan is compared; places are listed with the second of them.
DENSITIES = (3, 10, 30)
LISTED = 10
# Bases that a known hairpin and a hit must share, as a part of the shorter one: the models find
# the pre-miRNA proper, which is a part of a hairpin of miRBase.
SHARED = 0.5


@dataclass(frozen=True)
class Part:
    """A part of a genome of `bench.genomes` to search.

    Attributes
    ----------
    genome, sequence, start, end
        Key of the genome, and positions from 0.
    species
        As MirMachine's tree names it.
    megabases
        Of the genome: E-values are those of a search of all of it.
    """

    genome: str
    sequence: str
    start: int
    end: int | None
    species: str
    megabases: int


PARTS = {
    "human X, 49–55 Mb": Part("human-x", "X", 49_000_000, 55_000_000, "H_sapiens", 3100),
    "fly, chromosome 4": Part("fly-4", "NC_004353.4", 0, None, "D_melanogaster", 144),
}


def models(folder: Path, species: str) -> list[Path]:
    """Unpack the models of the families that are expected in a species."""
    wheel = folder / "mirmachine.whl"
    if not wheel.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        download_wheel(WHEEL, wheel)
    with zipfile.ZipFile(wheel) as archive:
        tree = Phylo.read(StringIO(archive.read("mirmachine/meta/tree.newick").decode()), "newick")
        (leaf,) = [it for it in tree.get_terminals() if it.name == species]
        lineage = {it.name for it in [tree.root, *tree.get_path(leaf)]}
        nodes = archive.read("mirmachine/meta/nodes_mirnas_corrected.tsv").decode()
        rows = [line.split() for line in nodes.splitlines()]
        families = sorted({row[1].title() for row in rows if row[0] in lineage})
        names = set(archive.namelist())
        paths = []
        for family in families:
            name = f"mirmachine/meta/cms/combined/{family}.PRE.CM"
            path = folder / "cms" / f"{family}.CM"
            if name in names and not path.is_file():
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(archive.read(name))
            if name in names:
                paths.append(path)
    return paths


def search(models: list[Path], fasta: Path, part: Part) -> pd.DataFrame:
    """Run `cmsearch` with each model: hits that MirMachine includes, positions from 0."""
    rows = []
    for model in models:
        table = fasta.with_suffix(".tbl")
        command = ["cmsearch", "--cpu", "1", "--noali", "--incE", str(INCLUSION)]
        # Both strands.
        command += ["-Z", str(2 * part.megabases)]
        command += ["--tblout", str(table), "-o", "/dev/null", str(model), str(fasta)]
        subprocess.run(command, check=True)
        for line in table.read_text().splitlines():
            cells = line.split()
            if line.startswith("#") or cells[16] != "!":
                continue
            low, high = sorted((int(cells[7]), int(cells[8])))
            if high - low + 1 >= SHORTEST:
                place = (part.sequence, low - 1, high, cells[9])
                rows.append((*place, model.stem, float(cells[14]), float(cells[15])))
    names = ["sequence", "start", "end", "strand", "model", "bits", "evalue"]
    hits = pd.DataFrame(rows, columns=names).sort_values("bits", ascending=False)
    # Of hits that overlap on a strand, the one with most bits, as MirMachine does.
    chosen: list[int] = []
    for it in hits.itertuples():
        others = hits.loc[chosen]
        near = (others["strand"] == it.strand) & (others["start"] < it.end)
        if not (near & (others["end"] > it.start)).any():
            chosen.append(it.Index)
    return hits.loc[chosen].reset_index(drop=True)


def scan(fasta: Path, name: str, *options: str) -> float:
    """Scan with the users' command on one core, and return its seconds."""
    command = [sys.executable, "-m", "mirpair.cli.app", "scan", str(fasta), "-o", str(FOLDER)]
    command += ["--reference", NO_REFERENCE, "--name", name, "-j", "1", *options]
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


def finds(known: pd.DataFrame, hits: pd.DataFrame) -> list[int]:
    """Index in `hits` of the first one that finds each known hairpin; -1 if none does."""
    found = []
    for it in known.itertuples():
        shared = np.minimum(hits["end"], it.end) - np.maximum(hits["start"], it.start)
        shorter = np.minimum(hits["end"] - hits["start"], it.end - it.start)
        fits = (hits["strand"] == it.strand).to_numpy() & (shared / shorter >= SHARED).to_numpy()
        found.append(int(fits.argmax()) if fits.any() else -1)
    return found


def main() -> None:
    """Search all parts both ways, and write the tables."""
    hairpins = list(read_hairpins(fetch("mirbase-22/hairpins.csv")))
    trust = trusts(hairpins, read_mature(fetch("mirgenedb/mature-2.1.fa")))
    counts, places = [], []
    for title, part in PARTS.items():
        bases = read_bases(fetch(GENOMES[part.genome].file))[part.sequence][part.start : part.end]
        fasta = FOLDER / f"part-{part.genome}.fa"
        fasta.parent.mkdir(parents=True, exist_ok=True)
        fasta.write_text(f">{part.sequence}\n{bases}\n")
        megabases = len(bases) / 1e6
        known = occurrences(GENOMES[part.genome], {part.sequence: bases}, hairpins)
        known["trust"] = known["name"].map(trust)
        # So that many are folded.
        scan(fasta, f"scan-of-{part.genome}", "--false-positives", RATE)
        ours = hits(f"scan-of-{part.genome}")
        seconds = scan(fasta, f"default-scan-of-{part.genome}")
        named = models(FOLDER / "mirmachine", part.species)
        begun = time.perf_counter()
        theirs = search(named, fasta, part)
        their_seconds = time.perf_counter() - begun
        known["model"] = [theirs["model"][n] if n >= 0 else "" for n in finds(known, theirs)]
        by_model = known["model"] != ""
        supported = known["trust"] == "supported"
        by_scans = {}
        for density in DENSITIES:
            calls = ours[best_calls(ours, round(density * megabases))]
            by_scans[density] = pd.Series(finds(known, calls), known.index) >= 0
        listed = by_scans[LISTED]
        kinds = np.select(
            [listed & by_model, listed, by_model], ["both", "scan", "models"], "neither"
        )
        places.append(known.assign(part=title, **{"found by": kinds}))
        for density, by_scan in by_scans.items():
            for kind, of in (("all", known["name"].notna()), ("supported", supported)):
                row: dict[str, object] = {"part": title, "known": kind, "calls per Mb": density}
                row |= {"places": int(of.sum()), "both": int((of & by_scan & by_model).sum())}
                row["scan only"] = int((of & by_scan & ~by_model).sum())
                row["models only"] = int((of & by_model & ~by_scan).sum())
                row["neither"] = int((of & ~by_model & ~by_scan).sum())
                row |= {"models": len(named), "hits of models per Mb": len(theirs) / megabases}
                row["seconds per Mb, scan"] = seconds / megabases
                row["seconds per Mb, models"] = their_seconds / megabases
                counts.append(row)
    TABLES.mkdir(parents=True, exist_ok=True)
    write_measured(pd.DataFrame(counts), TABLES / "covariance.tsv", float_format="%.3g")
    columns = ["part", "name", "family", "trust", "model", "found by"]
    write_measured(pd.concat(places)[columns], TABLES / "covariance-known.tsv")
    print(pd.DataFrame(counts).to_string())


if __name__ == "__main__":
    main()
