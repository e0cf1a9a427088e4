"""Why an RNA is called: what the score loses with another base or a turned pair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from mirpair.cli.app import app
from mirpair.prediction.importance import changes_of, importance, partners
from mirpair.rna.folding import fold

MIR_21 = "UGUCGGGUAGCUUAUCAGACUGAUGUUGACUGUUGAAUCUCAUGGCAACACCAGUCGAUGGGCUGUCUGACA"


def test_each_base_has_three_changes_and_each_pair_is_turned() -> None:
    changes = changes_of("GCAAAGC", "((...))")
    assert [it.name for it in changes[:3]] == ["G1A", "G1C", "G1U"]
    assert len(changes) == 3 * 7 + 2
    assert [it.name for it in changes[-2:]] == ["G1C+C7G", "C2G+G6C"]
    assert [it.sequence for it in changes[-2:]] == ["CCAAAGG", "GGAAACC"]
    assert partners("((...).)") == [7, 5, -1, -1, -1, 1, -1, 0]


@given(st.text("ACGU", min_size=1, max_size=40))
def test_a_change_is_another_rna_with_so_many_other_bases(sequence: str) -> None:
    changes = changes_of(sequence, fold(sequence)[0])
    for it in changes:
        differ = [
            at + 1
            for at, pair in enumerate(zip(sequence, it.sequence, strict=True))
            if len(set(pair)) > 1
        ]
        assert differ == [it.first] + ([it.second] if it.second else [])
    assert len({it.sequence for it in changes[: 3 * len(sequence)]}) == 3 * len(sequence)


def score(sequences: Sequence[str]) -> np.ndarray:
    """0.5 with a G first, 0.2 with an A, else 0.1; the other bases do not matter."""
    return np.array([{"G": 0.5, "A": 0.2}.get(it[0], 0.1) for it in sequences])


def test_importance_is_the_loss_of_log_odds() -> None:
    """ln 1 − ln(.2/.8) = 1.386, and twice ln 1 − ln(.1/.9) = 2.197."""
    found = importance("GAAAC", "(...)", score)
    assert found.score == 0.5
    first = found.bases.iloc[0]
    assert (first["base"], first["partner"]) == ("G", 5)
    assert first["lowest"] == pytest.approx(np.log(4))
    assert first["highest"] == pytest.approx(np.log(9))
    assert first["importance"] == pytest.approx((np.log(4) + 2 * np.log(9)) / 3)
    assert (found.bases["importance"][1:] == 0).all()
    assert found.bases["partner"].tolist() == [5, 0, 0, 0, 1]
    (pair,) = found.pairs.to_dict("records")
    assert (pair["change"], pair["score"]) == ("G1C+C5G", 0.1)
    assert pair["importance"] == pytest.approx(np.log(9))


def test_scores_of_0_and_1_have_odds_too() -> None:
    found = importance("G", ".", lambda rnas: np.array([1.0, 0.0, 0.5, 1.0])[: len(rnas)])
    assert np.isfinite(found.bases["importance"]).all()


def run(*arguments: str) -> object:
    return CliRunner().invoke(app, ["explain", *arguments])


def test_the_command_writes_a_table_and_a_picture(tmp_path: Path) -> None:
    fasta = tmp_path / "rnas.fa"
    fasta.write_text(f">other\nACGUACGU\n>hsa-mir-21\n{MIR_21}\n")
    done = run(str(fasta), "hsa-mir-21", "-o", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    bases = pd.read_csv(tmp_path / "out" / "hsa-mir-21.tsv", sep="\t")
    assert "".join(bases["base"]) == MIR_21
    pairs = pd.read_csv(tmp_path / "out" / "hsa-mir-21.changes.tsv", sep="\t")
    assert len(pairs) == 3 * 72 + (bases["partner"] > 0).sum() / 2
    svg = (tmp_path / "out" / "hsa-mir-21.svg").read_text()
    assert "hsa-mir-21" in svg
    paired, others = (bases["partner"] > 0), (bases["partner"] == 0)
    assert bases["importance"][paired].mean() > bases["importance"][others].mean()


def test_an_rna_without_a_score_or_of_another_name_is_refused(tmp_path: Path) -> None:
    fasta = tmp_path / "rnas.fa"
    fasta.write_text(f">short\nACGU\n>hsa-mir-21\n{MIR_21}\n")
    done = run(str(fasta), "short", "-o", str(tmp_path))
    assert done.exit_code == 1
    assert "short" in done.output
    done = run(str(fasta), "hsa-mir-22", "-o", str(tmp_path))
    assert done.exit_code == 1
    assert "hsa-mir-21" in done.output, "the nearest id is named"
