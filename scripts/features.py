"""Describe a set's records for tables and figures, which need no sequences."""

import job

from mirpair.audit import describe, known_hairpins
from mirpair.contracts import read_records, read_structures
from mirpair.files import write_tsv

job.start(snakemake)
inputs = snakemake.input
known = known_hairpins(*inputs.hairpins) if inputs.hairpins else None
table = describe(read_records(inputs.records), read_structures(inputs.structures), known)
write_tsv(table, snakemake.output[0], float_format="%.6f")
