"""Hairpins of a genome: where they are, which of those that overlap stay, what is written of them.

ViennaRNA's windowed folding (RNALfold; Hofacker, Priwitzer and Stadler 2004, Bioinformatics 20:186)
finds locally stable structures. Their unbranched stems that have enough pairs, a loop that is not
too large and a low enough energy are candidates, as pseudo-hairpins are usually chosen (Xue et al.
2005, BMC Bioinformatics 6:310).
"""

from __future__ import annotations

import csv
import heapq
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import RNA

from mirpair import __version__
from mirpair.contracts import EVALUATE
from mirpair.files import InputError, Journal, atomic, interleave, sha256
from mirpair.prediction import predictor as prediction
from mirpair.prediction.predictor import Predictor, Settings
from mirpair.prediction.tracks import Place, bed_line, fasta_entry, gff3_head, gff3_line
from mirpair.rna.folding import for_each
from mirpair.rna.sequences import STDIN, Record, read_parts
from mirpair.scan.stems import find_stems

# A tile is folded with this much of its neighbours: what is downstream decides which of several
# structures of like energy is reported, rarely over more than some hundred bases.
DOWNSTREAM = 1000
TILE = 50_000
SPAN = 120
STRANDS = "+-"
_COMPLEMENT = str.maketrans("ACGUacgu", "UGCAugca")
_BASES = re.compile("[ACGU]+")
# IUPAC's letters of bases, and X for what is masked.
_LETTERS = re.compile("[^ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx]")


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is a hairpin.

    Attributes
    ----------
    span
        Longest, nt; the window of the folding.
    stem
        Least base pairs.
    loop
        Most unpaired bases in the loop at its end.
    mfe
        Highest energy, kcal/mol.
    masked
        Whether lower-case bases (soft-masked repeats) are passed over, as N is.
    fast
        Whether candidates are the stems of `mirpair.scan.stems` instead of those of the windowed
        folding: several times as fast, and others are found.
    """

    span: int = SPAN
    stem: int = 18
    loop: int = 25
    mfe: float = -15.0
    masked: bool = False
    fast: bool = False


class Tile(NamedTuple):
    """A stretch of a genome, with as much of its neighbours as its folding needs.

    Attributes
    ----------
    sequence
        Name of the sequence that it is a part of.
    number
        Of the tile, from 0, over the whole file.
    start, end
        Of what is its own, from 0 and half-open.
    offset
        Where `text` begins in the sequence.
    text
        Bases, T as U, in the case that they have in the file.
    last
        Whether the sequence ends with it.
    """

    sequence: str
    number: int
    start: int
    end: int
    offset: int
    text: str
    last: bool


class Hairpin(NamedTuple):
    """A candidate.

    Attributes
    ----------
    start, end
        In the sequence, on its forward strand, from 0 and half-open.
    strand
        ``"+"`` or ``"-"``.
    energy
        Of its structure in the window, kcal/mol.
    bases
        As they are read on its strand, 5′ to 3′.
    """

    start: int
    end: int
    strand: str
    energy: float
    bases: str


def read_tiles(
    path: str,
    *,
    tile: int = TILE,
    span: int = SPAN,
    position: Callable[[int], None] | None = None,
) -> Iterator[Tile]:
    """Read a genome in tiles, one after the other: memory is that of a tile.

    Parameters
    ----------
    path
        FASTA file, plain or gzip; ``"-"`` is standard input.
    tile
        What is a tile's own, nt.
    span
        See `Criteria`.
    position
        See `mirpair.rna.sequences.open_text`.

    Raises
    ------
    InputError
        If it is no FASTA file, a sequence has no name or that of another one, is empty, or has a
        character that is no letter.
    """
    margin = DOWNSTREAM + 2 * span
    number = 0
    for name, parts in _read_named(path, position):
        held, offset, start = "", 0, 0
        ended = False
        while not ended:
            # As long as there is more, a tile has all of its neighbour that it needs.
            while len(held) + offset <= start + tile + margin:
                part = next(parts, None)
                if part is None:
                    ended = True
                    break
                held += part
            total = offset + len(held)
            while (start + tile + margin < total) or (ended and start < total):
                end = min(start + tile, total)
                last = ended and end == total
                text = held[max(0, start - margin) - offset : end + margin - offset]
                yield Tile(name, number, start, end, max(0, start - margin), text, last)
                number += 1
                start = end
                held = held[max(0, start - margin) - offset :]
                offset = max(0, start - margin)


def _read_named(
    path: str, position: Callable[[int], None] | None
) -> Iterator[tuple[str, Iterator[str]]]:
    """Name and bases, part by part, of every sequence."""
    where = "standard input" if path == STDIN else path
    seen: set[str] = set()
    for header, parts in read_parts(path, position=position):
        words = header.split(maxsplit=1)
        if not words:
            raise InputError(f"{where}: sequence {len(seen) + 1} has no name after its '>'")
        name = words[0]
        if name in seen:
            raise InputError(f"{where}: two sequences have the name {name!r}: rename one of them")
        if not name.isprintable():
            raise InputError(f"{where}: the name {name!r} has a control character: rename it")
        seen.add(name)
        yield name, _bases(name, parts, where)


def _bases(name: str, parts: Iterator[str], where: str) -> Iterator[str]:
    length = 0
    for part in parts:
        if odd := _LETTERS.search(part):
            raise InputError(
                f"{where}: sequence {name!r} has {odd.group()!r} at position "
                f"{length + odd.start() + 1}; only IUPAC's letters of bases are understood"
                + ("; is this a protein?" if odd.group() in "EFILPQefilpq" else "")
            )
        length += len(part)
        yield part.replace("T", "U").replace("t", "u")
    if not length:
        raise InputError(f"{where}: sequence {name!r} is empty")


def check_results(stem: Path) -> None:
    """Refuse to write over files of these names that no scan wrote."""
    there = [path for suffix in SUFFIXES if (path := stem.with_name(stem.name + suffix)).exists()]
    track = stem.with_name(f"{stem.name}.gff3")
    ours = track.is_file() and "mirpair" in track.read_bytes()[:200].decode(errors="replace")
    if there and not ours:
        raise InputError(
            f"{there[0]}: is there already and was not written by a scan, which would take its "
            "place; name another folder"
        )


def check_genome(path: str) -> None:
    """Read a genome once, before hours of work on it; see `read_tiles` for what is refused."""
    for _, parts in _read_named(path, None):
        for _ in parts:
            pass


def find_hairpins(tile: Tile, strand: str, criteria: Criteria) -> list[Hairpin]:
    """All candidates on one strand that begin (by their lower coordinate) in a tile.

    Those of the same place are one, that of the lowest energy; others may overlap, see `resolve`.
    """
    text = tile.text if criteria.masked else tile.text.upper()
    if strand == "-":
        text = text.translate(_COMPLEMENT)[::-1]
    # Downstream is on the other side there; upstream only what a hairpin can reach is needed.
    low = max(0, tile.start - tile.offset - (DOWNSTREAM if strand == "-" else 0) - criteria.span)
    beyond = DOWNSTREAM if strand == "+" else criteria.span
    high = tile.end - tile.offset + criteria.span + beyond
    if strand == "-":
        low, high = max(0, len(text) - high), len(text) - low
    found: dict[tuple[int, int], Hairpin] = {}
    for run in _BASES.finditer(text, low, high):
        for start, end, energy in _candidates(run.group(), criteria):
            bases = run.group()[start:end]
            first, stop = run.start() + start, run.start() + end
            if strand == "-":
                first, stop = len(text) - stop, len(text) - first
            first, stop = first + tile.offset, stop + tile.offset
            if not tile.start <= first < tile.end:
                continue
            other = found.get((first, stop))
            if other is None or energy < other.energy:
                found[first, stop] = Hairpin(first, stop, strand, energy, bases)
    return [found[place] for place in sorted(found)]


def _candidates(bases: str, criteria: Criteria) -> Iterator[tuple[int, int, float]]:
    """Start, end and energy of the stems of one run of bases that meet the criteria."""
    if len(bases) < 2 * criteria.stem + 3:
        return
    find = _stem_structures if criteria.fast else _window_structures
    stems: set[tuple[int, str]] = set()
    for start, structure in find(bases, criteria):
        if structure.count("(") >= criteria.stem:
            for low, high, pairs, loop in unbranched(structure):
                short = loop <= criteria.loop and high - low <= criteria.span
                if pairs >= criteria.stem and short:
                    stems.add((start + low, structure[low:high]))
    for start, structure in sorted(stems):
        end = start + len(structure)
        energy = round(RNA.eval_structure_simple(bases[start:end], structure), 2)
        if energy <= criteria.mfe:
            yield start, end, energy


def _window_structures(bases: str, criteria: Criteria) -> Sequence[tuple[int, str]]:
    """Start and dot-bracket of all locally stable structures."""
    found: list[tuple[int, str]] = []
    model = RNA.md()
    model.window_size = model.max_bp_span = criteria.span

    def note(start: int, end: int, structure: str, energy: float, data: None) -> None:
        found.append((start - 1, structure))

    RNA.fold_compound(bases, model, RNA.OPTION_WINDOW).mfe_window_cb(note, None)
    return found


def _stem_structures(bases: str, criteria: Criteria) -> Sequence[tuple[int, str]]:
    """Start and dot-bracket of single stems; their energy is an estimate, mostly above the true."""
    least = criteria.mfe + _MARGIN
    return find_stems(bases, mfe=least, span=criteria.span, loop=criteria.loop)


_MARGIN = 4.0


def unbranched(structure: str) -> Iterator[tuple[int, int, int, int]]:
    """The hairpins of a structure, each from its loop out to where a branch or an end is.

    Parameters
    ----------
    structure
        Dot-bracket.

    Yields
    ------
    (start, end, pairs, loop)
        Of each, half-open; number of its base pairs, and of the unpaired bases in its loop.

    Examples
    --------
    >>> list(unbranched("((.((...))..((....))))"))
    [(3, 10, 2, 3), (12, 20, 2, 4)]
    """
    for loop in _LOOP.finditer(structure):
        low, high = loop.start(), loop.end() - 1
        pairs = 1
        while True:
            left, right = low - 1, high + 1
            while left >= 0 and structure[left] == ".":
                left -= 1
            while right < len(structure) and structure[right] == ".":
                right += 1
            if left < 0 or right == len(structure):
                break
            if structure[left] != "(" or structure[right] != ")":
                break
            low, high = left, right
            pairs += 1
        yield low, high + 1, pairs, len(loop.group()) - 2


_LOOP = re.compile(r"\(\.*\)")


def as_scanned(bases: str, criteria: Criteria) -> str:
    """What `find_hairpins` and `resolve` leave of one RNA, read on its strand; empty for nothing.

    Of several, the most stable.
    """
    tile = Tile("", 0, 0, len(bases), 0, bases, True)
    found = _most_stable(find_hairpins(tile, "+", criteria))
    return found[0].bases if found else ""


class Found(NamedTuple):
    """What was found in a tile: its place, and the candidates on both strands."""

    sequence: str
    end: int
    last: bool
    hairpins: list[Hairpin]


def resolve(tiles: Iterable[Found]) -> Iterator[tuple[str, Hairpin]]:
    """Of candidates that overlap on one strand, the most stable; then of those left, and so on.

    Parameters
    ----------
    tiles
        All tiles of a genome in their order.

    Yields
    ------
    sequence, hairpin
        In the order of the sequences, then by start, end and strand. Memory is that of a few
        tiles.
    """
    opened: dict[str, list[Hairpin]] = {strand: [] for strand in STRANDS}
    waiting: list[Hairpin] = []
    for tile in tiles:
        for strand in STRANDS:
            opened[strand] += [it for it in tile.hairpins if it.strand == strand]
            closed, opened[strand] = _closed(opened[strand], None if tile.last else tile.end)
            for group in closed:
                waiting += _most_stable(group)
        pending = [hairpin.start for group in opened.values() for hairpin in group]
        limit = min([tile.end, *pending])
        waiting.sort()
        ready = [hairpin for hairpin in waiting if tile.last or hairpin.start < limit]
        waiting = waiting[len(ready) :]
        for hairpin in ready:
            yield tile.sequence, hairpin


def _closed(
    hairpins: list[Hairpin], known: int | None
) -> tuple[list[list[Hairpin]], list[Hairpin]]:
    """Groups that are connected by overlap, and what may still become a part of a group.

    Parameters
    ----------
    hairpins
        Of one strand.
    known
        Up to where all of them are there; None if that is the end.
    """
    groups: list[list[Hairpin]] = []
    reach = -1
    for hairpin in sorted(hairpins):
        if hairpin.start >= reach:
            groups.append([])
        groups[-1].append(hairpin)
        reach = max(reach, hairpin.end)
    if known is not None and groups and reach > known:
        return groups[:-1], groups[-1]
    return groups, []


def _most_stable(group: list[Hairpin]) -> list[Hairpin]:
    """Greedily, the one of the lowest energy that overlaps none chosen before."""
    chosen: list[Hairpin] = []
    for hairpin in sorted(group, key=lambda h: (h.energy, h.start, h.end)):
        if all(hairpin.end <= other.start or hairpin.start >= other.end for other in chosen):
            chosen.append(hairpin)
    return chosen


def load(weights: str | Path | None = None) -> Predictor:
    """As `mirpair.prediction.predictor.load`, calibrated for hairpins of a genome, any length."""
    predictor = prediction.load(weights)
    return replace(predictor, calibration=predictor.genome, shortest=1)


def settings_of(
    predictor: Predictor, *, prior: float, false_positives: str, nearest: bool
) -> Settings:
    """How a scan asks: what is called has the score of so many false positives, or 0.5 at least.

    Parameters
    ----------
    predictor
        See `load`; if it was not calibrated, hairpins are called from a score of 0.5 on.
    prior, nearest
        See `mirpair.prediction.predictor.Settings`.
    false_positives
        One of `mirpair.prediction.predictor.FALSE_POSITIVES`.
    """
    least = predictor.cuts[false_positives] if predictor.cuts else 0.5
    settings = Settings(prior, nearest=nearest, least=least)
    prediction.check_settings(settings)
    return settings


def find(
    genome: str,
    journal: Journal,
    criteria: Criteria,
    *,
    processes: int = 1,
    tile: int = TILE,
    piece: int = 1,
    pieces: int = 1,
    position: Callable[[int], None] | None = None,
) -> Iterator[int]:
    """Find the candidates of a genome, tile by tile, going on after the blocks of the journal.

    Parameters
    ----------
    genome
        FASTA file.
    journal
        Of this genome, these criteria and this piece; it gets a block for each tile.
    criteria
        What is a candidate.
    processes, tile
        The result is the same for any. The processes start at once.
    piece, pieces
        Only every `pieces`-th tile, beginning with number `piece` (from 1).
    position
        See `read_tiles`.

    Returns
    -------
    Iterator
        Of the number of bases of every tile, as it is done; it must be used up.
    """
    tiles = read_tiles(genome, tile=tile, span=criteria.span, position=position)
    left = islice(tiles, piece - 1 + journal.blocks * pieces, None, pieces)
    tasks = ((it, strand) for it in left for strand in STRANDS)
    results = for_each(
        partial(_find_task, criteria=criteria), tasks, processes=processes, at_once=1
    )

    def noted() -> Iterator[int]:
        for (head, size), forward in results:
            _, reverse = next(results)
            journal.append([head, *forward, *reverse])
            yield size
        journal.close()

    return noted()


def _find_task(task: tuple[Tile, str], criteria: Criteria) -> tuple[tuple[str, int], list[str]]:
    tile, strand = task
    head = "\t".join(map(str, (tile.sequence, tile.end, int(tile.last))))
    lines = ["\t".join(map(str, hairpin)) for hairpin in find_hairpins(tile, strand, criteria)]
    return (head, tile.end - tile.start), lines


def read_found(journals: Sequence[str | Path]) -> Iterator[Found]:
    """What `find` wrote into the journals of all pieces, in the order of the tiles."""
    return map(_found, interleave(journals))


def _found(lines: Sequence[str]) -> Found:
    sequence, end, last = lines[0].split("\t")
    hairpins = []
    for line in lines[1:]:
        low, high, strand, energy, bases = line.split("\t")
        hairpins.append(Hairpin(int(low), int(high), strand, float(energy), bases))
    return Found(sequence, int(end), last == "1", hairpins)


def score(
    found: Sequence[str | Path],
    journal: Journal,
    predictor: Predictor,
    settings: Settings,
    *,
    processes: int = 1,
    piece: int = 1,
    pieces: int = 1,
) -> Iterator[int]:
    """Refold and score what `resolve` leaves, going on after the blocks of the journal.

    Parameters
    ----------
    found
        Journals of all pieces of `find`.
    journal
        Of these scores; it gets a block for each chunk of
        `mirpair.prediction.predictor.predict_records`.
    predictor, settings, processes, piece, pieces
        See `mirpair.prediction.predictor.predict_records`.

    Returns
    -------
    Iterator
        Of the number of hairpins of every chunk, as it is done; it must be used up.
    """
    records = (
        (Record(identifier(sequence, hairpin), hairpin.bases, sequence, number), None)
        for number, (sequence, hairpin) in enumerate(resolve(read_found(found)), 1)
    )
    # What is done is passed over, in whole rounds of the pieces.
    left = islice(records, journal.blocks * pieces * prediction.CHUNK, None)
    tables = prediction.predict_records(
        left, predictor, settings, processes=processes, piece=piece, pieces=pieces
    )

    def noted() -> Iterator[int]:
        for table in tables:
            # What is called has scores that differ from the fifth digit on.
            journal.append(prediction.to_lines(table, digits_of_scores=6))
            yield len(table)
        journal.close()

    return noted()


def identifier(sequence: str, hairpin: Hairpin) -> str:
    """Name of a hairpin by its place, as ``bedtools getfasta -s`` would name it."""
    return f"{sequence}:{hairpin.start}-{hairpin.end}({hairpin.strand})"


def genome_hairpins(
    genome: str, criteria: Criteria, *, bases: int, processes: int = 1
) -> list[str]:
    """What `resolve` leaves in the first so many bases of a genome, each read on its strand."""

    def tiles() -> Iterator[Tile]:
        done = 0
        for tile in read_tiles(genome, span=criteria.span):
            yield tile
            done += tile.end - tile.start
            if done >= bases:
                return

    tasks = ((tile, strand) for tile in tiles() for strand in STRANDS)
    results = for_each(
        partial(_find_task, criteria=criteria), tasks, processes=processes, at_once=1
    )
    found = (
        _found([head, *forward, *reverse])
        for (head, _), forward in results
        for _, reverse in [next(results)]
    )
    return [hairpin.bases for _, hairpin in resolve(found)]


def background(
    records: pd.DataFrame,
    experiment: pd.DataFrame,
    hairpins: Sequence[str],
    weights: Sequence[str | Path],
    criteria: Criteria,
    *,
    processes: int = 1,
) -> pd.DataFrame:
    """How the networks of one fold score what a scan would find.

    Parameters
    ----------
    records, experiment
        Of the fold: its pre-miRNAs that evaluate are taken, as a scan would find them.
    hairpins
        Of a genome without pre-miRNAs, which the fold did not train on.
    weights
        Of the fold's networks.
    criteria
        What a scan finds.
    processes
        That fold and score; the result is the same for any.

    Returns
    -------
    DataFrame
        Columns label, and score: NaN for a pre-miRNA in which no hairpin meets the criteria.
    """
    evaluate = set(experiment.loc[experiment["role"] == EVALUATE, "id"])
    chosen = records[(records["label"] == 1) & records["id"].isin(evaluate)]
    found = [as_scanned(bases, criteria) for bases in chosen["sequence"]]
    sequences = [*found, *hairpins]
    told = iter(scores([bases for bases in sequences if bases], weights, processes=processes))
    return pd.DataFrame(
        {
            "label": [1] * len(found) + [0] * len(hairpins),
            "score": [next(told) if bases else np.nan for bases in sequences],
        }
    )


def scores(
    sequences: Sequence[str], weights: Sequence[str | Path], *, processes: int = 1
) -> list[float]:
    """What the networks of some trainings say together of each RNA, whatever its length."""
    from mirpair.networks.build import load_weights

    networks = tuple(load_weights(path).double() for path in weights)
    predictor = Predictor(networks, None, None, {}, 1, sys.maxsize)
    records = (
        (Record(str(number), bases, "", number), None) for number, bases in enumerate(sequences, 1)
    )
    asked = Settings(nearest=False)
    tables = prediction.predict_records(records, predictor, asked, processes=processes)
    return [score for table in tables for score in table["score"].tolist()]


_BINS = 50
_BEST = 10


@dataclass(slots=True)
class Summary:
    """What was found in a genome.

    Attributes
    ----------
    lengths
        Of the sequences, nt, in their order.
    hairpins, calls
        How many there are in each sequence.
    scores
        (50,): how many hairpins have a score in each fiftieth of 0 to 1.
    best
        The ten calls, or hairpins, of the highest score: row of
        `mirpair.prediction.predictor.predict` and bases of each.
    """

    lengths: dict[str, int] = field(default_factory=dict)
    hairpins: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    scores: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(_BINS, dtype=np.int64))
    best: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)


SUFFIXES = (".gff3", ".all.gff3", ".bed", ".fa", ".tsv")


def write(
    found: Sequence[str | Path],
    scored: Sequence[str | Path],
    prefix: str | Path,
    comments: Sequence[str],
    *,
    nearest: bool,
) -> Summary:
    """Write what was found, for people and for genome browsers, each file atomically.

    Parameters
    ----------
    found, scored
        Journals of all pieces of `find` and of `score`.
    prefix
        Of the files: ``.gff3`` (calls) and ``.all.gff3`` (all hairpins), ``.bed`` and ``.fa``
        (calls), ``.tsv`` (all hairpins, with their places from 1).
    comments
        First lines of each file but the FASTA and the BED: version and parameters.
    nearest
        Whether the nearest known hairpins were looked for.
    """
    summary = Summary()
    for block in interleave(found):
        sequence, end, _ = block[0].split("\t")
        summary.lengths[sequence] = int(end)
    head = gff3_head(comments, summary.lengths)
    best: list[tuple[float, int, Mapping[str, Any], str]] = []
    columns = prediction.header(nearest=nearest).split("\t")
    with ExitStack() as stack:
        calls, every, bed, fasta, table = (
            stack.enter_context(
                stack.enter_context(atomic(f"{prefix}{suffix}")).open(
                    "w", encoding="utf-8", newline="\n"
                )
            )
            for suffix in SUFFIXES
        )
        calls.write(head)
        every.write(head)
        table.write("".join(f"# {comment}\n" for comment in comments))
        table.write("\t".join([columns[0], "sequence", "start", "end", "strand", *columns[1:]]))
        table.write("\n")
        lines = chain.from_iterable(interleave(scored))
        survivors = resolve(read_found(found))
        for number, ((name, hairpin), line) in enumerate(zip(survivors, lines, strict=True)):
            cells = next(csv.reader([line], delimiter="\t"))
            row = _row(dict(zip(columns, cells, strict=True)))
            place = Place(name, hairpin.start, hairpin.end, hairpin.strand)
            where = [name, str(place.start + 1), str(place.end), place.strand]
            table.write("\t".join([cells[0], *where, *cells[1:]]) + "\n")
            summary.hairpins[name] += 1
            if row["score"] is None:
                continue
            every.write(gff3_line(place, row))
            summary.scores[min(int(row["score"] * _BINS), _BINS - 1)] += 1
            heapq.heappush(best, (row["score"], -number, row, hairpin.bases))
            if len(best) > _BEST:
                heapq.heappop(best)
            if row["call"] == 1:
                summary.calls[name] += 1
                calls.write(gff3_line(place, row))
                bed.write(bed_line(place, row))
                fasta.write(fasta_entry(row["id"], hairpin.bases))
    ranked = sorted(best, key=lambda it: (-it[0], -it[1]))
    summary.best = [(row, bases) for _, _, row, bases in ranked]
    return summary


def _row(cells: Mapping[str, str]) -> dict[str, Any]:
    """Cells of a line, numbers as numbers; None where there is none."""
    row: dict[str, Any] = dict(cells)
    for name in ("length", "call"):
        row[name] = int(cells[name]) if cells[name] else None
    for name in ("mfe", "score", "probability", "identity"):
        if name in cells:
            row[name] = float(cells[name]) if cells[name] else None
    return row


class Keys(NamedTuple):
    """What the journals of `find` and of `score` depend on."""

    found: str
    scored: str


def found_key(genome: str | Path, criteria: Criteria) -> str:
    """What the journal of `find` depends on: a genome's name, size and time stand for its bases."""
    state = Path(genome).stat()
    return json.dumps(
        {
            "genome": [Path(genome).name, state.st_size, state.st_mtime_ns],
            **asdict(criteria),
            "mirpair": __version__,
            "ViennaRNA": RNA.__version__,
        }
    )


