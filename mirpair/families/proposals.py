"""Propose a few families for each RNA: those of a network, and those of the nearest known RNAs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest

import numpy as np
import numpy.typing as npt

from mirpair.rna.similarity import Nearest


def propose(
    sequences: Sequence[str],
    logits: npt.NDArray[np.floating],
    classes: Sequence[str],
    nearest: Nearest,
    families: Sequence[str],
    *,
    each: int,
) -> list[list[str]]:
    """Propose families, the likeliest first: in turns the network's and the neighbours' next one.

    Parameters
    ----------
    sequences
        Over ACGU.
    logits, classes
        (N, C): output of the network for these RNAs; the families of its columns.
    nearest, families
        Known RNAs, and the family of each.
    each
        Number of families that the network proposes, and that the neighbours propose.

    Returns
    -------
    list of list of str
        For each RNA, at most 2 · `each` different families. A neighbour proposes its family if it
        shares an 8-mer with the RNA.
    """
    names, owners = np.unique(np.asarray(families), return_inverse=True)
    best = np.argsort(-logits, axis=1, kind="stable")[:, :each]
    proposals = []
    for row, sequence in zip(best, sequences, strict=True):
        shared, _ = nearest.shared(sequence)
        most = np.zeros(len(names), dtype=np.int64)
        np.maximum.at(most, owners, shared)
        near = np.argsort(-most, kind="stable")[:each]
        of_neighbours = [str(names[it]) for it in near if most[it]]
        of_network = [classes[it] for it in row]
        turns = chain.from_iterable(zip_longest(of_network, of_neighbours))
        proposals.append(list(dict.fromkeys(it for it in turns if it)))
    return proposals
