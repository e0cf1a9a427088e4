"""Look for hairpins in every so-manieth stretch of a genome."""

import logging

import job

from mirpair.files import Journal
from mirpair.scanning import Criteria, find

job.start(snakemake)
piece, pieces = job.piece(snakemake)
genome = snakemake.input[0]
journal = Journal(f"{snakemake.output[0]}.part", "scan_find", anew=True)
for size in find(
    genome, journal, Criteria(**snakemake.params.criteria), piece=piece, pieces=pieces
):
    logging.info("%d bases", size)
journal.finish(snakemake.output[0])
