"""Measure how far single features tell the classes apart in every experiment."""

import job
import pandas as pd

from mirpair.audit import features, shortcuts
from mirpair.contracts import read_experiment, read_records, read_structures
from mirpair.files import write_tsv

job.start(snakemake)
tables = zip(
    snakemake.params.sets,
    map(read_records, snakemake.input.records),
    map(read_structures, snakemake.input.structures),
    strict=True,
)
features_of = {name: features(records, structures) for name, records, structures in tables}
found = {
    name: shortcuts(read_experiment(path), features_of)
    for name, path in zip(snakemake.params.experiments, snakemake.input.experiments, strict=True)
}
table = pd.concat(found, names=["experiment", None]).reset_index(level="experiment")
write_tsv(table, snakemake.output[0], float_format="%.6f")
