"""The addresses of the page, and who may use them.

Built on Starlette, a small framework that is well maintained: it has the routes, the check of the
host and tests of its own for what is easily done wrong. FastAPI adds models of JSON bodies to it,
which nothing here needs; NiceGUI and Streamlit hold the table in the server and redraw it there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mirpair import __version__
from mirpair.files import InputError
from mirpair.pages.page import render
from mirpair.pages.structures import draw_alone
from mirpair.pages.style import to_svg
from mirpair.rna.folding import Structure
from mirpair.server.jobs import (
    CALLED,
    MOST_BYTES,
    MOST_RECORDS,
    TABLE,
    TOO_LARGE,
    TRACK,
    Job,
    Jobs,
)
from mirpair.settings import KINGDOMS, PredictionSettings

HOSTS = ["127.0.0.1", "localhost"]
# What a file of a set of RNAs is, by its name in the address.
_FILES = {
    TABLE: "text/tab-separated-values",
    TRACK: "text/x-gff3",
    CALLED: "text/x-fasta",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# matplotlib draws in one thread at a time.
_DRAWING = threading.Lock()


def make_app(jobs: Jobs, token: str) -> Starlette:
    """Make the application; all its addresses begin with a secret, ``/<token>/``.

    Other users of the machine, and pages of other sites, cannot guess it. A request is refused if
    it names another host, or comes from a page of another site.
    """
    state = _State(jobs)
    routes = [
        Route("/", state.page),
        Route("/jobs", state.add, methods=["POST"]),
        Route("/jobs/{job:int}", state.progress),
        Route("/jobs/{job:int}", state.stop, methods=["DELETE"]),
        Route("/jobs/{job:int}/table", state.table),
        Route("/jobs/{job:int}/files/{name}", state.file),
        Route("/jobs/{job:int}/records/{record:int}/structure.svg", state.structure),
        Route("/jobs/{job:int}/records/{record:int}/importance.svg", state.importance),
    ]
    return Starlette(
        routes=[Mount(f"/{token}", routes=routes)],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
            Middleware(_SameSite, page=f"/{token}/"),
        ],
        exception_handlers={InputError: _refused},
    )


class _SameSite:
    """Refuse requests that pages of other sites make, and add the headers that forbid more.

    A link to the page may be followed from anywhere: who has it has the secret.
    """

    def __init__(self, app: ASGIApp, page: str) -> None:
        self._app, self._page = app, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Request(scope).headers
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name.lower().encode(): it.encode() for name, it in _HEADERS.items()}
                message["headers"] = [*message["headers"], *named.items()]
            await send(message)

        follows_link = (
            scope["method"] == "GET"
            and scope["path"] == self._page
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )
        is_foreign = origin is not None and origin != f"http://{headers.get('host')}"
        if is_foreign or not (follows_link or site in ("none", "same-origin")):
            refusal = PlainTextResponse("only the page itself may ask this", 403)
            await refusal(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)


async def _refused(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)


class _State:
    """What the addresses do, with the sets of RNAs of one page."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def page(self, _: Request) -> Response:
        text = render(
            "serve",
            script="serve.js",
            asks=("'self'",),
            title="mirpair: which of these RNAs are pre-miRNAs?",
            version=__version__,
            kingdoms=KINGDOMS,
            most=MOST_RECORDS,
            prior=PredictionSettings.prior,
        )
        return Response(text, media_type="text/html")

    async def add(self, request: Request) -> Response:
        wanted = request.query_params.get("kingdom", KINGDOMS[0])
        kingdom = next((it for it in KINGDOMS if it == wanted), None)
        if kingdom is None:
            raise InputError(f"kingdom: must be {' or '.join(KINGDOMS)}")
        text = bytearray()
        async for part in request.stream():
            text += part
            if len(text) > MOST_BYTES:
                raise HTTPException(413, TOO_LARGE)
        number = await run_in_threadpool(self._jobs.add, bytes(text), kingdom)
        return JSONResponse({"job": number}, 201)

    async def progress(self, request: Request) -> Response:
        job = self._job(request)
        return JSONResponse(
            {
                "state": job.state,
                "done": job.done,
                "total": len(job.records),
                "messages": job.messages,
            }
        )

    async def stop(self, request: Request) -> Response:
        await run_in_threadpool(self._jobs.stop, self._job(request))
        return Response(status_code=204)

    async def table(self, request: Request) -> Response:
        job = self._job(request)
        header, *rows = await run_in_threadpool(job.table)
        sequences = [record.sequence for record in job.records]
        facts = {"columns": header, "rows": rows, "sequences": sequences}
        text = json.dumps(facts, separators=(",", ":"))
        return Response(text, media_type="application/json")

    async def file(self, request: Request) -> Response:
        # The name chooses one of ours: it never becomes a path.
        name = request.path_params["name"]
        if name not in _FILES:
            raise HTTPException(404)
        path = self._job(request).file(name)
        return FileResponse(path, media_type=_FILES[name], filename=name)

    async def structure(self, request: Request) -> Response:
        return await self._picture(request, _draw_structure)

    async def importance(self, request: Request) -> Response:
        return await self._picture(request, self._jobs.draw_importance)

    def _job(self, request: Request) -> Job:
        try:
            return self._jobs[request.path_params["job"]]
        except KeyError:
            raise HTTPException(404, "these RNAs are no longer here: send them again") from None

    async def _picture(self, request: Request, draw: Callable[[Job, int], bytes]) -> Response:
        job, index = self._job(request), request.path_params["record"] - 1
        if not 0 <= index < len(job.records):
            raise HTTPException(404)
        drawing: Callable[[], Awaitable[bytes]] = partial(run_in_threadpool, draw, job, index)
        return Response(await drawing(), media_type="image/svg+xml")


def _draw_structure(job: Job, index: int) -> bytes:
    header, *rows = job.table()
    row: dict[str, Any] = dict(zip(header, rows[index], strict=True))
    if not row["structure"]:
        raise InputError(f"{row['id']}: has no structure ({row['reason']})")
    record = job.records[index]
    with _DRAWING:
        structure = Structure(row["structure"], float(row["mfe"]))
        return to_svg(draw_alone(record.id, record.sequence, structure)).encode()
