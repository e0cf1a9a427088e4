"""The card of shipped weights: what they are, how good they are, and what they are not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mirpair.contracts import EVALUATE, METRICS, VALIDATE
from mirpair.families.annotation import Annotator
from mirpair.families.family_calls import SCORES, accuracy, rejection
from mirpair.files import sha256
from mirpair.identification.intervals import bootstrap, difference
from mirpair.identification.metrics import THRESHOLD, measure
from mirpair.prediction.calibration import expected, held_out, mean_scores, reliability
from mirpair.prediction.predictor import FALSE_POSITIVES, Predictor


def model_card(
    path: str | Path,
    annotator: Annotator,
    *,
    queries: pd.DataFrame,
    calls: pd.DataFrame,
    provenance: Mapping[str, Any],
    sources: Sequence[str],
) -> str:
    """Markdown that says the same for the same weights, whenever it is written.

    Parameters
    ----------
    path, annotator
        The file, and what `mirpair.families.annotation.load` reads of it.
    queries
        Result of `mirpair.families.records.nearest_family`.
    calls
        Result of `mirpair.families.annotation.ship`.
    provenance
        Of the training.
    sources
        Where the sequences are from and on what terms, a sentence each.
    """
    network, run, recipe = annotator.network, provenance["run"], provenance["recipe"]
    weights = sum(parameter.numel() for parameter in network.parameters())
    known = queries["kind"] == ""
    counts = {role: int((known & (queries["role"] == role)).sum()) for role in (VALIDATE, EVALUATE)}
    thresholds = " and ".join(
        f"{value:.4f} ({name})" for name, value in annotator.thresholds.items()
    )
    return f"""\
# {Path(path).name}

Which of {len(network.classes)} microRNA families a hairpin is of, and whether it is of any of them:
what `mirpair annotate` asks. The file is safetensors, without pickled objects.

| | |
|---|---|
| network | {network.model.label}, {weights:,} weights, float32 |
| size | {Path(path).stat().st_size:,} bytes |
| SHA-256 | `{sha256(path)}` |
| longest RNA | {annotator.max_length} nt |
| score | {SCORES[annotator.score]}; accepted from {thresholds} on |
| licence | that of this project; of the sequences, see below |

## Data

Experiment `{run["experiment"]}`: {len(annotator.ids):,} hairpins trained;
by {counts[VALIDATE]:,} others and outliers the thresholds were chosen;
by {counts[EVALUATE]:,} more, and other outliers, all rates below are measured.
The file holds the training hairpins, to name the nearest one. The sequences are from:

{_bullets(sources)}

## Recipe

`{run["recipe"]}`: {recipe["optimizer"]}, learning rate {recipe["learning_rate"]},
batches of {recipe["batch_size"]}, {run["epochs"]} epochs, seed {run["seed"]};
the weights are those of the last epoch.

## How often the family is right

Of the evaluation hairpins, whether accepted or not, by the part of their 8-mers that the nearest
training hairpin has too. The baseline calls the family of that one. In brackets, the 95 % interval
of a bootstrap over families.

{_accuracies(queries, calls)}

## What is in no trained family

`5%` is the threshold that 5 % of validation outliers reach, each kind counting the same, `youden`
Youden's. Sensitivity is the part of trained families' hairpins that is accepted and named rightly.

{_rejections(queries, calls, annotator)}

## Limits

- A probability is among these families only; nothing else is weighed. What says whether it is to be
  believed is the column `distribution`.
- The rates are of such outliers as are in the table. What is of another kind may be accepted more
  often, and of a genome's many hairpins most are no pre-miRNAs: 5 % of them would be too many.
