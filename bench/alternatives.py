"""Write docs/alternatives.md from trainings of config/alternatives.yaml (`make alternatives`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from scipy.stats import ttest_ind

from bench.templates import fill
from mirpair.contracts import METRICS
from mirpair.files import write_text, write_tsv
from mirpair.recipes import MODELS, RECIPES
from mirpair.study.identification import Study
from mirpair.study.load import load_study

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config" / "alternatives.yaml"
RUNS = ROOT / "results" / "alternatives" / "runs"
DOCS = ROOT / "docs" / "alternatives"
SHOWN = ("AUROC", "AUPR", "F-score")
BASELINE = ("variable", "paper")


def collect(study: Study, folder: Path) -> pd.DataFrame:
    """Make one row per training: model, recipe, seed, epochs, seconds and the seven metrics."""
    rows = []
    for run in study.plan():
        results = folder / run.folder
        metrics = pd.read_csv(results / "metrics.tsv", sep="\t").iloc[0]
        provenance = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
        rows.append(
            {
                **{"experiment": run.experiment, "model": run.model, "recipe": run.recipe},
                **{"seed": run.seed, "epochs": run.epochs, "seconds": provenance["wall_time_s"]},
                **{name: metrics[name] for name in METRICS},
            }
        )
    return pd.DataFrame(rows)


def compare(study: Study, runs: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare each alternative with the baseline: mean and SD over seeds, difference in AUPR.

    The 95 % interval is of Welch's t-test, not corrected for the number of comparisons.
    """
    by_kind = dict(list(runs.groupby(["model", "recipe"], sort=False)))
    baseline = by_kind[BASELINE]
    rows = []
    for (model, recipe), group in by_kind.items():
        row: dict[str, Any] = {
            "label": study.method(model, recipe).label,
            "entry": _entry(study, model, recipe),
            "seeds": len(group),
            **{name: f"{group[name].mean():.3f} ± {group[name].std():.3f}" for name in SHOWN},
            "difference": "baseline",
            "side": "",
            "tried": model in ("alexnet", "resnet") or {model, recipe} & _own(study) != set(),
        }
        if (model, recipe) != BASELINE:
            test = ttest_ind(group["AUPR"], baseline["AUPR"], equal_var=False)
            low, high = test.confidence_interval(0.95)
            difference = group["AUPR"].mean() - baseline["AUPR"].mean()
            row["difference"] = f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]"
            row["side"] = "above" if low > 0 else "below" if high < 0 else "within"
        rows.append(row)
    return rows


def _own(study: Study) -> set[str]:
    """List the networks and recipes that the study defines itself."""
    return {*study.models, *study.recipes}


def _entry(study: Study, model: str, recipe: str) -> str:
    """Describe an alternative by its entry in the config."""
    own = study.models.get(model) or study.recipes.get(recipe)
    if own is not None:
        given = own.model_dump(exclude_unset=True, exclude={"label"})
        return ", ".join(f"{key}: {value}" for key, value in given.items())
    assert model in MODELS
    assert recipe in RECIPES
    return f"model {model}, recipe {recipe}"


def render(runs: pd.DataFrame) -> str:
    """Write the page as Markdown."""
    study = load_study(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    rows = compare(study, runs)
    named = {
        side: [row["label"] for row in rows if row["tried"] and row["side"] == side]
        for side in ("above", "below", "within")
    }
    return fill(
        "alternatives",
        rows=rows,
        shown=SHOWN,
        named=named,
        epochs=int(runs["epochs"].max()),
        trainings=len(runs),
    )


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
