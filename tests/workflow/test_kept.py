"""Results that are kept stand for trainings and data, on another machine too."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from workflow.conftest import Copy, copy_of_repository, copy_of_study, small_study

KEPT = ("--config", "kept=kept")
RUNS = ("mine-cv1", "mine-cv2")
NEVER = {"train", "records", "structures", "fold", "encode", "folds", "experiments", "audit"}
NEVER |= {"baselines"}


def run_of(folder: Path, experiment: str) -> Path:
    return folder / "runs" / experiment / "variable" / "paper" / "seed0"


@pytest.fixture(scope="module")
def origin(finished_study: Copy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Copy, str]:
    """A machine where everything was made, and kept."""
    copy = copy_of_study(finished_study, tmp_path_factory.mktemp("origin"))
    (copy.folder / "kept").mkdir()
    copy.snakemake("all", "keep", "--configfile", "test.yaml", *KEPT)
    return copy, "test.yaml"


@pytest.fixture
def elsewhere(origin: tuple[Copy, str], tmp_path: Path) -> tuple[Copy, str]:
    """Another machine that has what was kept."""
    copy = copy_of_repository(tmp_path)
    shutil.copytree(origin[0].folder / "kept", tmp_path / "kept")
    return copy, copy.write_config(small_study(copy.folder))


def test_what_is_kept_is_all_of_a_run_but_its_weights(origin: tuple[Copy, str]) -> None:
    results = origin[0].folder / "results" / "mine"
    for name in RUNS:
        kept, made = run_of(origin[0].folder / "kept", name), run_of(results, name)
        assert {path.name for path in kept.iterdir()} == {
            "history.tsv",
            "predictions.tsv.gz",
            "provenance.json",
            "benchmark.tsv",
        }
        for path in kept.iterdir():
            content = path.read_bytes()
            unpacked = gzip.decompress(content) if path.suffix == ".gz" else content
            assert unpacked == (made / path.name.removesuffix(".gz")).read_bytes()
    assert origin[0].planned("all", "keep", "--configfile", origin[1], *KEPT) == {}


def test_tables_and_report_come_from_what_is_kept_alone(
    origin: tuple[Copy, str], elsewhere: tuple[Copy, str]
) -> None:
    copy, config = elsewhere
    assert not set(copy.planned("all", "--configfile", config, *KEPT)) & NEVER
    copy.snakemake("all", "--configfile", config, *KEPT)
    results = "results/mine"
    for name in ("mine", "cleaned", "epochs", "audit"):
        for kind in ("csv", "html", "md", "tex"):
            table = f"{results}/tables/{name}.{kind}"
            assert (copy.folder / table).read_bytes() == (origin[0].folder / table).read_bytes()
    for name in ("predictions/mine-cv", "histories/mine-cv", "tables/mine", "tables/cleaned"):
        figure = f"{results}/figures/{name}.png"
        assert (copy.folder / figure).read_bytes() == (origin[0].folder / figure).read_bytes()
    assert (copy.folder / results / "report.html").is_file()
    assert copy.planned("all", "--configfile", config, *KEPT) == {}


def test_who_wants_the_records_too_gets_them(elsewhere: tuple[Copy, str]) -> None:
    copy, config = elsewhere
    wanted = "results/mine/datasets/mine/records.tsv"
    jobs = copy.planned("all", wanted, "--configfile", config, *KEPT)
    assert jobs["records"] == 1
    assert not {"train", "audit", "baselines"} & set(jobs)


def test_what_is_not_kept_is_trained_and_then_kept_too(elsewhere: tuple[Copy, str]) -> None:
    copy, config = elsewhere
    before = run_of(copy.folder / "kept", RUNS[1])
    expected = {path.name: path.read_bytes() for path in before.iterdir()}
    shutil.rmtree(before)
    assert copy.planned("all", "--configfile", config, *KEPT)["train"] == 1
    copy.snakemake("keep", "--configfile", config, *KEPT)
    for name in ("history.tsv", "predictions.tsv.gz"):
        assert (before / name).read_bytes() == expected[name], "as on the other machine"
    assert not (run_of(copy.folder / "results/mine", RUNS[0]) / "weights.safetensors").exists()
    assert copy.planned("keep", "--configfile", config, *KEPT) == {}


def test_another_recipe_is_not_taken_for_what_is_kept(elsewhere: tuple[Copy, str]) -> None:
    copy, _ = elsewhere
    study = small_study(copy.folder)
    study["runs"][0]["epochs"] = 2
    config = copy.write_config(study)
    assert copy.planned("all", "--configfile", config, *KEPT)["train"] == 2


def test_other_data_stop_the_run_and_so_does_a_folder_that_is_not_there(
    elsewhere: tuple[Copy, str],
) -> None:
    copy, config = elsewhere
    study = small_study(copy.folder)
    study["datasets"]["mine"]["positives"] = ["config/demo/positives.fa"]
    other = copy.write_config(study, "other.yaml")
    done = copy.snakemake("-n", "all", "--configfile", other, *KEPT, check=False)
    assert done.returncode != 0
    assert "kept of other data: the section datasets" in done.stdout
    study = small_study(copy.folder)
    study["datasets"]["mine"]["positives"] = ["hairpins"]
    study["collections"] = {"hairpins": {"source": "hairpins", "file": "positives.fa"}}
    other = copy.write_config(study, "other.yaml")
    done = copy.snakemake("-n", "all", "--configfile", other, *KEPT, check=False)
    assert "kept of other data: the section datasets, collections" in done.stdout
    text = (copy.folder / "positives.fa").read_text()
    (copy.folder / "positives.fa").write_text(text.replace("UGGGAUGAGG", "UGGGAUGACC"))
    done = copy.snakemake("-n", "all", "--configfile", config, *KEPT, check=False)
    assert "these results were kept of another positives.fa than is here" in done.stdout
    done = copy.snakemake("-n", "all", "--configfile", config, "--config", "kept=x", check=False)
    assert "x: there is no such folder; correct `kept`" in done.stdout


def test_what_is_watched_for_figure_3_is_kept_and_taken_too(
    elsewhere: tuple[Copy, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy, _ = elsewhere
    study = small_study(copy.folder)
    study["recipes"] = {"short": {"base": "paper", "epochs": 1, "label": "short"}}
    study["figure3"] = {"recipe": "short", "epochs": 2, "validation": "mine-cv"}
    config = copy.write_config(study)
    copy.snakemake("keep_figure3", "--configfile", config, *KEPT)
    made = copy.folder / "results/mine/watched/mine-cv1/variable/short/seed0/history.tsv"
    kept = copy.folder / "kept/watched/mine-cv1/variable/short/seed0"
    assert {path.name for path in kept.iterdir()} == {"history.tsv", "provenance.json"}
    assert (kept / "history.tsv").read_bytes() == made.read_bytes()
    other = copy_of_repository(tmp_path_factory.mktemp("other"))
    shutil.copytree(copy.folder / "kept", other.folder / "kept")
    small_study(other.folder)
    config = other.write_config(study)
    jobs = other.planned("all", "--configfile", config, *KEPT)
    assert jobs["figures_watched"] == 1, "the report has it, because it costs no training"
    assert not set(jobs) & {*NEVER, "train_watched"}
    study["figure3"]["epochs"] = 3
    config = other.write_config(study)
    assert other.planned("figure3", "--configfile", config, *KEPT)["train_watched"] == 2


def test_what_was_trained_here_is_never_replaced(origin: tuple[Copy, str], tmp_path: Path) -> None:
    copy, config = origin[0], origin[1]
    made = run_of(copy.folder / "results/mine", RUNS[0]) / "predictions.tsv"
    kept = tmp_path / "kept"
    shutil.copytree(copy.folder / "kept", kept)
    path = run_of(kept, RUNS[0]) / "predictions.tsv.gz"
    path.write_bytes(gzip.compress(b"id\tlabel\tscore\n"))
    before = made.read_bytes()
    copy.snakemake("all", "--configfile", config, "--config", f"kept={kept}")
    assert made.read_bytes() == before


def test_a_damaged_file_is_named(elsewhere: tuple[Copy, str]) -> None:
    copy, config = elsewhere
    path = run_of(copy.folder / "kept", RUNS[0]) / "predictions.tsv.gz"
    path.write_bytes(path.read_bytes()[:-20])
    done = copy.snakemake("all", "--configfile", config, *KEPT, check=False)
    assert done.returncode != 0
    log = (copy.folder / "results/mine/logs/kept_merge.log").read_text()
    assert "mine-cv1/variable/paper/seed0/predictions.tsv.gz: is damaged" in log
    provenance = run_of(copy.folder / "kept", RUNS[0]) / "provenance.json"
    provenance.write_text(json.dumps([]))
    done = copy.snakemake("-n", "all", "--configfile", config, *KEPT, check=False)
    assert "provenance.json: is not what was expected here" in done.stdout
