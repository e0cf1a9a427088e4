"""Write the report of a study of families."""

import json
from pathlib import Path

import job
import yaml

from mirpair.families.report import render
from mirpair.families.tables import read_table
from mirpair.files import write_text
from mirpair.identification.report import Picture

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
page = render(
    params.title,
    params.study,
    {Path(path).stem: read_table(path) for path in inputs.tables},
    {
        Path(path).stem: Picture(*params.figures[Path(path).stem], Path(path))
        for path in inputs.figures
    },
    params.texts,
    [json.loads(Path(path).read_text("utf-8")) for path in inputs.provenance],
    params.sources,
    yaml.safe_dump(params.config, sort_keys=False, allow_unicode=True),
)
write_text(snakemake.output[0], page)
