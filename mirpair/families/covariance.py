"""Call the family of each RNA by the models of a few families, with Infernal as a library.

Infernal's programs compare every RNA with every model (`mirpair.families.infernal`). Here, each RNA
has a shortlist of its own. Each covariance model has a profile HMM, which is a hundred times as
fast, but knows no pairs. If the best profile HMM is sure, it decides. Otherwise, covariance models
are aligned, with Infernal's scores. The libraries are pyhmmer and pyinfernal, which is optional.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mirpair.families.model_files import BY_MODEL, BY_PROFILE
from mirpair.files import InputError

if TYPE_CHECKING:
    from pyhmmer.easel import DigitalSequenceBlock
    from pyhmmer.plan7 import HMM
    from pyinfernal.cm import CM

# The filters are as strict as in a search of so many nt, as with ``cmsearch -Z 1``.
_SEARCHED = 1_000_000
# From so many bits on, the best profile HMM decides alone. Its bits are lower than those of the
# covariance model, so no threshold may be higher.
SURE = 40.0
# From so many bits on, it decides which family it is, and only that covariance model is aligned. Of
# the validation records of rfam-60 (config/families.yaml), 98 % of the known families have as many,
# and all of these are right.
CLEAR = 20.0
# Otherwise, so many covariance models are aligned, those with the best profile HMMs.
MOST_MODELS = 3
# P-values of a profile HMM's three filters, looser than HMMER's: of the same records, 99.8 % have
# their family among the best three, and of the RNAs of no known family, 0.6 have any.
_F1, _F2, _F3 = 0.1, 0.03, 0.005
_WINDOW = re.compile(r"^W +(\d+)$", re.MULTILINE)
_FORWARD = "+"


class Decision(NamedTuple):
    """The family of an RNA; empty if no profile HMM has a hit.

    Attributes
    ----------
    bits
        Log-odds score of the covariance model, or of the profile HMM if that was sure; NaN if no
        covariance model has a hit.
    decided
        `BY_PROFILE`, `BY_MODEL`, or empty without bits.
    """

    family: str = ""
    bits: float = np.nan
    decided: str = ""


def is_available() -> bool:
    """Whether pyinfernal is installed."""
    return find_spec("pyinfernal") is not None


class CovarianceModels:
    """Covariance models of families, read when an RNA needs one; not to be shared by threads.

    Their profile HMMs stay in memory, covariance models do not: they grow when they are used, to
    two megabytes each.

    Parameters
    ----------
    texts
        Family to the text of its model, as of `mirpair.families.infernal.build_models`.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)
        self._profiles: dict[str, HMM[Any]] = {}

    def decide(
        self, sequences: Sequence[str], shortlists: Sequence[Sequence[str]], *, threads: int = 1
    ) -> list[Decision]:
        """Call the family of each RNA among those of its shortlist.

        Parameters
        ----------
        sequences
            Over ACGU.
        shortlists
            For each RNA, families. Those without a model are left out.
        threads
            Number of models that are used at a time; it does not change the result.

        Raises
        ------
        InputError
            If pyinfernal is missing.
        """
        profiles = self._all(self._profile, sequences, shortlists, threads)
        unsure = [_unsure(bits) for bits in profiles]
        aligned = self.aligned_bits(sequences, unsure, threads=threads)
        return [_decide(*bits) for bits in zip(profiles, aligned, strict=True)]

    def aligned_bits(
        self, sequences: Sequence[str], families: Sequence[Sequence[str]], *, threads: int = 1
    ) -> list[dict[str, float]]:
        """Score RNAs by the covariance models of some families each: family to bits.

        The bits are the same as of `mirpair.families.infernal.hits`; families without a hit are
        missing. Infernal's filters see an RNA between unknown bases here, and reject a little more:
        of 29 RNAs whose profile HMM is not sure, 4.
        """
        return self._all(self._align, sequences, families, threads)

    def _all(
        self,
        score: Callable[[str, Sequence[str]], npt.NDArray[np.float64]],
        sequences: Sequence[str],
        families: Sequence[Sequence[str]],
        threads: int,
    ) -> list[dict[str, float]]:
        """Score RNAs by families, each family once for all its RNAs; without those that are NaN."""
        of_family: dict[str, list[int]] = {}
        for index, names in enumerate(families):
            for family in dict.fromkeys(names):
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
        if family not in self._profiles:
            # The profile HMM is a part of the model, which does not stay in memory.
            self._profiles[family] = self._model(family).filter_hmm.copy()
        hmm = self._profiles[family]
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
        try:
            from pyinfernal.cm import CMFile
        except ImportError as error:
            raise InputError(
                "covariance models need the package pyinfernal: pip install pyinfernal"
            ) from error
        with CMFile(io.BytesIO(self._texts[family].encode("ascii"))) as models:
            return next(iter(models))


def _unsure(profiles: Mapping[str, float]) -> list[str]:
    """List the families whose covariance models are aligned."""
    ranked = sorted(profiles, key=lambda it: (-profiles[it], it))
    best = profiles[ranked[0]] if ranked else SURE
    return [] if best >= SURE else ranked[:1] if best >= CLEAR else ranked[:MOST_MODELS]


def _decide(profiles: Mapping[str, float], aligned: Mapping[str, float]) -> Decision:
    """Choose the family with most bits; of equal ones, the first by name, as Infernal does."""
    if not profiles:
        return Decision()
    best = min(profiles, key=lambda it: (-profiles[it], it))
    if profiles[best] >= SURE:
        return Decision(best, profiles[best], BY_PROFILE)
    if not aligned:
        return Decision(best)
    best = min(aligned, key=lambda it: (-aligned[it], it))
    return Decision(best, aligned[best], BY_MODEL)


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
