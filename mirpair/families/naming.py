"""Name families as people do: by miRBase's names, with the families of Rfam merged into them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mirpair.contracts import ALPHABET, FAMILIES, FAMILY_RECORDS
from mirpair.files import InputError
from mirpair.rna.sequences import normalise, read_parts
from mirpair.rna.similarity import Nearest
from mirpair.sources.collections import read_family_members, read_hairpins

# A mature microRNA of MirGeneDB: species, family, paralogue or variant, arm.
_MATURE = re.compile(r"[^-]+-(.+?)(?:-(?:P\d|v\d|o\d|as)[^_]*)?_(?:5p|3p)\S*")
# The beginning of a hairpin's name that all members of a family have: mir-10, MIR168, let-7.
_NUMBERED = re.compile(r"(?:mir-)?(?:mir-|let-|lin-|lsy-|iab-)\d+|MIR\d+")
_WORD = 16
# An RNA counts as similar to a hairpin that has so large a share of its 8-mers.
LIKE = 0.3
# RNAs of a family of Rfam that decide which family of miRBase it is.
VOTERS = 20


def read_named(
    hairpins: str | Path, families: str | Path, *, max_length: int
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read the hairpins of miRBase with their families.

    Half of miRBase 22.1's hairpins have no family in its list, sme-let-7a among them. Here, such a
    hairpin belongs to the family of the most similar hairpin that has one. Without a similar one,
    its name says the family, as orthologs have the same number: that of most listed hairpins with
    this number (mir-92 is of the family mir-25), or else the number itself. Many are alone.

    Parameters
    ----------
    hairpins, families
        As of `mirpair.sources.collections.read_hairpins` and `read_family_members`.
    max_length
        In nt. Longer hairpins are skipped, as are those with a letter outside ACGU and copies.

    Returns
    -------
    records, accessions
        As of `mirpair.families.records.read_families`, with the names of the families; and the
        accession of each name in the list.

    Raises
    ------
    InputError
        If a file is another one, or no hairpin has a family in the list.
    """
    family_of = read_family_members(families)
    rows = []
    for number, entry in enumerate(read_hairpins(hairpins), 1):
        if len(entry.sequence) <= max_length and not set(entry.sequence) - set(ALPHABET):
            family = family_of.get(entry.accession)
            row = (
                entry.id,
                1,
                entry.sequence,
                str(hairpins),
                number,
                family.name if family else "",
            )
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(FAMILY_RECORDS)).astype(FAMILY_RECORDS)
    # Of copies, the first one that has a family.
    order = (table["family"] == "").to_numpy().argsort(kind="stable")
    table = table.iloc[order].drop_duplicates("sequence").sort_index(ignore_index=True)
    listed, others = table[table["family"] != ""], table[table["family"] == ""]
    if listed.empty:
        raise InputError(
            f"{families}: has none of the accessions in {hairpins}: use both files of the same "
            "release"
        )
    indices, containment = Nearest(listed["sequence"].tolist()).find(others["sequence"].tolist())
    near = listed["family"].to_numpy()[indices]
    known = _families_of_numbers(listed)
    names = [known.get(number, number) for number in map(_number_in, others["id"])]
    table.loc[others.index, "family"] = np.where(containment >= LIKE, near, names)
    table["id"] = table["family"] + ":" + table["id"]
    return table, {family.name: family.accession for family in family_of.values()}


def _families_of_numbers(listed: pd.DataFrame) -> dict[str, str]:
    """Return the family of most hairpins with each number, such as mir-25 for mir-92."""
    counts: dict[str, Counter[str]] = {}
    for name, family in zip(listed["id"], listed["family"], strict=True):
        counts.setdefault(_number_in(name), Counter())[family] += 1
    return {number: families.most_common(1)[0][0] for number, families in counts.items()}


def _number_in(name: str) -> str:
    """Return what orthologs share in the name of a hairpin, such as mir-10 of sme-mir-10b."""
    own = name.partition("-")[2] or name
    numbered = _NUMBERED.match(own)
    return numbered[0] if numbered else own


