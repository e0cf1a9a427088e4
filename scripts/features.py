"""Compute a set's features, so that tables and figures need no sequences."""

import json
from pathlib import Path

import job

from mirpair.contracts import read_records, read_structures
from mirpair.files import read_any_tsv, write_tsv
from mirpair.identification.audit import describe, known_hairpins
from mirpair.identification.datasets import count_reasons
from mirpair.provenance import write_json

job.start(snakemake)
inputs, output = snakemake.input, snakemake.output
known = known_hairpins(*inputs.hairpins) if inputs.hairpins else None
table = describe(read_records(inputs.records), read_structures(inputs.structures), known)
write_tsv(table, output.features, float_format="%.6f")
folding = json.loads(Path(inputs.folding).read_text("utf-8"))
dropped = count_reasons(read_any_tsv(inputs.dropped))
collections = {Path(it).stem: json.loads(Path(it).read_text("utf-8")) for it in inputs.collections}
write_json({**folding, "dropped": dropped, "collections": collections}, output.summary)
