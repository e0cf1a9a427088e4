"""The command-line tool."""

from __future__ import annotations

import os
import re
import signal
import stat
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TextIO, TypeVar

import typer

from mirpair import __version__
from mirpair.files import InputError, atomic, explain_error, file_lock
from mirpair.rna.sequences import STDIN, Dropped, Problem, Record, read_fasta, read_records

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.progress import Progress

    from mirpair.families.annotation import Annotator
    from mirpair.prediction.predictor import Predictor
    from mirpair.rna.encoded_sets import Tensors
    from mirpair.rna.encoding import Molecule
    from mirpair.rna.folding import Structure

T = TypeVar("T")

app = typer.Typer(
    help="Tools for precursor microRNAs and their pairing matrices (Do et al. 2018).\n\n"
    "The workflow that trains networks and reproduces the paper's tables is run with "
    "snakemake, see README.md; here is what works on a FASTA file, or on a set of the workflow.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes and colours would make help take twice as long
)


class OnAmbiguous(StrEnum):
    """What to do with a record that has a character outside ACGU."""

    ERROR = "error"
    DROP = "drop"


class Threshold(StrEnum):
    """From which score on an RNA is of a trained family."""

    FALSE_POSITIVES = "5%"
    YOUDEN = "youden"


class FalsePositives(StrEnum):
    """Of the hairpins of a genome without pre-miRNAs, which share a scan may call."""

    FIVE = "5%"
    ONE = "1%"
    TENTH = "0.1%"


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


@cache
def _terminal() -> Console | None:
    """Standard error, if it is a terminal: only there is Rich worth the time of its import."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    from rich.console import Console

    return Console(stderr=True)


def _say(text: str, *, mark: str = "", style: str = "yellow") -> None:
    """Write a message to standard error, after a mark that is coloured on a terminal."""
    if terminal := _terminal():
        from rich.text import Text

        shown = Text.assemble((mark, style), " " * bool(mark), text)
        # In one line, which can be copied, however narrow the terminal is.
        terminal.print(shown, soft_wrap=True, highlight=False)
    elif sys.stderr is not None:  # closed, it is None; `print` would then write to standard output
        print(*filter(None, [mark, text]), file=sys.stderr)


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
            text = explain_error(error) or f"{error.filename}: {error.strerror}"
        _say(text, mark="error:", style="bold red")
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
        typer.Argument(help="FASTA files, plain or gzip; - is standard input.", metavar="FASTA"),
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
        _say(str(left_out), mark="dropped:")
    if dropped:
        _say(f"{len(dropped)} of {len(dropped) + len(records)} records dropped")
    if not records:
        raise InputError(f"{', '.join(fasta)}: no records are left")
    return records


def _fold(records: list[Record], jobs: int) -> dict[str, Structure]:
    """Structure of each sequence."""
    from mirpair.rna.folding import fold_all, unique

    sequences = unique(record.sequence for record in records)
    # The processes start here, before the progress bar has a thread that a fork would cut.
    structures = fold_all(sequences, processes=jobs or _cores())
    tracked = _track(structures, len(sequences), "Folding")
    return dict(zip(sequences, tracked, strict=True))


_FASTA = typer.Argument(help="FASTA files, plain or gzip; - is standard input.", metavar="FASTA")
_TSV = typer.Option("--output", "-o", help="TSV to write; - or nothing is standard output.")
_JOBS = typer.Option("--jobs", "-j", min=0, help="Processes and threads; 0 takes all cores.")
_WEIGHTS = typer.Option(help="Safetensors file; the one that comes with mirpair, if left out.")
_PRIOR = typer.Option(help="Share of pre-miRNAs that is expected among what is scored.")
_THRESHOLD = typer.Option(help="Probability from which on something is called a pre-miRNA.")
_NO_NEAREST = typer.Option("--no-nearest", help="Do not look for the nearest known hairpin.")
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
    """Name the microRNA family of every hairpin.

    A hairpin that is of no known family is out of distribution.

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
        with _output(output) as handle:
            counts: Counter[str] = Counter()
            # Rows that appear on the same terminal are progress enough.
            seen = handle is sys.stdout and sys.stdout.isatty()
            tracked = rows if seen else _track(rows, len(records), "Annotating", len)
            for number, table in enumerate(tracked):
                _write(handle, table, header=number == 0)
                counts.update(table["reason"].str.split(":").str[0])
        named = ", ".join(f"{n} {reason or 'named'}" for reason, n in sorted(counts.items()))
        _say(f"{len(records)} records: {named}")


