"""Write what the evaluation records of every experiment are worth."""

import job

from mirpair.contracts import read_audit
from mirpair.files import read_any_tsv
from mirpair.identification.metrics import subsets
from mirpair.identification.tables import audit_table, gather, write

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
records = gather(map(read_audit, inputs.audit), params.folds)
shortcuts = gather([read_any_tsv(path) for path in inputs.shortcuts], params.folds)
table = audit_table(records, subsets(records), shortcuts, **params.references)
for path in snakemake.output:
    write(table, params.title, path)
