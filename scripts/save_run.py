"""Save the results of one training, to be reused."""

import job

from mirpair.study.saved_results import pack

job.start(snakemake)
*results, _ = snakemake.input
for source, destination in zip([*results, *snakemake.params.beside], snakemake.output, strict=True):
    pack(source, destination)
