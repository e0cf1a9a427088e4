"""Draw the training histories of one experiment, all its folds together."""

import job

from mirpair.files import read_any_tsv
from mirpair.identification.figures import draw_histories, save

job.start(snakemake)
histories = {}
for run, path in zip(snakemake.params.runs, snakemake.input, strict=True):
    name = f"{run['experiment']} seed {run['seed']}"
    histories.setdefault(run["label"], {})[name] = read_any_tsv(path)
figure = draw_histories(histories, f"Training histories of {snakemake.wildcards.group}")
for path in snakemake.output:
    save(figure, path)
