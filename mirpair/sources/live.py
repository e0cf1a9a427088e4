"""Live sources, whose bytes change without notice, and the lock file with their checksums.

A *place* names a source: a URL, or ``ncbi:`` and accessions.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from os import environ
from pathlib import Path
from typing import Annotated, get_args

from pydantic import BaseModel, ConfigDict, Field

from mirpair.files import InputError, atomic, file_lock, sha256
from mirpair.sources.download import MIRROR_VARIABLE, download, is_url, mirror_path, not_sequences
from mirpair.sources.ncbi import (
    Kind,
    check_accessions,
    check_assembly,
    download_accessions,
    download_assembly,
)
from mirpair.sources.published import Sha256, read_rows

_NCBI = "ncbi:"


class Locked(BaseModel):
    """One row of a lock file: what a place had at the first download or the last refresh."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    place: Annotated[str, Field(min_length=1)]
    sha256: Sha256
    bytes: Annotated[int, Field(gt=0)]
    # The day, in UTC, on which the publisher had these bytes.
    date: date
    # The publisher's name for it, otherwise the time of its last modification, if known.
    release: str


@dataclass(frozen=True, slots=True)
class Assembly:
    """A file of a genome assembly at NCBI."""

    accession: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Accessions:
    """Sequence records at NCBI, or their coding sequences."""

    accessions: tuple[str, ...]
    cds: bool


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The result of refreshing a place: its row as in `Locked`, and the origin of the bytes."""

    # SHA-256 of the locked file, and of the publisher's current one; empty on an error.
    old: str
    new: str = ""
    bytes: int = 0
    release: str = ""
    origin: str = ""
    # Why the download failed; then file and row are unchanged.
    error: str = ""

    @property
    def changed(self) -> bool:
        """Tell whether the file and its row were replaced."""
        return bool(self.new) and self.new != self.old


def is_remote(place: str) -> bool:
    """Tell whether a config's `place` is to be downloaded, from a URL or from NCBI."""
    return is_url(place) or place.startswith(_NCBI)


def parse_place(place: str) -> Assembly | Accessions | None:
    """Parse an ``ncbi:`` place; None for a URL, and an `InputError` for anything else.

    A place is ``ncbi:GCF_000146045.2/genome`` (``cds``, ``rna``), ``ncbi:NM_000014.6,NM_000015.3``,
    or with ``/cds`` for their coding sequences.
    """
    if is_url(place):
        return None
    if not place.startswith(_NCBI):
        raise InputError(f"{place}: is not a URL and does not begin with {_NCBI}; correct it")
    names, _, part = (text.strip() for text in place.removeprefix(_NCBI).partition("/"))
    if re.match("GC[AF]_", names):
        for kind in get_args(Kind):
            if part == kind:
                return Assembly(check_assembly(names), kind)
        raise InputError(
            f"{place}: choose the sequences of the assembly: {names}/genome, {names}/cds "
            f"(coding sequences) or {names}/rna (transcripts)"
        )
    if part not in ("", "cds"):
        raise InputError(f"{place}: after accessions, only /cds is possible, not /{part}")
    return Accessions(tuple(check_accessions(names.split(","))), part == "cds")


def canonical(place: str) -> str:
    """Normalise a place as in a lock file: ``ncbi:`` without spaces, each accession once."""
    named = parse_place(place)
    if isinstance(named, Assembly):
        return f"{_NCBI}{named.accession}/{named.kind}"
    if isinstance(named, Accessions):
        return f"{_NCBI}{','.join(named.accessions)}{'/cds' * named.cds}"
    return place


def raw_name(place: str) -> str:
    """Return the path of a remote place, which is not in the sources table, below `results/raw/`.

    A mirror folder has an ``ncbi:`` place with accessions at the same path.
    """
    place = canonical(place)
    named = parse_place(place)
    digest = hashlib.sha256(place.encode()).hexdigest()[:16]
    if isinstance(named, Assembly):
        return f"ncbi/{digest}_{named.accession}_{named.kind}.fna.gz"
    if isinstance(named, Accessions):
        count = len(named.accessions) - 1
        more = f"_and_{count}_more" if count else ""
        return f"ncbi/{digest}_{named.accessions[0]}{more}{'_cds' * named.cds}.fa"
    # File systems allow 255 characters; the end of a name says most.
    name = re.sub(r"[^A-Za-z0-9._-]", "_", Path(place).name)[-100:] or "file"
    return f"url/{digest}_{name}"


def read_lock(path: str | Path) -> dict[str, Locked]:
    """Read a lock file by place (errors: `read_rows`); a file that does not exist is empty."""
    return read_rows(path, Locked, "place", "lock file") if Path(path).exists() else {}


def _guard(lock: Path) -> Path:
    return lock.with_name(f".{lock.name}.lock")


