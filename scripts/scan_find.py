"""Look for hairpins in one of several pieces of a genome."""

import logging

import job

from mirpair.files import Journal
from mirpair.scan.hairpins import Criteria, check_genome, find, found_key

job.start(snakemake)
piece, pieces = job.piece(snakemake)
genome = snakemake.input[0]
criteria = Criteria(**snakemake.params.criteria)
check_genome(genome)
# A job that was killed goes on where it was.
key = f"{found_key(genome, criteria)} {piece} of {pieces}"
journal = Journal(f"{snakemake.output[0]}.part", key)
for size in find(genome, journal, criteria, piece=piece, pieces=pieces):
    logging.info("%d bases", size)
journal.path.replace(snakemake.output[0])
