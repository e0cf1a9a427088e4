"""What the workflow is asked for: files, runs and params, from a checked config alone."""

from __future__ import annotations

import copy
import gzip
import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT

from mirpair.files import InputError
from mirpair.recipes import Recipe
from mirpair.sources.live import raw_name
from mirpair.sources.published import Source, read_sources
from mirpair.study import plan
from mirpair.study.base import Run
from mirpair.study.families import FamilyStudy, family_outputs
from mirpair.study.identification import Results, Study
from mirpair.study.load import load_study
from mirpair.study.saved_results import DATA, OF_RUN, OF_WATCHED


def config(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())
    return read


def study(name: str, **changes: Any) -> Study:
    read = load_study(config(name) | changes)
    assert isinstance(read, Study)
    return read


def families(**changes: Any) -> FamilyStudy:
    read = load_study(config("families") | changes)
    assert isinstance(read, FamilyStudy)
    return read


SOURCES = {
    "do/human.fa": Source(
        name="do/human.fa",
        url="https://example.org/human.fa",
        sha256="0" * 64,
        bytes=1,
        licence="MIT",
        citation="Do 2018",
    )
}


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Return the folder of the workflow and, beside it, the working folder, both empty."""
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
    monkeypatch.chdir(here)
    return home, here


def test_a_path_is_that_of_the_working_folder_or_else_that_of_the_workflow(
    folders: tuple[Path, Path],
) -> None:
    home, here = folders
    assert plan.resolve("a.fa", home) == "a.fa", "it is nowhere"
    (home / "a.fa").touch()
    assert plan.resolve("a.fa", home) == "../home/a.fa"
    (here / "a.fa").touch()
    assert plan.resolve("a.fa", home) == "a.fa"


def test_a_missing_path_says_where_it_was_searched(folders: tuple[Path, Path]) -> None:
    home, here = folders

    def message(path: str, home: Path = home) -> str:
        with pytest.raises(InputError) as refused:
            plan.existing(path, home, key="weights")
        return str(refused.value)

    (home / "a.tsv").touch()
    assert plan.existing("a.tsv", home, key="weights") == "../home/a.tsv"
    assert "weights: b.tsv: no such file; correct `weights`" in message("b.tsv")
    assert f"counts from {here}, " in message("b.tsv")
    assert f"or else from {home}, " in message("b.tsv")
    assert "or else" not in message("b.tsv", here), "one folder is named once"
    assert str(here) not in message(f"{home}/b.tsv"), "a complete path is nowhere else"
    assert "`~` is not expanded" in message("~/b.tsv")


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.check_writable(tmp_path / "not" / "yet" / "there")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(InputError, match=f"{tmp_path}: this folder cannot be written"):
        plan.check_writable(tmp_path / "not" / "yet" / "there")


def test_a_study_s_own_sources_replace_all_but_what_shipping_needs(tmp_path: Path) -> None:
    default = ROOT / "config" / "sources.tsv"
    assert plan.study_sources(default, None) == read_sources(default)
    own = tmp_path / "own.tsv"
    header, *rows = default.read_text(encoding="utf-8").splitlines()
    own.write_text(f"{header}\n{rows[0].replace(rows[0].split(chr(9))[0], 'do/mine.fa', 1)}\n")
    assert list(plan.study_sources(default, str(own))) == [*plan.FOR_SHIPPING, "do/mine.fa"]


def test_each_source_is_cited_once_and_own_files_are_said_to_be_own() -> None:
    cited = "Do 2018; licence: MIT"
    assert plan.citations(SOURCES, ["do/human.fa", "do/human.fa"]) == [cited]
    assert plan.citations(SOURCES, iter(["do/human.fa", "x.fa"])) == [
        "files of the study's own",
        cited,
    ]


def test_a_file_is_collected_downloaded_or_the_user_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = "https://example.org/live.fa"
    files = plan.SourceFiles(tmp_path, SOURCES, ["hairpins"], {raw_name(url): url})
    assert files.path_of("hairpins") == "<results>/collections/hairpins.fa"
    assert files.path_of("do/human.fa") == "<raw>/do/human.fa"
    assert files.path_of(url) == f"<raw>/{raw_name(url)}"
    with pytest.raises(InputError, match=r"do/hunan\.fa: no such file.*did you mean do/human"):
        files.path_of("do/hunan.fa")
    assert files.path_of("do/hunan.fa", may_be_made=True) == "do/hunan.fa"
    (tmp_path / "do").mkdir()
    (tmp_path / "do/hunan.fa").touch()
    assert files.path_of("do/hunan.fa") == "do/hunan.fa"
    without = plan.SourceFiles(tmp_path, {}, [], {})
    with pytest.raises(InputError, match=r"no such name in the sources table: correct it"):
        without.path_of("do/human.fa")


def test_a_training_has_the_epochs_of_its_run() -> None:
    paper = study("config")
    params = plan.training_params(paper, Run("human-cv1", "fixed", "paper", 0, 3))
    assert params["recipe"]["epochs"] == 3
    assert params["recipe"]["learning_rate"] == Recipe().learning_rate
    assert params["model"]["architecture"] == "fixed"


def test_the_longest_trainings_are_the_most_expensive_ones() -> None:
    """Of 80 epochs rather than 40, and of the fixed-sized network."""
    paper = study("config")
    runs = [Run("human-cv1", model, "paper", 0, 40) for model in ("variable", "fixed")]
    runs.append(Run("new-test", "variable", "published-code", 0, 80))
    assert [plan.cost(paper, run) for run in runs] == [40, 56, 80]
    assert plan.cost(paper, runs[0], watch=80) == 80


def test_what_trainings_wait_for_comes_before_every_training() -> None:
    """A training that is ready must not keep the records of another one from being made."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    rules = dict(re.findall(r"^rule (\w+):\n((?:(?:    .*)?\n)+)", text, re.M))
    waited_for = "download records folds fold structures encode experiments audit collect_piece"
    for name in (*waited_for.split(), "evaluate", "save_run"):
        assert "    priority: FIRST\n" in rules[name], name
    assert "    priority: lambda w: cost_of(run_of(w))\n" in rules["train"]
    (first,) = re.findall(r"^FIRST = ([\d_]+)$", text, re.M)
    given = config("config")
    given["runs"] = [{"models": ["deepmirgene"], "recipe": "deepmirgene"}]
    longest = load_study(given)
    costs = [plan.cost(longest, run, watch=1000) for run in longest.plan()]
    assert max(costs) < int(first)