- It names a family, it is no proof of a microRNA: `mirpair predict` and expression are about that.
- Hairpins as in Rfam: whole, the right strand, without long flanks. Others were not tested.
- It knows these families only, in order: {", ".join(network.classes)}.
"""


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _accuracies(queries: pd.DataFrame, calls: pd.DataFrame) -> str:
    ours, nearest = accuracy(queries, calls), accuracy(queries, queries)
    table = pd.DataFrame(
        {
            "shared 8-mers": ours["band"],
            "hairpins": ours["records"].astype(str),
            "accuracy": [_interval(row) for row in ours.to_dict("records")],
            "baseline": [_interval(row) for row in nearest.to_dict("records")],
        }
    )
    return table.to_markdown(index=False, disable_numparse=True)


def _interval(row: Mapping[Any, Any]) -> str:
    if not row["records"]:
        return "–"
    interval = "" if pd.isna(row["low"]) else f" ({row['low']:.3f}–{row['high']:.3f})"
    return f"{row['accuracy']:.3f}{interval}"


def _rejections(queries: pd.DataFrame, calls: pd.DataFrame, annotator: Annotator) -> str:
    """By the shipped thresholds, which are the same for every kind."""
    table = queries.merge(calls, on="id", suffixes=("_nearest", ""))
    table = table[table["role"] == EVALUATE]
    ranked = rejection(queries, calls, annotator.score).set_index("kind")["AUROC"]
    known = table[table["kind"] == ""]
    right = known["called"] == known["family"]
    lines = []
    for kind, auroc in ranked.items():
        chosen = [kind] if kind != "all kinds" else [k for k in ranked.index if k != "all kinds"]
        outside = [table.loc[table["kind"] == name, annotator.score] for name in chosen]
        line = {"kind": kind, "RNAs": str(sum(map(len, outside))), "AUROC": f"{auroc:.3f}"}
        for name, cut in annotator.thresholds.items():
            wrong = sum((scores >= cut).mean() for scores in outside) / len(outside)
            line[f"false positives, {name}"] = f"{wrong:.3f}"
        lines.append(line)
    accepted = {
        name: ((known[annotator.score] >= cut) & right).mean()
        for name, cut in annotator.thresholds.items()
    }
    said = ", ".join(f"{value:.3f} at `{name}`" for name, value in accepted.items())
    shown = pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)
    return f"{shown}\n\nSensitivity: {said}, of {len(known):,} hairpins."


RATIOS = (10, 100, 1000)
_LENGTHS = (0, 65, 75, 80, 90, 100, 120, 400)
_EDGES = (0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1)


def prediction_card(
    path: str | Path,
    predictor: Predictor,
    *,
    held: pd.DataFrame,
    background: pd.DataFrame,
    records: pd.DataFrame,
    left_out: pd.DataFrame,
    provenance: Sequence[Mapping[str, Any]],
    sources: Sequence[str],
    genome: str,
) -> str:
    """Markdown that says the same for the same weights, whenever it is written.

    Parameters
    ----------
    path, predictor
        The file, and what `mirpair.prediction.predictor.load` reads of it.
    held
        Columns id, label, fold, seed and score of every held-out record by every seed.
    background
        Columns label, fold and score, see `mirpair.scan.hairpins.background`.
    records, left_out
        Of the set that trained, and what was left out of it and why.
    provenance
        Of the trainings that are shipped; they are compared with one, and with all seeds.
    sources
        Where the sequences are from and on what terms, a sentence each.
    genome
        What the others of `background` are.
    """
    run, recipe = provenance[0]["run"], provenance[0]["recipe"]
    weights = sum(p.numel() for network in predictor.networks for p in network.parameters())
    positives = int((records["label"] == 1).sum())
    reasons = ", ".join(
        f"{count:,} ({reason})" for reason, count in left_out["reason"].value_counts().items()
    )
    shipped = [entry["run"]["seed"] for entry in provenance]
    means = mean_scores(held, shipped)
    scanned = background.dropna(subset="score")
    lost = int((background["score"].isna() & (background["label"] == 1)).sum())
    total = int((background["label"] == 1).sum())
    assert predictor.calibration is not None
    assert predictor.genome is not None
    kind = f"{predictor.networks[0].model.label}; the score is the mean of {len(shipped)}"
    seeds = ", ".join(map(str, shipped))
    others = int((scanned["label"] == 0).sum())
    return f"""\
