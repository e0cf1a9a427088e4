"""Published results and ours side by side, for people and for programs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, cast

import jinja2
import pandas as pd
from markupsafe import Markup

from mirpair.contracts import FEATURES, METRICS, RANKING
from mirpair.files import InputError, write_text

# From this identity on an RNA counts as a near-copy.
NEAR = 0.8
_COUNTED = ["positives", "negatives", "shortest", "longest"]
PUBLISHED, OURS, FEATURE = "published", "this run", "one feature"
# Columns of a table of results that are for programs; readers have them in method and note.
_APART = ["model", "recipe", "reproduces", "whole"]

templates = jinja2.Environment(
    loader=jinja2.PackageLoader("mirpair"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def counts_table(
    records: Mapping[str, pd.DataFrame], published: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Number of records of either class in each set (Table 1 of Do et al. 2018).

    Parameters
    ----------
    records
        Records by name of their set.
    published
        Result of `mirpair.contracts.read_published_counts`.

    Returns
    -------
    DataFrame
        Columns dataset, source, positives, negatives, shortest, mean length, longest (nt).
    """
    rows = []
    for name, frame in records.items():
        if published is not None:
            stated = published[published["dataset"] == name].to_dict("records")
            rows += [{**row, "source": PUBLISHED} for row in stated]
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
    table[_COUNTED] = table[_COUNTED].astype("Int64")
    lengths_of = ["shortest", "mean length", "longest"]
    return table[["dataset", "source", "positives", "negatives", *lengths_of]]


