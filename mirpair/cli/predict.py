"""Score RNAs of FASTA files, and name their families: `predict` and `annotate`."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

import typer

from mirpair import __version__
from mirpair.cli.options import (
    Fasta,
    Jobs,
    KeepStructures,
    Nearest,
    OnAmbiguous,
    Output,
    Strict,
    Weights,
    reference_of,
    setting,
)
from mirpair.cli.sequences import is_strict, name_skipped, read_all, refuse_if
from mirpair.cli.terminal import (
    FileProgress,
    check_inputs,
    check_output,
    cores,
    counted,
    limit_threads,
    messages,
    open_output,
    say,
    track,
)
from mirpair.files import InputError
from mirpair.rna.sequences import (
    Problem,
    Record,
    TooLong,
    Unfit,
    kind_of,
    read_records,
)
from mirpair.rna.text_files import STDIN
from mirpair.settings import Kingdom, PredictionSettings

if TYPE_CHECKING:
    import pandas as pd

    from mirpair.families.annotation import Annotator
    from mirpair.prediction.predictor import Predictor
    from mirpair.prediction.tracks import UniqueIds

_FAMILY = ["family", "family_probability", "distribution"]
_ANNOTATED = [
    *("id", "length", "family", "accessions", "probability", "score", "distribution"),
    *("nearest", "nearest_family", "identity", "coverage", "reason"),
]
# Why a hairpin has no family: it is called a pre-miRNA all the same, or it is not.
_NEW, _OTHER = "a pre-miRNA of no known family", "no pre-miRNA"

# What to do about records whose score has a hint beside it, by its kind.
_REMEDIES = {
    "several hairpins": "mirpair scan scores each one",
    "flanks": "mirpair scan cuts them off",
}


def annotate(
    fasta: Fasta,
    output: Output = None,
    weights: Weights = None,
    threshold: Annotated[
        Literal["5%", "youden"],
        typer.Option(
            help="Threshold for accepting a family: that of 5% false positives, on average over "
            "kinds of other RNAs, or the usually stricter one of Youden."
        ),
    ] = "5%",
    kingdom: Annotated[
        Kingdom, setting(PredictionSettings, "kingdom")
    ] = PredictionSettings.kingdom,
    strict: Strict = False,
    jobs: Jobs = 0,
    on_ambiguous: OnAmbiguous = None,
) -> None:
    """Name the microRNA family of every hairpin.

    A near-copy of a known hairpin has its family. For other hairpins, a network and the nearest
    known ones make a shortlist of families, and the profile HMMs and covariance models of these
    decide. If the weights have no models, or the package pyinfernal is not installed, the network
    decides alone. A hairpin of no known family is out of distribution; the networks of mirpair
    predict then decide whether it is a pre-miRNA all the same.

    The table has a row for each record, in the order of the files: id, length (nt), family and its
    accessions in miRBase and Rfam, the network's probability of it, score (bits of the profile HMM
    or covariance model, or the network's), distribution (in: of a known family, or out), the
    nearest known RNA (by shared 8-mers) with its family, identity to it (matches divided by the
    columns of the best local alignment), coverage (share of it that is aligned), and the reason if
    there is no family.

    Example: mirpair annotate hairpins.fa.gz -o families.tsv
    """
    with messages():
        check_output(output, [*fasta, weights])
        annotator = _load_annotator(weights)
        is_unfit = annotator.unfit
        records = read_all(fasta, strict=is_strict(strict, on_ambiguous), unfit=is_unfit)
        name_skipped(records)
        tables = _annotate(annotator, records, threshold, kingdom, jobs)
        with open_output(output) as handle:
            counts: Counter[str] = Counter()
            # Rows that appear on the same terminal are progress enough.
            visible = handle is sys.stdout and sys.stdout.isatty()
            tracked = tables if visible else track(tables, len(records), "Annotating", len)
            for number, table in enumerate(tracked):
                _write(handle, table, header=number == 0)
                counts.update(map(kind_of, table["reason"]))
        summary = ", ".join(f"{n:,} {reason or 'named'}" for reason, n in sorted(counts.items()))
        say(f"{counted(len(records), 'record')}: {summary}")


def predict(
    fasta: Fasta,
    output: Output = None,
    weights: Weights = None,
    prior: Annotated[float, setting(PredictionSettings, "prior")] = PredictionSettings.prior,
    threshold: Annotated[
        float, setting(PredictionSettings, "threshold")
    ] = PredictionSettings.threshold,
    reference: Annotated[
        str, setting(PredictionSettings, "reference")
    ] = PredictionSettings.reference,
    kingdom: Annotated[
        Kingdom, setting(PredictionSettings, "kingdom")
    ] = PredictionSettings.kingdom,
    nearest: Nearest = None,
    calls: Annotated[
        Path | None, typer.Option("--fasta", help="FASTA file to write, with the called RNAs.")
    ] = None,
    gff3: Annotated[
        Path | None,
        typer.Option(
            help="GFF3 file to write, with the called RNAs, if ids are like chr1:100-190(+)."
        ),
    ] = None,
    bed: Annotated[
        Path | None,
        typer.Option(
            help="BED file to write, with the called RNAs, if ids are like chr1:100-190(+)."
        ),
    ] = None,
    annotated: Annotated[
        bool, typer.Option("--annotate", help="Name the family too, as mirpair annotate does.")
    ] = False,
    keep_structures: KeepStructures = False,
    strict: Strict = False,
    jobs: Jobs = 0,
) -> None:
    """Decide which RNAs are pre-miRNAs.

    The table has a row for each record, in the order of the files: id, length (nt), structure
    (dot-bracket), mfe (kcal/mol), score (of the network; it ranks RNAs and is not a probability),
    probability (of a pre-miRNA, for --prior), call (1 if the probability is at least --threshold),
    reason (why there is no score; beside a score, that the RNA has several hairpins, or flanks),
    nearest (known hairpin of the --reference), identity to it (matches divided by the columns of
    the best local alignment), coverage (share of it that is aligned), status (known if the identity
    is at least 0.8 and the coverage at least 0.6, else novel), other_known (known hairpins
    elsewhere in the RNA); with --annotate also the family, its probability, and distribution.

    Example: mirpair predict candidates.fa more.fa.gz -o calls.tsv
    """
    with messages():
        extra = {".fa": calls, ".gff3": gff3, ".bed": bed}
        reference = reference_of(reference, nearest)
        settings = PredictionSettings(prior, threshold, reference, kingdom)
        settings.check()
        inputs = [*fasta, weights, settings.reference_file]
        _check_outputs({".tsv": output, **extra}, inputs)
        check_inputs(fasta)

        from mirpair.prediction.predictor import Predictor, predict_records
        from mirpair.prediction.table import header, to_lines
        from mirpair.prediction.tracks import UniqueIds, gff3_head
        from mirpair.prediction.weights import load_networks
        from mirpair.rna.known_hairpins import describe_reference

        predictor = Predictor.for_candidates(load_networks(weights, kingdom), settings)
        limit_threads(jobs)
        annotator = _load_annotator(None) if annotated else None
        if predictor.warning:
            say(predictor.warning)
        with ExitStack() as stack:
            handle = stack.enter_context(open_output(output))
            named = {suffix: path for suffix, path in extra.items() if path}
            files = {it: stack.enter_context(open_output(path)) for it, path in named.items()}
            progress = FileProgress(fasta)
            pending: deque[Record] = deque()
            records = _read_fit(
                fasta,
                predictor,
                progress,
                pending,
                strict=strict,
                keep_structures=keep_structures,
            )
            tables = predict_records(records, predictor, processes=jobs or cores())
            comments = [f"mirpair {__version__} predict"]
            comments += [f"known hairpins: {describe_reference(reference)}"]
            columns = [header(nearest=settings.compares), *(_FAMILY if annotator else [])]
            handle.write("\t".join(columns) + "\n")
            if ".gff3" in files:
                files[".gff3"].write(gff3_head(comments))
            kinds: Counter[str] = Counter()
            repeats, unique = _RepeatedIds(), UniqueIds()
            hints: Counter[str] = Counter()
            called = total = 0
            unlocated = _Unlocated()
            with progress:
                for table in tables:
                    chunk = [pending.popleft() for _ in range(len(table))]
                    lines = to_lines(table)
                    if annotator:
                        families = _families(annotator, table, chunk)
                        lines = ["\t".join(it) for it in zip(lines, families, strict=True)]
                    handle.write("".join(f"{line}\n" for line in lines))
                    total += len(table)
                    for record, row in zip(chunk, table.to_dict("records"), strict=True):
                        repeats.note(record)
                        if row["score"] != row["score"]:
                            kinds[kind_of(row["reason"])] += 1
                        elif row["reason"]:
                            hints[kind_of(row["reason"])] += 1
                        if row["call"] == 1:
                            called += 1
                            if not _write_call(files, record, row, unique):
                                unlocated.add(record)
                    progress.done(len(table))
        unscored = "".join(f", {n:,} {kind}" for kind, n in sorted(kinds.items()))
        say(f"{counted(total, 'record')}: {counted(called, 'called pre-miRNA')}{unscored}")
        for kind, number in sorted(hints.items()):
            say(f"{counted(number, 'record')} with {kind}: {_REMEDIES[kind]}")
        if kinds["too long"]:
            say("too long to be one hairpin: mirpair scan finds the hairpins of a long sequence")
        if gff3 or bed:
            unlocated.say()
        if repeats.first:
            in_gff3 = "; in the GFF3, IDs that occur again end in _2, _3, …" if gff3 else ""
            say(
                f"{counted(repeats.count, 'record')} with the id of an earlier record; the first: "
                f"{repeats.first.id!r} ({repeats.first.file}: record {repeats.first.number})"
                + in_gff3
            )


class _RepeatedIds:
    """Count the records that have the id of an earlier one; note the first of them."""

    def __init__(self) -> None:
        self._seen: set[int] = set()  # 64-bit hashes: of ids, memory would grow with their length
        self.count = 0
        self.first: Record | None = None

    def note(self, record: Record) -> None:
        key = hash(record.id)
        if key in self._seen:
            self.count += 1
            self.first = self.first or record
        self._seen.add(key)


def _check_outputs(outputs: dict[str, Path | None], inputs: list[str | Path | None]) -> None:
    """Check several outputs, by their usual endings; without a table's name it is printed."""
    named = {suffix: path for suffix, path in outputs.items() if path}
    for suffix, path in named.items():
        check_output(path, inputs, usual=suffix)
    paths = [path.resolve() for path in named.values() if str(path) != STDIN]
    if len(set(paths)) < len(paths):
        raise InputError("two outputs have the same name; give each its own")
    printed = [path for path in named.values() if str(path) == STDIN]
    if (".tsv" not in named) + len(printed) > 1:
        raise InputError("two outputs go to standard output; name a file for all but one")


