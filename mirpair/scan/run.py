"""Scan a genome: find and score its hairpins, write them, and make a page about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from mirpair import __version__
from mirpair.files import InputError, Journal, file_lock, sha256, write_text
from mirpair.hairpins.stems import PER_BASE
from mirpair.hairpins.tiles import TILE, check_genome
from mirpair.prediction.importance import importance
from mirpair.prediction.predictor import Predictor, score_sequences
from mirpair.prediction.weights import StemLimits, find_weights, load_networks
from mirpair.rna.known_hairpins import describe_reference, load_reference
from mirpair.scan.find import find
from mirpair.scan.output import (
    CHECKSUM,
    Summary,
    check_free,
    check_name,
    journal_of,
    name_of,
    write_files,
)
from mirpair.scan.page import render
from mirpair.scan.resume import genome_of, scan_key
from mirpair.settings import HairpinCriteria, ScanOutput, ScanSettings

# Name of a parameter.
EXPECTED = "false calls per megabase (95 % interval)"


class Progress(Protocol):
    """Shows how far a scan is."""

    def say(self, message: str) -> None:
        """Show a message."""

    def read(self, position: int) -> None:
        """Note how many bytes of the genome's file have been read."""

    def track(self, sizes: Iterator[int]) -> None:
        """Consume the sizes, in bases, of the parts that are done."""


def scan(
    genome: Path,
    folder: Path,
    progress: Progress,
    *,
    criteria: HairpinCriteria,
    settings: ScanSettings,
    written: ScanOutput,
    name: str | None = None,
    weights: Path | None = None,
    processes: int = 1,
    tile: int = TILE,
) -> Summary:
    """Scan a genome into a folder, resuming a scan that was interrupted there.

    Parameters
    ----------
    genome
        FASTA file, plain or gzip.
    folder
        Created if it does not exist.
    progress
        Gets messages, and consumes what the search yields.
    criteria, settings, written
        Which structures are hairpins, how they are scored and called, and what is written.
    name
        Start of the names of the files; by default the name of the genome's file.
    weights
        See `mirpair.prediction.weights.load_networks`.
    processes, tile
        See `mirpair.scan.find.find`.

    Raises
    ------
    InputError
        If a setting is out of range, the genome, the weights or the reference are not valid, a file
        would be overwritten that no scan wrote or that is of another genome, or another scan writes
        the same files.
    """
    criteria.check()
    settings.check()
    written.check()
    weights = find_weights(weights)
    trained = load_networks(weights, settings.kingdom)
    predictor = Predictor.for_genome(trained, settings)
    if predictor.warning:
        progress.say(predictor.warning)
    # An error in the files ends the scan now, not after the search for hairpins.
    load_reference(settings.reference)
    families = find_families()
    name = name_of(genome) if name is None else name
    check_name(name)
    checksum = check_genome(str(genome), criteria.circular, note=progress.say)
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / f".{name}.lock"):
        is_again = check_free(folder / name, checksum)
        path = journal_of(folder / name)
        is_earlier = path.exists()
        if is_earlier and genome_of(path) != checksum:
            raise InputError(
                f"{path} has the hairpins of another genome, whose scan was interrupted; delete "
                f"it, name another folder, or give the results another name than {name!r} (--name)"
            )
        journal = Journal(path, scan_key(checksum, criteria, settings, weights, tile=tile))
        if journal.blocks:
            progress.say(f"resuming after {_stretches(journal.blocks, tile)}")
        elif is_earlier and not journal.continued:
            progress.say(
                "finding the hairpins again: those that an interrupted scan found in this genome "
                "are of other settings, weights or another version"
            )
        if is_again:
            progress.say(f"replacing the results of an earlier scan of this genome ({name}.*)")
        # The processes start before a progress bar has a thread, which a fork cuts.
        bases = find(
            str(genome),
            journal,
            criteria,
            predictor,
            processes=processes,
            tile=tile,
            position=progress.read,
        )
        progress.track(bases)
        summary = write(
            genome,
            [journal.path],
            folder / name,
            criteria=criteria,
            settings=settings,
            written=written,
            weights=weights,
            families=families,
        )
        journal.path.unlink()
    return summary


