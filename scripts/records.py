"""Read the FASTA files of one set into records.tsv."""

import logging

import job

from mirpair.files import write_tsv
from mirpair.identification.datasets import build_records, clean_records, dropped_table
from mirpair.rna.sequences import read_fasta

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
if params.cleaned:
    # Not by mirpair.identification.audit: the records would depend on all that it imports, such as
    # metrics.
    known = {record.sequence for path in inputs.hairpins for record in read_fasta(path, dropped=[])}
    records, left_out = clean_records(
        inputs.positives, inputs.negatives, known=known, on_ambiguous=params.on_ambiguous
    )
else:
    records, dropped = build_records(
        inputs.positives, inputs.negatives, on_ambiguous=params.on_ambiguous
    )
    left_out = dropped_table(dropped)
write_tsv(records, snakemake.output.records)
write_tsv(left_out, snakemake.output.dropped)
logging.info("%d records, %d left out", len(records), len(left_out))
for record in left_out.itertuples():
    logging.info(
        "left out: %s, record %d of %s: %s", *record[1:2], record.number, record.file, record.reason
    )
