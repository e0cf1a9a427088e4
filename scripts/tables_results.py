"""Write one table of results, published and ours side by side, in every format."""

import job

from mirpair.contracts import read_published_results
from mirpair.tables import gather, results_table, write

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
table = results_table(
    params.rows,
    gather(inputs.metrics, params.runs),
    # Folds are numbered from 1, so the last number is how many there are.
    {fold["group"]: fold["number"] for fold in params.folds},
    gather(inputs.shortcuts, params.folds),
    *map(read_published_results, inputs.published),
)
for path in snakemake.output:
    write(table, params.title, path)
