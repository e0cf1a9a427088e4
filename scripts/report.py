"""Write the report of a study."""

import json
from pathlib import Path

import job
import yaml

from mirpair.files import write_text
from mirpair.identification.report import Section, render
from mirpair.identification.tables import read_table
from mirpair.pages.page import Picture, StudyInfo
from mirpair.sources.live import locked_rows

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
rows = locked_rows(**params.locked)
locked = {place: (f"as of {row.date} {row.release}", row.sha256) for place, row in rows.items()}
figures = {Path(path).stem: Path(path) for path in inputs.figures}
page = render(
    StudyInfo(
        params.title,
        params.study,
        [json.loads(Path(path).read_text("utf-8")) for path in inputs.provenance],
        params.sources | locked,
        yaml.safe_dump(params.config, sort_keys=False, allow_unicode=True),
    ),
    [
        Section(name, title, read_table(path), figures.get(name), params.texts.get(name, ""))
        for (name, title), path in zip(params.tables.items(), inputs.tables, strict=True)
    ],
    [
        Picture(heading, caption, Path(path))
        for (heading, caption), path in zip(params.pictures, inputs.pictures, strict=True)
    ],
    params.taken,
    {Path(path).parent.name: json.loads(Path(path).read_text("utf-8")) for path in inputs.sets},
)
write_text(snakemake.output[0], page)
