"""docs/speed.md tells what its tables say, and its floor is what it claims to be."""

from __future__ import annotations

import re
import shutil
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from Bio.Seq import reverse_complement_rna
from conftest import ROOT
from snakemake.cli import get_argument_parser
from torch.nn import functional as F

from bench import (
    alternatives,
    annotated,
    candidates,
    finder,
    finder_results,
    genomes,
    hour,
    known,
    lookalikes,
    measured,
    networks,
    page,
    shipped,
    strands,
)
from mirpair.contracts import BASELINES, BOOSTING, BY_KIND, METRICS, SCORED_RECORDS
from mirpair.files import sha256, write_tsv
from mirpair.hairpins.candidates import GenomeHairpin
from mirpair.identification.kinds import methods_of
from mirpair.prediction.weights import find_weights
from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import encode
from mirpair.settings import FALSE_POSITIVES, KINGDOMS, KNOWN_COVERAGE, NEAR
from mirpair.sources.collections import Entry
from mirpair.study.load import load_study


def test_the_page_is_what_its_tables_say(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs" / "speed", tmp_path / "speed")
    page.write(tmp_path / "speed", tmp_path / "speed.md")
    assert (tmp_path / "speed.md").read_text() == (ROOT / "docs" / "speed.md").read_text()


def test_the_page_of_known_hairpins_is_what_its_tables_say() -> None:
    tables = known.read(known.TABLES)
    written = known.TABLES.with_suffix(".md").read_text(encoding="utf-8")
    assert known.render(*tables) == written
    rates, grid, _ = tables
    flanked = rates[rates["case"].str.startswith("with 0–40 nt")]
    # Every hairpin of miRBase with flanks is known, as itself or as another one inside it.
    assert flanked["records"].sum() == 34_554
    assert (flanked["known"] == flanked["records"]).all()
    assert (flanked["itself"] == flanked["records"]).all()
    # The thresholds are those that were measured.
    chosen = (grid["identity"] == NEAR) & (grid["coverage"] == KNOWN_COVERAGE)
    unrelated = grid[chosen & grid["case"].str.startswith("shuffled")]
    assert (unrelated["known"] < 0.002).all()


def finder_tables(folder: Path) -> None:
    """Tables as `make finder` writes them, with methods as the study calls them."""
    study = finder_results.load()
    labels = [study.method(model, "finder").label for model in ("stem", "variable", "band")]
    averages = [it.label for it in study.averages.values()]
    metrics = {
        f"{metric}{end}": value
        for metric, value in zip(BY_KIND, (0.99, 0.98, 0.9, 0.8), strict=True)
        for end in ("", " low", " high")
    }

    def write(name: str, rows: list[dict[str, Any]]) -> None:
        pd.DataFrame(rows).to_csv(folder / name, sep="\t,"[name.endswith("csv")], index=False)

    def kinds(name: str, networks: list[str], **more: Any) -> list[dict[str, Any]]:
        records = pd.DataFrame({"id": ["a", "b"]})
        scores = pd.DataFrame({"id": ["a", "b"], "score": [0.5, 0.1]})
        runs = [
            {"label": it, "model": it, "recipe": "finder", "epochs": 4, "trainings": 1 + n // 3}
            for n, it in enumerate([it for it in labels for _ in range(3)] + averages)
            if it in networks
        ]
        boosting = scores.rename(columns={"score": BOOSTING})
        methods = methods_of(records, runs, [scores] * len(runs), boosting)
        return [
            {"kind of positives": positives, "kind of negatives": negatives}
            | {"positives": 1000, "negatives": 2000, "method": method.name}
            | metrics
            | more
            for positives, negatives in finder_results.table_of(study, name).rows
            for method in methods
        ]

    write("kinds.csv", kinds("kinds", labels[:2] + averages[:1]))
    write("networks.csv", kinds("networks", labels + averages))
    write("plants.csv", kinds("plants", labels[:1]))
    pairs = {
        name: finder_results.without_newer(finder_results.table_of(study, name))["rows"]
        for name in ("kinds", "plants")
    }
    named = [
        {"kind of positives": positives, "kind of negatives": negatives, "kingdom": kingdom}
        for kingdom, name in shipped.OF_KINGDOM.items()
        for positives, negatives in pairs[name]
    ]
    write("shipped.csv", [it | metrics | {"positives": 10, "negatives": 20} for it in named])
    write(
        "kingdoms.csv",
        [
            it | metrics | {"method": f"networks of {kingdom}"}
            for it in named
            if it["kingdom"] == "plants"
            for kingdom in KINGDOMS
        ],
    )
    nearly = {f"near-copies, {side}": 0.25 for side in ("positives", "negatives")}
    without = {f"{metric} without": 0.7 for metric in BY_KIND}
    audited = {"evaluation records in the training set": 0}
    write("near-copies.tsv", [it | nearly | audited | metrics | without for it in named[:10]])
    write(
        "thresholds.tsv",
        [
            {"kingdom": kingdom, "threshold": threshold, "hairpins": 9000, "reach it": 2}
            | {"hairpins of": "arabidopsis-validation", "pre-miRNAs": 0.35, "supported": 0.5}
            | {genome: 104.2}
            for kingdom, genome in (
                ("animals", "the human chromosome X"),
                ("plants", "A. thaliana"),
            )
            for threshold in FALSE_POSITIVES
        ],
    )
    write(
        "data.tsv",
        [{"RNAs": it, "number": 9, "cut as": "–"} for it in (*finder.GROUPS, "all", "plants")],
    )
    write(
        "trainings.tsv",
        [
            {
                "experiment": it,
                "model": model,
                "training records": 900,
                "pre-miRNAs": 100,
                "seconds": 60.5,
            }
            for it in ("families", "some-families")
            for model in ("stem", "variable", "band")
        ],
    )
    write(
        "lookalikes.tsv",
        [
            {"kingdom": kingdom, "RNAs": it, "number": 100, "called": 7}
            for kingdom in KINGDOMS
            for it in lookalikes.lookalikes(["GGGAUCC"] * lookalikes.NUMBER)
        ],
    )
    write("ends.tsv", [{"five": n, "three": n, "probability": 0.9 - n / 100} for n in range(3)])
    cuts = (("all", "all"), ("scanned", "scanned"), ("pre-mirna", "all"))
    of_cutting = {"AUROC of cutting alone": 0.8, "AUROC of the network": 0.98}
    write(
        "cutting.csv",
        [{"cut of positives": one, "cut of negatives": other} | of_cutting for one, other in cuts],
    )
    write(
        "others.csv",
        [
            {"protocol": protocol, "method": method, "AUROC": 0.93, "AUPR": 0.78}
            for protocol in study.tables["others"].rows
            for method in (labels[0], BASELINES[BOOSTING])
        ],
    )
    for name in ("peers.tsv", "peers.json", "strands.tsv"):
        shutil.copy(finder.TABLES / name, folder)


def test_the_page_of_the_shipped_networks_says_what_its_tables_say(tmp_path: Path) -> None:
    finder_tables(tmp_path)
    page = " ".join(finder.render(tmp_path).split())
    assert "nan" not in re.findall(r"[A-Za-z]+", page)
    assert "and 90 % of them among hairpins of human X" in page
    assert "finds no evaluation records in the training set" in page
    assert "R@1% of scanned pre-miRNAs goes from .90 to .70 against human X" in page
    assert "gives 100 false calls per megabase and finds 35 % of the pre-miRNAs" in page
    assert "one training record in 9 is a pre-miRNA" in page
    assert "of 100 human hairpins of miRBase, 7 are called" in page
    assert "hsa-let-7a-1 has a probability of .90, and of .88 to .90" in page
    assert "| stem: the duplex, one dimension | 96,322 | 60 | .90 / .80 |" in page
    # A table that lacks a row is no page with a gap.
    (tmp_path / "ends.tsv").write_text("five\tthree\tprobability\n1\t1\t0.9\n")
    with pytest.raises(ValueError, match="0 rows have"):
        finder.render(tmp_path)


def test_the_data_are_counted_by_where_they_are_from(tmp_path: Path) -> None:
    (tmp_path / "shipped").mkdir()

    def write(kingdom: str, rows: list[tuple[str, str]]) -> None:
        table = pd.DataFrame(rows, columns=["collection", "cut"])
        others = {"id": "a", "label": 0, "role": "train", "length": 80, "trust": "", "score": 0.5}
        write_tsv(
            table.assign(**others)[list(SCORED_RECORDS)], tmp_path / "shipped" / f"{kingdom}.tsv"
        )

    genomes = [("human-x-genes", "window"), ("human-x-test", "scanned"), ("human-x", "scanned")]
    others = [("human-x-pairs", "joined"), ("other-rnas", ""), ("animals", "pre-mirna")]
    write("animals", genomes + others)
    write("plants", [("plants", "hairpin")] * 3)
    counted = finder.count_data(tmp_path).set_index("RNAs")
    rows = {name: tuple(row) for name, row in counted.iterrows() if row["number"]}
    assert rows == {
        "animal pre-miRNAs of miRBase 22": (1, "pre-miRNA proper"),
        "human X, away from known pre-miRNAs": (3, "scanned, windows"),
        "two copies of a repeat of human X": (1, "joined"),
        "other RNAs of Rfam": (1, "as published"),
        "all": (6, "–"),
        "plants": (3, "–"),
    }
    write("animals", [("elsewhere", "window")])
    with pytest.raises(ValueError, match="no group has the collection elsewhere"):
        finder.count_data(tmp_path)


def test_what_reaches_a_threshold_is_counted_by_role_and_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shipped").mkdir()
    rows = [
        *[(0, "validate", "scanned", "", it) for it in (0.9, 0.5, 0.2, 0.1)],
        *[(0, "validate", "window", "", 0.9), (0, "evaluate", "scanned", "", 0.9)],
        *[(1, "evaluate", "scanned", "supported", it) for it in (0.9, 0.1)],
        *[(1, "evaluate", "scanned", "doubtful", it) for it in (0.2, 0.1)],
        *[(1, "evaluate", "hairpin", "supported", 0.9), (1, "validate", "scanned", "", 0.9)],
    ]
    table = pd.DataFrame(rows, columns=["label", "role", "cut", "trust", "score"])
    table = table.assign(id="a", length=80, collection="c")[list(SCORED_RECORDS)]
    for kingdom in ("animals", "plants"):
        write_tsv(table, tmp_path / "shipped" / f"{kingdom}.tsv")
    rates = {"1%": [SimpleNamespace(genome="yeast", calls=3.0)]}
    trained = SimpleNamespace(cuts={"1%": 0.5}, rates=rates)
    monkeypatch.setattr(finder, "load_networks", lambda *_: trained)
    first = finder.thresholds(tmp_path).iloc[0]
    assert first.to_dict() == {
        "kingdom": "animals",
        "threshold": "1%",
        "score": 0.5,
        "hairpins": 4,
        "hairpins of": "c",
        "reach it": 2,
        "pre-miRNAs": 0.25,
        "supported": 0.5,
        "yeast": 3.0,
    }


def test_a_peer_is_ahead_in_the_cells_in_which_it_is_higher() -> None:
    ours = {"method": "stem", "trainings": "mean score of 3"}
    peers = pd.DataFrame(
        [
            {**names, **method, "AUROC": auroc, "AUPR": 0.9, "R@1%": 0.5, "R@0.1%": 0.4}
            for names, (ours_, theirs) in (
                ({"positives": "hairpins", "negatives": "yeast"}, (0.8, 0.9)),
                ({"positives": "hairpins", "negatives": "human X"}, (0.9, 0.8)),
            )
            for method, auroc in (
                ({"method": "stem", "trainings": "1 of 3"}, 1.0),
                (ours, ours_),
                ({"method": "peer", "trainings": ""}, theirs),
            )
        ]
    )
    assert finder.behind(peers, "stem", "peer") == (8, ["AUROC of hairpins against yeast"])


def test_inverted_repeats_have_two_arms_that_pair_but_for_the_changed_bases() -> None:
    rng = np.random.default_rng(1)
    for changed, different in ((0.0, 0), (0.12, 4)):
        rna = lookalikes.inverted_repeat(rng, 30, 7, changed)
        assert len(rna) == 67
        pairs = zip(rna[:30], reverse_complement_rna(rna[-30:]), strict=True)
        assert sum(a != b for a, b in pairs) == different


def test_the_page_of_the_alternatives_is_what_its_trainings_say() -> None:
    runs = pd.read_csv(ROOT / "docs" / "alternatives" / "runs.tsv", sep="\t")
    written = (ROOT / "docs" / "alternatives.md").read_text(encoding="utf-8")
    assert alternatives.render(runs) == written
    study = load_study(yaml.safe_load(alternatives.CONFIG.read_text(encoding="utf-8")))
    planned = {(*run.key, run.epochs) for run in study.plan()}
    kept = runs[["experiment", "model", "recipe", "seed", "epochs"]]
    assert set(kept.itertuples(index=False, name=None)) == planned


def test_an_alternative_stands_apart_only_if_its_interval_leaves_out_0() -> None:
    study = load_study(yaml.safe_load(alternatives.CONFIG.read_text(encoding="utf-8")))
    aupr = {
        ("variable", "paper"): (0.80, 0.81, 0.82),
        # Welch: t(4) = 2.776, standard error .00816, so ± .0227.
        ("dropout", "paper"): (0.83, 0.84, 0.85),
        ("variable", "adam"): (0.82, 0.83, 0.84),
        ("soft-10", "paper"): (0.77, 0.78, 0.79),
        ("resnet", "paper"): (0.5, 0.9, 0.9),
        ("fixed", "paper"): (0.2, 0.21, 0.2),
    }
    rows = [
        {"model": model, "recipe": recipe, **dict.fromkeys(METRICS, 0.5), "AUPR": value}
        for (model, recipe), values in aupr.items()
        for value in values
    ]
    found = alternatives.compare(study, pd.DataFrame(rows))
    assert [row["side"] for row in found] == ["", "above", "within", "below", "within", "below"]
    assert found[1]["AUPR"] == "0.840 ± 0.010"
    assert found[1]["difference"] == "+0.030 [+0.007, +0.053]"
    assert [row["tried"] for row in found] == [False, True, True, True, True, False]


@pytest.mark.parametrize("size", [1, 2, 3, 11, 12, 13, 49])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(5, 2, 4), (5, 2, 2), (3, 1, 1)])
def test_products_with_padding_are_not_counted(
    size: int, kernel: int, stride: int, padding: int
) -> None:
    image, weight = torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel)
    products = F.conv2d(image, weight, stride=stride, padding=padding)
    counted = networks._met(size, products.shape[-1], kernel, stride, padding) ** 2
    assert counted == products.sum()


