"""Hairpins of a genome: found wherever they are, however the genome is cut into pieces."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, random_rna
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench import clusters
from bench.clusters import found_in
from mirpair.families.annotation import annotate, family_names, load, shipped
from mirpair.files import InputError, Journal
from mirpair.hairpins import candidates as hairpin_search
from mirpair.hairpins.candidates import (
    STRANDS,
    GenomeHairpin,
    TileHairpins,
    as_scanned,
    each_as_scanned,
    find_around,
    resolve,
    shared_bases,
    unbranched,
)
from mirpair.hairpins.tiles import DOWNSTREAM, TILE, Tile, check_genome, join_short, read_tiles
from mirpair.prediction import predictor as prediction
from mirpair.prediction.importance import importance
from mirpair.prediction.predictor import Predictor, predict, predict_records
from mirpair.prediction.weights import GenomeCurve, StemLimits, load_networks
from mirpair.rna.folding import fold
from mirpair.rna.known_hairpins import load_known_hairpins
from mirpair.rna.sequences import Record, read_fasta
from mirpair.scan import calls, resume
from mirpair.scan import find as scan_find
from mirpair.scan.calls import Call, clusters_of, mark_antisense, ranks_of
from mirpair.scan.find import find, find_blocks, read_candidates
from mirpair.scan.output import Summary, identifier, name_of, write_files
from mirpair.scan.page import _labels, draw_overview, render
from mirpair.scan.resume import scan_key
from mirpair.scan.run import scan
from mirpair.settings import FalsePositives, HairpinCriteria, ScanOutput, ScanSettings

LET7 = next(iter(read_fasta(ROOT / "config" / "demo" / "positives.fa"))).sequence
COMPLEMENT = str.maketrans("ACGU", "UGCA")
# Where windowed folding reports less than everything, tests use what is exact for its part.
BOTH = pytest.mark.parametrize("exhaustive", [False, True])
ALL = Predictor.for_genome(replace(load_networks(), stems={}), ScanSettings(reference="none"))
# It folds some stems only.
SOME = replace(ALL, stems=StemLimits(4.0, 0.02))


def planted(seed: int, before: int, after: int, hairpin: str = LET7) -> str:
    rng = np.random.default_rng(seed)
    return random_rna(rng, before) + hairpin + random_rna(rng, after)


def whole(bases: str) -> Tile:
    return Tile("s", 0, 0, len(bases), 0, bases, True)


class NoProgress:
    def say(self, message: str) -> None:
        pass

    def read(self, position: int) -> None:
        pass

    def track(self, sizes: Iterator[int]) -> None:
        for _ in sizes:
            pass


def genome(path: Path, sequences: dict[str, str], width: int = 60) -> str:
    lines = []
    for name, bases in sequences.items():
        lines.append(f">{name} of a test")
        lines += [bases[start : start + width] for start in range(0, len(bases), width)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@given(
    lengths=st.lists(st.integers(1, 700), min_size=1, max_size=3),
    tile=st.integers(20, 300),
    width=st.integers(1, 90),
)
@settings(max_examples=40)
def test_tiles_cover_every_base_once_with_their_neighbours(
    lengths: list[int], tile: int, width: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = np.random.default_rng(sum(lengths))
    sequences = {f"s{n}": random_rna(rng, length) for n, length in enumerate(lengths)}
    path = genome(tmp_path_factory.mktemp("tiles") / "g.fa", sequences, width)
    tiles = list(read_tiles(path, tile=tile, span=30))
    assert [it.number for it in tiles] == list(range(len(tiles)))
    for name, bases in sequences.items():
        own = [it for it in tiles if it.sequence == name]
        assert "".join(it.text[it.start - it.offset : it.end - it.offset] for it in own) == bases
        assert [it.last for it in own] == [False] * (len(own) - 1) + [True]
        for it in own:
            margin = DOWNSTREAM + 180
            assert it.offset == max(0, it.start - margin)
            assert it.text == bases[it.offset : it.end + margin]


def test_a_genome_may_be_compressed_have_windows_lines_or_one_line_and_dna(tmp_path: Path) -> None:
    plain = tmp_path / "plain.fa"
    plain.write_text(">a x\nACGT\nacgtN\n\n>b\nTTTT\n")
    texts = {
        "windows.fa": b">a x\r\nACGT\r\nacgtN\r\n\r\n>b\r\nTTTT",
        "line.fa": b">a\nACGTacgtN\n>b\nTTTT",
    }
    expected = [(it.sequence, it.text) for it in read_tiles(str(plain))]
    assert expected == [("a", "ACGUacguN"), ("b", "UUUU")]
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
        assert [(it.sequence, it.text) for it in read_tiles(str(tmp_path / name))] == expected
    packed = tmp_path / "packed.fa.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert [(it.sequence, it.text) for it in read_tiles(str(packed))] == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("ACGT\n", "not a FASTA file"),
        (">a\nACGT\n>a\nACGT\n", "two sequences have the name 'a'"),
        (">\nACGT\n", "sequence 1 has no name"),
        (">a\n>b\n", "none of its sequences has a base"),
        (">a\nAC\nG?T\n", "has '\\?' at position 4"),
        (">a\nMKVHE\n", "has 'E' at position 5.*is this a protein?"),
    ],
)
def test_what_is_no_genome_is_told_by_name_and_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "g.fa"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        list(read_tiles(str(path)))


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (">a\nACGT\n>b\nTTTT\n", []),
        (">a\nACGT\n>empty\n>b\nTTTT\n", ["1 sequence without bases, skipped: 'empty'"]),
        # As at the end of a download that was cut.
        (">a\nACGT\n>b\nTTTT\n>", ["1 sequence without bases, skipped: one without a name"]),
        (">x\n>y\n>a\nACGT\n>z\n>b\nTTTT\n>w", ["4 sequences without bases, skipped: 'x', 'y', "]),
        (">a\nACGT\n(..) (-1.00)\n>b\nTTTT\n", ["structures in the file are ignored"]),
        # As RNAfold writes an RNA without pairs, and its ensemble.
        (">a\nACGT\n.... (  0.00)\n.... [  0.00]\n\n>b\nTTTT\n.... (  0.00)\n", []),
        ("# STOCKHOLM 1.0\na ACGU\nb UUUU\n//\n", []),
    ],
)
def test_a_genome_that_is_nearly_right_is_scanned_with_a_note(
    text: str, notes: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "g.fa"
    path.write_text(text)
    assert [(it.sequence, it.text) for it in read_tiles(str(path))] == [
        ("a", "ACGU"),
        ("b", "UUUU"),
    ]
    noted: list[str] = []
    check_genome(str(path), note=noted.append)
    assert len(noted) == len(notes)
    for note, expected in zip(noted, notes, strict=True):
        assert note.startswith(f"{path}: {expected}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (">c x\nACGUACGU\n........\nACGU\n", "'c' has a gap ('.') at position 9; positions"),
        (">a\nACGU\n>c\nACGUACGU\n....\n", "'c' has a gap ('.') at position 9;"),
        (">c\n----\n>a\nACGU\n", "'c' has a gap ('-') at position 1;"),
        (">c\nACGU\nAC.-GU\n", "'c' has a gap ('.') at position 7;"),
        # An alignment.
        (">a\nACGU--ACGU\n>c\nACGUACACGU\n", "'a' has a gap ('-') at position 5;"),
        ("# STOCKHOLM 1.0\na ACGU\nb U--U\n//\n", "'b' has a gap ('-') at position 2;"),
        (">c\nACGU\n(..) (-1.00)\nACGU\n", "'c' has letters below a structure ('(..)');"),
        (">c\n(..)\nACGU\n", "'c' has letters below a structure ('(..)');"),
        (">c\nACGU\n.... (0.00)\nACGU\n", "'c' has letters below a structure ('....');"),
    ],
)
def test_no_base_of_a_genome_changes_its_position(text: str, said: str, tmp_path: Path) -> None:
    """A letter that is removed would shift all positions after it."""
    path = tmp_path / "g.fa"
    path.write_text(text)
    for read in (check_genome, lambda it: list(read_tiles(it))):
        with pytest.raises(InputError) as caught:
            read(str(path))
        assert str(caught.value).startswith(f"{path}: sequence {said}")


def test_stems_of_a_structure_go_from_the_loop_to_a_branch_or_an_end() -> None:
    assert list(unbranched("..((((...))))..")) == [(2, 13, 4, 3)]
    # A bulge and an interior loop belong to a stem.
    assert list(unbranched("((.(..((...)).)))")) == [(0, 17, 5, 3)]
    assert list(unbranched("(((...))((....)))")) == [(1, 8, 2, 3), (8, 16, 2, 4)]
    assert list(unbranched("((...))(((...)))")) == [(0, 7, 2, 3), (7, 16, 3, 3)]
    assert list(unbranched(".....")) == []


@BOTH
@pytest.mark.parametrize("strand", STRANDS)
def test_a_hairpin_is_found_where_it_is_and_read_on_its_strand(
    strand: str, exhaustive: bool
) -> None:
    hairpin = LET7 if strand == "+" else LET7.translate(COMPLEMENT)[::-1]
    bases = planted(1, 400, 350, hairpin)
    found = found_in(whole(bases), strand, HairpinCriteria(exhaustive=exhaustive))
    best = max(found, key=lambda it: min(it.end, 480) - max(it.start, 400))
    assert best.strand == strand
    # Pairs beyond its ends may be a part of it, and loose ends are none.
    assert 400 - 25 <= best.start < 400 + 10
    assert 480 - 10 < best.end <= 480 + 25
    # What it says of itself is true.
    there = bases[best.start : best.end]
    assert best.bases == (there if strand == "+" else there.translate(COMPLEMENT)[::-1])
    assert fold(best.bases).mfe <= best.energy <= -15


@BOTH
def test_every_candidate_meets_the_criteria(exhaustive: bool) -> None:
    bases = "".join(planted(seed, 150, 150) for seed in range(6))
    loose = found_in(whole(bases), "+", HairpinCriteria(exhaustive=exhaustive))
    assert len(loose) >= 6
    others = 0
    for criteria in (
        HairpinCriteria(stem=29, exhaustive=exhaustive),
        HairpinCriteria(loop=4, exhaustive=exhaustive),
        HairpinCriteria(mfe=-28, exhaustive=exhaustive),
        HairpinCriteria(span=70, exhaustive=exhaustive),
    ):
        left = found_in(whole(bases), "+", criteria)
        for it in left:
            assert it.end - it.start <= criteria.span
            assert it.energy <= criteria.mfe
        assert left
        others += left != loose
    assert others >= 3


@BOTH
def test_n_splits_a_genome_and_soft_masked_bases_only_if_asked(exhaustive: bool) -> None:
    bases = planted(2, 200, 200)
    criteria = HairpinCriteria(mfe=-25, exhaustive=exhaustive)
    assert found_in(whole(bases), "+", criteria)
    middle = 200 + len(LET7) // 2
    split = bases[: middle - 5] + "N" + bases[middle - 4 :]
    assert not [
        it for it in found_in(whole(split), "+", criteria) if it.start < middle - 5 < it.end
    ]
    masked = bases[:200] + LET7.lower() + bases[200 + len(LET7) :]
    assert found_in(whole(masked), "+", criteria) == found_in(whole(bases), "+", criteria)
    without = found_in(
        whole(masked), "+", HairpinCriteria(mfe=-25, masked=True, exhaustive=exhaustive)
    )
    assert not [it for it in without if it.start < 200 + len(LET7) and it.end > 200]
    assert not found_in(whole("N" * 500), "-", criteria)


@pytest.mark.parametrize(("exhaustive", "predictor"), [(True, ALL), (False, ALL), (False, SOME)])
def test_the_result_does_not_depend_on_the_tiles_nor_on_the_processes(
    tmp_path: Path, exhaustive: bool, predictor: Predictor
) -> None:
    """Hairpins stand on borders of tiles of every size, on both strands."""
    reverse = LET7.translate(COMPLEMENT)[::-1]
    bases = "".join(planted(seed, 440, 480, (LET7, reverse)[seed % 2]) for seed in range(4))
    path = genome(tmp_path / "g.fa", {"one": bases, "two": planted(77, 100, 300)})
    results = []
    for tile, processes in ((100_000, 1), (480, 1), (1000, 2), (3333, 1)):
        journal = Journal(tmp_path / f"{tile}", "k", overwrite=True)
        sizes = list(
            find(
                path,
                journal,
                HairpinCriteria(exhaustive=exhaustive),
                predictor,
                tile=tile,
                processes=processes,
            )
        )
        assert sum(sizes) == len(bases) + 480
        results.append(list(resolve(read_candidates([journal.path]))))
    assert len({name for name, _ in results[0]}) == 2
    assert {it.strand for _, it in results[0]} == {"+", "-"}
    assert results[0] == results[1] == results[2] == results[3]


def test_pieces_of_a_genome_together_are_the_whole(tmp_path: Path) -> None:
    bases = "".join(planted(seed, 440, 480) for seed in range(5))
    path = genome(tmp_path / "g.fa", {"one": bases})
    journals = []
    for piece in (1, 2, 3):
        journal = Journal(tmp_path / f"{piece}", "k")
        list(find(path, journal, HairpinCriteria(), ALL, tile=700, piece=piece, pieces=3))
        journals.append(journal.path)
    single = Journal(tmp_path / "all", "k")
    list(find(path, single, HairpinCriteria(), ALL, tile=700))
    assert list(read_candidates(journals)) == list(read_candidates([single.path]))


def test_what_was_interrupted_goes_on_and_gives_the_same_bytes(tmp_path: Path) -> None:
    bases = "".join(planted(seed, 440, 480) for seed in range(5))
    path = genome(tmp_path / "g.fa", {"one": bases})
    undisturbed = Journal(tmp_path / "undisturbed", "k")
    list(find(path, undisturbed, HairpinCriteria(), ALL, tile=700))
    journal = Journal(tmp_path / "killed", "k")
    for number, _ in enumerate(find(path, journal, HairpinCriteria(), ALL, tile=700)):
        if number == 2:
            break
    with journal.path.open("a") as handle:
        handle.write("half a line")
    again = Journal(tmp_path / "killed", "k")
    assert again.blocks == 3
    list(find(path, again, HairpinCriteria(), ALL, tile=700))
    assert again.path.read_bytes() == undisturbed.path.read_bytes()


def length(hairpin: GenomeHairpin) -> int:
    return hairpin.end - hairpin.start


def a_hairpin(start: int, end: int, strand: str, energy: float) -> GenomeHairpin:
    """0.3 kcal/mol for each base are added to the energy."""
    rank = round(100 * energy) + 30 * (end - start)
    return GenomeHairpin(start, end, strand, energy, "", "", rank)


hairpins = st.lists(
    st.builds(
        lambda start, length, strand, energy: a_hairpin(start, start + length, strand, -energy),
        st.integers(0, 300),
        st.integers(20, 60),
        st.sampled_from(STRANDS),
        st.integers(150, 400).map(float),
    ),
    max_size=25,
    unique_by=lambda it: (it.start, it.end, it.strand),
)


@given(found=hairpins, tile=st.integers(30, 400))
@settings(max_examples=200)
def test_of_those_that_share_more_than_a_quarter_the_best_stays_whatever_the_tiles(
    found: list[GenomeHairpin], tile: int
) -> None:
    expected: list[GenomeHairpin] = []
    # 0.3 kcal/mol for each base are added to the energy.
    for it in sorted(found, key=lambda it: (10 * it.energy + 3 * length(it), it.start, it.end)):
        if not any(
            it.strand == other.strand
            and min(it.end, other.end) - max(it.start, other.start)
            > min(length(it), length(other)) / 4
            for other in expected
        ):
            expected.append(it)
    tiles = [
        TileHairpins(
            "s",
            start + tile,
            start + tile >= 400,
            [h for h in found if start <= h.start < start + tile],
        )
        for start in range(0, 400, tile)
    ]
    left = [it for _, it in resolve(tiles)]
    assert left == sorted(expected)


@given(found=hairpins, tile=st.integers(30, 400))
@settings(max_examples=200)
def test_candidates_that_are_left_out_change_no_choice(
    found: list[GenomeHairpin], tile: int
) -> None:
    """A hairpin may be left out only if what beats it is surely chosen."""

    def chosen(**changes: Any) -> list[tuple[str, GenomeHairpin]]:
        tiles = []
        for start in range(0, 400, tile):
            part = Tile("s", 0, start, start + tile, 0, "A" * 400, start + tile >= 400)
            both: list[GenomeHairpin] = []
            for strand in STRANDS:
                places = [
                    (0, hairpin_search._Candidate(it.rank, it.start, it.end, it.energy, ""))
                    for it in found
                    if it.strand == strand
                ]
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(hairpin_search, "_candidates", lambda *_, at=places: at)
                    for name, value in changes.items():
                        patch.setattr(hairpin_search, name, value)
                    both += found_in(part, strand, HairpinCriteria())
            tiles.append(TileHairpins("s", part.end, part.last, both))
        return list(resolve(tiles))

    assert chosen() == chosen(_without_beaten=list)


@pytest.mark.parametrize(("start", "left"), [(60, 2), (59, 1)])
def test_hairpins_may_share_a_quarter_and_no_base_more(start: int, left: int) -> None:
    """Of hairpins of 80 nt, a quarter is 20 nt."""
    pair = [a_hairpin(it, it + 80, "+", -30.0) for it in (0, start)]
    assert len(list(resolve([TileHairpins("s", 200, True, pair)]))) == left


def test_sequences_stand_in_the_order_of_the_file() -> None:
    one = a_hairpin(5, 60, "+", -20.0)
    tiles = [TileHairpins("z", 100, True, [one]), TileHairpins("a", 100, True, [one])]
    assert [name for name, _ in resolve(tiles)] == ["z", "a"]


@given(found=hairpins, tile=st.integers(30, 400), shift=st.integers(0, 399))
@settings(max_examples=200)
def test_of_a_circle_the_same_hairpins_stay_wherever_it_is_cut(
    found: list[GenomeHairpin], tile: int, shift: int
) -> None:
    """Nothing else decides between two hairpins of the same rank than their bases and order."""
    found = [it._replace(rank=it.rank - n, bases=str(n)) for n, it in enumerate(found)]

    def chosen(by: int) -> set[tuple[int, int, str]]:
        # The tiles of a circle begin some bases after its origin.
        begin = 37
        moved = [((it.start + by - begin) % 400 + begin, it) for it in found]
        tiles = [
            TileHairpins(
                "s",
                min(low + tile, begin + 400),
                low + tile >= begin + 400,
                [
                    it._replace(start=start, end=start + length(it))
                    for start, it in moved
                    if low <= start < low + tile
                ],
                circular=True,
                length=400,
            )
            for low in range(begin, begin + 400, tile)
        ]
        left = [it for _, it in resolve(tiles)]
        assert all(0 <= it.start < 400 for it in left)
        return {((it.start - by) % 400, length(it), it.strand) for it in left}

    assert chosen(shift) == chosen(0)
    for strand in STRANDS:
        same = [it for it in chosen(0) if it[2] == strand]
        for n, (start, size, _) in enumerate(same):
            for other, its_size, _ in same[:n]:
                here, there = (
                    {(at + k) % 400 for k in range(long)}
                    for at, long in ((start, size), (other, its_size))
                )
                assert len(here & there) <= min(size, its_size) / 4


CEL = ("cel-mir-36", "cel-mir-37", "cel-mir-38", "cel-mir-39", "cel-mir-40", "cel-mir-41")


@BOTH
def test_each_hairpin_of_a_cluster_is_found_with_its_own_ends(exhaustive: bool) -> None:
    """Ends differ by some chance pairs with whatever is beside a hairpin."""
    known = load_known_hairpins()
    names = {name: n for n, them in enumerate(known.names) for name in them.split(",")}
    members = [known.sequences[names[name]] for name in CEL]
    rng = np.random.default_rng(4)
    for spacer in (0, 5, 20):
        parts = [random_rna(rng, 150)]
        for member in members:
            parts += [member, random_rna(rng, spacer)]
        found = clusters.hairpins_of(
            "".join(parts) + random_rna(rng, 150), HairpinCriteria(exhaustive=exhaustive)
        )
        rows = set()
        for number in range(1, len(parts), 2):
            start = len("".join(parts[:number]))
            place = (start, start + len(parts[number]))
            row = clusters.row_of(place, found)
            assert row, (spacer, CEL[number // 2])
            assert all(abs(a - b) <= 20 for a, b in zip(row, place, strict=True))
            rows.add(row)
        assert len(rows) == len(CEL)


def scanned(
    folder: Path, bases: str, tile: int = 100_000, **criteria: Any
) -> list[tuple[str, GenomeHairpin]]:
    path = genome(folder / "c.fa", {"c": bases})
    journal = Journal(folder / "c.found", "k", overwrite=True)
    list(find(path, journal, HairpinCriteria(circular=("c",), **criteria), ALL, tile=tile))
    return list(resolve(read_candidates([journal.path])))


@pytest.mark.parametrize("strand", STRANDS)
def test_a_hairpin_over_the_origin_is_found_once(strand: str, tmp_path: Path) -> None:
    hairpin = LET7 if strand == "+" else LET7.translate(COMPLEMENT)[::-1]
    bases = hairpin[40:] + random_rna(np.random.default_rng(3), 1000) + hairpin[:40]
    for tile, exhaustive in ((100_000, True), (300, False)):
        found = scanned(tmp_path, bases, tile, exhaustive=exhaustive)
        found = [it for _, it in found if it.end > len(bases)]
        (over,) = [it for it in found if it.strand == strand]
        assert (over.start, over.end) == (len(bases) - 40, len(bases) + len(hairpin) - 40)
        assert over.bases == LET7


@given(
    seed=st.integers(0, 10_000),
    size=st.integers(60, 2600),
    shift=st.integers(1, 2600),
    change=st.sampled_from(["", "lower", "N"]),
    tile=st.sampled_from([100_000, 130]),
    exhaustive=st.sampled_from([False, False, False, False, False, True]),
)
@example(seed=0, size=111, shift=38, change="", tile=100_000, exhaustive=True)
@settings(max_examples=15, deadline=None)
def test_a_circle_has_the_same_hairpins_wherever_it_begins(
    seed: int,
    size: int,
    shift: int,
    change: str,
    tile: int,
    exhaustive: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Viroids that are shorter than the surroundings of a tile, too."""
    rng = np.random.default_rng(seed)
    bases = (LET7 + random_rna(rng, size))[: max(size, 60)]
    if change:
        middle = int(rng.integers(len(bases) - 20))
        part = bases[middle : middle + 20]
        part = part.lower() if change == "lower" else "N" * 20
        bases = bases[:middle] + part + bases[middle + 20 :]
    shift %= len(bases)
    folder = tmp_path_factory.mktemp("circle")
    criteria = {"exhaustive": exhaustive, "masked": True, "stem": 12, "mfe": -8.0}
    results = []
    for by, its_tile in ((0, 100_000), (shift, tile)):
        found = scanned(folder, bases[by:] + bases[:by], its_tile, **criteria)
        assert all(it.end - it.start <= len(bases) for _, it in found)
        assert all(0 <= it.start < len(bases) for _, it in found)
        results.append(
            sorted(
                ((it.start + by) % len(bases), length(it), it.strand, it.energy, it.bases)
                for _, it in found
            )
        )
        twice = 2 * bases.upper()
        for start, long, strand, _, own in results[-1]:
            there = twice[start : start + long]
            assert own == (there if strand == "+" else there.translate(COMPLEMENT)[::-1])
    assert results[0] == results[1]


