"""Measure every method on one experiment by kind of RNA, or what the cutting of RNAs reveals."""

import json
from pathlib import Path

import job
import pandas as pd

from mirpair.contracts import (
    read_all_origins,
    read_experiment,
    read_predictions,
    read_records,
    read_structures,
)
from mirpair.files import read_any_tsv, write_tsv
from mirpair.identification.audit import join_features
from mirpair.identification.cutting import by_cut, cutting_features
from mirpair.identification.kinds import evaluation_records, measure_kinds, methods_of
from mirpair.identification.metrics import average
from mirpair.sources.collections import read_hairpins

job.start(snakemake)
inputs, output, params = snakemake.input, snakemake.output, snakemake.params
experiment = read_experiment(inputs.experiment)
sets = dict(zip(params.sets, map(read_records, inputs.records), strict=True))
records = evaluation_records(
    experiment,
    sets[params.sets[-1]],
    read_all_origins(inputs.origins),
    dict(zip(inputs.files, params.refs, strict=True)),
)
predictions = [
    read_predictions(path).assign(**{name: run[name] for name in ("model", "recipe", "number")})
    for run, path in zip(params.runs, inputs.predictions, strict=True)
]
trained = pd.concat(predictions)
predictions += [average(trained, of["models"], of["recipe"]) for of in params.averages]
methods = methods_of(
    records, [*params.runs, *params.averages], predictions, read_any_tsv(inputs.baselines)
)
if params.kind == "kinds":
    older = {
        ref: {hairpin.accession for hairpin in read_hairpins(path)}
        for ref, path in zip(params.older, inputs.older, strict=True)
    }
    summaries = {Path(path).stem: json.loads(Path(path).read_text()) for path in inputs.summaries}
    results, curves = measure_kinds(params.table, records, methods, older, summaries)
    write_tsv(results, output.results, float_format="%.6f")
    write_tsv(curves, output.curves, float_format="%.6g")
else:
    pairs = zip(sets.items(), map(read_structures, inputs.structures), strict=True)
    features = {name: cutting_features(it, structures) for (name, it), structures in pairs}
    table = by_cut(join_features(experiment, features), records, methods, seed=params.seed)
    write_tsv(table, output.results, float_format="%.6f")
