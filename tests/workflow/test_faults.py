"""What goes wrong on real machines: nothing is lost, one is told what to do, a rerun completes.

Full and read-only disks are small file systems in memory, mounted in a namespace of their own that
ends with the test; without the right to make one these tests are skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow.conftest import Copy, copy_of_repository, small_study

RUN = "results/mine/runs/mine-cv1/variable/paper/seed0"
# What a stage makes, and how to stop before it.
STAGES = {
    "fold": ("results/mine/datasets/mine/structures.tsv", ("--until", "records")),
    "encode": ("results/mine/datasets/mine/tensors.npz", ("--until", "structures")),
    "train": (f"{RUN}/weights.safetensors", ("--until", "encode", "experiments")),
    "report": ("results/mine/report.html", ("--omit-from", "report")),
}
# Of a run of the whole, what is compared: all that does not tell a time.
COMPARED = ("datasets/**/*.tsv", "datasets/**/*.npz", "runs/**/weights.safetensors")
COMPARED += ("runs/**/scores.npz", "runs/**/predictions.tsv", "tables/*")


def results(copy: Copy) -> dict[str, bytes]:
    folder = copy.folder / "results" / "mine"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in COMPARED
        for path in folder.glob(pattern)
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Results of the small study on a machine where nothing goes wrong."""
    copy = copy_of_repository(tmp_path_factory.mktemp("undisturbed"))
    copy.snakemake("all", "--configfile", copy.write_config(small_study(copy.folder)))
    found = results(copy)
    assert len(found) > 15
    return found


class Disk:
    """A small file system in memory in a copy's `results`, seen only by what `within` starts."""

    def __init__(self, copy: Copy, megabytes: int) -> None:
        self.folder = copy.folder / "results"
        self.folder.mkdir(exist_ok=True)
        self.holder = subprocess.Popen(
            ["unshare", "--map-root-user", "--mount", "sleep", "3600"], stderr=subprocess.PIPE
        )
        time.sleep(0.5)
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
def small_copy(tmp_path: Path) -> Copy:
    copy = copy_of_repository(tmp_path / "copy")
    copy.write_config(small_study(copy.folder))
    return copy


@pytest.fixture
def disk(small_copy: Copy) -> Iterator[Disk]:
    disk = Disk(small_copy, 8)
    yield disk
    disk.close()


CONFIG = ("--configfile", "test.yaml")


def test_a_full_disk_in_any_stage(
    disk: Disk, small_copy: Copy, undisturbed: dict[str, bytes]
) -> None:
    """In fold, encode, train and report: exit code, message, no half file; then a plain rerun."""
    for stage, (target, before) in STAGES.items():
        small_copy.snakemake(target, *CONFIG, *before, within=disk.within)
        disk.fill()
        full = small_copy.snakemake(target, *CONFIG, check=False, within=disk.within)
        assert full.returncode != 0, stage
        assert "No space left on device; make room" in full.stdout, full.stdout[-3000:]
        assert disk.run("find", str(disk.folder), "-name", ".*.*", "-type", "f") == "", stage
        assert disk.run("find", str(disk.folder), "-path", f"*/{Path(target).name}") == "", stage
        disk.make_room()
        small_copy.snakemake(target, *CONFIG, within=disk.within)
    small_copy.snakemake("all", *CONFIG, within=disk.within)
    disk.run("cp", "-r", f"{disk.folder}/mine", str(small_copy.folder / "taken"))
    shutil.rmtree(disk.folder, ignore_errors=True)
    disk.folder.mkdir(exist_ok=True)
    shutil.move(small_copy.folder / "taken", disk.folder / "mine")
    assert results(small_copy) == undisturbed