def _write_lock(path: Path, rows: Mapping[str, Locked]) -> None:
    # If the path is a link, its target is written.
    with (
        atomic(path.resolve()) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(Locked.model_fields)
        for _, row in sorted(rows.items()):
            writer.writerow(row.model_dump(mode="json").values())


def _row(place: str, path: Path, release: str) -> Locked:
    return Locked(
        place=place,
        sha256=sha256(path),
        bytes=path.stat().st_size,
        date=datetime.now(UTC).date(),
        release=" ".join(release.split()),
    )


def _download(place: str, path: Path, mirror: str | Path | None) -> tuple[str, str]:
    """Download the current file of a place; return its origin and last modification."""
    headers: dict[str, str] = {}
    named = parse_place(place)
    if isinstance(named, Assembly):
        accession, kind = named.accession, named.kind
        origin = download_assembly(accession, kind, path, mirror=mirror, headers=headers)
    elif isinstance(named, Accessions):
        mirror = mirror or environ.get(MIRROR_VARIABLE)
        local = Path(mirror or "", raw_name(place))
        if mirror and local.is_file():
            if contents := not_sequences(local):
                raise InputError(f"{local}: the mirror has {contents} instead of sequences")
            with atomic(path) as temporary:
                shutil.copyfile(local, temporary)
            origin = str(local)
        else:
            origin = download_accessions(named.accessions, path, cds=named.cds)
    else:
        origin = download(
            place, path, checksum=None, mirror=mirror, sequences=True, headers=headers
        )
    return origin, headers.get("last-modified", "")


def download_locked(
    place: str,
    destination: str | Path,
    lock: str | Path,
    *,
    release: str = "",
    mirror: str | Path | None = None,
) -> str:
    """Download a live place: the locked bytes or, if it is not locked yet, the current ones.

    It is an `InputError` if the download fails, or the bytes differ from the locked ones; then
    there is no file at `destination`.

    Parameters
    ----------
    place
        A URL or an ``ncbi:`` place (see `parse_place`).
    lock
        TSV with the columns of `Locked`; a place that is not in it is added.
    release
        The publisher's name for the current version; by default the time of the last modification,
        if the server says it.
    destination, mirror
        As `mirpair.sources.download.download` takes them; the result is the origin of the bytes.
    """
    place, destination, lock = canonical(place), Path(destination), Path(lock)
    if locked := read_lock(lock).get(place):
        copy = _locked_copy(destination, locked)
        if copy.is_file() and sha256(copy) == locked.sha256:
            _link(copy, destination)
            return str(copy)
    # Not a random name, so that the next run resumes an interrupted download.
    temporary = destination.with_name(f".{destination.name}.new")
    try:
        origin, modified = _download(place, temporary, mirror)
        row = _row(place, temporary, release or modified)
        with file_lock(_guard(lock), wait=True):
            rows = read_lock(lock)
            if (locked := rows.get(place)) and locked.sha256 != row.sha256:
                raise InputError(_mismatch(row, locked, lock, origin, mirror))
            if not locked:
                _write_lock(lock, rows | {place: row})
        with atomic(destination) as final:
            temporary.replace(final)
    except InputError as error:
        raise InputError(str(error).replace(f"get {temporary.name}", f"get {place}")) from error
    finally:
        temporary.unlink(missing_ok=True)
    _link(destination, _locked_copy(destination, row))
    return origin


def _locked_copy(destination: Path, row: Locked) -> Path:
    """Return the path of a copy of locked bytes.

    The publisher may no longer have them when another study needs the file, or after Snakemake
    removed it.
    """
    return destination.parent.parent / "locked" / row.sha256


def _link(path: Path, other: Path) -> None:
    """Give a file another name, by a hard link where the disk supports it, else by a copy."""
    other.parent.mkdir(parents=True, exist_ok=True)
    with atomic(other) as temporary:
        temporary.unlink()
        try:
            temporary.hardlink_to(path)
        except OSError:
            shutil.copyfile(path, temporary)


def _mismatch(
    current: Locked, locked: Locked, lock: Path, origin: str, mirror: str | Path | None
) -> str:
    place = current.place
    # The command does not read the config, which may name the mirror.
    variable = f"{MIRROR_VARIABLE}={shlex.quote(str(mirror))} " if mirror else ""
    release = f" (release {locked.release})" if locked.release else ""
    if is_url(origin):
        path = mirror_path("MIRROR", origin)
    else:
        path = Path("MIRROR", raw_name(place)) if origin.startswith("NCBI") else Path(origin)
    return (
        f"{place} differs from the file locked on {locked.date}{release}: SHA-256 now "
        f"{current.sha256}, "
        f"locked {locked.sha256}.\n"
        "What you can do:\n"
        f"  - to use the locked file, put it into a mirror as {path} and name the\n"
        f"    folder as `mirror` in the config or in the variable {MIRROR_VARIABLE};\n"
        f"  - to use the new file: {variable}mirpair refresh {shlex.quote(str(lock))} "
        f"{shlex.quote(place)}"
    )


def check_locked(
    lock: str | Path, files: Mapping[str, Path], *, releases: Mapping[str, str] | None = None
) -> None:
    """Check files of live places that are here already, and lock those that are not locked.

    Arguments and errors are those of `compare_locked`.
    """
    current = compare_locked(lock, files, releases=releases)
    lock, paths = Path(lock), {canonical(place): path for place, path in files.items()}
    if missing := {place: row for place, row in current.items() if place not in read_lock(lock)}:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(_guard(lock), wait=True):
            _write_lock(lock, missing | read_lock(lock))
    for place, row in current.items():
        if not _locked_copy(paths[place], row).is_file():
            _link(paths[place], _locked_copy(paths[place], row))


def compare_locked(
    lock: str | Path, files: Mapping[str, Path], *, releases: Mapping[str, str] | None = None
) -> dict[str, Locked]:
    """Compare files of live places that are here already with the lock file; write nothing.

    The result has a row for each file that is here, by canonical place. It is an `InputError` if a
    file is empty or differs from the locked one, as after someone else's refresh.

    Parameters
    ----------
    lock, releases
        As `download_locked` takes them, the release of each place.
    files
        Place to its file, which need not exist.
    """
    for place, path in files.items():
        if path.is_file() and not path.stat().st_size:
            raise InputError(
                f"{path}: is empty; delete it, and the next run downloads {place} again"
            )
    current = {
        canonical(place): _row(canonical(place), path, (releases or {}).get(place, ""))
        for place, path in files.items()
        if path.is_file()
    }
    paths = {canonical(place): path for place, path in files.items()}
    for place, row in current.items():
        if (locked := read_lock(lock).get(place)) and locked.sha256 != row.sha256:
            raise InputError(
                f"{paths[place]} differs from the file of {place} recorded in {lock} on "
                f"{locked.date}. To get the recorded file, delete this one and run again. To use "
                f"the source's current file: mirpair refresh {shlex.quote(str(lock))} "
                f"{shlex.quote(place)}"
            )
    return current


def locked_rows(
    lock: str | Path, files: Mapping[str, Path], *, releases: Mapping[str, str] | None = None
) -> dict[str, Locked]:
    """Return the rows of a lock file, by place as in `files`, of those that are locked.

    A file that is here and not locked, because another study downloaded it, is locked first.
    Arguments and errors are those of `check_locked`.
    """
    rows = read_lock(lock)
    unlocked = {place: path for place, path in files.items() if canonical(place) not in rows}
    check_locked(lock, unlocked, releases=releases)
    rows = read_lock(lock)
    return {place: rows[canonical(place)] for place in sorted(files) if canonical(place) in rows}


def refresh(
    lock: str | Path,
    destinations: Mapping[str, Path],
    *,
    releases: Mapping[str, str] | None = None,
    mirror: str | Path | None = None,
) -> dict[str, Refreshed]:
    """Download locked places again; replace the files and rows of those that changed.

    For an unchanged place, only the date in the lock file is updated, and the release if one is
    given. A place whose download fails keeps its file and its row, and the others follow.

    The results are by place. It is an `InputError` if the lock file cannot be read or lacks a
    place; then nothing was done.

    Parameters
    ----------
    lock, releases
        As `check_locked` takes them.
    destinations
        Place to its file.
    mirror
        As `download_locked` takes it; its files count as what the publisher has now.
    """
    lock = Path(lock)
    rows = read_lock(lock)
    for place in destinations:
        if canonical(place) not in rows:
            raise InputError(f"{lock}: has no source {place}; it has {', '.join(rows) or 'none'}")
    return {
        place: _refreshed(lock, place, path, (releases or {}).get(place, ""), mirror)
        for place, path in destinations.items()
    }


def _refreshed(
    lock: Path, place: str, destination: Path, release: str, mirror: str | Path | None
) -> Refreshed:
    place = canonical(place)
    old = read_lock(lock)[place]
    temporary = destination.with_name(f".{destination.name}.new")
    try:
        origin, modified = _download(place, temporary, mirror)
        row = _row(place, temporary, release or modified)
        with file_lock(_guard(lock), wait=True):
            if row.sha256 == old.sha256:
                new_release = row.release if release else old.release
                row = old.model_copy(update={"date": row.date, "release": new_release})
            else:
                # The file first: after a kill here, the next refresh finds the same change.
                with atomic(destination) as final:
                    temporary.replace(final)
                _link(destination, _locked_copy(destination, row))
            _write_lock(lock, read_lock(lock) | {place: row})
    except InputError as error:
        return Refreshed(old.sha256, error=str(error))
    finally:
        temporary.unlink(missing_ok=True)
    return Refreshed(old.sha256, row.sha256, row.bytes, row.release, origin)
