"""Look at the records of one experiment before anything is trained on them."""

import logging

import job

from mirpair.audit import check_lengths, features, overlap, shortcuts, take_part
from mirpair.contracts import read_experiment, read_records, read_structures
from mirpair.files import write_tsv

job.start(snakemake)
tables = zip(
    snakemake.params.sets,
    map(read_records, snakemake.input.records),
    map(read_structures, snakemake.input.structures),
    strict=True,
)
features_of = {name: features(records, structures) for name, records, structures in tables}
records = take_part(read_experiment(snakemake.input.experiment), features_of)
check_lengths(records, snakemake.params.max_lengths)
found = overlap(records)
logging.info("%s", found.to_dict("records")[0])
write_tsv(found, snakemake.output.overlap)
write_tsv(shortcuts(records), snakemake.output.shortcuts, float_format="%.6f")
