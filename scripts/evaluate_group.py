"""Compute the metrics of every method on one experiment, all its folds, with intervals."""

import job
import pandas as pd

from mirpair.contracts import BASELINE_RUN, read_audit, read_predictions
from mirpair.files import write_tsv
from mirpair.identification.metrics import average, subsets, summarise

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
membership = []
predictions = [
    read_predictions(path).assign(**run)
    for run, path in zip(params.runs, inputs.predictions, strict=True)
]
trained = pd.concat(predictions)
for of in params.averages:
    method = {name: of[name] for name in ("model", "recipe", "epochs", "seed")}
    predictions.append(average(trained, of["models"], of["recipe"]).assign(**method))
for fold, audit, baselines in zip(params.folds, inputs.audit, inputs.baselines, strict=True):
    membership.append(subsets(read_audit(audit)).assign(**fold))
    scores = read_predictions(baselines, params.baselines)
    for model in params.baselines:
        of_one = scores[["id", "label"]].assign(score=scores[model], model=model)
        predictions.append(of_one.assign(**BASELINE_RUN, **fold))
summary = summarise(pd.concat(predictions), pd.concat(membership))
write_tsv(summary, snakemake.output[0], float_format="%.6f")
