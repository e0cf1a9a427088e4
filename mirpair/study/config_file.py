"""Find mistakes in the file of a config that a reader of YAML accepts without a word."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mirpair.files import InputError

_MERGE = "tag:yaml.org,2002:merge"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
# What YAML 1.1 reads as a number to the base 8 or 60.
_OTHER_BASE = re.compile(r"[-+]?(0[0-7_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")


def check_keys(path: str | Path) -> None:
    """Raise an `InputError` if a key of a YAML or JSON file is listed twice in one section.

    Readers of YAML and JSON use the last one and drop the others.
    """
    problems = []
    for section, node, loader in _sections(path):
        first: dict[Any, int] = {}
        for key, _ in node.value:
            if key.tag == _MERGE:
                continue
            name, line = _key(loader, key), key.start_mark.line + 1
            if name in first:
                where = f"in `{section}`" if section else "in the file"
                problems.append(
                    f"{shown(path)}: line {line}: the key `{key.value}` is {where} twice (first in "
                    f"line {first[name]}); rename or remove one of them"
                )
            first.setdefault(name, line)
    if problems:
        raise InputError("\n".join(problems))


def check_numbers(path: str | Path) -> None:
    """Raise an `InputError` if YAML reads a number of a file as another one: 010 as 8."""
    problems = []
    for section, node, loader in _sections(path):
        for key, value in node.value:
            name = f"{section}.{key.value}" if section else str(key.value)
            for item in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if _is_misread(item):
                    number = loader.construct_object(item)
                    problems.append(
                        f"{shown(path)}: line {item.start_mark.line + 1}: {name}: YAML reads "
                        f"{item.value} as {number}; write the number without a leading 0 or a "
                        "colon, or put text in quotes"
                    )
    if problems:
        raise InputError("\n".join(problems))


def _is_misread(node: yaml.Node) -> bool:
    return (
        isinstance(node, yaml.ScalarNode)
        and node.style is None
        and node.tag in _NUMBERS
        and bool(_OTHER_BASE.fullmatch(node.value))
    )


def shown(path: str | Path) -> str:
    """Name a file as the user does: relative to the working folder if it is below it."""
    absolute = Path(os.path.abspath(path))
    here = Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def typed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Read the numbers, truth values and nulls in lists and sections of `--config` arguments.

    Snakemake leaves them as text there: ``seeds=[1,2]`` becomes ``['1', '2']``.
    """
    return {key: _typed(it) if not isinstance(it, str) else it for key, it in arguments.items()}


def _typed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _typed(it) for key, it in value.items()}
    if isinstance(value, list):
        return [_typed(it) for it in value]
    if not isinstance(value, str):
        return value
    try:
        scalar = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return scalar if isinstance(scalar, bool | int | float) or value in ("null", "~") else value


def _sections(path: str | Path) -> Iterator[tuple[str, yaml.MappingNode, yaml.SafeLoader]]:
    """Yield each section of a file once, with its name (``runs.1``), in the order of the file."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError):
        return  # Snakemake has read it, or says why not
    try:
        json.loads(text)
        text = text.replace("\t", " ")  # YAML allows no tabs; JSON has none within its texts
    except ValueError:
        pass
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
    except yaml.YAMLError:
        return
    seen: set[int] = set()

    def walk(
        node: yaml.Node | None, name: str
    ) -> Iterator[tuple[str, yaml.MappingNode, yaml.SafeLoader]]:
        if node is None or id(node) in seen:
            return  # an alias of a section that was yielded
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield name, node, loader
            for key, value in node.value:
                yield from walk(value, f"{name}.{key.value}" if name else str(key.value))
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value, 1):
                yield from walk(value, f"{name}.{number}")

    yield from walk(root, "")


def _key(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    """Return a key as it is compared: `no` and `false` are the same."""
    try:
        key = loader.construct_object(node, deep=True)
        hash(key)
    except (yaml.YAMLError, TypeError):
        return (node.tag, str(node.value))
    return key