def keys(genome: str | Path, criteria: Criteria, weights: str | Path, settings: Settings) -> Keys:
    """Keys of the journals of a genome, see `found_key`."""
    found = found_key(genome, criteria)
    scored = {**json.loads(found), **settings._asdict(), "weights": sha256(weights)}
    return Keys(found, json.dumps(scored))


def parameters(
    genome: str | Path, criteria: Criteria, settings: Settings, weights: str | Path | None
) -> dict[str, Any]:
    """What hairpins were found by, for people; the same wherever the files are."""
    weights = Path(weights or prediction.shipped())
    return {
        "genome": Path(genome).name,
        "weights": f"{weights.name}, SHA-256 {sha256(weights)}",
        "longest hairpin, nt": criteria.span,
        "least base pairs": criteria.stem,
        "largest loop, nt": criteria.loop,
        "highest energy, kcal/mol": criteria.mfe,
        "lower-case bases": "passed over" if criteria.masked else "like others",
        "candidates": "single stems (--fast)" if criteria.fast else "windowed folding",
        "called from a score of": f"{settings.least:.6f}",
        "prior of the probabilities": settings.prior,
    }


def stem_of(genome: str | Path) -> str:
    """Name of a genome's file without what says its format."""
    return re.sub(r"(\.(fa|fasta|fna|fas))?(\.gz)?$", "", Path(genome).name) or "genome"