def audit_table(audits: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What the audit found among the evaluation records of each experiment, counted.

    Parameters
    ----------
    audits
        Results of `mirpair.contracts.read_audit` by name of the experiment.

    Returns
    -------
    DataFrame
        A row for each experiment. All but the name are numbers of evaluation records: experiment;
        evaluated; in training (a training record has the same sequence); near copies (one is
        identical to at least `NEAR`, or the same); contradictory (the same sequence stands in the
        other class too); known negatives (negatives that are known hairpins); in a family;
        relative in training (those with a training positive of their family).
    """
    return pd.DataFrame(
        {
            "experiment": name,
            "evaluated": len(audit),
            "in training": int(audit["in_training"].sum()),
            "near copies": int((audit["identity"] >= NEAR).sum()),
            "contradictory": int(audit["contradictory"].sum()),
            "known negatives": int(((audit["label"] == 0) & (audit["hairpin"] != "")).sum()),
            "in a family": int((audit["family"] != "").sum()),
            "relative in training": int(audit["relative"].sum()),
        }
        for name, audit in audits.items()
    )


def gather(paths: Iterable[str | Path], origins: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """TSV files below each other, with what is known of each as further columns."""
    return pd.concat(
        [
            pd.read_csv(path, sep="\t").assign(**origin)
            for path, origin in zip(paths, origins, strict=True)
        ],
        ignore_index=True,
    )


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
        A row for each training: group (the experiment, its folds together), number of the fold
        (0 where there are none), model, recipe, seed, epochs, the seven metrics; label (the
        network's name, with the recipe's if it is not the paper's), published (name of the row that
        it reproduces among the published ones, or empty), and usual (epochs of its recipe).
    folds
        Number of folds of each experiment; 0 if it has none.
    shortcuts
        Columns group, feature, AUROC, AUPR: a row for each fold (see `mirpair.audit`).
    published
        Result of `mirpair.contracts.read_published_results`.

    Returns
    -------
    DataFrame
        Columns method, protocol, source, the seven metrics, note, and for programs: model, recipe,
        reproduces (method of the published row that it stands beside, or empty) and whole: False
        for a row of ours with fewer epochs or folds than its recipe and experiment have. A row
        over folds is the mean of their metrics (as in the paper), seeds averaged first.
    """
    lines: list[dict[Any, Any]] = []
    if published is None:
        runs = runs.assign(published="")
    else:
        # Beside published rows a network has the name that it has there.
        recipe = (", " + runs["recipe"]).where(runs["recipe"] != "paper", "")
        is_there = runs["published"] != ""
        runs = runs.assign(label=(runs["published"] + recipe).where(is_there, runs["label"]))
    for protocol, group in rows.items():
        ours = _our_rows(runs[runs["group"] == group], folds[group], protocol)
        if published is not None:
            stated = published[published["protocol"] == protocol]
            for line in stated.to_dict("records"):
                lines.append({**line, "source": PUBLISHED, "note": "", "whole": True})
                lines += [row for row in ours if row["reproduces"] == line["method"]]
                ours = [row for row in ours if row["reproduces"] != line["method"]]
        lines += ours
        lines += _feature_rows(shortcuts[shortcuts["group"] == group], protocol)
    table = pd.DataFrame(lines, columns=["method", "protocol", "source", *METRICS, "note", *_APART])
    names = ["model", "recipe", "reproduces"]
    table[names] = table[names].fillna("")
    return table


def _our_rows(runs: pd.DataFrame, folds: int, protocol: str) -> list[dict[Any, Any]]:
    lines = []
    for kind, trained in runs.groupby(
        ["model", "label", "recipe", "published", "epochs", "usual"], sort=False, dropna=False
    ):
        model, label, recipe, published, epochs, usual = cast(
            tuple[str, str, str, str, int, int], kind
        )
        by_fold = trained.groupby("number")[list(METRICS)].mean(skipna=False)
        present = sorted(set(trained["number"]))
        lines.append(
            {
                "method": label,
                "protocol": protocol,
                "source": OURS,
                # What is undefined in one fold or seed is undefined in their mean.
                **by_fold.mean(skipna=False).to_dict(),
                "note": _note(recipe, epochs, usual, present, folds, trained["seed"].nunique()),
                "model": model,
                "recipe": recipe,
                "reproduces": published,
                "whole": epochs >= usual and len(present) >= folds,
            }
        )
    return lines


def _note(recipe: str, epochs: int, usual: int, present: list[int], folds: int, seeds: int) -> str:
    """How a row of ours was made, and plainly how it falls short of its recipe."""
    parts = [f"recipe {recipe}"]
    if epochs < usual:
        parts.append(f"only {epochs} of {usual} epochs")
    else:
        parts.append(f"{epochs} epochs" + (f" instead of {usual}" if epochs > usual else ""))
    if len(present) < folds:
        parts.append(f"only fold {', '.join(map(str, present))} of {folds}")
    elif folds:
        parts.append(f"{folds} folds")
    if seeds > 1:
        parts.append(f"{seeds} seeds")
    return ", ".join(parts)


def _feature_rows(shortcuts: pd.DataFrame, protocol: str) -> list[dict[Any, Any]]:
    means = shortcuts.groupby("feature")[list(RANKING)].mean()
    return [
        {
            "method": f"{FEATURES[feature]} alone",
            "protocol": protocol,
            "source": FEATURE,
            **means.loc[feature].to_dict(),
            "note": "no network",
            "whole": True,
        }
        for feature in FEATURES
        if feature in means.index
    ]


def formatted(table: pd.DataFrame) -> pd.DataFrame:
    """The table as text: three decimals, – where there is no value, protocol in the method."""
    shown = table.drop(columns=_APART, errors="ignore")
    if "protocol" in shown:
        shown["method"] = shown["method"] + " (" + shown.pop("protocol") + ")"
    for name in shown.columns:
        if name in METRICS:
            shown[name] = [f"{value:.3f}" if pd.notna(value) else "–" for value in table[name]]
        else:
            shown[name] = [str(value) if pd.notna(value) else "–" for value in shown[name]]
    return shown.rename(columns=lambda name: name if name in METRICS else name.capitalize())


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table's CSV as it was before it was written."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    words = [name for name in ("note", "model", "recipe", "reproduces") if name in table]
    table[words] = table[words].astype(object).fillna("")
    whole = [name for name in _COUNTED if name in table]
    table[whole] = table[whole].astype("Int64")
    return table


def to_csv(table: pd.DataFrame) -> str:
    """CSV with six decimals, empty where there is no value."""
    return table.to_csv(index=False, lineterminator="\n", float_format="%.6f")


def to_markdown(table: pd.DataFrame, title: str) -> str:
    """Markdown, one table under its title."""
    shown = formatted(table).map(lambda text: text.replace("|", "\\|"))
    return f"**{title}**\n\n{shown.to_markdown(index=False, disable_numparse=True)}\n"


def to_latex(table: pd.DataFrame, title: str) -> str:
    """A LaTeX table environment; needs the package booktabs."""
    shown = formatted(table).map(_latex_text).rename(columns=_latex_text)
    align = "".join("r" if name in METRICS else "l" for name in shown.columns)
    text: str = shown.style.hide(axis="index").to_latex(
        hrules=True, column_format=align, caption=_latex_text(title), position_float="centering"
    )
    return text


def _latex_text(text: str) -> str:
    special: dict[str, str | int | None] = {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "|": r"\textbar{}",
        "–": "--",
    }
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return text.translate(str.maketrans(special))


def to_html(table: pd.DataFrame, title: str) -> str:
    """A page of its own with one table."""
    return templates.get_template("table.html.j2").render(
        **page_parts(), title=title, table=html_rows(table)
    )


def html_rows(table: pd.DataFrame) -> dict[str, Sequence[object]]:
    """What the template's table macro takes: header, and class and cells of each row."""
    shown = formatted(table)
    classes = [str(source).replace(" ", "-") for source in table["source"]]
    return {
        "header": list(shown.columns),
        "rows": list(zip(classes, shown.to_numpy().tolist(), strict=True)),
    }


def page_parts() -> dict[str, Markup]:
    """What every page has: its style, its script, and the policy that lets nothing else run."""
    folder = resources.files("mirpair").joinpath("templates")
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
