"""Arguments and options that several commands share, each described once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mirpair.cli.terminal import say
from mirpair.files import InputError
from mirpair.settings import MIRBASE, NO_REFERENCE, Settings

Strict = Annotated[
    bool,
    typer.Option("--strict", help="Stop at the first record that is not valid."),
]
# The name of --strict in a former version.
OnAmbiguous = Annotated[Literal["error", "drop"] | None, typer.Option(hidden=True)]
KeepStructures = Annotated[
    bool,
    typer.Option(
        "--keep-structures",
        help="Take the structures of the file (dot-bracket, as RNAfold and mirpair fold write "
        "them), instead of folding anew.",
    ),
]
Fasta = Annotated[
    list[str],
    typer.Argument(
        help="FASTA files, plain or gzip; - is standard input. RNAfold's output and Stockholm are "
        "read too.",
        metavar="FASTA",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write; standard output if left out or -."),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", "-j", min=0, help="Number of processes; 0 uses all cores."),
]
Weights = Annotated[
    Path | None,
    typer.Option(help="Weights (safetensors); by default those that come with mirpair."),
]


Nearest = Annotated[bool | None, typer.Option("--nearest/--no-nearest", hidden=True)]


def reference_of(reference: str, nearest: bool | None) -> str:
    """Return the reference that is meant; `nearest` is the old option, which works until 0.2."""
    if nearest is None:
        return reference
    old = "--nearest" if nearest else "--no-nearest"
    if reference != MIRBASE:
        raise InputError(f"{old} is the old name of an option; give only --reference")
    new = MIRBASE if nearest else NO_REFERENCE
    say(f"{old} is now --reference {new}; the old name stops working in the next release")
    return new


def setting(kind: type[Settings], name: str, *flags: str) -> Any:
    """Make the option of a setting, with the bounds and the description of its field."""
    (metadata,) = (field.metadata for field in fields(kind) if field.name == name)
    # Typer shows closed ranges only.
    limits = (("gt", "above"), ("lt", "below"))
    open_range = " and ".join(f"{word} {metadata[key]}" for key, word in limits if key in metadata)
    described = f"{metadata['description']}{f' Must be {open_range}.' if open_range else ''}"
    return typer.Option(*flags, min=metadata.get("ge"), max=metadata.get("le"), help=described)
