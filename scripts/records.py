"""Read the FASTA files of one set into records.tsv."""

import logging
from functools import partial

import job

from mirpair.files import write_tsv
from mirpair.identification.datasets import build_records, check_lengths, clean_records
from mirpair.rna.sequences import read_fasta

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
build = build_records
if params.cleaned:
    # Not by mirpair.identification.audit: the records would depend on all that it imports, such as
    # metrics.
    known = {record.sequence for path in inputs.hairpins for record in read_fasta(path, dropped=[])}
    build = partial(clean_records, known=known)
records, left_out = build(
    inputs.positives,
    inputs.negatives,
    on_ambiguous=params.on_ambiguous,
    longest=params.longest,
)
check_lengths({snakemake.wildcards.dataset: records}, params.limits)
write_tsv(records, snakemake.output.records)
write_tsv(left_out, snakemake.output.dropped)
logging.info("%d records, %d left out", len(records), len(left_out))
for record in left_out.itertuples():
    logging.info(
        "left out: %s, record %d of %s: %s", *record[1:2], record.number, record.file, record.reason
    )