def test_a_rival_is_not_trained_by_a_recipe_that_nobody_named() -> None:
    given = config("config")
    given["runs"] = [{"models": ["variable", "deepmirgene"]}]
    with pytest.raises(InputError, match=r"deepmirgene has a recipe of its own.*add `recipe: deep"):
        load_study(given)
    given["runs"][0]["recipe"] = "paper"
    assert {run.recipe for run in load_study(given).plan()} == {"paper"}


def test_a_run_has_one_key_and_one_folder() -> None:
    run = Run("human-cv1", "fixed", "paper", 2, 40)
    assert run.key == ("human-cv1", "fixed", "paper", 2)
    assert run.folder == "human-cv1/fixed/paper/seed2"


def test_a_method_has_one_name_and_beside_published_rows_the_one_that_it_has_there() -> None:
    given = config("config")
    given["recipes"] = {"mine": {"base": "paper", "label": "my way", "epochs": 2}}
    given["models"] = {"deep": {"base": "fixed", "label": "Deep"}}
    given["runs"] = [
        {"models": ["fixed", "resnet", "deep"]},
        {"models": ["fixed"], "recipe": "published-code"},
        {"models": ["fixed"], "recipe": "mine"},
    ]
    read = load_study(given)
    assert isinstance(read, Study)
    runs = [run for run in read.plan() if run.experiment == "human-cv2"]
    described = plan.described_runs(read, runs)
    assert [row["label"] for row in described] == [
        *("Fixed-sized", "ResNet-like", "Deep"),
        *("Fixed-sized, published-code", "Fixed-sized, my way"),
    ]
    assert {row["published"] for row in described} == {""}, "no published row is shown"
    assert [row["usual"] for row in described] == [40, 40, 40, 10, 2]
    assert {(row["group"], row["number"]) for row in described} == {("human-cv", 2)}
    beside = plan.described_runs(read, runs, beside_published=True)
    assert [row["label"] for row in beside] == [
        *("Proposed fixed-sized", "ResNet-like", "Deep"),
        *("Proposed fixed-sized, published-code", "Fixed-sized, my way"),
    ]
    # A recipe of the study's own reproduces nothing.
    assert [row["published"] for row in beside] == [
        *("Proposed fixed-sized", "", "", "Proposed fixed-sized", ""),
    ]