def test_a_read_only_results_folder(
    disk: Disk, small_copy: Copy, undisturbed: dict[str, bytes]
) -> None:
    target, _ = STAGES["encode"]
    disk.run("mount", "-o", "remount,ro", str(disk.folder))
    refused = small_copy.snakemake(target, *CONFIG, check=False, within=disk.within)
    assert refused.returncode != 0
    assert "results: this folder cannot be written" in refused.stdout
    assert "Traceback" not in refused.stdout
    small_copy.snakemake("-n", target, *CONFIG, within=disk.within)
    disk.run("mount", "-o", "remount,rw", str(disk.folder))
    small_copy.snakemake(target, *CONFIG, within=disk.within)
    made = disk.run("sha256sum", f"{small_copy.folder}/{target}").split()[0]
    assert made == hashlib.sha256(undisturbed["datasets/mine/tensors.npz"]).hexdigest()


def kill_trainings(copy: Copy, log: Path, moments: list[tuple[str, float]]) -> None:
    """Kill every training with -9, so many seconds after its start or its first epoch.

    The list is emptied as it does so.
    """

    def kill() -> None:
        seen: set[int] = set()
        while moments:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                pid = int(path.parent.name)
                try:
                    command = path.read_bytes()
                except OSError:
                    continue
                if pid in seen or str(copy.folder).encode() not in command:
                    continue
                if b".train.py" in command:
                    seen.add(pid)
                    since, seconds = moments[0]
                    while since == "epoch" and path.exists():
                        # Each attempt begins its log anew.
                        if log.exists() and "epoch" in log.read_text():
                            break
                        time.sleep(0.01)
                    time.sleep(seconds)
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        return  # it was through
                    moments.pop(0)
                    if not moments:
                        return
            time.sleep(0.02)

    threading.Thread(target=kill, daemon=True).start()


def test_a_training_killed_at_20_random_moments_ends_in_the_same_bytes(small_copy: Copy) -> None:
    """By kill -9 of the real script, which Snakemake tries again each time.

    Five times soon after its start, else up to an eighth of the training after it went on.
    """
    study = small_study(small_copy.folder)
    study["runs"][0]["epochs"] = 400
    small_copy.write_config(study)
    files = ("weights.safetensors", "scores.npz", "predictions.tsv")
    target = f"{RUN}/weights.safetensors"
    small_copy.snakemake(target, *CONFIG)
    folder = small_copy.folder / RUN
    whole = {name: (folder / name).read_bytes() for name in files}
    took = json.loads((folder / "provenance.json").read_text())["wall_time_s"]
    shutil.rmtree(folder)
    rng = random.Random(20)
    moments = [("epoch", rng.uniform(0, took / 8)) for _ in range(15)]
    moments += [("start", rng.uniform(0, 5)) for _ in range(5)]
    rng.shuffle(moments)
    log = small_copy.folder / RUN.replace("/runs/", "/logs/train/").replace("/seed0", "/seed0.log")
    kill_trainings(small_copy, log, moments)
    done = small_copy.snakemake(target, *CONFIG, "--retries", "25")
    assert moments == [], "each was a kill"
    assert done.stdout.count("Trying to restart job") == 20
    assert {name: (folder / name).read_bytes() for name in files} == whole
    assert json.loads((folder / "provenance.json").read_text())["began_after_epoch"] > 0
    assert not (folder / "checkpoint.safetensors").exists()


def test_snakemake_itself_killed_in_a_training(
    small_copy: Copy, undisturbed: dict[str, bytes]
) -> None:
    """With kill -9 of all its processes: --unlock, as it says, and a plain rerun."""
    running = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", "all", *CONFIG],
        cwd=small_copy.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    log = small_copy.folder / "results/mine/logs/train/mine-cv1/variable/paper/seed0.log"
    deadline = time.monotonic() + 300
    while not log.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    refused = small_copy.snakemake("all", *CONFIG, check=False)
    assert refused.returncode != 0
    assert "--unlock" in refused.stdout
    small_copy.snakemake("all", *CONFIG, "--unlock")
    small_copy.snakemake("all", *CONFIG)
    assert results(small_copy) == undisturbed


