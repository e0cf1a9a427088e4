"""Write the last epoch of every training beside its best one by validation loss."""

import job
import pandas as pd

from mirpair.tables import epochs_table, write

job.start(snakemake)
params = snakemake.params
histories = [pd.read_csv(path, sep="\t") for path in snakemake.input.histories]
table = epochs_table(histories, params.runs, params.validation)
for path in snakemake.output:
    write(table, params.title, path)
