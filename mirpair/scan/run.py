"""Scan a genome: find its hairpins, score them, write them, and make a page about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from mirpair import __version__
from mirpair.files import Journal, file_lock, sha256, write_text
from mirpair.prediction.predictor import Predictor
from mirpair.prediction.weights import load_networks, shipped_weights
from mirpair.scan.find import find
from mirpair.scan.output import Summary, check_free, name_of, render, write_files
from mirpair.scan.resume import find_key, score_key
from mirpair.scan.score import score
from mirpair.scan.tiles import TILE, check_genome
from mirpair.settings import HairpinCriteria, ScanSettings


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
    weights: Path | None = None,
    processes: int = 1,
    keep: bool = False,
    tile: int = TILE,
) -> Summary:
    """Scan a genome into a folder, resuming a scan that was interrupted there.

    Parameters
    ----------
    genome
        FASTA file, plain or gzip; the files are named after it.
    folder
        Created if it does not exist.
    progress
        Gets messages, and consumes what the two long steps yield.
    criteria, settings
        Which structures are hairpins, and how they are scored and called.
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
        If a setting is out of range, the genome or the weights are not valid, a file would be
        overwritten that no scan wrote, or another scan writes the same files.
    """
    criteria.check()
    weights = weights or shipped_weights()
    trained = load_networks(weights)
    if warning := Predictor.for_genome(trained, settings).warning:
        progress.say(warning)
    name = name_of(genome)
    check_free(folder / name)
    check_genome(str(genome), criteria.circular)
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / f".{name}.lock"):
        key = find_key(genome, criteria)
        candidates = Journal(folder / f".{name}.found", key)
        scored = Journal(folder / f".{name}.scored", score_key(key, settings, weights))
        if candidates.blocks:
            progress.say(f"resuming after {candidates.blocks:,} tiles of the genome")
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
    parameters = _parameters(genome, criteria, settings, weights)
    described = (f"{name}: {it}" for name, it in parameters.items())
    comments = [f"mirpair {__version__} scan", *described]
    summary = write_files(candidates, scored, prefix, comments, nearest=settings.nearest)
    write_text(f"{prefix}.html", render(Path(genome).name, summary, parameters))
    return summary


def _parameters(
    genome: str | Path, criteria: HairpinCriteria, settings: ScanSettings, weights: str | Path
) -> dict[str, Any]:
    """Describe a scan for people, the same in whichever folder the files are."""
    cut = Predictor.for_genome(load_networks(weights), settings).cut
    return {
        "genome": Path(genome).name,
        "weights": f"{Path(weights).name}, SHA-256 {sha256(weights)}",
        "longest hairpin, nt": criteria.span,
        "least base pairs": criteria.stem,
        "largest loop, nt": criteria.loop,
        "highest energy, kcal/mol": criteria.mfe,
        "lower-case bases": "passed over" if criteria.masked else "like others",
        "circular sequences": ", ".join(criteria.circular) or "none",
        "candidates": "single stems (--fast)"
        if criteria.fast
        else "windowed folding and single stems",
        "called from a score of": f"{cut:.6f}",
        "prior of the probabilities": settings.prior,
    }
