"""Order of modules, names of stages, thin rules and scripts."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import LONGEST, ROOT

from mirpair.provenance import CARRIERS, code_reached

PACKAGE = ROOT / "mirpair"
# A package imports only those above it, a module within a package only those before it.
ORDER = {
    "": "__init__ files values sheets settings contracts provenance recipes",
    "rna": "formats structures text_files sequences in_memory folding encoding duplex facing arms "
    "encoded_sets similarity known_hairpins",
    "hairpins": "tiles stems candidates",
    "sources": "regions collections transfer packages download published ncbi live pseudo_hairpins "
    "known_stretches pre_mirnas genome_hairpins repeat_pairs",
    "networks": "score_log exact base do2018 tang2019 hairpin stem band lstm lstm_kernels "
    "deepmirgene arms pre_mirna joined weights build inference checkpoints loop training_job "
    "layers",
    "study": "config_file base sources splits tables checks trainings "
    "identification families arms prediction load saved_results plan shipping",
    "pages": "style page printing structures drawings",
    "identification": "datasets folds experiments intervals ranking metrics audit stem_features "
    "baselines train comparison kinds cutting kind_tables tables kind_figures figures report",
    "families": "model_files infernal covariance records naming family_calls train shortlist "
    "by_models annotation shipping card speed methods tables display figures report",
    "arms": "records collect rules measure train find tables card",
    "prediction": "calibration importance table weights predictor shipping tracks card",
    "scan": "resume find calls output page run",
    "server": "jobs app",
    "cli": "terminal options sequences explain predict scan serve live selftest app",
}
# What they read is a param: a URL, a package, a sequence, networks.
WITHOUT_INPUT = (
    *("download", "download_live", "families_wheel", "drawings_encoding", "drawings_networks"),
)
# Where an import and its conda package have different names.
CONDA = {
    "Bio": "biopython",
    "RNA": "viennarna",
    "matplotlib": "matplotlib-base",
    "sklearn": "scikit-learn",
    "torch": "pytorch",
    "yaml": "pyyaml",
}
# The conda packages of programs that a module runs.
PROGRAMS = {"similarity": {"mmseqs2"}, "infernal": {"infernal", "mafft"}}


@cache
def imports(path: Path) -> set[str]:
    """Full names of what a file imports anywhere, by absolute import statements."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            whole = [f"{base}.{alias.name}" for alias in node.names]
            files = [name for name in whole if (ROOT / f"{name.replace('.', '/')}.py").is_file()]
            found |= set(files) or {base}
    return found


def module(path: Path) -> str:
    """Name of a module within the package: ``rna.folding``."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def test_every_module_has_its_place_and_imports_only_those_before_it() -> None:
    order = [
        f"{package}.{name}".lstrip(".")
        for package, names in ORDER.items()
        for name in names.split()
    ]
    paths = {module(path): path for path in PACKAGE.rglob("*.py")}
    assert {name for name in paths if not name.endswith(".__init__")} == set(order)
    for place, name in enumerate(order):
        for imported in imports(paths[name]):
            if imported.startswith("mirpair."):
                assert order.index(imported.removeprefix("mirpair.")) < place, f"{name}: {imported}"


def test_imports_are_such_that_their_order_can_be_checked() -> None:
    """No relative imports, nor imports through `mirpair` or by a name in a text."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path}: {getattr(node, 'lineno', 0)}"
            match node:
                case ast.Import():
                    names = {alias.name.split(".")[0] for alias in node.names}
                    assert not names & {"mirpair", "importlib"}, where
                case ast.ImportFrom():
                    assert node.level == 0, where
                    names = {alias.name for alias in node.names}
                    if node.module == "mirpair":
                        assert names <= {"__version__", *ORDER[""].split()}, where
                    if path != PACKAGE / "__init__.py":
                        assert "import_module" not in names, where
                case ast.Name():
                    assert node.id != "__import__", where


def test_no_module_is_longer_than_500_lines() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, path


def test_every_package_is_installed_and_does_nothing_when_it_is_imported() -> None:
    """An `__init__` with code would be part of the code version of all that imports from it."""
    packages = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
    names = {f"mirpair.{path.name}" for path in packages}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(settings["tool"]["setuptools"]["packages"]) == names | {"mirpair", "mirpair.weights"}
    for path in packages:
        body = ast.parse((path / "__init__.py").read_text(encoding="utf-8")).body
        assert all(isinstance(node, ast.Expr) for node in body), path


