"""Configs: what a user can write, and what they are told when it is wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from conftest import ROOT

from mirpair.config import Run, Study, load_study
from mirpair.files import InputError
from mirpair.recipes import MODELS
from mirpair.sources import read_sources


def shipped(name: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())
    return config


def test_the_paper_has_13_experiments_and_39_trainings() -> None:
    study = load_study(shipped("config"))
    assert list(study.folds()) == [
        *(f"human-cv{fold}" for fold in range(1, 6)),
        "human-test",
        *(f"cross-species-cv{fold}" for fold in range(1, 6)),
        "cross-species-test",
        "new-test",
    ]
    plan = study.plan()
    assert len(plan) == 39
    assert {run.epochs for run in plan} == {40}
    assert Run("human-cv1", "variable", "paper", 0, 40) in plan
    assert study.sets_of("new-test") == ["cross-species", "new"]
    assert len(study.runs_on("human-cv")) == 15


def test_every_published_file_of_the_paper_is_in_the_sources_table() -> None:
    study = load_study(shipped("config"))
    sources = read_sources(ROOT / "config" / "sources.tsv")
    assert set(study.places()) == {name for name in sources if name.startswith("do2018/")}


def test_the_demo_trains_every_network_in_full_on_every_fold() -> None:
    plan = load_study(shipped("demo")).plan()
    assert {(run.experiment, run.model) for run in plan} == {
        (f"demo-cv{fold}", model) for fold in range(1, 6) for model in MODELS
    }
    assert {run.epochs for run in plan} == {40}


TWO_ENTRIES = [
    {"models": ["variable", "without-pairing"], "recipe": "paper", "epochs": 10},
    {"models": ["fixed"], "recipe": "paper", "folds": [1], "epochs": 2},
]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The demo's config with two entries of runs and one place changed; ... takes it away."""
    config = copy.deepcopy(shipped("demo") | {"runs": TWO_ENTRIES})
    *parents, last = path.split(".")
    place: Any = config
    for key in parents:
        place = place[int(key)] if key.isdigit() else place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return config


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("epohcs", 3, "epohcs: this key is not known here"),
        ("datasets.demo.postives", ["x.fa"], "datasets.demo.postives: this key is not known here"),
        ("runs.0.epochs", 0, "runs.1.epochs: is 0"),
        ("runs.0.epochs", "many", "runs.1.epochs: is 'many'"),
        ("runs.0.models", ["variabel"], "'variabel', must be one of fixed, variable, without"),
        ("runs.0.recipe", "secret", "'secret', must be one of paper"),
        ("datasets.demo.negatives", ..., "datasets.demo.negatives: this key is missing"),
        ("datasets.demo.on_ambiguous", "ignore", "must be 'error' or 'drop'"),
        ("experiments.demo-cv.split", "kfold", "experiments.demo-cv.split: must be one of"),
        ("experiments.demo-cv.folds", 1, "experiments.demo-cv.folds: is 1"),
        ("experiments.demo-cv.dataset", "dmeo", "there is no set named 'dmeo'; there are demo"),
        ("tables.demo.rows", {"CV": "demo"}, "there is no experiment named 'demo'"),
        ("tables.sets.sets", ["human"], "there is no set named 'human'"),
        ("study", "my/study", "study: is 'my/study'"),
        ("study", "../escape", "study: is '../escape'"),
        ("seeds", [], "seeds: is []"),
        ("title", 5, "title: is 5, must be text: '5'"),
        ("datasets.demo.positives", "a.fa", "is 'a.fa', must be a list: [a.fa]"),
        ("datasets", {"my set": {}}, "is 'my set'; a name is letters, digits, - and _"),
        ("runs.1.models", ["variable"], "asked for twice"),
        ("runs.1.folds", [6], "fold 6"),
        ("runs.0.experiments", [], "runs.1.experiments: is []"),
        ("tables.demo.published", 5, "tables.demo.published: is 5"),
        ("study", "raw", "'raw' is the folder of the downloads"),
        ("seeds", [0, 0], "seeds: one of them stands twice"),
        ("experiments.demo-cv.seed", 2**32, "experiments.demo-cv.seed: is 4294967296"),
        (
            "experiments.self",
            {"split": "across-datasets", "train": "demo", "evaluate": "demo"},
            "experiments.self: the set 'demo' cannot both train and evaluate",
        ),
        (
            "experiments",
            {
                "demo-cv": {"split": "k-fold", "dataset": "demo", "folds": 2},
                "demo-cv1": {
                    "split": "published",
                    "dataset": "demo",
                    "train": ["a"],
                    "evaluate": ["b"],
                },
            },
            "two of them give the same name",
        ),
    ],
)
def test_a_wrong_config_is_explained_by_its_place(path: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_study(changed(path, value))
    assert message in str(caught.value)
    assert "config/README.md" in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_a_table_of_an_experiment_that_nothing_is_trained_on_is_refused() -> None:
    config = changed("experiments.idle", {"split": "k-fold", "dataset": "demo"})
    for runs in config["runs"]:
        runs["experiments"] = ["demo-cv"]
    config["tables"]["idle"] = {"title": "Idle", "rows": {"CV": "idle"}}
    with pytest.raises(InputError, match="nothing is trained on 'idle'"):
        load_study(config)


def test_every_run_is_planned_once_for_each_seed() -> None:
    config = changed("seeds", [3, 7])
    plan = load_study(config).plan()
    assert len(plan) == 22
    assert Run("demo-cv1", "fixed", "paper", 7, 2) in plan
    assert {run.seed for run in plan if run.experiment == "demo-cv2"} == {3, 7}


def test_fold_is_filled_in_with_1_2_and_so_on() -> None:
    study = load_study(shipped("config"))
    assert study.split_files("human-cv1", "evaluate")[0].endswith("human_pos_val_f1.fa")
    assert study.split_files("human-cv5", "train")[1].endswith("human_neg_train_f5.fa")
    assert study.split_files("new-test", "train") == []


def test_all_that_is_wrong_is_said_at_once() -> None:
    config = changed("epohcs", 3)
    del config["study"]
    with pytest.raises(InputError) as caught:
        load_study(config)
    assert "epohcs" in str(caught.value)
    assert "study: this key is missing" in str(caught.value)


def test_published_folds_need_the_fold_in_their_file_names() -> None:
    config = shipped("config")
    config["experiments"]["human-cv"]["train"] = ["do2018/cv/human/human_pos_all.fa"]
    with pytest.raises(InputError, match=r"needs \{fold\} in its name"):
        load_study(config)


def test_the_schema_for_editors_is_that_of_the_code() -> None:
    written = json.loads((ROOT / "config" / "schema.json").read_text())
    assert written == Study.model_json_schema(), "make schema"


def test_the_readme_explains_every_key() -> None:
    text = (ROOT / "config" / "README.md").read_text()
    schema = Study.model_json_schema()
    sections = [schema, *schema["$defs"].values()]
    keys = {key for section in sections for key in section.get("properties", {})}
    assert {key for key in keys if f"`{key}`" not in text} == set()
