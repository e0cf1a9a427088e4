"""Make the table of scores that calibrate and measure the shipped networks of one kingdom."""

import job
import pandas as pd

from mirpair.contracts import read_all_origins, read_experiment, read_predictions, read_records
from mirpair.files import write_tsv
from mirpair.networks.score_log import ScoreLog
from mirpair.prediction.shipping import score_records

job.start(snakemake)
inputs = snakemake.input
# The log has the validation records, the predictions are those of the evaluation records.
trainings = [
    (
        read_experiment(experiment),
        pd.concat([ScoreLog.load(log).validation().astype({"score": float}), evaluated]),
    )
    for experiment, log, evaluated in zip(
        inputs.experiments, inputs.logs, map(read_predictions, inputs.predictions), strict=True
    )
]
table = score_records(
    read_records(inputs.records),
    read_all_origins(inputs.origins),
    trainings,
)
write_tsv(table, snakemake.output[0], float_format="%.9g")
