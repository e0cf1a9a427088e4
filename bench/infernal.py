"""Measure Infernal's faster settings with the models and records of the study `families`.

    python -m bench.infernal    # after `make families`, in the same folder; takes minutes

Prints the table of docs/families.md: one core, the fastest of three rounds in turns.
"""

from __future__ import annotations

import time

import pandas as pd

from mirpair.contracts import EVALUATE, read_family_records, read_queries
from mirpair.families.family_calls import accuracy, in_trained_family, rejection
from mirpair.families.infernal import scan
from mirpair.families.model_files import read_models

RESULTS = "results/families"
EXPERIMENT = "rfam-60"
SETTINGS = ("--hmmonly", "--rfam")
ROUNDS, TIMED = 3, 300


def main() -> None:
    queries = read_queries(f"{RESULTS}/nearest/{EXPERIMENT}.tsv")
    models = read_models(f"{RESULTS}/infernal/{EXPERIMENT}.cm")
    sequence = read_family_records(f"{RESULTS}/datasets/all/records.tsv").set_index("id")
    sequence = sequence["sequence"]
    known = queries.loc[(queries["role"] == EVALUATE) & in_trained_family(queries), "id"]
    timed = sequence[known.iloc[:: max(1, len(known) // TIMED)].iloc[:TIMED]].tolist()
    seconds: dict[str, float] = {}
    for _ in range(ROUNDS):
        for setting in SETTINGS:
            started = time.perf_counter()
            scan(models, timed, options=[setting])
            taken = time.perf_counter() - started
            seconds[setting] = min(seconds.get(setting, taken), taken)
    rows = []
    for setting in SETTINGS:
        best = scan(models, sequence[queries["id"]].tolist(), options=[setting])
        calls = queries[["id"]].assign(called=best["family"], bits=best["bits"])
        right = accuracy(queries, calls).set_index("band")["accuracy"]
        overall = rejection(queries, calls, "bits").set_index("kind").loc["all kinds"]
        rows.append(
            {
                "setting": setting,
                "RNAs/s": len(timed) / seconds[setting],
                "accuracy": right["all"],
                "below 0.3": right["below 0.3"],
                "sensitivity": overall["sensitivity"],
                "false positives": overall["false positives"],
            }
        )
    print(pd.DataFrame(rows).round(3).to_markdown(index=False))


if __name__ == "__main__":
    main()
