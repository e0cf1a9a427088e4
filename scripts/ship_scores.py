"""Make the table of scores that calibrate and measure the shipped networks of one kingdom."""

import job
import pandas as pd

from mirpair.contracts import read_experiment, read_origins, read_predictions, read_records
from mirpair.files import write_tsv
from mirpair.networks.score_log import ScoreLog
from mirpair.prediction.shipping import score_records

job.start(snakemake)
inputs = snakemake.input
logs = map(ScoreLog.load, inputs.logs)
# The log has the validation records, the predictions are those of the evaluation records.
validated = [pd.DataFrame({"id": it.evaluate_ids, "score": it.result}) for it in logs]
table = score_records(
    read_records(inputs.records),
    {f"{path.removesuffix('.tsv')}.fa": read_origins(path) for path in inputs.origins},
    read_experiment(inputs.experiment),
    [*validated, *map(read_predictions, inputs.predictions)],
)
write_tsv(table, snakemake.output[0], float_format="%.9g")
