"""Measure what a scan finds in real genomes (`make genomes`).

Yeast has no microRNAs, so every call in its chromosomes is false. Of the human chromosome X, one
file has the surroundings of all miRBase 22 hairpins that occur in it exactly, another has three
million bases in one piece. Each is scanned by the users' command, with and without ``--fast``.
"""

from __future__ import annotations

import csv
import gzip
import subprocess
import sys
from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import jinja2
import numpy as np
import pandas as pd
from Bio.SeqIO.FastaIO import SimpleFastaParser

from mirpair.contracts import read_records
from mirpair.files import write_text, write_tsv
from mirpair.prediction.weights import load_networks
from mirpair.rna.similarity import nearest
from mirpair.settings import NEAR, NO_REFERENCE
from mirpair.sources.download import download
from mirpair.sources.published import read_sources

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "results" / "genomes"
TABLES = ROOT / "docs" / "genomes"
TRAINED = ROOT / "results" / "finder" / "datasets" / "animals" / "records.tsv"
GENOMES = {
    "yeast-first": "Yeast, first five chromosomes",
    "chrX-near": "Human X, near known hairpins",
    "chrX-piece": "Human X, 3 Mb in one piece",
}
WAYS = {"windowed": [], "fast": ["--fast"]}
# Number of yeast chromosomes: windowed folding of all sixteen would take another hour.
FIRST = 5
# A known hairpin is found if it shares this part of the longer of both with a hit.
OVERLAP = 0.5
ENERGIES = (-15, -20, -25, -30, -40, -200)

AROUND = 50_000
PIECE = (47_000_000, 50_000_000)
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


class Known(NamedTuple):
    """A miRBase hairpin in the chromosome; forward-strand coordinates from 0, half-open."""

    start: int
    end: int
    strand: str
    name: str


def _download(name: str, destination: Path) -> None:
    """Download a file of the sources table."""
    source = read_sources(ROOT / "config" / "sources.tsv")[name]
    download(source.url, destination, checksum=source.sha256)


def yeast(folder: Path = FOLDER) -> Path:
    """Return the path of the yeast genome in a folder; download it if needed."""
    path = folder / "yeast.fa"
    if not path.is_file():
        _download("yeast/fungus.fna", path)
    return path


def prepare(folder: Path) -> None:
    """Make three FASTA files and a table of known hairpins in a folder, unless they exist."""
    if not (folder / "yeast-first.fa").is_file():
        with yeast(folder).open(encoding="ascii") as handle:
            first = list(islice(SimpleFastaParser(handle), FIRST))
        text = "".join(f">{name}\n{bases}\n" for name, bases in first)
        write_text(folder / "yeast-first.fa", text)
    if not (folder / "known.tsv").is_file():
        _download("mirbase-22/hairpins.csv", folder / "mirbase.csv")
        bases = chromosome(folder)
        known = _occurrences(bases, folder / "mirbase.csv")
        _write_fasta(folder / "chrX-near.fa", bases, _windows(known, len(bases)))
        _write_fasta(folder / "chrX-piece.fa", bases, [PIECE])
        lines = ["start\tend\tstrand\tname", *("\t".join(map(str, it)) for it in known)]
        write_text(folder / "known.tsv", "\n".join(lines) + "\n")


def chromosome(folder: Path) -> str:
    """Read the first 70 Mb of the human chromosome X from a folder; download it if needed."""
    path = folder / "chrX.fa.gz"
    if not path.is_file():
        _download("human-x/hg19-first-70-mb.fa.gz", path)
    with gzip.open(path, "rt") as handle:
        ((_, bases),) = SimpleFastaParser(handle)
    return str(bases).upper()


def _occurrences(bases: str, table: Path) -> list[Known]:
    """Find all exact occurrences of human miRBase hairpins, by name and strand."""
    occurrences = []
    with table.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            if row["species"] != "hsa":
                continue
            forward = row["precursor"].replace("U", "T")
            for strand, hairpin in (("+", forward), ("-", forward.translate(_COMPLEMENT)[::-1])):
                start = bases.find(hairpin)
                while start >= 0:
                    occurrences.append(Known(start, start + len(hairpin), strand, row["ID"]))
                    start = bases.find(hairpin, start + 1)
    return sorted(occurrences)


