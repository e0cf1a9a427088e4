"""Write what was found in a genome, for people and for genome browsers."""

import job

from mirpair.scan_report import write_all
from mirpair.scanning import Criteria, load, settings_of

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
