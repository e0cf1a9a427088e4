"""Assign the folds of one cross-validation."""

import job

from mirpair.contracts import read_origins, read_records
from mirpair.files import write_tsv
from mirpair.identification.folds import assign_folds

job.start(snakemake)
origins = snakemake.input.origins
table = assign_folds(
    snakemake.params.split,
    read_records(snakemake.input.records),
    origins={f"{path.removesuffix('.tsv')}.fa": read_origins(path) for path in origins},
    threads=snakemake.threads,
)
write_tsv(table, snakemake.output[0])
