"""`make tables`: whoever has the repository and no data sees the reproduction, as it is told."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from bench import compared, logs, reproduced, reproduction, turns
from mirpair.contracts import METRICS
from mirpair.identification.comparison import agreement
from mirpair.identification.tables import read_table
from workflow.conftest import ROOT, Copy, copy_of_repository

KEPT = ROOT / "docs" / "reproduction"
NEVER = {"download", "records", "fold", "encode", "folds", "experiments", "audit", "train"}
NEVER |= {"baselines"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Tables, figures and report as `make tables` makes them, in a copy without any data."""
    copy = copy_of_repository(tmp_path_factory.mktemp("reproduction"))
    shutil.copytree(KEPT, copy.folder / "docs" / "reproduction")
    configs = ("--configfile", "config/config.yaml", "config/reproduction.yaml")
    arguments = ("all", *configs, "--config", "reuse=docs/reproduction")
    assert not set(copy.planned(*arguments)) & NEVER
    copy.snakemake(*arguments)
    return copy


@pytest.mark.thorough
def test_the_tables_that_are_shown_are_those_of_the_kept_trainings(made: Copy) -> None:
    tables = made.folder / "results" / "paper" / "tables"
    names = sorted(path.name for path in tables.glob("*.csv")) + sorted(
        path.name for path in tables.glob("*.md")
    )
    assert len(names) == 16
    for name in names:
        assert (tables / name).read_bytes() == (KEPT / "tables" / name).read_bytes(), name


@pytest.mark.thorough
def test_every_row_of_the_paper_is_there_and_trained_in_full(made: Copy) -> None:
    counts = {"table2": 6, "table3": 6, "table4": 3}
    for (name, count), recipe in product(counts.items(), reproduced.RECIPES):
        table = read_table(made.folder / "results" / "paper" / "tables" / f"{name}.csv")
        ours = table[(table["source"] == "this run") & (table["recipe"] == recipe)]
        assert len(ours) == count
        assert ours["whole"].all()
        # A PPV is undefined if nothing was called in one of the folds.
        for metric in METRICS:
            assert ((ours[f"{metric} agrees"] != "") == ours[metric].notna()).all()
        assert ours.drop(columns="PPV")[[m for m in METRICS if m != "PPV"]].notna().all(axis=None)


@pytest.mark.thorough
def test_the_report_opens_with_the_answer_and_has_every_figure(made: Copy) -> None:
    page = (made.folder / "results" / "paper" / "report.html").read_text()
    assert "208 trainings (208 reused from saved results)" in page
    assert "Did it reproduce? The published value is inside our 95 % interval in" in page
    for heading in ("Figure 1", "Figure 2", "Figure 3", "Figure 4", "Run time and memory"):
        assert heading in page


def test_the_page_is_what_its_tables_say() -> None:
    assert reproduction.render() == reproduction.PAGE.read_text(encoding="utf-8")


def table_of(recipe: str, **changes: object) -> pd.DataFrame:
    """A row of ours beside the published one: all inside, except for `changes`."""
    row: dict[str, object] = {"model": "variable", "recipe": recipe, "set": "human"}
    row |= {"protocol": "CV"}
    for metric in METRICS:
        row |= {metric: 0.5, f"{metric} stated": 0.6, f"{metric} agrees": "inside"}
        row |= {f"{metric} low": 0.4, f"{metric} high": 0.7}
    return pd.DataFrame([{**row, "source": "this run", **changes}])


def test_what_is_outside_is_listed_row_by_row() -> None:
    below = {"SE": 0.25, "SE agrees": "below", "AUPR agrees": "above"}
    table = pd.concat([table_of("paper", **below), table_of("paper", set="new")])
    lines = reproduction.outside(table, "paper")
    assert lines == ["variable-sized, human CV: SE 0.600 → 0.250 ▼, AUPR 0.600 → 0.500 ▲"]


