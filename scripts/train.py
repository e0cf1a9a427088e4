"""Train one network on one experiment."""

from pathlib import Path

import job
import torch

from mirpair.contracts import read_experiment
from mirpair.files import sha256, write_tsv
from mirpair.networks.checkpoints import Checkpoint
from mirpair.networks.loop import derive_seed, device_name, select, train
from mirpair.networks.weights import save_weights
from mirpair.provenance import versions, write_json
from mirpair.recipes import Model, Recipe
from mirpair.rna.encoding import Tensors

job.start(snakemake)
torch.set_num_threads(snakemake.threads)
run = snakemake.params.run
training = snakemake.params.training
device = "cuda" if snakemake.resources.get("gpu", 0) else "cpu"
seed = derive_seed(run["seed"], run["experiment"], run["model"])
experiment = read_experiment(snakemake.input.experiment)
tensors = dict(zip(snakemake.params.sets, map(Tensors.load, snakemake.input.tensors), strict=True))
facts = {
    "run": run,
    **training,
    "derived_seed": seed,
    "device": device_name(device),
    "threads": snakemake.threads,
    "code": snakemake.params.code,
    "versions": versions("torch", "numpy"),
    "inputs_sha256": {path: sha256(path) for path in snakemake.input},
}
weights = Path(snakemake.output.weights)
checkpoint = Checkpoint(
    weights.with_name("checkpoint.safetensors"), {**facts, "watch": snakemake.params.watch}
)
network, scores = train(
    Model(**training["model"]),
    select(experiment, tensors, "train"),
    select(experiment, tensors, "evaluate"),
    Recipe(**training["recipe"]),
    seed=seed,
    watch=snakemake.params.watch,
    device=device,
    checkpoint=checkpoint,
)
save_weights(network, weights)
scores.save(snakemake.output.scores)
write_tsv(scores.predictions(), snakemake.output.predictions)
write_json(facts | checkpoint.told(), snakemake.output.provenance)
checkpoint.remove()
