"""Build the tables of an identification study, and prepare them for readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd

from mirpair.contracts import (
    BASELINE_RUN,
    FEATURES,
    METRICS,
    VALIDATE,
    read_audit,
    read_cutting,
    read_features,
    read_kinds,
    read_published_counts,
    read_published_results,
    read_summary,
)
from mirpair.files import read_any_tsv
from mirpair.identification.comparison import (
    ABOVE,
    BELOW,
    FOR_PROGRAMS,
    INSIDE,
    SHOWN,
    agreement,
    cleaned_table,
    results_table,
    seeds_table,
)
from mirpair.identification.kind_tables import printable_cutting, printable_kinds
from mirpair.identification.metrics import choosers, held_out_role, subsets
from mirpair.pages.printing import (
    ABOVE_MARK,
    BASELINE,
    BELOW_MARK,
    INSIDE_MARK,
    MISSING,
    OURS,
    PUBLISHED,
    Printable,
    decimals,
    ranges,
)
from mirpair.settings import NEAR

_DOUBTFUL = ["positives that are negatives too", "known negatives"]
_COUNTED = ["positives", "negatives", "shortest", "longest", *_DOUBTFUL]
_OF_REFERENCE = ["known negatives", "family known", "relative in training"]
MARKS = {INSIDE: INSIDE_MARK, ABOVE: ABOVE_MARK, BELOW: BELOW_MARK}
# Identity to the nearest training record. A record that is a part of another has identity 1.
IDENTITY_BANDS = {
    "identity 0.95–1": (0.95, 1.01),
    "identity 0.90–0.95": (0.90, 0.95),
    "identity 0.80–0.90": (0.80, 0.90),
}
_CLEANED = (
    "all: every evaluation record of the split; labels cleaned: without sequences that occur in "
    "both classes and without negatives that are known hairpins; cleaned: also without near-copies "
    f"of training records (identical, or an identity of at least {NEAR}). The predictions are the "
    "same. Negatives are weighted so that the ratio of the classes stays the same."
)


_OF_SEEDS = (
    "Each value is the mean of our seeds minus the published value, divided by the standard "
    "deviation of the seeds. {inside} another seed of ours would be this far away in more than 5 % "
    "of cases: {limits}. {above} ours are above the published value, {below} below. So few seeds "
    "say little about their own variation."
)


def counts_table(
    features: Mapping[str, pd.DataFrame],
    published: pd.DataFrame | None = None,
    *,
    has_hairpins: bool = True,
) -> pd.DataFrame:
    """Count the records of each class in each set (Table 1 of Do et al. 2018).

    Parameters
    ----------
    features, published
        Result of `mirpair.identification.audit.describe` by name of the set, and of
        `mirpair.contracts.read_published_counts`.
    has_hairpins
        Whether the study has a reference of known hairpins.

    Returns
    -------
    DataFrame
        Columns dataset, source, positives, negatives, shortest, mean length, longest (nt),
        positives that are negatives too (by their sequence), and known negatives (those identical
        to a known hairpin; missing without a reference).
    """
    rows = []
    for name, frame in features.items():
        if published is not None:
            of_set = published[published["dataset"] == name].to_dict("records")
            rows += [{**row, "source": PUBLISHED} for row in of_set]
        lengths, negative, hairpin = frame["length"], frame["label"] == 0, frame["hairpin"] != ""
        rows.append(
            {
                "dataset": name,
                "source": OURS,
                "positives": int((~negative).sum()),
                "negatives": int(negative.sum()),
                "shortest": int(lengths.min()),
                "mean length": round(float(lengths.mean()), 1),
                "longest": int(lengths.max()),
                _DOUBTFUL[0]: int(frame.loc[~negative, "contradictory"].sum()),
                "known negatives": int((hairpin & negative).sum()) if has_hairpins else None,
            }
        )
    table = pd.DataFrame(rows)
    table[_COUNTED] = table[_COUNTED].astype("Int64")
    lengths_of = ["shortest", "mean length", "longest"]
    return table[["dataset", "source", "positives", "negatives", *lengths_of, *_DOUBTFUL]]


def gather(tables: Iterable[pd.DataFrame], origins: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Concatenate tables, and add the origin of each as columns."""
    return pd.concat(
        [table.assign(**origin) for table, origin in zip(tables, origins, strict=True)],
        ignore_index=True,
    )