def test_two_runs_at_once(small_copy: Copy, undisturbed: dict[str, bytes]) -> None:
    """The second is refused and told why; the first completes."""
    target, _ = STAGES["train"]
    first = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", target, *CONFIG],
        cwd=small_copy.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(small_copy.folder.glob(".snakemake/locks/*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    second = small_copy.snakemake(target, *CONFIG, check=False)
    assert second.returncode != 0
    assert "no other Snakemake process" in second.stdout
    assert first.wait(timeout=300) == 0
    weights = undisturbed["runs/mine-cv1/variable/paper/seed0/weights.safetensors"]
    assert (small_copy.folder / target).read_bytes() == weights


@pytest.mark.parametrize(
    ("file", "rule", "damage"),
    [
        ("datasets/mine/records.tsv", "fold", "flipped"),
        ("datasets/mine/structures.tsv", "encode", "truncated"),
        ("datasets/mine/tensors.npz", "train", "flipped"),
        ("runs/mine-cv1/variable/paper/seed0/scores.npz", "evaluate", "truncated"),
    ],
)
def test_a_damaged_result_stops_what_reads_it_and_is_made_again(
    file: str, rule: str, damage: str, damaged_copy: Copy, undisturbed: dict[str, bytes]
) -> None:
    """Of which files every bit is seen: tests/test_damage.py."""
    path = damaged_copy.folder / "results" / "mine" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    if damage == "truncated":
        del content[len(content) // 2 :]
    status = path.stat()
    with path.open("r+b") as handle:  # as a disk does it: not by a new file
        handle.write(content)
        handle.truncate()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    failed = damaged_copy.snakemake(*("all", *CONFIG, "--forcerun", rule), check=False)
    assert failed.returncode != 0
    assert f"{path.name}: " in failed.stdout
    assert "delete it to have it made again" in failed.stdout
    path.unlink()
    damaged_copy.snakemake(*("all", *CONFIG, "--forcerun", rule))
    assert results(damaged_copy) == undisturbed


@pytest.fixture(scope="module")
def damaged_copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = copy_of_repository(tmp_path_factory.mktemp("damaged"))
    copy.snakemake("all", "--configfile", copy.write_config(small_study(copy.folder)))
    return copy


def test_a_folder_with_spaces_quotes_and_other_letters_and_no_home(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    """Snakemake wants to keep copies of sources: XDG_CACHE_HOME says where, if not at home."""
    copy = copy_of_repository(tmp_path / "mein Ördner – 'x' 文")
    copy.write_config(small_study(copy.folder))
    nowhere = {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    copy.snakemake("all", *CONFIG, **nowhere)
    assert results(copy) == undisturbed


def test_without_a_home_make_runs_all_the_same(small_copy: Copy) -> None:
    root = Path(__file__).parent.parent.parent
    shutil.copy(root / "Makefile", small_copy.folder)
    told = subprocess.run(
        ["make", "--no-print-directory", "--eval", "where: ; @echo $$XDG_CACHE_HOME", "where"],
        cwd=small_copy.folder,
        env={**os.environ, "HOME": "/proc/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == f"{small_copy.folder}/.cache"


def test_nothing_but_downloads_needs_a_network(
    small_copy: Copy, undisturbed: dict[str, bytes]
) -> None:
    """In a namespace without any network: the same results."""
    alone = ("unshare", "--map-root-user", "--net")
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to make a namespace (unshare)")
    small_copy.snakemake("all", *CONFIG, within=alone)
    assert results(small_copy) == undisturbed


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}, id="C"),
        pytest.param({"PYTHONHASHSEED": "77", "LC_ALL": "tr_TR.UTF-8"}, id="Turkish"),
    ],
)
def test_locale_time_zone_hash_seed_cores_and_pieces_change_nothing(
    environment: dict[str, str], small_copy: Copy, undisturbed: dict[str, bytes]
) -> None:
    small_copy.snakemake("all", *CONFIG, "--cores", "2", "--set-scatter", "fold=7", **environment)
    assert results(small_copy) == undisturbed
