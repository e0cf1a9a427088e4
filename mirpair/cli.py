"""The command-line tool."""

from __future__ import annotations

import csv
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mirpair import __version__
from mirpair.files import InputError, atomic
from mirpair.sequences import STDIN, Dropped, Record, read_fasta

if TYPE_CHECKING:
    import pandas as pd

    from mirpair.annotation import Annotator
    from mirpair.encoding import Molecule, Tensors
    from mirpair.folding import Structure
    from mirpair.models import Network

app = typer.Typer(
    help="Tools for precursor microRNAs and their pairing matrices (Do et al. 2018).\n\n"
    "The workflow that trains networks and reproduces the paper's tables is run with "
    "snakemake, see README.md; here is what works on a FASTA file, or on a set of the workflow.",
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


class Threshold(StrEnum):
    """From which score on an RNA is of a trained family."""

    FALSE_POSITIVES = "5%"
    YOUDEN = "youden"


class Precision(StrEnum):
    """Of the numbers that are exported."""

    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"


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
        text = str(error)
        if isinstance(error, OSError) and error.filename:
            text = f"{error.filename}: {error.strerror}"
        console.print("[bold red]error:[/]", escape(text), **_PLAIN)
        raise typer.Exit(1) from error


def _check_output(
    path: Path, inputs: list[str], suffixes: tuple[str, ...] = (), *, usual: str = ".tsv"
) -> None:
    """Refuse, before the long work, a place that cannot or should not be written."""
    if path.is_dir():
        example = path / f"out{suffixes[0] if suffixes else usual}"
        raise InputError(f"{path} is a folder; name a file to write, such as {example}")
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(
            f"{path}: the name of the output tells its format; it must end in "
            f"{', '.join(suffixes[:-1])}{' or ' * (len(suffixes) > 1)}{suffixes[-1]}"
        )
    if path.suffix == ".gz":
        raise InputError(f"{path}: the output is plain text; leave -o out and pipe it into gzip")
    if suffixes and path.exists() and not path.is_file():
        raise InputError(f"{path} is a device or a pipe; name a file to write")
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
        if output is not None:
            _check_output(output, fasta, usual=".dbn")
        records = _read(fasta, on_ambiguous)
        with _output(output) as handle:
            folded = _fold(records, jobs)
            for record in records:
                structure = folded[record.sequence]
                handle.write(
                    f">{record.id}\n{record.sequence}\n"
                    f"{structure.dot_bracket} ({structure.mfe:6.2f})\n"
                )


def _read(fasta: list[str], on_ambiguous: OnAmbiguous) -> list[Record]:
    """All records; those that are left out are named and counted."""
    if fasta.count(STDIN) > 1:
        raise InputError("standard input (-) can be read only once")
    dropped: list[Dropped] | None = [] if on_ambiguous is OnAmbiguous.DROP else None
    records = [record for path in fasta for record in read_fasta(path, dropped=dropped)]
    for left_out in dropped or []:
        console.print("[yellow]dropped:[/]", escape(str(left_out)), **_PLAIN)
    if dropped:
        console.print(f"{len(dropped)} of {len(dropped) + len(records)} records dropped", **_PLAIN)
    if not records:
        raise InputError(f"{', '.join(fasta)}: no records are left")
    return records


def _fold(records: list[Record], jobs: int) -> dict[str, Structure]:
    """Structure of each sequence."""
    from mirpair.folding import fold_all, unique

    sequences = unique(record.sequence for record in records)
    # The processes start here, before the progress bar has a thread that a fork would cut.
    structures = fold_all(sequences, processes=jobs or _cores())
    with _progress() as progress:
        tracked = progress.track(structures, total=len(sequences), description="Folding")
        return dict(zip(sequences, tracked, strict=True))


_FASTA = typer.Argument(help="FASTA files, plain or gzip; - is standard input.", metavar="FASTA...")
_TSV = typer.Option("--output", "-o", help="TSV to write; - or nothing is standard output.")
_JOBS = typer.Option("--jobs", "-j", min=0, help="Processes and threads; 0 takes all cores.")
_AMBIGUOUS = typer.Option(help="What to do with a record that has a character outside ACGU(T).")


@app.command()
def annotate(
    fasta: Annotated[list[str], _FASTA],
    output: Annotated[Path | None, _TSV] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Safetensors file; the one that comes with mirpair, if left out."),
    ] = None,
    threshold: Annotated[
        Threshold,
        typer.Option(help="For what is in a family: that of 5% false positives, or Youden's."),
    ] = Threshold.FALSE_POSITIVES,
    jobs: Annotated[int, _JOBS] = 0,
    on_ambiguous: Annotated[OnAmbiguous, _AMBIGUOUS] = OnAmbiguous.ERROR,
) -> None:
    """Name the microRNA family of every hairpin, and say which is of none that is known.

    For each record, in the order of the files: id, length (nt), family (Rfam) and its probability,
    distribution (in or out), the nearest training RNA by shared 8-mers with its family, identity
    (matches by the columns of the alignment with it), and the reason where there is no family.
    The probability is the network's among the families that it knows.

    Example: mirpair annotate hairpins.fa.gz -o families.tsv
    """
    with _messages():
        if output is not None:
            _check_output(output, [*fasta, *([str(weights)] if weights else [])])
        annotator = _annotator(weights)
        records = _read(fasta, on_ambiguous)
        rows = _annotated(annotator, records, threshold, jobs)
        with _progress() as progress, _output(output) as handle:
            task = progress.add_task("Annotating", total=len(records))
            counts: Counter[str] = Counter()
            for number, table in enumerate(rows):
                _write(handle, table, header=number == 0)
                counts.update(table["reason"].str.split(":").str[0])
                progress.advance(task, len(table))
        named = ", ".join(f"{n} {reason or 'named'}" for reason, n in sorted(counts.items()))
        console.print(f"{len(records)} records: {named}", **_PLAIN)


