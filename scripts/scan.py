"""Write the hairpins of a genome, for people and for genome browsers."""

import job

from mirpair.scan.run import write
from mirpair.settings import Criteria, ScanSettings

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
write(
    inputs.genome,
    inputs.found,
    inputs.scored,
    snakemake.output[0].removesuffix(".gff3"),
    criteria=Criteria(**params.criteria),
    settings=ScanSettings(**params.settings),
    weights=inputs.weights,
)
