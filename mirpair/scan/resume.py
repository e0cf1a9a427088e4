"""Compute the key of a scan's journal; an interrupted scan resumes only if it is the same."""

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


def scan_key(
    genome: str,
    criteria: HairpinCriteria,
    settings: ScanSettings,
    weights: str | Path,
    *,
    tile: int = TILE,
) -> str:
    """Describe all that the journal of `mirpair.scan.find.find` depends on.

    `genome` is the checksum of the genome, see `mirpair.hairpins.tiles.check_genome`; the journal
    has a block for each tile of `tile` nt.
    """
    path = reference_path(settings.reference)
    return json.dumps(
        {
            "genome": genome,
            **asdict(criteria),
            "tile": tile,
            "mirpair": __version__,
            "ViennaRNA": RNA.__version__,
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
