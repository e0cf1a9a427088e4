"""Train one network to classify the families of one experiment."""

import job
import numpy as np

from mirpair.contracts import read_experiment, read_family_records
from mirpair.families.records import trained_families
from mirpair.families.train import train_families
from mirpair.files import write_npz, write_tsv
from mirpair.networks.inference import embed
from mirpair.networks.training_job import TrainingJob
from mirpair.rna.encoded_sets import Ensembles, Tensors

job.start(snakemake)
inputs, params, output = snakemake.input, snakemake.params, snakemake.output
experiment, families = read_experiment(inputs.experiment), read_family_records(inputs.records)
classes, labels = trained_families(experiment, families)
training = TrainingJob(
    params.run,
    params.training,
    output.weights,
    inputs=inputs,
    code=params.code,
    threads=snakemake.threads,
    gpu=bool(snakemake.resources.get("gpu", 0)),
    facts={"classes": len(classes)},
)
encoded = {"tensors": Tensors, "ensembles": Ensembles}[params.encoded].load(inputs.encoded)
encoded = encoded.subset(encoded.indices(experiment["id"].tolist()))
parts = {}
for role in ("train", "validate"):
    chosen = np.flatnonzero((experiment["role"] == role) & (labels >= 0))
    parts |= {f"{role}_inputs": encoded.subset(chosen), f"{role}_labels": labels[chosen]}
network, history = train_families(**parts, classes=classes, **training.settings())
write_tsv(history, output.history, float_format="%.6f")
logits, features = (tensor.cpu().numpy() for tensor in embed(network, encoded))
write_npz(
    output.outputs, ids=encoded.ids, classes=np.array(classes), logits=logits, features=features
)
training.finish(network, output.provenance)
