"""Published results and ours side by side, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, cast

import jinja2
import pandas as pd

from mirpair.audit import FEATURES
from mirpair.files import InputError, read_tsv, write_text
from mirpair.metrics import METRICS, RANKING
from mirpair.recipes import MODELS, RECIPES

PUBLISHED, OURS, FEATURE = "published", "this run", "one feature"

templates = jinja2.Environment(
    loader=jinja2.PackageLoader("mirpair"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def counts_table(
    records: Mapping[str, pd.DataFrame], published: str | Path | None = None
) -> pd.DataFrame:
    """Number of records of either class in each set (Table 1 of Do et al. 2018).

    Parameters
    ----------
    records
        Records by name of their set.
    published
        TSV with columns dataset, positives, negatives.

    Returns
    -------
    DataFrame
        Columns dataset, source, positives, negatives, shortest, mean length, longest (nt).
    """
    stated = (
        read_tsv(published, {"dataset": "str", "positives": "int64", "negatives": "int64"})
        if published
        else pd.DataFrame({"dataset": []})
    )
    rows = []
    for name, frame in records.items():
        for row in stated[stated["dataset"] == name].to_dict("records"):
            rows.append({**row, "source": PUBLISHED})
        lengths = frame["sequence"].str.len()
        rows.append(
            {
                "dataset": name,
                "source": OURS,
                "positives": int((frame["label"] == 1).sum()),
                "negatives": int((frame["label"] == 0).sum()),
                "shortest": int(lengths.min()),
                "mean length": round(float(lengths.mean()), 1),
                "longest": int(lengths.max()),
            }
        )
    table = pd.DataFrame(rows)
    whole = ["positives", "negatives", "shortest", "longest"]
    table[whole] = table[whole].astype("Int64")
    lengths_of = ["shortest", "mean length", "longest"]
    return table[["dataset", "source", "positives", "negatives", *lengths_of]]


def read_published(path: str | Path) -> pd.DataFrame:
    """Published rows of a table of results: method, protocol and the seven metrics."""
    return read_tsv(path, {"method": "str", "protocol": "str", **dict.fromkeys(METRICS, "float64")})


def results_table(
    rows: Mapping[str, str],
    runs: pd.DataFrame,
    folds: Mapping[str, int],
    shortcuts: pd.DataFrame,
    published: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """A table of results: published rows, ours below each that it reproduces, single features.

    Parameters
    ----------
    rows
        Protocol (CV, test) to experiment.
    runs
        A row for each training: group (the experiment, its folds together), number of the fold,
        model, recipe, seed, epochs and the seven metrics; number 0 where there are no folds.
    folds
        Number of folds of each experiment; 0 if it has none.
    shortcuts
        Columns group, feature, AUROC, AUPR: a row for each fold.
    published
        Result of `read_published`.

    Returns
    -------
    DataFrame
        Columns method, protocol, source, the seven metrics, note. A row over folds is the mean
        of their metrics (as in the paper), seeds averaged first.
    """
    lines: list[dict[Any, Any]] = []
    for protocol, group in rows.items():
        ours = _our_rows(runs[runs["group"] == group], folds[group], protocol)
        if published is not None:
            stated = published[published["protocol"] == protocol]
            if stated.empty:
                raise InputError(
                    f"the published table has no rows with the protocol {protocol!r}; it has "
                    f"{', '.join(sorted(set(published['protocol'])))}"
                )
            for line in stated.to_dict("records"):
                lines.append({**line, "source": PUBLISHED, "note": ""})
                lines += [row for row in ours if row["method"] == line["method"]]
                ours = [row for row in ours if row["method"] != line["method"]]
        lines += ours
        lines += _feature_rows(shortcuts[shortcuts["group"] == group], protocol)
    return pd.DataFrame(lines)[["method", "protocol", "source", *METRICS, "note"]]


def _our_rows(runs: pd.DataFrame, folds: int, protocol: str) -> list[dict[Any, Any]]:
    lines = []
    for kind, trained in runs.groupby(["model", "recipe", "epochs"], sort=False):
        model, recipe, epochs = cast(tuple[str, str, int], kind)
        by_fold = trained.groupby("number")[list(METRICS)].mean()
        lines.append(
            {
                "method": MODELS[model].label,
                "protocol": protocol,
                "source": OURS,
                # A metric that is undefined in one fold is undefined in their mean.
                **by_fold.mean(skipna=False).to_dict(),
                "note": _note(recipe, epochs, trained, folds),
            }
        )
    order = [model.label for model in MODELS.values()]
    return sorted(lines, key=lambda line: order.index(line["method"]))


def _note(recipe: str, epochs: int, trained: pd.DataFrame, folds: int) -> str:
    """How a row of ours was made, and plainly how it falls short of its recipe."""
    usual = RECIPES[recipe].epochs
    parts = [f"recipe {recipe}"]
    parts.append(f"{epochs} epochs" if epochs == usual else f"only {epochs} of {usual} epochs")
    present = sorted(set(trained["number"]))
    if folds and len(present) < folds:
        parts.append(f"only fold {', '.join(map(str, present))} of {folds}")
    elif folds:
        parts.append(f"{folds} folds")
    seeds = trained["seed"].nunique()
    if seeds > 1:
        parts.append(f"{seeds} seeds")
    return ", ".join(parts)


def falls_short(note: str) -> bool:
    """Whether a row's note says that it had fewer epochs or folds than its recipe."""
    return "only " in note


