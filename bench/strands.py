"""Measure how often a scan calls the right strand of a pre-miRNA (`python -m bench.strands`).

A hairpin of miRBase, and its reverse complement, are cut and scored as a scan does. MirGeneDB
supports those of animals. Hairpins of families that a list holds out are scored by the networks
that have not seen them. Animals' hairpins of the second list, and of no list, chose what the energy
counts for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from Bio.Seq import reverse_complement_rna

from bench.genomes import FOLDER, ROOT, fetch
from bench.measured import write_measured
from mirpair.hairpins.candidates import best_hairpins
from mirpair.identification.experiments import read_family_names
from mirpair.networks.base import Network
from mirpair.prediction.predictor import score_molecules
from mirpair.prediction.weights import load_networks
from mirpair.rna.encoding import encode
from mirpair.rna.folding import fold
from mirpair.scan.calls import ENERGY_WEIGHT, preference
from mirpair.settings import LONGEST_SPAN, SHORTEST, FalsePositives, HairpinCriteria, Kingdom
from mirpair.sources.collections import read_hairpins
from mirpair.sources.pre_mirnas import SUPPORTED, kingdom_of, read_mature, trusts

NUMBER = 1500
# Beginning of the names of the lists, and the span of a scan, nt.
KINDS: dict[Kingdom, tuple[str, int]] = {
    "animals": ("", HairpinCriteria.span),
    "plants": ("plant-", LONGEST_SPAN),
}
# Thresholds of a scan from which both strands would be called, and weights to choose from.
RATES: tuple[FalsePositives, ...] = ("1%", "0.1%")
WEIGHTS = (0.0, 0.05, ENERGY_WEIGHT, 0.3, 0.5, 1.0)
TABLE = ROOT / "docs" / "finder" / "strands.tsv"


def both_strands(
    rnas: Sequence[str], networks: Sequence[Network], criteria: HairpinCriteria
) -> pd.DataFrame:
    """Score both strands of RNAs that a scan finds on both: score and mfe of each."""
    right = best_hairpins(rnas, criteria)
    wrong = best_hairpins([reverse_complement_rna(it) for it in rnas], criteria)
    rows = []
    for pair in zip(right, wrong, strict=True):
        bases = [it.bases for it in pair if it is not None]
        if len(bases) == 2:
            folded = [fold(it) for it in bases]
            molecules = [encode(it, *of) for it, of in zip(bases, folded, strict=True)]
            scores = score_molecules(networks, molecules).tolist()
            rows.append([(s, of.mfe) for s, of in zip(scores, folded, strict=True)])
    return pd.DataFrame(rows, columns=["right", "wrong"])


def column(weight: float) -> str:
    """Name the column of a weight in the table."""
    return f"weight {weight:g}"


def share_right(table: pd.DataFrame, weight: float) -> float:
    """Compute the share of hairpins of which the right strand is chosen."""
    chosen = [
        preference(*right, weight=weight) > preference(*wrong, weight=weight)
        for right, wrong in zip(table["right"], table["wrong"], strict=True)
    ]
    return float(np.mean(chosen))


def main() -> None:
    """Measure, and write the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    hairpins = list(read_hairpins(fetch("mirbase-22/hairpins.csv")))
    trust = trusts(hairpins, read_mature(fetch("mirgenedb/mature-2.1.fa")))
    families_of_all = {it.family for it in hairpins}
    rng = np.random.default_rng(1)
    rows = []
    for kingdom, (prefix, span) in KINDS.items():
        trained = load_networks(kingdom=kingdom)
        # Each list is held out by as many networks, one after the other.
        count = len(trained.networks) // 3
        first, second, third = (
            set(
                read_family_names(ROOT / "config" / "finder" / f"held-out-{prefix}families{it}.txt")
            )
            for it in ("", "-2", "-3")
        )
        for kind, families, networks in (
            ("of the second list", second - first, trained.networks[count : 2 * count]),
            ("of the first list", first, trained.networks[:count]),
            ("of no list", families_of_all - first - second - third, trained.networks),
        ):
            of_kind = [
                it.sequence
                for it in hairpins
                if kingdom_of(it.id) == kingdom
                and (kingdom != "animals" or trust[it.id] == SUPPORTED)
                and SHORTEST <= len(it.sequence) <= span
                and it.family in families
            ]
            chosen = rng.choice(len(of_kind), min(NUMBER, len(of_kind)), replace=False)
            table = both_strands([of_kind[n] for n in chosen], networks, HairpinCriteria(span=span))
            lower = [min(right[0], wrong[0]) for right, wrong in table.itertuples(index=False)]
            for strands, cut in (
                ("found", 0.0),
                *((f"called, {it}", trained.cuts[it]) for it in RATES),
            ):
                part = table[np.array(lower) >= cut]
                shares = {column(it): share_right(part, it) for it in WEIGHTS}
                of_part = {"kingdom": kingdom, "families": kind, "both strands": strands}
                rows.append(of_part | {"hairpins": len(part)} | shares)
    write_measured(pd.DataFrame(rows), TABLE, float_format="%.3f")
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
