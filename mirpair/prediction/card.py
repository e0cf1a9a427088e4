"""The card of weights that find pre-miRNAs: how good they are, and what they are not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mirpair.contracts import METRICS
from mirpair.files import sha256
from mirpair.identification.intervals import bootstrap, difference
from mirpair.identification.metrics import THRESHOLD, measure
from mirpair.pages.markdown import bullets, markdown
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
    """Markdown that says the same for the same weights, whenever it is written.

    Parameters
    ----------
    path, trained
        The file, and what `mirpair.prediction.weights.load_networks` reads of it.
    held
        Columns id, label, fold, seed and score of every held-out record by every seed.
    background
        Columns label, fold and score, see `mirpair.scan.background.background`.
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
    return f"""\
# {Path(path).name}

Whether an RNA is a pre-miRNA: what `mirpair predict` and `mirpair scan` ask. The file is
safetensors, without pickled objects.

| | |
|---|---|
| network | {kind}; {weights:,} weights, float32 |
| size | {Path(path).stat().st_size:,} bytes |
| SHA-256 | `{sha256(path)}` |
| RNAs | {trained.shortest} to {trained.longest} nt |
| licence | that of this project; of the sequences, see below |

## Data

{positives:,} pre-miRNAs and {len(records) - positives:,} other RNAs: all three sets of Do et al.
2018 together, but without records that are wrong or double: {reasons}.
The sequences are from:

{bullets(sources)}

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
RNAs shorter than {trained.shortest} nt. By length, of calls from a probability of 0.5 on where
one of ten is one:

{_lengths(means, records)}

What is shipped trained on all records, these networks on a part of them; how good it is itself
cannot be measured on the same records.

## What a probability means

Platt's method, in pieces, on the held-out scores. Of the held-out records,
{trained.candidates.prior:.3f} are pre-miRNAs, and that is the prior here; each fold's
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

{_cuts(scanned, trained)}

## Limits

- A network of the benchmark: its negatives are parts of coding sequences and other non-coding
  RNAs. Hairpins of a genome are harder, as the last table shows; a call is a candidate, no proof.
- The probability is for the share of pre-miRNAs that is stated (`--prior`), and for RNAs like
  those above. Beyond the range of held-out scores no score is believed more than its end.
- Known hairpins are mostly among those that trained: that these are called says little.
- It leans on length, see above; and of the hairpins of a genome it calls the shortest and the
  longest too often, for the benchmark's negatives have 80 to 120 nt.
- Hairpins whole, on the right strand. Of RNAs shorter than {trained.shortest} or longer than
  {trained.longest} nt nothing is said.
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
    return markdown(shown)


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
