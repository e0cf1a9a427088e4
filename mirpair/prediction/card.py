"""Write the card of weights that find pre-miRNAs: how good they are, and their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mirpair.contracts import AS_PUBLISHED, EVALUATE, SCANNED, TRAIN, UNKNOWN, VALIDATE
from mirpair.files import sha256
from mirpair.identification.metrics import rank
from mirpair.pages.printing import markdown
from mirpair.prediction.calibration import Calibration, expected, interval, reliability
from mirpair.prediction.weights import PreMirnaNetworks, rounded
from mirpair.settings import LONGEST_SPAN, SHORTEST, Kingdom, PredictionSettings

RATIOS = (10, 100, 1000)
_LENGTHS = (0, SHORTEST - 1, 55, 65, 75, 90, 120, LONGEST_SPAN)
_EDGES = (0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1)
# Records that are too similar to training records to evaluate.
_NO_ROLE = "not used"
_UNKNOWN = {"cut": AS_PUBLISHED, "trust": UNKNOWN}


@dataclass(frozen=True, slots=True)
class CardPart:
    """What the card says about one kingdom.

    Attributes
    ----------
    trained
        What `mirpair.prediction.weights.load_networks` reads from the file.
    scored
        See `mirpair.prediction.shipping.score_records`.
    left_out
        Records that were left out of the set, with the reasons.
    provenance
        Of each shipped training.
    """

    trained: PreMirnaNetworks
    scored: pd.DataFrame
    left_out: pd.DataFrame
    provenance: Sequence[Mapping[str, Any]]


def prediction_card(
    path: str | Path, parts: Mapping[Kingdom, CardPart], sources: Sequence[str]
) -> str:
    """Write the card, in Markdown: the same bytes for the same weights.

    Parameters
    ----------
    path
        The file of weights.
    parts
        Each kingdom of the file.
    sources
        Origin and licence of the sequences, one sentence each.
    """
    listed = "\n".join(f"- {source}" for source in sources)
    sections = "\n".join(_section(kingdom, part) for kingdom, part in parts.items())
    first = next(iter(parts.values())).trained
    settings = PredictionSettings
    return f"""\
# {Path(path).name}

`mirpair predict` and `mirpair scan` use these weights to decide which RNAs are pre-miRNAs. The file
is safetensors, without pickled objects.

| | |
|---|---|
| kingdoms (`--kingdom`) | {", ".join(parts)} |
| size | {Path(path).stat().st_size:,} bytes |
| SHA-256 | `{sha256(path)}` |
| RNAs | {first.shortest} to {first.longest} nt |
| licence | that of this project; for the sequences, see below |

The sequences are from:

{listed}

## How it was measured

The records of each kingdom have three roles. Training records trained the shipped networks.
Validation records calibrate the probabilities and choose the thresholds of a scan. All figures
below are those of the evaluation records, which calibrated nothing.

No network scored a record that it trained on. Where networks trained on different families, a
record has the mean score of those networks for which it has the role in the table. Most pre-miRNAs
are scored by one network, to which their family is new. Your RNAs are scored by all, and so are the
hairpins of the genomes below, which trained none of them. The score from which a scan folds a stem
was chosen on pre-miRNAs that validate for the first network.

*Called* below means a probability of at least {settings.threshold} for a prior of {settings.prior},
the defaults of `mirpair predict`. In brackets are 95 % intervals (Clopper and Pearson), which take
records as independent; related records are not.

{sections}
## Limits

- A call is a candidate, not a proof. In a genome, most hairpins are no pre-miRNAs; the tables above
  say how many false calls a megabase to expect.
- The probability holds for the expected share of pre-miRNAs (`--prior`), and for RNAs like those
  above. Beyond the range of the validation scores it stays that of the end of the range.
- Most known hairpins trained at least one of the networks: that they are called says little. The
  figures above are of families that are new to a network.
- RNAs must be hairpins on the right strand, of {first.shortest} to {first.longest} nt.
"""


def _section(kingdom: Kingdom, part: CardPart) -> str:
    trained, scored = part.trained, part.scored
    evaluation = scored[scored["role"] == EVALUATE]
    assert trained.candidates is not None
    prior = PredictionSettings.prior
    called = trained.candidates.probability(evaluation["score"], prior)
    evaluation = evaluation.assign(called=called >= PredictionSettings.threshold)
    positives, others = (evaluation[evaluation["label"] == label] for label in (1, 0))
    validation = scored[scored["role"] == VALIDATE]
    return f"""\
