"""Call families by models, of which each RNA sees only a few.

A network and the nearest known RNAs make a shortlist of families; the model with most bits decides,
and its bits say whether the RNA belongs to any family. Infernal's programs try the models of all
families.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.families.covariance import CovarianceModels, Decision
from mirpair.families.shortlist import propose
from mirpair.rna.similarity import Nearest

# Families that the network proposes, and that the neighbours propose. Of the validation records of
# rfam-60 in config/families.yaml, 99.94 % have their family among them; with 10, 99.81 %.
EACH = 15


def call_by_models(
    models: CovarianceModels,
    sequences: Sequence[str],
    logits: npt.NDArray[np.floating],
    classes: Sequence[str],
    nearest: Nearest,
    families: Sequence[str],
    *,
    each: int = EACH,
    threads: int = 1,
) -> pd.DataFrame:
    """Call each RNA's family by the model that scores highest among those of its shortlist.

    Parameters
    ----------
    models
        Of the families.
    sequences, logits, classes, nearest, families, each
        See `mirpair.families.shortlist.propose`.
    threads
        Number of models that are used at a time; it does not change the result.

    Returns
    -------
    DataFrame
        One row for each RNA: called (family), bits (log-odds score) and decided (by what), see
        `mirpair.families.covariance.Decision`.
    """
    shortlists = propose(sequences, logits, classes, nearest, families, each=each)
    decisions = models.decide(sequences, shortlists, threads=threads)
    table = pd.DataFrame(decisions, columns=list(Decision._fields))
    table = table.astype({"family": "str", "bits": "float64", "decided": "str"})
    return table.rename(columns={"family": "called"})
