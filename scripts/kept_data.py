"""Keep what is known of a study's records for others, and say which data they are of."""

import job

from mirpair.kept import pack
from mirpair.provenance import write_json

job.start(snakemake)
data, *places = snakemake.output
for source, destination in zip(snakemake.input, places, strict=True):
    pack(source, destination)
write_json(snakemake.params.data, data)
