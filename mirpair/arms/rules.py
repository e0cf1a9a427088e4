"""Where the arms are by simple rules: what a network must be better than.

Drosha cuts about 11 base pairs from the base of the stem (Han et al. 2006,
doi:10.1016/j.cell.2006.03.043), which is 13 nt with the 2-nt overhang; Dicer cuts about 22 nt from
there (Park et al. 2011, doi:10.1038/nature10198).
"""

from __future__ import annotations

from mirpair.rna.arms import Arms
from mirpair.rna.duplex import main_stem
from mirpair.rna.encoding import Molecule

# Lengths in nt: of an arm, of the overhang at a 3′ end, and from the base of the stem to the cut.
ARM, OVERHANG, FROM_BASE = 22, 2, 13
FROM_THE_BASE, FROM_THE_LOOP = "13 nt from the base", "22 nt from the loop"


def from_the_base(molecule: Molecule) -> Arms:
    """Cut 13 nt from the base of the main stem on the 5′ strand, and opposite with an overhang.

    Both arms are 22 nt long.
    """
    left, right = main_stem(molecule.partner)
    length = len(molecule.codes)
    start = (left[0] if left else 0) + FROM_BASE
    end = (right[0] + 1 if right else length) - FROM_BASE + OVERHANG
    return _within(length, start, end - ARM)


def from_the_loop(molecule: Molecule) -> Arms:
    """End the 5′ arm at the loop, and begin the 3′ arm 2 nt behind it; both are 22 nt long."""
    left, right = main_stem(molecule.partner)
    middle = len(molecule.codes) // 2
    end = left[-1] + 1 if left else middle
    start = right[-1] + OVERHANG if right else middle + OVERHANG
    return _within(len(molecule.codes), end - ARM, start)


def _within(length: int, start_5p: int, start_3p: int) -> Arms:
    """Move arms so that they are within an RNA."""
    start_5p, start_3p = (min(max(it, 0), max(length - ARM, 0)) for it in (start_5p, start_3p))
    return Arms(start_5p, start_5p + ARM, start_3p, start_3p + ARM)


RULES = {FROM_THE_BASE: from_the_base, FROM_THE_LOOP: from_the_loop}
