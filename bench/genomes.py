"""Measure what a scan finds in real genomes (`make genomes`).

Each genome is scanned by the users' command. In yeast, bacteria and *Plasmodium*, which have no
microRNAs, every call is false. In the others, the hairpins of miRBase 22 that occur in them exactly
are known. Parts of these genomes trained the networks, so calls are also counted in those parts
that did not (`Genome.unseen`), and known hairpins of families that the first network has never seen
are ranked by that network alone.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from Bio.Seq import reverse_complement_rna

from bench.measured import write_measured
from bench.templates import fill
from mirpair.files import sha256, write_text
from mirpair.hairpins.candidates import GenomeHairpin
from mirpair.identification.experiments import read_family_names
from mirpair.prediction.predictor import CHUNK, score_molecules
from mirpair.prediction.weights import find_weights, load_networks
from mirpair.provenance import code_version
from mirpair.rna.encoding import encode
from mirpair.rna.sequences import normalise, read_parts
from mirpair.scan.calls import mark_antisense
from mirpair.settings import FALSE_POSITIVES, NO_REFERENCE, Kingdom
from mirpair.sources.collections import Entry, read_hairpins
from mirpair.sources.download import download
from mirpair.sources.pre_mirnas import SUPPORTED, read_mature, trusts
from mirpair.sources.published import read_sources
from mirpair.sources.regions import Region

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "results" / "genomes"
TABLES = ROOT / "docs" / "genomes"
# A known hairpin is found if it shares this part of the longer of both with a hit.
OVERLAP = 0.5
DENSITIES = (1, 3, 10, 30)
# With a lower one, a scan does not fold all hairpins that would be called with a higher one.
RATE = "1%"
HELD_OUT = {"animals": "held-out-families.txt", "plants": "held-out-plant-families.txt"}


# Known hairpins are searched by their first bases, in parts of the genome.
_WORD, _PART = 16, 5_000_000
_DIGITS = np.zeros(256, dtype=np.int64)
_DIGITS[np.frombuffer(b"ACGU", dtype=np.uint8)] = range(4)


@dataclass(frozen=True)
class Genome:
    """A genome to scan.

    Attributes
    ----------
    title
        On the page.
    file
        A name of the sources table.
    unseen
        Regions that trained nothing (`mirpair.sources.regions.Region`); empty if none of it did.
    species
        Of miRBase, whose hairpins are known there; empty if it has no microRNAs.
    kingdom, span
        Options of the scan.
    """

    title: str
    file: str
    unseen: tuple[str, ...] = ()
    species: str = ""
    kingdom: Kingdom = "animals"
    span: int = 120


GENOMES = {
    "yeast": Genome("Yeast", "yeast/fungus.fna", ("gi|329138966|tpg|BK006948.2|:1-1091291",)),
    "coli": Genome("*E. coli*", "ecoli/bacteria.fna", ("E.coli:3000001-3500000",)),
    "human-x": Genome(
        "Human X, 70 Mb", "human-x/hg19-first-70-mb.fa.gz", ("X:53000001-55000000",), "hsa"
    ),
    "fly-4": Genome("Fly, chromosome 4", "fly/chromosome-4.fna.gz", (), "dme"),
    "falciparum": Genome("*P. falciparum*", "plasmodium/falciparum.fa.gz", ("MAL13:1-1500000",)),
    "arabidopsis-1": Genome(
        "*A. thaliana*, chromosome 1",
        "arabidopsis/chromosome-1.fna.gz",
        ("NC_003070.9:20000001-30000000",),
        "ath",
        "plants",
        300,
    ),
}


def fetch(name: str, folder: Path = FOLDER) -> Path:
    """Return the path of a file of the sources table in a folder; download it if needed."""
    path = folder / "raw" / name
    if not path.is_file():
        source = read_sources(ROOT / "config" / "sources.tsv")[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        download(source.url, path, checksum=source.sha256)
    return path


def yeast(folder: Path = FOLDER) -> Path:
    """Return the path of the yeast genome in a folder; download it if needed."""
    return fetch("yeast/fungus.fna", folder)


def scan(name: str) -> None:
    """Run the command `mirpair scan`, unless there is its result with the same weights and code."""
    genome = GENOMES[name]
    options = ["--reference", NO_REFERENCE, "--name", name, "--span", str(genome.span)]
    options += ["--kingdom", genome.kingdom, "-o", str(FOLDER), "--false-positives", RATE]
    made_of = " ".join([sha256(find_weights()), code_version("cli/scan"), *options])
    noted = FOLDER / f"{name}.done"
    if noted.is_file() and noted.read_text(encoding="utf-8") == made_of:
        return
    command = [sys.executable, "-m", "mirpair.cli.app", "scan", str(fetch(genome.file)), *options]
    subprocess.run(command, check=True)
    noted.write_text(made_of, encoding="utf-8")


def read_bases(path: Path) -> dict[str, str]:
    """Read the sequences of a genome, as RNA, by name."""
    return {header.split()[0]: normalise("".join(parts)) for header, parts in read_parts(path)}


def hits(name: str) -> pd.DataFrame:
    """Read the hairpins of a scan that have a score, with positions from 0."""
    table = pd.read_csv(FOLDER / f"{name}.tsv", sep="\t", keep_default_na=False)
    table = table[table["score"] != ""].reset_index(drop=True)
    numbers = {it: table[it].astype(float) for it in ("score", "mfe")}
    return table.assign(start=table["start"] - 1, **numbers)


def called_from(
    table: pd.DataFrame, threshold: float, column: str = "score"
) -> npt.NDArray[np.bool_]:
    """Mark the hairpins that a scan with this threshold would call.

    Of antisense twins, the threshold decides too which one is called: a hairpin below it is no
    twin of one above.
    """
    calls = np.zeros(len(table), dtype=bool)
    numbers = np.flatnonzero(table[column] >= threshold)
    above = table.iloc[numbers].assign(number=numbers)
    for _, part in above.groupby("sequence"):
        hairpins = [
            GenomeHairpin(it.start, it.end, it.strand, it.mfe, "", "", 0)
            for it in part.itertuples()
        ]
        scores = zip(part["number"], part[column], part["mfe"], strict=True)
        rows = [{"id": at, "score": score, "mfe": mfe, "call": 1} for at, score, mfe in scores]
        mark_antisense(hairpins, rows)
        calls[[row["id"] for row in rows if row["call"] == 1]] = True
    return calls


def best_calls(table: pd.DataFrame, number: int, column: str = "score") -> npt.NDArray[np.bool_]:
    """Mark the calls of the lowest threshold at which there are at most so many; maybe all.

    Found by bisection: a lower threshold can call fewer, if a long hairpin displaces two twins, but
    that is rare.
    """
    scores = np.sort(table[column].to_numpy())[::-1]
    low, high = 0, len(scores)
    while low < high:
        middle = (low + high + 1) // 2
        if called_from(table, scores[middle - 1], column).sum() <= number:
            low = middle
        else:
            high = middle - 1
    return called_from(table, scores[low - 1] if low else np.inf, column)


def within(table: pd.DataFrame, regions: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Mark the hairpins that begin in one of the regions; all if there are none."""
    if not regions:
        return np.ones(len(table), dtype=bool)
    inside = np.zeros(len(table), dtype=bool)
    for name, start, end in map(Region.parse, regions):
        of_region = (table["sequence"] == name) & table["start"].between(start, end - 1)
        inside |= of_region.to_numpy()
    return inside


