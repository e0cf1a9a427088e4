"""Divide the records of one experiment into a training and an evaluation set."""

import job

from mirpair.contracts import read_all_origins, read_folds, read_left_out, read_records
from mirpair.files import write_tsv
from mirpair.identification.datasets import check_lengths
from mirpair.identification.experiments import assign_roles, read_family_names
from mirpair.sources.collections import read_hairpins

job.start(snakemake)
origins, older = snakemake.input.origins, snakemake.input.older
tables = map(read_records, snakemake.input.records)
records = dict(zip(snakemake.params.sets, tables, strict=True))
table = assign_roles(
    snakemake.params.split,
    records,
    fold=snakemake.params.fold,
    train=snakemake.input.train,
    validate=snakemake.input.validate,
    evaluate=snakemake.input.evaluate,
    families=[name for path in snakemake.input.families for name in read_family_names(path)],
    weights=snakemake.params.weights,
    origins=read_all_origins(origins),
    older=[hairpin.accession for path in older for hairpin in read_hairpins(path)],
    folds=next(map(read_folds, snakemake.input.folds), None),
    on_ambiguous=snakemake.params.on_ambiguous,
    left_out={name for path in snakemake.input.dropped for name in read_left_out(path)["id"]},
    threads=snakemake.threads,
)
ids = table.groupby("set")["id"]
used = {name: it[it["id"].isin(ids.get_group(name))] for name, it in records.items()}
check_lengths(used, snakemake.params.max_lengths)
write_tsv(table, snakemake.output[0])
