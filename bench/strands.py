"""Measure how often a scan calls the right strand of a pre-miRNA (`python -m bench.strands`).

A hairpin of miRBase that MirGeneDB supports, and its reverse complement, are cut and scored as a
scan does. Half of the hairpins are of families that the first list holds out; these are scored by
the networks that have not seen them. What a kcal/mol counts for was chosen on other hairpins.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from Bio.Seq import reverse_complement_rna

from bench.genomes import FOLDER, ROOT, fetch
from mirpair.files import write_tsv
from mirpair.hairpins.candidates import best_hairpins
from mirpair.identification.experiments import read_family_names
from mirpair.networks.base import Network
from mirpair.prediction.predictor import score_molecules
from mirpair.prediction.weights import load_networks
from mirpair.rna.encoding import encode
from mirpair.rna.folding import fold
from mirpair.scan.calls import preference
from mirpair.settings import HairpinCriteria
from mirpair.sources.collections import read_hairpins
from mirpair.sources.pre_mirnas import SUPPORTED, read_mature, trusts

NUMBER = 600
# Networks of both kinds that hold out the first list: the first two of the shipped ones.
FIRST = 2
# Both strands are calls from this score.
CALLED = 0.5
TABLE = ROOT / "docs" / "finder" / "strands.tsv"


def both_strands(rnas: Sequence[str], networks: Sequence[Network]) -> pd.DataFrame:
    """Score both strands of RNAs that a scan finds on both: score and mfe, right and wrong."""
    criteria = HairpinCriteria()
    right = best_hairpins(rnas, criteria)
    wrong = best_hairpins([reverse_complement_rna(it) for it in rnas], criteria)
    rows = []
    for pair in zip(right, wrong, strict=True):
        bases = [it.bases for it in pair if it is not None]
        if len(bases) == 2:
            folded = [fold(it) for it in bases]
            molecules = [encode(it, *of) for it, of in zip(bases, folded, strict=True)]
            rows.append((*score_molecules(networks, molecules), *(it.mfe for it in folded)))
    return pd.DataFrame(rows, columns=["right", "wrong", "right mfe", "wrong mfe"])


def share_right(table: pd.DataFrame) -> dict[str, float]:
    """Compute the share of hairpins of which the right strand is chosen, by score and by both."""
    chosen: npt.NDArray[np.bool_] = np.array(
        [preference(a, c) > preference(b, d) for a, b, c, d in table.itertuples(index=False)]
    )
    by_score = (table["right"] > table["wrong"]).mean()
    return {"hairpins": len(table), "by score": by_score, "by score and energy": chosen.mean()}


def main() -> None:
    """Measure, and write the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    hairpins = list(read_hairpins(fetch("mirbase-22/hairpins.csv")))
    trust = trusts(hairpins, read_mature(fetch("mirgenedb/mature-2.1.fa")))
    held = read_family_names(ROOT / "config" / "finder" / "held-out-families.txt")
    rng = np.random.default_rng(1)
    rows = []
    for kind, is_new in (("new to the networks", True), ("others", False)):
        of_kind = [
            it.sequence
            for it in hairpins
            if trust[it.id] == SUPPORTED and (it.family in set(held)) == is_new
        ]
        chosen = rng.choice(len(of_kind), NUMBER, replace=False)
        networks = load_networks().networks
        table = both_strands([of_kind[n] for n in chosen], networks[:FIRST] if is_new else networks)
        both_called = table[table[["right", "wrong"]].min(axis=1) >= CALLED]
        rows.append({"families": kind, "strands": "found on both", **share_right(table)})
        rows.append(
            {"families": kind, "strands": "high scores on both", **share_right(both_called)}
        )
    write_tsv(pd.DataFrame(rows), TABLE, float_format="%.3f")
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
