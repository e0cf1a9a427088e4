"""Find the hairpins in every n-th tile of a genome."""

import logging

import job

from mirpair.files import Journal
from mirpair.hairpins.tiles import check_genome
from mirpair.scan.find import find
from mirpair.scan.resume import find_key
from mirpair.settings import HairpinCriteria

job.start(snakemake)
piece, pieces = job.piece(snakemake)
genome = snakemake.input[0]
criteria = HairpinCriteria(**snakemake.params.criteria)
# A job that was killed resumes.
checksum = check_genome(genome, criteria.circular, others=True, note=logging.warning)
key = f"{find_key(checksum, criteria)} {piece} of {pieces}"
journal = Journal(f"{snakemake.output[0]}.part", key)
for size in find(genome, journal, criteria, piece=piece, pieces=pieces):
    logging.info("%d bases", size)
journal.path.replace(snakemake.output[0])
