"""Measure which pre-miRNAs a scan does not fold (`python -m bench.limits`).

Hairpins of miRBase that MirGeneDB supports get random bases on both sides. All their stems are
folded and scored, and those are counted that would be called, but whose stems are beyond the limits
of a scan.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bench.genomes import FOLDER, ROOT, fetch
from bench.measured import write_measured
from mirpair.hairpins.candidates import find_in_each
from mirpair.prediction.predictor import score_molecules
from mirpair.prediction.weights import load_networks
from mirpair.rna.encoding import encode
from mirpair.rna.folding import fold
from mirpair.settings import FalsePositives, HairpinCriteria
from mirpair.sources.collections import read_hairpins
from mirpair.sources.pre_mirnas import SUPPORTED, read_mature, trusts

NUMBER, FLANK = 400, 150
# Part of the longer of a hairpin and a stem that both share.
SHARED = 0.5
RATES: tuple[FalsePositives, ...] = ("0.01%", "0.1%", "1%")
TABLE = ROOT / "docs" / "finder" / "limits.tsv"


def main() -> None:
    """Measure, and write the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    hairpins = list(read_hairpins(fetch("mirbase-22/hairpins.csv")))
    trust = trusts(hairpins, read_mature(fetch("mirgenedb/mature-2.1.fa")))
    supported = [it.sequence for it in hairpins if trust[it.id] == SUPPORTED]
    rng = np.random.default_rng(3)
    trained = load_networks()
    stems = []
    for number in rng.choice(len(supported), NUMBER, replace=False):
        rna = supported[number]
        flanks = ["".join(rng.choice(list("ACGU"), FLANK)) for _ in range(2)]
        (candidates,) = find_in_each([flanks[0] + rna + flanks[1]], "+", HairpinCriteria())
        for it in candidates:
            both = min(it.end, FLANK + len(rna)) - max(it.start, FLANK)
            if both >= SHARED * max(len(it.bases), len(rna)):
                stem = encode(it.bases, it.structure, it.energy)
                folded = encode(it.bases, *fold(it.bases))
                (of_stem,) = score_molecules(trained.networks[:1], [stem])
                (score,) = score_molecules(trained.networks, [folded])
                stems.append((number, it.rank / 100, of_stem, score))
    table = pd.DataFrame(stems, columns=["hairpin", "energy", "of stem", "score"])
    rows = []
    for rate in RATES:
        limits = trained.stems[rate]
        called = table[table["score"] >= trained.cuts[rate]]
        within = called[(called["energy"] <= limits.energy) & (called["of stem"] >= limits.score)]
        counts = (called["hairpin"].nunique(), within["hairpin"].nunique())
        rows.append({"false positives": rate, "would be called": counts[0], "folded": counts[1]})
    write_measured(pd.DataFrame(rows), TABLE)
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
