"""Scan a genome: find its hairpins, score them, write them, and make a page about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from mirpair import __version__
from mirpair.files import InputError, Journal, file_lock, sha256, write_text
from mirpair.hairpins.tiles import TILE, check_genome
from mirpair.prediction.predictor import Predictor
from mirpair.prediction.weights import find_weights, load_networks
from mirpair.rna.known_hairpins import describe_reference, load_reference
from mirpair.scan.find import find
from mirpair.scan.output import (
    CHECKSUM,
    Summary,
    check_free,
    check_name,
    name_of,
    render,
    write_files,
)
from mirpair.scan.resume import find_key, genome_of, score_key
from mirpair.scan.score import score
from mirpair.settings import HairpinCriteria, ScanSettings

# Name of a parameter.
EXPECTED = "calls by mistake in a megabase"


class Progress(Protocol):
    """Shows how far a scan is."""

    def say(self, message: str) -> None:
        """Show a message."""

    def read(self, position: int) -> None:
        """Note how many bytes of the genome's file have been read."""

    def track(self, sizes: Iterator[int], unit: str) -> None:
        """Consume the sizes, in bases or hairpins, of the parts that are done."""


def scan(
    genome: Path,
    folder: Path,
    progress: Progress,
    *,
    criteria: HairpinCriteria,
    settings: ScanSettings,
    name: str | None = None,
    weights: Path | None = None,
    processes: int = 1,
    keep: bool = False,
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
        Gets messages, and consumes what the two long steps yield.
    criteria, settings
        Which structures are hairpins, and how they are scored and called.
    name
        Start of the names of the files; by default the name of the genome's file.
    weights
        See `mirpair.prediction.weights.load_networks`.
    processes, tile
        See `mirpair.scan.find.find`.
    keep
        Whether the journal of the hairpins stays, so that a scan with other settings or weights
        folds nothing.

    Raises
    ------
    InputError
        If a setting is out of range, the genome, the weights or the reference are not valid, a file
        would be overwritten that no scan wrote or that is of another genome, or another scan writes
        the same files.
    """
    criteria.check()
    settings.check()
    weights = find_weights(weights)
    trained = load_networks(weights, settings.kingdom)
    if warning := Predictor.for_genome(trained, settings).warning:
        progress.say(warning)
    # An error in the file ends the scan now, not after the search for hairpins.
    load_reference(settings.reference)
    name = name_of(genome) if name is None else name
    check_name(name)
    checksum = check_genome(str(genome), criteria.circular, note=progress.say)
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / f".{name}.lock"):
        is_again = check_free(folder / name, checksum)
        key = find_key(checksum, criteria, tile=tile)
        journals = [folder / f".{name}.found", folder / f".{name}.scored"]
        earlier = [path for path in journals if path.exists()]
        for path in earlier:
            if genome_of(path) != checksum:
                raise InputError(
                    f"{path} has the hairpins of another genome, whose scan was interrupted or had "
                    f"--keep; delete it, name another folder, or give the results another name "
                    f"than {name!r} (--name)"
                )
        candidates = Journal(journals[0], key)
        scored = Journal(journals[1], score_key(key, settings, weights))
        if candidates.complete:
            progress.say("using the hairpins that an earlier scan found in this genome")
        elif candidates.blocks:
            progress.say(f"resuming after {_stretches(candidates.blocks, tile)}")
        elif journals[0] in earlier and not candidates.continued:
            progress.say(
                "finding the hairpins again: those that an earlier scan found in this genome are "
                "of other settings or another version"
            )
        if is_again:
            progress.say(f"replacing the results of an earlier scan of this genome ({name}.*)")
        # In both steps the processes start before a progress bar has a thread, which a fork cuts.
        bases = find(
            str(genome),
            candidates,
            criteria,
            processes=processes,
            tile=tile,
            position=progress.read,
        )
        progress.track(bases, "bases")
        hairpins = score([candidates.path], scored, trained, settings, processes=processes)
        progress.track(hairpins, "hairpins")
        summary = write(
            genome,
            [candidates.path],
            [scored.path],
            folder / name,
            criteria=criteria,
            settings=settings,
            weights=weights,
        )
        scored.path.unlink()
        if not keep:
            candidates.path.unlink()
    return summary


def _stretches(count: int, tile: int) -> str:
    return f"{count:,} stretch{'es' * (count > 1)} of {tile:,} bases"


def write(
    genome: str | Path,
    candidates: Sequence[str | Path],
    scored: Sequence[str | Path],
    prefix: str | Path,
    *,
    criteria: HairpinCriteria,
    settings: ScanSettings,
    weights: str | Path,
) -> Summary:
    """Write the files of a `scan`, see `mirpair.scan.output.write_files`, and the page."""
    checksum = genome_of(candidates[0])
    predictor = Predictor.for_genome(load_networks(weights, settings.kingdom), settings)
    parameters = _parameters(genome, checksum, criteria, predictor, weights)
    described = (f"{name}: {it}" for name, it in parameters.items())
    comments = [f"mirpair {__version__} scan", *described]
    summary = write_files(candidates, scored, prefix, comments, nearest=settings.compares)
    summary.expected = parameters.get(EXPECTED, "")
    write_text(f"{prefix}.html", render(Path(genome).name, summary, parameters))
    return summary


def _parameters(
    genome: str | Path,
    checksum: str,
    criteria: HairpinCriteria,
    predictor: Predictor,
    weights: str | Path,
) -> dict[str, Any]:
    """Describe a scan for people, the same in whichever folder the files are."""
    settings = predictor.settings
    return {
        "genome": Path(genome).name,
        CHECKSUM: f"SHA-256 {checksum}",
        "weights": f"{Path(weights).name}, SHA-256 {sha256(weights)}",
        "longest hairpin, nt": criteria.span,
        "least base pairs": criteria.stem,
        "largest loop, nt": criteria.loop,
        "highest energy, kcal/mol": criteria.mfe,
        "lower-case bases": "skipped" if criteria.masked else "used",
        "circular sequences": ", ".join(criteria.circular) or "none",
        "candidates": "single stems (--fast)"
        if criteria.fast
        else "windowed folding and single stems",
        "kingdom": settings.kingdom,
        "called from a score of": f"{predictor.cut:.6f}",
        **({EXPECTED: predictor.expected} if predictor.expected else {}),
        "prior of the probabilities": settings.prior,
        "known hairpins": describe_reference(settings.reference),
    }
