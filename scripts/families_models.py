"""Build a covariance model of every family from its training records."""

import job

from mirpair.contracts import TRAIN, read_experiment, read_family_records
from mirpair.families.infernal import build_models
from mirpair.families.model_files import write_models

job.start(snakemake)
experiment = read_experiment(snakemake.input.experiment)
records = experiment.merge(read_family_records(snakemake.input.records), on="id")
train = records[records["role"] == TRAIN]
families = train.groupby("family", sort=True)["sequence"].apply(list).to_dict()
write_models(build_models(families, processes=snakemake.threads), snakemake.output[0])