@app.command()
def predict(
    fasta: Annotated[list[str], _FASTA],
    output: Annotated[Path | None, _TSV] = None,
    weights: Annotated[Path | None, _WEIGHTS] = None,
    prior: Annotated[float, _PRIOR] = 0.1,
    threshold: Annotated[float, _THRESHOLD] = 0.5,
    no_nearest: Annotated[bool, _NO_NEAREST] = False,
    calls: Annotated[
        Path | None, typer.Option("--fasta", help="FASTA to write, of what is called.")
    ] = None,
    gff3: Annotated[
        Path | None,
        typer.Option(help="GFF3 to write, of what is called, if ids are like chr1:100-190(+)."),
    ] = None,
    bed: Annotated[Path | None, typer.Option(help="BED to write, likewise.")] = None,
    annotated: Annotated[
        bool, typer.Option("--annotate", help="Name the family too, as mirpair annotate does.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End at the first record that cannot be scored.")
    ] = False,
    jobs: Annotated[int, _JOBS] = 0,
) -> None:
    """Decide which RNAs are pre-miRNAs.

    For each record, in the order of the files: id, length (nt), structure (dot-bracket), mfe
    (kcal/mol), score (of the network, for as many pre-miRNAs as others), probability (of a
    pre-miRNA, if a share --prior of all records is one), call (1 from a probability of 0.5 on),
    reason (why there is no score), nearest (hairpin of miRBase 22), identity (matches by the
    columns of the alignment with it), status (known from an identity of 0.8 on, or novel); with
    --annotate, family (Rfam), its probability and distribution.

    Example: mirpair predict candidates.fa more.fa.gz -o calls.tsv
    """
    with _messages():
        extra = {".fa": calls, ".gff3": gff3, ".bed": bed}
        outputs = [(usual, path) for usual, path in {".tsv": output, **extra}.items() if path]
        inputs = [*fasta, *([str(weights)] if weights else [])]
        for usual, path in outputs:
            _check_output(path, inputs, usual=usual)
        places = [path.resolve() for _, path in outputs if str(path) != STDIN]
        if len(set(places)) < len(places):
            raise InputError("two outputs have the same name; give each its own")
        if (output is None) + [str(path) for _, path in outputs].count(STDIN) > 1:
            raise InputError("two outputs go to standard output; give all but one a name")
        if fasta.count(STDIN) > 1:
            raise InputError("standard input (-) can be read only once")
        _check_inputs(fasta)

        from mirpair.prediction import predictor as prediction
        from mirpair.prediction.tracks import gff3_head

        settings = prediction.Settings(prior, threshold, not no_nearest)
        prediction.check_settings(settings)
        predictor = prediction.load(weights)
        _one_thread_for(jobs)
        annotator = _annotator(None) if annotated else None
        named = _FAMILY if annotator else []
        _say_uncalibrated(predictor, threshold)
        with ExitStack() as stack:
            handle = stack.enter_context(_output(output))
            files = {
                usual: stack.enter_context(_output(path)) for usual, path in extra.items() if path
            }
            progress = _Bytes(fasta)
            pending: deque[Record] = deque()
            records = _checked(fasta, strict, predictor.reason, progress, pending)
            tables = prediction.predict_records(
                records, predictor, settings, processes=jobs or _cores()
            )
            handle.write("\t".join([prediction.header(nearest=settings.nearest), *named]) + "\n")
            if ".gff3" in files:
                files[".gff3"].write(gff3_head([f"mirpair {__version__} predict"]))
            reasons: Counter[str] = Counter()
            called = located = total = 0
            with progress:
                for table in tables:
                    read = [pending.popleft() for _ in range(len(table))]
                    lines = prediction.to_lines(table)
                    if annotator:
                        families = _families(annotator, table, read)
                        lines = ["\t".join(it) for it in zip(lines, families, strict=True)]
                    handle.write("".join(f"{line}\n" for line in lines))
                    total += len(table)
                    reasons.update(table["reason"].replace(_CHARACTER, "odd character", regex=True))
                    for record, row in zip(read, table.to_dict("records"), strict=True):
                        if row["call"] == 1:
                            called += 1
                            located += _write_call(files, record, row)
                    progress.done(len(table))
        kinds: Counter[str] = Counter()
        for reason, count in reasons.items():
            kinds[reason.split(":")[0]] += count
        without = "".join(f", {n:,} {kind}" for kind, n in sorted(kinds.items()) if kind)
        _say(f"{total:,} records: {called:,} called pre-miRNAs{without}")
        if (gff3 or bed) and located < called:
            _say(
                f"{called - located:,} of them have no coordinates in their id, such as "
                "chr1:100-190(+), and are not in the GFF3 or BED"
            )


