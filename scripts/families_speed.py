"""Measure how many RNAs per second each method classifies."""

from pathlib import Path

import job

from mirpair.contracts import EVALUATE, TRAIN, read_experiment, read_family_records, read_queries
from mirpair.families.family_calls import BY_MODELS, INFERNAL, NEAREST, in_trained_family
from mirpair.families.model_files import read_models
from mirpair.families.speed import (
    infernal_work,
    measure,
    models_work,
    nearest_work,
    network_work,
)
from mirpair.files import write_tsv
from mirpair.networks.build import load_weights

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
records = read_family_records(inputs.records).set_index("id")
experiment, queries = read_experiment(inputs.experiment), read_queries(inputs.queries)
known = queries[(queries["role"] == EVALUATE) & in_trained_family(queries)]
# Every n-th record, so that all families are included.
chosen = known["id"].iloc[:: max(1, len(known) // params.queries)].iloc[: params.queries]
sequences = records.loc[chosen, "sequence"].tolist()
train = records.loc[experiment.loc[experiment["role"] == TRAIN, "id"]]
models = read_models(inputs.models)
works = {(NEAREST, len(models)): nearest_work(train["sequence"].tolist(), sequences)}
networks = {Path(path).parts[-4]: load_weights(path) for path in inputs.weights}
for network in networks.values():
    works[network.model.label, len(models)] = network_work(network, sequences)
rnas, families = train["sequence"].tolist(), train["family"].tolist()
for number in sorted({*params.families, len(models)}):
    if number <= len(models):
        few = dict(list(models.items())[:number])
        works[INFERNAL, number] = infernal_work(few, sequences)
        if params.proposals:
            network = networks[params.proposals]
            works[BY_MODELS, number] = models_work(network, few, rnas, families, sequences)
cores = [number for number in (1, 2) if number <= snakemake.threads]
seconds = measure(works, sequences=len(sequences), cores=cores)
write_tsv(seconds, snakemake.output[0], float_format="%.4f")
