"""Read hairpins and other RNAs from databases, and write them as FASTA with their origins.

miRBase (Kozomara et al. 2019, doi:10.1093/nar/gky1141), MirGeneDB (Clarke et al. 2025,
doi:10.1093/nar/gkae1094), Rfam (Ontiveros-Palacios et al. 2025, doi:10.1093/nar/gkae1023).
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mirpair.contracts import ALPHABET, CUT_RNAS, ORIGINS
from mirpair.files import InputError, write_text, write_tsv
from mirpair.provenance import write_json
from mirpair.rna.sequences import normalise, read_parts
from mirpair.rna.text_files import open_text

_STOCKHOLM = "# STOCKHOLM"
# All species name a family alike: hsa-mir-10a, dre-mir-10b-1, Hsa-Mir-10-P1a, ath-MIR156a.
_FAMILY = re.compile(r"(?:mir-)?(let|mir|lin|lsy|iab)-?(\d+)", re.IGNORECASE)
# A hairpin that an ontology's family has as its member.
_MEMBER = re.compile(r"\bmirbase:(MI\d+)\b")


class Entry(NamedTuple):
    """An RNA of a database."""

    # Its name there, unique in a collection.
    id: str
    # Its identifier, which stays when the name changes.
    accession: str
    # The beginning of its name, such as hsa; empty if unknown.
    species: str
    # Its family of microRNAs, or of Rfam; empty if unknown.
    family: str
    # Over ACGU, or with other letters of the database.
    sequence: str
    # See `mirpair.contracts.ORIGINS`.
    cut: str = ""
    trust: str = ""


class CutRna(NamedTuple):
    """An RNA that was cut out of a genome or a hairpin."""

    # Number of the stretch or hairpin; decides the order.
    stretch: int
    entry: Entry
    # The stem around which it was cut; empty if there is none.
    stem: str = ""


def family_of(name: str) -> str:
    """Derive the family from a hairpin's name, in lower case.

    In miRBase and MirGeneDB, orthologs have the same number, and so have paralogs that were named
    together. Similar hairpins may still have different numbers (let-7 and mir-98; mir-515 to 527).
    A name without a number is a family of its own.

    Examples
    --------
    >>> family_of("hsa-let-7a-1"), family_of("ath-MIR156a"), family_of("Hsa-Mir-10-P1a_pre")
    ('let-7', 'mir-156', 'mir-10')
    >>> family_of("dme-bantam"), family_of("ebv-mir-BART1")
    ('bantam', 'mir-bart1')
    """
    own = (name.partition("-")[2] or name).removesuffix("_pre")
    numbered = _FAMILY.match(own)
    return "-".join(numbered.groups()).lower() if numbered else own.lower()


def read_hairpins(path: str | Path) -> Iterator[Entry]:
    """Read hairpins as miRBase or MirGeneDB publish them.

    The file is FASTA, plain or gzip, whose headers begin with a name and, in miRBase, an accession;
    or a CSV file with the columns accession, ID (or mirbase_id) and precursor, like the tables of
    the Python package smallrnaseq. A name begins with its species and a dash. Anything else is an
    `InputError`, which names file and record.
    """
    try:
        with open_text(path) as handle:
            first = next((line for line in handle if line.strip()), "")
            is_csv = not first.startswith(">")
            rows = list(_of_csv(path, [first, *handle])) if is_csv else _of_fasta(path)
    except (UnicodeDecodeError, EOFError, zlib.error, gzip.BadGzipFile, csv.Error) as error:
        raise InputError(
            f"{path}: cannot be read as hairpins ({error}); download it again"
        ) from error
    for number, (name, accession, sequence) in enumerate(rows, 1):
        if not re.fullmatch(r"[^\s-]+-\S+", name):
            raise InputError(
                f"{path}: record {number} is named {name!r}; a hairpin's name begins with its "
                "species and a dash, as hsa-let-7a-1 does. Files without such names cannot "
                "be a collection of hairpins: use them as positives of a set."
            )
        species = name.partition("-")[0]
        yield Entry(name, accession or name, species, family_of(name), normalise(sequence))


def _of_fasta(path: str | Path) -> Iterator[tuple[str, str, str]]:
    for header, parts in read_parts(path):
        words = [*header.split(), "", ""]
        accession = words[1] if re.fullmatch(r"MI\d+", words[1]) else ""
        yield words[0], accession, "".join(parts)


def _of_csv(path: str | Path, lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    rows = csv.DictReader(lines)
    columns = set(rows.fieldnames or [])
    needed = ("ID" if "ID" in columns else "mirbase_id", "accession", "precursor")
    if not set(needed) <= columns:
        raise InputError(
            f"{path}: neither FASTA (it does not begin with '>') nor a CSV file with the columns "
            "ID (or mirbase_id), accession and precursor"
        )
    for row in rows:
        name, accession, sequence = (row[key] or "" for key in needed)
        if sequence:  # withdrawn entries of the tables have none
            yield name, accession, sequence


def read_rfam(path: str | Path, family: str = "", *, without: Collection[str] = ()) -> list[Entry]:
    """Read sequences of Rfam in the order of the file; an id is ``<family>:<name>``.

    Parameters
    ----------
    path
        FASTA of one family, or alignments of several in Stockholm format (like ``Rfam.seed``),
        plain or gzip; anything else is an `InputError`.
    family
        Accession of the family of a FASTA file.
    without
        Types of families to leave out, such as ``miRNA``: words of Rfam's ``#=GF TP``, in any case.
        One that no family of the alignments has is an `InputError`.
    """
    from Bio import Align

    with open_text(path) as handle:
        # Rfam writes the names of authors in Latin-1.
        handle.reconfigure(encoding="latin-1")
        first = handle.readline()
        text = first + handle.read() if first.startswith(_STOCKHOLM) else ""
    if not text:
        read = [(header.split(), "".join(parts)) for header, parts in read_parts(path)]
        return [_of_rfam(family, (words or [""])[0], sequence) for words, sequence in read]
    entries = []
    excluded, types = {word.lower() for word in without}, Counter[str]()
    try:
        for alignment in Align.parse(io.StringIO(text), "stockholm"):
            about = alignment.annotations
            words = re.findall(r"[\w-]+", about.get("type", ""))
            types.update(words)
            if excluded.isdisjoint(map(str.lower, words)):
                accession = about["accession"]
                entries += [_of_rfam(accession, it.id, str(it.seq)) for it in alignment.sequences]
    except (ValueError, KeyError, AssertionError) as error:
        raise InputError(f"{path}: not alignments of Rfam in Stockholm format ({error})") from error
    if unknown := sorted(excluded - set(map(str.lower, types))):
        known_types = ", ".join(word for word, _ in types.most_common())
        raise InputError(
            f"{path}: no family is of the type {', '.join(unknown)} (`without`); there are "
            f"{known_types or 'no families with a type'}"
        )
    return entries


def _of_rfam(family: str, name: str, sequence: str) -> Entry:
    return Entry(f"{family}:{name}", name, "", family, normalise(sequence))


class Family(NamedTuple):
    """A family of miRBase."""

    accession: str
    name: str


def read_family_members(path: str | Path) -> dict[str, Family]:
    """Read the families of miRBase: accession of each hairpin to its family.

    The file is miRBase's own miFam.dat: lines ``AC`` (the family's accession), ``ID`` (its name),
    ``MI`` (accession and name of a hairpin, any number of lines), and ``//``. Or it is an ontology
    in OBO format, in which a family has the relationship *has member* to each of its hairpins, as
    PyOBO writes it. It is an `InputError`, which names file and line, if it is another file, or a
    hairpin has two families.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not families of miRBase: it is not UTF-8 text") from error
    members = _of_obo if lines and lines[0].startswith("format-version:") else _of_mifam
    family_of: dict[str, Family] = {}
    for number, hairpin, family in members(path, lines):
        first = family_of.setdefault(hairpin, family)
        if first != family:
            raise InputError(
                f"{path}: line {number}: {hairpin} is in the family {family.name!r}, and in "
                f"{first.name!r}; correct it"
            )
    return family_of


