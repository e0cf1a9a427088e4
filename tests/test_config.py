"""Configs: what a user can write, and how errors are explained."""

from __future__ import annotations

import copy
import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from conftest import ROOT
from pydantic import TypeAdapter, ValidationError

from bench.config_docs import with_tables
from mirpair.contracts import USUAL_BASELINES
from mirpair.files import InputError
from mirpair.recipes import Recipe
from mirpair.settings import PredictionSettings, ScanSection
from mirpair.sources.published import read_sources
from mirpair.study.base import Run, Section
from mirpair.study.families import FamilyStudy
from mirpair.study.identification import Study
from mirpair.study.load import load_study, renamed_keys, schema
from mirpair.study.prediction import PredictionStudy, Sample, read_samples
from mirpair.study.shipping import genomes_of, members


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
    used = {name for name in sources if name.startswith(("do2018/", "mirbase21/"))}
    assert set(study.source_refs()) == used


def test_the_demo_trains_every_network_in_full_on_every_fold() -> None:
    plan = load_study(shipped("demo")).plan()
    assert {(run.experiment, run.model) for run in plan} == {
        (f"demo-cv{fold}", model)
        for fold in range(1, 6)
        for model in ("fixed", "variable", "without-pairing")
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
        (
            "runs.0.models",
            ["variabel"],
            "runs.1: there is no model named 'variabel'; there are fixed",
        ),
        ("runs.0.recipe", "secret", "runs.1: there is no recipe named 'secret'; there are paper"),
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
        ("models", {"fixed": {"base": "variable", "label": "x"}}, "models.fixed: this name is"),
        ("models", {"x": {"base": "variabel", "label": "x"}}, "no base named 'variabel'"),
        ("models", {"x": {"base": "variable", "label": "x", "soft": 0.5}}, "models.x.soft: is 0.5"),
        ("models", {"x": {"base": "fixed", "label": "x", "pooling": 2}}, "models.x: pooling"),
        ("models", {"x": {"base": "variable", "label": "x", "drop": 0}}, "models.x.drop: this key"),
        (
            "averages",
            {"variable": {"label": "x", "models": ["variable", "fixed"]}},
            "averages.variable: a network has this name",
        ),
        (
            "averages",
            {"x": {"label": "x", "models": ["variable", "variable"]}},
            "averages.x: a network is listed twice",
        ),
        (
            "averages",
            {"x": {"label": "x", "models": ["variable", "stem"]}},
            "averages.x: there is no experiment on which variable, stem are all trained",
        ),
        (
            "averages",
            {"x": {"label": "Variable-sized", "models": ["variable", "fixed"]}},
            "averages.x: another method has the label 'Variable-sized'",
        ),
        ("recipes", {"x": {"base": "paper"}}, "recipes.x.label: this key is missing"),
        (
            "recipes",
            {"x": {"base": "paper", "label": "x", "optimizer": "sgd"}},
            "must be 'adagrad'",
        ),
        ("recipes", {"paper": {"base": "paper", "label": "x"}}, "recipes.paper: this name is"),
        ("models", {"x": 5}, "models.x: is 5, must be a section"),
        ("recipes", {"x": {"base": "paper", "label": ""}}, "recipes.x.label: is ''"),
        (
            "recipes",
            {"x": {"base": "paper", "label": "x", "learning_rate": float("inf")}},
            "recipes.x.learning_rate: is inf",
        ),
        (
            "figure3",
            {"validation": "demo-cv", "epochs": 40},
            "must be greater than the recipe's 40",
        ),
        ("figure3", {"validation": "demo-cv", "training": "demo-cv"}, "are the same experiment"),
        ("figure3", {"validation": "demo"}, "figure3.validation: there is no experiment named"),
        ("figure3", {"validation": "demo-cv", "model": "x"}, "figure3.model: there is no model"),
        ("audit", {"families": "f"}, "audit: `families` also needs `hairpins`"),
        ("audit", {"hairpin": "h"}, "audit.hairpin: this key is not known here"),
        ("title", 5, "title: is 5, must be text: '5'"),
        ("datasets.demo.positives", "a.fa", "is 'a.fa', must be a list: [a.fa]"),
        ("datasets", {"my set": {}}, "is 'my set'; a name is letters, digits, - and _"),
        ("runs.1.models", ["variable"], "listed twice"),
        ("runs.1.folds", [6], "fold 6"),
        ("runs.0.experiments", [], "runs.1.experiments: is []"),
        ("tables.demo.published", 5, "tables.demo.published: is 5"),
        ("study", "raw", "'raw' is the folder of the downloads"),
        ("seeds", [0, 0], "seeds: a seed is listed twice"),
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
            "two folds have the same name",
        ),
    ],
)
def test_a_wrong_config_is_explained_by_its_place(path: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_study(changed(path, value))
    assert message in str(caught.value)
    assert "config/README.md" in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("seeds", "[no, yes]", "seeds.1: is False, must be a whole number; YAML reads no and off"),
        ("seeds", "[no, yes]", "seeds.2: is True, must be a whole number; YAML reads yes and on"),
        ("seeds", "[1.0]", "seeds.1: is 1.0, must be a whole number: 1"),
        ("seeds", "['1']", "seeds.1: is '1', must be a whole number, without quotes"),
        ("seeds", "", "seeds: has no value; give one, or leave the key out"),
        ("seeds", "{a: 1}", "must be a list; begin each of its entries with '- '"),
        ("runs.0.epochs", "yes", "runs.1.epochs: is True, must be a whole number"),
        ("runs.0.epochs", "1e2", "runs.1.epochs: is '1e2', must be a whole number: 100"),
        ("runs.0.folds", "[yes]", "runs.1.folds.1: is True, must be a whole number"),
        ("experiments.demo-cv.seed", "no", "seed: is False, must be a whole number"),
        ("experiments.demo-cv.identity", "2", "identity: is 2, must be at most 1"),
        ("datasets.demo.cleaned", "1", "cleaned: is 1, must be true or false"),
        ("datasets.demo.cleaned", "'no'", "cleaned: is 'no', must be true or false, without"),
        ("datasets.demo.positives", "[]", "positives: is [], must have at least 1 entry"),
        ("datasets.demo.positives", "['']", "positives.1: is '', must not be empty"),
        ("recipes", "{a: {base: paper, label: b, learning_rate: yes}}", "is True, must be a numb"),
        ("recipes", "{a: {base: paper, label: b, batch_size: yes}}", "is True, must be a whole nu"),
        ("recipes", "{a: {base: paper, label: b, learning_rate: .nan}}", "is nan, must be a finit"),
        ("models", "{a: {base: variable, label: b, pooling: yes}}", "is True, must be a whole num"),
        ("models", "{a: {base: variable, label: b, pooling: 4}}", "is 4, must be at most 3"),
        ("models", "{on: {base: variable, label: b}}", "models: the key yes, on or true is True "),
        ("models", "{2018: {base: variable, label: b}}", "the key 2018 is no text for YAML; put "),
        ("tables.demo.rows", "{no: demo-cv}", "tables.demo.rows: the key no, off or false is Fal"),
        ("tables.demo.rows", "{~: demo-cv}", "tables.demo.rows: the key is empty; give it a name"),
        ("title", "2024-01-01", "title: is 2024-01-01, must be text: '2024-01-01'"),
        ("title", "yes", "title: is True, must be text: put it in quotes, as in 'yes'"),
        ("title", "[a]", "title: is ['a'], must be text: one value, not several"),
        ("study", "2018", "study: is 2018, must be text: '2018'"),
        ("seeds", "&a [*a]", "an anchor (`&name`) contains itself (`*name`)"),
    ],
)
def test_a_value_that_yaml_reads_as_another_type_is_refused_in_plain_words(
    path: str, text: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_study(changed(path, yaml.safe_load(text)))
    assert message in str(caught.value)


def test_numbers_may_be_written_with_an_exponent_which_yaml_reads_as_text() -> None:
    assert yaml.safe_load("1e-3") == "1e-3"
    recipe = yaml.safe_load("{base: paper, label: slow, learning_rate: 1e-3, weight_decay: 2E-5}")
    _, recipe = load_study(changed("recipes", {"slow": recipe})).training(
        "demo-cv1", "variable", "slow"
    )
    assert (recipe.learning_rate, recipe.weight_decay) == (0.001, 0.00002)
    study = load_study(shipped("prediction") | {"scan": yaml.safe_load("{prior: 1e-4}")})
    assert isinstance(study, PredictionStudy)
    assert study.scan.prior == 0.0001
    with pytest.raises(InputError, match=r"is '0\.1', must be a number: 0\.1"):
        load_study(changed("experiments.demo-cv.identity", "0.1"))


def sections() -> list[type]:
    """Every class of a section of a config."""
    found: list[type] = [PredictionSettings, ScanSection]
    waiting = [Section]
    while waiting:
        waiting.extend(new := waiting.pop().__subclasses__())
        found.extend(new)
    return found


@pytest.mark.parametrize("section", sections(), ids=lambda it: it.__name__)
def test_no_number_of_any_section_takes_a_truth_value_text_or_another_kind_of_number(
    section: type,
) -> None:
    adapter = TypeAdapter(section)
    for name, kind in get_type_hints(section).items():
        wrong = {
            int: [True, "3", 3.0],
            float: [True, "0.3", float("inf"), float("-inf"), float("nan")],
            bool: [1, 0, "yes"],
        }
        for value in wrong.get(next(iter({kind, *get_args(kind)} & set(wrong)), str), []):
            with pytest.raises(ValidationError) as caught:
                adapter.validate_python({name: value})
            assert any(it["loc"] == (name,) for it in caught.value.errors()), (name, value)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a config: the path to each of its values."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


def said(config: dict[str, Any]) -> str:
    """What is said of a config; nothing if it is valid."""
    try:
        load_study(config)
    except InputError as error:
        return str(error)
    return ""


JUNK = ("", None, True, -1, 1e9, "x y", [], {}, [None], {"a": 1}, {1: 2}, datetime.date(2024, 1, 1))


@pytest.mark.parametrize("name", ["demo", "families-demo", "prediction", "alternatives"])
def test_whatever_is_wrong_no_word_of_the_libraries_is_said(name: str) -> None:
    original = shipped(name)
    for *parents, last in places(original):
        config = copy.deepcopy(original)
        place: Any = config
        for key in parents:
            place = place[key]
        for junk in JUNK:
            place[last] = junk
            leaked = re.search(r"[Ii]nput should|pydantic|valid dict|<class|datetime", said(config))
            assert not leaked, (*parents, last, junk, leaked)


def test_keys_of_the_top_level_for_anchors_are_left_alone() -> None:
    text = """
    x-common: &common {epochs: 2, models: [variable]}
    x-other: 5
    study: mine
    title: My own hairpins
    datasets:
      mine: {positives: [pos.fa], negatives: [neg.fa]}
    experiments:
      mine-cv: {split: k-fold, dataset: mine, folds: 2}
    runs:
      - {<<: *common, epochs: 3}
    tables: {}
    """
    config = yaml.safe_load(text)
    assert [run.epochs for run in load_study(config).plan()] == [3, 3]
    config["runs"][0]["x-note"] = "five"
    with pytest.raises(InputError, match=r"runs\.1\.x-note: this key is not known here"):
        load_study(config)


def test_a_table_of_an_experiment_that_nothing_is_trained_on_is_refused() -> None:
    config = changed("experiments.idle", {"split": "k-fold", "dataset": "demo"})
    for runs in config["runs"]:
        runs["experiments"] = ["demo-cv"]
    config["tables"]["idle"] = {"title": "Idle", "rows": {"CV": "idle"}}
    with pytest.raises(InputError, match="nothing is trained on 'idle'"):
        load_study(config)


def test_a_table_of_seeds_needs_published_rows_and_several_seeds() -> None:
    config = changed("tables.seeds", {"title": "Seeds", "seeds_of": {"demo": "demo"}})
    for changes, said in (
        ({}, "tables.seeds: the trainings of the table 'demo' have one seed"),
        ({"seeds": [0, 1]}, None),
        ({"seeds": [0, 1], "table": "sets"}, "tables.seeds: there is no table named 'sets'"),
        ({"published": None}, "tables.seeds: the table 'demo' has no published rows"),
    ):
        given = copy.deepcopy(config)
        given["seeds"] = changes.get("seeds", [0])
        given["tables"]["seeds"]["seeds_of"] = {changes.get("table", "demo"): "demo"}
        published = changes.get("published", "config/published/table2.tsv")
        given["tables"]["demo"]["published"] = published
        if said is None:
            load_study(given)
        else:
            with pytest.raises(InputError, match=said):
                load_study(given)


def test_every_run_is_planned_once_for_each_seed() -> None:
    config = changed("seeds", [3, 7])
    plan = load_study(config).plan()
    assert len(plan) == 22
    assert Run("demo-cv1", "fixed", "paper", 7, 2) in plan
    assert {run.seed for run in plan if run.experiment == "demo-cv2"} == {3, 7}


def test_a_config_may_vary_networks_and_recipes() -> None:
    study = load_study(shipped("alternatives"))
    soft, paper = study.training("human-cv1", "soft-10", "paper")
    assert (soft.soft, soft.architecture, soft.published) == (0.1, "variable", "")
    assert paper == Recipe()
    _, adam = study.training("human-cv1", "variable", "adam")
    assert adam == Recipe(optimizer="adam")
    _, small = study.training("human-cv1", "variable", "batch-16")
    assert small == Recipe(batch_size=16)
    assert study.method("variable", "adam").label == "Variable-sized, Adam"
    rival = study.method("deepmirgene", "deepmirgene")
    assert rival == ("deepMiRGene", "deepMiRGene, its own logs", "deepMiRGene")
    code = study.method("variable", "published-code")
    assert code.label == "Variable-sized, published-code"
    assert code.label_beside_published == "Proposed variable-sized, published-code"
    assert study.method("variable", "finder").reproduces == "", "it reproduces nothing"
    assert study.method("dropout", "paper").label == "Dropout 0.5"


def test_a_recipe_variant_has_the_other_values_of_its_base() -> None:
    config = changed(
        "recipes",
        {"exact": {"base": "published-code", "label": "in float64", "precision": "float64"}},
    )
    study = load_study(config)
    network, recipe = study.training("demo-cv1", "fixed", "exact")
    assert network.order == "published-code"
    assert (recipe.precision, recipe.epochs, recipe.learning_rate) == ("float64", 10, 0.01)


def test_a_network_variant_has_the_other_values_of_its_base() -> None:
    config = changed("models", {"deep": {"base": "alexnet", "soft": 0.1, "label": "Deep"}})
    network, _ = load_study(config).training("demo-cv1", "deep", "paper")
    assert (network.dropout, network.soft, network.label) == (0.5, 0.1, "Deep")


def test_two_networks_may_not_have_one_label() -> None:
    config = changed("models", {"mine": {"base": "variable", "label": "Variable-sized"}})
    config["runs"] = [{"models": ["variable", "mine"]}]
    with pytest.raises(InputError, match="have the same label 'Variable-sized'"):
        load_study(config)


def test_figure_3_is_of_the_first_seed() -> None:
    config = changed("figure3", {"validation": "demo-cv"})
    assert {run.seed for run in load_study(config | {"seeds": [3, 7]}).watched()} == {3}


def test_the_alternatives_are_all_that_the_paper_names() -> None:
    """Section 2.2: soft one-hot, Adam, AlexNet, ResNet, batch, dropout, L2, fewer poolings."""
    plan = load_study(shipped("alternatives")).plan()
    tried = {(run.model, run.recipe) for run in plan}
    assert tried >= {
        *((model, "paper") for model in ("soft-10", "soft-20", "dropout", "alexnet", "resnet")),
        *((model, "paper") for model in ("two-pooling-layers", "one-pooling-layer")),
        *(("variable", recipe) for recipe in ("adam", "decay-1e-3", "batch-16", "batch-256")),
    }
    assert {(run.experiment, run.epochs) for run in plan} == {("human-cv1", 10)}


def test_published_code_has_its_own_epochs_for_each_kind_of_experiment() -> None:
    config = shipped("config")
    config["runs"] = [{"models": ["fixed", "variable"], "recipe": "published-code"}]
    epochs = {(run.experiment, run.model): run.epochs for run in load_study(config).plan()}
    for name in ("human-cv3", "cross-species-cv5"):
        assert (epochs[name, "fixed"], epochs[name, "variable"]) == (10, 30)
    for name in ("human-test", "cross-species-test"):
        assert epochs[name, "fixed"] == epochs[name, "variable"] == 40
    assert epochs["new-test", "fixed"] == epochs["new-test", "variable"] == 80


def test_figure_3_watches_the_human_folds_and_the_training_on_90_percent() -> None:
    study = load_study(shipped("config"))
    assert study.figure3 is not None
    assert study.figure3.epochs == 80
    assert [run.experiment for run in study.watched()] == [
        *(f"human-cv{fold}" for fold in range(1, 6)),
        "human-test",
    ]
    assert all(run in study.plan() for run in study.watched()), "the same runs, watched on"
    assert load_study(shipped("demo")).watched() == []


def test_fold_is_filled_in_with_1_2_and_so_on() -> None:
    study = load_study(shipped("config"))
    assert study.split_files("human-cv1", "evaluate")[0].endswith("human_pos_val_f1.fa")
    assert study.split_files("human-cv5", "train")[1].endswith("human_neg_train_f5.fa")
    assert study.split_files("new-test", "train") == []


def test_a_split_needs_no_training_files() -> None:
    split = {"split": "published", "dataset": "demo", "folds": 2, "evaluate": ["fold{fold}.txt"]}
    study = load_study(changed("experiments.listed", split))
    assert isinstance(study, Study)
    assert study.split_files("listed2", "evaluate") == ["fold2.txt"]
    assert study.split_files("listed2", "train") == []


def test_records_are_checked_for_the_networks_that_surely_get_them() -> None:
    """`fixed` takes 400 nt; near-copies and what no file lists may be left out."""
    config = changed("runs", [{"models": ["fixed", "variable"]}])
    config["datasets"]["other"] = config["datasets"]["demo"]
    across = {"split": "across-datasets", "train": "demo", "evaluate": "other"}
    listed = {"split": "published", "dataset": "other", "evaluate": ["e.txt"]}
    for experiments, demo, other in (
        ({"demo-cv": config["experiments"]["demo-cv"]}, {"fixed": 400}, {}),
        ({"demo-cv": across}, {"fixed": 400}, {"fixed": 400}),
        ({"demo-cv": {**across, "identity": 0.9}}, {"fixed": 400}, {}),
        ({"demo-cv": listed}, {}, {}),
    ):
        study = load_study({**config, "experiments": experiments})
        assert isinstance(study, Study)
        assert (study.limits_of("demo"), study.limits_of("other")) == (demo, other)
    study = load_study({**config, "runs": [{"models": ["variable"]}]})
    assert isinstance(study, Study)
    assert study.limits_of("demo") == {}


def test_all_errors_are_reported_at_once() -> None:
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


def test_the_old_name_of_a_key_still_works_with_a_notice() -> None:
    old, new = shipped("demo") | {"kept": "saved"}, shipped("demo") | {"reuse": "saved"}
    assert load_study(old) == load_study(new)
    (notice,) = renamed_keys(old)
    assert "the key `kept` is now called `reuse`" in notice
    assert renamed_keys(new) == []
    with pytest.raises(InputError, match="`kept` is the old name of `reuse`; give only `reuse`"):
        load_study(old | new)
    for config, said in (
        (shipped("demo") | {"kept": 3}, r"- kept: is 3, must be text"),
        (shipped("families") | {"kept": "saved"}, r"- kept: this key is not known here"),
    ):
        with pytest.raises(InputError, match=said):
            load_study(config)


@pytest.mark.parametrize("section", ["predict", "scan"])
def test_the_old_key_of_the_known_hairpins_still_works_with_a_notice(section: str) -> None:
    mine = {"study": "mine", "task": "prediction", "samples": "my.tsv"}

    def with_keys(**keys: object) -> dict[str, object]:
        return {**mine, section: {"prior": 0.3, **keys}}

    assert load_study(with_keys(nearest=False)) == load_study(with_keys(reference="none"))
    assert load_study(with_keys(nearest=True)) == load_study(with_keys())
    (notice,) = renamed_keys(with_keys(nearest=False))
    assert f"the key `{section}.nearest` is now called `{section}.reference`" in notice
    assert "`reference: none`" in notice
    assert renamed_keys(with_keys(reference="none")) == []
    with pytest.raises(InputError, match=f"`{section}.nearest` is an old name; give only"):
        load_study(with_keys(nearest=False, reference="none"))
    with pytest.raises(InputError, match=f"{section}.nearest: is 'no', must be true or false"):
        load_study(with_keys(nearest="no"))
    with pytest.raises(InputError, match=f"- {section}.reference: is False, must be text"):
        load_study(with_keys(reference=False))


def test_own_known_hairpins_are_files_of_the_study() -> None:
    mine = {"study": "mine", "task": "prediction", "samples": "my.tsv"}
    assert load_study(mine).source_refs() == []
    own = {"predict": {"reference": "my.fa"}, "scan": {"reference": "none"}}
    assert load_study(mine | own).source_refs() == ["my.fa"]


def test_the_schema_for_editors_is_that_of_the_code() -> None:
    written = json.loads((ROOT / "config" / "schema.json").read_text())
    assert written == schema(), "make schema"


def test_the_readme_has_the_keys_and_words_of_the_code() -> None:
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    assert with_tables(text) == text, "make schema"
    sections = schema()["$defs"]
    shown = set(", ".join(re.findall(r"<!-- keys: (.*) -->", text)).split(", "))
    assert shown == {name for name in sections if "properties" in sections[name]}


@pytest.mark.parametrize("name", sorted(schema()["$defs"]))
def test_every_key_is_described_in_a_sentence(name: str) -> None:
    for key, value in schema()["$defs"][name].get("properties", {}).items():
        assert re.fullmatch(r"[A-Zm][^\n]*[^.]\.", value.get("description", "")), f"{name}.{key}"


def test_the_folds_on_its_training_set_choose_the_epoch_of_an_experiment_without_folds() -> None:
    study = load_study(shipped("config"))
    chosen = {name: study.validation_of(name) for name in study.experiments}
    assert chosen == {
        **dict.fromkeys(["human-cv", "human-test"], "human-cv"),
        **dict.fromkeys(["cross-species-cv", "cross-species-test", "new-test"], "cross-species-cv"),
    }
    config = shipped("config")
    del config["experiments"]["cross-species-cv"]
    del config["tables"]["table3"]
    assert load_study(config).validation_of("new-test") is None


def test_only_folds_that_are_trained_choose_an_epoch() -> None:
    config = shipped("config")
    config["runs"] = [{"models": ["variable"], "experiments": ["human-test", "new-test"]}]
    config["tables"] = {}
    config.pop("figure3")
    study = load_study(config)
    assert study.validation_of("human-test") is None
    assert study.validation_of("human-cv") == "human-cv"


@pytest.mark.parametrize("name", ["cleaned", "epochs", "audit"])
def test_a_table_may_not_have_the_name_of_one_that_every_study_has(name: str) -> None:
    config = shipped("demo")
    config["tables"][name] = config["tables"].pop("demo")
    with pytest.raises(InputError, match=f"tables.{name}: every study has a table of this name"):
        load_study(config)


def test_a_study_that_trains_nothing_is_refused() -> None:
    config = shipped("config")
    config["runs"] = [{"models": ["variable"], "experiments": ["human-test"], "folds": [3]}]
    config["tables"] = {}
    study = load_study(config)
    assert [run.experiment for run in study.plan()] == ["human-test"], "it has no folds"
    config["experiments"]["other-cv"] = {"split": "k-fold", "dataset": "human", "folds": 2}
    config["runs"] = [{"models": ["variable"], "experiments": ["other-cv"], "folds": [3]}]
    with pytest.raises(InputError, match="so nothing would be trained"):
        load_study(config)


def test_a_study_of_families_is_read_and_planned() -> None:
    study = load_study(shipped("families"))
    assert isinstance(study, FamilyStudy)
    plan = study.plan()
    assert len(plan) == 5 + 2 + 3 * 2 * 3 + 3 * 4
    assert {run.epochs for run in plan if run.experiment == "rfam-60"} == {20}
    # Every family is seen a thousand times or so, whatever its size.
    seen = {it.experiment: study.experiments[it.experiment].training * it.epochs for it in plan}
    assert all(990 <= times <= 1000 for times in seen.values())


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("families",), "deepmir/clear.fa", "write {family} once, in place of a family's name"),
        (("families",), "a/{family}/{family}.fa", "write {family} once"),
        (("shipped", "experiment"), "small-10", "shipped: 'small-10' needs `outliers`"),
        (("runs", 0, "experiments"), ["rfam-61"], "no experiment named 'rfam-61'"),
        (("runs", 0, "models"), ["fixed"], "models.1"),
        (("others",), None, "experiments.rfam-60: outliers need the section `others`"),
        (("experiments", "rfam-60", "validation"), 0, "`outliers` also needs `validation`"),
        (("experiments", "rfam-60", "at_most"), 50, "is greater than `at_most` (50)"),
        (("experiments", "rfam-60", "trainin"), 3, "trainin: this key is not known"),
        (("shipped", "model"), "one-hot", "shipped: no training of 'one-hot' on 'small-40'"),
        (("shipped", "model"), "pair", "shipped.model"),
        (("infernal", "proposals"), "variable", "'one-hot' would ship without covariance models"),
        (("infernal", "experiment"), "x", "infernal.experiment: there is no experiment named 'x'"),
        (("max_length",), 201, "max_length"),
        (("seeds",), [1, 1], "a seed is listed twice"),
        (("study",), "raw", "'raw' is the folder of the downloads"),
    ],
)
def test_an_error_in_a_study_of_families_is_explained(
    path: tuple[str | int, ...], value: object, message: str
) -> None:
    config = shipped("families")
    config["shipped"] = {"experiment": "rfam-60", "model": "one-hot", "score": "softmax"}
    if path == ("shipped", "model"):
        config["shipped"]["experiment"] = "small-40"
    place: Any = config
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InputError, match=re.escape(message)):
        load_study(config)


