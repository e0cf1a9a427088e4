"""Write the study's report."""

import json
from pathlib import Path

import job
import yaml

from mirpair.files import write_text
from mirpair.report import Picture, Section, render
from mirpair.tables import read_table

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
figures = {Path(path).stem: Path(path) for path in inputs.figures}
page = render(
    params.title,
    params.study,
    [
        Section(name, title, read_table(path), figures.get(name), params.texts.get(name, ""))
        for (name, title), path in zip(params.tables.items(), inputs.tables, strict=True)
    ],
    [
        Picture(heading, caption, Path(path))
        for (heading, caption), path in zip(params.pictures, inputs.pictures, strict=True)
    ],
    [json.loads(Path(path).read_text("utf-8")) for path in inputs.provenance],
    params.taken,
    {Path(path).parent.name: json.loads(Path(path).read_text("utf-8")) for path in inputs.sets},
    params.sources,
    yaml.safe_dump(params.config, sort_keys=False, allow_unicode=True),
)
write_text(snakemake.output[0], page)
