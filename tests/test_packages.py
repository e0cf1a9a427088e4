"""Files within packages of PyPI and Debian: what must arrive, and what the user reads."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import multiprocessing
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from server import Fault, Publisher, publishing

from mirpair.files import InputError, sha256
from mirpair.sources import download as downloads
from mirpair.sources.download import MissingError, download, mirror_path
from mirpair.sources.packages import download_wheel, parse_url
from mirpair.sources.published import Source

CONTENT = b">1\nACGU\n" * 20
OF_WHEEL = b">2\nACGU\n" * 20
GENOME = b">chromosome\n" + bytes(range(256)) * 400
POOL = "pool/main/s/some+thing/some-genomes_1.0~rc1-2_all.deb"
NEWEST, SNAPSHOT = f"/debian/{POOL}", f"/snapshot/{POOL}"


# What builds a package, inside it: so that nothing else is needed, and that it tells if it is run.
BACKEND = """
import pathlib
def prepare_metadata_for_build_wheel(folder, settings=None):
    pathlib.Path({marker!r}).touch()
    made = pathlib.Path(folder, "thing-1.0.dist-info")
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n")
    (made / "WHEEL").write_text("Wheel-Version: 1.0\\n")
    return made.name
def build_wheel(folder, settings=None, metadata=None):
    raise RuntimeError
"""
PROJECT = "[build-system]\nrequires = []\nbuild-backend = 'own'\nbackend-path = ['.']\n"


@pytest.fixture
def index(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index in a folder, which pip takes for all there is: an archive and a wheel."""
    folder = tmp_path_factory.mktemp("index")
    files = {
        "thing-1.0/pyproject.toml": PROJECT.encode(),
        "thing-1.0/own.py": BACKEND.format(marker=str(folder / "was-run")).encode(),
        "thing-1.0/thing/data/table.csv": CONTENT,
        "thing-1.0/table.csv": b"another",
    }
    with tarfile.open(folder / "thing-1.0.tar.gz", "w:gz") as archive:
        for name in ("thing-1.0", "thing-1.0/thing", "thing-1.0/thing/data"):
            subfolder = tarfile.TarInfo(name)
            subfolder.type, subfolder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(subfolder)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with zipfile.ZipFile(folder / "thing-1.0-py3-none-any.whl", "w") as wheel:
        about = "thing-1.0.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
        wheel.writestr("thing/data/table.csv", OF_WHEEL)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    return folder


def requirement(index: Path, name: str) -> str:
    return f"thing==1.0 --hash=sha256:{sha256(index / name)}"


def in_archive(index: Path, member: str = "thing/data/table.csv") -> str:
    return f"pypi:thing==1.0?sha256={sha256(index / 'thing-1.0.tar.gz')}#{member}"


def in_wheel(index: Path, member: str = "thing/data/table.csv") -> str:
    return f"pypi:thing==1.0?wheel={sha256(index / 'thing-1.0-py3-none-any.whl')}#{member}"


def in_deb(package: bytes, member: str = "usr/share/genomes/a.fa") -> str:
    return f"debian:{POOL}?sha256={hashlib.sha256(package).hexdigest()}#{member}"


def ar(**members: bytes) -> bytes:
    """An archive as of `ar`; in names, _ is a dot."""
    archive = b"!<arch>\n"
    for name, content in members.items():
        head = f"{name.replace('_', '.'):16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n"
        archive += head.encode() + content + b"\n" * (len(content) % 2)
    return archive


def tar(**members: bytes) -> bytes:
    """A tar file with a folder, files below it and links, also to what is outside."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        folder = tarfile.TarInfo("./usr/share/genomes")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, target in (("link", "a.fa"), ("passwd", "/etc/passwd")):
            link = tarfile.TarInfo(f"./usr/share/genomes/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
        for name, content in {"../../escape": b"evil", "./other.fa": b"other"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for name, content in members.items():
            entry = tarfile.TarInfo(f"./usr/share/genomes/{name}.fa")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def deb(suffix: str, pack: Callable[[bytes], bytes]) -> bytes:
    return ar(
        debian_binary=b"2.0\n",
        control_tar_gz=b"odd",
        **{f"data_tar{suffix}": pack(tar(a=GENOME, b=GENOME[::-1]))},
    )


XZ = deb("_xz", lzma.compress)


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """Debian's server with one package, and its archive of all days, which is empty."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    with publishing() as running:
        servers = (f"{running.url}/debian/", f"{running.url}/snapshot/")
        monkeypatch.setattr(downloads, "DEBIAN", servers)
        running.files[NEWEST] = XZ
        yield running


