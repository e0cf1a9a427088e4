"""Keep the history of a training that was watched beyond its result."""

import job

from mirpair.kept import pack

job.start(snakemake)
for source, destination in zip(snakemake.input, snakemake.output, strict=True):
    pack(source, destination)
