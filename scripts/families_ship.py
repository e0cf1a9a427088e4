"""Make the weights that `mirpair annotate` uses, and their card."""

import json
from pathlib import Path

import job

from mirpair.contracts import (
    read_calls,
    read_experiment,
    read_family_records,
    read_named_families,
    read_queries,
)
from mirpair.families.annotation import load
from mirpair.families.card import model_card
from mirpair.families.model_files import read_models
from mirpair.families.shipping import ship
from mirpair.files import read_npz, write_text

job.start(snakemake)
inputs, params, output = snakemake.input, snakemake.params, snakemake.output
queries = read_queries(inputs.queries)
calls = ship(
    output.weights,
    weights=inputs.weights,
    outputs=read_npz(inputs.outputs, ("ids", "classes", "logits", "features")),
    experiment=read_experiment(inputs.experiment),
    known=read_family_records(inputs.known),
    queries=queries,
    score=params.score,
    max_length=params.max_length,
    families=read_named_families(inputs.families),
    models=read_models(inputs.models) if inputs.models else None,
    by_models=read_calls(inputs.by_models, ["bits"]) if inputs.by_models else None,
)
card = model_card(
    output.weights,
    load(output.weights),
    queries=queries,
    calls=calls,
    provenance=json.loads(Path(inputs.provenance).read_text(encoding="utf-8")),
    sources=params.sources,
)
write_text(output.card, card)
