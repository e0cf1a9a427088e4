"""What goes wrong on real machines: nothing is lost, one is told what to do, a rerun completes.

Full and read-only disks are small file systems in memory, mounted in a namespace of their own that
ends with the test; without the right to make one these tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow.conftest import Copy, bytes_of, copy_of_study, small_study

SET = "results/mine/datasets/mine"
RUN = "results/mine/runs/mine-cv1/variable/paper/seed0"
# A file that a stage makes, and its other outputs, which are removed with it.
STAGES = {
    "fold": ("results/mine/datasets/mine/structures.tsv", ()),
    "encode": ("results/mine/datasets/mine/tensors.npz", ()),
    "train": (f"{RUN}/weights.safetensors", (f"{RUN}/scores.npz", f"{RUN}/predictions.tsv")),
    "report": ("results/mine/report.html", ()),
}


@pytest.fixture(scope="module")
def undisturbed(finished_study: Copy) -> dict[str, bytes]:
    """Results of the small study on a machine where nothing goes wrong."""
    found = bytes_of(finished_study)
    assert len(found) > 50
    return found


class Disk:
    """A small file system in memory in a copy's `results`, seen only by what `within` starts."""

    def __init__(self, copy: Copy, megabytes: int) -> None:
        self.folder = copy.folder / "results"
        self.folder.mkdir(exist_ok=True)
        # It says so when it is in its namespace, and says nothing where it may have none.
        self.holder = subprocess.Popen(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", "echo; exec sleep 3600"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.holder.stdout
        self.holder.stdout.readline()
        self.within = (
            *("nsenter", f"--target={self.holder.pid}", "--user", "--mount"),
            # A folder entered before would be that of outside.
            *("--preserve-credentials", "sh", "-c", 'cd "$0" && exec "$@"', str(copy.folder)),
        )
        try:
            self.run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(self.folder))
        except (subprocess.CalledProcessError, FileNotFoundError):
            self.close()
            pytest.skip("needs the right to mount a file system in a namespace (unshare)")

    def run(self, *command: str, check: bool = True) -> str:
        done = subprocess.run(
            [*self.within, *command], check=check, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    def fill(self) -> None:
        self.run("dd", "if=/dev/zero", f"of={self.folder}/ballast", "bs=4k", check=False)

    def make_room(self) -> None:
        self.run("rm", f"{self.folder}/ballast")

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()


@pytest.fixture
def finished(finished_study: Copy, tmp_path: Path) -> Copy:
    """A repository with all results of the small study."""
    return copy_of_study(finished_study, tmp_path / "finished")


@pytest.fixture
def disk(finished: Copy) -> Iterator[Disk]:
    """All results on a small disk, and nowhere else."""
    before = finished.folder / "before"
    (finished.folder / "results").rename(before)
    disk = Disk(finished, 8)
    disk.run("cp", "-a", f"{before}/.", str(disk.folder))
    shutil.rmtree(before)
    yield disk
    disk.close()


def bytes_on(disk: Disk, folder: Path) -> dict[str, bytes]:
    """What `bytes_of` finds on the disk, which only processes in its namespace can read."""
    disk.run("cp", "-a", str(disk.folder), str(folder / "results"))
    return bytes_of(Copy(folder))


CONFIG = ("--configfile", "test.yaml")


def test_a_full_disk_in_any_stage(
    disk: Disk, finished: Copy, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    """In fold, encode, train and report: exit code, message, no half file; then a plain rerun."""
    for stage, (target, more) in STAGES.items():
        disk.run("rm", target, *more)
        disk.fill()
        full = finished.snakemake(target, *CONFIG, check=False, within=disk.within)
        assert full.returncode != 0, stage
        assert "No space left on device; make room" in full.stdout, full.stdout[-3000:]
        assert disk.run("find", str(disk.folder), "-name", ".*.*", "-type", "f") == "", stage
        assert disk.run("find", str(disk.folder), "-path", f"*/{target}") == "", stage
        disk.make_room()
        finished.snakemake(target, *CONFIG, within=disk.within)
    assert bytes_on(disk, tmp_path) == undisturbed


def test_a_read_only_results_folder(
    disk: Disk, finished: Copy, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    target, _ = STAGES["encode"]
    disk.run("rm", target)
    disk.run("mount", "-o", "remount,ro", str(disk.folder))
    refused = finished.snakemake(target, *CONFIG, check=False, within=disk.within)
    assert refused.returncode != 0
    assert "results/mine: this folder cannot be written" in refused.stdout
    assert "Traceback" not in refused.stdout
    finished.snakemake("-n", target, *CONFIG, within=disk.within)
    disk.run("mount", "-o", "remount,rw", str(disk.folder))
    finished.snakemake(target, *CONFIG, within=disk.within)
    assert bytes_on(disk, tmp_path) == undisturbed


# In a copy's train.py: it counts the library's function calls, and kills itself (-9) at the next of
# some counts.
KILLS = """
import atexit, os, signal, sys
from pathlib import Path

counts, calls = Path("kills.txt"), 0
left = counts.read_text().split() if counts.exists() else []
library = f"{Path('mirpair').resolve()}/"


def count(frame, event, argument):
    global calls
    calls += frame.f_code.co_filename.startswith(library)
    if left and calls == int(left[0]):
        counts.write_text(" ".join(left[1:]))
        os.kill(os.getpid(), signal.SIGKILL)


atexit.register(lambda: Path("calls.txt").write_text(str(calls)))
sys.setprofile(count)
job.start(snakemake)
"""


def test_a_training_killed_again_and_again_ends_in_the_same_bytes(finished: Copy) -> None:
    """By kill -9 of the real script, which Snakemake tries again each time.

    The moments are counted in function calls, so that each comes however fast the machine is; more
    of them: tests/test_checkpoints.py.
    """
    files = ("weights.safetensors", "scores.npz", "predictions.tsv")
    study = small_study(finished.folder)
    study["runs"][0]["epochs"] = 50
    finished.write_config(study)
    finished.edit("scripts/train.py", "job.start(snakemake)\n", KILLS)
    target = f"{RUN}/weights.safetensors"
    finished.snakemake(target, *CONFIG)
    folder = finished.folder / RUN
    whole = {name: (folder / name).read_bytes() for name in files}
    calls = int((finished.folder / "calls.txt").read_text())
    shutil.rmtree(folder)
    kills = [calls // 4, 10, calls // 2]
    (finished.folder / "kills.txt").write_text(" ".join(map(str, kills)))
    done = finished.snakemake(target, *CONFIG, "--retries", "5")
    assert done.stdout.count("Trying to restart job") == len(kills)
    assert {name: (folder / name).read_bytes() for name in files} == whole
    assert json.loads((folder / "provenance.json").read_text())["began_after_epoch"] > 25
    assert not (folder / "checkpoint.safetensors").exists()


def test_snakemake_itself_killed_in_a_training(
    finished: Copy, undisturbed: dict[str, bytes]
) -> None:
    """With kill -9 of all its processes: --unlock, as it says, and a plain rerun."""
    shutil.rmtree(finished.folder / "results/mine/runs")
    trained = [f"results/mine/runs/mine-cv{k}/variable/paper/seed0/metrics.tsv" for k in (1, 2)]
    # The training waits for its killer.
    finished.edit("scripts/train.py", "job.start(snakemake)\n", WAITS)
    running = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", *trained, *CONFIG],
        cwd=finished.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(finished.folder / "waiting", running)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    finished.edit("scripts/train.py", WAITS, "job.start(snakemake)\n")
    refused = finished.snakemake(*trained, *CONFIG, check=False)
    assert refused.returncode != 0
    assert "--unlock" in refused.stdout
    finished.snakemake(*trained, *CONFIG, "--unlock")
    finished.snakemake(*trained, *CONFIG)
    assert bytes_of(finished) == undisturbed


# In a copy's train.py: it writes the file `waiting`, then waits for the file `go-on`, or is killed.
WAITS = """
import os
import time
from pathlib import Path

job.start(snakemake)
Path("waiting").touch()
while not Path("go-on").exists() and os.getppid() != 1:
    time.sleep(0.01)
"""


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a file is there that a process, or one that it starts, will write."""
    while not path.exists():
        assert process.poll() is None, f"it ended with {process.returncode}, and without {path}"
        time.sleep(0.02)


def test_two_runs_at_once(finished: Copy, undisturbed: dict[str, bytes]) -> None:
    """The second is refused and told why; the first completes."""
    target, _ = STAGES["train"]
    shutil.rmtree(finished.folder / "results/mine/runs/mine-cv1")
    finished.edit("scripts/train.py", "job.start(snakemake)\n", WAITS)
    first = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", target, *CONFIG],
        cwd=finished.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(finished.folder / "waiting", first)
        second = finished.snakemake(target, *CONFIG, check=False)
    finally:
        (finished.folder / "go-on").touch()
    assert second.returncode != 0
    assert "no other Snakemake process" in second.stdout
    assert first.wait(timeout=600) == 0
    weights = undisturbed["runs/mine-cv1/variable/paper/seed0/weights.safetensors"]
    assert (finished.folder / target).read_bytes() == weights


@pytest.mark.parametrize(
    ("file", "damage", "rule", "target"),
    [
        (f"{SET}/records.tsv", "flipped", "fold", f"{SET}/structures.tsv"),
        (f"{SET}/structures.tsv", "truncated", "encode", f"{SET}/tensors.npz"),
        (f"{SET}/tensors.npz", "flipped", "train", f"{RUN}/weights.safetensors"),
        (f"{RUN}/scores.npz", "truncated", "evaluate", f"{RUN}/metrics.tsv"),
    ],
)
def test_a_damaged_result_stops_what_reads_it_and_is_made_again(
    file: str,
    damage: str,
    rule: str,
    target: str,
    damaged_copy: Copy,
    undisturbed: dict[str, bytes],
) -> None:
    """Of which files every bit is seen: tests/test_damage.py."""
    path = damaged_copy.folder / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    if damage == "truncated":
        del content[len(content) // 2 :]
    status = path.stat()
    with path.open("r+b") as handle:  # as a disk does it: not by a new file
        handle.write(content)
        handle.truncate()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    again = (target, *CONFIG, "--forcerun", rule)
    failed = damaged_copy.snakemake(*again, check=False)
    assert failed.returncode != 0
    assert f"{path.name}: " in failed.stdout
    assert "delete it, and the next run makes it again" in failed.stdout
    path.unlink()
    damaged_copy.snakemake(*again)
    assert bytes_of(damaged_copy) == undisturbed


@pytest.fixture(scope="module")
def damaged_copy(finished_study: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return copy_of_study(finished_study, tmp_path_factory.mktemp("damaged"))


def test_without_a_home_make_runs_all_the_same(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent.parent
    shutil.copy(root / "Makefile", tmp_path)
    printed = subprocess.run(
        ["make", "--no-print-directory", "--eval", "where: ; @echo $$XDG_CACHE_HOME", "where"],
        cwd=tmp_path,
        env={**os.environ, "HOME": "/proc/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.strip() == f"{tmp_path}/.cache"
