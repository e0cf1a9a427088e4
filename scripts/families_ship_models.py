"""Build the covariance models that ship, from all known RNAs of the families that trained."""

import job

from mirpair.contracts import TRAIN, read_experiment, read_family_records
from mirpair.families.infernal import build_models
from mirpair.families.model_files import write_models

job.start(snakemake)
known, roles = (
    read_family_records(snakemake.input.known),
    read_experiment(snakemake.input.experiment),
)
trains = known["id"].isin(roles.loc[roles["role"] == TRAIN, "id"])
chosen = known[known["family"].isin(known.loc[trains, "family"])]
families = chosen.groupby("family", sort=True)["sequence"].apply(list).to_dict()
write_models(build_models(families, processes=snakemake.threads), snakemake.output[0])
