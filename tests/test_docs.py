"""What the documentation shows is what happens, and where it points there is something."""

from __future__ import annotations

import ast
import doctest
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

from bench.config_docs import commands
from mirpair.scan.calls import ENERGY_WEIGHT

PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]
    if "/." not in str(path.relative_to(ROOT))
)


def test_the_three_examples_of_the_package_run_as_they_stand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "package.md"
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert failed == 0
    assert tried > 20
    assert page.read_text(encoding="utf-8").count("\n## ") == 3


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", it).lower().replace(" ", "-") for it in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", text):
        if not target.startswith("http"):
            path = page.parent / target if target else page
            assert path.exists(), target
            assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def test_the_page_of_commands_is_what_their_help_says() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert page == commands(), "run make schema"
    for name in ("predict", "scan", "annotate", "serve"):
        assert f"## `mirpair {name}`" in page


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """A broken link, a missing page or a wrong docstring is one."""
    options = ("--quiet", "--fail-on-warning", "--keep-going", "-d", str(tmp_path / "doctrees"))
    arguments = ("-c", str(ROOT / "docs"), str(ROOT), str(tmp_path / "site"))
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = {str(it.relative_to(tmp_path / "site")) for it in (tmp_path / "site").rglob("*.html")}
    assert {"docs/index.html", "README.html", "config/README.html", "docs/cli.html"} <= pages
    function = (tmp_path / "site" / "docs" / "api.html").read_text(encoding="utf-8")
    assert "Predict which RNAs are pre-miRNAs." in function


@pytest.mark.parametrize("name", ["accuracy", "sizes", "rejection", "infernal"])
def test_the_page_on_families_shows_the_tables_that_were_made(name: str) -> None:
    made = (ROOT / "docs" / "families" / f"{name}.md").read_text(encoding="utf-8")
    rows = [line for line in made.splitlines() if line.startswith("|")]
    assert len(rows) > 3
    assert "\n".join(rows) in (ROOT / "docs" / "families.md").read_text(encoding="utf-8")


def test_what_the_first_page_says_of_the_network_is_what_was_measured() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    folder = ROOT / "docs" / "finder"
    kinds = pd.read_csv(folder / "shipped.csv")
    shipped = kinds[kinds["positives"].isin([2942, 5713])].iloc[[0, 1]]
    assert shipped["kind of positives"].str.contains("MirGeneDB-supported").all()
    assert shipped["kind of negatives"].tolist() == ["coding sequences", "human X"]
    first, second = (f"{it:.0%}".replace("%", " %") for it in shipped["R@1%"])
    assert f"2,942 | pseudo-hairpins of coding sequences | {first} | – |" in text
    assert f"5,713 | hairpins of human X | {second} | – |" in text
    peers = pd.read_csv(folder / "peers.tsv", sep="\t")
    ours = (peers["method"] == "stem") & (peers["trainings"] == "mean score of 3")
    for positives, count, negatives in (
        ("miRBase hairpins, as a scan cuts them", 6125, "human X"),
        ("miRBase hairpins, as a scan cuts them", 6125, "E. coli"),
    ):
        row = (peers["positives"] == positives) & (peers["negatives"] == negatives)
        assert (peers.loc[row, "pre-miRNAs"] == count).all()
        found, theirs = (
            float(peers.loc[row & method, "R@1%"].iloc[0])
            for method in (ours, peers["method"] == "mirDNN")
        )
        wanted = f"{negatives.replace('E. coli', '*E. coli*')} | {found:.0%} | {theirs:.0%} |"
        assert wanted.replace("%", " %") in text
        assert f"miRBase 22, {count:,}" in text
    card = (ROOT / "weights" / "pre-mirna.md").read_text(encoding="utf-8")
    rates = pd.read_csv(ROOT / "docs" / "genomes" / "rates.tsv", sep="\t")
    (of_x,) = rates[(rates["genome"] == "human-x") & (rates["part"] == "all")].to_dict("records")
    calls = {it: f"{of_x[f'calls per Mb, {it}']:.0f}" for it in ("0.01%", "0.1%")}
    assert f"a scan of human X calls about {calls['0.01%']} hairpins per megabase" in text
    shares: dict[str, str] = {}
    for line in card.splitlines():
        cells = [it.strip() for it in line.split("|")]
        if len(cells) == 6 and cells[1] in ("0.1%", "0.01%"):
            # The animals' come first.
            shares.setdefault(cells[1], f"{float(cells[4].split()[0]):.0%}".replace("%", " %"))
    assert f"{shares['0.01%']} of the pre-miRNAs of new families score above it" in text
    more = f"calls about {calls['0.1%']}, and {shares['0.1%']} score above it"
    assert f"with `--false-positives 0.1%`, it {more}" in text


def test_the_page_on_use_says_what_the_energy_of_a_hairpin_counts_for() -> None:
    text = " ".join((ROOT / "docs" / "use.md").read_text(encoding="utf-8").split())
    assert f"minus {ENERGY_WEIGHT:g} times the folding energy" in text


