"""Write weights/golden.tsv, the results that `mirpair selftest` compares on other machines."""

from __future__ import annotations

from pathlib import Path

from mirpair.cli.selftest import NAME, write
from mirpair.prediction.predictor import Predictor
from mirpair.prediction.weights import load_networks
from mirpair.rna.sequences import read_fasta
from mirpair.settings import PredictionSettings

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Predict every 10th hairpin and every 30th other RNA of the demo, if it gets a score."""
    predictor = Predictor.for_candidates(load_networks(), PredictionSettings())
    chosen = [
        record
        for name, step in (("positives", 10), ("negatives", 30))
        for record in list(read_fasta(ROOT / "config" / "demo" / f"{name}.fa"))[::step]
        if not predictor.unfit(record.sequence)
    ]
    write([it.id for it in chosen], [it.sequence for it in chosen], ROOT / "weights" / NAME)


if __name__ == "__main__":
    main()