def test_the_floor_of_a_base_pair() -> None:
    """A pair of two bases in the middle has two entries in the pairing matrix."""
    structure = "." * 40 + "(....)" + "." * 48
    paired, unpaired = encode("A" * 94, structure, -1.0), encode("A" * 94, "." * 94, 0.0)
    more = (
        networks._operations("variable", paired)[0] - networks._operations("variable", unpaired)[0]
    )
    # Windows begin at 4a - 10 and have 11 positions: 40 lies in three of them, 45 in two.
    assert more == 2 * (3 * 2) * 2 * 32
    assert networks._operations("without-pairing", paired) == networks._operations(
        "without-pairing", unpaired
    )


def test_the_floor_of_the_fixed_sized_network_for_94_nt() -> None:
    forward, backward = networks._operations("fixed", encode("A" * 94, "." * 94, 0.0))
    # 24 windows, begun at -2, 2, … 90: cut at the start once, at the end by those from 86 and 90.
    table, outputs = 2 * 24 * 45 * 2 * 4 * 32, 24 * 24 * 32
    second = 2 * 32 * 64 * 29**2  # seven windows on 12 positions: 3, 5, 5, 5, 5, 4, 2
    third = 2 * 64 * 64 * 11**2  # five windows on 4 positions: 2, 3, 3, 2, 1
    empty = 2 * 64 * 64 * 34**2 / 64  # the third convolution of an empty image, once in 64 samples
    head = 2 * (2304 * 256 + 256 * 2)
    assert forward == table + outputs + second + third + empty + head
    assert backward == forward + second + third + empty + head


