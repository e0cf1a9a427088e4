"""Outputs as other programs read them, and none that is replaced without a word."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, random_rna
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from typer.testing import CliRunner

from mirpair.cli import predict, terminal
from mirpair.cli.app import app
from mirpair.files import Journal
from mirpair.prediction.predictor import Predictor
from mirpair.prediction.table import columns, to_lines
from mirpair.prediction.tracks import UniqueIds
from mirpair.prediction.weights import load_networks
from mirpair.rna.sequences import read_fasta
from mirpair.scan import run
from mirpair.scan.output import write_files
from mirpair.settings import ScanSettings

HAIRPIN = next(iter(read_fasta(ROOT / "config" / "demo" / "positives.fa"))).sequence
# Names that programs take for something else: PanSN, quotes, numbers, missing values, formulas, …
NASTY = (
    *("HG002#1#chr1", "#1", '"x"', '"', 'a"b', "'q'", "it's", "a%23b", "100%", "a;b=c,d&e"),
    *("NA", "N/A", "null", "nan", "None", "1", "007", "1e5", "-", "=cmd|'/C_calc'!A0", "@x"),
    *("chrü", "染色体1", "x~y", "True", "//", "id", "\\N", "\\", "a|b", ">x", "../x", "<b>"),
)
names = st.lists(
    st.one_of(
        st.sampled_from(NASTY),
        st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12),
    ).filter(lambda name: name.isprintable() and name.split() == [name]),
    min_size=1,
    max_size=8,
    unique=True,
)


def mirpair(*arguments: str | Path, stdin: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(it) for it in arguments], input=stdin)
    assert "Traceback" not in result.stderr
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def as_documented(file: Path | io.StringIO) -> pd.DataFrame:
    """Read a table by the call that docs/use.md has."""
    text = (ROOT / "docs" / "use.md").read_text("utf-8")
    (call,) = re.findall(r"pandas\.read_csv\((.+?)\)\n", text, re.S)
    options = call.partition(",")[2]
    read: Callable[..., pd.DataFrame] = eval(
        f"lambda file: pandas.read_csv(file, {options})", {"pandas": pd}
    )
    return read(file)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def check_gff3(text: str) -> list[tuple[str, str]]:
    """Check a GFF3 by its specification; return the sequence and the ID of every feature."""
    lines = text.splitlines()
    assert lines[0] == "##gff-version 3"
    regions: dict[str, int] = {}
    features = []
    for line in lines[1:]:
        if line.startswith("##sequence-region "):
            _, name, first, last = line.split(" ")
            assert (first, name in regions) == ("1", False)
            regions[name] = int(last)
        if line.startswith("#"):
            continue
        seqid, source, kind, start, end, score, strand, phase, attributes = line.split("\t")
        assert re.fullmatch(r"([a-zA-Z0-9.:^*$@!+_?|-]|%[0-9A-F]{2})+", seqid)
        assert (source, phase) == ("mirpair", ".")
        assert kind in ("pre_miRNA", "stem_loop")
        assert strand in "+-."
        assert 1 <= int(start) <= int(end) <= regions.get(seqid, int(end))
        assert not regions or seqid in regions
        assert 0 <= float(score) <= 1
        pairs = dict(attribute.split("=") for attribute in attributes.split(";"))
        assert all(pairs.values())
        assert line.isascii()
        features.append((unquote(seqid), unquote(pairs["ID"])))
    ids = [name for _, name in features]
    assert len(set(ids)) == len(ids)
    return features


def check_bed(text: str) -> list[str]:
    """Check a BED6; return the sequence of every line."""
    rows = [line.split("\t") for line in text.splitlines()]
    for _, start, end, _, score, strand in rows:
        assert 0 <= int(start) < int(end)
        assert 0 <= int(score) <= 1000
        assert strand in "+-."
    return [row[0] for row in rows]


def prediction(name: str, **values: object) -> dict[str, Any]:
    usual = {"id": name, "length": 80, "structure": "((..))", "mfe": -31.25, "score": 0.75}
    usual |= {"probability": 0.5, "call": 1, "reason": "", "nearest": "", "status": ""}
    return usual | values


@given(names)
def test_any_name_in_the_table_of_predict_is_read_as_documented(ids: list[str]) -> None:
    kinds = columns(nearest=True)
    rows = [prediction(name, nearest=name, identity=1.0, status="known") for name in ids]
    rows.append(prediction("short", score=None, probability=None, call=None, reason="too short"))
    table = pd.DataFrame(rows, columns=list(kinds)).astype(kinds)
    text = "".join(f"{line}\n" for line in ["\t".join(kinds), *to_lines(table)])
    read = as_documented(io.StringIO(text))
    assert read["id"].tolist() == [*ids, "short"]
    assert read["nearest"].fillna("").tolist() == [*ids, ""]
    assert read["score"].tolist()[:-1] == [0.75] * len(ids)
    assert read["score"].isna().tolist() == [False] * len(ids) + [True]
    assert read["call"].tolist()[:-1] == [1] * len(ids)
    assert read["reason"].tolist()[-1] == "too short"
    assert [row["id"] for row in rows_of(text)] == [*ids, "short"]
    # `cut -f 1` has every name that has no quotation mark.
    cut = [line.split("\t")[0] for line in text.splitlines()[1:]]
    assert [it for it in cut if '"' not in it] == [it for it in [*ids, "short"] if '"' not in it]


@given(names)
def test_any_name_in_the_table_of_annotate_is_read_as_documented(ids: list[str]) -> None:
    table = pd.DataFrame({"id": ids, "length": 80, "family": "let-7", "nearest": ids[::-1]})
    text = io.StringIO()
    predict._write(text, table, header=True)
    text.seek(0)
    read = as_documented(text)
    assert read["id"].tolist() == ids
    assert read["nearest"].tolist() == ids[::-1]
    assert read["length"].tolist() == [80] * len(ids)


@given(names)
@examples(max_examples=40)
def test_any_name_of_a_sequence_is_read_as_documented_from_the_files_of_a_scan(
    tmp_path_factory: pytest.TempPathFactory, sequences: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("scan")
    found, kinds = Journal(folder / "found", "k"), columns(nearest=False)
    row = pd.DataFrame([prediction("")], columns=list(kinds)).astype(kinds)
    (line,) = to_lines(row, score_digits=6)
    for name in sequences:
        place = f"5\t85\t-\t-31.25\t-900000\t20\t(...)\t{HAIRPIN}"
        found.append([f"{name}\t90\t1\t0\t90", f"{place}\t{line}"])
    found.close()
    predictor = Predictor.for_genome(load_networks(), ScanSettings(reference="none"))
    write_files(
        [found.path],
        folder / "g",
        ["a # comment"],
        predictor,
        name_families=lambda rnas: ["a # family; =1"] * len(rnas),
    )
    table = as_documented(folder / "g.tsv")
    assert table["sequence"].tolist() == sequences
    assert table["id"].tolist() == [f"{name}:5-85(-)" for name in sequences]
    assert table["masked"].tolist() == [round(20 / len(HAIRPIN), 2)] * len(sequences)
    assert table[["start", "end", "strand", "length", "score"]].to_numpy().tolist() == [
        [6, 85, "-", 80, 0.75]
    ] * len(sequences)
    assert [row["sequence"] for row in rows_of((folder / "g.tsv").read_text("utf-8"))] == sequences
    for track in ("g.gff3", "g.all.gff3"):
        text = (folder / track).read_text("utf-8")
        assert check_gff3(text) == [(name, f"{name}:5-85(-)") for name in sequences]
    assert check_bed((folder / "g.bed").read_text("utf-8")) == sequences


def test_the_commands_write_any_name_so_that_it_is_read_as_documented(tmp_path: Path) -> None:
    path = tmp_path / "in.fa"
    path.write_text("".join(f">{name} words\n{HAIRPIN}\n" for name in NASTY), "utf-8")
    single = ("-j", "1")
    options: dict[str, tuple[str, ...]] = {
        "predict": ("--no-nearest",),
        "annotate": (),
        "scan": ("--no-nearest",),
    }
    for command, more in options.items():
        out = tmp_path / (command if command == "scan" else f"{command}.tsv")
        code, _, message = mirpair(command, path, "-o", out, *single, *more)
        assert code == 0, message
        table = as_documented(out / "in.tsv" if command == "scan" else out)
        column = "sequence" if command == "scan" else "id"
        assert table[column].drop_duplicates().tolist() == list(NASTY), command
    assert mirpair("fold", path, "-o", tmp_path / "folded.dbn", *single)[0] == 0
    headers = (tmp_path / "folded.dbn").read_text("utf-8").splitlines()[::3]
    assert headers == [f">{name}" for name in NASTY]


def test_ids_in_a_gff3_are_unique_and_repeats_are_counted(tmp_path: Path) -> None:
    place = f"chr1:100-{100 + len(HAIRPIN)}(+)"
    ids = [place, "x", place, f"{place}_2", "x", place]
    path = tmp_path / "in.fa"
    path.write_text("".join(f">{name}\n{HAIRPIN}\n" for name in ids))
    outputs = ("-o", tmp_path / "t.tsv", "--gff3", tmp_path / "t.gff3", "--bed", tmp_path / "t.bed")
    code, _, message = mirpair("predict", path, "--no-nearest", "-j", "1", *outputs)
    assert code == 0
    features = check_gff3((tmp_path / "t.gff3").read_text())
    assert features == [("chr1", place), ("chr1", f"{place}_2"), ("chr1", f"{place}_3")]
    assert check_bed((tmp_path / "t.bed").read_text()) == ["chr1"] * 3
    assert (
        f"3 records with the id of an earlier record; the first: '{place}' ({path}: record 3)"
        in message
    )
    path.write_text(f">x\n{HAIRPIN}\n>y\n{HAIRPIN}\n")
    assert "earlier record" not in mirpair("predict", path, "--no-nearest", "-j", "1")[2]


@given(st.lists(st.sampled_from(["x", "x_2", "x_2_2", "x_3", "y"]), max_size=30))
def test_unique_ids_are_unique_and_the_first_of_a_name_has_it_if_it_is_free(
    given_ids: list[str],
) -> None:
    unique = UniqueIds()
    ids = [unique(name) for name in given_ids]
    assert len(set(ids)) == len(ids)
    for index, (name, unique_name) in enumerate(zip(given_ids, ids, strict=True)):
        assert unique_name == name or name in ids[:index]
        assert re.fullmatch(rf"{name}(_\d+)?", unique_name)


def genome(path: Path, seed: int, name: str = "one") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f">{name}\n{random_rna(np.random.default_rng(seed), 60)}{HAIRPIN}\n")
    return path


ALONE = ("--no-nearest", "-j", "1")


def test_a_scan_does_not_replace_the_results_of_another_genome_of_the_same_name(
    tmp_path: Path,
) -> None:
    first, second = (genome(tmp_path / it / "genomic.fna", n) for n, it in enumerate("ab"))
    out = tmp_path / "out"
    assert mirpair("scan", first, "-o", out, *ALONE)[0] == 0
    before = {it.name: it.read_bytes() for it in out.iterdir()}
    code, _, message = mirpair("scan", second, "-o", out, *ALONE)
    assert code == 1
    assert f"{out / 'genomic'}.gff3 has the results of another genome" in message
    assert "whose first sequence is 'one'" in message
    assert "another folder" in message
    assert "--name" in message
    assert {it.name: it.read_bytes() for it in out.iterdir()} == before
    # With a name of its own it has its place beside the first one.
    assert mirpair("scan", second, "-o", out, "--name", "b.x", *ALONE)[0] == 0
    assert {it.name: it.read_bytes() for it in out.glob("genomic.*")} == before
    assert {it.name.replace("b.x", "genomic") for it in out.glob("b.x.*")} == set(before)
    # The same genome elsewhere, packed, may replace its own results, with a message.
    packed = tmp_path / "genomic.fna.gz"
    packed.write_bytes(gzip.compress(first.read_bytes()))
    code, _, message = mirpair("scan", packed, "-o", out, "--stem", "20", *ALONE)
    assert code == 0
    assert "replacing the results of an earlier scan of this genome" in message
    assert (out / "genomic.gff3").read_bytes() != before["genomic.gff3"]


def test_a_scan_does_not_replace_what_is_left_of_a_scan_of_another_genome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    first, second = (genome(tmp_path / it / "genomic.fna", n) for n, it in enumerate("ab"))
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(run, "write", interrupted)
        assert mirpair("scan", first, "-o", out, *ALONE)[0] != 0
    kept = (out / ".genomic.found").read_bytes()
    code, _, message = mirpair("scan", second, "-o", out, *ALONE)
    assert code == 1
    assert ".genomic.found has the hairpins of another genome" in message
    assert {it.name: it.read_bytes() for it in out.iterdir()} == {".genomic.found": kept}
    # The genome's own hairpins are used, wherever its file is now.
    moved = Path(shutil.move(first, tmp_path / "genomic.fna"))
    os.utime(moved, ns=(0, 7))
    with monkeypatch.context() as patch:
        patch.setattr(run, "write", interrupted)
        code, _, message = mirpair("scan", moved, "-o", out, *ALONE)
    assert "resuming after 1 stretch of at most 50,000 bases" in message
    code, _, message = mirpair("scan", moved, "-o", out, "--stem", "20", *ALONE)
    assert code == 0
    assert "finding the hairpins again" in message


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\nb", "other.all"])
def test_a_name_that_is_none_or_that_of_other_files_is_refused(name: str, tmp_path: Path) -> None:
    path = genome(tmp_path / "g.fa", 1)
    code, _, message = mirpair("scan", path, "-o", tmp_path / "out", "--name", name, *ALONE)
    assert code == 1
    assert "--name" in message
    assert not (tmp_path / "out").exists()


def test_the_head_of_a_gff3_has_no_line_of_a_file_name(tmp_path: Path) -> None:
    path = genome(tmp_path / "g\n##FASTA\n.fa", 1)
    assert mirpair("scan", path, "-o", tmp_path / "out", "--name", "g", *ALONE)[0] == 0
    assert "# genome: g?##FASTA?.fa\n" in (tmp_path / "out" / "g.gff3").read_text()


def test_pictures_of_ids_that_differ_in_odd_characters_have_a_file_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ids = ["a_b", "a/b", "a:b", "molecule", "ä", "ö", "w" * 80, "w" * 81]
    fasta = "".join(f">{name}\nGCCCUUGGCA\n" for name in ids)
    for name in ids:
        assert mirpair("plot", "-", name, stdin=fasta)[0] == 0
    assert len(list(tmp_path.iterdir())) == len(ids)
    assert (tmp_path / "a_b.svg").is_file()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return the clock that the progress sees: its time changes only when it is set."""
    it = SimpleNamespace(now=1000.0)
    it.monotonic = lambda: it.now
    monkeypatch.setattr(terminal, "time", it)
    return it