def test_cells_and_differences_are_those_of_a_network_and_a_recipe() -> None:
    """Two rows: SE inside in one; ours are .1 below on average."""
    second = table_of("paper", **{"SE": 0.7, "SE stated": 0.8, "SE agrees": "below", "set": "new"})
    other = table_of("published-code", SE=0.9, model="fixed")
    rows = reproduction.by_network(pd.concat([table_of("paper"), second, other]))
    by_name = {(row["recipe"], row["network"]): row for row in rows}
    assert set(by_name) == {("paper", "variable-sized"), ("published-code", "fixed-sized")}
    row = by_name["paper", "variable-sized"]
    assert (row["inside"], row["ranking"]) == (13, 4)
    assert row["SE"] == pytest.approx(-0.1)
    assert by_name["published-code", "fixed-sized"]["SE"] == pytest.approx(0.3)


def test_the_overview_has_both_recipes_of_a_row() -> None:
    code = table_of("published-code", **{"AUPR": 0.75, "AUPR agrees": "above"})
    (row,) = reproduction.overview(pd.concat([table_of("paper"), code]))
    assert row["name"] == "variable-sized, human CV"
    assert row["AUPR"] == "0.600 → 0.750 ▲, 0.500 ✓"


def test_what_seeds_do_not_explain_is_listed_and_counted() -> None:
    row: dict[str, object] = {"model": "variable", "recipe": "paper", "protocol": "human, CV"}
    row["limit"] = 5.0
    for metric in METRICS:
        row |= {f"{metric} published": 0.9, f"{metric} mean": 0.85, f"{metric} sd": 0.002}
        row[f"{metric} agrees"] = "inside"
    row |= {"SE agrees": "below", "SP agrees": "above", "AUPR agrees": ""}
    table = pd.DataFrame([row])
    assert reproduction.beyond_seeds(table, "paper") == [
        "variable-sized, human CV: SE 0.900 → 0.850 (± 0.010) ▼, SP 0.900 → 0.850 (± 0.010) ▲"
    ]
    assert reproduction.beyond_limit(table, "paper") == (2, 6)
    assert reproduction.beyond_limit(table, "paper", ["AUROC", "AUPR"]) == (0, 1)
    assert reproduction.beyond_seeds(table, "published-code") == []


def test_the_largest_difference_of_a_network_is_named() -> None:
    table = pd.concat([table_of("paper"), table_of("paper", set="new", SE=0.75)])
    assert reproduction.largest_difference(table, "variable", "paper", "SE") == pytest.approx(0.15)
    assert reproduction.largest_difference(table, "variable", "paper", "AUPR") == pytest.approx(0.1)


def test_epochs_of_the_lowest_loss_are_those_of_the_folds_of_a_network() -> None:
    rows = [("A", "human-cv", "7, 30, 2"), ("A", "new-cv", "9"), ("A", "human-test", "1")]
    table = pd.DataFrame([*rows, ("B", "human-cv", "5")], columns=["method", "protocol", "x"])
    table = table.rename(columns={"x": "best epoch"})
    assert reproduction.epochs_of_lowest_loss(table, "A") == [2, 7, 9, 30]


def test_the_authors_logs_are_those_of_the_published_rows() -> None:
    """The mean of their last epochs over folds is what the paper has."""
    every, means = reproduced.every_row(), logs.read_logs()
    means["group"] = means["experiment"].str.rstrip("0123456789")
    stated = every[every["source"] == "published"].set_index(["set", "protocol", "method"])
    names = {"variable": "Proposed variable-sized", "fixed": "Proposed fixed-sized"}
    means = means.groupby(["model", "group"])[list(METRICS)].mean()
    assert len(means) == 10
    for (model, group), row in means.iterrows():
        published = stated.loc[(*reproduced.GROUPS[group], names[model])]
        for metric in METRICS:
            assert row[metric] == pytest.approx(published[metric], abs=0.0016), (group, metric)


