"""Write the tables of a study of families."""

from pathlib import Path

import job

from mirpair.contracts import read_speed
from mirpair.families.tables import (
    accuracy_table,
    growth_table,
    infernal_table,
    read_called,
    rejection_table,
    sizes_table,
    write,
)

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
called = read_called(inputs.nearest, inputs.calls, params.runs, inputs.infernal, inputs.mirgenedb)
accuracies = accuracy_table(called, params.splits)
tables = {
    "accuracy": accuracies[accuracies["experiment"].isin(params.shown)],
    "sizes": sizes_table(accuracies, params.series),
    "rejection": rejection_table(called),
}
for path in inputs.speed:
    speed = read_speed(path)
    tables["infernal"] = infernal_table(
        accuracies, tables["rejection"], speed, experiment=Path(path).stem
    )
    tables["growth"] = growth_table(speed)
for path in snakemake.output:
    name = Path(path).stem
    write(name, tables[name], path)
