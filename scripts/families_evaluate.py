"""What one network calls the records of its experiment."""

import job

from mirpair.contracts import read_experiment
from mirpair.families.family_calls import network_calls
from mirpair.files import read_npz, write_tsv

job.start(snakemake)
experiment = read_experiment(snakemake.input.experiment)
outputs = read_npz(snakemake.input.outputs, ("ids", "classes", "logits", "features"))
role_of = dict(zip(experiment["id"], experiment["role"], strict=True))
roles = [role_of[name] for name in outputs["ids"].tolist()]
calls = network_calls(
    outputs["ids"].tolist(),
    roles,
    outputs["logits"],
    outputs["features"],
    outputs["classes"].tolist(),
)
write_tsv(calls, snakemake.output[0], float_format="%.9g")
