"""`make tables`: whoever has the repository and no data sees the reproduction, as it is told."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mirpair.contracts import METRICS
from mirpair.identification.comparison import agreement
from mirpair.identification.metrics import measure
from mirpair.identification.tables import read_table
from workflow.conftest import ROOT, Copy, copy_of_repository

KEPT = ROOT / "docs" / "reproduction"
TABLES = ("table2", "table3", "table4")
NEVER = {"download", "records", "fold", "encode", "folds", "experiments", "audit", "train"}
NEVER |= {"baselines"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Tables, figures and report as `make tables` makes them, in a copy without any data."""
    copy = copy_of_repository(tmp_path_factory.mktemp("reproduction"))
    shutil.copytree(KEPT, copy.folder / "docs" / "reproduction")
    arguments = ("all", "--config", "reuse=docs/reproduction")
    assert not set(copy.planned(*arguments)) & NEVER
    copy.snakemake(*arguments)
    return copy


@pytest.mark.thorough
def test_the_tables_that_are_shown_are_those_of_the_kept_trainings(made: Copy) -> None:
    tables = made.folder / "results" / "paper" / "tables"
    names = sorted(path.name for path in tables.glob("*.csv")) + sorted(
        path.name for path in tables.glob("*.md")
    )
    assert len(names) == 14
    for name in names:
        assert (tables / name).read_bytes() == (KEPT / "tables" / name).read_bytes(), name


@pytest.mark.thorough
def test_every_row_of_the_paper_is_there_and_trained_in_full(made: Copy) -> None:
    counts = {"table2": 6, "table3": 6, "table4": 3}
    for name, count in counts.items():
        table = read_table(made.folder / "results" / "paper" / "tables" / f"{name}.csv")
        ours = table[(table["source"] == "this run") & (table["recipe"] == "paper")]
        assert len(ours) == count
        assert ours["whole"].all()
        assert (ours[[f"{m} agrees" for m in METRICS]] != "").all(axis=None)


@pytest.mark.thorough
def test_the_report_opens_with_the_answer_and_has_every_figure(made: Copy) -> None:
    page = (made.folder / "results" / "paper" / "report.html").read_text()
    assert "39 trainings (39 reused from saved results)" in page
    assert "Did it reproduce? The published value is inside our 95 % interval in" in page
    for heading in ("Figure 1", "Figure 2", "Figure 3", "Figure 4", "Run time and memory"):
        assert heading in page


def told() -> str:
    return " ".join((KEPT / "README.md").read_text(encoding="utf-8").split())


def shown(name: str) -> pd.DataFrame:
    return read_table(KEPT / "tables" / f"{name}.csv")


def results() -> pd.DataFrame:
    return pd.concat([shown(name).assign(table=name) for name in TABLES], ignore_index=True)


OURS = {
    "variable-sized": "variable",
    "fixed-sized": "fixed",
    "without pairing matrix": "without-pairing",
}
SETS = {"human": "table2", "cross-species": "table3", "new": "table4"}
MARKS = {"inside": "✓", "above": "▲", "below": "▼"}
GROUPS = ("human-cv", "human-test", "cross-species-cv", "cross-species-test", "new-test")


def ours(model: str = "") -> pd.DataFrame:
    """Rows of ours in the order of the tables, with the published row of each."""
    table = results()
    stated = table[table["source"] == "published"]
    mine = table[(table["source"] == "this run") & (table["recipe"] == "paper")]
    keys = ["table", "protocol"]
    joined = mine.merge(
        stated, left_on=[*keys, "reproduces"], right_on=[*keys, "method"], suffixes=("", " stated")
    )
    return joined[joined["model"] == model] if model else joined


def listed(values: list[str]) -> str:
    return f"{', '.join(values[:-1])} and {values[-1]}"


def test_cells_inside_are_counted_as_the_tables_have_them() -> None:
    text, table = told(), results()
    every = agreement(table).loc["paper"]
    ranking = agreement(table, ["AUROC", "AUPR"]).loc["paper"]
    assert f"in {ranking['inside']} of {ranking['cells']} cells of AUROC and AUPR" in text
    assert f"it is {every['inside']} of {every['cells']} cells" in text
    assert f"ours lies above in {every['above']} and below in {every['below']}." in text
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"in {ranking['inside']} of {ranking['cells']} cells of AUROC and AUPR" in readme
    assert f"in {every['inside']} of {every['cells']} cells of all seven metrics" in readme


