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
from mirpair.files import InputError, has_blocks
from mirpair.rna.text_files import STDIN
from mirpair.settings import (
    SCAN_FILES,
    HairpinCriteria,
    Kingdom,
    Rate,
    ScanOutput,
    ScanSettings,
)

_FAST = "--fast: a scan is always fast, unless --exhaustive is given"
_KEEP = "--keep: the hairpins are not saved, as finding them takes as long as a scan"


class _Progress:
    """Shows how far a scan is, by the bytes that were read of the genome."""

    def __init__(self, genome: Path) -> None:
        self._bar = FileProgress([str(genome)], "bases")

    def say(self, message: str) -> None:
        say(message)

    def read(self, position: int) -> None:
        self._bar.read(0, position)

    def track(self, sizes: Iterator[int]) -> None:
        with self._bar:
            for size in sizes:
                self._bar.done(size)


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
        Rate, setting(ScanSettings, "false_positives")
    ] = ScanSettings.false_positives,
    span: Annotated[int, setting(HairpinCriteria, "span")] = HairpinCriteria.span,
    stem: Annotated[int, setting(HairpinCriteria, "stem")] = HairpinCriteria.stem,
    loop: Annotated[int, setting(HairpinCriteria, "loop")] = HairpinCriteria.loop,
    mfe: Annotated[float, setting(HairpinCriteria, "mfe")] = HairpinCriteria.mfe,
    masked: Annotated[
        bool, setting(HairpinCriteria, "masked", "--masked")
    ] = HairpinCriteria.masked,
    exhaustive: Annotated[
        bool, setting(HairpinCriteria, "exhaustive", "--exhaustive")
    ] = HairpinCriteria.exhaustive,
    # Typer copies the list.
    circular: Annotated[list[str], setting(HairpinCriteria, "circular")] = [],  # noqa: B006
    reference: Annotated[str, setting(ScanSettings, "reference")] = ScanSettings.reference,
    kingdom: Annotated[Kingdom, setting(ScanSettings, "kingdom")] = ScanSettings.kingdom,
    top: Annotated[int, setting(ScanOutput, "top")] = ScanOutput.top,
    nearest: Nearest = None,
    fast: Annotated[bool, typer.Option("--fast", hidden=True)] = False,
    keep: Annotated[bool, typer.Option("--keep", hidden=True)] = False,
    jobs: Jobs = 0,
) -> None:
    """Find the pre-miRNAs of a genome, on both strands.

    A search for single stems finds hairpins, and a network scores each. Those that may still be
    called are folded (ViennaRNA) and scored again. Of hairpins that share more than a quarter of
    the shorter one, on the same strand, the one with the highest score remains. A hairpin is called
    a pre-miRNA if its score is one that only 0.01% of the hairpins of a genome without microRNAs
    reach (0.1% for plants; change this with --false-positives). Of two calls on opposite strands
    that share half of the shorter one, only one is called, by its score and its energy; the other
    one is marked as antisense.
    The probability assumes the share in --prior. With --exhaustive, the whole genome is folded, and
    each of its hairpins.

    The files are named after the genome, or by --name: .gff3, .bed and .fa hold the calls,
    .all.gff3 and .tsv all hairpins that were folded, .html is a page. --top 50 writes only the 50
    best into the .tsv, the best first. Another scan of the same
    genome replaces them; those of another genome are not overwritten. A scan that was interrupted
    resumes when the same command is given again.

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
        written = ScanOutput(top)
        written.check()

        for option, why in ((fast, _FAST), (keep, _KEEP)):
            if option:
                say(f"{why}; the option stops working in the next release")

        from mirpair.scan import run
        from mirpair.scan.output import journal_of, name_of

        # The calls of small.fa are small.fa too: in its own folder they would replace it.
        prefix = output / (name_of(genome) if name is None else name)
        for suffix in SCAN_FILES:
            check_output(
                prefix.with_name(prefix.name + suffix), [genome, weights, settings.reference_file]
            )
        limit_threads(jobs)
        try:
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
                    exhaustive=exhaustive,
                    circular=tuple(circular),
                ),
                settings=settings,
                written=written,
                name=name,
                weights=weights,
                processes=jobs or cores(),
            )
        except (KeyboardInterrupt, SystemExit):
            if has_blocks(journal_of(prefix)):
                say("interrupted; the same command resumes the scan")
            raise
        say(
            f"{counted(sum(summary.lengths.values()), 'base')}: "
            f"{counted(sum(summary.hairpins.values()), 'folded hairpin')}, "
            f"{counted(sum(summary.calls.values()), 'called pre-miRNA')}; see {prefix}.html"
        )
        if summary.known:
            say(
                f"{counted(summary.known, 'folded hairpin')} with the status known and a score "
                f"below the threshold: {summary.name_known()}; a higher --false-positives calls "
                "more"
            )
        if summary.expected:
            say(f"false calls per megabase, both strands (95 % interval): {summary.expected}")
