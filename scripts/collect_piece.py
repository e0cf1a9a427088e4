"""Cut one piece of a collection of pseudo-hairpins."""

import job
import pandas as pd

from mirpair.contracts import PSEUDO_HAIRPINS
from mirpair.files import write_tsv
from mirpair.sources.collections import read_lengths
from mirpair.sources.pseudo_hairpins import Criteria, cut_piece, shuffled_lengths

job.start(snakemake)
settings = snakemake.params.how
lengths = shuffled_lengths(
    read_lengths(snakemake.input.like), per_positive=settings["per_positive"], seed=settings["seed"]
)
stretches = cut_piece(
    snakemake.input.sequences,
    lengths,
    *job.piece(snakemake),
    criteria=Criteria(settings["stem"], settings["mfe"]),
    strands=2 if settings["strands"] == "both" else 1,
    seed=settings["seed"],
    species=settings["species"],
    processes=snakemake.threads,
)
rows = [(number, *entry) for number, entries in stretches for entry in entries]
table = pd.DataFrame(rows, columns=list(PSEUDO_HAIRPINS)).astype(PSEUDO_HAIRPINS)
write_tsv(table, snakemake.output[0])
