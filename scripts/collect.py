"""Write the RNAs of one collection, and where each is from."""

import logging

import job

from mirpair.sources.collections import (
    choose,
    read_families,
    read_hairpins,
    read_rfam,
    thin,
    write_collection,
)

job.start(snakemake)
how, files = snakemake.params.how, snakemake.input
if how["source"] == "hairpins":
    entries = read_hairpins(files[0])
    families = read_families(files[1]) if how["families"] else None
    chosen = {"species": how["species"], "families": families}
else:
    names = how["families"] or [""]
    read = [
        read_rfam(path, name, without=how["without"])
        for path, name in zip(files, names, strict=True)
    ]
    entries = [entry for part in read for entry in part]
    chosen = {}
kept, left_out = choose(entries, shortest=how["shortest"], longest=how["longest"], **chosen)
if how.get("at_most"):
    every = len(kept)
    kept = thin(kept, how["at_most"], seed=how["seed"])
    if every > len(kept):
        left_out[f"more than {how['at_most']} of a family"] = every - len(kept)
output = snakemake.output
write_collection(kept, left_out, output.fasta, output.origins, output.summary)
logging.info("%d RNAs", len(kept))
for reason, count in left_out.items():
    logging.info("left out: %d, %s", count, reason)
