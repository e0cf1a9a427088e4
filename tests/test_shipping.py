"""Networks that are shipped are calibrated by some held-out records, and measured by others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from mirpair.contracts import SCORED_RECORDS
from mirpair.files import InputError
from mirpair.hairpins.candidates import best_hairpins
from mirpair.networks.build import build
from mirpair.networks.weights import save_weights
from mirpair.prediction import shipping
from mirpair.prediction.calibration import calibrate
from mirpair.prediction.card import CardPart, prediction_card
from mirpair.prediction.shipping import (
    calibrate_kingdom,
    scanned_pre_mirnas,
    score_records,
    stems_to_fold,
)
from mirpair.prediction.weights import load_networks, rounded, write_networks
from mirpair.recipes import MODELS
from mirpair.settings import HairpinCriteria

YEAST = {"bases": 2_000_000, "hairpins": 30_000}
X = {"bases": 1_000_000, "hairpins": 8_000}


def scored(others: int = 2000) -> pd.DataFrame:
    """Two kinds of genome, whose hairpins evaluate or validate, and pre-miRNAs of two cuts."""
    rng = np.random.default_rng(0)
    parts = []
    for role in ("train", "validate", "evaluate"):
        for label, collection, cut, count in (
            (1, "animals", "hairpin", 100),
            (1, "animals", "scanned", 100),
            (0, "yeast", "scanned", others // 2),
            (0, "x", "scanned", others // 2),
            (0, "yeast", "window", 50),
            (0, "rfam", "", 50),
        ):
            score = np.nan if role == "train" else expit(rng.normal(4 * label - 2, 1, count))
            part = {"label": label, "role": role, "collection": collection, "cut": cut}
            lengths = rng.integers(40, 130, count)
            parts.append(pd.DataFrame({**part, "length": lengths, "score": score}))
    table = pd.concat(parts, ignore_index=True).assign(trust="")
    table["id"] = table.index.astype(str)
    return table[list(SCORED_RECORDS)].astype(SCORED_RECORDS)


def test_every_record_has_its_role_cut_and_the_mean_score_of_the_networks() -> None:
    records = pd.DataFrame(
        {
            "id": list("abcde"),
            "label": [1, 1, 0, 0, 0],
            "sequence": ["A" * n for n in (50, 60, 70, 80, 90)],
            "file": ["c/mine.fa", "c/mine.fa", "other.fa.gz", "c/yeast.fa", "c/yeast.fa"],
            "number": [1, 2, 1, 1, 2],
        }
    )
    origins = {
        "c/mine.fa": pd.DataFrame({"cut": ["hairpin", "scanned"], "trust": ["supported", ""]}),
        "c/yeast.fa": pd.DataFrame({"cut": ["scanned", "window"], "trust": ["", ""]}),
    }
    experiment = pd.DataFrame(
        {"id": list("abcd"), "role": ["train", "validate", "evaluate", "validate"]}
    )
    networks = [
        (experiment, pd.DataFrame({"id": list("bcd"), "score": scores}))
        for scores in ([0.5, 0.25, 0.0], [1.0, 0.75, 0.5])
    ]
    table = score_records(records, origins, networks)
    assert table["role"].tolist() == ["train", "validate", "evaluate", "validate", ""]
    assert table["collection"].tolist() == ["mine", "mine", "other", "yeast", "yeast"]
    assert table["cut"].tolist() == ["hairpin", "scanned", "", "scanned", "window"]
    assert table["trust"].tolist() == ["supported", "", "", "", ""]
    assert table["length"].tolist() == [50, 60, 70, 80, 90]
    assert table["score"].tolist()[1:4] == [0.75, 0.5, 0.25]
    assert table["score"].isna().tolist() == [True, False, False, False, True]
    with pytest.raises(InputError, match="no record of the experiments has the role 'validate'"):
        score_records(records, origins, [(experiment.iloc[[0, 2]], networks[0][1])])
    with pytest.raises(InputError, match="a network that ships did not score all records"):
        score_records(records, origins, [networks[0], (experiment, networks[1][1].iloc[1:])])


def test_networks_score_only_records_that_they_did_not_train_on() -> None:
    """One holds out the family of `a`, the other that of `c`; both hold out the hairpin `d`."""
    records = pd.DataFrame(
        {
            "id": list("abcdef"),
            "label": [1, 1, 1, 0, 0, 0],
            "sequence": ["A" * 60] * 6,
            "file": ["none.fa"] * 6,
            "number": range(1, 7),
        }
    )
    held_out = [
        {"a": "evaluate", "b": "validate", "c": "train", "d": "evaluate", "e": "validate"},
        {"a": "train", "b": "train", "c": "evaluate", "d": "evaluate", "e": "evaluate"},
    ]
    trainings = []
    for number, roles in enumerate(held_out, 1):
        experiment = pd.DataFrame({"id": roles.keys(), "role": roles.values()})
        unseen = [it for it, role in roles.items() if role != "train"]
        trainings.append((experiment, pd.DataFrame({"id": unseen, "score": number / 4})))
    table = score_records(records, {}, trainings).set_index("id")
    assert table["role"].to_dict() == {
        **dict.fromkeys("acde", "evaluate"), "b": "validate", "f": ""
    }  # fmt: skip
    assert table["score"].dropna().to_dict() == {
        "a": 0.25, "b": 0.25, "c": 0.5, "d": 0.375, "e": 0.5
    }  # fmt: skip


def test_validation_records_calibrate_and_evaluation_records_do_not() -> None:
    table = scored()
    part = calibrate_kingdom(table, [], {})
    validation = table[table["role"] == "validate"]
    assert part.candidates == calibrate(validation["label"], validation["score"])
    scanned = validation[validation["cut"] == "scanned"]
    assert part.genome == calibrate(scanned["label"], scanned["score"])
    others = scanned.loc[scanned["label"] == 0, "score"]
    # Of 2,000 none could be a share of 0.01 %.
    assert list(part.cuts) == ["5%", "1%", "0.1%"]
    for name, count in (("5%", 100), ("1%", 20), ("0.1%", 2)):
        assert (others >= part.cuts[name]).sum() == count  # type: ignore[index]
    changed = table.assign(score=table["score"].where(table["role"] != "evaluate", 0.5))
    assert calibrate_kingdom(changed, [], {}) == part
    assert list(calibrate_kingdom(scored(20_000), [], {}).cuts)[-1] == "0.01%"


def test_calls_a_megabase_are_the_share_of_a_genomes_hairpins_times_their_number() -> None:
    table = scored()
    genomes: dict[str, Any] = {"yeast": {"yeast": YEAST}, "both": {"yeast": YEAST, "x": X}}
    part = calibrate_kingdom(table, [], genomes)
    yeast, both = part.rates["5%"]
    chosen = table[(table["role"] == "evaluate") & (table["cut"] == "scanned")]
    shares = {
        name: (chosen.loc[chosen["collection"] == name, "score"] >= part.cuts["5%"]).mean()
        for name in ("yeast", "x")
    }
    assert (yeast.genome, yeast.hairpins, yeast.scored) == ("yeast", 15_000, 1000)
    assert yeast.calls == pytest.approx(shares["yeast"] * 15_000)
    assert both.hairpins == pytest.approx(38_000 / 3)
    expected = (shares["yeast"] * 30_000 + shares["x"] * 8_000) / 3
    assert both.calls == pytest.approx(expected)
    # Without evaluation records, by those that validate.
    only = table[(table["role"] != "evaluate") | (table["collection"] != "yeast")]
    validation = only[(only["collection"] == "yeast") & (only["cut"] == "scanned")]
    calls = (validation["score"] >= part.cuts["5%"]).sum() * 15
    assert calibrate_kingdom(only, [], genomes).rates["5%"][0].calls == pytest.approx(calls)
    with pytest.raises(InputError, match="'rfam' does not say in how many bases"):
        calibrate_kingdom(table, [], {"none": {"rfam": {"rnas": 50}}})
    with pytest.raises(InputError, match="no hairpin of 'rfam' that is cut as a scan does"):
        calibrate_kingdom(table, [], {"none": {"rfam": YEAST}})


def test_a_curve_tells_of_any_score_how_many_hairpins_reach_it_or_a_few_more() -> None:
    table = scored()
    (curve,) = calibrate_kingdom(table, [], {"yeast": {"yeast": YEAST}}).curves
    of_yeast = table[(table["collection"] == "yeast") & (table["cut"] == "scanned")]
    scores = of_yeast.loc[of_yeast["role"] == "evaluate", "score"].to_numpy()
    assert curve.genome == "yeast"
    assert 20 < len(curve.scores) == len(curve.calls) <= 64
    assert list(curve.scores) == sorted(curve.scores)
    for score in np.linspace(scores.min(), scores.max(), 50):
        # A thousand of 15,000 hairpins a megabase were scored.
        true = 15 * (scores >= score).sum()
        assert true <= curve.calls_from(score) + 1e-9 <= 1.5 * true + 1e-6
    assert curve.calls_from(1.1) == curve.calls_from(scores.max()) == pytest.approx(15)
    assert curve.calls_from(-1.0) == curve.calls_from(scores.min()) == pytest.approx(15_000)


def test_without_hairpins_of_genomes_a_scan_is_not_calibrated() -> None:
    part = calibrate_kingdom(scored(40), [], {})
    assert list(part.cuts) == ["5%"]
    part = calibrate_kingdom(scored(38), [], {})
    assert (part.genome, part.cuts, part.rates, part.curves) == (None, {}, {}, [])


def test_a_threshold_is_not_chosen_by_a_single_hairpin() -> None:
    """It may be a pre-miRNA that nobody knows: of 1,400 hairpins, 1.4 are one in a thousand."""
    assert list(calibrate_kingdom(scored(1400), [], {}).cuts) == ["5%", "1%"]
    assert list(calibrate_kingdom(scored(2000), [], {}).cuts) == ["5%", "1%", "0.1%"]


def test_of_the_pre_mirnas_that_are_called_one_in_a_hundred_is_not_folded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of them by their energy, half by their score in the structure of the stem."""
    hairpin = "GGCAUCCAGAUCAGGACAUGCUUCGGCAUGUCCUGAUCUGGAUGCC"
    (found,) = best_hairpins([hairpin], HairpinCriteria())
    assert found
    stems = np.arange(900) / 900
    # Ranks descend from 8.99 to 0, so that high scores go with low energies.
    hairpins = [found._replace(rank=899 - n) for n in range(900)]
    monkeypatch.setattr(shipping, "best_hairpins", lambda *_: hairpins)
    monkeypatch.setattr(shipping, "score_molecules", lambda *_: stems)
    cuts: dict[Any, float] = {"5%": 0.1, "1%": 0.5, "0.1%": 0.9}
    # The first 300 are not called.
    scores = [0.0] * 300 + [0.6] * 300 + [0.95] * 300
    network, rnas = build(MODELS["stem"], seed=0), [hairpin] * 900
    limits = stems_to_fold(cuts, scores, rnas, network)
    assert list(limits) == ["5%", "1%", "0.1%"]
    energy = np.quantile(np.arange(600) / 100, 0.995)
    kept = stems[300:][::-1][: int(100 * energy) + 1]
    assert limits["5%"] == limits["1%"]
    # Widened by 2 kcal/mol and by half the score: in a genome, stems have other ends.
    assert limits["1%"].energy == pytest.approx(energy + 2)
    assert limits["1%"].score == pytest.approx(np.quantile(kept, 0.005) / 2)
    assert limits["0.1%"].energy == pytest.approx(np.quantile(np.arange(300) / 100, 0.995) + 2)
    # If too few are called, the limits are those of the threshold below.
    few = stems_to_fold(cuts, [0.0] * 300 + [0.6] * 501 + [0.95] * 99, rnas, network)
    assert few["0.1%"] == few["1%"]
    assert stems_to_fold(cuts, [0.0] * 801 + [0.6] * 99, rnas, network) == {}