def test_a_circular_sequence_that_a_genome_lacks_is_an_error(tmp_path: Path) -> None:
    path = genome(tmp_path / "g.fa", {"one": "ACGU", "two": "ACGU"})
    check_genome(path, ["all"])
    check_genome(path, ["one", "two"])
    with pytest.raises(InputError, match="no sequence is named 'chrM', so it cannot be circular"):
        check_genome(path, ["one", "chrM"])
    # The names of a study hold for all its genomes.
    notes: list[str] = []
    assert check_genome(path, ["one", "chrM"], others=True, note=notes.append) == check_genome(path)
    assert notes == [f"{path}: no sequence is named 'chrM', so it cannot be circular"]


# hsa-let-7a-1
LET_7 = "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA"


def no_families(rnas: Sequence[str]) -> list[str]:
    return [""] * len(rnas)


def fasta_bases(path: Path) -> list[str]:
    return path.read_text().splitlines()[1::2]


def hairpin_row(
    start: int, end: int, strand: str, score: float, call: int = 1, mfe: float = -20.0
) -> Any:
    hairpin = a_hairpin(start, end, strand, mfe)
    row = {"id": f"{start}{strand}", "score": score, "mfe": mfe, "call": call, "antisense": ""}
    return hairpin, row


@pytest.mark.parametrize(
    ("rows", "circle", "expected"),
    [
        # Of equal energies, the higher score is the call, whichever comes first.
        ([(0, 80, "+", 0.9), (10, 90, "-", 0.95)], None, ["10-", ""]),
        ([(0, 80, "+", 0.95), (10, 90, "-", 0.9)], None, ["", "0+"]),
        # 5 kcal/mol count for more than the difference of .9 and .95, 4.9 do not.
        ([(0, 80, "+", 0.9, 1, -25.0), (10, 90, "-", 0.95)], None, ["", "0+"]),
        ([(0, 80, "+", 0.9, 1, -24.9), (10, 90, "-", 0.95)], None, ["10-", ""]),
        # A short hairpin inside a long one, on the other strand, as at hsa-mir-222.
        ([(0, 116, "-", 0.953, 1, -56.5), (28, 82, "+", 0.968, 1, -26.0)], None, ["", "0-"]),
        # A much higher score counts for more than a much lower energy.
        ([(0, 70, "+", 0.9999, 1, -30.0), (30, 150, "-", 0.97, 1, -60.0)], None, ["", "0+"]),
        # A score of 1 can be compared too.
        ([(0, 80, "-", 1.0), (0, 80, "+", 0.999)], None, ["", "0-"]),
        # Half of the shorter one, 40 nt, is enough; 39 nt are too few.
        ([(0, 80, "+", 0.9), (40, 140, "-", 0.8)], None, ["", "0+"]),
        ([(0, 80, "+", 0.9), (41, 141, "-", 0.8)], None, ["", ""]),
        # Neighbours on one strand are no twins.
        ([(0, 80, "+", 0.9), (60, 140, "+", 0.8)], None, ["", ""]),
        # Of equal ones, the forward strand.
        ([(0, 80, "-", 0.9), (0, 80, "+", 0.9)], None, ["0+", ""]),
        # Only calls are twins, and a twin has no twins.
        ([(0, 80, "+", 0.9, 0), (0, 80, "-", 0.8)], None, ["", ""]),
        (
            [(0, 100, "+", 0.9), (50, 150, "-", 0.8), (100, 200, "+", 0.7)],
            None,
            ["", "0+", ""],
        ),
        # Over the origin of a circle of 400 nt.
        ([(0, 80, "+", 0.9), (370, 450, "-", 0.8)], 400, ["", "0+"]),
        ([(0, 80, "+", 0.9), (370, 450, "-", 0.8)], None, ["", ""]),
    ],
)
def test_of_calls_on_both_strands_one_is_the_call_by_its_score_and_its_energy(
    rows: list[Any], circle: int | None, expected: list[str]
) -> None:
    pairs = [hairpin_row(*row) for row in rows]
    before = [row["call"] for _, row in pairs]
    mark_antisense([it for it, _ in pairs], [row for _, row in pairs], circle)
    assert [row["antisense"] for _, row in pairs] == expected
    for (_, row), call in zip(pairs, before, strict=True):
        assert row["call"] == (0 if row["antisense"] else call)


