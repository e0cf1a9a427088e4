"""Merge the folded pieces of a set."""

import job
import RNA

from mirpair.contracts import read_piece, read_records
from mirpair.files import write_tsv
from mirpair.provenance import versions, write_json
from mirpair.rna.folding import gather_structures

job.start(snakemake)
records = read_records(snakemake.input.records)
structures = gather_structures(records, map(read_piece, snakemake.input.pieces))
write_tsv(structures, snakemake.output.structures, float_format="%.2f")
write_json(
    {
        "records": len(records),
        "unique_sequences": records["sequence"].nunique(),
        "versions": {**versions("numpy", "pandas"), "ViennaRNA": RNA.__version__},
    },
    snakemake.output.provenance,
)
