"""Download a live source to results/raw/, checked against the lock file."""

import logging

import job

from mirpair.files import sha256
from mirpair.sources.live import download_locked

job.start(snakemake)
params, path = snakemake.params, snakemake.output[0]
origin = download_locked(
    params.place, path, params.lock, release=params.release, mirror=params.mirror
)
logging.info("%s from %s, SHA-256 %s", path, origin, sha256(path))