def test_the_floor_is_operations_times_the_rate(tmp_path: Path) -> None:
    molecules = [encode("A" * length, "." * length, 0.0) for length in (60, 94)]
    Tensors.build(["a", "b"], [0, 1], molecules).save(tmp_path / "tensors.npz")
    training, scoring = networks.floor(tmp_path / "tensors.npz", 0.01, "variable")
    counted = [networks._operations("variable", molecule) for molecule in molecules]
    assert scoring == pytest.approx(sum(f for f, _ in counted) / 2 / 1e6 * 0.01)
    assert training == pytest.approx(sum(f + b for f, b in counted) / 2 / 1e6 * 0.01)


def test_the_floor_of_a_hairpin_of_94_nt() -> None:
    """Counted by hand, as far as it depends on the length alone; see docs/exact-and-fast.md."""
    forward, backward = networks._operations("without-pairing", encode("A" * 94, "." * 94, 0.0))
    # 26 windows of 44 bases and the bias, 32 filters. Six cuts, for rows and for columns: windows
    # begin at -10, -6, -2, then wholly inside, at last at 86 and 90.
    table = 2 * 26 * 45 * 2 * 6 * 32
    outputs = 26 * 26 * 32
    second = 2 * 32 * 64 * 32**2  # windows of 1, 3, 5, 5, 5, 5, 5, 3 of 13 positions
    third = 2 * 64 * 64 * 10**2
    head = 2 * (1024 * 256 + 256 * 2)
    assert forward == table + outputs + second + third + head
    assert backward == forward + second + third + head


