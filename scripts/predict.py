"""Merge the predictions of all pieces of a FASTA file, in the order of its records."""

import job

from mirpair.files import atomic, interleave
from mirpair.prediction.table import header

job.start(snakemake)
with (
    atomic(snakemake.output[0]) as temporary,
    temporary.open("w", encoding="utf-8", newline="\n") as handle,
):
    handle.write(header(nearest=snakemake.params.nearest) + "\n")
    for block in interleave(snakemake.input):
        handle.write("".join(f"{line}\n" for line in block))
