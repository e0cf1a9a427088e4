"""Examine the records of one experiment before training."""

import logging

import job

from mirpair.contracts import read_experiment, read_records, read_structures
from mirpair.files import write_tsv
from mirpair.identification.audit import (
    audit_records,
    features,
    join_features,
    known_hairpins,
    shortcuts,
)
from mirpair.identification.datasets import check_lengths

job.start(snakemake)
inputs = snakemake.input
tables = zip(
    snakemake.params.sets,
    map(read_records, inputs.records),
    map(read_structures, inputs.structures),
    strict=True,
)
features_of = {name: features(records, structures) for name, records, structures in tables}
records = join_features(read_experiment(inputs.experiment), features_of)
check_lengths(dict(list(records.groupby("set"))), snakemake.params.max_lengths)
known = known_hairpins(*inputs.hairpins, *inputs.families) if inputs.hairpins else None
audited = audit_records(records, known, threads=snakemake.threads)
counts = audited[["contradictory", "in_training", "relative"]].sum()
logging.info(
    "%d evaluation records: %d in both classes, %d in training, %d with a relative",
    len(audited),
    *counts,
)
write_tsv(audited, snakemake.output.records, float_format="%.4f")
write_tsv(shortcuts(records), snakemake.output.shortcuts, float_format="%.6f")