def _of_mifam(path: str | Path, lines: Sequence[str]) -> Iterator[tuple[int, str, Family]]:
    accession = name = ""
    for number, line in enumerate(lines, 1):
        match line.split():
            case []:
                pass
            case ["AC", accession]:
                pass
            case ["ID", name]:
                pass
            case ["MI", hairpin, _] if name:
                yield number, hairpin, Family(accession, name)
            case ["//"]:
                accession = name = ""
            case _:
                raise InputError(
                    f"{path}: line {number} is {line[:40]!r}; miRBase's miFam.dat has lines "
                    "`AC accession`, `ID family`, below it `MI accession hairpin`, then `//`"
                )


def _of_obo(path: str | Path, lines: Sequence[str]) -> Iterator[tuple[int, str, Family]]:
    accession = name = ""
    for number, line in enumerate(lines, 1):
        key, _, value = line.partition(": ")
        if line.startswith("["):
            accession = name = ""
        elif key == "id":
            accession = value.removeprefix("mirbase.family:").strip()
        elif key == "name":
            name = value.strip()
        elif key == "relationship" and (member := _MEMBER.search(value)):
            if not (accession and name):
                raise InputError(
                    f"{path}: line {number}: {member[1]} is a member, but of no family: its term "
                    "must begin with an `id` and a `name`"
                )
            yield number, member[1], Family(accession, name)


