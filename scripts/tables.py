"""Write a table of a study in every format."""

import job

from mirpair.identification.tables import make_table, printable
from mirpair.pages.printing import write

job.start(snakemake)
inputs, params = dict(snakemake.input.items()), snakemake.params
shown = printable(make_table(params.kind, inputs, params.options), params.title)
for path in snakemake.output:
    write(shown, path)
