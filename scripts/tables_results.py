"""Write one table of results, published and ours side by side, in every format."""

import job
import pandas as pd

from mirpair.contracts import read_published_results, read_summary
from mirpair.identification.tables import gather, results_table, write

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
groups = [{"group": name} for name in dict.fromkeys(params.rows.values())]
summary = gather(map(read_summary, inputs.evaluations), groups)
table = results_table(
    params.rows,
    summary[summary["subset"] == "all"],
    pd.DataFrame(params.runs),
    params.folds,
    *map(read_published_results, inputs.published),
)
for path in snakemake.output:
    write(table, params.title, path)
