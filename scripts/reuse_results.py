"""Restore saved results to the results of the study."""

import job

from mirpair.study.saved_results import unpack

job.start(snakemake)
for source, destination in zip(snakemake.input, snakemake.output, strict=True):
    unpack(source, destination)