def test_an_average_is_described_where_all_its_networks_are_trained() -> None:
    given = study("config").model_dump(mode="json")
    given["runs"] = [
        {"models": ["variable"], "experiments": ["human-cv", "human-test"], "seeds": [0, 1]},
        {"models": ["fixed"], "experiments": ["human-cv"], "folds": [2], "epochs": 4},
        {"models": ["fixed"], "experiments": ["human-test", "new-test"]},
    ]
    given["tables"] = {}
    given["figure3"] = None
    given["averages"] = {"both": {"label": "Both", "models": ["fixed", "variable"]}}
    read = load_study(given)
    assert isinstance(read, Study)
    assert {it.experiment for it in read.averages_on("human-cv")["both"]} == {"human-cv2"}
    rows = plan.described_averages(read, ["human-cv", "human-test", "new-test"])
    # Of the fold that both have: two seeds of one and one of the other. It is as unfinished as the
    # least of them.
    assert [
        tuple(row[name] for name in ("group", "model", "label", "trainings", "epochs", "usual"))
        for row in rows
    ] == [("human-cv", "both", "Both", 3, 4, 40), ("human-test", "both", "Both", 3, 40, 40)]
    given["runs"][1]["folds"], given["runs"][0]["folds"] = [2], [1]
    given["runs"][2]["experiments"] = ["new-test"]
    with pytest.raises(InputError, match=r"averages\.both: there is no experiment on which fixed"):
        load_study(given)


def test_published_rows_are_checked_before_anything_runs(tmp_path: Path) -> None:
    paper = study("config")
    plan.check_published_tables(paper, lambda path: str(ROOT / path))
    (tmp_path / "table.tsv").write_text("method\n")
    with pytest.raises(InputError, match=r"table\.tsv"):
        plan.check_published_tables(paper, lambda path: str(tmp_path / "table.tsv"))
    # The counts alone, of which the config has one table.
    (counts,) = [
        it.published for it in paper.tables.values() if it.published and not isinstance(it, Results)
    ]
    with pytest.raises(InputError, match=r"table\.tsv"):
        plan.check_published_tables(
            paper,
            lambda path: str(tmp_path / "table.tsv" if path == counts else ROOT / path),
        )


def test_runs_are_evaluated_with_the_number_of_their_fold() -> None:
    rows = plan.evaluated_runs(study("demo", seeds=[1]), "demo-cv")
    assert {row["number"] for row in rows} == {1, 2, 3, 4, 5}
    assert {tuple(sorted(row)) for row in rows} == {
        ("epochs", "model", "number", "recipe", "seed"),
    }


def test_runs_are_evaluated_with_those_of_their_experiment_only() -> None:
    paper = study("config")
    folds = paper.folds()
    for group in ("human-cv", "human-test", "new-test"):
        assert [
            (row["model"], row["recipe"], row["seed"], row["epochs"], row["number"])
            for row in plan.evaluated_runs(paper, group)
        ] == [
            (run.model, run.recipe, run.seed, run.epochs, folds[run.experiment].number)
            for run in paper.plan()
            if folds[run.experiment].group == group
        ]


def test_each_layout_is_drawn_once_and_the_input_without_pairing_first() -> None:
    drawn = plan.drawn_networks(study("config"))
    assert [model["label"] for model in drawn] == ["Fixed-sized", "Variable-sized"]
    both = [
        {"models": ["without-pairing", "fixed"]},
        {"models": ["fixed"], "recipe": "published-code"},
    ]
    drawn = plan.drawn_networks(study("demo", runs=both))
    labels = ["Fixed-sized", "Fixed-sized, published-code", "Without pairing matrix"]
    assert [model["label"] for model in drawn] == labels


def test_the_report_shows_figure_3_only_if_it_is_there() -> None:
    demo = study("demo")
    with_it = plan.figures_of_report(demo, has_figure3=True)
    without = plan.figures_of_report(demo, has_figure3=False)
    assert list(with_it)[:4] == ["figure1", "figure2", "figure3", "figure4"]
    assert [name for name in with_it if name != "figure3"] == list(without)
    assert without["predictions/demo-cv"] == ("Predictions of demo-cv", "predictions")
    for _, text in with_it.values():
        assert (ROOT / "rules" / "captions" / f"{text}.rst").is_file()


