"""Download a live source to results/raw/, checked against the lock file."""

import json
import logging
import os

import job

from mirpair.files import sha256
from mirpair.sources.live import LIVE_VARIABLE, download_locked

job.start(snakemake)
params, path = snakemake.params, snakemake.output[0]
live = json.loads(os.environ[LIVE_VARIABLE])
release = live["releases"].get(params.place, "")
origin = download_locked(params.place, path, live["lock"], release=release)
logging.info("%s from %s, SHA-256 %s", path, origin, sha256(path))
