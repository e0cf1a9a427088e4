"""Measure how many RNAs are called that only look like pre-miRNAs (`python -m bench.lookalikes`).

Hairpins of random bases, and reverse complements of known hairpins, are predicted with the defaults
of `mirpair predict`. A second table shows what a few bases less at the ends change. No setting was
chosen by these results.
"""

from __future__ import annotations

import pandas as pd
from Bio.Seq import reverse_complement_rna
from numpy.random import Generator, default_rng

from bench.finder_results import TABLES
from bench.genomes import FOLDER, fetch
from bench.measured import write_measured
from mirpair import predict
from mirpair.contracts import ALPHABET
from mirpair.settings import KINGDOMS, LONGEST_SPAN, SHORTEST
from mirpair.sources.collections import read_hairpins

NUMBER = 100
# Known hairpins are of this species; the ends of this one are cut, by up to so many bases.
SPECIES = {"animals": "hsa", "plants": "ath"}
CUT_HAIRPIN, CUT = "hsa-let-7a-1", 4
# Share of the bases of one arm that another base replaces.
CHANGED = 0.12


def random_bases(rng: Generator, length: int) -> str:
    """Draw an RNA in which all bases are equally frequent."""
    return "".join(rng.choice(list(ALPHABET), length))


def inverted_repeat(rng: Generator, arm: int, loop: int, changed: float = 0.0) -> str:
    """Draw an arm, a loop and the arm's reverse complement, with a share of bases redrawn."""
    five = random_bases(rng, arm)
    three = list(reverse_complement_rna(five))
    for place in rng.choice(arm, round(changed * arm), replace=False):
        three[place] = rng.choice([it for it in ALPHABET if it != three[place]])
    return five + random_bases(rng, loop) + "".join(three)


def lookalikes(known: list[str]) -> dict[str, list[str]]:
    """Draw `NUMBER` RNAs of each kind; `known` are hairpins to choose from."""
    chosen = default_rng(1).choice(len(known), NUMBER, replace=False)
    hairpins = [known[n] for n in chosen]
    # Of both kingdoms the same ones.
    rng = default_rng(0)
    numbers = range(NUMBER)
    sizes = [(int(rng.integers(25, 45)), int(rng.integers(4, 21))) for _ in numbers]
    return {
        "known hairpins": hairpins,
        "their reverse complements": [reverse_complement_rna(it) for it in hairpins],
        "perfect inverted repeats": [inverted_repeat(rng, *it) for it in sizes],
        f"inverted repeats with {100 * CHANGED:.0f} % of an arm changed": [
            inverted_repeat(rng, *it, CHANGED) for it in sizes
        ],
        "like shRNAs: 19 to 21 base pairs, a loop of 9 nt": [
            inverted_repeat(rng, int(rng.integers(19, 22)), 9) for _ in numbers
        ],
    }


def main() -> None:
    """Measure, and write the tables."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    known = list(read_hairpins(fetch("mirbase-22/hairpins.csv")))
    rows = []
    for kingdom in KINGDOMS:
        of_species = [
            it.sequence
            for it in known
            if it.species == SPECIES[kingdom] and SHORTEST <= len(it.sequence) <= LONGEST_SPAN
        ]
        for kind, rnas in lookalikes(of_species).items():
            called = predict(rnas, kingdom=kingdom, reference=None)["call"].sum()
            rows.append({"kingdom": kingdom, "RNAs": kind, "number": NUMBER, "called": called})
    write_measured(pd.DataFrame(rows), TABLES / "lookalikes.tsv")
    print(pd.DataFrame(rows).to_string(index=False))
    (rna,) = (it.sequence for it in known if it.id == CUT_HAIRPIN)
    cuts = [(left, right) for left in range(CUT + 1) for right in range(CUT + 1)]
    ends = pd.DataFrame(cuts, columns=["five", "three"])
    shortened = [rna[left : len(rna) - right] for left, right in cuts]
    ends["probability"] = predict(shortened, reference=None)["probability"].to_numpy()
    write_measured(ends, TABLES / "ends.tsv", float_format="%.4f")
    print(ends.to_string(index=False))


if __name__ == "__main__":
    main()
