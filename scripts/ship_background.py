"""Score what a scan would find, by the networks of a cross-validation."""

import job
import pandas as pd

from mirpair.contracts import read_experiment, read_records
from mirpair.files import write_tsv
from mirpair.scan.background import background, genome_hairpins, scores
from mirpair.settings import HairpinCriteria

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
hairpins = genome_hairpins(
    inputs.genome, HairpinCriteria(), bases=params.bases, processes=snakemake.threads
)
records = read_records(inputs.records)
members = len(inputs.weights) // len(inputs.experiments)
parts = [
    background(
        records,
        read_experiment(experiment),
        hairpins[number :: len(inputs.experiments)],
        inputs.weights[number * members : (number + 1) * members],
        HairpinCriteria(),
        processes=snakemake.threads,
    ).assign(fold=number + 1)
    for number, experiment in enumerate(inputs.experiments)
]
table = pd.concat(parts, ignore_index=True)
# In the order in which the hairpins were divided among the folds.
divided = [bases for number in range(len(parts)) for bases in hairpins[number :: len(parts)]]
table.loc[table["label"] == 0, "shipped"] = scores(
    divided, inputs.shipped, processes=snakemake.threads
)
write_tsv(table, snakemake.output[0], float_format="%.9g")
