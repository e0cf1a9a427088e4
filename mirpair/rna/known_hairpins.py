"""The hairpins of miRBase, and which of them is nearest to an RNA."""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mirpair import files
from mirpair.contracts import NEAR
from mirpair.files import InputError, atomic
from mirpair.rna.similarity import Nearest, identity

LARGEST = 1_500_000
_HEADER = "# miRBase hairpins, xz-compressed TSV: names and sequence\n"
NAME = "mirbase22.tsv.xz"
_SHORTLIST = 5
KNOWN, NOVEL = "known", "novel"


class Hairpin(NamedTuple):
    """The known hairpin that an RNA is nearest to.

    Attributes
    ----------
    names
        Its name; those of several hairpins with the same sequence with a comma between.
    identity
        See `mirpair.rna.similarity.identity`; 0 if there is none that shares an 8-mer.
    """

    names: str
    identity: float

    @property
    def status(self) -> str:
        """`KNOWN` from an identity of 0.8 on, where this project takes RNAs for near-copies."""
        return KNOWN if self.identity >= NEAR else NOVEL


@dataclass(frozen=True, slots=True)
class Hairpins:
    """Known hairpins, each sequence once; see `load`."""

    names: Sequence[str]
    sequences: Sequence[str]
    index: Nearest

    def nearest(self, sequences: Sequence[str]) -> list[Hairpin]:
        """For each RNA, of the five that share most of its 8-mers, the most identical one."""
        if not sequences:
            return []
        places, shares = self.index.shortlist(sequences, _SHORTLIST)
        found = []
        for sequence, near, shared in zip(sequences, places, shares, strict=True):
            best = Hairpin("", 0.0)
            for place in near[shared > 0].tolist():
                alike = identity(sequence, self.sequences[place])
                if alike > best.identity:
                    best = Hairpin(self.names[place], alike)
            found.append(best)
        return found


def ship(hairpins: Iterable[tuple[str, str]], path: str | Path) -> int:
    """Write what `load` reads, each sequence once, and return how many there are.

    Raises
    ------
    InputError
        If the file would be larger than `LARGEST` bytes.
    """
    names: dict[str, list[str]] = {}
    for name, sequence in hairpins:
        names.setdefault(sequence, []).append(name)
    # Hairpins of one family in many species stand together: that is what compresses.
    order = sorted(names, key=lambda s: (names[s][0].partition("-")[2], names[s][0], s))
    text = _HEADER + "".join(f"{','.join(names[s])}\t{s}\n" for s in order)
    packed = lzma.compress(text.encode("ascii"), preset=9 | lzma.PRESET_EXTREME)
    if len(packed) > LARGEST:
        raise InputError(
            f"{path}: {len(packed) / 1e6:.2f} MB, more than the {LARGEST / 1e6:.1f} MB that are "
            "shipped"
        )
    with atomic(path) as temporary:
        temporary.write_bytes(packed)
    return len(order)


def shipped() -> Path:
    """The file that comes with the package; an `InputError` if there is none."""
    return files.shipped(NAME, "leave known hairpins out with --no-nearest, or: make weights")


def load(path: str | Path | None = None) -> Hairpins:
    """Read what `ship` wrote; the file that comes with the package, if none is named.

    Raises
    ------
    InputError
        If it is something else.
    """
    path = path or shipped()
    try:
        text = lzma.decompress(Path(path).read_bytes()).decode("ascii")
        if not text.startswith(_HEADER):
            raise ValueError("it does not begin as one")
        names, sequences = [], []
        for line in text[len(_HEADER) :].splitlines():
            name, sequence = line.split("\t")
            names.append(name)
            sequences.append(sequence)
        if not names:
            raise ValueError("it has no hairpins")
    except (lzma.LZMAError, ValueError) as error:
        raise InputError(f"{path}: not a file of known hairpins ({error})") from error
    return Hairpins(names, sequences, Nearest(sequences))