def test_of_twins_the_one_that_is_a_known_hairpin_is_called_whatever_the_scores() -> None:
    pairs = [hairpin_row(0, 80, "+", 0.9), hairpin_row(10, 90, "-", 0.999)]
    for statuses, expected in (
        (("known", "novel"), ["", "0+"]),
        (("novel", "known"), ["10-", ""]),
        (("known", "known"), ["10-", ""]),
        (("novel", "novel"), ["10-", ""]),
    ):
        rows = [{**row, "status": it} for (_, row), it in zip(pairs, statuses, strict=True)]
        mark_antisense([it for it, _ in pairs], rows)
        assert [row["antisense"] for row in rows] == expected
    # A known hairpin below the threshold is no call, and takes no other's place.
    rows = [{**pairs[0][1], "status": "known", "call": 0}, dict(pairs[1][1])]
    mark_antisense([it for it, _ in pairs], rows)
    assert [row["call"] for row in rows] == [0, 1]


def test_known_hairpins_below_the_threshold_are_named() -> None:
    summary = Summary(known=5, known_names=["mir-1 (score 0.900)", "mir-2 (score 0.800)"])
    assert summary.name_known() == "mir-1 (score 0.900), mir-2 (score 0.800), …"
    assert replace(summary, known=2).name_known().endswith("mir-2 (score 0.800)")


