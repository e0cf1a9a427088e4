"""Download sequences from NCBI: files of an assembly, and records by accession."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args
from urllib.error import HTTPError, URLError
from urllib.parse import unquote

from mirpair.files import InputError, atomic, file_lock, write_text
from mirpair.sources.download import (
    MIRROR_VARIABLE,
    MissingError,
    download,
    mirror_path,
    not_sequences_text,
)
from mirpair.sources.transfer import requested_wait

GENOMES = "https://ftp.ncbi.nlm.nih.gov/genomes/all"
EMAIL_VARIABLE, KEY_VARIABLE = "NCBI_EMAIL", "NCBI_API_KEY"
Kind = Literal["genome", "cds", "rna"]
# What follows the name of the assembly's folder, with which all its files begin: other files end in
# `_genomic.fna.gz` too.
_FILES: dict[Kind, str] = {
    "genome": "_genomic.fna.gz",
    "cds": "_cds_from_genomic.fna.gz",
    "rna": "_rna.fna.gz",
}
# Accessions a request: NCBI wants at most about 200.
BATCH = 100
# Tries of a batch, and seconds before the second one; each wait is twice as long as the one before.
_TRIES, _WAIT = 5, 2.0
# Seconds without a byte. NCBI collects the records of a batch before it answers.
_TIMEOUT = 120
_LONGEST_WAIT = 60
_ACCESSION = re.compile(r"[A-Za-z]+[A-Za-z0-9]*(_[A-Za-z0-9]+)?(\.\d+)?")


def check_assembly(accession: str) -> str:
    """Check the accession of an assembly, with its version; an `InputError` if it is not valid."""
    if re.fullmatch(r"GC[AF]_\d{9}", accession):
        raise InputError(
            f"{accession}: an assembly needs its version, such as {accession}.1; "
            "without it the sequences would change when a new one comes out"
        )
    if not re.fullmatch(r"GC[AF]_\d{9}\.\d+", accession):
        raise InputError(
            f"{accession}: is not an accession of an assembly, such as GCF_000146045.2; it must "
            "have GCF_ or GCA_, nine digits and a version"
        )
    return accession


def download_assembly(
    accession: str,
    kind: Kind,
    destination: str | Path,
    *,
    mirror: str | Path | None = None,
    headers: dict[str, str] | None = None,
) -> str:
    """Download one file of an assembly from NCBI, and check it by the MD5 that NCBI publishes.

    Parameters
    ----------
    accession
        With version: ``GCF_000146045.2``.
    kind
        Its ``genome``, its coding sequences (``cds``), or its transcripts (``rna``).
    destination
        Path of the FASTA file, gzip; only a complete and checked file gets this name.
    mirror
        Folder to look into first; by default the environment variable `MIRPAIR_MIRROR`. It has the
        file at its URL without the scheme; if it has ``md5checksums.txt`` beside it, that is used.
    headers
        As `mirpair.sources.download.download` takes them; the result is the same too.

    Raises
    ------
    InputError
        If the accession is not valid, NCBI does not have the assembly or this file of it, or the
        download fails. Then there is no file at `destination`.
    """
    check_assembly(accession)
    if kind not in get_args(Kind):
        raise InputError(f"{kind}: an assembly has {', '.join(get_args(Kind))}; choose one of them")
    digits = accession[4:13]
    parent = "/".join([GENOMES, accession[:3], digits[:3], digits[3:6], digits[6:]])
    mirror = mirror or os.environ.get(MIRROR_VARIABLE)
    if mirror and (url := _in_mirror(mirror, parent, accession, _FILES[kind])):
        sums = mirror_path(mirror, url.rpartition("/")[0] + "/md5checksums.txt")
        md5 = _checksums(sums.read_text(encoding="utf-8")) if sums.is_file() else {}
        digest = md5.get(url.rpartition("/")[2])
        checksum = f"md5:{digest}" if digest else None
        return download(url, destination, checksum=checksum, mirror=mirror, sequences=True)
    with tempfile.TemporaryDirectory(prefix="mirpair-") as folder:
        listing, sums = Path(folder) / f"the list of {accession}", Path(folder) / "md5checksums.txt"
        try:
            download(f"{parent}/", listing, checksum=None, mirror=mirror)
            name = _folder(listing.read_text(encoding="utf-8", errors="replace"), accession, parent)
            download(f"{parent}/{name}/{sums.name}", sums, checksum=None, mirror=mirror)
        except MissingError as error:
            raise InputError(
                f"{accession}: NCBI has no such assembly ({error.url} is not there); "
                "correct the accession"
            ) from error
        md5 = _checksums(sums.read_text(encoding="utf-8", errors="replace"))
    file = name + _FILES[kind]
    if file not in md5:
        available = [kind for kind, suffix in _FILES.items() if name + suffix in md5]
        raise InputError(
            f"{accession}: NCBI has no {kind} of this assembly, there is no {file} in "
            f"{parent}/{name}/; it has {', '.join(available) or 'no sequences at all'}"
        )
    return download(
        f"{parent}/{name}/{file}",
        destination,
        checksum=f"md5:{md5[file]}",
        mirror=mirror,
        sequences=True,
        headers=headers,
    )


def _in_mirror(mirror: str | Path, parent: str, accession: str, suffix: str) -> str | None:
    """Return the URL of an assembly's file that a mirror has; None if it has none."""
    folders = sorted(mirror_path(mirror, parent).glob(f"{accession}_*"))
    names = [folder.name for folder in folders if (folder / (folder.name + suffix)).is_file()]
    return f"{parent}/{names[0]}/{names[0]}{suffix}" if names else None


