"""The demo on a real SLURM, and what is seen of a job that is killed or asks for too little."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, random_rna
from workflow.conftest import Copy, copy_of_repository, small_study

from mirpair.rna.sequences import read_fasta
from mirpair.settings import SCAN_FILES
from slurm.conftest import PARTITION, Cluster

DEMO = ("all", "--configfile", "test.yaml")
# Beside the profile: what a cluster decides. Without accounting it is asked by squeue.
ON_SLURM = (
    *("--profile", "profiles/slurm", "--default-resources", f"slurm_partition={PARTITION}"),
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"),
    *("--cores", "2", "--latency-wait", "5"),
)


def demo(folder: Path) -> Copy:
    """The demo with one of its three networks, to be through in minutes."""
    copy = copy_of_repository(folder)
    study = yaml.safe_load((copy.folder / "config" / "demo.yaml").read_text(encoding="utf-8"))
    study["runs"][0]["models"] = ["variable"]
    copy.write_config(study)
    return copy


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The demo, made on this machine."""
    copy = demo(tmp_path_factory.mktemp("local"))
    copy.snakemake(*DEMO, "--cores", "2")
    return copy


def scancel_a_training_that_has_a_checkpoint(
    cluster: Cluster, folder: Path, killed: list[str]
) -> None:
    """Once: the first one that has noted where it stands."""
    logs, runs = folder / "results/demo/logs/train", folder / "results/demo/runs"
    until = time.monotonic() + 600
    while time.monotonic() < until:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if b".train.py" not in (process / "cmdline").read_bytes():
                    continue
                log = next(
                    p.resolve() for p in (process / "fd").iterdir() if logs in p.resolve().parents
                )
                run = log.relative_to(logs).with_suffix("")
                environment = (process / "environ").read_text().split("\0")
            except (OSError, StopIteration):
                continue
            job = next(v[13:] for v in environment if v.startswith("SLURM_JOB_ID="))
            if (runs / run / "checkpoint.safetensors").exists():
                cluster.ask("scancel", job)
                killed.append(f"runs/{run}")
                return
        time.sleep(0.05)


@pytest.fixture(scope="module")
def on_slurm(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Copy, str, list[str]]:
    """The demo, made on the cluster, with one training killed in its midst."""
    copy = demo(tmp_path_factory.mktemp("on-slurm"))
    killed: list[str] = []
    killer = threading.Thread(
        target=scancel_a_training_that_has_a_checkpoint,
        args=(cluster, copy.folder, killed),
        daemon=True,
    )
    killer.start()
    done = copy.snakemake(*DEMO, *ON_SLURM, **cluster.environment)
    return copy, done.stdout, killed


def test_the_cluster_gives_the_same_predictions_and_tables(
    local: Copy, on_slurm: tuple[Copy, str, list[str]]
) -> None:
    copy, *_ = on_slurm
    here, there = (c.folder / "results" / "demo" for c in (local, copy))
    compared = [
        path.relative_to(here)
        for pattern in ("runs/**/predictions.tsv", "runs/**/weights.safetensors", "tables/*")
        for path in here.glob(pattern)
    ]
    assert len(compared) >= 5 + 5 + 16
    different = [str(p) for p in compared if (here / p).read_bytes() != (there / p).read_bytes()]
    assert different == []


def test_a_training_killed_by_scancel_is_tried_again_and_goes_on(
    on_slurm: tuple[Copy, str, list[str]],
) -> None:
    copy, output, killed = on_slurm
    assert len(killed) == 1
    provenance = json.loads(
        (copy.folder / "results" / "demo" / killed[0] / "provenance.json").read_text()
    )
    assert provenance["began_after_epoch"] > 0
    assert "Trying to restart job" in output
    left = (copy.folder / "results").rglob("checkpoint.safetensors")
    assert list(left) == []


