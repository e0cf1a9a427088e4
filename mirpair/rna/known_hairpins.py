"""Store the hairpins of miRBase, and find the one nearest to an RNA."""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mirpair import files
from mirpair.files import InputError, atomic
from mirpair.rna.similarity import Nearest, identity
from mirpair.settings import NEAR

LARGEST = 1_500_000
_HEADER = "# miRBase hairpins, xz-compressed TSV: names and sequence\n"
NAME = "mirbase22.tsv.xz"
_SHORTLIST = 5
KNOWN, NOVEL = "known", "novel"


class NearestHairpin(NamedTuple):
    """The known hairpin that is nearest to an RNA."""

    # Several hairpins with the same sequence are separated by commas.
    names: str
    # See `mirpair.rna.similarity.identity`; 0 if no hairpin shares an 8-mer with the RNA.
    identity: float

    @property
    def status(self) -> str:
        """`KNOWN` from an identity of 0.8 on, the threshold of near-copies in this project."""
        return KNOWN if self.identity >= NEAR else NOVEL


@dataclass(frozen=True, slots=True)
class KnownHairpins:
    """Known hairpins, each sequence once; see `load_known_hairpins`."""

    names: Sequence[str]
    sequences: Sequence[str]
    index: Nearest

    def nearest(self, sequences: Sequence[str]) -> list[NearestHairpin]:
        """Find, for each RNA, the most identical of the five that share most of its 8-mers."""
        if not sequences:
            return []
        indices, shares = self.index.shortlist(sequences, _SHORTLIST)
        hits = []
        for sequence, candidates, shared in zip(sequences, indices, shares, strict=True):
            best = NearestHairpin("", 0.0)
            for index in candidates[shared > 0].tolist():
                share = identity(sequence, self.sequences[index])
                if share > best.identity:
                    best = NearestHairpin(self.names[index], share)
            hits.append(best)
        return hits


def write_known_hairpins(hairpins: Iterable[tuple[str, str]], path: str | Path) -> int:
    """Write names and sequences for `load_known_hairpins`; return the number of sequences.

    It is an `InputError` if the file would be larger than `LARGEST` bytes.
    """
    names: dict[str, list[str]] = {}
    for name, sequence in hairpins:
        names.setdefault(sequence, []).append(name)
    # Hairpins of one family in many species are neighbours: that compresses best.
    order = sorted(names, key=lambda s: (names[s][0].partition("-")[2], names[s][0], s))
    text = _HEADER + "".join(f"{','.join(names[s])}\t{s}\n" for s in order)
    packed = lzma.compress(text.encode("ascii"), preset=9 | lzma.PRESET_EXTREME)
    if len(packed) > LARGEST:
        raise InputError(
            f"{path}: has {len(packed) / 1e6:.2f} MB; shipped hairpins may have at most "
            f"{LARGEST / 1e6:.1f} MB"
        )
    with atomic(path) as temporary:
        temporary.write_bytes(packed)
    return len(order)


def shipped_hairpins() -> Path:
    """Return the path of the file in the package; an `InputError` if it is missing."""
    return files.shipped(
        NAME, "leave known hairpins out with --no-nearest, or make it: make weights"
    )


def load_known_hairpins(path: str | Path | None = None) -> KnownHairpins:
    """Read what `write_known_hairpins` wrote, by default the file in the package.

    It is an `InputError` if it is something else.
    """
    path = path or shipped_hairpins()
    try:
        text = lzma.decompress(Path(path).read_bytes()).decode("ascii")
        if not text.startswith(_HEADER):
            raise ValueError("its first line is not the expected one")
        rows = [line.split("\t") for line in text[len(_HEADER) :].splitlines()]
        if not rows:
            raise ValueError("it has no hairpins")
        names, sequences = [name for name, _ in rows], [sequence for _, sequence in rows]
    except (lzma.LZMAError, ValueError) as error:
        raise InputError(f"{path}: not a file of known hairpins ({error})") from error
    return KnownHairpins(names, sequences, Nearest(sequences))
