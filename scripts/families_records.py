"""Select the records of a study of families, and divide them in each experiment."""

import logging
from pathlib import Path

import job

from mirpair.families.naming import name_families
from mirpair.families.records import (
    assign_families,
    gather_records,
    known_rnas,
    read_families,
    read_others,
)
from mirpair.files import write_tsv

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
rfam = read_families(
    dict(zip(params.names, inputs.families, strict=True)), max_length=params.max_length
)
hairpins, families = name_families(rfam, inputs.named, max_length=params.max_length)
write_tsv(families, snakemake.output.families)
others = (
    read_others(inputs.others, max_length=params.max_length, **params.others)
    if params.others
    else hairpins[:0]
)
logging.info("%d hairpins, %d other RNAs", len(hairpins), len(others))
chosen = []
for path in snakemake.output.experiments:
    split = params.splits[Path(path).stem]
    records, table = assign_families(
        hairpins, others, split, seed=params.seed, threads=snakemake.threads
    )
    write_tsv(table, path)
    if Path(path).stem == params.shipped:
        write_tsv(known_rnas(hairpins, table), snakemake.output.known)
    trained = records.loc[table["role"].to_numpy() == "train", "family"].nunique()
    logging.info(
        "%s: uses %d of %d families, the others have too few RNAs or too many; %s",
        Path(path).stem,
        trained,
        hairpins["family"].nunique(),
        table["role"].value_counts().to_dict(),
    )
    chosen.append(records)
write_tsv(gather_records(chosen), snakemake.output.records)
