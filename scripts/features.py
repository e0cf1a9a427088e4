"""Measure the features of a set's records, for tables and figures that need no sequences."""

import job

from mirpair.audit import features
from mirpair.contracts import read_records, read_structures
from mirpair.files import write_tsv

job.start(snakemake)
found = features(read_records(snakemake.input.records), read_structures(snakemake.input.structures))
write_tsv(found.drop(columns="sequence"), snakemake.output[0], float_format="%.6f")
