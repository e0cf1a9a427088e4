"""What MirGeneDB's models call the records of an experiment, by MirGeneDB's names."""

import job

from mirpair.contracts import TRAIN, read_experiment, read_family_records, read_queries
from mirpair.families.infernal import counterparts, mirgenedb_models, scan
from mirpair.files import write_tsv
from mirpair.provenance import write_json

# Bits; unrelated hairpins reach about 20, a few 40.
NOISE = 30.0

job.start(snakemake)
inputs, threads = snakemake.input, snakemake.threads
records = read_family_records(inputs.records).set_index("id")
experiment, queries = read_experiment(inputs.experiment), read_queries(inputs.queries)
models = mirgenedb_models(inputs.wheel)
train = records.loc[experiment.loc[experiment["role"] == TRAIN, "id"]]
# Five of each family tell which family is which.
some = train.groupby("family", sort=True).head(5)
other_of = counterparts(
    some["family"].tolist(), scan(models, some["sequence"].tolist(), threads=threads), noise=NOISE
)
# As with our own models, an RNA can only be of a family that was trained, or of none.
models = {name: models[name] for name in sorted(set(other_of.values()))}
found = scan(models, records.loc[queries["id"], "sequence"].tolist(), threads=threads)
calls = queries[["id"]].assign(called=found["family"], bits=found["bits"])
write_tsv(calls, snakemake.output.calls)
write_json(other_of, snakemake.output.counterparts)
