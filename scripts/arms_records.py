"""Select hairpins with both mature arms, cut them, and assign their families to folds."""

import logging

import job

from mirpair.arms.collect import read_records
from mirpair.files import write_tsv

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
records = read_records(
    inputs.hairpins,
    inputs.members,
    inputs.mature,
    inputs.flanked,
    folds=params.folds,
    seed=params.seed,
)
logging.info(
    "%d hairpins of %d families: %s",
    records["hairpin"].nunique(),
    records["family"].nunique(),
    records.groupby(["kingdom", "cut"]).size().to_dict(),
)
write_tsv(records, snakemake.output[0])
