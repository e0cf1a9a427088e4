"""A hairpin read as a duplex: examples by hand, and what must hold for every structure."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from strategies import structures

from mirpair.contracts import ALPHABET
from mirpair.rna.duplex import GAP, INSIDE, LOOP, OUTSIDE, PAIR, Duplex, as_duplex, main_stem
from mirpair.rna.encoding import encode, pairing_partners


def drawn(duplex: Duplex) -> tuple[str, str, str]:
    """The 5′ strand, the states and the 3′ strand; states are written as space, |, . and o."""
    five, three = ("".join((ALPHABET + "-")[code] for code in it) for it in (duplex[0], duplex[1]))
    return five, "".join(" |.o"[state] for state in duplex.state), three


@pytest.mark.parametrize(
    ("sequence", "dot_bracket", "five", "states", "three"),
    [
        pytest.param("GCAUUAGC", "((....))", "GCAU", "||oo", "CGAU", id="symmetric"),
        pytest.param("GCAUAGC", "((...))", "GCAU", "||oo", "CGA-", id="odd loop"),
        pytest.param("GACAUAGC", "(.(...))", "GACAU", "|.|oo", "C-GA-", id="bulge, 5′"),
        pytest.param("GCAUAGAC", "((...).)", "G-CAU", "|.|oo", "CAGA-", id="bulge, 3′"),
        pytest.param("GACCAUAGUC", "(..(...).)", "GACCAU", "|..|oo", "CU-GA-", id="interior loop"),
        pytest.param("AUGCAUAGCC", "..((...)).", "AUGCAU", "  ||oo", "-CCGA-", id="flanks"),
        pytest.param("AGC", ".()", "AG", " |", "-C", id="no 3′ flank, and no loop"),
        pytest.param("ACGUG", ".....", "ACG", "   ", "GU-", id="no pairs"),
        pytest.param("A", ".", "A", " ", "-", id="one base"),
        pytest.param(
            *("GACAAAGACCUUUGGC", "(.(...).((...)))"),
            *("GACAAAGACCUU", "|.......||oo", "C-------GGU-"),
            id="the branch with one pair less is a bulge",
        ),
        pytest.param(
            *("ACAUUUGAACAUUUGA", ".(....)..(....)."),
            *("--------ACAU", "         |oo", "AGUUUACAAGUU"),
            id="of two hairpins the leftmost",
        ),
    ],
)
def test_a_duplex_by_hand(
    sequence: str, dot_bracket: str, five: str, states: str, three: str
) -> None:
    assert drawn(as_duplex(encode(sequence, dot_bracket, -1.0))) == (five, states, three)


@pytest.mark.parametrize(
    ("dot_bracket", "stem"),
    [
        ("...", []),
        ("()", [(0, 1)]),
        ("(.(...)..)", [(0, 9), (2, 6)]),
        # Pairs count, not the length of the stem; what encloses both branches is of both.
        ("((......)((..)))", [(0, 15), (9, 14), (10, 13)]),
        ("(((..))(((...))))", [(0, 16), (7, 15), (8, 14), (9, 13)]),
        ("((..)(..))", [(0, 9), (1, 4)]),
    ],
)
def test_the_main_stem_has_most_pairs(dot_bracket: str, stem: list[tuple[int, int]]) -> None:
    left, right = main_stem(pairing_partners(dot_bracket))
    assert list(zip(left, right, strict=True)) == stem


@given(structures())
def test_every_base_is_in_one_column_and_strands_are_in_order(dot_bracket: str) -> None:
    """The 5′ strand and, back from the loop, the 3′ strand are the RNA."""
    length = len(dot_bracket)
    molecule = encode("A" * length, dot_bracket, -1.0)
    # Numbers in place of bases, none of which is the gap's.
    numbers = np.arange(length) + GAP + 1
    duplex = as_duplex(molecule._replace(codes=numbers.astype(np.uint8)))
    assert len({len(part) for part in duplex}) == 1
    five, three = (it[it != GAP].tolist() for it in (duplex.five, duplex.three))
    assert five + three[::-1] == numbers.tolist()
    assert ((duplex.five != GAP) | (duplex.three != GAP)).all(), "no column without a base"

    is_pair = duplex.state == PAIR
    pairs = np.column_stack([duplex.five, duplex.three])[is_pair].astype(int) - GAP - 1
    assert molecule.partner[pairs[:, 0]].tolist() == pairs[:, 1].tolist()
    # Each pair that encloses no other one closes a loop, and has as many as enclose it, and itself.
    opened = [
        dot_bracket[: it.end()].count("(") - dot_bracket[: it.end()].count(")") + 1
        for it in re.finditer(r"\(\.*\)", dot_bracket)
    ]
    assert is_pair.sum() == max(opened, default=0)
    states = "".join(" |.o"[state] for state in duplex.state)
    assert re.fullmatch(r" *(\|[|.]*(?<=\|)o*)?", states), "from the open end to the loop"


def test_the_codes_of_columns_are_those_of_bases_and_a_gap() -> None:
    assert (OUTSIDE, PAIR, INSIDE, LOOP) == (0, 1, 2, 3)
    duplex = as_duplex(encode("ACGUG", ".....", 0.0))
    assert duplex.five.tolist() == [0, 1, 2]
    assert duplex.three.tolist() == [2, 3, GAP]
    assert all(it.dtype == np.uint8 for it in duplex)
