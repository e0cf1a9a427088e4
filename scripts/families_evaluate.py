"""Call the family of an experiment's records by one network."""

import job

from mirpair.contracts import read_experiment
from mirpair.families.family_calls import network_calls
from mirpair.files import read_npz, write_tsv

job.start(snakemake)
experiment = read_experiment(snakemake.input.experiment)
outputs = read_npz(snakemake.input.outputs, ("ids", "classes", "logits", "features"))
ids = outputs["ids"].tolist()
roles = experiment.set_index("id").loc[ids, "role"].tolist()
calls = network_calls(
    ids, roles, outputs["logits"], outputs["features"], outputs["classes"].tolist()
)
write_tsv(calls, snakemake.output[0], float_format="%.9g")
