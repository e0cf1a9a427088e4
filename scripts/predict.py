"""Gather what is said of the RNAs of a FASTA file, in their order."""

import job

from mirpair.files import atomic, interleave
from mirpair.prediction.predictor import header

job.start(snakemake)
with (
    atomic(snakemake.output[0]) as temporary,
    temporary.open("w", encoding="utf-8", newline="\n") as handle,
):
    handle.write(header(nearest=snakemake.params.nearest) + "\n")
    for block in interleave(snakemake.input):
        handle.write("".join(f"{line}\n" for line in block))
