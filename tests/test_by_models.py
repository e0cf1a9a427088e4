"""Few families are proposed for an RNA, and their models decide as all models would."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pytest
from test_infernal import FAMILIES, OTHERS, TRAINED, needs_infernal

from mirpair.families.by_models import call_by_models
from mirpair.families.covariance import CLEAR, SURE, CovarianceModels, is_available
from mirpair.families.infernal import build_models, hits, scan
from mirpair.families.shortlist import propose
from mirpair.files import InputError
from mirpair.rna.similarity import Nearest

KNOWN = ["ACGUACGUAC", "ACGUACGUAC" * 2, "GGGGCCCCGG"]
OF_KNOWN = ["let-7", "mir-1", "mir-2"]
CLASSES = ["let-7", "mir-1", "mir-2", "mir-3"]
needs_library = pytest.mark.skipif(not is_available(), reason="needs the package pyinfernal")


def proposed(sequence: str, logits: Sequence[float], each: int) -> list[str]:
    values = np.array([logits])
    (families,) = propose([sequence], values, CLASSES, Nearest(KNOWN), OF_KNOWN, each=each)
    return families


def test_network_and_neighbours_propose_in_turns_each_family_once() -> None:
    """The network's order is mir-3, mir-1, let-7; three 8-mers are let-7's, one is mir-2's."""
    rna = "ACGUACGUACGGGGCCCC"
    logits = [0.1, 0.2, 0.0, 0.9]
    assert proposed(rna, logits, 1) == ["mir-3", "let-7"]
    assert proposed(rna, logits, 2) == ["mir-3", "let-7", "mir-1"]
    assert proposed(rna, logits, 3) == ["mir-3", "let-7", "mir-1", "mir-2"]


def test_without_a_shared_8_mer_the_network_proposes_alone() -> None:
    assert proposed("UUUUUUUUUUUU", [0.1, 0.2, 0.0, 0.9], 2) == ["mir-3", "mir-1"]


class Given(CovarianceModels):
    """Bits of profile HMMs and of covariance models that are given; none is missing."""

    def __init__(self, profiles: dict[str, float], models: dict[str, float]) -> None:
        super().__init__(dict.fromkeys([*profiles, *models], ""))
        self.given = profiles, models
        self.asked: list[str] = []

    def _profile(self, family: str, sequences: Sequence[str]) -> np.ndarray:
        return np.full(len(sequences), self.given[0].get(family, np.nan))

    def _align(self, family: str, sequences: Sequence[str]) -> np.ndarray:
        self.asked.append(family)
        return np.full(len(sequences), self.given[1].get(family, np.nan))


def decided(
    profiles: dict[str, float], models: dict[str, float]
) -> tuple[tuple[str, float, str], list[str]]:
    """What is decided with these bits, and whose covariance models were aligned."""
    given = Given(profiles, models)
    (decision,) = given.decide(["ACGU"], [list(profiles | models)])
    return tuple(decision), given.asked


def test_a_sure_profile_hmm_decides_alone() -> None:
    found, asked = decided({"a": SURE, "b": SURE + 1}, {"a": 99.0})
    assert found == ("b", SURE + 1, "profile HMM")
    assert asked == []
    assert decided({"b": SURE, "a": SURE}, {})[0][0] == "a", "of equal ones, the first by name"


def test_a_clear_profile_hmm_names_the_family_and_its_covariance_model_has_the_bits() -> None:
    found, asked = decided({"a": CLEAR - 1, "b": CLEAR}, {"a": 99.0, "b": 35.0})
    assert found == ("b", 35.0, "covariance model")
    assert asked == ["b"]


def test_otherwise_the_covariance_models_of_the_best_three_decide() -> None:
    profiles = {"a": 5.0, "b": 9.0, "c": 7.0, "d": 6.0}
    found, asked = decided(profiles, {"a": 99.0, "b": 20.0, "c": 30.0, "d": 30.0})
    assert found == ("c", 30.0, "covariance model")
    assert sorted(asked) == ["b", "c", "d"]


