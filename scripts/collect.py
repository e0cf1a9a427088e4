"""Write the RNAs of one collection and their origins."""

import logging

import job

from mirpair.rna.sequences import LONGEST
from mirpair.sources.collections import (
    choose,
    read_family_members,
    read_hairpins,
    read_rfam,
    thin,
    write_collection,
)
from mirpair.sources.genome_hairpins import read_texts
from mirpair.sources.repeat_pairs import join_pairs

job.start(snakemake)
settings, files = snakemake.params.how, snakemake.input
if settings["source"] == "hairpins":
    entries = read_hairpins(files[0])
    families = read_family_members(files[1]) if settings["families"] else None
    criteria = {"species": settings["species"], "families": families}
elif settings["source"] == "repeat-pairs":
    texts = read_texts(files[0], settings["regions"])
    about = {key: settings[key] for key in ("number", "places", "species", "seed")}
    entries, criteria = join_pairs(texts, **about), {}
else:
    names = settings["families"] or [""]
    entries = [
        entry
        for path, name in zip(files, names, strict=True)
        for entry in read_rfam(path, name, without=settings["without"])
    ]
    criteria = {}
lengths = {"shortest": settings.get("shortest", 1), "longest": settings.get("longest", LONGEST)}
chosen, left_out = choose(entries, **lengths, **criteria)
if at_most := settings.get("at_most"):
    thinned = thin(chosen, at_most, seed=settings["seed"])
    if len(thinned) < len(chosen):
        left_out[f"more than {at_most} of a family"] = len(chosen) - len(thinned)
    chosen = thinned
output = snakemake.output
write_collection(chosen, left_out, output.fasta, output.origins, output.summary)
logging.info("%d RNAs", len(chosen))
for reason, count in left_out.items():
    logging.info("left out: %d, %s", count, reason)
