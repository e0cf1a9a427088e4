"""Cut the hairpins of genomes, which a scan must distinguish from pre-miRNAs.

A genome is searched in blocks, each by itself, so that a sample of them takes a share of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from Bio.Seq import reverse_complement_rna

from mirpair.contracts import ALPHABET, FLANKED, SCANNED, WINDOW
from mirpair.files import InputError
from mirpair.hairpins.candidates import STRANDS, GenomeHairpin, TileHairpins, find_in_each, resolve
from mirpair.rna.folding import for_each
from mirpair.rna.sequences import LONGEST, normalise
from mirpair.settings import HairpinCriteria
from mirpair.sources.collections import CutRna, Entry, choose, read_named, without_copies
from mirpair.sources.known_stretches import KnownStretches
from mirpair.sources.pre_mirnas import FLANK
from mirpair.sources.regions import Region

# Bases that are searched together.
BLOCK = 50_000
# By how much a window may be beside the stem's centre, nt.
SHIFT = 15


class Block(NamedTuple):
    """Parts of sequences that are searched together.

    Attributes
    ----------
    number
        Number of the block, from 0, over all sequences.
    parts
        For each part of a sequence: the sequence's name, the part's start (from 0), its bases.
    near
        Whether a part is nearer to a known hairpin than it may be.
    """

    number: int
    parts: tuple[tuple[str, int, str], ...]
    near: bool

    @property
    def bases(self) -> int:
        """Number of bases that can be searched: A, C, G and U."""
        return sum(text.count(base) for _, _, text in self.parts for base in ALPHABET)


@dataclass(frozen=True, slots=True)
class Search:
    """What of a genome is searched.

    Attributes
    ----------
    regions
        By default all sequences completely.
    only, without
        Patterns (``chr2*``) of names or headers of sequences: search only these, all but these.
    sample
        Number of bases to search, drawn in blocks; None: all.
    away, known
        Leave out blocks that are nearer than this to an exact known hairpin, nt.
    seed
        Of the sample.
    """

    regions: tuple[Region, ...] = ()
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    sample: int | None = None
    away: int = 0
    known: KnownStretches | None = None
    seed: int = 0

    @classmethod
    def described(cls, how: Mapping[str, Any], known: KnownStretches | None) -> Search:
        """Take what is searched from the keys of a collection in the config."""
        return cls(
            tuple(map(Region.parse, how["regions"])),
            *(tuple(how["only"]), tuple(how["without"]), how["sample"], how["away"]),
            known,
            how["seed"],
        )

    def includes(self, name: str, header: str = "") -> bool:
        """Tell whether a sequence of this name and header is searched."""
        if self.regions and name not in {region.name for region in self.regions}:
            return False
        if self.only and not _match(self.only, name, header):
            return False
        return not _match(self.without, name, header)


def _match(patterns: Iterable[str], *texts: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns for text in texts)


def read_blocks(path: str | Path, search: Search) -> Iterator[Block]:
    """Divide all that may be searched into blocks; one sequence is in memory at a time.

    A sequence that is a copy of an earlier one is left out. It is an `InputError` if two sequences
    share a name, one has none, a region is not in its sequence, or nothing is left to search.
    """
    held: list[tuple[str, int, str]] = []
    size = number = 0
    near = False
    for name, start, text, places in _read_regions(path, search):
        for at in range(start, start + len(text), BLOCK):
            part = text[at - start : at - start + BLOCK]
            if size + len(part) > BLOCK:
                yield Block(number, tuple(held), near)
                held, size, near, number = [], 0, False, number + 1
            held.append((name, at, part))
            size += len(part)
            near |= any(
                first - search.away < at + len(part) and at < last + search.away
                for first, last in places
            )
    if not held:
        raise InputError(
            f"{path}: no sequence is left to search (`regions`, `only`, `without`): correct them"
        )
    yield Block(number, tuple(held), near)


def _read_regions(
    path: str | Path, search: Search
) -> Iterator[tuple[str, int, str, list[tuple[int, int]]]]:
    """Read the regions: name and start, from 0, bases, and the places of known hairpins."""
    names: set[str] = set()
    copies: set[bytes] = set()
    for name, header, parts in read_named(path):
        names.add(name)
        if not search.includes(name, header):
            continue
        text = normalise("".join(parts))
        digest = blake2b(text.encode(), digest_size=16).digest()
        if digest in copies:
            continue
        copies.add(digest)
        known = search.known if search.away else None
        places = known.places(text) if known else []
        regions = [it for it in search.regions if it.name == name] or [Region(name, 0, len(text))]
        for region in sorted(regions):
            if region.end > len(text):
                raise InputError(
                    f"{path}: the sequence {name!r} ends at {len(text)}, but a region ends at "
                    f"{region.end}: correct `regions`"
                )
            yield name, region.start, text[region.start : region.end], places
    if missing := sorted({region.name for region in search.regions} - names):
        raise InputError(f"{path}: no sequence is named {', '.join(missing)} (`regions`)")


def read_texts(path: str | Path, regions: Iterable[str]) -> Iterator[str]:
    """Read the bases of regions, of all sequences by default; see `read_blocks` for errors."""
    for _, _, text, _ in _read_regions(path, Search(tuple(map(Region.parse, regions)))):
        yield text


def choose_blocks(path: str | Path, search: Search) -> dict[int, int]:
    """Choose the blocks to search: number of each block to its number of bases, in order.

    Those near known hairpins, and those without bases, are left out. The first ones in a random
    order are chosen, until they have as many bases as are sampled.
    """
    sizes = {it.number: 0 if it.near else it.bases for it in read_blocks(path, search)}
    numbers = [number for number, bases in sizes.items() if bases]
    if search.sample is not None:
        numbers = np.random.default_rng(search.seed).permutation(numbers).tolist()
        totals = list(accumulate(sizes[number] for number in numbers))
        numbers = numbers[: 1 + sum(total < search.sample for total in totals)]
    return {number: sizes[number] for number in sorted(numbers)}


@dataclass(frozen=True, slots=True)
class Cutting:
    """How hairpins are found and cut.

    Attributes
    ----------
    criteria, strands
        Which structures are hairpins; 2 to search both strands, 1 the given one.
    cuts
        Share of hairpins that are cut in each way: ``scanned`` (the stem itself), ``flanked`` (with
        0 to 25 nt on either side), ``window`` (one of `lengths`, over the stem).
    lengths
        Lengths of windows, nt.
    species, seed
        Species of the RNAs, and seed of how each is cut.
    """

    criteria: HairpinCriteria
    cuts: Mapping[str, float]
    strands: int = 2
    lengths: Sequence[int] = ()
    species: str = ""
    seed: int = 0


def cut(block: Block, cutting: Cutting) -> list[CutRna]:
    """Find the hairpins of a block, and cut each in one way.

    How a hairpin is cut depends on its bases and the seed alone, so copies are cut alike. An RNA
    ends where its part of the sequence ends.

    Returns
    -------
    list
        In the order of the parts, then of their hairpins. An id is
        ``<sequence>:<start>-<end>(<strand>)/<cut>``, counted from 1, both ends included; the
        accession is the same of the stem.
    """
    texts = [text for _, _, text in block.parts]
    found: list[list[GenomeHairpin]] = [[] for _ in texts]
    for strand in STRANDS[: cutting.strands]:
        for both, more in zip(found, find_in_each(texts, strand, cutting.criteria), strict=True):
            both += more
    tiles = (
        TileHairpins(str(number), len(text), True, hairpins)
        for number, (text, hairpins) in enumerate(zip(texts, found, strict=True))
    )
    rnas = []
    for number, hairpin in resolve(tiles):
        name, offset, text = block.parts[int(number)]
        way, start, end = _place(hairpin, len(text), cutting)
        bases = text[start:end]
        if hairpin.strand == "-":
            bases = reverse_complement_rna(bases)
        place, stem = (
            f"{name}:{offset + first + 1}-{offset + last}({hairpin.strand})"
            for first, last in ((start, end), (hairpin.start, hairpin.end))
        )
        entry = Entry(f"{place}/{way}", stem, cutting.species, "", bases, way)
        rnas.append(CutRna(block.number, entry, hairpin.bases))
    return rnas


def _place(hairpin: GenomeHairpin, length: int, cutting: Cutting) -> tuple[str, int, int]:
    """Draw the way in which a hairpin is cut, start and end, within a text of this length."""
    rng = np.random.default_rng([cutting.seed, crc32(hairpin.bases.encode())])
    ways = [way for way in (SCANNED, FLANKED, WINDOW) if cutting.cuts.get(way)]
    limits = list(accumulate(cutting.cuts[way] for way in ways))
    draw = rng.random() * limits[-1]
    way = ways[min(sum(draw >= limit for limit in limits), len(ways) - 1)]
    start, end = hairpin.start, hairpin.end
    if way == FLANKED:
        before, behind = rng.integers(0, FLANK + 1, 2).tolist()
        return way, max(0, start - before), min(length, end + behind)
    if way == WINDOW:
        size = min(length, cutting.lengths[int(rng.integers(len(cutting.lengths)))])
        centre = (start + end) // 2 + int(rng.integers(-SHIFT, SHIFT + 1))
        start = min(max(0, centre - size // 2), length - size)
        end = start + size
    return way, start, end


def cut_piece(
    path: str | Path,
    piece: int,
    pieces: int,
    *,
    search: Search,
    cutting: Cutting,
    processes: int = 1,
) -> list[CutRna]:
    """Cut the hairpins of every `pieces`-th block that is searched.

    All pieces together are the same for any number of pieces.
    """
    mine = set(list(choose_blocks(path, search))[piece - 1 :: pieces])
    blocks = (block for block in read_blocks(path, search) if block.number in mine)
    cut_one = partial(cut, cutting=cutting)
    return [
        rna for rnas in for_each(cut_one, blocks, processes=processes, at_once=1) for rna in rnas
    ]


def select(
    rnas: Collection[CutRna],
    *,
    known: KnownStretches | None = None,
    at_most: int | None = None,
    seed: int = 0,
) -> tuple[list[Entry], Counter[str]]:
    """Choose the RNAs of a collection among all that were cut, in their order.

    Of hairpins with the same stem the first one remains, and each RNA once. RNAs that share 20
    consecutive bases with a known hairpin, on either strand, are left out. Of the others, `at_most`
    are drawn.

    Returns
    -------
    chosen, left_out
        See `mirpair.sources.collections.choose`.
    """
    unique = _unique_stems(rnas)
    chosen, left_out = without_copies(*choose(unique, longest=LONGEST))
    left_out += Counter({"the stem of another one": len(rnas) - len(unique)})
    if known:
        shares = known.shared_by([entry.sequence for entry in chosen])
        left_out += Counter({"with bases of a known hairpin": sum(shares)})
        chosen = [entry for entry, is_known in zip(chosen, shares, strict=True) if not is_known]
        if not chosen:
            raise InputError("no RNA is left in the collection: all have bases of known hairpins")
    if at_most is not None and len(chosen) > at_most:
        left_out += Counter({f"more than {at_most}": len(chosen) - at_most})
        drawn = np.random.default_rng(seed).choice(len(chosen), at_most, replace=False)
        chosen = [chosen[index] for index in sorted(drawn.tolist())]
    return chosen, left_out


def _unique_stems(rnas: Iterable[CutRna]) -> list[Entry]:
    first: dict[str, Entry] = {}
    for rna in rnas:
        first.setdefault(rna.stem, rna.entry)
    return list(first.values())