def choose(
    entries: Iterable[Entry],
    *,
    species: Collection[str] | None = None,
    shortest: int = 1,
    longest: int,
    families: Mapping[str, Family] | None = None,
) -> tuple[list[Entry], Counter[str]]:
    """Choose the RNAs of a collection among those of a database.

    Parameters
    ----------
    entries, species
        RNAs, and the species to include, as names begin, in any case; None includes all.
    shortest, longest
        Shortest and longest length, nt, both included.
    families
        Result of `read_family_members`; replaces the families derived from names.

    Returns
    -------
    chosen, left_out
        The RNAs in their order, and the number left out by reason: another species, too short, too
        long, a letter outside ACGU, or a duplicate.

    Raises
    ------
    InputError
        If no RNA is left, a species has none, or two different RNAs have the same id.
    """
    included = None if species is None else {name.lower() for name in species}
    chosen: dict[str, Entry] = {}
    left_out: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for entry in entries:
        seen[entry.species.lower()] += 1
        if included is not None and entry.species.lower() not in included:
            left_out["another species"] += 1
        elif set(entry.sequence) - set(ALPHABET):
            left_out["a letter outside ACGU"] += 1
        elif len(entry.sequence) < shortest:
            left_out[f"shorter than {shortest} nt"] += 1
        elif len(entry.sequence) > longest:
            left_out[f"longer than {longest} nt"] += 1
        elif entry.id in chosen:
            if chosen[entry.id].sequence != entry.sequence:
                raise InputError(
                    f"two different RNAs of the collection have the id {entry.id!r}: rename one "
                    "of them in a copy of the file, and use the copy"
                )
            left_out["the same entry once more"] += 1
        else:
            if families is not None:
                family = families.get(entry.accession)
                entry = entry._replace(family=family.name if family else "")
            chosen[entry.id] = entry
    if included and (missing := sorted(included - set(seen))):
        most = ", ".join(name for name, _ in seen.most_common(8))
        raise InputError(
            f"no entry is of the species {', '.join(missing)}; the most frequent are {most}"
        )
    if not chosen:
        counts = ", ".join(f"{count} {why}" for why, count in left_out.items()) or "there were none"
        raise InputError(f"no RNA is left in the collection: {counts}")
    return list(chosen.values()), left_out


