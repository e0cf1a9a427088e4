"""What is made again after a change, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.conftest import Copy, small_study

AFTER_EVALUATION = {"evaluate", "audit", "tables", "figure_results", "figure_history", "report"}


@pytest.fixture(scope="module")
def config(copy: Copy) -> str:
    name = copy.write_config(small_study(copy.folder))
    copy.snakemake("all", "--configfile", name)
    return name


def weights(copy: Copy) -> dict[Path, int]:
    """When each training wrote its weights."""
    files = (copy.folder / "results" / "mine" / "runs").rglob("weights.safetensors")
    return {path: path.stat().st_mtime_ns for path in files}


def test_a_second_run_says_that_nothing_is_to_be_done(copy: Copy, config: str) -> None:
    assert "Nothing to be done" in copy.snakemake("all", "--configfile", config).stdout


def test_a_comment_reruns_nothing(copy: Copy, config: str) -> None:
    for module in ("metrics", "training", "encoding", "folding", "datasets", "tables"):
        path = copy.folder / "mirpair" / f"{module}.py"
        path.write_text(path.read_text() + "\n# A remark.\n")
    assert copy.planned("all", "--configfile", config) == {}


def test_a_change_in_metrics_reruns_the_evaluation_and_trains_nothing(
    copy: Copy, config: str
) -> None:
    before = weights(copy)
    copy.edit("mirpair/metrics.py", "threshold: float = THRESHOLD", "threshold: float = 0.25")
    jobs = copy.planned("all", "--configfile", config)
    assert jobs["evaluate"] == 2
    assert set(jobs) <= AFTER_EVALUATION | {"all"}
    copy.snakemake("all", "--configfile", config)
    assert weights(copy) == before
    assert copy.planned("all", "--configfile", config) == {}


def test_a_change_in_a_template_reruns_pages_only(copy: Copy, config: str) -> None:
    path = copy.folder / "mirpair" / "templates" / "style.css"
    path.write_text(path.read_text() + "\nbody { color: black }\n")
    assert set(copy.planned("all", "--configfile", config)) <= {
        "tables",
        "figure_results",
        "report",
        "all",
    }


def test_more_epochs_train_again_and_fold_nothing(copy: Copy, config: str) -> None:
    study = small_study(copy.folder)
    study["runs"][0]["epochs"] = 2
    longer = copy.write_config(study, "longer.yaml")
    jobs = copy.planned("all", "--configfile", longer)
    assert jobs["train"] == 2
    assert not {"records", "fold", "encode", "experiments"} & set(jobs)


def test_a_change_in_training_trains_again(copy: Copy, config: str) -> None:
    copy.edit("mirpair/training.py", 'reduction="sum"', 'reduction="mean"')
    jobs = copy.planned("all", "--configfile", config)
    assert jobs["train"] == 2
    assert "fold" not in jobs
    copy.edit("mirpair/training.py", 'reduction="mean"', 'reduction="sum"')


def test_a_changed_sequence_is_folded_and_trained_again(copy: Copy, config: str) -> None:
    copy.edit("positives.fa", "UGGGAUGAGG", "UGGGAUGACC")
    jobs = copy.planned("all", "--configfile", config)
    assert {"records", "fold", "encode", "experiments", "train", "evaluate", "report"} <= set(jobs)
