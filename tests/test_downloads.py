"""What a network and a publisher may do to a download, and what the user has then."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from conftest import ROOT
from server import PAGE, TOO_MANY, Fault, Publisher, publishing, wait

from mirpair.files import InputError, sha256
from mirpair.sources import transfer
from mirpair.sources.download import MissingError, download, mirror_path

HAIRPINS = (ROOT / "config" / "demo" / "positives.fa").read_bytes()
CHECKSUM = sha256(ROOT / "config" / "demo" / "positives.fa")
FILE = "/mirbase/hairpin.fa"


def packed(content: bytes) -> bytes:
    """The same bytes at any time, as the names of tests must be the same in all processes."""
    return gzip.compress(content, mtime=0)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited between tries, without the waiting."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


@pytest.fixture
def publisher(waits: list[float]) -> Iterator[Publisher]:
    with publishing() as running:
        running.files[FILE] = HAIRPINS
        yield running


def in_other_process(url: str, destination: Path) -> subprocess.Popen[bytes]:
    """The same download in a process of its own."""
    script = (
        "import sys; from mirpair.sources.download import download; "
        "download(*sys.argv[1:], checksum=None)"
    )
    command = [sys.executable, "-c", script, url, str(destination)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)


def downloaded(publisher: Publisher, tmp_path: Path, checksum: str | None = None) -> bytes:
    """The file's bytes; nothing else may be left."""
    destination = tmp_path / "raw" / "hairpin.fa"
    download(publisher.url + FILE, destination, checksum=checksum, sequences=True)
    assert [path.name for path in destination.parent.iterdir()] == ["hairpin.fa"]
    return destination.read_bytes()


def refused(publisher: Publisher, tmp_path: Path, kind: type[InputError] = InputError) -> str:
    """The message; there may be a part to resume from, but no file."""
    destination = tmp_path / "raw" / "hairpin.fa"
    destination.unlink(missing_ok=True)
    with pytest.raises(kind) as caught:
        download(publisher.url + FILE, destination, checksum=None, sequences=True)
    assert not destination.exists()
    assert publisher.url + FILE in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("checksum", [CHECKSUM, None])
