"""Find and score the hairpins in every n-th tile of a genome."""

import logging

import job

from mirpair.files import Journal
from mirpair.hairpins.tiles import check_genome
from mirpair.prediction.predictor import Predictor
from mirpair.prediction.weights import load_networks
from mirpair.scan.find import find
from mirpair.scan.resume import scan_key
from mirpair.settings import HairpinCriteria, ScanSettings

job.start(snakemake)
piece, pieces = job.piece(snakemake)
inputs, params = snakemake.input, snakemake.params
criteria = HairpinCriteria(**params.criteria)
settings = ScanSettings(**params.settings | job.reference(snakemake))
predictor = Predictor.for_genome(load_networks(inputs.weights, settings.kingdom), settings)
# A job that was killed resumes.
checksum = check_genome(inputs.genome, criteria.circular, others=True, note=logging.warning)
key = f"{scan_key(checksum, criteria, settings, inputs.weights)} {piece} of {pieces}"
journal = Journal(f"{snakemake.output[0]}.part", key)
for size in find(inputs.genome, journal, criteria, predictor, piece=piece, pieces=pieces):
    logging.info("%d bases", size)
journal.path.replace(snakemake.output[0])