# {Path(path).name}

Whether an RNA is a pre-miRNA: what `mirpair predict` and `mirpair scan` ask. The file is
safetensors, without pickled objects.

| | |
|---|---|
| network | {kind}; {weights:,} weights, float32 |
| size | {Path(path).stat().st_size:,} bytes |
| SHA-256 | `{sha256(path)}` |
| RNAs | {predictor.shortest} to {predictor.longest} nt |
| licence | that of this project; of the sequences, see below |

## Data

{positives:,} pre-miRNAs and {len(records) - positives:,} other RNAs: all three sets of Do et al.
2018 together, but without records that are wrong or double: {reasons}.
The sequences are from:

{_bullets(sources)}

## Recipe

`{run["recipe"]}`: {recipe["optimizer"]}, learning rate {recipe["learning_rate"]},
batches of {recipe["batch_size"]}, {run["epochs"]} epochs, seed {seeds};
the weights are those of the last epoch, trained on all records.

## How good it is

By networks of the same kind in a cross-validation over clusters: no record that is scored here is
0.8 or more identical to one that trained its network. {len(means):,} records; threshold {THRESHOLD}
on the score. In brackets, the 95 % interval of a bootstrap over records; the first row is the mean
over the seeds, each alone.

{_comparison(held, shipped)}

Copies and near-copies of what trained in another fold are in no fold's evaluation, so not all
records are scored.

**Length matters.** Of the RNAs that trained, the shortest are nearly all pre-miRNAs. So to the
network short is a sign of them, whatever else an RNA is, and `mirpair predict` says nothing of
RNAs shorter than {predictor.shortest} nt. By length, of calls from a probability of 0.5 on where
one of ten is one:

{_lengths(means, records)}

What is shipped trained on all records, these networks on a part of them; how good it is itself
cannot be measured on the same records.

## What a probability means

Platt's method, in pieces, on the held-out scores. Of the held-out records,
{predictor.calibration.prior:.3f} are pre-miRNAs, and that is the prior here; each fold's
probabilities are by a calibration on the other folds.

{_bins(means)}

### Among candidates like the benchmark's

`mirpair predict`. What to expect of calls (probability of at least 0.5 for that share) where there
are so many other RNAs for every pre-miRNA. SE (sensitivity) and FPR (false positive rate) are
measured, with Clopper and Pearson's 95 % intervals; the precision (PPV) is an estimate from both.

{_ratios(means)}

### Among hairpins of a genome

`mirpair scan`. The others here are {others:,} hairpins of {genome},
which has no microRNAs; the pre-miRNAs are the held-out ones as a scan would find them.
In {lost:,} of {total:,} of these no hairpin meets its criteria; they are not counted below.

{_ratios(scanned)}

What a scan calls is told by the share of these hairpins that reaches a score of the network that is
shipped (`--false-positives`), which did not train on them; the score was chosen by these very
hairpins. The share of pre-miRNAs is that of held-out networks, at the score that as many of these
hairpins reach with them.

{_cuts(scanned, predictor)}

## Limits

- A network of the benchmark: its negatives are parts of coding sequences and other non-coding
  RNAs. Hairpins of a genome are harder, as the last table shows; a call is a candidate, no proof.
- The probability is for the share of pre-miRNAs that is stated (`--prior`), and for RNAs like
  those above. Beyond the range of held-out scores no score is believed more than its end.
- Known hairpins are mostly among those that trained: that these are called says little.
- It leans on length, see above; and of the hairpins of a genome it calls the shortest and the
  longest too often, for the benchmark's negatives have 80 to 120 nt.
- Hairpins whole, on the right strand. Of RNAs shorter than {predictor.shortest} or longer than
  {predictor.longest} nt nothing is said.
