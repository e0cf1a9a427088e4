"""Compute the keys of a scan's journals; an interrupted scan resumes only if they are the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import RNA

from mirpair import __version__
from mirpair.files import sha256
from mirpair.settings import HairpinCriteria, ScanSettings


def find_key(genome: str | Path, criteria: HairpinCriteria) -> str:
    """Describe all that the journal of `find` depends on.

    The name, size and modification time of the genome represent its bases.
    """
    state = Path(genome).stat()
    return json.dumps(
        {
            "genome": [Path(genome).name, state.st_size, state.st_mtime_ns],
            **asdict(criteria),
            "mirpair": __version__,
            "ViennaRNA": RNA.__version__,
        }
    )


def score_key(find_key: str, settings: ScanSettings, weights: str | Path) -> str:
    """Describe all that the journal of `score` depends on; see `find_key`."""
    return json.dumps({**json.loads(find_key), **asdict(settings), "weights": sha256(weights)})
