"""The card of weights that name families: how good they are, and what they are not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mirpair.contracts import EVALUATE, VALIDATE
from mirpair.families.annotation import Annotator
from mirpair.families.family_calls import SCORES, accuracy, rejection
from mirpair.files import sha256
from mirpair.pages.markdown import bullets, markdown


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

{bullets(sources)}

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
    return markdown(table)


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
    shown = markdown(pd.DataFrame(lines))
    return f"{shown}\n\nSensitivity: {said}, of {len(known):,} hairpins."