@given(
    found=hairpins,
    scores=st.lists(st.sampled_from([0.7, 0.8, 0.9]), min_size=25, max_size=25),
    energies=st.lists(st.sampled_from([-20.0, -22.5, -60.0]), min_size=25, max_size=25),
    circle=st.sampled_from([None, 60, 320]),
)
def test_twins_are_those_of_the_definition(
    found: list[GenomeHairpin], scores: list[float], energies: list[float], circle: int | None
) -> None:
    """Every pair of calls is compared; no hairpin is longer than its circle."""
    pairs = []
    for n, (it, of_it, mfe) in enumerate(zip(found, scores, energies, strict=False)):
        start = it.start % (circle or 400)
        hairpin, row = hairpin_row(start, start + length(it), it.strand, of_it, mfe=mfe)
        pairs.append((hairpin, row | {"id": str(n)}))

    def positions(it: GenomeHairpin) -> set[int]:
        return {at % circle if circle else at for at in range(it.start, it.end)}

    expected: dict[int, str] = {}

    def log_odds(n: int) -> float:
        row = pairs[n][1]
        return float(np.log(row["score"] / (1 - row["score"])) - 0.15 * row["mfe"])

    ranked = sorted(
        range(len(pairs)),
        key=lambda n: (-log_odds(n), pairs[n][0].strand, pairs[n][0].start),
    )
    for rank, n in enumerate(ranked):
        one = pairs[n][0]
        for m in ranked[:rank]:
            other = pairs[m][0]
            shared = len(positions(one) & positions(other))
            if (
                one.strand != other.strand
                and not expected[m]
                and 2 * shared >= min(length(one), length(other))
            ):
                expected[n] = pairs[m][1]["id"]
                break
        else:
            expected[n] = ""
    mark_antisense([it for it, _ in pairs], [row for _, row in pairs], circle)
    assert [row["antisense"] for _, row in pairs] == [expected[n] for n in range(len(pairs))]


