"""A publisher on this machine: files with ETag and Range, NCBI's folders and efetch; and faults."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

wait = time.sleep
EFETCH = "/entrez/eutils/efetch.fcgi"
PAGE = b"<!DOCTYPE html><html><head><title>Down for\n maintenance</title></head><p>sorry</html>"
TOO_MANY = b'{"error":"API rate limit exceeded","api-key":"127.0.0.1","count":"4","limit":"3"}'


@dataclass
class Fault:
    """What is wrong with one answer.

    Attributes
    ----------
    status, body, kind
        In place of the right ones.
    retry_after
        Header of that name.
    cut
        The connection ends after so many bytes of the body.
    announced
        The Content-Length, in place of the true one.
    slow
        Seconds before the second byte of the body.
    """

    status: int = 200
    body: bytes | None = None
    kind: str = "text/html"
    retry_after: str = ""
    cut: int | None = None
    announced: int | None = None
    slow: float = 0


@dataclass
class Seen:
    """A request."""

    time: float
    path: str
    headers: dict[str, str]
    asked: dict[str, str]


@dataclass
class Publisher:
    """What is published, what goes wrong with the next answers, and what was asked.

    Attributes
    ----------
    url
        Of the server.
    files, tags
        By path; a file has the ETag of `tags`, or that of its bytes, or none if that is empty.
    records
        Of efetch: FASTA by accession; ``cds:`` before those of coding sequences.
    faults
        By path, in the order of the requests; `always` those of every request.
    ranges
        Whether it can begin in the middle of a file.
    encoding, modified
        Content-Encoding and Last-Modified of files.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    ranges: bool = True
    encoding: str = ""
    modified: str = "Wed, 01 May 2024 10:00:00 GMT"

    def asked(self, path: str) -> list[Seen]:
        """Requests of a path."""
        return [seen for seen in self.seen if seen.path == path]

    def assembly(self, name: str, files: dict[str, bytes]) -> str:
        """Publish an assembly as NCBI does; its folder's path."""
        parent = f"/genomes/all/{name[:3]}/{name[4:7]}/{name[7:10]}/{name[10:13]}/"
        folder = f"{parent}{name}/"
        link = f'<a href="{name}/">{name}/</a>   2024-05-01 10:00    -\n'
        page = self.files.get(parent, b'<html><title>Index of</title>\n<a href="../">up</a>\n')
        self.files[parent] = page + link.encode()
        sums = ""
        for suffix, content in files.items():
            self.files[folder + name + suffix] = content
            sums += f"{hashlib.md5(content).hexdigest()}  ./{name}{suffix}\n"
        self.files[folder + "md5checksums.txt"] = sums.encode()
        return folder


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    publisher: Publisher

    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, form: str) -> None:
        publisher = self.publisher
        parts = urlsplit(self.path)
        asked = {key: value[0] for key, value in parse_qs(form or parts.query).items()}
        publisher.seen.append(Seen(time.monotonic(), parts.path, dict(self.headers), asked))
        waiting = publisher.faults.get(parts.path, [])
        fault = waiting.pop(0) if waiting else publisher.always.get(parts.path, Fault())
        kind, body, headers, status = "text/plain", b"", dict[str, str](), fault.status
        if fault.body is not None or status >= 400:
            body, kind = fault.body or b"", fault.kind
        elif parts.path == EFETCH:
            before = "cds:" if asked["rettype"] == "fasta_cds_na" else ""
            found = [publisher.records.get(before + it, "") for it in asked["id"].split(",")]
            body = "\n".join(found).encode() + b"\n"
        elif parts.path in publisher.files:
            body, kind = publisher.files[parts.path], "application/octet-stream"
            tag = publisher.tags.get(parts.path, f'"{hashlib.md5(body).hexdigest()}"')
            if tag:
                headers = {"ETag": tag, "Last-Modified": publisher.modified}
            if publisher.encoding:
                headers["Content-Encoding"] = publisher.encoding
            if publisher.ranges:
                headers["Accept-Ranges"] = "bytes"
            wanted = self.headers.get("Range")
            if wanted and publisher.ranges and self.headers.get("If-Range", tag) == tag:
                start, size = int(wanted.removeprefix("bytes=").rstrip("-")), len(body)
                status, body = (206, body[start:]) if start < size else (416, b"")
                headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        else:
            status, body, kind = 404, b"<html><title>404 Not Found</title></html>", "text/html"
        if fault.retry_after:
            headers["Retry-After"] = fault.retry_after
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(fault.announced or len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if fault.slow:
            self.wfile.write(body[:1])
            self.wfile.flush()
            wait(fault.slow)
            body = body[1:]
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body if fault.cut is None else body[: fault.cut])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def publishing() -> Iterator[Publisher]:
    """A server with nothing published yet."""
    publisher = Publisher()
    handler = type("Handler", (_Handler,), {"publisher": publisher})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        publisher.url = f"http://127.0.0.1:{server.server_port}"
        yield publisher
        server.shutdown()
