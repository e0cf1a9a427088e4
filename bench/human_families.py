"""Name the human pre-miRNAs of MirGeneDB (`python -m bench.human_families`).

MirGeneDB's hairpins have 30 nt more on both sides of the pre-miRNA, from the first base of the 5p
arm to the last of the 3p arm; these are cut off. Its annotation says which hairpin of miRBase each
one is, and the family of that hairpin is the right one. All of these hairpins are known, as most
users' are: this is no held-out test.
"""

from __future__ import annotations

import re

import pandas as pd

from bench.genomes import FOLDER, ROOT, fetch
from bench.measured import write_measured
from mirpair.families.annotation import annotate, load, shipped
from mirpair.families.naming import read_named
from mirpair.rna.sequences import read_fasta
from mirpair.sources.collections import read_hairpins

TABLE = ROOT / "docs" / "families" / "human.tsv"
FLANK = 30
_ANNOTATED = re.compile(r"\tpre_miRNA\t.*ID=(\S+?)_pre;Alias=(MI\d+)")


def right_families() -> dict[str, str]:
    """Return the family in miRBase of each human pre-miRNA of MirGeneDB that miRBase has."""
    hairpins = fetch("mirbase-22/hairpins.csv")
    named, _ = read_named(hairpins, fetch("mirbase-22/families.obo"), max_length=200)
    family = named.set_index("sequence")["family"]
    of_accession = {it.accession: family.get(it.sequence, "") for it in read_hairpins(hairpins)}
    text = fetch("mirgenedb/human-2.gff3").read_text(encoding="utf-8")
    return {name: of_accession.get(it, "") for name, it in _ANNOTATED.findall(text)}


def main() -> None:
    """Name them, and write a row for each."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    records = list(read_fasta(fetch("mirgenedb/human-hairpins-2.fa")))
    names = [record.id.removesuffix("_pri") for record in records]
    table = annotate(load(shipped()), [record.sequence[FLANK:-FLANK] for record in records])
    right = right_families()
    columns = ["family", "distribution", "score", "nearest", "identity"]
    rows = pd.DataFrame({"id": names, "right": [right.get(name, "") for name in names]})
    write_measured(pd.concat([rows, table[columns]], axis=1), TABLE, weights=shipped())
    is_named = table["family"] != ""
    is_right = is_named & (table["family"] == rows["right"])
    print(f"{is_named.sum()} of {len(rows)} named, {is_right.sum()} of these right")


if __name__ == "__main__":
    main()
