"""Draw the figures of a study of families."""

from pathlib import Path

import job

from mirpair.families.figures import (
    best_network,
    draw_bands,
    draw_confusions,
    draw_histories,
    draw_methods,
    draw_rejection,
    draw_sizes,
    draw_speed,
)
from mirpair.families.tables import INFERNAL, NEAREST, read_called, read_table
from mirpair.files import read_any_tsv
from mirpair.identification.figures import save

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
called = read_called(inputs.nearest, inputs.calls, params.runs, inputs.infernal)
tables = {Path(path).stem: read_table(path) for path in inputs.tables}
network = best_network(tables["accuracy"], params.first)
of_first = {one.method: one for one in called if one.experiment == params.first}
histories = {}
for run, path in zip(params.runs, inputs.histories, strict=True):
    of = histories.setdefault(run["experiment"], {}).setdefault(run["label"], [])
    of.append(read_any_tsv(path))
figures = {
    "methods": draw_methods(tables["accuracy"]),
    "bands": draw_bands(tables["accuracy"]),
    "confusions": draw_confusions(of_first[network]),
    "histories": draw_histories(histories),
}
if "sizes" in tables:
    figures["sizes"] = draw_sizes(tables["sizes"])
if "rejection" in tables:
    names = [name for name in (NEAREST, network, INFERNAL) if name in of_first]
    figures["rejection"] = draw_rejection([of_first[name] for name in names])
if "growth" in tables:
    figures["speed"] = draw_speed(tables["infernal"], tables["growth"])
for path in snakemake.output:
    save(figures[Path(path).stem], path)
