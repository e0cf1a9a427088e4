"""Write the card of weights that name families: how good they are, and their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mirpair.contracts import EVALUATE, VALIDATE
from mirpair.families.annotation import Annotator, models_beside
from mirpair.families.family_calls import (
    ALL_KINDS,
    SCORES,
    accuracy,
    in_trained_family,
    rejection,
    with_interval,
)
from mirpair.files import sha256
from mirpair.pages.printing import markdown

# Families that the card names one by one.
_LISTED = 200


def model_card(
    path: str | Path,
    annotator: Annotator,
    *,
    queries: pd.DataFrame,
    calls: pd.DataFrame,
    provenance: Mapping[str, Any],
    sources: Sequence[str],
) -> str:
    """Write the card, in Markdown: the same bytes for the same weights.

    Parameters
    ----------
    path, annotator
        The file of weights, and what `mirpair.families.annotation.load` reads from it.
    queries, calls
        Results of `mirpair.families.records.nearest_family` and `mirpair.families.shipping.ship`.
    provenance
        Of the training.
    sources
        Origin and licence of the sequences, one sentence each.
    """
    network, run, recipe = annotator.network, provenance["run"], provenance["recipe"]
    weights = sum(parameter.numel() for parameter in network.parameters())
    known = in_trained_family(queries)
    counts = {role: int((known & (queries["role"] == role)).sum()) for role in (VALIDATE, EVALUATE)}
    score, limits = annotator.decides
    thresholds = " and ".join(f"{value:.4f} ({name})" for name, value in limits.items())
    classes = network.classes
    small = sorted(set(annotator.families) - set(classes))
    listed = "\n".join(f"- {source}" for source in sources)
    return f"""\
# {Path(path).name}

`mirpair annotate` uses these weights to decide which of {len(classes):,} microRNA families
a hairpin belongs to, if any. The file is safetensors, without pickled objects.

| | |
|---|---|
| network | {network.model.label}, {weights:,} weights, float32 |
| size | {Path(path).stat().st_size:,} bytes |
| SHA-256 | `{sha256(path)}` |
| longest RNA | {annotator.max_length} nt |
{_models(path, annotator)}| score | {SCORES[score]}; accepted from {thresholds} on |
| licence | that of this project; for the sequences, see below |

## Data

Experiment `{run["experiment"]}`: {counts[VALIDATE]:,} hairpins and outliers that do not train
choose the thresholds; {counts[EVALUATE]:,} more, and other outliers, measure all rates below.
The file knows {len(annotator.ids):,} hairpins, to find the nearest one: those that train, and
others, also of {len(small):,} families that are too small to train. The sequences are from:

{listed}

## Recipe

`{run["recipe"]}`: {recipe["optimizer"]}, learning rate {recipe["learning_rate"]},
batches of {recipe["batch_size"]}, {run["epochs"]} epochs, seed {run["seed"]};
the weights are those of the last epoch.

## How often the family is right

For all evaluation hairpins, accepted or not, by the share of their 8-mers that the nearest training
hairpin has too. The baseline names the family of that hairpin. In brackets is the 95 % interval of
a bootstrap over families.

{_accuracies(queries, calls)}

## RNAs of no trained family

`5%` is the threshold that 5 % of the validation outliers reach, with equal weight for each kind;
`youden` is Youden's. Sensitivity is the share of hairpins of trained families that are accepted and
named correctly.

{_rejections(queries, calls, annotator)}

## Limits

- A probability is the network's, and compares these families only. The column `distribution` says
  whether to believe the family.
- The rates hold for the kinds of outliers in the table. RNAs of other kinds may be accepted more
  often. Most of the many hairpins of a genome are no pre-miRNAs: 5 % of them would be too many.
- A family is no proof of a microRNA; `mirpair predict` and expression give evidence of that.
- Hairpins must be as in Rfam: whole, on the right strand, without long flanks. Others were not
  tested.
- Models know no other families than these{_listed(classes)} The small families that the file knows
  are found by near-copies only.
"""


def _models(path: str | Path, annotator: Annotator) -> str:
    """Describe the models beside the weights, as a row of the first table."""
    if annotator.models is None:
        return ""
    beside = models_beside(path)
    return (
        f"| covariance models | `{beside.name}`, built from all that it knows: "
        f"{beside.stat().st_size:,} bytes, SHA-256 `{sha256(beside)}` |\n"
    )


def _listed(classes: Sequence[str]) -> str:
    return f": {', '.join(classes)}." if len(classes) <= _LISTED else f" {len(classes):,}."


def _accuracies(queries: pd.DataFrame, calls: pd.DataFrame) -> str:
    network, baseline = accuracy(queries, calls), accuracy(queries, queries)
    columns = {
        "shared 8-mers": network["band"],
        "hairpins": network["records"].astype(str),
        "accuracy": [with_interval(row) for row in network.to_dict("records")],
        "baseline": [with_interval(row) for row in baseline.to_dict("records")],
    }
    return markdown(pd.DataFrame(columns))


def _rejections(queries: pd.DataFrame, calls: pd.DataFrame, annotator: Annotator) -> str:
    """Measure false positives at the shipped thresholds, which are the same for every kind."""
    score, limits = annotator.decides
    table = queries.merge(calls, on="id", suffixes=("_nearest", ""))
    table = table[table["role"] == EVALUATE]
    ranked = rejection(queries, calls, score).set_index("kind")["AUROC"]
    known = table[in_trained_family(table)]
    right = known["called"] == known["family"]
    lines = []
    for kind, auroc in ranked.items():
        chosen = [kind] if kind != ALL_KINDS else [k for k in ranked.index if k != ALL_KINDS]
        outside = [table.loc[table["kind"] == name, score] for name in chosen]
        line = {"kind": kind, "RNAs": str(sum(map(len, outside))), "AUROC": f"{auroc:.3f}"}
        for name, cut in limits.items():
            wrong = sum((scores >= cut).mean() for scores in outside) / len(outside)
            line[f"false positives, {name}"] = f"{wrong:.3f}"
        lines.append(line)
    accepted = {name: ((known[score] >= cut) & right).mean() for name, cut in limits.items()}
    sensitivities = ", ".join(f"{value:.3f} at `{name}`" for name, value in accepted.items())
    shown = markdown(pd.DataFrame(lines))
    return f"{shown}\n\nSensitivity: {sensitivities}, of {len(known):,} hairpins."
