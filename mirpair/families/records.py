"""Select the records of microRNA families, and divide them into training and evaluation sets.

Tang and Sun (2019), BMC Bioinformatics 20:646, classify pre-miRNAs by Rfam family and reject RNAs
outside the trained families. A record's family is its Rfam accession; for an RNA that is not a
pre-miRNA (label 0) it is the kind of RNA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mirpair.contracts import EVALUATE, EXPERIMENT, FAMILY_RECORDS, TRAIN, VALIDATE
from mirpair.files import InputError
from mirpair.rna.sequences import read_fasta
from mirpair.rna.similarity import Nearest, clusters, nearest

_Row = tuple[str, int, str, str, int, str]
# Kinds of outliers that need no file of their own.
SHUFFLED, UNTRAINED = "shuffled hairpin", "untrained family"


def read_families(files: Mapping[str, str | Path], *, max_length: int) -> pd.DataFrame:
    """Read one FASTA file per family.

    Parameters
    ----------
    files
        Family to file.
    max_length
        In nt. Longer RNAs are skipped, as are RNAs with a character outside ACGU and copies.

    Returns
    -------
    DataFrame
        Columns id (``family:id in the file``), label (1), sequence, file, number and family, in
        the order of `files`.

    Raises
    ------
    InputError
        If `mirpair.rna.sequences.read_fasta` does, an id occurs twice in a family, or a sequence in
        two families.
    """
    rows: list[_Row] = []
    family_of: dict[str, str] = {}
    for family, path in files.items():
        ids: dict[str, int] = {}
        for record in read_fasta(path, dropped=[]):
            if first := ids.get(record.id):
                raise InputError(
                    f"{path}: record {record.number} has the id {record.id!r}, but so has record "
                    f"{first}: rename one of them"
                )
            ids[record.id] = record.number
            if len(record.sequence) > max_length:
                continue
            other = family_of.setdefault(record.sequence, family)
            if other != family:
                raise InputError(
                    f"{path}: record {record.number} ({record.id!r}) has the sequence of a record "
                    f"of the family {other}: remove one of them, an RNA can only have one family"
                )
            name = f"{family}:{record.id}"
            rows.append((name, 1, record.sequence, str(path), record.number, family))
    return _without_copies(rows)


def _without_copies(rows: list[_Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(FAMILY_RECORDS)).astype(FAMILY_RECORDS)
    return table.drop_duplicates("sequence", ignore_index=True)


def read_others(
    files: Sequence[str | Path],
    *,
    kinds: Mapping[str, str],
    rest: str,
    without: Sequence[str],
    max_length: int,
) -> pd.DataFrame:
    """Read RNAs that are not pre-miRNAs from FASTA files whose headers name the class of RNA.

    Parameters
    ----------
    files
        Such as the nRC set of Fiannaca et al. (2017), BioData Mining 10:27: ``>tRNA``.
    kinds
        Class in a header to the kind under which results report it.
    rest
        Kind of all other classes.
    without
        Classes to leave out.
    max_length
        As in `read_families`.

    Returns
    -------
    DataFrame
        As from `read_families`, without copies, with label 0 and the kind as family.

    Raises
    ------
    InputError
        If `mirpair.rna.sequences.read_fasta` does, or a class named in the config does not occur.
    """
    rows: list[_Row] = []
    classes: set[str] = set()
    for path in files:
        for record in read_fasta(path, dropped=[]):
            classes.add(record.id)
            if record.id in without or len(record.sequence) > max_length:
                continue
            # The header is not unique, so the position in the file makes the id.
            name = f"{record.id}:{Path(path).stem}-{record.number}"
            kind = kinds.get(record.id, rest)
            rows.append((name, 0, record.sequence, str(path), record.number, kind))
    if unknown := [name for name in (*kinds, *without) if name not in classes]:
        raise InputError(
            f"{', '.join(map(str, files))}: no RNA is of the class {unknown[0]!r}; choose from "
            f"{', '.join(sorted(classes))}"
        )
    return _without_copies(rows)


def split_families(
    hairpins: pd.DataFrame, split: Mapping[str, Any], *, seed: int, threads: int = 1
) -> pd.DataFrame:
    """Choose the families of an experiment and assign roles to their records.

    From each family, a fixed number of records is drawn for evaluation, then for training, then up
    to a fixed number of the rest for validation. With `training_at_least`, small families take part
    too: at most half of their records evaluate or validate, in this order, and the others train.

    A split by clusters draws complete clusters. It then drops evaluation and validation records
    with at least `identity` to a training record (`mirpair.rna.similarity.nearest`), because the
    clustering misses some.

    Parameters
    ----------
    hairpins
        Result of `read_families`.
    split
        An experiment of the config (`mirpair.study.families.FamilySplit`) as a dictionary.
    seed
        Each family is drawn independently of the others.
    threads
        For the clustering; they do not change the result.

    Returns
    -------
    DataFrame
        Columns id and role, in the order of `hairpins`.

    Raises
    ------
    InputError
        If fewer than two families have enough records.
    """
    sizes = hairpins["family"].value_counts()
    fitting = sizes[(sizes >= split["at_least"]) & (sizes <= (split["at_most"] or np.inf))]
    # The largest families first, equally large ones by name.
    ranked = fitting.sort_index().sort_values(ascending=False, kind="stable")
    chosen = set(ranked.index[: split["families"]])
    members = hairpins[hairpins["family"].isin(chosen)]
    if split["split"] == "clusters":
        sequences = members["sequence"].tolist()
        cluster = clusters(sequences, identity=split["identity"], threads=threads)
    else:
        cluster = np.arange(len(members))
    members = members.assign(cluster=cluster)
    roles = {EVALUATE: "evaluation", TRAIN: "training", VALIDATE: "validation"}
    if split["training_at_least"]:
        # Otherwise only families with more records than train would choose the thresholds.
        roles = {EVALUATE: "evaluation", VALIDATE: "validation", TRAIN: "training"}
    counts = {role: split[name] for role, name in roles.items()}
    least = split["training_at_least"] or split["training"]
    drawn = []
    for family in sorted(chosen):
        rng = np.random.default_rng([seed, *family.encode()])
        role_of = _draw(members[members["family"] == family], counts, least, rng)
        if role_of is not None:
            drawn.append(role_of)
    if len(drawn) < 2:
        raise InputError(
            f"{len(drawn)} of {len(sizes)} families have enough records for this experiment "
            f"({split['training']} to train and one to evaluate); it needs at least two families: "
            "lower `training`, or add records"
        )
    role = pd.concat(drawn)
    table = pd.DataFrame({"id": hairpins["id"], "role": hairpins["id"].map(role)}).dropna()
    if split["split"] == "clusters":
        sequence = hairpins.loc[table.index, "sequence"]
        trains = table["role"] == TRAIN
        near = nearest(sequence[~trains].tolist(), sequence[trains].tolist(), threads=threads)
        # The clustering compares with one record per cluster, so it misses some similar pairs.
        table = table.drop(table.index[~trains][near >= split["identity"]])
    return table


def _draw(
    group: pd.DataFrame, counts: Mapping[str, int], least: int, rng: np.random.Generator
) -> pd.Series | None:
    """Assign roles by id to one family's records; None if too few train or none evaluates."""
    # What must be left to train: of a small family, half.
    reserved = min(counts[TRAIN], max(least, -(-len(group) // 2)))
    shuffled = group.iloc[rng.permutation(len(group))]
    roles: dict[str, str] = {}
    remaining = [part["id"].tolist() for _, part in shuffled.groupby("cluster", sort=False)]
    for role, wanted in counts.items():
        # Skip a cluster if the others would be too few for training.
        needed = 0 if role == TRAIN or TRAIN in roles.values() else reserved
        taken = 0
        skipped: list[list[str]] = []
        while remaining and taken < wanted:
            cluster = remaining.pop(0)
            if sum(len(other) for other in remaining + skipped) < needed:
                skipped.append(cluster)
                continue
            # The surplus of a cluster gets no role, so that no cluster has two.
            roles |= dict.fromkeys(cluster[: wanted - taken], role)
            taken += min(len(cluster), wanted - taken)
        remaining = skipped + remaining
        if (role == TRAIN and taken < least) or (role == EVALUATE and not taken):
            return None
    return pd.Series(roles)


def outliers(
    hairpins: pd.DataFrame, others: pd.DataFrame, roles: pd.DataFrame, *, each: int, seed: int
) -> pd.DataFrame:
    """Choose RNAs outside the trained families, half to validate and half to evaluate.

    Parameters
    ----------
    hairpins, others
        Results of `read_families` and `read_others`.
    roles
        Result of `split_families`.
    each
        Maximum number of records per kind and role; per untrained family it is five.

    Returns
    -------
    DataFrame
        Columns of `hairpins` and role. All records of an untrained family have the same role. A
        shuffled hairpin (`shuffle_dinucleotides`) has the role of the record it is made from.
    """
    rng = np.random.default_rng([seed, 1])
    role_of = dict(zip(roles["id"], roles["role"], strict=True))
    known = hairpins["id"].map(role_of)
    trained = set(hairpins.loc[known == TRAIN, "family"])
    halves = (VALIDATE, EVALUATE)
    parts = []

    untrained = hairpins[~hairpins["family"].isin(trained)]
    names = sorted(set(untrained["family"]))
    half = dict(zip(names, rng.permutation(np.arange(len(names)) % 2), strict=True))
    few = untrained.iloc[rng.permutation(len(untrained))].groupby("family").head(5)
    for number, role in enumerate(halves):
        parts.append(few[few["family"].map(half) == number].head(each).assign(role=role))

    unlike = others[~others["sequence"].isin(hairpins["sequence"])]
    for _, kind in unlike.groupby("family", sort=True):
        drawn = kind.iloc[rng.permutation(len(kind))].head(2 * each)
        parts.append(drawn.assign(role=[halves[n % 2] for n in range(len(drawn))]))

    for role in halves:
        members = hairpins[known == role]
        drawn = members.iloc[rng.permutation(len(members))].head(each)
        shuffled = [
            shuffle_dinucleotides(sequence, np.random.default_rng([seed, *name.encode()]))
            for name, sequence in zip(drawn["id"], drawn["sequence"], strict=True)
        ]
        ids = "shuffled:" + drawn["id"]
        columns: dict[str, Any] = {
            "id": ids,
            "label": 0,
            "sequence": shuffled,
            "family": SHUFFLED,
            "role": role,
        }
        parts.append(drawn.assign(**columns))
    return pd.concat(parts, ignore_index=True).drop_duplicates("sequence", ignore_index=True)


def shuffle_dinucleotides(sequence: str, rng: np.random.Generator) -> str:
    """Shuffle a sequence, preserving the counts of dinucleotides and bases exactly.

    Altschul and Erickson (1985), Molecular Biology and Evolution 2:526: a random Eulerian walk
    through the graph whose edges are the dinucleotides. The first and last base stay the same.
    """
    last = sequence[-1]
    followers: dict[str, list[str]] = {}
    for base, following in pairwise(sequence):
        followers.setdefault(base, []).append(following)
    while True:
        # The last edges of all bases must lead to the last base, or the walk would end early.
        final = {b: str(rng.choice(sorted(f))) for b, f in sorted(followers.items()) if b != last}
        if all(_leads(base, last, final) for base in final):
            break
    order: dict[str, list[str]] = {}
    for base, edges in sorted(followers.items()):
        rest = sorted(edges)
        if base in final:
            rest.remove(final[base])
        shuffled = [rest[n] for n in rng.permutation(len(rest))]
        order[base] = ([*shuffled, final[base]] if base in final else shuffled)[::-1]
    walk = [sequence[0]]
    while order.get(walk[-1]):
        walk.append(order[walk[-1]].pop())
    return "".join(walk)


def _leads(base: str, last: str, edges: Mapping[str, str]) -> bool:
    seen: set[str] = set()
    while base != last:
        if base in seen:
            return False
        seen.add(base)
        base = edges[base]
    return True


def assign_families(
    hairpins: pd.DataFrame,
    others: pd.DataFrame,
    split: Mapping[str, Any],
    *,
    seed: int,
    threads: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose the records of one experiment, outliers included, and make its table of roles.

    Parameters
    ----------
    hairpins, others
        Results of `read_families` and `read_others`.
    split, seed, threads
        See `split_families`; ``outliers`` of the split is `each` of `outliers`.

    Returns
    -------
    records, experiment
        Columns of `FAMILY_RECORDS` and of `EXPERIMENT`, row by row the same records.

    Raises
    ------
    InputError
        If too few families have enough records, or outliers lack validation records.
    """
    roles = split_families(hairpins, split, seed=seed, threads=threads)
    records = hairpins.merge(roles, on="id")
    if split["outliers"]:
        if not (roles["role"] == VALIDATE).any():
            raise InputError(
                "no family has RNAs left for validation, which the thresholds of `outliers` "
                "need: lower `training` or `evaluation`, or remove `outliers`"
            )
        added = outliers(hairpins, others, roles, each=split["outliers"], seed=seed)
        records = pd.concat([records, added], ignore_index=True)
    table = records.assign(set="all", weight=1.0)[list(EXPERIMENT)]
    return records[list(FAMILY_RECORDS)], table


def gather_records(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Merge the records of several experiments without repeats, pre-miRNAs first, by family."""
    records = pd.concat(tables).drop_duplicates("id")
    order = ["label", "family", "id"]
    return records.sort_values(order, ascending=[False, True, True], ignore_index=True)


def nearest_family(records: pd.DataFrame, experiment: pd.DataFrame) -> pd.DataFrame:
    """Find the nearest training record of each other record of an experiment.

    Nearest is the one that shares most 8-mers, see `mirpair.rna.similarity.Nearest`.

    The experiment has the columns id and role.

    Returns
    -------
    DataFrame
        One row per validation and evaluation record: id, role, family (its own), kind (empty if
        its family is trained, else the kind of outlier), nearest (id of the training record),
        called (family of that record) and containment.
    """
    table = experiment.merge(records, on="id", validate="one_to_one")
    train = table[table["role"] == TRAIN].reset_index(drop=True)
    queries = table[table["role"] != TRAIN].reset_index(drop=True)
    indices, containment = Nearest(train["sequence"].tolist()).find(queries["sequence"].tolist())
    neighbours = train.loc[indices].reset_index(drop=True)
    kind = queries["family"].where(queries["label"] == 0, UNTRAINED)
    kind = kind.mask(queries["family"].isin(set(train["family"])), "")
    return queries[["id", "role", "family"]].assign(
        kind=kind,
        nearest=neighbours["id"],
        called=neighbours["family"],
        containment=containment,
    )


def trained_families(
    experiment: pd.DataFrame, records: pd.DataFrame
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """List the families that an experiment trains, and number its records by them.

    Parameters
    ----------
    experiment, records
        Columns id and role; the table of records with their families.

    Returns
    -------
    classes
        Names of the trained families, sorted.
    labels
        (N,): index of each record's family in `classes`, -1 if it was not trained.
    """
    family = experiment["id"].map(records.set_index("id")["family"])
    classes = sorted(set(family[experiment["role"] == TRAIN]))
    return classes, pd.Index(classes).get_indexer(family).astype(np.int64)


def known_rnas(hairpins: pd.DataFrame, roles: pd.DataFrame, *, most: int = 50) -> pd.DataFrame:
    """Choose the RNAs that the shipped weights know, also of families that are too small to train.

    Parameters
    ----------
    hairpins
        Result of `read_families`, or of `mirpair.families.naming.merge_families`.
    roles
        Of the experiment whose training is shipped.
    most
        Number of RNAs of a family, if not more of it train.

    Returns
    -------
    DataFrame
        The rows that train, then the first others of each family.
    """
    trains = hairpins["id"].isin(roles.loc[roles["role"] == TRAIN, "id"])
    train, others = hairpins[trains], hairpins[~trains]
    before = others["family"].map(train["family"].value_counts()).fillna(0)
    more = others[others.groupby("family").cumcount() < most - before]
    return pd.concat([train, more], ignore_index=True)
