"""Collect hairpins of miRBase with both mature arms, in the ways in which users cut them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from mirpair.arms.records import RECORDS, TRAINED, fold_of
from mirpair.contracts import ALPHABET
from mirpair.families.naming import read_named
from mirpair.files import InputError
from mirpair.rna.arms import BETWEEN, LONGEST, SHORTEST
from mirpair.rna.sequences import LONGEST as LONGEST_RNA
from mirpair.sources.collections import Entry, read_hairpins
from mirpair.sources.pre_mirnas import (
    cut,
    kingdom_of,
    read_arms,
    read_flanked,
    read_mature,
    trusts,
)


def read_records(
    hairpins: str | Path,
    members: str | Path,
    mature: str | Path,
    flanked: Iterable[str | Path] = (),
    *,
    folds: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Read hairpins with both arms, and assign each family to a fold.

    Parameters
    ----------
    hairpins, members
        A table of miRBase with its arms (`mirpair.sources.pre_mirnas.read_arms`), and its families
        (`mirpair.families.naming.read_named`).
    mature
        Arms of MirGeneDB, which support hairpins of animals.
    flanked
        DeepMirCut's tables, of hairpins with their genomic flanks.
    folds, seed
        Number of folds; which families are in which.

    Returns
    -------
    DataFrame
        Columns of `RECORDS`: a row for each hairpin and way of cutting it, as
        of `mirpair.sources.pre_mirnas.cut`, and for each RNA of DeepMirCut's tables as it is there
        (its cut is the name of the table). Hairpins are left out if the arms of miRBase are not in
        them, have another length than `mirpair.networks.arms` allows, or overlap; and RNAs with
        another letter than ACGU.

    Raises
    ------
    InputError
        If a file is another one, or no hairpin has both arms.
    """
    entries = list(read_hairpins(hairpins))
    arms_of, trust = read_arms(hairpins), trusts(entries, read_mature(mature))
    named, _ = read_named(hairpins, members, max_length=LONGEST_RNA)
    family_of = named.set_index("sequence")["family"]
    tables = {Path(path).stem: read_flanked([path]) for path in flanked}
    together = {name: rna for table in tables.values() for name, rna in table.items()}
    rows = []
    for number, entry in enumerate(entries, 1):
        arms = arms_of.get(entry.id)
        if arms is None or entry.sequence not in family_of:
            continue
        family = str(family_of[entry.sequence])
        about = (family, trust[entry.id], kingdom_of(entry.id), fold_of(family, folds, seed))
        for way, rna in _ways(entry, arms, together, tables, seed):
            if places := find_arms(rna, arms):
                rna_id, where = f"{entry.id}:{way}", (str(hairpins), number)
                rows.append((rna_id, 1, rna, *where, entry.id, way, *places, *about))
    if not rows:
        raise InputError(f"{hairpins}: no hairpin has both arms within it")
    table = pd.DataFrame(rows, columns=list(RECORDS)).astype(RECORDS)
    return table.drop_duplicates(["sequence", "cut"], ignore_index=True)


def _ways(
    entry: Entry,
    arms: tuple[str, str],
    flanked: Mapping[str, str],
    tables: Mapping[str, Mapping[str, str]],
    seed: int,
) -> Iterator[tuple[str, str]]:
    """List the ways of cutting a hairpin, and the RNAs."""
    cuts = cut(entry, arms, flanked.get(entry.id, ""), seed=seed)
    yield from ((way, cuts[way]) for way in TRAINED if way in cuts)
    yield from ((name, table[entry.id]) for name, table in tables.items() if entry.id in table)


def find_arms(rna: str, arms: tuple[str, str]) -> tuple[int, int, int, int] | None:
    """Find where both arms begin and end in an RNA; None if they cannot be arms of it.

    Examples
    --------
    >>> arms = "UGAGGUAGUAGGUUGUAUAGUU", "CUAUACAACCUACUACCUCACC"
    >>> find_arms("GG" + arms[0] + "AAA" + arms[1], arms)
    (2, 24, 27, 49)
    """
    five, three = arms
    starts = rna.find(five), rna.rfind(three)
    places = starts[0], starts[0] + len(five), starts[1], starts[1] + len(three)
    has_lengths = all(SHORTEST <= len(arm) <= LONGEST for arm in arms)
    is_there = min(starts) >= 0 and places[1] + BETWEEN <= places[2]
    return places if has_lengths and is_there and not set(rna) - set(ALPHABET) else None
