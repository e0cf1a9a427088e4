"""Draw the figures of a families study."""

from pathlib import Path

import job

from mirpair.families.figures import study_figures
from mirpair.families.methods import read_called
from mirpair.pages.printing import read_table
from mirpair.pages.style import save

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
called = read_called(
    inputs.nearest,
    inputs.calls,
    params.runs,
    inputs.infernal,
    by_models=inputs.by_models,
    proposing=params.proposing,
)
tables = {Path(path).stem: read_table(path) for path in inputs.tables}
figures = study_figures(called, tables, inputs.histories, params.runs, params.first)
for path in snakemake.output:
    save(figures[Path(path).stem], path)
