"""Divide the records of an experiment into training, validation and evaluation sets."""

from __future__ import annotations

import gzip
import hashlib
import logging
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from mirpair.contracts import EVALUATE, EXPERIMENT, TRAIN, VALIDATE
from mirpair.files import InputError
from mirpair.identification.datasets import origin_of
from mirpair.rna.sequences import Dropped, read_records
from mirpair.rna.similarity import clusters, nearest
from mirpair.rna.text_files import open_text
from mirpair.settings import NEAR

log = logging.getLogger(__name__)


def _divide(
    records: pd.DataFrame, held: pd.Series, seed: int, identity: float | None, threads: int
) -> pd.Series:
    """Assign a role to every record that is held out (True), trains (False) or has no side.

    Records without a side, such as RNAs of unknown species, are divided at random: each class gets
    the same share of evaluation records as there is among positives with a side. Complete clusters
    of similar RNAs (identity of at least 0.8) are drawn until the share is reached; a cluster that
    exceeds it is used if that comes closer to the share.

    Held-out positives with at least `identity` to a training positive get no role (missing) and do
    not count in the share; None keeps all.
    """
    role = held.map({True: EVALUATE, False: TRAIN})
    positive = (records["label"] == 1) & held.notna()
    if identity:
        table = records[positive].assign(role=role[positive])
        near = _too_near(table, identity, threads)
        role[near.index[near]] = None
    known = role[positive].dropna() == EVALUATE
    share = float(known.mean()) if len(known) else 0.0
    return role.fillna(_draw_clusters(records[held.isna()], {EVALUATE: share}, seed, threads))


def _draw_clusters(
    records: pd.DataFrame, shares: Mapping[str, float], seed: int, threads: int
) -> pd.Series:
    """Assign roles to complete clusters of similar RNAs, each class by the same shares.

    `shares` maps each role to its share of the records; all others train.
    """
    roles = pd.Series(TRAIN, records.index, dtype=object)
    rng = np.random.default_rng(seed)
    for label in (1, 0):
        left = records[records["label"] == label]
        if left.empty:
            continue
        groups = clusters(left["sequence"].tolist(), identity=NEAR, threads=threads)
        sizes = np.bincount(groups)
        of_cluster = np.full(len(sizes), TRAIN, dtype=object)
        for role, share in shares.items():
            room = max(round(share * len(left)), 1)
            for group in rng.permutation(len(sizes)):
                if sizes[group] > 2 * room or of_cluster[group] != TRAIN:
                    continue
                of_cluster[group] = role
                room -= sizes[group]
                if room <= 0:
                    break
        roles[left.index] = of_cluster[groups]
    return roles


def _by_family(
    split: Mapping[str, Any],
    records: pd.DataFrame,
    origins: Mapping[str, pd.DataFrame],
    reserved: Mapping[str, Sequence[str | Path]],
    listed: Collection[str],
    threads: int,
) -> pd.Series:
    """Assign the roles of a split of families.

    The RNAs of a file have the role that reserves the file. Of all others, positives of a listed
    family evaluate, and those of the other families validate or train. Negatives of a family are
    drawn by the family too. RNAs without a family are divided as complete clusters. All have the
    same shares as the positives that the families divide.
    """
    family = origin_of(records, origins, "family").str.lower()
    held = {name.lower() for name in listed}
    collected = {name.lower() for table in origins.values() for name in set(table["family"])}
    # A set may be a part of the database that the list is of, such as some species.
    if unknown := sorted(held - collected):
        first = f"{', '.join(unknown[:8])}{' …' if len(unknown) > 8 else ''}"
        if not held & collected:
            raise InputError(
                f"no RNA of the set's collections is of the family {first}: correct the list of "
                "families (hsa-let-7a-1 is of the family let-7)"
            )
        log.info("%d of %d families have no RNA here: %s", len(unknown), len(held), first)
    roles = pd.Series(None, records.index, dtype=object)
    for role, paths in reserved.items():
        roles[records["file"].isin([str(path) for path in paths])] = role
    named, positive = roles.isna() & (family != ""), records["label"] == 1
    number = family[named].map({name: _number(name, split["seed"]) for name in set(family)})
    validates = number < split["validation"]
    by_family = validates.map({True: VALIDATE, False: TRAIN})
    by_family = by_family.mask(family[named].isin(held), EVALUATE)
    roles[named & positive] = by_family
    # Shares of the roles, evaluation first.
    counts = roles[named & positive].value_counts(normalize=True)
    shares = {role: float(counts[role]) for role in (EVALUATE, VALIDATE) if role in counts}
    end = 0.0
    others = pd.Series(TRAIN, number.index, dtype=object)
    for role, share in shares.items():
        others[(number >= end) & (number < end + share)] = role
        end += share
    roles[named & ~positive] = others
    return roles.fillna(_draw_clusters(records[roles.isna()], shares, split["seed"], threads))


