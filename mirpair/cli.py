"""The command-line tool."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mirpair import __version__
from mirpair.files import InputError, atomic
from mirpair.sequences import STDIN, Dropped, read_fasta

app = typer.Typer(
    help="Tools for precursor microRNAs and their pairing matrices (Do et al. 2018).\n\n"
    "The workflow that trains networks and reproduces the paper's tables is run with "
    "snakemake, see README.md; here is what works on a FASTA file alone.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
console = Console(stderr=True)
_PLAIN: dict[str, Any] = {"highlight": False, "soft_wrap": True}


class OnAmbiguous(StrEnum):
    """What to do with a record that has a character outside ACGU."""

    ERROR = "error"
    DROP = "drop"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mirpair {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@contextmanager
def _messages() -> Iterator[None]:
    """End with a message where the user or the system is at fault, not with a traceback."""
    # A batch system's time limit: end as by Ctrl-C, so that no temporary file is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    except BrokenPipeError:
        # The reader, `head` say, has seen enough; the interpreter must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (InputError, OSError) as error:
        console.print("[bold red]error:[/]", escape(str(error)), **_PLAIN)
        raise typer.Exit(1) from error


def _check_output(path: Path, inputs: list[str]) -> None:
    """Refuse, before the long work, a place that cannot or should not be written."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file to write, such as {path / 'out.dbn'}")
    if path.suffix == ".gz":
        raise InputError(f"{path}: the output is plain text; leave -o out and pipe it into gzip")
    if path.exists() and any(place != STDIN and path.samefile(place) for place in inputs):
        raise InputError(f"{path} is an input file; write the output to another one")


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that gets its final name only when it is complete."""
    if path is None or str(path) == STDIN:
        yield sys.stdout
        sys.stdout.flush()
    elif path.exists() and not path.is_file():  # a device or a pipe has no half-written state
        with path.open("w", encoding="utf-8", newline="\n") as handle:
            yield handle
    else:
        # A link stays a link: what it points to is written.
        with (
            atomic(path.resolve()) as temporary,
            temporary.open("w", encoding="utf-8", newline="\n") as handle,
        ):
            yield handle


@app.command()
def fold(
    fasta: Annotated[
        list[str],
        typer.Argument(help="FASTA files, plain or gzip; - is standard input.", metavar="FASTA..."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; - or nothing is standard output."),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option("--jobs", "-j", min=0, help="Processes; 0 takes all cores."),
    ] = 0,
    on_ambiguous: Annotated[
        OnAmbiguous,
        typer.Option(help="What to do with a record that has a character outside ACGU(T)."),
    ] = OnAmbiguous.ERROR,
) -> None:
    """Predict the minimum-free-energy structure of every RNA.

    For each record, in the order of the files: its id, its sequence (upper case, U for T), and
    its structure in dot-bracket notation with the energy in kcal/mol. All files are read and
    checked before the folding begins.

    Example: mirpair fold hairpins.fa.gz -o hairpins.dbn
    """
    with _messages():
        from mirpair.folding import fold_all, unique

        if fasta.count(STDIN) > 1:
            raise InputError("standard input (-) can be read only once")
        dropped: list[Dropped] | None = [] if on_ambiguous is OnAmbiguous.DROP else None
        if output is not None:
            _check_output(output, fasta)
        records = [record for path in fasta for record in read_fasta(path, dropped=dropped)]
        for left_out in dropped or []:
            console.print("[yellow]dropped:[/]", escape(str(left_out)), **_PLAIN)
        if not records:
            raise InputError(f"{', '.join(fasta)}: no records are left to fold")
        sequences = unique(record.sequence for record in records)
        # The processes start here, before the progress bar has a thread that a fork would cut.
        structures = fold_all(sequences, processes=jobs or _cores())
        with _progress() as progress, _output(output) as handle:
            folded = dict(
                zip(
                    sequences,
                    progress.track(structures, total=len(sequences), description="Folding"),
                    strict=True,
                )
            )
            for record in records:
                structure = folded[record.sequence]
                handle.write(
                    f">{record.id}\n{record.sequence}\n"
                    f"{structure.dot_bracket} ({structure.mfe:6.2f})\n"
                )


def _cores() -> int:
    """Cores that this process may use, which on a cluster are fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("RNAs"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


if __name__ == "__main__":
    app()
