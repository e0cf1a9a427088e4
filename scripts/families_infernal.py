"""What covariance models call the records of an experiment."""

import job

from mirpair.contracts import read_family_records, read_queries
from mirpair.families.infernal import read_models, scan
from mirpair.files import write_tsv

job.start(snakemake)
queries = read_queries(snakemake.input.queries)
sequences = read_family_records(snakemake.input.records).set_index("id")["sequence"]
found = scan(
    read_models(snakemake.input.models),
    sequences[queries["id"]].tolist(),
    threads=snakemake.threads,
)
calls = queries[["id"]].assign(called=found["family"], bits=found["bits"])
write_tsv(calls, snakemake.output[0])