def _read_fit(
    files: list[str],
    predictor: Predictor,
    progress: FileProgress,
    pending: deque[Record],
    *,
    strict: bool,
    keep_structures: bool,
) -> Iterator[tuple[Record, Problem | None]]:
    """Read the records of all files; name those that cannot be scored, or, if strict, stop."""
    for number, path in enumerate(files):
        read = read_records(
            path,
            position=partial(progress.read, number),
            note=say,
            gaps="remove",
            keep_structures=keep_structures,
        )
        for record, problem in read:
            if reason := predictor.unfit(record.sequence):
                problem = problem or Unfit(record, reason)
            if problem:
                refuse_if(strict, problem)
                progress.skip(problem)
            pending.append(record)
            yield record, problem


def _families(annotator: Annotator, table: pd.DataFrame, records: list[Record]) -> Iterator[str]:
    """Columns `_FAMILY` of each row, empty if there is no score."""
    from mirpair.families.annotation import in_chunks
    from mirpair.rna.folding import Structure

    scored = table[table["score"].notna()]
    folded = {
        records[index].sequence: Structure(row["structure"], row["mfe"])
        for index, row in zip(scored.index, scored.to_dict("records"), strict=True)
    }
    sequences = [records[index].sequence for index in scored.index]
    parts = in_chunks(annotator, sequences, folded=folded) if sequences else []
    annotations = {
        index: row
        for part in parts
        for index, row in zip(scored.index, part.to_dict("records"), strict=True)
    }
    for index in table.index:
        row = annotations.get(index)
        probability = f"{row['probability']:.4f}" if row and row["family"] else ""
        yield "\t".join([row["family"], probability, row["distribution"]]) if row else "\t\t"