def _folder(listing: str, accession: str, parent: str) -> str:
    """Find the name of an assembly's folder in the links of the page that lists it."""
    links = re.findall(r"""href\s*=\s*["']?([^"'\s>]+)""", listing, re.IGNORECASE)
    names = sorted({unquote(link).rstrip("/").rpartition("/")[2] for link in links})
    folders = [name for name in names if name.startswith(f"{accession}_")]
    if len(folders) == 1:
        return folders[0]
    versions = ["_".join(name.split("_")[:2]) for name in names if name.startswith(accession[:13])]
    raise InputError(
        f"{accession}: {parent}/ lists {'more than one folder' if folders else 'no folder'} of it; "
        + (f"there are {', '.join(folders or versions)}" if versions else "correct the accession")
    )


def _checksums(text: str) -> dict[str, str]:
    """Parse a ``md5checksums.txt``: name of each file to its MD5."""
    rows = re.findall(r"^([0-9a-f]{32})\s+\*?(?:\./)?(\S+)\s*$", text, re.MULTILINE)
    return {name: digest for digest, name in rows}


def check_accessions(accessions: Iterable[str]) -> list[str]:
    """Check accessions of sequence records and return each once; an `InputError` if one is wrong.

    An accession without version (``NM_000014`` instead of ``NM_000014.6``) means the newest.
    """
    unique = list(dict.fromkeys(accession.strip() for accession in accessions))
    if bad := [it for it in unique if not _ACCESSION.fullmatch(it) or not re.search(r"\d", it)]:
        raise InputError(
            f"{bad[0]!r} is not an accession of a sequence record, such as NM_000014.6"
        )
    if not unique:
        raise InputError("no accession is given; give some, such as NM_000014.6")
    return unique


def download_accessions(
    accessions: Iterable[str], destination: str | Path, *, cds: bool = False
) -> str:
    """Download sequence records from NCBI by their accessions, as one FASTA file.

    They come in batches of 100. Complete batches are saved beside the destination in
    `.{name}.parts`, so that an interrupted download resumes; the folder is removed at the end. The
    rate of requests is what NCBI allows, 3 a second or 10 with a key. Its rules require your e-mail
    address, in the environment variable `NCBI_EMAIL`; a key may be in `NCBI_API_KEY`. The result is
    the origin of the bytes.

    Parameters
    ----------
    accessions
        With version or without (the newest), in the order of the records to write.
    destination
        Path of the FASTA file; only a complete and checked file gets this name.
    cds
        Whether to download the coding sequences of the records instead of the records.

    Raises
    ------
    InputError
        If there is no e-mail address, an accession is not valid, NCBI does not have it, or the
        download fails. Then there is no file at `destination`.
    """
    unique = check_accessions(accessions)
    email = os.environ.get(EMAIL_VARIABLE, "").strip()
    if "@" not in email:
        raise InputError(
            "NCBI requires an e-mail address, to contact you before it blocks you: set it with "
            f"export {EMAIL_VARIABLE}=you@example.org, and run it again"
        )
    destination = Path(destination)
    parts = destination.with_name(f".{destination.name}.parts")
    parts.mkdir(parents=True, exist_ok=True)
    batches = [unique[start : start + BATCH] for start in range(0, len(unique), BATCH)]
    try:
        with file_lock(parts / "lock"):
            paths = [
                _saved_batch(parts, batch, f"batch {number} of {len(batches)}", email, cds)
                for number, batch in enumerate(batches, start=1)
            ]
            with atomic(destination) as temporary, temporary.open("wb") as handle:
                for path in paths:
                    with path.open("rb") as part:
                        shutil.copyfileobj(part, handle)
        shutil.rmtree(parts)
    finally:
        with contextlib.suppress(OSError):  # not empty: batches for the next run
            parts.rmdir()
    return f"NCBI, efetch of {len(unique)} accessions"


def _saved_batch(parts: Path, batch: Sequence[str], number: str, email: str, cds: bool) -> Path:
    """Download a batch, or reuse the file of an earlier run if it is complete."""
    names = f"{batch[0]} to {batch[-1]}, " if len(batch) > 1 else f"{batch[0]}, "
    what = f"{number} ({names}{len(batch)} accession{'s' * (len(batch) > 1)})"
    key = hashlib.sha256(f"{cds} {','.join(batch)}".encode()).hexdigest()[:16]
    path = parts / f"{key}.fa"
    if path.is_file():
        with contextlib.suppress(InputError, _UnfitError):
            _in_order(path.read_text(encoding="utf-8", errors="replace"), batch, what, cds)
            return path
    write_text(path, _with_retries(batch, what, email, cds))
    return path


