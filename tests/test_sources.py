"""Downloads: what must arrive, what must never be left behind, and what the user reads."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, STAND_IN

from mirpair.files import InputError, sha256
from mirpair.sources import transfer
from mirpair.sources.download import download, mirror_path
from mirpair.sources.published import Source, family_files, read_sources

wait = time.sleep
CONTENT = b">1\nACGU\n" * 20
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT, or what the path asks for: errors, other bytes, a cut connection."""

    tries = 0
    fixed = False

    def do_GET(self) -> None:
        type(self).tries += 1
        kind = "good" if self.fixed else self.path.strip("/").removesuffix(".fa")
        if kind.isdigit() or (kind == "flaky" and self.tries < 3):
            self.send_error(int(kind) if kind.isdigit() else 503)
            return
        body = b"<html>sorry</html>" if kind == "wrong" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind.startswith("cut-"):
            body = body[: len(body) * int(kind[4:]) // 10]
        for start in range(0, len(body), 16):
            self.wfile.write(body[start : start + 16])
            if kind == "slow":
                wait(0.02)
            if kind == "stalled" and start:
                self.wfile.flush()
                wait(1.5)
            if kind == "gone" and start:
                self.server.socket.close()  # the next try finds no server
                return

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("time.sleep", lambda _: None)  # pooch waits longer after each try
    Server.tries = 0
    monkeypatch.setattr(http.server.ThreadingHTTPServer, "block_on_close", False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_download_arrives_complete_under_its_final_name(server: str, tmp_path: Path) -> None:
    destination = tmp_path / "deep" / "good.fa"
    assert download(f"{server}/good.fa", destination, checksum=CHECKSUM) == f"{server}/good.fa"
    assert destination.read_bytes() == CONTENT
    assert [path.name for path in destination.parent.iterdir()] == ["good.fa"]


def test_a_server_that_fails_twice_is_asked_again(server: str, tmp_path: Path) -> None:
    download(f"{server}/flaky.fa", tmp_path / "flaky.fa", checksum=CHECKSUM)
    assert (tmp_path / "flaky.fa").read_bytes() == CONTENT
    assert Server.tries == 3


@pytest.mark.parametrize(
    ("name", "reason", "checksum"),
    [
        ("wrong.fa", "hash", CHECKSUM),
        *(
            (name, reason, checksum)
            for checksum in (CHECKSUM, None)
            for name, reason in (
                ("404.fa", "404"),
                ("429.fa", "429"),
                ("500.fa", "500"),
                ("stalled.fa", "no answer within"),
                ("gone.fa", "connection"),
                *((f"cut-{tenth}.fa", "connection was cut") for tenth in range(10)),
            )
        ),
    ],
)
def test_a_failed_download_leaves_nothing_and_names_the_ways_out(
    server: str,
    tmp_path: Path,
    name: str,
    reason: str,
    checksum: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error, other bytes, a server that stops answering, that goes, or cuts at every tenth."""
    monkeypatch.setattr(transfer, "TIMEOUT", 0.5)
    with pytest.raises(InputError) as caught:
        download(f"{server}/{name}", tmp_path / name, checksum=checksum)
    message = str(caught.value)
    assert name in message
    assert reason in message
    for way_out in ("network", "mirror", "demo"):
        assert f"- {way_out}:" in message
    assert list(tmp_path.iterdir()) == []
    if name != "gone.fa":
        monkeypatch.setattr(Server, "fixed", True)
        download(f"{server}/{name}", tmp_path / name, checksum=checksum)
        assert (tmp_path / name).read_bytes() == CONTENT


def test_a_slow_server_is_waited_for(server: str, tmp_path: Path) -> None:
    download(f"{server}/slow.fa", tmp_path / "slow.fa", checksum=CHECKSUM)
    assert (tmp_path / "slow.fa").read_bytes() == CONTENT


def test_no_connection_is_said_in_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(InputError, match="no connection to the server"):
        download("http://127.0.0.1:9/file.fa", tmp_path / "file.fa", checksum=CHECKSUM)
    assert list(tmp_path.iterdir()) == []


def mirrored(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "mirror" / "example.org" / "data" / "file.fa"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return tmp_path / "mirror"


def test_a_mirror_is_looked_at_before_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = mirrored(tmp_path, CONTENT)
    download(
        "https://example.org/data/file.fa", tmp_path / "a.fa", checksum=CHECKSUM, mirror=mirror
    )
    assert (tmp_path / "a.fa").read_bytes() == CONTENT
    monkeypatch.setenv("MIRPAIR_MIRROR", str(mirror))
    download("https://example.org/data/file.fa", tmp_path / "b.fa", checksum=CHECKSUM)
    assert (tmp_path / "b.fa").read_bytes() == CONTENT


def test_a_wrong_file_in_the_mirror_is_refused(tmp_path: Path) -> None:
    mirror = mirrored(tmp_path, b"other bytes")
    with pytest.raises(InputError, match="SHA-256"):
        download(
            "https://example.org/data/file.fa", tmp_path / "a", checksum=CHECKSUM, mirror=mirror
        )
    assert not (tmp_path / "a").exists()


def test_a_mirror_that_is_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        download(
            "https://example.org/f", tmp_path / "f", checksum=None, mirror=tmp_path / "nowhere"
        )


def test_a_url_cannot_climb_out_of_the_mirror(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.\."):
        mirror_path(tmp_path, "https://example.org/../../etc/passwd")


def test_the_table_has_the_54_files_of_the_benchmark_and_those_of_later_stages() -> None:
    table = read_sources(ROOT / "config" / "sources.tsv")
    of = {name: [s for s in table if s.startswith(f"{name}/")] for name in ("do2018", "deepmir")}
    assert len(of["do2018"]) == 54
    assert len(of["deepmir"]) == 528
    assert {"mirbase21/hairpin.fa.gz", "mirbase21/miFam.dat"} <= table.keys()
    assert {"nrc/dataset_nRC_train.fasta", "nrc/dataset_nRC_test.fasta"} <= table.keys()
    for source in table.values():
        assert source.licence
        assert source.citation


def test_the_stand_in_mirror_has_the_same_files_with_its_own_checksums() -> None:
    real = read_sources(ROOT / "config" / "sources.tsv")
    for name, source in read_sources(ROOT / "tests" / "data" / "sources.tsv").items():
        assert source.url == real[name].url
        assert source.sha256 != real[name].sha256
        assert sha256(mirror_path(STAND_IN, source.url)) == source.sha256


def row(**changes: str) -> str:
    good = Source(
        name="a/b.fa", url="https://x.org/b", sha256="0" * 64, bytes=1, licence="x", citation="y"
    )
    values = {key: str(value) for key, value in good.model_dump().items()} | changes
    return "\t".join(values) + "\n" + "\t".join(values.values()) + "\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "abc"}, "column 'sha256': is 'abc', must be 64 digits 0-9 and a-f"),
        ({"bytes": "many"}, "column 'bytes': is 'many', must be a whole number"),
        ({"bytes": "0"}, "column 'bytes': is '0', must be above 0"),
        ({"url": "ftp://x"}, "column 'url': is 'ftp://x', must be an address that begins with"),
        (
            {"url": "pypi:x==1?wheel=0#a"},
            "column 'url': is 'pypi:x==1?wheel=0#a', must be an address",
        ),
        ({"name": "../escape"}, "column 'name': is '../escape', must be a folder and a file"),
        ({"licence": ""}, "column 'licence': is '', must not be empty"),
    ],
)
def test_a_bad_row_of_the_table_is_named_by_line_and_column(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    path = tmp_path / "sources.tsv"
    path.write_text(row(**changes))
    with pytest.raises(InputError, match="line 2") as caught:
        read_sources(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"", "the file is empty. It needs the columns name, url"),
        (b"name,url,sha256\n", "line 1: has no tab, but commas"),
        (row(colour="blue").encode(), "the columns must be name, url"),
    ],
)
def test_what_is_no_table_of_sources_is_said(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "sources.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"sources\.tsv") as caught:
        read_sources(path)
    assert message in str(caught.value)


def test_urls_that_differ_in_their_query_are_different_files_of_a_mirror(tmp_path: Path) -> None:
    one, two = (mirror_path(tmp_path, f"https://x.org/get?id={n}") for n in (1, 2))
    assert one != two


def test_a_downloaded_file_can_be_read_by_others(server: str, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    download(f"{server}/good.fa", tmp_path / "good.fa", checksum=CHECKSUM)
    assert (tmp_path / "good.fa").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_files_of_families_come_from_the_first_folder_that_has_any(tmp_path: Path) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    for folder, family in ((home, "a"), (home, "b"), (here, "c")):
        (folder / "rfam").mkdir(parents=True, exist_ok=True)
        (folder / "rfam" / f"{family}.fa").touch()
    template, listed = "rfam/{family}.fa", ["rfam/z.fa", "other/y.fa"]
    found = family_files(template, listed, [here, home])
    assert found == {"c": "rfam/c.fa", "z": "rfam/z.fa"}
    (here / "rfam" / "c.fa").unlink()
    assert list(family_files(template, [], [here, home])) == ["a", "b"]
    with pytest.raises(InputError, match=f"below {here}; "):
        family_files(template, [], [here])
