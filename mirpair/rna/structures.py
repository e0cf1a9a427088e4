"""Read structures in dot-bracket notation, check them, and find the hairpins in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_LOOP = re.compile(r"\(\.*\)")
# Characters of structures, also of those that RNAfold -p writes for an ensemble.
CHARACTERS = ".()[]{}<>|,"
_LINE = re.compile(
    rf"(?P<structure>[{re.escape(CHARACTERS)}]+)"
    r"(?:\s+(?:\(\s*)?(?P<energy>-?\d+(?:\.\d+)?)\s*\)?\s*|\s+[\[{(].*|\s*)$"
)


_PAIRS = frozenset(("AU", "UA", "GC", "CG", "GU", "UG"))
# Bases in a loop that ViennaRNA needs.
_SHORTEST_LOOP = 3


class GivenStructure(NamedTuple):
    """A structure that a file has below a sequence.

    Attributes
    ----------
    dot_bracket
        As in the file.
    energy
        In kcal/mol; None if the file has none.
    """

    dot_bracket: str
    energy: float | None


def parse_line(line: str) -> GivenStructure | None:
    """Read a line of RNAfold's output, or another dot-bracket file; None if it is no structure.

    Examples
    --------
    >>> parse_line("(((...))). ( -3.00)")
    GivenStructure(dot_bracket='(((...))).', energy=-3.0)
    >>> parse_line("{{{...|||, [ -3.20]")
    GivenStructure(dot_bracket='{{{...|||,', energy=None)
    >>> parse_line("..ACGU..")
    """
    match = _LINE.match(line)
    if not match:
        return None
    energy = match["energy"]
    return GivenStructure(match["structure"], None if energy is None else float(energy))


def fault_of(dot_bracket: str, sequence: str) -> str:
    """Say what is wrong with the structure of an RNA over ACGU; empty if nothing is.

    Examples
    --------
    >>> fault_of("((...)", "GGAAAC")
    "a structure with '(' at position 1, which is never closed"
    >>> fault_of("(...)", "GGAAAC")
    'a structure of 5 characters for 6 nt'
    >>> fault_of("(....)", "GGAAAG")
    'a structure that pairs G with G at positions 1 and 6'
    """
    if len(dot_bracket) != len(sequence):
        return f"a structure of {len(dot_bracket):,} characters for {len(sequence):,} nt"
    opened: list[int] = []
    for position, character in enumerate(dot_bracket, 1):
        if character == "(":
            opened.append(position)
        elif character == ")":
            if not opened:
                return f"a structure with ')' at position {position}, which closes nothing"
            other = opened.pop()
            bases = sequence[other - 1] + sequence[position - 1]
            where = f"at positions {other} and {position}"
            if bases not in _PAIRS:
                return f"a structure that pairs {bases[0]} with {bases[1]} {where}"
            if position - other <= _SHORTEST_LOOP:
                return f"a structure with a loop of fewer than {_SHORTEST_LOOP} bases {where}"
        elif character != ".":
            return (
                f"a structure with {character!r} at position {position}; only . ( and ) are "
                "understood"
            )
    if opened:
        return f"a structure with '(' at position {opened[-1]}, which is never closed"
    return ""


def unbranched(structure: str) -> Iterator[tuple[int, int, int, int]]:
    """Find the hairpins of a structure (dot-bracket), each from its loop out to a branch or an end.

    Yields
    ------
    (start, end, pairs, loop)
        Positions of each hairpin, half-open; number of its base pairs, and of the unpaired bases in
        its loop.

    Examples
    --------
    >>> list(unbranched("((.((...))..((....))))"))
    [(3, 10, 2, 3), (12, 20, 2, 4)]
    """
    for loop in _LOOP.finditer(structure):
        low, high = loop.start(), loop.end() - 1
        pairs = 1
        while True:
            left, right = low - 1, high + 1
            while left >= 0 and structure[left] == ".":
                left -= 1
            while right < len(structure) and structure[right] == ".":
                right += 1
            if left < 0 or right == len(structure) or structure[left] + structure[right] != "()":
                break
            low, high = left, right
            pairs += 1
        yield low, high + 1, pairs, len(loop.group()) - 2
