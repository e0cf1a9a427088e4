"""What all commands share: messages, progress, outputs written fully or not at all."""

from __future__ import annotations

import io
import math
import os
import signal
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import typer

from mirpair.files import InputError, atomic, explain_error, open_input
from mirpair.rna.sequences import Problem, kind_of, place_of
from mirpair.rna.text_files import STDIN

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
        if sys.stdout is not None:
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
        if path != STDIN and not (os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode)):
            open_input(path).close()


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
    # An input that is not there has a message of its own.
    if path.exists() and any(
        name and str(name) != STDIN and os.path.exists(name) and path.samefile(name)
        for name in inputs
    ):
        raise InputError(f"{path} is an input file; write the output to another one")


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Open standard output, or a file that gets its final name only when it is complete."""
    if path is None or str(path) == STDIN:
        if sys.stdout is None:
            raise InputError("standard output is closed; name a file to write with -o")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # as files are, whatever the locale
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


class _ProgressLines:
    """Print the progress once a minute, for the log of a job that has no terminal.

    The time left is estimated from the work since the first call: when a run resumes, what was
    done before it is read much faster.
    """

    _SECONDS = 60.0

    def __init__(self, description: str, unit: str) -> None:
        self.description, self.unit = description, unit
        self.started = self.last = time.monotonic()
        self.first: tuple[float, float] | None = None

    def show(self, count: int, share: float | None) -> None:
        """Print how many are done, and the share (0 to 1) if it is known, if a minute is over."""
        now = time.monotonic()
        if self.first is None:
            self.first = (now, share or 0.0)
        if now - self.last < self._SECONDS:
            return
        self.last = now
        rate = count / (now - self.started)
        speed = f"{rate:.2g}" if rate < 10 else f"{rate:,.0f}"
        parts = [f"{count:,} {self.unit}", f"{speed} a second"]
        if share is not None:
            parts.insert(0, f"{int(100 * share)} %")
            before, begin = self.first
            if begin < share < 1:
                left = (now - before) * (1 - share) / (share - begin)
                parts.append(f"about {_duration(left)} left")
        say(", ".join(parts), mark=f"{self.description}:")


def _duration(seconds: float) -> str:
    """Write a time in minutes, rounded up, or in hours and minutes.

    Examples
    --------
    >>> _duration(61), _duration(7260)
    ('2 min', '2 h 1 min')
    """
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: ``"1 record"``, ``"1,204 records"``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


class Skipped:
    """The records that are skipped, by the kind of reason: a line for each kind."""

    _NAMED = 3

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._named: dict[str, list[str]] = {}

    def add(self, problem: Problem) -> None:
        """Note that a record is skipped."""
        kind = kind_of(problem.reason)
        self._counts[kind] += 1
        named = self._named.setdefault(kind, [])
        if not named:
            self._first[kind] = str(problem)
        if len(named) < self._NAMED:
            reason = "" if problem.reason == kind else f": {problem.reason}"
            named.append(place_of(problem.record) + reason)

    def say(self) -> None:
        """Write a line for each kind of reason: how many records, and which are the first."""
        for kind, count in self._counts.items():
            if count == 1:
                say(self._first[kind], mark="skipped:")
                continue
            named = self._named[kind] + ["…"] * (count > self._NAMED)
            say(f"{counted(count, 'record')}, {kind}: {'; '.join(named)}", mark="skipped:")


class FileProgress:
    """Show as progress the share of the files that has been read, and the rate of finished items.

    It is a bar on a terminal, else a line a minute. The bar's thread starts with the context, after
    the processes were forked; until then it only counts.
    """

    def __init__(self, files: list[str], unit: str = "RNAs") -> None:
        # The size of standard input is not known, nor that of a pipe, which is 0.
        sizes = [0 if path == STDIN else Path(path).stat().st_size for path in files]
        self.total = sum(sizes) if all(sizes) else None
        self.positions = dict.fromkeys(range(len(files)), 0)
        self.count = 0
        self.skipped = Skipped()
        self.unit = unit
        self.lines = _ProgressLines("Working", unit)
        self.bar = _bar("[progress.percentage]{task.percentage:>3.0f}%[/] {task.fields[rate]}")
        if self.bar:
            self.task = self.bar.add_task("Working", total=self.total, rate="")

    def __enter__(self) -> FileProgress:
        self.lines = _ProgressLines("Working", self.unit)  # the time runs from here
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()
        self.skipped.say()

    def read(self, file: int, position: int) -> None:
        """Note how many bytes of a file have been read."""
        self.positions[file] = position

    def done(self, count: int) -> None:
        """Note how many more are done."""
        self.count += count
        read = sum(self.positions.values())
        if self.bar:
            rate = self.count / max(time.monotonic() - self.lines.started, 1e-9)
            self.bar.update(
                self.task,
                completed=read,
                rate=f"{self.count:,} {self.unit}, {rate:,.0f} a second",
            )
        else:
            self.lines.show(self.count, read / self.total if self.total else None)

    def skip(self, problem: Problem) -> None:
        """Note a record that is skipped; at the end, `Skipped` names the first of each kind."""
        self.skipped.add(problem)


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
    """Yield the items, with a progress bar if standard error is a terminal, else a line a minute.

    The total is in RNAs; `size` counts those in an item.
    """
    bar = _bar("[progress.download]{task.completed}/{task.total}[/] RNAs")
    if not bar:
        lines, count = _ProgressLines(description, "RNAs"), 0
        for item in items:
            count += size(item)
            lines.show(count, count / total)
            yield item
        return
    with bar:
        task = bar.add_task(description, total=total)
        for item in items:
            yield item
            bar.advance(task, size(item))
