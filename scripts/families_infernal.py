"""Call the family of an experiment's records by covariance models."""

import job

from mirpair.contracts import read_family_records, read_queries
from mirpair.families.infernal import scan
from mirpair.families.model_files import read_models
from mirpair.files import write_tsv

job.start(snakemake)
queries = read_queries(snakemake.input.queries)
sequences = read_family_records(snakemake.input.records).set_index("id")["sequence"]
best = scan(
    read_models(snakemake.input.models),
    sequences[queries["id"]].tolist(),
    threads=snakemake.threads,
)
calls = queries[["id"]].assign(called=best["family"], bits=best["bits"])
write_tsv(calls, snakemake.output[0])
