"""Cut pre-miRNAs out of known hairpins, in each of the ways in which users may cut theirs.

How an RNA is cut is a feature that a network can learn, so positives and negatives must be cut
alike, in all ways.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal
from zlib import crc32

import numpy as np

from mirpair.contracts import (
    DOUBTFUL,
    FLANKED,
    HAIRPIN,
    PRE_MIRNA,
    RELATED,
    REPEAT,
    SCANNED,
    SUPPORTED,
    TRIMMED,
)
from mirpair.files import InputError
from mirpair.hairpins.candidates import each_as_scanned
from mirpair.rna.folding import for_each
from mirpair.rna.sequences import LONGEST, normalise, read_parts
from mirpair.rna.text_files import open_text
from mirpair.settings import HairpinCriteria
from mirpair.sources.collections import CutRna, Entry, choose, read_hairpins, without_copies
from mirpair.sources.known_stretches import most_places

Organisms = Literal["animals", "plants", "viruses", "all"]
# miRBase names no kingdoms, so these are all of its viruses, up to release 22.
_VIRUSES = (
    *("bfv", "bhv1", "bhv5", "bkv", "blv", "bpcv1", "bpcv2", "dev", "ebv", "gggpv1", "hbv", "hcmv"),
    *("hhv6b", "hiv1", "hsv1", "hsv2", "hvsa", "hvt", "iltv", "jcv", "kshv", "mcmv", "mcpv", "mcv"),
    *("mdv1", "mdv2", "mghv", "prv", "ptvpv2a", "racpv", "rlcv", "rrv", "sfv", "sv40", "ttv"),
)
# Dictyostelium, an amoeba.
_OTHERS = ("ddi",)
# Names of species in miRBase that are other species in MirGeneDB: a lemur and a water flea, a
# tapeworm and a sponge, barley and a polyp.
_AMBIGUOUS = ("dma", "emu", "hvu")
# Most bases of flanks on one side, nt.
FLANK = 25
# Bases that are searched for hairpins together.
_AT_ONCE = 50_000
# Columns of DeepMirCut's tables: the name of a hairpin, and its sequence with flanks.
_NAME, _FLANKED, _COLUMNS = 1, 11, 14
_MATURE = ("mature1_seq", "mature2_seq")
# Of copies, the most certain pre-miRNA remains.
_MOST_SURE = {SUPPORTED: 0, RELATED: 1, "": 2, DOUBTFUL: 3, REPEAT: 4}
# Places in a genome from which on 20 bases are of a repeat.
REPEATED = 3


def kingdom_of(name: str) -> str:
    """Derive the kingdom from a hairpin's name in miRBase, which names those of plants MIR.

    Examples
    --------
    >>> kingdom_of("hsa-mir-10b"), kingdom_of("ath-MIR156a"), kingdom_of("ebv-mir-BART1")
    ('animals', 'plants', 'viruses')
    """
    species, _, own = name.partition("-")
    if own.startswith("MIR"):
        return "plants"
    return "viruses" if species in _VIRUSES else "others" if species in _OTHERS else "animals"


def read_pre_mirnas(
    path: str | Path, *, kingdom: Organisms = "all", species: Collection[str] | None = None
) -> tuple[list[Entry], Counter[str]]:
    """Read the hairpins of a kingdom, or of some species, as `read_hairpins` reads them.

    Returns
    -------
    hairpins, left_out
        See `mirpair.sources.collections.choose`.
    """
    entries, others = [], 0
    for entry in read_hairpins(path):
        if kingdom in ("all", kingdom_of(entry.id)):
            entries.append(entry)
        else:
            others += 1
    chosen, left_out = choose(entries, species=species, longest=LONGEST)
    return chosen, Counter({"another kingdom": others} if others else {}) + left_out


def read_arms(path: str | Path) -> dict[str, tuple[str, str]]:
    """Read the sequences of both arms from a table of miRBase: by the name of the hairpin.

    Hairpins with one arm are left out. A file without the columns mature1_seq and mature2_seq is an
    `InputError`.
    """
    with open_text(path) as handle:
        rows = csv.DictReader(handle)
        columns = set(rows.fieldnames or [])
        if not set(_MATURE) <= columns:
            raise InputError(
                f"{path}: has no columns {' and '.join(_MATURE)}; without both arms, a pre-miRNA "
                f"cannot be cut out: leave {PRE_MIRNA} and {TRIMMED} out of `cuts`, or use a table "
                "of miRBase that has them"
            )
        name = "ID" if "ID" in columns else "mirbase_id"
        arms = {row[name]: tuple(normalise(row[it] or "") for it in _MATURE) for row in rows}
    return {name: (one, other) for name, (one, other) in arms.items() if one and other}


def read_mature(path: str | Path) -> dict[str, set[str]]:
    """Read the mature arms of MirGeneDB, by species in lower case, which names begin with."""
    arms: dict[str, set[str]] = {}
    for header, parts in read_parts(path):
        arms.setdefault(header.partition("-")[0].lower(), set()).add(normalise("".join(parts)))
    return arms


def read_flanked(paths: Iterable[str | Path]) -> dict[str, str]:
    """Read hairpins with their genomic flanks from DeepMirCut's tables, by miRBase's names.

    A row has 14 columns; the second is the name, the twelfth the sequence. Anything else is an
    `InputError`.
    """
    flanked = {}
    for path in paths:
        with open_text(path) as handle:
            for number, line in enumerate(handle, 1):
                cells = line.rstrip("\n").split("\t")
                if len(cells) != _COLUMNS:
                    raise InputError(
                        f"{path}: line {number} has {len(cells)} columns; a table of DeepMirCut "
                        f"has {_COLUMNS}"
                    )
                flanked[cells[_NAME]] = normalise(cells[_FLANKED])
    return flanked


def trusts(hairpins: Iterable[Entry], mature: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Judge how sure it is that each hairpin is of a pre-miRNA: by its id.

    Parameters
    ----------
    hairpins
        All those of miRBase, so that the families are complete.
    mature
        See `read_mature`. It is of animals, so hairpins of other kingdoms are in none of it.

    Returns
    -------
    dict
        ``supported``: the hairpin has an arm of its own species; ``related``: another hairpin of
        its family has; ``doubtful``: neither, and there are arms of its species; else empty.
    """
    arms_of: dict[str, Collection[str]] = {}
    trust: dict[str, str] = {}
    families: dict[str, str] = {}
    supported: set[str] = set()
    for it in hairpins:
        is_animal = kingdom_of(it.id) == "animals"
        is_there = is_animal and it.species.lower() not in _AMBIGUOUS
        arms_of[it.id] = mature.get(it.species.lower(), ()) if is_there else ()
        families[it.id] = it.family if is_animal else ""
        if any(arm in it.sequence for arm in arms_of[it.id]):
            trust[it.id] = SUPPORTED
            supported.add(it.family)
    for name, arms in arms_of.items():
        other = RELATED if families[name] in supported else DOUBTFUL if arms else ""
        trust.setdefault(name, other)
    return trust


