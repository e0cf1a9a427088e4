"""Encode RNAs for the networks: compactly, and as dense matrices on the fly.

The dense matrices are the pairing matrix of Do et al. 2018, section 2.1, and the matrices of
base-pairing ensembles of Tang & Sun 2019.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mirpair.contracts import ALPHABET
from mirpair.files import InputError
from mirpair.recipes import MatrixKind

CHANNELS = 9
# Tang & Sun's order of the base pairs; the value of each is its number / 6.
PAIRS = ("AU", "UA", "GC", "CG", "GU", "UG")
UNPAIRED = -1
_CODE_OF = np.full(128, 255, dtype=np.uint8)
_CODE_OF[[ord(base) for base in ALPHABET]] = range(len(ALPHABET))
_PAIR_VALUE = np.zeros((len(ALPHABET), len(ALPHABET)))
for _number, _pair in enumerate(PAIRS, start=1):
    _PAIR_VALUE[ALPHABET.index(_pair[0]), ALPHABET.index(_pair[1])] = _number / len(PAIRS)


class Molecule(NamedTuple):
    """One RNA of length L with its structure.

    Attributes
    ----------
    codes
        (L,): 0, 1, 2, 3 for A, C, G, U.
    partner
        (L,): the position of each base's partner, from 0; -1 if it is unpaired.
    mfe
        Minimum free energy, kcal/mol.
    """

    codes: npt.NDArray[np.uint8]
    partner: npt.NDArray[np.int32]
    mfe: float


class Ensemble(NamedTuple):
    """One RNA of length L, its `codes` as in `Molecule`, with the K base pairs of its ensemble.

    The other attributes are those of `mirpair.rna.folding.BasePairs`, (K,).
    """

    codes: npt.NDArray[np.uint8]
    i: npt.NDArray[np.int32]
    j: npt.NDArray[np.int32]
    probability: npt.NDArray[np.float32]


# The input of a network.
Encoded = Molecule | Ensemble


def base_codes(sequence: str) -> npt.NDArray[np.uint8]:
    """Convert bases A, C, G, U to codes 0, 1, 2, 3, shape (L,)."""
    codes = _CODE_OF[np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)]
    if not len(codes) or codes.max() > 3:
        raise InputError(f"not an RNA sequence of A, C, G, U: {sequence[:40]!r}")
    return codes


def pairing_partners(dot_bracket: str) -> npt.NDArray[np.int32]:
    """Return the partner of every base in a dot-bracket structure, (L,), -1 if unpaired."""
    partner = np.full(len(dot_bracket), UNPAIRED, dtype=np.int32)
    open_positions: list[int] = []
    for position, symbol in enumerate(dot_bracket):
        if symbol == "(":
            open_positions.append(position)
        elif symbol == ")":
            if not open_positions:
                raise InputError(f"dot-bracket: ')' at position {position + 1} closes nothing")
            opening = open_positions.pop()
            partner[opening], partner[position] = position, opening
        elif symbol != ".":
            raise InputError(f"dot-bracket: {symbol!r} at position {position + 1}, not one of .()")
    if open_positions:
        raise InputError(f"dot-bracket: '(' at position {open_positions[-1] + 1} is never closed")
    return partner


def encode(sequence: str, dot_bracket: str, mfe: float) -> Molecule:
    """Encode one folded RNA compactly."""
    if len(sequence) != len(dot_bracket):
        raise InputError(
            f"the sequence has {len(sequence)} bases, its structure {len(dot_bracket)} symbols"
        )
    return Molecule(base_codes(sequence), pairing_partners(dot_bracket), float(mfe))


def decode(molecule: Molecule) -> tuple[str, str]:
    """Return sequence and dot-bracket structure: the inverse of `encode`."""
    sequence = "".join(ALPHABET[code] for code in molecule.codes.tolist())
    pairs = enumerate(molecule.partner.tolist())
    return sequence, "".join("." if j < 0 else "(" if j > i else ")" for i, j in pairs)


def dense(
    molecule: Molecule,
    *,
    pairing: bool = True,
    soft: float = 0.0,
    dtype: npt.DTypeLike = np.float32,
) -> npt.NDArray[np.floating]:
    """Make the L × L × 9 pairing matrix (Do et al. 2018, section 2.1 and Figure 1).

    Parameters
    ----------
    molecule, dtype
        An RNA of length L, and the type of the result.
    pairing
        Whether to include channel 0; the network "without pairing matrix" does without it.
    soft
        One-hot {soft, 1 − soft} instead of {0, 1}, which the paper tried too (section 2.2).

    Returns
    -------
    ndarray
        (L, L, 9): channel 0 is the minimum free energy where i pairs with j, else 0; channels
        1–4 are the one-hot A C G U of base i, channels 5–8 of base j. (L, L, 8) without channel 0.
        It is a view of a channels-first array, the layout that the networks need.
    """
    length = len(molecule.codes)
    one_hot = np.where(np.eye(len(ALPHABET)), 1 - soft, soft).astype(dtype)[:, molecule.codes]
    channels = np.zeros((CHANNELS, length, length), dtype=dtype)
    paired = np.flatnonzero(molecule.partner >= 0)
    channels[0, paired, molecule.partner[paired]] = molecule.mfe
    channels[1:5] = one_hot[:, :, None]
    channels[5:9] = one_hot[:, None, :]
    return channels[0 if pairing else 1 :].transpose(1, 2, 0)


def encode_ensemble(
    sequence: str,
    i: npt.NDArray[np.int32],
    j: npt.NDArray[np.int32],
    probability: npt.NDArray[np.float32],
) -> Ensemble:
    """Encode one RNA and the result of `mirpair.rna.folding.ensemble` compactly."""
    return Ensemble(base_codes(sequence), i, j, probability)


def pair_values(ensemble: Ensemble, kind: MatrixKind) -> npt.NDArray[np.float64]:
    """Compute the values at (i, j) in the channels of `matrices`, shape (channels, K)."""
    of_bases = _PAIR_VALUE[ensemble.codes[ensemble.i], ensemble.codes[ensemble.j]]
    of_structures = np.sqrt(ensemble.probability.astype(np.float64))
    return np.stack(
        {"pair": [of_bases], "prob": [of_structures]}.get(kind, [of_bases, of_structures])
    )


def matrices(
    ensemble: Ensemble,
    kind: MatrixKind,
    *,
    size: int,
    dtype: npt.DTypeLike = np.float32,
) -> npt.NDArray[np.floating]:
    """Make the matrices of Tang & Sun 2019: upper triangular, padded with zeros.

    Parameters
    ----------
    ensemble, size
        An RNA, and the number of rows and columns; a longer RNA is an `InputError`.
    kind
        ``"pair"``: k / 6 where i pairs with j, and k is the number of their bases, from 1, in AU,
        UA, GC, CG, GU, UG. ``"prob"``: the value of RNAfold's dot plot, the square root of the
        pair's probability. ``"mixed"``: both, in this order.
    dtype
        Type of the result.

    Returns
    -------
    ndarray
        (channels, size, size); two channels if mixed, otherwise one.
    """
    if len(ensemble.codes) > size:
        raise InputError(f"an RNA of {len(ensemble.codes)} nt does not fit into {size} × {size}")
    values = pair_values(ensemble, kind)
    dense = np.zeros((len(values), size, size), dtype=dtype)
    dense[:, ensemble.i, ensemble.j] = values
    return dense
