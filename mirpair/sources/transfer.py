"""Download one file over HTTP: retry, and resume where an earlier attempt stopped."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, NoReturn

if TYPE_CHECKING:
    import requests

# pooch waits 1, 2, 3, … seconds between its tries.
RETRIES = 3
TIMEOUT = 30
# Seconds: the longest wait, even if a server asks for a longer one.
_LONGEST_WAIT = 60
# Bytes written to disk at once.
_CHUNK = 1 << 14


class RefusedError(Exception):
    """A refusal that would be the same the next time; pooch does not retry after this class."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@contextlib.contextmanager
def partial_file(destination: Path, folder: str) -> Iterator[tuple[Path, IO[str]]]:
    """Yield the path of the bytes so far, and the note on them, open and locked.

    While another process downloads the same file, both are in `folder`: two processes that write
    to one file would mix their bytes.
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
    """Lock a file without waiting; False if another process has it, or it was replaced."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # no such locks on Windows
        return True
    except OSError:
        return False
    return path.exists() and path.stat().st_ino == os.fstat(handle.fileno()).st_ino


@dataclass
class Transfer:
    """The downloader that pooch calls, once a try; each try resumes the one before."""

    # Path of the bytes so far, and the note on their URL and the version of the file.
    part: Path
    note: IO[str]
    # Whether the complete file will be checked, which would reveal bytes of another version.
    checked: bool
    # How often pooch called it.
    tries: int = 0
    # Whether the server can send the rest of a file, as far as it said so.
    resumable: bool = False
    # Headers of the last successful answer.
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, url: str, output_file: str, _: object) -> None:
        self.tries += 1
        # A second request is needed only if the first one shows that the bytes so far are stale.
        if not self._get(url):
            self.discard()
            self._get(url)
        self.part.replace(output_file)

    def discard(self) -> None:
        """Delete the bytes so far."""
        self.part.unlink(missing_ok=True)
        self._write_note({})

    def _get(self, url: str) -> bool:
        """Request and write the missing bytes; False if the bytes so far are of another version."""
        import requests

        noted = self._read_note()
        version = noted.get("version", "")
        size = self.part.stat().st_size if self.part.exists() else 0
        start = size if noted.get("url") == url and (version or self.checked) else 0
        # The checksum is that of the published file: the server must not compress it.
        request_headers = {"Accept-Encoding": "identity"}
        if start:
            request_headers["Range"] = f"bytes={start}-"
            if version:
                request_headers["If-Range"] = version
        with requests.get(url, headers=request_headers, stream=True, timeout=TIMEOUT) as response:
            current = _version(response)
            if start and response.status_code == 416:
                return False
            if response.status_code == 206:
                content_range = response.headers.get("Content-Range", "")
                if not content_range.startswith(f"bytes {start}-"):
                    return False
                if version and current and current != version:
                    return False
            elif response.status_code != 200:
                self._raise(response)
            self.resumable = bool(current) or response.headers.get("Accept-Ranges") == "bytes"
            self.headers = dict(response.headers.lower_items())
            with self.part.open("ab" if response.status_code == 206 else "wb", 0) as handle:
                if response.status_code == 200:
                    start = 0
                    self._write_note({"url": url, "version": current})
                _receive(response, handle, start)
        return True

    def _raise(self, response: requests.Response) -> NoReturn:
        import requests

        status = response.status_code
        text = f"{status} {'Client' if status < 500 else 'Server'} Error: {response.reason}"
        if status < 500 and status not in (408, 429):
            raise RefusedError(status, text)
        if self.tries <= RETRIES:
            time.sleep(min(requested_wait(response.headers.get("Retry-After")), _LONGEST_WAIT))
        raise requests.HTTPError(text, response=response)

    def _read_note(self) -> dict[str, str]:
        self.note.seek(0)
        try:
            noted = json.load(self.note)
        except ValueError:  # empty, or cut by a kill
            return {}
        return noted if isinstance(noted, dict) else {}

    def _write_note(self, noted: dict[str, str]) -> None:
        self.note.seek(0)
        self.note.truncate()
        json.dump(noted, self.note)
        self.note.flush()


def _version(response: requests.Response) -> str:
    """Return what identifies this version of a file; empty if the server does not say."""
    tag = response.headers.get("ETag", "")
    # A weak tag promises the same meaning, not the same bytes.
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _receive(response: requests.Response, handle: BinaryIO | io.FileIO, start: int) -> None:
    """Write an answer's bytes as they come; fewer than announced are an error."""
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
            # `iter_content` would unpack a file that the server labels as compressed, such as .gz.
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                handle.write(chunk)
                count += len(chunk)
                bar.update(len(chunk))
        except OSError:  # of the disk; errors of the network have other classes here
            raise
        except Exception as error:  # urllib3's; we do not depend on it to name its classes
            raise requests.exceptions.ChunkedEncodingError(error) from error
    if total is not None and count < total:
        raise requests.exceptions.ChunkedEncodingError(f"{count} of {total} bytes came")


def requested_wait(value: str | None) -> float:
    """Return the seconds that a ``Retry-After`` header asks to wait; 0 without one."""
    if not value:
        return 0
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0
