"""Find the training record with most shared 8-mers for each record of an experiment."""

import job

from mirpair.contracts import read_experiment, read_family_records
from mirpair.families.records import nearest_family
from mirpair.files import write_tsv

job.start(snakemake)
records = read_family_records(snakemake.input.records)
experiment = read_experiment(snakemake.input.experiment)
write_tsv(nearest_family(records, experiment), snakemake.output[0], float_format="%.6f")