def _windows(known: Sequence[Known], length: int) -> list[tuple[int, int]]:
    """Compute the surroundings of all hairpins; overlapping ones are merged."""
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


def scan(genome: str, way: str) -> None:
    """Run the command `mirpair scan`, unless its result exists."""
    out = FOLDER / way
    if (out / f"{genome}.tsv").is_file():
        return
    command = [
        "scan",
        str(FOLDER / f"{genome}.fa"),
        "-o",
        str(out),
        "--reference",
        NO_REFERENCE,
        *WAYS[way],
    ]
    subprocess.run([sys.executable, "-m", "mirpair.cli.app", *command], check=True)


def hits(genome: str, way: str) -> pd.DataFrame:
    """Read all hairpins of a scan, with coordinates of the chromosome from 0."""
    table = pd.read_csv(FOLDER / way / f"{genome}.tsv", sep="\t")
    table["start"] -= 1
    if genome.startswith("chrX"):
        shift = table["sequence"].str.extract(r":(\d+)-")[0].astype(int)
        table["start"] += shift
        table["end"] += shift
    return table


def size_of(genome: str) -> int:
    """Count the bases of a genome."""
    with (FOLDER / f"{genome}.fa").open() as handle:
        return sum(len(bases) for _, bases in SimpleFastaParser(handle))


def cuts() -> dict[str, float]:
    """Return the score thresholds by name."""
    return {"score 0.5": 0.5, **load_networks().cuts}


def rates() -> pd.DataFrame:
    """Count hairpins and calls per megabase for every genome and threshold."""
    rows = []
    for genome, way in ((genome, way) for way in WAYS for genome in GENOMES):
        table, megabases = hits(genome, way), size_of(genome) / 1e6
        row: dict[str, object] = {"genome": genome, "way": way, "Mb": megabases}
        row["hairpins per Mb"] = len(table) / megabases
        for name, cut in cuts().items():
            # Of antisense twins one is a call.
            called = (table["score"] >= cut) & table["antisense"].isna()
            row[f"calls per Mb, {name}"] = called.sum() / megabases
        rows.append(row)
    return pd.DataFrame(rows)


def recall() -> pd.DataFrame:
    """Check for every known hairpin whether it is found and whether it is called."""
    known = pd.read_csv(FOLDER / "known.tsv", sep="\t")
    records = read_records(TRAINED)
    positives = records.loc[records["label"] == 1, "sequence"].tolist()
    with (FOLDER / "mirbase.csv").open(encoding="utf-8", newline="") as handle:
        sequence = {row["ID"]: row["precursor"] for row in csv.DictReader(handle)}
    near = nearest([sequence[name] for name in known["name"]], positives)
    known["trained"] = np.where(near == 1, "itself", np.where(near >= NEAR, "a near-copy", ""))
    for way in WAYS:
        table = hits("chrX-near", way)
        for name, cut in {"found": 0.0, **cuts()}.items():
            chosen = table[table["score"] >= cut]
            known[f"{way}, {name}"] = [_overlaps(chosen, it) for it in known.itertuples()]
    return known


def _overlaps(table: pd.DataFrame, known: Known) -> bool:
    both = np.minimum(table["end"], known.end) - np.maximum(table["start"], known.start)
    longer = np.maximum(table["end"] - table["start"], known.end - known.start)
    return bool(((both / longer >= OVERLAP) & (table["strand"] == known.strand)).any())


def shared() -> pd.DataFrame:
    """Compute the share of hairpins of windowed folding that ``--fast`` finds, by energy."""
    rows = []
    for genome in ("yeast-first", "chrX-near"):
        windowed, fast = hits(genome, "windowed"), hits(genome, "fast")
        in_fast = _both(windowed, fast)
        row: dict[str, object] = {"genome": genome}
        for high, low in pairwise(ENERGIES):
            chosen = (windowed["mfe"] < high) & (windowed["mfe"] >= low)
            row[f"{low:g} to {high:g}"] = in_fast[chosen].mean()
        row["called, 1%"] = in_fast[windowed["score"] >= cuts()["1%"]].mean()
        rows.append(row)
    return pd.DataFrame(rows)


