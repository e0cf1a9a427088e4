"""Draw trainings that went on after the epoch that is the result, the paper's Figure 3."""

import job

from mirpair.files import read_any_tsv
from mirpair.identification.figures import draw_watched, save

job.start(snakemake)
validation, training = {}, {}
for run, path in zip(snakemake.params.runs, snakemake.input, strict=True):
    kind = training if run["group"] == snakemake.params.training else validation
    kind[run["experiment"]] = read_any_tsv(path)
figure = draw_watched(validation, training, epochs=snakemake.params.runs[0]["epochs"])
for path in snakemake.output:
    save(figure, path)
