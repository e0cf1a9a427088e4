"""What a result was made with: versions of packages, and of this project's own code."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from mirpair import __version__
from mirpair.files import sha256, write_text

PACKAGE = Path(__file__).parent


def _strip_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        match node:
            case (
                ast.Module(body=[ast.Expr(ast.Constant(str())), *rest])
                | ast.ClassDef(body=[ast.Expr(ast.Constant(str())), *rest])
                | ast.FunctionDef(body=[ast.Expr(ast.Constant(str())), *rest])
                | ast.AsyncFunctionDef(body=[ast.Expr(ast.Constant(str())), *rest])
            ):
                node.body = rest
    return tree


def _imported_modules(tree: ast.Module, package: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = f"{package}.{base}".rstrip(".")
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith(f"{package}.")}


def code_version(*names: str, package: Path = PACKAGE) -> str:
    """Hash of modules' code and of all project modules that they import, directly or not.

    Comments, docstrings and layout do not count, so that only a change of what the code does
    makes Snakemake run a rule again that carries this value as a param.

    Parameters
    ----------
    *names
        Modules of this package, such as ``"training"``, or folders of it, such as
        ``"templates"``, whose files count byte by byte.
    package
        Folder of the package.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    seen: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        source = package / f"{name}.py"
        if name in seen or (name not in names and not source.is_file()):
            continue
        if (package / name).is_dir():
            files = sorted((package / name).iterdir())
            seen[name] = repr([(file.name, sha256(file)) for file in files if file.is_file()])
            continue
        tree = ast.parse(source.read_text(encoding="utf-8"))
        waiting += _imported_modules(tree, package.name)
        seen[name] = ast.dump(_strip_docstrings(tree))
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
