"""Write the last epoch of every training beside its best one by validation loss."""

import job

from mirpair.contracts import read_audit
from mirpair.files import read_any_tsv
from mirpair.identification.metrics import choosers
from mirpair.identification.tables import epochs_table, gather, write

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
histories = [read_any_tsv(path) for path in inputs.histories]
evaluated = gather(map(read_audit, inputs.audit), params.folds)
table = epochs_table(histories, params.runs, choosers(params.validation, evaluated))
for path in snakemake.output:
    write(table, params.title, path)
