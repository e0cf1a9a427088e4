"""Open a page in the browser to which RNAs are pasted: `serve`."""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mirpair.cli.options import Jobs
from mirpair.cli.terminal import messages, say
from mirpair.files import InputError

if TYPE_CHECKING:
    from mirpair.server.jobs import Jobs as Sets

_HOST = "127.0.0.1"


def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes any that is free.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option(help="Open the page in the browser of this machine.")
    ] = True,
    minutes: Annotated[
        float, typer.Option(min=0.1, help="Stop a set of RNAs that takes longer than this.")
    ] = 30,
    jobs: Jobs = 0,
) -> None:
    """Open a page to paste RNAs into; all stays on this machine.

    The page does what mirpair predict --annotate does, for up to 10,000 records: it shows a table
    that can be sorted, draws each structure and the importance of its bases, and offers the table,
    GFF3 and FASTA as files. Only this machine can reach it, by an address that contains a secret.
    Ctrl-C ends it and deletes the RNAs and results.

    It needs the packages of mirpair[page].

    Example: mirpair serve
    """
    with messages():
        try:
            import uvicorn

            from mirpair.server.app import make_app
            from mirpair.server.jobs import Jobs as Sets
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] not in ("starlette", "uvicorn", "anyio", "h11"):
                raise
            raise InputError(
                f"the page needs the package {error.name}: pip install 'mirpair[page]'"
            ) from error
        with socket.socket() as listening:
            if sys.platform != "win32":
                # The port can be used again at once after a restart.
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((_HOST, port))
                # The browser may ask before the server is ready: it waits.
                listening.listen()
            except OSError as error:
                raise InputError(
                    f"port {port}: {error.strerror}; leave out --port to use any that is free"
                ) from error
            token = secrets.token_urlsafe(16)
            address = f"http://{_HOST}:{listening.getsockname()[1]}/{token}/"
            sets = Sets(jobs, minutes)
            try:
                say(f"the page: {address}")
                say("only this machine can reach it; Ctrl-C ends it")
                config = uvicorn.Config(
                    make_app(sets, token),
                    log_level="critical",
                    access_log=False,
                    server_header=False,
                    timeout_graceful_shutdown=2,
                )
                server = uvicorn.Server(config)
                # uvicorn waits for requests, and these for processes: they must end first.
                cast(Any, server).handle_exit = _ending(sets, server.handle_exit)
                if hasattr(signal, "SIGHUP"):
                    signal.signal(signal.SIGHUP, server.handle_exit)
                if browser:
                    threading.Thread(target=_open, args=(address, sets), daemon=True).start()
                with contextlib.suppress(KeyboardInterrupt):
                    server.run(sockets=[listening])
            finally:
                sets.close()
                say("ended; the RNAs and results are deleted")


_Handler = Callable[[int, FrameType | None], None]


def _ending(sets: Sets, then: _Handler) -> _Handler:
    def handle(number: int, frame: FrameType | None) -> None:
        # Not here: a signal may come while the lock is held.
        threading.Thread(target=sets.end, daemon=True).start()
        then(number, frame)

    return handle


def _open(address: str, sets: Sets) -> None:
    """Open the page in a browser with windows, by a file that hides the secret from others.

    The command of a browser can be read by all users of a machine.
    """
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        found = None
    # A browser of the terminal would take it over.
    is_of_terminal = type(found) is webbrowser.GenericBrowser
    page = sets.folder / "open.html"
    page.write_text(f'<meta http-equiv="refresh" content="0;url={address}">', encoding="utf-8")
    if found is None or is_of_terminal or not found.open(page.as_uri()):
        say("no browser was found: open the address above")