def test_a_job_that_needs_more_memory_than_it_has_fails_clearly(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Twice, as the profile says; then the logs are named, SLURM's with its reason."""
    copy = copy_of_repository(tmp_path)
    config = copy.write_config(small_study(copy.folder))
    target = "results/mine/datasets/mine/records.tsv"
    done = copy.snakemake(
        *(target, "--configfile", config, *ON_SLURM, "--set-resources", "records:mem_mb=20"),
        check=False,
        **cluster.environment,
    )
    assert done.returncode != 0
    assert done.stdout.count("Error in rule records") >= 2
    assert "results/mine/logs/records/mine.log" in done.stdout
    assert not (copy.folder / target).exists()
    logs = list((copy.folder / ".snakemake" / "slurm_logs").rglob("*.log"))
    assert any(str(log) in done.stdout for log in logs)
    assert any("memory limit" in log.read_text() for log in logs)


def scancel_a_scan_that_has_found_something(
    cluster: Cluster, folder: Path, killed: list[str]
) -> None:
    """Once: the first piece whose journal has a stretch."""
    until = time.monotonic() + 600
    while time.monotonic() < until and not killed:
        for journal in (folder / "results/mine/scan").glob("*/*.found.part"):
            try:
                size = journal.stat().st_size
            except FileNotFoundError:  # complete, and renamed
                continue
            if size > 2000:
                # A job is named by the run, but SLURM's comment has the rule and its wildcards.
                for line in cluster.ask("squeue", "--noheader", "-o", "%i %T %k").splitlines():
                    number, state, comment = line.split(maxsplit=2)
                    piece = journal.name.removesuffix(".found.part")
                    if state == "RUNNING" and "scan_find" in comment and piece in comment:
                        cluster.ask("scancel", number)
                        killed.append(str(journal))
                        return
        time.sleep(0.05)


def test_two_genomes_are_scanned_on_the_cluster_with_the_bytes_of_one_machine(
    cluster: Cluster, tmp_path: Path
) -> None:
    """In two pieces each, of which one is killed in its midst; folding all takes long enough."""
    rng = np.random.default_rng(3)
    copies = [copy_of_repository(tmp_path / name) for name in ("local", "on-slurm")]
    demo = ROOT / "config" / "demo" / "positives.fa"
    hairpins = [record.sequence for record in read_fasta(demo)][:60]
    genomes = {
        name: "".join(random_rna(rng, 8000) + hairpin for hairpin in part)
        for name, part in (("one", hairpins[:14]), ("two", hairpins[14:18]))
    }
    files = [f"results/mine/scan/{name}{suffix}" for name in genomes for suffix in SCAN_FILES]
    killed: list[str] = []
    for copy in copies:
        for name, bases in genomes.items():
            (copy.folder / f"{name}.fa").write_text(f">{name}\n{bases}\n")
        rows = [f"{name}\tscan\t{name}.fa" for name in genomes]
        (copy.folder / "samples.tsv").write_text("\n".join(["sample\trun\tfasta", *rows, ""]))
        study = {"study": "mine", "task": "prediction", "samples": "samples.tsv"}
        copy.write_config({**study, "scan": {"exhaustive": True}})
    command = ("all", "--configfile", "test.yaml")
    copies[0].snakemake(*command, "--cores", "2")
    killer = threading.Thread(
        target=scancel_a_scan_that_has_found_something,
        args=(cluster, copies[1].folder, killed),
        daemon=True,
    )
    killer.start()
    pieces = ("--set-scatter", "fold=2")
    done = copies[1].snakemake(*command, *pieces, *ON_SLURM, **cluster.environment)
    assert len(killed) == 1
    assert "Trying to restart job" in done.stdout
    for file in files:
        here, there = ((copy.folder / file).read_bytes() for copy in copies)
        assert here == there, file
    assert len((copies[0].folder / "results/mine/scan/one.bed").read_text().splitlines()) > 5


def test_everything_that_was_started_is_stopped(tmp_path: Path) -> None:
    """The cluster's own end, seen from outside: a second pytest starts one and goes."""
    probe = tmp_path / "test_probe.py"
    probe.write_text(
        "from slurm.conftest import *\n"
        "def test_it(cluster):\n"
        "    print('pids', *[p.read_text().strip() for p in cluster.folder.glob('*.pid')])\n"
    )
    tests = Path(__file__).parent.parent
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-s", "--basetemp", str(tmp_path / "t")),
            *("-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(probe)),
        ],
        cwd=tests,
        env={"PYTHONPATH": str(tests), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if "skipped" in done.stdout:
        pytest.skip("needs SLURM and MUNGE")
    pids = done.stdout.split("pids", 1)[1].splitlines()[0].split()
    assert len(pids) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_any_batch_system_by_its_commands(cluster: Cluster, tmp_path: Path) -> None:
    """profiles/cluster-generic, with SLURM's commands."""
    copy = copy_of_repository(tmp_path)
    config = copy.write_config(small_study(copy.folder))
    target = "results/mine/datasets/mine/records.tsv"
    profile = ("--profile", "profiles/cluster-generic", "--latency-wait", "5")
    here = (target, "--configfile", config)
    copy.snakemake(*here, *profile, **cluster.environment)
    made = (copy.folder / target).read_bytes()
    (copy.folder / target).unlink()
    copy.snakemake(*here)
    assert (copy.folder / target).read_bytes() == made
    assert list((copy.folder / ".snakemake" / "cluster").glob("*.log"))
    starved = ("--set-resources", "records:mem_mb=20", "--forcerun", "records")
    failed = copy.snakemake(*here, *profile, *starved, check=False, **cluster.environment)
    assert failed.returncode != 0
    logs = (copy.folder / ".snakemake" / "cluster").glob("*.log")
    assert any("memory limit" in log.read_text() for log in logs)
