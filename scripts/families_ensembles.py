"""Merge the base-pair probabilities of all records."""

import job

from mirpair.contracts import read_records
from mirpair.rna.encoded_sets import Ensembles

job.start(snakemake)
records = read_records(snakemake.input.records)
pieces = [Ensembles.load(path) for path in snakemake.input.pieces]
by_sequence = {name: one for piece in pieces for name, one in zip(piece.ids, piece, strict=True)}
ensembles = [by_sequence[sequence] for sequence in records["sequence"]]
Ensembles.build(records["id"].tolist(), ensembles).save(snakemake.output[0])
