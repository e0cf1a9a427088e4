"""Each family's covariance model knows its own members, and nothing else as well."""

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
    read_models,
    scan,
    write_models,
)
from mirpair.files import InputError

needs_mafft = pytest.mark.skipif(not shutil.which("mafft"), reason="needs the program mafft")
needs_infernal = pytest.mark.skipif(
    not (shutil.which("mafft") and shutil.which("cmbuild")),
    reason="needs the programs mafft and cmbuild",
)

PAIR = {"A": "U", "C": "G", "G": "C", "U": "A"}
ARM = 28


def hairpins(seed: int, members: int) -> list[str]:
    """A family: a stem whose pairs change together from member to member, and one loop."""
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
def test_bases_that_a_member_lacks_are_gaps() -> None:
    rna = TRAINED["RF00001"][0]
    assert align([rna, rna, rna[:20] + rna[23:]]) in [
        [rna, rna, f"{rna[:start]}---{rna[start + 3 :]}"] for start in range(16, 25)
    ]


@needs_mafft
def test_an_alignment_has_the_members_in_their_order_and_nothing_else() -> None:
    family = TRAINED["RF00001"] + TRAINED["RF00002"]
    aligned = align(family)
    assert [row.replace("-", "") for row in aligned] == family
    assert len({len(row) for row in aligned}) == 1


@needs_mafft
def test_the_consensus_is_the_stem_that_all_have() -> None:
    structure = consensus(align(TRAINED["RF00001"]))
    assert structure.startswith("(" * ARM)
    assert structure.endswith(")" * ARM)


@needs_infernal
def test_rnas_that_no_model_has_seen_get_their_own_family(models: dict[str, str]) -> None:
    found = scan(models, [rna for _, rna in OTHERS])
    assert list(found["family"]) == [family for family, _ in OTHERS]
    assert found["bits"].min() > 30


@needs_infernal
def test_shuffled_rnas_get_none_or_few_bits(models: dict[str, str]) -> None:
    rng = np.random.default_rng(0)
    shuffled = ["".join(rng.permutation(list(rna))) for _, rna in OTHERS]
    assert scan(models, shuffled)["bits"].fillna(0).max() < 20


@needs_infernal
def test_what_no_model_reports_has_no_family_and_no_score(models: dict[str, str]) -> None:
    found = scan(models, ["A" * 40, OTHERS[0][1], "ACG"])
    assert list(found["family"]) == ["", OTHERS[0][0], ""]
    assert list(found["bits"].isna()) == [True, False, True]
    assert list(scan(models, ["A" * 40])["family"]) == [""]


@needs_infernal
def test_the_reverse_complement_is_another_rna() -> None:
    """Of a hairpin it is much the same, so here nothing pairs."""
    rng = np.random.default_rng(5)
    rna = "".join(rng.choice(list("AC"), 80))
    model = build_models({"one": [rna]})
    reverse = "".join(PAIR[base] for base in reversed(rna))
    assert list(scan(model, [rna, reverse])["family"]) == ["one", ""]


@needs_infernal
def test_a_family_without_a_pair_has_a_model_too(models: dict[str, str]) -> None:
    """Nothing pairs in RNAs of A and C."""
    rng = np.random.default_rng(6)
    rna = "".join(rng.choice(list("AC"), 80))
    family = [rna[:place] + "C" + rna[place + 1 :] for place in range(5, 60, 9)]
    assert set(consensus(align(family))) == {"."}
    found = scan(models | build_models({"flat": family}), [rna, OTHERS[0][1]])
    assert list(found["family"]) == ["flat", OTHERS[0][0]]
    assert found["bits"][0] > 30


@needs_infernal
def test_one_member_makes_a_family() -> None:
    rna = TRAINED["RF00001"][0]
    assert list(scan(build_models({"one": [rna]}), [rna])["family"]) == ["one"]


@needs_infernal
def test_hits_are_of_every_model_that_reports_one_and_the_best_comes_first(
    models: dict[str, str],
) -> None:
    alike = models | build_models({"half": [rna[:40] for rna in TRAINED["RF00001"]]})
    found = hits(alike, [OTHERS[0][1], OTHERS[4][1]])
    of_first = found[found["sequence"] == 0]
    assert list(of_first["family"][:2]) == ["RF00001", "half"]
    assert of_first["bits"].is_monotonic_decreasing
    assert list(scan(alike, [OTHERS[0][1]])["bits"]) == [of_first["bits"].iloc[0]]
    assert not found.duplicated(["sequence", "family"]).any()


