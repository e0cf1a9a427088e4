"""The study `paper`, download to table, from a small stand-in of the published files."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pandas as pd
import pytest
import yaml
from markupsafe import escape
from sklearn.metrics import roc_auc_score

from mirpair.contracts import METRICS, SET_FEATURES, USUAL_BASELINES, read_audit, read_summary
from mirpair.identification.intervals import bootstrap, over_folds
from mirpair.networks.loop import derive_seed
from workflow.conftest import ROOT, Copy


@pytest.fixture(scope="module")
def config(copy: Copy) -> str:
    """The shipped config in small: the stand-in's files, two folds, fewer networks, one epoch."""
    paper: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    paper["sources"] = "tests/data/sources.tsv"
    paper["mirror"] = "tests/data/mirror"
    # Two folds in place of five. Every experiment by one network, and one of them by all: the plan
    # of all 39 is a dry run.
    for name in ("human-cv", "cross-species-cv"):
        paper["experiments"][name]["folds"] = 2
    paper["runs"] = [
        {"models": ["variable"], "epochs": 1},
        {"models": ["fixed", "without-pairing"], "experiments": ["new-test"], "epochs": 1},
    ]
    paper["averages"] = {"both": {"label": "Both sizes averaged", "models": ["fixed", "variable"]}}
    paper["figure3"]["epochs"] = 42
    return copy.write_config(paper)


@pytest.fixture(scope="module")
def finished(copy: Copy, config: str) -> Copy:
    # The table of epochs needs what each training's scores mean, in every epoch.
    others = [f"results/paper/tables/{name}.csv" for name in ("epochs", "cleaned")]
    copy.snakemake("regenerate-paper-tables", *others, "--configfile", config)
    return copy


@pytest.fixture(scope="module")
def complete(finished: Copy, config: str) -> Copy:
    """… and with figures and report."""
    finished.snakemake("all", "--configfile", config)
    return finished


def test_the_whole_plan_has_one_job_a_training(copy: Copy) -> None:
    jobs = copy.planned("regenerate-paper-tables")
    assert jobs["train"] == 39
    assert jobs["download"] == 56
    assert jobs["experiments"] == 13


def test_every_training_leaves_what_the_contract_says(finished: Copy) -> None:
    runs = sorted((finished.folder / "results" / "paper" / "runs").glob("*/*/paper/seed0"))
    assert len(runs) == 9
    for run in runs:
        assert {path.name for path in run.iterdir()} == {
            "weights.safetensors",
            "scores.npz",
            "history.tsv",
            "metrics.tsv",
            "predictions.tsv",
            "provenance.json",
            "benchmark.tsv",
        }
        history = pd.read_csv(run / "history.tsv", sep="\t")
        assert history["epoch"].tolist() == [1]
        assert set(METRICS) == {name.split()[1] for name in history.columns[1:]} - {"loss"}
        experiment, model = run.parent.parent.parent.name, run.parent.parent.name
        provenance = json.loads((run / "provenance.json").read_text())
        assert provenance["device"] == "cpu"
        assert provenance["derived_seed"] == derive_seed(0, experiment, model)
        assert len(provenance["inputs_sha256"]) == (3 if "new-test" in str(run) else 2)


def test_the_audit_knows_the_hairpins_of_the_reference(finished: Copy) -> None:
    """In the stand-in: all human positives, in families of two, and one negative of `new`."""
    audit = finished.folder / "results" / "paper" / "audit"
    human = read_audit(audit / "human-test" / "records.tsv")
    positives = human[human["label"] == 1]
    assert positives["hairpin"].tolist() == ["hsa-mir-10", "hsa-mir-11"]
    assert positives["family"].tolist() == ["mir-10", "mir-10"]
    assert positives["relative"].tolist() == [0, 0], "both are tested, neither is trained on"
    new = read_audit(audit / "new-test" / "records.tsv")
    assert new.loc[new["hairpin"] != "", "label"].tolist() == [0]


def test_features_of_a_set_need_no_sequences(finished: Copy, config: str) -> None:
    file = "results/paper/datasets/new/features.tsv"
    finished.snakemake(file, "--configfile", config)
    found = pd.read_csv(finished.folder / file, sep="\t")
    assert found.columns.tolist() == list(SET_FEATURES)
    records = pd.read_csv((finished.folder / file).with_name("records.tsv"), sep="\t")
    assert found["id"].tolist() == records["id"].tolist()
    assert found["length"].tolist() == records["sequence"].str.len().tolist()


def test_an_average_of_two_networks_has_rows_where_both_are_trained(finished: Copy) -> None:
    results = finished.folder / "results" / "paper"
    of_run = [
        pd.read_csv(results / f"runs/new-test/{model}/paper/seed0/predictions.tsv", sep="\t")
        for model in ("variable", "fixed")
    ]
    scores = (of_run[0]["score"] + of_run[1].set_index("id")["score"][of_run[0]["id"]].values) / 2
    table = pd.read_csv(results / "tables" / "table4.csv")
    row = table.set_index("method").loc["Both sizes averaged"]
    assert row["source"] == "this run"
    assert row["note"] == "recipe paper, mean score of 2 trainings, only 1 of 40 epochs"
    assert row["AUROC"] == pytest.approx(roc_auc_score(of_run[0]["label"], scores), abs=1e-6)
    assert "Both sizes averaged" not in (results / "tables" / "table2.csv").read_text()
    assert "Both sizes averaged" in (results / "tables" / "cleaned.csv").read_text()


