"""Draw trainings that went on after the epoch that is the result, the paper's Figure 3."""

import job
import pandas as pd

from mirpair.figures import draw_watched, save

job.start(snakemake)
validation, training = {}, {}
for run, path in zip(snakemake.params.runs, snakemake.input, strict=True):
    kind = training if run["group"] == snakemake.params.training else validation
    kind[run["experiment"]] = pd.read_csv(path, sep="\t")
figure = draw_watched(validation, training, epochs=snakemake.params.runs[0]["epochs"])
for path in snakemake.output:
    save(figure, path)
