"""Write what the evaluation records of every experiment are worth."""

import job
import pandas as pd

from mirpair.contracts import read_audit
from mirpair.metrics import subsets
from mirpair.tables import audit_table, gather, write

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
records = gather(map(read_audit, inputs.audit), params.folds)
shortcuts = gather([pd.read_csv(path, sep="\t") for path in inputs.shortcuts], params.folds)
table = audit_table(records, subsets(records), shortcuts, **params.references)
for path in snakemake.output:
    write(table, params.title, path)