def notes(table: pd.DataFrame) -> list[str]:
    """Write the sentences below a table of results: what its marks mean, and how many there are."""
    if "AUPR cleaned" in table:
        return [_CLEANED]
    if "AUROC agrees" not in table:
        return []
    counts = agreement(table).query("cells > 0")
    if counts.empty:
        return []
    return [
        f"{MARKS[INSIDE]} the published value is inside our 95 % interval, {MARKS[ABOVE]} ours is "
        f"above it, {MARKS[BELOW]} below.",
        *(
            f"Recipe {recipe}: inside in {row[INSIDE]} of {row['cells']} cells, ours above in "
            f"{row[ABOVE]}, below in {row[BELOW]}."
            for recipe, row in counts.iterrows()
        ),
    ]


def formatted(table: pd.DataFrame) -> pd.DataFrame:
    """Format a table as text: three decimals and a mark, – for no value, protocol in method."""
    shown = pd.DataFrame(index=table.index)
    for name in table.columns:
        metric = name.split()[0] in (*METRICS, "loss")
        same = name == "source" and table[name].nunique() == 1
        for_programs = metric and name.endswith((" low", " high", " sd", " agrees"))
        if same or for_programs or name in FOR_PROGRAMS:
            continue
        if metric:
            shown[name] = marked(table, name, f"{name} agrees")
        else:
            shown[name] = [str(value) if pd.notna(value) else MISSING for value in table[name]]
    if "protocol" in shown:
        shown["method"] = shown["method"] + " (" + shown.pop("protocol") + ")"
    others = [name for name in map(str, shown) if name.split()[0] not in (*METRICS, "loss")]
    return shown.rename(columns={name: name[0].upper() + name[1:] for name in others})


def marked(table: pd.DataFrame, column: str, agrees: str) -> list[str]:
    """Format a column, with the marks that the column `agrees` asks for, if there is one."""
    marks = table.get(agrees, pd.Series("", table.index)).map(MARKS).fillna("")
    pairs = zip(decimals(table[column]), marks, strict=True)
    return [f"{text} {mark}".strip() for text, mark in pairs]


def is_of_kinds(table: pd.DataFrame) -> bool:
    """Tell whether a table has results by kind of RNA."""
    return "kind of positives" in table


def printable(table: pd.DataFrame, title: str) -> Printable:
    """Prepare a table of a study for printing."""
    if is_of_kinds(table):
        return printable_kinds(table, title)
    if "cut of positives" in table:
        return printable_cutting(table, title)
    if "SE deviation" in table:
        return printable_seeds(table, title)
    text = formatted(table).astype(object)
    several = table["source"].nunique() > 1
    numbers = [name for name in text.columns if name.split()[0] in METRICS]
    with_intervals = "AUROC low" in table
    below = {m: ranges(table[f"{m} low"], table[f"{m} high"]) for m in METRICS if with_intervals}
    return Printable(
        title,
        table,
        text,
        kinds=[str(source) if several else "" for source in table["source"]],
        numbers=numbers,
        below=pd.DataFrame(below),
        intervals="95 % interval" if with_intervals else "",
        notes=notes(table),
    )


def printable_seeds(table: pd.DataFrame, title: str) -> Printable:
    """Prepare the result of `mirpair.identification.comparison.seeds_table` for printing."""
    text = pd.DataFrame(index=table.index)
    text["Method"] = table["method"] + " (" + table["protocol"] + ")"
    text["Recipe"], text["Seeds"] = table["recipe"], table["seeds"].astype(str)
    below = {}
    for metric in METRICS:
        marks = table[f"{metric} agrees"].map(MARKS).fillna("")
        shown = zip(decimals(table[f"{metric} deviation"], "{:+.1f}"), marks, strict=True)
        text[metric] = [f"{value} {mark}".strip() for value, mark in shown]
        below[metric] = [
            f"{mean:.3f} ± {sd:.3f}" if pd.notna(sd) else ""
            for mean, sd in zip(table[f"{metric} mean"], table[f"{metric} sd"], strict=True)
        ]
    agrees = table[[f"{metric} agrees" for metric in METRICS]]
    counts = [
        f"Recipe {recipe}: inside in {(cells == INSIDE).sum()} of {(cells != '').sum()} cells."
        for recipe, rows in agrees.groupby(table["recipe"], sort=False)
        for cells in [rows.to_numpy()]
    ]
    limits = ", ".join(
        f"of {seeds} seeds, up to {limit:.2f} standard deviations"
        for seeds, limit in sorted(set(zip(table["seeds"], table["limit"], strict=True)))
    )
    note = _OF_SEEDS.format(
        inside=INSIDE_MARK, above=ABOVE_MARK, below=BELOW_MARK, limits=limits or "no row has seeds"
    )
    return Printable(
        title,
        table,
        text.astype(object),
        kinds=[""] * len(table),
        numbers=METRICS,
        below=pd.DataFrame(below),
        intervals="Mean ± standard deviation of our seeds",
        notes=[note, *counts],
    )


