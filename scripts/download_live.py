"""Bring what may change without a new name to results/raw/, as it was when it was locked."""

import logging

import job

from mirpair.files import sha256
from mirpair.live import bring

job.start(snakemake)
params, path = snakemake.params, snakemake.output[0]
origin = bring(params.place, path, params.lock, release=params.release)
logging.info("%s from %s, SHA-256 %s", path, origin, sha256(path))
