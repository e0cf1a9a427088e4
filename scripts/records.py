"""Read the FASTA files of one set into records.tsv."""

import logging

import job

from mirpair.datasets import build_records, dropped_table
from mirpair.files import write_tsv

job.start(snakemake)
records, dropped = build_records(
    snakemake.input.positives,
    snakemake.input.negatives,
    on_ambiguous=snakemake.params.on_ambiguous,
)
write_tsv(records, snakemake.output.records)
write_tsv(dropped_table(dropped), snakemake.output.dropped)
logging.info("%d records, %d dropped", len(records), len(dropped))
for record in dropped:
    logging.warning("dropped: %s", record)
