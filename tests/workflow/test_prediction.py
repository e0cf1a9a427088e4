"""Anyone's RNAs and genomes by the workflow: the same bytes as by the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from mirpair.cli.app import app
from mirpair.networks.weights import read_tensors, write_tensors
from mirpair.prediction.weights import find_weights
from mirpair.rna.sequences import read_fasta
from workflow.conftest import ROOT, Copy, copy_of_repository, small_fasta

RESULTS = "results/mine"
SUFFIXES = (".gff3", ".all.gff3", ".bed", ".fa", ".tsv", ".html")


def sheet(folder: Path, rows: list[tuple[str, str, str]]) -> str:
    lines = ["sample\trun\tfasta", *("\t".join(row) for row in rows)]
    (folder / "samples.tsv").write_text("\n".join(lines) + "\n")
    return "samples.tsv"


def genome(folder: Path) -> str:
    """Real hairpins in random bases, 4 kb."""
    rng = np.random.default_rng(5)
    hairpins = [it.sequence for it in read_fasta(ROOT / "config" / "demo" / "positives.fa")][:6]
    parts = ["".join(rng.choice(list("ACGT"), 500)) + hairpin for hairpin in hairpins]
    (folder / "small.fa").write_text(f">one\n{''.join(parts[:4])}\n>two\n{''.join(parts[4:])}\n")
    return "small.fa"


def other_weights(folder: Path) -> str:
    """Weights that are calibrated, but score and call otherwise than those that are shipped."""
    kind, described, tensors = read_tensors(find_weights())
    changed = {name: tensor * 0.99 for name, tensor in tensors.items()}
    described["kingdoms"]["animals"]["cuts"] = {"5%": 0.5, "1%": 0.9, "0.1%": 0.99}
    write_tensors(folder / "other.safetensors", kind, described, changed)
    return "other.safetensors"


def own_hairpins(folder: Path) -> str:
    """Known hairpins: the first and the last of the candidates."""
    hairpins = [it.sequence for it in read_fasta(ROOT / "config" / "demo" / "positives.fa")]
    (folder / "own.fa").write_text(f">Own-1_pre\n{hairpins[0]}\n>Own-2_pre\n{hairpins[-1]}\n")
    return "own.fa"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = copy_of_repository(tmp_path_factory.mktemp("prediction"))
    rows = [
        ("candidates", "predict", small_fasta(copy.folder, "candidates.fa", "positives", 150)),
        ("few.v1", "predict", small_fasta(copy.folder, "few.fa", "negatives", 3)),
        ("small", "scan", genome(copy.folder)),
    ]
    config: dict[str, Any] = {
        "study": "mine",
        "task": "prediction",
        "samples": sheet(copy.folder, rows),
        "predict": {"prior": 0.2, "reference": own_hairpins(copy.folder)},
        "weights": other_weights(copy.folder),
        "scan": {"stem": 24, "prior": 0.5, "false_positives": "5%", "circular": ["all"]},
    }
    copy.write_config(config)
    copy.snakemake("all", "--configfile", "test.yaml")
    return copy


def mirpair(*arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.stderr


def test_the_workflow_writes_what_the_commands_write(made: Copy, tmp_path: Path) -> None:
    weights = ("--weights", str(made.folder / "other.safetensors"))
    for name, file in (("candidates", "candidates.fa"), ("few.v1", "few.fa")):
        out = tmp_path / f"{name}.tsv"
        fasta = str(made.folder / file)
        own = ("--reference", str(made.folder / "own.fa"))
        mirpair("predict", fasta, "-o", str(out), "--prior", "0.2", *weights, *own)
        assert (made.folder / RESULTS / "predict" / f"{name}.tsv").read_bytes() == out.read_bytes()
    scan = ("scan", str(made.folder / "small.fa"), "-o", str(tmp_path / "scan"))
    scan += ("--circular", "all")
    # Without a setting of the study the result is another one.
    tables = []
    for options in (
        (*weights, "--stem", "24", "--prior", "0.5"),
        (*weights, "--stem", "24", "--false-positives", "5%"),
        (*weights, "--prior", "0.5", "--false-positives", "5%"),
        ("--stem", "24", "--prior", "0.5", "--false-positives", "5%"),
        (*weights, "--stem", "24", "--prior", "0.5", "--false-positives", "5%"),
    ):
        mirpair(*scan, *options)
        tables.append((tmp_path / "scan" / "small.tsv").read_text())
    assert all(table != tables[-1] for table in tables[:-1])
    for suffix in SUFFIXES:
        written = made.folder / RESULTS / "scan" / f"small{suffix}"
        assert written.read_bytes() == (tmp_path / "scan" / f"small{suffix}").read_bytes(), suffix


def test_nothing_is_left_to_do_and_only_what_changes_is_made_again(made: Copy) -> None:
    assert made.planned("all", "--configfile", "test.yaml") == {}
    small_fasta(made.folder, "few.fa", "negatives", 5)
    assert made.planned("all", "--configfile", "test.yaml") == {
        "all": 1,
        "predict": 1,
        "predict_piece": 1,
    }
    made.snakemake(f"{RESULTS}/predict/few.v1.tsv", "--configfile", "test.yaml")
    text = (made.folder / RESULTS / "predict" / "few.v1.tsv").read_text()
    assert len(text.splitlines()) == 6


def test_an_edit_of_the_known_hairpins_makes_what_was_compared_with_them_again(made: Copy) -> None:
    own = made.folder / "own.fa"
    before = own.read_text()
    table = made.folder / RESULTS / "predict" / "few.tsv"
    assert "Own-1_pre" in (table.with_name("candidates.tsv")).read_text()
    try:
        own.write_text(before.replace("Own-1", "Our-1"))
        # Not the scan, which is compared with miRBase.
        assert set(made.planned("all", "--configfile", "test.yaml")) == {
            *("all", "predict", "predict_piece"),
        }
    finally:
        own.write_text(before)


def test_the_number_of_pieces_changes_no_byte(made: Copy) -> None:
    places = [f"{RESULTS}/predict/candidates.tsv", f"{RESULTS}/scan/small.tsv"]
    before = [(made.folder / place).read_bytes() for place in places]
    options = ["--configfile", "test.yaml", "--set-scatter", "fold=3"]
    made.snakemake(*places, "--force", *options)
    assert [(made.folder / place).read_bytes() for place in places] == before


def test_a_name_may_have_dots_and_begin_as_another_one(made: Copy) -> None:
    before = (made.folder / "samples.tsv").read_text()
    names = ("GRCh38", "GRCh38.p14", "GRCh38.p14.v2")
    try:
        sheet(made.folder, [(name, "scan", "few.fa") for name in names])
        planned = made.planned("all", "--configfile", "test.yaml")
    finally:
        (made.folder / "samples.tsv").write_text(before)
    assert planned == {"scan_find": 3, "scan": 3, "all": 1}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", "train", "few.fa")], "line 2: run is 'train', must be 'predict' or 'scan'"),
        ([("a b", "scan", "few.fa")], "line 2: sample is 'a b'"),
        ([("a", "scan", "few.fa"), ("a", "predict", "few.fa")], "the sample 'a' is listed twice"),
        ([("a", "predict", "none.fa")], "samples.tsv: line 2: none.fa: no such file"),
        ([], "it lists no samples"),
    ],
)
def test_a_sheet_that_is_not_right_stops_before_anything_runs(
    made: Copy, rows: list[tuple[str, str, str]], said: str
) -> None:
    kept = (made.folder / "samples.tsv").read_text()
    try:
        sheet(made.folder, rows)
        done = made.snakemake("all", "--configfile", "test.yaml", check=False)
    finally:
        (made.folder / "samples.tsv").write_text(kept)
    assert done.returncode != 0
    assert said in done.stdout


def test_a_threshold_that_the_weights_do_not_have_stops_before_anything_runs(made: Copy) -> None:
    strict = "scan={false_positives: 0.01%}"
    done = made.snakemake("-n", "all", "--configfile", "test.yaml", "--config", strict, check=False)
    assert done.returncode != 0
    assert "these weights have no threshold for 0.01%" in done.stdout
    assert "choose one of 5%, 1%, 0.1%" in done.stdout
