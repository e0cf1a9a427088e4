"""Known hairpins: packed and read again, and the nearest of them found."""

from __future__ import annotations

import gzip
import lzma
import os
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, random_rna
from hypothesis import example, given
from hypothesis import strategies as st

from bench.known import shuffled
from mirpair import files
from mirpair.files import InputError, sha256
from mirpair.rna import known_hairpins
from mirpair.rna.known_hairpins import (
    KNOWN,
    NOVEL,
    KnownHairpins,
    NearestHairpin,
    describe_reference,
    load_known_hairpins,
    load_reference,
    reference_path,
    shipped_hairpins,
    write_known_hairpins,
)

RNG = np.random.default_rng(0)
RNAS = [random_rna(RNG, int(length)) for length in RNG.integers(60, 120, 40)]
# Sixty bases, so that identities are easy to compute by hand.
RNA = random_rna(RNG, 60)
KNOWN_ONES = [(f"xxx-mir-{number}", rna) for number, rna in enumerate(RNAS)]


def packed(path: Path, *hairpins: tuple[str, str]) -> KnownHairpins:
    write_known_hairpins(hairpins, path)
    return load_known_hairpins(path)


def test_what_is_packed_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "hairpins.xz"
    assert write_known_hairpins(KNOWN_ONES, path) == 40
    known = load_known_hairpins(path)
    assert dict(zip(known.names, known.sequences, strict=True)) == dict(KNOWN_ONES)
    assert [file.name for file in path.parent.iterdir()] == ["hairpins.xz"]


