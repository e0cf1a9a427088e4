"""Write the report of a families study."""

import json
from pathlib import Path

import job
import yaml

from mirpair.families.report import render
from mirpair.files import write_text
from mirpair.pages.page import Picture, StudyInfo
from mirpair.pages.printing import read_table

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
figures = {Path(path).stem: Path(path) for path in inputs.figures}
page = render(
    StudyInfo(
        params.title,
        params.study,
        [json.loads(Path(path).read_text("utf-8")) for path in inputs.provenance],
        params.sources,
        yaml.safe_dump(params.config, sort_keys=False, allow_unicode=True),
    ),
    {Path(path).stem: read_table(path) for path in inputs.tables},
    [Picture(*params.figures[name], path, name) for name, path in figures.items()],
    params.texts,
)
write_text(snakemake.output[0], page)