def test_a_study_of_predictions_needs_a_sheet_and_nothing_else() -> None:
    study = load_study({"study": "mine", "task": "prediction", "samples": "my.tsv"})
    assert isinstance(study, PredictionStudy)
    assert (study.samples, study.title, study.weights) == ("my.tsv", "Predictions", None)
    assert (study.predict.prior, study.scan.prior) == (0.1, 0.001)
    assert (study.predict.threshold, study.scan.false_positives) == (0.5, "lowest")
    assert (study.source_refs(), study.plan()) == ([], [])


def test_settings_of_predict_and_scan_are_apart() -> None:
    config = shipped("prediction") | {"scan": {"prior": 0.01, "exhaustive": True}, "predict": {}}
    study = load_study(config)
    assert isinstance(study, PredictionStudy)
    assert (study.scan.prior, study.scan.exhaustive, study.scan.span) == (0.01, True, 120)
    assert study.predict.prior == 0.1
    old = config | {"scan": {"fast": True}}
    assert load_study(old).scan == ScanSection()  # type: ignore[union-attr]
    (notice,) = renamed_keys(old)
    assert notice.startswith("config: the key `scan.fast` has no effect")


@pytest.mark.parametrize(
    ("section", "value", "message"),
    [
        ("samples", ..., "samples: this key is missing"),
        ("predict", {"prior": 0}, "predict.prior: is 0"),
        ("predict", {"prior": 1}, "predict.prior: is 1"),
        ("predict", {"threshold": 1}, "predict.threshold: is 1"),
        ("predict", {"span": 100}, "predict.span: this key is not known here"),
        ("scan", {"threshold": 0.5}, "scan.threshold: this key is not known here"),
        (
            "scan",
            {"false_positives": "2%"},
            "scan.false_positives: is '2%', must be 'lowest', '5%'",
        ),
        ("scan", {"span": 401}, "scan.span: is 401"),
        ("scan", {"span": 49}, "scan.span: is 49"),
        ("scan", {"stem": 2}, "scan.stem: is 2"),
        ("scan", {"loop": 2}, "scan.loop: is 2"),
        ("scan", {"mfe": 0.1}, "scan.mfe: is 0.1"),
        ("scan", 5, "scan: is 5, must be a section"),
        ("scan", {"circular": 5}, "scan.circular: is 5, must be a list: [5]"),
        ("scan", {"circular": {"chrM": True}}, "scan.circular: is {'chrM': True}, must be a list;"),
        ("scan", {"reference": ""}, "scan.reference: is '', must not be empty"),
        ("predict", {"reference": ""}, "predict.reference: is '', must not be empty"),
        ("study", "raw", "'raw' is the folder of the downloads"),
        ("runs", [], "runs: this key is not known here"),
    ],
)
def test_an_error_in_a_study_of_predictions_is_explained(
    section: str, value: Any, message: str
) -> None:
    config = shipped("prediction") | {section: value}
    if value is ...:
        del config[section]
    with pytest.raises(InputError, match=re.escape(message)):
        load_study(config)


