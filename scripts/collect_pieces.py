"""Gather the pieces of a collection of pseudo-hairpins."""

import logging

import job

from mirpair.contracts import read_pseudo_hairpins
from mirpair.sources.collections import read_lengths, write_collection
from mirpair.sources.pseudo_hairpins import drawn_lengths, gathered, missing

job.start(snakemake)
how = snakemake.params.how
found = gathered(map(read_pseudo_hairpins, snakemake.input.pieces))
lengths = drawn_lengths(
    read_lengths(snakemake.input.like), per_positive=how["per_positive"], seed=how["seed"]
)
without = missing(lengths, found)
output = snakemake.output
told = {"no place found": without.total()} if without else {}
write_collection(found, told, output.fasta, output.origins, output.summary)
logging.info("%d pseudo-hairpins of %d", len(found), len(lengths))
for length, count in sorted(without.items()):
    logging.info("not found: %d of %d nt", count, length)
