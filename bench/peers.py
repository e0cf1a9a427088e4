"""Compare networks with a peer on the same hairpins (`python -m bench.peers TABLE --weights FILE`).

The table, which is not part of mirpair, has the columns name, label (1: a pre-miRNA), kind, family
(of microRNAs), sequence, and the scores of one peer or more, such as mirDNN (Yones et al. 2021,
doi:10.1186/s12859-021-04365-x). Two kinds of files of weights are compared: those of a training
and those that come with mirpair. Trainings of the same name are seeds of one method.

Written are <out>/peers.tsv, <out>/peers.json (facts about the data) and the page <out>/peers.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.measured import write_measured
from bench.templates import fill
from mirpair.contracts import (
    BASELINES,
    BY_KIND,
    PIECE,
    TRAIN,
    VALIDATE,
    read_experiment,
    read_piece,
    read_records,
    read_structures,
)
from mirpair.files import InputError, write_text, write_tsv
from mirpair.identification import baselines
from mirpair.identification.audit import join_features
from mirpair.identification.baselines import features_for
from mirpair.identification.experiments import read_family_names
from mirpair.identification.ranking import Ranking, intervals
from mirpair.prediction.predictor import CHUNK, score_molecules
from mirpair.prediction.weights import load_networks
from mirpair.provenance import write_json
from mirpair.rna.encoding import encode
from mirpair.rna.folding import fold_all, unique
from mirpair.rna.known_hairpins import load_known_hairpins
from mirpair.settings import Kingdom, PredictionSettings
from mirpair.sources.collections import family_of
from mirpair.sources.known_stretches import LENGTH, KnownStretches

ROOT = Path(__file__).parent.parent
HELD_OUT = ROOT / "config" / "finder" / "held-out-families.txt"
CACHE = ROOT / "results" / "peers" / "structures.tsv"
COLUMNS = ("name", "label", "kind", "family", "sequence")
# What is compared: name on the page, and kinds of the table.
POSITIVES = {
    "miRBase hairpins": ["mirbase"],
    "miRBase pre-miRNAs, from the 5p to the 3p arm": ["mirbase-precursor"],
    "miRBase hairpins, as a scan cuts them": ["mirbase-scanned"],
    "Known hairpins of human X, as a scan cuts them": ["human-x-known"],
}
NEGATIVES = {
    "E. coli": ["ecoli"],
    "yeast": ["yeast"],
    "P. falciparum": ["plasmodium"],
    "human X": ["human-x", "human-x-near-known"],
}
MFE = "|MFE|/length"
# Baselines that are fitted, and to how many training records at most: a forest on all takes hours.
TREES = {"random-forest": 60_000, "gradient-boosting": None}

Floats = npt.NDArray[np.float64]


class Method(NamedTuple):
    """A method and its scores of all hairpins, (N,) for each of its trainings."""

    name: str
    scores: Sequence[Floats]


def read_hairpins(path: str | Path) -> pd.DataFrame:
    """Read the table of hairpins with the scores of peers, TSV, plain or gzip.

    It is an `InputError` if a column is missing, no peer has scores, or an RNA is of a kind that is
    not compared.
    """
    table = pd.read_csv(path, sep="\t", keep_default_na=False)
    if missing := [name for name in COLUMNS if name not in table]:
        raise InputError(f"{path}: it has no column {missing[0]!r}; needed: {', '.join(COLUMNS)}")
    if len(table.columns) == len(COLUMNS):
        raise InputError(f"{path}: add a column with the scores of a peer, named after the peer")
    compared = {kind for kinds in [*POSITIVES.values(), *NEGATIVES.values()] for kind in kinds}
    if unknown := sorted(set(table["kind"]) - compared):
        raise InputError(
            f"{path}: nothing is compared with the kind {unknown[0]!r}; known kinds: "
            f"{', '.join(sorted(compared))}"
        )
    return table


def structures_of(
    sequences: Sequence[str], cache: str | Path, *, processes: int = 2
) -> pd.DataFrame:
    """Fold sequences, in their order, as `PIECE`; those of the cache are not folded again."""
    cached = read_piece(cache) if Path(cache).exists() else pd.DataFrame(columns=list(PIECE))
    new = unique(sorted(set(sequences) - set(cached["sequence"])))
    if new:
        folded = fold_all(new, processes=processes)
        rows = [(sequence, *it) for sequence, it in zip(new, folded, strict=True)]
        added = pd.DataFrame(rows, columns=list(PIECE))
        cached = pd.concat([cached, added], ignore_index=True).astype(PIECE)
        Path(cache).parent.mkdir(parents=True, exist_ok=True)
        write_tsv(cached, cache)
    return cached.set_index("sequence").loc[list(sequences)].reset_index()


def named_files(given: Iterable[str]) -> dict[str, list[Path]]:
    """Read ``NAME=FILE`` or ``FILE``, whose name is that of its network; group files by name."""
    files: dict[str, list[Path]] = {}
    for text in given:
        name, _, path = text.rpartition("=")
        file = Path(path)
        if not name:
            networks = load_networks(file).networks
            name = networks[0].model.label + (f", {len(networks)} members" * (len(networks) > 1))
        files.setdefault(name, []).append(file)
    return files


def score(
    path: str | Path | None, folded: pd.DataFrame, kingdom: Kingdom = PredictionSettings.kingdom
) -> Floats:
    """Score folded RNAs (`PIECE`) with the networks of a kingdom in a file: their mean, (N,)."""
    molecules = [encode(*row) for row in folded[list(PIECE)].itertuples(index=False)]
    networks = load_networks(path, kingdom).networks
    chunks = (molecules[start : start + CHUNK] for start in range(0, len(molecules), CHUNK))
    return np.concatenate([score_molecules(networks, chunk) for chunk in chunks])


def fitting_records(study: Path, experiment: str) -> pd.DataFrame:
    """Read the training and validation records of a study, with the features of `TREES`."""
    roles = read_experiment(study / "experiments" / f"{experiment}.tsv")
    roles = roles[roles["role"].isin((TRAIN, VALIDATE))]
    features = {}
    for name in roles["set"].unique():
        folder = study / "datasets" / str(name)
        records = read_records(folder / "records.tsv")
        structures = read_structures(folder / "structures.tsv")
        is_fitted = records["id"].isin(set(roles["id"])).to_numpy()
        of_set = (it[is_fitted].reset_index(drop=True) for it in (records, structures))
        features[str(name)] = features_for(list(TREES), *of_set)
    return join_features(roles, features)


def trees(fitted: pd.DataFrame, folded: pd.DataFrame) -> list[Method]:
    """Fit the baselines of `TREES` to the result of `fitting_records`, and score folded RNAs."""
    training, validation = (fitted[fitted["role"] == role] for role in (TRAIN, VALIDATE))
    rnas = folded.assign(id=[str(number) for number in range(len(folded))], label=0)
    features = features_for(list(TREES), rnas, rnas)
    methods = []
    for name, at_most in TREES.items():
        some = training.sample(min(len(training), at_most or len(training)), random_state=0)
        scores = baselines.predict(
            some.sort_index(), features, seed=0, validate=validation, methods=[name]
        )
        suffix = f", {at_most:,} records" if at_most else ""
        methods.append(Method(BASELINES[name] + suffix, [scores[name].to_numpy()]))
    return methods


def families_of(table: pd.DataFrame) -> list[str]:
    """Name the family of each pre-miRNA: by its name or, without a family, by the nearest hairpin.

    Names are those of `mirpair.sources.collections.family_of`; empty for other RNAs.
    """
    families = [
        family_of(name) if label == 1 and family else ""
        for name, label, family in zip(table["name"], table["label"], table["family"], strict=True)
    ]
    unnamed = np.flatnonzero((table["label"] == 1) & (table["family"] == ""))
    nearest = load_known_hairpins().nearest(table["sequence"].iloc[unnamed].tolist())
    for index, hit in zip(unnamed.tolist(), nearest, strict=True):
        families[index] = family_of(hit.names.split(",")[0]) if hit.names else f"unknown {index}"
    return families


def _kinds(table: pd.DataFrame) -> dict[str, npt.NDArray[np.bool_]]:
    """Mark the RNAs of each kind on the page."""
    return {
        name: (table["label"].eq(label) & table["kind"].isin(kinds)).to_numpy()
        for label, named in ((1, POSITIVES), (0, NEGATIVES))
        for name, kinds in named.items()
    }


def compare(
    table: pd.DataFrame,
    families: Sequence[str],
    methods: Sequence[Method],
    *,
    resamples: int = 1000,
) -> pd.DataFrame:
    """Compute the metrics of each method for each pair of pre-miRNAs and other hairpins.

    Parameters
    ----------
    table
        Columns label and kind.
    families
        (N,): family of each pre-miRNA; a resample of the bootstrap takes all of a family or none.
    methods
        Their scores. A method with several trainings has a row for each, one for the mean of their
        metrics, and one for their mean score.

    Returns
    -------
    DataFrame
        Columns positives, pre-miRNAs, families, negatives, others, method, trainings (such as
        ``"1 of 3"``, ``"mean of 3"``, ``"mean score of 3"``, or empty), and each of `BY_KIND` with
        ``<metric> low`` and ``<metric> high``, its 95 % interval.
    """
    rows = []
    kinds, label, family = table["kind"].to_numpy(), table["label"].to_numpy(), np.array(families)
    expanded = [row for method in methods for row in _expand(method)]
    for positives, of_positives in POSITIVES.items():
        is_positive = (label == 1) & np.isin(kinds, of_positives)
        for negatives, of_negatives in NEGATIVES.items():
            is_negative = (label == 0) & np.isin(kinds, of_negatives)
            if not is_positive.any() or not is_negative.any():
                continue
            rankings = [
                [Ranking(scores[is_positive], scores[is_negative]) for scores in parts]
                for _, _, parts in expanded
            ]
            limits = intervals(
                rankings, family[is_positive], int(is_negative.sum()), resamples=resamples
            )
            pair = {
                "positives": positives,
                "pre-miRNAs": int(is_positive.sum()),
                "families": len(set(family[is_positive])),
                "negatives": negatives,
                "others": int(is_negative.sum()),
            }
            for (name, which, _), parts, ends in zip(expanded, rankings, limits, strict=True):
                values = np.mean([it.values() for it in parts], axis=0)
                row: dict[str, Any] = {**pair, "method": name, "trainings": which}
                for metric, value, (low, high) in zip(BY_KIND, values, ends, strict=True):
                    row |= {metric: value, f"{metric} low": low, f"{metric} high": high}
                rows.append(row)
    return pd.DataFrame(rows)


def _expand(method: Method) -> list[tuple[str, str, Sequence[Floats]]]:
    """List the rows of a method: name, which trainings, and the scores whose metrics to average."""
    name, scores = method
    if len(scores) == 1:
        return [(name, "", scores)]
    count = len(scores)
    return [
        *((name, f"{n} of {count}", [part]) for n, part in enumerate(scores, 1)),
        (name, f"mean of {count}", scores),
        (name, f"mean score of {count}", [np.mean(scores, axis=0)]),
    ]


def render(compared: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    """Write the page about the result of `compare`; `facts` are those of `main`."""
    shown = compared[~compared["trainings"].str.match(r"\d+ of ")]
    sections = []
    for positives, part in shown.groupby("positives", sort=False):
        rows = []
        for negatives, group in part.groupby("negatives", sort=False):
            best = {metric: group[metric].max() for metric in BY_KIND}
            for _, row in group.iterrows():
                cells = [_cell(row, metric, best[metric]) for metric in BY_KIND]
                others = f"{negatives} ({row['others']:,})"
                rows.append([others, row["method"], row["trainings"], *cells])
        sections.append(
            {
                "title": positives,
                "count": f"{part['pre-miRNAs'].iloc[0]:,}",
                "families": f"{part['families'].iloc[0]:,}",
                "rows": rows,
            }
        )
    return fill("peers", sections=sections, metrics=BY_KIND, mfe=MFE.replace("|", r"\|"), **facts)


def _cell(row: pd.Series[Any], metric: str, best: float) -> str:
    value, low, high = (float(row[metric + end]) for end in ("", " low", " high"))
    if np.isnan(value):
        return "–"
    text = f"{value:.3f}"
    bold = f"**{text}**" if value == best else text
    return bold if np.isnan(low) else f"{bold} [{low:.3f}, {high:.3f}]"


def read(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the table and the facts that `main` wrote."""
    compared = pd.read_csv(folder / "peers.tsv", sep="\t", keep_default_na=False, na_values=["nan"])
    for name in compared.columns:
        if name.split(" ")[0] in BY_KIND:
            compared[name] = pd.to_numeric(compared[name], errors="coerce")
    facts: dict[str, Any] = json.loads((folder / "peers.json").read_text(encoding="utf-8"))
    return compared, facts


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and write the tables and the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("table", type=Path, help="hairpins with the scores of peers")
    parser.add_argument("--weights", nargs="+", required=True, metavar="[NAME=]FILE")
    parser.add_argument(
        "--seen",
        nargs="*",
        default=[],
        metavar="NAME",
        help="weights whose training set has these families",
    )
    parser.add_argument(
        "--study", type=Path, help="results of the study of the weights: fit trees to its records"
    )
    parser.add_argument("--experiment", default="families", help="of the study (families)")
    parser.add_argument(
        "--unlike", action="store_true", help="leave out others that share bases with its records"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "finder")
    parser.add_argument("--cache", type=Path, default=CACHE, help="structures, kept between runs")
    parser.add_argument("--processes", type=int, default=2, help="processes that fold (2)")
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap (1000)")
    given = parser.parse_args(arguments)
    try:
        _compare_all(given)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _compare_all(given: argparse.Namespace) -> None:
    files = named_files(given.weights)
    table = read_hairpins(given.table)
    is_positive = table["label"] == 1
    facts: dict[str, Any] = {"peers": [it for it in table.columns if it not in COLUMNS]}
    facts["methods"] = {name: len(it) for name, it in files.items()}
    if unknown := sorted(set(given.seen) - set(files)):
        raise InputError(f"--seen: no weights are named {unknown[0]!r}; name one of {list(files)}")
    facts |= {"seen": given.seen, "alike": None, "unlike": given.unlike, "shared": LENGTH}
    if given.unlike and not given.study:
        raise InputError("--unlike needs the records that trained: give --study too")
    if given.study:
        fitted = fitting_records(given.study, given.experiment)
        known = KnownStretches(fitted.loc[fitted["role"] == TRAIN, "sequence"])
        seen = np.array(known.shared_by(table["sequence"].tolist()))
        facts["alike"] = {
            name: [int((seen & of_kind).sum()), int(of_kind.sum())]
            for name, of_kind in _kinds(table).items()
        }
        if given.unlike:
            table = table[is_positive | ~seen].reset_index(drop=True)
            is_positive = table["label"] == 1
    facts["hairpins"] = len(table)
    families = families_of(table)
    held = set(read_family_names(HELD_OUT))
    facts["positives"] = int(is_positive.sum())
    facts["held"] = sum(family in held for family in families if family)
    folded = structures_of(table["sequence"].tolist(), given.cache, processes=given.processes)
    per_length = -folded["mfe"].to_numpy() / folded["sequence"].str.len().to_numpy()
    methods = [Method(name, [table[name].to_numpy(np.float64)]) for name in facts["peers"]]
    methods.append(Method(MFE, [per_length]))
    if given.study:
        methods += trees(fitted, folded)
    for name, paths in files.items():
        methods.append(Method(name, [score(path, folded) for path in paths]))
        print(f"scored by {name}", flush=True)
    given.out.mkdir(parents=True, exist_ok=True)
    compared = compare(table, families, methods, resamples=given.resamples)
    write_measured(compared, given.out / "peers.tsv", float_format="%.6g")
    write_json(facts, given.out / "peers.json")
    page = render(*read(given.out))
    write_text(given.out / "peers.md", page)
    print(page)


if __name__ == "__main__":
    raise SystemExit(main())
