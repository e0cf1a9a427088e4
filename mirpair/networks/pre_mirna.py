"""Make a network that distinguishes pre-miRNAs from other RNAs.

Trainings of such networks import this module and not `mirpair.networks.build`, so that an edit of
the networks that classify families makes none of them run again.
"""

from __future__ import annotations

from collections.abc import Sequence

from mirpair.networks import band, deepmirgene, do2018, stem
from mirpair.networks.base import Network, initialise
from mirpair.recipes import Model


def build(model: Model, *, seed: int, classes: Sequence[str] = ()) -> Network:
    """Make a network with initial weights; parameters as in `mirpair.networks.build`."""
    networks = do2018.networks(model) | stem.NETWORKS | band.NETWORKS | deepmirgene.NETWORKS
    return initialise(networks, model, seed, classes)