def without_copies(
    entries: Sequence[Entry],
    left_out: Counter[str],
    *,
    rank: Callable[[Entry], Any] = lambda entry: 0,
) -> tuple[list[Entry], Counter[str]]:
    """Keep each sequence once, in the order of the entries: the first one of the lowest rank.

    Returns
    -------
    entries, left_out
        What remains, and the number left out by reason, with the copies.
    """
    best: dict[str, Entry] = {}
    for entry in sorted(entries, key=rank):
        best.setdefault(entry.sequence, entry)
    unique = [entry for entry in entries if best[entry.sequence] is entry]
    copies = len(entries) - len(unique)
    return unique, left_out + Counter({"a copy of another one": copies})


def cut_table(rnas: Iterable[CutRna]) -> pd.DataFrame:
    """Write RNAs that were cut as a table (`CUT_RNAS`)."""
    rows = [(rna.stretch, *rna.entry, rna.stem) for rna in rnas]
    table = pd.DataFrame(rows, columns=["stretch", *Entry._fields, "stem"])
    return table[list(CUT_RNAS)].astype(CUT_RNAS)


def merge_cut(pieces: Iterable[pd.DataFrame]) -> list[CutRna]:
    """Merge the RNAs of all pieces (`CUT_RNAS`), in the order of the stretches."""
    table = pd.concat(list(pieces)).sort_values("stretch", kind="stable")
    rows = table[["stretch", *Entry._fields, "stem"]].itertuples(index=False, name=None)
    return [CutRna(row[0], Entry(*row[1:-1]), row[-1]) for row in rows]


def thin(entries: Sequence[Entry], at_most: int, *, seed: int) -> list[Entry]:
    """Sample at most `at_most` RNAs of each family, in their order."""
    rng = np.random.default_rng(seed)
    members: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        members.setdefault(entry.family, []).append(index)
    chosen: list[int] = []
    for _, indices in sorted(members.items()):
        if len(indices) > at_most:
            indices = rng.choice(indices, at_most, replace=False).tolist()
        chosen += indices
    return [entries[index] for index in sorted(chosen)]


def write_collection(
    entries: Iterable[Entry],
    left_out: Mapping[str, int],
    fasta: str | Path,
    origins: str | Path,
    summary: str | Path,
    counts: Mapping[str, int] | None = None,
) -> None:
    """Write RNAs as FASTA (header: id and accession), and their origins as a table (`ORIGINS`).

    The summary is JSON: the number of RNAs, the number left out by reason, and `counts`.
    """
    rows = list(entries)
    write_text(fasta, "".join(f">{it.id} {it.accession}\n{it.sequence}\n" for it in rows))
    table = pd.DataFrame(rows, columns=list(Entry._fields))
    write_tsv(table[list(ORIGINS)].astype(ORIGINS), origins)
    write_json({"rnas": len(rows), "left_out": dict(left_out), **(counts or {})}, summary)


def read_lengths(path: str | Path) -> list[int]:
    """Read the lengths of a FASTA file's sequences, in their order, nt."""
    return [sum(map(len, parts)) for _, parts in read_parts(path)]


def read_named(path: str | Path) -> Iterator[tuple[str, str, Iterator[str]]]:
    """Read sequences that hairpins are named after: name, header and parts of each.

    It is an `InputError` if two sequences share a name, or one has none.
    """
    names: set[str] = set()
    for number, (header, parts) in enumerate(read_parts(path), 1):
        name = (header.split() or [""])[0]
        if not name or name in names:
            raise InputError(
                f"{path}: sequence {number} has "
                + (f"the name {name!r} of another one" if name else "no name")
                + "; hairpins are named after their sequence: rename it"
            )
        names.add(name)
        yield name, header, parts
