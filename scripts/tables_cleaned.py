"""Write how every method does on all evaluation records and on the cleaned ones."""

import job
import pandas as pd

from mirpair.contracts import read_summary
from mirpair.identification.tables import cleaned_table, gather, write

job.start(snakemake)
params = snakemake.params
summaries = map(read_summary, snakemake.input.evaluations)
summary = gather(summaries, [{"group": name} for name in params.groups])
table = cleaned_table(summary, pd.DataFrame(params.runs), params.folds)
for path in snakemake.output:
    write(table, params.title, path)
