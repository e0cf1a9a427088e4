"""Keep the results of one training for others."""

import job

from mirpair.kept import pack

job.start(snakemake)
*results, _ = snakemake.input
sources = [*results, snakemake.params.benchmark_file]
for source, destination in zip(sources, snakemake.output, strict=True):
    pack(source, destination)
