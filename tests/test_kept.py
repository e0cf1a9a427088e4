"""What is kept is taken if it is what was planned, and comes back byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mirpair.files import InputError
from mirpair.kept import DATA, OF_RUN, OF_WATCHED, check_data, kept_runs, pack, unpack

NAME = "runs/cv1/variable/paper/seed0"
TRAINING: dict[str, Any] = {
    "run": {"experiment": "cv1", "epochs": 40, "seed": 0},
    "model": {"label": "Variable-sized"},
    "recipe": {"learning_rate": 0.001},
}


def keep(folder: Path, **changes: object) -> Path:
    """A kept run; its provenance knows more than what is planned."""
    place = folder / NAME
    place.mkdir(parents=True, exist_ok=True)
    for name in OF_RUN:
        (place / name).write_text("")
    provenance = {**TRAINING, "wall_time_s": 3.5, **changes}
    (place / "provenance.json").write_text(json.dumps(provenance))
    return place


def test_a_run_is_taken_if_it_is_whole_and_was_trained_as_planned(tmp_path: Path) -> None:
    keep(tmp_path)
    other = NAME.replace("cv1", "cv2")
    assert kept_runs(tmp_path, {NAME: TRAINING, other: TRAINING}) == [NAME]


@pytest.mark.parametrize("part", list(TRAINING))
def test_a_run_that_was_trained_otherwise_is_not_taken(tmp_path: Path, part: str) -> None:
    keep(tmp_path, **{part: {**TRAINING[part], "other": 1}})
    assert kept_runs(tmp_path, {NAME: TRAINING}) == []


@pytest.mark.parametrize("missing", OF_RUN)
def test_a_run_that_lacks_a_file_is_not_taken(tmp_path: Path, missing: str) -> None:
    (keep(tmp_path) / missing).unlink()
    assert kept_runs(tmp_path, {NAME: TRAINING}) == []
    of_watched = kept_runs(tmp_path, {NAME: TRAINING}, OF_WATCHED)
    assert of_watched == ([] if missing in OF_WATCHED else [NAME])


@pytest.mark.parametrize("content", ["[]", "{", ""])
def test_a_provenance_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    (keep(tmp_path) / "provenance.json").write_text(content)
    with pytest.raises(InputError, match=r"seed0/provenance\.json: .* delete its folder"):
        kept_runs(tmp_path, {NAME: TRAINING})


def test_results_of_other_data_are_refused(tmp_path: Path) -> None:
    data = {"datasets": {"mine": ["a.fa"]}, "audit": {}}
    assert not check_data(tmp_path, data), "nothing is kept there yet"
    (tmp_path / DATA).write_text(json.dumps(data))
    assert check_data(tmp_path, data)
    with pytest.raises(InputError, match=r"of other data: the section datasets of the config"):
        check_data(tmp_path, {**data, "datasets": {"mine": ["b.fa"]}})
    with pytest.raises(InputError, match="the section experiments of the config"):
        check_data(tmp_path, {**data, "experiments": {}})
    with pytest.raises(InputError, match="there is no such folder; correct `kept`"):
        check_data(tmp_path / "nowhere", data)


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
    with pytest.raises(InputError, match=r"a\.tsv\.gz: is damaged .* get it again"):
        unpack(packed, tmp_path / "again.tsv")
    assert not (tmp_path / "again.tsv").exists()
