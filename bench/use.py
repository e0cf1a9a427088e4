"""Compare `mirpair predict` with folding only, and a scan with windowed folding only."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import RNA

from bench.folding import _run, _write
from mirpair.files import Journal
from mirpair.hairpins.candidates import STRANDS
from mirpair.hairpins.tiles import Tile, read_tiles
from mirpair.prediction.predictor import Predictor, predict_records
from mirpair.prediction.weights import load_networks
from mirpair.rna.folding import fold_all, for_each
from mirpair.rna.sequences import Record
from mirpair.scan.find import find
from mirpair.settings import NO_REFERENCE, HairpinCriteria, PredictionSettings, ScanSettings

# Times as long as folding, and megabases a minute.
GOALS = {"predict": 1.2, "scan": 5}


def measure_predict(sequences: Sequence[str], *, processes: int, rounds: int = 3) -> pd.DataFrame:
    """Measure seconds for all sequences, in turns: folding, and `predict` without known hairpins.

    Returns
    -------
    DataFrame
        One row per round and kind: ``"at work"`` (the library, from first to last sequence) and
        ``"programs"`` (``mirpair fold`` and ``mirpair predict --reference none``, from start to
        end); folding and predict in seconds, and their ratio.
    """
    predictor = Predictor.for_candidates(
        load_networks(), PredictionSettings(reference=NO_REFERENCE)
    )
    records = [(Record(str(n), s, "", n), None) for n, s in enumerate(sequences, 1)]
    program = Path(sys.executable).with_name("mirpair")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.fa"
        _write(path, sequences)
        jobs = ["-j", str(processes)]
        commands = (
            [program, "fold", path, "-o", Path(folder) / "out.dbn", *jobs],
            [
                program,
                "predict",
                path,
                "--reference",
                NO_REFERENCE,
                "-o",
                Path(folder) / "out.tsv",
                *jobs,
            ],
        )
        for _ in range(rounds):
            folding = _seconds(lambda: fold_all(sequences, processes=processes))
            predicting = _seconds(lambda: predict_records(records, predictor, processes=processes))
            rows.append(("at work", folding, predicting, predicting / folding))
            folding, predicting = (_run([command])[0] for command in commands)
            rows.append(("programs", folding, predicting, predicting / folding))
    return pd.DataFrame(rows, columns=["kind", "folding", "predict", "ratio"])


def measure_scan(genome: Path, *, bases: int, processes: int, rounds: int = 2) -> pd.DataFrame:
    """Measure seconds for the first bases of a genome, both strands, in turns.

    Returns
    -------
    DataFrame
        One row per round: bare (windowed folding of the same stretches without using the results),
        exhaustive and scan (both find, fold and score; a scan folds what may be called), in
        seconds; how many times as fast as bare folding the scan is; and its megabases a minute.
    """
    tiles = []
    for tile in read_tiles(str(genome)):
        tiles.append(tile)
        if tile.end >= bases:
            break
    predictor = Predictor.for_genome(load_networks(), ScanSettings(reference=NO_REFERENCE))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.fa"
        # One more base would start another tile.
        text = "".join(
            tile.text[tile.start - tile.offset : tile.end - tile.offset] for tile in tiles
        )
        path.write_text(f">part\n{text[:bases]}\n")

        def scan(exhaustive: bool) -> Iterator[int]:
            found = Journal(Path(folder) / "found", "k", overwrite=True)
            criteria = HairpinCriteria(exhaustive=exhaustive)
            yield from find(str(path), found, criteria, predictor, processes=processes)

        for _ in range(rounds):
            tasks = ((it, strand) for it in read_tiles(str(path)) for strand in STRANDS)
            bare = _seconds(
                lambda tasks=tasks: for_each(_bare, tasks, processes=processes, at_once=1)
            )
            everything, usual = (_seconds(partial(scan, way)) for way in (True, False))
            rows.append((bare, everything, usual, bare / usual, 60 * bases / 1e6 / usual))
    names = ["bare", "exhaustive", "scan", "times_as_fast", "Mb_per_minute"]
    return pd.DataFrame(rows, columns=names)


def _bare(task: tuple[Tile, str]) -> None:
    tile, strand = task
    own = tile.text[tile.start - tile.offset : tile.end - tile.offset].upper()
    bases = own if strand == "+" else own.translate(str.maketrans("ACGU", "UGCA"))[::-1]
    model = RNA.md()
    model.window_size = model.max_bp_span = HairpinCriteria().span
    compound = RNA.fold_compound(bases, model, RNA.OPTION_WINDOW)
    compound.mfe_window_cb(lambda *_: None, None)


def _seconds(work: Callable[[], Iterator[object]]) -> float:
    started = time.perf_counter()
    for _ in work():
        pass
    return time.perf_counter() - started
