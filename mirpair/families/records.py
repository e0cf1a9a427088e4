"""MicroRNA families: which RNAs take part, and who trains, validates and evaluates.

Tang and Sun (2019), BMC Bioinformatics 20:646, sort pre-miRNAs into the families of Rfam, and
reject what belongs to none of those that were trained. A record's family is its Rfam accession; of
an RNA that is no pre-miRNA (label 0) it is the kind of RNA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mirpair.contracts import EVALUATE, EXPERIMENT, FAMILY_RECORDS, TRAIN, VALIDATE
from mirpair.files import InputError
from mirpair.rna.sequences import Dropped, read_fasta
from mirpair.rna.similarity import Nearest, clusters, nearest

# Kinds of RNA that a study makes or finds by itself.
SHUFFLED, UNTRAINED = "shuffled hairpin", "untrained family"


def read_families(files: Mapping[str, str | Path], *, max_length: int) -> pd.DataFrame:
    """Read one FASTA file a family.

    Parameters
    ----------
    files
        Family to file.
    max_length
        Longer RNAs are left out, as are those with a character outside ACGU, and of each sequence
        all but the first record.

    Returns
    -------
    DataFrame
        Columns id (``family:id in the file``), label (1), sequence, file, number and family, in
        the order of `files`.

    Raises
    ------
    InputError
        As `mirpair.rna.sequences.read_fasta` does; if an id stands twice in a family, or a sequence
        in two families.
    """
    rows: list[tuple[str, int, str, str, int, str]] = []
    family_of: dict[str, str] = {}
    for family, path in files.items():
        ids: dict[str, int] = {}
        dropped: list[Dropped] = []
        for record in read_fasta(path, dropped=dropped):
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
                    f"of the family {other}: an RNA is of one family, remove one of them"
                )
            rows.append(
                (f"{family}:{record.id}", 1, record.sequence, str(path), record.number, family)
            )
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
    """Read RNAs that are no pre-miRNAs, from FASTA files whose headers name the class of RNA.

    Parameters
    ----------
    files
        Such as the nRC set of Fiannaca et al. (2017), BioData Mining 10:27: ``>tRNA``.
    kinds, rest
        Class in a header to the kind that it is told as; all other classes are told as `rest`.
    without
        Classes that are left out.
    max_length
        As in `read_families`; every sequence stands once.

    Returns
    -------
    DataFrame
        As `read_families`, with label 0 and the kind as family.

    Raises
    ------
    InputError
        As `mirpair.rna.sequences.read_fasta` does, and if a class that the config names does not
        occur.
    """
    rows = []
    classes: set[str] = set()
    for path in files:
        dropped: list[Dropped] = []
        for record in read_fasta(path, dropped=dropped):
            classes.add(record.id)
            if record.id in without or len(record.sequence) > max_length:
                continue
            # The header is no name, so the place in the file is.
            name = f"{record.id}:{Path(path).stem}-{record.number}"
            kind = kinds.get(record.id, rest)
            rows.append((name, 0, record.sequence, str(path), record.number, kind))
    if unknown := [name for name in (*kinds, *without) if name not in classes]:
        raise InputError(
            f"{', '.join(map(str, files))}: no RNA is of the class {unknown[0]!r}; there are "
            f"{', '.join(sorted(classes))}"
        )
    table = pd.DataFrame(rows, columns=list(FAMILY_RECORDS)).astype(FAMILY_RECORDS)
    return table.drop_duplicates("sequence", ignore_index=True)


def split_families(
    hairpins: pd.DataFrame, split: Mapping[str, Any], *, seed: int, threads: int = 1
) -> pd.DataFrame:
    """Who trains, validates and evaluates of the families that an experiment is about.

    Of every family so many records are drawn for evaluation, then for training, then, of those
    that are left, up to so many for validation. In a split by clusters whole clusters are drawn,
    and no record evaluates or validates that is as near to one that trains as `identity`, by
    `mirpair.rna.similarity.nearest`: what the clustering leaves of them is taken out.

    Parameters
    ----------
    hairpins
        Result of `read_families`.
    split
        An experiment of the config (`mirpair.study.families.FamilySplit`) as a dictionary.
    seed
        Of the draw. A family's draw does not depend on the other families.
    threads
        For the clustering; the result is the same for any.

    Returns
    -------
    DataFrame
        Columns id and role, in the order of `hairpins`.

    Raises
    ------
    InputError
        If less than two families have enough records.
    """
    sizes = hairpins["family"].value_counts()
    fitting = sizes[(sizes >= split["at_least"]) & (sizes <= (split["at_most"] or np.inf))]
    # The largest; of equally large ones the first by name.
    ranked = fitting.sort_index().sort_values(ascending=False, kind="stable")
    chosen = set(ranked.index[: split["families"]])
    members = hairpins[hairpins["family"].isin(chosen)]
    if split["split"] == "clusters":
        found = clusters(members["sequence"].tolist(), identity=split["identity"], threads=threads)
        members = members.assign(cluster=found)
    else:
        members = members.assign(cluster=np.arange(len(members)))
    counts = {
        EVALUATE: split["evaluation"],
        TRAIN: split["training"],
        VALIDATE: split["validation"],
    }
    drawn = []
    for family in sorted(chosen):
        rng = np.random.default_rng([seed, *family.encode()])
        roles = _draw(members[members["family"] == family], counts, rng)
        if roles is not None:
            drawn.append(roles)
    if len(drawn) < 2:
        raise InputError(
            f"{len(drawn)} of {len(sizes)} families have enough records for this experiment "
            f"({split['training']} that train and one that evaluates); at least two are needed"
        )
    role = pd.concat(drawn)
    table = pd.DataFrame({"id": hairpins["id"], "role": hairpins["id"].map(role)}).dropna()
    if split["split"] == "clusters":
        sequence = hairpins.loc[table.index, "sequence"]
        trains = table["role"] == TRAIN
        near = nearest(sequence[~trains].tolist(), sequence[trains].tolist(), threads=threads)
        # The clustering compares cluster by cluster and so misses some that are alike.
        table = table.drop(table.index[~trains][near >= split["identity"]])
    return table


def _draw(
    group: pd.DataFrame, counts: Mapping[str, int], rng: np.random.Generator
) -> pd.Series | None:
    """Role by id of one family's records; None if not enough train or none evaluates."""
    shuffled = group.iloc[rng.permutation(len(group))]
    roles: dict[str, str] = {}
    left = [part["id"].tolist() for _, part in shuffled.groupby("cluster", sort=False)]
    for role, wanted in counts.items():
        # A cluster is passed over if the others would be too few to train.
        needed = counts[TRAIN] if role == EVALUATE else 0
        taken = 0
        passed: list[list[str]] = []
        while left and taken < wanted:
            cluster = left.pop(0)
            if sum(len(other) for other in left + passed) < needed:
                passed.append(cluster)
                continue
            # What a cluster has too many of plays no part, so that no other role gets it.
            roles |= dict.fromkeys(cluster[: wanted - taken], role)
            taken += min(len(cluster), wanted - taken)
        left = passed + left
        if (role == TRAIN and taken < wanted) or (role == EVALUATE and not taken):
            return None
    return pd.Series(roles)


