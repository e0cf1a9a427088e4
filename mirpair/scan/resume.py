"""Compute the keys of a scan's journals; an interrupted scan resumes only if they are the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import RNA

from mirpair import __version__
from mirpair.files import sha256
from mirpair.hairpins.tiles import TILE
from mirpair.rna.known_hairpins import reference_path
from mirpair.settings import HairpinCriteria, ScanSettings


def find_key(genome: str, criteria: HairpinCriteria, *, tile: int = TILE) -> str:
    """Describe all that the journal of `find` depends on.

    `genome` is the checksum of the genome, see `mirpair.hairpins.tiles.check_genome`; the journal
    has a block for each tile of `tile` nt.
    """
    return json.dumps(
        {
            "genome": genome,
            **asdict(criteria),
            "tile": tile,
            "mirpair": __version__,
            "ViennaRNA": RNA.__version__,
        }
    )


def score_key(find_key: str, settings: ScanSettings, weights: str | Path) -> str:
    """Describe all that the journal of `score` depends on; see `find_key`."""
    path = reference_path(settings.reference)
    return json.dumps(
        {
            **json.loads(find_key),
            **asdict(settings),
            "reference": path and sha256(path),
            "weights": sha256(weights),
        }
    )


def genome_of(journal: str | Path) -> str:
    """Read the checksum of the genome from the key of a journal; empty if it has none."""
    with open(journal, "rb") as handle:
        head = handle.readline().decode(errors="replace")
    try:
        key, _ = json.JSONDecoder().raw_decode(head.removeprefix("# "))
        return str(key["genome"])
    except (ValueError, KeyError, TypeError):
        return ""
