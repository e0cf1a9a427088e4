"""Fold RNAs with ViennaRNA: structures and base-pairing ensembles, in parallel."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import chain, islice
from multiprocessing.process import BaseProcess
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import RNA

from mirpair.contracts import PIECE
from mirpair.files import InputError
from mirpair.rna.sequences import LONGEST
from mirpair.rna.structures import GivenStructure

# RNAs in one message to a process: about 0.2 s of work at 100 nt, much longer than the message
# takes and short enough for a smooth progress bar.
_TASK = 32
# RNAfold's dot plot leaves out less probable pairs.
_LEAST_PROBABILITY = 1e-5

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Structure(NamedTuple):
    """A predicted secondary structure.

    Attributes
    ----------
    dot_bracket
        One of ``.()`` for each base.
    mfe
        Minimum free energy, kcal/mol, rounded to two decimals as ViennaRNA prints it.
    """

    dot_bracket: str
    mfe: float


def fold(sequence: str) -> Structure:
    """Fold one sequence with ViennaRNA's default parameters (37 °C, Turner 2004, dangles 2).

    Do et al. 2018, section 2.1, used RNAfold; its structures and energies are these.
    """
    if len(sequence) > LONGEST:
        raise InputError(f"an RNA of {len(sequence):,} nt; up to {LONGEST:,} can be folded")
    dot_bracket, energy = RNA.fold(sequence)
    return Structure(dot_bracket, round(energy, 2) + 0.0)  # + 0.0 turns -0.0 into 0.0


def given_or_folded(sequence: str, given: GivenStructure | None) -> Structure:
    """Take a structure that is given, with its energy evaluated if it has none; or fold."""
    if given is None:
        return fold(sequence)
    energy = given.energy
    if energy is None:
        energy = RNA.eval_structure_simple(sequence, given.dot_bracket)
    return Structure(given.dot_bracket, round(energy, 2) + 0.0)


class BasePairs(NamedTuple):
    """The base pairs of an RNA's ensemble of structures, in ascending order of `i`, then `j`.

    Attributes
    ----------
    i, j
        (K,) int32: the two positions of each pair, from 0; i < j.
    probability
        (K,) float32.
    """

    i: npt.NDArray[np.int32]
    j: npt.NDArray[np.int32]
    probability: npt.NDArray[np.float32]


def ensemble(sequence: str) -> BasePairs:
    """Compute the probabilities of all base pairs by the partition function (``RNAfold -p``).

    The parameters are those of `fold`. As in RNAfold, the minimum free energy sets the scale of the
    partition function, and pairs with a probability below 1e-5 are left out.
    """
    compound = RNA.fold_compound(sequence)
    _, mfe = compound.mfe()
    compound.exp_params_rescale(mfe)
    compound.pf()
    pairs = sorted((p.i, p.j, p.p) for p in compound.plist_from_probs(_LEAST_PROBABILITY))
    i, j, probability = np.array(pairs, dtype=np.float64).reshape(-1, 3).T
    return BasePairs(i.astype(np.int32) - 1, j.astype(np.int32) - 1, probability.astype(np.float32))


def layout(dot_bracket: str) -> npt.NDArray[np.float64]:
    """Place the bases of a structure for a drawing, by ViennaRNA's RNApuzzler, without overlaps.

    Returns
    -------
    ndarray
        (L, 2): x and y of each base, with a distance of about 1 between neighbours. Both ends are
        at the bottom, 5′ on the left; the RNA runs clockwise.
    """
    # RNApuzzler writes outside its memory if a loop has no base, which no folding gives.
    navigable = "()" in dot_bracket
    kind, step = (RNA.PLOT_TYPE_NAVIEW, 15) if navigable else (RNA.PLOT_TYPE_PUZZLER, 25)
    before, RNA.cvar.rna_plot_type = RNA.cvar.rna_plot_type, kind
    try:
        points = RNA.get_xy_coordinates(dot_bracket)
        return np.array([(it.X, it.Y) for it in map(points.get, range(len(dot_bracket)))]) / step
    finally:
        RNA.cvar.rna_plot_type = before


def _run(function: Callable[[_Item], _Result], items: list[_Item]) -> list[_Result]:
    return [function(item) for item in items]


def unique(sequences: Iterable[str]) -> list[str]:
    """Return each sequence once, in the order of first appearance."""
    return list(dict.fromkeys(sequences))


def fold_all(sequences: Sequence[str], *, processes: int = 1) -> Iterator[Structure]:
    """Fold many sequences, see `for_each`."""
    return for_each(fold, sequences, processes=processes)


def for_each(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    processes: int = 1,
    at_once: int = _TASK,
    prepare: Callable[[], None] | None = None,
) -> Iterator[_Result]:
    """Call a function with each of many items, in parallel processes.

    ViennaRNA holds the GIL, so threads do not help.

    The results are in the order of `items`, for any number of processes. It is a
    `ChildProcessError` if a worker process died, most often because memory ran out.

    Parameters
    ----------
    function
        Such as `fold` or `ensemble`.
    items
        Its arguments, such as sequences for `fold` (see `unique`). They are taken as needed, so
        there may be any number of them.
    processes
        Number of worker processes; with 1, this process does the work.
    at_once
        Number of items in one message to a process.
    prepare
        Called once in every process before the first item.
    """
    remaining = iter(items)
    batches = iter(lambda: list(islice(remaining, at_once)), [])
    tasks = (partial(_run, function, batch) for batch in batches)
    first_two = list(islice(tasks, 2))
    if processes <= 1 or len(first_two) < 2:
        if prepare:
            prepare()
        return (result for task in chain(first_two, tasks) for result in task())
    # Forked workers do not import the caller's script again, which fails for Snakemake's scripts.
    # They start now, before the caller has threads of its own.
    method = "fork" if sys.platform == "linux" else None
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context(method),
        initializer=_begin,
        initargs=(prepare, os.getpid(), threading.current_thread() is threading.main_thread()),
    )
    first = pool.submit(first_two[0])
    workers = set(multiprocessing.active_children()) - others
    rest = chain(first_two[1:], tasks)
    return _in_order(pool, workers, deque([first]), rest, ahead=2 * processes)


def _begin(prepare: Callable[[], None] | None, parent: int, by_main_thread: bool) -> None:
    """Prepare a worker: it leaves Ctrl-C to the parent, and dies with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # If the parent is killed, by kill -9 for example, a worker would wait for work for ever. (Linux
    # signals the end of the thread that made the worker; the main thread lives as long as the
    # process.)
    if by_main_thread:
        with contextlib.suppress(OSError, AttributeError, TypeError):
            parent_death_signal = 1  # PR_SET_PDEATHSIG of Linux's prctl.h
            ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    if prepare:
        prepare()


