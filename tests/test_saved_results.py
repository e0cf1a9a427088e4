"""Saved results are reused if they are those that were planned, and are restored byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from mirpair.contracts import USUAL_BASELINES
from mirpair.files import InputError
from mirpair.recipes import Recipe
from mirpair.study.saved_results import (
    DATA,
    OF_RUN,
    OF_WATCHED,
    check_baselines,
    check_data,
    pack,
    reusable_runs,
    unpack,
)

NAME = "runs/cv1/variable/paper/seed0"
TRAINING: dict[str, Any] = {
    "run": {"experiment": "cv1", "epochs": 40, "seed": 0},
    "model": {"label": "Variable-sized"},
    "recipe": asdict(Recipe()),
}


def save(folder: Path, **changes: object) -> Path:
    """A saved run; its provenance has more than what is planned."""
    place = folder / NAME
    place.mkdir(parents=True, exist_ok=True)
    for name in OF_RUN:
        (place / name).write_text("epoch\n" + "1\n" * 40)
    provenance = {**TRAINING, "wall_time_s": 3.5, **changes}
    (place / "provenance.json").write_text(json.dumps(provenance))
    return place


def test_a_run_is_reused_if_it_is_complete_and_was_trained_as_planned(tmp_path: Path) -> None:
    save(tmp_path)
    other = NAME.replace("cv1", "cv2")
    assert reusable_runs(tmp_path, {NAME: TRAINING, other: TRAINING}) == [NAME]


@pytest.mark.parametrize("part", list(TRAINING))
def test_a_run_that_was_trained_otherwise_is_not_reused(tmp_path: Path, part: str) -> None:
    save(tmp_path, **{part: {**TRAINING[part], "other": 1}})
    assert reusable_runs(tmp_path, {NAME: TRAINING}) == []


def test_a_run_from_before_a_key_of_recipes_had_its_default(tmp_path: Path) -> None:
    """A new key must not cost every training that is saved."""
    before = {name: value for name, value in TRAINING["recipe"].items() if name != "schedule"}
    save(tmp_path, recipe=before)
    assert reusable_runs(tmp_path, {NAME: TRAINING}) == [NAME]
    other = {**TRAINING, "recipe": asdict(Recipe(schedule="one-cycle"))}
    assert reusable_runs(tmp_path, {NAME: other}) == []
    save(tmp_path, recipe={**before, "epochs": 41})
    assert reusable_runs(tmp_path, {NAME: TRAINING}) == []
    save(tmp_path, recipe={**TRAINING["recipe"], "of the future": 1})
    assert reusable_runs(tmp_path, {NAME: TRAINING}) == []


def test_the_published_results_are_of_recipes_of_today() -> None:
    """Those of docs/reproduction are older than some keys."""
    folder = ROOT / "docs" / "reproduction"
    planned = {}
    for path in sorted(folder.glob("runs/*/*/*/seed*/provenance.json")):
        saved = json.loads(path.read_text("utf-8"))
        training = {name: saved[name] for name in TRAINING}
        recipe = Recipe(**training["recipe"])
        planned[str(path.parent.relative_to(folder))] = {**training, "recipe": asdict(recipe)}
    assert len(planned) >= 39
    assert reusable_runs(folder, planned) == list(planned)


@pytest.mark.parametrize("missing", OF_RUN)
def test_a_run_that_lacks_a_file_is_not_reused(tmp_path: Path, missing: str) -> None:
    (save(tmp_path) / missing).unlink()
    assert reusable_runs(tmp_path, {NAME: TRAINING}) == []
    of_watched = reusable_runs(tmp_path, {NAME: TRAINING}, OF_WATCHED)
    assert of_watched == ([] if missing in OF_WATCHED else [NAME])


@pytest.mark.parametrize("content", ["[]", "{", ""])
def test_a_provenance_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    (save(tmp_path) / "provenance.json").write_text(content)
    with pytest.raises(InputError, match=r"seed0/provenance\.json: .* delete its folder"):
        reusable_runs(tmp_path, {NAME: TRAINING})


def test_a_history_of_fewer_or_more_epochs_is_not_reused(tmp_path: Path) -> None:
    save(tmp_path)
    assert reusable_runs(tmp_path, {NAME: TRAINING}, epochs=40) == [NAME]
    assert reusable_runs(tmp_path, {NAME: TRAINING}, epochs=80) == [], "it was not watched that far"
    (tmp_path / NAME / "history.tsv").write_text("epoch\n1\n")
    assert reusable_runs(tmp_path, {NAME: TRAINING}) == []


FILES = ["audit/cv1/records.tsv.gz", "baselines/cv1.tsv.gz"]
DATA_OF = {"datasets": {"mine": ["a.fa"]}, "audit": {}, "sha256": {"a.fa": "0a"}}


def save_data(folder: Path) -> None:
    for name in (DATA, *FILES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    (folder / DATA).write_text(json.dumps(DATA_OF))


def test_results_of_other_data_are_refused(tmp_path: Path) -> None:
    assert not check_data(tmp_path, DATA_OF, FILES), "nothing is saved there yet"
    save_data(tmp_path)
    assert check_data(tmp_path, DATA_OF, FILES)
    with pytest.raises(InputError, match=r"from other data: the section datasets of the config"):
        check_data(tmp_path, {**DATA_OF, "datasets": {"mine": ["b.fa"]}}, FILES)
    with pytest.raises(InputError, match="the section experiments of the config"):
        check_data(tmp_path, {**DATA_OF, "experiments": {}}, FILES)
    with pytest.raises(InputError, match="the section audit of the config"):
        check_data(tmp_path, {**DATA_OF, "audit": {"hairpins": "h.fa"}}, FILES)
    with pytest.raises(InputError, match="there is no such folder; correct `reuse`"):
        check_data(tmp_path / "nowhere", DATA_OF, FILES)


def test_other_baselines_are_made_and_cost_no_training(tmp_path: Path) -> None:
    save_data(tmp_path)
    more = {**DATA_OF, "baselines": [*USUAL_BASELINES, "triplet-svm"]}
    assert check_baselines(tmp_path, DATA_OF), "the usual ones"
    assert check_data(tmp_path, more, FILES)
    assert not check_baselines(tmp_path, more)
    (tmp_path / DATA).write_text(json.dumps(more))
    for fewer in (more, DATA_OF, {"baselines": ["random-forest"]}):
        assert check_baselines(tmp_path, fewer)
    # If they are saved again, those that the config lacks would be lost.
    with pytest.raises(InputError, match=r"again, and .*triplet-svm would be lost: add what is m"):
        check_baselines(tmp_path, {"baselines": ["gradient-boosting"]})


def test_results_of_another_study_are_said_to_be_that(tmp_path: Path) -> None:
    """Before the files that it lacks: those of another study have other names."""
    save_data(tmp_path)
    mine = {**DATA_OF, "datasets": {"yeast": ["a.fa"]}}
    with pytest.raises(InputError, match=r"of another study: its sets are mine, .* are yeast"):
        check_data(tmp_path, mine, ["audit/yeast1/records.tsv.gz"])
    (tmp_path / DATA).write_text('{"datasets": 1}')
    with pytest.raises(InputError, match="from other data: the section datasets"):
        check_data(tmp_path, mine, FILES)


def test_a_file_that_has_changed_under_its_name_is_reported(tmp_path: Path) -> None:
    save_data(tmp_path)
    with pytest.raises(InputError, match=r"were made with another version of a\.fa"):
        check_data(tmp_path, {**DATA_OF, "sha256": {"a.fa": "0b"}}, FILES)
    assert check_data(tmp_path, {**DATA_OF, "sha256": {}}, FILES), "it is not here"


@pytest.mark.parametrize("missing", [DATA, *FILES])
def test_a_part_that_is_lost_is_named_and_nothing_is_trained_for_it(
    tmp_path: Path, missing: str
) -> None:
    save_data(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(InputError, match=f"{missing} is missing; copy the missing files again"):
        check_data(tmp_path, DATA_OF, FILES)
    for name in (DATA, *FILES):
        (tmp_path / name).unlink(missing_ok=True)
    assert not check_data(tmp_path, DATA_OF, FILES), "nothing is saved there yet"
    save(tmp_path)
    with pytest.raises(InputError, match=f"{DATA} and 2 more are missing"):
        check_data(tmp_path, DATA_OF, FILES)


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz"])
def test_what_is_packed_comes_back_and_is_the_same_bytes_every_time(
    tmp_path: Path, name: str
) -> None:
    content = b"id\tscore\n" + b"a\t0.5\n" * 100
    (tmp_path / "made.tsv").write_bytes(content)
    pack(tmp_path / "made.tsv", tmp_path / name)
    packed = (tmp_path / name).read_bytes()
    unpack(tmp_path / name, tmp_path / "again.tsv")
    assert (tmp_path / "again.tsv").read_bytes() == content
    assert (len(packed) < len(content)) == name.endswith(".gz")
    if name.endswith(".gz"):
        assert packed[4:8] == bytes(4), "no time stamp"


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-9],
        lambda packed: b"x" + packed,
        lambda packed: packed[:10] + bytes([packed[10] ^ 255]) + packed[11:],
        lambda packed: b"",
    ],
    ids=["cut short", "no gzip", "another byte", "empty"],
)
def test_a_damaged_file_is_named_and_leaves_nothing_behind(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "made.tsv").write_bytes(b"id\n" * 50)
    packed = tmp_path / "a.tsv.gz"
    pack(tmp_path / "made.tsv", packed)
    packed.write_bytes(damage(packed.read_bytes()))
    with pytest.raises(InputError, match=r"a\.tsv\.gz: is damaged .* copy it again"):
        unpack(packed, tmp_path / "again.tsv")
    assert not (tmp_path / "again.tsv").exists()