def test_differences_are_paired_by_fold(tmp_path: Path) -> None:
    """Ours are .1 and .3 above theirs, so .2 ± 12.706 · .1414 / √2, and the mean of two seeds."""
    values = {"human-cv1": [0.55, 0.65], "human-cv2": [0.8, 0.8], "human-test": [0.4, 0.4]}
    runs = []
    for experiment, seeds in values.items():
        for seed, value in enumerate(seeds):
            run = tmp_path / experiment / "variable" / "paper" / f"seed{seed}"
            run.mkdir(parents=True)
            history = pd.DataFrame({f"evaluate {metric}": [0.1, value] for metric in METRICS})
            history.to_csv(run / "history.tsv", sep="\t", index=False)
            runs.append(run)
    theirs = pd.DataFrame({"experiment": list(values), "model": "variable"})
    theirs[list(METRICS)] = 0.5
    table = logs.paired(runs, theirs)
    assert table["group"].tolist() == ["human-cv", "human-test"]
    first, second = table.to_dict("records")
    assert (first["folds"], first["AUPR"]) == (2, pytest.approx(0.2))
    assert first["AUPR high"] == pytest.approx(0.2 + 12.7062 * 0.1, abs=1e-3)
    assert first["AUPR low"] == pytest.approx(0.2 - 12.7062 * 0.1, abs=1e-3)
    assert second["SE"] == pytest.approx(-0.1)
    assert pd.isna(second["SE low"])


def test_a_published_score_that_is_the_highest_of_the_last_epochs_is_named() -> None:
    table = pd.DataFrame(
        {
            "model": ["variable", "fixed", "fixed"],
            "experiment": ["new-test", "new-test", "human-cv1"],
            "F-score": [0.8, 0.7, 0.9],
            "F-score highest": [0.8, 0.75, float("nan")],
        }
    )
    assert logs.highest_at_the_end(table) == ["variable new-test"]


@pytest.mark.parametrize(
    ("value", "text"), [(-0.0004, "0.000"), (0.0004, "0.000"), (-0.0006, "-0.001"), (0.2, "+0.200")]
)
def test_a_difference_that_rounds_to_nothing_has_no_sign(value: float, text: str) -> None:
    assert reproduced.signed(value) == text


def test_a_loss_turns_where_it_is_lowest() -> None:
    history = pd.DataFrame({"evaluate loss": [0.4, 0.2, 0.5]}, index=[1, 20, 40])
    (row,) = turns.turns({("paper", 2): [history, history.assign(**{"evaluate loss": [1, 2, 3]})]})
    assert row == {"recipe": "paper", "seed": 2, "epochs": [20, 1], "ratios": [2.5, 3.0]}


RIVALS = {"Proposed variable-sized, published-code": 0.7, "Proposed variable-sized": 0.6}
RIVALS |= {"deepMiRGene": 0.65, "triplet-SVM": 0.8}
# The authors' published row has the name of the rival that was trained here.
STATED = {"deepMiRGene-rerun": 0.5, "deepMiRGene, its own logs": 0.55, "triplet-SVM": 0.4}
STATED |= {"deepMiRGene": 0.99}


