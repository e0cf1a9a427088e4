"""Merge the pieces of a collection: pseudo-hairpins, pre-miRNAs, or hairpins of a genome."""

import logging

import job

from mirpair.contracts import read_cut_rnas
from mirpair.sources import genome_hairpins, pre_mirnas, pseudo_hairpins
from mirpair.sources.collections import merge_cut, read_lengths, write_collection
from mirpair.sources.known_stretches import KnownStretches

job.start(snakemake)
files, how, output = snakemake.input, snakemake.params.how, snakemake.output
rnas = merge_cut(map(read_cut_rnas, files.pieces))
counts = {}
if how["source"] == "pseudo-hairpins":
    entries = pseudo_hairpins.check_found([rna.entry for rna in rnas])
    lengths = [length for path in files.like for length in read_lengths(path)]
    missing = pseudo_hairpins.count_missing(lengths * how["per_positive"], entries)
    left_out = {"no place found": missing.total()} if missing else {}
    for length, count in sorted(missing.items()):
        logging.info("no place found for %d pseudo-hairpins of %d nt", count, length)
elif how["source"] == "genome-hairpins":
    known = None
    if how["known"]:
        trusted = pre_mirnas.read_trusted(files.known[0], next(iter(files.mature), None))
        known = KnownStretches(trusted)
    entries, left_out = genome_hairpins.select(
        rnas, known=known, at_most=how["at_most"], seed=how["seed"]
    )
    near = KnownStretches.read(files.known[0]) if how["away"] else None
    search = genome_hairpins.Search.described(how, near)
    searched = genome_hairpins.choose_blocks(files.sequences, search)
    counts = {"bases": sum(searched.values()), "hairpins": len(rnas)}
else:
    limits = {key: how[key] for key in ("cuts", "shortest", "longest")}
    entries, left_out = pre_mirnas.select(rnas, **limits)
    select = {"kingdom": how["kingdom"], "species": how["species"]}
    left_out += pre_mirnas.read_pre_mirnas(files.sequences, **select)[1]
write_collection(entries, left_out, output.fasta, output.origins, output.summary, counts)
logging.info("%d RNAs", len(entries))
for reason, count in {**left_out, **counts}.items():
    logging.info("%s: %d", reason, count)
