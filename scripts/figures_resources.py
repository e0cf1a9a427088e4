"""Draw run time and memory of a study's jobs."""

from pathlib import Path

import job
import pandas as pd

from mirpair.identification.figures import draw_resources, save
from mirpair.identification.tables import gather

job.start(snakemake)
results = Path(snakemake.output[0]).parent.parent
files = [
    (rule, results / name)
    for rule, names in snakemake.params.benchmarks.items()
    for name in names
    if (results / name).is_file()
]
jobs = gather(
    [pd.read_csv(path, sep="\t") for _, path in files], [{"rule": rule} for rule, _ in files]
)
figure = draw_resources(jobs)
for path in snakemake.output:
    save(figure, path)
