"""Annotate human pre-miRNAs, and RNAs that are none (`python -m bench.annotated`).

The pre-miRNAs are MirGeneDB's: its hairpins have 30 nt more on both sides, which are cut off, so
that they end with the arms. It says which hairpin of miRBase each one is; the family of that
hairpin is the right one. miRBase has nearly all of them, so the weights know them, as they know
most hairpins that users ask about: this is no held-out test. The other RNAs are shuffled copies of
these with the same dinucleotides, and RNAs of nRC.

`mirpair annotate` runs with its defaults. docs/families/human.tsv has a row for each pre-miRNA, and
annotated.tsv a row for each kind of RNA.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from numpy.random import default_rng

from bench.genomes import FOLDER, ROOT, fetch
from bench.measured import write_measured
from mirpair.families.annotation import shipped
from mirpair.families.naming import read_named
from mirpair.families.records import SHUFFLED, read_others, shuffle_dinucleotides
from mirpair.rna.sequences import read_fasta
from mirpair.sources.collections import read_hairpins

TABLES = ROOT / "docs" / "families"
HUMAN, NEW = "human pre-miRNA", "a pre-miRNA of no known family"
FLANK, MOST = 30, 500
_ANNOTATED = re.compile(r"\tpre_miRNA\t.*ID=(\S+?)_pre;Alias=(MI\d+)")


def right_families() -> dict[str, str]:
    """Return the family in miRBase of each human pre-miRNA of MirGeneDB that miRBase has."""
    hairpins = fetch("mirbase-22/hairpins.csv")
    named, _ = read_named(hairpins, fetch("mirbase-22/families.obo"), max_length=200)
    family = named.set_index("sequence")["family"]
    of_accession = {it.accession: family.get(it.sequence, "") for it in read_hairpins(hairpins)}
    text = fetch("mirgenedb/human-2.gff3").read_text(encoding="utf-8")
    return {name: of_accession.get(it, "") for name, it in _ANNOTATED.findall(text)}


def rnas() -> pd.DataFrame:
    """List all RNAs: kind, id and sequence."""
    rows = [
        (HUMAN, record.id.removesuffix("_pri"), record.sequence[FLANK:-FLANK])
        for record in read_fasta(fetch("mirgenedb/human-hairpins-2.fa"))
    ]
    rng = default_rng(0)
    rows += [(SHUFFLED, f"shuffled:{name}", shuffle_dinucleotides(it, rng)) for _, name, it in rows]
    others = read_others(
        [fetch(f"nrc/dataset_nRC_{part}.fasta") for part in ("train", "test")],
        kinds={"tRNA": "tRNA", "CD-box": "C/D-box snoRNA"},
        rest="other non-coding RNA",
        without=["miRNA"],
        max_length=200,
    )
    few = others.sample(frac=1, random_state=0).groupby("family").head(MOST)
    rows += (
        few.sort_values("family", kind="stable")[["family", "id", "sequence"]].to_numpy().tolist()
    )
    return pd.DataFrame(rows, columns=["kind", "id", "sequence"])


def annotated(sequences: list[str]) -> pd.DataFrame:
    """Run the command; a row for each RNA."""
    with tempfile.TemporaryDirectory() as folder:
        fasta, table = Path(folder, "rnas.fa"), Path(folder, "families.tsv")
        fasta.write_text("".join(f">{n}\n{it}\n" for n, it in enumerate(sequences)), "utf-8")
        command = [
            sys.executable,
            "-m",
            "mirpair.cli.app",
            "annotate",
            str(fasta),
            "-o",
            str(table),
        ]
        subprocess.run(command, check=True)
        return pd.read_csv(table, sep="\t", keep_default_na=False).drop(columns=["id", "length"])


def counted(rows: pd.DataFrame) -> dict[str, object]:
    """Count the RNAs of a kind that are named, rightly named, or called without a family."""
    named = rows["family"] != ""
    return {
        "RNAs": len(rows),
        "named": named.sum(),
        "named right": (named & (rows["family"] == rows["right"])).sum(),
        NEW: (rows["reason"] == NEW).sum(),
    }


def main() -> None:
    """Annotate them, and write both tables."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    given, right = rnas(), right_families()
    given["right"] = [right.get(name, "") for name in given["id"]]
    table = pd.concat([given, annotated(given["sequence"].tolist())], axis=1)
    columns = ["id", "right", "family", "score", "nearest", "identity", "reason"]
    human = table[table["kind"] == HUMAN]
    write_measured(human[columns], TABLES / "human.tsv", weights=shipped())
    kinds = [{"kind": kind} | counted(rows) for kind, rows in table.groupby("kind", sort=False)]
    write_measured(pd.DataFrame(kinds), TABLES / "annotated.tsv", weights=shipped())


if __name__ == "__main__":
    main()
