"""Hairpins and other RNAs from the databases that publish them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from conftest import ROOT

from mirpair.contracts import read_origins
from mirpair.files import InputError
from mirpair.rna.sequences import read_fasta
from mirpair.sources.collections import (
    Entry,
    Family,
    choose,
    family_of,
    read_hairpins,
    read_lengths,
    read_rfam,
    thin,
    write_collection,
)

MIRBASE = """>cel-let-7 MI0000001 Caenorhabditis elegans let-7 stem-loop
UACACUGUGGAUCCGGUGAG
GUAG
>hsa-mir-10b MI0000267 Homo sapiens miR-10b stem-loop
CCAGAGGUUGUAACGUUGUC
>hsa-mir-N MI0009999 Homo sapiens
CCAGNGGUUGUAACGUUGUC
"""
MIRGENEDB = ">Hsa-Let-7-P1a_pre\nUGGGAUGAGGUAGUAGGUUG\n>Dre-Mir-10-P1b-v1_pre\nccagatgt\n"
TABLE = """accession,ID,status,precursor,species
MI0000001,cel-let-7,UNCHANGED,UACACUGUGG,cel
MI0000002,cel-mir-2,DEAD,,cel
MI0001669,mghv-mir-M1-1,UNCHANGED,UGGUCG,mgh
"""
STOCKHOLM = """# STOCKHOLM 1.0
#=GF AC   RF00001
#=GF ID   5S_rRNA
#=GF AU   Gr\xe1ciela
#=GF TP   Gene; rRNA;
a.1/1-8      GCA.UUAGC
a.2/11-18    GCAGUU-GC
#=GC SS_cons <<.....>>
//
# STOCKHOLM 1.0
#=GF AC   RF00027
#=GF ID   let-7
#=GF TP   Gene; miRNA;
b.1/1-4      GCAU
#=GC SS_cons <..>
//
"""


def test_hairpins_of_mirbase_have_an_accession_a_species_and_a_family(tmp_path: Path) -> None:
    (tmp_path / "hairpin.fa.gz").write_bytes(gzip.compress(MIRBASE.encode()))
    first, second, _ = read_hairpins(tmp_path / "hairpin.fa.gz")
    sequence = "UACACUGUGGAUCCGGUGAGGUAG"
    assert first == Entry("cel-let-7", "MI0000001", "cel", "let-7", sequence)
    assert second[:4] == ("hsa-mir-10b", "MI0000267", "hsa", "mir-10")


def test_hairpins_of_mirgenedb_are_their_own_accession(tmp_path: Path) -> None:
    (tmp_path / "all.fas").write_text(MIRGENEDB)
    first, second = read_hairpins(tmp_path / "all.fas")
    assert first[:4] == ("Hsa-Let-7-P1a_pre", "Hsa-Let-7-P1a_pre", "Hsa", "let-7")
    assert second[1:5] == ("Dre-Mir-10-P1b-v1_pre", "Dre", "mir-10", "CCAGAUGU")


def test_a_table_of_mirbase_is_read_without_entries_that_were_withdrawn(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text(TABLE)
    (tmp_path / "old.csv").write_text(TABLE.replace(",ID,", ",mirbase_id,"))
    assert list(read_hairpins(tmp_path / "old.csv")) == list(read_hairpins(tmp_path / "all.csv"))
    first, second = read_hairpins(tmp_path / "all.csv")
    assert first == Entry("cel-let-7", "MI0000001", "cel", "let-7", "UACACUGUGG")
    assert second[:4] == ("mghv-mir-M1-1", "MI0001669", "mghv", "mir-m1-1")


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("hsa-mir-548aa-1", "mir-548"),
        ("hsa-mir-5480", "mir-5480"),
        ("ath-MIR156a", "mir-156"),
        ("cel-lin-4", "lin-4"),
        ("cel-lsy-6", "lsy-6"),
        ("dme-mir-iab-4", "iab-4"),
        ("Dme-Iab-4_pre", "iab-4"),
        ("Bmo-Bantam_pre", "bantam"),
    ],
)
def test_the_family_is_what_names_have_in_common(name: str, family: str) -> None:
    assert family_of(name) == family


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">hairpin1\nACGU\n", "record 1 is named 'hairpin1'"),
        ("id,sequence\nx,ACGU\n", "neither FASTA .* columns ID .* precursor"),
        ("<!DOCTYPE html><html>", "neither FASTA"),
    ],
)
def test_what_is_no_collection_of_hairpins_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "x.fa").write_text(text)
    with pytest.raises(InputError, match=message):
        list(read_hairpins(tmp_path / "x.fa"))


def test_seeds_of_rfam_are_read_without_their_gaps_and_without_types_that_are_not_wanted(
    tmp_path: Path,
) -> None:
    (tmp_path / "Rfam.seed.gz").write_bytes(gzip.compress(STOCKHOLM.encode("latin-1")))
    seeds = tmp_path / "Rfam.seed.gz"
    every = read_rfam(seeds)
    assert every[0] == Entry("RF00001:a.1/1-8", "a.1/1-8", "", "RF00001", "GCAUUAGC")
    assert [it.id for it in every][1:] == ["RF00001:a.2/11-18", "RF00027:b.1/1-4"]
    assert read_rfam(seeds, without=["miRNA"]) == read_rfam(seeds, without=["mirna"]) == every[:2]
    with pytest.raises(InputError, match=r"no family is of the type mirnas .*there are .*miRNA"):
        read_rfam(seeds, without=["miRNAs", "rRNA"])


def test_a_family_of_rfam_is_read_from_its_fasta_file(tmp_path: Path) -> None:
    (tmp_path / "RF00027.fa").write_text(">AAAA02006309.1/8714-8818 Oryza sativa\nACGT\n")
    (read,) = read_rfam(tmp_path / "RF00027.fa", "RF00027")
    name = "AAAA02006309.1/8714-8818"
    assert read == Entry(f"RF00027:{name}", name, "", "RF00027", "ACGU")


def test_a_damaged_alignment_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.stk").write_text("# STOCKHOLM 1.0\n#=GF AC RF1\na GCA\nb GCAU\n//\n")
    with pytest.raises(InputError, match=r"x\.stk: not alignments of Rfam"):
        read_rfam(tmp_path / "x.stk")


LET_7 = Family("MIPF1", "let-7")
ENTRIES = [
    Entry("hsa-a", "1", "hsa", "a", "ACGU" * 10),
    Entry("hsa-b", "2", "hsa", "b", "ACGU" * 20),
    Entry("mmu-a", "3", "mmu", "a", "ACGU" * 10),
    Entry("hsa-n", "4", "hsa", "n", "ACGN" * 10),
    Entry("hsa-c", "5", "hsa", "c", "ACGU" * 2),
]


def test_species_lengths_and_alphabet_choose_and_what_is_left_out_is_counted() -> None:
    chosen, left_out = choose(ENTRIES, species=["HSA"], shortest=40, longest=79)
    assert chosen == ENTRIES[:1]
    assert left_out == {
        "another species": 1,
        "a letter outside ACGU": 1,
        "shorter than 40 nt": 1,
        "longer than 79 nt": 1,
    }
    chosen, _ = choose(ENTRIES, shortest=40, longest=80)
    assert chosen == ENTRIES[:3], "both lengths are included, and all species if none is named"


def test_species_of_entries_in_any_case() -> None:
    chosen, _ = choose([ENTRIES[0]._replace(species="Hsa")], species=["hsa"], longest=80)
    assert len(chosen) == 1


def test_only_what_looks_like_one_is_an_accession(tmp_path: Path) -> None:
    (tmp_path / "x.fa").write_text(">hsa-x MIMAT0001 Homo sapiens\nACGU\n")
    assert next(read_hairpins(tmp_path / "x.fa")).accession == "hsa-x"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00bad", gzip.compress(MIRBASE.encode() * 50, mtime=0)[:-20], b""]
)
def test_what_cannot_be_read_is_told_and_no_traceback(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.fa").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.fa"):
        list(read_hairpins(tmp_path / "x.fa"))


def test_blank_lines_before_the_first_record_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "x.fa").write_text("\n\n" + MIRBASE)
    assert len(list(read_hairpins(tmp_path / "x.fa"))) == 3


def test_a_file_of_families_stands_above_what_names_tell() -> None:
    chosen, _ = choose(ENTRIES[:3], longest=80, families={"1": LET_7, "3": LET_7})
    assert [it.family for it in chosen] == ["let-7", "", "let-7"]


def test_a_species_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(InputError, match="of the species xla; the most frequent are hsa, mmu"):
        choose(ENTRIES, species=["hsa", "xla"], longest=80)


def test_an_empty_collection_says_why() -> None:
    with pytest.raises(InputError, match=r"no RNA is left .* 4 shorter than 90 nt"):
        choose(ENTRIES, shortest=90, longest=100)


def test_the_same_id_twice_is_taken_once_unless_it_is_another_rna() -> None:
    chosen, left_out = choose([*ENTRIES[:2], ENTRIES[0]], longest=80)
    assert chosen == ENTRIES[:2]
    assert left_out == {"the same entry once more": 1}
    with pytest.raises(InputError, match="the collection have the id 'hsa-a'"):
        choose([ENTRIES[0], ENTRIES[0]._replace(sequence="AC")], longest=80)


def test_of_a_large_family_some_are_drawn_and_small_ones_stay_whole() -> None:
    large = [Entry(f"x-{n}", str(n), "x", "large", "A") for n in range(100)]
    small = [Entry(f"y-{n}", str(n), "y", "small", "A") for n in range(3)]
    chosen = thin([*large[:50], *small, *large[50:]], 10, seed=0)
    assert [it for it in chosen if it.family == "small"] == small
    drawn = [it for it in chosen if it.family == "large"]
    assert len(drawn) == 10
    assert drawn == sorted(drawn, key=lambda it: int(it.accession)), "in their order"
    assert chosen != thin([*large[:50], *small, *large[50:]], 10, seed=1)


def test_a_collection_is_a_fasta_file_and_a_table_row_by_row(tmp_path: Path) -> None:
    files = [tmp_path / f"c.{suffix}" for suffix in ("fa", "tsv", "json")]
    write_collection(ENTRIES[:3], {"another species": 7}, *files)
    summary = json.loads(files[2].read_text("utf-8"))
    assert summary == {"rnas": 3, "left_out": {"another species": 7}}
    records = list(read_fasta(tmp_path / "c.fa"))
    origins = read_origins(tmp_path / "c.tsv")
    assert [it.id for it in records] == origins["id"].tolist() == ["hsa-a", "hsa-b", "mmu-a"]
    assert origins["species"].tolist() == ["hsa", "hsa", "mmu"]
    assert read_lengths(tmp_path / "c.fa") == [40, 80, 40]
    # The audit reads accessions from the headers.
    assert (tmp_path / "c.fa").read_text().startswith(">hsa-a 1\n")


def test_every_hairpin_of_mirbase_21_is_read() -> None:
    path = next((ROOT / "tests/data/mirror").rglob("hairpin.fa.gz"))
    entries = list(read_hairpins(path))
    assert all(it.accession.startswith("MI") and it.family for it in entries)
    lengths = {len(it.species) for it in entries}
    assert lengths <= {3, 4, 5, 6}