def test_a_call_is_compared_with_those_beside_it_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a genome of repeats, with thousands of calls in one group."""
    compared: list[object] = []
    monkeypatch.setattr(calls, "shared_bases", lambda *of: compared.append(of) or shared_bases(*of))
    pairs = [hairpin_row(40 * n, 40 * n + 100, "+-"[n % 2], 0.9 - n / 1e6) for n in range(2000)]
    mark_antisense([it for it, _ in pairs], [row for _, row in pairs])
    assert sum(row["call"] for _, row in pairs) == 1000
    assert len(compared) < 10 * len(pairs)


def test_twins_and_circles_in_the_files_of_a_scan(tmp_path: Path) -> None:
    """A perfect palindrome over the origin is a hairpin on both strands."""
    arm = "GGCAUCCAGAUCAGGACAUGCUGAUCCGAUC"
    other = arm.translate(COMPLEMENT)[::-1]
    palindrome = arm + "GAUUAC" + other
    bases = palindrome[30:] + random_rna(np.random.default_rng(1), 700) + palindrome[:30]
    path = genome(tmp_path / "g.fa", {"c": bases, "linear": "A" * 50})
    trained = replace(load_networks(), cuts={"5%": 0.0, "1%": 0.0, "0.1%": 0.0}, stems={})
    predictor = Predictor.for_genome(trained, ScanSettings(reference="none"))
    journal = Journal(tmp_path / "found", "k")
    list(find(path, journal, HairpinCriteria(circular=("c",)), predictor))
    prefix = tmp_path / "out"
    summary = write_files([journal.path], prefix, [], predictor, name_families=no_families)
    assert summary.lengths == {"c": len(bases), "linear": 50}
    table = pd.read_csv(f"{prefix}.tsv", sep="\t", keep_default_na=False)
    twins = table[table["end"] > len(bases)]
    assert set(twins["strand"]) == {"+", "-"}
    marked, call = (twins[twins["call"] == value].iloc[0] for value in (0, 1))
    assert marked["antisense"] == call["id"]
    assert call["antisense"] == ""
    best = {row["id"] for row, _ in summary.best}
    assert call["id"] in best
    assert marked["id"] not in best, "the page has each locus once"
    assert call["id"] == f"c:{call['start'] - 1}-{call['end']}({call['strand']})"
    assert summary.calls == {"c": (table["call"] == 1).sum()}
    region = f"c\tmirpair\tregion\t1\t{len(bases)}\t.\t+\t.\tID=c;Is_circular=true"
    for suffix in (".gff3", ".all.gff3"):
        lines = Path(f"{prefix}{suffix}").read_text().splitlines()
        assert region in lines
        assert sum("Is_circular" in line for line in lines) == 1
        features = [line.split("\t") for line in lines if "\tregion\t" not in line]
        features = [it for it in features if it[0] == "c" and int(it[4]) > len(bases)]
        assert all(int(it[3]) <= int(it[4]) for it in features)
        kinds = {it[2]: it[8] for it in features}
        assert f"antisense={call['id']}" not in kinds["pre_miRNA"]
        if suffix == ".all.gff3":
            assert f";antisense={call['id']};" in kinds["stem_loop"]
        else:
            assert list(kinds) == ["pre_miRNA"]
    # BED has no positions beyond a sequence: a line for each side of the origin.
    bed = [line.split("\t") for line in Path(f"{prefix}.bed").read_text().splitlines()]
    assert all(int(it[2]) <= len(bases) for it in bed)
    assert [it[:3] for it in bed if it[3] == call["id"]] == [
        ["c", str(call["start"] - 1), str(len(bases))],
        ["c", "0", str(call["end"] - len(bases))],
    ]
    fasta = {it.id: it.sequence for it in read_fasta(Path(f"{prefix}.fa"))}
    assert len(fasta[call["id"]]) == call["end"] - call["start"] + 1


def test_an_rna_as_a_scan_sees_it_is_its_stem_without_loose_ends() -> None:
    loose = "AAAAAA" + LET7 + "AAAAAA"
    seen = as_scanned(loose, HairpinCriteria())
    assert seen
    assert seen in loose
    structure = fold(seen).dot_bracket
    assert structure[0] == "("
    assert structure[-1] == ")"
    assert as_scanned("A" * 100, HairpinCriteria()) == ""


@BOTH
def test_many_rnas_are_cut_together_as_each_alone(exhaustive: bool) -> None:
    criteria = HairpinCriteria(exhaustive=exhaustive, mfe=-8)
    rnas = [
        *(random_rna(np.random.default_rng(seed), 150) for seed in range(12)),
        *("", "ACGU", "A" * 100, "AAAAAA" + LET7.lower(), LET7[:9] + "N" + LET7[9:], LET7),
    ]
    together = each_as_scanned(rnas, criteria)
    assert together == [as_scanned(rna, criteria) for rna in rnas]
    assert together[-1] == together[-3] != ""
    assert sum(map(bool, together)) > 6


@BOTH
@pytest.mark.parametrize("strand", STRANDS)
def test_contigs_have_the_hairpins_that_they_have_apart(strand: str, exhaustive: bool) -> None:
    contigs = [planted(seed, 200 * seed, 90) for seed in range(1, 5)]
    criteria = HairpinCriteria(exhaustive=exhaustive)
    apart, start = [], 0
    for contig in contigs:
        for it in found_in(whole(contig), strand, criteria):
            apart.append(it._replace(start=it.start + start, end=it.end + start))
        start += len(contig) + 1
    assert len(apart) >= 4
    assert found_in(whole("N".join(contigs)), strand, criteria) == apart


def test_a_row_is_that_of_its_hairpin_if_others_are_too_short_to_be_scored(tmp_path: Path) -> None:
    """39 nt can have 18 base pairs, but the networks take 40 nt and more."""
    short = "GGCAUCCAGAUCAGGACAUGCGAAAGCAUGUCCUGAUCUGGAUGCC"[4:43]
    short = short[:18] + "AAA" + short[:18].translate(COMPLEMENT)[::-1]
    assert len(short) == 39
    bases = "A" * 80 + short + "A" * 80 + LET7 + "A" * 80
    path = genome(tmp_path / "g.fa", {"c": bases})
    journal = Journal(tmp_path / "found", "k")
    list(find(path, journal, HairpinCriteria(), ALL))
    found = [it for _, it in resolve(read_candidates([journal.path]))]
    assert any(it.bases == LET7 for it in found)
    for it in found:
        length_, structure, _, score = it.row.split("\t")[1:5]
        assert int(length_) == len(it.bases) == len(structure) >= 40
        assert it.rank == -round(1e6 * float(score))


def test_of_hairpins_that_share_bases_the_one_with_the_highest_score_remains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = genome(tmp_path / "g.fa", {"c": planted(5, 300, 300)})
    results = []
    for sign in (1, -1):
        with monkeypatch.context() as patch:
            # Long hairpins have high scores, or low ones.
            patch.setattr(
                prediction,
                "score_molecules",
                lambda _, molecules, sign=sign: np.array(
                    [0.5 + sign * len(it.codes) / 1000 for it in molecules]
                ),
            )
            journal = Journal(tmp_path / f"{sign}", "k")
            list(find(path, journal, HairpinCriteria(stem=12, mfe=-8), ALL))
        results.append([it for _, it in resolve(read_candidates([journal.path]))])
    longer, shorter = ({(it.start, it.end, it.strand) for it in these} for these in results)
    assert longer != shorter
    mean = [np.mean([end - start for start, end, _ in these]) for these in (longer, shorter)]
    assert mean[0] > mean[1] + 5


def test_stems_above_a_limit_of_energy_for_their_length_are_left_out() -> None:
    bases, criteria = planted(8, 3000, 3000), HairpinCriteria()
    (every,) = find_around([whole(bases)], "+", criteria)
    for limit in (4.0, 0.0):
        (usual,) = find_around([whole(bases)], "+", criteria, highest=limit)
        assert 0 < len(usual) < len(every)
        assert all(it.rank <= 100 * limit for it in usual)
        # The energies by which stems are found are estimates, so few others are lost.
        expected = {it for it in every if it.rank <= 100 * limit}
        assert len(expected - set(usual)) <= 0.03 * len(expected)


def test_one_network_chooses_the_stems_that_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    score_molecules = prediction.score_molecules

    def noted(networks: Any, molecules: Any) -> Any:
        counts.append(len(networks))
        return score_molecules(networks, molecules)

    monkeypatch.setattr(prediction, "score_molecules", noted)
    list(find_blocks([whole(planted(3, 300, 300))], HairpinCriteria(), SOME, processes=1))
    every = len(load_networks().networks)
    assert counts == [1, every, 1, every], "on either strand"


def test_short_sequences_are_searched_together_and_have_what_each_has_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contigs = {f"c{n}": planted(n, 20 * n, 90) for n in range(1, 9)} | {"none": "A" * 60}
    contigs["c5"] = contigs["c5"].lower()
    path = genome(tmp_path / "g.fa", contigs)
    calls: list[int] = []
    real = scan_find.find_around

    def noted(tiles: Any, *arguments: Any, **more: Any) -> Any:
        calls.append(len(tiles))
        return real(tiles, *arguments, **more)

    monkeypatch.setattr(scan_find, "find_around", noted)
    blocks = []
    for tile, together in ((TILE, [2, 1, 6]), (600, []), (0, [1] * 9)):
        for predictor in (SOME, ALL):
            calls.clear()
            tiles = read_tiles(str(path), circular=["c3"])
            found = find_blocks(tiles, HairpinCriteria(), predictor, processes=1, tile=tile)
            blocks.append(list(found))
            # On both strands; the circular sequence is alone.
            assert not together or calls == [it for it in together for _ in STRANDS]
    tiles = read_tiles(str(path), circular=["c3"])
    blocks.append(list(find_blocks(tiles, HairpinCriteria(), SOME, processes=2)))
    assert blocks[0] == blocks[2] == blocks[4] == blocks[6]
    assert blocks[1] == blocks[3] == blocks[5]
    assert [lines[0].split("\t")[0] for _, lines in blocks[0]] == list(contigs)
    # LET7 of c5 is in lower case, that of others is not.
    masked = {
        lines[0].split("\t")[0]: lines[1].split("\t")[5] for _, lines in blocks[0] if lines[1:]
    }
    assert int(masked["c5"]) > 60
    assert int(masked["c4"]) == 0


def test_a_scan_resumes_between_sequences_that_are_searched_together(tmp_path: Path) -> None:
    contigs = {f"c{n}": planted(n, 20 * n, 90) for n in range(1, 6)}
    path = genome(tmp_path / "g.fa", contigs)
    journals = [Journal(tmp_path / name, "k") for name in "ab"]
    list(find(path, journals[0], HairpinCriteria(), SOME))
    started = find(path, journals[1], HairpinCriteria(), SOME)
    next(started)
    next(started)
    started.close()  # type: ignore[attr-defined]
    again = Journal(tmp_path / "b", "k")
    assert again.blocks == 2
    assert len(list(find(path, again, HairpinCriteria(), SOME))) == 3
    assert journals[0].path.read_bytes() == again.path.read_bytes()


def test_tiles_of_long_sequences_and_of_circular_ones_are_alone() -> None:
    def tile(length: int) -> Tile:
        taken.append(length)
        return Tile("s", 0, 0, abs(length), 0, "A" * abs(length), True, circular=length < 0)

    taken: list[int] = []
    joined = join_short(map(tile, (60, 30, 10, 1, 200, 99, -1, 1, 1)), 100)
    lengths = []
    for tiles in joined:
        lengths.append([len(it.text) for it in tiles])
        assert len(taken) <= sum(map(len, lengths)) + 1, "tiles are read as needed"
    assert lengths == [[60, 30, 10], [1], [200], [99], [1], [1, 1]]


def test_only_stems_that_may_be_called_are_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of calls are those of a scan that folds all; few are lost."""
    hairpins = [it.sequence for it in read_fasta(ROOT / "config" / "demo" / "positives.fa")][:12]
    bases = "".join(planted(n, 150, 150, it) for n, it in enumerate(hairpins))
    path = genome(tmp_path / "g.fa", {"c": bases})
    folded: list[str] = []
    fold_and_score = prediction.fold_and_score

    def noted(rnas: Any, job: int) -> Any:
        folded.extend(bases for bases, _ in rnas)
        return fold_and_score(rnas, job)

    monkeypatch.setattr(prediction, "fold_and_score", noted)
    rows, counts = [], []
    for limits in (StemLimits(), StemLimits(4.0, 0.05)):
        trained = replace(load_networks(), stems={"1%": limits})
        settings = ScanSettings(reference="none", false_positives="1%")
        journal = Journal(tmp_path / f"{limits.score}", "k")
        folded.clear()
        list(find(path, journal, HairpinCriteria(), Predictor.for_genome(trained, settings)))
        rows.append(
            {it: it.row.split("\t")[6] for _, it in resolve(read_candidates([journal.path]))}
        )
        counts.append(len(folded))
    assert counts[0] > 2 * counts[1]
    every, some = ({(it.start, it.end, it.strand, it.row) for it in these} for these in rows)
    calls = {(it.start, it.end, it.strand, it.row) for it, call in rows[0].items() if call == "1"}
    assert len(calls) >= 8
    assert len(some) < len(every)
    assert len(calls - some) <= 1


