"""Join two copies of a repeat into a hairpin, as an inverted repeat of a genome is one.

Copies of a repeat that are near each other, on opposite strands, fold into long and stable
hairpins. In a vertebrate's genome, these are what looks most like pre-miRNAs; yet a megabase has
few of them, so that a sample of a genome teaches little about them. Here, copies from anywhere in
the genome are joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from Bio.Seq import reverse_complement_rna

from mirpair.contracts import ALPHABET, JOINED
from mirpair.files import InputError
from mirpair.sources.collections import Entry
from mirpair.sources.known_stretches import LENGTH, find_stretches

# Least and most bases of an arm and of the loop, nt.
_ARM, _LOOP = (25, 55), (4, 20)
# Fewest different pairs of neighbouring bases in the 20 bases that both copies share: fewer are in
# runs such as A…A and UGUG…, which are everywhere and no repeats.
_VARIED = 7
# Draws for each RNA; some hit the end of a sequence, or a base that is not known.
_DRAWS = 3


def join_pairs(
    texts: Iterable[str], number: int, *, places: int, species: str = "", seed: int = 0
) -> list[Entry]:
    """Draw pairs of copies of repeats, and join each to a hairpin.

    Two copies share 20 consecutive bases, which are at `places` or more places of the sequences, on
    one strand. The arms are as long on both sides of these bases, and 25 to 55 nt in all. The loop
    is the 4 to 20 bases that follow the first arm, or the last bases before it.

    Parameters
    ----------
    texts
        Sequences, T as U; arms and loops have no other letters than ACGU.
    number
        Number of hairpins.

    Returns
    -------
    list of Entry
        Each sequence once. An id is ``pair-<number>``. It is an `InputError` if there are too few
        repeats for so many hairpins.
    """
    text = "N".join(texts)
    words, starts = find_stretches(text)
    order = np.argsort(words, kind="stable")
    edges = np.flatnonzero(np.diff(words[order], prepend=~words[order[:1]]) != 0)
    counts = np.diff(np.append(edges, len(order)))
    many = counts >= places
    # All copies of all repeats, and where the copies of the same repeat begin and end.
    copies = np.concatenate(
        [np.zeros(0, np.intp), *map(np.arange, edges[many], (edges + counts)[many])]
    )
    low, high = (np.repeat(it[many], counts[many]) for it in (edges, edges + counts))
    rng = np.random.default_rng(seed)
    hairpins: dict[str, None] = {}
    draws = rng.integers(0, max(1, len(copies)), _DRAWS * number if len(copies) else 0)
    for draw in draws.tolist():
        partner = int(rng.integers(low[draw], high[draw]))
        one, other = (int(starts[order[it]]) for it in (copies[draw], partner))
        if len(hairpins) < number and (joined := _join(text, one, other, rng)):
            hairpins.setdefault(joined)
    if len(hairpins) < number:
        raise InputError(
            f"{len(hairpins)} hairpins could be made from the copies of repeats, {number} are "
            "asked for: lower `number` or `places`, or give more sequence"
        )
    return [
        Entry(f"pair-{count}", f"pair-{count}", species, "", sequence, JOINED)
        for count, sequence in enumerate(hairpins, 1)
    ]


def _join(text: str, one: int, other: int, rng: np.random.Generator) -> str:
    """Join the copies whose shared bases are at these places; empty if that is not possible."""
    arm = int(rng.integers(_ARM[0], _ARM[1] + 1))
    before = int(rng.integers(0, arm - LENGTH + 1))
    loop = int(rng.integers(_LOOP[0], _LOOP[1] + 1))
    is_tail_to_tail = bool(rng.integers(2))
    shared = text[one : one + LENGTH]
    first, second = one - before, other - before
    if one == other or min(first, second) < loop or len(set(_neighbours(shared))) < _VARIED:
        return ""
    arms = [text[it : it + arm] for it in (first, second)]
    if is_tail_to_tail:
        loop_bases = text[first + arm : first + arm + loop]
        joined = arms[0] + loop_bases + reverse_complement_rna(arms[1])
    else:
        loop_bases = reverse_complement_rna(text[first - loop : first])
        joined = reverse_complement_rna(arms[0]) + loop_bases + arms[1]
    is_whole = len(joined) == 2 * arm + loop and set(joined) <= set(ALPHABET)
    return joined if is_whole else ""


def _neighbours(bases: str) -> Iterator[str]:
    return map("".join, pairwise(bases))
