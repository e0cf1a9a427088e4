"""Bring one published file to results/raw/."""

import logging

import job

from mirpair.files import sha256
from mirpair.sources import fetch

job.start(snakemake)
origin = fetch(
    snakemake.params.url,
    snakemake.output[0],
    checksum=snakemake.params.checksum,
)
logging.info("%s from %s, SHA-256 %s", *snakemake.output, origin, sha256(snakemake.output[0]))
