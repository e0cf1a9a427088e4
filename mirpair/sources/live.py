"""Live sources: places whose bytes change without notice, and the lock file that says so."""

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
from mirpair.sources.contents import not_sequences
from mirpair.sources.download import MIRROR_VARIABLE, download, is_url, mirror_path
from mirpair.sources.ncbi import (
    Kind,
    check_accessions,
    check_assembly,
    download_accessions,
    download_assembly,
)
from mirpair.sources.published import read_rows

_NCBI = "ncbi:"
# How a workflow tells its scripts of its lock file, and of what is said of releases.
LIVE_VARIABLE = "MIRPAIR_LIVE"


class Locked(BaseModel):
    """One row of a lock file: what a live place had when it was first brought.

    Attributes
    ----------
    place
        As in the config: a URL, or ``ncbi:`` and accessions.
    sha256, bytes
        What it was.
    date
        The day, in UTC, on which the publisher had these bytes.
    release
        The publisher's name for it, else when it was last modified there, as far as known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    place: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(gt=0)]
    date: date
    release: str


@dataclass(frozen=True, slots=True)
class Assembly:
    """A file of an assembly of NCBI."""

    accession: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Accessions:
    """Sequence records of NCBI, or their coding sequences."""

    accessions: tuple[str, ...]
    cds: bool


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found at a place.

    Attributes
    ----------
    old, new
        SHA-256 of the locked file, and of the publisher's now; the new one is empty on an error.
    bytes
        Size of the new file.
    release
        The publisher's name for it, else when it was last modified there, as far as known.
    origin
        Where the bytes came from.
    error
        Why the place could not be brought; its file and its row are as they were.
    """

    old: str
    new: str = ""
    bytes: int = 0
    release: str = ""
    origin: str = ""
    error: str = ""

    @property
    def changed(self) -> bool:
        """Whether the file and its row were replaced."""
        return bool(self.new) and self.new != self.old


def is_remote(place: str) -> bool:
    """Whether a config's `place` is something to download, from a URL or from NCBI."""
    return is_url(place) or place.startswith(_NCBI)


def parse(place: str) -> Assembly | Accessions | None:
    """What an ``ncbi:`` place names; None for a URL.

    Parameters
    ----------
    place
        ``ncbi:GCF_000146045.2/genome`` (``cds``, ``rna``), ``ncbi:NM_000014.6,NM_000015.3``, or
        with ``/cds`` for their coding sequences.

    Raises
    ------
    InputError
        If it is neither.
    """
    if is_url(place):
        return None
    if not place.startswith(_NCBI):
        raise InputError(f"{place}: is no URL and does not begin with {_NCBI}; correct the place")
    names, _, wanted = (part.strip() for part in place.removeprefix(_NCBI).partition("/"))
    if re.match("GC[AF]_", names):
        for kind in get_args(Kind):
            if wanted == kind:
                return Assembly(check_assembly(names), kind)
        raise InputError(
            f"{place}: say which sequences of the assembly: {names}/genome, {names}/cds "
            f"(coding sequences) or {names}/rna (transcripts)"
        )
    if wanted not in ("", "cds"):
        raise InputError(f"{place}: after accessions only /cds is known, not /{wanted}")
    return Accessions(tuple(check_accessions(names.split(","))), wanted == "cds")


def canonical(place: str) -> str:
    """The place as a lock file has it: of ``ncbi:`` without spaces, each accession once."""
    named = parse(place)
    if isinstance(named, Assembly):
        return f"{_NCBI}{named.accession}/{named.kind}"
    if isinstance(named, Accessions):
        return f"{_NCBI}{','.join(named.accessions)}{'/cds' * named.cds}"
    return place


def raw_name(place: str) -> str:
    """Where a remote place of the config, which is no row of the sources table, is kept.

    Below `results/raw/`; of an ``ncbi:`` place with accessions, below a mirror folder too.
    """
    place = canonical(place)
    named = parse(place)
    digest = hashlib.sha256(place.encode()).hexdigest()[:16]
    if isinstance(named, Assembly):
        return f"ncbi/{digest}_{named.accession}_{named.kind}.fna.gz"
    if isinstance(named, Accessions):
        count = len(named.accessions) - 1
        more = f"_and_{count}_more" if count else ""
        return f"ncbi/{digest}_{named.accessions[0]}{more}{'_cds' * named.cds}.fa"
    # The end of a name tells most; file systems take 255 characters.
    name = re.sub(r"[^A-Za-z0-9._-]", "_", Path(place).name)[-100:] or "file"
    return f"url/{digest}_{name}"


