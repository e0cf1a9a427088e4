"""Score an experiment's evaluation records by methods without a network."""

from functools import partial, reduce

import job
import pandas as pd

from mirpair.contracts import EVALUATE, TRAIN, read_experiment, read_records, read_structures
from mirpair.files import write_tsv
from mirpair.identification.audit import join_features
from mirpair.identification.baselines import classic_features, predict
from mirpair.identification.stem_features import stem_features

job.start(snakemake)
tables = zip(
    snakemake.params.sets,
    map(read_records, snakemake.input.records),
    map(read_structures, snakemake.input.structures),
    strict=True,
)
methods = snakemake.params.methods
features_of = {}
for name, records, structures in tables:
    columns = [records[["id", "label", "sequence"]], classic_features(records, structures)]
    if "gradient-boosting" in methods:
        columns.append(stem_features(records, structures))
    features_of[name] = reduce(partial(pd.merge, on="id", validate="one_to_one"), columns)
records = join_features(read_experiment(snakemake.input.experiment), features_of)
predictions = predict(
    records[records["role"] == TRAIN],
    records[records["role"] == EVALUATE],
    seed=snakemake.params.seed,
    threads=snakemake.threads,
    methods=methods,
)
write_tsv(predictions, snakemake.output[0], float_format="%.9g")
