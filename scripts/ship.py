"""Write the weights of `mirpair predict` and `mirpair scan`, and their card."""

import json
from pathlib import Path

import job
import pandas as pd

from mirpair.contracts import read_predictions, read_records
from mirpair.files import read_any_tsv, write_text
from mirpair.prediction.calibration import mean_scores
from mirpair.prediction.card import prediction_card
from mirpair.prediction.weights import load_networks, write_networks

job.start(snakemake)
inputs, params, output = snakemake.input, snakemake.params, snakemake.output
held = pd.concat(
    [
        read_predictions(path).assign(fold=run["number"], seed=run["seed"])
        for run, path in zip(params.runs, inputs.predictions, strict=True)
    ]
)
background = read_any_tsv(inputs.background)
records = read_records(inputs.records)
write_networks(
    output.weights,
    inputs.weights,
    # By as many networks as are shipped: those of the fold of each record.
    held=mean_scores(held, params.seeds),
    background=background,
    records=records,
)
card = prediction_card(
    output.weights,
    load_networks(output.weights),
    held=held,
    background=background,
    records=records,
    left_out=read_any_tsv(inputs.left_out),
    provenance=[json.loads(Path(path).read_text(encoding="utf-8")) for path in inputs.provenance],
    sources=params.sources,
    genome=params.genome,
)
write_text(output.card, card)