def rates(name: str, table: pd.DataFrame, bases: dict[str, str]) -> list[dict[str, object]]:
    """Count calls per megabase at each threshold: everywhere, and where nothing trained."""
    genome = GENOMES[name]
    lengths = {part: len(text) for part, text in bases.items()}
    sizes = {"all": sum(lengths.values()) / 1e6}
    if genome.unseen:
        sizes["trained nothing"] = (
            sum(end - start for _, start, end in map(Region.parse, genome.unseen)) / 1e6
        )
    rows = []
    for part, megabases in sizes.items():
        chosen = within(table, genome.unseen if part != "all" else ())
        row: dict[str, object] = {"genome": name, "part": part, "Mb": megabases}
        row["hairpins per Mb"] = int(chosen.sum()) / megabases
        for share, cut in load_networks(kingdom=genome.kingdom).cuts.items():
            if FALSE_POSITIVES[share] > FALSE_POSITIVES[RATE]:
                continue
            row[f"calls per Mb, {share}"] = (
                int((called_from(table, cut) & chosen).sum()) / megabases
            )
        rows.append(row)
    return rows


def occurrences(genome: Genome, bases: dict[str, str], hairpins: list[Entry]) -> pd.DataFrame:
    """Find where the known hairpins of a species occur exactly."""
    wanted: dict[int, list[tuple[str, str, Entry]]] = {}
    for entry in hairpins:
        if entry.species == genome.species:
            for strand, text in (
                ("+", entry.sequence),
                ("-", reverse_complement_rna(entry.sequence)),
            ):
                word = int(_words(text[:_WORD])[0])
                wanted.setdefault(word, []).append((strand, text, entry))
    keys = np.sort(np.array(list(wanted)))
    rows = []
    for sequence, text in bases.items():
        for begin in range(0, len(text), _PART):
            words = _words(text[begin : begin + _PART + _WORD - 1])
            nearest = keys[np.minimum(np.searchsorted(keys, words), len(keys) - 1)]
            for at in np.flatnonzero(nearest == words).tolist():
                start = begin + at
                for strand, own, entry in wanted[int(words[at])]:
                    if text.startswith(own, start):
                        place = (sequence, start, start + len(own), strand)
                        rows.append((*place, entry.id, entry.family))
    names = ["sequence", "start", "end", "strand", "name", "family"]
    return pd.DataFrame(rows, columns=names).sort_values(names[:5], ignore_index=True)