def _feature_rows(shortcuts: pd.DataFrame, protocol: str) -> list[dict[Any, Any]]:
    means = shortcuts.groupby("feature")[list(RANKING)].mean()
    return [
        {
            "method": f"{FEATURES[feature]} alone",
            "protocol": protocol,
            "source": FEATURE,
            **means.loc[feature].to_dict(),
            "note": "no network",
        }
        for feature in FEATURES
        if feature in means.index
    ]


def formatted(table: pd.DataFrame) -> pd.DataFrame:
    """The table as text: three decimals, – where there is no value, protocol in the method."""
    shown = table.copy()
    if "protocol" in shown:
        shown["method"] = shown["method"] + " (" + shown.pop("protocol") + ")"
    for name in shown.columns:
        if name in METRICS:
            shown[name] = [f"{value:.3f}" if pd.notna(value) else "–" for value in table[name]]
        else:
            shown[name] = [str(value) if pd.notna(value) else "–" for value in shown[name]]
    return shown.rename(columns=lambda name: name if name in METRICS else name.capitalize())


def to_csv(table: pd.DataFrame) -> str:
    """CSV with six decimals, empty where there is no value."""
    return table.to_csv(index=False, lineterminator="\n", float_format="%.6f")


def to_markdown(table: pd.DataFrame, title: str) -> str:
    """Markdown, one table under its title."""
    shown = formatted(table).map(lambda text: text.replace("|", "\\|"))
    return f"**{title}**\n\n{shown.to_markdown(index=False, disable_numparse=True)}\n"


def to_latex(table: pd.DataFrame, title: str) -> str:
    """A LaTeX table environment; needs the package booktabs."""
    numbers = [name for name in formatted(table).columns if name in METRICS]
    shown = formatted(table).replace({"–": "--"})
    align = "".join("r" if name in numbers else "l" for name in shown.columns)
    style = shown.style.hide(axis="index").format(escape="latex")
    style = style.format_index(escape="latex", axis="columns")
    text: str = style.to_latex(
        hrules=True, column_format=align, caption=_latex_text(title), position_float="centering"
    )
    return text


def _latex_text(text: str) -> str:
    special: dict[str, str | int | None] = {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return text.translate(str.maketrans(special))


def to_html(table: pd.DataFrame, title: str) -> str:
    """A page of its own with one table."""
    return templates.get_template("table.html.j2").render(
        title=title, table=html_rows(table), style=stylesheet()
    )


def html_rows(table: pd.DataFrame) -> dict[str, Sequence[object]]:
    """What the template's table macro takes: header, and class and cells of each row."""
    shown = formatted(table)
    classes = [str(source).replace(" ", "-") for source in table["source"]]
    return {
        "header": list(shown.columns),
        "rows": list(zip(classes, shown.to_numpy().tolist(), strict=True)),
    }


def stylesheet() -> str:
    """The CSS of all pages."""
    return resources.files("mirpair").joinpath("templates/style.css").read_text("utf-8")


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