def test_the_share_of_right_strands_is_that_of_the_preferred_ones() -> None:
    pairs = pd.DataFrame({"right": [(0.9, -30.0), (0.9, -20.0)], "wrong": [(0.95, -20.0)] * 2})
    assert strands.share_right(pairs, 0.0) == 0
    assert strands.share_right(pairs, 0.15) == 0.5


def test_the_page_on_the_finder_is_what_its_tables_say() -> None:
    assert finder.render() == finder.PAGE.read_text(encoding="utf-8")


def test_the_seconds_of_trainings_are_read_by_their_names() -> None:
    runs = hour.trainings(ROOT / "docs" / "reproduction")
    one = runs.loc["human-test/variable/paper/seed0"]
    assert (one["wall"], one["cpu"]) == (157.29, 132.10)
    assert len(runs) >= 39


@pytest.mark.parametrize("save", [None, Path("saved")])
def test_the_measured_run_makes_all_and_saves_it_if_asked(save: Path | None) -> None:
    arguments = get_argument_parser().parse_args(hour.options(2, 1, save))
    assert arguments.targets == (["all", "save"] if save else ["all"])
    assert arguments.cores == 2
    assert arguments.config == ["seeds=[1]", *(["reuse=saved"] if save else [])]


def test_a_known_hairpin_has_a_candidate_that_covers_it_or_ends_near_it() -> None:
    def found(*places: tuple[int, int]) -> list[GenomeHairpin]:
        return [GenomeHairpin(start, end, "+", -20.0, "", "", 0) for start, end in places]

    assert candidates.is_covered(100, 200, found((120, 300), (0, 110)))
    assert not candidates.is_covered(100, 200, found((121, 300), (0, 179)))
    assert not candidates.is_covered(100, 200, [])
    assert candidates.is_near(100, 200, found((110, 190), (0, 110)))
    assert not candidates.is_near(100, 200, found((111, 200), (100, 189)))
    assert not candidates.is_near(100, 200, [])