class _UnfitError(Exception):
    """An answer with a fault that another request may not have."""

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


def _with_retries(batch: Sequence[str], what: str, email: str, cds: bool) -> str:
    """Request a batch as FASTA, again if the answer has a passing fault."""
    for attempt in range(_TRIES):
        try:
            return _in_order(_answer(batch, what, email, cds), batch, what, cds)
        except _UnfitError as error:
            last = error
        if attempt < _TRIES - 1:
            time.sleep(min(max(_WAIT * 2**attempt, last.wait), _LONGEST_WAIT))
    raise InputError(
        f"NCBI, {what}: {last}, in each of {_TRIES} tries. Complete batches are saved: run it "
        f"again later; with a key in {KEY_VARIABLE}, NCBI allows more requests"
    ) from last


def _answer(batch: Sequence[str], what: str, email: str, cds: bool) -> str:
    """Request a batch from NCBI once, and return the answer as text."""
    from Bio import Entrez

    key = os.environ.get(KEY_VARIABLE, "").strip() or None
    try:
        with _one_try():
            handle = Entrez.efetch(
                db="nuccore",
                id=",".join(batch),
                rettype="fasta_cds_na" if cds else "fasta",
                retmode="text",
                tool="mirpair",
                email=email,
                api_key=key,
            )
            # Biopython's wrapper, if there is one, would hide that an answer is truncated.
            with getattr(handle, "buffer", handle) as raw:
                content: bytes = raw.read()
    except HTTPError as error:
        body = " ".join(error.read(1000).decode("utf-8", errors="replace").split())[:200]
        status = f"{error.code} {error.reason}" + (f": {body}" if body else "")
        if error.code < 500 and error.code not in (408, 429):
            raise InputError(
                f"NCBI, {what}: was refused ({status}); correct the accessions"
                + (f", or the key in {KEY_VARIABLE}" if key else "")
            ) from error
        wait = requested_wait(error.headers.get("Retry-After"))
        raise _UnfitError(f"the server answered {status}", wait) from error
    except (TimeoutError, URLError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, TimeoutError):
            raise _UnfitError(f"there was no answer within {_TIMEOUT} s") from error
        raise _UnfitError(f"there is no connection to the server ({reason})") from error
    except (http.client.HTTPException, ConnectionError) as error:
        raise _UnfitError("the connection was cut before the end of the answer") from error
    return content.decode("utf-8", errors="replace")


@contextlib.contextmanager
def _one_try() -> Iterator[None]:
    """Make Biopython send one request only, with a time-out.

    It respects NCBI's rate between requests, but not between its own retries: after an HTTP error,
    it retries at once. And it sets no time-out.
    """
    from Bio import Entrez

    tries, timeout = Entrez.max_tries, socket.getdefaulttimeout()
    Entrez.max_tries = 1
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        Entrez.max_tries = tries
        socket.setdefaulttimeout(timeout)


def _in_order(text: str, batch: Sequence[str], what: str, cds: bool) -> str:
    """Sort the records of an answer as the accessions; a missing one is an `InputError`."""
    if not text.strip():
        raise _UnfitError("the answer was empty")
    if not text.lstrip().startswith(">"):
        raise _UnfitError(
            f"the answer was {not_sequences_text(text) or 'a table'} instead of sequences"
        )
    records_of: dict[str, list[str]] = {accession: [] for accession in batch}
    for record in re.split(r"^>", text, flags=re.MULTILINE)[1:]:
        head, *lines = [line.rstrip() for line in record.splitlines()]
        lines = [line for line in lines if line]
        name = head.split()[0] if head.split() else ""
        if not lines:
            raise _UnfitError(f"the record {name!r} came without a sequence")
        if strange := [line for line in lines if not re.fullmatch(r"[A-Za-z*-]+", line)]:
            raise _UnfitError(f"the record {name!r} has the line {strange[0][:100]!r}")
        names = _names(name, cds)
        for accession in batch:
            if accession.upper() in names:
                records_of[accession].append("\n".join([f">{head}", *lines, ""]))
    if missing := [accession for accession, records in records_of.items() if not records]:
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise InputError(
            f"NCBI, {what}: has no {'coding sequence' if cds else 'record'} of "
            f"{', '.join(missing[:10])}{more}; correct these accessions, or leave them out"
        )
    return "".join(record for records in records_of.values() for record in records)


def _names(word: str, cds: bool) -> set[str]:
    """Return the accessions in the first word of a header, with version and without."""
    if cds:
        word = word.removeprefix("lcl|").partition("_cds_")[0]
    full = {part.upper() for part in (word, *word.split("|")) if part}
    return full | {re.sub(r"\.\d+$", "", name) for name in full}