def _in_order(
    pool: ProcessPoolExecutor,
    workers: set[BaseProcess],
    pending: deque[Future[list[_Result]]],
    tasks: Iterator[Callable[[], list[_Result]]],
    ahead: int,
) -> Iterator[_Result]:
    """Yield results in order, with `ahead` tasks submitted: workers are busy, memory is bounded."""
    try:
        while pending:
            missing = ahead - len(pending)
            pending.extend(pool.submit(task) for task in islice(tasks, missing))
            yield from pending.popleft().result()
        workers = set()  # all work is done, they end by themselves
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "a folding process was killed, most likely because memory ran out: "
            "use fewer processes or give the job more memory, then run it again"
        ) from error
    finally:
        # After an interrupt, nobody should wait until a long RNA is folded.
        for worker in workers:
            worker.terminate()
        pool.shutdown(cancel_futures=True)


def fold_piece(
    sequences: Iterable[str], piece: int, pieces: int, *, processes: int = 1
) -> pd.DataFrame:
    """Fold every `pieces`-th unique sequence, from number `piece` (from 1) on, to a `PIECE`."""
    chosen = unique(sequences)[piece - 1 :: pieces]
    structures = fold_all(chosen, processes=processes)
    rows = [(sequence, *it) for sequence, it in zip(chosen, structures, strict=True)]
    return pd.DataFrame(rows, columns=list(PIECE)).astype(PIECE)  # also for an empty piece


def gather_structures(records: pd.DataFrame, pieces: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Make the table of structures of all records, in their order: id, structure, mfe."""
    folded = pd.concat(list(pieces)).set_index("sequence")
    if missing := set(records["sequence"]) - set(folded.index):
        raise InputError(f"{len(missing)} sequences were not folded; delete the pieces, run again")
    structures = folded.loc[records["sequence"]].reset_index(drop=True)
    structures.insert(0, "id", records["id"].to_numpy())
    return structures