def rival_rows() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of all groups, on all records and on cleaned ones, which are .1 better.

    In the second group, deepMiRGene is ahead of the network, and in the third it is equal.
    """
    rows, clean = [], []
    for number, (group, (of, protocol)) in enumerate(reproduced.GROUPS.items()):
        place = {"set": of, "protocol": protocol}
        here = RIVALS | {"deepMiRGene": {1: 0.75, 2: 0.7}.get(number, 0.65)}
        for source, values in (("this run", here), ("published", STATED)):
            for name, value in values.items():
                rows.append({**place, "method": name, "source": source, "AUPR": value})
        clean += [
            {
                "protocol": group,
                "method": it.removeprefix("Proposed ").capitalize() if it.startswith("P") else it,
                "AUPR cleaned": value + 0.1,
            }
            for it, value in here.items()
        ]
    return pd.DataFrame(rows), pd.DataFrame(clean)


def test_rivals_stand_beside_their_published_values() -> None:
    every, clean = rival_rows()
    rows = compared.rivals(every, clean)
    assert [row["name"] for row in rows][::4] == ["human CV", "new test"]
    assert rows[0]["Variable-sized, published-code"] == "0.700 (0.800)"
    assert rows[0]["deepMiRGene"] == "0.650 (0.750)"
    assert rows[1]["deepMiRGene"] == "0.750 (0.850)"
    assert rows[0]["deepMiRGene published"] == "0.550, 0.500"
    assert (rows[0]["triplet-SVM"], rows[0]["triplet-SVM published"]) == ("0.800 (0.900)", "0.400")
    assert compared.ahead_of_rival(every, "deepMiRGene") == 3
    assert compared.ahead_of_rival(every, "triplet-SVM") == 0
    published = {"deepMiRGene-rerun": 5, "triplet-SVM": 5, "deepMiRGene": 0}
    for name, rows_ahead in published.items():
        assert compared.ahead_of_rival(every, name, published=True) == rows_ahead


def test_a_rival_is_compared_fold_by_fold(tmp_path: Path) -> None:
    """The mean of two seeds is .1, .1, .1, .1 and .2 above it: .12 ± 2.776 · .0447 / √5."""
    runs: dict[str, list[Path]] = {"published-code": [], "deepmirgene": []}
    for fold, gain in enumerate((0.1, 0.1, 0.1, 0.1, 0.2), 1):
        of_fold = (("variable", "published-code", 0, gain + 0.05),)
        of_fold += (("variable", "published-code", 1, gain - 0.05),)
        of_fold += (("fixed", "published-code", 0, 5.0), ("deepmirgene", "deepmirgene", 0, 0.0))
        for model, recipe, seed, above in of_fold:
            run = tmp_path / f"human-cv{fold}" / model / recipe / f"seed{seed}"
            run.mkdir(parents=True)
            history = pd.DataFrame({"evaluate AUPR": [0.1, 0.7 + above]})
            history.to_csv(run / "history.tsv", sep="\t", index=False)
            runs[recipe].append(run)
    found = compared.network_minus_rival(runs, "deepmirgene")
    assert list(found) == ["human-cv"], "there are no folds of the other set"
    assert found["human-cv"]["AUPR"] == pytest.approx(0.12)
    assert found["human-cv"]["AUPR high"] == pytest.approx(0.12 + 2.7764 * 0.02, abs=1e-4)
    assert found["human-cv"]["AUPR low"] == pytest.approx(0.12 - 2.7764 * 0.02, abs=1e-4)


def test_a_training_that_ends_far_from_the_others_is_named(tmp_path: Path) -> None:
    folders = []
    for fold, value in enumerate((0.8, 0.81, 0.4, 0.79, 0.78), 1):
        folder = tmp_path / "runs" / f"human-cv{fold}" / "fixed" / "paper" / "seed1"
        folder.mkdir(parents=True)
        pd.DataFrame({"evaluate F-score": [0.9, value]}).to_csv(
            folder / "history.tsv", sep="\t", index=False
        )
        folders.append(folder)
    named = compared.far_below({"paper": folders}, 0.2)
    assert named == ["fixed-sized, `paper`, human CV, fold 3, seed 1 (0.40)"]
    assert compared.far_below({"paper": folders}, 0.5) == []


def test_the_farthest_inside_an_interval_is_named() -> None:
    far = table_of("paper", **{"F-score": 0.41, "set": "new"})
    outside = table_of("paper", **{"F-score": 0.1, "F-score agrees": "below"})
    table = pd.concat([table_of("paper"), far, outside])
    said = reproduction.farthest_inside(table, "paper")
    assert said == "variable-sized, new CV, 0.410 here and 0.600 published (0.400–0.700)"


def test_at_the_published_sensitivity_so_many_positives_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four positives, a published SE of .75 calls three: the threshold is the third score."""
    monkeypatch.setattr(reproduction, "GROUPS", {"human-test": ("human", "test")})
    run = tmp_path / "runs" / "human-test" / "variable" / "paper" / "seed0"
    run.mkdir(parents=True)
    scores = {"label": [1, 1, 1, 1, 0, 0], "score": [0.9, 0.8, 0.7, 0.2, 0.75, 0.1]}
    pd.DataFrame(scores).to_csv(run / "predictions.tsv.gz", sep="\t", index=False)
    table = table_of("paper", **{"SE stated": 0.75})
    assert reproduction.at_published_sensitivity(table, "variable", [run]) == [(0.7, 0.75)]
    other = run.with_name("seed1")
    other.mkdir()
    scores["score"][2] = 0.5
    pd.DataFrame(scores).to_csv(other / "predictions.tsv.gz", sep="\t", index=False)
    (both,) = reproduction.at_published_sensitivity(table, "variable", [run, other])
    assert both == pytest.approx((0.6, (0.75 + 0.75) / 2)), "of two seeds, the mean"


