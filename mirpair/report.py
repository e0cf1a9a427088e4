"""One self-contained page that says what a study found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from mirpair.tables import FEATURE, OURS, PUBLISHED, html_rows, stylesheet, templates


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report, with its picture if it has one.

    Attributes
    ----------
    name, title
        Name of its files, and its caption.
    table
        As `mirpair.tables` makes it.
    figure
        SVG file, or None.
    """

    name: str
    title: str
    table: pd.DataFrame
    figure: Path | None = None


_MEANING = {
    PUBLISHED: "as printed in the paper",
    OURS: "made here",
    FEATURE: "no network at all",
}


def inline_svg(path: str | Path) -> Markup:
    """An SVG file of ours as part of a page: without its XML head, its ids made its own.

    Two figures of matplotlib in one page would otherwise share the ids of their clip paths.
    """
    text = Path(path).read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    own = re.sub(r"\W", "-", f"{Path(path).parent.name}-{Path(path).stem}")
    text = re.sub(r'\bid="', f'id="{own}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{own}-", text)
    # Drawn by mirpair.figures; matplotlib escapes the text in it.
    return Markup(text)


def findings(table: pd.DataFrame) -> list[str]:
    """What a table of results says, in sentences: ours beside published, best feature beside us."""
    sentences = []
    for protocol in dict.fromkeys(table["protocol"]):
        rows = table[table["protocol"] == protocol]
        ours = rows[rows["source"] == OURS]
        for row in ours.to_dict("records"):
            text = (
                f"{row['method']} ({protocol}): AUROC {row['AUROC']:.3f}, AUPR {row['AUPR']:.3f}, "
                f"F-score {row['F-score']:.3f}"
            )
            stated = rows[(rows["source"] == PUBLISHED) & (rows["method"] == row["method"])]
            for other in stated.to_dict("records"):
                text += (
                    f"; published {other['AUROC']:.3f}, {other['AUPR']:.3f}, {other['F-score']:.3f}"
                )
            sentences.append(f"{text} ({row['note']}).")
        features = rows[rows["source"] == FEATURE]
        if not features.empty:
            parts = [f"{row['method']} {row['AUROC']:.3f}" for row in features.to_dict("records")]
            sentences.append(f"AUROC without any network ({protocol}): {', '.join(parts)}.")
    return sentences


def render(
    title: str,
    study: str,
    sections: Sequence[Section],
    histories: Mapping[str, Path],
    provenance: Sequence[Mapping[str, Any]],
    folding: Sequence[Mapping[str, Any]],
    dropped: Mapping[str, int],
    overlap: pd.DataFrame,
) -> str:
    """The page as HTML.

    Parameters
    ----------
    title, study
        Heading, and name of the study.
    sections
        Tables in their order.
    histories
        Experiment to the SVG of its training histories.
    provenance
        Contents of the runs' provenance.json.
    folding
        Contents of the sets' folding.json.
    dropped
        Set to the number of its records that were left out for an ambiguous character.
    overlap
        A row for each experiment: experiment, evaluated, in training, contradictory (see
        `mirpair.audit.overlap`).
    """
    shown = [
        {
            "name": section.name,
            "title": section.title,
            "table": html_rows(section.table),
            "figure": inline_svg(section.figure) if section.figure else None,
            "findings": findings(section.table) if "AUROC" in section.table else [],
        }
        for section in sections
    ]
    present = {source for section in sections for source in section.table["source"]}
    seconds = sum(entry["wall_time_s"] for entry in provenance)
    return templates.get_template("report.html.j2").render(
        title=title,
        study=study,
        sections=shown,
        histories={name: inline_svg(path) for name, path in histories.items()},
        runs=[_run_row(entry) for entry in provenance],
        versions=_versions([*provenance, *folding]),
        minutes=seconds / 60,
        dropped={name: count for name, count in dropped.items() if count},
        overlap=overlap.to_dict("records"),
        shared=int(overlap["in training"].sum()),
        contradictory=int(overlap["contradictory"].max()),
        style=stylesheet(),
        sources={source: text for source, text in _MEANING.items() if source in present},
    )


def _versions(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Every version that took part; more than one of a package are all told."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        for package, version in entry["versions"].items():
            if version not in found.setdefault(package, []):
                found[package].append(version)
    return {package: " and ".join(versions) for package, versions in found.items()}


def _run_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    run = entry["run"]
    return {
        "name": f"{run['experiment']}/{run['model']}/{run['recipe']}/seed{run['seed']}",
        "epochs": run["epochs"],
        "seconds": f"{entry['wall_time_s']:.0f}",
        "device": entry["device"],
        "threads": entry["threads"],
    }
