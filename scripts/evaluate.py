"""Compute the metrics of one training from its scores."""

import job

from mirpair.files import write_tsv
from mirpair.identification.metrics import final, history
from mirpair.networks.score_log import ScoreLog

job.start(snakemake)
scores = ScoreLog.load(snakemake.input[0])
write_tsv(history(scores), snakemake.output.history, float_format="%.6f")
write_tsv(final(scores), snakemake.output.metrics, float_format="%.6f")