def test_every_job_from_folding_to_evaluation_has_a_benchmark_file() -> None:
    files = plan.benchmark_files(study("demo"), ["1-of-2", "2-of-2"])
    assert files["fold"] == [f"benchmarks/fold/demo/{n}-of-2.tsv" for n in (1, 2)]
    assert len(files["train"]) == len(files["evaluate"]) == 15
    assert files["folds"] == ["benchmarks/folds/demo-cv.tsv"]
    assert files["evaluate_group"] == ["benchmarks/evaluate_group/demo-cv.tsv"]
    # All rules of these stages, by their own names.
    stages = ("fold", "datasets", "encode", "baselines", "train", "evaluate")
    texts = [(ROOT / "rules" / f"{stage}.smk").read_text() for stage in stages]
    rules = {name for text in texts for name in re.findall(r"^rule (\w+):", text, re.M)}
    assert set(files) == rules
    assert all(files.values())


def test_the_files_of_the_audit_are_part_of_the_data() -> None:
    given = config("demo")
    other = given | {"audit": {"hairpins": "mirbase21/hairpin.fa.gz"}}
    data = []
    for it in (given, other):
        read = load_study(it)
        assert isinstance(read, Study)
        data.append(plan.data_of(read, {}))
    assert data[0]["audit"] != data[1]["audit"]
    assert data[1]["audit"]["hairpins"] == "mirbase21/hairpin.fa.gz"


def test_a_provenance_is_expected_to_tell_the_run_the_network_and_the_recipe() -> None:
    demo = study("demo", seeds=[1])
    run = demo.plan()[0]
    expected = plan.expected_provenance(demo, [run], "runs")
    assert list(expected) == [f"runs/{run.folder}"]
    training = expected[f"runs/{run.folder}"]
    assert training["run"] == asdict(run)
    model, recipe = demo.training(run.experiment, run.model, run.recipe)
    assert training["model"] == asdict(model)
    assert training["recipe"] == asdict(replace(recipe, epochs=run.epochs))
    assert set(training) == {"run", "model", "recipe"}


def test_what_changes_no_role_is_not_a_difference_of_the_data() -> None:
    given = config("demo")
    same, other = copy.deepcopy(given), copy.deepcopy(given)
    same["experiments"]["demo-cv"] |= {"copies": "keep", "identity": None}
    other["experiments"]["demo-cv"] |= {"identity": 0.9}
    first, second, third = (load_study(it) for it in (given, same, other))
    assert isinstance(first, Study)
    assert isinstance(second, Study)
    assert isinstance(third, Study)
    assert plan.data_of(first, {}) == plan.data_of(second, {})
    assert plan.data_of(first, {}) != plan.data_of(third, {})
    assert "longest" not in plan.data_of(first, {})["datasets"]["demo"], "as what was saved before"
    given["datasets"]["demo"]["longest"] = 80
    fourth = load_study(given)
    assert isinstance(fourth, Study)
    assert plan.data_of(fourth, {}) != plan.data_of(first, {})


def test_the_release_of_a_collection_is_not_a_difference_of_the_data() -> None:
    given = config("examples/human")
    other = copy.deepcopy(given)
    other["collections"]["hairpins"]["release"] = "22.1"
    data = []
    for it in (given, other):
        read = load_study(it)
        assert isinstance(read, Study)
        data.append(plan.data_of(read, {}))
    assert data[0] == data[1]
    assert "release" not in data[0]["collections"]["hairpins"]