@pytest.mark.parametrize(
    ("named", "content"), [(in_archive, CONTENT), (in_wheel, OF_WHEEL)], ids=["archive", "wheel"]
)
def test_a_file_of_a_package_of_pypi_is_a_row_of_the_sources_table(
    index: Path, tmp_path: Path, named: Callable[..., str], content: bytes
) -> None:
    checksum = hashlib.sha256(content).hexdigest()
    fields = {"sha256": checksum, "bytes": len(content), "licence": "x", "citation": "y"}
    source = Source.model_validate({"name": "mirbase/all.csv", "url": named(index), **fields})
    path = tmp_path / "deep" / "all.fa"
    assert download(source.url, path, checksum=checksum, sequences=True) == source.url
    assert path.read_bytes() == content
    with pytest.raises(InputError, match=f"has the SHA-256 {checksum}, expected was 0{{64}}"):
        download(source.url, tmp_path / "other", checksum="0" * 64)
    assert not (tmp_path / "other").exists()
    in_mirror = tmp_path / "mirror" / "pypi" / "thing==1.0" / "thing" / "data" / "table.csv"
    in_mirror.parent.mkdir(parents=True)
    in_mirror.write_bytes(content)
    origin = download(source.url, tmp_path / "b", checksum=checksum, mirror=tmp_path / "mirror")
    assert origin == str(in_mirror)


def test_of_a_package_the_file_with_this_path_arrives_and_not_another_of_its_name(
    index: Path, tmp_path: Path
) -> None:
    for named, others in (
        (in_archive, ("thing/data", "data/table.csv", "thing-1.0/table.csv")),
        (in_wheel, ("thing/data/", "data/table.csv", "table.csv")),
    ):
        for missing in others:
            with pytest.raises(InputError, match=f"thing==1.0: has no file {missing}"):
                download(named(index, missing), tmp_path / "missing", checksum=None)
    assert (index / "was-run").exists(), "as pip does with what has the right bytes"
    assert [path.name for path in tmp_path.iterdir()] == ["packages"]


def test_the_next_file_of_a_package_does_not_download_it_again(index: Path, tmp_path: Path) -> None:
    urls = [in_archive(index), in_wheel(index)]
    for url in urls:
        download(url, tmp_path / "a" / "1", checksum=None, packages=tmp_path / "packages")
    names = sorted(path.name for path in (tmp_path / "packages").iterdir())
    assert names == ["thing==1.0.tar.gz", "thing==1.0.whl"]
    for path in index.glob("thing-1.0*"):
        path.unlink()
    for url, content in zip(urls, (CONTENT, OF_WHEEL), strict=True):
        download(url, tmp_path / "b" / "2", checksum=None, packages=tmp_path / "packages")
        assert (tmp_path / "b" / "2").read_bytes() == content


def test_a_package_with_other_bytes_is_refused_and_nothing_of_it_is_run(
    index: Path, tmp_path: Path
) -> None:
    for kind in ("sha256", "wheel"):
        url = f"pypi:thing==1.0?{kind}={'0' * 64}#table.csv"
        with pytest.raises(InputError, match=r"pip could not download thing==1\.0") as caught:
            download(url, tmp_path / "a", checksum=None)
        assert "into a mirror as MIRROR/pypi/thing==1.0/table.csv" in str(caught.value)
    assert not (tmp_path / "a").exists()
    assert not (index / "was-run").exists()


def test_a_package_that_the_index_does_not_have_names_the_ways_out(
    index: Path, tmp_path: Path
) -> None:
    url = f"pypi:other==2?sha256={'0' * 64}#table.csv"
    with pytest.raises(InputError, match=r"(?s)download other==2: .*Check the connection"):
        download(url, tmp_path / "a", checksum=None)
    assert list((tmp_path / "packages").iterdir()) == []


def test_a_wheel_is_brought_as_it_is(index: Path, tmp_path: Path) -> None:
    name = "thing-1.0-py3-none-any.whl"
    download_wheel(requirement(index, name), tmp_path / "deep" / "my.whl")
    assert (tmp_path / "deep" / "my.whl").read_bytes() == (index / name).read_bytes()
    with pytest.raises(InputError, match=r"pip could not download thing==1\.0"):
        download_wheel(requirement(index, "thing-1.0.tar.gz"), tmp_path / "other.whl")
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert not (index / "was-run").exists()


