"""Draw how every method does on all evaluation records and on the cleaned ones."""

import job

from mirpair.figures import draw_cleaned, save
from mirpair.metrics import SUBSETS
from mirpair.tables import read_table

job.start(snakemake)
figure = draw_cleaned(read_table(snakemake.input[0]), SUBSETS)
for path in snakemake.output:
    save(figure, path)
