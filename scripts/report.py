"""Write the report of a study."""

import json
import os
from pathlib import Path

import job
import yaml

from mirpair.files import write_text
from mirpair.identification.report import Section, render
from mirpair.identification.tables import read_table
from mirpair.pages.page import Picture, StudyInfo
from mirpair.sources.live import LIVE_VARIABLE, canonical, read_lock

job.start(snakemake)
# Not a param: while the workflow is planned, new downloads are not locked yet.
live = json.loads(os.environ[LIVE_VARIABLE])
lock = read_lock(live["lock"])
rows = {place: lock[canonical(place)] for place in live["places"] if canonical(place) in lock}
locked = {place: (f"as of {row.date} {row.release}", row.sha256) for place, row in rows.items()}
inputs, params = snakemake.input, snakemake.params
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
