"""Run `mirpair predict` for a page, one set of RNAs after the other, within limits."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from mirpair.files import InputError
from mirpair.rna.sequences import Record, read_records
from mirpair.settings import Kingdom

# Limits of one set of RNAs, and of the sets that wait or whose results are still there.
MOST_RECORDS = 10_000
MOST_BYTES = 16 * 2**20
MOST_SETS = 8
# A picture of importance takes seconds; of the longest RNA, on a busy machine, a minute or two.
_PICTURE_SECONDS = 300
_PASTED = "pasted.fa"
TABLE, TRACK, CALLED = "predictions.tsv", "called.gff3", "called.fa"
State = Literal["waiting", "running", "done", "failed", "stopped"]


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
    lock: threading.Lock = field(default_factory=threading.Lock)

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
        A set that takes longer is stopped.
    """

    def __init__(self, processes: int, minutes: float) -> None:
        self._processes, self._seconds = processes, 60 * minutes
        self._folder = Path(tempfile.mkdtemp(prefix="mirpair-"))
        self._jobs: dict[int, Job] = {}
        self._next = 1
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def add(self, text: bytes, kingdom: Kingdom) -> int:
        """Queue RNAs, and return their number.

        Results of the oldest set are deleted if there are too many.

        Raises
        ------
        InputError
            If the text has no records or too many, or too many sets are waiting.
        """
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            records = _read(folder / _PASTED, text)
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
        with job.lock:
            if job.state in ("waiting", "running"):
                job.state = "stopped"
                if job.process:
                    job.process.terminate()

    def draw_importance(self, job: Job, index: int) -> bytes:
        """Draw the importance of the bases of an RNA, with `mirpair explain`: an SVG.

        Raises
        ------
        InputError
            If the RNA has no score, or it takes too long.
        """
        record, folder = job.records[index], job.folder / f"why-{index}"
        with job.lock:
            if not folder.exists():
                alone = job.folder / f"{index}.fa"
                alone.write_text(f">{record.id}\n{record.sequence}\n", encoding="utf-8")
                command = ["explain", alone.name, "--kingdom", job.kingdom, "-o", f"part-{index}"]
                command += ["--jobs", str(self._processes), "--", record.id]
                try:
                    done = subprocess.run(
                        _mirpair(*command),
                        cwd=job.folder,
                        stdin=subprocess.DEVNULL,
                        capture_output=True,
                        text=True,
                        timeout=_PICTURE_SECONDS,
                        check=False,
                    )
                except subprocess.TimeoutExpired as error:
                    message = f"stopped: it took longer than {_PICTURE_SECONDS} seconds"
                    raise InputError(message) from error
                if done.returncode:
                    raise InputError(done.stderr.strip())
                (job.folder / f"part-{index}").rename(folder)
        (picture,) = folder.glob("*.svg")
        return picture.read_bytes()

    def close(self) -> None:
        """Stop everything, and delete all files."""
        for job in list(self._jobs.values()):
            self.stop(job)
        self._queue.put(None)
        self._worker.join(timeout=10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make_room(self) -> None:
        """Forget the oldest set that has ended, if there are too many sets."""
        if len(self._jobs) < MOST_SETS:
            return
        ended = [it for it, job in self._jobs.items() if job.state not in ("waiting", "running")]
        if not ended:
            raise InputError(
                f"{MOST_SETS} sets of RNAs are waiting: try again when one is done, or stop one"
            )
        shutil.rmtree(self._jobs.pop(ended[0]).folder, ignore_errors=True)

    def _work(self) -> None:
        while job := self._queue.get():
            try:
                self._predict(job)
            except Exception as error:  # the next set must be predicted all the same
                job.state, job.messages = "failed", str(error)

    def _predict(self, job: Job) -> None:
        command = ["predict", _PASTED, "--annotate", "--kingdom", job.kingdom]
        command += ["--gff3", TRACK, "--fasta", CALLED, "--jobs", str(self._processes)]
        said = job.folder / "messages.txt"
        with said.open("w", encoding="utf-8") as messages:
            with job.lock:
                if job.state == "stopped":
                    return
                process = job.process = subprocess.Popen(
                    _mirpair(*command),
                    cwd=job.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=messages,
                    text=True,
                    encoding="utf-8",
                )
                job.state = "running"
            is_late = threading.Event()

            def end() -> None:
                is_late.set()
                process.kill()

            limit = threading.Timer(self._seconds, end)
            limit.start()
            try:
                _copy_rows(job, process)
                code = process.wait()
            finally:
                limit.cancel()
        with job.lock:
            job.messages = said.read_text(encoding="utf-8").strip()
            if is_late.is_set():
                job.messages = f"stopped: it took longer than {self._seconds / 60:g} minutes"
            if job.state == "running":
                job.state = "failed" if code else "done"


def _copy_rows(job: Job, process: subprocess.Popen[str]) -> None:
    """Write the table that a process prints to a file, and count its rows as they come."""
    assert process.stdout
    with (job.folder / TABLE).open("w", encoding="utf-8", newline="") as handle:
        for number, line in enumerate(process.stdout):
            handle.write(line)
            job.done = number


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


def _mirpair(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mirpair.cli.app", *arguments]