def _one_thread_for(jobs: int) -> None:
    """One process that was asked for has one thread too; more have one each by themselves."""
    if jobs == 1:
        import torch

        torch.set_num_threads(1)


def _say_uncalibrated(predictor: Predictor, least: float | None) -> None:
    if predictor.calibration is None:
        _say(
            "these weights are not calibrated: there is no probability, and what has a "
            f"score of {least} or more is called"
        )


_FAMILY = ["family", "family_probability", "distribution"]


def _families(annotator: Annotator, table: pd.DataFrame, records: list[Record]) -> Iterator[str]:
    """Columns `_FAMILY` of each row, empty where there is no score."""
    from mirpair.families.annotation import in_chunks
    from mirpair.rna.folding import Structure

    scored = table[table["score"].notna()]
    folded = {
        records[place].sequence: Structure(row["structure"], row["mfe"])
        for place, row in zip(scored.index, scored.to_dict("records"), strict=True)
    }
    sequences = [records[place].sequence for place in scored.index]
    parts = in_chunks(annotator, sequences, folded=folded) if sequences else []
    found = {
        place: row
        for part in parts
        for place, row in zip(scored.index, part.to_dict("records"), strict=True)
    }
    for place in table.index:
        row = found.get(place)
        known = row is not None and row["family"]
        probability = f"{row['probability']:.4f}" if row and known else ""
        yield "\t".join([row["family"], probability, row["distribution"]]) if row else "\t\t"


def _write_call(files: dict[str, TextIO], record: Record, row: dict[Any, Any]) -> bool:
    """Into those of FASTA, GFF3 and BED that are asked for; whether its id says where it is."""
    from mirpair.prediction.tracks import bed_line, fasta_entry, gff3_line, place_of

    if ".fa" in files:
        files[".fa"].write(fasta_entry(record.id, record.sequence))
    place = place_of(record.id, len(record.sequence))
    if place and ".gff3" in files:
        files[".gff3"].write(gff3_line(place, row))
    if place and ".bed" in files:
        files[".bed"].write(bed_line(place, row))
    return place is not None


