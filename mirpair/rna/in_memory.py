"""Take the RNAs that a Python user gives: strings, lists, tables' columns, Biopython's records."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Set, Sized
from typing import Any

import numpy as np
import pandas as pd

from mirpair.rna import structures
from mirpair.rna.sequences import GAPS, Problem, Record, normalise, problem_of

_WANTED = (
    "give one RNA as a string, or several: a list of strings, a dict of names and sequences, a "
    "pandas Series, or records of Biopython"
)
_FILE = re.compile(
    r"[^\n]*\w\.(fa|fasta|fna|ffn|fas|fq|fastq|dbn|sto|txt|csv|tsv|gz)\s*", re.IGNORECASE
)
_FASTA = re.compile(r"\s*>[^\n]*\n\s*[A-Za-z]")
# What Biopython names a record without a name.
_UNNAMED = "<unknown id>"
_READ = "read a file with mirpair.rna.sequences.read_fasta, or use the command mirpair predict"


def records_of(sequences: Any) -> Iterator[tuple[Record, Problem | None]]:
    """Take RNAs in memory as records, each with its problem if it has one.

    Parameters
    ----------
    sequences
        RNA or DNA, upper or lower case. As in a file, white space and a ``*`` at the end are
        ignored, and gaps (``-`` and ``.``) are removed; there is one `UserWarning` for all gaps. A
        string is one RNA. Of several, the keys of a mapping, the index of a Series (unless it is
        the default one) and the ids of records are names; others have their number, from 1. All but
        an iterator are checked before this returns.

    Raises
    ------
    TypeError
        If it is something else, such as None, bytes, a path, a DataFrame, or has such an item.
    """
    records = _records(_named(sequences), from_0=isinstance(sequences, pd.Series))
    return iter(list(records)) if isinstance(sequences, Sized) else records


def _records(
    named: Iterable[tuple[Any, Any]], *, from_0: bool
) -> Iterator[tuple[Record, Problem | None]]:
    """Make the records; items without a name have a label from 0 if the user's table has them."""
    warned = False
    for number, (name, item) in enumerate(named, 1):
        label = number - 1 if name is None and from_0 else name
        where = f"item {number}" if label is None else f"item {number} ({label!r})"
        given, raw = _read(where, item)
        without_gaps = raw.translate(GAPS)
        if len(without_gaps) < len(raw) and not warned:
            # The level is that of the caller of `predict`.
            warnings.warn("gaps (- and .) are removed from the sequences", stacklevel=4)
            warned = True
        # Some programs end a sequence with an asterisk.
        letters = without_gaps.removesuffix("*")
        identifier = next((str(it) for it in (name, given) if it is not None), str(number))
        structure = item.structure if isinstance(item, Record) else None
        record = Record(identifier, normalise(letters), "sequences", number, structure=structure)
        problem = problem_of(record, letters)
        if structure and not problem:
            fault = structures.fault_of(structure.dot_bracket, record.sequence)
            problem = Problem(record, fault) if fault else None
        yield record, problem


def _named(sequences: Any) -> Iterable[tuple[Any, Any]]:
    """Pair each item with its name; None has its number."""
    if isinstance(sequences, np.ndarray) and sequences.ndim == 0:
        sequences = sequences.item()
    if _is_rna(sequences):
        return [(None, sequences)]
    if isinstance(sequences, pd.Series):
        numbered = sequences.index.equals(pd.RangeIndex(len(sequences)))
        return zip([None] * len(sequences) if numbered else sequences.index, sequences, strict=True)
    if isinstance(sequences, Mapping):
        return sequences.items()
    if isinstance(sequences, os.PathLike | io.IOBase):
        raise TypeError(f"{_shown(sequences)} is a file: {_READ}")
    if type(sequences).__name__ == "DataFrame":
        raise TypeError("a DataFrame has several columns; give one, such as table['sequence']")
    if isinstance(sequences, Set):
        raise TypeError("a set has no order; give a list")
    if isinstance(sequences, bytes | bytearray) or not isinstance(sequences, Iterable):
        raise TypeError(f"{_shown(sequences)} is not an RNA; {_WANTED}")
    return ((None, item) for item in sequences)


def _read(where: str, item: Any) -> tuple[Any, str]:
    """Return the name that an item has itself, or None, and its sequence without white space."""
    if not _is_rna(item):
        hint = ""
        if isinstance(item, os.PathLike):
            hint = f"; {_READ}"
        elif isinstance(item, tuple) and len(item) == 2:
            hint = "; of pairs of name and sequence, make a dict"
        raise TypeError(f"{where} is not an RNA: {_shown(item)}; {_WANTED}{hint}")
    if isinstance(item, Record):
        given, raw = item.id, item.sequence
    elif isinstance(item, str):
        given, raw = None, item
    else:
        given, raw = getattr(item, "id", None), str(getattr(item, "seq", item))
        given = None if given == _UNNAMED else given
    if _FASTA.match(raw):
        raise TypeError(f"{where} is the text of a FASTA file; save it, and {_READ}")
    if _FILE.fullmatch(raw):
        raise TypeError(f"{_shown(raw)} looks like the name of a file: {_READ}")
    return given, "".join(raw.split())


def _is_rna(value: Any) -> bool:
    """Tell whether this is one RNA: a string, a record of ours, or Biopython's Seq or SeqRecord."""
    if isinstance(value, str | Record):
        return True
    kinds = {f"{kind.__module__}.{kind.__name__}" for kind in type(value).__mro__}
    return bool(kinds & {"Bio.Seq.Seq", "Bio.Seq.MutableSeq", "Bio.SeqRecord.SeqRecord"})


def _shown(value: Any) -> str:
    text = repr(value)
    kind = type(value).__name__
    short = text if len(text) <= 40 else f"{text[:40]}…"
    return "None" if value is None else f"{short} (of type {kind})"