"""


def _comparison(held: pd.DataFrame, shipped: Sequence[Any]) -> str:
    table = held.pivot(index=["fold", "id"], columns="seed", values="score")
    # The seeds that are shipped first: their ensemble is one of those compared.
    seeds = [*shipped, *(seed for seed in table.columns if seed not in shipped)]
    each = table[seeds].to_numpy().T
    labels = held[held["seed"] == seeds[0]].set_index(["fold", "id"])["label"].loc[table.index]
    rows = []
    for count in range(1, len(seeds) + 1):
        scores = each if count == 1 else each[:count].mean(axis=0)[None]
        values = np.mean([list(measure(labels, row).values()) for row in scores], axis=0)
        limits = bootstrap(labels, scores, threshold=THRESHOLD)
        row = {"networks": f"{count}{' (shipped)' if count == len(shipped) else ''}"}
        row |= {
            name: f"{value:.3f} ({low:.3f}–{high:.3f})"
            for name, value, (low, high) in zip(METRICS, values, limits, strict=True)
        }
        if count > 1:
            place = METRICS.index("AUPR")
            low, high = difference(labels, scores, each, threshold=THRESHOLD)[place]
            row["AUPR more than one"] = f"{low:+.4f} to {high:+.4f}"
        rows.append(row)
    return pd.DataFrame(rows).fillna("").to_markdown(index=False, disable_numparse=True)


def _lengths(means: pd.DataFrame, records: pd.DataFrame) -> str:
    length = dict(zip(records["id"], records["sequence"].str.len(), strict=True))
    bins = pd.cut(means["id"].map(length), _LENGTHS)
    called = held_out(means, 0.1) >= 0.5
    rows = []
    for interval in bins.cat.categories:
        inside = (bins == interval).to_numpy()
        row = {"nt": f"{int(interval.left) + 1}–{int(interval.right)}"}
        for name, rate, label in (("pre-miRNAs", "SE", 1), ("others", "FPR", 0)):
            chosen = inside & (means["label"] == label).to_numpy()
            row[name] = f"{chosen.sum():,}"
            row[rate] = f"{called[chosen].mean():.3f}" if chosen.any() else ""
        rows.append(row)
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)


def _bins(means: pd.DataFrame) -> str:
    table = reliability(means, _EDGES)
    shown = pd.DataFrame(
        {
            "probability": [
                f"{a:g}–{b:g}" for a, b in zip(table["from"], table["to"], strict=True)
            ],
            "records": table["records"].astype(str),
            "mean probability": [f"{value:.4f}" for value in table["predicted"]],
            "pre-miRNAs": [
                f"{row['observed']:.4f} ({row['low']:.4f}–{row['high']:.4f})"
                for row in table.to_dict("records")
            ],
        }
    )
    return shown.to_markdown(index=False, disable_numparse=True)


def _cuts(scanned: pd.DataFrame, predictor: Predictor) -> str:
    positives = scanned.loc[scanned["label"] == 1, "score"]
    others = scanned["shipped"].dropna()
    rows = []
    for name, cut in predictor.cuts.items():
        own = scanned.loc[scanned["label"] == 0, "score"].quantile(1 - FALSE_POSITIVES[name])
        rows.append(
            {
                "false positives": name,
                "score from": f"{cut:.6f}",
                "of these hairpins": f"{(others >= cut).mean():.4f}",
                "held-out pre-miRNAs (SE)": f"{(positives >= own).mean():.3f}",
            }
        )
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)


def _ratios(held: pd.DataFrame) -> str:
    rows = [
        {
            "pre-miRNAs : others": f"1 : {row['others']:,.0f}",
            "SE": f"{row['SE']:.3f} ({row['SE low']:.3f}–{row['SE high']:.3f})",
            "FPR": f"{row['FPR']:.5f} ({row['FPR low']:.5f}–{row['FPR high']:.5f})",
            "PPV, estimated": _precision(row),
        }
        for row in expected(held, RATIOS).to_dict("records")
    ]
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)


def _precision(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["PPV"]):
        return "nothing is called"
    low = 0.0 if np.isnan(row["PPV low"]) else row["PPV low"]
    return f"{row['PPV']:.3f} ({low:.3f}–{row['PPV high']:.3f})"
