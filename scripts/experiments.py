"""Write who trains and who evaluates in one experiment."""

import job

from mirpair.contracts import read_records
from mirpair.datasets import assign_roles
from mirpair.files import write_tsv

job.start(snakemake)
tables = map(read_records, snakemake.input.records)
table = assign_roles(
    snakemake.params.split,
    dict(zip(snakemake.params.sets, tables, strict=True)),
    fold=snakemake.params.fold,
    train=snakemake.input.train,
    evaluate=snakemake.input.evaluate,
    on_ambiguous=snakemake.params.on_ambiguous,
    threads=snakemake.threads,
)
write_tsv(table, snakemake.output[0])
