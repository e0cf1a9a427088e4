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
def _contents(text: str, package: str) -> tuple[str, frozenset[str]]:
    """Parse a file: its syntax tree without docstrings, and the modules of the package it imports.

    Cached, because the thirty scripts of a study import the same modules.
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
                    base = f"{package}.{base}".rstrip(".")
                names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, block, None)
            waiting += inner if isinstance(inner, list) else []
    modules = {name.split(".")[1] for name in names if name.startswith(f"{package}.")}
    return ast.dump(tree), frozenset(modules)


# These carry tables and bytes, or say versions: they decide nothing of a result. What a run takes
# from the recipes is a param of its rule.
CARRIERS = frozenset({"files", "contracts", "provenance", "recipes"})


def code_version(*parts: str | Path, package: Path = PACKAGE) -> str:
    """Hash of what code does: of scripts or modules, and of all project modules they import.

    Comments, docstrings and layout do not count, nor do modules that only carry data
    (`CARRIERS`), so that nothing but a change of what the code does makes Snakemake run a rule
    again that has this value as a param.

    Parameters
    ----------
    *parts
        Script files; modules of the package by name, such as ``"training"``; folders of it, such
        as ``"templates"``, whose files count byte by byte.
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
    seen: dict[str, str] = {}
    done: set[Path] = set()
    waiting = [package / part if isinstance(part, str) else part for part in parts]
    while waiting:
        path = waiting.pop()
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.is_file())
            seen[path.name] = repr([(file.name, sha256(file)) for file in files])
            continue
        source = path.with_suffix(".py")
        if source in done:
            continue
        done.add(source)
        code, modules = _contents(source.read_text(encoding="utf-8"), package.name)
        imported = [package / name for name in modules - CARRIERS]
        waiting += [module for module in imported if module.with_suffix(".py").is_file()]
        # A script may have the name of a module: scripts/audit.py, mirpair/audit.py.
        name = source.name if source.name not in seen else f"{source.parent.name}/{source.name}"
        seen[name] = code
    return hashlib.sha256(repr(sorted(seen.items())).encode()).hexdigest()[:16]


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
