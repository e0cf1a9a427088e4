"""Write one table of the number of records, published and ours side by side, in every format."""

import job

from mirpair.contracts import read_published_counts, read_records
from mirpair.tables import counts_table, write

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
records = dict(zip(params.sets, map(read_records, inputs.records), strict=True))
table = counts_table(records, *map(read_published_counts, inputs.published))
for path in snakemake.output:
    write(table, params.title, path)