def test_the_first_page_has_the_numbers_of_the_tables() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    text, table = " ".join(page.split()), reproduced.results()
    for recipe, words in (("published-code", "in our 95 % interval in "), ("paper", "it is ")):
        every, ranking = (
            agreement(table, metrics).loc[recipe] for metrics in (METRICS, ["AUROC", "AUPR"])
        )
        counts = f"{ranking['inside']} of {ranking['cells']} cells of AUROC and AUPR, and in "
        both = f"{ranking['inside']} and {every['inside']}"
        counts += f"{every['inside']} of {every['cells']} cells of all seven metrics"
        assert words + (counts if recipe == "published-code" else both) in text
    facts = reproduction.facts()
    minutes = float(facts["hour"]["minutes from no results to the report"])
    assert f"took {minutes:.0f} minutes on two cores" in text
    assert facts["gigabytes"] <= 1
    assert "at most 1 GB per training" in text
    of_tests = reproduced.rows_of(table, "variable", "paper").query("protocol == 'test'")
    code = reproduced.rows_of(table, "variable", "published-code").query("protocol == 'test'")
    groups = [group for group in reproduced.GROUPS if group.endswith("test")]
    clean = reproduced.cleaned(reproduced.shown("cleaned"), "Variable-sized").loc[groups]
    count = facts["baseline_count"]
    best = []
    for name in reproduced.SETS:
        of_test = reproduced.shown(name).query("source == 'baseline' and protocol == 'test'")
        best.append(of_test.sort_values("AUPR").iloc[-1])
    for title, auroc, aupr in (
        ("variable-sized: published", of_tests["AUROC stated"], of_tests["AUPR stated"]),
        ("variable-sized: here, `published-code`", code["AUROC"], code["AUPR"]),
        ("variable-sized: here, `paper`", of_tests["AUROC"], of_tests["AUPR"]),
        ("… on cleaned records", clean["AUROC cleaned"], clean["AUPR cleaned"]),
        (
            f"best of {count} baselines by AUPR, no network",
            [row["AUROC"] for row in best],
            [row["AUPR"] for row in best],
        ),
    ):
        cells = [f"{one:.3f} / {two:.3f}" for one, two in zip(auroc, aupr, strict=True)]
        assert f"| {title} | {' | '.join(cells)} |" in page


def test_the_tables_of_held_out_clusters_are_those_of_the_kept_trainings(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    copy = copy_of_repository(tmp_path_factory.mktemp("clusters"))
    shutil.copytree(KEPT / "clusters", copy.folder / "docs" / "reproduction" / "clusters")
    arguments = (
        "--configfile",
        "config/clusters.yaml",
        "--config",
        "reuse=docs/reproduction/clusters",
    )
    tables = [f"results/clusters/tables/{name}.csv" for name in reproduced.BEFORE]
    assert not set(copy.planned(*tables, *arguments)) & NEVER
    copy.snakemake(*tables, *arguments)
    for name in [Path(name).with_suffix(kind) for name in tables for kind in (".csv", ".md")]:
        saved = KEPT / "clusters" / "tables" / name.name
        assert (copy.folder / name).read_bytes() == saved.read_bytes(), name