def test_every_cell_of_the_overview_is_that_of_the_tables() -> None:
    lines = re.findall(
        r"^\| (.+), (\S+) (CV|test) \| (.+) \|$", (KEPT / "README.md").read_text(), re.M
    )
    assert len(lines) == 15
    for name, of, protocol, cells in lines:
        rows = ours(OURS[name])
        (row,) = rows[(rows["table"] == SETS[of]) & (rows["protocol"] == protocol)].to_dict(
            "records"
        )
        assert cells.split(" | ") == [
            f"{row[f'{m} stated']:.3f} → {row[m]:.3f} {MARKS[row[f'{m} agrees']]}"
            for m in ("AUROC", "AUPR", "F-score")
        ]


def test_above_inside_and_below_are_told_of_the_networks_that_they_are_true_of() -> None:
    text = told()
    variable, fixed, without = (ours(model) for model in ("variable", "fixed", "without-pairing"))
    assert (variable[["AUROC agrees", "AUPR agrees"]] == "inside").all(axis=None)
    assert (fixed["AUROC agrees"] == "inside").all()
    assert fixed.loc[fixed["AUPR agrees"] != "inside", "table"].tolist() == ["table4"]
    outside = without[(without["AUROC agrees"] != "inside") | (without["AUPR agrees"] != "inside")]
    assert outside[["table", "protocol"]].to_numpy().tolist() == [
        ["table3", "CV"],
        ["table4", "test"],
    ]
    mean = {m: (ours()[m] - ours()[f"{m} stated"]).mean() for m in ("AUROC", "AUPR")}
    assert abs(mean["AUROC"]) < 0.0005
    assert "AUROC is the same to three decimals" in text
    assert f"ours is {-mean['AUPR']:.3f} lower in AUPR" in text
    assert (variable["SE"] > variable["SE stated"]).all()
    assert (variable["SE agrees"] == "above").sum() == 3
    for metric in ("SP", "PPV"):
        assert (variable[f"{metric} agrees"] == "below").all()
    assert (fixed["SE agrees"] == "below").sum() == 4
    new = ours()[ours()["table"] == "table4"].set_index("model")
    stated = new.loc["without-pairing", "AUPR stated"]
    values = new["AUPR"].map("{:.3f}".format)
    assert f"an AUPR of {values['without-pairing']} (published {stated:.3f})" in text
    assert f"the same network with it ({values['variable']})" in text
    gains = (variable["AUPR"].to_numpy() - without["AUPR"].to_numpy())[:4]
    assert f"in the four other rows, by {gains.min():.3f} to {gains.max():.3f}" in text


def at_the_published_sensitivity(model: str) -> list[tuple[float, float]]:
    """Threshold and PPV where our SE is the published one, of each row; the mean over folds."""
    found = []
    for row, group in zip(ours(model).to_dict("records"), GROUPS, strict=True):
        points = []
        for path in sorted(KEPT.glob(f"runs/{group}*/{model}/paper/seed0/predictions.tsv.gz")):
            table = pd.read_csv(path, sep="\t")
            positive = table.loc[table["label"] == 1, "score"].sort_values(ascending=False)
            threshold = positive.iloc[round(row["SE stated"] * len(positive)) - 1]
            called = table[table["score"] >= threshold]
            points.append((threshold, called["label"].mean()))
        found.append(tuple(pd.DataFrame(points).mean()))
    return found


@pytest.mark.parametrize("model", ["variable", "fixed"])
def test_at_the_published_sensitivity_ppv_is_what_is_said(model: str) -> None:
    text, points = told(), at_the_published_sensitivity(model)
    assert f"PPV is {listed([f'{ppv:.3f}' for _, ppv in points])}" in text
    stated = [f"{value:.3f}" for value in ours(model)["PPV stated"]]
    assert f"the paper has {listed(stated)}." in text
    if model == "variable":
        thresholds = [threshold for threshold, _ in points]
        assert f"is {min(thresholds):.2f} to {max(thresholds):.2f} instead of 0.5" in text


def test_the_first_page_has_the_numbers_of_the_tables() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = ours("variable").query("protocol == 'test'")
    clean = cleaned("Variable-sized").loc[[g for g in GROUPS if g.endswith("test")]]
    best = []
    for name in TABLES:
        table = shown(name)
        of_test = table[(table["source"] == "baseline") & (table["protocol"] == "test")]
        best.append(of_test.sort_values("AUPR").iloc[-1])
    for title, auroc, aupr in (
        ("variable-sized: published", rows["AUROC stated"], rows["AUPR stated"]),
        ("variable-sized: here", rows["AUROC"], rows["AUPR"]),
        ("… on cleaned records", clean["AUROC cleaned"], clean["AUPR cleaned"]),
        (
            "best of four baselines by AUPR, no network",
            [row["AUROC"] for row in best],
            [row["AUPR"] for row in best],
        ),
    ):
        cells = [f"{one:.3f} / {two:.3f}" for one, two in zip(auroc, aupr, strict=True)]
        assert f"| {title} | {' | '.join(cells)} |" in page