def test_what_is_said_of_flanks_and_of_several_hairpins_is_what_was_measured() -> None:
    text = " ".join((ROOT / "docs" / "use.md").read_text(encoding="utf-8").split())
    table = pd.read_csv(ROOT / "docs" / "finder" / "flanks.tsv", sep="\t")
    alone, some, more, default, loose, one, pairs = table["number"]
    assert f"{alone} are called, {some} with 50 random bases on both sides, and {more} with" in text
    assert f"a scan calls {default} on the right strand by default, and {loose} with" in text
    assert f"({one} of 2,000 known hairpins has this hint, and {pairs} of 300 pairs" in text


def test_what_is_said_of_stems_that_are_not_folded_is_what_was_measured() -> None:
    text = " ".join((ROOT / "docs" / "use.md").read_text(encoding="utf-8").split())
    table = pd.read_csv(ROOT / "docs" / "finder" / "limits.tsv", sep="\t")
    called = table["would be called"].tolist()
    lost = (table["would be called"] - table["folded"]).tolist()
    assert f"{called[0]}, {called[1]} and {called[2]} would be called at 0.01 %" in text
    assert f"{lost[0]}, {lost[1]} and {lost[2]} of these are not folded" in text


def test_what_is_said_of_the_papers_own_records_is_what_was_measured() -> None:
    text = " ".join((ROOT / "docs" / "finder.md").read_text(encoding="utf-8").split())
    folder = ROOT / "docs" / "finder" / "benchmark"
    first = cells = 0
    for number, name in ((2, "human"), (3, "cross-species"), (4, "new")):
        table = pd.read_csv(folder / f"table{number}.csv")
        for protocol, rows in table.groupby("protocol", sort=False):
            ours = rows[rows["method"] == "Stem and variable-sized averaged"].iloc[0]
            assert "mean score of 6 trainings" in ours["note"]
            assert ours["whole"]
            published = rows[rows["source"] == "published"]
            line = [f"| {name}, {protocol}"]
            for metric in ("AUROC", "AUPR", "F-score"):
                best = published.loc[published[metric].idxmax()]
                value, low, high = (ours[f"{metric}{end}"] for end in ("", " low", " high"))
                is_first = round(value, 3) > best[metric]
                first, cells = first + is_first, cells + 1
                bold = "**" if is_first else ""
                line.append(f"{bold}{value:.3f}{bold} ({low:.3f}–{high:.3f})")
                line.append(f"{best[metric]:.3f} ({best['method']})")
            assert " | ".join(line) in text
    assert f"higher than every published value in {first} of these {cells} cells" in text
    cleaned = pd.read_csv(folder / "cleaned.csv")
    of_average = cleaned[cleaned["method"] == "Stem and variable-sized averaged"]
    for metric, sentence in (("AUROC", "an {} of"), ("AUPR", "an {} of"), ("F-score", "an {} of")):
        values = of_average[f"{metric} cleaned"]
        assert f"{sentence.format(metric)} {values.min():.3f} to {values.max():.3f}" in text


def test_every_test_that_the_page_on_reliability_names_is_there() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 30
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert named - there == set()


def test_the_page_on_fresh_sets_shows_the_table_that_was_made() -> None:
    page = (ROOT / "docs" / "fresh.md").read_text(encoding="utf-8")
    made = (ROOT / "docs" / "fresh" / "human.md").read_text(encoding="utf-8").split("\n\n")[1]
    assert made.count("\n") > 10
    assert made in page
    table = pd.read_csv(ROOT / "docs" / "fresh" / "human.csv")
    text = " ".join(page.split())
    network = table[table["model"] == "variable"].set_index("protocol")
    clusters, families, new = (
        network.loc[it] for it in ("clusters", "families", "since miRBase 21")
    )
    assert f"an AUPR of {clusters['AUPR']:.3f} on held-out clusters here" in text
    assert f"({families['AUPR']:.3f} and {clusters['AUPR']:.3f})" in text
    assert f"{round(60 * new['SE'])} of them (SE {new['SE']:.3f}" in text
    assert f"with {round(333 * (1 - new['SP']))} false calls in 333" in text


def test_the_walk_from_a_config_to_a_table_names_each_file_once_with_functions_that_it_has() -> (
    None
):
    page = (ROOT / "docs" / "developing.md").read_text(encoding="utf-8")
    walk = page.split("## From a config to a row of a table\n")[1].split("\n## ")[0]
    files = re.findall(r"\]\(\.\./([\w/.]+)\)", walk)
    assert len(files) == len(set(files)) > 20
    steps = re.findall(r"\]\(\.\./(mirpair/[\w/]+\.py)\)\s+\(((?:`[\w.]+`[^`)]*)+)\)", walk)
    assert len(steps) >= 10
    for file, text in steps:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        names = {getattr(node, "name", "") for node in ast.walk(tree)}
        for name in re.findall(r"`([\w.]+)`", text):
            assert set(name.split(".")) <= names, f"{file}: {name}"
