"""What is made again after a change, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.conftest import Copy, copy_of_study, small_study

PAGES = {f"tables_{name}" for name in ("results", "counts", "cleaned", "epochs", "audit")}
PAGES |= {"figures_results", "figures_cleaned", "report", "all"}
FIGURES = {f"figures_{name}" for name in ("lengths", "predictions", "histories", "resources")}
FIGURES |= {"drawings_encoding", "drawings_networks"}
# (The audit ranks by single features, so it depends on the metrics.)
OF_RECORDS = {"audit", "features", "baselines"}
AFTER_EVALUATION = PAGES | FIGURES | OF_RECORDS | {"evaluate", "evaluate_group"}


@pytest.fixture(scope="module")
def copy(finished_study: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return copy_of_study(finished_study, tmp_path_factory.mktemp("reruns"))


@pytest.fixture(scope="module")
def config(copy: Copy) -> str:
    return "test.yaml"


def weights(copy: Copy) -> dict[Path, int]:
    """When each training wrote its weights."""
    files = (copy.folder / "results" / "mine" / "runs").rglob("weights.safetensors")
    return {path: path.stat().st_mtime_ns for path in files}


def test_a_second_run_says_that_nothing_is_to_be_done(copy: Copy, config: str) -> None:
    assert "Nothing to be done" in copy.snakemake("all", "--configfile", config).stdout


def test_a_comment_reruns_nothing(copy: Copy, config: str) -> None:
    modules = [
        f"mirpair/{name}.py"
        for name in ("identification/metrics", "networks/loop", "rna/encoding", "files")
    ]
    scripts = [f"scripts/{name}.py" for name in ("train", "fold", "evaluate", "job")]
    for file in modules + scripts:
        path = copy.folder / file
        path.write_text(path.read_text() + "\n# A remark.\n")
    assert copy.planned("all", "--configfile", config) == {}


def test_a_change_in_a_template_reruns_pages_only(copy: Copy, config: str) -> None:
    path = copy.folder / "mirpair" / "pages" / "templates" / "style.css"
    before = path.read_text()
    path.write_text(before + "\nbody { color: black }\n")
    # The study has no table of counts.
    assert set(copy.planned("all", "--configfile", config)) == PAGES - {"tables_counts"}
    path.write_text(before)


def test_a_change_in_metrics_reruns_the_evaluation_and_trains_nothing(
    copy: Copy, config: str
) -> None:
    before = weights(copy)
    copy.edit(
        "mirpair/identification/metrics.py",
        "threshold: float = THRESHOLD",
        "threshold: float = 0.25",
    )
    jobs = copy.planned("all", "--configfile", config)
    assert jobs["evaluate"] == 2
    assert set(jobs) <= AFTER_EVALUATION
    table = "results/mine/tables/mine.csv"
    copy.snakemake(table, "--configfile", config)
    assert weights(copy) == before
    assert copy.planned(table, "--configfile", config) == {}


def test_a_change_in_a_script_reruns_its_rule(copy: Copy, config: str) -> None:
    copy.edit("scripts/evaluate.py", "history(scores)", "history(scores).round(3)")
    jobs = copy.planned("all", "--configfile", config)
    assert jobs["evaluate"] == 2
    assert "train" not in jobs
    copy.edit("scripts/evaluate.py", "history(scores).round(3)", "history(scores)")


def test_another_network_with_a_limit_of_length_makes_no_records_again(
    copy: Copy, config: str
) -> None:
    """The limits are checked where records and experiments are made, but change neither."""
    study = small_study(copy.folder)
    study["runs"][0]["models"] = ["variable", "fixed"]
    jobs = copy.planned("all", "--configfile", copy.write_config(study, "fixed.yaml"))
    assert jobs["train"] == 2
    assert not {"records", "fold", "structures", "encode", "folds", "experiments"} & set(jobs)


def test_more_epochs_train_again_and_fold_nothing(copy: Copy, config: str) -> None:
    study = small_study(copy.folder)
    study["runs"][0]["epochs"] = 2
    longer = copy.write_config(study, "longer.yaml")
    jobs = copy.planned("all", "--configfile", longer)
    assert jobs["train"] == 2
    assert not {"records", "fold", "encode", "experiments"} & set(jobs)


def test_a_change_in_training_trains_again(copy: Copy, config: str) -> None:
    copy.edit("mirpair/networks/loop.py", 'labels, reduction="sum"', 'labels, reduction="mean"')
    jobs = copy.planned("all", "--configfile", config)
    assert jobs["train"] == 2
    assert "fold" not in jobs
    copy.edit("mirpair/networks/loop.py", 'labels, reduction="mean"', 'labels, reduction="sum"')


def test_a_change_in_the_recipes_trains_again_what_it_concerns_and_nothing_else(
    copy: Copy, config: str
) -> None:
    before, after = 'Model("ResNet-like", "resnet")', 'Model("ResNet-like", "resnet", dropout=0.1)'
    copy.edit("mirpair/recipes.py", before, after)
    assert "train" not in copy.planned("all", "--configfile", config)
    copy.edit("mirpair/recipes.py", after, before)
    copy.edit("mirpair/recipes.py", "learning_rate: float = 0.001", "learning_rate: float = 0.01")
    assert copy.planned("all", "--configfile", config)["train"] == 2
    copy.edit("mirpair/recipes.py", "learning_rate: float = 0.01", "learning_rate: float = 0.001")


def test_a_network_more_trains_only_that_network(copy: Copy, config: str) -> None:
    study = small_study(copy.folder)
    study["runs"][0]["models"] = ["variable", "without-pairing"]
    before = weights(copy)
    more = copy.write_config(study, "more.yaml")
    jobs = copy.planned("all", "--configfile", more)
    assert jobs["train"] == 2
    assert not {"records", "fold", "encode", "experiments"} & set(jobs)
    copy.snakemake("results/mine/tables/mine.csv", "--configfile", more)
    assert len(weights(copy)) == len(before) + 2
    assert {path: when for path, when in weights(copy).items() if path in before} == before
    longer = copy.write_config(small_study(copy.folder) | {"seeds": [5]}, "other-seed.yaml")
    assert copy.planned("all", "--configfile", longer)["train"] == 2


def test_a_changed_sequence_is_folded_and_trained_again(copy: Copy, config: str) -> None:
    copy.edit("positives.fa", "UGGGAUGAGG", "UGGGAUGACC")
    jobs = copy.planned("all", "--configfile", config)
    assert {"records", "fold", "encode", "experiments", "train", "evaluate", "report"} <= set(jobs)
