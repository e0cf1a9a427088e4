"""Draw one table of results."""

import job
import pandas as pd

from mirpair.figures import draw_results, save

job.start(snakemake)
figure = draw_results(pd.read_csv(snakemake.input[0]), snakemake.params.title)
for path in snakemake.output:
    save(figure, path)