def test_each_criterion_is_relaxed_alone_and_then_all() -> None:
    given = dict(candidates.criteria_of(genomes.GENOMES["arabidopsis-1"]))
    default = given.pop("default, span 300")
    *alone, every = given.values()
    changed = [
        [it.name for it in fields(default) if getattr(default, it.name) != getattr(one, it.name)]
        for one in alone
    ]
    assert changed == [["span"], ["stem"], ["loop"], ["mfe"]]
    assert (every.span, every.stem, every.loop, every.mfe) == (400, 14, 40, -10)


@pytest.mark.parametrize("folder", ["finder", "genomes"])
def test_the_tables_were_measured_with_the_weights_that_ship(folder: str) -> None:
    notes = pd.read_csv(ROOT / "docs" / folder / measured.NOTES, sep="\t")
    assert set(notes["weights"]) == {sha256(find_weights())}
    # CSV tables are of the study, apart from two.
    tables = {path.name for path in (ROOT / "docs" / folder).glob("*.tsv")} - {measured.NOTES}
    assert set(notes["table"]) - {"shipped.csv", "kingdoms.csv"} == tables


def test_the_weights_of_a_table_are_noted_beside_it(tmp_path: Path) -> None:
    (tmp_path / measured.NOTES).write_text("table\tweights\nb.tsv\t0a\nc.tsv\t0a\n")
    for name in ("b.tsv", "a.csv"):
        measured.write_measured(pd.DataFrame({"x": [1.23456]}), tmp_path / name, "%.3g")
        assert (tmp_path / name).read_text() == "x\n1.23\n"
    notes = pd.read_csv(tmp_path / measured.NOTES, sep="\t").set_index("table")["weights"]
    own = sha256(find_weights())
    assert notes.to_dict() == {"a.csv": own, "b.tsv": own, "c.tsv": "0a"}


