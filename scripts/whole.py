"""Write an experiment in which all records of a set train."""

import job

from mirpair.contracts import read_records
from mirpair.files import write_tsv
from mirpair.identification.experiments import assign_roles

job.start(snakemake)
name = snakemake.wildcards.dataset
table = assign_roles({"split": "whole", "dataset": name}, {name: read_records(snakemake.input[0])})
write_tsv(table, snakemake.output[0])