def _write_call(
    files: dict[str, TextIO], record: Record, row: dict[Any, Any], unique: UniqueIds
) -> bool:
    """Write a call to the FASTA, GFF3 and BED files; return whether its id has coordinates."""
    from mirpair.prediction.tracks import bed_line, fasta_entry, gff3_line, location_of

    if ".fa" in files:
        files[".fa"].write(fasta_entry(record.id, record.sequence))
    location = location_of(record.id, len(record.sequence), record.description)
    if location and ".gff3" in files:
        files[".gff3"].write(gff3_line(location, row | {"id": unique(record.id)}))
    if location and ".bed" in files:
        files[".bed"].write(bed_line(location, row))
    return location is not None


class _Unlocated:
    """Counts the calls that are in no GFF3 or BED because they have no coordinates that fit."""

    def __init__(self) -> None:
        self.without = self.misfits = 0
        self.first = ""

    def add(self, record: Record) -> None:
        """Note that a call was not written."""
        from mirpair.prediction.tracks import has_coordinates

        if not has_coordinates(record.id, record.description):
            self.without += 1
            return
        self.misfits += 1
        self.first = self.first or f"{record.id}, {len(record.sequence):,} nt"

    def say(self) -> None:
        """Say how many are missing, and why."""
        if self.without:
            say(
                f"not in the GFF3 or BED: {counted(self.without, 'call')} without coordinates in "
                "the id, such as chr1:100-190(+)"
            )
        if self.misfits:
            say(
                f"not in the GFF3 or BED: {counted(self.misfits, 'call')} with coordinates that do "
                f"not fit the length (first: {self.first})"
            )


