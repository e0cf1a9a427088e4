"""Call the family of an experiment's records by the covariance models of proposed families."""

import job

from mirpair.contracts import TRAIN, read_experiment, read_family_records, read_queries
from mirpair.families.by_models import call_by_models
from mirpair.families.covariance import CovarianceModels
from mirpair.families.model_files import read_models
from mirpair.files import read_npz, write_tsv
from mirpair.rna.similarity import Nearest

job.start(snakemake)
inputs = snakemake.input
records = read_family_records(inputs.records).set_index("id")
experiment, queries = read_experiment(inputs.experiment), read_queries(inputs.queries)
train = records.loc[experiment.loc[experiment["role"] == TRAIN, "id"]]
outputs = read_npz(inputs.outputs, ("ids", "classes", "logits"))
place = {name: number for number, name in enumerate(outputs["ids"].tolist())}
calls = call_by_models(
    CovarianceModels(read_models(inputs.models)),
    records.loc[queries["id"], "sequence"].tolist(),
    outputs["logits"][[place[name] for name in queries["id"]]],
    outputs["classes"].tolist(),
    Nearest(train["sequence"].tolist()),
    train["family"].tolist(),
)
write_tsv(queries[["id"]].assign(**calls), snakemake.output[0], float_format="%.6f")