@pytest.mark.parametrize(
    "package",
    [
        XZ,
        deb("_gz", gzip.compress),
        deb("_bz2", bz2.compress),
        deb("", bytes),
        # GNU's ar ends names with a slash.
        deb("_xz/", lzma.compress),
    ],
    ids=["xz", "gz", "bz2", "tar", "gnu"],
)
def test_a_file_of_a_debian_package_arrives_and_nothing_else_of_it(
    debian: Publisher, tmp_path: Path, package: bytes
) -> None:
    debian.files[NEWEST] = package
    for name, content in (("a", GENOME), ("b", GENOME[::-1])):
        url = in_deb(package, f"usr/share/genomes/{name}.fa")
        path = tmp_path / "raw" / "genomes" / f"{name}.fa"
        checksum = hashlib.sha256(content).hexdigest()
        assert download(url, path, checksum=checksum, packages=tmp_path / "raw" / "packages") == url
        assert path.read_bytes() == content
    assert len(debian.seen) == 1, "one download for all files of the package"
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    kept = f"raw/packages/{POOL.rpartition('/')[2]}"
    assert sorted(map(str, files)) == ["raw/genomes/a.fa", "raw/genomes/b.fa", kept]


@pytest.mark.parametrize(
    "member",
    ["a.fa", "usr/share/genomes", "usr/share/genomes/link", "usr/share/genomes/passwd", "escape"],
)
def test_only_plain_files_of_a_debian_package_are_files(
    debian: Publisher, tmp_path: Path, member: str
) -> None:
    with pytest.raises(InputError, match=f"has no file {member}"):
        download(in_deb(XZ, member), tmp_path / "raw" / "a", checksum=None)
    assert not (tmp_path / "raw" / "a").exists()


def test_what_debian_no_longer_has_comes_from_its_archive_of_all_days(
    debian: Publisher, tmp_path: Path
) -> None:
    debian.files[SNAPSHOT] = debian.files.pop(NEWEST)
    download(in_deb(XZ), tmp_path / "a.fa", checksum=None)
    assert (tmp_path / "a.fa").read_bytes() == GENOME
    assert [seen.path for seen in debian.seen] == [NEWEST, SNAPSHOT]


def test_a_debian_package_that_is_nowhere_names_the_ways_out(
    debian: Publisher, tmp_path: Path
) -> None:
    debian.files.clear()
    with pytest.raises(MissingError, match="cannot get some-genomes_1") as caught:
        download(in_deb(XZ), tmp_path / "a.fa", checksum=None)
    assert "put the file into a folder as MIRROR/" in str(caught.value)
    assert not (tmp_path / "a.fa").exists()


def test_a_server_that_is_down_does_not_mean_that_debian_lacks_the_package(
    debian: Publisher, tmp_path: Path
) -> None:
    debian.always[NEWEST] = Fault(status=503)
    with pytest.raises(InputError, match="failed after 4 tries"):
        download(in_deb(XZ), tmp_path / "a.fa", checksum=None)
    assert debian.asked(SNAPSHOT) == []


def test_a_debian_package_that_was_cut_goes_on_where_it_stopped(
    debian: Publisher, tmp_path: Path
) -> None:
    debian.faults[NEWEST] = [Fault(cut=100) for _ in range(4)]
    with pytest.raises(InputError, match="cut before the end"):
        download(in_deb(XZ), tmp_path / "a.fa", checksum=None)
    download(in_deb(XZ), tmp_path / "a.fa", checksum=None)
    assert (tmp_path / "a.fa").read_bytes() == GENOME
    assert debian.seen[-1].headers["Range"] == "bytes=400-"


def test_a_debian_package_with_other_bytes_is_refused(debian: Publisher, tmp_path: Path) -> None:
    debian.files[NEWEST] = deb("_gz", gzip.compress)
    with pytest.raises(InputError, match="hash"):
        download(in_deb(XZ), tmp_path / "a.fa", checksum=None)
    assert not (tmp_path / "a.fa").exists()
    assert list((tmp_path / "packages").iterdir()) == []


def test_a_damaged_copy_of_a_package_is_downloaded_again(debian: Publisher, tmp_path: Path) -> None:
    for _ in range(2):
        download(in_deb(XZ), tmp_path / "a.fa", checksum=None)
        (copy,) = (tmp_path / "packages").iterdir()
        assert copy.read_bytes() == XZ
        copy.write_bytes(XZ[:-5])
    assert len(debian.seen) == 2


