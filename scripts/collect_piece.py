"""Cut one piece of a collection: pseudo-hairpins, pre-miRNAs, or hairpins of a genome."""

from itertools import chain

import job

from mirpair.files import write_tsv
from mirpair.settings import HairpinCriteria
from mirpair.sources import genome_hairpins, pre_mirnas, pseudo_hairpins
from mirpair.sources.collections import cut_table, read_lengths
from mirpair.sources.known_stretches import KnownStretches

job.start(snakemake)
files, how = snakemake.input, snakemake.params.how
common = {"seed": how["seed"], "processes": snakemake.threads}
number = job.piece(snakemake)
lengths = [length for path in files.like for length in read_lengths(path)]
strands = 2 if how.get("strands") == "both" else 1
criteria = HairpinCriteria(exhaustive=bool(how.get("exhaustive")))
if how["source"] == "pseudo-hairpins":
    rnas = pseudo_hairpins.cut_piece(
        files.sequences,
        pseudo_hairpins.shuffled_lengths(
            lengths, per_positive=how["per_positive"], seed=how["seed"]
        ),
        *number,
        criteria=pseudo_hairpins.Criteria(how["stem"], how["mfe"]),
        strands=strands,
        species=how["species"],
        **common,
    )
elif how["source"] == "genome-hairpins":
    known = KnownStretches.read(files.known[0]) if how["away"] else None
    rnas = genome_hairpins.cut_piece(
        files.sequences,
        *number,
        search=genome_hairpins.Search.described(how, known),
        cutting=genome_hairpins.Cutting(
            criteria, how["cuts"], strands, lengths, how["species"], how["seed"]
        ),
        processes=snakemake.threads,
    )
else:
    select = {"kingdom": how["kingdom"], "species": how["species"]}
    hairpins, _ = pre_mirnas.read_pre_mirnas(files.sequences, **select)
    genomes = [genome_hairpins.read_texts(it, how["repeat_regions"]) for it in files.repeats]
    trusted_by = (next(iter(files.mature), None), chain(*genomes))
    by_arms = {"pre-mirna", "trimmed"}.intersection(how["cuts"])
    rnas = pre_mirnas.cut_piece(
        hairpins,
        *number,
        cuts=how["cuts"],
        trust=pre_mirnas.read_trust(files.sequences, *trusted_by),
        arms=pre_mirnas.read_arms(files.sequences) if by_arms else {},
        flanked=pre_mirnas.read_flanked(files.flanks),
        criteria=criteria,
        **common,
    )
write_tsv(cut_table(rnas), snakemake.output[0])
