"""Compare folding by mirpair with bare loops over ViennaRNA, each in its own process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

_LOOP = """
import sys, RNA
for line in open(sys.argv[1]):
    if not line.startswith(">"):
        RNA.fold(line.strip())
"""


def measure(sequences: Sequence[str], *, processes: int, rounds: int = 3) -> pd.DataFrame:
    """Measure sequences per second from start to end of the programs, in turns.

    Returns
    -------
    DataFrame
        One row per round: bare (sum of the loops' sequences per second, each with an equal share of
        the sequences), ours (``mirpair fold`` with as many jobs) and their ratio.
    """
    with tempfile.TemporaryDirectory() as folder:
        parts = [Path(folder) / f"{number}.fa" for number in range(processes)]
        for number, part in enumerate(parts):
            _write(part, sequences[number::processes])
        together = Path(folder) / "all.fa"
        _write(together, sequences)
        program = Path(sys.executable).with_name("mirpair")
        fold = [program, "fold", together, "-o", Path(folder) / "out.dbn", "-j", str(processes)]
        rows = []
        for _ in range(rounds):
            loops = [[sys.executable, "-c", _LOOP, part] for part in parts]
            seconds = _run(loops)
            shares = [len(sequences[number::processes]) for number in range(processes)]
            bare = sum(share / taken for share, taken in zip(shares, seconds, strict=True))
            ours = len(sequences) / _run([fold])[0]
            rows.append((bare, ours, ours / bare))
    return pd.DataFrame(rows, columns=["bare", "ours", "ratio"])


def _write(path: Path, sequences: Sequence[str]) -> None:
    path.write_text("".join(f">{n}\n{sequence}\n" for n, sequence in enumerate(sequences)))


def _run(commands: Sequence[Sequence[str | Path]]) -> list[float]:
    """Run several commands at the same time; return the seconds that each takes."""
    start = time.perf_counter()
    running = {
        number: subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for number, command in enumerate(commands)
    }
    seconds = [0.0] * len(commands)
    while running:
        for number, process in list(running.items()):
            if (code := process.poll()) is not None:
                if code:
                    raise subprocess.CalledProcessError(code, commands[number])
                seconds[number] = time.perf_counter() - start
                del running[number]
        time.sleep(0.005)
    return seconds
