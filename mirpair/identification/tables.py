"""Published results and ours side by side, for people and for programs."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, cast

import jinja2
import pandas as pd
from markupsafe import Markup

from mirpair.contracts import BASELINES, FEATURES, METRICS, NEAR
from mirpair.files import InputError, write_text

_DOUBTFUL = ["positives that are negatives too", "known negatives"]
_COUNTED = ["positives", "negatives", "shortest", "longest", *_DOUBTFUL]
_OF_REFERENCE = ["known negatives", "family known", "relative in training"]
PUBLISHED, OURS, BASELINE = "published", "this run", "baseline"
INSIDE, ABOVE, BELOW = "inside", "above", "below"
MARKS = {INSIDE: "✓", ABOVE: "▲", BELOW: "▼"}
SHOWN = ("F-score", "AUROC", "AUPR")
# Identity to the nearest training record; a part of one has 1.
BANDS = {
    "identity 0.95–1": (0.95, 1.01),
    "identity 0.90–0.95": (0.90, 0.95),
    "identity 0.80–0.90": (0.80, 0.90),
}
# Columns of a table of results that are for programs; readers have them in method and note.
_APART = ["model", "recipe", "reproduces", "whole"]

templates = jinja2.Environment(
    loader=jinja2.PackageLoader("mirpair", "pages/templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


_CLEANED = (
    "all: every evaluation record of the split; labels cleaned: without those whose sequence "
    "stands in both classes and negatives that are known hairpins; cleaned: without near-copies of "
    f"training records too (identical, or an identity of at least {NEAR}). The predictions are the "
    "same, and negatives are weighed so that the classes keep their ratio."
)


def counts_table(
    features: Mapping[str, pd.DataFrame],
    published: pd.DataFrame | None = None,
    *,
    has_hairpins: bool = True,
) -> pd.DataFrame:
    """Number of records of either class in each set (Table 1 of Do et al. 2018).

    Parameters
    ----------
    features
        Result of `mirpair.identification.audit.describe` by name of the set.
    published
        Result of `mirpair.contracts.read_published_counts`.
    has_hairpins
        Whether there was a reference of known hairpins.

    Returns
    -------
    DataFrame
        Columns dataset, source, positives, negatives, shortest, mean length, longest (nt),
        positives that are negatives too (their sequence is), and known negatives (those that are
        exactly a known hairpin; missing without a reference).
    """
    rows = []
    for name, frame in features.items():
        if published is not None:
            stated = published[published["dataset"] == name].to_dict("records")
            rows += [{**row, "source": PUBLISHED} for row in stated]
        lengths, negative, hairpin = frame["length"], frame["label"] == 0, frame["hairpin"] != ""
        rows.append(
            {
                "dataset": name,
                "source": OURS,
                "positives": int((frame["label"] == 1).sum()),
                "negatives": int((frame["label"] == 0).sum()),
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
    """Tables below each other, with what is known of each as further columns."""
    return pd.concat(
        [table.assign(**origin) for table, origin in zip(tables, origins, strict=True)],
        ignore_index=True,
    )


def results_table(
    rows: Mapping[str, str],
    summary: pd.DataFrame,
    runs: pd.DataFrame,
    folds: Mapping[str, int],
    published: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """A table of results: published rows, ours below each that it reproduces, then baselines.

    Parameters
    ----------
    rows
        Protocol (CV, test) to experiment.
    summary
        Result of `mirpair.identification.metrics.summarise` for one subset of the records, with a
        column group (the experiment, its folds together). Methods without a recipe are baselines.
    runs
        Descriptions of the trainings (`mirpair.study.plan.described_runs`): group, model, recipe,
        epochs, label, published (name of the row that it reproduces among the published ones, or
        empty), and usual (epochs of its recipe).
    folds
        Number of folds of each experiment; 0 if it has none.
    published
        Result of `mirpair.contracts.read_published_results`.

    Returns
    -------
    DataFrame
        Columns method, protocol, source, the seven metrics, note, and for programs: model, recipe,
        reproduces (method of the published row that it stands beside, or empty), whole (False
        for a row of ours with fewer epochs or folds than its recipe and experiment have), for
        each metric ``<metric> low`` and ``<metric> high``, our 95 % interval, and ``<metric>
        agrees``: inside if the published value is in that interval, else whether ours is above or
        below it; empty where nothing can be said, as of rows that are not whole.
    """
    lines: list[dict[Any, Any]] = []
    known = _by_method(runs)
    for protocol, group in rows.items():
        of_group = summary[summary["group"] == group].to_dict("records")
        ours = [
            _our_row(row, known[group, row["model"], row["recipe"], row["epochs"]], folds[group])
            for row in of_group
            if row["recipe"]
        ]
        if published is not None:
            stated = published[published["protocol"] == protocol]
            for line in stated.to_dict("records"):
                lines.append({**line, "source": PUBLISHED, "whole": True})
                same = [row for row in ours if row["reproduces"] == line["method"]]
                lines += [{**row, "protocol": protocol, **_agreement(row, line)} for row in same]
                ours = [row for row in ours if row["reproduces"] != line["method"]]
        lines += [{**row, "protocol": protocol} for row in ours]
        lines += [
            {
                **row,
                "method": BASELINES[row["model"]],
                "protocol": protocol,
                "source": BASELINE,
                "note": "no network" + (f", {folds[group]} folds" if folds[group] else ""),
                "whole": len(str(row["folds"]).split()) >= folds[group],
            }
            for row in of_group
            if not row["recipe"]
        ]
    limits = [f"{metric} {end}" for metric in METRICS for end in ("low", "high")]
    agrees = [f"{metric} agrees" for metric in METRICS]
    columns = ["method", "protocol", "source", *METRICS, "note", *_APART, *limits, *agrees]
    table = pd.DataFrame(lines, columns=columns)
    words = ["model", "recipe", "reproduces", *agrees]
    table[words] = table[words].astype(object).fillna("")
    return table


def _by_method(runs: pd.DataFrame) -> dict[tuple[Any, ...], dict[Any, Any]]:
    keys = runs[["group", "model", "recipe", "epochs"]].itertuples(index=False, name=None)
    return dict(zip(keys, runs.to_dict("records"), strict=True))


def _our_row(row: Mapping[Any, Any], run: Mapping[Any, Any], folds: int) -> dict[Any, Any]:
    present = str(row["folds"]).split()
    parts = [f"recipe {row['recipe']}"]
    epochs, usual = row["epochs"], run["usual"]
    if epochs < usual:
        parts.append(f"only {epochs} of {usual} epochs")
    else:
        parts.append(f"{epochs} epochs" + (f" instead of {usual}" if epochs > usual else ""))
    if len(present) < folds:
        parts.append(f"only fold {', '.join(present)} of {folds}")
    elif folds:
        parts.append(f"{folds} folds")
    if row["seeds"] > 1:
        parts.append(f"{row['seeds']} seeds")
    return {
        **row,
        "method": run["label"],
        "source": OURS,
        "note": ", ".join(parts),
        "reproduces": run["published"],
        "whole": epochs >= usual and len(present) >= folds,
    }


def _agreement(ours: Mapping[Any, Any], published: Mapping[Any, Any]) -> dict[str, str]:
    """Whether each published metric lies in our interval, of a row that was trained in full."""
    found = {}
    for metric in METRICS:
        low, high, stated = ours[f"{metric} low"], ours[f"{metric} high"], published[metric]
        if not ours["whole"] or any(map(math.isnan, (low, high, stated))):
            continue
        # Published values have three decimals, so 0.9854 agrees with an interval up to 0.985.
        low, high = round(low, 3), round(high, 3)
        inside = low <= stated <= high
        found[f"{metric} agrees"] = INSIDE if inside else ABOVE if low > stated else BELOW
    return found


def agreement(table: pd.DataFrame, metrics: Sequence[str] = METRICS) -> pd.DataFrame:
    """In how many cells of each recipe the published value lies in our interval.

    Parameters
    ----------
    table
        Result of `results_table`, or several below each other.
    metrics
        Which columns count.

    Returns
    -------
    DataFrame
        A row for each recipe, in their order: inside, above, below (ours is), cells.
    """
    ours = table[table["source"] == OURS]
    marks = ours.melt("recipe", [f"{metric} agrees" for metric in metrics], value_name="agrees")
    marks = marks[marks["agrees"] != ""]
    kinds = [INSIDE, ABOVE, BELOW]
    order = ours["recipe"].drop_duplicates()
    counts = pd.crosstab(marks["recipe"], marks["agrees"]).reindex(
        index=order, columns=kinds, fill_value=0
    )
    return counts.assign(cells=counts.sum(axis=1))


def notes(table: pd.DataFrame) -> list[str]:
    """Sentences that stand below a table of results: what its marks mean, and their count."""
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
    """The table as text: three decimals and a mark, – for no value, protocol in the method."""
    shown = pd.DataFrame(index=table.index)
    for name in table.columns:
        metric = name.split()[0] in (*METRICS, "loss")
        if name in _APART or (metric and name.endswith((" low", " high", " agrees"))):
            continue
        if name == "source" and table[name].nunique() == 1:
            continue  # it says nothing
        if metric:
            marks = table.get(f"{name} agrees", pd.Series("", table.index)).map(MARKS).fillna("")
            shown[name] = [
                f"{value:.3f} {mark}".strip() if pd.notna(value) else "–"
                for value, mark in zip(table[name], marks, strict=True)
            ]
        else:
            shown[name] = [str(value) if pd.notna(value) else "–" for value in table[name]]
    if "protocol" in shown:
        shown["method"] = shown["method"] + " (" + shown.pop("protocol") + ")"
    kept = (*METRICS, "loss")
    return shown.rename(
        columns=lambda name: name if name.split()[0] in kept else name[0].upper() + name[1:]
    )


def limits(table: pd.DataFrame) -> pd.DataFrame | None:
    """The 95 % intervals of a table of results as text, None if it has none."""
    if "AUROC low" not in table:
        return None
    rows = table[table[[f"{metric} low" for metric in METRICS]].notna().any(axis=1)]
    if rows.empty:
        return None
    names = rows["method"] + " (" + rows["protocol"] + ")"
    ranges = {metric: _ranges(rows, metric) for metric in METRICS}
    return pd.DataFrame({"95 % interval": names, **ranges})


def cleaned_table(
    summary: pd.DataFrame, runs: pd.DataFrame, folds: Mapping[str, int]
) -> pd.DataFrame:
    """The same predictions on all evaluation records and on the cleaned ones.

    Parameters
    ----------
    summary
        As `results_table` takes it, with all subsets.
    runs, folds
        As `results_table` takes them.

    Returns
    -------
    DataFrame
        A row for each method and experiment: method, protocol (the experiment), source, for
        F-score, AUROC and AUPR a column for each subset, with low and high of its interval, note
        (if there is one that is not whole) and whole.
    """
    known = _by_method(runs)
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in summary.to_dict("records"):
        key = (row["group"], row["model"], row["recipe"], row["epochs"])
        if key not in lines:
            line = {"method": BASELINES.get(row["model"]), "source": BASELINE, "whole": True}
            if row["recipe"]:
                line = _our_row(row, known[key], folds[row["group"]])
            of_line = ("method", "source", "note", "whole")
            lines[key] = {**{name: line.get(name, "") for name in of_line}, "protocol": key[0]}
        for metric in SHOWN:
            lines[key][f"{metric} {row['subset']}"] = row[metric]
            for end in ("low", "high"):
                lines[key][f"{metric} {row['subset']} {end}"] = row[f"{metric} {end}"]
    columns = [f"{m} {s}" for m in SHOWN for s in dict.fromkeys(summary["subset"])]
    ends = [f"{name} {end}" for name in columns for end in ("low", "high")]
    table = pd.DataFrame(list(lines.values()))
    note = [] if table["whole"].all() else ["note"]
    return table[["method", "protocol", "source", *columns, *note, *ends, "whole"]]


def _best_epoch(history: pd.DataFrame) -> int:
    """The epoch with the lowest loss of the evaluation records; the last if there is no loss."""
    loss = history["evaluate loss"]
    return cast(int, loss.idxmin() if loss.notna().any() else history.index[-1])


def epochs_table(
    histories: Sequence[pd.DataFrame],
    runs: Sequence[Mapping[str, Any]],
    validation: Mapping[str, str],
) -> pd.DataFrame:
    """The last epoch, which is the result, beside the best one by validation loss.

    In a cross-validation the best epoch of each fold is that with the lowest loss of its own
    validation records, so its metrics there are too good. An experiment without folds has the
    median of the best epochs of the folds on its training set: its own evaluation records choose
    nothing.

    Parameters
    ----------
    histories
        Of each training, as `mirpair.identification.metrics.history` makes them.
    runs
        Of each training: group, number, model, recipe, seed, epochs, label.
    validation
        Experiment to the experiment with folds that chooses its epoch; itself if it has folds. Only
        trainings of the same network, recipe and number of epochs choose.

    Returns
    -------
    DataFrame
        Columns method, protocol (the experiment), source, last epoch, best epoch (of each fold
        and seed), and loss, F-score, AUROC and AUPR of the evaluation records after either.
    """
    by_epoch = [history.set_index("epoch") for history in histories]
    trained = pd.DataFrame(list(runs)).assign(best=[_best_epoch(history) for history in by_epoch])
    medians = trained.groupby(["group", "model", "recipe", "epochs"])["best"].median().to_dict()
    lines = []
    for kind, rows in trained.groupby(["group", "model", "recipe", "epochs"], sort=False):
        group, model, recipe, epochs = cast(tuple[str, str, str, int], kind)
        chooser = validation.get(group)
        if chooser == group:
            chosen = rows["best"].tolist()
        else:
            median = medians.get((chooser, model, recipe, epochs))
            chosen = [] if median is None else [round(median)] * len(rows)
        told = chosen if chooser == group else chosen[:1]
        line = {
            "method": rows["label"].iloc[0],
            "protocol": group,
            "source": OURS,
            "last epoch": epochs,
            "best epoch": ", ".join(map(str, told)) or "–",
        }
        for metric in ("loss", *SHOWN):
            for name, at in (("last", [epochs] * len(rows)), ("best", chosen)):
                values = [
                    by_epoch[place].loc[epoch, f"evaluate {metric}"]
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
    """What the evaluation records of every experiment are worth, its folds together.

    Parameters
    ----------
    records
        A row for each evaluation record as `mirpair.contracts.read_audit` has them, with a column
        group.
    subsets
        Row by row the same records: a column of booleans for each subset
        (`mirpair.identification.metrics.subsets`).
    shortcuts
        Columns group, feature, AUROC: a row for each fold and feature
        (`mirpair.identification.audit.shortcuts`).
    has_hairpins, has_families
        Whether there were references of either.

    Returns
    -------
    DataFrame
        Columns experiment, source, and numbers of evaluation records: positives, negatives, in
        both classes (the same sequence stands in the other class), known negatives (those that are
        exactly a known hairpin), in training (the same sequence), those near one by bands of
        identity, positives whose family is known, those of them with a relative in training,
        positives and negatives left after all cleaning; and the AUROC of each single feature.
        What takes a reference is missing where there is none.
    """
    alone = shortcuts.groupby(["group", "feature"])["AUROC"].mean()
    lines = []
    for group, rows in records.assign(left=subsets["cleaned"].to_numpy()).groupby(
        "group", sort=False
    ):
        positive, copy = rows["label"] == 1, rows["in_training"] == 1
        line: dict[str, Any] = {
            "experiment": group,
            "source": OURS,
            "positives": int(positive.sum()),
            "negatives": int((~positive).sum()),
            "in both classes": int(rows["contradictory"].sum()),
            "known negatives": int((~positive & (rows["hairpin"] != "")).sum())
            if has_hairpins
            else None,
            "in training": int(copy.sum()),
        }
        for name, (low, high) in BANDS.items():
            within = (rows["identity"] >= low) & (rows["identity"] < high)
            line[name] = int((within & ~copy).sum())
        known = rows.loc[positive, "relative"].dropna()
        line["family known"] = len(known) if has_families else None
        line["relative in training"] = int(known.sum()) if has_families else None
        line["positives left"] = int((positive & rows["left"]).sum())
        line["negatives left"] = int((~positive & rows["left"]).sum())
        line |= {f"AUROC of {of}": alone[group, name] for name, of in FEATURES.items()}
        lines.append(line)
    table = pd.DataFrame(lines)
    table[_OF_REFERENCE] = table[_OF_REFERENCE].astype("Int64")
    return table


def _ranges(table: pd.DataFrame, metric: str) -> list[str]:
    ends = zip(table[f"{metric} low"], table[f"{metric} high"], strict=True)
    return [f"{low:.3f}–{high:.3f}" if pd.notna(low) else "–" for low, high in ends]


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table's CSV as it was before it was written."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    words = [
        name
        for name in map(str, table.columns)
        if name in ("note", "model", "recipe", "reproduces") or name.endswith(" agrees")
    ]
    table[words] = table[words].astype(object).fillna("")
    whole = [name for name in table if name in (*_COUNTED, *_OF_REFERENCE)]
    table[whole] = table[whole].astype("Int64")
    return table


def to_csv(table: pd.DataFrame) -> str:
    """CSV with six decimals, empty where there is no value."""
    return table.to_csv(index=False, lineterminator="\n", float_format="%.6f")


def to_markdown(table: pd.DataFrame, title: str) -> str:
    """Markdown: one table under its title, its notes, and its intervals if it has any."""
    shown, ranges = formatted(table), limits(table)
    further = [] if ranges is None else [markdown_table(ranges)]
    return "\n\n".join([f"**{title}**", markdown_table(shown), *notes(table), *further]) + "\n"


def markdown_table(shown: pd.DataFrame) -> str:
    """A table of text as Markdown."""
    escaped = shown.map(_escaped).rename(columns=_escaped)
    text: str = escaped.to_markdown(index=False, disable_numparse=True)
    return text


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def to_latex(table: pd.DataFrame, title: str) -> str:
    """LaTeX table environments, the intervals in one of their own; needs the package booktabs."""
    caption = " ".join([f"{title.rstrip('.')}.", *notes(table)])
    texts = [latex_table(formatted(table), caption, METRICS)]
    if (ranges := limits(table)) is not None:
        texts.append(latex_table(ranges, f"{title}: 95 % intervals", METRICS))
    return "\n".join(texts)


def latex_table(shown: pd.DataFrame, caption: str, numbers: Collection[str]) -> str:
    """A table of text as LaTeX; columns whose first word is in `numbers` stand to the right."""
    align = "".join("r" if name.split()[0] in numbers else "l" for name in shown.columns)
    shown = shown.map(_latex_text).rename(columns=_latex_text)
    text: str = shown.style.hide(axis="index").to_latex(
        hrules=True, column_format=align, caption=_latex_text(caption), position_float="centering"
    )
    return text


def _latex_text(text: str) -> str:
    special: dict[str, str | int | None] = {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "|": r"\textbar{}",
        "–": "--",
        MARKS[INSIDE]: r"$\in$",
        MARKS[ABOVE]: r"$\uparrow$",
        MARKS[BELOW]: r"$\downarrow$",
        "★": r"$\star$",
        "×": r"$\times$",
        "≥": r"$\geq$",
    }
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return text.translate(str.maketrans(special))


def to_html(table: pd.DataFrame, title: str) -> str:
    """A page of its own with one table."""
    return templates.get_template("table.html.j2").render(
        **page_parts(), title=title, table=html_rows(table)
    )


class Cell(NamedTuple):
    """A cell of a page's table: its text, what stands smaller below it, what it is sorted by."""

    text: str
    below: str
    order: str


