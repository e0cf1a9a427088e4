"""Encode a set's folded RNAs as compact tensors."""

import job

from mirpair.contracts import read_records, read_structures
from mirpair.rna.encoded_sets import encode_set

job.start(snakemake)
records = read_records(snakemake.input.records)
structures = read_structures(snakemake.input.structures)
encode_set(records, structures).save(snakemake.output[0])