def test_one_name_of_a_circular_sequence_is_a_list_of_one() -> None:
    for given, read in (("all", ("all",)), ("chrM", ("chrM",)), (["a", "b"], ("a", "b"))):
        study = load_study(shipped("prediction") | {"scan": {"circular": given}})
        assert isinstance(study, PredictionStudy)
        assert study.scan.circular == read


def test_a_text_that_looks_like_a_number_with_an_exponent_stays_text() -> None:
    section = {"reference": "1e3", "prior": "1e-3"}
    study = load_study(shipped("prediction") | {"scan": section | {"circular": "2e5"}})
    assert isinstance(study, PredictionStudy)
    assert (study.scan.reference, study.scan.prior, study.scan.circular) == ("1e3", 1e-3, ("2e5",))
    study = load_study(shipped("prediction") | {"predict": section})
    assert isinstance(study, PredictionStudy)
    assert (study.predict.reference, study.predict.prior) == ("1e3", 1e-3)


@pytest.mark.parametrize(
    ("keys", "task", "named"),
    [
        ({"samples": "my.tsv"}, "prediction", "samples"),
        ({"samples": "my.tsv", "scan": {"exhaustive": True}}, "prediction", "samples"),
        ({"experiments": {}, "families": []}, "families", "families"),
    ],
)
def test_a_config_without_a_task_must_name_the_one_of_its_keys(
    keys: dict[str, Any], task: str, named: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_study({"study": "mine", **keys})
    said = f"task: this key is missing; add `task: {task}`, which the key `{named}` needs"
    assert str(caught.value).count("  - ") == 1
    assert said in str(caught.value)


def test_a_misplaced_key_is_named_in_a_config_of_the_default_task() -> None:
    config = shipped("demo") | {"samples": "my.tsv"}
    with pytest.raises(InputError, match="samples: this key is not known here"):
        load_study(config)


def test_the_shipped_sheet_of_samples_is_one() -> None:
    path = str(ROOT / "config" / "samples.tsv")
    assert read_samples(path) == {
        "positives": Sample("predict", "config/demo/positives.fa", f"{path}: line 2"),
        "negatives": Sample("predict", "config/demo/negatives.fa", f"{path}: line 3"),
    }


def test_a_sheet_of_samples_may_have_other_columns_in_any_order(tmp_path: Path) -> None:
    sheet = tmp_path / "s.tsv"
    sheet.write_text("run\tnote\tfasta\tsample\nscan\tx\tg.fa.gz\tNA\npredict\t\tr.fa\t1\n")
    assert read_samples(str(sheet)) == {
        "NA": Sample("scan", "g.fa.gz", f"{sheet}: line 2"),
        "1": Sample("predict", "r.fa", f"{sheet}: line 3"),
    }


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a\tscan\tx.fa\na\tpredict\ty.fa\n", "line 3: the sample 'a' is listed twice"),
        ("a\tscan\tx.fa\nb\tscna\ty.fa\n", "line 3: run is 'scna', must be 'predict' or 'scan'"),
        ("a\tscan\t\n", "line 2: the sample 'a' has no FASTA file"),
        ("../a\tscan\tx.fa\n", "line 2: sample is '../a'; a name is letters, digits"),
        ("\tscan\tx.fa\n", "line 2: sample is ''"),
        ("-a\tscan\tx.fa\n", "line 2: sample is '-a'"),
        ("..\tscan\tx.fa\n", "line 2: sample is '..'"),
        (".hidden\tscan\tx.fa\n", "line 2: sample is '.hidden'; a name is letters, digits, dots"),
        (
            "a\tscan\tx.fa\na.all\tscan\ty.fa\n",
            "line 3: the samples 'a' and 'a.all' would both have a file or folder 'a.all.gff3'",
        ),
        ("a.tsv\tpredict\tx.fa\na\tpredict\ty.fa\n", "line 3: the samples 'a.tsv' and 'a' would"),
        ("a.log\tpredict\tx.fa\na\tpredict\ty.fa\n", "line 3: the samples 'a.log' and 'a' would"),
        ("a\tscan\n", "line 2: has 2 fields, but the first line has 3 columns; is a tab missing"),
        ("a\tscan\tx.fa\ty.fa\n", "line 2: has 4 fields, but the first line has 3 columns"),
        ('a\tscan\t"x.fa\nb\tscan\ty.fa\n', "a value has several lines"),
        ("", "it lists no samples"),
    ],
)
def test_an_error_in_a_sheet_of_samples_is_explained_with_its_line(
    tmp_path: Path, rows: str, message: str
) -> None:
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text("sample\trun\tfasta\n" + rows)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_samples(str(sheet))
    assert "sheet.tsv" in str(caught.value)


