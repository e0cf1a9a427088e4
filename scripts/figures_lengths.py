"""Draw the lengths of a study's RNAs, the paper's Figure 4."""

import job

from mirpair.contracts import read_records
from mirpair.figures import draw_lengths, save

job.start(snakemake)
tables = map(read_records, snakemake.input)
lengths = {
    name: records["sequence"].str.len().to_numpy()
    for name, records in zip(snakemake.params.sets, tables, strict=True)
}
figure = draw_lengths(lengths)
for path in snakemake.output:
    save(figure, path)