## {kingdom.capitalize()}

{_networks(part)}

### Records

{_records(scored)}

{_left_out(part.left_out)}

### Pre-miRNAs that are called

{len(positives):,} evaluation records, by how they were cut and how sure it is that they are
pre-miRNAs.

{_shares(positives, ["cut", "trust"], "called (SE)")}

### Other RNAs that are called

{len(others):,} evaluation records, by their collection and how they were cut; AUROC and AUPR are
those of all evaluation pre-miRNAs against them.

{_shares(others, ["collection", "cut"], "called (FPR)", against=positives)}

### By length

{_lengths(evaluation)}

### What a probability means

Calibrated on {len(validation):,} validation records by Platt's method in pieces, measured on the
evaluation records, of which {len(positives) / len(evaluation):.3f} are pre-miRNAs, which is the
prior here.

{_bins(trained.candidates, evaluation)}

What to expect of calls (a probability of at least 0.5 for that prior) if there are so many other
RNAs per pre-miRNA. SE (sensitivity) and FPR (false positive rate) are measured; the precision (PPV)
is an estimate from both.

{_ratios(trained.candidates, evaluation)}

{_genome(trained, scored)}
"""


def _networks(part: CardPart) -> str:
    rows: dict[tuple[str, ...], list[str]] = {}
    for network, entry in zip(part.trained.networks, part.provenance, strict=True):
        run, recipe = entry["run"], entry["recipe"]
        count = sum(p.numel() for p in network.parameters())
        described = (
            network.model.label,
            f"{count:,}",
            f"`{run['recipe']}`: {recipe['optimizer']}, learning rate {recipe['learning_rate']}, "
            f"batches of {recipe['batch_size']}, {run['epochs']} epochs",
        )
        rows.setdefault(described, []).append(f"`{run['experiment']}` ({run['seed']})")
    names = ("network", "weights", "recipe", "experiments (seeds)")
    table = [dict(zip(names, (*it, ", ".join(of)), strict=True)) for it, of in rows.items()]
    return "The score is the mean of these networks.\n\n" + markdown(pd.DataFrame(table))


def _records(scored: pd.DataFrame) -> str:
    kinds = scored.assign(
        cut=scored["cut"].replace("", _UNKNOWN["cut"]),
        kind=scored["label"].map({1: "pre-miRNAs", 0: "others"}),
        role=scored["role"].replace("", _NO_ROLE),
    )
    counts = kinds.groupby(["kind", "collection", "cut", "role"], sort=False).size().unstack()
    roles = {TRAIN: "training", VALIDATE: "validation", EVALUATE: "evaluation", _NO_ROLE: _NO_ROLE}
    counts = counts.reindex(columns=list(roles)).fillna(0).astype(int).rename(columns=roles)
    shown = counts.map("{:,}".format).reset_index().rename(columns={"kind": "records"})
    return markdown(shown)


def _left_out(left_out: pd.DataFrame) -> str:
    if left_out.empty:
        return "No record was left out of the set."
    reasons = left_out["reason"].value_counts().items()
    return f"Left out of the set: {', '.join(f'{n:,} ({reason})' for reason, n in reasons)}."


def _shares(
    records: pd.DataFrame,
    by: list[str],
    name: str,
    against: pd.DataFrame | None = None,
) -> str:
    rows = []
    for kind, part in records.groupby(by):
        row = {
            column: value or _UNKNOWN.get(column, "")
            for column, value in zip(by, kind, strict=True)
        }
        row |= {"records": f"{len(part):,}", name: _share(part["called"])}
        if against is not None:
            both = pd.concat([against, part])
            row |= {it: f"{value:.3f}" for it, value in rank(both["label"], both["score"]).items()}
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def _share(called: pd.Series) -> str:
    """Write the share of calls, with as many digits as it has, and its interval."""
    low, high = interval(int(called.sum()), len(called))
    digits = 3 if called.mean() >= 0.05 else 5
    return f"{called.mean():.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def _lengths(evaluation: pd.DataFrame) -> str:
    bins = pd.cut(evaluation["length"], _LENGTHS)
    rows = []
    for limits in bins.cat.categories:
        inside = evaluation[bins == limits]
        row = {"nt": f"{int(limits.left) + 1}–{int(limits.right)}"}
        for name, rate, label in (("pre-miRNAs", "SE", 1), ("others", "FPR", 0)):
            chosen = inside[inside["label"] == label]
            row[name] = f"{len(chosen):,}"
            row[rate] = _share(chosen["called"]) if len(chosen) else ""
        if len(inside):
            rows.append(row)
    return markdown(pd.DataFrame(rows))


def _bins(calibration: Calibration, records: pd.DataFrame) -> str:
    rows = [
        {
            "probability": f"{row['from']:g}–{row['to']:g}",
            "records": f"{row['records']:,}",
            "mean probability": f"{row['predicted']:.4f}",
            "pre-miRNAs": f"{row['observed']:.4f} ({row['low']:.4f}–{row['high']:.4f})",
        }
        for row in reliability(calibration, records["label"], records["score"], _EDGES).to_dict(
            "records"
        )
    ]
    return markdown(pd.DataFrame(rows))


def _genome(trained: PreMirnaNetworks, scored: pd.DataFrame) -> str:
    heading = "### Hairpins of a genome: `mirpair scan`\n\n"
    scanned = scored[scored["cut"] == SCANNED]
    evaluation = scanned[scanned["role"] == EVALUATE]
    if trained.genome is None:
        return heading + "These networks are not calibrated for hairpins of a genome."
    chosen = (scanned["role"] == VALIDATE) & (scanned["label"] == 0)
    text = f"""\
{heading}Probabilities and thresholds of a scan come from records that are cut as a scan cuts them:
pre-miRNAs, and hairpins of genomes without known pre-miRNAs. A scan calls hairpins from the score
that a share of {int(chosen.sum()):,} such validation hairpins reaches (`--false-positives`).

