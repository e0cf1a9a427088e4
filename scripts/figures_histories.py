"""Draw the training histories of one experiment, all its folds together."""

import job

from mirpair.figures import draw_histories, save
from mirpair.files import read_any_tsv

job.start(snakemake)
histories = {}
for run, path in zip(snakemake.params.runs, snakemake.input, strict=True):
    name = f"{run['experiment']} seed {run['seed']}"
    histories.setdefault(run["label"], {})[name] = read_any_tsv(path)
figure = draw_histories(histories, f"Training histories of {snakemake.wildcards.group}")
for path in snakemake.output:
    save(figure, path)
