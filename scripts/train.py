"""Train one network on one experiment."""

import time
from pathlib import Path

import job
import torch

from mirpair.checkpoints import Checkpoint
from mirpair.contracts import read_experiment
from mirpair.encoding import Tensors
from mirpair.files import sha256, write_tsv
from mirpair.inference import save_weights
from mirpair.provenance import versions, write_json
from mirpair.recipes import Model, Recipe
from mirpair.training import derive_seed, select, train

job.start(snakemake)
started = time.perf_counter()
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
    "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
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
wall = {"wall_time_s": round(time.perf_counter() - started, 1)}
write_json(facts | wall | {"began_after_epoch": checkpoint.began}, snakemake.output.provenance)
checkpoint.remove()