@app.command()
def predict(
    fasta: Annotated[list[str], _FASTA],
    weights: Annotated[
        Path, typer.Option(help="weights.safetensors of a training of the workflow.")
    ],
    output: Annotated[Path | None, _TSV] = None,
    annotated: Annotated[
        bool, typer.Option("--annotate", help="Add the columns of mirpair annotate.")
    ] = False,
    jobs: Annotated[int, _JOBS] = 0,
    on_ambiguous: Annotated[OnAmbiguous, _AMBIGUOUS] = OnAmbiguous.ERROR,
) -> None:
    """Score every RNA as a pre-miRNA, with a network that the workflow trained.

    For each record, in the order of the files: id, length (nt), structure (dot-bracket), mfe
    (kcal/mol), score (probability of being a pre-miRNA) and call (1 from a score of 0.5 on). What
    is too long for the network has no score and no call.

    Example: mirpair predict rnas.fa --weights weights.safetensors --annotate -o calls.tsv
    """
    with _messages():
        if output is not None:
            _check_output(output, [*fasta, str(weights)])
        network = _network(weights)
        annotator = _annotator(None) if annotated else None
        records = _read(fasta, on_ambiguous)
        limit = network.model.max_length or sys.maxsize
        if long := sum(len(record.sequence) > limit for record in records):
            console.print(f"{long} records are too long for this network: > {limit} nt", **_PLAIN)
        with _output(output) as handle:
            folded = _fold(records, jobs)
            more = (
                _annotated(annotator, records, Threshold.FALSE_POSITIVES, jobs, folded)
                if annotator
                else None
            )
            with _progress() as progress:
                task = progress.add_task("Scoring", total=len(records))
                for start in range(0, len(records), _CHUNK):
                    table = _scored(network, records[start : start + _CHUNK], folded)
                    if more:
                        table = table.join(next(more).drop(columns=["id", "length"]))
                    _write(handle, table, header=start == 0)
                    progress.advance(task, len(table))


_CHUNK = 1000
_ANNOTATED = [
    *("id", "length", "family", "probability", "distribution"),
    *("nearest", "nearest_family", "identity", "reason"),
]


def _annotator(weights: Path | None) -> Annotator:
    from mirpair.annotation import load, shipped

    return load(_file(weights) if weights else shipped())


def _file(weights: Path) -> Path:
    if not weights.is_file():
        raise InputError(f"{weights}: there is no such file; name a file of weights")
    return weights


def _network(weights: Path) -> Network:
    """In double precision: a score does not depend on the RNAs beside it in any printed digit."""
    from mirpair.inference import load_weights

    network = load_weights(_file(weights))
    if network.classes:
        raise InputError(
            f"{weights}: this network tells families apart, it does not tell who is a pre-miRNA; "
            "name the weights of a training of such a study"
        )
    return network.double()


def _annotated(
    annotator: Annotator,
    records: list[Record],
    threshold: Threshold,
    jobs: int,
    folded: dict[str, Structure] | None = None,
) -> Iterator[pd.DataFrame]:
    """Rows of so many records at a time; the processes that fold start here."""
    import torch

    from mirpair.annotation import in_chunks

    parts = in_chunks(
        annotator,
        [record.sequence for record in records],
        threshold=threshold.value,
        processes=jobs or _cores(),
        folded=folded,
        chunk=_CHUNK,
    )
    torch.set_num_threads(jobs or _cores())
    chunks = (records[n : n + _CHUNK] for n in range(0, len(records), _CHUNK))
    return (
        table.drop(columns="score").assign(id=[record.id for record in part])[_ANNOTATED]
        for part, table in zip(chunks, parts, strict=True)
    )


