"""Fold RNAs, draw them and export their pairing matrices: `fold`, `plot` and `export`."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple
from zlib import crc32

import typer

from mirpair.cli.options import Fasta, Jobs, KeepStructures, OnAmbiguous, Output, Strict
from mirpair.cli.terminal import (
    Skipped,
    check_inputs,
    check_output,
    cores,
    counted,
    messages,
    open_output,
    say,
    track,
)
from mirpair.files import InputError
from mirpair.rna.sequences import Problem, Record, Unfit, read_records
from mirpair.rna.text_files import STDIN, open_text

if TYPE_CHECKING:
    from mirpair.rna.encoded_sets import Tensors
    from mirpair.rna.encoding import Molecule
    from mirpair.rna.folding import Structure

# GB: 17,000 of the benchmark's RNAs as 400 × 400 × 9, in an hour or so.
_LARGEST = 100
_File = Annotated[
    str,
    typer.Argument(
        help="tensors.npz of a dataset of the workflow, or a FASTA file, plain or gzip, RNAfold's "
        "output or Stockholm; - is standard input.",
        metavar="FILE",
    ),
]


def fold(
    fasta: Fasta,
    output: Output = None,
    strict: Strict = False,
    jobs: Jobs = 0,
    on_ambiguous: OnAmbiguous = None,
) -> None:
    """Predict the minimum-free-energy structure of every RNA.

    The output has for each record, in the order of the files: its id, its sequence (upper case, U
    for T), and its structure in dot-bracket notation with the energy in kcal/mol. All files are
    read and checked before the folding begins. Records that cannot be folded are skipped, named and
    counted.

    Example: mirpair fold hairpins.fa.gz -o hairpins.dbn
    """
    with messages():
        check_output(output, fasta, usual=".dbn")
        read = read_all(fasta, strict=is_strict(strict, on_ambiguous))
        records = _usable(read)
        with open_output(output) as handle:
            folded = _fold([record.sequence for record in records], jobs or cores())
            for record in records:
                structure = folded[record.sequence]
                handle.write(
                    f">{record.id}\n{record.sequence}\n"
                    f"{structure.dot_bracket} ({structure.mfe:6.2f})\n"
                )


def is_strict(strict: bool, on_ambiguous: str | None) -> bool:
    """Translate the option `--on-ambiguous` of a former version, with a notice."""
    if on_ambiguous == "error":
        say("--on-ambiguous error is now --strict; the old name works for one more release")
    elif on_ambiguous == "drop":
        say("--on-ambiguous drop is no longer needed; it will be removed in the next release")
    return strict or on_ambiguous == "error"


def read_all(
    files: list[str], *, strict: bool, unfit: Callable[[str], str] = lambda _: ""
) -> list[tuple[Record, Problem | None]]:
    """Read all records, each with its problem if it has one; or, if strict, stop at the first.

    `unfit` says why a network cannot take a sequence; its text is empty if it can.
    """
    check_inputs(files)
    records = []
    for path in files:
        for record, problem in read_records(path, note=say, gaps="remove"):
            if problem is None and (reason := unfit(record.sequence)):
                problem = Unfit(record, reason)
            refuse_if(strict, problem)
            records.append((record, problem))
    return records


def refuse_if(strict: bool, problem: Problem | None) -> None:
    """Raise an `InputError` at a record with a problem if only valid ones are wanted."""
    if strict and problem:
        raise InputError(f"{problem}. Leave out --strict to skip such records.")


def name_skipped(read: list[tuple[Record, Problem | None]]) -> None:
    """Name and count the records with problems."""
    skipped = Skipped()
    for _, problem in read:
        if problem:
            skipped.add(problem)
    skipped.say()


def _usable(read: list[tuple[Record, Problem | None]]) -> list[Record]:
    """Return the records without problems, and name the others; an error if none is left."""
    records = [record for record, problem in read if not problem]
    if not records:
        count = counted(len(read), "record")
        raise InputError(f"nothing is left of {count}: {next(it for _, it in read if it)}")
    name_skipped(read)
    if len(records) < len(read):
        say(f"{len(read) - len(records):,} of {counted(len(read), 'record')} skipped")
    return records


def _fold(sequences: list[str], processes: int) -> dict[str, Structure]:
    """Fold each different sequence once."""
    from mirpair.rna.folding import fold_all, unique

    different = unique(sequences)
    # The processes start here, before the progress bar has a thread that a fork would cut.
    structures = fold_all(different, processes=processes)
    tracked = track(structures, len(different), "Folding")
    return dict(zip(different, tracked, strict=True))


def file_name(name: str) -> str:
    """Make the name of a file from an id, which may have other characters."""
    safe = re.sub(r"[^A-Za-z0-9._+-]+", "_", name).strip("._-")[:80] or "molecule"
    # Ids that differ only in such characters have a file each.
    return safe if safe == name else f"{safe}-{crc32(name.encode()):08x}"


def plot(
    file: _File,
    name: Annotated[str, typer.Argument(help="Id of the RNA.", metavar="ID")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Picture to write: .svg, .pdf or .png. [default: ID.svg]"
        ),
    ] = None,
    keep_structures: KeepStructures = False,
) -> None:
    """Draw the secondary structure and the pairing matrix of an RNA.

    From a FASTA file, only this RNA is folded.

    Example: mirpair plot hairpins.fa hsa-mir-21 -o mir-21.pdf
    """
    with messages():
        path = output or Path(f"{file_name(name)}.svg")
        check_output(path, [file], (".svg", ".pdf", ".png"))
        chosen = _choose(file, [name], keep_structures=keep_structures)

        from mirpair.pages.drawings import draw_molecule
        from mirpair.pages.style import save
        from mirpair.rna.encoding import decode
        from mirpair.rna.folding import Structure

        (molecule,) = _molecules(chosen, processes=1)
        sequence, dot_bracket = decode(molecule)
        label = None if chosen.labels is None else chosen.labels[0]
        figure = draw_molecule(name, sequence, Structure(dot_bracket, molecule.mfe), label)
        save(figure, path.resolve())
        if output is None:
            say(f"written: {path}")


def export(
    file: _File,
    output: Annotated[Path, typer.Option("--output", "-o", help="NPZ file to write.")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Ids of the RNAs.", metavar="ID")
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option("--ids", help="File with one id per line; - is standard input."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Export all RNAs of the file.")] = False,
    size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Zero-pad all matrices, right and below, into one array N × SIZE × SIZE × 9.",
        ),
    ] = None,
    dtype: Annotated[
        Literal["float16", "float32", "float64"],
        typer.Option(help="Type of the numbers; float16 rounds energies."),
    ] = "float32",
    without_pairing: Annotated[
        bool, typer.Option("--without-pairing", help="Leave out channel 0, so that 8 remain.")
    ] = False,
    keep_structures: KeepStructures = False,
    strict: Strict = False,
    jobs: Jobs = 0,
) -> None:
    """Write dense L × L × 9 pairing matrices as an NPZ file.

    Its arrays are ids, lengths, mfe (kcal/mol), labels if they are known, and for each RNA, in the
    order of the ids, matrix_0000, matrix_0001, …; with --size, one array matrices instead. Channel
    0 is the energy if bases i and j pair; channels 1–4 are A, C, G, U of base i, 5–8 of base j.

    Example: mirpair export hairpins.fa --all --size 400 -o hairpins.npz
    """
    with messages():
        check_output(output, [file, ids], (".npz",))
        if file == ids == STDIN:
            raise InputError("standard input (-) can be read only once")
        wanted = [*(names or []), *(_read_ids(ids) if ids else [])]
        if everything and (wanted or ids):
            raise InputError("--all exports every RNA of the file; give either --all or ids")
        if not everything and not wanted:
            raise InputError("no RNA was named: give ids, a file of ids with --ids, or --all")
        chosen = _choose(
            file,
            None if everything else wanted,
            keep_structures=keep_structures,
            strict=strict,
        )
        sides = [size or length for length in chosen.lengths]
        total = sum(side**2 for side in sides) * 9 * int(dtype.removeprefix("float")) / 8 / 1e9
        if total > _LARGEST:
            raise InputError(
                f"{len(sides)} matrices would be {total:,.0f} GB before compression: choose fewer "
                f"ids, a smaller --size or float16 (the limit is {_LARGEST} GB)"
            )

        from mirpair.rna.encoded_sets import export_dense

        export_dense(
            output.resolve(),
            chosen.ids,
            chosen.lengths,
            _molecules(chosen, processes=jobs or cores()),
            labels=chosen.labels,
            size=size,
            pairing=not without_pairing,
            dtype=dtype,
        )


class _Chosen(NamedTuple):
    """RNAs of a file: encoded, or records that may not be folded yet."""

    ids: list[str]
    lengths: list[int]
    labels: list[int] | None
    source: Tensors | list[Record]


def _read_ids(path: str) -> list[str]:
    if path == STDIN and sys.stdin is None:
        raise InputError("standard input is closed; give a file of ids with --ids")
    try:
        with open_text(path) as handle:
            text = handle.read()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file with one id per line") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _choose(
    file: str, wanted: list[str] | None, *, keep_structures: bool, strict: bool = False
) -> _Chosen:
    """Choose the RNAs with these ids, in this order, or all; nothing is folded here."""
    where = "standard input" if file == STDIN else file
    if wanted and (twice := _repeated(wanted)):
        raise InputError(f"the id {twice!r} is given more than once")
    source: Tensors | list[Record]
    if file.endswith(".npz"):
        from mirpair.rna.encoded_sets import Tensors

        try:
            source = Tensors.load(file)
        except InputError as error:
            raise InputError(f"{file}: not the tensors.npz of a dataset of the workflow") from error
        names = source.ids.tolist()
    else:
        check_inputs([file])
        read = list(read_records(file, note=say, gaps="remove", keep_structures=keep_structures))
        # An invalid record matters only if it is chosen.
        for record, problem in read:
            if problem and (strict if wanted is None else record.id in set(wanted)):
                raise InputError(str(problem))
        source = _usable(read) if wanted is None else [it for it, problem in read if not problem]
        names = [record.id for record in source]
    chosen = set(names if wanted is None else wanted)
    if twice := _repeated([name for name in names if name in chosen]):
        raise InputError(f"{where}: the id {twice!r} occurs more than once")
    indices = {name: index for index, name in enumerate(names)}
    ids = names if wanted is None else wanted
    if unknown := [name for name in ids if name not in indices]:
        near = get_close_matches(unknown[0], names, n=3, cutoff=0.5)
        raise InputError(
            f"{where}: no RNA has the id {unknown[0]!r}"
            + (f", and {len(unknown) - 1} more ids are unknown" if len(unknown) > 1 else "")
            + (f"; did you mean {' or '.join(map(repr, near))}?" if near else "")
        )
    if isinstance(source, list):
        records = [source[indices[name]] for name in ids]
        return _Chosen(ids, [len(record.sequence) for record in records], None, records)
    tensors = source.subset(source.indices(ids))
    return _Chosen(ids, tensors.lengths.tolist(), tensors.labels.tolist(), tensors)


def _repeated(names: list[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)


def _molecules(chosen: _Chosen, *, processes: int) -> Iterator[Molecule]:
    """Encode RNAs one after the other; fold them first if they have no structure."""
    if isinstance(chosen.source, list):
        from mirpair.rna.encoding import encode
        from mirpair.rna.folding import given_or_folded

        records = chosen.source
        folded = _fold([it.sequence for it in records if not it.structure], processes)
        encoded = (
            encode(
                it.sequence,
                *(
                    given_or_folded(it.sequence, it.structure)
                    if it.structure
                    else folded[it.sequence]
                ),
            )
            for it in records
        )
    else:
        encoded = (molecule for molecule in chosen.source)
    yield from track(encoded, len(chosen.ids), "Encoding")
