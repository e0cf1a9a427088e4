"""The command line as a user types it."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, random_rna
from typer.testing import CliRunner

from mirpair import __version__
from mirpair.cli import app
from mirpair.folding import fold

HAIRPINS = ROOT / "config" / "demo" / "positives.fa"
runner = CliRunner()


def mirpair(*arguments: str, stdin: str | bytes = "") -> tuple[int, str, str]:
    result = runner.invoke(app, list(arguments), input=stdin)
    return result.exit_code, result.stdout, result.stderr


def test_help_and_version() -> None:
    code, text, _ = mirpair("--help")
    assert code == 0
    assert "fold" in text
    assert mirpair("--version")[1].strip() == f"mirpair {__version__}"
    code, text, _ = mirpair("fold", "--help")
    assert "dot-bracket" in text


def test_fold_gives_every_record_in_order_with_its_structure_and_energy(tmp_path: Path) -> None:
    path = tmp_path / "in.fa"
    path.write_text(">a some words\nGCCCTTGGCA\n>b\naaa\n>c\nGCCCUUGGCA\n")
    code, text, _ = mirpair("fold", str(path))
    assert code == 0
    assert text == (
        ">a\nGCCCUUGGCA\n(((...))). ( -3.00)\n"
        ">b\nAAA\n... (  0.00)\n"
        ">c\nGCCCUUGGCA\n(((...))). ( -3.00)\n"
    )


def test_the_same_bytes_whatever_the_jobs_the_packing_and_the_way_in(tmp_path: Path) -> None:
    plain = HAIRPINS.read_bytes()
    packed = tmp_path / "hairpins.fa.gz"
    packed.write_bytes(gzip.compress(plain))
    code, from_file, _ = mirpair("fold", "-j", "1", str(HAIRPINS))
    assert code == 0
    assert from_file.count(">") == 150
    assert mirpair("fold", "-j", "2", str(packed))[1] == from_file
    assert mirpair("fold", "-", stdin=plain)[1] == from_file
    assert mirpair("fold", str(HAIRPINS), "-o", str(tmp_path / "out.dbn"))[1] == ""
    assert (tmp_path / "out.dbn").read_text() == from_file
    sequence, structure = from_file.splitlines()[1:3]
    assert structure.split(" ")[0] == fold(sequence).dot_bracket


@pytest.mark.parametrize("text", [">a\nACGN\n", "no fasta", "", ">a\n"])
def test_a_bad_file_is_one_message_and_no_output(tmp_path: Path, text: str) -> None:
    path, out = tmp_path / "in.fa", tmp_path / "out.dbn"
    path.write_text(text)
    code, _, message = mirpair("fold", str(path), "-o", str(out))
    assert code == 1
    assert message.startswith("error: ")
    assert "in.fa" in message
    assert "Traceback" not in message
    assert [file.name for file in tmp_path.iterdir()] == ["in.fa"]


def test_ambiguous_records_can_be_left_out_and_are_named() -> None:
    text = ">a[1]\nACGN\n>b\nGGG\n"
    code, out, message = mirpair("fold", "--on-ambiguous", "drop", "-", stdin=text)
    assert code == 0
    assert out == ">b\nGGG\n... (  0.00)\n"
    assert "dropped: standard input: record 1 ('a[1]') has 'N' at position 4" in message


def test_what_cannot_be_written_or_read_twice_is_one_message(tmp_path: Path) -> None:
    for arguments in (
        ["fold", str(HAIRPINS), "-o", str(tmp_path)],
        ["fold", str(HAIRPINS), "-o", "/dev/null/out.dbn"],
        ["fold", "-", "-"],
        ["fold", str(tmp_path)],
    ):
        code, _, message = mirpair(*arguments, stdin=">a\nACGU\n")
        assert code == 1, arguments
        assert message.startswith("error: ")
        assert "Traceback" not in message
    assert list(tmp_path.iterdir()) == []


def test_the_output_goes_where_the_user_says_and_nothing_is_replaced_by_it(tmp_path: Path) -> None:
    small = tmp_path / "in.fa"
    small.write_text(">a\nGGG\n")
    expected = ">a\nGGG\n... (  0.00)\n"
    assert mirpair("fold", str(small), "-o", "-")[1] == expected
    (tmp_path / "link.dbn").symlink_to(tmp_path / "target.dbn")
    assert mirpair("fold", str(small), "-o", str(tmp_path / "link.dbn"))[0] == 0
    assert (tmp_path / "link.dbn").is_symlink()
    assert (tmp_path / "target.dbn").read_text() == expected
    os.mkfifo(tmp_path / "pipe")
    command = [
        sys.executable,
        "-m",
        "mirpair.cli",
        "fold",
        str(small),
        "-o",
        str(tmp_path / "pipe"),
    ]
    with subprocess.Popen(command, cwd=ROOT) as process:
        assert (tmp_path / "pipe").read_text() == expected
        assert process.wait(timeout=60) == 0
    assert (tmp_path / "pipe").is_fifo(), "a device or pipe is written to, never replaced"
    code, _, message = mirpair("fold", str(small), "-o", str(small))
    assert code == 1
    assert "is an input file" in message
    assert small.read_text() == ">a\nGGG\n"


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_and_leaves_nothing(
    tmp_path: Path, kind: signal.Signals
) -> None:
    rng = np.random.default_rng(0)
    long = "".join(f">{i}\n{random_rna(rng, 1500)}\n" for i in range(80))
    (tmp_path / "long.fa").write_text(long)
    command = [sys.executable, "-m", "mirpair.cli", "fold", "-j", "2", "long.fa", "-o", "out.dbn"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, start_new_session=True, stderr=subprocess.PIPE
    ) as process:
        while len(list(tmp_path.iterdir())) < 2:  # until the temporary output is there
            time.sleep(0.05)
        time.sleep(1)
        os.killpg(process.pid, kind)  # as a terminal and a batch system do it
        os.killpg(process.pid, kind)
        assert process.wait(timeout=10) != 0
    assert [path.name for path in tmp_path.iterdir()] == ["long.fa"]


def test_nothing_left_to_fold_is_an_error() -> None:
    code, out, message = mirpair("fold", "--on-ambiguous", "drop", "-", stdin=">a\nNNN\n")
    assert (code, out) == (1, "")
    assert "no records are left to fold" in message


def test_a_reader_that_stops_early_is_no_traceback() -> None:
    command = [sys.executable, "-m", "mirpair.cli", "fold", str(HAIRPINS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.wait()