def test_who_evaluates_is_who_the_published_files_say(finished: Copy) -> None:
    results = finished.folder / "results" / "paper"
    for name, count in (("human-cv2", 6), ("cross-species-test", 5), ("new-test", 35)):
        run = results / "runs" / name / "variable" / "paper" / "seed0"
        predictions = pd.read_csv(run / "predictions.tsv", sep="\t", dtype={"id": str})
        assert len(predictions) == count
        experiment = pd.read_csv(results / "experiments" / f"{name}.tsv", sep="\t", dtype=str)
        evaluate = experiment[experiment["role"] == "evaluate"]
        assert predictions["id"].tolist() == evaluate["id"].tolist()
    new = pd.read_csv(results / "experiments" / "new-test.tsv", sep="\t")
    assert new.groupby("role")["set"].unique().map(list).to_dict() == {
        "train": ["cross-species"],
        "evaluate": ["new"],
    }


def test_tables_1_to_4_have_every_published_row_and_ours_beside_it(finished: Copy) -> None:
    tables = finished.folder / "results" / "paper" / "tables"
    for number, kind in product((1, 2, 3, 4), ("csv", "html", "md", "tex")):
        assert (tables / f"table{number}.{kind}").is_file()
    assert pd.read_csv(tables / "table1.csv")["positives"].tolist() == [863, 12, 1677, 12, 690, 12]
    for number, published, ours in ((2, 22, 2), (3, 22, 2), (4, 11, 4)):
        table = pd.read_csv(tables / f"table{number}.csv")
        assert (table["source"] == "published").sum() == published
        assert (table["source"] == "baseline").sum() == 4 * table["protocol"].nunique()
        mine = table[table["source"] == "this run"]
        assert len(mine) == ours
        assert mine["AUROC"].between(0, 1).all()
        assert mine["note"].str.contains("only 1 of 40 epochs").all()
        assert not mine["whole"].any()


def test_a_cv_row_is_the_mean_of_its_folds(finished: Copy) -> None:
    results = finished.folder / "results" / "paper"
    folds = [
        pd.read_csv(results / "runs" / f"human-cv{k}/variable/paper/seed0/metrics.tsv", sep="\t")
        for k in (1, 2)
    ]
    table = pd.read_csv(results / "tables" / "table2.csv")
    row = table[
        (table["source"] == "this run")
        & (table["method"] == "Proposed variable-sized")
        & (table["protocol"] == "CV")
    ].iloc[0]
    assert row["AUROC"] == pytest.approx(pd.concat(folds)["AUROC"].mean(), abs=2e-6)
    assert row["SE"] == pytest.approx(pd.concat(folds)["SE"].mean(), abs=2e-6)
    low, high = over_folds(pd.concat(folds)["AUROC"])
    assert (row["AUROC low"], row["AUROC high"]) == pytest.approx((low, high), abs=2e-6)


def test_a_test_row_has_the_bootstrap_of_its_predictions(finished: Copy) -> None:
    results = finished.folder / "results" / "paper"
    run = pd.read_csv(results / "runs/new-test/variable/paper/seed0/predictions.tsv", sep="\t")
    limits = bootstrap(run["label"], run["score"], threshold=0.5)
    table = pd.read_csv(results / "tables" / "table4.csv")
    row = table[(table["source"] == "this run") & (table["model"] == "variable")].iloc[0]
    for metric, (low, high) in zip(METRICS, limits, strict=True):
        found = (row[f"{metric} low"], row[f"{metric} high"])
        assert found == pytest.approx((low, high), abs=2e-6, nan_ok=True)


def test_cleaned_records_are_left_out_of_the_same_predictions(finished: Copy) -> None:
    """Of `new` in the stand-in: one negative is a hairpin."""
    evaluation = read_summary(finished.folder / "results/paper/evaluations/new-test.tsv")
    counts = evaluation.drop_duplicates("subset").set_index("subset")
    assert counts["positives"]["all"] == 12
    assert counts["negatives"]["labels cleaned"] == counts["negatives"]["all"] - 1
    assert set(evaluation["model"]) == {
        *("fixed", "variable", "without-pairing", "both"),
        *USUAL_BASELINES,
    }


