"""Download live sources again: `refresh`."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from mirpair.cli.terminal import messages, say_error
from mirpair.files import InputError


def refresh(
    lock: Annotated[Path, typer.Argument(help="Lock file of live sources.", metavar="LOCK")],
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="Sources to download again, named as in the config; by default all in LOCK.",
            metavar="SOURCE",
        ),
    ] = None,
    release: Annotated[
        str,
        typer.Option(
            help="The publisher's name for the current release, recorded in the lock file; "
            "by default the time at which the publisher last modified the file."
        ),
    ] = "",
) -> None:
    """Download live sources again, and lock their current checksums.

    Run it in the folder in which you run snakemake. A file below results/raw is replaced only if
    its source has changed; snakemake then repeats all that depends on it. If a source cannot be
    downloaded, its file and its row in the lock file stay.

    Example: mirpair refresh config/organism.lock.tsv ncbi:GCF_000146045.2/cds
    """
    from mirpair.sources import live

    with messages():
        if not lock.exists():
            raise InputError(f"{lock}: there is no such lock file; the first download writes one")
        if not Path("results").is_dir():
            raise InputError(
                "there is no folder results here: run it in the folder where you run snakemake"
            )
        rows = live.read_lock(lock)
        named = list(dict.fromkeys(map(live.canonical, sources or rows)))
        if unknown := [source for source in named if source not in rows]:
            near = get_close_matches(unknown[0], rows, n=1)
            raise InputError(
                f"{lock}: there is no source {unknown[0]}"
                + (f"; did you mean {near[0]}?" if near else "")
            )
        if release and len(named) > 1:
            raise InputError(
                f"--release describes one source, but there are {len(named)}: name one source"
            )
        failed = 0
        for source in named:
            path = Path("results", "raw", live.raw_name(source))
            done = live.refresh(lock, {source: path}, releases={source: release})[source]
            if done.error:
                failed += 1
                say_error(f"{source}: {done.error}")
            elif done.changed:
                typer.echo(f"{source}\tchanged: {done.old} -> {done.new}, {done.bytes:,} bytes")
            else:
                typer.echo(f"{source}\tunchanged")
        if failed:
            raise InputError(f"{failed} of {len(named)} sources could not be downloaded; see above")
