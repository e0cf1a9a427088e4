"""Write one table, published and ours side by side, in every format."""

from pathlib import Path

import job
import pandas as pd

from mirpair.contracts import read_records
from mirpair.tables import counts_table, read_published, results_table, write

job.start(snakemake)
wanted = snakemake.params.table
published = next(iter(snakemake.input.published), None)
if "sets" in wanted:
    records = {Path(path).parent.name: read_records(path) for path in snakemake.input.records}
    table = counts_table(records, published)
else:
    metrics = [pd.read_csv(path, sep="\t") for path in snakemake.input.metrics]
    runs = pd.concat(
        [frame.assign(**run) for frame, run in zip(metrics, snakemake.params.runs, strict=True)]
    )
    shortcuts = pd.read_csv(snakemake.input.shortcuts, sep="\t")
    shortcuts["group"] = shortcuts["experiment"].map(snakemake.params.groups)
    table = results_table(
        wanted["rows"],
        runs,
        snakemake.params.folds,
        shortcuts,
        read_published(published) if published else None,
    )
for path in snakemake.output:
    write(table, wanted["title"], path)