@pytest.mark.parametrize("limits", [StemLimits(-100.0, 0.0), StemLimits(score=1.0)])
def test_both_limits_choose_the_stems_unless_the_scan_is_exhaustive(
    tmp_path: Path, limits: StemLimits
) -> None:
    path = genome(tmp_path / "g.fa", {"c": planted(3, 150, 150)})
    found = {}
    for exhaustive, predictor in product((True, False), (ALL, replace(ALL, stems=limits))):
        journal = Journal(tmp_path / f"{exhaustive}-{predictor.stems.score}", "k", overwrite=True)
        list(find(path, journal, HairpinCriteria(exhaustive=exhaustive), predictor))
        found[exhaustive, predictor is ALL] = list(resolve(read_candidates([journal.path])))
    assert found[True, False] == found[True, True]
    assert found[False, True]
    assert not found[False, False]


def test_a_scan_is_a_prediction_of_what_was_found(tmp_path: Path) -> None:
    bases = planted(3, 300, 300)
    path = genome(tmp_path / "g.fa", {"chr 1": bases})
    journal, trained = Journal(tmp_path / "found", "k"), replace(load_networks(), stems={})
    predictor = Predictor.for_genome(trained, ScanSettings(reference="none"))
    list(find(path, journal, HairpinCriteria(), predictor))
    summary = write_files(
        [journal.path], tmp_path / "out", ["a comment"], predictor, name_families=no_families
    )
    table = [line.split("\t") for line in (tmp_path / "out.tsv").read_text().splitlines()]
    rows = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    survivors = [it for _, it in resolve(read_candidates([journal.path]))]
    assert [(int(row["start"]), int(row["end"]), row["strand"]) for row in rows] == [
        (it.start + 1, it.end, it.strand) for it in survivors
    ]
    # A scan scores hairpins of any length, by the same networks.
    records = ((Record(str(n), it.bases, "", n), None) for n, it in enumerate(survivors))
    alone = pd.concat(predict_records(records, predictor))
    assert [row["score"] for row in rows] == [f"{score:.6f}" for score in alone["score"]]
    assert [row["structure"] for row in rows] == alone["structure"].tolist()
    # By the calibration for hairpins of a genome, not by that for candidates.
    assert predictor.calibration == trained.genome != trained.candidates
    assert set(alone["reason"]) <= {"", "no hairpin"}, "of any length"
    assert summary.lengths == {"chr": 680}
    assert summary.hairpins == {"chr": len(rows)}
    assert summary.scores.sum() == len(rows)
    # The weaker one of two antisense twins is not among the best.
    assert [row["score"] for row, _ in summary.best] == sorted(
        (float(row["score"]) for row in rows if not row["antisense"]), reverse=True
    )[:10]
    calls = [row for row in rows if row["call"] == "1"]
    lines = (tmp_path / "out.gff3").read_text().splitlines()
    assert lines[:3] == ["##gff-version 3", "# a comment", "##sequence-region chr 1 680"]
    assert len(lines) - 3 == len(calls) == len((tmp_path / "out.bed").read_text().splitlines())
    assert len((tmp_path / "out.all.gff3").read_text().splitlines()) - 3 == len(rows)


def test_the_name_of_a_genome_is_that_of_its_file() -> None:
    for name in ("a/yeast.fa", "yeast.fna.gz", "yeast.fasta", "yeast"):
        assert name_of(name) == "yeast"
    assert name_of("hg38.p14.fa.gz") == "hg38.p14"


def test_a_scan_calls_by_the_score_of_so_many_false_positives(tmp_path: Path) -> None:
    trained = load_networks()
    assert trained.cuts["5%"] < trained.cuts["1%"] < trained.cuts["0.1%"]
    bases = [it.sequence for it in read_fasta(ROOT / "config" / "demo" / "positives.fa")][:6]
    bases += [it.sequence for it in read_fasta(ROOT / "config" / "demo" / "negatives.fa")][:6]
    records = [(Record(str(n), it, "f", n), None) for n, it in enumerate(bases)]

    def table(predictor: Predictor) -> pd.DataFrame:
        (predicted,) = predict_records(records, predictor)
        return predicted

    scores = table(Predictor.for_genome(trained, ScanSettings(reference="none")))["score"]
    middle = float(scores.sort_values().iloc[5])
    # A share that is called by these scores: neither the probability nor a threshold has a say.
    cuts: dict[FalsePositives, float] = {
        "5%": float(scores.min()),
        "1%": middle,
        "0.1%": float(scores.max()),
    }
    other = replace(trained, cuts=cuts)
    for name, cut in cuts.items():
        predictor = Predictor.for_genome(other, ScanSettings(1e-9, name, reference="none"))
        assert (predictor.settings.prior, predictor.settings.compares) == (1e-9, False)
        assert (predictor.called_by, predictor.cut) == ("score", cut)
        assert table(predictor)["call"].tolist() == (scores >= cut).astype(int).tolist()
    # By default, the lowest rate that there is.
    assert Predictor.for_genome(other, ScanSettings()).cut == cuts["0.1%"]
    assert Predictor.for_genome(other, ScanSettings()).rate == "0.1%"
    with pytest.raises(InputError, match=r"is '2%', must be one of 'lowest', '5%', '1%', '0\.1%'"):
        Predictor.for_genome(other, ScanSettings(0.1, "2%"))  # type: ignore[arg-type]
    without = replace(trained, cuts={}, genome=None)
    predictor = Predictor.for_genome(without, ScanSettings())
    assert predictor.cut == 0.5
    assert "score of at least 0.5" in predictor.warning


def test_the_key_of_a_scan_tells_everything_that_it_depends_on(tmp_path: Path) -> None:
    weights, hairpins = tmp_path / "w", tmp_path / "h.fa"
    hairpins.write_text(">a\nACGU\n")
    weights.write_bytes(b"1")
    criteria, settings = HairpinCriteria(), ScanSettings(reference="none")
    key = scan_key("a checksum", criteria, settings, weights)
    assert scan_key("a checksum", HairpinCriteria(), settings, weights) == key
    assert "\n" not in key
    changes: tuple[dict[str, object], ...] = (
        *({"span": 121}, {"stem": 19}, {"loop": 24}, {"mfe": -16}, {"masked": True}),
        *({"exhaustive": True}, {"circular": ("a",)}),
    )
    keys = [
        scan_key("a checksum", replace(criteria, **it), settings, weights)  # type: ignore[arg-type]
        for it in changes
    ]
    changes = (
        *({"prior": 0.1}, {"reference": "mirbase22"}, {"false_positives": "5%"}),
        *({"kingdom": "plants"}, {"reference": str(hairpins)}),
    )
    keys += [
        scan_key("a checksum", criteria, replace(settings, **it), weights)  # type: ignore[arg-type]
        for it in changes
    ]
    # An interrupted search resumes after so many tiles.
    keys.append(scan_key("a checksum", criteria, settings, weights, tile=500))
    keys.append(scan_key("another checksum", criteria, settings, weights))
    hairpins.write_text(">b\nACGU\n")
    own = replace(settings, reference=str(hairpins))
    keys.append(scan_key("a checksum", criteria, own, weights))
    weights.write_bytes(b"2")
    keys.append(scan_key("a checksum", criteria, settings, weights))
    assert len({key, *keys}) == 1 + len(keys)