def read_lock(path: str | Path) -> dict[str, Locked]:
    """Read a lock file, by place; there is nothing in one that does not exist.

    Raises
    ------
    InputError
        If a column is missing or unknown, a value is not valid or a place stands twice; the
        message names the line.
    """
    return read_rows(path, Locked, "place", "lock file") if Path(path).exists() else {}


def _alone_with(lock: Path) -> Path:
    return lock.with_name(f".{lock.name}.lock")


def _write_lock(path: Path, rows: Mapping[str, Locked]) -> None:
    # A link stays a link: what it points to is written.
    with (
        atomic(path.resolve()) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(Locked.model_fields)
        for _, row in sorted(rows.items()):
            writer.writerow(row.model_dump(mode="json").values())


def _today() -> date:
    return datetime.now(UTC).date()


def _row(place: str, path: Path, release: str) -> Locked:
    return Locked(
        place=place,
        sha256=sha256(path),
        bytes=path.stat().st_size,
        date=_today(),
        release=" ".join(release.split()),
    )


def _download(place: str, path: Path, mirror: str | Path | None) -> tuple[str, str]:
    """Bring a place as it is now; where from, and when it was last modified there if known."""
    headers: dict[str, str] = {}
    named = parse(place)
    if isinstance(named, Assembly):
        accession, kind = named.accession, named.kind
        origin = download_assembly(accession, kind, path, mirror=mirror, headers=headers)
    elif isinstance(named, Accessions):
        mirror = mirror or environ.get(MIRROR_VARIABLE)
        local = Path(mirror or "", raw_name(place))
        if mirror and local.is_file():
            if found := not_sequences(local):
                raise InputError(f"{local}: the mirror has {found} in place of sequences")
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
    """Bring a live place to `destination`: the bytes that are locked, else those of now.

    Parameters
    ----------
    place
        A URL or an ``ncbi:`` place (see `parse`).
    destination
        Its final name, taken only by a complete and checked file.
    lock
        TSV with the columns of `Locked`; a place that is not in it is added.
    release
        The publisher's name for what is there now; else it is when the file was last modified
        there, if the server says so.
    mirror
        A folder that is looked at first; None asks the environment variable `MIRPAIR_MIRROR`.

    Returns
    -------
    str
        Where the bytes came from.

    Raises
    ------
    InputError
        If it cannot be brought, or is not what is locked; nothing is left under `destination`.
    """
    place, destination, lock = canonical(place), Path(destination), Path(lock)
    if locked := read_lock(lock).get(place):
        kept = _kept(destination, locked)
        if kept.is_file() and sha256(kept) == locked.sha256:
            _link(kept, destination)
            return str(kept)
    # Not a random name: what is brought half is gone on with the next time.
    temporary = destination.with_name(f".{destination.name}.new")
    try:
        origin, modified = _download(place, temporary, mirror)
        row = _row(place, temporary, release or modified)
        with file_lock(_alone_with(lock), wait=True):
            rows = read_lock(lock)
            if (locked := rows.get(place)) and locked.sha256 != row.sha256:
                raise InputError(_other(row, locked, lock, origin))
            if not locked:
                _write_lock(lock, rows | {place: row})
        with atomic(destination) as final:
            temporary.replace(final)
    except InputError as error:
        raise InputError(str(error).replace(f"get {temporary.name}", f"get {place}")) from error
    finally:
        temporary.unlink(missing_ok=True)
    _link(destination, _kept(destination, row))
    return origin


def _kept(destination: Path, row: Locked) -> Path:
    """Where locked bytes stay: a publisher may not have them when a file has to be brought again,
    as for another study, or after Snakemake removed it.
    """
    return destination.parent.parent / "locked" / row.sha256


def _link(path: Path, other: Path) -> None:
    """The same bytes under another name, in no more room where the disk can do that."""
    other.parent.mkdir(parents=True, exist_ok=True)
    with atomic(other) as temporary:
        temporary.unlink()
        try:
            temporary.hardlink_to(path)
        except OSError:
            shutil.copyfile(path, temporary)


def _other(found: Locked, locked: Locked, lock: Path, origin: str) -> str:
    place = found.place
    release = f" (release {locked.release})" if locked.release else ""
    if is_url(origin):
        kept = mirror_path("MIRROR", origin)
    else:
        kept = Path("MIRROR", raw_name(place)) if origin.startswith("NCBI") else Path(origin)
    return (
        f"{place} is not what was locked on {locked.date}{release}: SHA-256 now {found.sha256}, "
        f"locked {locked.sha256}.\n"
        "What you can do:\n"
        f"  - to go on with the locked file, put it into a mirror as {kept} and name the\n"
        f"    folder as `mirror` in the config or in the variable {MIRROR_VARIABLE};\n"
        f"  - to take the new one: mirpair refresh {shlex.quote(str(lock))} {shlex.quote(place)}"
    )


def check_locked(
    lock: str | Path, files: Mapping[str, Path], *, releases: Mapping[str, str] | None = None
) -> None:
    """Check files of live places that are here already; those that nobody locked are locked.

    Parameters
    ----------
    lock
        See `download_locked`.
    files
        Place to the file of it, which need not be there.
    releases
        Place to the publisher's name for what is there now.

    Raises
    ------
    InputError
        If a file is another one than is locked, as after someone else's refresh.
    """
    lock = Path(lock)
    for place, path in files.items():
        if path.is_file() and not path.stat().st_size:
            raise InputError(f"{path}: is empty; remove it to have {place} brought again")
    found = {
        canonical(place): _row(canonical(place), path, (releases or {}).get(place, ""))
        for place, path in files.items()
        if path.is_file()
    }
    paths = {canonical(place): path for place, path in files.items()}
    for place, row in found.items():
        if (locked := read_lock(lock).get(place)) and locked.sha256 != row.sha256:
            raise InputError(
                f"{paths[place]} is not what {lock} says that {place} was on {locked.date}: remove "
                "it to have what is locked brought again, or, to take what the source has now: "
                f"mirpair refresh {shlex.quote(str(lock))} {shlex.quote(place)}"
            )
    if missing := {place: row for place, row in found.items() if place not in read_lock(lock)}:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(_alone_with(lock), wait=True):
            _write_lock(lock, missing | read_lock(lock))
    for place, row in found.items():
        if not _kept(paths[place], row).is_file():
            _link(paths[place], _kept(paths[place], row))


def refresh(
    lock: str | Path,
    destinations: Mapping[str, Path],
    *,
    releases: Mapping[str, str] | None = None,
    mirror: str | Path | None = None,
) -> dict[str, Refreshed]:
    """Bring locked places anew; replace the files and rows of those that changed.

    Of a place that did not change only the date in the lock file is written, and its release if one
    is named. A place that cannot be
    brought keeps its file and its row, and the others go on.

    Parameters
    ----------
    lock
        See `download_locked`.
    destinations
        Place to the file of it.
    releases
        Place to the publisher's name for what is there now.
    mirror
        See `download_locked`: a file that it has is taken for what the publisher has now.

    Returns
    -------
    dict of str to Refreshed
        What happened, by place as in `destinations`.

    Raises
    ------
    InputError
        If the lock file cannot be read, or a place is not in it; nothing was done then.
    """
    lock = Path(lock)
    rows = read_lock(lock)
    for place in destinations:
        if canonical(place) not in rows:
            raise InputError(
                f"{lock}: there is no place {place}; it has {', '.join(rows) or 'none'}"
            )
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
        with file_lock(_alone_with(lock), wait=True):
            if row.sha256 == old.sha256:
                named = row.release if release else old.release
                row = old.model_copy(update={"date": row.date, "release": named})
            else:
                # The file first: if this is cut here, the next refresh finds the same change.
                with atomic(destination) as final:
                    temporary.replace(final)
                _link(destination, _kept(destination, row))
            _write_lock(lock, read_lock(lock) | {place: row})
    except InputError as error:
        return Refreshed(old.sha256, error=str(error))
    finally:
        temporary.unlink(missing_ok=True)
    return Refreshed(old.sha256, row.sha256, row.bytes, row.release, origin)
