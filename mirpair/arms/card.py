"""Write the card of weights that find arms: how good they are, and their limits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mirpair.arms.measure import ALL_ENDS, WITHIN
from mirpair.contracts import SUPPORTED
from mirpair.files import sha256
from mirpair.pages.printing import markdown
from mirpair.rna.arms import LONGEST, NEAR, SHORTEST


def arms_card(path: str | Path, ends: pd.DataFrame, sources: Sequence[str], *, folds: int) -> str:
    """Write the card, in Markdown: the same bytes for the same weights.

    Parameters
    ----------
    path
        The file of weights.
    ends
        Result of `mirpair.arms.measure.ends_table`.
    sources
        Origin and licence of the sequences, one sentence each.
    folds
        Number of networks of a kingdom.
    """
    trusts = ends["trust"].isin([SUPPORTED, "all"])
    rows = ends[(ends["end"] == ALL_ENDS) & trusts]
    table = pd.DataFrame(
        {
            "kingdom": rows["kingdom"],
            "cut": rows["cut"],
            "trust": rows["trust"],
            "method": rows["method"],
            "RNAs": rows["records"].map("{:,}".format),
            **{
                (f"within {n} nt" if n else "exact"): rows[f"within {n}"].map("{:.3f}".format)
                for n in WITHIN
            },
        }
    )
    listed = "\n".join(f"- {source}" for source in sources)
    return f"""\
# {Path(path).name}

mirpair uses these weights to find the two mature microRNAs of a pre-miRNA. The file is safetensors,
without pickled objects: {Path(path).stat().st_size:,} bytes, SHA-256 `{sha256(path)}`.

{folds} networks for each kingdom, whose probabilities are averaged. Each trained on the hairpins
of all families but a fifth (or so); the table is about families that did not train the network.

## Ends of arms

Share of the four ends that are at most so many nt from those in miRBase:

{markdown(table)}

## Limits

- A probability is that both ends of an arm are at most {NEAR} nt away.
- Both arms are always named, of {SHORTEST} to {LONGEST} nt, also if a cell uses only one.
- An RNA that is no pre-miRNA gets arms too.

## Sequences

{listed}
"""
