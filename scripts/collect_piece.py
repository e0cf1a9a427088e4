"""Cut one piece of a collection of pseudo-hairpins."""

import job
import pandas as pd

from mirpair.contracts import PSEUDO_HAIRPINS
from mirpair.files import write_tsv
from mirpair.sources.collections import read_lengths
from mirpair.sources.pseudo_hairpins import Criteria, cut_piece, drawn_lengths

job.start(snakemake)
how = snakemake.params.how
lengths = drawn_lengths(
    read_lengths(snakemake.input.like), per_positive=how["per_positive"], seed=how["seed"]
)
found = cut_piece(
    snakemake.input.sequences,
    lengths,
    *job.piece(snakemake),
    criteria=Criteria(how["stem"], how["mfe"]),
    strands=2 if how["strands"] == "both" else 1,
    seed=how["seed"],
    species=how["species"],
    processes=snakemake.threads,
)
rows = [(number, *entry) for number, entries in found for entry in entries]
table = pd.DataFrame(rows, columns=list(PSEUDO_HAIRPINS)).astype(PSEUDO_HAIRPINS)
write_tsv(table, snakemake.output[0])