def _best_epoch(history: pd.DataFrame) -> int:
    """Find the epoch with the lowest evaluation loss; the last one if there is no loss."""
    loss = history[f"{held_out_role(history)} loss"]
    return cast(int, loss.idxmin() if loss.notna().any() else history.index[-1])


def epochs_table(
    histories: Sequence[pd.DataFrame],
    runs: Sequence[Mapping[str, Any]],
    validation: Mapping[str, str],
) -> pd.DataFrame:
    """Compare the last epoch, which is the result, with the best one by validation loss.

    In a cross-validation, the best epoch of a fold has the lowest loss on the fold's own
    validation records, so its metrics are optimistic. So they are for an experiment that has
    validation records, all of whose values here are of these. For any other experiment without
    folds, the best epoch is the median over the folds on its training set: its own evaluation
    records do not choose it.

    Parameters
    ----------
    histories
        Result of `mirpair.identification.metrics.history` for each training.
    runs
        Group, number, model, recipe, seed, epochs and label of each training.
    validation
        Experiment to the experiment with folds that chooses its epoch; itself if it has folds. Only
        trainings with the same network, recipe and number of epochs count.

    Returns
    -------
    DataFrame
        Columns method, protocol (the experiment, and whether it has validation records), source,
        last epoch, best epoch (of each fold and seed), and loss, F-score, AUROC and AUPR of the
        held-out records after each.
    """
    by_epoch = [history.set_index("epoch") for history in histories]
    trained = pd.DataFrame(list(runs)).assign(best=[_best_epoch(history) for history in by_epoch])
    medians = trained.groupby(["group", "model", "recipe", "epochs"])["best"].median().to_dict()
    lines = []
    for kind, rows in trained.groupby(["group", "model", "recipe", "epochs"], sort=False):
        group, model, recipe, epochs = cast(tuple[str, str, str, int], kind)
        role = held_out_role(by_epoch[rows.index[0]])
        chooser = group if role == VALIDATE else validation.get(group)
        median = medians.get((chooser, model, recipe, epochs))
        chosen = [] if median is None else [round(median)] * len(rows)
        listed = chosen[:1]
        if chooser == group:
            chosen = listed = rows["best"].tolist()
        line = {
            "method": rows["label"].iloc[0],
            "protocol": f"{group}, validation records" if role == VALIDATE else group,
            "source": OURS,
            "last epoch": epochs,
            "best epoch": ", ".join(map(str, listed)) or MISSING,
        }
        for metric in ("loss", *SHOWN):
            for name, at in (("last", [epochs] * len(rows)), ("best", chosen)):
                values = [
                    by_epoch[place].loc[epoch, f"{role} {metric}"]
                    for place, epoch in zip(rows.index[: len(at)], at, strict=True)
                ]
                of_fold = pd.Series(values, dtype=float).groupby(rows["number"].tolist()[: len(at)])
                line[f"{metric} {name}"] = of_fold.mean(skipna=False).mean(skipna=False)
        lines.append(line)
    return pd.DataFrame(lines)


