"""Write one table of the number of records, published and ours side by side, in every format."""

import job

from mirpair.contracts import read_features, read_published_counts
from mirpair.identification.tables import counts_table, write

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
features = dict(zip(params.sets, map(read_features, inputs.features), strict=True))
published = map(read_published_counts, inputs.published)
table = counts_table(features, *published, has_hairpins=params.has_hairpins)
for path in snakemake.output:
    write(table, params.title, path)
