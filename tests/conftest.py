"""Shared by all tests: the repository, small real data, and the real mirror if available."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from mirpair.rna.encoded_sets import Tensors
from mirpair.rna.encoding import encode
from mirpair.rna.folding import fold
from mirpair.rna.sequences import read_fasta

ROOT = Path(__file__).parent.parent
# Tests run in parallel, one process per core.
torch.set_num_threads(1)
# How long an example takes depends on the machine and on what else it does.
settings.register_profile("mirpair", deadline=None)
settings.load_profile("mirpair")
STAND_IN = ROOT / "tests" / "data" / "mirror"


# Tests that run the workflow start first, longest files first, so that no process is idle at the
# end; measured, see docs/developing.md.
LONGEST = ("test_paper", "test_faults", "test_families", "test_ship", "test_reproduction")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def order(item: pytest.Item) -> tuple[bool, int]:
        name = item.path.stem
        late = item.path.parent.name != "workflow"
        return late, LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=order)


@pytest.fixture(autouse=True)
def _no_mirror_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the real mirror from tests that do not request it."""
    monkeypatch.delenv("MIRPAIR_MIRROR", raising=False)


_REAL_MIRROR = os.environ.get("MIRPAIR_MIRROR")


@pytest.fixture(scope="session")
def real_mirror() -> Path:
    if not _REAL_MIRROR:
        pytest.skip("needs the published files: set MIRPAIR_MIRROR to a folder that has them")
    return Path(_REAL_MIRROR)


@pytest.fixture(scope="session")
def real_molecules() -> Tensors:
    """Fold forty real RNAs of the demo set: both classes, 64 to 129 nt."""
    records = [
        (label, record)
        for label, name in ((1, "positives"), (0, "negatives"))
        for record in list(read_fasta(ROOT / "config" / "demo" / f"{name}.fa"))[::7][:20]
    ]
    return Tensors.build(
        [record.id for _, record in records],
        [label for label, _ in records],
        [encode(record.sequence, *fold(record.sequence)) for _, record in records],
    )


def random_rna(rng: np.random.Generator, length: int) -> str:
    return "".join(rng.choice(list("ACGU"), length))