def _stretches(count: int, tile: int) -> str:
    return f"{count:,} stretch{'es' * (count > 1)} of at most {tile:,} bases"


def write(
    genome: str | Path,
    journals: Sequence[str | Path],
    prefix: str | Path,
    *,
    criteria: HairpinCriteria,
    settings: ScanSettings,
    written: ScanOutput,
    weights: str | Path,
    families: str | Path,
) -> Summary:
    """Write the files of a `scan`, see `mirpair.scan.output.write_files`, and the page.

    `families` are the weights that name the families of calls.
    """
    checksum = genome_of(journals[0])
    predictor = Predictor.for_genome(load_networks(weights, settings.kingdom), settings)
    parameters = _parameters(genome, checksum, criteria, predictor, weights)
    parameters["families"] = f"{Path(families).name}, SHA-256 {sha256(families)}"
    parameters["families are named by"] = _namer(families)
    if written.top:
        parameters["rows of the TSV"] = f"the {written.top:,} hairpins with the best ranks"
    described = (f"{name}: {it}" for name, it in parameters.items())
    comments = [f"mirpair {__version__} scan", *described]
    summary = write_files(
        journals,
        prefix,
        comments,
        predictor,
        name_families=partial(_name_families, families),
        top=written.top,
    )
    summary.expected = parameters.get(EXPECTED, "")
    summary.importance = {
        row["id"]: importance(bases, row["structure"], partial(score_sequences, predictor))
        .bases["importance"]
        .tolist()
        for row, bases in summary.best
        if row["call"] == 1
    }
    page = render(Path(genome).name, summary, parameters, predictor.trained.curves)
    write_text(f"{prefix}.html", page)
    return summary


def find_families() -> Path:
    """Find the weights that name families, which come with the package."""
    from mirpair.families.annotation import shipped

    return shipped()


def _namer(families: str | Path) -> str:
    from mirpair.families.annotation import decided_by

    return decided_by(families)


def _name_families(weights: str | Path, rnas: Sequence[str]) -> list[str]:
    """Name the microRNA family of each RNA; empty if it has none."""
    if not rnas:
        return []
    # A scan without calls need not load the weights.
    from mirpair.families.annotation import family_names, load

    return family_names(load(weights), rnas)


def _folded(criteria: HairpinCriteria, predictor: Predictor) -> str:
    """Say what a scan folds."""
    if criteria.exhaustive:
        return "the genome and each hairpin (--exhaustive)"
    limits = predictor.stems
    if limits == StemLimits():
        return "all stems"
    return (
        f"stems of at most {limits.energy:.2f} kcal/mol, with {PER_BASE} added for each base, and "
        f"a score of at least {limits.score:.6f}"
    )


def _parameters(
    genome: str | Path,
    checksum: str,
    criteria: HairpinCriteria,
    predictor: Predictor,
    weights: str | Path,
) -> dict[str, Any]:
    """Describe a scan for people, the same in whichever folder the files are."""
    settings, expected = predictor.settings, predictor.expected
    usual = replace(HairpinCriteria(), circular=criteria.circular)
    if expected and criteria != usual:
        expected += "; measured with other criteria than yours, the default ones"
    return {
        "genome": Path(genome).name,
        CHECKSUM: f"SHA-256 {checksum}",
        "weights": f"{Path(weights).name}, SHA-256 {sha256(weights)}",
        "longest hairpin, nt": criteria.span,
        "smallest number of base pairs": criteria.stem,
        "largest loop, nt": criteria.loop,
        "highest energy, kcal/mol": criteria.mfe,
        "lower-case bases": "skipped" if criteria.masked else "used",
        "circular sequences": ", ".join(criteria.circular) or "none",
        "folded": _folded(criteria, predictor),
        "kingdom": settings.kingdom,
        "called from a score of": f"{predictor.cut:.6f}",
        **({"false-positive rate": predictor.rate} if predictor.rate else {}),
        **({EXPECTED: expected} if expected else {}),
        "prior of the probabilities": settings.prior,
        "known hairpins": describe_reference(settings.reference),
    }