def test_the_checksum_of_a_genome_depends_on_its_names_and_bases_only(tmp_path: Path) -> None:
    text = ">a some words\nACGT\nNNac\n>b\nGG\n"
    content = b">a\nACGUNNac\n>b\nGG\n"
    expected = hashlib.sha256(content.replace(b"UNNac\n", b"UNNac").replace(b"GG\n", b"GG"))
    same = (text, text.replace("\n", "\r\n"), text.replace("\nNN", "NN"), text.replace("T", "U"))
    for it in same:
        for name, packed in (("g.fa", it.encode()), ("moved.fna.gz", gzip.compress(it.encode()))):
            (tmp_path / name).write_bytes(packed)
            assert check_genome(str(tmp_path / name)) == expected.hexdigest()
    for other in (">c\nACGTNNac\n>b\nGG\n", ">a\nACGTNNAC\n>b\nGG\n", ">a\nACGTNNacG\n>b\nG\n"):
        (tmp_path / "g.fa").write_text(other)
        assert check_genome(str(tmp_path / "g.fa")) != expected.hexdigest()


@pytest.mark.parametrize("of", ["mirpair", "ViennaRNA"])
def test_a_scan_by_another_version_does_not_resume(
    of: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "w").write_bytes(b"1")
    of_scan = ("a checksum", HairpinCriteria(), ScanSettings(), tmp_path / "w")
    before = scan_key(*of_scan)
    if of == "mirpair":
        monkeypatch.setattr(resume, "__version__", "0.0.0")
    else:
        monkeypatch.setattr(resume, "RNA", SimpleNamespace(__version__="0.0.0"))
    assert scan_key(*of_scan) != before


def test_a_scan_checks_its_criteria_before_it_writes(tmp_path: Path) -> None:
    path = genome(tmp_path / "g.fa", {"one": "ACGU"})
    arguments = (Path(path), tmp_path / "out", NoProgress())
    for criteria, of_scan, said in (
        (HairpinCriteria(span=401), ScanSettings(), "span: is 401"),
        (HairpinCriteria(), ScanSettings(prior=1), "prior: is 1"),
    ):
        with pytest.raises(InputError, match=said):
            scan(*arguments, criteria=criteria, settings=of_scan, written=ScanOutput())
    assert not (tmp_path / "out").exists()


