"""Draw how every method does on all evaluation records and on the cleaned ones."""

import job

from mirpair.identification.figures import draw_cleaned, save
from mirpair.identification.metrics import SUBSETS
from mirpair.identification.tables import read_table

job.start(snakemake)
figure = draw_cleaned(read_table(snakemake.input[0]), SUBSETS)
for path in snakemake.output:
    save(figure, path)
