"""Follow the bookkeeping of a scan of a genome as large as the human one.

``python -m bench.human_sized`` simulates the genome: the lengths of the human chromosomes, 500
scaffolds, runs of N, and random bases, half of them in lower case. To search it would take hours.
So each stretch of it, runs of N too, gets the hairpins of one of 40 stretches of human X that were
scanned, with other first bases. The plan of the workflow for 100 pieces, what each job reads, the
journals and the files are those of a scan.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from bench.genomes import FOLDER, TABLES, fetch, read_bases
from bench.measured import write_measured
from mirpair.files import Journal
from mirpair.hairpins.tiles import TILE, check_genome, read_tiles
from mirpair.prediction.predictor import Predictor
from mirpair.prediction.weights import find_weights, load_networks
from mirpair.scan.find import find_blocks
from mirpair.scan.resume import scan_key
from mirpair.scan.run import find_families, write
from mirpair.settings import SCAN_FILES, HairpinCriteria, ScanOutput, ScanSettings

ROOT = Path(__file__).parent.parent
# Megabases of the human chromosomes 1 to 22, X and Y (GRCh38).
CHROMOSOMES = (
    *(248.96, 242.19, 198.30, 190.21, 181.54, 170.81, 159.35, 145.14, 138.39, 133.80, 135.09),
    *(133.28, 114.36, 107.04, 101.99, 90.34, 83.26, 80.37, 58.62, 64.44, 46.71, 50.82),
    *(156.04, 57.23),
)
SCAFFOLDS, PIECES = 500, 100
# Runs of N at both ends of a chromosome, and in its middle, nt.
TELOMERE, CENTROMERE = 10_000, 3_000_000
# Bases whose hairpins stand for those of every stretch.
REAL = ("X", 53_000_000, 55_000_000)
CRITERIA, SETTINGS = HairpinCriteria(), ScanSettings()
_BLOCK = 1_000_000
# Column of the bases in a line of a journal, after start and end.
_BASES = 5


def lengths() -> dict[str, int]:
    """Length of each sequence of the simulated genome, nt."""
    scaffolds = np.geomspace(1_000, 1_000_000, SCAFFOLDS).astype(int).tolist()
    sizes = [round(1e6 * size) for size in CHROMOSOMES] + scaffolds
    return {f"sequence-{number}": size for number, size in enumerate(sizes, 1)}


def simulate(path: Path) -> None:
    """Write the genome as FASTA, 60 bases a line."""
    rng = np.random.default_rng(0)
    letters = np.frombuffer(b"ACGTacgt", dtype=np.uint8)
    with path.open("wb") as handle:
        for name, length in lengths().items():
            bases = letters[rng.integers(0, 8, _BLOCK)].tobytes()
            text = bytearray((bases * (length // _BLOCK + 1))[:length])
            if length > 2 * CENTROMERE:
                middle = length // 2
                for start, size in ((0, TELOMERE), (middle, CENTROMERE), (-TELOMERE, TELOMERE)):
                    text[start : start + size or None] = b"N" * size
            lines = (text[start : start + 60] for start in range(0, length, 60))
            handle.write(f">{name}\n".encode() + b"\n".join(lines) + b"\n")


def real_blocks() -> tuple[list[list[str]], float]:
    """Scan some of human X: the blocks of its journal, and the seconds that a megabase takes."""
    name, start, end = REAL
    text = read_bases(fetch("human-x/hg19-first-70-mb.fa.gz"))[name][start:end]
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder, "real.fa")
        fasta.write_text(f">{name}\n{text}\n", encoding="utf-8")
        tiles = list(read_tiles(str(fasta)))
    predictor = Predictor.for_genome(load_networks(), SETTINGS)
    begun = time.perf_counter()
    blocks = [block for _, block in find_blocks(tiles, CRITERIA, predictor, processes=1)]
    return blocks, (time.perf_counter() - begun) / (len(text) / 1e6)


def tiles_of(sizes: dict[str, int]) -> Iterator[tuple[str, int, int, bool]]:
    """List name, start and end of each stretch of the genome, and whether it is the last one."""
    for name, length in sizes.items():
        for start in range(0, length, TILE):
            end = min(start + TILE, length)
            yield name, start, end, end == length


def moved(block: list[str], name: str, start: int, end: int, is_last: bool) -> list[str]:
    """Give a stretch the hairpins of another one: those that fit into it.

    Each has other first bases, so that no two stretches have the same RNAs.
    """
    size = end - start
    offset = int(block[0].split("\t")[1]) - TILE
    lines = ["\t".join([name, str(end), str(int(is_last)), "0", str(end) if is_last else ""])]
    own = np.random.default_rng([start, *name.encode()])
    for line in block[1:]:
        low, high, rest = line.split("\t", maxsplit=2)
        if int(high) - offset < size:
            cells = rest.split("\t")
            cells[_BASES] = "".join(own.choice(list("ACGU"), 8)) + cells[_BASES][8:]
            place = (str(int(low) - offset + start), str(int(high) - offset + start))
            lines.append("\t".join([*place, *cells]))
    return lines


def write_journals(folder: Path, blocks: list[list[str]], checksum: str) -> list[Path]:
    """Write the journals of all pieces."""
    key = scan_key(checksum, CRITERIA, SETTINGS, find_weights())
    paths = [folder / f"{piece}.found" for piece in range(1, PIECES + 1)]
    for path in paths:
        path.unlink(missing_ok=True)
    journals = [Journal(path, key) for path in paths]
    stretches = zip(tiles_of(lengths()), cycle(journals), cycle(blocks), strict=False)
    for stretch, journal, block in stretches:
        journal.append(moved(block, *stretch))
    for journal in journals:
        journal.close()
    return paths


def measured(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float, float]:
    """Call a function in a process of its own: its result, seconds, and most gigabytes."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (function, *arguments))