def test_a_cut_download_goes_on_where_it_stopped(
    publisher: Publisher, tmp_path: Path, checksum: str | None
) -> None:
    publisher.faults[FILE] = [Fault(cut=len(HAIRPINS) // 2)]
    assert downloaded(publisher, tmp_path, checksum) == HAIRPINS
    first, second = publisher.asked(FILE)
    assert "Range" not in first.headers
    assert second.headers["Range"] == f"bytes={len(HAIRPINS) // 2}-"
    assert second.headers["If-Range"].startswith('"')


def test_a_file_that_changed_meanwhile_is_begun_anew(publisher: Publisher, tmp_path: Path) -> None:
    """No file is half of the old one and half of the new one."""
    publisher.faults[FILE] = [Fault(cut=5000)]
    publisher.always[FILE] = Fault(status=503)
    refused(publisher, tmp_path)
    publisher.always.clear()
    publisher.files[FILE] = new = HAIRPINS.replace(b"A", b"C")
    assert downloaded(publisher, tmp_path) == new
    assert "Range" in publisher.asked(FILE)[-1].headers


def test_a_server_that_heeds_no_if_range_is_found_out(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[FILE] = [Fault(cut=5000)]
    publisher.tags[FILE] = '"old"'
    publisher.always[FILE] = Fault(status=503)
    refused(publisher, tmp_path)
    publisher.always.clear()
    publisher.files[FILE] = new = HAIRPINS.replace(b"A", b"C")

    class Deaf(dict[str, str]):
        """Answers to a request for the old version as if it were the new one."""

        def get(self, path: str, default: object = None) -> str:  # type: ignore[override]
            return '"new"' if "If-Range" not in publisher.seen[-1].headers else Tag('"new"')

    class Tag(str):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = str.__hash__

    publisher.tags = Deaf()
    assert downloaded(publisher, tmp_path) == new


def test_without_a_version_only_what_has_a_checksum_goes_on(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.tags[FILE] = ""
    for checksum, goes_on in ((None, False), (CHECKSUM, True)):
        publisher.seen.clear()
        publisher.faults[FILE] = [Fault(cut=5000)]
        assert downloaded(publisher, tmp_path, checksum) == HAIRPINS
        assert ("Range" in publisher.asked(FILE)[1].headers) == goes_on


def test_a_server_without_ranges_sends_it_all_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.ranges = False
    publisher.faults[FILE] = [Fault(cut=5000)]
    assert downloaded(publisher, tmp_path, CHECKSUM) == HAIRPINS


def test_after_all_tries_were_cut_the_next_run_goes_on(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.faults[FILE] = [Fault(cut=1000) for _ in range(4)]
    assert "the connection was cut before the end of the file" in refused(publisher, tmp_path)
    assert downloaded(publisher, tmp_path) == HAIRPINS
    assert [seen.headers.get("Range") for seen in publisher.asked(FILE)] == [
        None,
        *(f"bytes={count}-" for count in (1000, 2000, 3000, 4000)),
    ]


def test_a_killed_download_goes_on(publisher: Publisher, tmp_path: Path) -> None:
    destination = tmp_path / "raw" / "hairpin.fa"
    publisher.files[FILE] = HAIRPINS * 20
    part = tmp_path / "raw" / ".hairpin.fa.part"
    publisher.faults[FILE] = [Fault(slow=30)]
    process = in_other_process(publisher.url + FILE, destination)
    note = part.with_name(f"{part.name}.json")
    while not (note.exists() and note.stat().st_size) and process.poll() is None:
        wait(0.02)
    process.kill()
    process.wait()
    assert not destination.exists()
    part.write_bytes(publisher.files[FILE][:50_000])  # as if it had come so far
    download(publisher.url + FILE, destination, checksum=None)
    assert destination.read_bytes() == publisher.files[FILE]
    assert publisher.asked(FILE)[-1].headers["Range"] == "bytes=50000-"
    assert not part.exists()


def test_what_was_whole_when_it_was_killed_is_asked_for_once_more(
    publisher: Publisher, tmp_path: Path
) -> None:
    """There is no byte behind the last one: 416."""
    part = tmp_path / "raw" / ".hairpin.fa.part"
    publisher.faults[FILE] = [Fault(cut=1000) for _ in range(4)]
    refused(publisher, tmp_path)
    part.write_bytes(HAIRPINS)
    assert downloaded(publisher, tmp_path) == HAIRPINS


def test_a_wrong_checksum_leaves_no_part(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hash"):
        download(publisher.url + FILE, tmp_path / "hairpin.fa", checksum="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_two_downloads_of_one_file_at_once_do_not_mix(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[FILE] = [Fault(slow=3), Fault(cut=3000)]
    destination = tmp_path / "raw" / "hairpin.fa"
    first = in_other_process(publisher.url + FILE, destination)
    while not publisher.seen and first.poll() is None:
        wait(0.02)
    download(publisher.url + FILE, destination, checksum=None)
    assert destination.read_bytes() == HAIRPINS
    assert first.wait(30) == 0
    assert destination.read_bytes() == HAIRPINS
    assert [path.name for path in destination.parent.iterdir()] == ["hairpin.fa"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_what_will_not_get_better_is_asked_once(
    publisher: Publisher, tmp_path: Path, status: int
) -> None:
    publisher.always[FILE] = Fault(status=status)
    kind = MissingError if status in (404, 410) else InputError
    assert f"failed ({status} " in refused(publisher, tmp_path, kind)
    assert len(publisher.seen) == 1
    assert list((tmp_path / "raw").iterdir()) == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_what_may_get_better_is_asked_again(
    publisher: Publisher, tmp_path: Path, status: int
) -> None:
    publisher.faults[FILE] = [Fault(status=status), Fault(status=status)]
    assert downloaded(publisher, tmp_path) == HAIRPINS
    publisher.always[FILE] = Fault(status=status)
    assert f"failed after 4 tries ({status} " in refused(publisher, tmp_path)
    assert len(publisher.seen) == 3 + 4


@pytest.mark.parametrize(
    ("requested", "waited"),
    [("7", 7), ("3600", 60), (formatdate(4102444800, usegmt=True), 60), ("x", 0)],
)
def test_a_server_that_asks_to_wait_is_waited_for_a_minute_at_most(
    publisher: Publisher, tmp_path: Path, waits: list[float], requested: str, waited: float
) -> None:
    publisher.faults[FILE] = [Fault(status=429, retry_after=requested)]
    assert downloaded(publisher, tmp_path) == HAIRPINS
    assert waits[0] == waited


def test_fewer_bytes_than_announced_are_no_file(publisher: Publisher, tmp_path: Path) -> None:
    publisher.tags[FILE] = ""
    publisher.always[FILE] = Fault(announced=len(HAIRPINS) + 1)
    assert "cut before the end" in refused(publisher, tmp_path)


def test_a_server_that_stops_in_the_middle_is_left(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
    publisher.faults[FILE] = [Fault(slow=1)]
    assert downloaded(publisher, tmp_path) == HAIRPINS
    publisher.always[FILE] = Fault(slow=1)
    assert "no answer within 0.2 s" in refused(publisher, tmp_path)


def test_a_packed_file_comes_as_it_is_published(publisher: Publisher, tmp_path: Path) -> None:
    """Some servers label a .gz as packed for the way, and clients unpack it then."""
    publisher.files[FILE] = packed(HAIRPINS)
    publisher.encoding = "x-gzip"
    assert downloaded(publisher, tmp_path) == packed(HAIRPINS)
    assert publisher.seen[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (PAGE, "the server sent a web page (title 'Down for maintenance') instead of sequences"),
        (b"\n <html><body>Sign in</body></html>", "a web page (title 'none')"),
        (b"<p>&gt;cel-let-7 MI0000001<br>UACAC<br></p>", "sequences as a web page"),
        (b'<?xml version="1.0"?><html><title>A &amp; B</title>', "a web page (title 'A & B')"),
        (packed(PAGE), "a web page (title 'Down"),
        (TOO_MANY, 'JSON (\'{"error":"API rate limit exceeded"'),
        (b"", "an empty file"),
        (b" \n", "an empty file"),
        (packed(b""), "an empty file"),
        (packed(HAIRPINS)[:-9], "a gzip file that does not unpack"),
        (packed(HAIRPINS)[:500] + b"x" * 50, "a gzip file that does not unpack"),
        (b"Error 42\n", "something that begins with 'Error 42'"),
        (b"MI0000001\n", "something that begins with 'MI0000001'"),
        (b"name,sequence\nx,ACGU\n", "something that begins with 'name,sequence'"),
    ],
)
def test_what_is_no_sequences_does_not_pass_for_them(
    publisher: Publisher, tmp_path: Path, body: bytes, message: str
) -> None:
    publisher.files[FILE] = body
    assert message in refused(publisher, tmp_path)
    assert list((tmp_path / "raw").iterdir()) == []
    mirror = mirror_path(tmp_path / "mirror", publisher.url + FILE)
    mirror.parent.mkdir(parents=True)
    mirror.write_bytes(body)
    with pytest.raises(InputError, match="the mirror has ") as caught:
        download(
            publisher.url + FILE,
            tmp_path / "a",
            checksum=None,
            mirror=tmp_path / "mirror",
            sequences=True,
        )
    assert message.removeprefix("the server sent ") in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        HAIRPINS,
        b"\xef\xbb\xbf\n" + HAIRPINS,
        b"# STOCKHOLM 1.0\n#=GF ID mir-1\n",
        b"accession,ID\nMI0000001,cel-let-7\n",
        b'"ID"\t"Accession"\r\ncel-let-7\tMI0000001\r\n',
        b"ex1\tcel-let-7\tMI0000001\tcel-let-7-5p\t-\tUACACUGUGG\n",
        b"format-version: 1.4\ndata-version: 22.1\n",
    ],
)
def test_sequences_in_the_usual_formats_are_taken(
    publisher: Publisher, tmp_path: Path, body: bytes
) -> None:
    for content in (body, packed(body)):
        publisher.files[FILE] = content
        assert downloaded(publisher, tmp_path) == content


def test_an_md5_is_checked_like_a_sha256(publisher: Publisher, tmp_path: Path) -> None:
    wrong = "md5:" + "0" * 32
    with pytest.raises(InputError, match="hash"):
        download(publisher.url + FILE, tmp_path / "a", checksum=wrong)
    mirror = mirror_path(tmp_path / "mirror", publisher.url + FILE)
    mirror.parent.mkdir(parents=True)
    mirror.write_bytes(HAIRPINS)
    with pytest.raises(InputError, match=r"has the MD5 [0-9a-f]{32}, expected was 0{32}"):
        download(publisher.url + FILE, tmp_path / "a", checksum=wrong, mirror=tmp_path / "mirror")
