"""Run `mirpair predict` for a page, one set of RNAs after the other, within limits."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Literal

from mirpair.files import InputError
from mirpair.rna.sequences import Record, read_records
from mirpair.settings import Kingdom

# Limits of one set of RNAs, unpacked, and of the sets whose results are there.
MOST_RECORDS = 10_000
MOST_BYTES = 16 * 2**20
MOST_SETS = 8
TOO_LARGE = (
    f"more than {MOST_BYTES // 2**20} MiB of text: use the command `mirpair predict`, which has no "
    "limit"
)
# What messages call the RNAs.
_PASTED = "RNAs"
TABLE, TRACK, CALLED = "predictions.tsv", "called.gff3", "called.fa"
State = Literal["waiting", "running", "done", "failed", "stopped"]
# Seconds that a process has to end before it is killed.
_PATIENCE = 5


@dataclass(slots=True)
class Job:
    """One set of RNAs and what became of it.

    Attributes
    ----------
    folder
        Its files: the RNAs, and the outputs of `mirpair predict`.
    records
        The RNAs; each is a row of the table, in this order.
    done
        Number of rows that are written.
    messages
        What `mirpair predict` said.
    """

    folder: Path
    records: Sequence[Record]
    kingdom: Kingdom
    state: State = "waiting"
    done: int = 0
    messages: str = ""
    process: subprocess.Popen[str] | None = None

    def file(self, name: str) -> Path:
        """Return the path of an output; `InputError` if it is not there yet."""
        if self.state != "done":
            raise InputError(f"these RNAs are {self.state}")
        return self.folder / name

    def table(self) -> list[list[str]]:
        """Read the table: its header and a row for each record."""
        with self.file(TABLE).open(encoding="utf-8", newline="") as handle:
            return list(csv.reader(handle, delimiter="\t"))


class Jobs:
    """The sets of RNAs of a page: one is predicted, the others wait.

    Parameters
    ----------
    processes
        See `mirpair.prediction.predictor.predict`; 0 are all cores.
    minutes
        A set, or a picture, that takes longer is stopped.
    """

    def __init__(self, processes: int, minutes: float) -> None:
        self._processes, self._seconds = processes, 60 * minutes
        # Only its user can read it.
        self.folder = Path(tempfile.mkdtemp(prefix="mirpair-"))
        self._jobs: dict[int, Job] = {}
        self._next = 1
        # Guards the state of all sets, and the processes that run.
        self._lock = threading.Lock()
        self._children: set[subprocess.Popen[str]] = set()
        self._ends = False
        # A picture takes as much of the machine as a prediction: one at a time.
        self._drawing = threading.Lock()
        self._drawn: Job | None = None
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def add(self, text: bytes, kingdom: Kingdom) -> int:
        """Queue RNAs, plain or gzip, and return their number.

        Results of the oldest set are deleted if there are too many.

        Raises
        ------
        InputError
            If the text has no records or too many, or too many sets are waiting.
        """
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            records = _read(folder / _PASTED, _unpacked(text))
            with self._lock:
                self._make_room()
                number, self._next = self._next, self._next + 1
                job = self._jobs[number] = Job(folder, records, kingdom)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._queue.put(job)
        return number

    def __getitem__(self, number: int) -> Job:
        """Return a set; `KeyError` if there is none of this number, or no longer."""
        return self._jobs[number]

    def stop(self, job: Job) -> None:
        """Stop a set that is waiting or running."""
        with self._lock:
            if job.state in ("waiting", "running"):
                job.state = "stopped"
                if job.process:
                    _signal(job.process, signal.SIGTERM)

    def draw_importance(self, job: Job, index: int) -> bytes:
        """Draw the importance of the bases of an RNA, with `mirpair explain`: an SVG.

        Raises
        ------
        InputError
            If the set is not done, the RNA has no score, another picture is being computed, or it
            takes too long.
        """
        folder = job.file(f"why-{index}")
        if not self._drawing.acquire(blocking=False):
            raise InputError("another picture is being computed: try again when it is there")
        try:
            self._drawn = job
            if not folder.exists():
                self._explain(job, index, folder)
            (picture,) = folder.glob("*.svg")
            return picture.read_bytes()
        finally:
            self._drawn = None
            self._drawing.release()

    def _explain(self, job: Job, index: int, folder: Path) -> None:
        record, part = job.records[index], folder.with_name(f"part-{index}")
        part.mkdir(exist_ok=True)
        (part / "RNA").write_text(f">{record.id}\n{record.sequence}\n", encoding="utf-8")
        options = ["--kingdom", job.kingdom, "--jobs", str(self._processes), "-o", "drawn"]
        command = ["explain", "RNA", *options, "--", record.id]
        with self._running(command, part, subprocess.PIPE, subprocess.STDOUT) as process:
            try:
                said, _ = process.communicate(timeout=self._seconds)
            except subprocess.TimeoutExpired as error:
                raise InputError(_late(self._seconds)) from error
        if process.returncode:
            raise InputError(_explained(process.returncode, said))
        (part / "drawn").rename(folder)

    @contextlib.contextmanager
    def _running(
        self, command: Sequence[str], folder: Path, stdout: int, stderr: int | IO[str]
    ) -> Iterator[subprocess.Popen[str]]:
        """Start the command `mirpair` in a folder; at the end, it and its workers are gone."""
        with self._lock:
            if self._ends:
                raise InputError("mirpair is ending")
            process = subprocess.Popen(
                [sys.executable, "-m", "mirpair.cli.app", *command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"},
                # Its workers are of its group, and end with it.
                start_new_session=True,
            )
            self._children.add(process)
        try:
            yield process
        finally:
            _end(process)
            with self._lock:
                self._children.discard(process)

    def end(self) -> None:
        """Ask all processes to end, so that nobody waits for them, and start no more."""
        with self._lock:
            self._ends = True
            for job in self._jobs.values():
                if job.state in ("waiting", "running"):
                    job.state = "stopped"
            for process in self._children:
                _signal(process, signal.SIGTERM)

    def close(self) -> None:
        """End all processes, and delete all files."""
        self.end()
        self._queue.put(None)
        for process in list(self._children):
            _end(process)
        self._worker.join(timeout=2 * _PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_room(self) -> None:
        """Forget the oldest set that has ended, if there are too many sets."""
        if len(self._jobs) < MOST_SETS:
            return
        ended = [
            number
            for number, job in self._jobs.items()
            if job.state not in ("waiting", "running") and job is not self._drawn
        ]
        if not ended:
            raise InputError(
                f"{MOST_SETS} sets of RNAs are waiting: try again when one is done, or stop one"
            )
        shutil.rmtree(self._jobs.pop(ended[0]).folder, ignore_errors=True)

    def _work(self) -> None:
        while job := self._queue.get():
            try:
                if job.state == "waiting":
                    self._predict(job)
            except Exception as error:  # the next set must be predicted all the same
                with self._lock:
                    if job.state != "stopped":
                        job.state, job.messages = "failed", str(error)

    def _predict(self, job: Job) -> None:
        command = ["predict", _PASTED, "--annotate", "--kingdom", job.kingdom]
        command += ["--gff3", TRACK, "--fasta", CALLED, "--jobs", str(self._processes)]
        path, is_late = job.folder / "messages.txt", threading.Event()
        with (
            path.open("w", encoding="utf-8") as messages,
            self._running(command, job.folder, subprocess.PIPE, messages) as process,
        ):

            def end() -> None:
                is_late.set()
                _signal(process, signal.SIGTERM)

            limit = threading.Timer(self._seconds, end)
            limit.daemon = True
            with self._lock:
                job.process = process
                if job.state == "waiting":
                    job.state = "running"
                else:
                    _signal(process, signal.SIGTERM)
            limit.start()
            try:
                _copy_rows(job, process)
                code = process.wait()
            finally:
                limit.cancel()
        said = path.read_text(encoding="utf-8", errors="replace")
        with self._lock:
            job.process = None
            job.messages = _explained(code, said) if code else said.strip()
            if is_late.is_set():
                job.messages = _late(self._seconds)
            if job.state == "running":
                job.state = "failed" if code else "done"


def _copy_rows(job: Job, process: subprocess.Popen[str]) -> None:
    """Write the table that a process prints to a file, and count its rows as they come."""
    assert process.stdout
    with (job.folder / TABLE).open("w", encoding="utf-8", newline="") as handle:
        for number, line in enumerate(process.stdout):
            handle.write(line)
            job.done = number


def _late(seconds: float) -> str:
    return f"stopped: it took longer than {seconds / 60:g} minutes (mirpair serve --minutes)"


def _explained(code: int, said: str) -> str:
    """Say why a process failed, also if it could not say so itself."""
    if code < 0 or not said.strip():
        return (
            f"{said.strip()}\nmirpair was killed (exit status {code}), most likely because memory "
            "ran out: send fewer RNAs, or start mirpair serve with --jobs 1"
        ).strip()
    return said.strip()


def _signal(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal to a process and its workers."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                process.terminate()
            else:
                os.killpg(process.pid, number)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and its workers, at the latest by killing them."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        process.wait()


def _unpacked(text: bytes) -> bytes:
    """Unpack a text if it is compressed; an `InputError` if it is too long then, or damaged."""
    if not text.startswith(b"\x1f\x8b"):
        return text
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(text)).read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"the file is damaged ({error}): compress it again") from error
    if len(unpacked) > MOST_BYTES:
        raise InputError(TOO_LARGE)
    return unpacked


def _read(path: Path, text: bytes) -> list[Record]:
    """Write RNAs to a file, and read its records; `InputError` if there are none or too many."""
    path.write_bytes(text)
    records = []
    try:
        for record, _ in read_records(str(path), gaps="remove"):
            records.append(record)
            if len(records) > MOST_RECORDS:
                raise InputError(
                    f"more than {MOST_RECORDS:,} records: use the command `mirpair predict`, which "
                    "has no limit"
                )
    except InputError as error:
        raise InputError(str(error).replace(str(path), "the text")) from error
    return records
