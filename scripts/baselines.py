"""Score an experiment's evaluation records by methods without a network."""

import job

from mirpair.contracts import (
    EVALUATE,
    TRAIN,
    VALIDATE,
    read_experiment,
    read_records,
    read_structures,
)
from mirpair.files import write_tsv
from mirpair.identification.audit import join_features
from mirpair.identification.baselines import features_for, predict

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
tables = zip(
    params.sets,
    map(read_records, inputs.records),
    map(read_structures, inputs.structures),
    strict=True,
)
features = {name: features_for(params.methods, *of_set) for name, *of_set in tables}
records = join_features(read_experiment(inputs.experiment), features)
by_role = {role: records[records["role"] == role] for role in (TRAIN, VALIDATE, EVALUATE)}
predictions = predict(
    by_role[TRAIN],
    by_role[EVALUATE],
    validate=by_role[VALIDATE],
    seed=params.seed,
    threads=snakemake.threads,
    methods=params.methods,
)
write_tsv(predictions, snakemake.output[0], float_format="%.9g")