def cells(table: pd.DataFrame, metric: str, column: str | None = None) -> list[Cell]:
    """A metric with its mark and, below it, its interval; `column` has it if not `metric` does."""
    values = table[column or metric]
    texts = [f"{value:.3f}" if pd.notna(value) else "–" for value in values]
    marks = table[f"{metric} agrees"].map(MARKS).fillna("")
    return [
        Cell(f"{text} {mark}".strip(), "" if interval == "–" else interval, text)
        for text, mark, interval in zip(texts, marks, _ranges(table, metric), strict=True)
    ]


def html_rows(table: pd.DataFrame) -> dict[str, Sequence[object]]:
    """What the template's table macro takes: header, class and cells of each row, notes."""
    shown = formatted(table).astype(object)
    if "AUROC low" in table:
        for metric in METRICS:
            shown[metric] = cells(table, metric)
    several = table["source"].nunique() > 1
    classes = [str(of).replace(" ", "-") if several else "" for of in table["source"]]
    rows = [list(row) for row in shown.itertuples(index=False, name=None)]
    return {
        "header": list(shown.columns),
        "rows": list(zip(classes, rows, strict=True)),
        "notes": notes(table),
    }


def page_parts() -> dict[str, Markup]:
    """What every page has: its style, its script, and the policy that lets nothing else run."""
    folder = resources.files("mirpair").joinpath("pages", "templates")
    style, script = (folder.joinpath(n).read_text("utf-8") for n in ("style.css", "sort.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        "style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'"
    )
    return {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}


def write(table: pd.DataFrame, title: str, path: str | Path) -> None:
    """Write a table in the format of the file name: csv, md, html or tex."""
    match Path(path).suffix:
        case ".csv":
            write_text(path, to_csv(table))
        case ".md":
            write_text(path, to_markdown(table, title))
        case ".html":
            write_text(path, to_html(table, title))
        case ".tex":
            write_text(path, to_latex(table, title))
        case other:
            raise InputError(f"{path}: no table format is called {other!r}")