def test_the_library_knows_nothing_of_snakemake() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert not any(name.split(".")[0] == "snakemake" for name in imports(path)), path


def rules() -> dict[str, dict[str, str]]:
    """Text of each directive of every rule with a script, those of the rule that it uses too."""
    found: dict[str, dict[str, str]] = {}
    heading = r"^(?:use )?rule (\w+)(?: as (\w+) with)?:\n((?:    .*\n|\n)+)"
    paths = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
    texts = [entry for path in paths for entry in re.findall(heading, path.read_text(), re.M)]
    # Those that use another one come after it.
    for name, other, body in sorted(texts, key=lambda entry: bool(entry[1])):
        parts = dict(re.findall(r"^    (\w+):((?: .*)?\n(?:        .*\n)*)", body, re.M))
        if other:
            # Params by name are added to those of the rule that it uses; all else replaces.
            both = found[name].get("params", "") + parts.get("params", "")
            found[other] = found[name] | parts | {"params": both}
        elif "script" in parts:
            found[name] = parts
    assert {"download", "train", "train_watched", "report"} <= set(found)
    return found


@pytest.mark.parametrize("name", rules())
def test_every_rule_has_what_a_cluster_and_a_reader_need(name: str) -> None:
    directives = rules()[name]
    for needed in ("input", "output", "params", "message", "log", "benchmark", "conda", "threads"):
        if needed != "input" or name not in WITHOUT_INPUT:
            assert needed in directives, f"rule {name} has no {needed}"
    for resource in ("mem_mb", "runtime"):
        assert re.search(rf"{resource}=growing\(\d+\)", directives["resources"]), resource
    assert "easured" in directives["resources"], "a limit comes from what was measured"
    script = re.search(r"scripts/(\w+)\.py", directives["script"])
    assert script
    assert script[1].split("_")[0] == name.split("_")[0], "the same name in every room"
    # A download is tracked by its checksum, all else by what its own script does.
    tracked = f'code=code_of("{script[1]}"' in directives["params"]
    assert tracked or name.startswith("download"), f"rule {name} does not track its script"


@pytest.mark.parametrize("name", rules())
def test_every_import_of_a_rule_is_in_its_conda_environment(name: str) -> None:
    directives = rules()[name]
    script = ROOT / "scripts" / Path(directives["script"].strip().strip('"')).name
    environment = yaml.safe_load(
        (ROOT / "envs" / Path(directives["conda"].strip().strip('"')).name).read_text()
    )
    packages = {entry.split()[0] for entry in environment["dependencies"]}
    reached = code_reached(script, ROOT / "scripts" / "job.py", *CARRIERS)
    used = set().union(*(imports(ROOT / file) for file in reached))
    outside = (
        {n.split(".")[0] for n in used} - set(sys.stdlib_module_names) - {"mirpair", "job", ""}
    )
    programs = set[str]().union(*(PROGRAMS.get(Path(file).stem, set()) for file in reached))
    # Only what trains needs Numba: without it, deepMiRGene runs by its definition.
    if not directives["conda"].strip().endswith('train.yaml"'):
        outside -= {"numba"}
    assert programs | {CONDA.get(n, n) for n in outside} <= packages


# What takes a second or so to import, and which scripts import it before their first line of work.
# A job is a process of its own, and a study has hundreds.
SLOW = {
    "torch": "arms_ship arms_train families_ship families_speed families_train train",
    "sklearn": "baselines folds",
    "scipy": "baselines families_ship families_speed folds",
    "matplotlib": "arms_tables drawings families_figures figures scan",
}


@cache
def first_imports(path: Path) -> tuple[set[str], set[Path]]:
    """Packages and modules of the library that a file imports before anything is called."""
    packages: set[str] = set()
    modules: set[Path] = set()
    waiting: list[ast.stmt] = list(ast.parse(path.read_text(encoding="utf-8")).body)
    # What is in a function comes later, and what is only for types never.
    while waiting:
        node = waiting.pop()
        names = []
        if isinstance(node, ast.Try | ast.With | ast.If) and "TYPE_CHECKING" not in ast.dump(node):
            waiting += node.body
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{it.name}" for it in node.names)]
        packages |= {part for name in names for part in name.split(".")}
        modules |= {ROOT / (name.replace(".", "/") + ".py") for name in names}
        modules |= {ROOT / name.split(".")[0] / "__init__.py" for name in names}
    return packages, {module for module in modules if module.is_file()}


