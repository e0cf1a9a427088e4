"""The command line as a user types it."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import gzip
import io
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT, random_rna
from typer.testing import CliRunner

from mirpair import __version__
from mirpair.cli.app import app
from mirpair.families.annotation import decided_by, shipped
from mirpair.families.records import nearest_family
from mirpair.families.shipping import ship
from mirpair.files import file_lock, sha256
from mirpair.hairpins.tiles import check_genome
from mirpair.networks.build import build
from mirpair.networks.inference import embed
from mirpair.networks.weights import save_weights
from mirpair.prediction.predictor import predict
from mirpair.prediction.weights import PreMirnaNetworks, find_weights, load_networks
from mirpair.recipes import FAMILY_MODELS, MODELS
from mirpair.rna import folding
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import dense, encode
from mirpair.rna.folding import fold
from mirpair.rna.sequences import read_fasta
from mirpair.scan.output import CHECKSUM, Summary
from mirpair.settings import HairpinCriteria, PredictionSettings, ScanOutput, ScanSettings

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
    for command in ("plot", "export"):
        code, text, _ = mirpair(command, "--help")
        assert code == 0
        assert "tensors.npz" in text


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


def test_ambiguous_records_are_skipped_and_named() -> None:
    text = ">a[1]\nACGN\n>b\nGGG\n"
    expected = ">b\nGGG\n... (  0.00)\n"
    code, out, message = mirpair("fold", "-", stdin=text)
    assert (code, out) == (0, expected)
    assert "skipped: standard input: record 1 ('a[1]') has 'N' at position 4" in message
    assert "1 of 2 records skipped" in message
    code, out, message = mirpair("fold", "--strict", "-", stdin=text)
    assert (code, out) == (1, "")
    assert "record 1 ('a[1]') has 'N' at position 4" in message
    # The option of the former version, for one more release.
    code, out, message = mirpair("fold", "--on-ambiguous", "drop", "-", stdin=text)
    assert (code, out) == (0, expected)
    assert "--on-ambiguous drop is no longer needed" in message
    code, out, message = mirpair("fold", "--on-ambiguous", "error", "-", stdin=text)
    assert (code, out) == (1, "")
    assert "--on-ambiguous error is now --strict" in message


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
        "mirpair.cli.app",
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
    command = [
        sys.executable,
        "-m",
        "mirpair.cli.app",
        "fold",
        "-j",
        "2",
        "long.fa",
        "-o",
        "out.dbn",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        start_new_session=True,
        stderr=subprocess.PIPE,
        # Where the tests themselves run in the background, Ctrl-C may be switched off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while len(list(tmp_path.iterdir())) < 2:  # until the temporary output is there
            time.sleep(0.05)
        time.sleep(1)
        os.killpg(process.pid, kind)  # as a terminal and a batch system do it
        os.killpg(process.pid, kind)
        assert process.wait(timeout=60) != 0
    assert [path.name for path in tmp_path.iterdir()] == ["long.fa"]


def test_ctrl_c_ends_a_scan_in_one_process_at_once_and_without_a_traceback(tmp_path: Path) -> None:
    """ViennaRNA hides what is raised while it folds."""
    (tmp_path / "g.fa").write_text(f">a\n{random_rna(np.random.default_rng(0), 1_000_000)}\n")
    command = [sys.executable, "-m", "mirpair.cli.app", "scan", "g.fa", "-o", "out", "-j", "1"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while not (tmp_path / "out" / ".g.found").exists():
            time.sleep(0.05)
        time.sleep(1)  # it folds
        process.send_signal(signal.SIGINT)
        # To fold the genome takes minutes.
        _, shown = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in shown
    assert b"RuntimeError" not in shown
    # The journal stays, so that the scan resumes.
    assert {it.name for it in (tmp_path / "out").iterdir()} == {".g.found"}


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        (["--help"], {"numpy", "pandas", "requests", "rich", "torch"}),
        (["fold", "in.fa"], {"rich", "sklearn", "torch"}),
        (["predict", "in.fa"], {"matplotlib", "requests", "rich", "scipy", "sklearn"}),
    ],
)
def test_a_command_imports_only_what_it_needs(
    arguments: list[str], without: set[str], tmp_path: Path
) -> None:
    (tmp_path / "in.fa").write_text(f">a\n{next(iter(read_fasta(HAIRPINS))).sequence}\n")
    code = (
        "import sys\nfrom mirpair.cli.app import app\n"
        "try:\n    app(sys.argv[1:])\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = done.stderr.split()
    assert "mirpair.cli.app" in imported
    assert not without & set(imported)


def test_nothing_left_to_fold_is_an_error() -> None:
    code, out, message = mirpair("fold", "-", stdin=">a\nNNN\n")
    assert (code, out) == (1, "")
    assert "nothing is left of 1 record: standard input: record 1 ('a') has 'N'" in message


@pytest.mark.parametrize("command", ["fold", "predict --reference none"])
def test_without_standard_error_the_output_is_the_same(command: str, tmp_path: Path) -> None:
    few = tmp_path / "few.fa"
    few.write_text("".join(HAIRPINS.read_text().splitlines(keepends=True)[:4]))
    mirpair = f"{shlex.quote(sys.executable)} -m mirpair.cli.app {command} {shlex.quote(str(few))}"
    usual, closed = (
        subprocess.run(f"{mirpair}{how}", shell=True, cwd=ROOT, capture_output=True, check=True)
        for how in ("", " 2>&-")
    )
    assert closed.stdout == usual.stdout != b""


def on_terminal(*arguments: str) -> tuple[bytes, str]:
    """What `mirpair` writes to standard output, and what a narrow terminal gets beside it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 60, 0, 0))
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mirpair.cli.app", *arguments],
            cwd=ROOT,
            stdout=output,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": ""},
        )
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # at its end
            while part := os.read(ours, 1 << 16):
                shown += part
        os.close(ours)
        assert process.wait() == 0
        output.seek(0)
        return output.read(), shown.decode()


def test_a_message_on_a_narrow_terminal_is_one_line_above_the_progress_bar(tmp_path: Path) -> None:
    long = "a_record_with_a_very_long_name_" * 4
    hairpin = next(iter(read_fasta(HAIRPINS))).sequence
    # The first two chunks are read before the bar is there.
    hairpins = "".join(f">{number}\n{hairpin}\n" for number in range(150))
    (tmp_path / "in.fa").write_text(f"{hairpins}>{long}\nACGN\n")
    rows, shown = on_terminal("predict", "--reference", "none", str(tmp_path / "in.fa"))
    assert rows.count(b"\n") == 152
    assert f"record 151 ('{long}') has 'N' at position 4" in shown
    assert "RNAs, " in shown, "the progress bar has the rate"


def test_rows_go_into_a_file_also_while_a_terminal_shows_the_progress(tmp_path: Path) -> None:
    lines = HAIRPINS.read_text().splitlines(keepends=True)[:6]
    (tmp_path / "in.fa").write_text("".join(lines))
    rows, shown = on_terminal("annotate", str(tmp_path / "in.fa"))
    assert [row.split(b"\t")[0].decode() for row in rows.splitlines()[1:]] == [
        line[1:].split()[0] for line in lines[::2]
    ]
    assert "Annotating" in shown


