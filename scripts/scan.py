"""Write what was found in a genome, for people and for genome browsers."""

import job

from mirpair.scan.hairpins import Criteria, load, settings_of
from mirpair.scan.report import write_all

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
write_all(
    inputs.genome,
    inputs.found,
    inputs.scored,
    snakemake.output[0].removesuffix(".gff3"),
    Criteria(**params.criteria),
    settings_of(load(inputs.weights), **params.settings),
    inputs.weights,
)
