"""Draw the training histories of one experiment, all its folds together."""

import job
import pandas as pd

from mirpair.figures import draw_histories, save

job.start(snakemake)
histories = {}
for run, path in zip(snakemake.params.runs, snakemake.input, strict=True):
    name = f"{run['experiment']} seed {run['seed']}"
    histories.setdefault(run["label"], {})[name] = pd.read_csv(path, sep="\t")
figure = draw_histories(histories, f"Training histories of {snakemake.wildcards.group}")
for path in snakemake.output:
    save(figure, path)
