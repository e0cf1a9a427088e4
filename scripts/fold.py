"""Fold one piece of a set's unique sequences."""

import job

from mirpair.contracts import read_records
from mirpair.files import write_tsv
from mirpair.rna.folding import fold_piece

job.start(snakemake)
piece, pieces = job.piece(snakemake)
sequences = read_records(snakemake.input[0])["sequence"]
folded = fold_piece(sequences, piece, pieces, processes=snakemake.threads)
write_tsv(folded, snakemake.output[0])
