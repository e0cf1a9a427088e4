"""Write the study's report."""

import json
from pathlib import Path

import job
import pandas as pd

from mirpair.files import write_text
from mirpair.report import Section, render
from mirpair.tables import gather, read_table

job.start(snakemake)
figures = {Path(path).stem: Path(path) for path in snakemake.input.figures}
sections = [
    Section(name, title, read_table(path), figures.get(name))
    for (name, title), path in zip(
        snakemake.params.tables.items(), snakemake.input.tables, strict=True
    )
]
page = render(
    snakemake.params.title,
    snakemake.params.study,
    sections,
    {Path(p).stem: Path(p) for p in snakemake.input.histories},
    [json.loads(Path(path).read_text("utf-8")) for path in snakemake.input.provenance],
    [json.loads(Path(path).read_text("utf-8")) for path in snakemake.input.folding],
    {Path(path).parent.name: len(pd.read_csv(path, sep="\t")) for path in snakemake.input.dropped},
    gather(snakemake.input.overlap, [{"experiment": e} for e in snakemake.params.experiments]),
)
write_text(snakemake.output[0], page)