@pytest.mark.parametrize("bits", [5.0, CLEAR])
def test_without_a_hit_of_a_covariance_model_there_are_no_bits(bits: float) -> None:
    (family, score, by), _ = decided({"a": bits}, {})
    assert (family, by) == ("a", "")
    assert np.isnan(score)


def test_without_a_hit_of_a_profile_hmm_there_is_no_family() -> None:
    (family, score, by), asked = decided({}, {"a": 50.0})
    assert (family, by, asked) == ("", "", [])
    assert np.isnan(score)


def test_only_families_of_the_shortlist_are_called() -> None:
    """The network proposes mir-3, the neighbours let-7."""
    logits = np.array([[0.1, 0.2, 0.0, 0.9]])
    models = Given({"let-7": 41.0, "mir-2": 99.0, "mir-3": 43.0}, {})
    table = call_by_models(
        models, ["ACGUACGUACGG"], logits, CLASSES, Nearest(KNOWN), OF_KNOWN, each=1
    )
    assert table.to_dict("records") == [{"called": "mir-3", "bits": 43.0, "decided": "profile HMM"}]
    nothing = call_by_models(models, [], logits[:0], CLASSES, Nearest(KNOWN), OF_KNOWN)
    assert nothing.empty
    assert list(nothing) == ["called", "bits", "decided"]


@needs_infernal
@needs_library
def test_bits_are_those_of_the_program_that_tries_all_families() -> None:
    texts = build_models(TRAINED)
    sequences = [rna for _, rna in OTHERS] + [TRAINED["RF00001"][0][::-1]]
    every = CovarianceModels(texts).aligned_bits(
        sequences, [list(FAMILIES)] * len(sequences), threads=2
    )
    table = hits(texts, sequences)
    expected: list[dict[str, float]] = [{} for _ in sequences]
    for row in table.to_dict("records"):
        expected[row["sequence"]][row["family"]] = row["bits"]
    assert [set(bits) for bits in every] == [set(bits) for bits in expected]
    for bits, wanted in zip(every, expected, strict=True):
        for family, value in bits.items():
            # The program prints one decimal.
            assert value == pytest.approx(wanted[family], abs=0.051)
    best = [max(bits, key=bits.__getitem__, default="") for bits in every]
    assert best == scan(texts, sequences)["family"].tolist()


@needs_infernal
@needs_library
def test_only_families_with_a_model_are_tried_and_threads_and_batches_change_nothing() -> None:
    models = CovarianceModels(build_models(TRAINED))
    sequences = [rna for rnas in TRAINED.values() for rna in rnas[:2]] + [rna for _, rna in OTHERS]
    shortlists = [["RF00002", "RF00001", "unknown"]] * len(sequences)
    together = models.decide(sequences, shortlists)
    assert {it.family for it in together} <= {"RF00001", "RF00002", ""}
    assert str(models.decide(sequences, shortlists, threads=2)) == str(together)
    alone = [
        CovarianceModels(build_models(TRAINED)).decide([rna], [of])[0]
        for rna, of in zip(sequences, shortlists, strict=True)
    ]
    assert str(alone) == str(together)
    assert models.decide(sequences[:1], [["unknown"]])[0].family == ""


@needs_infernal
@needs_library
def test_trained_rnas_are_called_rightly_by_profile_hmm_or_covariance_model() -> None:
    models = CovarianceModels(build_models(TRAINED))
    found = {
        family: models.decide(rnas, [list(FAMILIES)] * len(rnas))
        for family, rnas in TRAINED.items()
    }
    assert {it.family for family, of in found.items() for it in of if it.family != family} == set()
    rna = TRAINED["RF00001"][0]
    (decision,) = models.decide([rna], [["RF00001"]])
    (aligned,) = models.aligned_bits([rna], [["RF00001"]])
    if decision.decided == "profile HMM":
        assert decision.bits >= SURE
        assert abs(decision.bits - aligned["RF00001"]) > 1, "a profile HMM knows no pairs"
    else:
        assert decision.bits == aligned["RF00001"]


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyinfernal.cm", None)
    with pytest.raises(InputError, match="pip install pyinfernal"):
        CovarianceModels({"let-7": "INFERNAL1/a"}).decide(["ACGU"], [["let-7"]])
