"""Save the description of a study's records, and of the data that they come from."""

import job

from mirpair.provenance import write_json
from mirpair.study.saved_results import pack

job.start(snakemake)
data, *saved = snakemake.output
for source, destination in zip(snakemake.input, saved, strict=True):
    pack(source, destination)
write_json(snakemake.params.data, data)