def mark_repeats(
    trust: Mapping[str, str], hairpins: Iterable[Entry], genome: Iterable[str]
) -> dict[str, str]:
    """Mark the animal hairpins that are probably parts of repeats (``repeat``), in the trust.

    These are neither supported nor related, and 20 consecutive bases of theirs are at three or more
    places of one strand of a genome, see `mirpair.sources.known_stretches.most_places`. There are
    many in miRBase: the family mir-548 consists of copies of the transposon MADE1.
    """
    unsure = [
        it
        for it in hairpins
        if kingdom_of(it.id) == "animals" and trust.get(it.id, "") in ("", DOUBTFUL)
    ]
    places = most_places([it.sequence for it in unsure], genome)
    repeats = {it.id for it, count in zip(unsure, places, strict=True) if count >= REPEATED}
    return {**trust, **dict.fromkeys(repeats, REPEAT)}


def read_trust(
    path: str | Path, mature: str | Path | None, genome: Iterable[str] = ()
) -> dict[str, str]:
    """Read a table of miRBase, and judge each hairpin by `trusts` and `mark_repeats`.

    Without `mature`, the file of `read_mature`, nothing is known of any: the result is empty.
    """
    if mature is None:
        return {}
    hairpins = list(read_hairpins(path))
    return mark_repeats(trusts(hairpins, read_mature(mature)), hairpins, genome)


def read_trusted(path: str | Path, mature: str | Path | None) -> list[str]:
    """Read the sequences of a table of miRBase that are surely of pre-miRNAs.

    Doubtful animal hairpins are left out, and those of unknown trust: many are parts of repeats,
    and bases of theirs are all over a genome. Without `mature`, the file of `read_mature`, all
    hairpins are read.
    """
    hairpins = list(read_hairpins(path))
    if mature is None:
        return [it.sequence for it in hairpins]
    trust = trusts(hairpins, read_mature(mature))
    sure = (SUPPORTED, RELATED)
    return [it.sequence for it in hairpins if trust[it.id] in sure or kingdom_of(it.id) == "plants"]