def test_pre_mirnas_that_choose_the_stems_validate_for_the_first_network() -> None:
    """They may evaluate for another one; they are cut as a scan does."""
    table = scored(20)
    records = pd.DataFrame({"id": table["id"], "sequence": [f"{it}A" for it in table["id"]]})
    first = table[["id", "role"]].copy()
    (other,) = table.index[(table["role"] == "evaluate") & (table["label"] == 1)][-1:]
    first.loc[other, "role"] = "validate"
    (trains,) = table.index[(table["role"] == "validate") & (table["cut"] == "scanned")][:1]
    first.loc[trains, "role"] = "train"
    scores, bases = scanned_pre_mirnas(table, records, first)
    chosen = table[
        (first["role"] == "validate") & (table["label"] == 1) & (table["cut"] == "scanned")
    ]
    assert len(scores) == 100
    assert other in chosen.index
    assert trains not in chosen.index
    assert scores == chosen["score"].tolist()
    assert bases == [f"{it}A" for it in chosen["id"]]


def test_the_stems_that_a_scan_folds_ship(tmp_path: Path) -> None:
    weights = tmp_path / "trained.safetensors"
    save_weights(build(MODELS["stem"], seed=0), weights)
    hairpin = "GGCAUCCAGAUCAGGACAUGCUUCGGCAUGUCCUGAUCUGGAUGCC"
    scanned = ([1.0] * 150, [hairpin] * 150)
    part = calibrate_kingdom(scored(), [weights], {}, scanned)
    expected = stems_to_fold(part.cuts, *scanned, load_networks(weights).networks[0])
    assert part.stems == expected
    assert set(expected) == {"5%", "1%", "0.1%"}
    assert calibrate_kingdom(scored(), [weights], {}).stems == {}


