"""Saved results replace trainings and data, on another machine too."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from workflow.conftest import Copy, copy_of_repository, copy_of_study, small_study

REUSE = ("--config", "reuse=saved")
RUNS = ("mine-cv1", "mine-cv2")
NEVER = {"train", "records", "structures", "fold", "encode", "folds", "experiments", "audit"}
NEVER |= {"baselines"}


def run_of(folder: Path, experiment: str) -> Path:
    return folder / "runs" / experiment / "variable" / "paper" / "seed0"


@pytest.fixture(scope="module")
def origin(finished_study: Copy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Copy, str]:
    """A machine where everything was made, and saved."""
    copy = copy_of_study(finished_study, tmp_path_factory.mktemp("origin"))
    (copy.folder / "saved").mkdir()
    copy.snakemake("all", "save", "--configfile", "test.yaml", *REUSE)
    return copy, "test.yaml"


@pytest.fixture
def elsewhere(origin: tuple[Copy, str], tmp_path: Path) -> tuple[Copy, str]:
    """Another machine that has the saved results."""
    copy = copy_of_repository(tmp_path)
    shutil.copytree(origin[0].folder / "saved", tmp_path / "saved")
    return copy, copy.write_config(small_study(copy.folder))


def test_all_of_a_run_is_saved_but_its_weights(origin: tuple[Copy, str]) -> None:
    results = origin[0].folder / "results" / "mine"
    for name in RUNS:
        saved, made = run_of(origin[0].folder / "saved", name), run_of(results, name)
        assert {path.name for path in saved.iterdir()} == {
            "history.tsv",
            "predictions.tsv.gz",
            "provenance.json",
            "benchmark.tsv",
        }
        for path in saved.iterdir():
            content = path.read_bytes()
            unpacked = gzip.decompress(content) if path.suffix == ".gz" else content
            assert unpacked == (made / path.name.removesuffix(".gz")).read_bytes()
    assert origin[0].planned("all", "save", "--configfile", origin[1], *REUSE) == {}


def test_tables_and_report_come_from_saved_results_alone(
    origin: tuple[Copy, str], elsewhere: tuple[Copy, str]
) -> None:
    copy, config = elsewhere
    assert not set(copy.planned("all", "--configfile", config, *REUSE)) & NEVER
    copy.snakemake("all", "--configfile", config, *REUSE)
    results = "results/mine"
    for name in ("mine", "cleaned", "epochs", "audit"):
        for kind in ("csv", "html", "md", "tex"):
            table = f"{results}/tables/{name}.{kind}"
            assert (copy.folder / table).read_bytes() == (origin[0].folder / table).read_bytes()
    for name in ("predictions/mine-cv", "histories/mine-cv", "tables/mine", "tables/cleaned"):
        figure = f"{results}/figures/{name}.png"
        assert (copy.folder / figure).read_bytes() == (origin[0].folder / figure).read_bytes()
    assert (copy.folder / results / "report.html").is_file()
    assert copy.planned("all", "--configfile", config, *REUSE) == {}


def test_the_records_are_made_if_they_are_asked_for(elsewhere: tuple[Copy, str]) -> None:
    copy, config = elsewhere
    wanted = "results/mine/datasets/mine/records.tsv"
    jobs = copy.planned("all", wanted, "--configfile", config, *REUSE)
    assert jobs["records"] == 1
    assert not {"train", "audit", "baselines"} & set(jobs)


def test_what_is_not_saved_is_trained_and_then_saved_too(elsewhere: tuple[Copy, str]) -> None:
    copy, config = elsewhere
    before = run_of(copy.folder / "saved", RUNS[1])
    expected = {path.name: path.read_bytes() for path in before.iterdir()}
    shutil.rmtree(before)
    assert copy.planned("all", "--configfile", config, *REUSE)["train"] == 1
    copy.snakemake("save", "--configfile", config, *REUSE)
    for name in ("history.tsv", "predictions.tsv.gz"):
        assert (before / name).read_bytes() == expected[name], "as on the other machine"
    assert not (run_of(copy.folder / "results/mine", RUNS[0]) / "weights.safetensors").exists()
    assert copy.planned("save", "--configfile", config, *REUSE) == {}


def test_a_training_with_another_recipe_is_not_reused(elsewhere: tuple[Copy, str]) -> None:
    copy, _ = elsewhere
    study = small_study(copy.folder)
    study["runs"][0]["epochs"] = 2
    config = copy.write_config(study)
    assert copy.planned("all", "--configfile", config, *REUSE)["train"] == 2


def test_other_data_stop_the_run_and_so_does_a_folder_that_is_not_there(
    elsewhere: tuple[Copy, str],
) -> None:
    copy, config = elsewhere
    study = small_study(copy.folder)
    study["datasets"]["mine"]["positives"] = ["config/demo/positives.fa"]
    other = copy.write_config(study, "other.yaml")
    done = copy.snakemake("-n", "all", "--configfile", other, *REUSE, check=False)
    assert done.returncode != 0
    assert "from other data: the section datasets" in done.stdout
    study = small_study(copy.folder)
    study["datasets"]["mine"]["positives"] = ["hairpins"]
    study["collections"] = {"hairpins": {"source": "hairpins", "file": "positives.fa"}}
    other = copy.write_config(study, "other.yaml")
    done = copy.snakemake("-n", "all", "--configfile", other, *REUSE, check=False)
    assert "from other data: the section datasets, collections" in done.stdout
    text = (copy.folder / "positives.fa").read_text()
    (copy.folder / "positives.fa").write_text(text.replace("UGGGAUGAGG", "UGGGAUGACC"))
    done = copy.snakemake("-n", "all", "--configfile", config, *REUSE, check=False)
    assert "these results were made with another version of positives.fa" in done.stdout
    done = copy.snakemake("-n", "all", "--configfile", config, "--config", "reuse=x", check=False)
    assert "reuse: x: no such folder; correct `reuse`" in done.stdout


def test_the_trainings_of_figure_3_are_saved_and_reused_too(
    elsewhere: tuple[Copy, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy, _ = elsewhere
    study = small_study(copy.folder)
    study["recipes"] = {"short": {"base": "paper", "epochs": 1, "label": "short"}}
    study["figure3"] = {"recipe": "short", "epochs": 2, "validation": "mine-cv"}
    config = copy.write_config(study)
    copy.snakemake("save_figure3", "--configfile", config, *REUSE)
    made = copy.folder / "results/mine/watched/mine-cv1/variable/short/seed0/history.tsv"
    saved = copy.folder / "saved/watched/mine-cv1/variable/short/seed0"
    assert {path.name for path in saved.iterdir()} == {"history.tsv", "provenance.json"}
    assert (saved / "history.tsv").read_bytes() == made.read_bytes()
    other = copy_of_repository(tmp_path_factory.mktemp("other"))
    shutil.copytree(copy.folder / "saved", other.folder / "saved")
    small_study(other.folder)
    config = other.write_config(study)
    jobs = other.planned("all", "--configfile", config, *REUSE)
    assert jobs["figures_watched"] == 1, "the report has it, because it costs no training"
    assert not set(jobs) & {*NEVER, "train_watched"}
    study["figure3"]["epochs"] = 3
    config = other.write_config(study)
    assert other.planned("figure3", "--configfile", config, *REUSE)["train_watched"] == 2


def test_what_was_trained_here_is_never_replaced(origin: tuple[Copy, str], tmp_path: Path) -> None:
    copy, config = origin[0], origin[1]
    made = run_of(copy.folder / "results/mine", RUNS[0]) / "predictions.tsv"
    saved = tmp_path / "saved"
    shutil.copytree(copy.folder / "saved", saved)
    path = run_of(saved, RUNS[0]) / "predictions.tsv.gz"
    path.write_bytes(gzip.compress(b"id\tlabel\tscore\n"))
    before = made.read_bytes()
    copy.snakemake("all", "--configfile", config, "--config", f"reuse={saved}")
    assert made.read_bytes() == before


def test_the_old_names_of_key_and_target_still_work(elsewhere: tuple[Copy, str]) -> None:
    copy, config = elsewhere
    shutil.rmtree(run_of(copy.folder / "saved", RUNS[1]))
    arguments = ("-n", "all", "keep", "--configfile", config, "--config", "kept=saved")
    done = copy.snakemake(*arguments)
    assert "the key `kept` is now called `reuse`" in done.stdout
    old = ("all", "keep", "--configfile", config, "--config", "kept=saved")
    jobs = copy.planned("all", "save", "--configfile", config, *REUSE)
    assert jobs["save_run"] == 1
    renamed = {"keep": "save"}
    assert {renamed.get(it, it): n for it, n in copy.planned(*old).items()} == jobs
    done = copy.snakemake(*arguments, "reuse=saved", check=False)
    assert "`kept` is the old name of `reuse`; give only `reuse`" in done.stdout


def test_a_damaged_file_is_named(elsewhere: tuple[Copy, str]) -> None:
    copy, config = elsewhere
    path = run_of(copy.folder / "saved", RUNS[0]) / "predictions.tsv.gz"
    path.write_bytes(path.read_bytes()[:-20])
    done = copy.snakemake("all", "--configfile", config, *REUSE, check=False)
    assert done.returncode != 0
    log = (copy.folder / "results/mine/logs/reuse_results.log").read_text()
    assert "mine-cv1/variable/paper/seed0/predictions.tsv.gz: is damaged" in log
    provenance = run_of(copy.folder / "saved", RUNS[0]) / "provenance.json"
    provenance.write_text(json.dumps([]))
    done = copy.snakemake("-n", "all", "--configfile", config, *REUSE, check=False)
    assert "provenance.json: is not a JSON object" in done.stdout
