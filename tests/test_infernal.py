"""Covariance models: each family's model finds its own members best."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import random_rna
from hypothesis import given
from hypothesis import strategies as st

from mirpair.families import infernal
from mirpair.families.infernal import (
    align,
    build_models,
    consensus,
    counterparts,
    hits,
    mirgenedb_models,
    scan,
)
from mirpair.families.model_files import read_models, write_models
from mirpair.files import InputError

needs_mafft = pytest.mark.skipif(not shutil.which("mafft"), reason="needs the program mafft")
needs_infernal = pytest.mark.skipif(
    not (shutil.which("mafft") and shutil.which("cmbuild")),
    reason="needs the programs mafft and cmbuild",
)

PAIR = {"A": "U", "C": "G", "G": "C", "U": "A"}
ARM = 28


def hairpins(seed: int, members: int) -> list[str]:
    """Make a family with a loop and a stem whose pairs covary between members."""
    rng = np.random.default_rng(seed)
    arm, loop = random_rna(rng, ARM), random_rna(rng, 9)
    family = []
    for _ in range(members):
        own = list(arm)
        for place in rng.choice(ARM, 4, replace=False):
            own[place] = rng.choice(list("ACGU"))
        family.append("".join(own) + loop + "".join(PAIR[base] for base in reversed(own)))
    return family


FAMILIES = {f"RF0000{number}": hairpins(number, 12) for number in range(1, 4)}
TRAINED = {family: members[:8] for family, members in FAMILIES.items()}
OTHERS = [(family, rna) for family, members in FAMILIES.items() for rna in members[8:]]


@pytest.fixture(scope="module")
def models() -> dict[str, str]:
    return build_models(TRAINED)


@needs_mafft
def test_missing_bases_of_a_member_are_gaps() -> None:
    rna = TRAINED["RF00001"][0]
    assert align([rna, rna, rna[:20] + rna[23:]]) in [
        [rna, rna, f"{rna[:start]}---{rna[start + 3 :]}"] for start in range(16, 25)
    ]


@needs_mafft
def test_an_alignment_keeps_order_and_sequences_of_members() -> None:
    family = TRAINED["RF00001"] + TRAINED["RF00002"]
    aligned = align(family)
    assert [row.replace("-", "") for row in aligned] == family
    assert len({len(row) for row in aligned}) == 1


@needs_mafft
def test_the_consensus_is_the_common_stem() -> None:
    structure = consensus(align(TRAINED["RF00001"]))
    assert structure.startswith("(" * ARM)
    assert structure.endswith(")" * ARM)


@needs_infernal
def test_held_out_rnas_get_their_own_family(models: dict[str, str]) -> None:
    best = scan(models, [rna for _, rna in OTHERS])
    assert list(best["family"]) == [family for family, _ in OTHERS]
    assert best["bits"].min() > 30


@needs_infernal
def test_shuffled_rnas_get_few_bits(models: dict[str, str]) -> None:
    rng = np.random.default_rng(0)
    shuffled = ["".join(rng.permutation(list(rna))) for _, rna in OTHERS]
    assert scan(models, shuffled)["bits"].fillna(0).max() < 20


@needs_infernal
def test_rnas_without_a_hit_have_no_family_and_no_score(models: dict[str, str]) -> None:
    best = scan(models, ["A" * 40, OTHERS[0][1], "ACG"])
    assert list(best["family"]) == ["", OTHERS[0][0], ""]
    assert list(best["bits"].isna()) == [True, False, True]
    assert list(scan(models, ["A" * 40])["family"]) == [""]


@needs_infernal
def test_the_reverse_complement_is_not_a_hit() -> None:
    """The reverse complement of a hairpin is similar to it, so this RNA has no pairs."""
    rng = np.random.default_rng(5)
    rna = "".join(rng.choice(list("AC"), 80))
    model = build_models({"one": [rna]})
    reverse = "".join(PAIR[base] for base in reversed(rna))
    assert list(scan(model, [rna, reverse])["family"]) == ["one", ""]


@needs_infernal
def test_a_family_without_base_pairs_gets_a_model(models: dict[str, str]) -> None:
    """Nothing pairs in RNAs of A and C."""
    rng = np.random.default_rng(6)
    rna = "".join(rng.choice(list("AC"), 80))
    family = [rna[:place] + "C" + rna[place + 1 :] for place in range(5, 60, 9)]
    assert set(consensus(align(family))) == {"."}
    best = scan(models | build_models({"flat": family}), [rna, OTHERS[0][1]])
    assert list(best["family"]) == ["flat", OTHERS[0][0]]
    assert best["bits"][0] > 30


@needs_infernal
def test_one_member_is_enough_for_a_model() -> None:
    rna = TRAINED["RF00001"][0]
    assert list(scan(build_models({"one": [rna]}), [rna])["family"]) == ["one"]


@needs_infernal
def test_hits_list_every_model_with_the_best_first(
    models: dict[str, str],
) -> None:
    alike = models | build_models({"half": [rna[:40] for rna in TRAINED["RF00001"]]})
    ranked = hits(alike, [OTHERS[0][1], OTHERS[4][1]])
    of_first = ranked[ranked["sequence"] == 0]
    assert list(of_first["family"][:2]) == ["RF00001", "half"]
    assert of_first["bits"].is_monotonic_decreasing
    assert list(scan(alike, [OTHERS[0][1]])["bits"]) == [of_first["bits"].iloc[0]]
    assert not ranked.duplicated(["sequence", "family"]).any()


@needs_infernal
def test_scores_do_not_depend_on_threads_or_other_rnas(models: dict[str, str]) -> None:
    rnas = [rna for _, rna in OTHERS]
    together = scan(models, rnas)
    pd.testing.assert_frame_equal(scan(models, rnas, threads=2), together)
    pd.testing.assert_frame_equal(scan(dict(reversed(models.items())), rnas), together)
    alone = pd.concat([scan(models, [rna]) for rna in rnas], ignore_index=True)
    pd.testing.assert_frame_equal(alone, together)


@needs_infernal
def test_models_are_the_same_bytes_for_any_number_of_processes(
    models: dict[str, str], tmp_path: Path
) -> None:
    again = build_models(TRAINED, processes=2)
    assert again == models
    assert list(again) == list(TRAINED)
    write_models(again, tmp_path / "models.cm")
    assert read_models(tmp_path / "models.cm") == models


@needs_infernal
def test_no_sequences_and_no_models_are_allowed(models: dict[str, str]) -> None:
    assert scan(models, []).shape == (0, 2)
    assert list(scan({}, ["ACGU"])["family"]) == [""]
    assert build_models({}) == {}


def fake(name: str, length: int = 1) -> str:
    """Make a text with the structure of a file of one model."""
    return (
        f"INFERNAL1/a [1.1.2]\nNAME     {name}\nSTATES {length}\n//\nHMMER3/f\nNAME  {name}\n//\n"
    )


def test_a_file_of_models_is_read_model_by_model(tmp_path: Path) -> None:
    path = tmp_path / "two.cm"
    write_models({"b": fake("b"), "a": fake("a")}, path)
    assert list(read_models(path).items()) == [("b", fake("b")), ("a", fake("a"))]


@pytest.mark.parametrize(
    "text", [">one\nACGU\n", fake("a") + fake("b")[:30], "INFERNAL1/a\n//\n", "x\n" + fake("a")]
)
def test_another_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "models.cm"
    path.write_text(text)
    with pytest.raises(InputError, match=r"models\.cm: not a file of Infernal's covariance models"):
        read_models(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_models(tmp_path / "absent.cm")


def test_the_combined_models_of_a_wheel_are_read(tmp_path: Path) -> None:
    wheel = tmp_path / "mirmachine.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for folder in ("cms/combined", "cms/deutero", "lcms/combined"):
            for number, family in enumerate(("Mir-1", "Let-7")):
                text = fake(f"{family}.PRE", number)
                archive.writestr(f"mirmachine/meta/{folder}/{family}.PRE.CM", text)
        archive.writestr("mirmachine/meta/cms/combined/__init__.py", "")
    models = mirgenedb_models(wheel)
    assert list(models) == ["Let-7", "Mir-1"]
    write_models(models, tmp_path / "models.cm")
    assert read_models(tmp_path / "models.cm") == models


def test_another_or_damaged_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other/__init__.py", "")
    with pytest.raises(InputError, match="download the wheel of mirmachine"):
        mirgenedb_models(wheel)
    wheel.write_bytes(wheel.read_bytes()[:20])
    with pytest.raises(InputError, match="damaged"):
        mirgenedb_models(wheel)
    with pytest.raises(InputError, match="cannot be read"):
        mirgenedb_models(tmp_path / "absent.whl")


def table(rows: list[tuple[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["family", "bits"])


def test_a_counterpart_is_the_best_hit_of_a_majority() -> None:
    """The share of the best is 2 in 3 for a, 1 in 2 for b, 2 in 3 for c with one in the noise."""
    own = ["a", "a", "b", "a", "b", "c", "c", "c", "d"]
    best = [("X", 50), ("X", 40), ("X", 60), ("Y", 70), ("Y", 60)]
    best += [("Z", 30), ("Z", 12), ("", float("nan")), ("", float("nan"))]
    assert counterparts(own, table(best), noise=20) == {"a": "X"}
    assert counterparts(own, table(best), noise=12) == {"a": "X", "c": "Z"}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("XY"), st.integers(0, 40))))
def test_a_counterpart_has_a_majority_of_all_members(rows: list[tuple[str, str, int]]) -> None:
    best = table([(other, bits) for _, other, bits in rows])
    mapped = counterparts([own for own, _, _ in rows], best, noise=20)
    for own in "ab":
        members = [(other, bits) for name, other, bits in rows if name == own]
        for other in "XY":
            votes = sum(name == other and bits >= 20 for name, bits in members)
            assert (mapped.get(own) == other) == (2 * votes > len(members))


def test_a_missing_program_is_reported_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(infernal.shutil, "which", lambda *_, **__: None)
    with pytest.raises(InputError, match=r"mafft is not on PATH.*apt-get install mafft.*conda"):
        align(["ACGU", "ACGU"])
    with pytest.raises(InputError, match=r"cmsearch is not on PATH.*apt-get install infernal"):
        hits({"a": fake("a")}, ["ACGU"])


def test_the_output_of_a_failed_program_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cmsearch"
    program.write_text("#!/bin/sh\necho first; echo no space left on device >&2; exit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    models: Mapping[str, str] = {"a": fake("a")}
    with pytest.raises(ChildProcessError, match=r"(?s)cmsearch .*status 3: .*no space left"):
        hits(models, ["ACGU"])
