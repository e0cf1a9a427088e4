"""Tables and report of a study of families: numbers by hand, nothing lost, nothing unsafe."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import ROOT
from matplotlib.figure import Figure

from mirpair.families.display import TITLES, printable
from mirpair.families.family_calls import CONTAINMENT_BANDS, Scored, sensitivity_difference
from mirpair.families.methods import (
    INFERNAL,
    MIRGENEDB,
    NEAREST,
    Called,
    gather_called,
    read_called,
)
from mirpair.families.report import answer, goals, render
from mirpair.families.tables import (
    accuracy_table,
    decisions_table,
    differences_table,
    growth_table,
    infernal_table,
    is_far_right,
    rejection_table,
    sizes_table,
    study_tables,
)
from mirpair.files import InputError, write_tsv
from mirpair.pages.page import Picture, StudyInfo
from mirpair.pages.printing import BELOW_MARK, read_table, to_text, write
from mirpair.pages.style import save
from mirpair.study.families import FamilyStudy
from mirpair.study.load import load_study

EVIL = "<script>alert('x')</script>"
SPLITS = {
    "main": {"split": "random", "training": 50},
    "few": {"split": "random", "training": 10},
    "more": {"split": "random", "training": 20},
}
NETWORK = "One-hot"


def queries() -> pd.DataFrame:
    """Four RNAs of two families and two tRNAs in either role; the baseline has three right."""
    known = [("F1", "F1", 0.95), ("F1", "F1", 0.6), ("F2", "F2", 0.6), ("F2", "F1", 0.1)]
    rows = [
        (f"{role}{number}", role, family, "", "t", called, containment)
        for role in ("validate", "evaluate")
        for number, (family, called, containment) in enumerate(known)
    ]
    rows += [
        (f"{role} tRNA {number}", role, "tRNA", "tRNA", "t", "F1", containment)
        for role in ("validate", "evaluate")
        for number, containment in enumerate((0.05, 0.5))
    ]
    columns = ["id", "role", "family", "kind", "nearest", "called", "containment"]
    return pd.DataFrame(rows, columns=columns)


def calls(*names: str) -> pd.DataFrame:
    """A network that calls the four RNAs so, in either role, and is sure of them, not of tRNAs."""
    of = [*names, *names, "F1", "F1", "F1", "F1"]
    sure = [0.9] * 8 + [0.1] * 4
    scores = {"softmax": sure, "energy": [1.0] * 12, "distance": sure[::-1]}
    return pd.DataFrame({"id": queries()["id"], "called": of, **scores})


def bits() -> pd.DataFrame:
    """Infernal has all right, but no hit for tRNAs."""
    table = queries()
    found = table["family"].where(table["kind"] == "", "")
    return pd.DataFrame(
        {"id": table["id"], "called": found, "bits": [50.0] * 8 + [float("nan")] * 4}
    )


def decided() -> pd.DataFrame:
    return bits().assign(decided=["profile HMM"] * 8 + [""] * 4)


def called() -> list[Called]:
    few = queries()[lambda table: table["kind"] == ""]
    networks = [
        ("main", NETWORK, calls("F1", "F1", "F2", "F2")),
        ("main", NETWORK, calls("F1", "F2", "F2", "F1")),
        ("few", NETWORK, calls("F1", "F1", "F2", "F1")),
        ("more", NETWORK, calls("F1", "F1", "F2", "F2")),
    ]
    theirs = bits().assign(called=lambda table: "Mir-" + table["called"])
    return gather_called(
        {"main": queries(), "few": few, "more": few},
        networks,
        {"main": bits()},
        {"main": (theirs, {"F1": "Mir-F1"})},
    )


def speed() -> pd.DataFrame:
    rows = [
        (INFERNAL, 1, 1, 10, 5.0, 0.0),
        (INFERNAL, 2, 1, 10, 10.0, 0.0),
        (INFERNAL, 2, 2, 10, 5.0, 0.0),
        (NETWORK, 2, 1, 10, 0.1, 0.05),
        (NETWORK, 2, 2, 10, 0.1, 0.05),
    ]
    return pd.DataFrame(
        rows, columns=["method", "families", "cores", "sequences", "seconds", "folding"]
    )


def tables() -> dict[str, pd.DataFrame]:
    every = accuracy_table(called(), SPLITS)
    rejections = rejection_table(called())
    return {
        "accuracy": every[every["experiment"] == "main"],
        "sizes": sizes_table(every, ["few", "more"]),
        "rejection": rejections,
        "infernal": infernal_table(every, rejections, speed(), "main"),
        "differences": differences_table(called(), rejections),
        "decisions": decisions_table(
            gather_called({"main": queries()}, [], by_models=[("main", decided())])
        ),
        "growth": growth_table(speed()),
    }


def row(table: pd.DataFrame, **chosen: object) -> pd.Series:
    for name, value in chosen.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_accuracy_is_the_mean_over_seeds_of_records_of_trained_families() -> None:
    table = tables()["accuracy"]
    ours = row(table, method=NETWORK, band="all")
    # All four by one seed, two of four by the other.
    assert ours["accuracy"] == pytest.approx(0.75)
    assert (ours["records"], ours["families"], ours["seeds"]) == (4, 2, 2)
    assert ours["low"] <= 0.75 <= ours["high"]
    far = row(table, method=NETWORK, band="below 0.3")
    assert (far["records"], far["accuracy"], far["baseline"]) == (1, 0.5, 0)


def test_the_baseline_has_a_row_in_every_experiment() -> None:
    every = accuracy_table(called(), SPLITS)
    for name in SPLITS:
        found = row(every, method=NEAREST, experiment=name, band="all")
        assert found["accuracy"] == found["baseline"] == 0.75


def test_the_best_of_a_band_are_all_that_nobody_betters() -> None:
    table = tables()["accuracy"]
    best = set(table.loc[table["best"] & (table["band"] == "0.5–0.7"), "method"])
    assert best == {NEAREST, INFERNAL}
    assert not table.loc[table["band"] == "0.3–0.5", "best"].any(), "no record is there"


def test_mirgenedb_counts_for_the_families_that_it_has() -> None:
    theirs = row(tables()["accuracy"], method=MIRGENEDB, band="all")
    assert (theirs["families"], theirs["records"], theirs["accuracy"]) == (1, 2, 1)
    assert not theirs["best"]
    assert "1 of 2 families" not in to_text(printable("sizes", tables()["sizes"]), "md")
    assert "(1 of 2, 2 of 4 records)" in to_text(printable("accuracy", tables()["accuracy"]), "md")


def test_families_of_mirgenedb_that_are_none_of_ours_are_rejected() -> None:
    theirs = bits().assign(called="Mir-other")
    one = gather_called({"main": queries()}, [], None, {"main": (theirs, {"F1": "Mir-F1"})})[-1]
    assert one.calls[0]["bits"].isna().all()


def test_the_study_says_which_experiments_differ_in_size_alone() -> None:
    study = load_study(yaml.safe_load((ROOT / "config" / "families.yaml").read_text("utf-8")))
    assert isinstance(study, FamilyStudy)
    assert study.series() == ["small-10", "small-20", "small-30"]


def test_sizes_are_of_the_same_families_and_in_order() -> None:
    table = tables()["sizes"]
    found = table.loc[table["method"] == NETWORK, ["training", "accuracy"]].to_numpy().tolist()
    assert found == [[10, 0.75], [20, 1.0]]


def test_rejection_by_hand() -> None:
    table = tables()["rejection"]
    assert set(table["experiment"]) == {"main"}, "the others have nothing to reject"
    softmax = row(table, method=NETWORK, score="maximum softmax", kind="tRNA")
    assert (softmax["AUROC"], softmax["accepted"], softmax["false positives"]) == (1, 1, 0)
    assert softmax["sensitivity"] == pytest.approx(0.75)
    energy = row(table, method=NETWORK, score="energy", kind="tRNA")
    assert (energy["AUROC"], energy["accepted"]) == (0.5, 0)
    assert softmax["best"]
    assert not energy["best"]
    # What evaluates: 0.95, 0.6, 0.6 and 0.1 against 0.05 and 0.5.
    nearest = row(table, method=NEAREST, kind="all kinds")
    assert nearest["AUROC"] == pytest.approx(7 / 8)
    assert nearest["accepted"] == 0.75


def test_without_records_that_validate_nothing_is_rejected() -> None:
    asked = queries()
    asked = asked[(asked["kind"] != "") | (asked["role"] == "evaluate")]
    found = calls("F1", "F1", "F2", "F2")
    assert rejection_table([Called("main", NETWORK, asked, [found])]).empty


def test_the_best_score_is_chosen_by_what_validates() -> None:
    swap = {"validate": "evaluate", "evaluate": "validate"}
    asked = queries()
    # The distance is right on the records that evaluate alone, the energy on the others.
    evaluates = asked["role"] == "evaluate"
    truth = (asked["kind"] == "").astype(float)
    found = calls("F1", "F1", "F2", "F2").assign(
        softmax=0.5, energy=truth.where(~evaluates, 0.5), distance=truth.where(evaluates, 0.5)
    )
    table = rejection_table([Called("main", NETWORK, asked, [found])])
    assert set(table.loc[table["best"], "score"]) == {"energy"}
    other = asked.assign(role=asked["role"].map(swap))
    table = rejection_table([Called("main", NETWORK, other, [found])])
    assert set(table.loc[table["best"], "score"]) == {"distance in feature space"}


def test_speed_is_told_beside_infernals_with_all_families() -> None:
    ours = row(tables()["infernal"], method=NETWORK)
    assert (ours["rate 1"], ours["ratio 1"], ours["ratio 2"]) == (100, 100, 50)
    assert ours["folding"] == 0.5
    growth = tables()["growth"]
    assert growth.query("method == @INFERNAL and cores == 1")["seconds each"].tolist() == [0.5, 1]


def test_without_infernal_nothing_else_is_lost() -> None:
    without = [one for one in called() if one.method not in (INFERNAL, MIRGENEDB)]
    every = accuracy_table(without, SPLITS)
    assert set(every["method"]) == {NEAREST, NETWORK}
    both = accuracy_table(called(), SPLITS)
    same = both[both["method"].isin([NEAREST, NETWORK])].reset_index(drop=True)
    pd.testing.assert_frame_equal(every.drop(columns="best"), same.drop(columns="best"))
    shown = {"accuracy": every, "rejection": rejection_table(without)}
    assert len(goals(shown)) == 3
    assert INFERNAL not in " ".join(answer(shown)[1])


def test_goals_are_told_with_their_numbers() -> None:
    bands, far, kinds, fast = goals(tables())
    assert not bands.reached
    assert "0.5–0.7: 0.750 against 1.000" in bands.result
    assert not far.reached
    assert "0.500" in far.result
    assert kinds.reached, "the best score accepts all and no tRNA"
    assert not fast.reached, "fast enough, but less sensitive"
    assert "50 times" in fast.result
    alone = tables() | {"infernal": tables()["infernal"].assign(sensitivity=1.0)}
    assert goals(alone)[3].reached


def test_a_band_without_records_misses_no_goal() -> None:
    table = tables()["accuracy"]
    table.loc[table["band"] == "below 0.3", ["records", "accuracy"]] = [0, float("nan")]
    assert goals({"accuracy": table})[1].reached is None


@pytest.mark.parametrize("name", TITLES)
def test_tables_are_read_as_they_were_written_and_shown_in_every_format(
    name: str, tmp_path: Path
) -> None:
    table = tables()[name]
    for kind in ("csv", "md", "html", "tex"):
        write(printable(name, table), tmp_path / f"{name}.{kind}")
    again = read_table(tmp_path / f"{name}.csv")
    assert to_text(printable(name, again), "csv") == to_text(printable(name, table), "csv")
    for kind in ("md", "html", "tex"):
        text = (tmp_path / f"{name}.{kind}").read_text("utf-8")
        assert (NETWORK if name != "decisions" else "profile HMM") in text
        assert "nan" not in text
    with pytest.raises(InputError, match="unknown table format"):
        write(printable(name, table), tmp_path / f"{name}.xlsx")


def test_tables_are_written_the_same_every_time() -> None:
    first, second = (
        [to_text(printable(name, table), "html") for name, table in tables().items()]
        for _ in range(2)
    )
    assert first == second


def test_files_are_read_by_the_names_of_their_experiments(tmp_path: Path) -> None:
    write_tsv(queries(), tmp_path / "main.tsv")
    write_tsv(calls("F1", "F1", "F2", "F2"), tmp_path / "calls.tsv")
    (tmp_path / "infernal").mkdir()
    for name in ("main", "main-mirgenedb"):
        write_tsv(bits(), tmp_path / f"infernal/{name}.tsv")
    names = tmp_path / "infernal/main-mirgenedb.json"
    names.write_text(json.dumps({"F1": "F1"}))
    found = read_called(
        [str(tmp_path / "main.tsv")],
        [str(tmp_path / "calls.tsv")],
        [{"experiment": "main", "label": NETWORK}],
        [str(tmp_path / "infernal/main.tsv")],
        [str(tmp_path / "infernal/main-mirgenedb.tsv"), str(names)],
    )
    assert [one.method for one in found] == [NEAREST, NETWORK, INFERNAL, MIRGENEDB]
    assert {one.experiment for one in found} == {"main"}
    assert accuracy_table(found, SPLITS)["band"].unique().tolist() == ["all", *CONTAINMENT_BANDS]


def page(title: str, folder: Path) -> str:
    figure = Figure()
    figure.subplots()
    save(figure, folder / "a.svg")
    provenance = {
        "run": {"experiment": "main", "model": "one-hot", "recipe": "tang-sun", "seed": 0}
        | {"epochs": 20},
        "wall_time_s": 90.0,
        "device": "cpu",
        "threads": 1,
        "versions": {"mirpair": "0", "torch": "1"},
    }
    return render(
        StudyInfo(title, EVIL, [provenance], {EVIL: (EVIL, "0")}, EVIL),
        tables(),
        [Picture(EVIL, EVIL, folder / "a.svg", "methods")],
        {"accuracy": EVIL},
    )


def test_the_report_begins_with_the_answer_and_has_everything(tmp_path: Path) -> None:
    text = page("Families", tmp_path)
    places = [text.index(part) for part in ('class="answer"', 'id="goals"', 'id="table-accuracy"')]
    assert places == sorted(places)
    for name in TITLES:
        assert f'id="table-{name}"' in text
    for cited in ("10.1186/s12859-019-3279-2", "Rfam", "Fiannaca", "Infernal", "ViennaRNA"):
        assert cited in text
    assert "1.5 minutes" in text
    assert "numbers of the paper (Tang and Sun 2019) are not reprinted" in text
    # Self-contained: nothing is fetched.
    assert 'src="' not in text
    assert page("Families", tmp_path) == text


def test_no_text_of_the_user_is_code(tmp_path: Path) -> None:
    text = page(EVIL, tmp_path)
    assert EVIL not in text
    assert text.count("<script>") == 1


@pytest.mark.parametrize(("value", "is_it"), [(0.899, False), (0.90, False), (0.901, True)])
def test_the_goal_where_little_alike_trained_is_above_90_percent(value: float, is_it: bool) -> None:
    rows = pd.DataFrame({"band": ["all", "below 0.3"], "records": [9, 5], "accuracy": [1.0, value]})
    assert is_far_right(rows) is is_it


def test_methods_are_compared_with_infernal_on_the_same_records() -> None:
    """Infernal has all right; the network's second seed has two of four wrong, one of each family.

    The neighbour has only the record of the band below 0.3 wrong, and its shared 8-mers accept the
    three others at the threshold of no tRNA (0.5), where Infernal accepts all.
    """
    table = tables()["differences"]
    assert set(table["experiment"]) == {"main"}, "no other experiment has Infernal"
    assert INFERNAL not in set(table["method"])

    def of(method: str, measure: str, of: str) -> tuple[float, int]:
        found = row(table, method=method, measure=measure, of=of)
        return found["difference"], found["records"]

    assert of(NETWORK, "accuracy", "all") == (-0.25, 4)
    assert of(NETWORK, "accuracy", "below 0.3") == (-0.5, 1)
    assert of(NEAREST, "accuracy", "all") == (-0.25, 4)
    assert of(NEAREST, "accuracy", "0.5–0.7") == (0.0, 2)
    assert of(NETWORK, "sensitivity", "tRNA") == (-0.25, 4), "half of the second seed is wrong"
    assert of(NEAREST, "sensitivity", "tRNA") == (-0.25, 4)
    assert of(NEAREST, "sensitivity", "all kinds") == (-0.25, 4)
    sensitive = row(table, method=NEAREST, measure="sensitivity", of="tRNA")
    assert (sensitive["low"], sensitive["high"]) == (-0.5, 0.0)
    neighbour = row(table, method=NEAREST, measure="accuracy", of="all")
    # Both records of F2 are drawn, one, or none: the difference is -1/2, -1/4 or 0.
    assert (neighbour["low"], neighbour["high"]) == (-0.5, 0.0)
    shown = to_text(printable("differences", table), "md")
    assert "-0.250" in shown
    assert "-0.500 to +0.000" in shown


def test_decisions_are_counted_by_what_decided() -> None:
    """Of eight calls of known families, a profile HMM decides four, of which one is wrong."""
    table = queries()
    decided = ["profile HMM"] * 2 + ["covariance model"] + [""]
    calls = table[["id", "called"]].assign(bits=50.0, decided=[*decided, *decided, *[""] * 4])
    calls.loc[5, "called"] = "F2"
    found = gather_called({"main": table}, [], by_models=[("main", calls), ("main", calls)])
    rows = decisions_table(found)
    assert rows["decided"].tolist() == ["profile HMM", "covariance model", ""]
    assert rows["known"].tolist() == [4, 2, 2]
    assert rows["right"].tolist() == [0.5, 1.0, 0.0]
    assert rows["others"].tolist() == [0, 0, 4]
    shown = to_text(printable("decisions", rows), "md")
    assert "nothing: no covariance model has a hit" in shown


def test_a_sensitivity_is_as_uncertain_as_its_threshold() -> None:
    """All records have the same score, between those of 20 outliers, of which one is above it.

    In a third of the draws, it is drawn twice or more, and the threshold is above all records.
    """
    families = [f"F{number}" for number in range(20)]
    rows = [("evaluate", it, "", 1.0, 5.0) for it in families]
    outside = [2.0] + [0.0] * 19
    rows += [("validate", "tRNA", "tRNA", value, 0.0) for value in outside]
    table = pd.DataFrame(rows, columns=["role", "family", "kind", "ours", "theirs"])
    table["id"], table["called"] = [str(number) for number in range(40)], table["family"]
    queries = table[["id", "role", "family", "kind", "called"]]
    ours, theirs = (Scored(table[["id", "called", it]], it) for it in ("ours", "theirs"))
    difference, low, high = sensitivity_difference(queries, [ours], theirs, "tRNA")
    assert (difference, low, high) == (0.0, -1.0, 0.0)
    same = sensitivity_difference(queries, [theirs, theirs], theirs, "tRNA")
    assert same == (0.0, 0.0, 0.0)


def test_a_difference_that_is_surely_negative_is_marked() -> None:
    table = tables()["differences"].head(1)
    for high, mark in ((-0.001, True), (0.0, False)):
        text = to_text(printable("differences", table.assign(low=-0.1, high=high)), "md")
        assert (f"{table['difference'].iloc[0]:+.3f} {BELOW_MARK}" in text) is mark


def test_a_study_has_all_its_tables_and_those_of_speed_if_it_was_measured(tmp_path: Path) -> None:
    write_tsv(speed(), tmp_path / "main.tsv")
    path = str(tmp_path / "main.tsv")
    made = study_tables(called(), SPLITS, shown=["main"], series=["few", "more"], speed=[path])
    every = [name for name in TITLES if name != "decisions"]
    assert sorted(made) == sorted(every), "no network makes shortlists"
    for name in every:
        pd.testing.assert_frame_equal(made[name], tables()[name])
    found = gather_called({"main": queries()}, [], by_models=[("main", decided())])
    assert "decisions" in study_tables(found, SPLITS, shown=["main"])
    assert list(study_tables(called(), SPLITS, shown=["main"])) == [
        "accuracy",
        "sizes",
        "rejection",
    ]