def imported_at_once(path: Path) -> set[str]:
    """Slow packages that a file imports, itself or by the library, before anything is called."""
    found: set[str] = set()
    waiting, seen = [path], {path}
    while waiting:
        packages, modules = first_imports(waiting.pop())
        found |= packages & set(SLOW)
        waiting += modules - seen
        seen |= modules
    return found | ({"scipy"} if "sklearn" in found else set())


@pytest.mark.parametrize("package", SLOW)
def test_a_script_imports_what_is_slow_only_if_its_work_needs_it(package: str) -> None:
    """What jobs have imported at their end: tests/workflow/test_startup.py."""
    scripts = sorted((ROOT / "scripts").glob("*.py"))
    assert " ".join(it.stem for it in scripts if package in imported_at_once(it)) == SLOW[package]


def test_the_workflow_is_planned_without_what_is_slow() -> None:
    """The library that the rules import; Snakemake itself imports pandas, and nothing of these."""
    for path in [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]:
        names = re.findall(r"^(?:from|import) (mirpair[.\w]+)", path.read_text(), re.M)
        assert names or path.name != "common.smk"
        for name in names:
            assert not imported_at_once(ROOT / (name.replace(".", "/") + ".py")), (path, name)


def test_the_longest_test_files_are_there() -> None:
    assert {f"{name}.py" for name in LONGEST} <= {it.name for it in ROOT.glob("tests/workflow/*")}


def test_scripts_are_thin() -> None:
    for path in (ROOT / "scripts").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 60, path


def test_rules_keep_wiring_and_the_library_computes() -> None:
    """A function of a rule file has ten lines at most; mirpair/study/plan.py has the thought."""
    for path in [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]:
        for name, lines in lengths_of_functions(path.read_text()).items():
            assert lines < 10, f"{path.name}: {name}"


def lengths_of_functions(text: str) -> dict[str, int]:
    """Number of lines in the body of each function, however it is indented or its head is cut."""
    functions = r"^([ \t]*)def (\w+)\((?:.|\n)*?\)(?: *->.*)?:.*\n((?:\1[ \t]+.*\n|[ \t]*\n)*)"
    found = re.findall(functions, text, re.M)
    return {name: len(body.strip().splitlines()) for _, name, body in found}


def test_long_functions_of_rules_are_noticed_in_any_layout() -> None:
    text = (
        "def short(x):\n    return x\n\n\n"
        "def cut(\n    x: int,\n    y=f(1),\n) -> dict[str, int]:\n    x\n\n    y\n    z\n\n\n"
        "if X:\n    def inner(x):\n        x\n        return y\n\nrule a:\n    input: 1\n"
    )
    assert lengths_of_functions(text) == {"short": 1, "cut": 4, "inner": 2}


def test_the_snakefile_is_a_table_of_contents() -> None:
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 60


def test_the_version_is_the_same_everywhere() -> None:
    from mirpair import __version__

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_limits_of_a_job_grow_with_each_attempt() -> None:
    text = (ROOT / "rules" / "common.smk").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(text[text.index("def growing(") : text.index("def one_of(")], names)
    assert [names["growing"](500)(None, attempt) for attempt in (1, 2, 3)] == [500, 1000, 1500]
    for profile in ("slurm", "cluster-generic", "kubernetes"):
        settings = yaml.safe_load((ROOT / "profiles" / profile / "config.yaml").read_text())
        assert settings["retries"] >= 1, profile


PROFILES = sorted((ROOT / "profiles").glob("*/config.yaml"))


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_every_setting_of_a_profile_has_its_reason_above_it(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"[a-z]", line)]
    assert len(settings) == len(yaml.safe_load(path.read_text(encoding="utf-8")))
    for number in settings:
        assert lines[number - 1].startswith("# "), f"{path}: {lines[number]}"


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_every_rule_that_a_profile_names_is_there(path: Path) -> None:
    profile = yaml.safe_load(path.read_text(encoding="utf-8"))
    keys = ("groups", "set-resources", "set-threads")
    named = {re.split("[:=]", entry)[0] for key in keys for entry in profile.get(key, [])}
    assert named <= set(rules())
