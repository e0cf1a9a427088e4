"""Write the tables of a families study."""

from pathlib import Path

import job

from mirpair.families.display import printable
from mirpair.families.methods import read_called
from mirpair.families.tables import study_tables
from mirpair.pages.printing import write

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
called = read_called(
    inputs.nearest,
    inputs.calls,
    params.runs,
    inputs.infernal,
    inputs.mirgenedb,
    by_models=inputs.by_models,
    proposing=params.proposing,
)
tables = study_tables(
    called, params.splits, shown=params.shown, series=params.series, speed=inputs.speed
)
for path in snakemake.output:
    name = Path(path).stem
    write(printable(name, tables[name]), path)
