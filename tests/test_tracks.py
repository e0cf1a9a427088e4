"""What genome browsers read: places counted from where each format counts, text escaped."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpair.prediction.tracks import (
    Location,
    bed_line,
    fasta_entry,
    gff3_head,
    gff3_line,
    has_coordinates,
    location_of,
)

CALL = {
    "id": "chr1:100-190(+)",
    "call": 1,
    "score": 0.98765,
    "probability": 0.5,
    "mfe": -31.2,
    "structure": "((((...))))",
}
PLACE = Location("chr1", 100, 190, "+")


def attributes(line: str) -> dict[str, str]:
    column = line.removesuffix("\n").split("\t")[8]
    pairs = [attribute.split("=") for attribute in column.split(";")]
    return {key: unquote(value) for key, value in pairs}


@pytest.mark.parametrize(
    ("name", "length", "place"),
    [
        ("chr1:100-190(+)", 90, ("chr1", 100, 190, "+")),
        ("chr1:100-190(-)", 90, ("chr1", 100, 190, "-")),
        ("chr1:100-190", 90, ("chr1", 100, 190, ".")),
        ("hit7::chr1:100-190(-)", 90, ("chr1", 100, 190, "-")),
        ("chr1:0-90", 90, ("chr1", 0, 90, ".")),
        ("chr1:100-190", 91, ("chr1", 99, 190, ".")),
        ("chr1:1-90", 90, ("chr1", 0, 90, ".")),
        ("chr1:101-190:-", 90, ("chr1", 100, 190, "-")),
        ("NC_000001.11:1,000,101-1,000,190", 90, ("NC_000001.11", 1_000_100, 1_000_190, ".")),
    ],
)
def test_the_length_tells_whether_an_id_is_of_bedtools_or_of_samtools(
    name: str, length: int, place: tuple[str, int, int, str]
) -> None:
    """Bedtools counts from 0 to before the end, samtools from 1 to the end itself."""
    assert location_of(name, length) == place


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("chr1:100-190", 89),
        ("chr1:100-190", 92),
        ("chr1:190-100", 90),
        ("chr1:0-89", 90),
        ("chr1", 90),
        ("chr1:100", 90),
        (":100-190", 90),
        ("chr1:100-190(*)", 90),
        ("chr1:100-190 more", 90),
        ("hsa-let-7a-1", 80),
        ("", 0),
    ],
)
def test_an_id_without_coordinates_that_fit_says_no_place(name: str, length: int) -> None:
    assert location_of(name, length) is None


@given(
    st.from_regex(r"[A-Za-z0-9_.|-]{1,12}", fullmatch=True),
    st.integers(0, 10**9),
    st.integers(1, 400),
    st.sampled_from("+-"),
)
def test_a_place_is_the_same_however_it_was_written(
    sequence: str, start: int, length: int, strand: str
) -> None:
    place = Location(sequence, start, start + length, strand)
    assert location_of(f"{sequence}:{start}-{start + length}({strand})", length) == place
    assert location_of(f"{sequence}:{start + 1}-{start + length}({strand})", length) == place


@pytest.mark.parametrize(
    "header",
    [
        "AC012345.1/{}-180",  # Rfam
        "chromosome:GRCh38:21:{}:180:1",  # Ensembl
        "ENST1 ncrna primary_assembly:GRCh38:21:{}:180:-1 gene:ENSG1",
        "hg38_dna range=chr1:{}-180 5'pad=0 3'pad=0 strand=+",  # UCSC
        "FBtr1 loc=2L:{}..180; ID=FBtr1;",  # FlyBase
    ],
)
def test_databases_count_from_1_whatever_the_length(header: str) -> None:
    for start, expected in ((101, True), (100, False)):
        name, _, description = header.format(start).partition(" ")
        location = location_of(name, 80, description)
        assert (location is not None) == expected
        assert location is None or (location.start, location.end) == (100, 180)


# As the tools wrote them: samtools 1.16.1 faidx, bedtools 2.30.0 getfasta and seqkit 2.3.1 were run
# on a sequence of 400 nt, the others are in their documentation.
HEADERS = [
    ("chr1:101-180/rc", "chr1", "-"),  # samtools faidx -i
    ("chr1:101-180(-)", "chr1", "-"),  # samtools faidx -i --mark-strand sign
    ("chr1:101-180(+)", "chr1", "+"),
    ("chr1:101-/rc", "chr1", "-"),  # samtools faidx -i chr1:101-
    ("chr1:100-180(.)", "chr1", "."),  # bedtools getfasta -s
    ("hit::chr1:100-180(-)", "chr1", "-"),  # bedtools getfasta -name -s
    ("hit(-)::chr1:100-180", "chr1", "-"),
    ("chr1_101-180:- hit", "chr1", "-"),  # seqkit subseq --bed
    ("chr1_101-180:. hit", "chr1", "."),
    ("chr1_sliding:101-180", "chr1", "."),  # seqkit sliding
    ("chr1:101-180:*", "chr1", "."),  # GenomicRanges
    ("2L:101..180", "2L", "."),  # genome browsers
    ("chr1_101_180_-", "chr1", "-"),
    ("chr1:180-101", "chr1", "-"),
    ("NC_000021.9:c180-101 Homo sapiens chromosome 21", "NC_000021.9", "-"),
    ("NC_000021.9:101-180 Homo sapiens chromosome 21", "NC_000021.9", "."),
    ("gi|568815577|ref|NC_000021.9|:c180-101", "gi|568815577|ref|NC_000021.9|", "-"),
    ("AC012345.1/180-101", "AC012345.1", "-"),  # Rfam
    ("AC012345.1/101-180", "AC012345.1", "+"),
    ("chromosome:GRCh38:21:101:180:-1", "21", "-"),  # Ensembl
    ("chromosome:GRCh38:21:101:180:1", "21", "+"),
    ("ENST00000384832.1 ncrna primary_assembly:GRCh38:21:101:180:-1 gene:ENSG1", "21", "-"),
    ("hg38_dna range=chr1:101-180 5'pad=0 3'pad=0 strand=- repeatMasking=none", "chr1", "-"),
    ("hg38_dna range=chr1:101-180 5'pad=0 3'pad=0 strand=+ repeatMasking=none", "chr1", "+"),
    ("FBtr0304171 type=miRNA; loc=2L:complement(101..180); ID=FBtr0304171;", "2L", "-"),
    ("FBtr0304171 type=miRNA; loc=2L:101..180; ID=FBtr0304171;", "2L", "+"),
    ("chr1:1,000,101-1,000,180/rc", "chr1", "-"),
]


@pytest.mark.parametrize(("header", "sequence", "strand"), HEADERS)
def test_the_headers_of_many_tools_have_places(header: str, sequence: str, strand: str) -> None:
    name, _, description = header.partition(" ")
    start = 1_000_100 if "," in header.split("range")[0] else 100
    expected = (sequence, start, start + 80, strand)
    assert location_of(name, 80, description) == expected


@pytest.mark.parametrize("header", [it for it, _, _ in HEADERS if not it.startswith("chr1:101-/")])
def test_a_place_of_another_length_is_no_place_but_is_noticed(header: str) -> None:
    """Such as of samtools faidx at the end of a sequence, which is shorter than the range."""
    name, _, description = header.partition(" ")
    for length in (78, 82, 0):
        assert location_of(name, length, description) is None
    assert has_coordinates(name, description)


@pytest.mark.parametrize(
    "header",
    [
        "hsa-let-7a-1",
        "chr1",
        "chr1:100",
        "hit(+)",
        "a:b:c",
        "x,y",
        "chr1:,-,",
        "1/2",
        "URS0000000001_9606",
    ],
)
def test_headers_without_places_are_told_apart_from_those_that_do_not_fit(header: str) -> None:
    assert not has_coordinates(header, "Homo sapiens microRNA 21 (MIR21), microRNA")


def test_a_strand_against_the_order_of_the_positions_is_no_place() -> None:
    assert location_of("chr1:180-101(+)", 80) is None


def test_gff3_counts_from_1_and_has_both_ends() -> None:
    line = gff3_line(PLACE, CALL)
    assert line.split("\t")[:8] == [
        *("chr1", "mirpair", "pre_miRNA", "101", "190"),
        *("0.987650", "+", "."),
    ]
    assert line.endswith("\n")
    assert line.count("\n") == 1


def test_what_is_not_called_is_a_stem_loop() -> None:
    assert gff3_line(PLACE, {**CALL, "call": 0}).split("\t")[2] == "stem_loop"


def test_attributes_of_gff3_are_those_of_the_table_and_none_is_empty() -> None:
    nearest = {"nearest": "hsa-let-7a-1", "identity": 0.97531, "coverage": 0.9}
    nearest |= {"status": "known", "other_known": "hsa-let-7b;hsa-mir-98"}
    assert attributes(gff3_line(PLACE, {**CALL, **nearest})) == {
        "ID": "chr1:100-190(+)",
        "probability": "0.5000",
        "mfe": "-31.20",
        "structure": "((((...))))",
        "nearest": "hsa-let-7a-1",
        "identity": "0.9753",
        "coverage": "0.9000",
        "status": "known",
        "other_known": "hsa-let-7b;hsa-mir-98",
    }
    without = {"probability": float("nan"), "nearest": "", "identity": float("nan"), "status": ""}
    for row in ({**CALL, **without}, {**CALL, "probability": None}):
        assert list(attributes(gff3_line(PLACE, row))) == ["ID", "mfe", "structure"]


def test_what_means_something_in_gff3_is_escaped() -> None:
    place = Location("chr 1>%\té", 0, 90, "-")
    line = gff3_line(place, {**CALL, "id": "a;b=c&d,e%f\tg h", "nearest": "one,other"})
    columns = line.split("\t")
    assert len(columns) == 9
    assert columns[0] == "chr%201%3E%25%09%C3%A9"
    # A blank is allowed in attributes, but not in the first column.
    assert columns[8].startswith("ID=a%3Bb%3Dc%26d%2Ce%25f%09g h;")
    assert "nearest=one%2Cother" in columns[8]


@given(st.text(min_size=1).filter(lambda text: text.isprintable() or "\n" in text))
def test_any_id_comes_back_from_a_line_of_gff3(name: str) -> None:
    line = gff3_line(PLACE, {**CALL, "id": name})
    assert attributes(line)["ID"] == name
    assert line.isascii()
    assert line.count("\n") == 1


def test_gff3_begins_with_its_version_and_the_sequences() -> None:
    assert gff3_head(["mirpair 1", "prior 0.1"], {"chr1": 1000, "my chr>2": 50}) == (
        "##gff-version 3\n# mirpair 1\n# prior 0.1\n"
        "##sequence-region chr1 1 1000\n##sequence-region my%20chr%3E2 1 50\n"
    )
    assert gff3_head([]) == "##gff-version 3\n"


@pytest.mark.parametrize(
    ("score", "expected"), [(0.0, 0), (0.9874, 987), (0.98765, 988), (0.9999, 1000), (1.0, 1000)]
)
def test_bed_counts_from_0_with_scores_up_to_1000(score: float, expected: int) -> None:
    row: dict[str, Any] = {**CALL, "score": score}
    assert bed_line(PLACE, row) == f"chr1\t100\t190\tchr1:100-190(+)\t{expected}\t+\n"


def test_fasta_is_a_name_and_a_line() -> None:
    assert fasta_entry("a b", "ACGU") == ">a b\nACGU\n"
