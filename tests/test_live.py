"""Live sources: locked at first, never exchanged in silence, replaced when the user says so."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ROOT
from server import EFETCH, PAGE, Fault, Publisher, wait
from test_ncbi import FILES, publisher, record
from typer.testing import CliRunner

from mirpair.cli.app import app
from mirpair.files import InputError, file_lock, sha256
from mirpair.sources.live import (
    Accessions,
    Assembly,
    check_locked,
    compare_locked,
    download_locked,
    is_remote,
    locked_rows,
    parse_place,
    raw_name,
    read_lock,
    refresh,
)

__all__ = ["publisher"]  # the fixture
FILE = "/mirbase/hairpin.fa"
OLD, NEW = b">a\nACGU\n", b">a\nACGA\n"
GENOME = "ncbi:GCF_000146045.2/genome"
RECORDS = "ncbi:NM_000001.1,NM_000002.1"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def place(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> str:
    """A URL whose bytes may change; no time is lost between tries."""
    monkeypatch.setattr("mirpair.sources.transfer.time.sleep", lambda _: None)
    publisher.files[FILE] = OLD
    return publisher.url + FILE


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://example.org/a.fa", None),
        ("ncbi:GCF_000146045.2/genome", Assembly("GCF_000146045.2", "genome")),
        ("ncbi:GCA_000146045.2/cds", Assembly("GCA_000146045.2", "cds")),
        ("ncbi:NM_000014.6", Accessions(("NM_000014.6",), False)),
        ("ncbi: NM_000014.6, NM_000015.3/cds", Accessions(("NM_000014.6", "NM_000015.3"), True)),
    ],
)
def test_what_a_place_means(written: str, meant: object) -> None:
    assert is_remote(written)
    assert parse_place(written) == meant


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("ncbi:GCF_000146045.2", "choose the sequences of the assembly"),
        ("ncbi:GCF_000146045.2/protein", "choose the sequences of the assembly"),
        ("ncbi:GCF_000146045/cds", "needs its version"),
        ("ncbi:NM_000014.6/rna", "only /cds is possible"),
        ("ncbi:", "not an accession"),
        ("ncbi:a b", "not an accession"),
        ("results/a.fa", "is not a URL"),
    ],
)
def test_what_a_place_cannot_mean(written: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_place(written)


def test_where_a_place_is_kept_does_not_change() -> None:
    """Else what was downloaded is downloaded again."""
    assert not is_remote("config/demo/positives.fa")
    url = "https://example.org/a%20b.fa?x=1"
    start = digest(url.encode())[:16]
    assert raw_name(url) == f"url/{start}_a_20b.fa_x_1"
    start = digest(GENOME.encode())[:16]
    assert raw_name(GENOME) == f"ncbi/{start}_GCF_000146045.2_genome.fna.gz"
    start = digest(RECORDS.encode())[:16]
    assert raw_name("ncbi:NM_000001.1, NM_000002.1") == f"ncbi/{start}_NM_000001.1_and_1_more.fa"
    assert raw_name(RECORDS + "/cds").endswith("_NM_000001.1_and_1_more_cds.fa")


def test_the_first_download_locks_a_place(place: str, tmp_path: Path) -> None:
    lock = tmp_path / "sources.lock.tsv"
    download_locked(place, tmp_path / "raw" / "a.fa", lock)
    assert (tmp_path / "raw" / "a.fa").read_bytes() == OLD
    download_locked(GENOME, tmp_path / "raw" / "b.fna.gz", lock, release="R64")
    download_locked("ncbi:NM_000001.1, NM_000002.1", tmp_path / "raw" / "c.fa", lock)
    text = record("NM_000001.1", 1) + record("NM_000002.1", 2)
    today = datetime.now(UTC).date()
    genome = FILES["_genomic.fna.gz"]
    assert lock.read_text().splitlines() == [
        "place\tsha256\tbytes\tdate\trelease",
        f"{place}\t{digest(OLD)}\t8\t{today}\tWed, 01 May 2024 10:00:00 GMT",
        f"{GENOME}\t{digest(genome)}\t{len(genome)}\t{today}\tR64",
        f"{RECORDS}\t{digest(text.encode())}\t{len(text)}\t{today}\t",
    ]
    assert read_lock(lock)[place].sha256 == digest(OLD)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["locked", "raw", "sources.lock.tsv"]
    assert len(list((tmp_path / "raw").iterdir())) == 3


def test_other_bytes_than_the_locked_ones_are_refused(
    place: str, publisher: Publisher, tmp_path: Path
) -> None:
    lock = tmp_path / "my lock.tsv"
    download_locked(place, tmp_path / "a.fa", lock, release="22.1")
    before = lock.read_bytes()
    download_locked(place, tmp_path / "b.fa", lock)
    assert (tmp_path / "b.fa").read_bytes() == OLD
    publisher.files[FILE] = NEW
    with pytest.raises(InputError) as caught:
        download_locked(place, tmp_path / "raw" / "c.fa", lock)
    message = str(caught.value)
    today = datetime.now(UTC).date()
    assert f"{place} differs from the file locked on {today} (release 22.1): SHA-256 now" in message
    assert digest(NEW) in message
    assert f"mirpair refresh '{lock}' {place}" in message
    assert f"into a mirror as MIRROR/{place.removeprefix('http://')}" in message
    assert list((tmp_path / "raw").iterdir()) == []
    assert lock.read_bytes() == before
    in_mirror = tmp_path / "mirror" / place.removeprefix("http://")
    in_mirror.parent.mkdir(parents=True)
    in_mirror.write_bytes(OLD)
    download_locked(place, tmp_path / "raw" / "c.fa", lock, mirror=tmp_path / "mirror")
    assert (tmp_path / "raw" / "c.fa").read_bytes() == OLD, "the way out of the message"
    in_mirror.write_bytes(NEW)
    with pytest.raises(
        InputError, match=f"use the new file: MIRPAIR_MIRROR={tmp_path}/mirror mirp"
    ):
        download_locked(place, tmp_path / "x" / "y" / "d.fa", lock, mirror=tmp_path / "mirror")


def test_locked_records_of_ncbi_can_be_had_from_a_mirror(
    publisher: Publisher, tmp_path: Path
) -> None:
    lock = tmp_path / "lock.tsv"
    download_locked(RECORDS, tmp_path / "here" / "ncbi" / "a.fa", lock)
    publisher.records["NM_000001.1"] = record("NM_000001.1", 5)
    with pytest.raises(InputError, match=f"as MIRROR/{raw_name(RECORDS)}"):
        download_locked(RECORDS, tmp_path / "b.fa", lock)
    in_mirror = tmp_path / "mirror" / raw_name(RECORDS)
    in_mirror.parent.mkdir(parents=True)
    (tmp_path / "here" / "ncbi" / "a.fa").rename(in_mirror)
    download_locked(RECORDS, tmp_path / "b.fa", lock, mirror=tmp_path / "mirror")
    assert sha256(tmp_path / "b.fa") == read_lock(lock)[RECORDS].sha256


def test_what_is_no_sequences_is_not_locked(
    place: str, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.files[FILE] = PAGE
    with pytest.raises(InputError, match="a web page"):
        download_locked(place, tmp_path / "a.fa", tmp_path / "lock.tsv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x\tabc\t1\t2024-05-01\t", "line 2: column 'sha256'"),
        (f"x\t{'0' * 64}\t0\t2024-05-01\t", "line 2: column 'bytes'"),
        (f"x\t{'0' * 64}\t1\tyesterday\t", "line 2: column 'date'"),
        (f"\t{'0' * 64}\t1\t2024-05-01\t", "line 2: column 'place'"),
        (f"x\t{'0' * 64}\t1\t2024-05-01\t\n" * 2, "line 3: the place 'x' occurs twice"),
    ],
)
def test_a_lock_file_that_was_damaged_is_told_before_the_download(
    place: str, publisher: Publisher, tmp_path: Path, line: str, message: str
) -> None:
    lock = tmp_path / "lock.tsv"
    lock.write_text("place\tsha256\tbytes\tdate\trelease\n" + line)
    with pytest.raises(InputError, match=message):
        download_locked(place, tmp_path / "a.fa", lock)
    assert publisher.seen == []
    assert read_lock(tmp_path / "none.tsv") == {}


def test_processes_that_lock_at_once_lose_no_row(publisher: Publisher, tmp_path: Path) -> None:
    script = "import sys; from mirpair.sources import live; live.download_locked(*sys.argv[1:])"
    lock, running = tmp_path / "lock.tsv", []
    for number in range(6):
        publisher.files[f"/{number}.fa"] = OLD
        arguments = [f"{publisher.url}/{number}.fa", str(tmp_path / f"{number}.fa"), str(lock)]
        command = [sys.executable, "-c", script, *arguments]
        running.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL))
    assert [process.wait() for process in running] == [0] * 6
    assert sorted(read_lock(lock)) == [f"{publisher.url}/{number}.fa" for number in range(6)]
    assert not list(tmp_path.glob(".*"))


def test_a_row_is_added_when_the_other_process_has_added_its_own(
    place: str, publisher: Publisher, tmp_path: Path
) -> None:
    lock = tmp_path / "lock.tsv"
    download_locked(place, tmp_path / "a.fa", lock)
    publisher.files["/b.fa"] = OLD
    script = "import sys; from mirpair.sources import live; live.download_locked(*sys.argv[1:])"
    arguments = [f"{publisher.url}/b.fa", str(tmp_path / "b.fa"), str(lock)]
    with file_lock(tmp_path / ".lock.tsv.lock", wait=True):
        command = [sys.executable, "-c", script, *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        while not (tmp_path / ".b.fa.new").exists() and process.poll() is None:
            wait(0.02)
        wait(0.5)
        rows = lock.read_text()
        assert "/b.fa" not in rows
        lock.write_text(rows + f"x\t{'0' * 64}\t1\t2024-05-01\t\n")
    assert process.wait() == 0
    assert sorted(read_lock(lock)) == sorted([place, f"{publisher.url}/b.fa", "x"])


def aged(lock: Path) -> None:
    """As if it had been written long ago."""
    lock.write_text(lock.read_text().replace(str(datetime.now(UTC).date()), "2020-01-01"))


def test_a_refresh_touches_only_the_date_of_what_did_not_change(
    place: str, publisher: Publisher, tmp_path: Path
) -> None:
    lock, path = tmp_path / "lock.tsv", tmp_path / "a.fa"
    download_locked(place, path, lock, release="22")
    aged(lock)
    before = path.stat()
    publisher.modified = "Fri, 03 May 2024 10:00:00 GMT"
    (done,) = refresh(lock, {place: path}).values()
    assert (done.changed, done.old, done.new) == (False, digest(OLD), digest(OLD))
    assert path.stat() == before
    row = read_lock(lock)[place]
    assert (row.date, row.release) == (datetime.now(UTC).date(), "22")


def test_a_refresh_replaces_what_changed_and_the_others_go_on_after_a_failure(
    place: str, publisher: Publisher, tmp_path: Path
) -> None:
    lock = tmp_path / "lock.tsv"
    other = f"{publisher.url}/other.fa"
    publisher.files["/other.fa"] = OLD
    files = {other: tmp_path / "other.fa", place: tmp_path / "a.fa"}
    for name, path in files.items():
        download_locked(name, path, lock)
    aged(lock)
    publisher.files[FILE] = NEW
    publisher.always["/other.fa"] = Fault(status=503)
    results = refresh(lock, files, releases={place: "23"})
    assert results[place].changed
    assert (results[place].new, results[place].bytes, results[place].release) == (
        digest(NEW),
        8,
        "23",
    )
    assert not results[other].changed
    assert "503" in results[other].error
    assert files[place].read_bytes() == NEW
    assert files[other].read_bytes() == OLD
    rows = read_lock(lock)
    assert (rows[place].sha256, rows[place].release) == (digest(NEW), "23")
    assert (rows[other].sha256, str(rows[other].date)) == (digest(OLD), "2020-01-01")
    assert len(list(tmp_path.iterdir())) == 3


def test_only_what_is_locked_is_refreshed(place: str, publisher: Publisher, tmp_path: Path) -> None:
    lock = tmp_path / "lock.tsv"
    download_locked(place, tmp_path / "a.fa", lock)
    publisher.seen.clear()
    with pytest.raises(InputError, match="has no source https"):
        refresh(lock, {place: tmp_path / "a.fa", "https://x.org/a": tmp_path / "b"})
    assert publisher.seen == []


def test_mirpair_refresh(
    place: str, publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    raw = {name: Path("results", "raw", raw_name(name)) for name in (place, RECORDS)}
    for name, path in raw.items():
        download_locked(name, path, "lock.tsv")
    publisher.files[FILE] = NEW
    done = runner.invoke(app, ["refresh", "lock.tsv"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{place}\tchanged: {digest(OLD)} -> {digest(NEW)}, 8 bytes",
        f"{RECORDS}\tunchanged",
    ]
    assert raw[place].read_bytes() == NEW
    done = runner.invoke(app, ["refresh", "lock.tsv", "ncbi:NM_000001.1, NM_000002.1"])
    assert done.stdout == f"{RECORDS}\tunchanged\n"
    done = runner.invoke(app, ["refresh", "lock.tsv", RECORDS, "--release", "of today"])
    assert done.stdout == f"{RECORDS}\tunchanged\n"
    assert read_lock("lock.tsv")[RECORDS].release == "of today"
    publisher.always[EFETCH] = Fault(status=400)
    done = runner.invoke(app, ["refresh", "lock.tsv"])
    assert done.exit_code == 1
    assert done.stdout == f"{place}\tunchanged\n"
    assert "1 of 2 sources could not be downloaded" in done.stderr
    assert raw[RECORDS].exists()
    for arguments, message in (
        (["none.tsv"], "there is no such lock file"),
        (["lock.tsv", place[:-1]], f"did you mean {place}?"),
        (["lock.tsv", "--release", "23"], "there are 2: name one source"),
    ):
        done = runner.invoke(app, ["refresh", *arguments])
        assert done.exit_code == 1
        assert message in done.stderr


def test_files_that_are_here_already_are_locked_and_then_checked(tmp_path: Path) -> None:
    lock, folder = tmp_path / "l.tsv", tmp_path / "raw" / "url"
    folder.mkdir(parents=True)
    a, b = folder / "a", folder / "b"
    a.write_text(">a\nACGU\n")
    b.write_text(">b\nACGU\n")
    check_locked(lock, {"https://x.org/a": a})
    check_locked(lock, {"https://x.org/b": b}, releases={"https://x.org/b": "22.1"})
    assert set(read_lock(lock)) == {"https://x.org/a", "https://x.org/b"}
    assert read_lock(lock)["https://x.org/b"].release == "22.1"
    a.unlink()
    a.write_text(">a\nACGG\n")
    with pytest.raises(InputError, match="differs from the file of"):
        check_locked(lock, {"https://x.org/a": a})
    b.unlink()
    b.write_text("")
    with pytest.raises(InputError, match="is empty"):
        check_locked(lock, {"https://x.org/b": b})


def test_a_file_that_another_study_downloaded_is_locked_when_its_row_is_asked_for(
    tmp_path: Path,
) -> None:
    lock, here, away = tmp_path / "config" / "mine.tsv", tmp_path / "raw/url/a", tmp_path / "b"
    here.parent.mkdir(parents=True)
    here.write_bytes(b">a\nACGU\n")
    files = {"https://example.org/b": away, "https://example.org/a": here}
    releases = {"https://example.org/a": "22"}
    assert set(compare_locked(lock, files, releases=releases)) == {"https://example.org/a"}
    assert not lock.exists(), "a comparison writes nothing"
    rows = locked_rows(lock, files, releases=releases)
    assert {place: (row.sha256, row.release) for place, row in rows.items()} == {
        "https://example.org/a": (digest(b">a\nACGU\n"), "22")
    }
    assert read_lock(lock) == rows
    # A row that is there stays, whether its file is there or not.
    here.unlink()
    assert locked_rows(lock, files) == rows


def test_locked_bytes_stay_here_when_the_publisher_has_others(
    publisher: Publisher, tmp_path: Path
) -> None:
    lock, path = tmp_path / "l.tsv", tmp_path / "raw" / "url" / "h.fa"
    place = f"{publisher.url}/h.fa"
    publisher.files["/h.fa"] = b">a\nACGU\n"
    download_locked(place, path, lock)
    publisher.files["/h.fa"] = b">a\nGGGG\n"
    path.unlink()  # as Snakemake does before it runs a job again
    download_locked(place, path, lock)
    assert path.read_bytes() == b">a\nACGU\n"
    # A refresh takes the new ones, and another lock may still want those of before.
    other = tmp_path / "other.tsv"
    other.write_bytes(lock.read_bytes())
    refresh(lock, {place: path})
    assert path.read_bytes() == b">a\nGGGG\n"
    path.unlink()
    download_locked(place, path, other)
    assert path.read_bytes() == b">a\nACGU\n"


def test_the_name_of_a_very_long_url_is_one_that_file_systems_take() -> None:
    assert len(raw_name("https://x.org/" + "a" * 600).partition("/")[2]) < 200
