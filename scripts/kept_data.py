"""Keep what is known of a study's records for others, and say which data they are of."""

import job

from mirpair.provenance import write_json
from mirpair.study.saved_results import pack

job.start(snakemake)
data, *places = snakemake.output
for source, destination in zip(snakemake.input, places, strict=True):
    pack(source, destination)
write_json(snakemake.params.data, data)
