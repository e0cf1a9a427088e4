"""Find the pre-miRNAs of a genome: `scan`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from mirpair.cli.options import Jobs, Nearest, Weights, reference_of, setting
from mirpair.cli.terminal import (
    FileProgress,
    check_inputs,
    check_output,
    cores,
    counted,
    limit_threads,
    messages,
    say,
)
from mirpair.files import InputError
from mirpair.rna.sequences import STDIN
from mirpair.settings import SCAN_FILES, FalsePositives, HairpinCriteria, Kingdom, ScanSettings


class _Progress:
    """Shows how far a scan is: by the bytes that were read of the genome, then by the hairpins."""

    def __init__(self, genome: Path) -> None:
        self._bar = FileProgress([str(genome)], "bases")

    def say(self, message: str) -> None:
        say(message)

    def read(self, position: int) -> None:
        self._bar.read(0, position)

    def track(self, sizes: Iterator[int], unit: str) -> None:
        # How many hairpins remain is not known before the end, as of a pipe.
        bar = self._bar if unit == "bases" else FileProgress([STDIN], unit)
        with bar:
            for size in sizes:
                bar.done(size)


def scan(
    genome: Annotated[Path, typer.Argument(help="FASTA file, plain or gzip.", metavar="GENOME")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    name: Annotated[
        str | None,
        typer.Option(help="Name of the files, without endings. [default: that of the genome]"),
    ] = None,
    weights: Weights = None,
    prior: Annotated[float, setting(ScanSettings, "prior")] = ScanSettings.prior,
    false_positives: Annotated[
        FalsePositives, setting(ScanSettings, "false_positives")
    ] = ScanSettings.false_positives,
    span: Annotated[int, setting(HairpinCriteria, "span")] = HairpinCriteria.span,
    stem: Annotated[int, setting(HairpinCriteria, "stem")] = HairpinCriteria.stem,
    loop: Annotated[int, setting(HairpinCriteria, "loop")] = HairpinCriteria.loop,
    mfe: Annotated[float, setting(HairpinCriteria, "mfe")] = HairpinCriteria.mfe,
    masked: Annotated[
        bool, setting(HairpinCriteria, "masked", "--masked")
    ] = HairpinCriteria.masked,
    fast: Annotated[bool, setting(HairpinCriteria, "fast", "--fast")] = HairpinCriteria.fast,
    # Typer copies the list.
    circular: Annotated[list[str], setting(HairpinCriteria, "circular")] = [],  # noqa: B006
    reference: Annotated[str, setting(ScanSettings, "reference")] = ScanSettings.reference,
    kingdom: Annotated[Kingdom, setting(ScanSettings, "kingdom")] = ScanSettings.kingdom,
    nearest: Nearest = None,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help="Keep the hairpins that were found, so that a scan with other weights or "
            "another prior need not fold again.",
        ),
    ] = False,
    jobs: Jobs = 0,
) -> None:
    """Find the pre-miRNAs of a genome, on both strands.

    Windowed folding (ViennaRNA) and a search for single stems find hairpins. Of hairpins that
    share more than a quarter of the shorter one, on the same strand, the most stable one for its
    length remains. It is folded by itself and scored. A hairpin is called a pre-miRNA if its
    score is one that only 1% of the hairpins of a genome without microRNAs reach (change this with
    --false-positives). Of two calls on opposite strands that share half of the shorter one, only
    the one with the higher score is called; the other one is marked as antisense. The probability
    assumes the share in --prior.

    The files are named after the genome, or by --name: .gff3, .bed and .fa hold the calls,
    .all.gff3 and .tsv all hairpins, .html is a page with figures. Another scan of the same genome
    replaces them; those of another genome are not overwritten. A scan that was interrupted resumes
    when the same command is given again.

    --circular chrM --circular pXO1 names circular sequences; --circular all: every sequence of the
    file is circular. A hairpin over the origin then ends beyond the length of its sequence, as in
    GFF3; in the BED, it is two lines.

    Example: mirpair scan genome.fa.gz -o scan/
    """
    with messages():
        if genome.is_dir():
            raise InputError(
                f"{genome}: is a folder; give one FASTA file, such as {genome / 'x.fa'}"
            )
        if str(genome) == STDIN or (genome.exists() and not genome.is_file()):
            raise InputError(f"{genome}: a genome is read more than once; give a file, not a pipe")
        check_inputs([str(genome)])
        if output.exists() and not output.is_dir():
            raise InputError(f"{output} is not a folder; name a folder to write into")
        reference = reference_of(reference, nearest)
        settings = ScanSettings(prior, false_positives, reference, kingdom)
        settings.check()

        from mirpair.scan import run
        from mirpair.scan.output import name_of

        # The calls of small.fa are small.fa too: in its own folder they would replace it.
        prefix = output / (name_of(genome) if name is None else name)
        for suffix in SCAN_FILES:
            check_output(
                prefix.with_name(prefix.name + suffix), [genome, weights, settings.reference_file]
            )
        limit_threads(jobs)
        summary = run.scan(
            genome,
            output,
            _Progress(genome),
            criteria=HairpinCriteria(
                span=span,
                stem=stem,
                loop=loop,
                mfe=mfe,
                masked=masked,
                fast=fast,
                circular=tuple(circular),
            ),
            settings=settings,
            name=name,
            weights=weights,
            processes=jobs or cores(),
            keep=keep,
        )
        say(
            f"{counted(sum(summary.lengths.values()), 'base')}: "
            f"{counted(sum(summary.hairpins.values()), 'hairpin')}, "
            f"{counted(sum(summary.calls.values()), 'called pre-miRNA')}; see {prefix}.html"
        )
        if summary.expected:
            say(f"calls by mistake in a megabase, both strands: {summary.expected}")
