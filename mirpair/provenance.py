"""What a result was made with: versions of packages, and of this project's own code."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from mirpair import __version__
from mirpair.files import sha256, write_text

PACKAGE = Path(__file__).parent


@cache
def _contents(text: str, module: str) -> tuple[str, frozenset[str]]:
    """Parse a file: its syntax tree without docstrings, and the names that it imports.

    Cached, because the scripts of a study import the same modules.

    Parameters
    ----------
    text
        Source code.
    module
        Dotted name of the module, which relative imports start from.

    Returns
    -------
    tuple
        The tree as text, and dotted names: of ``from a.b import c`` both ``a.b`` and ``a.b.c``.
    """
    tree = ast.parse(text)
    names: set[str] = set()
    # Imports and docstrings are statements, so there is no need to look into expressions.
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        match node:
            case (
                ast.Module(body=[ast.Expr(ast.Constant(str())), *rest])
                | ast.ClassDef(body=[ast.Expr(ast.Constant(str())), *rest])
                | ast.FunctionDef(body=[ast.Expr(ast.Constant(str())), *rest])
                | ast.AsyncFunctionDef(body=[ast.Expr(ast.Constant(str())), *rest])
            ):
                node.body = rest
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom():
                base = node.module or ""
                if node.level:
                    above = ".".join(module.split(".")[: -node.level])
                    base = f"{above}.{base}".strip(".")
                names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, block, None)
            waiting += inner if isinstance(inner, list) else []
    return ast.dump(tree), frozenset(names)


# These carry tables and bytes, or say versions: they decide nothing of a result. What a run takes
# from the recipes is a param of its rule.
CARRIERS = frozenset({"files", "contracts", "provenance", "recipes"})


def _modules_of(name: str, package: Path) -> list[Path]:
    """Files that an import of a dotted name runs: a module, and the `__init__` files above it.

    The package's own `__init__` is not among them: it says the version, and offers shortcuts.
    """
    top, *parts = name.split(".")
    if top != package.name or (parts and parts[0] in CARRIERS):
        return []
    folders = [package.joinpath(*parts[:depth], "__init__") for depth in range(1, len(parts) + 1)]
    paths = [folder.with_suffix(".py") for folder in folders]
    if parts:
        paths.append(package.joinpath(*parts).with_suffix(".py"))
    return [path for path in paths if path.is_file()]


def code_reached(*parts: str | Path, package: Path = PACKAGE) -> dict[str, str]:
    """Collect the code of scripts or modules, and of all project modules that they import.

    Parameters
    ----------
    *parts, package
        As `code_version` takes them.

    Returns
    -------
    dict
        File, relative to its project, such as ``mirpair/rna/folding.py``, to its code.

    Raises
    ------
    FileNotFoundError
        If there is no such part.
    """
    seen: dict[str, str] = {}
    waiting = [package / part if isinstance(part, str) else part for part in parts]
    while waiting:
        path = waiting.pop()
        inside = path.is_relative_to(package)
        name = str(path.relative_to(package.parent if inside else path.parent.parent))
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.is_file())
            seen[name] = repr([(file.name, sha256(file)) for file in files])
            continue
        source = path.with_suffix(".py")
        name = name.removesuffix(".py")
        if f"{name}.py" in seen:
            continue
        code, imported = _contents(source.read_text(encoding="utf-8"), name.replace("/", "."))
        seen[f"{name}.py"] = code
        waiting += [module for it in imported for module in _modules_of(it, package)]
    return seen


def code_version(*parts: str | Path, package: Path = PACKAGE) -> str:
    """Hash of what code does: of scripts or modules, and of all project modules they import.

    Comments, docstrings and layout do not count, nor do modules that only carry data
    (`CARRIERS`), so that nothing but a change of what the code does makes Snakemake run a rule
    again that has this value as a param.

    Parameters
    ----------
    *parts
        Script files; modules of the package by path, such as ``"rna/folding"``; folders of it,
        such as ``"pages/templates"``, whose files count byte by byte.
    package
        Folder of the package.

    Returns
    -------
    str
        Sixteen hexadecimal digits.

    Raises
    ------
    FileNotFoundError
        If there is no such part.
    """
    reached = code_reached(*parts, package=package)
    return hashlib.sha256(repr(sorted(reached.items())).encode()).hexdigest()[:16]


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, of this project and of the named distributions."""
    return {
        "python": platform.python_version(),
        "mirpair": __version__,
        **{package: metadata.version(package) for package in packages},
    }


def write_json(content: Mapping[str, Any], path: str | Path) -> None:
    """Write what a result was made with, for people and programs, atomically."""
    write_text(path, json.dumps(content, indent=2) + "\n")