def test_the_page_on_genomes_is_what_its_tables_say() -> None:
    assert genomes.render() == (ROOT / "docs" / "genomes.md").read_text(encoding="utf-8")


def test_a_known_hairpin_is_found_if_half_of_the_longer_is_in_both() -> None:
    table = pd.DataFrame(
        {
            "sequence": "x",
            "start": [100, 140, 300],
            "end": [200, 240, 360],
            "strand": ["+", "+", "-"],
            "score": [0.5, 0.75, 0.25],
        }
    )

    def best(
        start: int, end: int, strand: str, sequence: str = "x", *, opposite: bool = False
    ) -> float:
        place = {"sequence": [sequence], "start": [start], "end": [end], "strand": [strand]}
        known = pd.DataFrame(place)
        (score,) = genomes.best_scores(known, table, "score", opposite=opposite)
        return score

    assert best(100, 200, "+") == 0.75, "60 of 100 of the second one"
    assert best(60, 160, "+") == 0.5
    assert best(50, 150, "+") == 0.5, "50 of 100"
    assert np.isnan(best(49, 149, "+"))
    assert np.isnan(best(100, 200, "-"))
    assert best(100, 200, "-", opposite=True) == 0.75
    assert np.isnan(best(100, 200, "+", "y"))
    # The longer counts: 60 of 60, but only 60 of 130.
    assert best(300, 360, "-") == 0.25
    assert np.isnan(best(280, 410, "-"))


def hairpins(*rows: tuple[int, str, float, float]) -> pd.DataFrame:
    """Make the hairpins of a scan, of 80 nt: start, strand, score, mfe."""
    table = pd.DataFrame(rows, columns=["start", "strand", "score", "mfe"])
    return table.assign(sequence="x", end=table["start"] + 80, antisense="")


def test_the_threshold_decides_which_of_two_antisense_twins_is_called() -> None:
    """The stable strand is called if both are above; at a stricter threshold the other one."""
    table = hairpins((100, "-", 0.953, -56.5), (105, "+", 0.968, -26.0), (500, "+", 0.5, -30.0))
    assert genomes.called_from(table, 0.6).tolist() == [True, False, False]
    assert genomes.called_from(table, 0.96).tolist() == [False, True, False]
    assert genomes.called_from(table, 0.4).tolist() == [True, False, True]
    assert genomes.best_calls(table, 1).tolist() == [True, False, False]
    assert genomes.best_calls(table, 2).tolist() == [True, False, True]
    assert genomes.best_calls(table, 99).tolist() == [True, False, True]
    assert not genomes.best_calls(table, 0).any()
    assert not genomes.called_from(table, 0.99).any()