def test_the_card_has_the_figures_of_the_evaluation_records(tmp_path: Path) -> None:
    weights = tmp_path / "trained.safetensors"
    save_weights(build(MODELS["variable"], seed=0), weights)
    path, table = tmp_path / "pre-mirna.safetensors", scored()
    genomes = {"yeast": {"yeast": YEAST}}
    part = calibrate_kingdom(table, [weights], genomes)
    write_networks(path, {"animals": part, "plants": part})
    recipe = {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 64}
    run = {"experiment": "families", "recipe": "paper", "epochs": 4, "seed": 7}
    provenance = [{"run": run, "recipe": recipe}]
    left_out = pd.DataFrame({"id": ["z"], "reason": ["copy"]})
    parts: dict[Any, CardPart] = {
        name: CardPart(load_networks(path, name), table, left_out, provenance)  # type: ignore[arg-type]
        for name in ("animals", "plants")
    }
    card = prediction_card(path, parts, ["someone; licence: none"])
    assert card.count("\n## Animals\n") == card.count("\n## Plants\n") == 1
    evaluation = table[table["role"] == "evaluate"]
    called = part.candidates.probability(evaluation["score"], 0.1) >= 0.5
    of_rfam = called[(evaluation["collection"] == "rfam").to_numpy()].mean()
    lines = card.split("\n## Plants")[0].splitlines()
    (row,) = [line for line in lines if line.startswith("| rfam ")]
    assert f"{of_rfam:.5f} (" in row
    yeast = part.rates["1%"][0]
    (row,) = [it for it in lines if it.startswith("| yeast ") and f"| {yeast.hairpins:,.0f} " in it]
    calls = [it.strip() for it in row.split("|")[4:-1]]
    assert calls == [rounded(rates[0].calls) for rates in part.rates.values()]
    assert [rounded(it) for it in (1073.2, 13.31, 0.154)] == ["1,100", "13", "0.15"]
    assert "15,000" in card
    assert f"{part.cuts['0.1%']:.6f}" in card
    assert "someone; licence: none" in card
    assert prediction_card(path, parts, ["someone; licence: none"]) == card
