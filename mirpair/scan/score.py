"""Score the hairpins of a genome, in a journal that an interrupted run resumes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from mirpair.files import Journal
from mirpair.hairpins.candidates import GenomeHairpin, resolve
from mirpair.prediction import predictor as prediction
from mirpair.prediction.predictor import Predictor
from mirpair.prediction.table import to_lines
from mirpair.prediction.weights import PreMirnaNetworks
from mirpair.rna.sequences import Record
from mirpair.scan.find import read_candidates
from mirpair.settings import ScanSettings


def score(
    candidates: Sequence[str | Path],
    journal: Journal,
    trained: PreMirnaNetworks,
    settings: ScanSettings,
    *,
    processes: int = 1,
    piece: int = 1,
    pieces: int = 1,
) -> Iterator[int]:
    """Refold and score the hairpins that remain, resuming after the blocks of the journal.

    Parameters
    ----------
    candidates
        Journals of all pieces of `mirpair.scan.find.find`.
    journal
        For these scores; it gets a block for each chunk of
        `mirpair.prediction.predictor.predict_records`.
    trained, settings
        See `mirpair.prediction.predictor.Predictor.for_genome`.
    processes, piece, pieces
        See `mirpair.prediction.predictor.predict_records`.

    Returns
    -------
    Iterator
        Of the number of hairpins of every chunk, as it is done; it must be consumed.
    """
    records = (
        (Record(identifier(sequence, hairpin), hairpin.bases, sequence, number), None)
        for number, (sequence, hairpin) in enumerate(resolve(read_candidates(candidates)), 1)
    )
    # Chunks that are done are skipped, in whole rounds of the pieces.
    remaining = islice(records, journal.blocks * pieces * prediction.CHUNK, None)
    predictor = Predictor.for_genome(trained, settings)
    tables = prediction.predict_records(
        remaining, predictor, processes=processes, piece=piece, pieces=pieces
    )

    def sizes() -> Iterator[int]:
        for table in tables:
            # Scores near the cut differ from the fifth digit on.
            journal.append(to_lines(table, score_digits=6))
            yield len(table)
        journal.close()

    return sizes()


def identifier(sequence: str, hairpin: GenomeHairpin) -> str:
    """Name a hairpin by its location, as ``bedtools getfasta -s`` names it."""
    return f"{sequence}:{hairpin.start}-{hairpin.end}({hairpin.strand})"