def _download(url: str, path: Path, servers: tuple[str, ...], packages: Path) -> None:
    downloads.DEBIAN = servers
    download(url, path, checksum=None, packages=packages)


def test_jobs_that_need_one_package_at_the_same_time_download_it_once(
    debian: Publisher, tmp_path: Path
) -> None:
    debian.always[NEWEST] = Fault(slow=1)
    spawning = multiprocessing.get_context("spawn")
    jobs = []
    for name in "ab":
        path = tmp_path / "raw" / name / f"{name}.fa"
        url = in_deb(XZ, f"usr/share/genomes/{name}.fa")
        given = (url, path, downloads.DEBIAN, tmp_path / "raw" / "packages")
        jobs.append(spawning.Process(target=_download, args=given))
        jobs[-1].start()
    for job in jobs:
        job.join(60)
        assert job.exitcode == 0
    assert (tmp_path / "raw" / "a" / "a.fa").read_bytes() == GENOME
    assert (tmp_path / "raw" / "b" / "b.fa").read_bytes() == GENOME[::-1]
    assert len(debian.seen) == 1


def test_a_mirror_may_have_the_file_or_the_package(debian: Publisher, tmp_path: Path) -> None:
    url, mirror = in_deb(XZ), tmp_path / "mirror"
    package = mirror_path(mirror, debian.url + NEWEST)
    package.parent.mkdir(parents=True)
    package.write_bytes(XZ)
    assert download(url, tmp_path / "a.fa", checksum=None, mirror=mirror) == url
    assert (tmp_path / "a.fa").read_bytes() == GENOME
    member = mirror / "debian" / POOL / "usr" / "share" / "genomes" / "a.fa"
    assert mirror_path(mirror, url) == member
    member.parent.mkdir(parents=True)
    member.write_bytes(b"of the mirror")
    assert download(url, tmp_path / "b.fa", checksum=None, mirror=mirror) == str(member)
    assert debian.seen == []


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (b"<html>", "it is no Debian package"),
        (ar(debian_binary=b"2.0\n"), "it has no data.tar"),
        (b"!<arch>\n" + b"x" * 70, "it has no data.tar"),
        (ar(data_tar_xz=b"odd"), "cannot be read"),
        (XZ[: len(XZ) // 2], "cannot be read"),
    ],
    ids=["page", "without-data", "no-ar", "no-tar", "half"],
)
def test_a_package_that_cannot_be_read_is_said(
    debian: Publisher, tmp_path: Path, package: bytes, message: str
) -> None:
    debian.files[NEWEST] = package
    with pytest.raises(InputError, match=message) as caught:
        download(in_deb(package, "usr/share/genomes/b.fa"), tmp_path / "a.fa", checksum=None)
    assert POOL in str(caught.value)
    assert not (tmp_path / "a.fa").exists()


@pytest.mark.skipif("zst" in tarfile.TarFile.OPEN_METH, reason="this Python has zstd")
def test_a_package_of_ubuntu_needs_a_python_with_zstd(debian: Publisher, tmp_path: Path) -> None:
    package = debian.files[NEWEST] = deb("_zst", bytes)
    with pytest.raises(InputError, match=r"packed by zstd, which needs Python 3\.14"):
        download(in_deb(package), tmp_path / "a.fa", checksum=None)


@pytest.mark.parametrize(
    "url",
    [
        "pypi:thing#table.csv",
        f"pypi:thing==1.0?md5={'0' * 64}#a",
        f"pypi:thing==1.0?wheel={'0' * 64}",
        f"debian:{POOL}?wheel={'0' * 64}#a",
        f"debian:pool/../../x.deb?sha256={'0' * 64}#a",
        f"debian:dists/x.deb?sha256={'0' * 64}#a",
        f"debian:pool/main/x.deb?sha256={'0' * 63}#a",
    ],
)
def test_what_is_no_file_of_a_package_is_said(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match=r"is written pypi:name==1\.0\?sha256=.* or debian:pool/"):
        download(url, tmp_path / "a", checksum=None)
    assert not (tmp_path / "a").exists()


def test_no_file_of_a_package_can_climb_out_of_the_mirror(index: Path, tmp_path: Path) -> None:
    for url in (in_archive(index, "../../x"), in_wheel(index, "../x"), in_deb(XZ, "usr/../../x")):
        with pytest.raises(InputError, match=r"\.\."):
            mirror_path(tmp_path, url)
    assert parse_url(in_deb(XZ, "/etc/x")).mirrored == Path("debian", POOL, "etc", "x")
