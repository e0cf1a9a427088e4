"""Draw the predictions of all trainings on one experiment."""

import job

from mirpair.files import read_any_tsv
from mirpair.identification.figures import draw_predictions, save

job.start(snakemake)
predictions = {}
for run, path in zip(snakemake.params.runs, snakemake.input, strict=True):
    name = f"{run['experiment']} seed {run['seed']}"
    predictions.setdefault(run["label"], {})[name] = read_any_tsv(path)
figure = draw_predictions(predictions, f"Predictions of {snakemake.wildcards.group}")
for path in snakemake.output:
    save(figure, path)