def _measured(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float, float]:
    begun = time.perf_counter()
    result = function(*arguments)
    # Not by getrusage: its maximum includes the parent's memory.
    status = Path("/proc/self/status").read_text()
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return result, time.perf_counter() - begun, int(kilobytes) / 2**20


def read_piece(path: str) -> int:
    """Read the genome as a job does, and count the stretches of its piece."""
    check_genome(path)
    return sum(1 for _ in islice(read_tiles(path), 0, None, PIECES))


def write_results(genome: Path, journals: list[Path], prefix: Path) -> tuple[int, int]:
    """Write the files of the scan: number of hairpins and of calls."""
    summary = write(
        genome,
        journals,
        prefix,
        criteria=CRITERIA,
        settings=SETTINGS,
        written=ScanOutput(),
        weights=find_weights(),
        families=find_families(),
    )
    return sum(summary.hairpins.values()), sum(summary.calls.values())


def planned(folder: Path, genome: Path) -> dict[str, int]:
    """Count the jobs of the workflow by rule."""
    (folder / "samples.tsv").write_text(f"sample\trun\tfasta\nlarge\tscan\t{genome}\n")
    study = {"study": "large", "task": "prediction", "samples": str(folder / "samples.tsv")}
    config = folder / "study.yaml"
    config.write_text(yaml.safe_dump(study))
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "all"]
    command += ["--configfile", str(config), "--set-scatter", f"fold={PIECES}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def main() -> None:
    """Simulate, measure, and write the table."""
    folder = FOLDER / "human-sized"
    folder.mkdir(parents=True, exist_ok=True)
    genome = folder / "genome.fa"
    simulate(genome)
    jobs = planned(folder, genome)
    megabases = sum(lengths().values()) / 1e6
    stretches, reading, read_memory = measured(read_piece, str(genome))
    blocks, seconds = real_blocks()
    journals = write_journals(folder, blocks, check_genome(str(genome)))
    counts, writing, write_memory = measured(write_results, genome, journals, folder / "large")
    size = sum(path.stat().st_size for path in journals) / 1e6
    files = sum((folder / f"large{suffix}").stat().st_size for suffix in SCAN_FILES) / 1e6
    search = seconds * megabases / PIECES
    rows = {
        "megabases": round(megabases),
        "sequences": len(lengths()),
        "jobs": json.dumps(jobs),
        "stretches of one piece": stretches,
        "seconds a job reads": round(reading),
        "gigabytes of a job that reads": round(read_memory, 2),
        "seconds to search a megabase of human X, one process": round(seconds, 1),
        "minutes of a job, projected": round((reading + search) / 60, 1),
        "core-hours of all pieces, projected": round((reading + search) * PIECES / 3600, 1),
        "megabytes of journals": round(size),
        "folded hairpins": counts[0],
        "calls": counts[1],
        "seconds to write the files": round(writing),
        "gigabytes to write the files": round(write_memory, 2),
        "megabytes of files": round(files),
    }
    table = pd.DataFrame({"what": list(rows), "value": list(map(str, rows.values()))})
    TABLES.mkdir(parents=True, exist_ok=True)
    write_measured(table, TABLES / "human-sized.tsv")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