def _words(text: str) -> npt.NDArray[np.int64]:
    """Number the words of `_WORD` bases that begin at each base; other characters count as A."""
    digits = _DIGITS[np.frombuffer(text.encode("ascii"), dtype=np.uint8)]
    words = np.zeros(max(0, len(text) - _WORD + 1), dtype=np.int64)
    for place in range(_WORD):
        words = 4 * words + digits[place : place + len(words)]
    return words


def best_scores(
    known: pd.DataFrame, table: pd.DataFrame, column: str, *, opposite: bool = False
) -> list[float]:
    """Return the highest score of a hairpin that finds each known one; NaN if none does.

    With `opposite`, of a hairpin that would find it if it were on the other strand.
    """
    best = []
    for it in known.itertuples():
        strand = it.strand if not opposite else {"+": "-", "-": "+"}[it.strand]
        near = table[(table["sequence"] == it.sequence) & (table["strand"] == strand)]
        both = np.minimum(near["end"], it.end) - np.maximum(near["start"], it.start)
        longer = np.maximum(near["end"] - near["start"], it.end - it.start)
        best.append(near.loc[both / longer >= OVERLAP, column].max())
    return best


def by_first_network(
    table: pd.DataFrame, bases: dict[str, str], kingdom: Kingdom
) -> npt.NDArray[np.float64]:
    """Score the hairpins of a scan with the first network only."""
    molecules = []
    for it in table.itertuples():
        own = bases[it.sequence][it.start : it.end]
        own = own if it.strand == "+" else reverse_complement_rna(own)
        molecules.append(encode(own, it.structure, float(it.mfe)))
    first = load_networks(kingdom=kingdom).networks[:1]
    chunks = (molecules[start : start + CHUNK] for start in range(0, len(molecules), CHUNK))
    return np.concatenate([score_molecules(first, chunk) for chunk in chunks])


def recall(
    name: str, known: pd.DataFrame, table: pd.DataFrame, megabases: float
) -> list[dict[str, object]]:
    """Count the known hairpins among the calls with the highest scores, so many in a megabase."""
    held = set(read_family_names(ROOT / "config" / "finder" / HELD_OUT[GENOMES[name].kingdom]))
    everything, is_new = known["family"].notna(), known["family"].isin(held)
    is_supported = known["trust"] == SUPPORTED
    kinds = {
        "all": (everything, "score"),
        "supported by MirGeneDB": (is_supported, "score"),
        "families that are new to the network": (is_new, "first"),
        "of these, supported by MirGeneDB": (is_new & is_supported, "first"),
    }
    rows = []
    for kind, (chosen, column) in kinds.items():
        if not chosen.any():
            continue
        row: dict[str, object] = {"genome": name, "known hairpins": kind}
        row["places"], row["found"] = (
            int(chosen.sum()),
            int(known.loc[chosen, "score"].notna().sum()),
        )
        for density in DENSITIES:
            calls = table[best_calls(table, round(density * megabases), column)]
            found = best_scores(known[chosen], calls, column)
            row[f"at {density} calls per Mb"] = int(np.isfinite(found).sum())
        rows.append(row)
    return rows


