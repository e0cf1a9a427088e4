"""The file of a config: what a reader of YAML or JSON accepts without a word, and we do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from mirpair.files import InputError
from mirpair.study.config_file import check_keys, check_numbers, typed

TWICE = """\
study: mine
experiments:
  # The first of these was dropped in silence.
  cv: {split: k-fold, dataset: mine, folds: 2}
  cv: {split: cluster-k-fold, dataset: mine, folds: 3}
runs:
  - models: [variable]
    epochs: 2
  - models: [fixed]
    epochs: 2
    epochs: 3
study: other
"""


def test_a_key_that_is_listed_twice_is_refused_with_file_line_and_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dup.yaml").write_text(TWICE)
    with pytest.raises(InputError) as caught:
        check_keys(tmp_path / "dup.yaml")
    end = "; rename or remove one of them"
    assert str(caught.value).splitlines() == [
        f"dup.yaml: line 12: the key `study` is in the file twice (first in line 1){end}",
        f"dup.yaml: line 5: the key `cv` is in `experiments` twice (first in line 4){end}",
        f"dup.yaml: line 11: the key `epochs` is in `runs.2` twice (first in line 10){end}",
    ]
    monkeypatch.chdir(ROOT)
    with pytest.raises(InputError, match=f"^{tmp_path / 'dup.yaml'}: line 12"):
        check_keys(tmp_path / "dup.yaml")


def test_it_is_refused_in_json_too_even_with_tabs(tmp_path: Path) -> None:
    path = tmp_path / "dup.json"
    path.write_text('{\n\t"study": "a",\n\t"datasets": {"x": 1,\n\t\t"x": 2}\n}\n')
    with pytest.raises(InputError, match=r"line 4: the key `x` is in `datasets` twice \(first in"):
        check_keys(path)


@pytest.mark.parametrize(
    "text",
    [
        # A merge key gives values that its section may replace, and may be there several times.
        "x-a: &a {epochs: 2}\nx-b: &b {folds: [1]}\nruns:\n  - {<<: *a, <<: *b, epochs: 3}\n",
        "runs: [&run {models: [variable]}, *run, *run]\n",
        "a: {same: 1}\nb: {same: 1}\nsame: 2\n",
        "1: a\n'1': b\n",
        "? [a, b]\n: 1\n? {a: b}\n: 2\n",
        "a: !own {b: 1}\n",
        "",
        "just text",
        "a: [unclosed",
    ],
)
def test_other_files_are_left_to_their_reader(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    check_keys(tmp_path / "c.yaml")


def test_two_spellings_of_one_key_are_one_key(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("a:\n  no: 1\n  false: 2\n")
    with pytest.raises(InputError, match="line 3: the key `false` is in `a` twice"):
        check_keys(tmp_path / "c.yaml")


@given(st.dictionaries(st.text("ab", min_size=1, max_size=2), st.integers(), min_size=1), st.data())
def test_in_a_section_of_any_keys_exactly_the_repeated_one_is_found(
    tmp_path_factory: pytest.TempPathFactory, section: dict[str, int], data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    lines = [f"  {key}: {value}" for key, value in section.items()]
    path.write_text("\n".join(["top:", *lines]) + "\n")
    check_keys(path)
    again = data.draw(st.sampled_from(sorted(section)))
    path.write_text("\n".join(["top:", *lines, f"  {again}: 5"]) + "\n")
    with pytest.raises(InputError) as caught:
        check_keys(path)
    assert str(caught.value).count("\n") == 0
    first = list(section).index(again) + 2
    assert (
        f"line {len(lines) + 2}: the key `{again}` is in `top` twice (first in line {first})"
        in (str(caught.value))
    )


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda it: it.stem)
def test_the_shipped_configs_have_no_such_mistake(path: Path) -> None:
    check_keys(path)
    check_numbers(path)


def test_a_number_that_yaml_reads_as_another_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("seeds: [1, 010]\na:\n  seed: 017\n  b: 1:30\n")
    assert yaml.safe_load(path.read_text()) == {"seeds": [1, 8], "a": {"seed": 15, "b": 90}}
    with pytest.raises(InputError) as caught:
        check_numbers(path)
    (first, second, third) = str(caught.value).splitlines()
    assert "c.yaml: line 1: seeds: YAML reads 010 as 8; write the number" in first
    assert "line 3: a.seed: YAML reads 017 as 15" in second
    assert "line 4: a.b: YAML reads 1:30 as 90" in third
    path.write_text("a: [0, 10, 1_000, 0.5, -3, 1e-3, '010', '1:30', 2024-01-01]\n")
    check_numbers(path)


def test_values_in_lists_and_sections_of_the_command_line_have_their_types() -> None:
    """Snakemake gives `--config 'seeds=[1,2]'` as ['1', '2']."""
    given_values: dict[str, Any] = {
        "seeds": ["1", "2"],
        "runs": [{"models": ["variable"], "epochs": "5", "recipe": "null"}],
        "title": "5",
        "datasets": {"a": {"cleaned": "true", "positives": ["a: b", "[", "2024-01-01"]}},
        "figure3": 3,
    }
    assert typed(given_values) == {
        "seeds": [1, 2],
        "runs": [{"models": ["variable"], "epochs": 5, "recipe": None}],
        "title": "5",
        "datasets": {"a": {"cleaned": True, "positives": ["a: b", "[", "2024-01-01"]}},
        "figure3": 3,
    }
    assert json.dumps(typed({})) == "{}"