def _scored(network: Network, records: list[Record], folded: dict[str, Structure]) -> pd.DataFrame:
    import pandas as pd

    from mirpair.encoding import encode
    from mirpair.inference import predict, scores_of

    limit = network.model.max_length
    fits = [limit is None or len(record.sequence) <= limit for record in records]
    molecules = [
        encode(record.sequence, *folded[record.sequence])
        for record, fit in zip(records, fits, strict=True)
        if fit
    ]
    scores = iter(scores_of(predict(network, molecules)).tolist())
    structures = [folded[record.sequence] for record in records]
    table = pd.DataFrame(
        {
            "id": [record.id for record in records],
            "length": [len(record.sequence) for record in records],
            "structure": [structure.dot_bracket for structure in structures],
            "mfe": [f"{structure.mfe:.2f}" for structure in structures],
            "score": [next(scores) if fit else None for fit in fits],
        }
    )
    table["call"] = ["" if pd.isna(score) else str(int(score >= 0.5)) for score in table["score"]]
    return table


def _write(handle: TextIO, table: pd.DataFrame, *, header: bool) -> None:
    table.to_csv(
        handle,
        sep="\t",
        index=False,
        header=header,
        float_format="%.4f",
        lineterminator="\n",
        quoting=csv.QUOTE_NONE,  # an id may have a quotation mark, but no blank
    )


# GB: 17,000 of the benchmark's RNAs as 400 × 400 × 9, at an hour or so.
_LARGEST = 100
_FILE = typer.Argument(
    help="A set's tensors.npz of the workflow, or a FASTA file, plain or gzip; - is stdin.",
    metavar="FILE",
)


@app.command()
def plot(
    file: Annotated[str, _FILE],
    name: Annotated[str, typer.Argument(help="Id of the RNA.", metavar="ID")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Picture to write: .svg, .pdf or .png. [default: ID.svg]"
        ),
    ] = None,
) -> None:
    """Draw an RNA's secondary structure and its pairing matrix.

    Of a FASTA file, this RNA alone is folded.

    Example: mirpair plot hairpins.fa hsa-mir-21 -o mir-21.pdf
    """
    with _messages():
        # An id may have anything in it; the name of a file may not.
        safe = re.sub(r"[^A-Za-z0-9._+-]+", "_", name).strip("._-")[:100] or "molecule"
        path = output or Path(f"{safe}.svg")
        _check_output(path, [file], (".svg", ".pdf", ".png"))
        chosen = _choose(file, [name])

        from mirpair.drawings import draw_molecule
        from mirpair.encoding import decode
        from mirpair.figures import save
        from mirpair.folding import Structure

        (molecule,) = _molecules(chosen, processes=1)
        sequence, dot_bracket = decode(molecule)
        label = None if chosen.labels is None else chosen.labels[0]
        figure = draw_molecule(name, sequence, Structure(dot_bracket, molecule.mfe), label)
        save(figure, path.resolve())
        if output is None:
            console.print("written:", escape(str(path)), **_PLAIN)


