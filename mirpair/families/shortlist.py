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
        Known RNAs, and the family of each; a family that is none of `classes` is not proposed.
    each
        Number of families that the network proposes, and that the neighbours propose.

    Returns
    -------
    list of list of str
        For each RNA, at most 2 · `each` different families. A neighbour proposes its family if it
        shares an 8-mer with the RNA.
    """
    place = {name: number for number, name in enumerate(classes)}
    owners = np.array([place.get(it, -1) for it in families], dtype=np.int64)
    best = np.argsort(-logits, axis=1, kind="stable")[:, :each]
    proposals = []
    for row, sequence in zip(best, sequences, strict=True):
        shared, _ = nearest.shared(sequence)
        near = np.flatnonzero((shared > 0) & (owners >= 0))
        # The family of the RNA that shares most comes first; of equal ones, the first by class.
        near = near[np.lexsort((owners[near], -shared[near]))]
        of_neighbours = [classes[it] for it in dict.fromkeys(owners[near].tolist())][:each]
        of_network = [classes[it] for it in row]
        turns = chain.from_iterable(zip_longest(of_network, of_neighbours))
        proposals.append(list(dict.fromkeys(it for it in turns if it)))
    return proposals
