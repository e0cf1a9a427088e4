"""How well each method names families, and knows what is of none: the tables of such a study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mirpair.contracts import BASELINES, EVALUATE, VALIDATE, read_calls, read_queries
from mirpair.families.family_calls import BANDS, FALSE_POSITIVES, SCORES, accuracy, rejection
from mirpair.files import InputError, write_text
from mirpair.identification.tables import (
    BASELINE,
    BELOW,
    MARKS,
    OURS,
    Cell,
    latex_table,
    markdown_table,
    page_parts,
    templates,
    to_csv,
)
from mirpair.recipes import FAMILY_MODELS

NEAREST, INFERNAL, MIRGENEDB = BASELINES["nearest-8-mer"], "Infernal", "MirGeneDB's models"
OTHER = "other program"
ALL, ALL_KINDS = "all", "all kinds"
FAR = next(iter(BANDS))
BEST = "★"
# What is asked of a network: accuracy of the RNAs that are far from all that trained, part of the
# trained families that is accepted at 5 % false positives, and speed as a multiple of Infernal's.
FAR_ACCURACY, ACCEPTED, FASTER = 0.90, 0.95, 50
_INPUTS = {
    "pair": "pairs of the ensemble",
    "prob": "pair probabilities",
    "mixed": "pairs and their probabilities",
    "one-hot": "sequence",
    "variable": "sequence and MFE structure",
    "without-pairing": "sequence",
}
INPUTS = {
    NEAREST: "8-mers of the sequence",
    **{FAMILY_MODELS[name].label: text for name, text in _INPUTS.items()},
    INFERNAL: "alignment and consensus structure",
    MIRGENEDB: "alignment and consensus structure",
}
WITH_STRUCTURE = tuple(FAMILY_MODELS[name].label for name in ("pair", "prob", "mixed", "variable"))
TITLES = {
    "accuracy": "How often the family is right, by what trained alike",
    "sizes": "How often the family is right, by the number of training records",
    "rejection": "Telling the trained families from everything else",
    "infernal": "Against Infernal",
    "growth": "How time grows with the number of families",
}
_RATES = ("accepted", "sensitivity", "false positives")


@dataclass(frozen=True, slots=True)
class Called:
    """What a method calls the records of an experiment.

    Attributes
    ----------
    experiment, method
        Names.
    queries
        The records that count for it, as `mirpair.families.records.nearest_family` has them.
    calls
        Columns id, called and the method's scores; a table for each seed.
    """

    experiment: str
    method: str
    queries: pd.DataFrame
    calls: Sequence[pd.DataFrame]

    @property
    def source(self) -> str:
        """Whether it is a baseline, a network of ours, or another program."""
        if self.method == NEAREST:
            return BASELINE
        return OTHER if self.method in (INFERNAL, MIRGENEDB) else OURS

    @property
    def scores(self) -> list[str]:
        """Names of its scores among `mirpair.families.family_calls.SCORES`."""
        return [name for name in SCORES if name in self.calls[0]]


def gather_called(
    queries: Mapping[str, pd.DataFrame],
    networks: Sequence[tuple[str, str, pd.DataFrame]],
    infernal: Mapping[str, pd.DataFrame] | None = None,
    mirgenedb: Mapping[str, tuple[pd.DataFrame, Mapping[str, str]]] | None = None,
) -> list[Called]:
    """What all methods call, by experiment: the baseline, networks, other programs.

    Parameters
    ----------
    queries
        Experiment to the result of `mirpair.families.records.nearest_family`.
    networks
        Experiment, label and calls of each training; those that have the first two in common are
        seeds of the same.
    infernal
        Experiment to calls (id, called, bits).
    mirgenedb
        Experiment to calls by the names of MirGeneDB, and our families to those names, as
        `mirpair.families.infernal.counterparts` has them.
    """
    found = []
    for name, asked in queries.items():
        # The queries have the family of the nearest record as called.
        found.append(Called(name, NEAREST, asked, [asked[["id", "called", "containment"]]]))
        labels = dict.fromkeys(label for of, label, _ in networks if of == name)
        for label in labels:
            seeds = [calls for of, own, calls in networks if (of, own) == (name, label)]
            found.append(Called(name, label, asked, seeds))
        if infernal and name in infernal:
            found.append(Called(name, INFERNAL, asked, [infernal[name]]))
        if mirgenedb and name in mirgenedb:
            found.append(_of_mirgenedb(name, asked, *mirgenedb[name]))
    return found


def read_called(
    nearest: Sequence[str],
    calls: Sequence[str],
    runs: Sequence[Mapping[str, Any]],
    infernal: Sequence[str] = (),
    mirgenedb: Sequence[str] = (),
) -> list[Called]:
    """What `gather_called` makes of the files of a study.

    Parameters
    ----------
    nearest
        ``nearest/<experiment>.tsv``.
    calls, runs
        ``calls.tsv`` of each training, and its experiment and label.
    infernal, mirgenedb
        ``infernal/<experiment>.tsv``; ``infernal/<experiment>-mirgenedb.tsv`` and ``.json``, or
        nothing.

    Raises
    ------
    InputError
        If a table is not as it should be.
    """
    scores = ("softmax", "energy", "distance")
    found = {}
    if mirgenedb:
        table, names = mirgenedb
        other_of = json.loads(Path(names).read_text("utf-8"))
        found[Path(table).stem.removesuffix("-mirgenedb")] = read_calls(table, ["bits"]), other_of
    return gather_called(
        {Path(path).stem: read_queries(path) for path in nearest},
        [
            (run["experiment"], run["label"], read_calls(path, scores))
            for run, path in zip(runs, calls, strict=True)
        ],
        {Path(path).stem: read_calls(path, ["bits"]) for path in infernal},
        found,
    )


def _of_mirgenedb(
    name: str, queries: pd.DataFrame, calls: pd.DataFrame, other_of: Mapping[str, str]
) -> Called:
    """By our names, of the families alone that have a counterpart there."""
    covered = queries[(queries["kind"] != "") | queries["family"].isin(other_of)]
    table = covered[["id", "family"]].merge(calls, on="id", validate="one_to_one")
    own = table["family"].map(other_of) == table["called"]
    # A family that has no counterpart among ours is not one of the trained ones.
    table["bits"] = table["bits"].where(table["called"].isin(set(other_of.values())))
    table["called"] = table["family"].where(own, "")
    return Called(name, MIRGENEDB, covered, [table[["id", "called", "bits"]]])


def _accuracy(called: Called) -> pd.DataFrame:
    """Mean over seeds, with the interval of that mean: families are drawn with all their seeds."""
    numbers = range(len(called.calls))
    found = accuracy(
        pd.concat([called.queries.assign(id=called.queries["id"] + f" {n}") for n in numbers]),
        pd.concat([calls.assign(id=calls["id"] + f" {n}") for n, calls in enumerate(called.calls)]),
    )
    return found.assign(records=found["records"] // len(numbers)).drop(columns="correct")


def accuracy_table(
    called: Sequence[Called], splits: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """How often each method names the right family, by experiment and band of containment.

    Parameters
    ----------
    called
        Result of `gather_called`.
    splits
        Experiment to its section of the config (`mirpair.study.families.FamilySplit`), as a
        dictionary.

    Returns
    -------
    DataFrame
        A row for each method, experiment and band (and all): experiment, split, training (records
        a family), families (number that is asked for), method, source, input, seeds, band,
        records, accuracy (mean over seeds), low and high (its 95 % interval, see
        `mirpair.families.family_calls.accuracy`), baseline (accuracy of the 8-mer nearest neighbour
        on the same records), gain with gain low and gain high (accuracy less the baseline's, with
        the interval of the difference) and best (no other method of this experiment that is asked
        for all families does better in this band).
    """
    parts = []
    for one in called:
        known = one.queries[(one.queries["kind"] == "") & (one.queries["role"] == EVALUATE)]
        baseline = accuracy(one.queries, one.queries)["accuracy"]
        about = {
            "experiment": one.experiment,
            "split": splits[one.experiment]["split"],
            "training": splits[one.experiment]["training"],
            "families": known["family"].nunique(),
            "method": one.method,
            "source": one.source,
            "input": INPUTS[one.method],
            "seeds": len(one.calls),
        }
        parts.append(_accuracy(one).assign(baseline=baseline, **about)[[*about, *_OF_BAND]])
    table = pd.concat(parts, ignore_index=True)
    whole = table["accuracy"].where(table["method"] != MIRGENEDB)
    top = whole.groupby([table["experiment"], table["band"]], sort=False).transform("max")
    return table.assign(best=(whole == top) & whole.notna())


_OF_BAND = [
    *("band", "records", "accuracy", "low", "high", "baseline"),
    *("gain", "gain low", "gain high"),
]


def sizes_table(table: pd.DataFrame, series: Sequence[str]) -> pd.DataFrame:
    """Accuracy by number of training records: the rows of some experiments for all bands together.

    Parameters
    ----------
    table
        Result of `accuracy_table`.
    series
        Experiments that differ in nothing else (`mirpair.study.families.FamilyStudy.series`).
    """
    rows = table[table["experiment"].isin(series) & (table["band"] == ALL)]
    return rows.sort_values("training", kind="stable", ignore_index=True)


def rejection_table(called: Sequence[Called]) -> pd.DataFrame:
    """How well each score of each method tells trained families from everything else.

    Parameters
    ----------
    called
        Result of `gather_called`; experiments without outliers or without records that validate
        are left out.

    Returns
    -------
    DataFrame
        A row for each experiment, method, score and kind of outlier: experiment, method, source,
        score, then the columns of `mirpair.families.family_calls.rejection` (means over seeds),
        validation AUROC, and best (by that of all kinds no other score of the method is better:
        what evaluates chooses nothing) and overall (nor one of another method).
    """
    parts = []
    for one in called:
        roles = one.queries.groupby(one.queries["kind"] == "")["role"].agg(set)
        if len(roles) < 2 or any({VALIDATE, EVALUATE} - of for of in roles):
            continue
        # The same rates of the records that validate.
        other = {VALIDATE: EVALUATE, EVALUATE: VALIDATE}
        swapped = one.queries.assign(role=one.queries["role"].map(other))
        for score in one.scores:
            found = [rejection(one.queries, calls, score) for calls in one.calls]
            chosen = [rejection(swapped, calls, score)[["kind", "AUROC"]] for calls in one.calls]
            means = pd.concat(found).groupby("kind", sort=False).mean().reset_index()
            held_out = pd.concat(chosen).groupby("kind", sort=False)["AUROC"].mean()
            means["validation AUROC"] = means["kind"].map(held_out)
            about = {
                "experiment": one.experiment,
                "method": one.method,
                "source": one.source,
                "score": SCORES[score],
            }
            parts.append(means.assign(**about)[[*about, *means.columns]])
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    pooled = table["validation AUROC"].where(table["kind"] == ALL_KINDS)
    keys = [table["experiment"], table["method"], table["score"]]
    table["records"] = table["records"].astype(int)
    of_score = pooled.groupby(keys).transform("max")
    own = of_score.groupby(keys[:2]).transform("max")
    top = of_score.where(table["method"] != MIRGENEDB).groupby(keys[:1]).transform("max")
    return table.assign(best=of_score == own, overall=of_score == top)


def infernal_table(
    accuracies: pd.DataFrame, rejections: pd.DataFrame, speed: pd.DataFrame, experiment: str
) -> pd.DataFrame:
    """All methods on one experiment beside Infernal: right, sure and fast.

    Parameters
    ----------
    accuracies, rejections
        Results of `accuracy_table` and `rejection_table`.
    speed
        As `mirpair.contracts.read_speed` has it.
    experiment
        Whose training records the covariance models are built from.

    Returns
    -------
    DataFrame
        A row a method: experiment, method, source, input, families, records, accuracy, low, high;
        with its best score at 5 % false positives of all kinds: score, accepted, sensitivity,
        false positives; folding (part of the time on one core); for each number of cores n
        ``rate n`` (RNAs a second) and ``ratio n`` (to Infernal's).
    """
    rows = accuracies[(accuracies["experiment"] == experiment) & (accuracies["band"] == ALL)]
    columns = ["experiment", "method", "source", "input", "families", "records"]
    table = rows[[*columns, "accuracy", "low", "high"]].reset_index(drop=True)
    if len(rejections):
        chosen = rejections[rejections["best"] & (rejections["kind"] == ALL_KINDS)]
        chosen = chosen[chosen["experiment"] == experiment]
        told = chosen.drop_duplicates("method")[["method", "score", *_RATES]]
        table = table.merge(told, on="method", how="left")
    most = speed[speed["families"] == speed["families"].max()].assign(
        rate=lambda t: t["sequences"] / t["seconds"], share=lambda t: t["folding"] / t["seconds"]
    )
    one = most[most["cores"] == most["cores"].min()].set_index("method")
    table["folding"] = table["method"].map(one["share"])
    for cores, rates in most.groupby("cores"):
        by_method = rates.set_index("method")["rate"]
        table[f"rate {cores}"] = table["method"].map(by_method)
        table[f"ratio {cores}"] = table[f"rate {cores}"] / by_method.get(INFERNAL, np.nan)
    return table


def growth_table(speed: pd.DataFrame) -> pd.DataFrame:
    """Seconds for an RNA by number of families: method, families, cores, sequences, seconds each.

    Parameters
    ----------
    speed
        As `mirpair.contracts.read_speed` has it.
    """
    table = speed.assign(each=speed["seconds"] / speed["sequences"])
    table = table.rename(columns={"each": "seconds each"}).drop(columns=["seconds", "folding"])
    order = {name: place for place, name in enumerate(INPUTS)}
    return table.sort_values(
        ["method", "cores", "families"],
        key=lambda of: of.map(order) if of.name == "method" else of,
        kind="stable",
        ignore_index=True,
    )


@dataclass(frozen=True, slots=True)
class Printed:
    """A table as readers see it.

    Attributes
    ----------
    text
        Cells.
    below
        What stands smaller below a cell, for some of the columns.
    kinds
        Where each row comes from: this run, a baseline, another program.
    notes
        Sentences below the table.
    """

    text: pd.DataFrame
    kinds: Sequence[str]
    below: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: Sequence[str] = ()


def _three(values: pd.Series) -> list[str]:
    return [f"{value:.3f}" if pd.notna(value) else "–" for value in values]


def _range(rows: pd.DataFrame) -> list[str]:
    ends = zip(rows["low"], rows["high"], strict=True)
    return [f"{low:.3f}–{high:.3f}" if pd.notna(low) else "" for low, high in ends]


def _marked(rows: pd.DataFrame) -> list[str]:
    below = rows["accuracy"] < rows["baseline"]
    marks = np.where(rows["best"], f" {BEST}", np.where(below, f" {MARKS[BELOW]}", ""))
    return [f"{text}{mark}" for text, mark in zip(_three(rows["accuracy"]), marks, strict=True)]


def _spread(table: pd.DataFrame, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Accuracies and their intervals, a row for each method and a column for each value."""
    cells = table.assign(text=_marked(table), below=_range(table))
    keys = ["experiment", "method"] if column == "band" else ["method"]
    order = cells[keys].drop_duplicates()
    # What is not there at all is no empty cell of a method, but no value.
    text, below = (
        cells.pivot(index=keys, columns=column, values=of).reindex(
            index=pd.MultiIndex.from_frame(order) if len(keys) > 1 else order["method"],
            columns=list(dict.fromkeys(cells[column])),
        )
        for of in ("text", "below")
    )
    return text.fillna("–").reset_index(), below.fillna("").reset_index(drop=True)


_SEEDS = (
    "The 95 % interval is a bootstrap over families, with all their records; none where all "
    "records are right or wrong. Several seeds are drawn together: it is that of their mean."
)
_PARTIAL = (
    f"{MIRGENEDB} are asked for those families alone that have a counterpart in MirGeneDB "
    "({families} of {all}, {records:,} of {of:,} records), so that row is no rival of the others."
)


def partial(table: pd.DataFrame) -> list[str]:
    """The sentence that says which families MirGeneDB's models are asked for, if they are."""
    rows = table[table["band"] == ALL] if "band" in table else table
    lines = []
    for _, group in rows.groupby("experiment", sort=False):
        theirs, others = (group[(group["method"] == MIRGENEDB) == is_in] for is_in in (True, False))
        if len(theirs) and len(others):
            counts = {"families": theirs["families"].iloc[0], "all": others["families"].iloc[0]}
            records = {"records": theirs["records"].iloc[0], "of": others["records"].iloc[0]}
            lines.append(_PARTIAL.format(**counts, **records))
    return lines


def _print_accuracy(table: pd.DataFrame) -> Printed:
    text, below = _spread(table, "band")
    first = table.drop_duplicates(["experiment", "method"])
    groups = [group for _, group in table.groupby(["experiment", "method"], sort=False)]
    reached = [reaches_baseline(group) for group in groups]
    far = [is_far_right(group) for group in groups]
    yes = {True: "yes", False: "no", None: "–"}
    text = text.rename(columns={"experiment": "Experiment", "method": "Method", ALL: "All"})
    text.insert(2, "Input", list(first["input"]))
    every = table[table["band"] == ALL]
    text["Gain"] = [
        "–" if method == NEAREST else f"{gain:+.3f}"
        for method, gain in zip(every["method"], every["gain"], strict=True)
    ]
    below["Gain"] = [
        "" if pd.isna(low) else f"{low:+.3f} to {high:+.3f}"
        for low, high in zip(every["gain low"], every["gain high"], strict=True)
    ]
    text["Baseline reached"] = [yes[is_it] for is_it in reached]
    text[f"Above {FAR_ACCURACY:.2f} {FAR}"] = [yes[is_it] for is_it in far]
    sizes = [
        f"{name}: {families} families, "
        + ", ".join(f"{band} {n:,}" for band, n in zip(rows["band"], rows["records"], strict=True))
        for (name, families), rows in table[table["method"] == NEAREST].groupby(
            ["experiment", "families"], sort=False
        )
    ]
    return Printed(
        text,
        list(first["source"]),
        below.rename(columns={ALL: "All"}),
        [
            f"{BEST} best of the column in its experiment, {MARKS[BELOW]} less than the 8-mer "
            "nearest neighbour on the same records. Bands are the part of an RNA's 8-mers that "
            "the nearest training record has too: below 0.3 little that trained is like it. "
            "Gain: accuracy of all less the 8-mer nearest neighbour's, with the interval of the "
            "difference on the same records. Baseline reached: in every band.",
            f"Evaluation records – {'; '.join(sizes)}.",
            _SEEDS,
            *partial(table),
        ],
    )


def reaches_baseline(rows: pd.DataFrame) -> bool | None:
    """Whether a method is as good as the baseline in all bands of an experiment; None if it is it.

    Parameters
    ----------
    rows
        Of `accuracy_table`, one method and experiment.
    """
    if (rows["method"] == NEAREST).all():
        return None
    known = rows[(rows["band"] != ALL) & (rows["records"] > 0)]
    return bool((known["accuracy"] >= known["baseline"]).all())


def is_far_right(rows: pd.DataFrame) -> bool | None:
    """Whether a method is above 0.90 where nothing alike trained; None if there is no such record.

    Parameters
    ----------
    rows
        See `reaches_baseline`.
    """
    far = rows[(rows["band"] == FAR) & (rows["records"] > 0)]
    return None if far.empty else bool((far["accuracy"] > FAR_ACCURACY).all())


def _print_sizes(table: pd.DataFrame) -> Printed:
    text, below = _spread(table, "training")
    names = {of: f"{of} training records" for of in below.columns}
    first = table.drop_duplicates("method").set_index("method").loc[text["method"]]
    text = text.rename(columns={"method": "Method", **names})
    text.insert(1, "Input", list(first["input"]))
    told = f"{first['families'].max()} families, of each the same records evaluate"
    return Printed(
        text,
        list(first["source"]),
        below.rename(columns=names),
        [
            f"{told}: {first['records'].max():,} in all. {BEST} best of the column, {MARKS[BELOW]} "
            "less than the 8-mer nearest neighbour.",
            _SEEDS,
        ],
    )


def _print_rejection(table: pd.DataFrame) -> Printed:
    keys = ["experiment", "method", "score"]
    pooled = table[table["kind"] == ALL_KINDS].reset_index(drop=True)
    text = pd.DataFrame(
        {
            "Method": pooled["method"],
            "Score": [
                f"{score} {BEST}" if best else score
                for score, best in zip(pooled["score"], pooled["best"], strict=True)
            ],
            "AUROC": _three(pooled["AUROC"]),
        }
    )
    below = pd.DataFrame(index=text.index)
    for kind, rows in table.groupby("kind", sort=False):
        of = rows.set_index(keys).reindex(pd.MultiIndex.from_frame(pooled[keys]))
        name = str(kind)
        text[name] = _three(of["accepted"])
        rates = zip(_three(of["AUROC"]), _three(of["false positives"]), strict=True)
        below[name] = [f"AUROC\u00a0{auroc}, FP\u00a0{wrong}" for auroc, wrong in rates]
    text["Sensitivity"] = _three(pooled["sensitivity"])
    text["Youden"] = _three(pooled["youden accepted"])
    below["Youden"] = [f"FP {wrong}" for wrong in _three(pooled["youden false positives"])]
    if pooled["experiment"].nunique() > 1:
        text.insert(0, "Experiment", pooled["experiment"])
    top = pooled[pooled["overall"]].drop_duplicates("experiment")
    counts = ", ".join(
        f"{kind} {rows['records'].max():,}"
        for kind, rows in table[table["kind"] != ALL_KINDS].groupby("kind", sort=False)
    )
    return Printed(
        text,
        list(pooled["source"]),
        below,
        [
            "By kind: part of the evaluation records of trained families that is accepted, at the "
            f"threshold that {FALSE_POSITIVES:.0%} of such outliers reach among the records that "
            "validate; below it AUROC and the part of the outliers that evaluate that is accepted "
            "(FP). For all kinds, with one threshold, each kind counts the same; sensitivity is "
            "the part that is accepted and named rightly, there too. Youden: the same for Youden's "
            f"point of all kinds. Means over seeds. Outliers that evaluate: {counts}.",
            f"{BEST} the method's best score by AUROC of all kinds on the records that validate, "
            "so that what evaluates chooses nothing; the best of all methods: "
            + "; ".join(f"{row['method']}, {row['score']}" for row in top.to_dict("records"))
            + ".",
        ],
    )


def _rates(values: pd.Series, form: str) -> list[str]:
    return [form.format(value) if pd.notna(value) else "–" for value in values]


def _few_digits(values: pd.Series) -> list[str]:
    return [
        "–" if pd.isna(value) else f"{value:,.0f}" if value >= 20 else f"{value:.2g}"
        for value in values
    ]


def _print_infernal(table: pd.DataFrame) -> Printed:
    text = pd.DataFrame(
        {"Method": table["method"], "Input": table["input"], "Accuracy": _three(table["accuracy"])}
    )
    notes = [
        f"Experiment {table['experiment'].iloc[0]}. RNAs a second from their sequences on, folding "
        f"counted; × is the multiple of Infernal's on as many cores. {_SEEDS}"
    ]
    if "score" in table:
        text["Score"] = table["score"].fillna("–")
        text["Sensitivity"] = _three(table["sensitivity"])
        text["False positives"] = _three(table["false positives"])
        notes.append(
            f"Sensitivity and false positives at {FALSE_POSITIVES:.0%} false positives of all "
            "kinds on the records that validate."
        )
    text["Folding"] = _rates(table["folding"], "{:.0%}")
    for cores in [str(name).split()[1] for name in table.columns if name.startswith("rate ")]:
        of = f"on {cores} core{'s' if cores != '1' else ''}"
        text[f"RNAs/s {of}"] = _few_digits(table[f"rate {cores}"])
        text[f"× Infernal {of}"] = _few_digits(table[f"ratio {cores}"])
    below = pd.DataFrame({"Accuracy": _range(table)})
    return Printed(text, list(table["source"]), below, [*notes, *partial(table)])


def _print_growth(table: pd.DataFrame) -> Printed:
    text = pd.DataFrame(
        {
            "Method": table["method"],
            "Families": table["families"].astype(str),
            "Cores": table["cores"].astype(str),
            "RNAs": table["sequences"].astype(str),
            "Seconds for an RNA": _rates(table["seconds each"], "{:.2g}"),
        }
    )
    return Printed(text, [""] * len(text), notes=["From the sequences on, folding counted."])


_PRINT = {
    "accuracy": _print_accuracy,
    "sizes": _print_sizes,
    "rejection": _print_rejection,
    "infernal": _print_infernal,
    "growth": _print_growth,
}
_WORDS = ("Experiment", "Method", "Input", "Score", "Outliers")


def printed(name: str, table: pd.DataFrame) -> Printed:
    """A table as readers see it; `name` is a key of `TITLES`."""
    return _PRINT[name](table)


def html_rows(shown: Printed) -> dict[str, Sequence[object]]:
    """What the template's table macro takes."""
    rows: list[tuple[str, list[object]]] = []
    for place, (kind, texts) in enumerate(
        zip(shown.kinds, shown.text.itertuples(index=False, name=None), strict=True)
    ):
        cells = [
            Cell(text, shown.below[name].iloc[place], text.split()[0].replace(",", ""))
            if name in shown.below
            else text
            for name, text in zip(shown.text.columns, texts, strict=True)
        ]
        rows.append((kind.replace(" ", "-"), cells))
    return {"header": list(shown.text.columns), "rows": rows, "notes": shown.notes}


def _in_brackets(shown: Printed) -> pd.DataFrame:
    text = shown.text.copy()
    for name in shown.below:
        ends = [f" ({of})" if of else "" for of in shown.below[name]]
        text[name] = [cell + end for cell, end in zip(text[name], ends, strict=True)]
    return text


def to_text(name: str, table: pd.DataFrame, kind: str) -> str:
    """A table as csv, md, html or tex.

    Raises
    ------
    InputError
        If no format is called so.
    """
    if kind == "csv":
        return to_csv(table)
    shown, title = printed(name, table), TITLES[name]
    match kind:
        case "md":
            return "\n\n".join([f"**{title}**", markdown_table(_in_brackets(shown)), *shown.notes])
        case "tex":
            text = _in_brackets(shown)
            numbers = [of.split()[0] for of in text.columns if of not in _WORDS]
            return latex_table(text, " ".join([f"{title}.", *shown.notes]), numbers)
        case "html":
            return templates.get_template("table.html.j2").render(
                **page_parts(), title=title, table=html_rows(shown)
            )
        case _:
            raise InputError(f"{name}: no table format is called {kind!r}")


def write(name: str, table: pd.DataFrame, path: str | Path) -> None:
    """Write a table in the format of the file name: csv, md, html or tex."""
    text = to_text(name, table, Path(path).suffix[1:])
    write_text(path, text.rstrip("\n") + "\n")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table's CSV as it was before it was written."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    words = table.select_dtypes(exclude=["number", "bool"]).columns
    return table.assign(**{name: table[name].fillna("") for name in words})
