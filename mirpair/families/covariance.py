"""Score each RNA by the covariance models of a few families, with Infernal as a library.

Infernal's programs compare every RNA with every model (`mirpair.families.infernal`). Here, each RNA
has families of its own, which something faster has proposed. Each model has a profile HMM, which
is a hundred times as fast and scores lower, as it knows no pairs. If it is sure, it decides;
otherwise, the covariance models of the best few are aligned, with Infernal's scores. The libraries
are pyhmmer and pyinfernal, an optional dependency.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mirpair.files import InputError

if TYPE_CHECKING:
    from pyhmmer.easel import DigitalSequenceBlock
    from pyinfernal.cm import CM

# The filters are as strict as in a search of so many nt, as with ``cmsearch -Z 1``.
_SEARCHED = 1_000_000
# A profile HMM with so many bits decides. For the validation records of rfam-60 in
# config/families.yaml, it decides for 98 % of the known families and is always right.
SURE = 20.0
# Otherwise, so many covariance models are aligned, those with the best profile HMMs.
ALIGNED = 3
# P-values of a profile HMM's three filters, looser than HMMER's: of the same records, 99.8 % have
# their family among the best three, and of the RNAs of no known family, 0.6 have any.
_F1, _F2, _F3 = 0.1, 0.03, 0.005
_WINDOW = re.compile(r"^W +(\d+)$", re.MULTILINE)
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
            Number of models that are used at a time; it does not change the result.

        Returns
        -------
        list of dict
            For each RNA, family to bits (log-odds score): with the covariance model if it was
            aligned, otherwise with its profile HMM. Families without any hit are missing.

        Raises
        ------
        InputError
            If pyinfernal is missing.
        """
        found = self._all(self._profile, sequences, proposed, threads)
        unsure = [
            sorted(bits, key=lambda it: (-bits[it], it))[:ALIGNED]
            if max(bits.values(), default=SURE) < SURE
            else []
            for bits in found
        ]
        aligned = self.aligned_bits(sequences, unsure, threads=threads)
        return [of_profile | of_model for of_profile, of_model in zip(found, aligned, strict=True)]

    def aligned_bits(
        self, sequences: Sequence[str], proposed: Sequence[Sequence[str]], *, threads: int = 1
    ) -> list[dict[str, float]]:
        """Score RNAs as `bits` does, by all the covariance models that are proposed.

        The bits are the same as of `mirpair.families.infernal.hits`. Its filters, profile HMMs, see
        an RNA between unknown bases here, and reject a little more: of 29 RNAs whose profile HMM is
        not sure, 4.
        """
        return self._all(self._align, sequences, proposed, threads)

    def _all(
        self,
        score: Callable[[str, Sequence[str]], npt.NDArray[np.float64]],
        sequences: Sequence[str],
        proposed: Sequence[Sequence[str]],
        threads: int,
    ) -> list[dict[str, float]]:
        """Score RNAs by families, each family once for all its RNAs; without those that are NaN."""
        of_family: dict[str, list[int]] = {}
        for index, families in enumerate(proposed):
            for family in dict.fromkeys(families):
                if family in self._texts:
                    of_family.setdefault(family, []).append(index)
        found: list[dict[str, float]] = [{} for _ in sequences]
        parts = [[sequences[index] for index in indices] for indices in of_family.values()]
        # The libraries work outside Python's lock.
        with ThreadPoolExecutor(threads) as pool:
            results = list(pool.map(score, of_family, parts))
        for (family, indices), scores in zip(of_family.items(), results, strict=True):
            for index, bits in zip(indices, scores, strict=True):
                if not np.isnan(bits):
                    found[index][family] = float(bits)
        return found

    def _profile(self, family: str, sequences: Sequence[str]) -> npt.NDArray[np.float64]:
        """Score RNAs by the profile HMM of a model, (N,); NaN without a hit."""
        hmm = self._model(family).filter_hmm
        from pyhmmer.plan7 import Pipeline

        pipeline = Pipeline(
            hmm.alphabet, Z=1, domZ=1, T=0.0, F1=_F1, F2=_F2, F3=_F3, bias_filter=False
        )
        return _best(pipeline.search_hmm(hmm, _digital(sequences)), len(sequences))

    def _align(self, family: str, sequences: Sequence[str]) -> npt.NDArray[np.float64]:
        """Score RNAs by a covariance model, (N,); NaN without a hit."""
        model = self._model(family)
        from pyinfernal.cm import Pipeline

        # Within so many nt of an end, the library looks for truncated RNAs, which takes most of its
        # time. An RNA here is complete; between unknown bases, it is not near an end.
        window = _WINDOW.search(self._texts[family])
        flank = "N" * int(window[1] if window else 0)
        block = _digital([f"{flank}{it}{flank}" for it in sequences])
        hits = Pipeline(model.alphabet, Z=_SEARCHED, T=0.0).search_cm(model, block)
        # The reverse complement is another RNA.
        return _best([hit for hit in hits if hit.strand == _FORWARD], len(sequences))

    def _model(self, family: str) -> CM:
        if family not in self._read:
            try:
                from pyinfernal.cm import CMFile
            except ImportError as error:
                raise InputError(
                    "covariance models need the package pyinfernal: pip install pyinfernal"
                ) from error
            with CMFile(io.BytesIO(self._texts[family].encode("ascii"))) as models:
                self._read[family] = next(iter(models))
        return self._read[family]


def _digital(sequences: Sequence[str]) -> DigitalSequenceBlock:
    """Convert sequences for the libraries; their names are their numbers."""
    from pyhmmer.easel import Alphabet, DigitalSequenceBlock, TextSequence

    rna = Alphabet.rna()
    named = (TextSequence(name=str(number), sequence=it) for number, it in enumerate(sequences))
    return DigitalSequenceBlock(rna, [it.digitize(rna) for it in named])


def _best(hits: Iterable[Any], count: int) -> npt.NDArray[np.float64]:
    """Return the most bits of each sequence, (N,); NaN without a hit."""
    best = np.full(count, np.nan)
    for hit in hits:
        number = int(hit.name)
        best[number] = np.fmax(best[number], hit.score)
    return best
