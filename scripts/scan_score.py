"""Score every n-th chunk of the hairpins of a genome."""

import logging

import job

from mirpair.files import Journal
from mirpair.prediction.weights import load_networks
from mirpair.scan.score import score
from mirpair.settings import ScanSettings

job.start(snakemake)
piece, pieces = job.piece(snakemake)
inputs = snakemake.input
settings = ScanSettings(**snakemake.params.settings | job.reference(snakemake))
journal = Journal(f"{snakemake.output[0]}.part", "scan_score", overwrite=True)
trained = load_networks(inputs.weights, settings.kingdom)
for size in score(inputs.candidates, journal, trained, settings, piece=piece, pieces=pieces):
    logging.info("%d hairpins", size)
journal.path.replace(snakemake.output[0])
