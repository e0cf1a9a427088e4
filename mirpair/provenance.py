"""Versions of packages and of the project's own code, as stored with each result."""

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
    """Parse a module's code into its syntax tree without docstrings, and the names it imports.

    The names are dotted: ``from a.b import c`` gives ``a.b`` and ``a.b.c``. Cached, because the
    scripts of a study import the same modules.
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


# These only carry tables, bytes and versions, and do not change a result. What a run uses from the
# recipes is a param of its rule.
CARRIERS = frozenset({"files", "contracts", "provenance", "recipes"})


def _modules_of(name: str, package: Path) -> list[Path]:
    """List the files that an import runs: the module and the `__init__` files above it.

    The package's own `__init__` is left out: it only has the version and shortcuts.
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
    """Collect the code of scripts or modules and of all project modules they import.

    Parameters and errors are those of `code_version`. The result maps a file, relative to the
    project, such as ``mirpair/rna/folding.py``, to its code.
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
        waiting += [file for module in imported for file in _modules_of(module, package)]
    return seen


def code_version(*parts: str | Path, package: Path = PACKAGE) -> str:
    """Hash the code of scripts or modules and of all project modules they import.

    Comments, docstrings and layout do not count, nor do modules that only carry data (`CARRIERS`).
    So a rule with this value as a param runs again only if its code changed.

    Parameters
    ----------
    *parts
        Script files; modules of the package by path, such as ``"rna/folding"``; or folders, such as
        ``"pages/templates"``, whose files count byte by byte. One that does not exist is a
        `FileNotFoundError`.
    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    reached = code_reached(*parts, package=package)
    return hashlib.sha256(repr(sorted(reached.items())).encode()).hexdigest()[:16]


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, of this project and of the named distributions."""
    return {
        "python": platform.python_version(),
        "mirpair": __version__,
        **{package: metadata.version(package) for package in packages},
    }


def write_json(content: Mapping[str, Any], path: str | Path) -> None:
    """Write a JSON file, atomically."""
    write_text(path, json.dumps(content, indent=2) + "\n")
