"""What someone may send: bombs, endless lines, tricks in names; refused in words, nothing else."""

from __future__ import annotations

import gzip
import os
import pickle
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from test_annotation import _Canary

from mirpair.families.annotation import load as load_annotator
from mirpair.files import InputError
from mirpair.networks.build import load_weights
from mirpair.prediction.predictor import predict
from mirpair.prediction.weights import load_networks
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.sequences import read_fasta, read_parts, read_records
from mirpair.study.load import load_study

MEGABYTE = 1 << 20
GIGABYTE = 1 << 30
HAIRPIN = next(iter(read_fasta(ROOT / "config" / "demo" / "positives.fa"))).sequence


def fed(*arguments: str, parts: Iterator[bytes], folder: Path) -> tuple[int, str, str, float]:
    """Exit code, both outputs and gigabytes of memory of `mirpair` with these bytes as input."""
    process = subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER, sys.executable, "-m", "mirpair.cli.app", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr

    def feed() -> None:
        try:
            for part in parts:
                process.stdin.write(part)  # type: ignore[union-attr]
            process.stdin.close()  # type: ignore[union-attr]
        except BrokenPipeError:
            pass

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    out, errors = process.stdout.read().decode(), process.stderr.read().decode()
    code = process.wait()
    errors, _, kilobytes = errors.rpartition("\n")
    return code, out, errors, int(kilobytes) * 1024 / 1e9