def test_the_checksum_of_a_file_is_from_the_table_the_lock_file_or_the_file(
    tmp_path: Path,
) -> None:
    url = "https://example.org/live.fa"
    lock, own = tmp_path / "lock.tsv", tmp_path / "own.fa"
    own.write_text("")
    lock.write_text(f"place\tsha256\tbytes\tdate\trelease\n{url}\t{'1' * 64}\t5\t2020-01-01\t\n")
    refs = [url, "https://example.org/other.fa", "do/human.fa", str(own), "nowhere.fa"]
    known = plan.checksums(refs, SOURCES, str(lock), lambda path: path)
    assert known == {
        "do/human.fa": "0" * 64,
        url: "1" * 64,
        str(own): "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }


def save(folder: Path, name: str, training: dict[str, Any], epochs: int, files: Any) -> None:
    for file in files:
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_text("epoch\n" + "1\n" * epochs)
    (folder / name / "provenance.json").write_text(json.dumps(training))


def test_saved_results_are_reused_if_nothing_was_trained_here(tmp_path: Path) -> None:
    figure3 = {"validation": "demo-cv", "epochs": 50}
    demo = study("demo", figure3=figure3)
    folder, results = tmp_path / "saved", tmp_path / "results"
    folder.mkdir()
    arguments = (str(folder), str(results), {"a.fa": "0a"})
    nothing = plan.saved_results(demo, *arguments)
    assert nothing.files == {}
    assert not nothing.describes
    assert nothing.data == plan.data_of(demo, {"a.fa": "0a"})
    for file in plan.data_files(demo):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(gzip.compress(b""))
    (folder / DATA).write_text(json.dumps(nothing.data))
    planned = plan.expected_provenance(demo, demo.plan(), "runs")
    for name, training in planned.items():
        save(folder, name, training, 40, OF_RUN)
    watched = plan.expected_provenance(demo, demo.watched(), "watched")
    for name, training in watched.items():
        save(folder, name, training, 50, OF_WATCHED)
    saved = plan.saved_results(demo, *arguments)
    assert (saved.runs, saved.watched) == (list(planned), list(watched))
    first = next(iter(planned))
    assert saved.files[f"{first}/predictions.tsv"] == f"{folder}/{first}/predictions.tsv.gz"
    assert saved.files["baselines/demo-cv1.tsv"] == f"{folder}/baselines/demo-cv1.tsv.gz"
    # One that was trained here is not replaced, and then the records are made too.
    (results / first).mkdir(parents=True)
    (results / first / "weights.safetensors").touch()
    saved = plan.saved_results(demo, *arguments)
    assert saved.runs == list(planned)[1:]
    assert not any(name.startswith(("baselines", first)) for name in saved.files)
    assert saved.describes, "what is there need not be saved again"
    # Another baseline is made, and the trainings are reused all the same.
    more = demo.model_copy(update={"baselines": [*demo.baselines, "triplet-svm"]})
    saved = plan.saved_results(more, *arguments)
    assert saved.runs == list(planned)[1:]
    assert not saved.describes
    count = len(planned)
    said = f"reuse: {count - 1} of {count} trainings are taken from {folder}; the others are not"
    assert plan.reused(saved, planned).startswith(said)


def test_tables_and_figures_of_families_are_those_that_the_config_asks_for() -> None:
    everything = family_outputs(families())
    of_infernal = ["infernal", "differences", "decisions", "growth"]
    assert everything.tables == ["accuracy", "sizes", "rejection", *of_infernal]
    assert everything.timed == everything.with_mirgenedb
    assert not set(everything.shown) & set(everything.series)
    assert set(everything.rejected) <= set(everything.shown)
    assert everything.figures["rejection"] == ("ROC of rejection", "roc")
    alone = [{"models": ["variable"], "experiments": ["small-10"]}]
    few = family_outputs(families(infernal=None, shipped=None, runs=alone))
    assert few.tables == ["accuracy", "sizes"]
    assert few.shown == ["small-10"], "of a series too, if nothing else is trained"
    assert {"rejection", "speed"}.isdisjoint(few.figures)
    compared = families().infernal
    assert compared is not None
    alone_compared = compared.model_copy(update={"proposals": None}).model_dump()
    assert "decisions" not in family_outputs(families(infernal=alone_compared)).tables
    for name in everything.tables:
        assert (ROOT / "rules" / "captions" / f"families-{name}.rst").is_file()
    for _, text in everything.figures.values():
        assert (ROOT / "rules" / "captions" / f"families-{text}.rst").is_file()


def test_the_shipped_run_of_families_is_of_the_first_seed() -> None:
    one = {"experiment": "rfam-60", "model": "one-hot", "score": "softmax"}
    runs = [{"models": ["one-hot"], "experiments": ["rfam-60"]}]
    read = families(seeds=[3, 4], shipped=one, runs=runs, infernal=None)
    assert read.shipped is not None
    run = read.shipped_run()
    assert run is not None
    assert run.key == (read.shipped.experiment, read.shipped.model, "tang-sun", 3)
    assert families(shipped=None).shipped_run() is None


@pytest.mark.parametrize(("model", "name"), [("mixed", "ensembles"), ("variable", "tensors")])
def test_a_network_is_trained_on_the_file_of_its_encoding(model: str, name: str) -> None:
    assert plan.encoding_of(model) == name
