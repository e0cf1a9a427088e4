"""Pack the known hairpins with which `mirpair predict` compares."""

import logging

import job

from mirpair.rna.known_hairpins import write_known_hairpins
from mirpair.rna.sequences import LONGEST
from mirpair.sources.collections import choose, read_hairpins

job.start(snakemake)
hairpins, _ = choose(read_hairpins(snakemake.input[0]), longest=LONGEST)
count = write_known_hairpins(((it.id, it.sequence) for it in hairpins), snakemake.output[0])
logging.info("%d unique hairpins", count)
