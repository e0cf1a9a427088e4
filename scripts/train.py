"""Train one network on one experiment."""

import job

from mirpair.contracts import EVALUATE, TRAIN, VALIDATE, read_experiment
from mirpair.files import write_tsv
from mirpair.identification.train import record_weights, select, train
from mirpair.networks.training_job import TrainingJob
from mirpair.rna.encoded_sets import Tensors

job.start(snakemake)
inputs, params, output = snakemake.input, snakemake.params, snakemake.output
training = TrainingJob(
    params.run,
    params.training,
    output.weights,
    inputs=inputs,
    code=params.code,
    threads=snakemake.threads,
    gpu=bool(snakemake.resources.get("gpu", 0)),
    watch=params.watch,
)
experiment = read_experiment(inputs.experiment)
tensors = dict(zip(params.sets, map(Tensors.load, inputs.tensors), strict=True))
network, score_log = train(
    train_set=select(experiment, tensors, TRAIN),
    validate_set=select(experiment, tensors, VALIDATE),
    evaluate_set=select(experiment, tensors, EVALUATE),
    weights=record_weights(experiment),
    watch=params.watch,
    **training.settings(),
)
score_log.save(output.scores)
write_tsv(score_log.predictions(), output.predictions)
training.finish(network, output.provenance)