@app.command()
def scan(
    genome: Annotated[Path, typer.Argument(help="FASTA file, plain or gzip.", metavar="GENOME")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    weights: Annotated[Path | None, _WEIGHTS] = None,
    prior: Annotated[float, _PRIOR] = 0.001,
    false_positives: Annotated[
        FalsePositives,
        typer.Option(help="Share of a genome's hairpins without pre-miRNAs that may be called."),
    ] = FalsePositives.ONE,
    span: Annotated[int, typer.Option(min=50, max=400, help="Longest hairpin, nt.")] = 120,
    stem: Annotated[int, typer.Option(min=3, help="Least base pairs of a hairpin.")] = 18,
    loop: Annotated[int, typer.Option(min=3, help="Most bases in its loop.")] = 25,
    mfe: Annotated[float, typer.Option(max=0, help="Highest energy, kcal/mol.")] = -15.0,
    masked: Annotated[
        bool, typer.Option("--masked", help="Pass over lower-case (soft-masked) bases, as over N.")
    ] = False,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Fold only stems found before: faster, and some are missed."),
    ] = False,
    no_nearest: Annotated[bool, _NO_NEAREST] = False,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Keep what was found: a scan with other weights folds nothing."
        ),
    ] = False,
    jobs: Annotated[int, _JOBS] = 0,
) -> None:
    """Find the pre-miRNAs of a genome, on both strands.

    ViennaRNA's windowed folding finds hairpins; of those that overlap on a strand the most stable
    is folded by itself and scored. Called a pre-miRNA is what has a score that 1% of the hairpins
    of a genome without microRNAs reach; the probability is for --prior. Written are, by the name of
    the genome: .gff3, .bed and .fa of what is called, .all.gff3 and .tsv of all hairpins, and a
    page, .html. What was interrupted goes on where it was.

    Example: mirpair scan genome.fa.gz -o scan/
    """
    with _messages(), ExitStack() as running:
        if str(genome) == STDIN or (genome.exists() and not genome.is_file()):
            raise InputError(f"{genome}: a genome is read more than once; give a file, no pipe")
        _check_inputs([str(genome)])
        if output.exists() and not output.is_dir():
            raise InputError(f"{output} is no folder; name one to write into")

        from mirpair.files import Journal
        from mirpair.prediction import predictor as prediction
        from mirpair.scan import hairpins as scanning
        from mirpair.scan.report import write_all

        criteria = scanning.Criteria(span, stem, loop, mfe, masked, fast)
        predictor = scanning.load(weights)
        _one_thread_for(jobs)
        settings = scanning.settings_of(
            predictor,
            prior=prior,
            false_positives=false_positives.value,
            nearest=not no_nearest,
        )
        _say_uncalibrated(predictor, settings.least)
        name = scanning.stem_of(genome)
        # The calls of small.fa are small.fa too: in its own folder they would take its place.
        inputs = [str(genome), *([str(weights)] if weights else [])]
        for suffix in scanning.SUFFIXES:
            _check_output(output / f"{name}{suffix}", inputs)
        scanning.check_results(output / name)
        scanning.check_genome(str(genome))
        keys = scanning.keys(genome, criteria, weights or prediction.shipped(), settings)
        output.mkdir(parents=True, exist_ok=True)
        running.enter_context(file_lock(output / f".{name}.lock"))
        found = Journal(output / f".{name}.found", keys.found)
        scored = Journal(output / f".{name}.scored", keys.scored)
        if found.blocks:
            _say(f"going on after {found.blocks:,} stretches of the genome")
        progress = _Bytes([str(genome)], "bases")
        # In both steps the processes start before the progress bar, see `_fold`.
        tiles = scanning.find(
            str(genome),
            found,
            criteria,
            processes=jobs or _cores(),
            position=partial(progress.read, 0),
        )
        with progress:
            for size in tiles:
                progress.done(size)
        scoring = _Bytes([STDIN], "hairpins")
        chunks = scanning.score(
            [found.path], scored, predictor, settings, processes=jobs or _cores()
        )
        with scoring:
            for size in chunks:
                scoring.done(size)
        summary = write_all(
            genome, [found.path], [scored.path], output / name, criteria, settings, weights
        )
        scored.path.unlink()
        if not keep:
            found.path.unlink()
        _say(
            f"{sum(summary.lengths.values()):,} bases: {sum(summary.hairpins.values()):,} "
            f"hairpins, {sum(summary.calls.values()):,} called pre-miRNAs; see "
            f"{output / name}.html"
        )


_CHARACTER = r"^'.*"
_CHUNK = 1000
_ANNOTATED = [
    *("id", "length", "family", "probability", "distribution"),
    *("nearest", "nearest_family", "identity", "reason"),
]


