"""Figures of a study of families show all rows, and are the same every time."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from test_families_tables import NETWORK, called, tables

from mirpair.families.figures import (
    best_network,
    confusions,
    draw_bands,
    draw_confusions,
    draw_histories,
    draw_methods,
    draw_rejection,
    draw_sizes,
    draw_speed,
    study_figures,
)
from mirpair.families.methods import INFERNAL, MIRGENEDB, NEAREST, Called
from mirpair.files import write_tsv
from mirpair.pages.style import save, to_svg


def of(method: str) -> Called:
    return next(one for one in called() if (one.experiment, one.method) == ("main", method))


def history() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "epoch": [1, 2],
            "train loss": [2.0, 1.0],
            "train accuracy": [0.1, 0.5],
            "validate loss": [2.0, float("nan")],
            "validate accuracy": [0.1, float("nan")],
        }
    )


def figures() -> dict[str, Figure]:
    shown = tables()
    return {
        "methods": draw_methods(shown["accuracy"]),
        "sizes": draw_sizes(shown["sizes"]),
        "bands": draw_bands(shown["accuracy"]),
        "confusions": draw_confusions(of(NETWORK)),
        "rejection": draw_rejection([of(NEAREST), of(NETWORK), of(INFERNAL)]),
        "speed": draw_speed(shown["infernal"], shown["growth"]),
        "histories": draw_histories({"main": {NETWORK: [history()]}}),
    }


@pytest.mark.parametrize(
    ("name", "shown"),
    {
        "methods": [NEAREST, NETWORK, INFERNAL, MIRGENEDB, "sequence"],
        "sizes": [NEAREST, NETWORK, "2 families"],
        "bands": [NEAREST, NETWORK, INFERNAL, MIRGENEDB, "below 0.3", "n = 2", "n = 0"],
        "confusions": ["F1", "F2", NETWORK],
        "rejection": [f"{NETWORK}, energy", f"{NEAREST}, shared 8-mers", f"{INFERNAL}, bit score"],
        "speed": [INFERNAL, NETWORK, "50 × Infernal", "2 cores"],
        "histories": ["main", NETWORK, "validation records"],
    }.items(),
)
def test_a_figure_names_all_that_it_shows_and_is_the_same_every_time(
    name: str, shown: list[str], tmp_path: Path
) -> None:
    texts = []
    for number in (1, 2):
        save(figures()[name], tmp_path / f"{number}.svg")
        texts.append((tmp_path / f"{number}.svg").read_text("utf-8"))
    for word in shown:
        assert word in texts[0], word
    assert texts[0] == texts[1]


def test_families_without_infernal_are_drawn_too() -> None:
    table = tables()["accuracy"]
    drawn = draw_bands(table[table["method"].isin([NEAREST, NETWORK])])
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert labels == [NEAREST, NETWORK]


def test_the_best_network_is_no_other_program() -> None:
    assert best_network(tables()["accuracy"], "main") == NETWORK


def test_confusions_are_the_families_with_most_errors_first() -> None:
    one = of(NETWORK)
    second = Called(one.experiment, one.method, one.queries, one.calls[1:])
    # By the second seed one of two is right in either family.
    assert confusions(second).to_dict("split") == {
        "index": ["F1", "F2"],
        "columns": ["F1", "F2"],
        "data": [[1, 1], [1, 1]],
    }
    baseline = confusions(of(NEAREST))
    assert baseline.index.tolist() == ["F2"]
    assert baseline.loc["F2", "F1"] == 1
    # Without an error there is something to see all the same.
    assert confusions(of(INFERNAL)).to_numpy().trace() == 4


def test_what_is_called_nothing_is_told() -> None:
    one = of(INFERNAL)
    silent = [one.calls[0].assign(called="")]
    found = confusions(Called("main", INFERNAL, one.queries, silent))
    assert found["none"].tolist() == [2, 2]


def test_a_study_has_the_figures_that_its_tables_allow(tmp_path: Path) -> None:
    write_tsv(history(), tmp_path / "history.tsv")
    runs = [{"experiment": "main", "label": NETWORK}]
    files = [str(tmp_path / "history.tsv")]
    every = study_figures(called(), tables(), files, runs, "main")
    assert set(every) == set(figures())
    assert to_svg(every["confusions"]) == to_svg(draw_confusions(of(NETWORK))), "the best network"
    few = study_figures(called(), {"accuracy": tables()["accuracy"]}, files, runs, "main")
    assert set(few) == {"methods", "bands", "confusions", "histories"}
