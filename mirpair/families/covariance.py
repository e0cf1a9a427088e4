"""Score each RNA by the covariance models of a few families, with Infernal as a library.

Infernal's programs compare every RNA with every model (`mirpair.families.infernal`). Here, each RNA
has families of its own, which something faster has proposed; the scores are the same. The library
is pyinfernal, an optional dependency.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mirpair.files import InputError

if TYPE_CHECKING:
    from pyinfernal.cm import CM

# The filters are as strict as in a search of so many nt, as with ``cmsearch -Z 1``.
_SEARCHED = 1_000_000
# At both ends of a sequence, the library looks for truncated RNAs, which takes most of its time. An
# RNA here is complete; with so many unknown bases on both sides, it is not near an end.
_FLANK = "N" * 150
_FORWARD = "+"


def is_available() -> bool:
    """Whether pyinfernal is installed."""
    return find_spec("pyinfernal") is not None


class CovarianceModels:
    """Covariance models of families, read when an RNA needs one.

    Parameters
    ----------
    texts
        Family to the text of its model, as of `mirpair.families.infernal.build_models`.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)
        self._read: dict[str, CM] = {}

    def bits(
        self, sequences: Sequence[str], proposed: Sequence[Sequence[str]], *, threads: int = 1
    ) -> list[dict[str, float]]:
        """Score RNAs by the models of the families that were proposed for them.

        Parameters
        ----------
        sequences
            Over ACGU.
        proposed
            For each RNA, families. Those without a model are left out.
        threads
            Number of models that are aligned at a time; it does not change the result.

        Returns
        -------
        list of dict
            For each RNA, family to bits (log-odds score) of the best local alignment, the same as
            of `mirpair.families.infernal.hits`. Families whose filters it does not pass are
            missing.

        Raises
        ------
        InputError
            If pyinfernal is missing.
        """
        of_family: dict[str, list[int]] = {}
        for index, families in enumerate(proposed):
            for family in dict.fromkeys(families):
                if family in self._texts:
                    of_family.setdefault(family, []).append(index)
        found: list[dict[str, float]] = [{} for _ in sequences]
        parts = [[sequences[index] for index in indices] for indices in of_family.values()]
        # The library works outside Python's lock.
        with ThreadPoolExecutor(threads) as pool:
            results = list(pool.map(self._search, of_family, parts))
        for (family, indices), scores in zip(of_family.items(), results, strict=True):
            for index, score in zip(indices, scores, strict=True):
                if not np.isnan(score):
                    found[index][family] = float(score)
        return found

    def _search(self, family: str, sequences: Sequence[str]) -> npt.NDArray[np.float64]:
        """Score RNAs by one model, (N,); NaN without a hit."""
        try:
            from pyhmmer.easel import Alphabet, DigitalSequenceBlock, TextSequence
            from pyinfernal.cm import Pipeline
        except ImportError as error:
            raise InputError(
                "covariance models need the package pyinfernal: pip install pyinfernal"
            ) from error
        rna = Alphabet.rna()
        block = DigitalSequenceBlock(
            rna,
            [
                TextSequence(name=str(number), sequence=f"{_FLANK}{it}{_FLANK}").digitize(rna)
                for number, it in enumerate(sequences)
            ],
        )
        best = np.full(len(sequences), np.nan)
        for hit in Pipeline(rna, Z=_SEARCHED, T=0.0).search_cm(self._model(family), block):
            # The reverse complement is another RNA.
            if hit.strand == _FORWARD:
                number = int(hit.name)
                best[number] = np.fmax(best[number], hit.score)
        return best

    def _model(self, family: str) -> CM:
        if family not in self._read:
            from pyinfernal.cm import CMFile

            with CMFile(io.BytesIO(self._texts[family].encode("ascii"))) as models:
                self._read[family] = next(iter(models))
        return self._read[family]
