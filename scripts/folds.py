"""Assign the folds of one cross-validation."""

import job

from mirpair.contracts import read_all_origins, read_records
from mirpair.files import write_tsv
from mirpair.identification.folds import assign_folds

job.start(snakemake)
origins = snakemake.input.origins
table = assign_folds(
    snakemake.params.split,
    read_records(snakemake.input.records),
    origins=read_all_origins(origins),
    threads=snakemake.threads,
)
write_tsv(table, snakemake.output[0])