def outliers(
    hairpins: pd.DataFrame, others: pd.DataFrame, roles: pd.DataFrame, *, each: int, seed: int
) -> pd.DataFrame:
    """RNAs that are of none of the trained families, half to validate and half to evaluate.

    Parameters
    ----------
    hairpins, others
        Results of `read_families` and `read_others`.
    roles
        Result of `split_families`.
    each
        At most so many records of a kind have either role; of one untrained family at most five.
    seed
        Of the draw.

    Returns
    -------
    DataFrame
        Columns of `hairpins` and role. Of untrained families whole ones validate or evaluate. A
        shuffled hairpin (`shuffle_dinucleotides`) of each record that validates or evaluates has
        that record's role.
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

    own = set(hairpins["sequence"])
    for _, kind in others[~others["sequence"].isin(own)].groupby("family", sort=True):
        drawn = kind.iloc[rng.permutation(len(kind))].head(2 * each)
        parts.append(drawn.assign(role=[halves[n % 2] for n in range(len(drawn))]))

    for role in halves:
        having = hairpins[known == role]
        drawn = having.iloc[rng.permutation(len(having))].head(each)
        mixed = [
            shuffle_dinucleotides(sequence, np.random.default_rng([seed, *name.encode()]))
            for name, sequence in zip(drawn["id"], drawn["sequence"], strict=True)
        ]
        parts.append(
            drawn.assign(
                id="shuffled:" + drawn["id"],
                label=0,
                sequence=mixed,
                family=SHUFFLED,
                role=role,
            )
        )
    return pd.concat(parts, ignore_index=True).drop_duplicates("sequence", ignore_index=True)


def shuffle_dinucleotides(sequence: str, rng: np.random.Generator) -> str:
    """A random sequence with exactly the same counts of dinucleotides, and so of bases.

    Altschul and Erickson (1985), Molecular Biology and Evolution 2:526: a random Eulerian walk
    through the graph whose edges are the dinucleotides. Ends stay as they are.

    Parameters
    ----------
    sequence
        RNA of any length.
    rng
        Source of randomness.
    """
    last = sequence[-1]
    followers: dict[str, list[str]] = {}
    for base, following in pairwise(sequence):
        followers.setdefault(base, []).append(following)
    while True:
        # The last edges out of all bases must lead to the last base, or the walk would end early.
        final = {b: str(rng.choice(sorted(f))) for b, f in sorted(followers.items()) if b != last}
        if all(_leads(base, last, final) for base in final):
            break
    order: dict[str, list[str]] = {}
    for base, edges in sorted(followers.items()):
        rest = sorted(edges)
        if base in final:
            rest.remove(final[base])
        mixed = [rest[n] for n in rng.permutation(len(rest))]
        order[base] = ([*mixed, final[base]] if base in final else mixed)[::-1]
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
    """One experiment: the records that take part, and its table of roles.

    Parameters
    ----------
    hairpins, others
        Results of `read_families` and `read_others`.
    split
        An experiment of the config as a dictionary, see `split_families`; where `outliers` is
        above 0, so many of each kind take part in either role, see `outliers`.
    seed, threads
        See `split_families`.
    """
    roles = split_families(hairpins, split, seed=seed, threads=threads)
    records = hairpins.merge(roles, on="id")
    if split["outliers"]:
        if not (roles["role"] == VALIDATE).any():
            raise InputError(
                "no family has RNAs left to choose thresholds by, which `outliers` need: "
                "lower `training` or `evaluation`, or leave out `outliers`"
            )
        strange = outliers(hairpins, others, roles, each=split["outliers"], seed=seed)
        records = pd.concat([records, strange], ignore_index=True)
    table = records.assign(set="all")[list(EXPERIMENT)]
    return records[list(FAMILY_RECORDS)], table


def gather_records(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The records of several experiments, each once, pre-miRNAs first and by family."""
    records = pd.concat(tables).drop_duplicates("id")
    order = ["label", "family", "id"]
    return records.sort_values(order, ascending=[False, True, True], ignore_index=True)


def nearest_family(records: pd.DataFrame, experiment: pd.DataFrame) -> pd.DataFrame:
    """What the nearest training record makes of all others of an experiment, see `Nearest`.

    Parameters
    ----------
    records
        Table of records with their families.
    experiment
        Columns id and role.

    Returns
    -------
    DataFrame
        A row for each record that validates or evaluates: id, role, family (its own), kind (empty
        if its family is trained, else what it is), nearest (id of the training record), called
        (that one's family) and containment.
    """
    table = experiment.merge(records, on="id", validate="one_to_one")
    train = table[table["role"] == TRAIN].reset_index(drop=True)
    asked = table[table["role"] != TRAIN].reset_index(drop=True)
    places, containment = Nearest(train["sequence"].tolist()).find(asked["sequence"].tolist())
    found = train.loc[places].reset_index(drop=True)
    kind = asked["family"].where(asked["label"] == 0, UNTRAINED)
    kind = kind.mask(asked["family"].isin(set(train["family"])), "")
    return asked[["id", "role", "family"]].assign(
        kind=kind,
        nearest=found["id"],
        called=found["family"],
        containment=containment,
    )