def test_a_reader_that_stops_early_is_no_traceback() -> None:
    command = [sys.executable, "-m", "mirpair.cli.app", "fold", str(HAIRPINS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.wait()


THREE = {"first": "GCCCUUGGCA", "second": "AAAA", "third": "GGGGAAAACCCC"}


@pytest.fixture(params=["fasta", "gzip", "tensors"])
def three(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Three RNAs, as each kind of file that is understood."""
    text = "".join(f">{name} more\n{sequence.lower()}\n" for name, sequence in THREE.items())
    match request.param:
        case "fasta":
            path = tmp_path / "three.fa"
            path.write_text(text)
        case "gzip":
            path = tmp_path / "three.fa.gz"
            path.write_bytes(gzip.compress(text.encode()))
        case _:
            path = tmp_path / "tensors.npz"
            molecules = [encode(sequence, *fold(sequence)) for sequence in THREE.values()]
            Tensors.build(list(THREE), [1, 0, 0], molecules).save(path)
    return path


def expected(name: str) -> np.ndarray:
    return dense(encode(THREE[name], *fold(THREE[name])))


def exported(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def test_export_gives_each_rna_its_own_matrix_in_the_order_asked_for(
    three: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.npz"
    code, text, message = mirpair("export", str(three), "third", "first", "-o", str(out))
    assert (code, text, message) == (0, "", "")
    arrays = exported(out)
    assert arrays["ids"].tolist() == ["third", "first"]
    assert arrays["lengths"].tolist() == [12, 10]
    assert arrays["mfe"].tolist() == [fold(THREE["third"]).mfe, -3.0]
    np.testing.assert_array_equal(arrays["matrix_0000"], expected("third"))
    np.testing.assert_array_equal(arrays["matrix_0001"], expected("first"))
    assert arrays["matrix_0001"].dtype == np.float32
    if three.suffix == ".npz":
        assert arrays["labels"].tolist() == [0, 1]
    else:
        assert "labels" not in arrays, "a FASTA file knows none"


def test_export_pads_right_and_below_and_the_same_input_gives_the_same_bytes(
    three: Path, tmp_path: Path
) -> None:
    for name in ("a.npz", "b.npz"):
        out = str(tmp_path / name)
        assert mirpair("export", str(three), "--all", "--size", "12", "-o", out)[0] == 0
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    arrays = exported(tmp_path / "a.npz")
    assert arrays["ids"].tolist() == list(THREE)
    assert arrays["matrices"].shape == (3, 12, 12, 9)
    for name, matrix in zip(THREE, arrays["matrices"], strict=True):
        length = len(THREE[name])
        np.testing.assert_array_equal(matrix[:length, :length], expected(name))
        assert not matrix[length:].any()
        assert not matrix[:, length:].any()


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_export_in_another_precision_and_without_pairing(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out.npz"
    arguments = ["export", "-", "a", "--dtype", kind, "-o", str(out)]
    assert mirpair(*arguments, stdin=">a\nGCCCTTGGCA\n")[0] == 0
    assert exported(out)["matrix_0000"].dtype == kind
    np.testing.assert_array_equal(exported(out)["matrix_0000"], expected("first"))
    for more in ([], ["--size", "10"]):
        text = ">a\nGCCCTTGGCA\n"
        assert mirpair(*arguments, "--without-pairing", *more, stdin=text)[0] == 0
        arrays = exported(out)
        matrix = arrays["matrices"][0] if more else arrays["matrix_0000"]
        np.testing.assert_array_equal(matrix, expected("first")[:, :, 1:])


def test_ids_come_from_a_file_or_standard_input_too(three: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("third\n\n  second \n")
    out = tmp_path / "out.npz"
    for given in (str(tmp_path / "ids.txt"), "-"):
        arguments = ["export", str(three), "first", "--ids", given, "-o", str(out)]
        assert mirpair(*arguments, stdin="third\nsecond\n")[0] == 0
        assert exported(out)["ids"].tolist() == ["first", "third", "second"]


def test_what_cannot_be_exported_is_one_message_and_no_file(three: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    out = str(tmp_path / "out.npz")
    for arguments, reason in (
        ([], "--all"),
        (
            ["firs", "x"],
            "no RNA has the id 'firs', and 1 more ids are unknown; did you mean 'first'?",
        ),
        (["first", "first"], "'first' is given more than once"),
        (["--all", "first"], "either"),
        (["--all", "--size", "11"], "'third' has 12 nt and does not fit into 11 × 11"),
        (["--ids", str(tmp_path / "none.txt")], "none.txt"),
    ):
        code, _, message = mirpair("export", str(three), *arguments, "-o", out)
        assert code == 1, arguments
        assert message.startswith("error: ")
        assert reason in message
        assert "Traceback" not in message
    for place in (str(tmp_path), str(tmp_path / "out.txt"), "/dev/null", str(three)):
        code, _, message = mirpair("export", str(three), "--all", "-o", place)
        assert (code, message[:7]) == (1, "error: "), place
    assert mirpair("export", "-", "--ids", "-", "-o", out, stdin=">a\nACGU\n")[0] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_neither_the_input_nor_the_list_of_ids_is_ever_written_over(tmp_path: Path) -> None:
    named = tmp_path / "in.svg"
    named.write_text(">first\nGCCCUUGGCA\n")
    code, _, message = mirpair("plot", str(named), "first", "-o", str(named))
    assert (code, named.read_text()) == (1, ">first\nGCCCUUGGCA\n")
    assert "is an input file" in message
    ids = tmp_path / "ids.npz"
    ids.write_text("first\n")
    code, _, message = mirpair("export", str(named), "--ids", str(ids), "-o", str(ids))
    assert (code, ids.read_text()) == (1, "first\n")
    assert "is an input file" in message


def test_what_is_no_set_of_the_workflow_or_would_fill_the_disk_is_said_at_once(
    three: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.npz"
    code, _, message = mirpair("export", str(three), "--all", "--size", "100000", "-o", str(out))
    assert code == 1
    assert "3 matrices would be 1,080 GB before compression" in message
    assert mirpair("export", str(three), "--all", "-o", str(out))[0] == 0
    code, _, message = mirpair("plot", str(out), "first", "-o", str(tmp_path / "x.svg"))
    assert (code, message.strip()) == (
        1,
        f"error: {out}: not the tensors.npz of a dataset of the workflow",
    )
    code, _, message = mirpair("plot", str(tmp_path / "not.npz"), "first")
    assert "not.npz" in message
    assert "Errno" not in message


def test_only_what_is_chosen_is_folded_and_must_be_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.fa"
    path.write_text(">a\nGCCCUUGGCA\n>b\nAAAAA\n>c\nACGN\n>d\nGGG\n>d\nCCC\n")
    folded: list[str] = []

    def counting(sequence: str) -> folding.Structure:
        folded.append(sequence)
        return fold(sequence)

    monkeypatch.setattr(folding, "fold", counting)
    out = str(tmp_path / "out.npz")
    assert mirpair("export", str(path), "a", "-o", out)[0] == 0
    assert mirpair("plot", str(path), "b", "-o", str(tmp_path / "b.svg"))[0] == 0
    assert folded == ["GCCCUUGGCA", "AAAAA"]
    assert "has 'N' at position 4" in mirpair("export", str(path), "c", "-o", out)[2]
    assert "has 'N' at position 4" in mirpair("export", str(path), "--all", "-o", out)[2]
    some = tmp_path / "some.fa"
    some.write_text(">a\nGCCCUUGGCA\n>c\nACGN\n")
    code, _, message = mirpair("export", str(some), "--all", "--strict", "-o", out)
    assert (code, "has 'N' at position 4" in message) == (1, True)
    code, _, message = mirpair("export", str(some), "--all", "-o", out)
    assert (code, "skipped: " in message) == (0, True)
    assert exported(tmp_path / "out.npz")["ids"].tolist() == ["a"]
    assert "'d' occurs more than once" in mirpair("export", str(path), "d", "-o", out)[2]


@pytest.mark.parametrize(
    ("suffix", "first"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_plot_writes_the_format_of_the_name(
    three: Path, tmp_path: Path, suffix: str, first: bytes
) -> None:
    out = tmp_path / f"picture.{suffix}"
    code, text, message = mirpair("plot", str(three), "first", "-o", str(out))
    assert (code, text, message) == (0, "", "")
    assert out.read_bytes().startswith(first)
    if suffix == "svg":
        content = out.read_text(encoding="utf-8")
        label = ", a pre-miRNA" if three.suffix == ".npz" else ""
        assert f">10 nt, −3.00 kcal/mol{label}<" in content


@pytest.mark.parametrize(
    "name", ["../x", "<b>", "/etc/x", "..", "a\\b", "$(x)", "ä", "中文", "w" * 300]
)
def test_a_hostile_id_is_a_title_and_a_harmless_file_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    code, _, message = mirpair("plot", "-", name, stdin=f">{name}\nGCCCUUGGCA\n")
    assert code == 0, message
    (picture,) = folder.iterdir()
    assert re.fullmatch(r"[A-Za-z0-9][\w.+-]{0,99}\.svg", picture.name)
    assert message == f"written: {picture.name}\n"
    shown = "".join(ElementTree.parse(picture).getroot().itertext())
    assert name[:40] in shown
    assert mirpair("export", "-", name, "-o", "x.npz", stdin=f">{name}\nGCCCUUGGCA\n")[0] == 0
    assert exported(folder / "x.npz")["ids"].tolist() == [name]
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_what_cannot_be_plotted_is_one_message_and_no_file(three: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    for name, out, reason in (
        ("firs", "x.svg", "did you mean 'first'?"),
        ("first", "x.gif", "must end in .svg, .pdf or .png"),
        ("first", "x", "must end in .svg, .pdf or .png"),
        ("first", "", "is a folder"),
    ):
        code, _, message = mirpair("plot", str(three), name, "-o", str(tmp_path / out))
        assert code == 1
        assert message.startswith("error: ")
        assert reason in message
    code, _, message = mirpair("plot", str(tmp_path / "none.npz"), "x", "-o", "x.svg")
    assert (code, message[:7]) == (1, "error: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shipped weights of a network that has learnt nothing, whose families are by length."""
    folder = tmp_path_factory.mktemp("families")
    records = pd.DataFrame(
        [(record.id, record.sequence) for record in read_fasta(HAIRPINS)],
        columns=["id", "sequence"],
    )
    records["family"] = np.where(records["sequence"].str.len() > 85, "RF2", "RF1")
    records["label"] = 1
    strange = (np.arange(len(records)) % 5) == 4
    records.loc[strange, ["label", "family"]] = 0, "tRNA"
    roles = np.array(["train", "train", "validate", "evaluate"])[np.arange(len(records)) % 4]
    roles[strange & (roles == "train")] = "validate"
    experiment = pd.DataFrame({"id": records["id"], "set": "all", "role": roles})
    network = build(FAMILY_MODELS["one-hot"], seed=0, classes=("RF1", "RF2"))
    save_weights(network, folder / "weights.safetensors")
    logits, features = embed(network, [encode(s, "." * len(s), 0.0) for s in records["sequence"]])
    ship(
        folder / "families.safetensors",
        weights=folder / "weights.safetensors",
        outputs={
            "ids": records["id"].to_numpy(dtype=np.str_),
            "classes": np.array(["RF1", "RF2"]),
            "logits": logits.numpy(),
            "features": features.numpy(),
        },
        experiment=experiment,
        known=records[roles == "train"],
        queries=nearest_family(records, experiment),
        score="softmax",
        max_length=200,
        families=pd.DataFrame({"family": ["RF1", "RF2"], "accessions": ["MIPF1 RF1", "RF2"]}),
    )
    return folder / "families.safetensors"


ANNOTATED = "\t".join(
    [
        *("id", "length", "family", "accessions", "probability", "score", "distribution"),
        *("nearest", "nearest_family", "identity", "coverage", "reason"),
    ]
)


def test_annotate_is_the_same_bytes_whatever_the_jobs_the_packing_and_the_way_in(
    families: Path, tmp_path: Path
) -> None:
    plain = HAIRPINS.read_bytes()
    packed = tmp_path / "hairpins.fa.gz"
    packed.write_bytes(gzip.compress(plain))
    options = ["-j", "1", "--weights", str(families)]
    code, text, message = mirpair("annotate", str(HAIRPINS), *options)
    assert code == 0
    lines = text.splitlines()
    assert lines[0] == ANNOTATED
    assert [line.split("\t")[0] for line in lines[1:]] == [r.id for r in read_fasta(HAIRPINS)]
    assert mirpair("annotate", str(packed), *options, "-j", "2")[1] == text
    assert mirpair("annotate", "-", *options, stdin=plain)[1] == text
    assert mirpair("annotate", str(HAIRPINS), "-o", str(tmp_path / "out.tsv"), *options)[1] == ""
    assert (tmp_path / "out.tsv").read_text() == text
    table = pd.read_csv(io.StringIO(text), sep="\t", keep_default_na=False)
    counts = table["reason"].value_counts()
    new, other = "a pre-miRNA of no known family", "no pre-miRNA"
    assert set(counts.index) == {"", new, other}
    summary = f"{counts['']} named, {counts[new]} {new}, {counts[other]} {other}"
    assert f"150 records: {summary}" in message
    # Those that mirpair predict calls are pre-miRNAs, although they are of no known family.
    outside = table[table["reason"] != ""]
    of_id = {record.id: record.sequence for record in read_fasta(HAIRPINS)}
    calls = predict([of_id[it] for it in outside["id"]], reference=None)["call"]
    assert (calls == 1).tolist() == (outside["reason"] == new).tolist()
    named = table[table["reason"] == ""]
    assert set(named["family"]) <= {"RF1", "RF2"}
    assert named["accessions"].tolist() == [
        {"RF1": "MIPF1 RF1", "RF2": "RF2"}[it] for it in named["family"]
    ]
    assert set(named["distribution"]) == {"in"}
    assert named["probability"].astype(float).between(0, 1).all()
    assert set(table.loc[table["reason"] != "", "family"]) == {""}
    # A hairpin that trained is its own nearest one.
    assert (table["nearest"] == table["id"]).sum() == 60
    assert set(table.loc[table["nearest"] == table["id"], "identity"]) == {1}
    _, by_youden, _ = mirpair("annotate", str(HAIRPINS), "--threshold", "youden", *options)
    assert by_youden != text


def test_annotate_says_why_there_is_no_family_and_names_what_it_leaves_out(
    families: Path,
) -> None:
    text = f'>long\n{"ACGU" * 60}\n>a"[1]\nACGN\n>b"quoted\n{"GGGAAACCC" * 8}\n>short\nAC\n'
    options = ["-j", "1", "--weights", str(families)]
    code, out, message = mirpair("annotate", "-", "--strict", *options, stdin=text)
    assert (code, out) == (1, "")
    assert "record 1 ('long') is too long: 240 > 200. Leave out --strict" in message
    rest = text.partition("\n>a")[2]
    code, out, message = mirpair("annotate", "-", "--strict", *options, stdin=">a" + rest)
    assert (code, out) == (1, "")
    assert "record 1 ('a\"[1]') has 'N' at position 4" in message
    code, out, message = mirpair("annotate", "-", *options, stdin=text)
    assert code == 0
    assert "skipped: standard input: record 1 ('long') is too long: 240 > 200" in message
    rows = list(csv.reader(io.StringIO(out), delimiter="\t"))
    assert all(len(row) == 12 for row in rows)
    assert rows[1] == ["long", "240", *[""] * 9, "too long: 240 > 200"]
    assert rows[2] == ['a"[1]', "4", *[""] * 9, "'N' at position 4"]
    assert rows[3][:2] == ['b"quoted', "72"]
    assert rows[4][0] == "short"
    assert rows[4][7:11] == ["", "", "", ""]
    assert "skipped: standard input: record 2" in message
    assert "1 odd character" in message
    assert "1 too long" in message
    # As many rows as records also if the former option is given.
    assert mirpair("annotate", "-", "--on-ambiguous", "drop", *options, stdin=text)[1] == out


def test_weights_of_another_kind_are_one_message_and_no_output(
    families: Path, tmp_path: Path
) -> None:
    pickled = tmp_path / "weights.pt"
    torch.save({"weight": torch.zeros(2)}, pickled)
    network = families.parent / "weights.safetensors"
    out = ["-o", str(tmp_path / "out.tsv")]
    for command, weights, said in (
        ("annotate", pickled, "not weights for family annotation"),
        ("annotate", network, "not weights for family annotation"),
        ("annotate", tmp_path / "none", "cannot be read (No such file"),
        ("annotate", tmp_path, "is a folder"),
        ("annotate", find_weights(), "give them to mirpair predict or mirpair scan"),
        ("predict", tmp_path / "none", "cannot be read (No such file"),
        ("predict", pickled, "not weights that find pre-miRNAs"),
        ("predict", families, "give them to mirpair annotate"),
        ("predict", network, "classifies families"),
    ):
        code, _, message = mirpair(command, str(HAIRPINS), "--weights", str(weights), *out)
        assert code == 1, (command, weights)
        assert message.startswith("error: ")
        assert said in message
        assert "Traceback" not in message
    code, _, message = mirpair(
        "annotate", str(HAIRPINS), "--weights", str(families), "-o", str(families)
    )
    assert code == 1
    assert "is an input file" in message
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pt"]


CANDIDATES = """\
>good
{good}
>character
ACGUNACGU
>
ACGU
>empty
>long
{long}
>flat
{flat}
>chr1:100-{end}(-)
{good}
"""


def candidates() -> str:
    good = next(iter(read_fasta(HAIRPINS))).sequence
    return CANDIDATES.format(good=good, long="ACGU" * 301, flat="A" * 80, end=100 + len(good))


def test_predict_says_why_a_record_has_no_score_and_counts_them(tmp_path: Path) -> None:
    path, more = tmp_path / "in.fa", tmp_path / "more.fa.gz"
    path.write_text(candidates())
    more.write_bytes(gzip.compress(candidates().encode()))
    code, out, message = mirpair("predict", str(path), str(more), "-j", "1")
    assert code == 0
    table = pd.read_csv(io.StringIO(out), sep="\t", dtype=str, keep_default_na=False)
    assert len(table) == 14
    assert table["id"][:3].tolist() == ["good", "character", ""]
    assert table["reason"][:6].tolist() == [
        "",
        "'N' at position 5",
        "no id",
        "no sequence",
        "too long: 1,204 > 400",
        "no hairpin",
    ]
    assert table["call"].tolist() == ["1", "", "", "", "", "", "1"] * 2
    assert re.fullmatch(r"[01]\.\d{4}", table["score"][0])
    assert re.fullmatch(r"[01]\.\d{4}", table["probability"][0])
    assert "hsa-let-7a-1" in table["nearest"][0].split(",")
    assert (table["identity"][0], table["coverage"][0]) == ("1.0000", "1.0000")
    assert f"skipped: 2 records, no id: {path}: record 3; {more}: record 3\n" in message
    assert f"{more}: record 5 ('long'): too long: 1,204 > 400\n" in message
    assert (
        "14 records: 4 called pre-miRNAs, 2 no hairpin, 2 no id, 2 no sequence, "
        "2 odd character, 2 too long" in message
    )


def test_a_hundred_thousand_records_of_a_kind_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "in.fa"
    path.write_text("".join(f">r{n}\n{'ACG' * (n % 7)}N\n" for n in range(100_000)) + ">x\n")
    for command in (["predict", "--reference", "none", "-j", "1"], ["annotate"], ["fold"]):
        if command == ["fold"]:
            path.write_text(f"{path.read_text()}>good\nGGG\n")
        _, _, message = mirpair(*command, str(path))
        lines = [line for line in message.splitlines() if line.startswith("skipped: ")]
        assert lines == [
            f"skipped: 100,000 records, odd character: {path}: record 1 ('r0'): 'N' at position 1; "
            f"{path}: record 2 ('r1'): 'N' at position 4; "
            f"{path}: record 3 ('r2'): 'N' at position 7; …",
            f"skipped: {path}: record 100001 ('x') has no sequence",
        ], command


def test_a_file_of_one_record_is_one_record() -> None:
    hairpin = next(iter(read_fasta(HAIRPINS))).sequence
    _, _, message = mirpair(
        "predict", "-", "--reference", "none", "-j", "1", stdin=f">a\n{hairpin}\n"
    )
    assert message == "1 record: 1 called pre-miRNA\n"
    assert mirpair("annotate", "-", stdin=f">a\n{hairpin}\n")[2].startswith("1 record: ")


def test_what_fold_writes_is_read_by_all_commands(tmp_path: Path) -> None:
    """The structures are predicted anew, or, if asked, taken from the file."""
    few = tmp_path / "few.fa"
    few.write_text("".join(HAIRPINS.read_text().splitlines(keepends=True)[:6]))
    folded = tmp_path / "few.dbn"
    assert mirpair("fold", str(few), "-o", str(folded))[0] == 0
    note = f"{folded}: structures in the file are not used, RNAs are folded anew"
    for command in (["predict", "-j", "1"], ["annotate"], ["fold"]):
        _, expected, _ = mirpair(*command, str(few))
        code, out, message = mirpair(*command, str(folded))
        assert (code, out) == (0, expected), command
        assert note in message
    expected = mirpair("predict", "-j", "1", str(few))[1]
    code, out, message = mirpair("predict", "-j", "1", "--keep-structures", str(folded))
    assert (code, out) == (0, expected)
    assert note not in message
    # Without its first pair, and with an energy that nothing computes.
    name, sequence, structure, *_ = folded.read_text().splitlines()
    dot_bracket = structure.split()[0]
    opened = "." + dot_bracket[1:-1] + "."
    folded.write_text(f"{name}\n{sequence}\n{opened} (-12.34)\n")
    _, out, _ = mirpair("predict", "-j", "1", "--keep-structures", str(folded))
    assert out.splitlines()[1].split("\t")[2:4] == [opened, "-12.34"]
    out_npz = tmp_path / "out.npz"
    arguments = ["export", str(folded), "--all", "--keep-structures", "-o", str(out_npz)]
    assert mirpair(*arguments)[0] == 0
    expected_matrix = dense(encode(sequence, opened, -12.34)).astype(np.float32)
    np.testing.assert_array_equal(exported(out_npz)["matrix_0000"], expected_matrix)
    picture = tmp_path / "out.svg"
    arguments = ["plot", str(folded), name[1:], "--keep-structures", "-o", str(picture)]
    assert mirpair(*arguments)[0] == 0
    assert "−12.34 kcal/mol" in picture.read_text(encoding="utf-8")


def test_a_structure_that_does_not_fit_is_passed_over_with_its_reason(tmp_path: Path) -> None:
    rna, tail = "GGGGAAAACCCC" + "A" * 28, "." * 28
    text = f">a\n{rna}\n((((....))){tail}\n>b\n{rna}\n((((....)))){tail}\n"
    arguments = ("--reference", "none", "-j", "1", "--keep-structures")
    code, out, message = mirpair("predict", "-", *arguments, stdin=text)
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()[1:]]
    assert [row[-1] for row in rows] == ["a structure of 39 characters for 40 nt", ""]
    assert "record 1 ('a') has a structure of 39 characters for 40 nt" in message
    assert mirpair("predict", "-", *arguments, "--strict", stdin=text)[0] == 1


def test_predict_answers_for_what_a_scan_calls(tmp_path: Path) -> None:
    """Of any length: the FASTA of the calls can be given to predict, which calls them too."""
    rng = np.random.default_rng(5)
    short = [it.sequence for it in read_fasta(HAIRPINS) if len(it.sequence) < 75]
    text = "".join(random_rna(rng, 200) + hairpin for hairpin in short)
    (tmp_path / "g.fa").write_text(f">g\n{text}\n")
    options = ["--reference", "none", "-j", "1", "-o", str(tmp_path / "out")]
    assert mirpair("scan", str(tmp_path / "g.fa"), *options)[0] == 0
    calls = tmp_path / "out" / "g.fa"
    lengths = [len(it.sequence) for it in read_fasta(calls)]
    assert sum(length < 75 for length in lengths) >= 3
    _, out, _ = mirpair("predict", str(calls), "--reference", "none", "-j", "1")
    rows = [line.split("\t") for line in out.splitlines()[1:]]
    assert [row[6] for row in rows] == ["1"] * len(lengths)
    assert {row[7] for row in rows} == {""}


def test_two_hairpins_in_one_record_are_counted_and_scan_is_named() -> None:
    hairpins = [it.sequence for it in read_fasta(HAIRPINS)]
    first, second = (
        next(s for s in hairpins if fold(s).dot_bracket.count("(") == n) for n in (30, 28)
    )
    flanked = f"{'CA' * 20}{first}{'CA' * 20}"
    text = f">both\n{first}ACAACAACAACAACA{second}\n>one\n{first}\n>flanked\n{flanked}\n"
    code, out, message = mirpair("predict", "-", "--reference", "none", "-j", "1", stdin=text)
    assert code == 0
    hints = [line.split("\t")[7] for line in out.splitlines()[1:]]
    assert hints[:2] == ["several hairpins: mirpair scan finds and scores each", ""]
    assert hints[2].startswith("flanks: ")
    assert "1 record with flanks: mirpair scan cuts them off" in message
    assert "1 record with several hairpins: mirpair scan scores each one" in message


def test_calls_without_coordinates_and_with_wrong_ones_are_told_apart(tmp_path: Path) -> None:
    good = next(iter(read_fasta(HAIRPINS))).sequence
    length = len(good)
    names = [
        *("hsa-let-7a-1", f"chr1:100-{101 + length}(+)", f"chr1:101-{100 + length}/rc"),
        f"hg38_dna range=chr2:101-{100 + length} 5'pad=0 3'pad=0 strand=-",
    ]
    text = "".join(f">{name}\n{good}\n" for name in names)
    options = ["--reference", "none", "-j", "1", "--bed", str(tmp_path / "calls.bed")]
    code, _, message = mirpair("predict", "-", *options, stdin=text)
    assert code == 0
    rows = [line.split("\t") for line in (tmp_path / "calls.bed").read_text().splitlines()]
    expected = [[name, "100", str(100 + length), "-"] for name in ("chr1", "chr2")]
    assert [[*row[:3], row[5]] for row in rows] == expected
    assert "1 call without coordinates in the id" in message
    assert (
        f"1 call with coordinates that do not fit the length (first: {names[1]}, {length} nt)"
        in message
    )


@pytest.mark.parametrize(
    "command",
    [
        ["predict", "{}"],
        ["annotate", "{}"],
        ["fold", "{}"],
        ["plot", "{}", "x"],
        ["export", "{}", "x", "-o", "out.npz"],
        ["scan", "{}", "-o", "out"],
    ],
)
def test_all_commands_say_alike_what_a_file_is_that_they_cannot_read(
    command: list[str], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "x.fq").write_text("@r\nACGU\n+\nIIII\n")
    for name, said in (
        ("none.fa", "none.fa: cannot be read (No such file or directory)"),
        ("folder", "folder: is a folder; give "),
        ("x.fq", "x.fq: not a FASTA file: it begins with '@r', so this is FASTQ; convert it to "),
    ):
        given = [part.format(tmp_path / name) for part in command]
        code, out, message = mirpair(*given)
        assert (code, out) == (1, "")
        assert message.startswith(f"error: {tmp_path / ''}/{said}".replace("//", "/")), message


def test_predict_strict_ends_at_the_first_bad_record_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "in.fa"
    path.write_text(candidates())
    out = tmp_path / "out.tsv"
    code, _, message = mirpair("predict", str(path), "--strict", "-o", str(out), "-j", "1")
    assert code == 1
    assert "record 2 ('character') has 'N' at position 5" in message
    assert "--strict" in message
    assert [it.name for it in tmp_path.iterdir()] == ["in.fa"]


def test_predict_writes_calls_as_fasta_gff3_and_bed_where_ids_have_coordinates(
    tmp_path: Path,
) -> None:
    text = candidates()
    good = next(iter(read_fasta(HAIRPINS))).sequence
    places = {kind: tmp_path / f"calls.{kind}" for kind in ("fasta", "gff3", "bed")}
    options = [part for kind, path in places.items() for part in (f"--{kind}", str(path))]
    code, out, message = mirpair(
        "predict", "-", "-j", "1", "--reference", "none", *options, stdin=text
    )
    assert code == 0
    end = 100 + len(good)
    name = f"chr1:100-{end}(-)"
    assert places["fasta"].read_text() == f">good\n{good}\n>{name}\n{good}\n"
    score = out.splitlines()[1].split("\t")[4]
    bed = places["bed"].read_text()
    assert re.fullmatch(rf"chr1\t100\t{end}\t{re.escape(name)}\t\d+\t-\n", bed)
    assert abs(int(bed.split("\t")[4]) - 1000 * float(score)) <= 1
    lines = places["gff3"].read_text().splitlines()
    assert lines[0] == "##gff-version 3"
    cells = lines[-1].split("\t")
    assert cells[:5] == ["chr1", "mirpair", "pre_miRNA", "101", str(end)]
    assert cells[6] == "-"
    assert "nearest" not in out.splitlines()[0]
    assert "not in the GFF3 or BED: 1 call without coordinates in the id" in message


def test_predict_gives_the_same_bytes_for_any_number_of_processes(tmp_path: Path) -> None:
    outs = []
    for jobs in ("1", "2", "3"):
        path = tmp_path / f"{jobs}.tsv"
        code, _, message = mirpair(
            "predict", str(HAIRPINS), "-o", str(path), "-j", jobs, "--annotate"
        )
        assert code == 0, message
        outs.append(path.read_bytes())
    assert outs[0] == outs[1] == outs[2]
    table = pd.read_csv(io.BytesIO(outs[0]), sep="\t", dtype=str, keep_default_na=False)
    _, alone, _ = mirpair("annotate", str(HAIRPINS), "-j", "1")
    families = pd.read_csv(io.StringIO(alone), sep="\t", dtype=str, keep_default_na=False)
    scored = table["reason"] == ""
    assert scored.all()
    assert table["family"].tolist() == families["family"].tolist()
    assert table["family_probability"].tolist() == families["probability"].tolist()
    assert table["distribution"].tolist() == families["distribution"].tolist()
    assert set(table["family"]) > {"", "RF00027"}


def test_predict_stopped_by_ctrl_c_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "in.fa"
    text = HAIRPINS.read_text()
    path.write_text("".join(text.replace(">", f">{n}-") for n in range(40)))
    out = tmp_path / "out.tsv"
    command = [
        sys.executable,
        "-m",
        "mirpair.cli.app",
        "predict",
        str(path),
        "-o",
        str(out),
        "-j",
        "2",
    ]
    for wanted in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stderr=subprocess.PIPE,
            # A shell starts what it runs in the background, these tests perhaps, deaf to Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        deadline = time.monotonic() + 120
        while not any(it.stat().st_size for it in tmp_path.glob(".out*")):
            assert time.monotonic() < deadline, "nothing was ever written"
            time.sleep(0.05)
        process.send_signal(wanted)
        assert process.wait(timeout=120) != 0
        assert [it.name for it in tmp_path.iterdir()] == ["in.fa"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--prior", "1.5"], "prior: is 1.5, must be above 0 and below 1"),
        (["--threshold", "0"], "threshold: is 0.0, must be above 0 and below 1"),
        (["-o", "same.tsv", "--bed", "same.tsv"], "two outputs have the same name"),
        (["-o", str(HAIRPINS)], "is an input file"),
        (["--bed", "-"], "two outputs go to standard output"),
        (["-o", "out.tsv", "--bed", "-", "--gff3", "-"], "two outputs go to standard output"),
    ],
)
def test_predict_refuses_what_cannot_be_before_it_begins(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, message = mirpair("predict", str(HAIRPINS), *options)
    assert code == 1
    assert said in message
    assert list(tmp_path.iterdir()) == []


def genome(folder: Path) -> Path:
    """Hairpins in random bases: two sequences, some of it N."""
    rng = np.random.default_rng(4)
    hairpins = [record.sequence for record in read_fasta(HAIRPINS)][:12]
    parts = [random_rna(rng, 300) + hairpin for hairpin in hairpins]
    path = folder / "small.fa"
    path.write_text(
        f">one\n{''.join(parts[:8])}\n>two some words\n{'N' * 400}\n{''.join(parts[8:])}\n"
    )
    return path


def test_scan_finds_hairpins_and_says_so_in_every_format(tmp_path: Path) -> None:
    path = genome(tmp_path)
    out = tmp_path / "out"
    code, _, message = mirpair("scan", str(path), "-o", str(out), "-j", "1")
    assert code == 0, message
    assert {it.name for it in out.iterdir()} == {
        f"small{suffix}" for suffix in (".gff3", ".all.gff3", ".bed", ".fa", ".tsv", ".html")
    }
    table = pd.read_csv(out / "small.tsv", sep="\t", keep_default_na=False)
    head = [f"# mirpair {__version__} scan", "# genome: small.fa", "# names and bases", "# weights"]
    for track in ("small.gff3", "small.all.gff3"):
        lines = (out / track).read_text().splitlines()
        for line, start in zip(lines, ["##gff-version 3", *head], strict=False):
            assert line.startswith(start)
    sequences = {"one": "", "two": ""}
    name = ""
    for line in path.read_text().splitlines():
        if line.startswith(">"):
            name = line[1:].split()[0]
        else:
            sequences[name] += line
    for row in table.to_dict("records"):
        bases = sequences[row["sequence"]][row["start"] - 1 : row["end"]]
        if row["strand"] == "-":
            bases = bases.translate(str.maketrans("ACGU", "UGCA"))[::-1]
        assert fold(bases).dot_bracket == row["structure"]
    # All that were planted are among the hairpins, and known.
    known = table[table["status"] == "known"]
    assert len(known) >= 8
    page = (out / "small.html").read_text()
    assert "of " + str(len(table)) + " folded hairpins are called" in page
    assert page.count("<li><code>") == 10
    # A second run writes the same bytes, with any number of processes.
    first = {it.name: it.read_bytes() for it in out.iterdir()}
    again = tmp_path / "again"
    assert mirpair("scan", str(path), "-o", str(again), "-j", "2")[0] == 0
    assert {it.name: it.read_bytes() for it in again.iterdir()} == first


@pytest.mark.parametrize(
    ("options", "kind", "name", "value"),
    [
        (["--span", "90"], "criteria", "span", 90),
        (["--stem", "20"], "criteria", "stem", 20),
        (["--loop", "20"], "criteria", "loop", 20),
        (["--mfe", "-20"], "criteria", "mfe", -20),
        (["--masked"], "criteria", "masked", True),
        (["--exhaustive"], "criteria", "exhaustive", True),
        (["--prior", "0.5"], "settings", "prior", 0.5),
        (["--false-positives", "5%"], "settings", "false_positives", "5%"),
        (["--kingdom", "plants"], "settings", "kingdom", "plants"),
        (["--reference", "none"], "settings", "reference", "none"),
        (["--top", "20"], "written", "top", 20),
    ],
)
def test_each_option_of_scan_changes_the_setting_of_its_name_only(
    options: list[str],
    kind: str,
    name: str,
    value: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mirpair.scan import run

    given: dict[str, Any] = {}

    def record(*_: object, **settings: object) -> Summary:
        given.update(settings)
        return Summary()

    monkeypatch.setattr(run, "scan", record)
    code, _, message = mirpair("scan", str(HAIRPINS), "-o", str(tmp_path / "out"), *options)
    assert code == 0, message
    expected: dict[str, Any] = {
        "criteria": HairpinCriteria(),
        "settings": ScanSettings(),
        "written": ScanOutput(),
    }
    expected[kind] = replace(expected[kind], **{name: value})
    assert {key: given[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (["--prior", "0.3"], "prior", 0.3),
        (["--threshold", "0.3"], "threshold", 0.3),
        (["--reference", "none"], "reference", "none"),
    ],
)
def test_each_option_of_predict_changes_the_setting_of_its_name_only(
    options: list[str], name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mirpair.prediction import predictor

    given = []
    real = predictor.Predictor.for_candidates

    def record(trained: PreMirnaNetworks, settings: PredictionSettings) -> predictor.Predictor:
        given.append(settings)
        return real(trained, settings)

    monkeypatch.setattr(predictor.Predictor, "for_candidates", record)
    assert mirpair("predict", "-", *options, stdin=">a\nACGU\n")[0] == 0
    predictor.predict(["ACGU"], **{name: value})  # type: ignore[arg-type]
    assert given == [replace(PredictionSettings(), **{name: value})] * 2  # type: ignore[arg-type]


@pytest.mark.parametrize("command", ["predict", "fold", "plot"])
def test_by_models_rnas_are_read_without_their_gaps(command: str, tmp_path: Path) -> None:
    path = tmp_path / "aligned.fa"
    path.write_text(">a\nGGGGG--AAAACCCCC\n....\n")
    options = {"predict": ["--reference", "none"], "plot": ["a", "-o", str(tmp_path / "a.svg")]}
    code, _, message = mirpair(command, str(path), *options.get(command, []))
    assert code == 0, message
    assert "gaps (- and .) are removed" in message


def test_scan_goes_on_after_a_kill_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mirpair.scan import find, run

    path = genome(tmp_path)
    monkeypatch.setattr(run, "scan", partial(run.scan, tile=500))
    options = ["-j", "1", "--reference", "none"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert mirpair("scan", str(path), "-o", str(whole), *options)[0] == 0

    def dies(*arguments: object, **more: object) -> object:
        raise KeyboardInterrupt

    messages = []
    # Once before the first stretch is finished, once in the middle of it, once in a later one, once
    # before the end.
    for module, name, after in (
        (find, "find_around", 1),
        (find, "find_around", 7),
        (find, "to_lines", 2),
        (run, "write", 0),
    ):
        calls = 0
        real = getattr(module, name)

        def sometimes(*arguments: object, **more: object) -> object:
            nonlocal calls
            calls += 1
            return dies() if calls > after else real(*arguments, **more)  # noqa: B023

        with monkeypatch.context() as patch:
            patch.setattr(module, name, sometimes)
            code, _, message = mirpair("scan", str(path), "-o", str(killed), *options)
            assert code != 0
            # Without a finished stretch, there is nothing to resume.
            resumes = "interrupted; the same command resumes the scan" in message
            assert resumes == bool(messages)
        messages.append(message)
        assert not list(killed.glob("small*"))
    code, _, message = mirpair("scan", str(path), "-o", str(killed), *options)
    assert code == 0
    assert "again" not in messages[1]
    assert "resuming after 3 stretches of at most 500 bases" in messages[2]
    assert "resuming after 4 stretches of at most 500 bases" in messages[3]
    assert "resuming after" in message
    assert {it.name: it.read_bytes() for it in killed.iterdir()} == {
        it.name: it.read_bytes() for it in whole.iterdir()
    }


@pytest.mark.parametrize("change", ["--prior", "--false-positives", "--weights"])
def test_a_scan_that_was_interrupted_does_not_mix_settings_or_weights(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mirpair.scan import run

    save_weights(build(MODELS["variable"], seed=1), tmp_path / "weights")
    value = {"--prior": "0.5", "--false-positives": "5%", "--weights": str(tmp_path / "weights")}
    options = ["-j", "1", "--reference", "none"]
    path, fresh, mixed = genome(tmp_path), tmp_path / "fresh", tmp_path / "mixed"

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "write", interrupted)
        assert mirpair("scan", str(path), "-o", str(mixed), *options)[0] != 0
    assert list(mixed.glob(".small.found"))
    options += [change, value[change]]
    for out in (mixed, fresh):
        code, _, message = mirpair("scan", str(path), "-o", str(out), *options)
        assert code == 0, message
        assert ("these weights are not calibrated" in message) == (change == "--weights")
        assert ("finding the hairpins again" in message) == (out == mixed)
    assert {it.name: it.read_bytes() for it in mixed.iterdir()} == {
        it.name: it.read_bytes() for it in fresh.iterdir()
    }


def test_predict_and_scan_compare_with_ones_own_known_hairpins(tmp_path: Path) -> None:
    path, mine = genome(tmp_path), tmp_path / "mine.fa"
    (first, *_, other) = read_fasta(HAIRPINS)
    mine.write_text(f">My-First_pre\n{first.sequence.replace('U', 'T').lower()}\n")
    options = ["--reference", str(mine), "-j", "1"]
    gff3 = tmp_path / "calls.gff3"
    text = f">chr1:100-{140 + len(first.sequence)}(+)\n{'ACGUA' * 4}{first.sequence}{'GAUCC' * 4}\n"
    text += f">other\n{other.sequence}\n"
    code, out, message = mirpair("predict", "-", *options, "--gff3", str(gff3), stdin=text)
    assert code == 0, message
    table = pd.read_csv(io.StringIO(out), sep="\t", keep_default_na=False)
    columns = ["nearest", "identity", "coverage", "status", "other_known"]
    assert table.loc[0, columns].tolist() == ["My-First_pre", 1, 1, "known", ""]
    assert table.loc[1, "status"] == "novel"
    parameter = f"known hairpins: mine.fa, SHA-256 {sha256(mine)}"
    assert f"# {parameter}\n" in gff3.read_text()
    # In a scan too: in the table, the tracks and on the page.
    code, _, message = mirpair("scan", str(path), "-o", str(tmp_path / "out"), *options)
    assert code == 0, message
    track = (tmp_path / "out" / "small.all.gff3").read_text()
    assert f"# {parameter}\n" in track
    known = [line for line in track.splitlines() if "status=known" in line]
    assert len(known) == 1
    assert "nearest=My-First_pre;identity=1.0000;coverage=" in known[0]
    page = (tmp_path / "out" / "small.html").read_text()
    assert f"<code>mine.fa, SHA-256 {sha256(mine)}</code>" in page


@pytest.mark.parametrize("command", ["predict", "scan"])
def test_known_hairpins_that_are_none_end_the_command_before_the_work(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mirpair.rna import folding
    from mirpair.scan import find

    def never(*_: object, **__: object) -> object:
        raise AssertionError("the work began")

    monkeypatch.setattr(folding, "fold", never)
    monkeypatch.setattr(find, "find_around", never)
    path, mine = genome(tmp_path), tmp_path / "mine.fa"
    out = tmp_path / "out"
    for text, said in (
        (None, "mine.fa: there is no such file of known hairpins"),
        ("", "mine.fa: the file is empty"),
        (">a\nMKVLEAAGIRRSTTQPMKVLEAAGIRRSTTQP\n", "known hairpins are RNA or DNA"),
    ):
        if text is not None:
            mine.write_text(text)
        options = ["-o", str(out), "--reference", str(mine), "-j", "1"]
        code, _, message = mirpair(command, str(path), *options)
        assert code == 1
        assert said in message
        assert not out.exists()
    for reference, said in (
        (str(tmp_path), "is a folder; give one FASTA file"),
        ("", "reference: is '', must not be empty"),
    ):
        code, _, message = mirpair(command, str(path), "-o", str(out), "--reference", reference)
        assert code == 1
        assert said in message


@pytest.mark.parametrize("command", ["predict", "scan"])
def test_missing_known_hairpins_are_named_also_if_the_output_is_there(
    command: str, tmp_path: Path
) -> None:
    path, out, missing = genome(tmp_path), tmp_path / "out", tmp_path / "mine.fa"
    table = out / "small.tsv" if command == "scan" else out
    table.parent.mkdir(exist_ok=True)
    table.write_text("an earlier result\n")
    code, _, message = mirpair(command, str(path), "-o", str(out), "--reference", str(missing))
    assert code == 1
    assert f"{missing}: there is no such file of known hairpins; give a FASTA file" in message
    assert table.read_text() == "an earlier result\n"


@pytest.mark.parametrize("command", ["predict", "scan"])
def test_the_old_option_of_the_known_hairpins_still_works_with_a_notice(
    command: str, tmp_path: Path
) -> None:
    path = tmp_path / "g.fa"
    path.write_text(f">one\n{next(iter(read_fasta(HAIRPINS))).sequence}\n")
    options = {"predict": [], "scan": []}[command]
    written = {}
    for way in (["--no-nearest"], ["--reference", "none"], ["--nearest"], []):
        out = tmp_path / f"out{len(written)}"
        code, _, message = mirpair(command, str(path), "-o", str(out), "-j", "1", *options, *way)
        assert code == 0, message
        assert ("the old name stops working in the next release" in message) == (
            way != [] and way[0] != "--reference"
        )
        table = out / "g.tsv" if out.is_dir() else out
        written["".join(way)] = table.read_bytes()
    assert written["--no-nearest"] == written["--referencenone"]
    assert written["--nearest"] == written[""] != written["--no-nearest"]
    assert "--nearest" not in mirpair(command, "--help")[1]
    code, _, message = mirpair(
        command, str(path), "-o", str(tmp_path / "no"), "--no-nearest", "--reference", "my.fa"
    )
    assert code == 1
    assert "give only --reference" in message


def test_the_head_of_a_scan_tells_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "g.fa"
    path.write_text(f">one\n{next(iter(read_fasta(HAIRPINS))).sequence}\n")
    options = ["--span", "90", "--stem", "20", "--loop", "24", "--mfe", "-16", "--masked"]
    options += ["--prior", "0.3", "--false-positives", "5%", "--reference", "none", "-j", "1"]
    code, _, message = mirpair("scan", str(path), "-o", str(tmp_path / "out"), *options)
    assert code == 0, message
    lines = (tmp_path / "out" / "g.gff3").read_text().splitlines()
    weights = find_weights()
    assert [line for line in lines if line.startswith("# ")] == [
        f"# mirpair {__version__} scan",
        "# genome: g.fa",
        f"# {CHECKSUM}: SHA-256 {check_genome(str(path))}",
        f"# weights: pre-mirna.safetensors, SHA-256 {sha256(weights)}",
        "# longest hairpin, nt: 90",
        "# smallest number of base pairs: 20",
        "# largest loop, nt: 24",
        "# highest energy, kcal/mol: -16.0",
        "# lower-case bases: skipped",
        "# circular sequences: none",
        next(it for it in lines if it.startswith("# folded: ")),
        "# kingdom: animals",
        f"# called from a score of: {load_networks(weights).cuts['5%']:.6f}",
        "# false-positive rate: 5%",
        next(
            it
            for it in lines
            if it.startswith("# false calls per megabase (95 % interval): about ")
        ),
        "# prior of the probabilities: 0.3",
        "# known hairpins: none",
        f"# families: families.safetensors, SHA-256 {sha256(shipped())}",
        f"# families are named by: {decided_by(shipped())}",
    ]


def test_old_options_of_a_scan_have_no_effect_but_a_notice(tmp_path: Path) -> None:
    path, options = genome(tmp_path), ["-j", "1", "--reference", "none"]
    written = []
    for old in ([], ["--fast"], ["--keep"]):
        out = tmp_path / f"out{len(written)}"
        code, _, message = mirpair("scan", str(path), "-o", str(out), *options, *old)
        assert code == 0, message
        assert ("stops working in the next release" in message) == bool(old)
        written.append({it.name: it.read_bytes() for it in out.iterdir()})
    assert written[0] == written[1] == written[2]
    assert "--fast" not in mirpair("scan", "--help")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--circular", "chrM"], "no sequence is named 'chrM', so it cannot be circular"),
        (["--stem", "80"], "stem: 80 base pairs and a loop of 3 nt are 163 nt, but span is 120"),
    ],
)
def test_scan_refuses_what_could_never_be_found(
    options: list[str], said: str, tmp_path: Path
) -> None:
    code, _, message = mirpair(
        "scan", str(genome(tmp_path)), "-o", str(tmp_path / "out"), "-j", "1", *options
    )
    assert code == 1
    assert said in " ".join(message.split())
    assert not (tmp_path / "out").exists()


def test_scan_never_writes_over_its_genome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = genome(tmp_path)
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    code, _, message = mirpair("scan", "small.fa", "-o", ".", "-j", "1")
    assert code == 1
    assert "small.fa is an input file" in message
    assert path.read_bytes() == before
    assert [it.name for it in tmp_path.iterdir()] == ["small.fa"]


def test_scan_calls_fewer_by_fewer_false_positives(tmp_path: Path) -> None:
    path = genome(tmp_path)
    counts = []
    for share in ("5%", "0.1%"):
        options = ["-j", "1", "--reference", "none", "--false-positives", share]
        assert mirpair("scan", str(path), "-o", str(tmp_path / "out"), *options)[0] == 0
        counts.append(len((tmp_path / "out" / "small.bed").read_text().splitlines()))
    assert counts[0] > counts[1]


def test_scan_refuses_what_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "g.fa"
    path.write_text(">a\nACGT\n>a\nACGT\n")
    for arguments, said in (
        ([str(tmp_path / "none.fa"), "-o", str(tmp_path / "out")], "No such file"),
        ([str(path), "-o", str(path)], "is not a folder"),
        ([str(path), "-o", str(tmp_path / "out"), "--prior", "0"], "prior: is 0.0"),
        ([str(path), "-o", str(tmp_path / "out"), "-j", "1"], "two sequences have the name 'a'"),
    ):
        code, _, message = mirpair("scan", *arguments)
        assert code == 1, arguments
        assert said in message
        assert "Traceback" not in message


def test_a_scan_writes_over_no_file_that_is_not_its_own(tmp_path: Path) -> None:
    """An annotation or an unpacked genome beside the packed one, which have the same names."""
    genome = tmp_path / "g.fa.gz"
    genome.write_bytes(gzip.compress(HAIRPINS.read_bytes()[:400]))
    for name in ("g.gff3", "g.fa"):
        (tmp_path / name).write_text("my own")
        code, _, message = mirpair("scan", str(genome), "-o", str(tmp_path))
        assert code == 1
        assert f"{name} exists, but no scan wrote it" in message
        assert (tmp_path / name).read_text() == "my own"
        (tmp_path / name).unlink()
    for _ in range(2):  # its own files it may replace
        code, _, message = mirpair(
            "scan", str(genome), "-o", str(tmp_path), "--reference", "none", "-j", "1"
        )
        assert code == 0, message
    assert not list(tmp_path.glob(".g.*"))


def test_two_scans_into_one_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with file_lock(tmp_path / "out" / ".positives.lock"):
        code, _, message = mirpair("scan", str(HAIRPINS), "-o", str(tmp_path / "out"))
    assert code == 1
    assert "another process is already doing this" in message
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (">b\nACGTJ\n", "'J' at position 5"),
        (">b\nMKVLE\n", "is this a protein"),
        (">a\nACGT\n", "two sequences have the name 'a'"),
        (">b\x07\nACGT\n", "control character"),
    ],
)
def test_a_genome_is_checked_to_its_end_before_the_work(
    last: str, said: str, tmp_path: Path
) -> None:
    genome = tmp_path / "g.fna"
    genome.write_text(">a\n" + "ACGT" * 1000 + "\n" + last)
    code, _, message = mirpair("scan", str(genome), "-o", str(tmp_path / "out"))
    assert code == 1
    assert said in message
    assert not (tmp_path / "out").exists()


def test_a_genome_through_a_pipe_is_refused_and_rnas_through_one_are_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.fa"
    os.mkfifo(pipe)
    code, _, message = mirpair("scan", str(pipe), "-o", str(tmp_path / "out"))
    assert code == 1
    assert "a genome is read more than once; give a file, not a pipe" in message
    assert "give a file" in mirpair("scan", "-", "-o", str(tmp_path / "out"))[2]
    feeder = threading.Thread(target=lambda: pipe.write_bytes(b">a\nGGGGAAAACCCC\n"), daemon=True)
    feeder.start()
    code, text, message = mirpair("fold", str(pipe))
    assert code == 0, message
    assert text.splitlines()[1] == "GGGGAAAACCCC"


def test_a_name_with_a_quotation_mark_in_a_scan(tmp_path: Path) -> None:
    record = next(iter(read_fasta(HAIRPINS)))
    genome = tmp_path / "g.fa"
    genome.write_text(f'>chr"1\n{record.sequence}\n')
    options = ("--reference", "none", "-j", "1", "--false-positives", "5%")
    code, _, message = mirpair("scan", str(genome), "-o", str(tmp_path / "out"), *options)
    assert code == 0, message
    table = pd.read_csv(tmp_path / "out" / "g.tsv", sep="\t")
    assert table["id"].str.startswith('chr"1:').all()
    assert len(table) >= 1
