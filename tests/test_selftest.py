"""`mirpair selftest`: the same results on any machine, and a message where they are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from conftest import ROOT
from typer.testing import CliRunner

from mirpair import files
from mirpair.cli import selftest
from mirpair.cli.app import app
from mirpair.cli.selftest import GOLDEN, check
from mirpair.files import InputError, read_tsv

PATH = ROOT / "weights" / "golden.tsv"


def golden() -> pd.DataFrame:
    return read_tsv(PATH, GOLDEN)


def test_the_golden_answers_are_of_both_classes_and_of_families() -> None:
    table = golden()
    assert len(table) >= 20
    assert table["score"].min() < 0.01
    assert table["score"].max() > 0.99
    assert table["family"].ne("").sum() >= 10
    assert table["family"].eq("").any()


def test_it_says_what_was_compared() -> None:
    result = CliRunner().invoke(app, ["selftest"])
    assert result.exit_code == 0, result.output
    assert f"{len(golden())} RNAs: structures, energies and families are as expected" in (
        result.stdout
    )
    assert "ViennaRNA" in result.stderr


@pytest.mark.parametrize(
    "other",
    [
        {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
        {"OMP_NUM_THREADS": "2", "MKL_CBWR": "COMPATIBLE"},
    ],
    ids=["a processor without AVX", "more threads"],
)
def test_other_instructions_and_threads_give_the_same_to_1e_5(other: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mirpair.cli.app", "selftest"],
        env={**os.environ, **other, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "as expected" in done.stdout


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("score", lambda value: value + 1.1e-5, "score is"),
        ("family_score", lambda value: value - 1.1e-5, "family_score is"),
        ("mfe", lambda value: value + 0.1, "mfe is"),
        ("structure", lambda value: "." * len(value), "structure is"),
        ("family", lambda value: "RF99999", "family is"),
    ],
)
def test_another_answer_is_told_with_the_rna(
    column: str, change: object, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = golden()
    assert callable(change)
    table.loc[3, column] = change(table.loc[3, column])
    table.to_csv(tmp_path / "golden.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match=f"{table.loc[3, 'id'].split('|')[0]}.*{said}"):
        check(tmp_path / "golden.tsv")
    monkeypatch.setattr(selftest, "NAME", "none.tsv")
    result = CliRunner().invoke(app, ["selftest"])
    assert result.exit_code == 1
    assert "none.tsv" in result.stderr


def test_other_weights_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from mirpair.prediction import predictor as prediction

    trained = prediction.load_networks()
    with torch.no_grad():
        trained.networks[0].output.bias[1] += 0.001
    monkeypatch.setattr(prediction, "load_networks", lambda *_: trained)
    with pytest.raises(InputError, match="score is"):
        check()


def test_an_installed_package_has_them_too() -> None:
    assert files.shipped("golden.tsv", "").is_file()
