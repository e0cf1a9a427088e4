"""Score every so-manieth chunk of the hairpins of a genome."""

import logging

import job

from mirpair.files import Journal
from mirpair.scan.hairpins import load, score, settings_of

job.start(snakemake)
piece, pieces = job.piece(snakemake)
inputs = snakemake.input
journal = Journal(f"{snakemake.output[0]}.part", "scan_score", overwrite=True)
predictor = load(inputs.weights)
settings = settings_of(predictor, **snakemake.params.settings)
for size in score(inputs.found, journal, predictor, settings, piece=piece, pieces=pieces):
    logging.info("%d hairpins", size)
journal.path.replace(snakemake.output[0])