def cut(
    hairpin: Entry, arms: tuple[str, str] | None, flanked: str, *, seed: int = 0
) -> dict[str, str]:
    """Cut an RNA out of a hairpin in every way that needs no search.

    The draws depend on the seed and the hairpin's name alone.

    Parameters
    ----------
    arms, flanked
        Both arms, and the hairpin with its genomic flanks; None and empty if they are unknown.

    Returns
    -------
    dict
        Way to sequence: ``hairpin``, as it is; ``pre-mirna``, from the first base of the 5′ arm to
        the last one of the 3′ arm; ``trimmed``, with random ends between those of these two;
        ``flanked``, with 0 to 25 nt of its flanks on either side.
    """
    bases = hairpin.sequence
    rng = np.random.default_rng([seed, crc32(hairpin.id.encode())])
    left, right = rng.random(2).tolist()
    before, behind = rng.integers(0, FLANK + 1, 2).tolist()
    cuts = {HAIRPIN: bases}
    places = sorted((bases.find(arm), bases.find(arm) + len(arm)) for arm in arms or ())
    if places and places[0][0] >= 0 and places[0][1] <= places[1][0]:
        start, end = places[0][0], places[1][1]
        cuts[PRE_MIRNA] = bases[start:end]
        beyond = int(right * (len(bases) - end + 1))
        cuts[TRIMMED] = bases[int(left * (start + 1)) : end + beyond]
    if (start := flanked.find(bases)) >= 0:
        cuts[FLANKED] = flanked[max(0, start - before) : start + len(bases) + behind]
    return cuts


def cut_piece(
    hairpins: Sequence[Entry],
    piece: int,
    pieces: int,
    *,
    cuts: Collection[str],
    trust: Mapping[str, str],
    arms: Mapping[str, tuple[str, str]],
    flanked: Mapping[str, str],
    criteria: HairpinCriteria,
    seed: int = 0,
    processes: int = 1,
) -> list[CutRna]:
    """Cut every `pieces`-th hairpin in the ways that are asked for; an id is ``<name>/<cut>``.

    All pieces together are the same for any number of pieces.

    Parameters
    ----------
    trust
        See `trusts`; it may be empty.
    arms, flanked
        See `read_arms` and `read_flanked`.
    criteria
        Which hairpins a scan finds: ``scanned`` is the best of those in a hairpin.
    """
    numbers = range(piece - 1, len(hairpins), pieces)
    scanned: Iterator[str] = iter(())
    if SCANNED in cuts:
        groups = _groups([hairpins[number].sequence for number in numbers])
        search = partial(each_as_scanned, criteria=criteria)
        found = for_each(search, groups, processes=processes, at_once=1)
        scanned = (bases for group in found for bases in group)
    rnas = []
    for number in numbers:
        entry = hairpins[number]
        ways = cut(entry, arms.get(entry.id), flanked.get(entry.id, ""), seed=seed)
        ways[SCANNED] = next(scanned, "")
        for way in cuts:
            if bases := ways.get(way):
                name = f"{entry.id}/{way}"
                sure = trust.get(entry.id, "")
                rna = entry._replace(id=name, sequence=bases, cut=way, trust=sure)
                rnas.append(CutRna(number, rna))
    return rnas


def _groups(sequences: Iterable[str]) -> Iterator[list[str]]:
    """Group sequences that are searched together."""
    group: list[str] = []
    size = 0
    for sequence in sequences:
        group.append(sequence)
        size += len(sequence)
        if size >= _AT_ONCE:
            yield group
            group, size = [], 0
    if group:
        yield group


def select(
    rnas: Iterable[CutRna], *, cuts: Sequence[str], shortest: int, longest: int
) -> tuple[list[Entry], Counter[str]]:
    """Choose the RNAs of a collection: those of these lengths, each sequence once.

    Of copies, the first in the order of `cuts` remains; of those, the most certain pre-miRNA.

    Returns
    -------
    chosen, left_out
        See `mirpair.sources.collections.choose`.
    """
    entries = (rna.entry for rna in rnas)
    chosen, left_out = choose(entries, shortest=shortest, longest=longest)
    return without_copies(
        chosen, left_out, rank=lambda it: (list(cuts).index(it.cut), _MOST_SURE[it.trust])
    )
