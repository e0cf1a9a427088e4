"""Sequences from NCBI: the right file, all records asked for, its rules kept, its faults told."""

from __future__ import annotations

import gzip
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from Bio import Entrez
from conftest import ROOT
from server import EFETCH, PAGE, TOO_MANY, Fault, Publisher, publishing

from mirpair.files import InputError
from mirpair.rna.sequences import read_fasta
from mirpair.sources import ncbi
from mirpair.sources.ncbi import download_accessions, download_assembly

YEAST = "GCF_000146045.2_R64"
HAIRPINS = [record.sequence for record in read_fasta(ROOT / "config" / "demo" / "positives.fa")]
FILES = {
    suffix: gzip.compress(f">{suffix}\n{HAIRPINS[place]}\n".encode(), mtime=0)
    for place, suffix in enumerate(
        ["_genomic.fna.gz", "_cds_from_genomic.fna.gz", "_rna_from_genomic.fna.gz", "_rna.fna.gz"]
    )
}
EUTILS = "https://eutils.ncbi.nlm.nih.gov"


def record(accession: str, place: int) -> str:
    return f">{accession} Homo sapiens\n{HAIRPINS[place]}\n"


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    with publishing() as running:
        running.assembly(YEAST, FILES)
        for place in range(9):
            name = f"NM_00000{place}.1"
            running.records[name] = running.records[name[:-2]] = record(name, place)
        monkeypatch.setattr(ncbi, "GENOMES", f"{running.url}/genomes/all")

        def here(request: urllib.request.Request) -> object:
            request.full_url = request.full_url.replace(EUTILS, running.url)
            return urllib.request.urlopen(request)

        monkeypatch.setattr(Entrez, "urlopen", here)
        monkeypatch.setattr(ncbi, "_WAIT", 0)
        monkeypatch.setenv("NCBI_EMAIL", "you@example.org")
        monkeypatch.setenv("NCBI_API_KEY", "0123")  # ten requests a second
        yield running


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mirpair.sources.transfer.time.sleep", lambda _: None)


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("genome", "_genomic"), ("cds", "_cds_from_genomic"), ("rna", "_rna")],
)
def test_the_file_of_an_assembly_is_the_one_that_was_asked_for(
    publisher: Publisher, tmp_path: Path, kind: ncbi.Kind, suffix: str
) -> None:
    origin = download_assembly("GCF_000146045.2", kind, tmp_path / "raw" / "a.fna.gz")
    assert origin.endswith(f"/GCF/000/146/045/{YEAST}/{YEAST}{suffix}.fna.gz")
    assert (tmp_path / "raw" / "a.fna.gz").read_bytes() == FILES[f"{suffix}.fna.gz"]
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["a.fna.gz"]


def test_a_version_is_not_taken_for_another_one(publisher: Publisher, tmp_path: Path) -> None:
    publisher.assembly("GCF_000146045.21_R99", {"_genomic.fna.gz": gzip.compress(b">x\nA\n")})
    origin = download_assembly("GCF_000146045.2", "genome", tmp_path / "a")
    assert YEAST in origin
    with pytest.raises(InputError, match=r"lists no folder of it; there are .*GCF_000146045\.2$"):
        download_assembly("GCF_000146045.1", "genome", tmp_path / "b")