def test_what_is_said_of_the_other_recipe_is_true_of_the_trainings_that_are_kept() -> None:
    text, gains, calls_less = told(), [], 0
    paths = sorted(KEPT.glob("runs/*/variable/published-code/seed0/predictions.tsv.gz"))
    assert len(paths) == 8, "eight trainings of the variable-sized network by that recipe"
    assert len(list(KEPT.glob("runs/*/*/published-code/seed0/predictions.tsv.gz"))) == 20
    for path in paths:
        one, other = (
            pd.read_csv(str(path).replace("published-code", recipe), sep="\t", dtype={"id": str})
            for recipe in ("published-code", "paper")
        )
        assert one["id"].tolist() == other["id"].tolist()
        code, paper = (measure(table["label"], table["score"]) for table in (one, other))
        gains.append(code["AUPR"] - paper["AUPR"])
        calls_less += code["SE"] < paper["SE"] and code["PPV"] > paper["PPV"]
        if "human-test" in str(path):
            values = [f"{code[m]:.3f}" for m in ("SE", "PPV", "F-score", "AUPR")]
            assert f"SE, PPV, F-score and AUPR of {listed(values)}; published" in text
    assert calls_less == 7
    assert f"a higher AUPR, by {min(gains):.3f} to {max(gains):.3f}." in text


def cleaned(method: str) -> pd.DataFrame:
    table = shown("cleaned")
    return table[table["method"] == method].set_index("protocol").loc[list(GROUPS)]


def test_baselines_and_cleaned_records_are_those_of_the_tables() -> None:
    text, raw = told(), (KEPT / "README.md").read_text()
    lines = re.findall(
        r"^\| (\S+) (CV|test) \| (\S+) \((.+?)\) \| (\S+) \| (\S+) \((.+?)\) \| (\S+) \|$",
        raw,
        re.M,
    )
    assert len(lines) == 5
    table, clean, gains = results(), shown("cleaned"), []
    for (of, protocol, *cells), group in zip(lines, GROUPS, strict=True):
        rows = table[(table["table"] == SETS[of]) & (table["protocol"] == protocol)]
        best = rows[rows["source"] == "baseline"].sort_values("AUPR").iloc[-1]
        network = rows[(rows["model"] == "variable") & (rows["recipe"] == "paper")].iloc[0]
        of_group = clean[clean["protocol"] == group]
        left = of_group[of_group["source"] == "baseline"].sort_values("AUPR cleaned").iloc[-1]
        also = of_group[of_group["method"] == "Variable-sized"].iloc[0]
        assert cells == [
            f"{best['AUPR']:.3f}",
            best["method"].lower(),
            f"{network['AUPR']:.3f}",
            f"{left['AUPR cleaned']:.3f}",
            left["method"].lower(),
            f"{also['AUPR cleaned']:.3f}",
        ]
        gains.append(network["AUPR"] - best["AUPR"])
    assert f"everywhere, by {min(gains):.3f} to {max(gains):.3f}" in text
    variable, without = cleaned("Variable-sized"), cleaned("Without pairing matrix")
    rise = variable["AUPR labels cleaned"] - variable["AUPR all"]
    assert f"AUPR rises by {rise.min():.3f} to {rise.max():.3f}" in text
    change = (variable["AUPR cleaned"] - variable["AUPR labels cleaned"]).abs().max()
    assert f"its AUPR changes by {change:.3f} at most" in text
    neighbour = cleaned("8-mer nearest neighbour")
    fall = neighbour["AUPR labels cleaned"] - neighbour["AUPR cleaned"]
    assert f"nearest neighbour falls by {fall.min():.3f} to {fall.max():.3f}" in text
    every, above = ours(), 0
    for (name, protocol), rows in every.groupby(["table", "protocol"]):
        table = shown(str(name))
        base = table[(table["source"] == "baseline") & (table["protocol"] == protocol)]
        above += int((rows["AUPR"] > base["AUPR"].max()).sum())
    assert f"Of all {len(every)} rows of networks {above} have a higher AUPR" in text
    one, two = without.loc["new-test"], variable.loc["new-test"]
    name = "AUPR labels cleaned"
    assert f"it is {one[name]:.3f} without the pairing matrix and {two[name]:.3f} with it" in text
    assert f"too {one['AUPR cleaned']:.3f} and {two['AUPR cleaned']:.3f}." in text
    alone = shown("audit").set_index("experiment")["AUROC of |MFE| / length"]
    tests = [f"{alone[group]:.3f}" for group in GROUPS if group.endswith("test")]
    assert f"has an AUROC of {listed(tests)} in the three tests" in text


