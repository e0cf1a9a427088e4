"""Stems that are found without folding: their energy, their place, and that none better is missed.

What a stem's energy is made of is taken from the module; how it adds up is written here anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import RNA
from conftest import ROOT, random_rna
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpair.hairpins import stems
from mirpair.hairpins.stems import Stem, find_stems
from mirpair.rna.sequences import read_fasta

PAIRS = ("CG", "GC", "GU", "UG", "AU", "UA")
# Kilocalories that every stem has less than.
ANY = 100.0


def pairs_of(structure: str) -> list[tuple[int, int]]:
    """From the outermost to the innermost; fails if it is not one hairpin from end to end."""
    opened = [place for place, sign in enumerate(structure) if sign == "("]
    closed = [place for place, sign in enumerate(structure) if sign == ")"]
    assert len(opened) == len(closed), "balanced"
    assert max(opened) < min(closed), "unbranched"
    assert (opened[0], closed[-1]) == (0, len(structure) - 1), "from a pair to a pair"
    return list(zip(opened, reversed(closed), strict=True))


def energy(bases: str, pairs: list[tuple[int, int]]) -> int | None:
    """Of a stem, in tenths of kcal/mol; None if it has a loop that no stem may have."""
    weak = [5 * (bases[i] + bases[j] not in ("CG", "GC")) for i, j in pairs]
    total = 0
    for ((i, j), (k, m)), ends in zip(pairwise(pairs), pairwise(weak), strict=True):
        one, other = k - i - 1, j - m - 1
        unpaired, difference = one + other, abs(one - other)
        if not unpaired:
            kinds = [PAIRS.index(bases[a] + bases[b]) for a, b in ((i, j), (k, m))]
            total += int(stems._stacks()[kinds[0], kinds[1]])
        elif one == 0 or other == 0:
            if unpaired not in stems._BULGE:
                return None
            total += stems._BULGE[unpaired] + sum(ends)
        else:
            if unpaired not in stems._INTERIOR or difference > 2:
                return None
            total += stems._INTERIOR[unpaired] + stems._ASYMMETRY * difference + sum(ends)
    size = pairs[-1][1] - pairs[-1][0] - 1
    table = dict(enumerate(stems._HAIRPIN, 3))
    last = max(table)
    return total + weak[-1] + table[min(size, last)] + stems._LONGER * max(0, size - last)


def every_stem(bases: str, span: int, loop: int) -> Iterator[tuple[list[tuple[int, int]], int]]:
    """All stems that there can be, with their energies, one by one."""

    def grown(pairs: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        i, j = pairs[-1]
        if j - i - 1 <= loop:
            yield pairs
        for k in range(i + 1, j):
            for m in range(k + 4, j):
                if bases[k] + bases[m] in PAIRS:
                    yield from grown([*pairs, (k, m)])

    for i in range(len(bases)):
        for j in range(i + 4, min(len(bases), i + span)):
            if bases[i] + bases[j] in PAIRS:
                for pairs in grown([(i, j)]):
                    value = energy(bases, pairs)
                    if value is not None:
                        yield pairs, value


def energy_of(bases: str, stem: Stem) -> int:
    end = stem.start + len(stem.structure)
    value = energy(bases[stem.start : end], pairs_of(stem.structure))
    assert value is not None, "a loop that no stem may have"
    return value


def innermost(stem: Stem) -> tuple[int, int]:
    i, j = pairs_of(stem.structure)[-1]
    return stem.start + i, stem.start + j


def rank(value: int, size: int) -> int:
    """In tenths of kcal/mol: 0.3 kcal/mol are added for each base."""
    return value + 3 * size


@pytest.mark.parametrize("seed", range(3))
def test_every_stem_is_a_hairpin_with_the_energy_it_was_found_by_and_the_best_of_its_loop(
    seed: int,
) -> None:
    bases, span, loop = random_rna(np.random.default_rng(seed), 1500), 70, 12
    found = find_stems(bases, mfe=-6, span=span, loop=loop, stem=5)
    assert len(found) > 10
    layers = list(stems._recursion(bases, span, loop))
    for stem in found:
        pairs = pairs_of(stem.structure)
        assert len(pairs) >= 5
        assert len(stem.structure) <= span
        assert 3 <= pairs[-1][1] - pairs[-1][0] - 1 <= loop
        for i, j in pairs:
            assert bases[stem.start + i] + bases[stem.start + j] in PAIRS
        value = energy_of(bases, stem)
        assert value <= -60
        begun_here = [layer.energies[stem.start] for layer in layers[: len(bases) - stem.start - 4]]
        assert value == min(begun_here)
    assert found == sorted(found)
    assert len({innermost(stem) for stem in found}) == len(found)


@settings(max_examples=150)
@given(
    st.text("ACGU", min_size=9, max_size=18),
    st.integers(5, 18),
    st.integers(3, 9),
    st.integers(1, 4),
)
def test_no_stem_of_a_short_rna_is_better_than_the_best_that_is_found(
    bases: str, span: int, loop: int, stem: int
) -> None:
    """All stems of all places are written out: the best of each start, then of each loop."""
    every = list(every_stem(bases, span, loop))
    found = find_stems(bases, mfe=ANY, span=span, loop=loop, stem=stem)
    if stem == 1:
        values = [energy_of(bases, it) for it in found]
        assert min(values, default=None) is not None or not every
    chosen = {innermost(it): rank(energy_of(bases, it), len(it.structure)) for it in found}
    for start in {pairs[0][0] for pairs, _ in every}:
        # Of equally good stems any one may be looked at.
        here = [(pairs, value) for pairs, value in every if pairs[0][0] == start]
        best = min(value for _, value in here)
        equal = [pairs for pairs, value in here if value == best]
        assert any(
            len(pairs) < stem
            or chosen.get(pairs[-1], ANY) <= rank(best, pairs[0][1] - pairs[0][0] + 1)
            for pairs in equal
        )


def test_stacked_pairs_have_turners_energies_of_2004() -> None:
    """Kcal/mol of 5'-AA-3' on 3'-UU-5' and so on, as NNDB lists them, to a tenth."""
    listed = {
        ("AU", "AU"): -0.9,
        ("AU", "UA"): -1.1,
        ("UA", "AU"): -1.3,
        ("CG", "CG"): -3.3,
        ("CG", "GC"): -2.4,
        ("GC", "CG"): -3.4,
        ("CG", "UA"): -2.1,
        ("UA", "CG"): -2.4,
    }
    for (outer, inner), value in listed.items():
        assert stems._stacks()[PAIRS.index(outer), PAIRS.index(inner)] == 10 * value


def test_estimated_energies_of_real_hairpins_go_with_those_of_their_folds() -> None:
    rnas = [record.sequence for record in read_fasta(ROOT / "config" / "demo" / "positives.fa")]
    estimated, folded = [], []
    for rna in rnas[::2]:
        found = find_stems(rna, mfe=ANY, span=len(rna), loop=30, stem=1)
        estimated.append(min(energy_of(rna, stem) for stem in found) / 10)
        folded.append(RNA.fold(rna)[1])
    assert len(folded) > 50
    assert np.corrcoef(estimated, folded)[0, 1] > 0.9


ARM = "GGCAUCGGAUCCGUAGCUUGACCGAUGCAG"
LOOP = "AAAAAAAA"
REVERSE = ARM[::-1].translate(str.maketrans("ACGU", "UGCA"))
# Seven bases without a partner: no loop that a stem may have is as wide.
GAP = "AAAAAAA"
# Kilocalories that no hairpin of random bases has.
LOW = -45


def planted(hairpin: str) -> tuple[str, int]:
    """A hairpin in random bases, and where it begins."""
    rng = np.random.default_rng(5)
    before, after = random_rna(rng, 600), random_rna(rng, 400)
    return before + GAP + hairpin + GAP + after, len(before + GAP)


def test_a_hairpin_in_random_bases_is_found_at_its_place() -> None:
    bases, start = planted(ARM + LOOP + REVERSE)
    assert find_stems(bases, mfe=LOW, span=120, loop=25, stem=1) == [
        Stem(start, "(" * 30 + "." * 8 + ")" * 30)
    ]


def test_a_bulge_and_an_interior_loop_are_in_their_arms() -> None:
    """Two bases too many at the 5' end, three that face two at the 3' end."""
    bases, start = planted(ARM[:10] + "AA" + ARM[10:] + LOOP + REVERSE)
    (stem,) = find_stems(bases, mfe=LOW, span=120, loop=25, stem=1)
    assert stem == (start, "(" * 10 + ".." + "(" * 20 + "." * 8 + ")" * 30)
    bases, start = planted(ARM[:10] + "AA" + ARM[10:] + LOOP + REVERSE[:20] + "AAA" + REVERSE[20:])
    (stem,) = find_stems(bases, mfe=LOW, span=120, loop=25, stem=1)
    assert stem == (start, "(" * 10 + ".." + "(" * 20 + "." * 8 + ")" * 20 + "..." + ")" * 10)


def test_the_widest_loop_has_six_unpaired_bases() -> None:
    bases, start = planted(ARM[:15] + "AAA" + ARM[15:] + LOOP + REVERSE[:15] + "AAA" + REVERSE[15:])
    (stem,) = find_stems(bases, mfe=LOW, span=120, loop=25, stem=1)
    arm = "(" * 15 + "..." + "(" * 15
    assert stem == (start, arm + "." * 8 + arm[::-1].replace("(", ")"))


def test_what_is_masked_or_unknown_pairs_with_nothing() -> None:
    hairpin = ARM + LOOP + REVERSE
    assert find_stems(planted(hairpin.lower())[0], mfe=LOW, span=120, loop=25, stem=1) == []
    assert find_stems("N" * 100, mfe=0, span=60, loop=10, stem=1) == []
    unknown = hairpin[:10] + "N" + hairpin[11:]
    bases, start = planted(unknown)
    found = find_stems(bases, mfe=-20, span=120, loop=25, stem=18)
    assert (start + 11, "(" * 19 + "." * 8 + ")" * 19) in found
    places = [range(it.start, it.start + len(it.structure)) for it in found]
    assert not any(start + 10 in place for place in places), "no stem has an unknown base"


@settings(max_examples=100)
@given(st.lists(st.text("ACGU", max_size=60), max_size=6), st.sampled_from(["N", "NN", "n", "a"]))
def test_rnas_that_are_joined_have_the_stems_that_each_has_alone(
    rnas: list[str], between: str
) -> None:
    limits: dict[str, Any] = {"mfe": ANY, "span": 40, "loop": 12, "stem": 2}
    joined, start = [], 0
    for rna in rnas:
        joined += [it._replace(start=start + it.start) for it in find_stems(rna, **limits)]
        start += len(rna + between)
    assert find_stems(between.join(rnas), **limits) == joined


def test_span_and_loop_are_the_most_that_a_stem_may_have() -> None:
    bases, start = planted(ARM + LOOP + REVERSE)
    assert len(find_stems(bases, mfe=LOW, span=68, loop=8, stem=1)) == 1
    (shorter,) = find_stems(bases, mfe=LOW, span=67, loop=8, stem=1)
    assert shorter == (start + 1, "(" * 29 + "." * 8 + ")" * 29)
    (other,) = find_stems(bases, mfe=LOW, span=68, loop=7, stem=1)
    i, j = pairs_of(other.structure)[-1]
    assert j - i - 1 <= 7


def test_the_energy_asked_for_is_the_highest() -> None:
    (stem,) = find_stems("GGGGAAAACCCC", mfe=-1, span=12, loop=4, stem=1)
    value = energy_of("GGGGAAAACCCC", stem) / 10
    assert find_stems("GGGGAAAACCCC", mfe=value, span=12, loop=4, stem=1) == [stem]
    assert find_stems("GGGGAAAACCCC", mfe=value - 0.1, span=12, loop=4, stem=1) == []


@pytest.mark.parametrize("mfe", [-1.0, 0.0, 4.0])
def test_where_no_bases_pair_there_is_no_stem_whatever_energy_is_asked_for(mfe: float) -> None:
    for bases in ("", "A", "ACG", "GAAC", "A" * 50, "GAGAGAGAGAGAGAGA"):
        assert find_stems(bases, mfe=mfe, span=50, loop=10, stem=1) == []