def measure() -> None:
    """Scan all genomes, and write the tables."""
    hairpins = list(read_hairpins(fetch("mirbase-22/hairpins.csv")))
    trust = trusts(hairpins, read_mature(fetch("mirgenedb/mature-2.1.fa")))
    counts, recalls, places = [], [], []
    for name, genome in GENOMES.items():
        print(f"scanning {name}", flush=True)
        scan(name)
        table, bases = hits(name), read_bases(fetch(genome.file))
        megabases = sum(map(len, bases.values())) / 1e6
        counts += rates(name, table, bases)
        if not genome.species:
            continue
        table["first"] = by_first_network(table, bases, genome.kingdom)
        known = occurrences(genome, bases, hairpins)
        known["trust"] = known["name"].map(trust)
        remaining = table[table["antisense"] == ""]
        for column in ("score", "first"):
            known[column] = best_scores(known, remaining, column)
        known["opposite"] = best_scores(known, remaining, "score", opposite=True)
        recalls += recall(name, known, table, megabases)
        places.append(known.assign(genome=name))
    TABLES.mkdir(parents=True, exist_ok=True)
    write_measured(pd.DataFrame(counts), TABLES / "rates.tsv", float_format="%.4g")
    write_measured(pd.DataFrame(recalls), TABLES / "recall.tsv")
    write_measured(pd.concat(places), TABLES / "known.tsv", float_format="%.6g")


def render() -> str:
    """Write docs/genomes.md from the tables of a run."""
    counts, recalls, known = (
        pd.read_csv(TABLES / f"{name}.tsv", sep="\t", keep_default_na=False)
        for name in ("rates", "recall", "known")
    )
    by_models = pd.read_csv(TABLES / "covariance.tsv", sep="\t", keep_default_na=False)
    places = pd.read_csv(TABLES / "covariance-known.tsv", sep="\t", keep_default_na=False)
    large = pd.read_csv(TABLES / "human-sized.tsv", sep="\t", dtype=str)
    candidates = pd.read_csv(TABLES / "candidates.tsv", sep="\t", dtype=str)
    titles = {name: genome.title for name, genome in GENOMES.items()}
    missed = {}
    for name, part in known.groupby("genome", sort=False):
        lost = part[part["score"] == ""]
        on_other = lost["opposite"] != ""
        missed[titles[str(name)]] = [
            ", ".join(sorted(set(lost.loc[of, "name"]))) or "none" for of in (~on_other, on_other)
        ]
    return fill(
        "genomes",
        rates=_markdown(counts.assign(genome=counts["genome"].map(titles))),
        recall=_markdown(recalls.assign(genome=recalls["genome"].map(titles))),
        missed=missed,
        covariance=_markdown(by_models[by_models["places"] > 0]),
        models_only=", ".join(places.loc[places["found by"] == "models", "name"]) or "none",
        scan_only=", ".join(places.loc[places["found by"] == "scan", "name"]) or "none",
        human_sized=large.to_markdown(index=False, disable_numparse=True),
        candidates=_markdown(candidates),
    )


def _markdown(table: pd.DataFrame) -> str:
    def shown(column: pd.Series) -> list[str]:
        numbers = pd.to_numeric(column, errors="coerce")
        if (numbers.isna() & (column != "")).any() or (numbers.dropna() % 1 == 0).all():
            return column.astype(str).tolist()
        return ["" if np.isnan(it) else f"{it:,.1f}" for it in numbers]

    cells = pd.DataFrame({name: shown(column) for name, column in table.items()})
    return str(cells.to_markdown(index=False, disable_numparse=True))


def main() -> None:
    """Scan, and write the tables and the page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    measure()
    write_text(ROOT / "docs" / "genomes.md", render())


if __name__ == "__main__":
    main()
