"""Make the table of scores that calibrate and measure the shipped networks of one kingdom."""

import job

from mirpair.contracts import read_all_origins, read_experiment, read_predictions, read_records
from mirpair.files import write_tsv
from mirpair.networks.score_log import ScoreLog
from mirpair.prediction.shipping import score_records

job.start(snakemake)
inputs = snakemake.input
# The log has the validation records, the predictions are those of the evaluation records.
validated = [ScoreLog.load(path).validation().astype({"score": float}) for path in inputs.logs]
table = score_records(
    read_records(inputs.records),
    read_all_origins(inputs.origins),
    read_experiment(inputs.experiment),
    [*validated, *map(read_predictions, inputs.predictions)],
)
write_tsv(table, snakemake.output[0], float_format="%.9g")