@pytest.mark.parametrize(
    ("accession", "kind", "message"),
    [
        ("GCF_000146045", "cds", r"needs its version, such as GCF_000146045\.1"),
        ("GCF_146045.2", "cds", "is not an accession of an assembly"),
        ("../x", "cds", "is not an accession of an assembly"),
        ("GCF_000146045.2", "protein", "an assembly has genome, cds, rna"),
        ("GCF_999999999.1", "cds", "NCBI has no such assembly"),
        ("GCA_000000001.1", "rna", "NCBI has no rna of this assembly.*it has genome"),
    ],
)
def test_what_ncbi_does_not_have_is_said(
    publisher: Publisher, tmp_path: Path, accession: str, kind: ncbi.Kind, message: str
) -> None:
    publisher.assembly("GCA_000000001.1_x", {"_genomic.fna.gz": FILES["_genomic.fna.gz"]})
    with pytest.raises(InputError, match=message):
        download_assembly(accession, kind, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("patient")
def test_a_file_of_an_assembly_with_another_md5_is_refused(
    publisher: Publisher, tmp_path: Path
) -> None:
    path = next(it for it in publisher.files if it.endswith("R64_genomic.fna.gz"))
    publisher.files[path] = FILES["_rna.fna.gz"]
    with pytest.raises(InputError, match="hash"):
        download_assembly("GCF_000146045.2", "genome", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("patient")
def test_a_cut_file_of_an_assembly_goes_on(publisher: Publisher, tmp_path: Path) -> None:
    path = next(it for it in publisher.files if it.endswith("R64_genomic.fna.gz"))
    publisher.faults[path] = [Fault(cut=40), Fault(status=503)]
    download_assembly("GCF_000146045.2", "genome", tmp_path / "a")
    assert publisher.asked(path)[-1].headers["Range"] == "bytes=40-"
    assert (tmp_path / "a").read_bytes() == FILES["_genomic.fna.gz"]


def test_a_mirror_has_an_assembly_where_ncbi_has_it(publisher: Publisher, tmp_path: Path) -> None:
    url = publisher.url.removeprefix("http://")
    folder = tmp_path / "mirror" / url / "genomes/all/GCF/000/146/045" / YEAST
    folder.mkdir(parents=True)
    for suffix in ("_genomic.fna.gz", "_cds_from_genomic.fna.gz"):
        (folder / (YEAST + suffix)).write_bytes(FILES[suffix])
    mirror = tmp_path / "mirror"
    download_assembly("GCF_000146045.2", "genome", tmp_path / "a", mirror=mirror)
    assert (tmp_path / "a").read_bytes() == FILES["_genomic.fna.gz"]
    assert publisher.seen == []
    (folder / "md5checksums.txt").write_text(f"{'0' * 32}  ./{YEAST}_genomic.fna.gz\n")
    with pytest.raises(InputError, match="the mirror's file has the MD5"):
        download_assembly("GCF_000146045.2", "genome", tmp_path / "b", mirror=mirror)
    (folder / "md5checksums.txt").unlink()
    download_assembly("GCF_000146045.2", "rna", tmp_path / "c", mirror=mirror)
    assert (tmp_path / "c").read_bytes() == FILES["_rna.fna.gz"], "from NCBI"


def test_records_come_in_the_order_in_which_they_were_asked_for(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ncbi, "BATCH", 2)
    accessions = ["NM_000003.1", "NM_000001", "NM_000002.1", "NM_000003.1"]
    download_accessions(accessions, tmp_path / "raw" / "a.fa")
    expected = "".join(record(f"NM_00000{place}.1", place) for place in (3, 1, 2))
    assert (tmp_path / "raw" / "a.fa").read_text() == expected
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["a.fa"]
    assert [seen.asked["id"] for seen in publisher.seen] == ["NM_000003.1,NM_000001", "NM_000002.1"]
    query = publisher.seen[0].asked
    assert query["db"] == "nuccore"
    assert query["email"] == "you@example.org"
    assert query["api_key"] == "0123"


def test_coding_sequences_of_records(publisher: Publisher, tmp_path: Path) -> None:
    cds = f">lcl|NM_000014.6_cds_NP_000005.3_1 [gene=A2M] [location=1..9]\n{HAIRPINS[0]}\n"
    publisher.records["cds:NM_000014.6"] = cds
    download_accessions(["NM_000014.6"], tmp_path / "a.fa", cds=True)
    assert (tmp_path / "a.fa").read_text() == cds
    assert publisher.seen[0].asked["rettype"] == "fasta_cds_na"
    with pytest.raises(InputError, match=r"has no coding sequence of NM_000001\.1; correct"):
        download_accessions(["NM_000014.6", "NM_000001.1"], tmp_path / "b.fa", cds=True)


def test_no_more_than_three_requests_a_second_without_a_key(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not between batches, and not when one is asked for again."""
    monkeypatch.delenv("NCBI_API_KEY")
    monkeypatch.setattr(ncbi, "BATCH", 1)
    publisher.faults[EFETCH] = [Fault(status=503), Fault(status=429, retry_after="0")]
    download_accessions([f"NM_00000{place}.1" for place in range(4)], tmp_path / "a.fa")
    times = [seen.time for seen in publisher.seen]
    assert len(times) == 6
    assert min(after - before for before, after in pairwise(times)) > 1 / 3 - 0.03
    assert all(last - first > 1 for first, last in zip(times, times[3:], strict=False))


def test_without_an_address_nothing_is_asked(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NCBI_EMAIL")
    with pytest.raises(InputError, match="export NCBI_EMAIL=you@"):
        download_accessions(["NM_000001.1"], tmp_path / "a.fa")
    assert publisher.seen == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("accessions", [[], [""], ["NM_1 OR 1"], ["NM"], ["a&b=1"]])
def test_what_is_no_accession_is_not_asked_for(
    publisher: Publisher, tmp_path: Path, accessions: list[str]
) -> None:
    with pytest.raises(InputError, match=r"such as NM_000014\.6"):
        download_accessions(accessions, tmp_path / "a.fa")
    assert publisher.seen == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=503),
        Fault(status=429, body=TOO_MANY, kind="application/json", retry_after="0"),
        Fault(cut=30),
        Fault(announced=10_000),
        Fault(body=b"", kind="text/plain"),
        Fault(body=PAGE),
        Fault(body=TOO_MANY, kind="application/json"),
        Fault(body=b"Error: CEFetchPApplication::proxy_stream()", kind="text/plain"),
    ],
    ids=lambda fault: f"{fault.status} {fault.cut} {fault.announced} {fault.body!r:.9}",
)
def test_a_fault_that_passes_is_waited_out(
    publisher: Publisher, tmp_path: Path, fault: Fault
) -> None:
    publisher.faults[EFETCH] = [fault, fault]
    download_accessions(["NM_000001.1"], tmp_path / "a.fa")
    assert (tmp_path / "a.fa").read_text() == record("NM_000001.1", 1)
    assert len(publisher.seen) == 3


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(status=503, body=b"busy"), "the server answered 503 Service Unavailable: busy"),
        (Fault(cut=30), "the connection was cut before the end of the answer"),
        (Fault(announced=10_000), "the connection was cut before the end of the answer"),
        (Fault(body=b" \n", kind="text/plain"), "the answer was empty"),
        (Fault(body=PAGE), r"the answer was a web page \(title 'Down for maintenance'\)"),
        (Fault(body=TOO_MANY), "the answer was JSON .*API rate limit exceeded"),
        (Fault(body=b"Error: no", kind="text/plain"), "begins with 'Error: no'"),
        (Fault(body=b"Failed to retrieve", kind="text/plain"), "begins with 'Failed to retrieve'"),
        (Fault(body=b">NM_000001.1 x\n\n", kind="text/plain"), "came without a sequence"),
        (Fault(body=b">NM_000001.1\nACG\nError: no\n"), "has the line 'Error: no'"),
        (Fault(slow=1), "there was no answer within 0.2 s"),
    ],
)
def test_a_fault_that_stays_is_told_with_the_batch_and_the_way_out(
    publisher: Publisher,
    tmp_path: Path,
    fault: Fault,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ncbi, "_TRIES", 2)
    monkeypatch.setattr(ncbi, "_TIMEOUT", 0.2)
    publisher.always[EFETCH] = fault
    with pytest.raises(InputError, match=message) as caught:
        download_accessions(["NM_000001.1", "NM_000002.1"], tmp_path / "a.fa")
    text = str(caught.value)
    assert "batch 1 of 1 (NM_000001.1 to NM_000002.1, 2 accessions)" in text
    assert "run it again" in text
    assert len(publisher.seen) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("accessions", "missing"),
    [
        (["NM_000001.1", "NM_999999.1"], "NM_999999.1"),
        (["NM_000001.2", "NM_000002"], "NM_000001.2"),
    ],
)
def test_records_that_ncbi_does_not_have_are_named(
    publisher: Publisher, tmp_path: Path, accessions: list[str], missing: str
) -> None:
    """Another version is another record."""
    publisher.records["NM_000001.2"] = publisher.records["NM_000001.1"]
    with pytest.raises(InputError, match=f"has no record of {missing}; correct"):
        download_accessions(accessions, tmp_path / "a.fa")
    assert len(publisher.seen) == 1, "it will not come by asking again"
    assert list(tmp_path.iterdir()) == []


def test_a_request_that_ncbi_refuses_is_told_with_its_words(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.always[EFETCH] = Fault(status=400, body=b'{"error":"API key invalid"}')
    with pytest.raises(InputError, match=r"refused \(400 .*API key invalid.*key in NCBI_API_KEY"):
        download_accessions(["NM_000001.1"], tmp_path / "a.fa")
    assert len(publisher.seen) == 1


def test_no_connection_to_ncbi_is_said(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ncbi, "_TRIES", 2)
    monkeypatch.setattr(publisher, "url", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="there is no connection to the server"):
        download_accessions(["NM_000001.1"], tmp_path / "a.fa")


def test_what_came_before_a_fault_is_not_asked_for_again(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ncbi, "BATCH", 2)
    monkeypatch.setattr(ncbi, "_TRIES", 1)
    accessions = [f"NM_00000{place}.1" for place in range(6)]
    publisher.faults[EFETCH] = [Fault(), Fault(), Fault(status=503)]
    with pytest.raises(InputError, match="batch 3 of 3"):
        download_accessions(accessions, tmp_path / "a.fa")
    assert not (tmp_path / "a.fa").exists()
    download_accessions(accessions, tmp_path / "a.fa")
    batches = [seen.asked["id"] for seen in publisher.seen]
    assert batches == [",".join(accessions[at : at + 2]) for at in (0, 2, 4, 4)]
    assert (tmp_path / "a.fa").read_text() == "".join(
        record(name, place) for place, name in enumerate(accessions)
    )
    assert [path.name for path in tmp_path.iterdir()] == ["a.fa"]


def test_killed_between_two_batches_it_goes_on_after_the_first(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ncbi, "BATCH", 2)
    accessions = [f"NM_00000{place}.1" for place in range(4)]
    publisher.faults[EFETCH] = [Fault(), Fault(slow=30)]
    script = f"""
        import sys, urllib.request
        from Bio import Entrez
        from mirpair.sources import ncbi
        def here(request):
            request.full_url = request.full_url.replace({EUTILS!r}, {publisher.url!r})
            return urllib.request.urlopen(request)
        Entrez.urlopen = here
        ncbi.BATCH = 2
        ncbi.download_accessions({accessions!r}, sys.argv[1])
    """
    destination = str(tmp_path / "a.fa")
    command = [sys.executable, "-c", textwrap.dedent(script), destination]
    process = subprocess.Popen(command, cwd=ROOT)
    while len(publisher.seen) < 2 and process.poll() is None:
        pass
    process.kill()
    process.wait()
    assert not (tmp_path / "a.fa").exists()
    download_accessions(accessions, destination)
    assert [seen.asked["id"] for seen in publisher.seen] == [
        ",".join(accessions[at : at + 2]) for at in (0, 2, 2)
    ]
    assert (tmp_path / "a.fa").read_text().count(">") == 4
    assert [path.name for path in tmp_path.iterdir()] == ["a.fa"]


def test_a_kept_batch_that_was_damaged_is_asked_for_again(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ncbi, "BATCH", 1)
    monkeypatch.setattr(ncbi, "_TRIES", 1)
    publisher.faults[EFETCH] = [Fault(), Fault(status=503)]
    with pytest.raises(InputError, match="batch 2 of 2"):
        download_accessions(["NM_000001.1", "NM_000002.1"], tmp_path / "a.fa")
    (saved,) = (tmp_path / ".a.fa.parts").glob("*.fa")
    saved.write_text(">NM_000001.1\n")
    download_accessions(["NM_000001.1", "NM_000002.1"], tmp_path / "a.fa")
    assert (tmp_path / "a.fa").read_text() == record("NM_000001.1", 1) + record("NM_000002.1", 2)
