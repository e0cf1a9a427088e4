"""Bring one published file to results/raw/."""

import logging

import job

from mirpair.sources import fetch

job.start(snakemake)
origin = fetch(
    snakemake.params.url,
    snakemake.output[0],
    checksum=snakemake.params.checksum,
)
logging.info("%s from %s", snakemake.output[0], origin)