def audit_table(
    records: pd.DataFrame,
    subsets: pd.DataFrame,
    shortcuts: pd.DataFrame,
    *,
    has_hairpins: bool = True,
    has_families: bool = True,
) -> pd.DataFrame:
    """Summarise the audit of the evaluation records of each experiment, over all its folds.

    Parameters
    ----------
    records
        A row for each evaluation record, see `mirpair.contracts.read_audit`, with a column group.
    subsets
        Result of `mirpair.identification.metrics.subsets` for these records, row by row.
    shortcuts
        Columns group, feature, AUROC: a row for each fold and feature
        (`mirpair.identification.audit.shortcuts`).
    has_hairpins, has_families
        Whether the study has a reference of known hairpins, and of families.

    Returns
    -------
    DataFrame
        Columns experiment, source, and numbers of evaluation records: positives, negatives, in
        both classes (the same sequence occurs in the other class), known negatives (identical to
        a known hairpin), in training (the same sequence), near a training record by bands of
        identity, positives with a known family, those of them with a relative in training,
        positives and negatives left after all cleaning; and the AUROC of each single feature.
        Numbers that need a reference are missing if there is none.
    """
    auroc = shortcuts.groupby(["group", "feature"])["AUROC"].mean()
    lines = []
    for group, rows in records.assign(left=subsets["cleaned"].to_numpy()).groupby(
        "group", sort=False
    ):
        positive, copy = rows["label"] == 1, rows["in_training"] == 1
        known_negative = ~positive & (rows["hairpin"] != "")
        near = {
            name: rows["identity"].between(*band, inclusive="left") & ~copy
            for name, band in IDENTITY_BANDS.items()
        }
        known = rows.loc[positive, "relative"].dropna()
        line: dict[str, Any] = {
            "experiment": group,
            "source": OURS,
            "positives": int(positive.sum()),
            "negatives": int((~positive).sum()),
            "in both classes": int(rows["contradictory"].sum()),
            "known negatives": int(known_negative.sum()) if has_hairpins else None,
            "in training": int(copy.sum()),
            **{name: int(within.sum()) for name, within in near.items()},
            "family known": len(known) if has_families else None,
            "relative in training": int(known.sum()) if has_families else None,
            "positives left": int((positive & rows["left"]).sum()),
            "negatives left": int((~positive & rows["left"]).sum()),
            **{f"AUROC of {of}": auroc[group, name] for name, of in FEATURES.items()},
        }
        lines.append(line)
    table = pd.DataFrame(lines)
    table[_OF_REFERENCE] = table[_OF_REFERENCE].astype("Int64")
    return table


def read_table(path: str | Path) -> pd.DataFrame:
    """Read the CSV of a table, with the types that it had before it was written."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    named = ("note", "model", "recipe", "reproduces")
    texts = [name for name in map(str, table) if name in named or name.endswith(" agrees")]
    table[texts] = table[texts].astype(object).fillna("")
    counts = [name for name in table if name in (*_COUNTED, *_OF_REFERENCE)]
    table[counts] = table[counts].astype("Int64")
    return table


def make_table(
    kind: str, files: Mapping[str, Sequence[str]], options: Mapping[str, Any]
) -> pd.DataFrame:
    """Build a table of a study from the files of earlier stages.

    Parameters
    ----------
    kind, files
        Which function builds it: results, seeds, counts, cleaned, epochs, audit, kinds or cutting;
        the files that it needs of ``evaluations``, ``published``, ``features``, ``histories``,
        ``audit``, ``shortcuts``, ``measured`` and ``tables``.
    options
        Those that the kind needs of ``rows``, ``names`` (of the tables), ``groups``, ``runs``,
        ``fold_counts``, ``sets``, ``folds`` (group and number of each file of the audit),
        ``validation``, ``has_hairpins`` and ``has_families``.

    Raises
    ------
    InputError
        If a file is malformed.
    """
    match kind:
        case "counts":
            tables = map(read_features, files["features"])
            features = dict(zip(options["sets"], tables, strict=True))
            published = map(read_published_counts, files["published"])
            return counts_table(features, *published, has_hairpins=options["has_hairpins"])
        case "kinds":
            kinds = read_kinds(files["measured"][0])
            without = kinds["recipe"] == BASELINE_RUN["recipe"]
            return kinds.assign(source=without.map({True: BASELINE, False: OURS}))
        case "cutting":
            return read_cutting(files["measured"][0])
        case "seeds":
            tables = map(read_table, files["tables"])
            return seeds_table(dict(zip(options["names"], tables, strict=True)))
        case "comparison" | "cleaned":
            groups = [{"group": name} for name in options["groups"]]
            summary = gather(map(read_summary, files["evaluations"]), groups)
            runs, folds = pd.DataFrame(options["runs"]), options["fold_counts"]
            if kind == "cleaned":
                return cleaned_table(summary, runs, folds)
            of_all = summary[summary["subset"] == "all"]
            published = map(read_published_results, files["published"])
            return results_table(options["rows"], of_all, runs, folds, *published)
        case "epochs" | "audit":
            records = gather(map(read_audit, files["audit"]), options["folds"])
            if kind == "epochs":
                histories = [read_any_tsv(path) for path in files["histories"]]
                validation = choosers(options["validation"], records)
                return epochs_table(histories, options["runs"], validation)
            shortcuts = gather(map(read_any_tsv, files["shortcuts"]), options["folds"])
            references = {name: options[name] for name in ("has_hairpins", "has_families")}
            return audit_table(records, subsets(records), shortcuts, **references)
    raise ValueError(f"there is no table of the kind {kind!r}")
