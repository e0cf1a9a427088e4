"""Explain wrong values of a config or a table in plain words."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

_NUMBERS = {"int": "a whole number", "float": "a number"}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def explain_value(problem: Mapping[str, Any], pattern: str = "") -> str:
    """Say what a value is, and what it must be.

    Parameters
    ----------
    problem
        An error of pydantic, as `ValidationError.errors` lists it.
    pattern
        What a text must be that does not match its pattern.
    """
    kind, value = problem["type"], problem["input"]
    if value is None and kind.endswith("_type"):
        return "has no value; give one, or leave the key out"
    required = _required(kind, value, problem.get("ctx", {}))
    if kind == "string_pattern_mismatch" and pattern:
        required = f"be {pattern}"
    return f"is {written(value)}, must {required or 'be another value: ' + problem['msg']}"


def written(value: Any) -> str:
    """Write a value of a config nearly as in its file; a long one is cut."""
    text = str(value) if isinstance(value, datetime.date) else repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _required(kind: str, value: Any, limits: Mapping[str, Any]) -> str:
    name, _, how = kind.partition("_")
    if name in _NUMBERS and how in ("type", "parsing", "from_float", "parsing_size"):
        return f"be {_NUMBERS[name]}{_hint(name, value)}"
    if kind in _BOUNDS:
        bound, word = _BOUNDS[kind]
        return f"be {word} {limits[bound]:g}"
    match kind:
        case "bool_type":
            return f"be true or false{', without quotes' if isinstance(value, str) else ''}"
        case "literal_error":
            return f"be {limits['expected']}"
        case "list_type" | "tuple_type" if isinstance(value, Mapping):
            return "be a list; begin each of its entries with '- '"
        case "list_type" | "tuple_type":
            return f"be a list: [{value}]"
        case "dict_type" | "model_type" | "dataclass_type" | "model_attributes_type":
            return "be a section with keys of its own"
        case "string_type":
            return f"be text: {_quoted(value)}"
        case "date_from_datetime_parsing" | "date_parsing":
            return "be a date, as in 2024-01-31"
        case "string_too_short":
            return "not be empty"
        case "too_short":
            return f"have at least {limits['min_length']} entry"
        case "finite_number":
            return "be a finite number"
    return ""


def _hint(kind: str, value: Any) -> str:
    """Say what to write in place of a value that looks like a number, or is true or false."""
    if isinstance(value, bool):
        return f"; YAML reads {'yes and on as true' if value else 'no and off as false'}"
    try:
        number = float(value) if isinstance(value, float | str) else None
    except ValueError:
        number = None
    if isinstance(value, str) and number is not None and value.strip("+-").isdigit():
        return ", without quotes"
    if number is None or not math.isfinite(number) or (kind == "int" and not number.is_integer()):
        return ""
    return f": {number:.15g}"


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return f"put it in quotes, as in '{'yes' if value else 'no'}'"
    if isinstance(value, list | dict):
        return "one value, not several"
    return f"'{value}'"
