"""Few families are proposed for an RNA, and their models decide as all models would."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pytest
from test_infernal import FAMILIES, OTHERS, TRAINED, needs_infernal

from mirpair.families import covariance
from mirpair.families.aligned import call_aligned
from mirpair.families.covariance import CovarianceModels, is_available
from mirpair.families.infernal import build_models, hits, scan
from mirpair.families.proposals import propose
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
    """Bits that do not need an alignment."""

    def __init__(self, bits: dict[str, float]) -> None:
        super().__init__({})
        self.given = bits

    def bits(
        self, sequences: Sequence[str], proposed: Sequence[Sequence[str]], *, threads: int = 1
    ) -> list[dict[str, float]]:
        return [{it: self.given[it] for it in of if it in self.given} for of in proposed]


def test_most_bits_decide_among_what_is_proposed() -> None:
    logits = np.array([[0.1, 0.2, 0.0, 0.9]])

    def called(bits: dict[str, float]) -> tuple[str, float]:
        table = call_aligned(
            Given(bits), ["ACGUACGUACGG"], logits, CLASSES, Nearest(KNOWN), OF_KNOWN, each=1
        )
        (row,) = table.to_dict("records")
        return row["called"], row["bits"]

    assert called({"let-7": 40.0, "mir-3": 30.0}) == ("let-7", 40.0)
    assert called({"let-7": 40.0, "mir-3": 40.0}) == ("let-7", 40.0), "the first by name"
    assert called({"mir-2": 99.0, "mir-3": 3.0}) == ("mir-3", 3.0), "mir-2 is not proposed"
    name, bits = called({})
    assert name == ""
    assert np.isnan(bits)


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
def test_only_proposed_families_with_a_model_are_tried_and_threads_change_nothing() -> None:
    models = CovarianceModels(build_models(TRAINED))
    first, second = TRAINED["RF00001"][0], TRAINED["RF00002"][0]
    of_each = [["RF00002", "RF00001", "RF00001"], ["RF00001", "unknown"]]
    one, other = models.bits([first, second], of_each)
    assert "RF00001" in one
    assert set(other) <= {"RF00001"}, "its own family was not proposed"
    assert models.bits([first, second], of_each, threads=2) == [one, other]
    assert models.bits([first], [[]]) == [{}]


@needs_infernal
@needs_library
def test_a_sure_profile_decides_and_otherwise_the_models_of_the_best_profiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The profile HMM knows no pairs, so it has other bits than the covariance model."""
    models = CovarianceModels(build_models(TRAINED))
    rna, of_all = TRAINED["RF00001"][0], [list(FAMILIES)]
    (aligned,) = models.aligned_bits([rna], of_all)
    (sure,) = models.bits([rna], of_all)
    assert max(sure, key=sure.__getitem__) == "RF00001"
    assert sure["RF00001"] >= covariance.SURE
    assert abs(sure["RF00001"] - aligned["RF00001"]) > 1
    monkeypatch.setattr(covariance, "SURE", 1000.0)
    (unsure,) = models.bits([rna], of_all)
    assert unsure["RF00001"] == aligned["RF00001"]


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyinfernal.cm", None)
    monkeypatch.setitem(sys.modules, "pyhmmer.easel", None)
    with pytest.raises(InputError, match="pip install pyinfernal"):
        CovarianceModels({"let-7": "INFERNAL1/a"}).bits(["ACGU"], [["let-7"]])
