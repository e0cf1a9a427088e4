"""Bring what may change without a new name to results/raw/, as it was when it was locked."""

import json
import logging
import os

import job

from mirpair.files import sha256
from mirpair.sources.live import LIVE_VARIABLE, bring

job.start(snakemake)
params, path = snakemake.params, snakemake.output[0]
live = json.loads(os.environ[LIVE_VARIABLE])
release = live["releases"].get(params.place, "")
origin = bring(params.place, path, live["lock"], release=release)
logging.info("%s from %s, SHA-256 %s", path, origin, sha256(path))
