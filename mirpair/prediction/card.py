"""Write the card of weights that find pre-miRNAs: how good they are, and their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mirpair.contracts import METRICS
from mirpair.files import sha256
from mirpair.identification.intervals import bootstrap
from mirpair.identification.metrics import THRESHOLD, measure
from mirpair.pages.printing import markdown
from mirpair.prediction.calibration import expected, held_out, mean_scores, reliability
from mirpair.prediction.weights import PreMirnaNetworks
from mirpair.settings import FALSE_POSITIVES

RATIOS = (10, 100, 1000)
_LENGTHS = (0, 65, 75, 80, 90, 100, 120, 400)
_EDGES = (0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1)


def prediction_card(
    path: str | Path,
    trained: PreMirnaNetworks,
    *,
    held: pd.DataFrame,
    background: pd.DataFrame,
    records: pd.DataFrame,
    left_out: pd.DataFrame,
    provenance: Sequence[Mapping[str, Any]],
    sources: Sequence[str],
    genome: str,
) -> str:
    """Write the card, in Markdown: the same bytes for the same weights.

    Parameters
    ----------
    path, trained
        The file of weights, and what `mirpair.prediction.weights.load_networks` reads from it.
    held
        See `mirpair.prediction.calibration.mean_scores`.
    background
        Columns label, fold and score, see `mirpair.scan.background.background`.
    records, left_out
        The training set, and the records that were left out of it, with the reasons.
    provenance
        Provenance of the shipped trainings; they are compared with one training, and with all.
    sources
        Origin and licence of the sequences, one sentence each.
    genome
        Describes the origin of the other hairpins of `background`.
    """
    run, recipe = provenance[0]["run"], provenance[0]["recipe"]
    weights = sum(p.numel() for network in trained.networks for p in network.parameters())
    positives = int((records["label"] == 1).sum())
    reasons = ", ".join(
        f"{count:,} ({reason})" for reason, count in left_out["reason"].value_counts().items()
    )
    shipped = [entry["run"]["seed"] for entry in provenance]
    means = mean_scores(held, shipped)
    scanned = background.dropna(subset="score")
    lost = int((background["score"].isna() & (background["label"] == 1)).sum())
    total = int((background["label"] == 1).sum())
    assert trained.candidates is not None
    assert trained.genome is not None
    kind = f"{trained.networks[0].model.label}; the score is the mean of {len(shipped)}"
    seeds = ", ".join(map(str, shipped))
    others = int((scanned["label"] == 0).sum())
    calibrated = f"{trained.shortest} to {trained.longest} nt"
    listed = "\n".join(f"- {source}" for source in sources)
    return f"""\
# {Path(path).name}

`mirpair predict` and `mirpair scan` use these weights to decide which RNAs are pre-miRNAs. The file
is safetensors, without pickled objects.

| | |
|---|---|
| network | {kind}; {weights:,} weights, float32 |
| size | {Path(path).stat().st_size:,} bytes |
| SHA-256 | `{sha256(path)}` |
| RNAs | up to {trained.longest} nt; calibrated on candidates of {calibrated} |
| licence | that of this project; for the sequences, see below |

## Data

{positives:,} pre-miRNAs and {len(records) - positives:,} other RNAs: all three sets of Do et al.
2018 together, without wrong and duplicate records: {reasons}.
The sequences are from:

{listed}

## Recipe

`{run["recipe"]}`: {recipe["optimizer"]}, learning rate {recipe["learning_rate"]},
batches of {recipe["batch_size"]}, {run["epochs"]} epochs, seed {seeds};
the weights are those of the last epoch, trained on all records.

## How good it is

Measured with networks of the same kind, in a cross-validation over clusters: no record has an
identity of 0.8 or more to a training record of the network that scores it. {len(means):,} records;
threshold {THRESHOLD} on the score. In brackets is the 95 % interval of a bootstrap over records;
the first row is the mean over single seeds.

{_comparison(held, shipped)}

Records that are copies or near-copies of records in another fold are not evaluated, so not all
records are scored.

**Length matters.** The shortest RNAs of the training set are nearly all pre-miRNAs. So the network
takes any short RNA for a pre-miRNA. Therefore `mirpair predict` and `mirpair scan` both take the
probability of RNAs shorter than {trained.shortest} nt from the calibration among hairpins of a
genome, see below. Calls by length with the calibration among candidates, from a probability of 0.5,
if one RNA in ten is a pre-miRNA:

