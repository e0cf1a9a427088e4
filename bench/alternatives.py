"""docs/alternatives.md from the trainings of config/alternatives.yaml: `make alternatives`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml

from mirpair.config import Study, load_study
from mirpair.contracts import METRICS
from mirpair.files import write_text, write_tsv
from mirpair.recipes import MODELS, RECIPES

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config" / "alternatives.yaml"
RUNS = ROOT / "results" / "alternatives" / "runs"
DOCS = ROOT / "docs" / "alternatives"
SHOWN = ("AUROC", "AUPR", "F-score")
BASELINE = ("variable", "paper")


def collect(study: Study, folder: Path) -> pd.DataFrame:
    """A row for each training: model, recipe, seed, epochs, seconds and the seven metrics."""
    rows = []
    for run in study.plan():
        place = folder / run.experiment / run.model / run.recipe / f"seed{run.seed}"
        measured = pd.read_csv(place / "metrics.tsv", sep="\t").iloc[0]
        made = json.loads((place / "provenance.json").read_text(encoding="utf-8"))
        rows.append(
            {
                **{"experiment": run.experiment, "model": run.model, "recipe": run.recipe},
                **{"seed": run.seed, "epochs": run.epochs, "seconds": made["wall_time_s"]},
                **{name: measured[name] for name in METRICS},
            }
        )
    return pd.DataFrame(rows)


def compare(study: Study, runs: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each alternative: mean and SD over the seeds, and its AUPR against the baseline's.

    An alternative is told to be better or worse where the means differ by more than twice the
    standard error of their difference.
    """
    grouped = runs.groupby(["model", "recipe"], sort=False)
    means, deviations = grouped[list(METRICS)].mean(), grouped[list(METRICS)].std(ddof=1)
    seeds = grouped.size()
    mean, deviation = means.loc[BASELINE], deviations.loc[BASELINE]
    rows = []
    for model, recipe in means.index:
        difference = means.loc[(model, recipe), "AUPR"] - mean["AUPR"]
        error = (
            deviations.loc[(model, recipe), "AUPR"] ** 2 / seeds[model, recipe]
            + deviation["AUPR"] ** 2 / seeds[BASELINE]
        ) ** 0.5
        verdict = "no clear difference"
        if abs(difference) > 2 * error:
            verdict = "better" if difference > 0 else "worse"
        rows.append(
            {
                "label": study.label(model, recipe),
                "entry": _entry(study, model, recipe),
                "seeds": int(seeds[model, recipe]),
                **{
                    name: f"{means.loc[(model, recipe), name]:.3f} ± "
                    f"{deviations.loc[(model, recipe), name]:.3f}"
                    for name in SHOWN
                },
                "difference": "–" if (model, recipe) == BASELINE else f"{difference:+.3f}",
                "verdict": "baseline" if (model, recipe) == BASELINE else verdict,
                "tried": model in study.models
                or recipe in study.recipes
                or model in ("alexnet", "resnet"),
            }
        )
    return rows


def _entry(study: Study, model: str, recipe: str) -> str:
    """What the config says of it."""
    own = study.models.get(model) or study.recipes.get(recipe)
    if own is not None:
        given = own.model_dump(exclude_unset=True, exclude={"label"})
        return ", ".join(f"{key}: {value}" for key, value in given.items())
    assert model in MODELS
    assert recipe in RECIPES
    return f"model {model}, recipe {recipe}"


def render(runs: pd.DataFrame) -> str:
    """The page."""
    study = load_study(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    rows = compare(study, runs)
    named = {
        verdict: [row["label"] for row in rows if row["tried"] and row["verdict"] == verdict]
        for verdict in ("better", "worse", "no clear difference")
    }
    template = (Path(__file__).parent / "alternatives.md.j2").read_text(encoding="utf-8")
    page: str = (
        jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
        .from_string(template)
        .render(
            rows=rows,
            shown=SHOWN,
            named=named,
            epochs=int(runs["epochs"].max()),
            trainings=len(runs),
        )
    )
    return page


def main() -> None:
    """Collect the trainings and write the page."""
    study = load_study(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    runs = collect(study, RUNS)
    DOCS.mkdir(exist_ok=True)
    write_tsv(runs, DOCS / "runs.tsv", float_format="%.6g")
    page = render(pd.read_csv(DOCS / "runs.tsv", sep="\t"))
    write_text(DOCS.with_suffix(".md"), page)
    print(page)


if __name__ == "__main__":
    main()
