"""Known hairpins: packed and read again, and the nearest of them found."""

from __future__ import annotations

import lzma
import random
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, random_rna

from mirpair import files
from mirpair.files import InputError
from mirpair.rna import known_hairpins
from mirpair.rna.known_hairpins import (
    KNOWN,
    NOVEL,
    KnownHairpins,
    NearestHairpin,
    load_known_hairpins,
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
        NearestHairpin("hsa-mir-1,mmu-mir-1", 1.0),
        NearestHairpin("hsa-mir-2", 1.0),
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


def test_identity_is_what_is_the_same_from_end_to_end(tmp_path: Path) -> None:
    known = packed(tmp_path / "h", *KNOWN_ONES, ("xxx-mir-rna", RNA))
    changed = RNA[:30] + "ACGU"["CGUA".index(RNA[30])] + RNA[31:]
    short, long = RNA[3:-3], "".join(("AC", RNA, "GU"))
    hits = known.nearest([RNA, changed, short, RNA[:40] + RNA[41:], long])
    assert [hairpin.names for hairpin in hits] == ["xxx-mir-rna"] * 5
    shares = [1, 59 / 60, 54 / 60, 59 / 60, 60 / 64]
    assert [hairpin.identity for hairpin in hits] == pytest.approx(shares)


def test_the_nearest_is_the_most_identical_not_who_has_most_8_mers_in_common(
    tmp_path: Path,
) -> None:
    """The longer one has all of the RNA's 8-mers and 100 bases of its own."""
    around = random_rna(RNG, 100)
    longer = around[:50] + RNA + around[50:]
    changed = RNA[:30] + "ACGU"["CGUA".index(RNA[30])] + RNA[31:]
    known = packed(tmp_path / "h", *KNOWN_ONES, ("xxx-mir-long", longer), ("xxx-mir-like", changed))
    assert known.nearest([RNA]) == [NearestHairpin("xxx-mir-like", pytest.approx(59 / 60))]


def test_an_rna_is_known_from_an_identity_of_8_tenths_on(tmp_path: Path) -> None:
    assert [NearestHairpin("x", share).status for share in (1.0, 0.8, 0.7999, 0.0)] == [
        *(KNOWN, KNOWN),
        *(NOVEL, NOVEL),
    ]
    known = packed(tmp_path / "h", *KNOWN_ONES, ("xxx-mir-rna", RNA))
    # 48 of 60 columns, and 47.
    hits = known.nearest([RNA[:48], RNA[:47]])
    assert [hairpin.identity for hairpin in hits] == pytest.approx([48 / 60, 47 / 60])
    assert [hairpin.status for hairpin in hits] == [KNOWN, NOVEL]


def test_what_shares_no_8_mer_with_any_is_near_none(tmp_path: Path) -> None:
    known = packed(tmp_path / "h", ("a", "ACGU" * 20), ("b", "AACC" * 20))
    assert known.nearest(["G" * 80, "ACG"]) == [NearestHairpin("", 0.0)] * 2
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
    with pytest.raises(InputError, match=r"mirbase22\.tsv\.xz: .*--no-nearest.*make weights"):
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
    assert (exact.identity, exact.status) == (1.0, KNOWN)
    assert trimmed.status == KNOWN
    assert "let-7a" in trimmed.names