def _both(table: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """Mark the rows that share `OVERLAP` of the longer hairpin with a row of another table."""
    result = pd.Series(False, index=table.index)
    for key, rows in table.groupby(["sequence", "strand"]):
        others = other[(other["sequence"] == key[0]) & (other["strand"] == key[1])]
        starts, ends = others["start"].to_numpy(), others["end"].to_numpy()
        # No hairpin of a scan is inside another one, so starts and ends are both sorted.
        first = np.searchsorted(ends, rows["start"], side="right")
        last = np.searchsorted(starts, rows["end"], side="left")
        for index, row, low, high in zip(rows.index, rows.itertuples(), first, last, strict=True):
            both = np.minimum(ends[low:high], row.end) - np.maximum(starts[low:high], row.start)
            longer = np.maximum(ends[low:high] - starts[low:high], row.end - row.start)
            result[index] = bool((both / longer >= OVERLAP).any())
    return result


def render() -> str:
    """Write docs/genomes.md from the tables of a run."""
    rated, known, by_energy = (
        pd.read_csv(TABLES / f"{name}.tsv", sep="\t", keep_default_na=False)
        for name in ("rates", "recall", "shared")
    )
    windowed = rated[rated["way"] == "windowed"].set_index("genome")
    rows = []
    for way in WAYS:
        for label, chosen in (
            ("all", known.index == known.index),
            ("trained, or a near-copy did", known["trained"] != ""),
            ("others", known["trained"] == ""),
        ):
            part = known[chosen]
            row = {"hairpins": label, "way": way, "places": len(part)}
            # The thresholds of the weights that were measured.
            for column in known.filter(regex=f"^{way}, "):
                row[str(column).removeprefix(f"{way}, ")] = int(part[column].sum())
            rows.append(row)
    missed = known[~known["windowed, found"]]["name"]
    never = known[known["windowed, found"] & ~known["windowed, score 0.5"]]
    details = (
        f"Not among the hairpins of the windowed scan: {_names(missed)}. "
        f"Found, but with a score below 0.5: {_names(never['name'])}."
    )
    template = (Path(__file__).parent / "genomes.md.j2").read_text()
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    named = rated.assign(genome=rated["genome"].map(GENOMES))
    text = environment.from_string(template).render(
        yeast=windowed.loc["yeast-first"],
        fast=rated[(rated["genome"] == "yeast-first") & (rated["way"] == "fast")].iloc[0],
        near=windowed.loc["chrX-near"],
        piece=windowed.loc["chrX-piece"],
        around=AROUND // 1000,
        known=known["name"].nunique(),
        places=len(known),
        rates=_markdown(named.drop(columns="Mb")),
        recall=_markdown(pd.DataFrame(rows)),
        details=details,
        itself=int((known["trained"] == "itself").sum()),
        copies=int((known["trained"] == "a near-copy").sum()),
        fast_found=int(known["fast, found"].sum()),
        windowed_found=int(known["windowed, found"].sum()),
        shared=_markdown(by_energy.assign(genome=by_energy["genome"].map(GENOMES)), digits=2),
    )
    return text + "\n"


def _names(names: pd.Series) -> str:
    return ", ".join(sorted(names)) or "none"


def _markdown(table: pd.DataFrame, digits: int = 1) -> str:
    def shown(value: object) -> str:
        if not isinstance(value, float):
            return str(value)
        return f"{value:,.0f}" if value >= 1000 else f"{value:.{digits}f}"

    text: str = table.map(shown).to_markdown(index=False, disable_numparse=True)
    return text


def main() -> None:
    """Scan, measure, and write the tables and the page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    prepare(FOLDER)
    for genome, way in ((genome, way) for way in WAYS for genome in GENOMES):
        print(f"scanning {genome}, {way}", flush=True)
        scan(genome, way)
    TABLES.mkdir(parents=True, exist_ok=True)
    write_tsv(rates(), TABLES / "rates.tsv", float_format="%.5g")
    write_tsv(recall(), TABLES / "recall.tsv")
    write_tsv(shared(), TABLES / "shared.tsv", float_format="%.5g")
    write_text(ROOT / "docs" / "genomes.md", render())


if __name__ == "__main__":
    main()