def test_a_log_has_a_line_a_minute_with_share_rate_and_time_left(
    clock: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in.fa"
    path.write_bytes(b"." * 1000)
    progress = terminal.FileProgress([str(path)])
    clock.now += 500  # loading is no work
    with progress:
        for second in range(1, 151):
            clock.now += 1
            progress.read(0, 2 * second)
            progress.done(30)
    # After 60 s, 12 % are read: in the 59 s since the first, 11.8 %. 88 % take 440 s, 70 % 375 s.
    assert capsys.readouterr().err.splitlines() == [
        "Working: 12 %, 1,800 RNAs, 30 a second, about 8 min left",
        "Working: 24 %, 3,600 RNAs, 30 a second, about 7 min left",
    ]


def test_time_left_does_not_count_what_a_resumed_scan_skips(
    clock: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in.fa"
    path.write_bytes(b"." * 1000)
    with terminal.FileProgress([str(path)], "bases") as progress:
        for position in (800, 805):
            progress.read(0, position)
            clock.now += 300
            progress.done(5)
    # 0.5 % in 300 s: the last 19.5 % take 195 minutes.
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "Working: 80 %, 10 bases, 0.017 a second, about 3 h 15 min left"


def test_of_a_pipe_a_log_has_count_and_rate(
    clock: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for source in ("-", str(tmp_path / "pipe")):
        with terminal.FileProgress([source]) as progress:
            clock.now += 240
            progress.done(60)
        assert capsys.readouterr().err == "Working: 60 RNAs, 0.25 a second\n"


def test_every_long_command_says_how_far_it_is_where_there_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.fa"
    path.write_text("".join(f">{number}\n{HAIRPIN}{'A' * number}\n" for number in range(4)))
    commands = {
        "predict": ("--no-nearest", "-o", tmp_path / "t.tsv"),
        "annotate": ("-o", tmp_path / "t.tsv"),
        "fold": ("-o", tmp_path / "t.dbn"),
        "scan": ("--no-nearest", "-o", tmp_path / "out"),
    }
    quiet = {name: mirpair(name, path, "-j", "1", *more)[2] for name, more in commands.items()}
    ticks = iter(range(0, 10**6, 61))
    monkeypatch.setattr(terminal, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    for name, more in commands.items():
        assert " a second" not in quiet[name], "a short run says nothing"
        message = mirpair(name, path, "-j", "1", *more)[2]
        unit = "bases" if name == "scan" else "RNAs"
        shown = rf"^(Working|Folding|Annotating): .*\d {unit}, .* a second"
        assert re.search(shown, message, re.M)
        assert all(it.isprintable() for line in message.splitlines() for it in line)


@pytest.mark.parametrize("command", ["fold", "predict --no-nearest", "annotate"])
@pytest.mark.parametrize("how", ["ascii", "closed"])
def test_an_ascii_or_a_closed_standard_output_is_no_traceback(
    command: str, how: str, tmp_path: Path
) -> None:
    path = tmp_path / "in.fa"
    path.write_text(f">chrü\n{HAIRPIN}\n", "utf-8")
    run = [sys.executable, "-m", "mirpair.cli.app", *command.split(), str(path), "-j", "1"]
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        ["sh", "-c", f'exec "$@"{" >&-" if how == "closed" else ""}', "sh", *run],
        cwd=ROOT,
        env={**os.environ, **plain},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    if how == "closed":
        assert done.returncode == 1
        assert b"standard output is closed; name a file to write with -o" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert "chrü" in done.stdout.decode("utf-8")
