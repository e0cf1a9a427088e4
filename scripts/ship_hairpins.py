"""Pack the known hairpins that `mirpair predict` compares with."""

import logging

import job

from mirpair.mirbase import read_table, ship

job.start(snakemake)
logging.info("%d different hairpins", ship(read_table(snakemake.input[0]), snakemake.output[0]))
