"""Train one network to tell the families of one experiment apart."""

from pathlib import Path

import job
import numpy as np
import torch

from mirpair.contracts import read_experiment, read_family_records
from mirpair.files import sha256, write_npz, write_tsv
from mirpair.identification.datasets import trained_families
from mirpair.networks.checkpoints import Checkpoint
from mirpair.networks.inference import embed
from mirpair.networks.loop import derive_seed, device_name, train_families
from mirpair.networks.weights import save_weights
from mirpair.provenance import versions, write_json
from mirpair.recipes import Model, Recipe
from mirpair.rna.encoding import Ensembles, Tensors

job.start(snakemake)
torch.set_num_threads(snakemake.threads)
inputs, params, output = snakemake.input, snakemake.params, snakemake.output
device = "cuda" if snakemake.resources.get("gpu", 0) else "cpu"
seed = derive_seed(params.run["seed"], params.run["experiment"], params.run["model"])
experiment, families = read_experiment(inputs.experiment), read_family_records(inputs.records)
classes, labels = trained_families(experiment, families)
encoded = {"tensors": Tensors, "ensembles": Ensembles}[params.encoded].load(inputs.encoded)
encoded = encoded.subset(encoded.indices(experiment["id"].tolist()))
parts = {}
for role in ("train", "validate"):
    places = np.flatnonzero((experiment["role"] == role) & (labels >= 0))
    parts |= {f"{role}_inputs": encoded.subset(places), f"{role}_labels": labels[places]}
facts = {
    "run": params.run,
    **params.training,
    **{"classes": len(classes), "derived_seed": seed, "threads": snakemake.threads},
    "device": device_name(device),
    "code": params.code,
    "versions": versions("torch", "numpy"),
    "inputs_sha256": {path: sha256(path) for path in inputs},
}
checkpoint = Checkpoint(Path(output.weights).with_name("checkpoint.safetensors"), facts)
network, history = train_families(
    Model(**params.training["model"]),
    **parts,
    classes=classes,
    recipe=Recipe(**params.training["recipe"]),
    seed=seed,
    device=device,
    checkpoint=checkpoint,
)
save_weights(network, output.weights)
write_tsv(history, output.history, float_format="%.6f")
logits, features = embed(network, encoded)
found = {"logits": logits.cpu().numpy(), "features": features.cpu().numpy()}
write_npz(output.outputs, ids=encoded.ids, classes=np.array(classes), **found)
write_json(facts | checkpoint.told(), output.provenance)
checkpoint.remove()