def test_calls_of_a_genome_are_counted_at_each_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = SimpleNamespace(cuts={"5%": 0.1, "1%": 0.5, "0.01%": 0.96})
    monkeypatch.setattr(genomes, "load_networks", lambda kingdom: trained)
    monkeypatch.setitem(genomes.GENOMES, "tiny", genomes.Genome("T", "t.fa", ("x:1-1000000",)))
    rows = [(100, "-", 0.953, -56.5), (105, "+", 0.968, -26.0), (1_500_000, "+", 0.6, -30.0)]
    everywhere, unseen = genomes.rates("tiny", hairpins(*rows), {"x": "A" * 2_000_000})
    assert (everywhere["part"], unseen["part"]) == ("all", "trained nothing")
    assert (everywhere["hairpins per Mb"], unseen["hairpins per Mb"]) == (1.5, 2)
    assert (everywhere["calls per Mb, 1%"], unseen["calls per Mb, 1%"]) == (1, 1)
    assert (everywhere["calls per Mb, 0.01%"], unseen["calls per Mb, 0.01%"]) == (0.5, 1)
    assert "calls per Mb, 5%" not in everywhere, "a scan at 1 % did not fold all of these"


def test_known_hairpins_are_counted_among_so_many_calls_a_megabase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two megabases, 40 hairpins: at 3 a megabase, the six highest scores."""
    table = hairpins(*((1000 * n, "+", n / 40, -30.0) for n in range(40)))
    table["first"] = table["score"].to_numpy()[::-1]
    known = table.iloc[[39, 34, 33, 0]][["sequence", "start", "end", "strand"]].assign(
        trust=["supported", "", "supported", ""],
        family=["new", "new", "old", "old"],
        score=[39 / 40, 34 / 40, 33 / 40, np.nan],
    )
    # The last one is on the other strand: nothing finds it.
    known.iloc[3, known.columns.get_loc("strand")] = "-"
    monkeypatch.setattr(genomes, "read_family_names", lambda _: ["new"])
    rows = pd.DataFrame(genomes.recall("human-x", known, table, 2.0)).set_index("known hairpins")
    assert rows["places"].tolist() == [4, 2, 2, 1]
    assert rows["found"].tolist() == [3, 2, 2, 1]
    assert rows["at 3 calls per Mb"].tolist() == [2, 1, 0, 0], "the first network ranks backwards"
    assert rows["at 10 calls per Mb"].tolist() == [3, 2, 0, 0]
    assert rows["at 30 calls per Mb"].tolist() == [3, 2, 2, 1], "all hairpins that there are"


def test_known_hairpins_are_found_wherever_they_occur(monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts of any length, on both strands, more than once; not those of other species."""
    hairpin, other = "GGGAUCCAUAGCUUAGCAUCCC", "GGGAUCCAUAGCUUAGCAUCGA"
    reverse = reverse_complement_rna(hairpin)
    text = f"ACGN{hairpin}AANNCG{reverse}{hairpin}{other[:20]}"
    entries = [
        Entry("xxx-mir-1", "", "xxx", "mir-1", hairpin),
        Entry("xxx-mir-2", "", "xxx", "mir-2", other),
        Entry("yyy-mir-1", "", "yyy", "mir-1", hairpin),
    ]
    genome = genomes.Genome("X", "x.fa", species="xxx")
    expected = [("s", 4, 26, "+"), ("s", 32, 54, "-"), ("s", 54, 76, "+")]
    for part in (1000, 17, 5):
        monkeypatch.setattr(genomes, "_PART", part)
        found = genomes.occurrences(genome, {"s": text, "t": "ACG"}, entries)
        places = found[["sequence", "start", "end", "strand"]].itertuples(index=False, name=None)
        assert list(places) == expected
        assert set(found["name"]) == {"xxx-mir-1"}


def test_hairpins_of_regions_that_trained_nothing() -> None:
    table = pd.DataFrame({"sequence": ["x", "x", "x", "y"], "start": [9, 10, 19, 15]})
    assert genomes.within(table, ("x:11-19",)).tolist() == [False, True, False, False]
    assert genomes.within(table, ("x:11-20", "y:1-16")).tolist() == [False, True, True, True]
    assert genomes.within(table, ()).all()


def test_annotated_rnas_are_counted_by_what_the_command_says() -> None:
    rows = pd.DataFrame(
        {
            "family": ["let-7", "mir-1", "", "", ""],
            "right": ["let-7", "mir-2", "mir-3", "", "mir-4"],
            "reason": ["", "", annotated.NEW, "no pre-miRNA", annotated.NEW],
        }
    )
    assert annotated.counted(rows) == {"RNAs": 5, "named": 2, "named right": 1, annotated.NEW: 2}