{_cuts(trained, evaluation)}

{_rates(trained)}
"""
    if evaluation["label"].nunique() < 2:
        return text
    return f"""{text}
Reliability and precision among these evaluation records:

{_bins(trained.genome, evaluation)}

{_ratios(trained.genome, evaluation)}"""


def _cuts(trained: PreMirnaNetworks, evaluation: pd.DataFrame) -> str:
    rows = []
    for name, cut in trained.cuts.items():
        row = {"false positives": name, "score from": f"{cut:.6f}"}
        for label, column in ((0, "evaluation hairpins called"), (1, "pre-miRNAs called (SE)")):
            scores = evaluation.loc[evaluation["label"] == label, "score"]
            row[column] = _share(scores >= cut) if len(scores) else ""
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def _rates(trained: PreMirnaNetworks) -> str:
    first = next(iter(trained.rates.values()), ())
    if not first:
        return "How many hairpins of a megabase are called was not measured."
    rows = []
    for number, genome in enumerate(first):
        row = {
            "genome": genome.genome,
            "hairpins a megabase": f"{genome.hairpins:,.0f}",
            "scored": f"{genome.scored:,}",
        }
        for name, rates in trained.rates.items():
            calls, limit = rates[number].calls, 3 * genome.hairpins / genome.scored
            row[f"calls at {name}"] = rounded(calls) if calls else f"< {rounded(limit)}"
        rows.append(row)
    return (
        "False calls per megabase, on both strands. Where none of the scored hairpins is "
        "called, the limit is that of the 95 % interval.\n\n" + markdown(pd.DataFrame(rows))
    )


def _ratios(calibration: Calibration, records: pd.DataFrame) -> str:
    rows = [
        {
            "pre-miRNAs : others": f"1 : {row['others']:,.0f}",
            "SE": f"{row['SE']:.3f} ({row['SE low']:.3f}–{row['SE high']:.3f})",
            "FPR": f"{row['FPR']:.5f} ({row['FPR low']:.5f}–{row['FPR high']:.5f})",
            "PPV, estimated": _precision(row),
        }
        for row in expected(calibration, records["label"], records["score"], RATIOS).to_dict(
            "records"
        )
    ]
    return markdown(pd.DataFrame(rows))


def _precision(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["PPV"]):
        return "nothing is called"
    low = 0.0 if np.isnan(row["PPV low"]) else row["PPV low"]
    return f"{row['PPV']:.3f} ({low:.3f}–{row['PPV high']:.3f})"