def test_names_of_samples_may_have_dots_as_those_of_assemblies_do(tmp_path: Path) -> None:
    names = ["GRCh38.p14", "S.cerevisiae", "a", "a.b", "x..y", "a.tsv", "1.5"]
    # A prediction and a scan are in different folders, so `a.tsv` of one does not touch the other.
    runs = ["predict" if name == "a.tsv" else "scan" for name in names]
    rows = [f"{name}\t{run}\tx.fa" for name, run in zip(names, runs, strict=True)]
    (tmp_path / "s.tsv").write_text("\n".join(["sample\trun\tfasta", *rows]))
    assert list(read_samples(str(tmp_path / "s.tsv"))) == names


def test_another_file_than_a_sheet_of_samples_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.tsv").write_text("sample\tfasta\na\tx.fa\n")
    with pytest.raises(InputError, match=r"needs the columns sample, run, fasta; correct it"):
        read_samples(str(tmp_path / "s.tsv"))
    with pytest.raises(InputError, match=r"no\.tsv: cannot be read"):
        read_samples(str(tmp_path / "no.tsv"))


def shipping(**section: Any) -> dict[str, Any]:
    """The demo with a collection, an experiment with validation records, and networks to ship."""
    config = changed("shipped", section) | {"seeds": [0, 1]}
    config["collections"] = {
        "mine": {"source": "hairpins", "file": "config/demo/positives.fa"},
        "other": {"source": "hairpins", "file": "config/demo/positives.fa"},
    }
    negatives = config["datasets"]["demo"]["negatives"]
    config["datasets"]["own"] = {"positives": ["mine"], "negatives": negatives}
    held_out = {"split": "families", "dataset": "own", "families": "held-out.txt"}
    config["experiments"]["families"] = held_out
    config["experiments"]["other-families"] = held_out | {"families": "others.txt"}
    config["datasets"]["again"] = config["datasets"]["own"]
    config["experiments"]["others"] = held_out | {"dataset": "again"}
    config["experiments"]["unvalidated"] = held_out | {"validation": 0.0}
    entry = config["runs"][0]
    config["runs"] = [
        entry | {"experiments": ["demo-cv", "families", "others", "unvalidated"]},
        entry | {"experiments": ["other-families"], "seeds": [1]},
    ]
    return config