def merge_families(
    rfam: pd.DataFrame, mirbase: pd.DataFrame, accessions: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Merge the families of Rfam into those of miRBase.

    Some RNAs of a family of Rfam are compared with the hairpins of miRBase. The family is the one
    that the nearest hairpins of more than half of those belong to that have a similar one. If they
    belong to several families, it is left out, because these families have them already. If less
    than a tenth have a similar hairpin, miRBase does not know the family, and it has its accession
    as name.

    Parameters
    ----------
    rfam, mirbase
        Records as of `mirpair.families.records.read_families`; the families of miRBase are names.
    accessions
        Name to accession of each family of miRBase.

    Returns
    -------
    records
        All records with the merged families, those of miRBase first; an RNA that is in both has
        miRBase's.
    families
        Columns of `mirpair.contracts.FAMILIES`, one row for each; those of MirGeneDB are empty, see
        `mirgenedb_names`.
    """
    nearest, families = Nearest(mirbase["sequence"].tolist()), mirbase["family"].tolist()
    named: dict[str, str] = {}
    for family, records in rfam.groupby("family", sort=True):
        chosen = np.unique(np.linspace(0, len(records) - 1, VOTERS).astype(np.int64))
        indices, containment = nearest.find(records["sequence"].iloc[chosen].tolist())
        votes = Counter(
            families[index]
            for index, share in zip(indices, containment, strict=True)
            if share >= LIKE
        )
        name, most = votes.most_common(1)[0] if votes else ("", 0)
        if 10 * votes.total() < len(chosen):
            named[str(family)] = str(family)
        elif 2 * most > votes.total():
            named[str(family)] = name
    renamed = rfam.assign(family=rfam["family"].map(named))[rfam["family"].isin(named)]
    records = pd.concat([mirbase, renamed], ignore_index=True)[list(FAMILY_RECORDS)]
    records = records.drop_duplicates("sequence", ignore_index=True)
    own = {name: [accession] for name, accession in accessions.items()}
    # Families that are not in the list have no accession.
    own |= {name: [] for name in set(mirbase["family"]) - set(own)}
    for family, name in named.items():
        own.setdefault(name, []).append(family)
    return records, _described(records, own)


def mirgenedb_names(records: pd.DataFrame, mature: str | Path) -> dict[str, str]:
    """Find the families of MirGeneDB whose mature microRNAs are in the hairpins of each family.

    Parameters
    ----------
    records
        With columns family and sequence.
    mature
        FASTA of MirGeneDB's mature microRNAs, whose names are such as ``Hsa-Mir-10-P1a_5p``.

    Returns
    -------
    dict
        Family to the names in MirGeneDB, such as ``MIR-10``, the most frequent first, separated by
        spaces. A name counts if at least a tenth as many hairpins have it as have the most frequent
        one; families without any are missing.

    Raises
    ------
    InputError
        If no record of the file has such a name.
    """
    of_word: dict[str, list[tuple[str, str]]] = {}
    for header, parts in read_parts(mature):
        sequence = normalise("".join(parts))
        if (name := _MATURE.fullmatch(header.split()[0])) and len(sequence) >= _WORD:
            of_word.setdefault(sequence[:_WORD], []).append((sequence, name[1].upper()))
    if not of_word:
        raise InputError(f"{mature}: no mature microRNA has a name such as Hsa-Mir-10-P1a_5p")
    counts: dict[str, Counter[str]] = {}
    for family, sequence in zip(records["family"], records["sequence"], strict=True):
        names = {
            name
            for start in range(len(sequence) - _WORD + 1)
            for rna, name in of_word.get(sequence[start : start + _WORD], ())
            if sequence.startswith(rna, start)
        }
        counts.setdefault(family, Counter()).update(names)
    return {
        family: " ".join(name for name, count in of.most_common() if 10 * count >= max(of.values()))
        for family, of in counts.items()
        if of
    }


def name_families(
    rfam: pd.DataFrame, named: Sequence[str | Path], *, max_length: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Name the families of a study as miRBase and MirGeneDB do.

    Parameters
    ----------
    rfam
        Result of `mirpair.families.records.read_families`.
    named
        Files of miRBase's hairpins and families, see `read_named`, and perhaps of MirGeneDB's
        mature microRNAs, see `mirgenedb_names`; without any, families keep the names of their
        files.
    max_length
        In nt, of the hairpins of miRBase.

    Returns
    -------
    records, families
        As of `merge_families`.
    """
    if not named:
        return rfam, _described(rfam, {name: [name] for name in set(rfam["family"])})
    hairpins, members, *mature = named
    records, families = merge_families(rfam, *read_named(hairpins, members, max_length=max_length))
    for path in mature:
        families["mirgenedb"] = families["family"].map(mirgenedb_names(records, path)).fillna("")
    return records, families


def _described(records: pd.DataFrame, accessions: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    sizes = records["family"].value_counts()
    rows = [(name, " ".join(accessions[name]), "", sizes[name]) for name in sorted(sizes.index)]
    return pd.DataFrame(rows, columns=list(FAMILIES)).astype(FAMILIES)
