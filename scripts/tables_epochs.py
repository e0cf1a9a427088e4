"""Write the last epoch of every training beside its best one by validation loss."""

import job
import pandas as pd

from mirpair.contracts import read_audit
from mirpair.metrics import choosers
from mirpair.tables import epochs_table, gather, write

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
histories = [pd.read_csv(path, sep="\t") for path in inputs.histories]
evaluated = gather(map(read_audit, inputs.audit), params.folds)
table = epochs_table(histories, params.runs, choosers(params.validation, evaluated))
for path in snakemake.output:
    write(table, params.title, path)
