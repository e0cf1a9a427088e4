"""The program `mirpair`: its commands and its version."""

from __future__ import annotations

from typing import Annotated

import typer

from mirpair import __version__
from mirpair.cli.explain import explain
from mirpair.cli.live import refresh
from mirpair.cli.predict import annotate, predict
from mirpair.cli.scan import scan
from mirpair.cli.selftest import selftest
from mirpair.cli.sequences import export, fold, plot
from mirpair.cli.serve import serve

app = typer.Typer(
    help="Find precursor microRNAs, and look at their pairing matrices (Do et al. 2018).\n\n"
    "These commands work on FASTA files and genomes. The workflow that trains networks and "
    "reproduces the paper's tables runs with snakemake, see README.md.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes and colours would make help take twice as long
)
for command in (fold, annotate, predict, explain, scan, serve, refresh, selftest, plot, export):
    app.command()(command)


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


if __name__ == "__main__":
    app()
