"""Draw the predictions of all trainings on one experiment."""

import job
import pandas as pd

from mirpair.figures import draw_predictions, save

job.start(snakemake)
predictions = {}
for run, path in zip(snakemake.params.runs, snakemake.input, strict=True):
    name = f"{run['experiment']} seed {run['seed']}"
    predictions.setdefault(run["label"], {})[name] = pd.read_csv(path, sep="\t")
figure = draw_predictions(predictions, f"Predictions of {snakemake.wildcards.group}")
for path in snakemake.output:
    save(figure, path)