def _load_annotator(weights: Path | None) -> Annotator:
    from mirpair.families.annotation import load, shipped

    annotator = load(weights or shipped())
    if annotator.bits and annotator.models is None:
        say(
            "pyinfernal is not installed, so a network names the families, without covariance "
            "models; to use them: pip install pyinfernal"
        )
    return annotator


def _annotate(
    annotator: Annotator,
    records: list[tuple[Record, Problem | None]],
    threshold: str,
    kingdom: Kingdom,
    jobs: int,
) -> Iterator[pd.DataFrame]:
    """Annotate some records at a time; the processes that fold start here."""
    import torch

    from mirpair.families.annotation import in_chunks
    from mirpair.prediction.predictor import predict

    sequences = [record.sequence for record, _ in records]
    reasons = [problem.reason if problem else "" for _, problem in records]
    names = (
        (record.id, problem.length if isinstance(problem, TooLong) else len(record.sequence))
        for record, problem in records
    )
    parts = in_chunks(
        annotator, sequences, threshold=threshold, processes=jobs or cores(), reasons=reasons
    )
    torch.set_num_threads(jobs or cores())

    rnas = iter(sequences)

    def named(table: pd.DataFrame) -> pd.DataFrame:
        ids, lengths = zip(*islice(names, len(table)), strict=True)
        outside = (table["distribution"] == "out").tolist()
        unknown = [
            rna for rna, is_out in zip(islice(rnas, len(table)), outside, strict=True) if is_out
        ]
        if unknown:
            # A very short RNA has no call.
            calls = predict(unknown, kingdom=kingdom, reference=None)["call"].fillna(0)
            table.loc[outside, "reason"] = [_NEW if call else _OTHER for call in calls]
        return table.assign(id=ids, length=lengths)[_ANNOTATED]

    return map(named, parts)


def _write(handle: TextIO, table: pd.DataFrame, *, header: bool) -> None:
    table.to_csv(
        handle,
        sep="\t",
        index=False,
        header=header,
        float_format="%.4f",
        lineterminator="\n",
    )