def _number(family: str, seed: int) -> float:
    """Return a number of a family in [0, 1), which no other family has an influence on."""
    digest = hashlib.sha256(f"{seed}\0{family}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def read_family_names(path: str | Path) -> list[str]:
    """Read a list of families: one a line, with comments after `#`; an empty one is an error."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a list of families ({error})") from error
    if names := [name for line in lines if (name := line.partition("#")[0].strip())]:
        return names
    raise InputError(f"{path}: lists no family; write one per line, such as let-7")


def _published_roles(
    records: pd.DataFrame,
    files: Mapping[str, Sequence[str | Path]],
    left_out: Collection[str],
    on_ambiguous: Literal["error", "drop"],
) -> pd.Series:
    """Assign the roles of published files; other records get none (missing).

    Without training files all records train that do not evaluate. Records that the set left out are
    left out here too.
    """
    sequences = dict(zip(records["id"], records["sequence"], strict=True))
    roles: dict[str, str] = {}
    for role, paths in files.items():
        for path in paths:
            for where, name, sequence in _listed(path, sequences, on_ambiguous):
                if name not in sequences and name in left_out:
                    continue
                if name not in sequences:
                    raise InputError(f"{where} is not in the set; {_hint(name, sequences)}")
                if sequence and sequences[name] != sequence:
                    raise InputError(f"{where} has another sequence than in the set; correct one")
                if roles.setdefault(name, role) != role:
                    raise InputError(
                        f"{where} is in the training and the evaluation files; remove one"
                    )
    assigned = records["id"].map(roles)
    return assigned if files[TRAIN] else assigned.fillna(TRAIN)


def _hint(name: str, ids: Collection[str]) -> str:
    """Say what to do about an id that is not in a set."""
    if of_file := next((it for it in ids if it.endswith(f":{name}")), None):
        return f"ids of a cleaned set begin with the name of their file, as in {of_file!r}"
    return "correct the file or the set"


def _listed(
    path: str | Path, ids: Collection[str], on_ambiguous: Literal["error", "drop"]
) -> Iterator[tuple[str, str, str]]:
    """Read file and place, id and sequence of each record of a split's file.

    In a list of ids, and of a FASTA header without a sequence, the sequence is empty. A list may
    begin with the line ``id``, if no record of the set has this id.
    """
    try:
        with open_text(path) as handle:
            lines = [(number, line.split()) for number, line in enumerate(handle, 1)]
    except (UnicodeDecodeError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: neither FASTA nor a list of ids ({error}); make it one of them"
        ) from error
    words = [(number, it[0]) for number, it in lines if it]
    if not words:
        raise InputError(f"{path}: the file is empty; list ids in it, one per line")
    if not words[0][1].startswith(">"):
        has_header = words[0][1].lower() == "id" and words[0][1] not in ids
        for number, name in words[has_header:]:
            yield f"{path}: line {number} ({name!r})", name, ""
        return
    for record, problem in read_records(path):
        if problem is None or (record.id and not record.sequence):
            yield f"{path}: record {record.number} ({record.id!r})", record.id, record.sequence
        elif not isinstance(problem, Dropped):
            raise InputError(f"{problem}; correct it")
        elif on_ambiguous == "error":
            raise InputError(
                f"{problem}. Correct it, or leave such records out with `on_ambiguous: drop` in "
                "the set."
            )


def assign_roles(
    split: Mapping[str, Any],
    records: Mapping[str, pd.DataFrame],
    *,
    fold: int = 0,
    train: Sequence[str | Path] = (),
    validate: Sequence[str | Path] = (),
    evaluate: Sequence[str | Path] = (),
    families: Collection[str] = (),
    weights: Mapping[str, Mapping[str, float]] | None = None,
    origins: Mapping[str, pd.DataFrame] | None = None,
    older: Collection[str] = (),
    folds: pd.DataFrame | None = None,
    left_out: Collection[str] = (),
    on_ambiguous: Literal["error", "drop"] = "error",
    threads: int = 1,
) -> pd.DataFrame:
    """Make the table of one experiment: id, set, role and weight of each record with a role.

    Parameters
    ----------
    split
        An experiment of the config (`mirpair.study.splits.Experiment`) as a dictionary.
    records
        Name of a set to its records.
    fold
        Number of the fold, from 1, if the split has folds.
    train, validate, evaluate
        Files of a published split: FASTA, or text with one id per line. Without training files, all
        records train that do not evaluate. Of a split of families: files of the set whose records
        have only this role.
    families
        Of a split of families: those whose positives evaluate.
    weights
        Name of a set to weights in the loss by trust (`mirpair.contracts.ORIGINS`), which needs
        `origins`. Records of any other trust have the weight 1; those of weight 0 have no role,
        unless they evaluate.
    origins
        As `assign_folds` takes them.
    older
        For a split in time: accessions of the older release. Newer hairpins are held out.
    folds
        Result of `mirpair.identification.folds.assign_folds`, if the split has folds.
    left_out
        For a published split: ids of records that the set left out.
    on_ambiguous, threads
        As `mirpair.identification.datasets.build_records` and
        `mirpair.identification.folds.assign_folds` take them.

    Raises
    ------
    InputError
        If a role lacks records of a class, or a sequence has two roles and the split does not
        allow it; if no RNA is of a listed family; if a published file has an id that is not in the
        set or has another sequence there, or an id is in the files of both roles; see also
        `mirpair.identification.datasets.origin_of`.
    """
    parts: list[tuple[str, pd.Series | str]]
    match split["split"]:
        case "published":
            files = {TRAIN: train, EVALUATE: evaluate}
            roles = _published_roles(records[split["dataset"]], files, left_out, on_ambiguous)
            parts = [(split["dataset"], roles)]
        case "across-datasets":
            parts = [(split["train"], TRAIN), (split["evaluate"], EVALUATE)]
        case _:
            name = split["dataset"]
            if split["split"] == "families":
                reserved = {TRAIN: train, VALIDATE: validate, EVALUATE: evaluate}
                roles = _by_family(split, records[name], origins or {}, reserved, families, threads)
            elif "folds" in split:
                roles = _of_fold(records[name], folds, fold)
            else:
                roles = _held_out(split, records[name], origins or {}, older, threads)
            parts = [(name, roles)]
    columns = ["id", "label", "sequence"]
    tables = [
        records[name][columns].assign(
            set=name,
            role=role,
            weight=_weights(records[name], origins or {}, (weights or {}).get(name, {})),
        )
        for name, role in parts
    ]
    table = pd.concat(tables, ignore_index=True).dropna(subset="role")
    table = table[(table["role"] == EVALUATE) | (table["weight"] > 0)]
    if split.get("identity"):
        table = table[~_too_near(table, split["identity"], threads)]
    if split.get("copies", "refuse") == "refuse":
        _refuse_copies(table, split["split"])
    for role in (TRAIN, EVALUATE, *({VALIDATE} & set(table["role"]))):
        _both_classes(table, role)
    return table[list(EXPERIMENT)].reset_index(drop=True)


def _weights(
    records: pd.DataFrame, origins: Mapping[str, pd.DataFrame], of_trust: Mapping[str, float]
) -> pd.Series:
    """Return the weight of each record in the loss."""
    if not of_trust:
        return pd.Series(1.0, records.index)
    return origin_of(records, origins, "trust").map(of_trust).fillna(1.0).astype(float)


def _of_fold(records: pd.DataFrame, folds: pd.DataFrame | None, fold: int) -> pd.Series:
    if folds is None:
        raise InputError(
            "the split needs folds: assign them with `mirpair.identification.folds.assign_folds`"
        )
    if not records["id"].equals(folds["id"]):
        raise InputError("the folds do not match the records of the set: assign them again")
    return (folds["fold"] == fold).map({True: EVALUATE, False: TRAIN})


def _held_out(
    split: Mapping[str, Any],
    records: pd.DataFrame,
    origins: Mapping[str, pd.DataFrame],
    older: Collection[str],
    threads: int,
) -> pd.Series:
    """Assign roles by the species or the release of each RNA."""
    match split:
        case {"split": "species", "evaluate": evaluates, "seed": seed}:
            species = origin_of(records, origins, "species").str.lower()
            wanted = {name.lower() for name in evaluates}
            of_positives = species[records["label"] == 1]
            if unknown := sorted(wanted - set(of_positives)):
                common = ", ".join(of_positives[of_positives != ""].value_counts().index[:8])
                raise InputError(
                    f"no positive of the set is of the species {', '.join(unknown)}; the most "
                    f"common species are {common}"
                )
            held = species.isin(wanted).where(species != "")
            if set(of_positives) - {""} <= wanted:
                raise InputError(
                    f"all positives of known species are held out ({', '.join(evaluates)}), so "
                    "none is left to train on: hold out fewer species, or collect more"
                )
        case {"split": "time", "seed": seed}:
            accession = origin_of(records, origins, "accession")
            # Negatives belong to no release.
            dated = (accession != "") & (records["label"] == 1)
            held = (~accession.isin(set(older))).where(dated)
            if not held[dated].astype(bool).any():
                raise InputError(
                    "no positive is new: the older release has all accessions; use a still older "
                    "release"
                )
        case _:
            raise InputError(f"the split does not hold out by species or release: {dict(split)}")
    # Negatives that are all on one side are divided at random instead.
    negative = records["label"] == 0
    if held[negative].nunique() < 2:
        held = held.mask(negative)
    return _divide(records, held, seed, split.get("identity"), threads)


def _too_near(table: pd.DataFrame, identity: float, threads: int) -> pd.Series:
    """Mark held-out records with at least this identity to a training record.

    Validation records that are copies of evaluation records are marked too.
    """
    trains = table.loc[table["role"] == TRAIN, "sequence"]
    held_out = table.loc[table["role"].isin([VALIDATE, EVALUATE]), "sequence"]
    if identity == 1:
        near = held_out.isin(set(trains)).to_numpy()
    else:
        near = nearest(held_out.tolist(), trains.tolist(), threads=threads) >= identity
    marks = pd.Series(near, index=held_out.index).reindex(table.index, fill_value=False)
    evaluates = table.loc[(table["role"] == EVALUATE) & ~marks, "sequence"]
    return marks | ((table["role"] == VALIDATE) & table["sequence"].isin(set(evaluates)))


# What the records of a role are called.
_KIND = {TRAIN: "training", VALIDATE: "validation", EVALUATE: "evaluation"}


def _refuse_copies(table: pd.DataFrame, split: str) -> None:
    """Refuse an experiment in which a sequence has two roles."""
    for role, other in ((EVALUATE, TRAIN), (VALIDATE, TRAIN), (VALIDATE, EVALUATE)):
        copied = table[table["role"] == other].drop_duplicates("sequence")
        originals = copied.set_index("sequence")["id"]
        twice = table[(table["role"] == role) & table["sequence"].isin(originals.index)]
        if twice.empty:
            continue
        first = twice.iloc[0]
        article = "an" if other == EVALUATE else "a"
        count = f"{len(twice)} {_KIND[role]} record{'s have' if len(twice) > 1 else ' has'}"
        raise InputError(
            f"{count} the same sequence as {article} {_KIND[other]} record, the first is "
            f"{first['id']!r} of the set {first['set']!r}, a copy of "
            f"{originals[first['sequence']]!r}: results on them mean "
            "little. Leave them out of the evaluation (`identity: 1` in the experiment, or "
            f"`identity: 0.8` for near-copies too){_OTHER_REMEDIES.get(split, '')}, or allow "
            "copies (`copies: keep`)."
        )


_CLEANED = ", remove copies from the set (`cleaned: true`)"
# For splits of one set: a cleaned set may share sequences with another, and its ids differ from
# those in published files.
_OTHER_REMEDIES = {
    "k-fold": f"{_CLEANED}, hold out complete clusters (`split: cluster-k-fold`)",
    **dict.fromkeys(("cluster-k-fold", "family-k-fold", "families", "species", "time"), _CLEANED),
}


def _both_classes(table: pd.DataFrame, role: str) -> None:
    present = set(table.loc[table["role"] == role, "label"])
    for label, kind in ((1, "positive"), (0, "negative")):
        if label not in present:
            raise InputError(
                f"the {role} set has no {kind} records, but needs both classes; perhaps they are "
                "so similar that the clusters, or `identity`, leave none"
            )
