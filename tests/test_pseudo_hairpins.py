"""Pseudo-hairpins, cut by Xue's criteria."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import random_rna

from mirpair.files import InputError
from mirpair.rna.folding import fold
from mirpair.sources.collections import CutRna, Entry, cut_table, merge_cut
from mirpair.sources.pseudo_hairpins import (
    BLOCK,
    Criteria,
    Stretch,
    check_found,
    count_missing,
    cut,
    cut_piece,
    shuffled_lengths,
    stretches,
)

EASY = Criteria(stem=10, mfe=-5.0)


@pytest.mark.parametrize(
    ("structure", "mfe", "is_one"),
    [
        ("." + "(" * 18 + "...." + ")" * 18 + "..", -15.0, True),
        ("(" * 17 + "...." + ")" * 17, -30.0, False),
        ("(" * 18 + "...." + ")" * 18, -14.99, False),
        # Bulges and internal loops are no branches.
        ("(" * 9 + ".." + "(" * 9 + "...." + ")" * 9 + "." + ")" * 9, -20.0, True),
        # A multiple loop: two hairpins within a stem; and two beside each other.
        ("(" * 18 + "((...))((...))" + ")" * 18, -30.0, False),
        ("(" * 18 + "...." + ")" * 18 + "((...))", -30.0, False),
        ("." * 90, 0.0, False),
    ],
)
def test_the_criteria_of_xue(structure: str, mfe: float, is_one: bool) -> None:
    assert Criteria().met(structure, mfe) is is_one


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    text = ""
    for name, size in (("one", 9000), ("two", 30), ("three", 21_000)):
        bases = random_rna(rng, size).replace("U", "T")
        bases = bases[: size // 2] + "N" * (size // 20) + bases[size // 2 :].lower()
        lines = [bases[start : start + 70] for start in range(0, len(bases), 70)]
        text += f">{name} a sequence\n" + "\n".join(lines) + "\n"
    path.write_text(text)
    return path


LENGTHS = shuffled_lengths([50, 60, 60, 70, 81] * 8, per_positive=4, seed=1)


def sequences(path: Path) -> dict[str, str]:
    parts = path.read_text().split(">")[1:]
    return {it.split()[0]: "".join(it.splitlines()[1:]).upper().replace("T", "U") for it in parts}


def test_lengths_are_those_of_the_positives_as_often_as_asked() -> None:
    assert Counter(LENGTHS) == {50: 32, 60: 64, 70: 32, 81: 32}
    assert shuffled_lengths([50, 60, 60, 70, 81] * 8, per_positive=4, seed=2) != LENGTHS


def test_stretches_are_all_of_the_sequences_once(genome: Path) -> None:
    parts = [part for it in stretches(genome, LENGTHS) for part in it.parts]
    for name, bases in sequences(genome).items():
        of_it = [part for part in parts if part[0] == name]
        assert "".join(text for _, _, text in of_it) == bases
        assert [start for _, start, _ in of_it] == [
            sum(len(text) for _, _, text in of_it[:number]) for number in range(len(of_it))
        ]
    every = list(stretches(genome, LENGTHS))
    assert len(every) == -(-len(LENGTHS) // BLOCK) == 3
    assert Counter(length for it in every for length in it.lengths) == Counter(LENGTHS)


def test_every_pseudo_hairpin_stands_where_it_says_and_meets_the_criteria(genome: Path) -> None:
    entries = [it.entry for it in cut_piece(genome, LENGTHS, 1, 1, criteria=EASY)]
    assert len(entries) > 0.9 * len(LENGTHS)
    assert count_missing(LENGTHS, entries).total() == len(LENGTHS) - len(entries)
    assert not Counter(len(it.sequence) for it in entries) - Counter(LENGTHS)
    bases = sequences(genome)
    covered = {name: np.zeros(len(text)) for name, text in bases.items()}
    strands = Counter()
    for it in entries:
        place = re.fullmatch(r"(\w+):(\d+)-(\d+)\(([+-])\)", it.id)
        assert place
        name, start, end, strand = place.groups()
        text = bases[name][int(start) - 1 : int(end)]
        if strand == "-":
            text = text.translate(str.maketrans("ACGU", "UGCA"))[::-1]
        assert it.sequence == text
        structure = fold(text)
        assert structure.mfe <= -5
        assert structure.dot_bracket.count("(") >= 10
        assert len(re.findall(r"\(\.*\)", structure.dot_bracket)) == 1
        covered[name][int(start) - 1 : int(end)] += 1
        strands[strand] += 1
    assert max(it.max() for it in covered.values()) == 1, "none overlaps another, on any strand"
    assert min(strands["+"], strands["-"]) > 40


def test_the_same_whatever_the_pieces_and_processes_and_others_with_another_seed(
    genome: Path,
) -> None:
    in_one_piece = cut_piece(genome, LENGTHS, 1, 1, criteria=EASY)
    pieces = [cut_piece(genome, LENGTHS, n, 3, criteria=EASY, processes=2) for n in (1, 2, 3)]
    assert cut_piece(genome, LENGTHS, 1, 1, criteria=EASY, seed=1) != in_one_piece
    assert merge_cut(map(cut_table, pieces)) == in_one_piece


def test_transcripts_are_read_on_their_own_strand_only(genome: Path) -> None:
    entries = cut_piece(genome, LENGTHS[:64], 1, 1, criteria=EASY, strands=1)
    assert {it.entry.id[-2] for it in entries} == {"+"}


def test_a_length_that_finds_no_place_is_left_out_and_told() -> None:
    stretch = Stretch(0, (("x", 0, "A" * 500),), (60, 20))
    assert cut(stretch, criteria=Criteria()) == []
    assert count_missing([60, 20], []) == {60: 1, 20: 1}
    entry = Entry("x", "x", "", "", "A" * 60)
    assert count_missing([60, 20, 60], [entry]) == {60: 1, 20: 1}


HAIRPIN = "G" * 20 + "AAAA" + "C" * 20


def test_the_only_place_there_is_is_found_with_its_species() -> None:
    stretch = Stretch(0, (("x", 0, HAIRPIN),), (44,))
    (it,) = cut(stretch, criteria=Criteria(), strands=1, species="sce")
    assert (it.species, it.id) == ("sce", "x:1-44(+)")


def test_nothing_with_an_n_is_cut() -> None:
    bases = HAIRPIN[:22] + "N" + HAIRPIN[23:]
    assert cut(Stretch(0, (("x", 0, bases),), (44,)), criteria=Criteria()) == []


def test_two_stretches_draw_different_places() -> None:
    parts = (("x", 0, random_rna(np.random.default_rng(0), 5000)),)
    one, two = (cut(Stretch(n, parts, (60,) * 9), criteria=EASY) for n in (0, 1))
    assert one != two


def test_pieces_are_gathered_by_stretch() -> None:
    rows = [cut_table([CutRna(n, Entry(f"i{n}", "", "", "", "A"))]) for n in (2, 0, 1)]
    assert [it.entry.id for it in merge_cut(rows)] == ["i0", "i1", "i2"]


@pytest.mark.parametrize(("length", "most"), [(200, 3000), (400, 375)])
def test_no_more_than_so_many_are_folded_for_one(
    length: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded = []

    def count(sequence: str) -> tuple[str, float]:
        folded.append(len(sequence))
        return "." * len(sequence), 0.0

    monkeypatch.setattr("mirpair.sources.pseudo_hairpins.fold", count)
    stretch = Stretch(0, (("x", 0, random_rna(np.random.default_rng(0), 9000)),), (length,))
    assert cut(stretch, criteria=Criteria()) == []
    assert folded == [length] * most


def test_stretches_of_a_large_genome_are_not_as_large_as_it(
    genome: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpair.sources.pseudo_hairpins._LARGEST", 1000)
    every = list(stretches(genome, LENGTHS))
    assert len(every) == 32
    assert max(sum(len(text) for _, _, text in it.parts) for it in every) <= 1000
    assert Counter(length for it in every for length in it.lengths) == Counter(LENGTHS)
    in_one_piece = cut_piece(genome, LENGTHS, 1, 1, criteria=EASY)
    pieces = [it for n in (1, 2, 3) for it in cut_piece(genome, LENGTHS, n, 3, criteria=EASY)]
    assert sorted(pieces, key=lambda it: it.stretch) == in_one_piece


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">c\nACGU\n>c\nACGU\n", "sequence 2 has the name 'c' of another one"),
        (">\nACGU\n", "sequence 1 has no name"),
    ],
)
def test_sequences_that_pseudo_hairpins_cannot_be_named_after(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "x.fa").write_text(text)
    with pytest.raises(InputError, match=message):
        cut_piece(tmp_path / "x.fa", [40], 1, 1, criteria=EASY)


def test_more_than_there_is_room_for_is_refused_before_anything_is_folded(genome: Path) -> None:
    with pytest.raises(InputError, match=r"There is room for about \d+: ask for fewer"):
        cut_piece(genome, LENGTHS * 10, 1, 1, criteria=EASY)


def test_nothing_found_at_all_is_an_error() -> None:
    with pytest.raises(InputError, match="no pseudo-hairpin was found"):
        check_found([])