{_lengths(means, records)}

The shipped weights were trained on all records, these networks on a part of them. How good the
shipped weights are cannot be measured on the same records.

## What a probability means

Probabilities are calibrated on the held-out scores, by Platt's method in pieces. Of these records,
{trained.candidates.prior:.3f} are pre-miRNAs, which is the prior here; each fold's
probabilities come from a calibration on the other folds.

{_bins(means)}

### Among candidates like the benchmark's

`mirpair predict`. What to expect of calls (a probability of at least 0.5 for that prior) if there
are so many other RNAs per pre-miRNA. SE (sensitivity) and FPR (false positive rate) are
measured, with Clopper and Pearson's 95 % intervals; the precision (PPV) is an estimate from both.

{_ratios(means)}

### Among hairpins of a genome

`mirpair scan`. The others here are {others:,} hairpins of {genome},
which has no microRNAs; the pre-miRNAs are the held-out ones as a scan would find them.
In {lost:,} of {total:,} of these, no hairpin meets the criteria of a scan; they are not
counted below.

{_ratios(scanned)}

A scan calls hairpins from the score that a share of these hairpins reaches with the shipped weights
(`--false-positives`), which were not trained on them; the score was chosen on these very hairpins.
The share of pre-miRNAs is measured with held-out networks, at the score that as many of these
hairpins reach with them.

{_cuts(scanned, trained)}

## Limits

- The negatives of the benchmark are parts of coding sequences and other non-coding RNAs. Hairpins
  of a genome are harder, as the last table shows; a call is a candidate, not a proof.
- The probability holds for the expected share of pre-miRNAs (`--prior`), and for RNAs like those
  above. Beyond the range of the held-out scores it stays that of the end of the range.
- Known hairpins are mostly in the training set: that they are called says little.
- The score depends on length, see above; the shortest and the longest hairpins of a genome are
  called too often, because the benchmark's negatives have 80 to 120 nt.
- RNAs must be whole hairpins, on the right strand. Those longer than {trained.longest} nt are not
  scored. The score of those shorter than {trained.shortest} nt is nearly always high; look at their
  probability.
"""


def _comparison(held: pd.DataFrame, shipped: Sequence[Any]) -> str:
    table = held.pivot(index=["fold", "id"], columns="seed", values="score")
    # The shipped seeds come first, so that their ensemble is one of those compared.
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
            low, high = bootstrap(labels, scores, minus=each, threshold=THRESHOLD)[place]
            row["AUPR more than one"] = f"{low:+.4f} to {high:+.4f}"
        rows.append(row)
    return markdown(pd.DataFrame(rows).fillna(""))


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
    return markdown(pd.DataFrame(rows))


def _bins(means: pd.DataFrame) -> str:
    rows = [
        {
            "probability": f"{row['from']:g}–{row['to']:g}",
            "records": str(row["records"]),
            "mean probability": f"{row['predicted']:.4f}",
            "pre-miRNAs": f"{row['observed']:.4f} ({row['low']:.4f}–{row['high']:.4f})",
        }
        for row in reliability(means, _EDGES).to_dict("records")
    ]
    return markdown(pd.DataFrame(rows))


def _cuts(scanned: pd.DataFrame, trained: PreMirnaNetworks) -> str:
    positives = scanned.loc[scanned["label"] == 1, "score"]
    others = scanned["shipped"].dropna()
    rows = []
    for name, cut in trained.cuts.items():
        own = scanned.loc[scanned["label"] == 0, "score"].quantile(1 - FALSE_POSITIVES[name])
        rows.append(
            {
                "false positives": name,
                "score from": f"{cut:.6f}",
                "of these hairpins": f"{(others >= cut).mean():.4f}",
                "held-out pre-miRNAs (SE)": f"{(positives >= own).mean():.3f}",
            }
        )
    return markdown(pd.DataFrame(rows))


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
    return markdown(pd.DataFrame(rows))


def _precision(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["PPV"]):
        return "nothing is called"
    low = 0.0 if np.isnan(row["PPV low"]) else row["PPV low"]
    return f"{row['PPV']:.3f} ({low:.3f}–{row['PPV high']:.3f})"