@app.command()
def refresh(
    lock: Annotated[Path, typer.Argument(help="Lock file of live sources.", metavar="LOCK")],
    places: Annotated[
        list[str] | None,
        typer.Argument(help="Places in it, as in the config; else all.", metavar="PLACE"),
    ] = None,
    release: Annotated[
        str,
        typer.Option(
            help="What the publisher calls what is there now, for the lock file; else it is when "
            "the file was last modified there."
        ),
    ] = "",
) -> None:
    """Bring live sources anew, and lock what they have now.

    Run it in the folder that you run snakemake in. A file below results/raw is replaced only where
    its source has other bytes now; snakemake then makes anew what depends on it. A source that
    cannot be brought keeps its file and its row.

    Example: mirpair refresh config/organism.lock.tsv ncbi:GCF_000146045.2/cds
    """
    from mirpair.sources.live import canonical, raw_name, read_lock
    from mirpair.sources.live import refresh as bring_anew

    with _messages():
        if not lock.exists():
            raise InputError(f"{lock}: there is no such lock file; the first download writes one")
        if not Path("results").is_dir():
            raise InputError(
                "there is no folder results here: run it in the folder where you run snakemake"
            )
        rows = read_lock(lock)
        named = list(dict.fromkeys(map(canonical, places or rows)))
        if unknown := [place for place in named if place not in rows]:
            near = get_close_matches(unknown[0], rows, n=1)
            raise InputError(
                f"{lock}: there is no place {unknown[0]}"
                + (f"; near it is {near[0]}" if near else "")
            )
        if release and len(named) > 1:
            raise InputError(
                f"--release is of one place, and these are {len(named)}: name the place"
            )
        failed = 0
        for place in named:
            path = Path("results", "raw", raw_name(place))
            done = bring_anew(lock, {place: path}, releases={place: release})[place]
            if done.error:
                failed += 1
                _say(f"{place}: {done.error}", mark="error:", style="bold red")
            elif done.changed:
                typer.echo(f"{place}\tchanged: {done.old} -> {done.new}, {done.bytes:,} bytes")
            else:
                typer.echo(f"{place}\tunchanged")
        if failed:
            raise InputError(f"{failed} of {len(named)} places could not be brought; see above")


@app.command()
def selftest() -> None:
    """Check that this installation gives the expected answers.

    Some RNAs are folded and scored by the weights that come with mirpair. Structures, energies and
    families must be the same, scores to 0.00001.
    """
    from mirpair.cli.selftest import TOLERANCE, check
    from mirpair.provenance import versions

    with _messages():
        used = versions("torch", "ViennaRNA", "numpy", "safetensors")
        _say(", ".join(f"{name} {value}" for name, value in used.items()))
        count, difference = check()
        typer.echo(
            f"{count} RNAs: structures, energies and families as they should be, "
            f"scores to {difference:.1e} (up to {TOLERANCE:.0e} may be)"
        )


def _annotator(weights: Path | None) -> Annotator:
    from mirpair.families.annotation import load, shipped

    return load(_file(weights) if weights else shipped())


def _file(weights: Path) -> Path:
    if not weights.is_file():
        raise InputError(f"{weights}: there is no such file; name a file of weights")
    return weights


def _annotated(
    annotator: Annotator,
    records: list[Record],
    threshold: Threshold,
    jobs: int,
    folded: dict[str, Structure] | None = None,
) -> Iterator[pd.DataFrame]:
    """Rows of so many records at a time; the processes that fold start here."""
    import torch

    from mirpair.families.annotation import in_chunks

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


def _write(handle: TextIO, table: pd.DataFrame, *, header: bool) -> None:
    import csv

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
            _say(f"written: {path}")