def test_the_order_of_the_hairpins_changes_no_byte(tmp_path: Path) -> None:
    write_known_hairpins(KNOWN_ONES, tmp_path / "one")
    mixed = random.Random(0).sample(KNOWN_ONES, 40)
    assert mixed != KNOWN_ONES
    write_known_hairpins(mixed, tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_those_of_one_family_stand_together_whatever_their_species(tmp_path: Path) -> None:
    names = ["hsa-let-7a", "hsa-mir-9", "mmu-let-7a", "mmu-mir-9"]
    known = packed(tmp_path / "h", *zip(names, RNAS[:4], strict=True))
    assert known.names == ["hsa-let-7a", "mmu-let-7a", "hsa-mir-9", "mmu-mir-9"]


def test_hairpins_with_one_sequence_are_one_under_all_their_names(tmp_path: Path) -> None:
    one, other = RNAS[:2]
    hairpins = [("hsa-mir-1", one), ("hsa-mir-2", other), ("mmu-mir-1", one)]
    assert write_known_hairpins(hairpins, tmp_path / "h") == 2
    known = load_known_hairpins(tmp_path / "h")
    assert known.nearest([one, other]) == [
        NearestHairpin("hsa-mir-1,mmu-mir-1", 1.0, 1.0),
        NearestHairpin("hsa-mir-2", 1.0, 1.0),
    ]


def test_a_file_that_is_too_large_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_known_hairpins(KNOWN_ONES, tmp_path / "h")
    size = (tmp_path / "h").stat().st_size
    monkeypatch.setattr(known_hairpins, "LARGEST", size)
    write_known_hairpins(KNOWN_ONES, tmp_path / "fits")
    monkeypatch.setattr(known_hairpins, "LARGEST", size - 1)
    with pytest.raises(InputError, match=r"shipped hairpins may have at most .* MB"):
        write_known_hairpins(KNOWN_ONES, tmp_path / "more")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["fits", "h"]


def test_identity_is_of_the_aligned_part_and_coverage_the_share_of_the_hairpin_in_it(
    tmp_path: Path,
) -> None:
    known = packed(tmp_path / "h", *KNOWN_ONES, ("xxx-mir-rna", RNA))
    changed = RNA[:30] + "ACGU"["CGUA".index(RNA[30])] + RNA[31:]
    flanked = random_rna(RNG, 35) + RNA + random_rna(RNG, 28)
    hits = known.nearest([RNA, flanked, changed, RNA[:40] + RNA[41:], RNA[3:-3]])
    assert [hairpin.names for hairpin in hits] == ["xxx-mir-rna"] * 5
    # One of 60 columns differs: a base, or a gap; three bases are missing at either end.
    assert [hit.identity for hit in hits] == pytest.approx([1, 1, 59 / 60, 59 / 60, 1])
    assert [hit.coverage for hit in hits] == pytest.approx([1, 1, 1, 1, 54 / 60])
    assert [hit.status for hit in hits] == [KNOWN] * 5


def test_the_nearest_is_the_most_identical_not_who_has_most_8_mers_in_common(
    tmp_path: Path,
) -> None:
    """The longer one has all of the RNA's 8-mers and 100 bases of its own."""
    around = random_rna(RNG, 100)
    longer = around[:50] + RNA + around[50:]
    changed = RNA[:30] + "ACGU"["CGUA".index(RNA[30])] + RNA[31:]
    known = packed(tmp_path / "h", *KNOWN_ONES, ("xxx-mir-long", longer), ("xxx-mir-like", changed))
    assert known.nearest([RNA]) == [NearestHairpin("xxx-mir-like", pytest.approx(59 / 60), 1.0)]


def test_a_similar_hairpin_is_nearer_than_twenty_bases_that_are_the_same(tmp_path: Path) -> None:
    changed = RNA[:30] + "ACGU"["CGUA".index(RNA[30])] + RNA[31:]
    part = random_rna(RNG, 30) + RNA[:20] + random_rna(RNG, 30)
    known = packed(tmp_path / "h", ("xxx-mir-part", part), ("xxx-mir-like", changed))
    assert known.nearest([RNA])[0].names == "xxx-mir-like"


def changed_at(rna: str, *places: int) -> str:
    return "".join("ACGU"["CGUA".index(it)] if n in places else it for n, it in enumerate(rna))


def test_of_two_known_hairpins_the_nearest_has_more_similar_bases(tmp_path: Path) -> None:
    """39 of 60 bases are those of one, with an identity of 1; all but three those of the other."""
    part, like = RNA[:39] + random_rna(RNG, 21), changed_at(RNA, 15, 30, 45)
    known = packed(tmp_path / "h", ("xxx-mir-part", part), ("xxx-mir-like", like))
    assert known.nearest([RNA]) == [NearestHairpin("xxx-mir-like", pytest.approx(57 / 60), 1)]


def test_a_known_hairpin_is_nearer_than_part_of_another(tmp_path: Path) -> None:
    """35 of 60 bases are too few; 42 of 65, of which 6 are changed, are enough."""
    other = random_rna(RNG, 65)
    rna = RNA[:35] + changed_at(other[:42], 10, 11, 12, 26, 27, 28)
    known = packed(tmp_path / "h", *KNOWN_ONES, ("xxx-mir-part", RNA), ("xxx-mir-known", other))
    (hit,) = known.nearest([rna])
    assert (hit.names, hit.status) == ("xxx-mir-known", KNOWN)
    assert hit.identity * hit.coverage < 35 / 60


def test_parts_of_many_hairpins_do_not_hide_a_long_or_a_short_known_one(tmp_path: Path) -> None:
    """Of a long one, many 8-mers are shared; of a short one, a large share of its own."""
    long = random_rna(RNG, 150)
    inside = changed_at(long[30:125], 12, 25, 38, 51, 64, 80)
    short_ones = [
        (f"short-{n}", inside[n : n + 19] + random_rna(RNG, 21)) for n in range(0, 76, 12)
    ]
    hits = packed(tmp_path / "long", *short_ones, ("long", long)).nearest([inside])
    assert [(hit.names, hit.status) for hit in hits] == [("long", KNOWN)]
    short = random_rna(RNG, 40)
    rna = RNA + changed_at(short, 20)
    long_ones = [(f"long-{n}", RNA + random_rna(RNG, 140)) for n in range(8)]
    hits = packed(tmp_path / "short", *long_ones, ("short", short)).nearest([rna])
    assert [(hit.names, hit.status) for hit in hits] == [("short", KNOWN)]


@pytest.mark.parametrize(
    ("identity", "coverage", "status"),
    [(1, 1, KNOWN), (0.8, 0.6, KNOWN), (0.7999, 1, NOVEL), (1, 0.5999, NOVEL), (0, 0, NOVEL)],
)
def test_an_rna_is_known_from_an_identity_of_8_and_a_coverage_of_6_tenths(
    identity: float, coverage: float, status: str
) -> None:
    assert NearestHairpin("x", identity, coverage).status == status


def test_part_of_a_hairpin_is_known_if_it_is_large_enough(tmp_path: Path) -> None:
    known = packed(tmp_path / "h", *KNOWN_ONES, ("xxx-mir-rna", RNA))
    # 36 of 60 bases, and 35.
    hits = known.nearest([RNA[:36], RNA[:35], RNA[12:-12]])
    assert [hit.coverage for hit in hits] == pytest.approx([0.6, 35 / 60, 0.6])
    assert [hit.status for hit in hits] == [KNOWN, NOVEL, KNOWN]


def test_a_hairpin_on_the_other_strand_is_not_the_known_one(tmp_path: Path) -> None:
    known = packed(tmp_path / "h", *KNOWN_ONES, ("xxx-mir-rna", RNA))
    other_strand = RNA.translate(str.maketrans("ACGU", "UGCA"))[::-1]
    assert known.nearest([other_strand])[0].status == NOVEL


def test_several_known_hairpins_in_one_record_are_all_named_in_their_order(tmp_path: Path) -> None:
    one, two, three = (random_rna(RNG, length) for length in (60, 80, 70))
    named = zip(["mir-1", "mir-2", "mir-3"], [one, two, three], strict=True)
    known = packed(tmp_path / "h", *KNOWN_ONES, *named, ("copy-of-3", three))
    spacer = random_rna(RNG, 30)
    (hit, close, twice, alone) = known.nearest(
        [spacer.join(["", one, two, three, ""]), three + one, one + spacer + one, spacer + two]
    )
    # The nearest of equally similar ones is the longest.
    assert hit == NearestHairpin("mir-2", 1, 1, "mir-1;mir-3,copy-of-3")
    assert close == NearestHairpin("mir-3,copy-of-3", 1, 1, "mir-1")
    assert twice == NearestHairpin("mir-1", 1, 1, "mir-1")
    assert alone == NearestHairpin("mir-2", 1, 1)


@pytest.mark.parametrize(
    ("lengths", "nearest", "others"),
    [
        # The longest is found first; then, in the rest on its right, the next one, and so on.
        ([100, 80, 60], "mir-100", "mir-80;mir-60"),
        # On its left one, and on its right two, of which the right one is found first.
        ([70, 100, 60, 65], "mir-100", "mir-70;mir-60;mir-65"),
    ],
)
def test_hairpins_that_are_found_in_parts_of_parts_are_named_in_their_order(
    lengths: list[int], nearest: str, others: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    hairpins = [(f"mir-{length}", random_rna(rng, length)) for length in lengths]
    known = packed(tmp_path / "h", *KNOWN_ONES, *hairpins)
    (hit,) = known.nearest([random_rna(rng, 30) + "ACGUC".join(rna for _, rna in hairpins)])
    assert (hit.names, hit.others) == (nearest, others)


def test_hairpins_too_long_for_the_rest_of_a_record_do_not_hide_a_short_one(
    tmp_path: Path,
) -> None:
    """The rest has 45 bases of eight hairpins of 100, and all but three bases of a short one."""
    rng = np.random.default_rng(1)
    first, rest = random_rna(rng, 80), random_rna(rng, 45)
    long_ones = [(f"long-{n}", rest + random_rna(rng, 55)) for n in range(8)]
    short = ("short", changed_at(rest, 11, 22, 33))
    known = packed(tmp_path / "h", *long_ones, ("first", first), short)
    (hit,) = known.nearest([first + rest])
    assert (hit.names, hit.others) == ("first", "short")


def test_a_large_family_does_not_hide_another_hairpin_of_the_record(tmp_path: Path) -> None:
    """Forty hairpins differ from one part of the record by a base, one from another by nine."""
    family = [RNA[:n] + "ACGU"["CGUA".index(RNA[n])] + RNA[n + 1 :] for n in range(10, 50)]
    other = random_rna(RNG, 70)
    like_other = "".join(
        "ACGU"["CGUA".index(base)] if n % 8 == 7 else base for n, base in enumerate(other)
    )
    members = [(f"xxx-mir-{n}", rna) for n, rna in enumerate(family)]
    known = packed(tmp_path / "h", *members, ("yyy-mir-b", like_other[:35] + other[35:]))
    (hit, cut) = known.nearest([RNA + "ACGUC" + other, RNA[25:] + "ACGUC" + other])
    assert hit.names.startswith("xxx-mir-")
    assert hit.identity == pytest.approx(59 / 60)
    assert hit.others == "yyy-mir-b"
    # Without 25 of their bases, the family's are not known here, but the other one is.
    assert (cut.names, cut.status, cut.others) == ("yyy-mir-b", KNOWN, "")


def test_what_shares_no_8_mer_with_any_is_near_none(tmp_path: Path) -> None:
    known = packed(tmp_path / "h", ("a", "ACGU" * 20), ("b", "AACC" * 20))
    assert known.nearest(["G" * 80, "ACG"]) == [NearestHairpin("", 0.0, 0.0)] * 2
    assert known.nearest(["G" * 80])[0].status == NOVEL
    assert known.nearest([]) == []


@pytest.mark.parametrize(
    "damaged",
    [
        lambda intact: b"",
        lambda intact: intact[: len(intact) // 2],
        lambda intact: intact[:200] + bytes([intact[200] ^ 1]) + intact[201:],
        lambda intact: b"names\tACGU\n",
        lambda intact: lzma.compress(b"names\tACGU\n"),
        lambda intact: lzma.compress(lzma.decompress(intact) + b"one column\n"),
        lambda intact: lzma.compress(lzma.decompress(intact) + b"three\tACGU\tcolumns\n"),
        lambda intact: lzma.compress(lzma.decompress(intact) + "é\tACGU\n".encode()),
        lambda intact: lzma.compress(lzma.decompress(intact).partition(b"\n")[0] + b"\n"),
    ],
)
def test_a_damaged_file_is_said_to_be_none(tmp_path: Path, damaged: object) -> None:
    path = tmp_path / "hairpins.xz"
    write_known_hairpins(KNOWN_ONES, path)
    path.write_bytes(damaged(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(InputError, match=r"hairpins\.xz: not a file of known hairpins"):
        load_known_hairpins(path)


def test_without_the_shipped_file_one_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SHIPPED", [tmp_path])
    with pytest.raises(InputError, match=r"mirbase22\.tsv\.xz: .*--reference none.*make weights"):
        load_known_hairpins()


@pytest.fixture(scope="module")
def shipped() -> KnownHairpins:
    return load_known_hairpins()


def test_the_shipped_hairpins_are_those_of_mirbase_22_in_a_small_file(
    shipped: KnownHairpins,
) -> None:
    assert shipped_hairpins() == ROOT / "weights" / "mirbase22.tsv.xz"
    assert shipped_hairpins().stat().st_size <= 1_500_000
    assert len(shipped.sequences) == len(set(shipped.sequences)) == 34_554
    assert not set("".join(shipped.sequences)) - set("ACGU")
    names = [name for row in shipped.names for name in row.split(",")]
    assert len(names) == len(set(names)) > 38_000
    assert min(map(len, names)) > 0


def test_human_let_7a_is_found_among_the_shipped_ones(shipped: KnownHairpins) -> None:
    """MI0000060, as miRBase has it; it begins with let-7a's own bases."""
    let_7 = "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA"
    (exact, trimmed) = shipped.nearest([let_7, let_7[5:-5]])
    assert "hsa-let-7a-1" in exact.names.split(",")
    assert exact[1:] == (1.0, 1.0, "")
    assert trimmed.status == KNOWN
    assert "let-7a" in trimmed.names


def test_cel_mir_40_is_known_alone_and_with_flanks(shipped: KnownHairpins) -> None:
    """15 and 30 random bases on either side change nothing; MI0000011 of miRBase."""
    (mir_40,) = (
        rna
        for names, rna in zip(shipped.names, shipped.sequences, strict=True)
        if names == "cel-mir-40"
    )
    flanked = [random_rna(RNG, n) + mir_40 + random_rna(RNG, n) for n in (0, 15, 30)]
    assert shipped.nearest(flanked) == [NearestHairpin("cel-mir-40", 1.0, 1.0)] * 3


def test_real_hairpins_with_flanks_are_known_and_shuffled_ones_are_not(
    shipped: KnownHairpins,
) -> None:
    """docs/known.md has the rates of all; a hundred are enough to see a fault."""
    some = shipped.sequences[::346]
    flanked = [
        random_rna(RNG, int(n)) + rna + random_rna(RNG, 40 - int(n))
        for n, rna in zip(RNG.integers(41, size=len(some)), some, strict=True)
    ]
    hits = shipped.nearest(flanked)
    assert {hit[1:] for hit in hits} == {(1.0, 1.0, "")}
    hits = shipped.nearest([shuffled(rna, RNG) for rna in some])
    assert {hit.status for hit in hits} == {NOVEL}


@given(st.text("ACGU", min_size=2, max_size=60), st.integers(0, 2**32))
@example("AAAAUAAAA", 0)
def test_a_shuffled_rna_has_its_dinucleotides_and_its_ends(rna: str, seed: int) -> None:
    other = shuffled(rna, np.random.default_rng(seed))
    assert Counter(map("".join, pairwise(other))) == Counter(map("".join, pairwise(rna)))
    assert (other[0], other[-1]) == (rna[0], rna[-1])


def fasta(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_reference_is_a_fasta_file_as_people_have_it(tmp_path: Path) -> None:
    """DNA or RNA, upper or lower case, on several lines, with headers of MirGeneDB or miRBase."""
    one, two = RNAS[:2]
    text = (
        f">Hsa-Let-7-P2a3_pre\n{one.replace('U', 'T').lower()}\n"
        f">mmu-mir-2 MI0000002 Mus musculus stem-loop\n{two[:40]}\n{two[40:]}\n"
        f">Mmu-Let-7-P2a3_pre\n{one}\n>Hsa-Let-7-P2a3_pre\n{one}\n"
    )
    path = fasta(tmp_path / "my.fa", text)
    (tmp_path / "my.fa.gz").write_bytes(gzip.compress(text.encode()))
    for reference in (path, str(path), tmp_path / "my.fa.gz"):
        known = load_reference(reference)
        assert known is not None
        assert known.names == ["Hsa-Let-7-P2a3_pre,Mmu-Let-7-P2a3_pre", "mmu-mir-2"]
        assert known.nearest(["ACGUA" + two])[0].names == "mmu-mir-2"


def test_a_code_of_several_bases_in_a_reference_counts_as_another_base(tmp_path: Path) -> None:
    """miRBase has such letters in some hairpins."""
    text = f">one\n{RNA[:30]}R{RNA[31:]}\n>many\n{'N' * 50}{RNAS[0]}\n"
    known = load_reference(fasta(tmp_path / "my.fa", text))
    assert known is not None
    assert known.nearest([RNA]) == [NearestHairpin("one", pytest.approx(59 / 60), 1.0)]
    assert known.nearest(RNAS[:1])[0].names == "many"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"my\.fa: the file is empty"),
        ("one\ttwo\n", r"my\.fa: not a FASTA file"),
        (">one\n", r"record 1 \('one'\) has no sequence; correct it"),
        (
            f">a\n{RNA}\n>p\nMKVLEAAGIRRSTTQPMKVLEAAGIRRSTTQP\n",
            r"record 2 \('p'\) has 'L' at position 4; .*protein\?",
        ),
        (">p\nMKVSDAAGHRRSTTWMKVSDAAGHRRSTTW\n", r"\('p'\) has 20 letters other than .*protein\?"),
        (f">a\n{RNA[:30]}--{RNA[30:]}\n", r"has '-' at position 31; .*an alignment, or"),
        (">a\nUGAGGUAGUAGGUUGUAUAGUU\n", r"too short for a hairpin: 22 < 30 nt\. Give precursors"),
        (f">chr\n{'ACGU' * 1251}\n", r"too long for a hairpin: 5,004 > 5,000 nt.* not a genome"),
        (f">chr\n{'ACGU' * 10_000}\n", r"too long for a hairpin: 40,000 > 5,000 nt"),
        (f">a\n{RNA}\n>b;c x\n{RNA}\n", r"record 2 \('b;c'\) has ';' in its id, which separates"),
        (f">b,c\n{RNA}\n", r"record 1 \('b,c'\) has ',' in its id, which separates names"),
    ],
)
def test_a_reference_that_is_none_is_said_to_be_what_it_is(
    text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        load_reference(fasta(tmp_path / "my.fa", text))


def test_a_reference_is_mirbase_by_default_none_if_wanted_and_a_file_otherwise(
    tmp_path: Path,
) -> None:
    assert reference_path("mirbase22") == shipped_hairpins()
    assert reference_path("none") is load_reference("none") is None
    assert describe_reference("none") == "none"
    assert describe_reference("mirbase22").startswith("mirbase22.tsv.xz, SHA-256 ")
    path = fasta(tmp_path / "my.fa", f">a\n{RNA}\n")
    assert describe_reference(path) == f"my.fa, SHA-256 {sha256(path)}"
    by_name = load_reference(str(shipped_hairpins()))
    assert by_name is not None
    assert len(by_name.names) == 34_554
    with pytest.raises(InputError, match=r"none\.fa: there is no such file .* mirbase22 or none"):
        load_reference(tmp_path / "none.fa")
    with pytest.raises(InputError, match=r" is a folder; give one FASTA file$"):
        load_reference(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe is not a regular file .*; give a FASTA file$"):
        load_reference(tmp_path / "pipe")
