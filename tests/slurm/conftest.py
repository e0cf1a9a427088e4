"""A SLURM of our own on this machine, with its own MUNGE; nothing outside of a scratch folder."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CLIENTS = ("sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol")
PROGRAMS = ("munged", "slurmctld", "slurmd", *CLIENTS)
PARTITION = "debug"


def found(program: str) -> str | None:
    """Where it is; daemons are often not on the path."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(frozen=True)
class Cluster:
    """A running SLURM."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """With it, SLURM's programs talk to this cluster, within its jobs too."""
        return {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def ask(self, *command: str) -> str:
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout


def configured(folder: Path) -> str:
    user, host = getpass.getuser(), socket.gethostname().split(".")[0]
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 - 1000
    settings = {
        "ClusterName": "local",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": free_port(),
        "SlurmdPort": free_port(),
        "SlurmUser": user,
        "SlurmdUser": user,
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={folder}/munge.socket",
        "CredType": "cred/munge",
        "MpiDefault": "none",
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "SwitchType": "switch/none",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        # Who uses more memory than was asked for is killed, as by the cgroups of a real cluster.
        "JobAcctGatherType": "jobacct_gather/linux",
        "JobAcctGatherFrequency": "task=1",
        "JobAcctGatherParams": "OverMemoryKill",
        "AccountingStorageType": "accounting_storage/none",
        "ReturnToService": 2,
        "MinJobAge": 3600,
        "KillWait": 5,
        "StateSaveLocation": folder / "ctld",
        "SlurmdSpoolDir": folder / "d",
        "SlurmctldPidFile": folder / "slurmctld.pid",
        "SlurmdPidFile": folder / "slurmd.pid",
        "SlurmctldLogFile": folder / "slurmctld.log",
        "SlurmdLogFile": folder / "slurmd.log",
    }
    node = f"NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} RealMemory={megabytes}"
    return "".join(f"{key}={value}\n" for key, value in settings.items()) + (
        f"{node} State=UNKNOWN\nPartitionName={PARTITION} Nodes=ALL Default=YES State=UP\n"
    )


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if missing := [program for program in PROGRAMS if not found(program)]:
        pytest.skip(f"needs SLURM and MUNGE (apt.txt); there is no {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("slurm")
    folder.chmod(0o755)
    for name in ("ctld", "d"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    (folder / "slurm.conf").write_text(configured(folder))
    # Snakemake takes SLURM's variables out of the environment of its jobs, SLURM_CONF with them.
    (folder / "bin").mkdir()
    for name in PROGRAMS:
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {found(name)} "$@"\n')
        program.chmod(0o755)
    cluster = Cluster(folder)
    environment = {**os.environ, **cluster.environment}
    # --force: the folder is a temporary one, which MUNGE does not like.
    munge = [
        *(str(found("munged")), "--force", f"--key-file={folder}/munge.key"),
        *(f"--socket={folder}/munge.socket", f"--pid-file={folder}/munged.pid"),
        *(f"--log-file={folder}/munged.log", f"--seed-file={folder}/munged.seed"),
    ]
    pids: list[int] = []
    try:
        for command, pid in (
            (munge, "munged.pid"),
            (["slurmctld"], "slurmctld.pid"),
            (["slurmd"], "slurmd.pid"),
        ):
            subprocess.run(command, env=environment, check=True, timeout=60)
            wait_for(lambda pid=pid: (folder / pid).is_file() and (folder / pid).read_text())
            pids.append(int((folder / pid).read_text()))
        wait_for(lambda: "idle" in cluster.ask("sinfo", "--noheader", "--format=%t"))
        yield cluster
    finally:
        cluster.ask("scancel", "--full", f"--user={getpass.getuser()}")
        cluster.ask("scontrol", "shutdown")
        for pid in pids[:1]:
            os.kill(pid, 15)
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def wait_for(what: object, seconds: float = 60) -> None:
    """Until it is true; an error if it does not come to be."""
    assert callable(what)
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.2)
