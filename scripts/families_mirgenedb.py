"""Call the family of an experiment's records by MirGeneDB's models and names."""

import job

from mirpair.contracts import TRAIN, read_experiment, read_family_records, read_queries
from mirpair.families.infernal import counterparts, mirgenedb_models, scan
from mirpair.files import write_tsv
from mirpair.provenance import write_json

# Minimum bits of a hit; unrelated hairpins reach about 20, a few 40.
NOISE = 30.0

job.start(snakemake)
inputs, threads = snakemake.input, snakemake.threads
records = read_family_records(inputs.records).set_index("id")
experiment, queries = read_experiment(inputs.experiment), read_queries(inputs.queries)
models = mirgenedb_models(inputs.wheel)
train = records.loc[experiment.loc[experiment["role"] == TRAIN, "id"]]
# Five records per family are enough to match the families of both databases.
sample = train.groupby("family", sort=True).head(5)
other_of = counterparts(
    sample["family"].tolist(),
    scan(models, sample["sequence"].tolist(), threads=threads),
    noise=NOISE,
)
# As with the trained models, an RNA is either of a trained family or of none.
models = {name: models[name] for name in sorted(set(other_of.values()))}
best = scan(models, records.loc[queries["id"], "sequence"].tolist(), threads=threads)
calls = queries[["id"]].assign(called=best["family"], bits=best["bits"])
write_tsv(calls, snakemake.output.calls)
write_json(other_of, snakemake.output.counterparts)