@app.command()
def export(
    file: Annotated[str, _FILE],
    output: Annotated[Path, typer.Option("--output", "-o", help="NPZ to write.")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Ids of the RNAs.", metavar="ID")
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
    """Write dense L × L × 9 pairing matrices as an NPZ.

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

        from mirpair.rna.encoded_sets import export_dense

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
        from mirpair.rna.encoded_sets import Tensors

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
        from mirpair.rna.encoding import encode
        from mirpair.rna.folding import fold_all, unique

        sequences = unique(chosen.source)
        # As in `fold`: the processes start before the progress bar.
        structures = fold_all(sequences, processes=processes)
        tracked = _track(structures, len(sequences), "Folding")
        folded = dict(zip(sequences, tracked, strict=True))
        encoded = (encode(sequence, *folded[sequence]) for sequence in chosen.source)
    else:
        encoded = (molecule for molecule in chosen.source)
    yield from _track(encoded, len(chosen.ids), "Encoding")


def _check_inputs(files: list[str]) -> None:
    """Refuse, before the long work, a file that is not there."""
    for path in files:
        if path == STDIN:
            continue
        if stat.S_ISFIFO(os.stat(path).st_mode):
            continue  # to open one twice would wait for ever
        with open(path, "rb"):
            pass


def _checked(
    files: list[str],
    strict: bool,
    unfit: Callable[[str], str],
    progress: _Bytes,
    pending: deque[Record],
) -> Iterator[tuple[Record, Problem | None]]:
    """Records of all files; what cannot be scored is named, or, if strict, the end."""
    for number, path in enumerate(files):
        for record, problem in read_records(path, position=partial(progress.read, number)):
            reason = str(problem) if problem else unfit(record.sequence)
            if reason:
                where = f"{record.file}: record {record.number} ({record.id!r}) is "
                text = reason if problem else where + reason
                if strict:
                    raise InputError(f"{text}. Leave out --strict to pass over such records.")
                progress.say(text)
            pending.append(record)
            yield record, problem


class _Bytes:
    """Progress by how much of the files has been read, with the rate of what was done.

    Its thread starts with the context, after the processes were forked; until then it counts.
    """

    _NAMED = 20

    def __init__(self, files: list[str], unit: str = "RNAs") -> None:
        sizes = [None if path == STDIN else Path(path).stat().st_size for path in files]
        known = [size for size in sizes if size is not None]
        self.total = sum(known) if len(known) == len(sizes) else None
        self.positions = dict.fromkeys(range(len(files)), 0)
        self.count = self.said = 0
        self.unit = unit
        self.started = time.monotonic()
        self.bar = _bar("[progress.percentage]{task.percentage:>3.0f}%[/] {task.fields[rate]}")
        if self.bar:
            self.task = self.bar.add_task("Working", total=self.total, rate="")

    def __enter__(self) -> _Bytes:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()
        if self.said > self._NAMED:
            _say(f"… and {self.said - self._NAMED:,} more")

    def read(self, file: int, position: int) -> None:
        """So many bytes of a file have been read."""
        self.positions[file] = position

    def done(self, count: int) -> None:
        """So many more are done."""
        self.count += count
        if self.bar:
            rate = self.count / max(time.monotonic() - self.started, 1e-9)
            self.bar.update(
                self.task,
                completed=sum(self.positions.values()),
                rate=f"{self.count:,} {self.unit}, {rate:,.0f} a second",
            )

    def say(self, text: str) -> None:
        """Name what is passed over; of very many the first."""
        self.said += 1
        if self.said <= self._NAMED:
            _say(text, mark="passed over:")


def _cores() -> int:
    """Cores that this process may use, which on a cluster are fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _bar(text: str) -> Progress | None:
    """Make a progress bar with a text beside it, if standard error is a terminal."""
    terminal = _terminal()
    if not terminal:
        return None
    from rich import progress

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TextColumn(text),
        progress.TimeRemainingColumn(),
        console=terminal,
        transient=True,
    )


def _one(_: object) -> int:
    return 1


def _track(
    items: Iterable[T], total: int, description: str, size: Callable[[T], int] = _one
) -> Iterator[T]:
    """The items, with a progress bar if standard error is a terminal; `size` is RNAs an item."""
    bar = _bar("[progress.download]{task.completed}/{task.total}[/] RNAs")
    if not bar:
        yield from items
        return
    with bar:
        task = bar.add_task(description, total=total)
        for item in items:
            yield item
            bar.advance(task, size(item))


if __name__ == "__main__":
    app()