def test_raw_files_are_the_published_bytes_and_structures_are_in_order(finished: Copy) -> None:
    raw = finished.folder / "results" / "raw" / "do2018"
    assert len(list(raw.rglob("*.fa"))) == 30
    human = finished.folder / "results" / "paper" / "datasets" / "human"
    records = pd.read_csv(human / "records.tsv", sep="\t", dtype={"id": str})
    structures = pd.read_csv(human / "structures.tsv", sep="\t", dtype={"id": str})
    assert records["id"].tolist() == structures["id"].tolist()
    assert (records["sequence"].str.len() == structures["structure"].str.len()).all()
    assert not (human / "structures").exists(), "pieces are temporary"


@pytest.mark.thorough
def test_all_adds_figures_and_the_report(complete: Copy, config: str) -> None:
    page = (complete.folder / "results" / "paper" / "report.html").read_text()
    for heading, caption in (
        ("The encoding (Figure 1", "The encoding of the paper's example molecule"),
        ("The networks (Figure 2)", "The networks layer by layer, as the software runs them"),
        ("Lengths (Figure 4)", "Lengths of all RNAs of the study"),
    ):
        start = page.index(heading)
        assert escape(caption) in page[start : page.index("</figure>", start)]
    assert page.count("raw.githubusercontent.com") == 32, "where every file is from"
    networks = (complete.folder / "results" / "paper" / "figures" / "figure2.svg").read_text()
    assert "Variable-sized" in networks
    assert "Fixed-sized" in networks
    # Of tables 2–4 and the cleaned one; Figures 1, 2 and 4; predictions and histories of 5
    # experiments; resources.
    assert page.count("<svg") == 4 + 3 + 2 * 5 + 1
    assert "Table 3: results on the cross-species dataset" in page
    for section in ("table-cleaned", "table-epochs", "table-audit"):
        assert f'<section id="{section}">' in page
    assert page.count("0.95–1") >= 1
    assert complete.planned("all", "--configfile", config) == {}


@pytest.mark.thorough
def test_figure_3_has_trainings_of_its_own_and_joins_the_report_on_request(
    complete: Copy, config: str
) -> None:
    jobs = complete.planned("figure3", "--configfile", config)
    assert jobs["train_watched"] == jobs["evaluate_watched"] == 3
    assert "train" not in jobs, "weights and predictions stay what they are"
    complete.snakemake("figure3", "--configfile", config)
    watched = complete.folder / "results" / "paper" / "watched"
    for run in watched.glob("*/variable/paper/seed0"):
        assert pd.read_csv(run / "history.tsv", sep="\t")["epoch"].tolist() == [*range(1, 43)]
        assert json.loads((run / "provenance.json").read_text())["recipe"]["epochs"] == 40
    assert len(list(watched.glob("*/variable/paper/seed0"))) == 3
    drawn = (complete.folder / "results/paper/figures/figure3.svg").read_text()
    for panel in ("A  human-cv1, validation records", "C  human-test, training records"):
        assert panel in drawn
    assert complete.planned("all", "--configfile", config) == {}, "it is no part of `all`"
    paper = yaml.safe_load((complete.folder / config).read_text())
    paper["figure3"]["in_report"] = True
    with_figure = complete.write_config(paper, "with-figure3.yaml")
    assert set(complete.planned("all", "--configfile", with_figure)) == {"report", "all"}
    complete.snakemake("all", "--configfile", with_figure)
    page = (complete.folder / "results" / "paper" / "report.html").read_text()
    assert "Beyond the last epoch (Figure 3)" in page


@pytest.mark.thorough
def test_a_lost_benchmark_file_costs_a_dot_and_not_a_training(complete: Copy, config: str) -> None:
    results = complete.folder / "results" / "paper"
    next(results.glob("runs/*/*/*/*/benchmark.tsv")).unlink()
    next(results.glob("benchmarks/fold/*/*.tsv")).unlink()
    jobs = complete.planned("all", "--configfile", config, "--forcerun", "figures_resources")
    assert set(jobs) <= {"figures_resources", "report", "all"}
    complete.snakemake(
        "results/paper/figures/resources.svg",
        "--configfile",
        config,
        "--forcerun",
        "figures_resources",
    )
    drawn = (results / "figures" / "resources.svg").read_text()
    assert "train (8)" in drawn
    assert "evaluate (9)" in drawn
    assert "fold (2)" in drawn


@pytest.mark.thorough
def test_snakemakes_own_report_has_categories_labels_and_captions(
    complete: Copy, config: str
) -> None:
    complete.snakemake("all", "--configfile", config, "--report", "report-of-snakemake.html")
    text = (complete.folder / "report-of-snakemake.html").read_text()
    for category in ("Report", "Tables", "Figures of the paper", "Figures"):
        assert f'"category": "{category}"' in text or f'"{category}"' in text
    for label in ("1: the encoding", "2: the networks", "4: lengths", "table3", "human-test"):
        assert label in text
    for caption in (ROOT / "rules" / "captions").glob("*.rst"):
        if caption.stem == "figure3" or caption.stem.startswith(
            ("arms-", "families-", "kinds", "cutting", "seeds")
        ):
            continue  # only in the report once it is asked for, or of another config
        start = " ".join(caption.read_text().split())[:40]
        assert start in " ".join(text.split()), caption