# A child of pytest would begin with pytest's own peak, and exec keeps it.
_LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"\\n{used}", end="", file=sys.stderr)
sys.exit(code)
"""


def long_line(letter: bytes, length: int, head: bytes = b">long\n") -> Iterator[bytes]:
    yield head
    for _ in range(length // MEGABYTE):
        yield letter * MEGABYTE
    yield f"\n>good\n{HAIRPIN}\n".encode()


@pytest.mark.parametrize("letter", [b"A", b"\0"], ids=["bases", "NUL bytes"])
def test_a_gigabyte_on_one_line_is_one_bad_record_in_little_memory(
    letter: bytes, tmp_path: Path
) -> None:
    code, out, errors, memory = fed(
        *("predict", "-", "--reference", "none", "-j", "1"),
        parts=long_line(letter, GIGABYTE),
        folder=tmp_path,
    )
    assert code == 0, errors
    long, good = (line.split("\t") for line in out.splitlines()[1:])
    assert long[:2] == ["long", str(GIGABYTE)]
    assert f"{GIGABYTE:,} nt; up to 32,000 can be folded" in long
    assert good[0] == "good"
    assert 0 < float(good[4]) < 1
    assert memory < 1, "gigabytes, of a file of one"


def test_a_header_without_an_end_is_one_bad_record(tmp_path: Path) -> None:
    code, out, errors, memory = fed(
        *("predict", "-", "--reference", "none", "-j", "1"),
        parts=long_line(b"x", 200 * MEGABYTE, b">"),
        folder=tmp_path,
    )
    assert code == 0, errors
    assert "an id of more than 1,000 characters" in out.splitlines()[1]
    assert len(out.splitlines()[1]) < 200
    assert memory < 1


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A megabyte that unpacks to one gigabyte."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.fa.gz"
    with gzip.open(path, "wb", compresslevel=1) as handle:
        for part in long_line(b"A", GIGABYTE):
            handle.write(part)
    assert path.stat().st_size < 6e6
    return path


@pytest.mark.parametrize("command", ["predict", "scan"])
def test_a_gzip_bomb_is_refused_soon(command: str, bomb: Path, tmp_path: Path) -> None:
    code, _, errors, memory = fed(
        command, str(bomb), "-o", str(tmp_path / "out"), parts=iter(()), folder=tmp_path
    )
    assert code == 1
    assert "unpacks to more than 200 times its size" in errors
    assert "Traceback" not in errors
    assert memory < 1
    assert list(tmp_path.iterdir()) == []


TRICKS = (
    "../../../etc/passwd",
    "/etc/passwd",
    "$(touch${IFS}owned)",
    "`touch owned`",
    ";touch${IFS}owned",
    "|touch",
    "&&touch",
    "-rf",
    "--help",
    "%2e%2e%2f",
    "<script>alert(1)</script>",
    '"quoted',
    "'quoted",
    "=1+1",
    "\\n",
    "con",
    "ünïcödé→",
)


def test_tricks_in_ids_are_only_ids(tmp_path: Path) -> None:
    """In every output as they are or, in GFF3, percent-encoded; no file but those asked for."""
    path = tmp_path / "in.fa"
    path.write_text("".join(f">{trick} words\r\n{HAIRPIN}\r\n" for trick in TRICKS), "utf-8")
    outputs = ("-o", "out.tsv", "--gff3", "out.gff3", "--bed", "out.bed", "--fasta", "out.fa")
    code, _, errors, _ = fed("predict", "in.fa", *outputs, parts=iter(()), folder=tmp_path)
    assert code == 0, errors
    ids = [trick.split()[0] for trick in TRICKS]
    assert pd.read_csv(tmp_path / "out.tsv", sep="\t", dtype=str)["id"].tolist() == ids
    assert [record.id for record in read_fasta(tmp_path / "out.fa")] == ids
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"in.fa", "out.tsv", "out.gff3", "out.bed", "out.fa"}


@pytest.mark.parametrize("name", ["$(touch owned).fa", "; touch owned;.fa", "-rf.fa", "a b'\".fa"])
def test_tricks_in_file_names_are_only_names(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(f">a\n{HAIRPIN}\n")
    code, out, errors, _ = fed("fold", "--", name, parts=iter(()), folder=tmp_path)
    assert code == 0, errors
    assert out.splitlines()[0] == ">a"
    assert {path.name for path in tmp_path.iterdir()} == {name}


def test_no_shell_ever_sees_a_string_of_the_users() -> None:
    """No rule has `shell:` or `run:`; nothing in the package or the scripts starts a shell."""
    for path in (ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")):
        assert not re.search(r"^\s+(shell|run):", path.read_text("utf-8"), re.M), path
    for path in (*(ROOT / "mirpair").rglob("*.py"), *(ROOT / "scripts").glob("*.py")):
        text = path.read_text("utf-8")
        assert not re.search(r"shell\s*=\s*True|os\.system|os\.popen|getoutput", text), path
        assert not re.search(r"\bpickle\b.*(load|import)|allow_pickle=True|torch\.load", text), path


@pytest.mark.parametrize("control", ["\x00", "\x1b[31m", "\x07", "\u202e"])
def test_control_characters_in_an_id_are_told(control: str, tmp_path: Path) -> None:
    """They would change what a terminal shows, or end a line where none ends."""
    path = tmp_path / "in.fa"
    path.write_text(f">a{control}b\n{HAIRPIN}\n", "utf-8")
    ((_, problem),) = read_records(path)
    assert problem is not None
    assert problem.reason == "a control character in its id"
    assert control not in str(problem)


@pytest.mark.parametrize("load", [load_weights, load_networks, load_annotator])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_weights_that_are_a_pickle_are_never_opened(
    load: Callable[[Path], Any], protocol: int, tmp_path: Path
) -> None:
    canary, path = tmp_path / "opened", tmp_path / "w.safetensors"
    path.write_bytes(pickle.dumps(_Canary(str(canary)), protocol=protocol))
    with pytest.raises(InputError, match=r"w\.safetensors"):
        load(path)
    torch.save({"x": _Canary(str(canary))}, path)
    with pytest.raises(InputError, match=r"w\.safetensors"):
        load(path)
    assert not canary.exists()


def test_an_npz_of_objects_is_never_opened(tmp_path: Path) -> None:
    canary, path = tmp_path / "opened", tmp_path / "set.npz"
    evil = np.empty(1, dtype=object)
    evil[0] = _Canary(str(canary))
    np.savez(path, ids=evil, labels=evil, mfe=evil, offsets=evil, codes=evil, partner=evil)
    with pytest.raises(InputError, match=r"set\.npz: not the expected NPZ"):
        Tensors.load(path)
    np.save(tmp_path / "one.npy", evil)
    with pytest.raises(InputError, match=r"one\.npy: not the expected NPZ"):
        Tensors.load(tmp_path / "one.npy")
    assert not canary.exists()


def test_an_npz_that_claims_terabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("ids", "labels", "mfe", "offsets", "codes", "partner"):
            with archive.open(f"{name}.npy", "w") as handle:
                header = {"descr": "<f8", "fortran_order": False, "shape": (2**40,)}
                np.lib.format.write_array_header_1_0(handle, header)
                handle.write(bytes(80))
    with pytest.raises(InputError, match=r"set\.npz: not the expected NPZ"):
        Tensors.load(path)


def test_what_is_packed_well_and_small_is_no_bomb(tmp_path: Path) -> None:
    """50 MB of the same hairpins, 300-fold packed: far from filling any memory."""
    path = tmp_path / "many.fa.gz"
    with gzip.open(path, "wb") as handle:
        handle.write(f">a\n{HAIRPIN}\n".encode() * 600_000)
    assert path.stat().st_size * 200 < 600_000 * len(f">a\n{HAIRPIN}\n") < 100 << 20
    assert sum(1 for _ in read_parts(path)) == 600_000


def test_a_bomb_is_noticed_at_100_megabytes(bomb: Path) -> None:
    read = 0
    with pytest.raises(InputError, match="unpacks to more than"):  # noqa: PT012
        for _, parts in read_parts(bomb):
            for part in parts:
                read += len(part)
    assert read <= (100 << 20) + (1 << 18)


def test_tags_of_yaml_in_a_config_make_nothing(tmp_path: Path) -> None:
    config = tmp_path / "evil.yaml"
    config.write_text(
        "study: evil\ntitle: !!python/object/apply:os.mkdir ['" + str(tmp_path / "owned") + "']\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "all", "--configfile", str(config)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert not (tmp_path / "owned").exists()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(value=JSON, data=st.data())
@settings(max_examples=300)
def test_any_value_anywhere_in_a_config_is_valid_or_told_in_words(
    value: Any, data: st.DataObject
) -> None:
    study = yaml.safe_load(data.draw(st.sampled_from(CONFIGS)))
    where, keys = study, list(study)
    key = data.draw(st.sampled_from(keys))
    while isinstance(where[key], dict) and where[key] and data.draw(st.booleans()):
        where = where[key]
        key = data.draw(st.sampled_from(list(where)))
    where[key] = value
    try:
        load_study(study)
    except InputError as error:
        assert "config/README.md explains every key" in str(error)  # noqa: PT017


CONFIGS = [path.read_text("utf-8") for path in sorted((ROOT / "config").glob("*.yaml"))]


@pytest.mark.filterwarnings("ignore:gaps")
@given(st.lists(st.text(max_size=40), max_size=4))
@settings(max_examples=50)
def test_whatever_is_given_as_a_sequence_gets_a_row(sequences: list[str]) -> None:
    """`mirpair.predict` in Python; what is no RNA has a reason and no score."""
    try:
        table = predict(sequences, reference="none")
    except TypeError as error:
        assert re.search("looks like the name of a file|is the text of a FASTA file", str(error))  # noqa: PT017
        return
    assert len(table) == len(sequences)
    for sequence, row in zip(sequences, table.to_dict("records"), strict=True):
        if set(sequence.upper()) - set("ACGTU") or len(sequence) < 76:
            assert row["reason"]
            assert np.isnan(row["score"])
