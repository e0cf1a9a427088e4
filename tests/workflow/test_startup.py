"""What a job has imported at its end: most of a short job is its start."""

from __future__ import annotations

import json

import pytest

from workflow.conftest import Copy

SLOW = ("torch", "sklearn", "scipy", "matplotlib")
# What the job of each rule of the small study has imported when it ends. (Forked workers are not
# seen.)
NOTHING = "encode experiments features fold records report structures tables_audit"
NOTHING += " tables_cleaned tables_epochs tables_results"
NEEDED = {
    **dict.fromkeys(NOTHING.split(), ()),
    **dict.fromkeys(("audit", "baselines", "evaluate", "evaluate_group"), ("sklearn", "scipy")),
    "folds": ("sklearn", "scipy"),
    "figures_predictions": ("sklearn", "scipy", "matplotlib"),
    "drawings_encoding": ("matplotlib",),
    "drawings_networks": ("torch", "matplotlib"),
    "train": ("torch",),
    **{
        f"figures_{name}": ("matplotlib",)
        for name in ("cleaned", "histories", "lengths", "resources", "results")
    },
}


@pytest.fixture(scope="module")
def imported(finished_study: Copy) -> dict[str, set[str]]:
    lines = (finished_study.folder / "imported.jsonl").read_text().splitlines()
    found: dict[str, set[str]] = {}
    for name, packages in map(json.loads, lines):
        found.setdefault(name, set()).update(packages)
    return found


def test_every_rule_of_a_study_is_looked_at(imported: dict[str, set[str]]) -> None:
    assert set(imported) == set(NEEDED)


@pytest.mark.parametrize("rule", NEEDED)
def test_a_job_imports_what_is_slow_only_if_its_work_needs_it(
    rule: str, imported: dict[str, set[str]]
) -> None:
    assert imported[rule] & set(SLOW) == set(NEEDED[rule])
