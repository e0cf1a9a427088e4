"""Write the weights of `mirpair predict` and `mirpair scan`, and their card."""

import json
from itertools import islice
from pathlib import Path

import job

from mirpair.contracts import read_experiment, read_records, read_scored_records
from mirpair.files import read_any_tsv, write_text
from mirpair.prediction.card import CardPart, prediction_card
from mirpair.prediction.shipping import calibrate_kingdom, scanned_pre_mirnas
from mirpair.prediction.weights import load_networks, write_networks

job.start(snakemake)
inputs, params, output = snakemake.input, snakemake.params, snakemake.output


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


summaries = {Path(path).stem: read_json(path) for path in inputs.summaries}
tables = dict(zip(params.members, map(read_scored_records, inputs.scores), strict=True))
scanned = {
    kingdom: scanned_pre_mirnas(table, read_records(records), read_experiment(experiment))
    for (kingdom, table), records, experiment in zip(
        tables.items(), inputs.records, inputs.experiments, strict=True
    )
}
calibrated, provenance = {}, {}
trained = iter(zip(inputs.weights, map(read_json, inputs.provenance), strict=True))
for kingdom, members in params.members.items():
    weights, provenance[kingdom] = zip(*islice(trained, members), strict=True)
    genomes = {
        genome: {name: summaries[name] for name in names}
        for genome, names in params.genomes[kingdom].items()
    }
    calibrated[kingdom] = calibrate_kingdom(tables[kingdom], weights, genomes, scanned[kingdom])
write_networks(output.weights, calibrated)
parts = {
    kingdom: CardPart(
        load_networks(output.weights, kingdom),
        tables[kingdom],
        read_any_tsv(left_out),
        provenance[kingdom],
    )
    for kingdom, left_out in zip(params.members, inputs.left_out, strict=True)
}
write_text(output.card, prediction_card(output.weights, parts, params.sources))
