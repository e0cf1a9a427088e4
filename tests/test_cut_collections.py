"""Pre-miRNAs cut out of known hairpins, and hairpins cut out of genomes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import random_rna
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpair.files import InputError
from mirpair.hairpins.candidates import as_scanned
from mirpair.settings import HairpinCriteria
from mirpair.sources import genome_hairpins, pre_mirnas
from mirpair.sources.collections import CutRna, Entry, cut_table, merge_cut
from mirpair.sources.genome_hairpins import Cutting, Search, choose_blocks, read_blocks
from mirpair.sources.known_stretches import LENGTH, KnownStretches, most_places
from mirpair.sources.regions import Region
from mirpair.sources.repeat_pairs import join_pairs

CRITERIA = HairpinCriteria()
COMPLEMENT = str.maketrans("ACGU", "UGCA")
LET7 = "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA"
FIVE, THREE = "UGAGGUAGUAGGUUGUAUAGUU", "CUAUACAAUCUACUGUCUUUC"
CUTS = ["hairpin", "pre-mirna", "scanned", "trimmed", "flanked"]


def reverse(bases: str) -> str:
    return bases.translate(COMPLEMENT)[::-1]


def entry(name: str, sequence: str = LET7, **more: str) -> Entry:
    species, _, family = name.partition("-")
    return Entry(name, f"MI-{name}", species, family, sequence)._replace(**more)


def cut_all(
    hairpins: Sequence[Entry], piece: int = 1, pieces: int = 1, **more: Any
) -> list[CutRna]:
    settings = {"cuts": CUTS, "trust": {}, "arms": {}, "flanked": {}, "criteria": CRITERIA, **more}
    return pre_mirnas.cut_piece(hairpins, piece, pieces, **settings)


def test_a_hairpin_is_cut_in_every_way_that_is_asked_for() -> None:
    rng = np.random.default_rng(0)
    around = random_rna(rng, 40) + LET7 + random_rna(rng, 40)
    more: dict[str, Any] = {"arms": {"hsa-a": (THREE, FIVE)}, "flanked": {"hsa-a": around}}
    cut = {it.entry.cut: it.entry for it in cut_all([entry("hsa-a")], **more)}
    assert list(cut) == CUTS
    assert [it.id for it in cut.values()] == [f"hsa-a/{way}" for way in CUTS]
    assert cut["hairpin"].sequence == LET7
    proper = cut["pre-mirna"].sequence
    assert proper.startswith(FIVE)
    assert proper.endswith(THREE)
    assert proper in LET7
    assert cut["scanned"].sequence == as_scanned(LET7, CRITERIA) != ""
    assert proper in cut["trimmed"].sequence in LET7
    assert LET7 in cut["flanked"].sequence in around
    assert len(cut["flanked"].sequence) <= len(LET7) + 50
    only = cut_all([entry("hsa-a")], cuts=["trimmed"], **more)
    assert [it.entry for it in only] == [cut["trimmed"]], "other cuts change none"
    assert {it.entry.cut for it in cut_all([entry("hsa-a")])} == {"hairpin", "scanned"}


def test_ends_are_random_and_anywhere_between_hairpin_and_pre_mirna() -> None:
    hairpins = [entry(f"hsa-{n}") for n in range(300)]
    arms = {it.id: (FIVE, THREE) for it in hairpins}
    one, again, other = (
        cut_all(hairpins, cuts=["trimmed"], arms=arms, seed=seed) for seed in (0, 0, 1)
    )
    assert one == again != other
    places = [LET7.index(it.entry.sequence) for it in one]
    assert set(places) == set(range(LET7.index(FIVE) + 1))
    ends = {place + len(it.entry.sequence) for place, it in zip(places, one, strict=True)}
    assert ends == set(range(LET7.index(THREE) + len(THREE), len(LET7) + 1))


def test_arms_that_overlap_or_are_not_in_the_hairpin_make_no_pre_mirna() -> None:
    for arms in ((FIVE, FIVE[3:]), (FIVE, "G" * 22)):
        cut = cut_all([entry("hsa-a")], arms={"hsa-a": arms})
        assert {it.entry.cut for it in cut} == {"hairpin", "scanned"}


def test_pre_mirnas_are_the_same_for_any_number_of_pieces_and_processes() -> None:
    rng = np.random.default_rng(1)
    hairpins = [entry(f"hsa-{n}", random_rna(rng, 150) + LET7) for n in range(7)]
    whole = cut_all(hairpins)
    pieces = [cut_all(hairpins, n, 3, processes=2) for n in (1, 2, 3)]
    assert merge_cut(map(cut_table, pieces)) == whole
    assert [it.stretch for it in whole] == sorted(it.stretch for it in whole)


@pytest.mark.parametrize(
    ("name", "kingdom"),
    [
        ("hsa-let-7a-1", "animals"),
        ("ath-MIR156a", "plants"),
        ("kshv-mir-K12-1", "viruses"),
        ("ddi-mir-1176", "others"),
    ],
)
def test_mirbase_names_the_kingdoms_apart(name: str, kingdom: str) -> None:
    assert pre_mirnas.kingdom_of(name) == kingdom


TABLE = """accession,ID,precursor,mature1_seq,mature2_seq
MI1,hsa-let-7a,{0},{1},{2}
MI2,ath-MIR156a,{0},{1},
MI3,ebv-mir-B1,{0},{1},{2}
MI4,mmu-let-7N,ACGNUUAC,,
"""


def test_hairpins_of_one_kingdom_are_read_with_the_arms_that_the_table_has(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(TABLE.format(LET7, FIVE.replace("U", "T"), THREE))
    hairpins, left_out = pre_mirnas.read_pre_mirnas(tmp_path / "x.csv", kingdom="animals")
    assert [it.id for it in hairpins] == ["hsa-let-7a"]
    assert left_out == {"another kingdom": 2, "a letter outside ACGU": 1}
    assert len(pre_mirnas.read_pre_mirnas(tmp_path / "x.csv")[0]) == 3
    with pytest.raises(InputError, match="species cel"):
        pre_mirnas.read_pre_mirnas(tmp_path / "x.csv", species=["cel"])
    arms = pre_mirnas.read_arms(tmp_path / "x.csv")
    assert arms == {"hsa-let-7a": (FIVE, THREE), "ebv-mir-B1": (FIVE, THREE)}
    (tmp_path / "y.csv").write_text("accession,ID,precursor\nMI1,hsa-a,ACGU\n")
    with pytest.raises(InputError, match="leave pre-mirna and trimmed out of `cuts`"):
        pre_mirnas.read_arms(tmp_path / "y.csv")


def test_mirgenedb_decides_how_sure_a_pre_mirna_is(tmp_path: Path) -> None:
    (tmp_path / "mature.fa").write_text(
        f">Hsa-Let-7-P1a_5p\n{FIVE.replace('U', 'T')}\n>Dma-X_3p\nA"
    )
    mature = pre_mirnas.read_mature(tmp_path / "mature.fa")
    assert mature == {"hsa": {FIVE}, "dma": {"A"}}
    hairpins = [
        entry("hsa-let-7"),
        entry("mmu-let-7"),
        entry("hsa-x", reverse(LET7), family="let-7"),
        entry("hsa-mir-9", reverse(LET7)),
        entry("mmu-mir-9"),
        entry("hsa-MIR9"),
        entry("dma-mir-9"),  # a lemur, and not the water flea
    ]
    expected = ["supported", "related", "related", "doubtful", "", "", ""]
    trust = pre_mirnas.trusts(hairpins, mature)
    assert trust == dict(zip([it.id for it in hairpins], expected, strict=True))
    cut = cut_all(hairpins, cuts=["hairpin"], trust=trust)
    assert [it.entry.trust for it in cut] == expected


def test_hairpins_that_are_surely_of_pre_mirnas(tmp_path: Path) -> None:
    """Of animals those that MirGeneDB supports, or whose family it does; of plants all."""
    rng = np.random.default_rng(0)
    names = ("mmu-let-7", "hsa-mir-9", "cel-mir-9", "ath-MIR156a", "ebv-mir-B1", "ddi-mir-1")
    others = {name: random_rna(rng, 60) for name in names}
    table = {"hsa-let-7": LET7, **others}
    rows = [f"MI{n},{name},{it}" for n, (name, it) in enumerate(table.items())]
    (tmp_path / "known.csv").write_text("\n".join(["accession,ID,precursor", *rows]))
    (tmp_path / "mature.fa").write_text(f">Hsa-Let-7-P1a_5p\n{FIVE}\n")
    sure = pre_mirnas.read_trusted(tmp_path / "known.csv", tmp_path / "mature.fa")
    assert sure == [table[name] for name in ("hsa-let-7", "mmu-let-7", "ath-MIR156a")]
    assert pre_mirnas.read_trusted(tmp_path / "known.csv", None) == list(table.values())
    trust = pre_mirnas.read_trust(
        tmp_path / "known.csv", tmp_path / "mature.fa", [table["hsa-mir-9"]] * 3
    )
    assert trust["hsa-mir-9"] == "repeat"
    assert trust["hsa-let-7"] == "supported"


def test_hairpins_with_flanks_are_read_from_tables_of_deepmircut(tmp_path: Path) -> None:
    row = ["ex1", "hsa-a", *["x"] * 9, f"GG{LET7}", "(.)", "SSS"]
    (tmp_path / "a.txt").write_text("\t".join(row) + "\n")
    assert pre_mirnas.read_flanked([tmp_path / "a.txt"]) == {"hsa-a": f"GG{LET7}"}
    (tmp_path / "b.txt").write_text("ex1\thsa-a\n")
    with pytest.raises(InputError, match="line 1 has 2 columns"):
        pre_mirnas.read_flanked([tmp_path / "a.txt", tmp_path / "b.txt"])


def test_of_copies_the_first_cut_remains_and_the_most_certain_pre_mirna() -> None:
    rnas = [
        CutRna(0, entry("ptr-a/scanned", cut="scanned", trust="supported")),
        CutRna(1, entry("ptr-a/hairpin", cut="hairpin")),
        CutRna(2, entry("hsa-a/hairpin", cut="hairpin", trust="supported")),
        CutRna(3, entry("hsa-b/hairpin", "ACGU" * 9, cut="hairpin")),
    ]
    chosen, left_out = pre_mirnas.select(rnas, cuts=CUTS, shortest=40, longest=400)
    assert [it.id for it in chosen] == ["hsa-a/hairpin"]
    assert left_out == {"a copy of another one": 2, "shorter than 40 nt": 1}
    chosen, _ = pre_mirnas.select(rnas, cuts=["scanned", "hairpin"], shortest=1, longest=400)
    assert [it.id for it in chosen] == ["ptr-a/scanned", "hsa-b/hairpin"]


@settings(max_examples=50)
@given(st.lists(st.text("ACGUNR", max_size=60), max_size=5), st.integers(0, 2**32))
def test_stretches_that_are_shared_with_known_hairpins_are_found_on_both_strands(
    rnas: list[str], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    hairpins = [random_rna(rng, 30) for _ in range(3)]
    parts = [hairpins[0][4:24], reverse(hairpins[1])[-20:], hairpins[2][:19], hairpins[2] + "N"]
    rnas += ["A" + parts[int(rng.integers(4))] + "C" for _ in range(3)]
    stretches = {
        strand[i : i + LENGTH]
        for it in hairpins
        for strand in (it, reverse(it))
        for i in range(len(it) - LENGTH + 1)
    }
    expected = [any(rna[i : i + LENGTH] in stretches for i in range(len(rna))) for rna in rnas]
    assert KnownStretches(hairpins).shared_by(rnas) == expected


def test_known_hairpins_are_found_in_a_genome_where_they_are() -> None:
    rng = np.random.default_rng(0)
    start = 399_990  # across the stretches that are compared at once
    bases = random_rna(rng, start) + LET7 + "NNRY" + random_rna(rng, 50_000) + reverse(LET7)
    found = KnownStretches([LET7, "ACGU", "N" * 40]).places(bases)
    assert found == [(start, start + len(LET7)), (len(bases) - len(LET7), len(bases))]


def test_places_of_an_rna_are_counted_on_both_strands_of_a_genome() -> None:
    rng = np.random.default_rng(0)
    twice, once = random_rna(rng, 30), random_rna(rng, 50)
    far = random_rna(rng, 199_990)  # across the stretches that are compared at once
    # A perfect stem is on both strands of its one place.
    stem = f"{once[25:]}GAAA{reverse(once[25:])}"
    genome = [f"{far}{twice}NNN{once[:25]}", f"{random_rna(rng, 50)}{twice[5:]}", stem]
    genome[0] += reverse(twice)
    rnas = [twice, reverse(twice[:25]), f"GGGG{once[:25]}", stem, "ACGU", f"N{twice[:19]}"]
    assert most_places(rnas, genome) == [2, 2, 1, 1, 0, 0]


def test_parts_of_repeats_are_marked_unless_mirgenedb_supports_them() -> None:
    """A doubtful hairpin whose bases are at three places of a genome is a part of a repeat."""
    rng = np.random.default_rng(0)
    alu, twice = random_rna(rng, 60), random_rna(rng, 60)
    hairpins = {
        "hsa-mir-1": (alu, "supported"),
        "ptr-mir-1": (alu, "related"),
        "hsa-mir-2": (alu, "doubtful"),
        "ptr-mir-3": (reverse(alu), ""),
        "hsa-mir-4": (twice, "doubtful"),
        "ath-MIR5": (alu, ""),
        "ebv-mir-6": (alu, ""),
    }
    trust = {name: it for name, (_, it) in hairpins.items()}
    entries = [entry(name, bases) for name, (bases, _) in hairpins.items()]
    genome = [f"{alu}{random_rna(rng, 9)}{twice}", f"{alu}A{twice}{reverse(twice)}", alu[7:]]
    marked = pre_mirnas.mark_repeats(trust, entries, genome)
    assert marked == {**trust, "hsa-mir-2": "repeat", "ptr-mir-3": "repeat"}
    assert pre_mirnas.mark_repeats(trust, entries, genome[:2]) == trust


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sequences: with hairpins on both strands, ambiguous letters, short ones, and a copy."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    one = "".join(random_rna(rng, 900) + random_hairpin(rng) for _ in range(70))
    one = one[:5000] + "RYN" + one[5003:60_000] + "N" * 300 + one[60_300:].lower()
    two = random_rna(rng, 500) + LET7 + random_rna(rng, 500)
    shorts = {f"cds-{n}": random_rna(rng, 150) + random_hairpin(rng) for n in range(30)}
    sequences = {"one": one, "two": two, "copy": two, **shorts}
    text = "".join(f">{name} of a test\n{it.replace('U', 'T')}\n" for name, it in sequences.items())
    path.write_text(text)
    return path


def random_hairpin(rng: np.random.Generator) -> str:
    arm = random_rna(rng, 30)
    return arm + random_rna(rng, 8) + reverse(arm)


def sequences_of(path: Path) -> dict[str, str]:
    lines = path.read_text().replace("T", "U").splitlines()
    return {
        name[1:].split()[0]: bases.upper().replace("T", "U")
        for name, bases in zip(path.read_text().splitlines()[::2], lines[1::2], strict=True)
    }


ALL_WAYS = {"scanned": 0.4, "flanked": 0.3, "window": 0.3}
CUTTING = Cutting(CRITERIA, ALL_WAYS, lengths=[60, 101], species="xxx")


def cut_genome(path: Path, piece: int = 1, pieces: int = 1, **more: Any) -> list[CutRna]:
    given = {"search": Search(), "cutting": CUTTING, **more}
    return genome_hairpins.cut_piece(path, piece, pieces, **given)


def test_hairpins_of_a_genome_stand_where_their_ids_say(genome: Path) -> None:
    rnas, bases = cut_genome(genome), sequences_of(genome)
    assert len(rnas) > 150
    ways = Counter(it.entry.cut for it in rnas)
    assert all(abs(ways[way] / len(rnas) - share) < 0.12 for way, share in ALL_WAYS.items())
    strands = Counter()
    for it in rnas:
        (name, start, end, strand), (_, first, last, _) = (
            re.fullmatch(r"(\S+):(\d+)-(\d+)\(([+-])\)", place).groups()  # type: ignore[union-attr]
            for place in (it.entry.id.rpartition("/")[0], it.entry.accession)
        )
        for text, low, high in ((it.entry.sequence, start, end), (it.stem, first, last)):
            there = bases[name][int(low) - 1 : int(high)]
            assert text == (there if strand == "+" else reverse(there))
        assert it.entry.id.endswith(f"/{it.entry.cut}")
        assert it.entry.species == "xxx"
        before, behind = int(first) - int(start), int(end) - int(last)
        if it.entry.cut == "scanned":
            assert before == behind == 0
        elif it.entry.cut == "flanked":
            assert 0 <= before <= 25
            assert 0 <= behind <= 25
        else:
            assert len(it.entry.sequence) in (60, 101)
            is_at_an_end = int(start) == 1 or int(end) in (50_000, len(bases[name]))
            assert is_at_an_end or int(start) == 50_001 or abs(behind - before) <= 2 * 15 + 2
        strands[strand] += 1
    assert min(strands["+"], strands["-"]) > 50


def test_hairpins_of_a_genome_are_the_same_for_any_number_of_pieces_and_processes(
    genome: Path,
) -> None:
    whole = cut_genome(genome)
    pieces = [cut_genome(genome, n, 3, processes=2) for n in (1, 2, 3)]
    assert merge_cut(map(cut_table, pieces)) == whole
    other = Cutting(CRITERIA, ALL_WAYS, lengths=[60, 101], species="xxx", seed=1)
    differently = cut_genome(genome, cutting=other)
    assert [it.stem for it in differently] == [it.stem for it in whole]
    assert differently != whole


def test_transcripts_are_searched_on_their_own_strand_only(genome: Path) -> None:
    one = cut_genome(genome, cutting=Cutting(CRITERIA, {"scanned": 1.0}, strands=1))
    assert one
    assert all("(+)" in it.entry.id for it in one)


def test_what_is_searched_can_be_chosen_by_name_pattern_and_region(genome: Path) -> None:
    def names(**search: Any) -> set[str]:
        return {part[0] for it in read_blocks(genome, Search(**search)) for part in it.parts}

    assert names(only=("cds-1*",)) == {"cds-1", *(f"cds-{n}" for n in range(10, 20))}
    assert names(without=("cds-*", "o?e")) == {"two"}, "a copy is not searched twice"
    assert names(only=("two*test",)) == {"two"}, "a header line has the pattern"
    regions = (Region.parse("two:11-1000"), Region.parse("one:1-70"))
    parts = [part for it in read_blocks(genome, Search(regions=regions)) for part in it.parts]
    assert [(name, start, len(bases)) for name, start, bases in parts] == [
        ("one", 0, 70),
        ("two", 10, 990),
    ]
    chosen = cut_genome(genome, search=Search(only=("two",)))
    assert {it.entry.id.partition(":")[0] for it in chosen} == {"two"}
    of_region = cut_genome(genome, search=Search(regions=(Region.parse("one:2001-20000"),)))
    places = [re.search(r"one:(\d+)-(\d+)", it.entry.accession) for it in of_region]
    assert places
    assert all(it and int(it[1]) >= 2001 and int(it[2]) <= 20000 for it in places)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"only": ("three",)}, "no sequence is left to search"),
        ({"regions": (Region("three", 0, 5),)}, "no sequence is named three"),
        ({"regions": (Region("two", 0, 50_000),)}, "'two' ends at 1080, but a region ends at"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    genome: Path, search: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        list(read_blocks(genome, Search(**search)))


def test_a_region_ends_after_it_begins() -> None:
    with pytest.raises(InputError, match="'X:9-8' is no region"):
        Region.parse("X:9-8")


def test_a_sample_has_as_many_bases_as_are_asked_for_and_another_seed_has_others(
    genome: Path,
) -> None:
    every = choose_blocks(genome, Search())
    bases = sum(len(re.sub("[^ACGU]", "", text)) for text in sequences_of(genome).values())
    assert sum(every.values()) == bases - 1080, "all but the copy"
    samples = [choose_blocks(genome, Search(sample=10_000, seed=seed)) for seed in range(8)]
    assert all(set(it.items()) < set(every.items()) for it in samples)
    assert all(sum(it.values()) >= 10_000 or len(it) == len(every) for it in samples)
    assert len({tuple(it) for it in samples}) > 1
    assert choose_blocks(genome, Search(sample=10**9)) == every


def test_blocks_near_a_known_hairpin_are_left_out(genome: Path) -> None:
    known = KnownStretches([LET7])
    search = Search(only=("two",), away=10, known=known)
    assert choose_blocks(genome, search) == {}
    assert cut_genome(genome, search=search) == []
    at = 501
    for start, is_near in ((at + 89, True), (at + 90, False)):
        region = Region.parse(f"two:{start}-1080")
        search = Search(regions=(region,), away=10, known=known)
        assert [it.near for it in read_blocks(genome, search)] == [is_near]


def test_what_is_known_copied_ambiguous_or_too_much_is_left_out_and_counted() -> None:
    rng = np.random.default_rng(2)
    texts = [random_rna(rng, 60) for _ in range(12)]
    rnas = [
        CutRna(0, entry(f"x:{n}", text, cut="scanned"), stem=text) for n, text in enumerate(texts)
    ]
    rnas += [
        CutRna(1, entry("x:20", "A" + texts[0], cut="window"), stem=texts[0]),
        CutRna(1, entry("x:21", texts[1], cut="window"), stem="another"),
        CutRna(1, entry("x:22", texts[1] + "N", cut="window"), stem="a third"),
        CutRna(1, entry("x:23", "GG" + reverse(LET7)[:20], cut="window"), stem="known"),
    ]
    known = KnownStretches([LET7])
    chosen, left_out = genome_hairpins.select(rnas, known=known)
    assert [it.id for it in chosen] == [f"x:{n}" for n in range(12)]
    expected = {
        "the stem of another one": 1,
        "a copy of another one": 1,
        "a letter outside ACGU": 1,
        "with bases of a known hairpin": 1,
    }
    assert left_out == expected
    fewer, left_out = genome_hairpins.select(rnas, known=known, at_most=5, seed=3)
    assert len(fewer) == 5
    assert [it for it in chosen if it in fewer] == fewer
    assert left_out == {**expected, "more than 5": 7}


@pytest.fixture(scope="module")
def repeats() -> list[str]:
    """Two sequences with twelve copies of a repeat, each with other mistakes, on both strands."""
    rng = np.random.default_rng(3)
    core, texts = random_rna(rng, 30), []
    for _ in range(2):
        parts = []
        for number in range(6):
            copy = random_rna(rng, 20) + core + random_rna(rng, 20)
            parts += [random_rna(rng, 300), copy if number % 3 else reverse(copy)]
        texts.append("".join([*parts, random_rna(rng, 300)]))
    return texts


def test_copies_of_a_repeat_are_joined_to_hairpins(repeats: list[str]) -> None:
    hairpins = join_pairs(repeats, 40, places=8, species="hsa", seed=1)
    assert len({it.sequence for it in hairpins}) == 40
    assert {(it.cut, it.species, it.family) for it in hairpins} == {("joined", "hsa", "")}
    assert hairpins == join_pairs(repeats, 40, places=8, species="hsa", seed=1)
    assert hairpins != join_pairs(repeats, 40, places=8, species="hsa", seed=2)
    whole = "N".join(repeats)
    both = whole + "N" + reverse(whole)
    for it in hairpins:
        assert 2 * 25 + 4 <= len(it.sequence) <= 2 * 55 + 20
        # At least twenty bases of both arms face each other.
        facing = KnownStretches([it.sequence[: len(it.sequence) // 2]])
        assert facing.shared_by([reverse(it.sequence[-(len(it.sequence) // 2) :])]) == [True]
        # Each arm is from the genome, and the loop is beside one of them.
        pieces = [it.sequence[:25], it.sequence[-25:]]
        assert all(piece in both for piece in pieces)


def test_what_is_no_repeat_is_not_joined(repeats: list[str]) -> None:
    with pytest.raises(InputError, match=r"0 hairpins could be made .* lower `number` or `places`"):
        join_pairs(repeats, 5, places=13)
    with pytest.raises(InputError, match="0 hairpins"):
        join_pairs(["A" * 500, "UG" * 300], 5, places=3)
    with pytest.raises(InputError, match="0 hairpins"):
        join_pairs(["ACGU"], 5, places=3)
