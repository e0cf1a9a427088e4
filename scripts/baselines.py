"""Score an experiment's evaluation records by methods without a network."""

import job

from mirpair.contracts import EVALUATE, TRAIN, read_experiment, read_records, read_structures
from mirpair.files import write_tsv
from mirpair.identification.audit import join_features
from mirpair.identification.baselines import classic_features, predict

job.start(snakemake)
tables = zip(
    snakemake.params.sets,
    map(read_records, snakemake.input.records),
    map(read_structures, snakemake.input.structures),
    strict=True,
)
features_of = {
    name: records[["id", "label", "sequence"]].merge(
        classic_features(records, structures), on="id", validate="one_to_one"
    )
    for name, records, structures in tables
}
records = join_features(read_experiment(snakemake.input.experiment), features_of)
predictions = predict(
    records[records["role"] == TRAIN],
    records[records["role"] == EVALUATE],
    seed=snakemake.params.seed,
    threads=snakemake.threads,
)
write_tsv(predictions, snakemake.output[0], float_format="%.9g")
