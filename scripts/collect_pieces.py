"""Merge the pieces of a collection of pseudo-hairpins."""

import logging

import job

from mirpair.contracts import read_pseudo_hairpins
from mirpair.sources.collections import read_lengths, write_collection
from mirpair.sources.pseudo_hairpins import count_missing, merge_pieces, shuffled_lengths

job.start(snakemake)
settings = snakemake.params.how
entries = merge_pieces(map(read_pseudo_hairpins, snakemake.input.pieces))
lengths = shuffled_lengths(
    read_lengths(snakemake.input.like), per_positive=settings["per_positive"], seed=settings["seed"]
)
missing = count_missing(lengths, entries)
output = snakemake.output
left_out = {"no place found": missing.total()} if missing else {}
write_collection(entries, left_out, output.fasta, output.origins, output.summary)
logging.info("%d of %d pseudo-hairpins found", len(entries), len(lengths))
for length, count in sorted(missing.items()):
    logging.info("no place found for %d pseudo-hairpins of %d nt", count, length)
