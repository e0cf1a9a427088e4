"""What all commands share: messages, progress bars, outputs written fully or not at all."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import typer

from mirpair.files import InputError, atomic, explain_error
from mirpair.rna.sequences import STDIN

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

T = TypeVar("T")


@cache
def _terminal() -> Console | None:
    """Return standard error if it is a terminal: only then is Rich worth the time of its import."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    from rich.console import Console

    return Console(stderr=True)


def say(text: str, *, mark: str = "", style: str = "yellow") -> None:
    """Write a message to standard error, after a mark that is coloured on a terminal."""
    if terminal := _terminal():
        from rich.text import Text

        message = Text.assemble((mark, style), " " * bool(mark), text)
        # On one line, which can be copied, however narrow the terminal is.
        terminal.print(message, soft_wrap=True, highlight=False)
    elif sys.stderr is not None:  # closed, it is None; `print` would then write to standard output
        print(*filter(None, [mark, text]), file=sys.stderr)


def say_error(text: str) -> None:
    """Write an error to standard error."""
    say(text, mark="error:", style="bold red")


@contextmanager
def messages() -> Iterator[None]:
    """End with a message, not with a traceback, if the input or the system is at fault."""
    # A batch system's time limit: end as by Ctrl-C, so that no temporary file is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    except BrokenPipeError:
        # The reader, such as `head`, has stopped; the interpreter must not complain when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (InputError, OSError) as error:
        text = str(error)
        if isinstance(error, OSError) and error.filename:
            text = explain_error(error) or f"{error.filename}: {error.strerror}"
        say_error(text)
        raise typer.Exit(1) from error


def check_inputs(files: list[str]) -> None:
    """Refuse, before the long work, a file that does not exist or a second standard input."""
    if files.count(STDIN) > 1:
        raise InputError("standard input (-) can be read only once")
    for path in files:
        # To open a pipe twice would wait for ever.
        if path != STDIN and not stat.S_ISFIFO(os.stat(path).st_mode):
            with open(path, "rb"):
                pass


def check_output(
    path: Path | None,
    inputs: Sequence[str | Path | None],
    suffixes: tuple[str, ...] = (),
    *,
    usual: str = ".tsv",
) -> None:
    """Refuse, before the long work, an output that cannot or should not be written.

    It must not overwrite the inputs (None is no file), and must have one of the suffixes if there
    are any; `usual` is the ending of the example in a message.
    """
    if path is None:
        return
    if path.is_dir():
        example = path / f"out{suffixes[0] if suffixes else usual}"
        raise InputError(f"{path} is a folder; name a file to write, such as {example}")
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(
            f"{path}: the name of the output sets its format; it must end in "
            f"{', '.join(suffixes[:-1])}{' or ' * (len(suffixes) > 1)}{suffixes[-1]}"
        )
    if path.suffix == ".gz":
        raise InputError(f"{path}: the output is plain text; leave out -o and pipe it into gzip")
    if suffixes and path.exists() and not path.is_file():
        raise InputError(f"{path} is a device or a pipe; name a file to write")
    if path.exists() and any(
        name and str(name) != STDIN and path.samefile(name) for name in inputs
    ):
        raise InputError(f"{path} is an input file; write the output to another one")


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Open standard output, or a file that gets its final name only when it is complete."""
    if path is None or str(path) == STDIN:
        yield sys.stdout
        sys.stdout.flush()
    elif path.exists() and not path.is_file():  # a device or a pipe is never half-written
        with path.open("w", encoding="utf-8", newline="\n") as handle:
            yield handle
    else:
        # A link stays a link: its target is written.
        with (
            atomic(path.resolve()) as temporary,
            temporary.open("w", encoding="utf-8", newline="\n") as handle,
        ):
            yield handle


class FileProgress:
    """Show as progress the share of the files that has been read, and the rate of finished items.

    Its thread starts with the context, after the processes were forked; until then it only counts.
    """

    _NAMED = 20

    def __init__(self, files: list[str], unit: str = "RNAs") -> None:
        sizes = [None if path == STDIN else Path(path).stat().st_size for path in files]
        known = [size for size in sizes if size is not None]
        self.total = sum(known) if len(known) == len(sizes) else None
        self.positions = dict.fromkeys(range(len(files)), 0)
        self.count = self.skipped = 0
        self.unit = unit
        self.started = time.monotonic()
        self.bar = _bar("[progress.percentage]{task.percentage:>3.0f}%[/] {task.fields[rate]}")
        if self.bar:
            self.task = self.bar.add_task("Working", total=self.total, rate="")

    def __enter__(self) -> FileProgress:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()
        if self.skipped > self._NAMED:
            say(f"… and {self.skipped - self._NAMED:,} more")

    def read(self, file: int, position: int) -> None:
        """Note how many bytes of a file have been read."""
        self.positions[file] = position

    def done(self, count: int) -> None:
        """Note how many more are done."""
        self.count += count
        if self.bar:
            rate = self.count / max(time.monotonic() - self.started, 1e-9)
            self.bar.update(
                self.task,
                completed=sum(self.positions.values()),
                rate=f"{self.count:,} {self.unit}, {rate:,.0f} a second",
            )

    def skip(self, text: str) -> None:
        """Name a record that is skipped, unless too many were named already."""
        self.skipped += 1
        if self.skipped <= self._NAMED:
            say(text, mark="skipped:")


def cores() -> int:
    """Count the cores that this process may use: on a cluster they are fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_threads(jobs: int) -> None:
    """Give a single process a single thread; several processes limit themselves."""
    if jobs == 1:
        import torch

        torch.set_num_threads(1)


def _bar(text: str) -> Progress | None:
    """Make a progress bar with a text beside it, if standard error is a terminal."""
    terminal = _terminal()
    if not terminal:
        return None
    from rich import progress

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TextColumn(text),
        progress.TimeRemainingColumn(),
        console=terminal,
        transient=True,
    )


def track(
    items: Iterable[T], total: int, description: str, size: Callable[[T], int] = lambda _: 1
) -> Iterator[T]:
    """Yield the items, with a progress bar if standard error is a terminal.

    The total is in RNAs; `size` counts those in an item.
    """
    bar = _bar("[progress.download]{task.completed}/{task.total}[/] RNAs")
    if not bar:
        yield from items
        return
    with bar:
        task = bar.add_task(description, total=total)
        for item in items:
            yield item
            bar.advance(task, size(item))