def test_a_damaged_genome_or_one_that_is_no_text_is_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "g.fa.gz"
    rng = np.random.default_rng(0)
    packed = gzip.compress(f">a\n{random_rna(rng, 200_000)}\n".encode())
    broken = bytearray(packed)
    broken[len(packed) // 2] ^= 0xFF
    for content in (packed[: len(packed) // 2], bytes(broken), b">a\nAC\xff\xfeGU\n"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"g\.fa\.gz: not a readable FASTA file"):
            list(read_tiles(str(path)))


def test_of_several_hairpins_of_an_rna_a_scan_sees_the_most_stable() -> None:
    weak = "GGCAUCCAGAUCAGGACAUGCUUCGGCAUGUCCUGAUCUGGAUGCC"
    strong = "GGGCGCCGGCGCGGGCCCGGGCGCUUCGGCGCCCGGGCCCGCGCCGGCGCCC"
    criteria = HairpinCriteria(stem=12)
    for bases in (weak + "A" * 20 + strong, strong + "A" * 20 + weak):
        assert strong[5:-5] in as_scanned(bases, criteria)


def test_ranks_are_those_of_the_scores_and_equal_ones_are_in_the_order_of_the_genome() -> None:
    assert ranks_of(np.array([0.2, 0.9, -1.0, 0.9, 0.0])).tolist() == [3, 1, 0, 2, 4]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        # 10,000 bases between two calls are few enough, one more is too many.
        ([("a", 0, 80, "+"), ("a", 10_080, 10_160, "+")], ["cluster-1"] * 2),
        ([("a", 0, 80, "+"), ("a", 10_081, 10_160, "+")], [None] * 2),
        # Each is near the next one.
        ([("a", n, n + 80, "-") for n in range(0, 36_000, 9_000)], ["cluster-1"] * 4),
        # Another strand and another sequence are no neighbours.
        ([("a", 0, 80, "+"), ("a", 90, 170, "-"), ("b", 100, 180, "+")], [None] * 3),
        # Strands may alternate; clusters are numbered by their first call.
        (
            [("a", 0, 80, "-"), ("a", 90, 170, "+"), ("a", 300, 380, "-"), ("a", 400, 480, "+")],
            ["cluster-1", "cluster-2", "cluster-1", "cluster-2"],
        ),
        # Those at the beginning of a circular sequence come last.
        (
            [("a", 90_000, 90_080, "+"), ("a", 10, 90, "+"), ("a", 200, 280, "+")],
            [None, "cluster-1", "cluster-1"],
        ),
        # The end that reaches furthest counts.
        ([("a", 0, 20_000, "+"), ("a", 5, 80, "+"), ("a", 25_000, 25_080, "+")], ["cluster-1"] * 3),
    ],
)
def test_calls_of_one_strand_within_10_kb_are_a_cluster(
    places: list[Any], expected: list[str | None]
) -> None:
    of_calls = [Call(n, *place, "", 0.9) for n, place in enumerate(places)]
    clusters = clusters_of(of_calls, {})
    assert [clusters.get(n) for n in range(len(places))] == expected


def test_a_cluster_goes_on_over_the_origin_of_a_circle() -> None:
    places = [(50_000, 50_080), (99_000, 99_080), (500, 580), (40_000, 40_080)]
    of_calls = [Call(n, "c", *place, "+", "", 0.9) for n, place in enumerate(places)]
    clusters = clusters_of(of_calls, {"c": 100_000})
    assert clusters == {0: "cluster-1", 3: "cluster-1", 1: "cluster-2", 2: "cluster-2"}
    assert clusters_of(of_calls, {}) == {0: "cluster-1", 3: "cluster-1"}
    # 10,000 bases between the two are few enough, one more is too many.
    for circle, expected in ((108_580, {1, 2}), (108_581, set())):
        assert set(clusters_of(of_calls[:3], {"c": circle})) == expected


def test_the_files_of_a_scan_compare_its_hairpins(tmp_path: Path) -> None:
    positives = [it.sequence for it in read_fasta(ROOT / "config" / "demo" / "positives.fa")]
    rng = np.random.default_rng(2)
    hairpins = [it for it in positives if len(it) <= 100][:12]
    # The first one is in lower case, the second one in part.
    cased = [hairpins[0].lower(), hairpins[1][:40].lower() + hairpins[1][40:], *hairpins[2:]]
    bases = "".join(random_rna(rng, 60) + it for it in cased) + random_rna(rng, 60)
    path = genome(tmp_path / "g.fa", {"chr": bases})
    curve = GenomeCurve("yeast", (0.0, 0.5, 0.9), (1000.0, 30.0, 4.0))
    trained = replace(load_networks(), stems={}, curves=[curve])
    predictor = Predictor.for_genome(trained, ScanSettings(reference="none", false_positives="1%"))
    journal = Journal(tmp_path / "found", "k")
    list(find(path, journal, HairpinCriteria(), predictor))
    asked: list[str] = []

    def name_families(rnas: Sequence[str]) -> list[str]:
        asked.extend(rnas)
        return [f"mir-{n}" if n % 2 else "" for n in range(len(rnas))]

    for top in (0, 3):
        write_files(
            [journal.path], tmp_path / f"top{top}", [], predictor,
            name_families=name_families, top=top,
        )  # fmt: skip
    table = pd.read_csv(tmp_path / "top0.tsv", sep="\t", keep_default_na=False)
    alone = table[table["antisense"] == ""]
    by_score = alone.sort_values("score", ascending=False, kind="stable")
    assert by_score["rank"].astype(int).tolist() == list(range(1, len(alone) + 1))
    assert set(table.loc[table["antisense"] != "", "rank"]) <= {""}
    called = table[table["call"] == 1]
    assert len(called) >= 8
    assert asked == [rna for _ in range(2) for rna in fasta_bases(tmp_path / "top0.fa")]
    assert called["family"].tolist() == [f"mir-{n}" if n % 2 else "" for n in range(len(called))]
    of_strand = {strand: set(rows["cluster"]) for strand, rows in called.groupby("strand")}
    assert of_strand["+"] == {"cluster-1"}, "all of the forward strand are near each other"
    assert of_strand.get("-", set()) <= {"cluster-2", ""}
    assert set(table.loc[table["call"] == 0, "cluster"]) == {""}
    expected = [4.0 if it >= 0.9 else 30.0 if it >= 0.5 else 1000.0 for it in table["score"]]
    assert table["false_calls_per_mb"].astype(float).tolist() == expected
    for row in table.to_dict("records"):
        own = bases[row["start"] - 1 : row["end"]]
        assert row["masked"] == pytest.approx(sum(map(str.islower, own)) / len(own), abs=0.006)
    assert table["masked"].max() > 0.9
    best = pd.read_csv(tmp_path / "top3.tsv", sep="\t", keep_default_na=False)
    assert best["rank"].tolist() == [1, 2, 3]
    assert best["id"].tolist() == by_score["id"].tolist()[:3]
    for suffix in (".gff3", ".all.gff3", ".bed", ".fa"):
        assert (tmp_path / f"top3{suffix}").read_bytes() == (
            tmp_path / f"top0{suffix}"
        ).read_bytes()
    (line,) = [it for it in (tmp_path / "top0.gff3").read_text().splitlines() if ";rank=1;" in it]
    first = by_score.iloc[0]
    assert f"false_calls_per_mb={first['false_calls_per_mb']:g};cluster={first['cluster']}" in line
    assert f"masked={first['masked']:.2f}" in line


def test_the_calls_of_a_scan_have_the_families_that_annotate_names(tmp_path: Path) -> None:
    annotator = load(shipped())
    known = list(annotator.sequences[::200])
    rng = np.random.default_rng(1)
    others = [random_rna(rng, 80) for _ in range(5)]
    rnas = [*known, *others, known[0], "A" * 300]
    names = family_names(annotator, rnas, chunk=7)
    assert names == annotate(annotator, rnas)["family"].tolist()
    assert names[0]
    assert names[-1] == "", "it is too long"
    assert len(set(names)) > 3
    path = genome(tmp_path / "g.fa", {"chr": random_rna(rng, 300) + LET_7 + random_rna(rng, 300)})
    summary = scan(
        Path(path),
        tmp_path / "out",
        NoProgress(),
        criteria=HairpinCriteria(),
        settings=ScanSettings(reference="none", false_positives="5%"),
        written=ScanOutput(),
    )
    assert sum(summary.calls.values()) >= 1
    table = pd.read_csv(tmp_path / "out" / "g.tsv", sep="\t", keep_default_na=False)
    called = table[table["call"] == 1]
    assert "RF00027" in set(called["family"])
    head = (tmp_path / "out" / "g.gff3").read_text()
    assert "# families: families.safetensors, SHA-256 " in head
    assert "# families are named by: " in head
    # The page explains the calls among the best, as `mirpair explain` does.
    best = {row["id"]: (row, bases) for row, bases in summary.best if row["call"] == 1}
    assert summary.importance.keys() == best.keys()
    row, bases = next(iter(best.values()))
    explained = importance(
        bases,
        row["structure"],
        lambda rnas: predict(list(rnas), reference=None)["score"].to_numpy(),
    )
    np.testing.assert_allclose(
        summary.importance[row["id"]], explained.bases["importance"], atol=1e-6
    )
    page = (tmp_path / "out" / "g.html").read_text()
    assert "bases are darker the more the score loses with another base" in page


def test_the_page_says_how_many_calls_to_expect_in_as_many_bases() -> None:
    called = [
        Call(n, "chr", 100 * n, 100 * n + 80, "+-"[n % 2], "", 0.99 - n / 100) for n in range(40)
    ]
    summary = Summary(lengths={"chr": 2_000_000}, called=called)
    page = render("g", summary, {}, [GenomeCurve("yeast", (0.5, 0.8), (7.0, 1.5))])
    rows = [re.findall(r"<td[^>]*>([^<]*)", row) for row in page.split("<tr")]
    assert ["the 10 best", "0.900000", "3"] in rows, "1.5 in a megabase"
    assert ["the 30 best", "0.700000", "14"] in rows
    assert ["all 40", "0.600000", "14"] in rows
    # A score below all that were measured: all hairpins reach it.
    low = render("g", summary, {}, [GenomeCurve("yeast", (0.95, 0.99), (7.0, 1.5))])
    assert ">14<" in low
    assert "nan" not in low
    assert "How many calls may be false" not in render("g", summary, {})


def test_the_overview_has_calls_of_both_strands_and_the_longest_sequences() -> None:
    lengths = {f"s{n}": 1000 * (n + 1) for n in range(41)}
    called = [
        Call(0, "s40", 10_000, 10_080, "+", "", 0.9),
        Call(1, "s40", 20_000, 20_080, "-", "", 0.9),
        Call(2, "s0", 10, 90, "+", "", 0.9),
    ]
    summary = Summary(lengths=lengths, calls=Counter(s40=2, s0=1), called=called)
    (axis,) = draw_overview(summary).axes
    assert axis.get_xlabel() == "Position, kb"
    names = [it.get_text() for it in axis.get_yticklabels()]
    assert names == ["s0", *(f"s{n}" for n in range(2, 41))], "s0 has a call, s1 is the shortest"
    forward, reverse = (it.get_segments() for it in axis.collections)
    # Row 39 is the last one; the axis points down.
    assert np.allclose(forward[-1], [[10, 39], [10, 39 - 0.32]], atol=0.05)
    assert np.allclose(forward[0], [[0, 0], [0, -0.32]], atol=0.05)
    assert np.allclose(reverse, [[[20, 39], [20, 39 + 0.32]]], atol=0.05)
    page = render("g", summary, {})
    assert "then the longest ones, in the order of the file; 1 are left out, with 0 calls" in page


def test_the_page_of_a_genome_with_very_many_calls_is_small() -> None:
    called = [Call(n, "chr", 1000 * n, 1000 * n + 80, "+-"[n % 2], "", 0.9) for n in range(100_000)]
    page = render("g", Summary(lengths={"chr": 100_000_000}, called=called), {})
    assert len(page) < 600_000


def test_the_numbers_of_the_best_calls_do_not_cover_each_other() -> None:
    called = [
        Call(n, "chr", start, start + 80, strand, "", 0.9)
        for n, (start, strand) in enumerate([(0, "+"), (90, "+"), (95, "-"), (5000, "+")])
    ]
    best: list[Any] = [({"id": identifier("chr", it)}, "") for it in called]
    labels = _labels(Summary(lengths={"chr": 9000}, best=best, called=called), near=100)
    assert labels == {("chr", "+"): [(0, "1, 2"), (5000, "4")], ("chr", "-"): [(95, "3")]}


def test_a_hostile_name_is_text_on_the_page_of_a_scan() -> None:
    evil = "<script>alert(1)</script>"
    row = {"id": evil, "score": 0.9, "probability": None, "mfe": -20.0, "structure": "((...))"}
    row |= {"false_calls_per_mb": "2", "cluster": evil, "family": evil, "nearest": "", "call": 1}
    call = Call(0, evil, 5, 12, "+", "GGAAACC", 0.9)
    summary = Summary(lengths={evil: 100}, best=[(row, "GGAAACC")], called=[call])
    page = render(evil, summary, {evil: evil}, [GenomeCurve(evil, (0.5,), (2.0,))])
    assert evil not in page
    assert page.count("&lt;script&gt;alert(1)") >= 5


def test_a_piece_of_a_genome_goes_on_where_it_was(tmp_path: Path) -> None:
    path = genome(tmp_path / "g.fa", {"one": "".join(planted(n, 200, 200) for n in range(4))})
    for piece in (1, 2):
        whole, cut = (Journal(tmp_path / f"{name}{piece}", "k") for name in ("whole", "cut"))
        list(find(path, whole, HairpinCriteria(), ALL, tile=300, piece=piece, pieces=2))
        next(find(path, cut, HairpinCriteria(), ALL, tile=300, piece=piece, pieces=2))
        assert whole.blocks > 2 > cut.blocks == 1
        list(find(path, cut, HairpinCriteria(), ALL, tile=300, piece=piece, pieces=2))
        assert cut.path.read_bytes() == whole.path.read_bytes()
