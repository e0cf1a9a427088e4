"""Gather the folded pieces of a set."""

import job

from mirpair.datasets import read_records
from mirpair.files import write_tsv
from mirpair.folding import gather_structures, read_piece

job.start(snakemake)
pieces = map(read_piece, snakemake.input.pieces)
write_tsv(
    gather_structures(read_records(snakemake.input.records), pieces),
    snakemake.output[0],
    float_format="%.2f",
)
