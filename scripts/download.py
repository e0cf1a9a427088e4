"""Download published files to results/raw/."""

import logging

import job

from mirpair.files import sha256
from mirpair.sources.download import download

job.start(snakemake)
params = snakemake.params
for path, url, checksum in zip(snakemake.output, params.urls, params.checksums, strict=True):
    origin = download(url, path, checksum=checksum, mirror=params.mirror, packages=params.packages)
    logging.info("%s from %s, SHA-256 %s", path, origin, sha256(path))