def test_what_the_audit_found_is_told() -> None:
    text, table, sets = told(), shown("audit"), shown("table1")
    mine = sets[sets["source"] == "this run"].set_index("dataset")
    both, known = mine["positives that are negatives too"], mine["known negatives"]
    assert f"{both['human']} sequences of *human* and {both['cross-species']} of" in text
    assert f"{known['human']}, {known['cross-species']} and {known['new']} negatives" in text
    total = table[["positives", "negatives"]].sum(axis=None)
    assert f"Of {total:,} evaluation records" in text
    near = table[["identity 0.95–1", "identity 0.90–0.95", "identity 0.80–0.90"]].sum(axis=None)
    assert f"{table['in training'].sum()} have the very sequence" in text
    assert f"and {near:,} more are near-copies" in text
    row = table.set_index("experiment").loc["cross-species-test"]
    assert f"{row['relative in training']} of {row['family known']} have a relative" in text


def test_epochs_are_told_as_the_table_has_them() -> None:
    text, table = told(), shown("epochs")
    variable = table[table["method"] == "Variable-sized"].set_index("protocol")
    change: dict[str, Any] = {
        metric: variable[f"{metric} best"] - variable[f"{metric} last"]
        for metric in ("AUROC", "AUPR", "F-score")
    }
    within = max(change["AUROC"].abs().max(), change["AUPR"].drop("new-test").abs().max())
    assert f"within {within:.3f} of it" in text
    assert f"*new*, which is {-change['AUPR']['new-test']:.3f} lower there" in text
    falls = -change["F-score"].drop("human-test")
    assert f"{falls.min():.3f} to {falls.max():.3f} lower in four rows" in text
    assert f"{change['F-score']['human-test']:.3f} higher in the human test" in text
    fixed = table[table["method"] == "Fixed-sized"].set_index("protocol")
    rise = fixed["loss last"] / fixed["loss best"]
    assert f"{rise['human-cv']:.1f} (human) and {rise['cross-species-cv']:.1f} (cross" in text
    epochs = [
        int(e) for p in ("human-cv", "cross-species-cv") for e in fixed["best epoch"][p].split(", ")
    ]
    assert f"lowest after {min(epochs)} to {max(epochs)} epochs" in text


def test_time_and_memory_are_those_of_the_trainings() -> None:
    paths = list(KEPT.glob("runs/*/*/paper/seed0/benchmark.tsv"))
    assert len(paths) == 39
    jobs = pd.concat([pd.read_csv(path, sep="\t") for path in paths])
    text = told()
    assert f"{jobs['s'].sum() / 3600:.1f} hours of wall time" in text
    assert f"{jobs['cpu_time'].sum() / 3600:.1f} hours of CPU time" in text
    assert f"At most {jobs['max_rss'].max() / 1000:.2f} GB" in text


# Beside the published split: whole clusters held out, `config/clusters.yaml`.
SPLITS = {"human": ("table2", "CV"), "cross-species": ("table3", "CV"), "new": ("table4", "test")}
METHODS = {
    "variable": "variable-sized",
    "without-pairing": "without pairing matrix",
    "nearest-8-mer": "8-mer nearest neighbour",
    "random-forest": "random forest",
}


def clusters_rows() -> list[str]:
    """What the page shows of the study `clusters`, a row for each set and method."""
    rows = []
    for name, (table, protocol) in SPLITS.items():
        before, after = (
            read_table(KEPT / path).query("source != 'published'")
            for path in (f"tables/{table}.csv", f"clusters/tables/{name}.csv")
        )
        before = before[before["protocol"] == protocol]
        for model, method in METHODS.items():
            cells = []
            for metric in ("AUROC", "AUPR", "F-score"):
                (was,), (now,) = (it.loc[it["model"] == model, metric] for it in (before, after))
                low, high = after.loc[
                    after["model"] == model, [f"{metric} low", f"{metric} high"]
                ].iloc[0]
                cells.append(f"{was:.3f} → {now:.3f} ({low:.3f}–{high:.3f})")
            rows.append(f"| {name} | {method} | {' | '.join(cells)} |")
    return rows


def test_held_out_clusters_stand_beside_the_published_split() -> None:
    page = (KEPT / "README.md").read_text(encoding="utf-8")
    for row in clusters_rows():
        assert row in page, row


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
    tables = [f"results/clusters/tables/{name}.csv" for name in SPLITS]
    assert not set(copy.planned(*tables, *arguments)) & NEVER
    copy.snakemake(*tables, *arguments)
    for name in [Path(name).with_suffix(kind) for name in tables for kind in (".csv", ".md")]:
        saved = KEPT / "clusters" / "tables" / name.name
        assert (copy.folder / name).read_bytes() == saved.read_bytes(), name
