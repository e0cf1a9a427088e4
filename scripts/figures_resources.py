"""Draw run time and memory of a study's jobs."""

import job

from mirpair.figures import draw_resources, save
from mirpair.tables import gather

job.start(snakemake)
files = [(rule, path) for rule in snakemake.params.rules for path in snakemake.input[rule]]
jobs = gather([path for _, path in files], [{"rule": rule} for rule, _ in files])
figure = draw_resources(jobs)
for path in snakemake.output:
    save(figure, path)
