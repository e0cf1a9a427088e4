"""Draw one table of results."""

import job

from mirpair.identification.figures import draw_results, save
from mirpair.identification.tables import read_table

job.start(snakemake)
figure = draw_results(read_table(snakemake.input[0]), snakemake.params.title)
for path in snakemake.output:
    save(figure, path)
