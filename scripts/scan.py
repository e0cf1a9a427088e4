"""Write the hairpins of a genome, for people and for genome browsers."""

import job

from mirpair.scan.run import write
from mirpair.settings import HairpinCriteria, ScanOutput, ScanSettings

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
write(
    inputs.genome,
    inputs.journals,
    snakemake.output[0].removesuffix(".gff3"),
    criteria=HairpinCriteria(**params.criteria),
    settings=ScanSettings(**params.settings | job.reference(snakemake)),
    written=ScanOutput(**params.written),
    weights=inputs.weights,
    families=inputs.families,
)