OWN = {"validation": {"animals": ["families"]}}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "shipped.validation: this key is missing"),
        ({"validation": {"animals": "families"}}, "shipped.validation.animals: is 'families'"),
        ({"validation": {"animals": []}}, "shipped.validation.animals: is []"),
        ({"validation": {"animals": ["demo"]}}, "there is no experiment named 'demo'"),
        (
            {"validation": {"animals": ["families", "families"]}},
            "shipped.validation.animals: name different experiments on one set",
        ),
        (
            {"validation": {"animals": ["families", "others"]}},
            "shipped.validation.animals: name different experiments on one set",
        ),
        (
            {"validation": {"animals": ["demo-cv"]}},
            "shipped.validation.animals: 'demo-cv' has no validation records",
        ),
        ({"validation": {"plants": ["unvalidated"]}}, "'unvalidated' has no validation records"),
        ({"validation": {"fungi": ["families"]}}, "fungi"),
        (
            {"validation": {"animals": ["families"], "plants": ["families"]}},
            "shipped.validation: two kingdoms have one set",
        ),
        (
            {"validation": {"animals": ["families", "other-families"]}},
            "and seed 0 on 'other-families' is planned; add it to `runs`",
        ),
        (OWN | {"members": 3}, "is 3, but there are 2 `seeds`"),
        (OWN | {"members": 0}, "shipped.members: is 0"),
        (
            OWN | {"networks": [{"model": "alexnet"}]},
            "no training of 'alexnet' with recipe 'paper' and seed 0 on 'families' is planned",
        ),
        (
            OWN | {"networks": [{"model": "variable"}, {"recipe": "published-code"}]},
            "no training of 'variable' with recipe 'published-code' and seed 0 on 'families'",
        ),
        (
            OWN | {"networks": [{"model": "variable", "kingdoms": ["plants"]}]},
            "shipped.networks: none of them is for animals; add one",
        ),
        (OWN | {"genomes": {"yeast": ["other"]}}, "there is no collection named 'other'"),
    ],
)
def test_networks_that_cannot_be_shipped_are_explained(
    section: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        load_study(shipping(**section))


def test_the_networks_that_are_measured_are_those_that_ship() -> None:
    for count in (1, 2):
        study = load_study(shipping(**OWN, members=count, genomes={"mine": ["mine"]}))
        assert isinstance(study, Study)
        runs = members(study)["animals"]
        assert [(run.experiment, run.model, run.seed) for run in runs] == [
            ("families", "variable", seed) for seed in range(count)
        ]
        assert set(runs) <= set(study.plan())
        assert genomes_of(study, "animals") == {"mine": ["mine"]}
    nothing = load_study(shipped("demo"))
    assert isinstance(nothing, Study)
    assert members(nothing) == {}


def test_a_network_may_ship_for_one_kingdom() -> None:
    networks = [{"model": "variable"}, {"model": "alexnet", "kingdoms": ["plants"]}]
    config = shipping(validation={"animals": ["families"], "plants": ["others"]}, networks=networks)
    config["runs"].append({"models": ["alexnet"], "experiments": ["others"]})
    study = load_study(config)
    assert isinstance(study, Study)
    assert {kingdom: [run.model for run in runs] for kingdom, runs in members(study).items()} == {
        "animals": ["variable"],
        "plants": ["variable", "alexnet"],
    }


def test_networks_of_several_experiments_ship_together() -> None:
    config = shipping(validation={"animals": ["families", "other-families"]})
    config["runs"][-1]["seeds"] = [0]
    study = load_study(config)
    assert isinstance(study, Study)
    assert [(run.experiment, run.seed) for run in members(study)["animals"]] == [
        ("families", 0), ("other-families", 0)
    ]  # fmt: skip
    seeds = {run.experiment: set[int]() for run in study.plan()}
    for run in study.plan():
        seeds[run.experiment].add(run.seed)
    assert (seeds["families"], seeds["other-families"]) == ({0, 1}, {0})


def collecting() -> dict[str, Any]:
    return shipped("examples/human")


def test_what_is_collected_is_named_as_files_are() -> None:
    study = load_study(collecting())
    assert study.collections_of("human") == ["hairpins", "pseudo-hairpins", "other-rnas"]
    assert set(study.source_refs()) == {
        *("mirbase-22/hairpins.csv", "mirbase-21/hairpins.csv", "mirbase21/miFam.dat"),
        *("yeast/fungus.fna", "rfam/seeds.stk"),
    }, "collections are no files"
    assert study.older("new") == "mirbase-21/hairpins.csv"
    assert study.older("clusters1") is None
    sources = read_sources(ROOT / "config" / "sources.tsv")
    assert set(study.source_refs()) <= set(sources), "all data of the example are pinned"


def test_the_example_of_an_organism_names_live_sources() -> None:
    study = load_study(shipped("examples/organism"))
    assert "https://www.mirbase.org/download/hairpin.fa" in study.source_refs()
    rfam = "https://ftp.ebi.ac.uk/pub/databases/Rfam/CURRENT/fasta_files/RF00005.fa.gz"
    assert rfam in study.source_refs()
    assert "ncbi:GCF_000146045.2/genome" in study.source_refs()


def with_collection(name: str, **given: Any) -> dict[str, Any]:
    config = collecting()
    unchanged = {key: it for key, it in config["collections"][name].items() if key not in given}
    added = {key: it for key, it in given.items() if it is not None}
    config["collections"][name] = unchanged | added
    return config


def windows_of_pairs() -> dict[str, Any]:
    config = cut_collection(cuts={"window": 1.0}, lengths_of="pairs")
    config["collections"]["pairs"] = {"source": "repeat-pairs", "file": "x.fa", "number": 5}
    return config


def cut_collection(source: str = "genome-hairpins", **given: Any) -> dict[str, Any]:
    config = collecting()
    config["collections"]["more"] = {"source": source, "file": "x.fa", **given}
    return config


def test_collections_of_pre_mirnas_and_of_genomes_name_all_their_files() -> None:
    flanks = ["a.txt", "b.txt"]
    cuts = ["hairpin", "flanked"]
    more = {"mature": "m.fa", "repeats": "g.fa", "flanks": flanks}
    config = cut_collection("pre-mirnas", cuts=cuts, **more)
    assert {"x.fa", "m.fa", "g.fa", *flanks} <= set(load_study(config).source_refs())
    windows: dict[str, Any] = {"cuts": {"window": 1.0}, "lengths_of": "hairpins"}
    config = cut_collection(known="k.csv", mature="m.fa", away=9, regions=["X:1-5"], **windows)
    assert {"x.fa", "k.csv", "m.fa"} <= set(load_study(config).source_refs())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (with_collection("hairpins", source="fasta"), r"hairpins\.source: must be one of hairpins"),
        (
            with_collection("hairpins", specie=["hsa"]),
            r"collections\.hairpins\.specie: .* not known",
        ),
        (with_collection("hairpins", shortest=201), r"`shortest` \(201\) is greater than"),
        (with_collection("pseudo-hairpins", lengths_of="x"), "there is no collection named 'x'"),
        (
            with_collection("pseudo-hairpins", lengths_of="pseudo-hairpins"),
            "name a collection of positives",
        ),
        (windows_of_pairs(), "'pairs' is of sequences without pre-miRNAs too"),
        (with_collection("other-rnas", families=["RF00005"]), "either `families` .* or `file`"),
        (
            with_collection("other-rnas", families=["tRNA"], file=None, without=[]),
            "RF and five digits",
        ),
        (with_collection("other-rnas", families=["RF00005"], file=None), "`without` is for"),
        *(
            (cut_collection(**given), message)
            for given, message in (
                ({"source": "pre-mirnas", "cuts": ["hairpin", "flanked"]}, "need each other"),
                ({"source": "pre-mirnas", "flanks": ["x.txt"]}, "need each other"),
                ({"source": "pre-mirnas", "repeats": "x.fa"}, "also needs `mature`"),
                ({"source": "pre-mirnas", "repeat_regions": ["X:1-9"]}, "also needs `repeats`"),
                ({"source": "pre-mirnas", "cuts": ["scanned", "scanned"]}, "same cut twice"),
                (
                    {"source": "pre-mirnas", "kingdom": "fungi"},
                    "kingdom: is 'fungi', must be 'animals'",
                ),
                ({"cuts": {"scanned": 0.5, "flanked": 0.4}}, "they sum to 0.9"),
                ({"cuts": {"window": 1.0}}, "`lengths_of` and the cut `window`"),
                ({"lengths_of": "hairpins"}, "`lengths_of` and the cut `window`"),
                ({"away": 5}, "`away` and `mature` also need `known`"),
                ({"mature": "mature.fa"}, "`away` and `mature` also need `known`"),
                ({"regions": ["X:0-5"]}, "regions.1: 'X:0-5' is no region; write it as"),
                ({"regions": ["X:1-9", "X:9-3"]}, "regions.2: 'X:9-3' is no region"),
                (
                    {"cuts": {"window": 1.0}, "lengths_of": "pseudo-hairpins"},
                    "name a collection of positives",
                ),
            )
        ),
    ],
)
def test_collections_that_are_not_possible(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_study(config)


@pytest.mark.parametrize("split", ["family-k-fold", "families", "species", "time"])
def test_splits_by_where_rnas_are_from_need_collections(split: str) -> None:
    config = shipped("demo")
    more = {
        "species": {"evaluate": ["hsa"]},
        "time": {"older": "x.fa"},
        "families": {"families": "x.txt"},
    }.get(split, {})
    config["experiments"]["demo-cv"] = {"split": split, "dataset": "demo", **more}
    with pytest.raises(
        InputError, match=r"name one of `collections` among its positives \(there are none\)"
    ):
        load_study(config)


def holding_out(**changes: Any) -> dict[str, Any]:
    config = collecting()
    split = {"split": "families", "dataset": "human", "families": "list.txt"} | changes
    config["experiments"] = {"held-out": split}
    config["runs"] = [{"models": ["variable"]}]
    config["tables"] = {}
    return {key: it for key, it in config.items() if key not in ("figure3", "shipped")}


def test_a_split_of_families_names_its_files() -> None:
    study = load_study(holding_out(evaluate=["other-rnas"], validate=["pseudo-hairpins"]))
    assert isinstance(study, Study)
    assert study.held_out_families("held-out") == "list.txt"
    assert "list.txt" in study.source_refs()
    assert study.split_files("held-out", "evaluate") == ["other-rnas"]
    assert study.split_files("held-out", "validate") == ["pseudo-hairpins"]
    assert study.split_files("held-out", "train") == []
    assert study.origins_of_roles("held-out") == ["hairpins", "pseudo-hairpins", "other-rnas"]
    assert study.validation_of("held-out") is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluate": ["new"]}, r"held-out\.evaluate: there is no file of 'human' named 'new'"),
        (
            {"train": ["other-rnas"], "validate": ["other-rnas"]},
            "'other-rnas' is named twice in `train`, `validate` and `evaluate`",
        ),
        ({"validation": 1.0}, "validation"),
    ],
)
def test_a_split_of_families_that_is_not_possible(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_study(holding_out(**changes))


def test_weights_by_trust_need_collections_whatever_the_split() -> None:
    config = shipped("demo")
    config["datasets"]["demo"]["weights"] = {"doubtful": 0.3}
    with pytest.raises(InputError, match=r"demo\.weights: these need collections"):
        load_study(config)
    config = collecting()
    assert load_study(config).origins_of_roles("clusters1") == []
    config["datasets"]["human"]["weights"] = {"doubtful": 0.3}
    study = load_study(config)
    assert study.weights_of(["human"]) == {"human": {"doubtful": 0.3}}
    assert study.origins_of_roles("clusters1") == study.collections_of("human")
    config["datasets"]["human"]["weights"] = {"dubious": 0.3}
    with pytest.raises(InputError, match="weights"):
        load_study(config)


def test_baselines_are_chosen_by_name() -> None:
    config = shipped("demo")
    assert load_study(config).baselines == list(USUAL_BASELINES)
    config["baselines"] = ["gradient-boosting"]
    assert load_study(config).baselines == ["gradient-boosting"]
    config["baselines"] *= 2
    with pytest.raises(InputError, match="baselines: 'gradient-boosting' is listed twice"):
        load_study(config)
    config["baselines"] = ["svm"]
    with pytest.raises(InputError, match="baselines"):
        load_study(config)


def test_a_file_of_both_classes_is_refused() -> None:
    config = collecting()
    config["datasets"]["human"]["negatives"].append("hairpins")
    with pytest.raises(InputError, match="hairpins is among the positives and the negatives"):
        load_study(config)


@pytest.mark.parametrize("task", ["predictions", None, ["families"]])
def test_a_task_that_does_not_exist_is_refused_with_all_that_do(task: object) -> None:
    with pytest.raises(
        InputError, match=r"task: is .* must be one of identification, families, arms, pre"
    ):
        load_study({"task": task})