@needs_infernal
def test_neither_threads_nor_company_change_a_score(models: dict[str, str]) -> None:
    rnas = [rna for _, rna in OTHERS]
    together = scan(models, rnas)
    pd.testing.assert_frame_equal(scan(models, rnas, threads=2), together)
    pd.testing.assert_frame_equal(scan(dict(reversed(models.items())), rnas), together)
    alone = pd.concat([scan(models, [rna]) for rna in rnas], ignore_index=True)
    pd.testing.assert_frame_equal(alone, together)


@needs_infernal
def test_the_same_families_give_the_same_bytes_whatever_the_processes(
    models: dict[str, str], tmp_path: Path
) -> None:
    again = build_models(TRAINED, processes=2)
    assert again == models
    assert list(again) == list(TRAINED)
    write_models(again, tmp_path / "models.cm")
    assert read_models(tmp_path / "models.cm") == models


@needs_infernal
def test_there_may_be_no_sequence_and_no_model(models: dict[str, str]) -> None:
    assert scan(models, []).shape == (0, 2)
    assert list(scan({}, ["ACGU"])["family"]) == [""]
    assert build_models({}) == {}


def fake(name: str, length: int = 1) -> str:
    """What a file of one model looks like from outside."""
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
def test_what_is_no_file_of_models_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "models.cm"
    path.write_text(text)
    with pytest.raises(InputError, match=r"models\.cm: not a file of Infernal's covariance models"):
        read_models(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_models(tmp_path / "absent.cm")


def test_of_a_wheel_the_models_of_all_of_mirgenedb_are_taken(tmp_path: Path) -> None:
    wheel = tmp_path / "mirmachine.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for folder in ("cms/combined", "cms/deutero", "lcms/combined"):
            for number, family in enumerate(("Mir-1", "Let-7")):
                text = fake(f"{family}.PRE", number)
                archive.writestr(f"mirmachine/meta/{folder}/{family}.PRE.CM", text)
        archive.writestr("mirmachine/meta/cms/combined/__init__.py", "")
    found = mirgenedb_models(wheel)
    assert list(found) == ["Let-7", "Mir-1"]
    write_models(found, tmp_path / "models.cm")
    assert read_models(tmp_path / "models.cm") == found


def test_another_wheel_or_a_damaged_one_is_an_error(tmp_path: Path) -> None:
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


def test_a_counterpart_is_the_best_hit_of_more_than_half() -> None:
    """Of a 2 in 3, of b 1 in 2, of c 2 in 3 but one of them in the noise, of d none."""
    own = ["a", "a", "b", "a", "b", "c", "c", "c", "d"]
    found = [("X", 50), ("X", 40), ("X", 60), ("Y", 70), ("Y", 60)]
    found += [("Z", 30), ("Z", 12), ("", float("nan")), ("", float("nan"))]
    assert counterparts(own, table(found), noise=20) == {"a": "X"}
    assert counterparts(own, table(found), noise=12) == {"a": "X", "c": "Z"}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("XY"), st.integers(0, 40))))
def test_a_counterpart_has_more_than_half_of_all_members(rows: list[tuple[str, str, int]]) -> None:
    found = table([(other, bits) for _, other, bits in rows])
    mapped = counterparts([own for own, _, _ in rows], found, noise=20)
    for own in "ab":
        members = [(other, bits) for name, other, bits in rows if name == own]
        for other in "XY":
            votes = sum(name == other and bits >= 20 for name, bits in members)
            assert (mapped.get(own) == other) == (2 * votes > len(members))


def test_without_a_program_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infernal.shutil, "which", lambda *_, **__: None)
    with pytest.raises(InputError, match=r"mafft is not on PATH.*apt-get install mafft.*conda"):
        align(["ACGU", "ACGU"])
    with pytest.raises(InputError, match=r"cmsearch is not on PATH.*apt-get install infernal"):
        hits({"a": fake("a")}, ["ACGU"])


def test_what_a_program_says_when_it_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cmsearch"
    program.write_text("#!/bin/sh\necho first; echo no space left on device >&2; exit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    models: Mapping[str, str] = {"a": fake("a")}
    with pytest.raises(ChildProcessError, match=r"(?s)cmsearch .*status 3: .*no space left"):
        hits(models, ["ACGU"])