@app.command()
def export(
    file: Annotated[str, _FILE],
    output: Annotated[Path, typer.Option("--output", "-o", help="NPZ to write.")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Ids of the RNAs.", metavar="[ID]...")
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option("--ids", help="File with an id in each line; - is standard input."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All RNAs of the file.")] = False,
    size: Annotated[
        int | None,
        typer.Option(min=1, help="Zero-pad all, right and below, into one N × SIZE × SIZE × 9."),
    ] = None,
    dtype: Annotated[
        Precision, typer.Option(help="Of the numbers; float16 rounds energies.")
    ] = Precision.FLOAT32,
    without_pairing: Annotated[
        bool, typer.Option("--without-pairing", help="Leave channel 0 out: 8 channels.")
    ] = False,
    jobs: Annotated[
        int,
        typer.Option("--jobs", "-j", min=0, help="Processes that fold; 0 takes all cores."),
    ] = 0,
) -> None:
    """Write dense L × L × 9 pairing matrices for other frameworks, as an NPZ.

    It holds ids, lengths, mfe (kcal/mol), labels where they are known, and for each RNA, in the
    order of the ids, matrix_0000, matrix_0001, …; with --size, one array matrices. Channel 0 is
    the energy where i pairs with j, 1–4 are A C G U of base i, 5–8 of base j.

    Example: mirpair export hairpins.fa --all --size 400 -o hairpins.npz
    """
    with _messages():
        _check_output(output, [file, *([ids] if ids else [])], (".npz",))
        if file == ids == STDIN:
            raise InputError("standard input (-) can be read only once")
        wanted = [*(names or []), *(_read_ids(ids) if ids else [])]
        if everything and (wanted or ids):
            raise InputError("--all takes every RNA of the file; give either it or ids")
        if not everything and not wanted:
            raise InputError(
                "no RNA was named: give ids, a file of them with --ids, or --all for all"
            )
        chosen = _choose(file, None if everything else wanted)
        sides = [size or length for length in chosen.lengths]
        total = sum(side**2 for side in sides) * 9 * int(dtype.value[5:]) / 8 / 1e9
        if total > _LARGEST:
            raise InputError(
                f"{len(sides)} matrices would be {total:,.0f} GB before compression: choose fewer "
                f"ids, a smaller --size or float16 (up to {_LARGEST} GB are written)"
            )

        from mirpair.encoding import export_dense

        export_dense(
            output.resolve(),
            chosen.ids,
            chosen.lengths,
            _molecules(chosen, processes=jobs or _cores()),
            labels=chosen.labels,
            size=size,
            pairing=not without_pairing,
            dtype=dtype.value,
        )


class _Chosen(NamedTuple):
    """RNAs of a file, as they are in it: encoded, or sequences that are to be folded."""

    ids: list[str]
    lengths: list[int]
    labels: list[int] | None
    source: Tensors | list[str]


def _read_ids(path: str) -> list[str]:
    if path == STDIN:
        text = sys.stdin.read()
    else:
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not a text file with an id in each line") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _choose(file: str, wanted: list[str] | None) -> _Chosen:
    """RNAs with these ids, in this order; None takes all. Nothing is folded here."""
    where = "standard input" if file == STDIN else file
    if wanted and (twice := _repeated(wanted)):
        raise InputError(f"the id {twice!r} is given more than once")
    dropped: list[Dropped] = []
    source: Tensors | list[Record]
    if file.endswith(".npz"):
        from mirpair.encoding import Tensors

        try:
            source = Tensors.load(file)
        except InputError as error:
            raise InputError(f"{file}: no tensors.npz of a set of the workflow") from error
        names = source.ids.tolist()
    else:
        source = list(read_fasta(file, dropped=dropped))
        names = [record.id for record in source]
    asked = set(names if wanted is None else wanted)
    # A record that cannot be understood matters only if it is asked for.
    for left_out in dropped:
        if wanted is None or left_out.record.id in asked:
            raise InputError(str(left_out))
    if twice := _repeated([name for name in names if name in asked]):
        raise InputError(f"{where}: the id {twice!r} stands there more than once")
    places = {name: place for place, name in enumerate(names)}
    ids = names if wanted is None else wanted
    if unknown := [name for name in ids if name not in places]:
        near = get_close_matches(unknown[0], names, n=3, cutoff=0.5)
        raise InputError(
            f"{where}: no RNA has the id {unknown[0]!r}"
            + (f", and {len(unknown) - 1} more ids are unknown" if len(unknown) > 1 else "")
            + (f"; near it are {', '.join(map(repr, near))}" if near else "")
        )
    if isinstance(source, list):
        sequences = [source[places[name]].sequence for name in ids]
        return _Chosen(ids, [len(sequence) for sequence in sequences], None, sequences)
    tensors = source.subset(source.indices(ids))
    return _Chosen(ids, tensors.lengths.tolist(), tensors.labels.tolist(), tensors)


def _repeated(names: list[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)


def _molecules(chosen: _Chosen, *, processes: int) -> Iterator[Molecule]:
    """Molecules one after the other, folded before where they are sequences."""
    if isinstance(chosen.source, list):
        from mirpair.encoding import encode
        from mirpair.folding import fold_all, unique

        sequences = unique(chosen.source)
        # As in `fold`: the processes start before the progress bar.
        structures = fold_all(sequences, processes=processes)
        with _progress() as progress:
            tracked = progress.track(structures, total=len(sequences), description="Folding")
            folded = dict(zip(sequences, tracked, strict=True))
        encoded = (encode(sequence, *folded[sequence]) for sequence in chosen.source)
    else:
        encoded = (molecule for molecule in chosen.source)
    with _progress() as progress:
        yield from progress.track(encoded, total=len(chosen.ids), description="Encoding")


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
