"""Look at the records of one experiment before anything is trained on them."""

import logging

import job

from mirpair.contracts import read_experiment, read_records, read_structures
from mirpair.files import write_tsv
from mirpair.identification.audit import (
    check_lengths,
    evaluated,
    features,
    known_hairpins,
    shortcuts,
    take_part,
)

job.start(snakemake)
inputs = snakemake.input
tables = zip(
    snakemake.params.sets,
    map(read_records, inputs.records),
    map(read_structures, inputs.structures),
    strict=True,
)
features_of = {name: features(records, structures) for name, records, structures in tables}
records = take_part(read_experiment(inputs.experiment), features_of)
check_lengths(records, snakemake.params.max_lengths)
known = known_hairpins(*inputs.hairpins, *inputs.families) if inputs.hairpins else None
found = evaluated(records, known, threads=snakemake.threads)
counted = found[["contradictory", "in_training", "relative"]].sum().to_dict()
logging.info("of %d evaluation records: %s", len(found), counted)
write_tsv(found, snakemake.output.records, float_format="%.4f")
write_tsv(shortcuts(records), snakemake.output.shortcuts, float_format="%.6f")
