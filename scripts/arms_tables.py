"""Measure the arms that networks found in families that were held out, and those of rules."""

from pathlib import Path

import job
import pandas as pd

from mirpair.arms.records import read_arm_records
from mirpair.arms.rules import RULES
from mirpair.arms.tables import draw_ends, printable, study_tables
from mirpair.contracts import HAIRPIN, read_structures
from mirpair.files import read_any_tsv
from mirpair.pages.printing import write
from mirpair.pages.style import save
from mirpair.rna.arms import Arms
from mirpair.rna.encoding import encode

job.start(snakemake)
inputs = snakemake.input
records, structures = read_arm_records(inputs.records), read_structures(inputs.structures)
found = pd.concat(map(read_any_tsv, inputs.arms)).set_index("id")
is_found = records["id"].isin(found.index)
records, structures = (it[is_found].reset_index(drop=True) for it in (records, structures))
found = found.loc[records["id"]].reset_index(drop=True)
found.columns = [name.removeprefix("found ") for name in found.columns]
columns = zip(records["sequence"], structures["structure"], structures["mfe"], strict=True)
molecules = [encode(*row) for row in columns]
rules = {
    name: pd.DataFrame([rule(it) for it in molecules], columns=list(Arms._fields))
    for name, rule in RULES.items()
}
tables = study_tables(records, found, rules)
for path in map(Path, snakemake.output):
    if path.parent.name == "tables":
        write(printable(path.stem, tables[path.stem]), path)
figure = draw_ends(tables, HAIRPIN)
for path in snakemake.output:
    if Path(path).parent.name == "figures":
        save(figure, path)
